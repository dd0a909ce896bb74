"""Policies: what a verifier demands beyond a good signature.

    policy = Policy(trust_list, max_age_seconds=300, skew_seconds=60, time_zone="Europe/Stockholm", ...)
    policy.rule_for(template_credential).status          # "required"

Whom a verifier believes is its trust list: an entry names an issuer, its key and its types. A template can narrow that
to certain issuers, says whether a certificate that nobody could take back (one without `status`) is good enough, and
how old at most a statement may be.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from proofs.certificates import authority_key_id
from proofs.trust import TrustList
from proofs.verify import StatusPolicy
from schemas.dcql.query import MAX_VALUES
from schemas.power import POWER_VCT
from schemas.types.statement_form import AS_OF
from schemas.verification import Check, Outcome
from verifier.request_templates import InvalidTemplate, RequestTemplate, StatusRule, TemplateCredential

RECENCY: Final = "recency"  # The name of the check; it is made where a template demands an age, and nowhere else.
_FURTHEST_EAST: Final = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class AgeRule:
    """How old at most a statement may be: `days` calendar days, in the time zone of whoever receives it.

    `skew_seconds` is how far clocks may differ: shortly after midnight yesterday still passes for today.
    """

    days: int
    time_zone: str
    skew_seconds: int

    def earliest_day(self, *, now: datetime) -> date:
        """The earliest day of which a statement may be true."""
        seen = (now - timedelta(seconds=self.skew_seconds)).astimezone(ZoneInfo(self.time_zone))
        return seen.date() - timedelta(days=self.days)

    def check(self, claims: Mapping[str, Any], *, now: datetime) -> Check:
        """The check `recency`. Reasons: undated, statement_too_old, statement_of_a_later_day."""
        day = _day(claims.get(AS_OF))
        if day is None:
            return Check(RECENCY, Outcome.FAILED, "undated", "it does not say of which day it is true")
        if day < self.earliest_day(now=now):
            return Check(RECENCY, Outcome.FAILED, "statement_too_old", f"older than {self.days} days")
        # Where it is tomorrow already, a statement may say so.
        if day > (now + timedelta(seconds=self.skew_seconds) + _FURTHEST_EAST).astimezone(UTC).date():
            return Check(RECENCY, Outcome.FAILED, "statement_of_a_later_day", "its day has not come anywhere")
        return Check(RECENCY, Outcome.PASSED)


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == len("2026-11-20") else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class CredentialRule:
    """What holds for one credential query: the types asked for, whether `status` must be there, whose word counts.

    `issuers` holds identifiers of trusted issuers; empty: everyone whom the trust list names for the type. `age` is how
    old its statement may be; None: of any day. `certified`: the issuer's key has to come in a certificate.
    """

    types: frozenset[str]
    status: StatusPolicy
    issuers: frozenset[str] = frozenset()
    age: AgeRule | None = None
    certified: bool = False

    def check_issuer(
        self, identifier: str, names: frozenset[str] = frozenset(), *, has_certificate: bool
    ) -> Check | None:
        """A failed `issuer_trusted` check when the issuer is trusted, but not asked for here, or not known in the way
        that is demanded; else None.

        Reasons: not_certified, issuer_not_accepted.
        """
        if self.certified and not has_certificate:
            return Check("issuer_trusted", Outcome.FAILED, "not_certified", "its key is known without a certificate")
        if not self.issuers or identifier in self.issuers or names & self.issuers:
            return None
        return Check("issuer_trusted", Outcome.FAILED, "issuer_not_accepted", "trusted, but not accepted for this")


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for all requests of a verifier.

    `max_age_seconds` is how old the key binding of a presentation may be, `skew_seconds` how far clocks may differ
    (applied to every date alike). `time_zone` is where its days begin (an IANA name). `certificates_only`: a
    certificate counts only with `x5c` and its chain, whatever else is trusted (HAIP 1.0, section 6.1.1).
    """

    trust: TrustList
    max_age_seconds: int
    skew_seconds: int
    time_zone: str
    certificates_only: bool

    def rule_for(self, credential: TemplateCredential) -> CredentialRule:
        """The rule for what a template asks for."""
        # A power that nobody can take back is none, whatever a template says.
        is_strict = credential.status is StatusRule.REQUIRED or POWER_VCT in credential.vct
        status: StatusPolicy = "required" if is_strict else "if_present"
        age = None
        if credential.max_age_days is not None:
            age = AgeRule(credential.max_age_days, time_zone=self.time_zone, skew_seconds=self.skew_seconds)
        return CredentialRule(
            frozenset(credential.vct), status, frozenset(credential.issuers), age, certified=self.certificates_only
        )


def naming_authorities(template: RequestTemplate, trust: TrustList, *, at: datetime) -> RequestTemplate:
    """The template with the key identifiers of trusted authorities in the place of `authorities = "trusted"`.

    They are those of every authority under which somebody is trusted, at this time, as an issuer of one of the types
    asked for; where the template names `issuers`, under which one of them is, or everyone. Wallets are then told whose
    certificates would do, and do not offer others (OpenID4VP 1.0, section 6.1.1.1). Issuers whose key is known without
    a certificate cannot be named so, and their certificates are left out by wallets.

    Raises `InvalidTemplate` when there is no such authority, or more than a query can name.
    """
    if all(credential.authorities != "trusted" for credential in template.credentials):
        return template
    credentials = [
        credential.model_copy(update={"authorities": _trusted_authorities(credential, trust, at)})
        if credential.authorities == "trusted"
        else credential
        for credential in template.credentials
    ]
    return template.model_copy(update={"credentials": tuple(credentials)})


def _trusted_authorities(credential: TemplateCredential, trust: TrustList, at: datetime) -> tuple[str, ...]:
    found = dict.fromkeys(
        authority_key_id(entry.anchor)
        for vct in credential.vct
        for entry in trust.issuers_for(vct, at=at)
        if entry.anchor is not None
        and (not credential.issuers or not entry.identifier or entry.identifier in credential.issuers)
    )
    if not found:
        raise InvalidTemplate(f"no certificate authority is trusted for what {credential.id} asks for")
    if len(found) > MAX_VALUES:
        raise InvalidTemplate(f"more than {MAX_VALUES} certificate authorities are trusted for {credential.id}")
    return tuple(found)
