"""What a request asks for and one source can issue is fetched with one wish: one sign-in, one yes, one token."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

from issuer.deferral import Review
from schemas.types import CREDENTIAL_TYPES
from service.i18n import load_catalogues
from tests.attacks.test_wallet_receiving import changed_json
from tests.issuer.fetching import ELIN
from tests.schemas.types.records import statement
from tests.wallet.fake_verifier import credential, known_verifier, notice
from tests.wallet.pages.test_moving_pages import read_in, saved
from tests.wallet.people import Sharer
from tests.wallet.test_fetching import Source, _enter, _form, _tree
from tests.wallet.test_pages import make_wallet
from tests.world import World
from wallet.collection import Collection, PartState, Stage
from wallet.ledger import EventKind
from wallet.pages.waiting import waiting_views
from wallet.vault import UnlockedVault

pytestmark = pytest.mark.anyio
REGISTRATION, TARGET = (CREDENTIAL_TYPES[name] for name in ("registration-certificate", "target-group-certificate"))
METADATA = "/.well-known/openid-credential-issuer"
BOTH: dict[str, Any] = {
    "credentials": [
        credential(["registered_status"], query_id="registration", vct=REGISTRATION.vct),
        credential(["in_target_group"], query_id="target", vct=TARGET.vct),
    ]
}


def employment_service(world: World, **settings: Any) -> Source:
    """A source that knows Elin's registration and that she is in the target group."""
    kept = [statement(one, learner=ELIN, as_of=None, is_live=True) for one in (REGISTRATION, TARGET)]
    source = Source(world, vct=REGISTRATION.vct, kept=kept, **settings)
    world.wallet.trust(replace(source.entry, types=(REGISTRATION.vct, TARGET.vct)))
    return source


async def away_for_both(world: World, vault: UnlockedVault, source: Source) -> tuple[str, Collection]:
    """The person has chosen to fetch both, and is about to sign in."""
    wallet = world.wallet.deployment
    collection_id = await wallet.look_for(vault, source.side.url, REGISTRATION.vct, TARGET.vct)
    return collection_id, await wallet.begin_sign_in(vault, collection_id)


@contextmanager
def listening(world: World, path: str) -> Iterator[list[httpx2.Request]]:
    """The requests that were sent to a path."""
    sent: list[httpx2.Request] = []

    def listen(request: httpx2.Request) -> None:
        if request.url.path == path:
            sent.append(request)

    with world.network.answering(listen):
        yield sent


def fields_of(form: Any) -> dict[str, list[str]]:
    """What a form sends; a name may stand there several times."""
    fields: dict[str, list[str]] = {}
    for name, value in form.form_values():
        fields.setdefault(name, []).append(value)
    return fields


def without_scopes(document: dict[str, Any]) -> None:
    """An issuer that knows no scopes, so that it is asked by authorization details, and takes requests in clear."""
    for configuration in document["credential_configurations_supported"].values():
        configuration.pop("scope")
    for name in ("credential_request_encryption", "credential_response_encryption"):
        document.pop(name, None)


@pytest.mark.parametrize(
    ("hosts", "told"),
    [
        (["university.example"], "Resten hämtar du sedan från university.example."),
        (["university.example", "college.example"], "Resten hämtar du sedan på samma sätt."),
    ],
)
async def test_what_one_source_does_not_have_is_fetched_afterwards(world: World, hosts: list[str], told: str) -> None:
    """Two of three with one sign-in at the one; the page says that the third comes from elsewhere."""
    source, employer = employment_service(world), known_verifier(world)
    course = CREDENTIAL_TYPES["micro-credential"].vct
    for host in hosts:
        world.wallet.trust(replace(source.entry, id=host, name=host, identifier=f"https://{host}", types=(course,)))
    sharer = await Sharer.named(world)
    of_three = {"credentials": [*BOTH["credentials"], credential(["title"], query_id="course", vct=course)]}
    share_id = await sharer.begin(employer.ask(of_three, notice=notice()).link())

    tree = _tree(_enter(world.wallet.browser("sv"), f"/share/{share_id}"))

    assert tree.xpath("string(//p[@id='afterwards'])") == told


