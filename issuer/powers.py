"""Who may end a power: whoever it is over, and whoever holds it. Nobody else, and both are found exactly or not at all.

    marks = marks_of(secret, people_of(features, learners))     # of somebody who signed in
    marks_of_claims(secret, claims)                             # of the two whom a power names, kept with its offer

A power names its two people by both names and the birth date (`schemas/power.py`). Of that a keyed digest stays with
the offer when the claims are erased. Somebody who signs in is the one whom their records name, or, where the sign-in is
matched by names and birth date, whom the sign-in names.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from issuer.derivation import IssuerSecret
from issuer.recognition import Feature, NotRecognised, features_of_names
from schemas.errors import NotFound, Refused
from schemas.learning.achievement import Learner
from schemas.types.power_of_representation import POWER_OF_REPRESENTATION

TYPE_NAME: Final = POWER_OF_REPRESENTATION.name
ENDED_BY_PRINCIPAL: Final = "ended_by_principal"
LAID_DOWN: Final = "laid_down"
_NAMED_BY: Final = ("family_name", "given_name", "birth_date")

Person = tuple[str, str, str]
"""Family name, given name and birth date, each in the one spelling in which it is compared."""


class NoSuchPower(NotFound):
    """There is no such power of this person, or it has ended."""

    error = "no_such_power"


class PowerWasEnded(Refused):
    """Whom it is over has ended this power. Another one can begin on a later day."""

    error = "power_was_ended"


@dataclass(frozen=True, slots=True)
class PowerOfPerson:
    """A power as one of its two people sees it.

    `is_over_me`: they are acted for; else they are the agent. `agent` is how the power names the agent, `principal` how
    it names whom it is over (empty where what the power was made of is no longer here). Its dates are those of the
    certificate, or of the offer that nobody has collected yet. `begins_on`, `ends_on`, `basis` and what it
    covers are what the power says (`schemas/power.py`), by which two powers of one agent are told apart; None, and
    empty, where what the power was made of is no longer here.
    """

    id: str
    is_over_me: bool
    agent: str
    principal: str
    since: datetime
    was_collected: bool
    begins_on: date | None
    ends_on: date | None
    basis: str | None
    covers_types: tuple[str, ...]
    covers_recipients: tuple[str, ...]


def people_of(features: Sequence[Feature], learners: Iterable[Learner]) -> frozenset[Person]:
    """Whom somebody can be who signed in: as their records name them, and as the sign-in does where it tells all three.

    `learners` are those of the records that were found with `features`, and are one person's. Raises `NotRecognised`
    when neither tells both names and the birth date.
    """
    found = {_person(dict(features))} | {_person(dict(features_of_names(one))) for one in learners}
    people = frozenset(one for one in found if one is not None)
    if not people:
        raise NotRecognised("nothing here tells both names and the birth date")
    return people


def marks_of(secret: IssuerSecret, people: Iterable[Person]) -> frozenset[bytes]:
    """What is kept of these people."""
    return frozenset(_mark(secret, one) for one in people)


def marks_of_claims(secret: IssuerSecret, type_name: str, claims: Mapping[str, Any]) -> dict[str, bytes | None]:
    """The columns of an offer: whom a power is over and who holds it; nothing for every other certificate."""
    if type_name != TYPE_NAME:
        return {"principal_mark": None, "agent_mark": None}
    return {
        "principal_mark": _mark_of_claims(secret, claims, "principal_"),
        "agent_mark": _mark_of_claims(secret, claims, "") or _mark_of_names(secret, claims),
    }


def features_of_person(person: Person) -> list[Feature]:
    """What the records of somebody of these names and this birth date are found by."""
    return list(zip(_NAMED_BY, person, strict=True))


def _mark_of_claims(secret: IssuerSecret, claims: Mapping[str, Any], prefix: str) -> bytes | None:
    try:
        learner = Learner(
            family_name=claims.get(f"{prefix}family_name"),
            given_name=claims.get(f"{prefix}given_name"),
            birth_date=date.fromisoformat(str(claims.get(f"{prefix}birthdate"))),
        )
    except ValueError:
        return None  # An agent whose birth date is not told lays the power down in the wallet.
    person = _person(dict(features_of_names(learner)))
    return None if person is None else _mark(secret, person)


def _mark_of_names(secret: IssuerSecret, claims: Mapping[str, Any]) -> bytes | None:
    """What tells an agent whose birth date is not told from other agents. Nobody who signs in has such a mark."""
    try:
        learner = Learner(family_name=claims.get("family_name"), given_name=claims.get("given_name"))
    except ValueError:
        return None
    known = dict(features_of_names(learner))
    family, given = known.get("family_name"), known.get("given_name")
    return secret.learner_key("names of an agent", f"{family}\x1f{given}") if family and given else None


def _person(known: Mapping[str, str]) -> Person | None:
    family, given, born = (known.get(name) for name in _NAMED_BY)
    return (family, given, born) if family and given and born else None


def _mark(secret: IssuerSecret, person: Person) -> bytes:
    return secret.learner_key("person of a power", "\x1f".join(person))
