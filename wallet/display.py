"""What issuers say about how to show their certificates: names, descriptions and labels, per language.

It comes from issuer metadata (`credential_metadata`, OpenID4VCI 12.2.4) or from type metadata (SD-JWT VC, section 5).
All of it is somebody else's text: only texts are kept, bounded; pictures are dropped and never fetched.

    reduced, shown = without_pictures(configuration)
    described = read_type_document(document, vct=vct, integrity=claims.get("vct#integrity"))
    shown = display_of_type(described)
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from proofs import strict_json
from schemas.errors import ProtocolError

LONGEST_TEXT = 1000
MOST_DISPLAYS = 50
MOST_CLAIMS = 500
_HASHES = ("sha512", "sha384", "sha256")  # the strongest first


def without_pictures(configuration: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """A configuration whose display holds texts only: pictures are never fetched, so their addresses are dropped."""
    shown: dict[str, Any] = {}
    stated = configuration.get("credential_metadata")
    if isinstance(stated, dict):
        if displays := display_texts(stated.get("display")):
            shown["display"] = displays
        if claims := claim_texts(stated.get("claims")):
            shown["claims"] = claims
        if policy := disclosure_policy(stated.get("disclosure_policy")):
            shown["disclosure_policy"] = policy
    reduced = {**configuration, "credential_metadata": shown} if shown else dict(configuration)
    if not shown:
        reduced.pop("credential_metadata", None)
    return reduced, shown


def disclosure_policy(value: object) -> dict[str, Any] | None:
    """The issuer's embedded disclosure policy as far as it is read here: its kind, its values, a page that explains it.

    One that is too large or not understood stays as far as it is known, and is then judged as unknown, not as absent.
    """
    if not isinstance(value, dict):
        return None if value is None else {"policy": ""}
    kept: dict[str, Any] = {
        member: value[member][:LONGEST_TEXT] for member in ("policy", "url") if isinstance(value.get(member), str)
    }
    values = value.get("values")
    if isinstance(values, list) and len(values) <= MOST_CLAIMS and all(isinstance(one, str) for one in values):
        kept["values"] = [one[:LONGEST_TEXT] for one in values]
    return {"policy": "", **kept}


def display_texts(value: object) -> list[dict[str, str]] | None:
    """The usable entries of a `display`: a name, perhaps its locale and a description."""
    if not isinstance(value, list):
        return None
    kept = [
        {
            member: entry[member][:LONGEST_TEXT]
            for member in ("name", "locale", "description")
            if isinstance(entry.get(member), str)
        }
        for entry in value[:MOST_DISPLAYS]
        if isinstance(entry, dict) and isinstance(entry.get("name"), str) and entry["name"].strip()
    ]
    return kept or None


def claim_texts(value: object) -> list[dict[str, Any]] | None:
    """The usable entries of `claims`: a path, perhaps its names."""
    if not isinstance(value, list):
        return None
    kept: list[dict[str, Any]] = []
    for entry in value[:MOST_CLAIMS]:
        path = entry.get("path") if isinstance(entry, dict) else None
        if not isinstance(path, list) or not path or not all(_is_step(step) for step in path):
            continue
        described: dict[str, Any] = {"path": path}
        if names := display_texts(entry.get("display")):
            described["display"] = names
        kept.append(described)
    return kept or None


def _is_step(step: object) -> bool:
    return step is None or isinstance(step, str) or (type(step) is int and step >= 0)


def read_type_document(document: bytes, *, vct: str, integrity: object) -> dict[str, Any]:
    """A type metadata document, parsed.

    Empty when the document is not about this type, cannot be read, or does not have the digest that is stated where it
    is referred to (SD-JWT VC, "Integrity of Referenced Documents"): then it must not be used.
    """
    if integrity is not None and not has_integrity(document, integrity):
        return {}
    try:
        described = strict_json.loads_object(document, max_bytes=len(document) + 1)
    except ProtocolError:
        return {}
    return described if described.get("vct") == vct else {}


def display_of_type(described: Mapping[str, Any]) -> Mapping[str, Any]:
    """The display data of parsed type metadata, in the shape of `credential_metadata`."""
    claims = described.get("claims")
    named = [
        {**claim, "display": [{**d, "name": d.get("label")} for d in claim["display"] if isinstance(d, dict)]}
        if isinstance(claim, dict) and isinstance(claim.get("display"), list)
        else claim
        for claim in (claims if isinstance(claims, list) else [])
    ]
    return without_pictures({"credential_metadata": {"display": described.get("display"), "claims": named}})[1]


def has_integrity(document: bytes, integrity: object) -> bool:
    """Whether a document has one of the digests of an integrity string (W3C SRI, section 3), by the strongest hash."""
    if not isinstance(integrity, str):
        return False
    stated: dict[str, list[bytes]] = {}
    for expression in integrity.split():
        name, _, value = expression.partition("?")[0].partition("-")
        try:
            stated.setdefault(name, []).append(base64.b64decode(value, validate=True))
        except binascii.Error:
            continue
    for name in _HASHES:
        if name in stated:
            digest = hashlib.new(name, document).digest()
            return any(hmac.compare_digest(digest, one) for one in stated[name])
    return False
