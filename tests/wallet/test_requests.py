"""Reading, fetching and checking requests: the W edge cases, each broken in one place only."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs import jose, jwe
from proofs.certified_keys import create_certified_key
from proofs.keys import generate_signer
from proofs.request_object import x509_hash_client_id
from proofs.trust import TrustList, entry_from_jwk
from schemas.errors import ProtocolError
from schemas.presentation import AuthorizationRequest, RequestLink, parse_link
from tests.wallet.fake_verifier import Asked, FakeVerifier, credential, notice, query
from tests.wallet.people import Sharer
from tests.world import World
from wallet.hosts import host_of
from wallet.links import read_arrival
from wallet.requests import CheckedRequest, FetchedRequest, RequestExpired, RequestFault, asked_host, check_request
from wallet.requests.faults import ErrorAddress
from wallet.requests.notice import read_notice

pytestmark = pytest.mark.anyio


@pytest.fixture
def verifier(world: World) -> FakeVerifier:
    """A verifier with a certificate of its own."""
    return FakeVerifier(world)


def check(
    world: World, asked: Asked, *, token: str | None = None, trusted: bool = True, wallet_nonce: str | None = None
) -> CheckedRequest:
    """Check a request as if it had just been fetched."""
    link = parse_link(asked.link() if asked.signer else asked.link_unsigned(), max_chars=60_000)
    body = (token if token is not None else asked.object()) if asked.signer else ""
    fetched = FetchedRequest(link, body, wallet_nonce, world.clock())
    trust = TrustList((asked.verifier.trust_entry,) if trusted else ())
    return check_request(fetched, trust=trust, now=world.clock())


def fault_of(work: Callable[[], Any]) -> RequestFault:
    """The fault that checking ends in."""
    with pytest.raises(RequestFault) as caught:
        work()
    return caught.value


# --- links ------------------------------------------------------------------------------------------------------------


def read_link(text: str) -> RequestLink:
    """What the pages and the commands make of a text."""
    return parse_link(read_arrival(text, allow_loopback=False).text, max_chars=60_000)


@pytest.mark.parametrize(
    "scheme", ["openid4vp://", "openid4vp://authorize", "haip-vp://", "eudi-openid4vp://", "eu-eaap://"]
)
def test_links_of_every_scheme_are_read(verifier: FakeVerifier, scheme: str) -> None:
    """Peers use several schemes; what counts is the query."""
    link = read_link(verifier.ask(query(["family_name"])).link(scheme=scheme))

    assert asked_host(link) == "employer.example"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "mailto:a@b.example?client_id=x",
        "openid4vp://",
        "javascript:alert(1)?client_id=x",
        "openid4vp://?x=1",
    ],
)
def test_other_texts_are_no_links(text: str) -> None:
    """What is no link of a request is refused with a clear error."""
    with pytest.raises(ProtocolError):
        read_link(text)


@pytest.mark.parametrize(
    ("query_part", "error"),
    [
        ("client_id=a&client_id=b&request_uri=https://h.example/", "invalid_request"),
        ("client_id=a&request=x&request_uri=https://h.example/", "invalid_request"),
        ("client_id=a&request_uri_method=post", "invalid_request"),
        ("client_id=a&request_uri=ftp://h.example/", "invalid_request"),
        ("request_uri=https://h.example/", "invalid_request"),
        ("client_id=a&request_uri=https://h.example/&request_uri_method=POST", "invalid_request_uri_method"),
        ("client_id=a&request_uri=https://h.example/&request_uri_method=put", "invalid_request_uri_method"),
    ],
)
def test_w11_faulty_links_name_their_fault(query_part: str, error: str) -> None:
    """A repeated, missing or contradicting parameter, or a method in capitals: nothing is fetched."""
    with pytest.raises(ProtocolError) as caught:
        parse_link(f"openid4vp://?{query_part}", max_chars=60_000)

    assert caught.value.error == error


@given(st.text(max_size=300))
def test_no_text_breaks_the_link_reader(text: str) -> None:
    """Whatever is pasted, the answer is a link or one of our errors."""
    with suppress(ProtocolError):
        asked_host(read_link(text))


@given(st.dictionaries(st.sampled_from(["client_id", "request_uri", "request", "response_uri", "nonce"]), st.text()))
def test_no_parameters_break_the_link_reader(parameters: dict[str, str]) -> None:
    """Whatever a link carries, the answer is a link or one of our errors."""
    with suppress(ProtocolError):
        asked_host(read_link(f"openid4vp://?{urlencode(parameters)}"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://Employer.Example/x", "employer.example"),
        ("https://employer.example:8443/x", "employer.example:8443"),
        ("https://exämple.example/", "xn--exmple-cua.example"),
        ("https://[::1]:8000/", "[::1]:8000"),
        ("https://employer.example@evil.example/", "evil.example"),
        ("https://a.example:99999/", ""),
        ("nonsense", ""),
    ],
)
def test_hosts_are_shown_as_what_they_are(url: str, shown: str) -> None:
    """Look-alikes show in their encoded form, and a name before an @ is not the host."""
    assert host_of(url) == shown


# --- identity ---------------------------------------------------------------------------------------------------------


def test_w21_the_level_of_identity_is_told(world: World, verifier: FakeVerifier) -> None:
    """A certificate of a trusted root proves the name; of an unknown root it only says so."""
    asked = verifier.ask(query(["family_name"]))

    assert check(world, asked).identity.level == "certificate"
    assert check(world, asked).identity.legal_name == "Exempelbolaget AB"
    assert check(world, asked, trusted=False).identity.level == "unproven"


def test_w01_another_type_of_object_is_refused(world: World, verifier: FakeVerifier) -> None:
    """A signed JWT of another typ is no request, though its signature holds."""
    asked = verifier.ask(query(["family_name"]))
    token = jose.sign_jws(
        asked.parameters, signer=verifier.signer, typ="JWT", header={"x5c": list(verifier.signer.x5c)}
    )

    fault = fault_of(lambda: check(world, asked, token=token))

    assert (fault.error, fault.tell) == ("invalid_request_object", None)


def test_w01_iss_is_ignored(world: World, verifier: FakeVerifier) -> None:
    """`iss` may be there and counts for nothing."""
    assert check(world, verifier.ask(query(["family_name"]), iss="https://somebody.example")).is_proven


def test_w02_another_inner_client_id_is_refused(world: World, verifier: FakeVerifier) -> None:
    """The identifier in the link and in the object must be the same, prefix included."""
    asked = verifier.ask(query(["family_name"]))
    asked.parameters["client_id"] = "x509_hash:somebody-else"

    fault = fault_of(lambda: check(world, asked))
    assert (fault.error, fault.kind, fault.tell) == ("invalid_request", "wrong_sender", None)


@pytest.mark.parametrize(
    "client_id", ["origin:https://employer.example", "unknown:thing", "decentralized_identifier:did:example:x"]
)
def test_w03_unknown_and_reserved_prefixes_are_refused(world: World, verifier: FakeVerifier, client_id: str) -> None:
    """A prefix that is not known, and the reserved `origin:`, are refused."""
    fault = fault_of(lambda: check(world, verifier.ask(query(["family_name"]), client_id=client_id)))

    assert (fault.error, fault.kind, fault.tell) == ("invalid_request", "wrong_sender", None)


def test_w03_a_registered_client_needs_no_prefix(world: World) -> None:
    """Without a colon the identifier names a verifier on the trust list, by its key."""
    signer = generate_signer()
    verifier = FakeVerifier(world)
    verifier.signer = signer
    asked = Asked("r", "employer-7", {}, signer, None, verifier)
    asked.parameters = {
        **verifier.ask(query(["family_name"]), prefix="redirect_uri").parameters,
        "client_id": "employer-7",
        "response_uri": "https://employer.example/response",
    }
    entry = entry_from_jwk(signer.public_jwk, identifier="employer-7", name="Exempelbolaget", role="verifier")
    fetched = FetchedRequest(parse_link(asked.link()), asked.object(), None, world.clock())

    checked = check_request(fetched, trust=TrustList((entry,)), now=world.clock())
    unknown = fault_of(lambda: check_request(fetched, trust=TrustList(()), now=world.clock()))

    assert (checked.identity.level, checked.identity.legal_name) == ("registered", "Exempelbolaget")
    assert (unknown.error, unknown.kind, unknown.tell) == ("invalid_client", "wrong_sender", None)


def test_a_request_by_value_that_has_to_be_signed_is_refused(world: World, verifier: FakeVerifier) -> None:
    """The rules of its prefix are broken, which has a code of its own (8.5): there is no object to be wrong."""
    link = parse_link(verifier.ask(query(["family_name"])).link_unsigned())

    fault = fault_of(
        lambda: check_request(FetchedRequest(link, "", None, world.clock()), trust=TrustList(()), now=world.clock())
    )

    assert (fault.error, fault.kind, fault.tell) == ("invalid_request", "wrong_sender", None)


def test_w04_an_unsigned_request_answers_to_its_own_identifier(world: World, verifier: FakeVerifier) -> None:
    """`redirect_uri:` needs no response_uri: it is the identifier; the sender is unproven."""
    asked = verifier.ask(query(["family_name"]), prefix="redirect_uri", notice=notice(), response_uri=None)

    checked = check(world, asked)

    assert checked.request.response_uri == "https://employer.example/response"
    assert (checked.identity.level, checked.stated is not None and checked.stated.signed) == ("unproven", False)


def test_w04_another_response_uri_is_refused_and_nobody_told(world: World, verifier: FakeVerifier) -> None:
    """An answer must not go elsewhere than the identifier says, and no error is posted anywhere."""
    asked = verifier.ask(query(["family_name"]), prefix="redirect_uri", response_uri="https://evil.example/r")

    assert fault_of(lambda: check(world, asked)).tell is None


def test_w04_a_signed_request_with_that_prefix_is_refused(world: World, verifier: FakeVerifier) -> None:
    """There is no key that could be trusted for it."""
    asked = verifier.ask(query(["family_name"]), prefix="redirect_uri")
    asked.signer = verifier.signer

    assert fault_of(lambda: check(world, asked)).tell is None


def test_w05_the_dns_name_must_be_the_host_of_the_answer(world: World, verifier: FakeVerifier) -> None:
    """With `x509_san_dns` the answer goes to that name and nowhere else."""
    good = verifier.ask(query(["family_name"]), prefix="x509_san_dns")
    elsewhere = verifier.ask(query(["family_name"]), prefix="x509_san_dns", response_uri="https://evil.example/r")

    assert check(world, good).is_proven
    assert fault_of(lambda: check(world, elsewhere)).tell is None


def test_w06_another_hash_and_a_self_signed_certificate_are_refused(world: World, verifier: FakeVerifier) -> None:
    """The identifier is the hash of the certificate that signed."""
    other = create_certified_key(
        world.directory / "other", name="k", common_name="Other", public_url="https://other.example",
        passphrase=b"in tests", now=world.clock(),
    )  # fmt: skip
    asked = verifier.ask(query(["family_name"]), client_id=x509_hash_client_id(other.signer))

    assert fault_of(lambda: check(world, asked)).error == "invalid_request_object"


# --- the object -------------------------------------------------------------------------------------------------------


def test_w11_a_missing_wallet_nonce_ends_it(world: World, verifier: FakeVerifier) -> None:
    """Without our nonce in it, the object may be an old one."""
    asked = verifier.ask(query(["family_name"]))

    assert fault_of(lambda: check(world, asked, wallet_nonce="abc")).tell is None
    assert check(world, asked, token=asked.object(wallet_nonce="abc"), wallet_nonce="abc").is_proven


async def test_w11_the_post_tells_as_little_as_possible(world: World, verifier: FakeVerifier) -> None:
    """The POST carries what verifiers judge by and a fresh nonce, and no header that names the software (15.9)."""
    sharer = await Sharer.with_certificate(world)
    await sharer.refuse(await sharer.begin(verifier.ask(query(["family_name"])).link(method="post")))

    method, form, headers = verifier.fetches[0]
    assert (method, set(form)) == ("POST", {"wallet_metadata", "wallet_nonce"})
    assert json.loads(form["wallet_metadata"]) == {
        "vp_formats_supported": {"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]}},
        "request_object_signing_alg_values_supported": ["ES256"],
        # Left out, these mean: only registered verifiers (10.1), only `query` and `fragment` (RFC 8414, section 2).
        "client_id_prefixes_supported": [
            "decentralized_identifier", "pre-registered", "redirect_uri", "x509_hash", "x509_san_dns",
        ],
        "response_types_supported": ["vp_token"],
        "response_modes_supported": ["direct_post", "direct_post.jwt"],
    }  # fmt: skip
    for sent in (headers, verifier.answer_headers[0]):
        assert sent["user-agent"] == "Mozilla/5.0"
        assert not re.search("intyga|python|httpx", str(sorted(sent.items())).lower())
    assert headers["accept"] == "application/oauth-authz-req+jwt"


async def test_w10_redirects_of_the_request_uri_are_not_followed(world: World, verifier: FakeVerifier) -> None:
    """A redirect is an error: the host that the person agreed to is the one that is asked."""
    sharer = await Sharer.with_certificate(world)
    asked = verifier.ask(query(["family_name"]))

    def redirect(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(302, headers={"location": "https://evil.example/"}, request=request)

    with world.network.answering(redirect), pytest.raises(ProtocolError) as caught:
        await sharer.begin(asked.link())

    assert caught.value.error == "request_unreachable"
    assert world.network.asked("evil.example") == 0


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "https://employer.example/cb"}, "invalid_request"),  # W-12
        ({"dcql_query": None}, "invalid_request"),  # W-13
        ({"scope": "diploma"}, "invalid_request"),  # W-13
        ({"dcql_query": None, "scope": "diploma"}, "invalid_scope"),
        ({"transaction_data": ["e30"]}, "invalid_transaction_data"),  # W-14
        ({"transaction_data": []}, "invalid_transaction_data"),
        ({"nonce": "short"}, "invalid_request"),  # W-16
        ({"nonce": "has a space in it, really"}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"state": "åäö"}, "invalid_request"),
        ({"response_type": "code"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "direct_post.jwt"}, "invalid_request"),  # no key for it
        ({"client_metadata": {"vp_formats_supported": {"mso_mdoc": {}}}}, "vp_formats_not_supported"),
        ({"dcql_query": {"credentials": []}}, "invalid_request"),
    ],
)
def test_faults_of_a_proven_sender_are_named_and_may_be_told(
    world: World, verifier: FakeVerifier, changes: dict[str, Any], error: str
) -> None:
    """Each broken rule has the specification's code; the proven sender may be told, an unproven one never."""
    asked = verifier.ask(**{"dcql_query": query(["family_name"]), **changes})

    fault = fault_of(lambda: check(world, asked))

    assert fault.error == error
    assert fault.tell is not None
    assert fault.tell.response_uri == "https://employer.example/response"
    assert fault_of(lambda: check(world, asked, trusted=False)).tell is None


