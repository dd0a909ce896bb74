"""What a hostile issuer, or somebody between, can try on a wallet that collects. Each test is one attack.

Numbers refer to edge-cases.md: I-57, I-59 (metadata), S-08, S-14 to S-18 (credentials), G-01 (JSON), G-04 (addresses).
"""

import json
from collections.abc import Callable
from typing import Any
from unittest.mock import AsyncMock
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.formats.concealment import plan_disclosures
from proofs.formats.sd_jwt import parse_sd_jwt
from proofs.formats.sd_jwt_vc import issue_sd_jwt_vc
from proofs.keys import generate_signer
from tests.world import World
from wallet.collection import Collection, PartState, Stage
from wallet.hosts import host_of
from wallet.links import ArrivalKind, UnreadableLink, read_arrival
from wallet.offers import OfferUnusable, learn_offer
from wallet.vault import UnlockedVault
from wallet.web import Unreachable

pytestmark = pytest.mark.anyio

GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
METADATA = "/.well-known/openid-credential-issuer"
SERVER = "/.well-known/oauth-authorization-server"


def by_value(offer: Any) -> str:
    """An offer link that carries this offer."""
    return "openid-credential-offer://?credential_offer=" + quote(json.dumps(offer), safe="")


def offer_of(issuer: str, **more: Any) -> dict[str, Any]:
    """A minimal offer."""
    return {
        "credential_issuer": issuer,
        "credential_configuration_ids": ["micro-credential"],
        "grants": {GRANT: {"pre-authorized_code": "code"}},
        **more,
    }


def changed_json(path: str, change: Callable[[dict[str, Any]], Any]) -> Callable[..., httpx2.Response]:
    """Change the JSON that a path answers with; what `change` returns replaces it, None keeps it."""

    def changing(request: httpx2.Request, answer: httpx2.Response) -> httpx2.Response:
        is_json = answer.headers.get("content-type", "").endswith("json")
        if request.url.path != path or answer.status_code != 200 or not is_json:
            return answer
        value = json.loads(answer.content)
        replaced = change(value)
        return httpx2.Response(200, json=value if replaced is None else replaced, request=request)

    return changing


async def refused_reason(world: World, link: str) -> str:
    """The reason for which an offer is refused before anything is sent."""
    vault = await world.wallet.person()
    with pytest.raises(OfferUnusable) as refused:
        await world.wallet.begin(vault, link)
    assert world.network.asked("/token") == 0
    return refused.value.reason


# --- the offer and the metadata ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "offer",
    [
        {},
        [],
        "text",
        {"credential_issuer": "https://university.example"},
        offer_of("https://university.example", credential_configuration_ids=[]),
        offer_of("https://university.example", credential_configuration_ids=["a", "a"]),
        offer_of("https://university.example", credential_configuration_ids=[1]),
        offer_of("https://university.example", grants={GRANT: {}}),
        offer_of("https://university.example", grants={GRANT: {"pre-authorized_code": 7}}),
        offer_of("https://university.example", grants=[]),
    ],
)
async def test_malformed_offers_send_nothing(world: World, offer: Any) -> None:
    """An offer that breaks the rules is refused and no code is sent anywhere."""
    vault = await world.wallet.person()
    with pytest.raises((OfferUnusable, UnreadableLink)):
        await world.wallet.begin(vault, by_value(offer))
    assert world.network.asked("/token") == 0


async def test_an_offer_with_twice_the_same_member_is_refused(world: World) -> None:
    """Two readers could disagree about a repeated member (G-01)."""
    text = '{"credential_issuer":"https://university.example","credential_issuer":"https://evil.example"}'
    with pytest.raises(UnreadableLink):
        read_arrival("openid-credential-offer://?credential_offer=" + quote(text), allow_loopback=False)


async def test_unknown_members_of_an_offer_are_ignored(world: World) -> None:
    """Later versions may add members; they change nothing (4.1.1)."""
    vault = await world.wallet.person()
    link = world.university.offer()[0].by_value
    offer = json.loads(httpx2.URL(link.replace("openid-credential-offer://", "https://x/")).params["credential_offer"])
    collection = await world.wallet.collect(vault, by_value({**offer, "extra": {"deep": [1]}}))
    assert collection.stage is Stage.DONE


