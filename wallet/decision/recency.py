"""How old statements may be, as the recipient declares it, and which of a person's certificates are too old for it.

    demanded = demanded_days(checked.query, notice, at=now, time_zone="Europe/Stockholm")
    demanded.is_outdated(certificate)

A certificate that would be refused as too old is treated as if it were not there: the wallet renews it where it can,
else the person fetches it anew. Showing it would give away what it says for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from schemas.consent import RequestNotice
from schemas.dcql import Query
from schemas.dcql.matching import matches_type
from schemas.types.statement_form import AS_OF
from wallet.certificates import StoredCertificate


@dataclass(frozen=True, slots=True)
class DemandedDays:
    """The earliest day of which a statement may be true, by credential query; those without a demand are not there."""

    query: Query
    earliest: Mapping[str, date] = field(default_factory=dict)

    def is_outdated(self, certificate: StoredCertificate) -> bool:
        """Whether a certificate is too old for every query that it could answer.

        One that does not say its day is not judged here.
        """
        day = _day_of(certificate)
        if day is None or not self.earliest:
            return False
        answered = [one.id for one in self.query.credentials if matches_type(one, certificate.type_chain)]
        return bool(answered) and all(one in self.earliest and day < self.earliest[one] for one in answered)


def demanded_days(query: Query, notice: RequestNotice | None, *, at: datetime, time_zone: str) -> DemandedDays:
    """What the recipient declares of ages, as days of this moment. `time_zone` is ours, for when it names none."""
    ages = notice.ages if notice is not None else ()
    return DemandedDays(query, {one.credential: one.earliest_day(at=at, otherwise=time_zone) for one in ages})


def _day_of(certificate: StoredCertificate) -> date | None:
    value = certificate.claims.get(AS_OF)
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
