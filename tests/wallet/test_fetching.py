"""The wallet fetches with a sign-in at the source, waits for what is deferred, tells the issuer, and encrypts."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from lxml import html
from sqlalchemy import update
from starlette.testclient import TestClient

from issuer.deferral import Review
from issuer.offers import OfferLinks, draft_offers
from issuer.status import Status
from issuer.store.results import ImportDraft
from issuer.store.tables import RESULTS
from proofs import jose
from proofs.trust import TrustEntry
from schemas.learning.achievement import Record
from schemas.types import CREDENTIAL_TYPES
from tests.attacks.test_wallet_receiving import changed_json
from tests.issuer.fetching import ELIN, records
from tests.issuer.provider import CLIENT_ID, ISSUER, Provider
from tests.schemas.types.records import statement
from tests.wallet.fake_verifier import FakeVerifier, notice, query
from tests.wallet.people import Sharer
from tests.world import PASSPHRASE, IssuerSide, World
from wallet.authorizing import ForeignAnswer
from wallet.collection import Collection, PartState, Stage
from wallet.renewal import Renewed, compare
from wallet.store.certificates import take_copy
from wallet.store.provider import DeploymentProvider
from wallet.vault import UnlockedVault

pytestmark = pytest.mark.anyio
VCT = CREDENTIAL_TYPES["micro-credential"].vct


class Source:
    """An issuer where people sign in, which trusts the provider of the wallet; and the person's browser there."""

    def __init__(
        self,
        world: World,
        *,
        vct: str = VCT,
        kept: Sequence[Record] = records("DT4011"),
        known: str = "",
        host: str = "source.example",
        provider: Provider | None = None,
        **settings: Any,
    ) -> None:
        """`known`: the file of clients, if it is to know others than the provider of the wallet; `provider`: where
        people sign in, if it is that of another source as well."""
        self.world = world
        self.vct = vct
        self.provider = provider or Provider(world.clock)  # type: ignore[arg-type]
        world.network.connect("id.example", self.provider.app())
        self.attesting: DeploymentProvider = world.wallet.deployment.provider
        clients, root = world.directory / f"{host}-clients.toml", self.attesting.root_file.resolve()
        clients.write_text(
            known
            or f'[[attesters]]\nissuer = "{self.attesting.client_id}"\nroots = ["{root}"]\n'
            f'[[key_attesters]]\nroots = ["{root}"]\n'
        )
        self.side: IssuerSide = world.issuer(
            host,
            clients_file=clients,
            login_issuer=ISSUER,
            login_client_id=CLIENT_ID,
            login_match="pnr=identifier:nationalIdentifier",
            **settings,
        )
        draft = ImportDraft("results.json", "json", "0" * 64, (), tuple(kept))
        self.side.context.store.results.save_import(draft, now=world.clock())
        self.browser = TestClient(self.side.app, base_url=self.side.url)
        world.wallet.trust(self.entry)

    @property
    def entry(self) -> TrustEntry:
        """What says that this issuer, at this address, may issue the type."""
        return replace(self.side.trust_entry, identifier=self.side.url, types=(self.vct,))

    def offer(self, code: str) -> OfferLinks:
        """Offer one of the kept records to whoever signs in as its person."""
        store = self.side.context.store
        (result,) = [one for one in store.results.list_results() if one.record.code == code]
        drafts = draft_offers(
            CREDENTIAL_TYPES["micro-credential"],
            [result.record],
            with_tx_code=False,
            with_sign_in=True,
            result_ids=[result.id],
        )
        (made,) = store.offers.create(drafts, now=self.world.clock())
        return self.side.context.links_of(made)

    def allow(
        self,
        url: str,
        decision: str = "yes",
        *,
        after_minutes: int = 0,
        only: Sequence[str] = (),
        as_it_came: bool = False,
    ) -> dict[str, str]:
        """The person opens the address, signs in, takes their time and decides, on all of it, on `only` these titles,
        or on what is ticked when the page comes; the query that the browser brings back."""
        opened = self.browser.get(url, headers={"Accept": "text/html"}, follow_redirects=False)
        assert opened.status_code == 303, opened.text
        brought = self.provider.sign_in(opened.headers["location"])
        page = self.browser.get("/authorize/callback", params=brought, headers={"Accept": "text/html"})
        tree: Any = html.fromstring(page.text)
        self.world.clock.move(minutes=after_minutes)
        data = {
            "csrf": tree.xpath("//input[@name='csrf']/@value")[0],
            "decision": decision,
            "certificate": [
                box.get("value")
                for box in tree.xpath("//input[@name='certificate']")
                if (not only or box.xpath("string(ancestor::fieldset/legend)").strip() in only)
                and (not as_it_came or box.get("type") == "hidden" or "checked" in box.attrib)
            ],
            "course": tree.xpath("//input[@name='course'][@checked]/@value"),
        }
        done = self.browser.post(tree.xpath("//form[@id='decide-form']/@action")[0], data=data)
        done_tree: Any = html.fromstring(done.text)
        (link,) = done_tree.xpath("//a[@id='back-to-wallet']/@href")
        assert str(link).startswith(self.attesting.redirect_uri)
        return {name: values[0] for name, values in parse_qs(urlsplit(str(link)).query).items()}