async def test_metadata_about_another_issuer_is_refused(world: World) -> None:
    """I-57: the document must be about exactly the issuer that the offer names, compared as strings."""

    def speak_for_another(document: dict[str, Any]) -> None:
        document["credential_issuer"] = "https://University.example"

    with world.network.changing(changed_json(METADATA, speak_for_another)):
        assert await refused_reason(world, world.university.offer()[0].offer) == "issuer_mismatch"


async def test_a_trailing_slash_makes_another_issuer(world: World) -> None:
    """I-57: `https://host/` is not `https://host`."""
    link = by_value(offer_of("https://university.example/"))
    vault = await world.wallet.person()
    with pytest.raises((OfferUnusable, Unreachable)):
        await world.wallet.begin(vault, link)
    assert world.network.asked("/token") == 0


async def test_an_issuer_under_a_path_is_found_by_insertion(world: World) -> None:
    """I-57: the well-known string goes between host and path, and collecting works there."""
    tenant = world.issuer("host.example/a/tenant")
    world.wallet.trust(tenant.trust_entry)
    vault = await world.wallet.person()

    certificate = await world.wallet.receive(vault, tenant.offer()[0].offer)

    assert certificate.issuer_trusted
    # Twice: as JSON, and signed.
    assert world.network.asked("https://host.example/.well-known/openid-credential-issuer/a/tenant") == 2


async def test_a_path_issuer_keeps_its_slash_for_metadata_and_drops_it_for_the_server(world: World) -> None:
    """Issuer `https://h/a/`: credential issuer metadata keeps the slash, authorization server metadata drops it."""
    vault = await world.wallet.person()
    with pytest.raises(Unreachable):
        await world.wallet.begin(vault, by_value(offer_of("https://h.example/a/")))
    assert world.network.seen[-1] == ("GET", "https://h.example/.well-known/openid-credential-issuer/a/")


async def test_the_servers_metadata_must_be_the_servers(world: World) -> None:
    """RFC 8414, 3.3: a document about another authorization server is a mix-up, and no code is sent."""

    def mix_up(document: dict[str, Any]) -> None:
        document["issuer"] = "https://evil.example"

    with world.network.changing(changed_json(SERVER, mix_up)):
        assert await refused_reason(world, world.university.offer()[0].offer) == "server_mismatch"


@pytest.mark.parametrize("listed", [None, ["https://university.example"]])
async def test_an_offer_cannot_choose_its_own_authorization_server(world: World, listed: list[str] | None) -> None:
    """I-09: the code must not be sent to a server that the issuer does not list."""
    offer = offer_of("https://university.example")
    offer["grants"][GRANT]["authorization_server"] = "https://evil.example"

    def list_servers(document: dict[str, Any]) -> None:
        if listed is not None:
            document["authorization_servers"] = listed

    with world.network.changing(changed_json(METADATA, list_servers)):
        world.university  # noqa: B018 - made, so that its host answers
        assert await refused_reason(world, by_value(offer)) == "server_mismatch"
    assert world.network.asked("evil.example") == 0


async def test_of_several_servers_the_first_that_takes_the_grant_is_asked(world: World) -> None:
    """12.2.4: without a hint, what each says of its grants decides; one that cannot be reached is passed over."""
    world.issuer("elsewhere.example")

    def list_servers(document: dict[str, Any]) -> None:
        if document["credential_issuer"] == "https://university.example":
            document["authorization_servers"] = [
                "https://nowhere.example", "https://elsewhere.example", "https://university.example",
            ]  # fmt: skip

    def take_no_codes(document: dict[str, Any]) -> None:
        if document["issuer"] == "https://elsewhere.example":
            document["grant_types_supported"] = ["client_credentials"]

    vault = await world.wallet.person()
    with (
        world.network.changing(changed_json(METADATA, list_servers)),
        world.network.changing(changed_json(SERVER, take_no_codes)),
    ):
        with world.network.changing(changed_json(SERVER, lambda document: document.update(grant_types_supported=[]))):
            assert await refused_reason(world, world.university.offer()[0].offer) == "grant_not_supported"
        certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)

    assert certificate.issuer_trusted
    assert world.network.asked("https://elsewhere.example/token") == 0


