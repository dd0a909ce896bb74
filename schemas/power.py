"""A power of representation as both sides read it, and the checks that a share on the strength of one has to pass.

    checks = power_checks([power_claims], [(vct, claims), ...], recipient_names={"insurer.example"}, today=today)

The wallet runs them over everything that it holds before it shows anything, the verifier over what was shown to it. The
credential itself (signature, issuer, status, key binding) is checked as any other; here is only what is particular to
powers. What cannot be found out is never passed. See docs/acting-for-another.md.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from schemas.act_report import REPORTS_TO
from schemas.errors import Malformed
from schemas.verification import Check, Outcome

POWER_VCT: Final = "urn:intyga:credential:power-of-representation:1"
ALL: Final = "all"
"""Stands alone in a list of the scope: every kind of certificate (powers never), or every recipient."""
MAJORITY: Final = 18
"""From this birthday on nobody is a person's guardian (Föräldrabalken 9:1 and 11)."""
OWN_CONSENT: Final = 13
"""From this birthday on a child consents to online services alone (GDPR 8(1); Swedish act 2018:218, 2:4)."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

DATES, AGENTS, CHAIN, SCOPE, PERSON = "power_dates", "power_agents", "power_chain", "power_scope", "power_person"
POWER_CHECKS: Final = (DATES, AGENTS, CHAIN, SCOPE, PERSON)


def _words(name: str | None) -> frozenset[str]:
    plain = unicodedata.normalize("NFKD", name or "").casefold()
    kept = "".join(one for one in plain if unicodedata.category(one) not in ("Mn", "Cf", "Cc"))
    return frozenset(re.split(r"[\s-]+", kept.strip())) - {""}


class PowerBasis(StrEnum):
    """What a power rests on."""

    GUARDIAN_OF_CHILD = "guardian_of_child"
    DECISION = "decision"  # a good man or a trustee (god man, förvaltare)
    POWER_OF_ATTORNEY = "power_of_attorney"


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a certificate is about, as far as it says. Nobody is known by less than all three."""

    family_name: str | None
    given_name: str | None
    birthdate: str | None

    def is_same(self, other: "Person") -> bool | None:
        """Whether both are one person: False as soon as one thing differs, None when not everything is told."""
        pairs = list(zip(self._parts(), other._parts(), strict=True))
        if any(mine is not None and theirs is not None and mine != theirs for mine, theirs in pairs):
            return False
        return None if any(mine is None or theirs is None for mine, theirs in pairs) else True

    def may_be(self, other: "Person") -> bool:
        """Whether both could be one person who is written in two ways: no birth date differs, the family name is the
        same, and one of the given names is. Case, accents and invisible characters make no difference."""
        if self.birthdate is not None and other.birthdate is not None and self.birthdate != other.birthdate:
            return False
        families = _words(self.family_name), _words(other.family_name)
        given = _words(self.given_name), _words(other.given_name)
        return bool(families[0] and families[0] == families[1] and given[0] & given[1])

    def name(self) -> str:
        """Both names as far as they are told, "" for none."""
        return " ".join(part for part in (self.given_name, self.family_name) if part)

    def birthday(self, age: int) -> date | None:
        """When they become so old; None without a birth date, or beyond what a calendar holds. Who is born on 29
        February waits for 1 March in other years."""
        if self.birthdate is None:
            return None
        born = date.fromisoformat(self.birthdate)
        try:
            return born.replace(year=born.year + age)
        except ValueError:
            return date(born.year + age, 3, 1) if born.year + age <= date.max.year else None

    def turned(self, age: int, *, today: date) -> bool | None:
        """Whether the birthday of this age has come; None without a birth date."""
        if self.birthdate is None:
            return None
        birthday = self.birthday(age)
        return birthday is not None and today >= birthday

    def _parts(self) -> tuple[str | None, ...]:
        return self.family_name, self.given_name, self.birthdate


@dataclass(frozen=True, slots=True)
class Power:
    """What a power says. Both days count as within it. `basis` is None where it was not shown.

    `covers_types` and `covers_recipients` are `(ALL,)` for everything. `agents_needed` is how many agents have to
    approve together. `reports_to` is where the principal wants to be told of acts, as the source wrote it down; ""
    where it was not shown, or is not there.
    """

    principal: Person
    agent: Person
    covers_types: tuple[str, ...]
    covers_recipients: tuple[str, ...]
    begins_on: date
    ends_on: date
    basis: PowerBasis | None
    agents_needed: int
    reports_to: str = ""


def person_of(claims: Mapping[str, Any], prefix: str = "") -> Person:
    """Whom the claims are about; with the prefix `principal_`, who is represented."""
    return Person(
        _name(claims.get(f"{prefix}family_name")),
        _name(claims.get(f"{prefix}given_name")),
        _written_day(claims.get(f"{prefix}birthdate")),
    )


