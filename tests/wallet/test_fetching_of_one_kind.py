"""A source that has several certificates of one kind: each is fetched under its own name, and stands by itself.

Source: OpenID4VCI 1.0, sections 6.2 (`credential_identifiers`) and 8.2.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

import wallet as wallet_room
from issuer.deferral import Review
from proofs.jose import parse_jws
from service.i18n import load_catalogues
from tests.attacks.test_wallet_receiving import changed_json
from tests.issuer.fetching import records
from tests.wallet.test_fetching import Source, _enter, _tree, away
from tests.wallet.test_fetching_several import METADATA, listening, without_scopes
from tests.world import World
from wallet.collection import Collection, PartState, Stage
from wallet.ledger import EventKind
from wallet.pages.waiting import waiting_views
from wallet.redemption import MOST_CERTIFICATES
from wallet.sharing import Sharing
from wallet.store.certificates import take_copy
from wallet.vault import UnlockedVault

pytestmark = pytest.mark.anyio
COURSES = ("DT4011", "DT4012", "DT4013")


def source_of_courses(world: World, **settings: Any) -> Source:
    """A source that knows three courses of Elin's."""
    kept = [one.model_copy(update={"title": {"sv": f"Kurs {one.code}"}}) for one in records(*COURSES)]
    return Source(world, kept=kept, **settings)


def in_clear(document: dict[str, Any]) -> None:
    """An issuer that takes requests in clear, so that a test can read them."""
    for name in ("credential_request_encryption", "credential_response_encryption"):
        document.pop(name, None)


async def away_for_courses(
    world: World, vault: UnlockedVault, source: Source, *, by_details: bool = False
) -> tuple[str, Collection]:
    """Asked for by scope, as HAIP wants it, or by authorization details: a source answers with identifiers either way,
    since `Source.allow` ticks all of them."""
    with world.network.changing(changed_json(METADATA, without_scopes if by_details else in_clear)):
        return await away(world, vault, source)


def courses(vault: UnlockedVault) -> list[str]:
    """The courses whose certificates are in the vault."""
    return sorted(str(one.claims["course_code"]) for one in vault.certificates())


def named(change: Callable[[list[str]], list[str]]) -> Callable[..., httpx2.Response]:
    """A source that answers the token request with other identifiers."""

    def changed(token: dict[str, Any]) -> None:
        for detail in token.get("authorization_details", []):
            detail["credential_identifiers"] = change(detail["credential_identifiers"])

    return changed_json("/token", changed)


@pytest.mark.parametrize("by_details", [False, True])
async def test_all_of_a_kind_are_fetched_each_with_keys_of_its_own(world: World, by_details: bool) -> None:
    """One sign-in, one token, three certificates: no key serves two of them, and nothing is asked for twice."""
    source, vault = source_of_courses(world), await world.wallet.person()
    wallet = world.wallet.deployment
    with listening(world, "/par") as pushed:
        collection_id, collection = await away_for_courses(world, vault, source, by_details=by_details)
    (sent,) = [parse_qs(one.content.decode()) for one in pushed]
    assert ("authorization_details" in sent, "scope" in sent) == (by_details, not by_details)

    browser = world.wallet.browser("sv")
    _enter(browser, "/")

    with listening(world, "/credential") as asked:
        page = _tree(browser.get("/fetched", params=source.allow(collection.sign_in_url)))

    assert courses(vault) == sorted(COURSES)
    requests = [json.loads(one.content) for one in asked]
    assert len({one["credential_identifier"] for one in requests}) == len(requests) == 3
    proofs = [parse_jws(proof).header["jwk"]["x"] for one in requests for proof in one["proofs"]["jwt"]]
    assert len(set(proofs)) == len(proofs) == 30
    assert [one.copies for one in source.side.context.store.status.list_issued(limit=10)] == [10, 10, 10]
    assert wallet.collection(vault, collection_id).stage is Stage.DONE
    shown = " ".join(page.xpath(f"string(//p[@id='stored-{place}'])") for place in (1, 2, 3))
    assert all(f"Kurs {code}" in shown for code in COURSES), "each stands there under its own title"
    assert page.xpath("string(//p[@id='so-far'])") == "3 av 3 finns i din plånbok."
    kinds = [event.kind for entry in Sharing(wallet).history(vault)[0] for event in entry.events]
    assert kinds.count(EventKind.RECEIVED) == 3


async def test_under_haip_all_that_were_ticked_are_fetched(world: World) -> None:
    """By scope, as HAIP 4.3 demands, encrypted and attested: a name each, one sign-in, each renewed by itself."""
    source = source_of_courses(world, haip=True, encryption="required")
    vault, wallet = await world.wallet.person(), world.wallet.deployment
    collection_id, collection = await away(world, vault, source)

    with listening(world, "/credential") as asked:
        await wallet.come_back(vault, source.allow(collection.sign_in_url))

    assert courses(vault) == sorted(COURSES)
    assert [one.headers["content-type"] for one in asked] == ["application/jwt"] * 3
    assert len({part.identifier for part in wallet.collection(vault, collection_id).parts} - {""}) == 3
    assert all(one.renewal is not None for one in vault.certificates())


