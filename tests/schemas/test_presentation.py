"""The messages of OpenID4VP: links, requests, answers, and the notice. Source: OpenID4VP 1.0, sections 5 and 8."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from proofs import strict_json
from schemas.consent import Basis, LocalizedText, RequestNotice
from schemas.errors import Malformed, ProtocolError
from schemas.presentation import (
    AuthorizationErrorResponse,
    AuthorizationRequest,
    AuthorizationResponse,
    InvalidRequest,
    InvalidRequestURIMethod,
    InvalidResponse,
    InvalidScope,
    InvalidTransactionData,
    RequestLink,
    UnsupportedResponseType,
    parameters_from_strings,
    parse_link,
    read_response,
    split_client_id,
)

GOOD: dict[str, Any] = {
    "client_id": "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk",
    "response_type": "vp_token",
    "response_mode": "direct_post.jwt",
    "response_uri": "https://client.example.org/post",
    "nonce": "n-0S6_WzA2Mj",
    "state": "eyJhb...6-sVA",
    "dcql_query": {"credentials": [{"id": "q", "format": "dc+sd-jwt", "meta": {}}]},
    "client_metadata": {
        "jwks": {"keys": [{"kty": "EC", "crv": "P-256", "kid": "1", "alg": "ECDH-ES", "use": "enc", "x": "", "y": ""}]},
        "vp_formats_supported": {"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"]}},
    },
}


def without(*names: str, **changed: Any) -> dict[str, Any]:
    """The good request without some parameters and with others changed."""
    return {name: value for name, value in (GOOD | changed).items() if name not in names}


# --- links ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "base", ["openid4vp://", "openid4vp://authorize", "haip-vp://", "https://wallet.example/present", ""]
)
def test_a_link_is_known_by_its_query(base: str) -> None:
    """Any scheme, any web wallet, or the query alone."""
    query = urlencode(
        {"client_id": "x509_hash:abc", "request_uri": "https://v.example/r/1", "request_uri_method": "post"}
    )

    link = parse_link(f"{base}?{query}" if base else query)

    assert link == RequestLink("x509_hash:abc", "https://v.example/r/1", "post")
    assert parse_link(link.for_scheme()) == link


def test_the_specifications_link_is_read() -> None:
    """Section 8.2: client_id and request_uri."""
    link = parse_link(
        "https://wallet.example.com?client_id=https%3A%2F%2Fclient.example.org%2Fcb"
        "&request_uri=https%3A%2F%2Fclient.example.org%2F567545564"
    )

    assert (link.request_uri, link.request_uri_method) == ("https://client.example.org/567545564", "get")
    assert "request_uri_method" not in link.query()


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("", InvalidRequest),
        ("request_uri=https://v.example/1", InvalidRequest),
        ("client_id=a&client_id=b&request_uri=https://v.example/1", InvalidRequest),
        ("client_id=a&request_uri=https://v.example/1&request=a.b.c", InvalidRequest),
        ("client_id=a&request_uri=https://v.example/1&request_uri_method=POST", InvalidRequestURIMethod),
        ("client_id=a&request_uri=https://v.example/1&request_uri_method=put", InvalidRequestURIMethod),
        ("client_id=a&request_uri_method=post", InvalidRequest),
        ("client_id=a&request_uri=file:///etc/passwd", InvalidRequest),
        ("client_id=a&request_uri=https://user:pass@v.example/1", InvalidRequest),
        ("client_id=a&request_uri=https:///1", InvalidRequest),
        ("client_id=a&request_uri=https://v.example:port/1", InvalidRequest),
        ("client_id=a&request_uri=//v.example/1", InvalidRequest),
        ("client_id=a&request_uri=https://v.example/%0d%0aX:1", InvalidRequest),
        ("&".join(f"a{number}=1" for number in range(60)), InvalidRequest),
        ("client_id=a&request_uri=https://v.example/" + "a" * 30_000, InvalidRequest),
    ],
)
def test_a_faulty_link_is_refused(query: str, error: type[ProtocolError]) -> None:
    """Repeated, contradictory or dangerous parameters."""
    with pytest.raises(error):
        parse_link(f"openid4vp://?{query}")


@given(st.text(max_size=300))
def test_any_text_is_a_link_or_refused(text: str) -> None:
    """No text leads to anything but a link or `InvalidRequest`."""
    for link in (text, f"openid4vp://?client_id=x&{text}", f"openid4vp://?client_id=x&request_uri={text}"):
        try:
            parse_link(link)
        except InvalidRequest:
            continue


def test_prefixes_are_split_at_the_first_colon() -> None:
    """A known prefix, else a pre-registered client (5.9.2)."""
    assert split_client_id("redirect_uri:https://c.example/cb") == ("redirect_uri", "https://c.example/cb")
    assert split_client_id("https://c.example") == ("", "https://c.example")
    assert split_client_id("example-client") == ("", "example-client")


# --- requests ------------------------------------------------------------------------------------------------------


def test_a_good_request_is_read() -> None:
    """Unknown parameters and metadata are ignored (5, 5.1)."""
    metadata = GOOD["client_metadata"] | {"client_name": "x"}
    request = AuthorizationRequest.from_parameters(without(client_metadata=metadata, custom=7, iss="ignored"))

    assert request.prefix == "x509_hash"
    assert request.is_encrypted_answer_asked
    assert request.client_metadata.content_encryptions == ("A128GCM",)
    assert [key["kid"] for key in request.client_metadata.encryption_keys] == ["1"]


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        (without("response_type"), UnsupportedResponseType),
        (without(response_type="code"), UnsupportedResponseType),
        (without("response_mode"), InvalidRequest),
        (without(response_mode="fragment"), InvalidRequest),
        (without("response_uri"), InvalidRequest),
        (without(response_uri="javascript:alert(1)"), InvalidRequest),
        (without(response_uri="https://c.example/#f"), InvalidRequest),
        (without(response_uri=["https://c.example/"]), InvalidRequest),
        (without(redirect_uri="https://c.example/cb"), InvalidRequest),  # W-12
        (without("dcql_query"), InvalidRequest),  # W-13
        (without("dcql_query", scope="com.example"), InvalidScope),
        (without(scope="com.example"), InvalidRequest),
        (without(dcql_query="text"), InvalidRequest),
        (without("nonce"), InvalidRequest),
        (without(nonce="with space"), InvalidRequest),  # W-16
        (without(nonce=""), InvalidRequest),
        (without(nonce=7), InvalidRequest),
        (without(state="å"), InvalidRequest),
        (without("client_id"), InvalidRequest),
        (without(client_id=7), InvalidRequest),
        (without(client_id="origin:https://c.example"), InvalidRequest),  # W-03
        (without(client_metadata={}), InvalidRequest),  # an encrypted answer without a key
        (without(client_metadata={"jwks": {"keys": [{"kid": "1"}]}}), InvalidRequest),  # a key without alg (W-18)
        (without(client_metadata={"jwks": {"keys": [{"kid": "1", "alg": "ECDH-ES", "use": "sig"}]}}), InvalidRequest),
        (without(client_metadata=[]), InvalidRequest),
        (without(client_metadata={"encrypted_response_enc_values_supported": []}), InvalidRequest),
        (without(verifier_info={"format": "jwt"}), InvalidRequest),
        (without(request_uri="https://c.example/again"), InvalidRequest),
        (without(transaction_data=[]), InvalidTransactionData),  # W-14
        (without(transaction_data=["eyJ0eXBlIjoieCJ9"]), InvalidTransactionData),
        (without(transaction_data="text"), InvalidTransactionData),
    ],
)  # fmt: skip
def test_a_faulty_request_is_refused(parameters: dict[str, Any], error: type[ProtocolError]) -> None:
    """Each with the code of section 8.5."""
    with pytest.raises(error):
        AuthorizationRequest.from_parameters(parameters)


def test_redirect_uri_clients_are_answered_at_their_identifier() -> None:
    """W-04: `response_uri` is the identifier, or absent and then is it."""
    client_id = "redirect_uri:https://client.example.org/post"

    same = AuthorizationRequest.from_parameters(without(client_id=client_id))
    absent = AuthorizationRequest.from_parameters(without("response_uri", client_id=client_id))

    assert same.response_uri == absent.response_uri == "https://client.example.org/post"
    with pytest.raises(InvalidRequest):
        AuthorizationRequest.from_parameters(without(client_id=client_id, response_uri="https://other.example/"))


def test_transaction_data_of_a_known_type_is_decoded() -> None:
    """Its credential ids must be those of the query; the received string is kept for the hash (B.3.3)."""
    datum = {"type": "pay", "credential_ids": ["q"], "amount": 7}

    def read(ids: list[str], kind: str = "pay") -> AuthorizationRequest:
        return AuthorizationRequest.from_parameters(
            without(transaction_data=["encoded"]),
            known_transaction_types={"pay"},
            decode_object=lambda _: datum | {"credential_ids": ids, "type": kind},
        )

    (read_datum,) = read(["q"]).transaction_data
    assert (read_datum.encoded, read_datum.members["amount"]) == ("encoded", 7)
    for ids, kind in ((["other"], "pay"), ([], "pay"), (["q"], "unknown")):
        with pytest.raises(InvalidTransactionData):
            read(ids, kind)


def test_parameters_by_value_hold_json_in_strings() -> None:
    """Section 5.1; strictly read."""
    strings = {"client_id": "c", "dcql_query": '{"credentials": []}', "nonce": "7"}

    assert parameters_from_strings(strings, loads=strict_json.loads) == {
        "client_id": "c",
        "dcql_query": {"credentials": []},
        "nonce": "7",
    }
    with pytest.raises(InvalidRequest):
        parameters_from_strings({"dcql_query": '{"a":1,"a":2}'}, loads=strict_json.loads)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=25,
)
names = st.sampled_from([*GOOD, "scope", "redirect_uri", "transaction_data", "verifier_info", "aud", "wallet_nonce"])


@given(st.dictionaries(names, json_values, max_size=4))
def test_any_parameters_are_a_request_or_refused(changed: dict[str, Any]) -> None:
    """No value of any parameter leads to anything but a request or an error of section 8.5."""
    try:
        AuthorizationRequest.from_parameters(GOOD | changed)
    except (InvalidRequest, InvalidScope, InvalidTransactionData, UnsupportedResponseType):
        return


@given(st.text(max_size=30).filter(bool))
def test_errors_do_not_repeat_values(secret: str) -> None:
    """A message names the member, never its value."""
    with pytest.raises(InvalidRequest) as refused:
        AuthorizationRequest.from_parameters(without(nonce=[f"secret-{secret}-secret"]))

    assert f"secret-{secret}-secret" not in str(refused.value)


# --- answers -------------------------------------------------------------------------------------------------------


def test_an_answer_is_read_and_written() -> None:
    """Arrays always; unknown members ignored."""
    answer = read_response({"vp_token": {"q": ["a", {"b": 1}]}, "state": "s", "code": "ignored"})

    assert answer == AuthorizationResponse({"q": ("a", {"b": 1})}, "s")
    assert answer.members() == {"vp_token": {"q": ["a", {"b": 1}]}, "state": "s"}


def test_an_error_is_read_and_written() -> None:
    """`error`, with its description and state."""
    error = read_response({"error": "access_denied", "error_description": "d" * 2000, "state": "s"})

    assert isinstance(error, AuthorizationErrorResponse)
    assert (error.error, len(error.error_description)) == ("access_denied", 1000)
    assert AuthorizationErrorResponse("access_denied").members() == {"error": "access_denied"}


@given(st.dictionaries(st.sampled_from(["vp_token", "error", "error_description", "state", "x"]), json_values))
def test_any_members_are_an_answer_or_refused(members: dict[str, Any]) -> None:
    """V-03: nothing but an answer, an error or `InvalidResponse`."""
    try:
        answer = read_response(members)
    except InvalidResponse:
        return
    if isinstance(answer, AuthorizationResponse):
        assert all(isinstance(value, tuple) and value for value in answer.vp_token.values())
    assert read_response(answer.members()) == answer or isinstance(answer, AuthorizationErrorResponse)


# --- the notice ----------------------------------------------------------------------------------------------------

NOTICE: dict[str, Any] = {
    "client_id": "x509_hash:abc",
    "nonce": "n",
    "iat": 1,
    "controller": {"name": {"sv": "Bolaget"}, "contact": "privacy@company.example"},
    "purpose": {"sv": "Vi väljer.", "en": "We choose."},
    "items": [{"credential": "q", "path": ["courses", None, 0], "reason": {"en": "We need it."}}],
    "retention": {"until": "2027-03-31"},
    "basis": "contract",
    "unknown": "ignored",
}


def test_a_notice_is_read_and_written() -> None:
    """What was not declared is None, an empty list says "none"."""
    notice = RequestNotice.model_validate(NOTICE | {"recipients": []})
    handled = RequestNotice.model_validate(NOTICE | {"processors": [{"sv": "Drift AB", "unknown": 1}]})

    assert notice.basis is Basis.CONTRACT
    assert notice.recipients == ()
    assert notice.countries is None
    assert notice.processors is None
    assert notice.controller.name.text("en") == "Bolaget"
    assert notice.reason_for("q", ("courses", None, 0)) == LocalizedText(en="We need it.")
    assert handled.processors == (LocalizedText(sv="Drift AB"),)
    for one in (notice, handled):
        assert RequestNotice.model_validate(json.loads(json.dumps(one.claims()))) == one


@pytest.mark.parametrize(
    "changed",
    [
        {"purpose": {}},
        {"purpose": {"sv": "rad\nbrytning"}},
        {"purpose": {"en": "turned \u202e around"}},
        {"purpose": {"en": "a" * 601}},
        {"controller": {"name": {"sv": "x"}}},
        {"retention": {}},
        {"retention": {"until": "2027-01-01", "days": 3}},
        {"retention": {"days": 0}},
        {"basis": "because"},
        {"items": [{"credential": "q", "path": ["a", -1], "reason": {"en": "x"}}]},
        {"withdraw": {}},
        {"processors": "Hosting Ltd"},
        {"processors": [{}]},
        {"processors": [{"en": "turned \u202e around"}]},
        {"processors": [{"en": "one of too many"}] * 51},
    ],
)
def test_a_faulty_notice_is_refused(changed: dict[str, Any]) -> None:
    """A text that could imitate the page, a promise that is none."""
    with pytest.raises(ValidationError):
        RequestNotice.model_validate(NOTICE | changed)


def test_errors_derive_from_one_tree() -> None:
    """Malformed and refused are told apart."""
    assert issubclass(InvalidRequest, Malformed)
    assert issubclass(InvalidScope, ProtocolError)
