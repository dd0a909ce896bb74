"""DCQL, the query language of OpenID4VP 1.0 (sections 6 and 7): parsed, answered by a holder, re-checked by a verifier.

`query` reads it, `paths` points at claims, `matching` holds one credential against it, `answer` lists what could be
shared, least revealing first, and `recheck` is the verifier's own judgement of what came back.
"""

from schemas.dcql.answer import Answer, InvalidSelection, Option, OptionalSet, Selection, answer
from schemas.dcql.matching import Candidate, Choice, Reason, Sensitivity
from schemas.dcql.paths import ClaimsPath, ConcretePath, PathError, leaves, select_claims, starts_with, value_at
from schemas.dcql.query import (
    ClaimQuery,
    CredentialQuery,
    CredentialSetQuery,
    InvalidQuery,
    Query,
    TrustedAuthorities,
    parse_query,
)
from schemas.dcql.recheck import PresentedCredential, check_answer, place_as_issued, select_presented

__all__ = [
    "Answer",
    "Candidate",
    "Choice",
    "ClaimQuery",
    "ClaimsPath",
    "ConcretePath",
    "CredentialQuery",
    "CredentialSetQuery",
    "InvalidQuery",
    "InvalidSelection",
    "Option",
    "OptionalSet",
    "PathError",
    "PresentedCredential",
    "Query",
    "Reason",
    "Selection",
    "Sensitivity",
    "TrustedAuthorities",
    "answer",
    "check_answer",
    "leaves",
    "parse_query",
    "place_as_issued",
    "select_claims",
    "select_presented",
    "starts_with",
    "value_at",
]
