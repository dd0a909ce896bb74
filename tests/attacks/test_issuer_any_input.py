"""Any input at all: what a wallet sends is read, or refused with a code of the standards, and never breaks anything."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.api.status import accepts
from issuer.authorization.token_request import GRANT_TYPES, read_token_request
from issuer.credential_request import answer_encryption, proven_keys, requested_proofs
from issuer.issuance import Access, Grant, requested_grant
from proofs import base64url, strict_json
from proofs.keys import generate_signer
from schemas.errors import ProtocolError
from tests.issuer.desk import NOON, Desk, running_desk

KEY = generate_signer()
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=8)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
GRANT = Grant("offer", 1, "micro-credential", {}, NOON + timedelta(minutes=5), by_identifier=False, client_id=None)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One issuer for all examples: nothing here changes anything."""
    directory: Path = tmp_path_factory.mktemp("desk")
    with running_desk(directory) as opened:
        yield opened


def tolerated(work: Any, *arguments: Any, **named: Any) -> None:
    """Run it; a refusal must be one that the standards know: a code, 4xx, and a description of allowed characters."""
    refused: ProtocolError | None = None
    try:
        work(*arguments, **named)
    except ProtocolError as error:
        refused = error
    if refused is not None:
        assert 400 <= refused.status < 500
        assert refused.error.replace("_", "").isalpha()
        assert all(0x20 <= ord(c) <= 0x7E and c not in '"\\' for c in refused.description)


def tolerated_proofs(desk: Desk, tokens: list[str]) -> None:
    """As `tolerated`, for the proofs of a request."""
    tolerated(
        proven_keys,
        {"proofs": {"jwt": tokens}},
        type_name="micro-credential",
        client_id=None,
        rules=desk.context.issuing.key_rules,
        now=NOON,
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "grant_type",
                    "pre-authorized_code",
                    "tx_code",
                    "client_id",
                    "authorization_details",
                    "code",
                    "code_verifier",
                    "redirect_uri",
                    "refresh_token",
                    "x",
                ]
            ),
            st.sampled_from([*GRANT_TYPES, "[]", '[{"type":"openid_credential"}]'])
            | st.text(max_size=20)
            | JSON.map(lambda value: strict_json.dumps(value).decode()),
        ),
        max_size=7,
    )
)
def test_any_token_request(form: list[tuple[str, str]]) -> None:
    """Whatever fields with whatever values, once or several times."""
    tolerated(read_token_request, form)


@given(
    request=st.fixed_dictionaries(
        {},
        optional={
            "credential_configuration_id": JSON | st.just("micro-credential"),
            "credential_identifier": JSON,
            "proofs": JSON | st.fixed_dictionaries({"jwt": JSON}),
            "credential_response_encryption": JSON,
            "proof": JSON,
        },
    )
)
def test_any_credential_request(desk: Desk, request: dict[str, Any]) -> None:
    """Whatever JSON object, with the members that mean something and others in their place."""
    tolerated(requested_grant, request, Access((GRANT,), None))
    tolerated(requested_proofs, request, rules=desk.context.issuing.key_rules)
    for was_encrypted in (True, False):
        tolerated(answer_encryption, request, was_encrypted=was_encrypted)


@given(
    header=st.dictionaries(
        st.sampled_from(["alg", "typ", "jwk", "kid", "x5c", "crit", "b64", "trust_chain", "zip", "jku"]), JSON
    ),
    keeps=st.sets(st.sampled_from(["alg", "typ", "jwk"])),
    claims=st.dictionaries(st.sampled_from(["aud", "iat", "nonce", "iss", "exp", "nbf"]), JSON),
)
def test_any_proof(desk: Desk, header: dict[str, Any], keeps: set[str], claims: dict[str, Any]) -> None:
    """Whatever stands in header and payload of a proof, signed well."""
    good = {"alg": "ES256", "typ": "openid4vci-proof+jwt", "jwk": KEY.public_jwk}
    whole = header | {name: good[name] for name in keeps}
    usual = {"aud": desk.issuer, "iat": int(NOON.timestamp())}
    parts = [base64url.encode(strict_json.dumps(part)) for part in (whole, usual | claims)]
    signature = base64url.encode(KEY.sign(".".join(parts).encode()))
    token = ".".join([*parts, signature])
    tolerated_proofs(desk, [token])


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_proof_text(desk: Desk, token: str, other: str) -> None:
    """Whatever text stands in the place of a proof."""
    tolerated_proofs(desk, [token, other])


@given(st.text(max_size=60) | st.text(alphabet="*/,;q=0.1 applicationtextgzip", max_size=60))
def test_any_accept_header(header: str) -> None:
    """Whatever a reader says that it takes, there is an answer to whether it takes a list."""
    assert accepts(header, "application/statuslist+jwt") in (True, False)
