"""The credential types. A new one is a file in this folder and a line in this table.

Issuer metadata and forms, type metadata, wallet cards, the verifier's query builder and JSON Schemas derive from it.
"""

from schemas.types.card import Card, CardLine, Part, display_parts, display_value, plain_value
from schemas.types.claims import PERSONAL, REGISTERED_CLAIMS, ClaimPath, Claims, ClaimSpec, ConcretePath
from schemas.types.course_results import COURSE_RESULTS
from schemas.types.credential_type import CredentialType, Incomplete
from schemas.types.micro_credential import MICRO_CREDENTIAL

CREDENTIAL_TYPES: dict[str, CredentialType] = {
    credential_type.name: credential_type for credential_type in (MICRO_CREDENTIAL, COURSE_RESULTS)
}

__all__ = [
    "CREDENTIAL_TYPES",
    "PERSONAL",
    "REGISTERED_CLAIMS",
    "Card",
    "CardLine",
    "ClaimPath",
    "ClaimSpec",
    "Claims",
    "ConcretePath",
    "CredentialType",
    "Incomplete",
    "Part",
    "display_parts",
    "display_value",
    "plain_value",
    "type_of",
]


def type_of(vct: str) -> CredentialType | None:
    """The type with this `vct`, or None: unknown types are normal, and shown by what their issuer says of them."""
    return next((credential_type for credential_type in CREDENTIAL_TYPES.values() if credential_type.vct == vct), None)
