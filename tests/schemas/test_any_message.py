"""Whatever a peer sends as JSON is read as a message or refused by our own error: never a crash that it can cause."""

import copy
import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs import jose, strict_json
from proofs.keys import generate_signer
from proofs.trust import TRUST_LIST_TYP, check_trust_list, sign_trust_list
from schemas.errors import ProtocolError
from schemas.issuance import (
    AuthorizationServerMetadata,
    CredentialOffer,
    CredentialRequest,
    CredentialResponse,
    ErrorResponse,
    IssuerMetadata,
    JWTVCIssuerMetadata,
    NonceResponse,
    TokenRequest,
    TokenResponse,
)
from schemas.types import CREDENTIAL_TYPES
from tests.world import NOW
from wallet.display import display_of_type, read_type_document

MESSAGES: dict[Any, dict[str, Any]] = {
    IssuerMetadata: {
        "credential_issuer": "https://a.example",
        "credential_endpoint": "https://a.example/c",
        "nonce_endpoint": "https://a.example/n",
        "batch_credential_issuance": {"batch_size": 3},
        "display": [{"name": "A", "locale": "sv"}],
        "credential_configurations_supported": {
            "x": {
                "format": "dc+sd-jwt",
                "vct": "urn:x",
                "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
                "credential_metadata": {"display": [{"name": "X"}], "claims": [{"path": ["a", None, 0]}]},
            }
        },
    },
    AuthorizationServerMetadata: {
        "issuer": "https://a.example",
        "token_endpoint": "https://a.example/token",
        "grant_types_supported": ["authorization_code"],
        "dpop_signing_alg_values_supported": ["ES256"],
    },
    JWTVCIssuerMetadata: {"issuer": "https://a.example", "jwks": {"keys": [{"kty": "EC"}]}},
    TokenRequest: {"grant_type": "authorization_code", "tx_code": "1", "client_id": "me"},
    TokenResponse: {
        "access_token": "secret",
        "token_type": "Bearer",
        "expires_in": 300,
        "authorization_details": [
            {"type": "openid_credential", "credential_configuration_id": "x", "credential_identifiers": ["y"]}
        ],
    },
    NonceResponse: {"c_nonce": "n"},
    CredentialRequest: {"credential_configuration_id": "x", "proofs": {"jwt": ["a.b.c"]}},
    CredentialResponse: {"credentials": [{"credential": "a.b.c~"}], "notification_id": "7"},
    ErrorResponse: {"error": "invalid_request", "error_description": "No."},
    CredentialOffer: {
        "credential_issuer": "https://a.example",
        "credential_configuration_ids": ["x"],
        "grants": {"urn:ietf:params:oauth:grant-type:pre-authorized_code": {"pre-authorized_code": "1"}},
    },
}


def json_values(integers: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    """Any JSON value, with integers of this kind."""
    simple = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
    return st.recursive(
        simple | integers,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
        max_leaves=12,
    )


JSON = json_values(st.integers())
SMALL_JSON = json_values(st.integers(-(2**63), 2**63))  # What our own signer can write.
SIGNER = generate_signer()
TYPE = CREDENTIAL_TYPES["micro-credential"]


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document, that of the whole document included."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(place for key, one in inner for place in places(one, (*here, key)))]


@st.composite
def altered(draw: st.DrawFn, sound: dict[str, Any], anything: st.SearchStrategy[Any] = JSON) -> Any:
    """A sound document with one or two of its places taken by anything at all."""
    document: Any = copy.deepcopy(sound)
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.sampled_from(places(document)))
        if not place:
            return draw(anything)
        above = document
        for key in place[:-1]:
            above = above[key]
        above[place[-1]] = draw(anything)
    return document


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.__name__)
def test_the_sound_document_is_read(message: Any) -> None:
    """What the changes start from is no fault by itself; written again, it reads the same."""
    read = message.read(MESSAGES[message])
    assert message.read(read.as_json()) == read


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.__name__)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_document_is_read_or_refused(message: Any, data: st.DataObject) -> None:
    """With any value in any place: a message that can be written again, or our error."""
    with suppress(ProtocolError):
        read = message.read(data.draw(altered(MESSAGES[message])))
        assert message.read(read.as_json()) == read


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_type_metadata_gives_a_display_or_none(data: st.DataObject) -> None:
    """The document is an outsider's: the display that comes of it holds arrays where templates expect them."""
    sound = strict_json.loads_object(TYPE.type_metadata_bytes())
    document = data.draw(altered(sound))
    shown = display_of_type(read_type_document(json.dumps(document).encode(), vct=TYPE.vct, integrity=None))
    assert all(isinstance(part, list) for part in shown.values())


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_trust_list_is_read_or_refused(data: st.DataObject) -> None:
    """Signed by the pinned key, so that every change reaches the reader behind the signature."""
    token = sign_trust_list([], signer=SIGNER, sequence=3, issued_at=NOW, next_update=NOW + timedelta(days=1))
    claims = strict_json.loads_object(jose.parse_jws(token).payload) | {
        "entries": [
            {
                "id": "a",
                "name": "A",
                "role": "issuer",
                "identifier": "https://a.example",
                "mechanism": "jwks",
                "jwks": [SIGNER.public_jwk],
                "types": ["urn:x"],
                "not_before": 1,
                "not_after": 4_000_000_000,
            }
        ]
    }
    document = data.draw(altered(claims, anything=SMALL_JSON).filter(lambda one: isinstance(one, dict)))
    signed = jose.sign_jws(document, signer=SIGNER, typ=TRUST_LIST_TYP)
    with suppress(ProtocolError):
        read = check_trust_list(signed, key_jwk=SIGNER.public_jwk, minimum_sequence=0, now=NOW)
        assert all(entry.id and entry.role in ("issuer", "verifier", "any") for entry in read.entries)