@pytest.mark.parametrize("by_details", [False, True])
async def test_one_wish_one_sign_in_and_one_token_fetch_both(world: World, by_details: bool) -> None:
    """By scopes or by authorization details: pushed once, allowed once; each with keys and a name of its own."""
    source, employer = employment_service(world), known_verifier(world)
    sharer = await Sharer.named(world)
    share_id = await sharer.begin(employer.ask(BOTH, notice=notice()).link())
    browser = world.wallet.browser("sv")
    lacking = _enter(browser, f"/share/{share_id}")
    form = _form(lacking, "fetch-all-1")
    tree = _tree(lacking)
    assert tree.xpath("//*[@id='lacking']//li/strong/text()") == [one.title("sv") for one in (REGISTRATION, TARGET)]
    assert len(tree.xpath("//main//li")) == 2, "what is missing is listed once"
    assert len(tree.xpath("//main//button[contains(@class, 'button-main')]")) == 1, "one thing to do first"
    assert not tree.xpath("//details[@id='one-at-a-time']/@open"), "each by itself is there, behind one click"
    singles = tree.xpath("//details[@id='one-at-a-time']//button/span/text()")
    assert singles == ["Hämta inskrivningsintyg från source.example", "Hämta målgruppsintyg från source.example"]

    def changed(document: dict[str, Any]) -> None:
        if by_details:
            without_scopes(document)

    with (
        world.network.changing(changed_json(METADATA, changed)),
        listening(world, "/par") as pushed,
        listening(world, "/credential") as asked,
    ):
        page = browser.post(form.action, data=fields_of(form))
        (link,) = _tree(page).xpath("//a[@id='to-source']/@href")
        assert "Du hämtar dessa 2 från" in _tree(page).xpath("string(//p[@id='together'])")
        page = browser.get("/fetched", params=source.allow(str(link)))

    assert page.url.path == f"/share/{share_id}", "the very same request"
    assert 'id="decide-share"' in page.text
    assert {one.vct for one in sharer.vault.certificates()} == {REGISTRATION.vct, TARGET.vct}
    assert all(one.renewal is not None for one in sharer.vault.certificates()), "each can be renewed by itself"
    assert world.wallet.deployment.collections(sharer.vault) == {}
    (wanted,) = [parse_qs(one.content.decode()) for one in pushed]
    assert wanted["ui_locales"] == ["sv"], "the source speaks to the person as their wallet does"
    names = ["registration-certificate", "target-group-certificate"]
    if not by_details:
        assert wanted["scope"] == [" ".join(names)]
        return
    details = json.loads(wanted["authorization_details"][0])
    assert [one["credential_configuration_id"] for one in details] == names
    assert "scope" not in wanted
    requests = [json.loads(one.content) for one in asked]
    assert len({one["credential_identifier"] for one in requests}) == 2
    assert not any("credential_configuration_id" in one for one in requests)
    proofs = [proof for one in requests for proof in one["proofs"]["jwt"]]
    assert len(set(proofs)) == len(proofs) == 20


@pytest.mark.parametrize(
    ("language", "choice", "enough"),
    [
        ("sv", "Studieresultat eller gymnasiebetyg", "Ett av dem räcker."),
        ("en", "Course results or upper secondary grades", "One of them is enough."),
    ],
)
async def test_alternatives_that_are_missing_are_told_as_alternatives(
    world: World, language: str, choice: str, enough: str
) -> None:
    """One of two records beside two statements: three things are missing, not four."""
    employment_service(world)
    employer = known_verifier(world)
    kinds = [REGISTRATION, TARGET, *(CREDENTIAL_TYPES[one] for one in ("course-results", "upper-secondary-grades"))]
    asked: dict[str, Any] = {
        "credentials": [
            {"id": f"q{number}", "format": "dc+sd-jwt", "meta": {"vct_values": [one.vct]}}
            for number, one in enumerate(kinds)
        ],
        "credential_sets": [{"options": [["q2"], ["q3"]]}, {"options": [["q0"]]}, {"options": [["q1"]]}],
    }
    sharer = await Sharer.named(world)
    share_id = await sharer.begin(employer.ask(asked, notice=notice()).link())

    page = _tree(_enter(world.wallet.browser(language), f"/share/{share_id}"))

    listed = [" ".join(one.itertext()).split() for one in page.xpath("//*[@id='lacking']//li")]
    assert [" ".join(one) for one in listed] == [
        f"{choice} . {enough}", REGISTRATION.title(language), TARGET.title(language)
    ]  # fmt: skip
    assert len(page.xpath("//main//button[contains(@class, 'button-main')]")) == 1


