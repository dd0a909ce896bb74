"""Attacks on decentralized identifiers as names of those who ask (OpenID4VP 1.0, 5.9.3; DID Core; did:web, did:jwk).

A DID is the sender's own choice, and so is its document: neither may lead the wallet anywhere but by https to a named
host, lend somebody the key of somebody else, or make the wallet surer of the sender than it can be.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs import base64url, strict_json
from proofs.did import (
    check_kid,
    did_document,
    did_document_addresses,
    did_jwk,
    did_jwk_document,
    did_method,
    did_web,
    read_did_document,
    signing_key,
)
from proofs.jose import sign_jws
from proofs.keys import SoftwareSigner, generate_signer
from proofs.request_object import (
    AUDIENCE,
    TYP,
    AuthenticatedRequest,
    InvalidClientIdentifier,
    InvalidRequestSignature,
    check_request_object,
    did_document_needed,
    sign_request_object,
)
from proofs.trust import TrustEntry, TrustList, entry_from_did, entry_from_jwk
from schemas.errors import Malformed, ProtocolError
from tests.proofs.cast import NOW
from tests.wallet.fake_verifier import FakeVerifier, notice, query
from tests.wallet.people import Sharer
from tests.world import World
from wallet.requests import CouldNotFetch

DID = "did:web:employer.example"
KID = f"{DID}#key-1"
SIGNER, OTHER = generate_signer(), generate_signer()


def document(**changes: Any) -> dict[str, Any]:
    """A good document with other members; None leaves one out."""
    good = did_document(DID, kid=KID, public_jwk=SIGNER.public_jwk) | changes
    return {name: value for name, value in good.items() if value is not None}


def method(**changes: Any) -> dict[str, Any]:
    """The good verification method with other members; None leaves one out."""
    changed = document()["verificationMethod"][0] | changes
    return {name: value for name, value in changed.items() if value is not None}


def request_object(did: str = DID, *, kid: Any = KID, signer: SoftwareSigner = SIGNER, **header: Any) -> str:
    """A request object signed with this `kid`."""
    claims = {"aud": AUDIENCE, "client_id": f"decentralized_identifier:{did}", "nonce": "n"}
    named = {"kid": kid} | header
    return sign_jws(claims, signer=signer, typ=TYP, header={k: v for k, v in named.items() if v is not None})


def check(token: str, found: Mapping[str, Any] | str | None, *, did: str = DID, trust: TrustList | None = None) -> Any:
    """Check a request object against a document."""
    text = found if found is None or isinstance(found, str) else strict_json.dumps(dict(found)).decode()
    return check_request_object(
        token,
        expected_client_id=f"decentralized_identifier:{did}",
        trust=trust or TrustList(),
        now=NOW,
        did_document=text,
    )


# --- where a did:web leads --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("did", "address"),
    [
        ("did:web:employer.example", "https://employer.example/.well-known/did.json"),
        ("did:web:employer.example%3A8443", "https://employer.example:8443/.well-known/did.json"),
        ("did:web:employer.example:hr:jobs", "https://employer.example/hr/jobs/did.json"),
        ("did:web:localhost%3A8300", "https://localhost:8300/.well-known/did.json"),
    ],
)
def test_the_address_of_a_document(did: str, address: str) -> None:
    """As the method says, and by https."""
    assert did_document_addresses(did, allow_loopback=False) == (address,)


def test_only_this_machine_is_asked_without_https() -> None:
    """And only where the operator allows it."""
    there = "//localhost:1/.well-known/did.json"
    assert did_document_addresses("did:web:localhost%3A1", allow_loopback=True) == (f"https:{there}", f"http:{there}")
    for elsewhere in ("did:web:localhost.example", "did:web:a.example:localhost"):
        (address,) = did_document_addresses(elsewhere, allow_loopback=True)
        assert address.startswith("https://")


@pytest.mark.parametrize(
    "did",
    [
        "did:web:",
        "did:web:127.0.0.1",
        "did:web:10.0.0.1%3A80",
        "did:web:2130706433",
        "did:web:0x7f.1",
        "did:web:%5B%3A%3A1%5D",
        "did:web:user%40employer.example",
        "did:web:employer.example%2Fevil",
        "did:web:employer.example%3Fx",
        "did:web:employer.example%23x",
        "did:web:employer.example%3A",
        "did:web:employer.example%3A99999",
        "did:web:employer.example%3A80%3A81",
        "did:web:employer.example%253A80",
        "did:web:EMPLOYER.example",
        "did:web:-a.example",
        "did:web:a..example",
        "did:web:employer.example:..:secret",
        "did:web:employer.example:.:secret",
        "did:web:employer.example:%2E%2E:secret",
        "did:web:employer.example::x",
        "did:web:employer.example:a%2Fb",
        "did:web:employer.example/x",
        "did:web:employer.example?x=1",
        "did:web:employer.example#key-1",
        "did:web:employer.example\n",
        " did:web:employer.example",
        "did:web:exämple.example",
        "did:web:" + "a" * 2_000,
        "DID:web:employer.example",
        "web:employer.example",
        "did:key:z6Mk",
    ],
)
def test_a_did_web_that_hides_another_address_leads_nowhere(did: str) -> None:
    """No IP address, no user, nothing encoded but the port's colon, no path upwards, no query."""
    with pytest.raises(ProtocolError):
        did_document_addresses(did, allow_loopback=False)


