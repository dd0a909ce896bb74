"""The messages of OpenID4VCI: the specification's examples, what is forbidden, what is ignored."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.errors import Malformed
from schemas.issuance import (
    PRE_AUTHORIZED_CODE_GRANT,
    AuthorizationServerMetadata,
    CredentialOffer,
    CredentialRequest,
    CredentialResponse,
    Display,
    ErrorResponse,
    InvalidProof,
    IssuerMetadata,
    JWTVCIssuerMetadata,
    TokenRequest,
    TokenResponse,
    TxCode,
    authorization_server_metadata_url,
    credential_issuer_metadata_url,
    display_name,
    jwt_vc_issuer_metadata_url,
    offer_link,
    offer_link_by_value,
    parse_offer_link,
)

OFFER: dict[str, Any] = {
    # OpenID4VCI 1.0, section 4.1.1
    "credential_issuer": "https://credential-issuer.example.com",
    "credential_configuration_ids": ["UniversityDegreeCredential", "org.iso.18013.5.1.mDL"],
    "grants": {
        PRE_AUTHORIZED_CODE_GRANT: {
            "pre-authorized_code": "oaKazRN8I0IbtZ0C7JuMn5",
            "tx_code": {
                "length": 4,
                "input_mode": "numeric",
                "description": "Please provide the one-time code that was sent via e-mail",
            },
        }
    },
}


def test_the_offer_of_the_specification_is_read_and_written_unchanged() -> None:
    """The example of section 4.1.1 survives reading and writing."""
    offer = CredentialOffer.read(OFFER)
    assert offer.pre_authorized is not None
    assert offer.pre_authorized.tx_code == TxCode(**OFFER["grants"][PRE_AUTHORIZED_CODE_GRANT]["tx_code"])
    assert offer.as_json() == OFFER


def test_unknown_members_are_ignored_on_reading_and_forbidden_on_writing() -> None:
    """Everywhere in a message, also deep inside."""
    grants = {
        PRE_AUTHORIZED_CODE_GRANT: {"pre-authorized_code": "x", "interval": 5, "tx_code": {"new": 1}},
        "other": {},
    }
    read = CredentialOffer.read(OFFER | {"grants": grants, "new": []})
    assert read.as_json()["grants"] == {PRE_AUTHORIZED_CODE_GRANT: {"pre-authorized_code": "x", "tx_code": {}}}
    with pytest.raises(ValidationError):
        TxCode.model_validate({"new": 1})


@pytest.mark.parametrize(
    "change",
    [
        {"credential_issuer": ""},
        {"credential_issuer": 7},
        {"credential_configuration_ids": []},
        {"credential_configuration_ids": ["a", "a"]},
        {"credential_configuration_ids": [""]},
        {"credential_configuration_ids": "a"},
        {"grants": []},
        {"grants": {PRE_AUTHORIZED_CODE_GRANT: {}}},
        {"grants": {PRE_AUTHORIZED_CODE_GRANT: {"pre_authorized_code": "by the wrong name"}}},
        {"grants": {PRE_AUTHORIZED_CODE_GRANT: {"pre-authorized_code": "x", "tx_code": {"length": "4"}}}},
        {"grants": {PRE_AUTHORIZED_CODE_GRANT: {"pre-authorized_code": "x", "tx_code": {"description": "x" * 301}}}},
    ],
)
def test_malformed_offers_are_refused_without_repeating_a_value(change: dict[str, Any]) -> None:
    """The error names the member, never what was in it."""
    with pytest.raises(Malformed) as caught:
        CredentialOffer.read(OFFER | change)
    assert "wrong name" not in str(caught.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_no_value_makes_reading_fail_in_another_way(value: object) -> None:
    """Whatever a peer sends, reading succeeds or raises the error that was asked for."""
    for message in (CredentialOffer, TokenResponse, CredentialRequest, CredentialResponse, IssuerMetadata):
        with suppress(InvalidProof):
            message.read(value, error=InvalidProof)


def test_links_carry_an_offer_by_reference_or_by_value() -> None:
    """What is put into a link comes out of it, whatever wallet it points to."""
    uri = "https://h/offers/a?b=c&d=å"
    assert parse_offer_link(offer_link(uri=uri)).credential_offer_uri == uri
    assert offer_link(uri=uri).startswith("openid-credential-offer://?credential_offer_uri=")
    by_value = parse_offer_link(offer_link_by_value('{"a":"&=+ %"}', wallet="https://wallet.example/offer"))
    assert by_value.credential_offer == '{"a":"&=+ %"}'


@pytest.mark.parametrize(
    "link",
    [
        "",
        "openid-credential-offer://",
        "openid-credential-offer://?credential_offer=",
        "openid-credential-offer://?credential_offer=a&credential_offer_uri=b",
        "openid-credential-offer://?credential_offer_uri=a&credential_offer_uri=b",
        "http://[::1",
        "x?" + "a=1&" * 100,
    ],
)
def test_a_link_with_none_or_several_offers_is_refused(link: str) -> None:
    """Exactly one way to the offer, exactly once."""
    with pytest.raises(Malformed):
        parse_offer_link(link)


@pytest.mark.parametrize(
    ("identifier", "issuer", "server"),
    [
        (
            "https://h",
            "https://h/.well-known/openid-credential-issuer",
            "https://h/.well-known/oauth-authorization-server",
        ),
        (
            "https://issuer.example.com/tenant",
            "https://issuer.example.com/.well-known/openid-credential-issuer/tenant",
            "https://issuer.example.com/.well-known/oauth-authorization-server/tenant",
        ),
        (
            "https://h:8443/a/",
            "https://h:8443/.well-known/openid-credential-issuer/a/",
            "https://h:8443/.well-known/oauth-authorization-server/a",
        ),
    ],
)
def test_well_known_names_go_between_host_and_path(identifier: str, issuer: str, server: str) -> None:
    """Credential issuer metadata keeps a trailing slash, authorization server metadata drops it."""
    assert credential_issuer_metadata_url(identifier) == issuer
    assert authorization_server_metadata_url(identifier) == server
    assert jwt_vc_issuer_metadata_url(identifier) == server.replace("oauth-authorization-server", "jwt-vc-issuer")


@pytest.mark.parametrize(
    "identifier",
    ["", "h", "https://", "https:///p", "ftp://h", "https://u@h", "https://h?q", "https://h#f", "http://[::1"],
)
def test_what_is_no_identifier_has_no_metadata(identifier: str) -> None:
    """User information, query and fragment have no place in an identifier."""
    with pytest.raises(Malformed):
        credential_issuer_metadata_url(identifier)


def test_the_metadata_of_the_specification_is_read() -> None:
    """A configuration as in section 12.2.4, with members that we do not know."""
    document = {
        "credential_issuer": "https://h",
        "credential_endpoint": "https://h/credential",
        "signed_metadata": "x",
        "credential_configurations_supported": {
            "SD_JWT_VC_example": {
                "format": "dc+sd-jwt",
                "cryptographic_binding_methods_supported": ["jwk"],
                "credential_signing_alg_values_supported": ["ES256"],
                "proof_types_supported": {
                    "jwt": {
                        "proof_signing_alg_values_supported": ["ES256"],
                        "key_attestations_required": {"key_storage": ["iso_18045_moderate"]},
                    }
                },
                "vct": "SD_JWT_VC_example_in_OpenID4VCI",
                "credential_metadata": {
                    "display": [{"name": "IdentityCredential"}],
                    "claims": [{"path": ["a", None, 0]}],
                },
            },
            "mdoc": {"format": "mso_mdoc", "doctype": "x", "credential_signing_alg_values_supported": [-7]},
        },
    }
    metadata = IssuerMetadata.read(document)
    configuration = metadata.credential_configurations_supported["SD_JWT_VC_example"]
    assert configuration.needs_proofs
    assert not metadata.credential_configurations_supported["mdoc"].needs_proofs
    assert configuration.credential_metadata is not None
    assert metadata.display_name("sv") is None
    assert AuthorizationServerMetadata.read(
        {"issuer": "https://h", "pre-authorized_grant_anonymous_access_supported": True}
    ).pre_authorized_grant_anonymous_access_supported


def test_names_are_found_in_the_best_language() -> None:
    """The wanted language, its dialects, the one without language, then any."""
    displays = [
        Display(name="A", locale="en-US"),
        Display(name="B"),
        Display(name="C", locale="sv"),
        Display(locale="fi"),
    ]
    assert [display_name(displays, language) for language in ("sv-SE", "en", "de")] == ["C", "A", "B"]
    assert display_name(displays[:1], "sv") == "A"
    assert display_name(None, "sv") is None


def test_issuer_keys_are_given_in_exactly_one_way() -> None:
    """jwks or jwks_uri, never both and never neither."""
    JWTVCIssuerMetadata.read({"issuer": "https://h", "jwks": {"keys": []}})
    for keys in ({}, {"jwks": {"keys": []}, "jwks_uri": "https://h/keys"}):
        with pytest.raises(Malformed):
            JWTVCIssuerMetadata.read({"issuer": "https://h"} | keys)


def test_a_token_request_is_a_form_with_the_names_of_the_standard() -> None:
    """pre-authorized_code has a hyphen on the wire, and what is not set is not sent."""
    request = TokenRequest(grant_type=PRE_AUTHORIZED_CODE_GRANT, pre_authorized_code="x", tx_code="1")
    assert request.as_form() == {"grant_type": PRE_AUTHORIZED_CODE_GRANT, "pre-authorized_code": "x", "tx_code": "1"}


def test_a_token_response_names_the_identifiers_to_ask_by() -> None:
    """With identifiers a request must use them; a peer may leave expires_in out."""
    answer = TokenResponse.read(
        {
            "access_token": "x",
            "token_type": "bearer",
            "authorization_details": [
                {"type": "openid_credential", "credential_configuration_id": "a", "credential_identifiers": ["1", "2"]},
                {"type": "openid_credential", "credential_configuration_id": "a", "credential_identifiers": ["3", "1"]},
            ],
        }
    )
    assert answer.credential_identifiers("a") == ["1", "2", "3"]
    assert answer.credential_identifiers("b") == []
    details = [{"type": "openid_credential", "credential_configuration_id": "a", "credential_identifiers": []}]
    with pytest.raises(Malformed):
        TokenResponse.read({"access_token": "x", "token_type": "b", "authorization_details": details})


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"credentials": []},
        {"credentials": [{}]},
        {"credentials": ["x"]},
        {"credential": "x"},
        {"credentials": [{"credential": "x"}], "transaction_id": "1"},
        {"transaction_id": "1", "interval": 0},
    ],
)
def test_malformed_credential_responses_are_refused(answer: dict[str, Any]) -> None:
    """Credentials or a transaction, never both, never neither."""
    with pytest.raises(Malformed):
        CredentialResponse.read(answer)


def test_an_error_becomes_the_object_of_the_standard() -> None:
    """The code and a description in the allowed characters."""
    assert ErrorResponse.of(InvalidProof('the "proof" är fel')) == {
        "error": "invalid_proof",
        "error_description": "the ?proof? ?r fel",
    }
