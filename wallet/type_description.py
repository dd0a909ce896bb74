"""What the type of a certificate says of it, read whole or not at all.

    display = await described_by_type(sd_jwt, resolver=resolver)

A type may extend another one, whose rules and words hold as well: all of them are fetched before any is used, and then
the certificate must keep to the rules. What cannot be had or has another digest than stated is not used, as if there
were no description. It is asked for only while we are talking with the issuer anyway.

Source: SD-JWT VC, sections "Extending Type Metadata", "Processing Type Metadata" and "Circular extends Dependencies".
"""

from collections.abc import Mapping
from typing import Any, Final

from proofs.formats.sd_jwt import UnverifiedSDJWT
from proofs.resolve import Resolver
from schemas.errors import CouldNotCheck
from schemas.types.type_rules import BrokenTypeRules, check_rules, combined_rules
from wallet.display import display_of_type, read_type_document

MOST_TYPES: Final = 6
"""How many documents one description may consist of."""


async def described_by_type(sd_jwt: UnverifiedSDJWT, *, resolver: Resolver) -> Mapping[str, Any]:
    """The display data of the certificate's type, in the shape of `credential_metadata`; empty when there are none.

    Raises `BrokenTypeRules` when the certificate does not keep to its type, or types extend each other in a circle.
    """
    documents = await _documents(sd_jwt.claims, resolver=resolver)
    if not documents:
        return {}
    rules = combined_rules(documents)
    check_rules(rules, sd_jwt.claims, disclosed=sd_jwt.disclosure_at.keys(), positions=sd_jwt.original_indexes)
    display = next((one["display"] for one in reversed(documents) if "display" in one), None)
    return display_of_type({"display": display, "claims": [dict(rule.members) for rule in rules]})


async def _documents(claims: Mapping[str, Any], *, resolver: Resolver) -> list[dict[str, Any]]:
    """The metadata of the type and of all that it extends, the most basic first; none unless all can be had."""
    found: list[dict[str, Any]] = []
    seen: list[str] = []
    vct, integrity = claims.get("vct"), claims.get("vct#integrity")
    while isinstance(vct, str) and len(seen) < MOST_TYPES:
        if vct in seen:
            raise BrokenTypeRules("types extend each other in a circle")
        seen.append(vct)
        try:
            document = await resolver.type_metadata(vct)
        except CouldNotCheck:
            return []
        described = read_type_document(document, vct=vct, integrity=integrity) if document is not None else {}
        if not described:
            return []
        found.insert(0, described)
        if "extends" not in described:
            return found
        vct, integrity = described["extends"], described.get("extends#integrity")
    return []
