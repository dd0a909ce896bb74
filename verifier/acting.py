"""Who acted for whom: what is checked beside each presentation when an answer holds a power, and what is told of it.

    checks = acting_checks([(number, claims), ...], recipient_names={"verifier.example"}, today=today)
    acting_in(contents.items, template)            # Acting(agent="Omar Haddad", principal="Lina Haddad")

The rules are in `schemas/power.py`; the power itself is verified like any certificate, and its status is always
demanded (`policies.py`). That both certificates lie in one wallet is nothing that the protocol proves. See
docs/acting-for-another.md.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from proofs.formats.sd_jwt_vc import types_of
from schemas.dcql import ConcretePath
from schemas.power import POWER_VCT, person_of, power_checks
from schemas.verification import Check
from verifier.request_templates import RequestTemplate


@dataclass(frozen=True, slots=True)
class Acting:
    """The names of the two, as the power says them; "" for one that was not asked for."""

    agent: str
    principal: str


class Told(Protocol):
    """One value of an answer, as it is kept."""

    @property
    def query_id(self) -> str:
        """The part of the query that it answers."""
        ...

    @property
    def path(self) -> ConcretePath:
        """Where it stood there."""
        ...

    @property
    def value(self) -> Any:
        """The value."""
        ...


def acting_checks(
    presented: Iterable[tuple[int, Mapping[str, Any]]], *, recipient_names: Collection[str], today: date
) -> tuple[Check, ...]:
    """The checks of an answer with a power in it; none for an answer without.

    `presented` are number of the certificate and shown claims of every presentation: what several presentations of one
    certificate show counts together. A certificate of a type that is derived from a power is one.
    """
    shown: dict[int, dict[str, Any]] = {}
    for number, claims in presented:
        shown.setdefault(number, {}).update(claims)
    powers = [claims for claims in shown.values() if POWER_VCT in types_of(claims)]
    if not powers:
        return ()
    others = [(str(claims["vct"]), claims) for claims in shown.values() if POWER_VCT not in types_of(claims)]
    return power_checks(powers, others, recipient_names=recipient_names, today=today)


def acting_in(items: Iterable[Told], template: RequestTemplate) -> Acting | None:
    """Who acted for whom, from what is kept of an answer; None when nobody did, or nothing is kept any more.

    What answers a part of the template that takes powers is one, whatever its type is called: it was checked as one.
    """
    asked = power_queries(template)
    of_power = [item for item in items if item.query_id in asked]
    if not of_power:
        return None
    claims = {str(item.path[0]): item.value for item in of_power if len(item.path) == 1}
    return Acting(person_of(claims).name(), person_of(claims, "principal_").name())


def power_queries(template: RequestTemplate) -> frozenset[str]:
    """The parts of the query that a power can answer."""
    return frozenset(query_id for query_id, credential, _ in template.queries() if POWER_VCT in credential.vct)