@given(st.text(max_size=60))
def test_no_text_leads_to_another_scheme_or_a_user(text: str) -> None:
    """Whatever is written as a DID: https, a host, a path that ends in did.json, or our error."""
    try:
        (address,) = did_document_addresses(f"did:web:{text}", allow_loopback=False)
    except Malformed:
        return
    assert address.startswith("https://")
    assert address.endswith("/did.json")
    assert not set(address.removeprefix("https://")) & set("@?#\\ %")


def test_a_public_address_and_its_did_agree() -> None:
    """What the verifier calls itself leads back to its own address."""
    for url in ("https://employer.example", "https://employer.example:8443/hr", "http://localhost:8300"):
        scheme, _, rest = url.partition("://")
        found = [urlsplit(address) for address in did_document_addresses(did_web(url), allow_loopback=True)]
        assert (scheme, rest.partition("/")[0]) in [(address.scheme, address.netloc) for address in found]
    for url in ("https://127.0.0.1:8300", "https://", "https://a.example/../b"):
        with pytest.raises(Malformed):
            did_web(url)


# --- what a document proves -------------------------------------------------------------------------------------------


def test_a_request_by_a_good_document_is_taken_as_what_it_is() -> None:
    """The key signed; who it is nobody here knows."""
    found: AuthenticatedRequest = check(request_object(), document())

    assert found.signing_jwk == SIGNER.public_jwk
    assert (found.identity.level, found.identity.legal_name) == ("unproven", "")
    assert found.identity.dns_names == ("employer.example",)


def test_relative_ids_are_read_as_the_documents_own() -> None:
    """DID Core 3.2.2."""
    relative = document(verificationMethod=[method(id="#key-1")], authentication=["#key-1"], assertionMethod=None)
    assert check(request_object(), relative).signed


