"""Who acted for whom: what is checked beside each presentation when an answer holds a power, and what is told of it.

    checks = acting_checks([(number, vct, claims), ...], recipient_names={"verifier.example"}, today=today)
    acting_in(contents.items)                      # Acting(agent="Omar Haddad", principal="Lina Haddad")

The rules are in `schemas/power.py`; the power itself is verified like any certificate, and its status is always
demanded (`policies.py`). That both certificates lie in one wallet is nothing that the protocol proves. See
docs/acting-for-another.md.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from schemas.dcql import ConcretePath
from schemas.power import POWER_VCT, person_of, power_checks
from schemas.verification import Check


@dataclass(frozen=True, slots=True)
class Acting:
    """The names of the two, as the power says them; "" for one that was not asked for."""

    agent: str
    principal: str


class Told(Protocol):
    """One value of an answer, as it is kept."""

    @property
    def vct(self) -> str:
        """The type of the certificate that it comes from."""
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
    presented: Iterable[tuple[int, str, Mapping[str, Any]]], *, recipient_names: Collection[str], today: date
) -> tuple[Check, ...]:
    """The checks of an answer with a power in it; none for an answer without.

    `presented` are number of the certificate, type and shown claims of every presentation: what several presentations
    of one certificate show counts together.
    """
    shown: dict[int, tuple[str, dict[str, Any]]] = {}
    for number, vct, claims in presented:
        shown.setdefault(number, (vct, {}))[1].update(claims)
    powers = [claims for vct, claims in shown.values() if vct == POWER_VCT]
    if not powers:
        return ()
    others = [(vct, claims) for vct, claims in shown.values() if vct != POWER_VCT]
    return power_checks(powers, others, recipient_names=recipient_names, today=today)


def acting_in(items: Iterable[Told]) -> Acting | None:
    """Who acted for whom, from what is kept of an answer; None when nobody did, or nothing is kept any more."""
    of_power = [item for item in items if item.vct == POWER_VCT]
    if not of_power:
        return None
    claims = {str(item.path[0]): item.value for item in of_power if len(item.path) == 1}
    return Acting(person_of(claims).name(), person_of(claims, "principal_").name())