UNBOUND = query(["family_name"], require_cryptographic_holder_binding=False)


def test_where_to_tell_a_fault_rests_as_it_was_and_as_earlier_versions_kept_it(
    world: World, verifier: FakeVerifier
) -> None:
    """Between the page and the person's wish; with the key, where an encrypted answer was asked for."""
    asked = verifier.ask(query(["family_name"]), encrypted=True, transaction_data=["e30"])
    tell = fault_of(lambda: check(world, asked)).tell

    assert tell is not None
    assert tell.answer_key is not None
    assert ErrorAddress.from_json(json.loads(json.dumps(tell.as_json()))) == tell
    assert ErrorAddress.from_json([tell.response_uri, tell.state]) == replace(tell, answer_key=None)


@pytest.mark.parametrize(
    "state",
    [
        None,
        "",
        "state-r1",
        "a" * 21,
        "tBZ0HOh1Vn9VTq0bHkQx3",  # 21 characters of base64url: 126 bits.
        "0123456789abcdef0123456789abcde",  # 31 hexadecimal digits: 124 bits.
        "0123456789ABCDEF0123456789ABCDE",
        "7" * 38,
    ],
)
def test_d12_without_holder_binding_a_state_that_can_be_guessed_is_refused(
    world: World, verifier: FakeVerifier, state: str | None
) -> None:
    """OpenID4VP 1.0, section 5.3: 128 bits, as far as a wallet can tell; nothing else ties answer and request."""
    fault = fault_of(lambda: check(world, verifier.ask(UNBOUND, state=state)))

    assert fault.error == "invalid_request"


