"""Encrypted credential requests and responses, used whenever the issuer offers them (OpenID4VCI 1.0, section 10).

sealed = seal_request(request, metadata)          # to a key of the issuer, with a fresh key of ours for the answer
value = open_answer(sealed, media_type=..., body=..., max_bytes=...)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from proofs import jose, strict_json
from proofs.jwe import ENCRYPTIONS, KEY_AGREEMENT, generate_encryption_key, public_part
from proofs.keys import public_key_from_jwk
from schemas.errors import Malformed, ProtocolError
from schemas.issuance import IssuerMetadata

_PREFERRED = ("A256GCM", "A128GCM")


@dataclass(frozen=True, slots=True)
class SealedRequest:
    """A request ready to be sent. `content` None: in the clear, as JSON. `answer_key`: ours, for this request."""

    content: bytes | None = None
    media_type: str | None = None
    answer_key: Mapping[str, str] | None = field(default=None, repr=False)
    answer_enc: str = ""


def can_encrypt_as_demanded(metadata: IssuerMetadata) -> bool:
    """Whether the wallet can encrypt all that the issuer does not take, or send, in the clear.

    An encrypted answer needs an encrypted request (8.2).
    """
    asked, answered = metadata.credential_request_encryption, metadata.credential_response_encryption
    if answered is not None and answered.encryption_required:
        return request_key(metadata) is not None and bool(_answer_enc(metadata))
    return asked is None or not asked.encryption_required or request_key(metadata) is not None


def request_key(metadata: IssuerMetadata) -> Mapping[str, Any] | None:
    """The first key of the issuer that we can encrypt to; unusable ones are passed over. None when there is none."""
    offered = metadata.credential_request_encryption
    if offered is None or not _common(offered.enc_values_supported):
        return None
    keys = offered.jwks.get("keys")
    for key in keys if isinstance(keys, list) else []:
        if not isinstance(key, dict) or key.get("alg") != KEY_AGREEMENT or key.get("use", "enc") != "enc":
            continue
        try:
            public_key_from_jwk(key)
        except ProtocolError:
            continue
        return key
    return None


def seal_request(value: Mapping[str, Any], metadata: IssuerMetadata) -> SealedRequest:
    """Encrypt a request, and ask for an encrypted answer, as far as the issuer offers both."""
    key = request_key(metadata)
    if key is None:
        return SealedRequest()
    offered = metadata.credential_request_encryption
    assert offered is not None
    answer_key, answer_enc = None, _answer_enc(metadata)
    members = dict(value)
    if answer_enc:
        answer_key = generate_encryption_key()
        members["credential_response_encryption"] = {"jwk": public_part(answer_key), "enc": answer_enc}
    header = {"typ": "JWT", **({"kid": key["kid"]} if isinstance(key.get("kid"), str) else {})}
    token = jose.encrypt_jwe(
        strict_json.dumps(members), recipient_jwk=key, enc=_common(offered.enc_values_supported), header=header
    )
    return SealedRequest(token.encode(), "application/jwt", answer_key, answer_enc)


def open_answer(sealed: SealedRequest, *, media_type: str, body: bytes, max_bytes: int) -> dict[str, Any]:
    """The JSON object of an answer. One that was to be encrypted and is not is refused.

    Raises `Malformed` or what opening the JWE raises.
    """
    if sealed.answer_key is None:
        return strict_json.loads_object(body, max_bytes=max_bytes)
    if media_type not in ("application/jwt", "application/jose"):
        raise Malformed("the answer was to be encrypted, and is not")
    try:
        token = body.decode("ascii").strip()
    except UnicodeDecodeError as exc:
        raise Malformed("the encrypted answer is not a compact JWE") from exc
    _, plaintext = jose.decrypt_jwe(
        token,
        private_jwk=sealed.answer_key,
        algorithms=(KEY_AGREEMENT,),
        encryptions=(sealed.answer_enc,),
        max_bytes=max_bytes,
    )
    return strict_json.loads_object(plaintext, max_bytes=max_bytes)


def _answer_enc(metadata: IssuerMetadata) -> str:
    """With what the answer is to be encrypted; empty when the issuer offers nothing that we can open."""
    offered = metadata.credential_response_encryption
    if offered is None or KEY_AGREEMENT not in offered.alg_values_supported:
        return ""
    return _common(offered.enc_values_supported)


def _common(offered: list[str]) -> str:
    """The content encryption that both sides know; empty when there is none."""
    return next((enc for enc in _PREFERRED if enc in offered and enc in ENCRYPTIONS), "")