async def away(world: World, vault: UnlockedVault, source: Source) -> tuple[str, Collection]:
    """The person has chosen to fetch, and is about to sign in."""
    wallet = world.wallet.deployment
    collection_id = await wallet.look_for(vault, source.side.url, source.vct)
    return collection_id, await wallet.begin_sign_in(vault, collection_id)


@pytest.mark.parametrize("haip", [False, True])
async def test_a_certificate_is_fetched_with_a_sign_in(world: World, haip: bool) -> None:
    """Pushed and attested; the browser carries nothing but a reference; the copies are bound and stored."""
    source = Source(world, haip=haip, encryption="required" if haip else "offered")
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    assert [entry.identifier for entry in wallet.sources_of(VCT)] == [source.side.url]
    collection_id, collection = await away(world, vault, source)
    assert collection.stage is Stage.AUTHORIZING
    query = parse_qs(urlsplit(collection.sign_in_url).query)
    assert set(query) == {"client_id", "request_uri"}
    assert query["client_id"] == ["https://wallet.example"]

    answer = source.allow(collection.sign_in_url)
    assert await wallet.come_back(vault, answer) == collection_id

    assert wallet.collection(vault, collection_id).stage is Stage.DONE
    (certificate,) = vault.certificates()
    assert certificate.copies_total == 10
    (issued,) = source.side.context.store.status.list_issued(limit=10)
    assert issued.copies == 10
    kinds = [event.kind for event in source.side.context.store.events.since(0)]
    assert kinds.count("credential_accepted") == 1, "the issuer was told"


async def test_the_person_says_no_at_the_source(world: World) -> None:
    """Nothing is stored, and the sign-in can be begun again."""
    source = Source(world)
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url, "no"))
    refused = wallet.collection(vault, collection_id)
    assert (refused.stage, refused.problem) == (Stage.OFFERED, "not_allowed")
    again = await wallet.begin_sign_in(vault, collection_id)
    await wallet.come_back(vault, source.allow(again.sign_in_url))
    assert wallet.collection(vault, collection_id).stage is Stage.DONE


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: answer | {"state": "x"},
        lambda answer: answer | {"state": ""},
        lambda answer: {name: value for name, value in answer.items() if name != "state"},
        lambda answer: answer | {"iss": "https://other.example"},
        lambda answer: {name: value for name, value in answer.items() if name != "iss"},
        lambda answer: answer | {"state": answer["state"] + "ö"},
    ],
)
async def test_i15_an_answer_of_somebody_else_goes_nowhere(
    world: World, change: Callable[[dict[str, str]], dict[str, str]]
) -> None:
    """Forged, mixed up, or of another server: no code is sent anywhere, and the right answer still works."""
    source = Source(world)
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away(world, vault, source)
    answer = source.allow(collection.sign_in_url)
    with pytest.raises(ForeignAnswer):
        await wallet.come_back(vault, change(answer))
    assert world.network.asked("source.example/token") == 0
    await wallet.come_back(vault, answer)
    assert wallet.collection(vault, collection_id).stage is Stage.DONE


async def test_an_answer_belongs_to_the_vault_that_asked(world: World) -> None:
    """Somebody who is led to use another person's answer gets nothing of it (login CSRF)."""
    source = Source(world)
    maja, elin = await world.wallet.person("Maja"), await world.wallet.person("Elin")
    _, collection = await away(world, maja, source)
    answer = source.allow(collection.sign_in_url)
    with pytest.raises(ForeignAnswer):
        await world.wallet.deployment.come_back(elin, answer)
    assert elin.certificates() == []