@pytest.mark.parametrize(
    "state",
    [
        "tBZ0HOh1Vn9VTq0bHkQx3w",
        "0123456789abcdef0123456789abcdef",
        "0123456789ABCDEF0123456789ABCDEF",
        "194837261948372619483726194837261948372",
    ],
)
def test_d12_a_state_that_can_hold_128_bits_is_taken(world: World, verifier: FakeVerifier, state: str) -> None:
    """In base64url, in hexadecimal of either case, and in decimal digits."""
    assert check(world, verifier.ask(UNBOUND, state=state)).request.state == state


@pytest.mark.parametrize("state", [None, "s"])
def test_d12_with_holder_binding_any_state_will_do(world: World, verifier: FakeVerifier, state: str | None) -> None:
    """There the nonce inside the proof ties it to the request."""
    assert check(world, verifier.ask(query(["family_name"]), state=state)).request.state == state


def test_only_unsupported_formats_are_refused(world: World, verifier: FakeVerifier) -> None:
    """A query for formats that the wallet never holds is told as such."""
    asked = verifier.ask(
        {"credentials": [{"id": "m", "format": "mso_mdoc", "meta": {"doctype_value": "org.iso.18013.5.1.mDL"}}]}
    )

    assert fault_of(lambda: check(world, asked)).error == "vp_formats_not_supported"


