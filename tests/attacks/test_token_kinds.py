"""A token made for one purpose serves no other one: `typ` decides, even when all else would fit (RFC 8725, 3.11).

Each message below is sound in every respect for its own check, signed by one key that all checks would accept; only its
`typ` is that of another kind.
"""

from collections.abc import Callable
from typing import Any

import pytest

from proofs import base64url, jose, strict_json
from proofs.formats.sd_jwt_vc import KEY_BINDING_TYP
from proofs.formats.sd_jwt_vc import TYP as CREDENTIAL_TYP
from proofs.keys import SoftwareSigner
from proofs.proof_of_possession import PROOF_TYP, check_proof
from proofs.request_object import AUDIENCE, check_request_object, x509_hash_client_id
from proofs.request_object import TYP as REQUEST_TYP
from proofs.status_list import TYP as STATUS_LIST_TYP
from proofs.status_list import check_status_list_token, encode_status_list, new_status_list
from proofs.trust import TRUST_LIST_TYP, TrustList, check_trust_list
from schemas.errors import ProtocolError
from tests.proofs.cast import BASE, NOW, STATUS_URI, UNIVERSITY, Cast

SECONDS = int(NOW.timestamp())
KINDS = {
    CREDENTIAL_TYP,
    KEY_BINDING_TYP,
    PROOF_TYP,
    REQUEST_TYP,
    STATUS_LIST_TYP,
    TRUST_LIST_TYP,
    "intyga-notice+jwt",
    "JWT",
    None,
}


def signed(claims: dict[str, Any], signer: SoftwareSigner, header: dict[str, Any]) -> str:
    """A JWS with exactly this header, also without `typ`."""
    segment = base64url.encode(strict_json.dumps({"alg": "ES256", **header}))
    signing_input = f"{segment}.{base64url.encode(strict_json.dumps(claims))}"
    return f"{signing_input}.{base64url.encode(signer.sign(signing_input.encode()))}"


def checks(cast: Cast) -> dict[str, Callable[[str | None], object]]:
    """By kind: sign its message with any `typ`, and check it as what it should be."""
    key = cast.issuer
    chain, jwk = {"x5c": list(key.x5c)}, {"jwk": key.public_jwk}
    client_id = x509_hash_client_id(key)
    statuses = {"bits": 2, "lst": encode_status_list(new_status_list(8, bits=2), bits=2)}
    credential = {**BASE, "cnf": {"jwk": cast.holder.public_jwk}}
    proof = {"aud": UNIVERSITY, "iat": SECONDS, "nonce": "n"}
    request = {"aud": AUDIENCE, "client_id": client_id, "nonce": "n"}
    status_list = {"sub": STATUS_URI, "iat": SECONDS, "status_list": statuses}
    trust_list = {"sequence": 1, "iat": SECONDS, "next_update": SECONDS + 60, "entries": []}

    def typed(typ: str | None, more: dict[str, Any]) -> dict[str, Any]:
        return more if typ is None else {**more, "typ": typ}

    return {
        CREDENTIAL_TYP: lambda typ: cast.receive(signed(credential, key, typed(typ, chain)) + "~"),
        KEY_BINDING_TYP: lambda typ: cast.verify(_bound(cast, typ)),
        PROOF_TYP: lambda typ: check_proof(
            signed(proof, key, typed(typ, jwk)),
            expected_audience=UNIVERSITY,
            expected_client_id=None,
            algorithms={"ES256"},
            now=NOW,
        ),
        REQUEST_TYP: lambda typ: check_request_object(
            signed(request, key, typed(typ, chain)), expected_client_id=client_id, trust=TrustList(), now=NOW
        ),
        STATUS_LIST_TYP: lambda typ: check_status_list_token(
            signed(status_list, key, typed(typ, chain)),
            expected_uri=STATUS_URI,
            anchors=cast.trust.anchors("issuer"),
            issuer_keys=(),
            now=NOW,
        ),
        TRUST_LIST_TYP: lambda typ: check_trust_list(
            signed(trust_list, key, typed(typ, {})), key_jwk=key.public_jwk, minimum_sequence=0, now=NOW
        ),
    }


def _bound(cast: Cast, typ: str | None) -> str:
    *rest, binding = cast.show(cast.issue(leave_out=["status"])).split("~")
    header = {} if typ is None else {"typ": typ}
    return "~".join((*rest, signed(jose.read_claims(jose.parse_jws(binding)), cast.holder, header)))


@pytest.mark.parametrize(
    "kind", [CREDENTIAL_TYP, KEY_BINDING_TYP, PROOF_TYP, REQUEST_TYP, STATUS_LIST_TYP, TRUST_LIST_TYP]
)
def test_a_token_of_another_kind_is_refused(cast: Cast, kind: str) -> None:
    """With its own `typ` it is accepted, with any other, or with none, it is not."""
    check = checks(cast)[kind]

    assert check(kind)
    for other in KINDS - {kind}:
        with pytest.raises(ProtocolError):
            check(other)
    with pytest.raises(ProtocolError):
        check(f"application/{kind}")
    with pytest.raises(ProtocolError):
        check(kind.upper())
