"""The documents that a type publishes: type metadata and JSON Schema, made from its claim specifications.

    python -m schemas.types       # writes schemas/json/ anew; a test demands that nothing changes

The committed bytes are what issuers serve and what `vct#integrity` pins; they are never made at run time.
"""

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from schemas.types.claims import ClaimSpec, ValueType

if TYPE_CHECKING:
    from schemas.types.credential_type import CredentialType

LOCALES = ("sv", "en")

_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"pattern": "^[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}$"},
    "additionalProperties": _TEXT,
}

VALUE_SCHEMAS: dict[ValueType, dict[str, Any]] = {
    "text": _TEXT,
    "texts": _TEXTS,
    "texts_list": {"type": "array", "minItems": 1, "items": _TEXTS},
    "number": {"type": "number", "minimum": 0},
    "percent": {"type": "number", "exclusiveMinimum": 0, "maximum": 100},
    "level": {"type": "integer", "minimum": 1, "maximum": 8},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "number", "minimum": 0},
    "hours": {"type": "string", "pattern": "^PT[0-9]+(\\.[0-9]+)?H$"},
    "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
    "languages": {"type": "array", "minItems": 1, "items": _TEXT},
    "boolean": {"type": "boolean"},
    "types": {"type": "array", "minItems": 1, "items": _TEXT},
    "hosts": {"type": "array", "minItems": 1, "items": _TEXT},
    "power_basis": _TEXT,
    "url": {"type": "string", "format": "uri"},
    "array": {"type": "array", "minItems": 1},
    "object": {"type": "object"},
}


def integrity_of(document: bytes) -> str:
    """Integrity metadata of a document (SD-JWT VC, section 6): base64 with padding, as W3C SRI has it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(document).digest()).decode()


def type_metadata_document(credential_type: "CredentialType") -> dict[str, Any]:
    """Type metadata (SD-JWT VC, section 5) with display in every locale and `sd` always or never, never left open."""
    return {
        "vct": credential_type.vct,
        "name": credential_type.display["en"],
        "description": credential_type.description["en"],
        "display": [
            {
                "locale": locale,
                "name": credential_type.display[locale],
                "description": credential_type.description[locale],
            }
            for locale in LOCALES
        ],
        "claims": [_claim_metadata(spec) for spec in credential_type.all_claims()],
    }


def _claim_metadata(spec: ClaimSpec) -> dict[str, Any]:
    return {
        "path": list(spec.path),
        "display": [{"locale": locale, "label": spec.display[locale]} for locale in LOCALES],
        "mandatory": spec.mandatory,
        "sd": "always" if spec.disclosable else "never",
    }


def json_schema_document(credential_type: "CredentialType") -> dict[str, Any]:
    """JSON Schema of the processed claims, all disclosed. Unknown members are allowed: readers ignore them."""
    root: dict[str, Any] = {"type": "object", "required": [], "properties": {}}
    for spec in credential_type.all_claims():
        parent = root
        *above, last = spec.path
        for part in above:
            parent = parent["items"] if part is None else parent["properties"][part]
        if last is None:
            parent["items"] = {"type": "object", "required": [], "properties": {}}
            continue
        parent["properties"][last] = VALUE_SCHEMAS[spec.value_type] | {"title": spec.display["en"]}
        if spec.mandatory:
            parent["required"].append(last)
    root["properties"]["vct"] = {"const": credential_type.vct}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{credential_type.vct}:schema",
        "title": credential_type.display["en"],
        "description": credential_type.description["en"],
        **root,
    }


def rendered(credential_type: "CredentialType") -> dict[str, bytes]:
    """File names in `schemas/json/` and their bytes."""
    return {
        f"{credential_type.name}.type-metadata.json": _bytes(type_metadata_document(credential_type)),
        f"{credential_type.name}.schema.json": _bytes(json_schema_document(credential_type)),
    }


def _bytes(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
