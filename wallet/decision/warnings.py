"""What the person should think of before deciding: at most three warnings, the most serious first (S2c).

A warning is a name with facts; the pages and the command line put it into words, one sentence and one thing to do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from wallet.certificates import StoredCertificate
from wallet.requests import CheckedRequest

MOST_WARNINGS = 3
_VERY_LONG = timedelta(days=3653)


class WarningKind(StrEnum):
    """In the order of their seriousness."""

    UNPROVEN = "unproven"
    OTHER_ADDRESS = "other_address"
    NO_NOTICE = "no_notice"
    UNPROVEN_NOTICE = "unproven_notice"
    NO_RETENTION = "no_retention"
    LONG_RETENTION = "long_retention"
    BEARER = "bearer"
    ISSUER_UNKNOWN = "issuer_unknown"
    GUESSES_VALUES = "guesses_values"
    STATUS_UNKNOWN = "status_unknown"
    LAST_COPY = "last_copy"


@dataclass(frozen=True, slots=True)
class Warned:
    """One warning with the facts that its sentence needs (names and hosts, never values)."""

    kind: WarningKind
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def warnings_for(checked: CheckedRequest, shared: Iterable[tuple[StoredCertificate, str, bool]]) -> tuple[Warned, ...]:
    """The warnings about this request and the certificates that would be shown (each with title, and whether bound)."""
    found = [*_about_request(checked), *_about_certificates(shared)]
    order = list(WarningKind)
    found.sort(key=lambda warned: order.index(warned.kind))
    return tuple(found[:MOST_WARNINGS])


def _about_request(checked: CheckedRequest) -> Iterable[Warned]:
    if not checked.is_proven:
        yield Warned(WarningKind.UNPROVEN, {"host": checked.answer_host})
    elif goes_elsewhere(checked):
        yield Warned(WarningKind.OTHER_ADDRESS, {"host": checked.answer_host})
    if checked.stated is None:
        yield Warned(WarningKind.NO_NOTICE)
    else:
        notice = checked.stated.notice
        until = notice.retention_date(checked.asked_at)
        if until is None:
            yield Warned(WarningKind.NO_RETENTION)
        elif until - checked.asked_at.date() > _VERY_LONG:
            yield Warned(WarningKind.LONG_RETENTION)
        if checked.is_proven and not checked.stated.signed:
            yield Warned(WarningKind.UNPROVEN_NOTICE)
    if any(claim.values for credential in checked.query.credentials for claim in credential.claims):
        yield Warned(WarningKind.GUESSES_VALUES)


def goes_elsewhere(checked: CheckedRequest) -> bool:
    """Whether the answer goes to a host that the sender's certificate does not name."""
    names = checked.identity.dns_names
    host = checked.answer_host.partition(":")[0].casefold()
    return bool(names) and host not in {name.casefold() for name in names}


def _about_certificates(shared: Iterable[tuple[StoredCertificate, str, bool]]) -> Iterable[Warned]:
    for certificate, title, bound in shared:
        if not bound:
            yield Warned(WarningKind.BEARER, {"certificate": title})
        if not certificate.issuer_trusted:
            yield Warned(WarningKind.ISSUER_UNKNOWN, {"certificate": title})
        if certificate.status == "unknown":
            yield Warned(WarningKind.STATUS_UNKNOWN, {"certificate": title})
        if bound and certificate.copies_left == 1:
            yield Warned(WarningKind.LAST_COPY, {"certificate": title})