async def test_an_offer_of_something_unlisted_is_refused(world: World) -> None:
    """What is offered must stand in the issuer's own metadata."""
    world.university  # noqa: B018
    offer = offer_of("https://university.example", credential_configuration_ids=["something-else"])
    assert await refused_reason(world, by_value(offer)) == "unknown_configuration"


@pytest.mark.parametrize("path", [METADATA, SERVER])
async def test_endless_answers_are_cut_off(world: World, path: str) -> None:
    """An answer of many megabytes is refused within the bound and keeps nothing."""

    def flood(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path != path:
            return None
        return httpx2.Response(200, content=b"[" * 50_000_000, headers={"content-type": "application/json"})

    vault = await world.wallet.person()
    link = world.university.offer()[0].offer
    with world.network.answering(flood), pytest.raises((Unreachable, OfferUnusable)):
        await world.wallet.begin(vault, link)
    assert world.wallet.deployment.collections(vault) == {}


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'{"a":NaN}', b"{" * 200, b'{"a":1,"a":2}', b"\xff\xfe", b"<html></html>"]
)
async def test_metadata_that_is_not_json_is_refused(world: World, body: bytes) -> None:
    """Whatever stands where metadata should be is refused in words, not with a crash."""

    def answer(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path != METADATA:
            return None
        return httpx2.Response(200, content=body, headers={"content-type": "application/json"})

    link = world.university.offer()[0].offer
    with world.network.answering(answer):
        assert await refused_reason(world, link) == "malformed"


async def test_redirects_are_not_followed(world: World) -> None:
    """A redirect could lead inside; it is an answer that says nothing (G-04)."""

    def redirect(request: httpx2.Request) -> httpx2.Response | None:
        return httpx2.Response(302, headers={"location": "https://inside.example/"})

    vault = await world.wallet.person()
    link = world.university.offer()[0].offer
    with world.network.answering(redirect), pytest.raises(Unreachable):
        await world.wallet.begin(vault, link)
    assert world.network.asked("inside.example") == 0


@pytest.mark.parametrize(
    "address", ["http://university.example/o", "https://127.0.0.1/o", "https://[::1]/o", "ftp://h/o"]
)
async def test_addresses_inside_are_not_asked(world: World, address: str) -> None:
    """Offers cannot make the wallet ask addresses on its own machine, or ask without TLS (G-04)."""
    vault = await world.wallet.person()
    with pytest.raises((Unreachable, UnreadableLink)):
        await world.wallet.begin(vault, "openid-credential-offer://?credential_offer_uri=" + quote(address, safe=""))


async def test_pictures_are_never_fetched(world: World) -> None:
    """Logos could tell the issuer when a person looks, or carry scripts; their addresses are dropped."""

    def decorate(document: dict[str, Any]) -> None:
        logo = {"uri": "javascript:alert(1)", "alt_text": "x"}
        document["display"] = [{"name": "Uni", "locale": "en", "logo": {"uri": "https://tracker.example/l.png"}}]
        described = document["credential_configurations_supported"]["micro-credential"]["credential_metadata"]
        described["display"] = [{"name": "Course", "logo": logo, "background_image": {"uri": "data:text/html,x"}}]

    vault = await world.wallet.person()
    with world.network.changing(changed_json(METADATA, decorate)):
        certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)

    assert world.network.asked("tracker.example") == 0
    assert "javascript" not in json.dumps(dict(certificate.display))
    assert certificate.display["display"] == [{"name": "Course"}]


async def test_odd_display_data_is_no_obstacle(world: World) -> None:
    """I-59 and worse: display without locale, without name, of the wrong type, or missing is normal."""

    def muddle(document: dict[str, Any]) -> None:
        document["display"] = [{"locale": "sv"}, 7, {"name": ""}, {"name": "Uni"}, {"name": ["x"]}]
        document["credential_configurations_supported"]["other"] = {"format": 7, "display": "what"}
        configuration = document["credential_configurations_supported"]["micro-credential"]
        configuration["credential_metadata"] = {"display": "x", "claims": [{"path": []}, {"path": [-1]}, {"path": "x"}]}

    vault = await world.wallet.person()
    with world.network.changing(changed_json(METADATA, muddle)):
        certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)
    assert certificate.issuer_display == ({"name": "Uni", "locale": ""},)