async def test_the_source_is_spoken_to_in_the_language_of_the_wallet(world: World) -> None:
    """English in the wallet, English at the source; the page that the person looks at comes first."""
    source, vault = employment_service(world), await world.wallet.person()
    vault.profile["language"] = "en"
    with listening(world, "/par") as pushed:
        collection_id, _ = await away_for_both(world, vault, source)
        await world.wallet.deployment.begin_sign_in(vault, collection_id, language="sv")

    assert [parse_qs(one.content.decode())["ui_locales"] for one in pushed] == [["en"], ["sv"]]


async def test_a_no_at_the_source_ends_it(world: World) -> None:
    """Nothing is fetched of any of it, and it can be begun again."""
    source, employer = employment_service(world), known_verifier(world)
    sharer = await Sharer.named(world)
    share_id = await sharer.begin(employer.ask(BOTH, notice=notice()).link())
    browser = world.wallet.browser("sv")
    form = _form(_enter(browser, f"/share/{share_id}"), "fetch-all-1")
    page = browser.post(form.action, data=fields_of(form))
    (link,) = _tree(page).xpath("//a[@id='to-source']/@href")

    page = browser.get("/fetched", params=source.allow(str(link), "no"))

    assert page.url.path.startswith("/receive/")
    assert 'id="sign-in-and-fetch"' in page.text
    assert sharer.vault.certificates() == []
    assert len(world.wallet.deployment.collections(sharer.vault)) == 1


async def test_what_was_left_out_at_the_source_is_told_and_can_be_fetched_by_itself(world: World) -> None:
    """The person unticks one: the other arrives, nothing is asked for in vain, and the request says what is missing."""
    source, employer = employment_service(world), known_verifier(world)
    sharer = await Sharer.named(world)
    share_id = await sharer.begin(employer.ask(BOTH, notice=notice()).link())
    browser = world.wallet.browser("sv")
    form = _form(_enter(browser, f"/share/{share_id}"), "fetch-all-1")
    page = browser.post(form.action, data=fields_of(form))
    (link,) = _tree(page).xpath("//a[@id='to-source']/@href")

    with listening(world, "/credential") as asked:
        page = browser.get("/fetched", params=source.allow(str(link), only=[TARGET.title("sv")]))

    assert len(asked) == 1
    assert page.url.path.startswith("/receive/")
    assert "programme 1" in _tree(page).xpath("string(//p[@id='stored-2'])")
    left_out = " ".join(_tree(page).xpath("string(//p[@id='left-out-1'])").split())
    assert left_out.startswith(f"Utelämnat: {REGISTRATION.title('sv')}")
    assert "Något utelämnades när det godkändes hos utfärdaren." in page.text
    assert "not_granted" not in page.text, "what somebody left out by choice is no fault, and has no code"
    assert [one.vct for one in sharer.vault.certificates()] == [TARGET.vct]
    on = _form(page, "go-on")
    request = browser.post(on.action, data=fields_of(on))
    assert request.url.path == f"/share/{share_id}"
    assert 'id="fetch-1-1"' in request.text
    assert 'id="fetch-all-1"' not in request.text
    entries = sharer.sharing.history(sharer.vault)[0]
    (missed,) = [one for one in entries if one.events[0].kind is EventKind.NOT_RECEIVED]
    assert (missed.facts["certificate"]["sv"], missed.facts["reason"]) == (REGISTRATION.title("sv"), "not_granted")


def _reads_in(world: World, file: bytes) -> None:
    """Another wallet takes along what is on its way, shows it, and says that it has minutes: the token stays behind,
    since what has come shares it."""
    browser = world.wallet.browser("sv")
    make_wallet(browser, "Otto")
    told = read_in(browser, file).text
    assert "1 intyg är fortfarande på väg, och hämtas här från och med nu." in told
    assert "1 av dem kan bara hämtas här i några minuter." in told
    assert REGISTRATION.title("sv") in browser.get("/").text