def read_power(claims: Mapping[str, Any]) -> Power:
    """The power that these claims tell of. Raises `Malformed` when something that limits it is not of its form."""
    needed, basis = claims.get("agents_needed"), claims.get("power_basis")
    begins, ends = _written_day(claims.get("begins_on")), _written_day(claims.get("ends_on"))
    if begins is None or ends is None:
        raise Malformed("A power says from when until when it holds")
    if isinstance(needed, bool) or not isinstance(needed, int) or needed < 1:
        raise Malformed("A power says how many have to act together")
    if basis is not None and basis not in list(PowerBasis):
        raise Malformed("A power rests on something that is not known here")
    return Power(
        principal=person_of(claims, "principal_"),
        agent=person_of(claims),
        covers_types=_codes(claims.get("covers_types")),
        covers_recipients=_codes(claims.get("covers_recipients")),
        begins_on=date.fromisoformat(begins),
        ends_on=date.fromisoformat(ends),
        basis=PowerBasis(basis) if basis is not None else None,
        agents_needed=needed,
        reports_to=told if isinstance(told := claims.get(REPORTS_TO), str) else "",
    )


def power_checks(
    powers: Sequence[Mapping[str, Any]],
    others: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    recipient_names: Collection[str],
    today: date,
) -> tuple[Check, ...]:
    """The five checks of `POWER_CHECKS` for a share with these powers (at least one) beside the other certificates.

    `others` are type and claims of every other certificate in the share. `recipient_names` are the host names by which
    the recipient is known for sure; none when there are none. `today` is a day of the one who checks.
    """
    try:
        read = [read_power(claims) for claims in powers]
    except Malformed as exc:
        return tuple(Check(name, Outcome.FAILED, "power_malformed", str(exc)) for name in POWER_CHECKS)
    if len(read) != 1:
        # Whether one person holds two powers or one was made on the strength of the other: we refuse to puzzle it out.
        several = Check(CHAIN, Outcome.FAILED, "power_chained", "more than one power in one share")
        return tuple(
            several if name == CHAIN else Check(name, Outcome.COULD_NOT_CHECK, "earlier_check_failed")
            for name in POWER_CHECKS
        )
    (power,) = read
    names = {name.lower().rstrip(".") for name in recipient_names}
    return (
        _dates(power, today),
        _agents(power),
        _chain(power),
        _scope(power, [vct for vct, _ in others], names),
        _person(power, [person_of(claims) for _, claims in others]),
    )


def holds_on(power: Power, today: date) -> bool:
    """Whether its days, and for a guardian's the age of the child, let a power be used on this day."""
    return _dates(power, today).outcome is Outcome.PASSED


def _dates(power: Power, today: date) -> Check:
    if today < power.begins_on:
        return Check(DATES, Outcome.FAILED, "power_not_begun")
    if today > power.ends_on:
        return Check(DATES, Outcome.FAILED, "power_ended")
    if power.basis is PowerBasis.GUARDIAN_OF_CHILD:
        grown = power.principal.turned(MAJORITY, today=today)
        if grown is None:
            return Check(DATES, Outcome.COULD_NOT_CHECK, "power_age_unknown")
        if grown:
            return Check(DATES, Outcome.FAILED, "power_of_age")
    return Check(DATES, Outcome.PASSED)


def _agents(power: Power) -> Check:
    if power.agents_needed > 1:
        return Check(AGENTS, Outcome.FAILED, "power_needs_others", "several have to approve, and one has")
    return Check(AGENTS, Outcome.PASSED)


def _chain(power: Power) -> Check:
    """A power is nobody's to pass on: it covers no powers, and nobody represents themself."""
    if POWER_VCT in power.covers_types or power.agent.is_same(power.principal):
        return Check(CHAIN, Outcome.FAILED, "power_chained")
    return Check(CHAIN, Outcome.PASSED)


def _scope(power: Power, types: Sequence[str], recipient_names: Set[str]) -> Check:
    if POWER_VCT in types or (power.covers_types != (ALL,) and not set(types) <= set(power.covers_types)):
        return Check(SCOPE, Outcome.FAILED, "power_other_kind")
    if power.covers_recipients != (ALL,):
        if not recipient_names:
            return Check(SCOPE, Outcome.COULD_NOT_CHECK, "power_recipient_unknown")
        if not recipient_names & {one.lower().rstrip(".") for one in power.covers_recipients}:
            return Check(SCOPE, Outcome.FAILED, "power_other_recipient")
    return Check(SCOPE, Outcome.PASSED)


def _person(power: Power, subjects: Sequence[Person]) -> Check:
    same = [power.principal.is_same(subject) for subject in subjects]
    if False in same:
        return Check(PERSON, Outcome.FAILED, "power_other_person")
    if None in same or None in (power.principal.family_name, power.principal.given_name, power.principal.birthdate):
        return Check(PERSON, Outcome.COULD_NOT_CHECK, "power_person_unknown")
    return Check(PERSON, Outcome.PASSED)


def _name(value: Any) -> str | None:
    text = " ".join(unicodedata.normalize("NFC", value).split()) if isinstance(value, str) else ""
    return text or None


def _written_day(value: Any) -> str | None:
    # The library also reads weeks and days without hyphens.
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return None


def _codes(value: Any) -> tuple[str, ...]:
    is_list = isinstance(value, list) and value and all(isinstance(one, str) and one for one in value)
    if not is_list or (ALL in value and value != [ALL]):
        raise Malformed("A power says what and whom it covers")
    return tuple(value)
