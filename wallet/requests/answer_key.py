"""Which key and which algorithm an encrypted answer takes (OpenID4VP 1.0, section 8.3; HAIP 1.0, section 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from proofs import keys
from schemas.errors import ProtocolError
from schemas.presentation import AuthorizationRequest
from wallet.requests.faults import ImproperRequest

KEY_AGREEMENT = "ECDH-ES"

# In our order of preference: HAIP asks for A256GCM where both sides have it.
CONTENT_ENCRYPTIONS = ("A256GCM", "A128GCM")


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """The recipient's key for this answer and the content encryption that both sides have."""

    jwk: Mapping[str, Any]
    enc: str


def choose_answer_key(request: AuthorizationRequest) -> AnswerKey | None:
    """The key for an encrypted answer; None when a plain one is asked for.

    Keys for another use, of another algorithm or kind, and broken ones are skipped, never an error. Raises
    `ImproperRequest` when an encrypted answer is asked for and nothing usable is left.
    """
    if not request.is_encrypted_answer_asked:
        return None
    offered = request.client_metadata.content_encryptions
    enc = next((one for one in CONTENT_ENCRYPTIONS if one in offered), None)
    jwk = next((key for key in request.client_metadata.encryption_keys if _is_usable(key)), None)
    if enc is None or jwk is None:
        raise ImproperRequest("An encrypted answer is asked for, but with no key or algorithm that is known here")
    return AnswerKey(jwk, enc)


def _is_usable(jwk: Mapping[str, Any]) -> bool:
    if jwk.get("alg") != KEY_AGREEMENT:
        return False
    try:
        keys.check_public_jwk(jwk)
    except ProtocolError:
        return False
    return True
