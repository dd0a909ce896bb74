"""What a rule says when it fires: the stable name of a sentence, and the names that the sentence needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from schemas.receipt import BothLanguages


class WarningKind(StrEnum):
    """The stable name of each sentence; histories keep them. Which rule says it, stands in `rules.py`."""

    UNPROVEN = "unproven"
    BEYOND_REGISTRATION = "beyond_registration"
    REGISTRATION_FAILED = "registration_failed"
    OTHER_ADDRESS = "other_address"
    LOOK_ALIKE = "look_alike"
    MIXED_LETTERS = "mixed_letters"
    YOUNG_CERTIFICATE = "young_certificate"
    NOT_CALLED_FOR = "not_called_for"
    POLICY_SAYS_NO = "policy_says_no"
    FORCED_CONSENT = "forced_consent"
    NOT_STARTED_HERE = "not_started_here"
    GUESSES_VALUES = "guesses_values"
    NO_PURPOSE = "no_purpose"
    VAGUE_PURPOSE = "vague_purpose"
    NO_RETENTION = "no_retention"
    RETENTION_PAST = "retention_past"
    LONG_RETENTION = "long_retention"
    LONGER_THAN_USUAL = "longer_than_usual"
    WHOLE = "whole"
    ONLY_WHOLE = "only_whole"
    LESS_WOULD_DO = "less_would_do"
    NOT_ANONYMOUS = "not_anonymous"
    MORE_THAN_LAST_TIME = "more_than_last_time"
    POLICY_UNKNOWN = "policy_unknown"
    UNPROVEN_NOTICE = "unproven_notice"
    BEARER = "bearer"
    REPEATED = "repeated"
    OVERDUE_DELETION = "overdue_deletion"
    ISSUER_UNKNOWN = "issuer_unknown"
    STATUS_UNKNOWN = "status_unknown"
    LAST_COPY = "last_copy"
    REGISTRATION_UNKNOWN = "registration_unknown"
    UNREGISTERED = "unregistered"


@dataclass(frozen=True, slots=True)
class Warned:
    """One warning with what its sentence needs: hosts in `facts`, names of `items` and of what would do `instead`,
    and the certificate that it speaks of by its id. Never values: titles of certificates are put in by the pages.
    """

    kind: WarningKind
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    items: tuple[BothLanguages, ...] = ()
    instead: tuple[BothLanguages, ...] = ()
    certificate_id: str = ""
