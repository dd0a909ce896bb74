"""The notice of a request: what the recipient declares about itself, and whether that is bound to this request.

A signed notice counts as the recipient's word when it was signed with the key that signed the request and names the
same client identifier and nonce. Everything else is only "says": a notice of an unsigned request, or of a sender whose
certificate nobody vouches for. A notice that fails its check is dropped, and the page says what is missing.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from proofs import base64url, jose, strict_json
from schemas.consent import NOTICE_TYPE, PLAIN_NOTICE_FORMAT, RequestNotice
from schemas.errors import ProtocolError
from schemas.presentation import AuthorizationRequest, VerifierInfo

ALGORITHMS = ("ES256",)

# Soft hyphens come with honest texts; the others (zero-width characters, tags) only hide something.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u180e\u200b-\u200d\u2060-\u2064\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_PILED_MARKS = re.compile(
    "([\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)


@dataclass(frozen=True, slots=True)
class StatedNotice:
    """A notice with how it was given: `signed` when it is bound to the request by the request's own key.

    `digest` is the base64url SHA-256 of the notice as received, for the receipt.
    """

    notice: RequestNotice
    signed: bool
    digest: str


def read_notice(request: AuthorizationRequest, *, signing_jwk: Mapping[str, str] | None) -> StatedNotice | None:
    """The notice of a request; None when there is none, or none that can be believed to belong to it.

    `signing_jwk` is the key that signed the request object, None for an unsigned request.
    """
    if signing_jwk is None:
        return _plain(request.verifier_info)
    for info in request.verifier_info:
        if info.format != NOTICE_TYPE or not isinstance(info.data, str):
            continue  # Unknown formats are ignored (OpenID4VP 5.11).
        try:
            checked = jose.check_jws(info.data, key=signing_jwk, typ=NOTICE_TYPE, algorithms=ALGORITHMS)
            notice = RequestNotice.model_validate(_calm(checked.claims))
        except (ProtocolError, ValidationError):
            continue
        if notice.client_id == request.client_id and notice.nonce == request.nonce:
            return StatedNotice(notice, signed=True, digest=_digest(info.data.encode()))
    return None


def _plain(infos: Sequence[VerifierInfo]) -> StatedNotice | None:
    for info in infos:
        if info.format != PLAIN_NOTICE_FORMAT or not isinstance(info.data, dict):
            continue
        try:
            notice = RequestNotice.model_validate(_calm(info.data))
        except ValidationError:
            continue
        return StatedNotice(notice, signed=False, digest=_digest(strict_json.dumps(info.data)))
    return None


def _calm(value: Any) -> Any:
    """The same JSON with texts that can be shown: without invisible characters and without piles of accents.

    Characters that would reorder or break the lines stay in, so that the notice is refused because of them.
    """
    if isinstance(value, str):
        return _PILED_MARKS.sub(r"\1", _INVISIBLE.sub("", value))
    if isinstance(value, list):
        return [_calm(inner) for inner in value]
    if isinstance(value, Mapping):
        return {name: _calm(inner) for name, inner in value.items()}
    return value


def _digest(data: bytes) -> str:
    return base64url.encode(hashlib.sha256(data).digest())