async def test_an_answer_works_once(world: World) -> None:
    """Going back in the browser does not send the code again."""
    source = Source(world)
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    _, collection = await away(world, vault, source)
    answer = source.allow(collection.sign_in_url)
    await wallet.come_back(vault, answer)
    with pytest.raises(ForeignAnswer):
        await wallet.come_back(vault, answer)
    assert len(vault.certificates()) == 1


async def test_a_code_that_came_too_late_asks_for_another_sign_in(world: World) -> None:
    """The browser was left open for two minutes."""
    source = Source(world)
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away(world, vault, source)
    answer = source.allow(collection.sign_in_url)
    world.clock.move(minutes=2)
    await wallet.come_back(vault, answer)
    late = wallet.collection(vault, collection_id)
    assert (late.stage, late.problem) == (Stage.OFFERED, "sign_in_again")


async def test_what_takes_time_is_asked_for_again(world: World) -> None:
    """The person leaves, comes back after days, and finds it in the wallet; the same transaction all the time."""
    source = Source(world, reviewed_types="micro-credential")
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    waiting = wallet.collection(vault, collection_id)
    assert waiting.stage is Stage.PENDING
    asked = world.network.asked("/deferred_credential")
    await wallet.resume(vault)
    assert world.network.asked("/deferred_credential") == asked, "not before the issuer wants to be asked"
    world.clock.move(seconds=11)
    await wallet.resume(vault)
    assert wallet.collection(vault, collection_id).parts[0].state is PartState.DEFERRED

    deferrals = source.side.context.store.deferrals
    (one,) = deferrals.list_waiting()
    deferrals.review(one.offer_id, Review.APPROVED, now=world.clock())
    world.clock.move(days=2)
    await wallet.resume(vault)
    assert wallet.collection(vault, collection_id).stage is Stage.DONE
    assert len(vault.certificates()) == 1


async def test_an_answer_lost_after_the_waiting_is_asked_for_again(world: World) -> None:
    """The issuer has handed the copies out and ended the transaction: the same keys get the same copies (D02)."""
    source = Source(world, reviewed_types="micro-credential")
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    deferrals = source.side.context.store.deferrals
    (one,) = deferrals.list_waiting()
    deferrals.review(one.offer_id, Review.APPROVED, now=world.clock())
    world.clock.move(days=2)
    with world.network.lose_answer("/deferred_credential"):
        await wallet.resume(vault)
    assert wallet.collection(vault, collection_id).stage is Stage.PENDING

    await wallet.resume(vault)

    assert wallet.collection(vault, collection_id).stage is Stage.DONE
    (certificate,) = vault.certificates()
    (issued,) = source.side.context.store.status.list_issued(limit=10)
    assert (certificate.copies_total, issued.copies) == (10, 10), "and no second set of copies"