# --- token, nonce and credential answers ------------------------------------------------------------------------------


async def collected_with(world: World, path: str, change: Callable[[dict[str, Any]], Any]) -> Collection:
    """Collect an offer of the university while answers of a path are changed on their way."""
    vault = await world.wallet.person()
    with world.network.changing(changed_json(path, change)):
        return await world.wallet.collect(vault, world.university.offer()[0].offer)


@pytest.mark.parametrize("answer", [{}, {"access_token": ""}, {"access_token": 7, "token_type": "Bearer"}, []])
async def test_unreadable_token_answers_end_in_words(world: World, answer: Any) -> None:
    """A token answer that breaks the rules ends the collection, in words."""
    collection = await collected_with(world, "/token", lambda _: answer)
    assert (collection.stage, collection.problem) == (Stage.FAILED, "answer_unreadable")


async def test_a_token_without_lifetime_or_with_other_case_is_normal(world: World) -> None:
    """Peers leave `expires_in` out and write the type of a token in small letters; unknown members are ignored."""

    def strip(answer: dict[str, Any]) -> dict[str, Any]:
        if "error" in answer:
            return answer
        return {"access_token": answer["access_token"], "token_type": answer["token_type"].lower(), "new": {}}

    assert (await collected_with(world, "/token", strip)).stage is Stage.DONE


async def test_an_issuer_without_nonce_endpoint_gets_proofs_without_nonce(world: World) -> None:
    """Without a nonce endpoint there is no nonce to prove with; the proof is made without."""
    seen: list[dict[str, Any]] = []

    def note(request: httpx2.Request) -> None:
        if request.url.path == "/credential":
            seen.append(json.loads(request.content))

    with world.network.answering(note):
        await collected_with(world, METADATA, lambda document: document.pop("nonce_endpoint") and None)

    assert world.network.asked("/nonce") == 0
    assert seen
    from proofs.jose import parse_jws, read_claims

    assert "nonce" not in read_claims(parse_jws(seen[0]["proofs"]["jwt"][0]))


async def test_an_issuer_without_batch_gets_one_proof(world: World) -> None:
    """Where no batches are offered, one copy is asked for."""

    def no_batch(document: dict[str, Any]) -> None:
        document.pop("batch_credential_issuance")

    vault = await world.wallet.person()
    with world.network.changing(changed_json(METADATA, no_batch)):
        certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)
    assert certificate.copies_total == 1


async def test_a_huge_batch_size_does_not_make_a_huge_batch(world: World) -> None:
    """The wallet decides how many keys it makes, whatever the issuer would take."""

    def greedy(document: dict[str, Any]) -> None:
        document["batch_credential_issuance"]["batch_size"] = 10_000_000

    vault = await world.wallet.person()
    with world.network.changing(changed_json(METADATA, greedy)):
        certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)
    assert certificate.copies_total == world.wallet.settings.batch_limit


async def test_every_key_is_fresh(world: World) -> None:
    """No key is proven twice: not within a batch, not to another issuer."""
    vault = await world.wallet.person()
    keys = []
    for offer in (world.university.offer()[0], world.university.offer()[1], world.stranger.offer()[0]):
        collection_id = await world.wallet.begin(vault, offer.offer)
        with world.network.lose_answer("/credential"):
            stopped = await world.wallet.deployment.collect(vault, collection_id, tx_code=None)
        keys += [key["x"] for part in stopped.parts for key in part.keys]
    assert len(keys) == len(set(keys)) == 30


async def tampered(world: World, change: Callable[[list[str]], list[str]]) -> tuple[Collection, UnlockedVault]:
    """Collect an offer while the list of credentials in the answer is changed."""

    def swap(answer: dict[str, Any]) -> dict[str, Any]:
        return {"credentials": [{"credential": t} for t in change([c["credential"] for c in answer["credentials"]])]}

    vault = await world.wallet.person()
    with world.network.changing(changed_json("/credential", swap)):
        return await world.wallet.collect(vault, world.university.offer()[0].offer), vault