def test_an_expired_request_says_so(world: World, verifier: FakeVerifier) -> None:
    """A request whose time is over is not judged any further."""
    token = verifier.ask(query(["family_name"])).object()
    world.clock.now += timedelta(minutes=7)

    with pytest.raises(RequestExpired):
        check(world, verifier.asked["r1"], token=token)


def test_iat_and_exp_may_be_absent(world: World, verifier: FakeVerifier) -> None:
    """Neither is required; the person then has half an hour."""
    asked = verifier.ask(query(["family_name"]))
    checked = check(world, asked, token=asked.object(iat=None, exp=None))

    assert checked.expires_at == world.clock() + timedelta(minutes=30)


@pytest.mark.parametrize("exp", [250_000_000_000, 253_402_300_700, 253_402_300_799])
def test_no_request_stays_open_for_years(world: World, verifier: FakeVerifier, exp: int) -> None:
    """Whatever end an unproven sender names, up to the last that a calendar has: after a month it is over."""
    asked = verifier.ask(query(["family_name"]))
    checked = check(world, asked, token=asked.object(exp=exp))

    assert checked.expires_at == world.clock() + timedelta(days=30, minutes=1)


# --- keys for the answer ----------------------------------------------------------------------------------------------


def _key(**changes: Any) -> dict[str, Any]:
    made = {**jwe.public_part(jwe.generate_encryption_key("good")), **changes}
    return {name: value for name, value in made.items() if value is not None}


