"""The credential types. A new one is a file in this folder and a line in this table.

Issuer metadata and forms, type metadata, wallet cards, the verifier's query builder and JSON Schemas derive from it.
"""

from schemas.learning.achievement import Record
from schemas.types.card import Card, CardLine, Part, display_parts, display_value, plain_value
from schemas.types.claims import PERSONAL, REGISTERED_CLAIMS, ClaimPath, Claims, ClaimSpec, ConcretePath
from schemas.types.course_results import COURSE_RESULTS
from schemas.types.credential_type import CredentialType, Incomplete
from schemas.types.employment import EMPLOYMENT
from schemas.types.micro_credential import MICRO_CREDENTIAL
from schemas.types.power_of_representation import POWER_OF_REPRESENTATION
from schemas.types.registration_certificate import REGISTRATION_CERTIFICATE
from schemas.types.target_group_certificate import TARGET_GROUP_CERTIFICATE
from schemas.types.upper_secondary_grades import UPPER_SECONDARY_GRADES

CREDENTIAL_TYPES: dict[str, CredentialType] = {
    credential_type.name: credential_type
    for credential_type in (
        MICRO_CREDENTIAL,
        COURSE_RESULTS,
        UPPER_SECONDARY_GRADES,
        REGISTRATION_CERTIFICATE,
        TARGET_GROUP_CERTIFICATE,
        EMPLOYMENT,
        POWER_OF_REPRESENTATION,
    )
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
    "types_for",
]


def type_of(vct: str) -> CredentialType | None:
    """The type with this `vct`, or None: unknown types are normal, and shown by what their issuer says of them."""
    return next((credential_type for credential_type in CREDENTIAL_TYPES.values() if credential_type.vct == vct), None)


def types_for(record: Record) -> dict[str, CredentialType]:
    """The types that are made of records of this kind, by name. Every record has at least one."""
    return {
        name: credential_type for name, credential_type in CREDENTIAL_TYPES.items() if credential_type.suits(record)
    }