def _forged(tokens: list[str], **claims: Any) -> str:
    """A copy of the first credential, with other claims, signed by nobody in particular."""
    original = parse_sd_jwt(tokens[0])
    payload = {k: v for k, v in original.claims.items() if k not in ("cnf", "_sd_alg")} | claims
    return issue_sd_jwt_vc(
        payload,
        disclosable=plan_disclosures([]),
        signer=generate_signer(),
        holder_jwk=original.claims["cnf"]["jwk"],
        header={"x5c": original.header["x5c"]},
    )


def _flipped(token: str) -> str:
    """The same credential with one bit of its signature changed."""
    head, _, rest = token.partition("~")
    return head[:-5] + ("A" if head[-5] != "A" else "B") + head[-4:] + "~" + rest


TAMPERINGS: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "signature": (lambda t: [_flipped(t[0]), *t[1:]], "not_genuine"),
    "twice the same": (lambda t: [t[0], t[0]], "other_key"),
    "more than asked for": (lambda t: [*t, t[0]], "answer_unreadable"),
    "none": (lambda t: [], "answer_unreadable"),
    "empty": (lambda t: [""], "not_readable"),
    "not a credential": (lambda t: ["a.b.c"], "not_readable"),
    "already shown": (lambda t: [t[0] + "e30.e30.AAAA"], "already_shown"),
    "a disclosure too many": (lambda t: [t[0] + "WyJhIiwiYiIsImMiXQ~", *t[1:]], "not_readable"),
    "a disclosure repeated": (lambda t: [t[0] + t[0].split("~")[1] + "~", *t[1:]], "not_readable"),
    "forged": (lambda t: [_forged(t)], "not_genuine"),
    "of another type": (lambda t: [_forged(t, vct="urn:evil:1")], "not_genuine"),
    "one that says something else": (lambda t: [t[0], "~".join(t[1].split("~")[:-2]) + "~"], "copies_differ"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_tampered_credentials_are_not_stored(world: World, name: str) -> None:
    """Whatever is changed in what the issuer sent, nothing of it reaches the vault, and the page says why."""
    change, problem = TAMPERINGS[name]

    collection, vault = await tampered(world, change)

    assert (collection.stage, collection.problem) == (Stage.FAILED, problem)
    assert vault.certificates() == []
    assert all(part.state is PartState.REFUSED and not part.received for part in collection.parts)


async def test_credentials_bound_to_other_keys_are_refused(world: World) -> None:
    """An issuer cannot plant credentials that are bound to somebody else's keys."""
    vault, other = await world.wallet.person("Maja"), await world.wallet.person("Otto")
    caught: list[dict[str, Any]] = []
    with world.network.changing(changed_json("/credential", lambda answer: caught.append(answer))):
        await world.wallet.receive(other, world.university.offer()[0].offer)

    with world.network.changing(changed_json("/credential", lambda _: caught[0])):
        collection = await world.wallet.collect(vault, world.university.offer()[0].offer)

    assert (collection.stage, collection.problem) == (Stage.FAILED, "other_key")
    assert vault.certificates() == []


async def test_copies_may_come_in_any_order_and_fewer(world: World) -> None:
    """The order is not ours to demand, and an issuer may give fewer copies than asked for."""
    collection, vault = await tampered(world, lambda tokens: list(reversed(tokens))[:4])

    assert collection.stage is Stage.DONE
    (certificate,) = vault.certificates()
    assert certificate.copies_total == 4
    assert certificate.report.accepted


async def test_a_stranger_cannot_pass_as_a_known_issuer(world: World) -> None:
    """S-14: a credential that claims a known `iss` under a certificate that does not name it is refused, not kept."""

    def impersonate(tokens: list[str]) -> list[str]:
        original = parse_sd_jwt(tokens[0])
        payload = {k: v for k, v in original.claims.items() if k not in ("cnf", "_sd_alg")}
        return [
            issue_sd_jwt_vc(
                payload,
                disclosable=plan_disclosures([]),
                signer=world.stranger.context.key.signer,
                holder_jwk=original.claims["cnf"]["jwk"],
            )
        ]

    collection, vault = await tampered(world, impersonate)

    assert (collection.stage, collection.problem) == (Stage.FAILED, "not_genuine")
    assert vault.certificates() == []


async def test_a_known_issuer_is_bounded_to_its_types(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An issuer that is listed for one type cannot issue another, whatever was thought of the offer."""
    from dataclasses import replace

    vault = await world.wallet.person()
    world.wallet.trust(replace(world.university.trust_entry, types=("urn:another:type",)))
    monkeypatch.setattr(type(world.wallet.deployment), "_refusal", AsyncMock(return_value=""))

    collection = await world.wallet.collect(vault, world.university.offer()[0].offer)

    assert (collection.stage, collection.problem) == (Stage.FAILED, "not_entitled")


async def test_an_offer_that_would_be_refused_is_not_spent(world: World) -> None:
    """The same link serves once the issuer, who is listed by its address, is trusted for the kind."""
    from dataclasses import replace

    vault = await world.wallet.person()
    named = replace(world.university.trust_entry, identifier=world.university.url, types=("urn:another:type",))
    world.wallet.trust(named)
    link = world.university.offer()[0].offer
    first = await world.wallet.collect(vault, link)
    assert (first.stage, first.problem) == (Stage.OFFERED, "not_yet_entitled")
    assert vault.certificates() == []

    world.wallet.trust(replace(named, types=()))
    second = await world.wallet.collect(vault, link)

    assert (second.stage, second.problem, len(vault.certificates())) == (Stage.DONE, "", 1)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_issuer_is_asked_again_later(world: World, status: int) -> None:
    """Too many requests is not a no."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id = await world.wallet.begin(vault, world.university.offer()[0].offer)

    def busy(request: httpx2.Request) -> httpx2.Response | None:
        return httpx2.Response(status, json={"error": "slow_down"}) if request.method == "POST" else None

    with world.network.answering(busy):
        waiting = await wallet.collect(vault, collection_id, tx_code=None)
    assert (waiting.problem, waiting.unanswered) == ("busy", False)
    assert (await wallet.collect(vault, collection_id, tx_code=None)).stage is Stage.DONE


async def test_a_stale_nonce_is_replaced(world: World) -> None:
    """`invalid_nonce` means: fetch another one and prove again, a few times at most."""
    stale = 0

    def refuse(request: httpx2.Request) -> httpx2.Response | None:
        nonlocal stale
        if request.url.path == "/credential" and stale < 2:
            stale += 1
            return httpx2.Response(400, json={"error": "invalid_nonce"})
        return None

    vault = await world.wallet.person()
    with world.network.answering(refuse):
        collection = await world.wallet.collect(vault, world.university.offer()[0].offer)
    assert collection.stage is Stage.DONE
    assert world.network.asked("/nonce") == 3

    stale = -100
    with world.network.answering(refuse):
        refused = await world.wallet.collect(vault, world.university.offer()[1].offer)
    assert (refused.stage, refused.problem) == (Stage.FAILED, "refused_by_issuer")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (httpx2.Response(400, json={"error": "credential_request_denied"}), "denied"),
        (httpx2.Response(400, json={"error": "<script>alert(1)</script>"}), "refused_by_issuer"),
        (httpx2.Response(400, content=b"not json"), "refused_by_issuer"),
        (httpx2.Response(401, json={"error": "invalid_token"}), "too_late"),
        (httpx2.Response(200, content=b"{}"), "answer_unreadable"),
    ],
)
async def test_every_refusal_has_its_words(world: World, answer: httpx2.Response, problem: str) -> None:
    """Whatever the credential endpoint answers, the person is told something true, never the issuer's own markup."""

    def reply(request: httpx2.Request) -> httpx2.Response | None:
        return answer if request.url.path == "/credential" else None

    vault = await world.wallet.person()
    with world.network.answering(reply):
        collection = await world.wallet.collect(vault, world.university.offer()[0].offer)
    assert (collection.stage, collection.problem) == (Stage.FAILED, problem)
    assert "<" not in collection.peer_error


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"format": "mso_mdoc", "doctype": "x"}, "format_not_supported"),
        ({"proof_types_supported": {"ldp_vp": {"proof_signing_alg_values_supported": ["x"]}}}, "proof_not_supported"),
        ({"proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["EdDSA"]}}}, "proof_not_supported"),
    ],
)
async def test_what_cannot_be_collected_does_not_spend_the_code(
    world: World, change: dict[str, Any], problem: str
) -> None:
    """An offer that this wallet cannot collect is left alone, so that another wallet still can."""

    def alter(document: dict[str, Any]) -> None:
        document["credential_configurations_supported"]["micro-credential"] |= change

    collection = await collected_with(world, METADATA, alter)

    assert (collection.stage, collection.problem) == (Stage.FAILED, problem)
    assert world.network.asked("/token") == 0