@pytest.mark.parametrize(
    "useless",
    [
        {"use": "sig"},
        {"alg": None},
        {"alg": "RSA-OAEP-256"},
        {"crv": "P-999"},
        {"kid": None},
        {"x": "AAAA"},
        {"kty": "OKP", "crv": "X448", "y": None},
    ],
)
def test_w18_unusable_keys_are_skipped(world: World, verifier: FakeVerifier, useless: dict[str, Any]) -> None:
    """A key for another use, without algorithm, of an unknown kind or broken is passed over for a good one."""
    asked = verifier.ask(query(["family_name"]), encrypted=True)
    good = _key(kid="good")
    asked.parameters["client_metadata"]["jwks"] = {"keys": [{**_key(kid="bad"), **useless}, good]}
    for name in [name for name, value in useless.items() if value is None]:
        asked.parameters["client_metadata"]["jwks"]["keys"][0].pop(name, None)

    checked = check(world, asked)

    assert checked.answer_key is not None
    assert checked.answer_key.jwk["kid"] == "good"


@pytest.mark.parametrize(
    ("offered", "taken"), [(None, "A128GCM"), (["A128GCM", "A256GCM"], "A256GCM"), (["A128GCM"], "A128GCM")]
)
def test_w18_content_encryption_is_chosen(
    world: World, verifier: FakeVerifier, offered: list[str] | None, taken: str
) -> None:
    """A128GCM when nothing is said; A256GCM where both have it."""
    asked = verifier.ask(query(["family_name"]), encrypted=True)
    metadata = asked.parameters["client_metadata"]
    metadata.pop("encrypted_response_enc_values_supported")
    if offered:
        metadata["encrypted_response_enc_values_supported"] = offered

    key = check(world, asked).answer_key

    assert key is not None
    assert key.enc == taken