async def test_by_scope_one_that_was_ticked_needs_no_name(world: World) -> None:
    """The page is left as it came, with the first ticked: one certificate, asked for by its kind as ever."""
    source, vault = source_of_courses(world), await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away_for_courses(world, vault, source)

    with listening(world, "/credential") as asked:
        await wallet.come_back(vault, source.allow(collection.sign_in_url, as_it_came=True))

    (request,) = [json.loads(one.content) for one in asked]
    assert request["credential_configuration_id"] == "micro-credential"
    assert courses(vault) == ["DT4011"]
    assert wallet.collection(vault, collection_id).stage is Stage.DONE


async def test_each_that_is_looked_at_first_arrives_by_itself(world: World) -> None:
    """Two of three are approved: they are told as arrived when the third was denied, each on its own day."""
    source = source_of_courses(world, reviewed_types="micro-credential")
    vault, wallet = await world.wallet.person(), world.wallet.deployment
    collection_id, collection = await away_for_courses(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    assert [part.state for part in wallet.collection(vault, collection_id).parts] == [PartState.DEFERRED] * 3
    t = load_catalogues(Path(wallet_room.__file__).parent).translator("sv")
    ((waiting,), _) = waiting_views(vault, wallet, t)
    assert [title.rpartition(", ")[2] for title in waiting.titles] == ["1 av 3", "2 av 3", "3 av 3"]

    deferrals = source.side.context.store.deferrals
    first, second, third = deferrals.list_waiting()
    deferrals.review(first.offer_id, Review.APPROVED, now=world.clock())
    world.clock.move(days=1)
    await wallet.resume(vault)
    assert len(courses(vault)) == 1
    ((waiting,), _) = waiting_views(vault, wallet, t)
    assert len(waiting.titles) == 2
    deferrals.review(second.offer_id, Review.DENIED, now=world.clock())
    deferrals.review(third.offer_id, Review.APPROVED, now=world.clock())
    world.clock.move(days=1)
    await wallet.resume(vault)

    ended = wallet.collection(vault, collection_id)
    states = sorted(part.state.value for part in ended.parts)
    assert (ended.stage, states) == (Stage.DONE, ["refused", "stored", "stored"])
    assert len(courses(vault)) == 2


@pytest.mark.parametrize(
    ("status", "error", "problem", "left"),
    [
        (400, "credential_request_denied", "denied", Stage.DONE),
        (400, "unknown_credential_identifier", "refused_by_issuer", Stage.DONE),
        (500, "server_error", "", Stage.COLLECTING),
    ],
)
async def test_one_that_fails_takes_none_of_the_others_with_it(
    world: World, status: int, error: str, problem: str, left: Stage
) -> None:
    """The second of three is refused, or cannot be given now: the others are there, and the page says which is not."""
    source, vault = source_of_courses(world), await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away_for_courses(world, vault, source)
    asked: list[str] = []

    def refuse(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path != "/credential":
            return None
        asked.append(json.loads(request.content)["credential_identifier"])
        return httpx2.Response(status, json={"error": error}) if len(asked) == 2 else None

    browser = world.wallet.browser("sv")
    _enter(browser, "/")
    with world.network.answering(refuse):
        page = _tree(browser.get("/fetched", params=source.allow(collection.sign_in_url)))

    ended = wallet.collection(vault, collection_id)
    assert (ended.stage, [part.problem for part in ended.parts]) == (left, ["", problem, ""])
    assert len(courses(vault)) == 2
    assert page.xpath("string(//p[@id='so-far'])") == "2 av 3 finns i din plånbok."
    place = "refused-2" if problem else "waiting-2"
    assert "2 av 3" in page.xpath(f"string(//p[@id='{place}'])")
    codes = [page.xpath(f"string(//code[@id='refused-2-{of}'])") for of in ("error-code", "peer-error")]
    assert codes == ([problem, error] if problem else ["", ""])
    assert bool(page.xpath("//code[@id='peer-error']")) is not bool(problem)
    await wallet.resume(vault)
    assert len(courses(vault)) == (2 if problem else 3)
    assert len(source.side.context.store.status.list_issued(limit=10)) == len(courses(vault))


@pytest.mark.parametrize(
    ("language", "denied"),
    [("sv", "Den utfärdar inte det här intyget."), ("en", "It will not issue this certificate.")],
)
async def test_of_several_that_fail_each_says_why_with_its_own_code(world: World, language: str, denied: str) -> None:
    """Different reasons, each with what to do and the issuer's code; what is no code of an issuer is not shown."""
    source, vault = source_of_courses(world), await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away_for_courses(world, vault, source)
    errors = iter(["credential_request_denied", "unknown_credential_identifier", "<b>invalid</b>"])

    def refuse(request: httpx2.Request) -> httpx2.Response | None:
        return httpx2.Response(400, json={"error": next(errors)}) if request.url.path == "/credential" else None

    browser = world.wallet.browser(language)
    _enter(browser, "/")
    with world.network.answering(refuse):
        answer = browser.get("/fetched", params=source.allow(collection.sign_in_url))

    page = _tree(answer)
    assert wallet.collection(vault, collection_id).stage is Stage.FAILED
    codes = [
        [page.xpath(f"string(//code[@id='{of}{kind}'])") for kind in ("error-code", "peer-error")]
        for of in ("", "refused-1-", "refused-2-", "refused-3-")
    ]
    assert codes[:3] == [
        ["denied", "credential_request_denied"],
        ["denied", "credential_request_denied"],
        ["refused_by_issuer", "unknown_credential_identifier"],
    ]
    assert codes[3][0] == "refused_by_issuer"
    assert "<b>invalid" not in answer.text
    assert denied in page.xpath("string(//p[@id='refused-1'])")
    assert denied not in page.xpath("string(//p[@id='refused-2'])")


async def test_each_is_renewed_under_its_own_name(world: World) -> None:
    """The one token that they share names all of them: fresh copies of one are of that one."""
    source, vault = source_of_courses(world), await world.wallet.person()
    wallet = world.wallet.deployment
    _, collection = await away_for_courses(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    worn = next(one for one in vault.certificates() if one.claims["course_code"] == "DT4013")
    for _ in range(9):
        with wallet.database.transaction() as connection:
            take_copy(connection, vault, worn.id)

    with listening(world, "/credential") as asked:
        await wallet.resume(vault)

    assert len(asked) == 1
    renewed = next(one for one in vault.certificates() if one.id == worn.id)
    assert (renewed.copies_left, renewed.claims["course_code"]) == (11, "DT4013")
    assert courses(vault) == sorted(COURSES)


async def test_a_collection_that_was_begun_by_an_earlier_version_goes_on(world: World) -> None:
    """It kept the names of what it fetches beside its parts, one for each configuration."""
    source, vault = source_of_courses(world), await world.wallet.person()
    _, collection = await away_for_courses(world, vault, source)
    kept = collection.as_json() | {"identifiers": {"micro-credential": "first"}}
    for part in kept["parts"]:
        del part["identifier"]

    (part,) = Collection.from_json(kept).parts

    assert part.identifier == "first"
    assert Collection.from_json(Collection.from_json(kept).as_json()).parts == (part,)


async def test_an_issuer_cannot_make_the_wallet_ask_without_end(world: World) -> None:
    """An attacker's token answer names thousands of certificates: a hundred are asked for, and the person is told."""
    source, vault = source_of_courses(world), await world.wallet.person()
    wallet = world.wallet.deployment
    wallet.settings = replace_batch(wallet.settings)
    collection_id, collection = await away_for_courses(world, vault, source)

    browser = world.wallet.browser("sv")
    _enter(browser, "/")
    with (
        world.network.changing(named(lambda real: real + [str(number) for number in range(10_000)])),
        listening(world, "/credential") as asked,
    ):
        page = browser.get("/fetched", params=source.allow(collection.sign_in_url))

    assert len(asked) == MOST_CERTIFICATES
    ended = wallet.collection(vault, collection_id)
    assert ended.stage is Stage.DONE
    assert [part.problem for part in ended.parts].count("too_many") == 1
    assert len(ended.parts) == MOST_CERTIFICATES + 1
    assert courses(vault) == sorted(COURSES), "what it does give is kept"
    assert "fler av dessa än vad plånboken hämtar" in page.text
    assert "3 av 100 finns i din plånbok." in page.text


def replace_batch(settings: Any) -> Any:
    """One copy of each is enough here."""
    return settings.model_copy(update={"batch_limit": 1})


async def test_a_name_that_is_said_twice_is_one_certificate(world: World) -> None:
    """Repeated in the answer, it is asked for once."""
    source, vault = source_of_courses(world), await world.wallet.person()
    _, collection = await away_for_courses(world, vault, source)

    with world.network.changing(named(lambda real: [*real, *real])), listening(world, "/credential") as asked:
        await world.wallet.deployment.come_back(vault, source.allow(collection.sign_in_url))

    assert len(asked) == 3
    assert courses(vault) == sorted(COURSES)


async def test_a_refreshed_token_adds_no_certificate_that_was_not_asked_for(world: World) -> None:
    """What the issuer names anew when one certificate is renewed is not fetched with it."""
    source, vault = source_of_courses(world), await world.wallet.person()
    wallet = world.wallet.deployment
    _, collection = await away_for_courses(world, vault, source)
    with world.network.changing(named(lambda real: real[:1])):
        await wallet.come_back(vault, source.allow(collection.sign_in_url))
    (only,) = vault.certificates()
    for _ in range(9):
        with wallet.database.transaction() as connection:
            take_copy(connection, vault, only.id)

    with listening(world, "/credential") as asked:
        await wallet.resume(vault)

    assert len(asked) == 1
    assert len(vault.certificates()) == 1