# --- links ------------------------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
async def test_any_text_is_a_link_or_is_refused(text: str) -> None:
    """Whatever is pasted is taken apart or refused; nothing else can happen."""
    try:
        arrival = read_arrival(text, allow_loopback=False)
    except UnreadableLink:
        return
    assert arrival.host.isascii()
    assert arrival.kind in ArrivalKind


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)
_OFFERS = st.fixed_dictionaries(
    {},
    optional={
        "credential_issuer": st.just("https://university.example") | _JSON,
        "credential_configuration_ids": st.lists(st.text(max_size=10), max_size=3) | _JSON,
        "grants": st.fixed_dictionaries({}, optional={GRANT: _JSON, "authorization_code": _JSON}) | _JSON,
        "extra": _JSON,
    },
)


class _NoWeb:
    """A network without anybody in it."""

    async def get(self, url: str, *, accept: str, languages: str, max_bytes: int) -> Any:
        raise Unreachable

    post = get


@settings(max_examples=300, deadline=None)
@given(_OFFERS)
async def test_any_offer_is_read_or_refused(offer: dict[str, Any]) -> None:
    """Whatever stands in an offer is read or refused in words; nothing else can happen."""
    try:
        arrival = read_arrival(by_value(offer), allow_loopback=False)
        await learn_offer(arrival, web=_NoWeb(), languages="sv", allow_loopback=False)  # type: ignore[arg-type]
    except (UnreadableLink, OfferUnusable, Unreachable):
        pass


