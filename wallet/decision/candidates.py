"""Which of a person's certificates could be shown now, and why the others could not.

A certificate that has expired, is not valid yet, was revoked or suspended, is too old for what is asked, or has no
one-time copy left is treated as if it were not there; only the person learns the difference (CS-23).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from proofs.certificates import unverified_leaf
from schemas.dcql import Candidate, Query, answer
from schemas.errors import ProtocolError
from wallet import sensitivity
from wallet.certificates import StoredCertificate


class Obstacle(StrEnum):
    """Why a certificate cannot be shown although it is there."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    NO_COPIES = "no_copies"
    OUTDATED = "outdated"  # For this request: see `wallet.decision.recency`.


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a part of the request cannot be answered: a certificate with its obstacle; without one, nothing fits."""

    query_id: str
    certificate: StoredCertificate | None
    obstacle: Obstacle | None


def obstacle_of(certificate: StoredCertificate, *, at: datetime) -> Obstacle | None:
    """What keeps a certificate from being shown; None when nothing does."""
    if certificate.is_expired(at=at):
        return Obstacle.EXPIRED
    if certificate.valid_from is not None and certificate.valid_from > at:
        return Obstacle.NOT_YET_VALID
    if certificate.status in ("revoked", "suspended"):
        return Obstacle(certificate.status)
    if certificate.copies_left < 1 and is_bound(certificate):
        return Obstacle.NO_COPIES
    return None


def is_bound(certificate: StoredCertificate) -> bool:
    """Whether a copy is bound to a key of this wallet; anybody who has seen an unbound one can show it again."""
    return "cnf" in certificate.claims


def candidate_for(certificate: StoredCertificate) -> Candidate:
    """The certificate as the query language sees it."""
    return Candidate(
        id=certificate.id,
        format=certificate.format,
        type_chain=certificate.type_chain,
        claims=certificate.claims,
        disclosable=tuple(certificate.sd_jwt.disclosure_at),
        authorities=_authorities(certificate),
        holder_bound=is_bound(certificate),
    )


def _authorities(certificate: StoredCertificate) -> tuple[tuple[str, str], ...]:
    """Authority key identifiers of the whole chain: any certificate of it may match (OpenID4VP 6.1.1.1)."""
    chain = certificate.sd_jwt.header.get("x5c")
    if not isinstance(chain, list) or not chain:
        return ()
    try:
        return tuple(("aki", value) for value in unverified_leaf(chain).authority_key_ids)
    except ProtocolError:
        return ()


def lacks(
    query: Query,
    certificates: Sequence[StoredCertificate],
    *,
    obstacle: Callable[[StoredCertificate], Obstacle | None],
) -> tuple[Lack, ...]:
    """For the person's eyes: what stands in the way of each required part that nothing usable answers.

    Of alternatives nothing is lacking when one of them can be answered.
    """
    usable = _answered(query, (one for one in certificates if obstacle(one) is None))
    everything = _answered(query, certificates)
    by_id = {certificate.id: certificate for certificate in certificates}
    found: list[Lack] = []
    unanswered = (
        some for some in query.sets if some.required and not any(all(map(usable.get, ids)) for ids in some.options)
    )
    for query_id in dict.fromkeys(one for some in unanswered for ids in some.options for one in ids):
        if usable.get(query_id):
            continue
        blocked = [by_id[one] for one in everything.get(query_id, ())]
        found += [Lack(query_id, one, obstacle(one)) for one in blocked] or [Lack(query_id, None, None)]
    return tuple(found)


def _answered(query: Query, certificates: Iterable[StoredCertificate]) -> dict[str, list[str]]:
    found = answer(query, [candidate_for(one) for one in certificates], sensitivity=sensitivity.weight)
    return {
        query_id: list(dict.fromkeys(choice.candidate_id for choice in choices))
        for query_id, choices in found.choices.items()
    }