BROKEN: dict[str, Mapping[str, Any] | str | None] = {
    "no document": None,
    "no JSON": "<html>",
    "members twice": '{"id": "did:web:employer.example", "id": "did:web:employer.example"}',
    "no object": "[]",
    "of another DID": document(id="did:web:victim.example"),
    "of the DID in capitals": document(id="did:web:Employer.example"),
    "no id": document(id=None),
    "no keys": document(verificationMethod=None),
    "keys are no list": document(verificationMethod={"id": KID}),
    "another key id": document(verificationMethod=[method(id=f"{DID}#key-2")]),
    "key id of another DID": document(verificationMethod=[method(id="did:web:victim.example#key-1")]),
    "named twice": document(verificationMethod=[method(), method(publicKeyJwk=OTHER.public_jwk)]),
    "named twice, once relative": document(verificationMethod=[method(), method(id="#key-1")]),
    "under another's control": document(verificationMethod=[method(controller="did:web:victim.example")]),
    "under nobody's control": document(verificationMethod=[method(controller=None)]),
    "another key": document(verificationMethod=[method(publicKeyJwk=OTHER.public_jwk)]),
    "no key": document(verificationMethod=[method(publicKeyJwk=None)]),
    "private key": document(verificationMethod=[method(publicKeyJwk=SIGNER.private_jwk())]),
    "key for encryption": document(verificationMethod=[method(publicKeyJwk=SIGNER.public_jwk | {"use": "enc"})]),
    "only key agreement": document(authentication=None, assertionMethod=None, keyAgreement=[KID]),
    "no relationship": document(authentication=None, assertionMethod=None),
    "related by another id": document(authentication=[f"{DID}#key-2"], assertionMethod=[]),
    "relationship is a text": document(authentication=KID, assertionMethod=None),
    "only written out in a relationship": document(
        verificationMethod=[method(id=f"{DID}#key-2")], authentication=[method()], assertionMethod=None
    ),
    "too many keys": document(verificationMethod=[method(), *({"id": f"{DID}#{n}"} for n in range(200))]),
    "too large": strict_json.dumps(document(x="y" * 200_000)).decode(),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_or_foreign_document_proves_nothing(case: str) -> None:
    """Each differs from the good one in one thing."""
    with pytest.raises(InvalidRequestSignature):
        check(request_object(), BROKEN[case])


@pytest.mark.parametrize(
    "kid",
    [None, "", "key-1", "#key-1", DID, f"{DID}#", f"{DID}#key-2", "did:web:victim.example#key-1", f"{DID}:x#key-1",
     f"{DID}?x#key-1", f" {KID}", f"{KID}#x", 7, [KID], SIGNER.kid],
    ids=map(str, range(15)),  # One of them is new in every process.
)  # fmt: skip
def test_the_key_is_named_by_its_whole_id(kid: Any) -> None:
    """OpenID4VP 5.9.3: `kid` identifies the key; a token that names none of the sender's fetches nothing, either."""
    with pytest.raises(ProtocolError):
        check(request_object(kid=kid), document())
    if kid != f"{DID}#key-2":  # That one is of the DID; whether it is there says the document.
        with pytest.raises(InvalidRequestSignature):
            did_document_needed(request_object(kid=kid), expected_client_id=f"decentralized_identifier:{DID}")


def test_a_key_that_comes_along_is_not_looked_at() -> None:
    """`jwk` and `x5c` in the header are the forger's own."""
    with pytest.raises(InvalidRequestSignature):
        check(request_object(signer=OTHER, jwk=OTHER.public_jwk), document())


def test_the_identifier_outside_is_the_one_inside() -> None:
    """A link that names a known DID, a request object of another."""
    with pytest.raises(InvalidClientIdentifier):
        check(request_object(), document(), did="did:web:victim.example")


# --- did:jwk ----------------------------------------------------------------------------------------------------------


def test_a_did_jwk_is_its_own_document() -> None:
    """Nothing is fetched, and what somebody gives as its document is not read."""
    did = did_jwk(SIGNER.public_jwk)
    token = request_object(did, kid=f"{did}#0")

    assert did_document_needed(token, expected_client_id=f"decentralized_identifier:{did}") is None
    foreign = did_document(did, kid=f"{did}#0", public_jwk=OTHER.public_jwk)
    for given_document in (None, foreign):
        found = check(token, given_document, did=did)
        assert (found.identity.level, found.identity.dns_names) == ("unproven", ())
    with pytest.raises(InvalidRequestSignature):
        check(request_object(did, kid=f"{did}#0", signer=OTHER), foreign, did=did)
    with pytest.raises(InvalidRequestSignature):
        check(request_object(did, kid=f"{did}#1"), None, did=did)


def encoded(members: Any) -> str:
    """A `did:jwk` of anything."""
    return f"did:jwk:{base64url.encode(strict_json.dumps(members))}"


@pytest.mark.parametrize(
    "did",
    [
        "did:jwk:",
        "did:jwk:%%%",
        "did:jwk:e30",
        encoded([]),
        encoded({"kty": "oct", "k": "AAAA"}),
        encoded({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
        encoded(SIGNER.private_jwk()),
        encoded(SIGNER.public_jwk | {"use": "enc"}),
        encoded(SIGNER.public_jwk | {"x": SIGNER.public_jwk["y"]}),
        encoded(SIGNER.public_jwk) + "=",
        "did:jwk:" + base64url.encode(b'{"kty":"EC","kty":"EC"}'),
        "did:jwk:" + base64url.encode(b"{" + b" " * 5_000 + b"}"),
    ],
)
def test_a_did_jwk_of_no_usable_key_is_refused(did: str) -> None:
    """Private, symmetric, weak, off the curve, for encryption, written in another way."""
    with pytest.raises(ProtocolError):
        signing_key(did_jwk_document(did), did=did, kid=f"{did}#0")


# --- how sure we are --------------------------------------------------------------------------------------------------


def test_only_the_trust_list_makes_a_did_somebody() -> None:
    """Named there: registered, by that name, while the entry is in force."""
    entry = entry_from_did(DID, name="Exempelbolaget AB")
    ended = TrustEntry.from_json(entry.to_json() | {"id": "ended", "not_after": int(NOW.timestamp()) - 60})

    known = check(request_object(), document(), trust=TrustList((entry,))).identity
    assert (known.level, known.legal_name, known.trust_entry_id) == ("registered", "Exempelbolaget AB", entry.id)
    for others in (entry_from_did("did:web:employer.example:hr", name="x"), ended, entry_from_did(DID + "x", name="x")):
        assert check(request_object(), document(), trust=TrustList((others,))).identity.level == "unproven"


def test_a_key_pinned_for_another_mechanism_does_not_name_a_did() -> None:
    """An entry by key is for a registered client without prefix; the DID's document could name any key."""
    pinned = entry_from_jwk(SIGNER.public_jwk, identifier=DID, name="x", role="verifier")

    assert check(request_object(), document(), trust=TrustList((pinned,))).identity.level == "unproven"


@pytest.mark.parametrize("changes", [{"role": "issuer"}, {"role": "any"}, {"role": "registrar"}, {"identifier": ""},
                                     {"identifier": "https://employer.example"}])  # fmt: skip
def test_a_did_is_trusted_as_a_verifier_and_as_nothing_else(changes: dict[str, str]) -> None:
    """Certificates by DID are not taken here, so that an entry that says so would be a promise nobody keeps."""
    with pytest.raises(ProtocolError):
        TrustEntry.from_json(entry_from_did(DID, name="x").to_json() | changes)


@pytest.mark.parametrize(
    "did", ["did:key:z6Mk", "did:example:1", "did:ebsi:x", "https://a.example", "", DID + "#key-1"]
)
def test_other_methods_are_not_supported(did: str) -> None:
    """Told as an unknown kind of identifier, before anything is fetched."""
    with pytest.raises(InvalidClientIdentifier):
        did_document_needed(request_object(did), expected_client_id=f"decentralized_identifier:{did}")


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_breaks_the_readers(text: str, other: str) -> None:
    """Whatever comes, the answer is a value or one of our errors."""
    for work in (did_method, did_jwk_document, lambda one: check_kid(one, did=other)):
        try:
            work(text)
        except ProtocolError:
            continue
    with pytest.raises(ProtocolError):
        read_did_document(text, did=DID)


# --- through the wallet -----------------------------------------------------------------------------------------------


def ask_by_did(employer: FakeVerifier, did: str) -> str:
    """A link to a request by a DID, signed with the employer's key; its notice is bound to another identifier."""
    client_id = f"decentralized_identifier:{did}"
    return employer.ask(query(["family_name"]), client_id=client_id, notice=notice()).link()


def answering(employer: FakeVerifier, text: bytes, status: int = 200) -> Any:
    """What the network says at the address of the employer's document; the addresses that were asked are in `seen`."""

    def answer(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path == "/.well-known/did.json":
            return httpx2.Response(status, content=text, headers={"location": "https://victim.example/"})
        return None

    return employer.world.network.answering(answer)


@pytest.mark.anyio
@pytest.mark.parametrize(("text", "status"), [(b"", 404), (b"", 302), (b"x" * 200_000, 200), (b"\xff\xfe", 200)])
async def test_a_document_that_cannot_be_had_stops_the_request(world: World, text: bytes, status: int) -> None:
    """Missing, moved, endless, or no text: nothing is known of the sender, and nothing is shown."""
    sharer = await Sharer.with_certificate(world)
    employer = FakeVerifier(world)
    link = ask_by_did(employer, DID)

    with answering(employer, text, status), pytest.raises(CouldNotFetch):
        await sharer.begin(link)
    assert world.network.asked("victim.example") == 0


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.1"])
async def test_a_did_does_not_lead_into_this_network(world: World, host: str) -> None:
    """The guard on addresses holds for documents, too."""
    sharer = await Sharer.with_certificate(world)
    link = ask_by_did(FakeVerifier(world), f"did:web:{host}")

    with pytest.raises(CouldNotFetch):
        await sharer.begin(link)
    assert world.network.asked(f"//{host}/") == 0


@pytest.mark.anyio
async def test_the_document_is_fetched_once_and_judged_again(world: World) -> None:
    """What the person saw is judged by the same document, whatever the sender publishes meanwhile."""
    sharer = await Sharer.with_certificate(world)
    employer = FakeVerifier(world)
    signer = employer.signer
    good = did_document(DID, kid=f"{DID}#{signer.kid}", public_jwk=signer.public_jwk)
    link = ask_by_did(employer, DID)

    with answering(employer, strict_json.dumps(good)):
        share_id = await sharer.begin(link)
    first = sharer.decision(share_id)
    sharer.go_on(share_id, *(warned.kind for warned in first.overrides))
    await sharer.approve(share_id)

    assert first.checked.identity.level == "unproven"
    assert world.network.asked("/did.json") == 1
    (presentation,) = employer.answers[0]["vp_token"]["certificate"]
    assert presentation


def test_the_verifier_signs_as_its_did() -> None:
    """`kid` is the key's whole id, and no certificate comes along."""
    token = sign_request_object({"client_id": f"decentralized_identifier:{DID}"}, signer=SIGNER)
    header = strict_json.loads_object(base64url.decode(token.partition(".")[0]))

    assert header["kid"] == f"{DID}#{SIGNER.kid}"
    assert "x5c" not in header