@pytest.mark.parametrize(
    ("link", "host"),
    [
        ("openid-credential-offer://?credential_offer_uri=https%3A%2F%2Funi.example%3A8443%2Fo", "uni.example:8443"),
        ("haip-vci://?credential_offer_uri=https%3A%2F%2Funi.example%2Fo", "uni.example"),
        ("https://my.wallet/offer?credential_offer_uri=https%3A%2F%2Funi.example%2Fo", "uni.example"),
        ("eu-eaap://?client_id=x&request_uri=https%3A%2F%2Ffirm.example%2Fr", "firm.example"),
        ("https://uni.example/7K2MQ-X9RVT", "uni.example"),
        ("uni.example/tenant/7k2mqx9rvt", "uni.example"),
        ("openid-credential-offer://?credential_offer_uri=https%3A%2F%2Funi%D1%81.example%2Fo", "xn--uni-6ed.example"),
    ],
)
def test_the_host_shown_is_the_host_asked(link: str, host: str) -> None:
    """The page shows the host that will be asked; a look-alike shows as what it is."""
    assert read_arrival(link, allow_loopback=False).host == host


@pytest.mark.parametrize(
    "link",
    [
        "",
        "hello",
        "javascript:alert(1)?credential_offer_uri=https://uni.example",
        "openid-credential-offer://?credential_offer_uri=javascript:alert(1)",
        "openid-credential-offer://?credential_offer_uri=https://user@uni.example/o",
        "openid-credential-offer://?credential_offer_uri=https://a.example/&credential_offer_uri=https://b.example/",
        "openid-credential-offer://?credential_offer=%7B%7D&credential_offer_uri=https://b.example/",
        "openid-credential-offer://?credential_offer=not-json",
        "uni.example/SHORT",
        "uni.example/ABCDE-FGHIU",
        "user@uni.example/7K2MQX9RVT",
        "x" * 70_000,
    ],
)
def test_what_is_no_link_is_refused(link: str) -> None:
    """Nothing is guessed from a text that does not fit."""
    with pytest.raises(UnreadableLink):
        read_arrival(link, allow_loopback=False)


def test_an_issuer_that_looks_like_another_shows_as_what_it_is() -> None:
    """The issuer's own address in another script is shown encoded wherever it stands, not only in links (W-21)."""
    assert host_of("https://\u0443niversity.example/tenant") == "xn--niversity-f4h.example"
    assert host_of("https://user@uni.example/") == "uni.example"