async def test_what_has_to_be_looked_at_first_does_not_hold_up_the_other(world: World) -> None:
    """One arrives at once, the other two days later, by the same collection."""
    source, vault = employment_service(world, reviewed_types=REGISTRATION.name), await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away_for_both(world, vault, source)

    await wallet.come_back(vault, source.allow(collection.sign_in_url))

    waiting = wallet.collection(vault, collection_id)
    assert (waiting.stage, [part.state for part in waiting.parts]) == (
        Stage.PENDING,
        [PartState.DEFERRED, PartState.STORED],
    )
    browser = world.wallet.browser("sv")
    _enter(browser, "/")
    assert "1 intyg är fortfarande på väg. Det följer med" in browser.get("/settings/export").text
    _reads_in(world, saved(browser).content)
    assert [one.vct for one in vault.certificates()] == [TARGET.vct]
    page = _enter(world.wallet.browser("sv"), f"/receive/{collection_id}")
    assert "programme 1" in _tree(page).xpath("string(//p[@id='stored-2'])")
    assert REGISTRATION.title("sv") in _tree(page).xpath("string(//p[@id='waiting-1'])")
    deferrals = source.side.context.store.deferrals
    (one,) = deferrals.list_waiting()
    deferrals.review(one.offer_id, Review.APPROVED, now=world.clock())
    world.clock.move(days=2)
    await wallet.resume(vault)
    assert wallet.collection(vault, collection_id).stage is Stage.DONE
    _enter(browser, "/")
    assert 'id="on-their-way"' not in browser.get("/settings/export").text
    assert {one.vct for one in vault.certificates()} == {REGISTRATION.vct, TARGET.vct}
    _, (arrived,) = waiting_views(vault, wallet, load_catalogues().translator("sv"))
    assert "programme 1" in arrived.title
    assert REGISTRATION.title("sv") in arrived.title