async def test_what_arrived_after_the_waiting_is_judged_after_a_crash(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wallet dies between keeping the copies and judging them: the next time it is opened it goes on (D02)."""
    source = Source(world, reviewed_types="micro-credential")
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    deferrals = source.side.context.store.deferrals
    (one,) = deferrals.list_waiting()
    deferrals.review(one.offer_id, Review.APPROVED, now=world.clock())
    world.clock.move(days=2)

    async def die(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(wallet, "_examine", die)
        with pytest.raises(KeyboardInterrupt):
            await wallet.resume(vault)
    assert wallet.collection(vault, collection_id).parts[0].state is PartState.RECEIVED

    await wallet.resume(vault)

    assert wallet.collection(vault, collection_id).stage is Stage.DONE
    assert len(vault.certificates()) == 1


async def test_an_issuer_that_disowns_a_transaction_is_asked_once_more_and_not_for_ever(world: World) -> None:
    """One that ends every transaction and defers every request is asked again when the person opens the wallet."""
    source = Source(world, reviewed_types="micro-credential")
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    world.clock.move(seconds=11)

    def disown(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path != "/deferred_credential":
            return None
        return httpx2.Response(400, json={"error": "invalid_transaction_id"})

    asked = world.network.asked("source.example/credential")
    with world.network.answering(disown):
        await wallet.resume(vault)
    assert world.network.asked("source.example/credential") == asked + 1
    assert wallet.collection(vault, collection_id).parts[0].state is PartState.DEFERRED


async def test_a_denial_ends_the_waiting(world: World) -> None:
    """And says so."""
    source = Source(world, reviewed_types="micro-credential")
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    deferrals = source.side.context.store.deferrals
    (one,) = deferrals.list_waiting()
    deferrals.review(one.offer_id, Review.DENIED, now=world.clock())
    world.clock.move(seconds=11)
    await wallet.resume(vault)
    denied = wallet.collection(vault, collection_id)
    assert (denied.stage, denied.problem) == (Stage.FAILED, "denied")


async def test_i29_no_attestation_tells_two_sources_or_two_people_apart_or_together(world: World) -> None:
    """Each source and each person has an attestation of its own, about a key of its own; all else in them is the same.

    Source: HAIP 1.0, section 4.4.1: not reused across issuers, and no identifier of a single wallet in it.
    """
    sources = [Source(world), Source(world, host="other.example")]
    sent: list[tuple[str, str, str]] = []

    def listen(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path == "/par":
            sent.append((request.url.host, person.name, request.headers["oauth-client-attestation"]))
        return None

    with world.network.answering(listen):
        for person in [await world.wallet.person(name) for name in ("Maja", "Omar")]:
            for source in sources:
                await away(world, person, source)

    assert {(host, name) for host, name, _ in sent} == {
        (host, name) for host in ("source.example", "other.example") for name in ("Maja", "Omar")
    }
    claims = [jose.read_claims(jose.parse_jws(text)) for _, _, text in sent]
    keys = [one.pop("cnf")["jwk"] for one in claims]
    assert len({(key["x"], key["y"]) for key in keys}) == len(sent) == 4
    assert all(set(key) == {"kty", "crv", "x", "y"} for key in keys)
    assert claims == [claims[0]] * 4, "the clock stands, so that nothing else differs"
    assert claims[0]["sub"] == "https://wallet.example"


async def test_keys_are_attested_where_the_issuer_wants_that(world: World) -> None:
    """By the same provider that vouches for the wallet."""
    source = Source(world, key_attested_types="micro-credential")
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    assert wallet.collection(vault, collection_id).stage is Stage.DONE


async def test_where_only_the_word_of_a_provider_counts_one_attestation_proves_all_keys(world: World) -> None:
    """F.3: an issuer that takes no proof by each key gets one for all, and gives a copy for each."""
    source = Source(world, key_attested_types="micro-credential")
    vault = await world.wallet.person()
    sent: list[dict[str, Any]] = []

    def only_attestations(document: dict[str, Any]) -> None:
        del document["credential_configurations_supported"]["micro-credential"]["proof_types_supported"]["jwt"]
        for name in ("credential_request_encryption", "credential_response_encryption"):
            document.pop(name, None)

    def listen(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path == "/credential":
            sent.append(json.loads(request.content)["proofs"])
        return None

    path = "/.well-known/openid-credential-issuer"
    with world.network.changing(changed_json(path, only_attestations)), world.network.answering(listen):
        collection_id, collection = await away(world, vault, source)
        await world.wallet.deployment.come_back(vault, source.allow(collection.sign_in_url))

    assert world.wallet.deployment.collection(vault, collection_id).stage is Stage.DONE
    assert [(list(proofs), len(proofs["attestation"])) for proofs in sent] == [(["attestation"], 1)]
    (certificate,) = vault.certificates()
    assert certificate.copies_left == certificate.copies_total > 1


async def test_an_answer_that_was_to_be_encrypted_and_is_not_is_refused(world: World) -> None:
    """Whoever is in between cannot strip it."""
    source = Source(world, encryption="required")
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away(world, vault, source)
    answer = source.allow(collection.sign_in_url)

    def stripped(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path != "/credential":
            return None
        assert request.headers["content-type"] == "application/jwt"
        return httpx2.Response(200, json={"credentials": [{"credential": "x~"}]})

    with world.network.answering(stripped):
        await wallet.come_back(vault, answer)
    told = wallet.collection(vault, collection_id)
    assert (told.stage, told.problem) == (Stage.FAILED, "answer_unreadable")


@pytest.mark.parametrize("by_value", [False, True])
async def test_an_offer_with_a_sign_in_is_fetched_too(world: World, by_value: bool) -> None:
    """An offer with the authorization code grant, by reference and by value; the wallet hands its state back, and of
    two records the one that was offered comes (OpenID4VCI 4.1.1, 5.1)."""
    source = Source(world, kept=records("DT4011", "DT4012"))
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    links = source.offer("DT4012")
    collection_id = await world.wallet.begin(vault, links.by_value if by_value else links.offer)
    assert wallet.collection(vault, collection_id).offered.wants_sign_in
    collection = await wallet.begin_sign_in(vault, collection_id)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    assert wallet.collection(vault, collection_id).stage is Stage.DONE
    (certificate,) = vault.certificates()
    assert certificate.claims["course_code"] == "DT4012"
    (kept,) = source.side.context.store.offers.list_offers(now=world.clock())
    assert kept.state.value == "collected", "staff see it at the offer that they made"


async def test_an_offer_that_was_fetched_already_is_refused_before_the_sign_in(world: World) -> None:
    """Somebody else's wallet, or the same link again later: the source wants no wrong hope."""
    source = Source(world)
    maja, elin = await world.wallet.person("Maja"), await world.wallet.person("Elin")
    wallet, link = world.wallet.deployment, source.offer("DT4011").by_value
    first, second = await world.wallet.begin(maja, link), await world.wallet.begin(elin, link)
    collection = await wallet.begin_sign_in(maja, first)
    await wallet.come_back(maja, source.allow(collection.sign_in_url))

    late = await wallet.begin_sign_in(elin, second)

    assert (late.stage, late.problem, late.peer_error) == (Stage.FAILED, "refused_by_issuer", "invalid_request")
    assert not late.sign_in_url


async def test_the_pages_lead_there_and_back(world: World) -> None:
    """Without scripts: the offer, the way to the source, the way back, the certificate."""
    source = Source(world)
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id = await wallet.look_for(vault, source.side.url, source.vct)
    browser = world.wallet.browser()
    page = _enter(browser, f"/receive/{collection_id}")
    assert 'id="sign-in-and-fetch"' in page.text
    form = _form(page, "sign-in-and-fetch")
    away_page = browser.post(form.action, data=dict(form.form_values()))
    away_tree: Any = html.fromstring(away_page.text)
    (link,) = away_tree.xpath("//a[@id='to-source']/@href")
    (refresh,) = away_tree.xpath("//meta[@http-equiv='refresh']/@content")
    assert refresh == f"0; url={link}"
    answer = source.allow(str(link))
    done = browser.get("/fetched", params=answer)
    assert 'id="read-certificate"' in done.text
    foreign = browser.get("/fetched", params=answer)
    assert foreign.status_code == 400
    assert "foreign_answer" in foreign.text


async def test_what_a_request_asks_for_is_fetched_and_then_shared(world: World) -> None:
    """The person lacks it; the wallet says who can issue it; after the sign-in the very same request is there again."""
    source = Source(world)
    verifier = FakeVerifier(world)
    world.wallet.trust(verifier.trust_entry)
    sharer = await Sharer.named(world)
    share_id = await sharer.begin(verifier.ask(query(["course_code"]), notice=notice()).link())
    browser = world.wallet.browser()
    lacking = _enter(browser, f"/share/{share_id}")
    assert "source.example" in lacking.text
    form = _form(lacking, "fetch-1-1")
    away_page = browser.post(form.action, data=dict(form.form_values()))
    (link,) = _tree(away_page).xpath("//a[@id='to-source']/@href")
    waiting = browser.get(f"/share/{share_id}")
    assert 'id="go-on-1"' in waiting.text
    assert 'id="fetch-1-1"' not in waiting.text, "not a second time"

    back = browser.get("/fetched", params=source.allow(str(link)))

    assert back.url.path == f"/share/{share_id}"
    assert "DT4011" in back.text
    assert 'id="decide-share"' in back.text
    await sharer.approve(share_id)
    assert verifier.answers
    assert world.wallet.deployment.collections(sharer.vault) == {}, "what was fetched for it is put away"


@pytest.mark.parametrize(
    ("language", "trusted", "nobody"),
    [
        (
            "en",
            "For “Short course certificate” this wallet trusts ",
            "This wallet knows nobody who gives “Short course certificate”.",
        ),
        ("sv", "För ”Mikromeritintyg” litar plånboken på ", "Plånboken känner ingen som ger ”Mikromeritintyg”."),
    ],
)
async def test_whom_to_ask_is_said_where_nothing_can_be_fetched(
    world: World, language: str, trusted: str, nobody: str
) -> None:
    """Issuers that are trusted for every kind by their root alone have no address to go to, but a name."""
    verifier = FakeVerifier(world)
    world.wallet.trust(verifier.trust_entry)
    named = replace(world.university.trust_entry, name="Lärosätet i Exempel")
    world.wallet.trust(named)
    sharer = await Sharer.named(world)
    share_id = await sharer.begin(verifier.ask(query(["course_code"]), notice=notice()).link())
    browser = world.wallet.browser(language)

    page = _enter(browser, f"/share/{share_id}")

    assert f"{trusted}Lärosätet i Exempel." in page.text
    assert 'id="fetch"' not in page.text
    world.wallet.trust(replace(named, types=("urn:another:type",)))
    assert nobody in browser.get(f"/share/{share_id}").text


async def test_nobody_is_sent_to_a_source_that_the_trust_list_does_not_name(world: World) -> None:
    """A form that was changed by hand, or a request that names an issuer itself, leads nowhere."""
    source = Source(world)
    await world.wallet.person()
    browser = world.wallet.browser()
    page = _enter(browser, "/receive")
    (csrf,) = _tree(page).xpath("(//input[@name='csrf']/@value)[1]")
    for issuer, vct in ((world.stranger.url, VCT), (source.side.url, "urn:other")):
        assert browser.post("/fetch", data={"csrf": csrf, "issuer": issuer, "vct": vct}).status_code == 404


async def test_copies_are_renewed_before_they_run_out(world: World) -> None:
    """Silently, at the next visit: fresh copies of the same certificate; not while enough are left."""
    source = Source(world)
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    _, collection = await away(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    (certificate,) = vault.certificates()
    world.clock.move(days=3)
    await wallet.resume(vault)
    assert vault.certificates()[0].copies_total == 10, "nothing to renew yet"
    with wallet.database.transaction() as connection:
        for _ in range(8):
            take_copy(connection, vault, certificate.id)

    await wallet.resume(vault)

    (renewed,) = vault.certificates()
    assert (renewed.id, renewed.copies_left, renewed.copies_total) == (certificate.id, 12, 20)
    (issued,) = source.side.context.store.status.list_issued(limit=10)
    assert issued.copies == 20, "one certificate at the issuer, too"
    await wallet.resume(vault)
    assert wallet.collections(vault) == {}
    assert vault.certificates()[0].renewal is not None, "and once more, later"


async def test_i62_what_is_revoked_while_it_is_renewed_ends_revoked(world: World) -> None:
    """The source revokes when it has made the fresh copies and the wallet has not got them yet."""
    source = Source(world)
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    _, collection = await away(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    (certificate,) = vault.certificates()
    statuses, publishing = source.side.context.store.status, source.side.context.publishing
    world.clock.move(days=3)

    def revoke(request: httpx2.Request, answer: httpx2.Response) -> httpx2.Response:
        if request.url.path == "/credential":
            statuses.change([statuses.list_issued()[0].id], Status.REVOKED, publishing=publishing, now=world.clock())
        return answer

    with world.network.changing(revoke):
        await wallet.renew_outdated(vault, lambda _: True)
    await wallet.check_before_showing(vault)

    (issued,) = statuses.list_issued()
    assert (issued.copies, issued.status) == (20, Status.REVOKED), "the renewal was under way"
    assert [(one.id, one.status) for one in vault.certificates()] == [(certificate.id, "revoked")]
    world.clock.move(days=3)
    asked = world.network.asked("source.example/credential")
    await wallet.renew_outdated(vault, lambda _: True)
    assert world.network.asked("source.example/credential") == asked, "and is not renewed again"


async def test_what_says_something_else_becomes_a_certificate_of_its_own(world: World) -> None:
    """The record was corrected: the old copies and the new ones are not mixed."""
    source = Source(world)
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    _, collection = await away(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    (certificate,) = vault.certificates()
    with wallet.database.transaction() as connection:
        for _ in range(9):
            take_copy(connection, vault, certificate.id)
    results = source.side.context.store.results
    (row,) = results.list_results()
    corrected = row.record.model_copy(update={"code": "DT4012"})
    _correct(source, row.id, corrected.model_dump_json().encode())
    world.clock.move(hours=1)

    await wallet.resume(vault)

    new, old = vault.certificates()
    assert (old.id, old.copies_left) == (certificate.id, 1)
    assert (new.claims["course_code"], new.copies_left) == ("DT4012", 10)


async def test_what_an_issuer_keeps_current_is_renewed_as_of_the_later_day(world: World) -> None:
    """One certificate, of today: the copies of the earlier day are gone, used or not."""
    registration = CREDENTIAL_TYPES["registration-certificate"]
    live = statement(registration, learner=ELIN, as_of=None, is_live=True)
    source = Source(world, vct=registration.vct, kept=[live])
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    _, collection = await away(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    (certificate,) = vault.certificates()
    assert certificate.claims["as_of"] == world.clock().date().isoformat()
    with wallet.database.transaction() as connection:
        for _ in range(9):
            take_copy(connection, vault, certificate.id)
    world.clock.move(days=2)

    await wallet.resume(vault)

    (renewed,) = vault.certificates()
    assert renewed.id == certificate.id
    assert renewed.claims["as_of"] == world.clock().date().isoformat()
    assert (renewed.copies_left, renewed.copies_total) == (10, 10), "nobody can be shown the earlier day"


@pytest.mark.parametrize(
    ("old", "new", "renewed"),
    [
        ({"a": 1, "exp": 1}, {"a": 1, "exp": 2}, Renewed.THE_SAME),
        ({"a": 1, "as_of": "2026-11-20"}, {"a": 1, "as_of": "2026-11-21"}, Renewed.OF_A_LATER_DAY),
        ({"a": 1, "as_of": "2026-11-20"}, {"a": 1, "as_of": "2026-11-19"}, Renewed.SOMETHING_ELSE),
        ({"a": 1, "as_of": "2026-11-20"}, {"a": 2, "as_of": "2026-11-21"}, Renewed.SOMETHING_ELSE),
        ({"a": 1, "as_of": "2026-11-20"}, {"a": 1, "as_of": "tomorrow"}, Renewed.SOMETHING_ELSE),
        ({"a": 1, "as_of": "2026-11-20"}, {"a": 1}, Renewed.SOMETHING_ELSE),
        ({"a": True}, {"a": 1, "as_of": ["2026-11-21"]}, Renewed.SOMETHING_ELSE),
    ],
)
def test_only_a_later_day_and_nothing_else_replaces_what_one_has(old: Any, new: Any, renewed: Renewed) -> None:
    """What was said of an earlier day, or says something else, never takes the place of what is held."""
    assert compare(old, new, dated_by="as_of") is renewed


async def test_a_renewal_that_comes_to_nothing_bothers_nobody(world: World) -> None:
    """The issuer is gone, or says no: what is left stays, and it is tried again some hours later."""
    source = Source(world)
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    _, collection = await away(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    (certificate,) = vault.certificates()
    with wallet.database.transaction() as connection:
        for _ in range(9):
            take_copy(connection, vault, certificate.id)
    withdraw_all = httpx2.Response(400, json={"error": "invalid_grant"})
    with world.network.answering(lambda request: withdraw_all if request.url.path == "/token" else None):
        await wallet.resume(vault)
        await wallet.resume(vault)
    asked = world.network.asked("source.example/token")
    await wallet.resume(vault)
    assert world.network.asked("source.example/token") == asked, "not again at once"
    assert wallet.collections(vault) == {}
    assert vault.certificates()[0].copies_left == 1
    world.clock.move(hours=7)
    await wallet.resume(vault)
    assert vault.certificates()[0].copies_left == 11


def _correct(source: Source, result_id: str, achievement: bytes) -> None:
    store = source.side.context.store
    with store.database.transaction() as connection:
        connection.execute(update(RESULTS).where(RESULTS.c.id == result_id).values(achievement=achievement))


def _tree(page: Any) -> Any:
    return html.fromstring(page.text)


def _form(page: Any, button: str) -> Any:
    (form,) = _tree(page).xpath(f"//form[.//button[@id='{button}']]")
    return form


def _enter(browser: TestClient, path: str) -> Any:
    """Open the vault on the way to a page."""
    door = _form(browser.get(path), "unlock")
    fields = dict(door.form_values()) | {"name": "Maja", "passphrase": PASSPHRASE}
    return browser.post(door.action, data=fields)