# --- the notice -------------------------------------------------------------------------------------------------------


def test_w15_unknown_attestations_are_ignored(world: World, verifier: FakeVerifier) -> None:
    """A format that nobody here knows changes nothing."""
    asked = verifier.ask(query(["family_name"]), verifier_info=[{"format": "future", "data": "x"}])

    assert check(world, asked).stated is None


@pytest.mark.parametrize("broken", [{"nonce": "another-nonce-0123456789"}, {"client_id": "x509_hash:other"}])
def test_w15_a_notice_of_another_request_is_dropped(
    world: World, verifier: FakeVerifier, broken: dict[str, str]
) -> None:
    """A notice is bound to client identifier and nonce; one from elsewhere says nothing here."""
    asked = verifier.ask(query(["family_name"]), notice=notice(**broken))

    assert check(world, asked).stated is None


def test_w15_a_notice_signed_with_another_key_is_dropped(world: World, verifier: FakeVerifier) -> None:
    """Only the request's own key speaks for the request."""
    asked = verifier.ask(query(["family_name"]), notice=notice())
    claims = {"client_id": asked.client_id, "nonce": asked.parameters["nonce"], "iat": 1, **notice()}
    forged = jose.sign_jws(claims, signer=generate_signer(), typ="intyga-notice+jwt")
    asked.parameters["verifier_info"][0]["data"] = forged

    assert check(world, asked).stated is None


def test_a_plain_notice_in_a_signed_request_is_not_taken(world: World, verifier: FakeVerifier) -> None:
    """A signed request signs its notice."""
    asked = verifier.ask(query(["family_name"]), verifier_info=[{"format": "intyga-notice", "data": notice()}])

    assert check(world, asked).stated is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_notice_breaks_the_reader(data: Any) -> None:
    """Whatever stands in verifier_info, the answer is a notice, none, or one of our errors."""
    parameters = {
        "client_id": "redirect_uri:https://h.example/r",
        "response_type": "vp_token",
        "response_mode": "direct_post",
        "nonce": "0123456789abcdef",
        "dcql_query": {"credentials": [credential()]},
        "verifier_info": [{"format": "intyga-notice", "data": data}],
    }
    with suppress(ProtocolError):
        read_notice(AuthorizationRequest.from_parameters(parameters), signing_jwk=None)