@pytest.mark.parametrize(
    ("status", "error", "left"),
    [
        (400, "credential_request_denied", Stage.DONE),
        (500, "server_error", Stage.COLLECTING),
    ],
)
async def test_one_that_is_refused_or_stuck_does_not_hold_up_the_other(
    world: World, status: int, error: str, left: Stage
) -> None:
    """What the issuer will not give is told; what it cannot give now is asked for again, and the other is there."""
    source, vault = employment_service(world), await world.wallet.person()
    wallet = world.wallet.deployment
    with world.network.changing(changed_json(METADATA, without_scopes)):
        collection_id, collection = await away_for_both(world, vault, source)
    first = [True]

    def refuse(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path == "/credential" and first.pop() if first else False:
            return httpx2.Response(status, json={"error": error})
        return None

    with world.network.answering(refuse):
        await wallet.come_back(vault, source.allow(collection.sign_in_url))

    assert [one.vct for one in vault.certificates()] == [TARGET.vct]
    assert wallet.collection(vault, collection_id).stage is left
    await wallet.resume(vault)
    found = {one.vct for one in vault.certificates()}
    assert found == ({TARGET.vct} if left is Stage.DONE else {TARGET.vct, REGISTRATION.vct})


async def test_it_goes_on_after_a_crash_between_the_two(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is stored, the wallet dies, and goes on with the second when it is opened: no second set of either."""
    source, vault = employment_service(world), await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away_for_both(world, vault, source)
    examine, seen = wallet._examine, [0]

    async def die_at_the_second(*what: Any) -> Any:
        seen[0] += 1
        if seen[0] == 2:
            raise KeyboardInterrupt
        return await examine(*what)

    with monkeypatch.context() as dying:
        dying.setattr(wallet, "_examine", die_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            await wallet.come_back(vault, source.allow(collection.sign_in_url))
    states = [part.state for part in wallet.collection(vault, collection_id).parts]
    assert states == [PartState.STORED, PartState.RECEIVED]

    await wallet.resume(vault)

    assert wallet.collection(vault, collection_id).stage is Stage.DONE
    assert sorted(one.copies_total for one in vault.certificates()) == [10, 10]
    assert sorted(one.copies for one in source.side.context.store.status.list_issued(limit=10)) == [10, 10]


async def test_a_source_that_gives_one_kind_at_a_time_is_asked_for_one_after_the_other(world: World) -> None:
    """It refuses both at once, before anybody is asked: the wallet asks for the first, and goes on to the second."""
    source, employer = employment_service(world), known_verifier(world)
    sharer = await Sharer.named(world)
    share_id = await sharer.begin(employer.ask(BOTH, notice=notice()).link())
    browser = world.wallet.browser("sv")
    form = _form(_enter(browser, f"/share/{share_id}"), "fetch-all-1")

    def one_at_a_time(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path == "/par" and " " in parse_qs(request.content.decode())["scope"][0]:
            return httpx2.Response(400, json={"error": "invalid_scope"})
        return None

    with world.network.answering(one_at_a_time):
        page = browser.post(form.action, data=fields_of(form))
        for _ in range(2):
            (link,) = _tree(page).xpath("//a[@id='to-source']/@href")
            page = browser.get("/fetched", params=source.allow(str(link)))

    assert page.url.path == f"/share/{share_id}"
    assert {one.vct for one in sharer.vault.certificates()} == {REGISTRATION.vct, TARGET.vct}


async def test_a_source_that_says_so_only_in_the_browser_is_asked_one_by_one_too(world: World) -> None:
    """The browser comes back with the refusal: the page says so, and the next press asks for the first alone."""
    source, vault = employment_service(world), await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away_for_both(world, vault, source)

    await wallet.come_back(
        vault,
        {"error": "invalid_scope", "state": collection.state, "iss": collection.offered.authorization_server.issuer},
    )

    back = wallet.collection(vault, collection_id)
    assert (back.stage, back.problem, back.and_then) == (Stage.OFFERED, "one_at_a_time", (TARGET.vct,))
    again = await wallet.begin_sign_in(vault, collection_id)
    await wallet.come_back(vault, source.allow(again.sign_in_url))
    assert [one.vct for one in vault.certificates()] == [REGISTRATION.vct]


async def test_what_the_source_does_not_have_is_not_asked_for(world: World) -> None:
    """Trusted for both, it issues one: that one is fetched, and the request says what is still missing."""
    source, vault = employment_service(world), await world.wallet.person()

    def without_target(document: dict[str, Any]) -> None:
        del document["credential_configurations_supported"][TARGET.name]

    with world.network.changing(changed_json(METADATA, without_target)):
        collection_id, _ = await away_for_both(world, vault, source)

    collection = world.wallet.deployment.collection(vault, collection_id)
    assert [part.configuration for part in collection.parts] == [REGISTRATION.name]


async def test_nothing_is_fetched_that_nobody_vouches_for(world: World) -> None:
    """A form that was changed by hand: the source is trusted for one of two kinds."""
    source, employer = employment_service(world), known_verifier(world)
    sharer = await Sharer.named(world)
    share_id = await sharer.begin(employer.ask(BOTH, notice=notice()).link())
    browser = world.wallet.browser("sv")
    form = _form(_enter(browser, f"/share/{share_id}"), "fetch-all-1")
    fields = fields_of(form)
    asked = len(world.network.seen)

    for kinds in ([REGISTRATION.vct, "urn:other"], ["urn:other"], [REGISTRATION.vct] * 21, []):
        assert browser.post(form.action, data=fields | {"vct": kinds}).status_code in (400, 404)

    assert world.network.seen[asked:] == []
    assert source.browser is not None


async def test_of_alternatives_nothing_is_missing_when_one_is_there(world: World) -> None:
    """A transcript will do in place of a course certificate: the person is not told to fetch that one as well."""
    employment_service(world)
    sharer, employer = await Sharer.with_certificate(world), known_verifier(world)
    asked = {
        "credentials": [
            *BOTH["credentials"],
            credential(query_id="course"),
            credential(query_id="other", vct="urn:example:other"),
        ],
        "credential_sets": [
            {"options": [["other"], ["course"]]},
            {"options": [["registration"]]},
            {"options": [["target"]]},
        ],
    }

    share_id = await sharer.begin(employer.ask(asked, notice=notice()).link())

    assert [lack.query_id for lack in sharer.decision(share_id).lacks] == ["registration", "target"]
