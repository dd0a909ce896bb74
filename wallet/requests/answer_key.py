"""Which key and which algorithm an encrypted answer takes (OpenID4VP 1.0, section 8.3; HAIP 1.0, section 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from proofs import keys
from schemas.errors import ProtocolError
from schemas.presentation import AuthorizationRequest, ClientMetadata, InvalidRequest

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
    `InvalidRequest` when an encrypted answer is asked for and nothing usable is left.
    """
    if not request.is_encrypted_answer_asked:
        return None
    found = _usable_key(request.client_metadata)
    if found is None:
        raise InvalidRequest("An encrypted answer is asked for, but with no key or algorithm that is known here")
    return found


def key_for_error(parameters: Mapping[str, Any]) -> AnswerKey | None:
    """The key for telling what is wrong with a request; None where it has to be told in clear (8.3.1).

    The parameters are those of a request with some fault, so that nothing in them is relied upon.
    """
    if parameters.get("response_mode") != "direct_post.jwt":
        return None
    try:
        return _usable_key(ClientMetadata.model_validate(parameters.get("client_metadata")))
    except ValidationError:
        return None


def _usable_key(metadata: ClientMetadata) -> AnswerKey | None:
    offered = metadata.content_encryptions
    enc = next((one for one in CONTENT_ENCRYPTIONS if one in offered), None)
    jwk = next((key for key in metadata.encryption_keys if _is_usable(key)), None)
    return AnswerKey(jwk, enc) if enc is not None and jwk is not None else None


def _is_usable(jwk: Mapping[str, Any]) -> bool:
    if jwk.get("alg") != KEY_AGREEMENT:
        return False
    try:
        keys.check_public_jwk(jwk)
    except ProtocolError:
        return False
    return True
