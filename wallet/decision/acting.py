"""For whom a request is answered: for the person themself, or, on the strength of a power, for somebody else.

    side = side_of(certificates, power_id)          # "" is the person themself, and what every share begins with
    side.obstacle(certificate)                      # what keeps a certificate out of this share

Whom the answer is about is chosen before anything else and never guessed. For oneself no power and no certificate about
somebody one acts for can be shown; for another only that one power and certificates about that person. So nobody's
certificate passes for the holder's, and no power is disclosed unasked. See docs/acting-for-another.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from schemas.consent import Basis
from schemas.dcql import Answer, Choice, InvalidSelection
from schemas.errors import Malformed
from schemas.power import (
    AGENTS,
    CHAIN,
    DATES,
    OWN_CONSENT,
    POWER_VCT,
    Power,
    PowerBasis,
    person_of,
    power_checks,
    read_power,
)
from schemas.verification import Outcome
from wallet.certificates import StoredCertificate
from wallet.decision.candidates import Obstacle, is_bound
from wallet.requests import CheckedRequest

NAMED_BY = frozenset({"family_name", "given_name", "principal_family_name", "principal_given_name"})
"""What of a power has to be asked for: a presentation that does not name both is none on behalf of anybody."""

_OF_ITSELF = frozenset({DATES, AGENTS, CHAIN})
"""The checks of a power that do not depend on what is shown beside it, and to whom."""
_NOT_VALID = {"revoked": "power_revoked", "suspended": "power_paused"}


@dataclass(frozen=True, slots=True)
class HeldPower:
    """A power in the vault, with what it says."""

    certificate: StoredCertificate
    power: Power

    @property
    def principal_name(self) -> str:
        """Who is acted for."""
        return self.power.principal.name()


@dataclass(frozen=True, slots=True)
class Acting:
    """The power under which a request is answered, and why that cannot be (`faults`, stable names; nothing is shared
    while there is one)."""

    held: HeldPower
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Possible:
    """A power in the vault that could be chosen for a request that asks for one.

    `faults` speak against every use of it now, whatever is asked: it is named with them and not offered. `answers` says
    that with it, and what else is in this wallet, the request can be answered.
    """

    held: HeldPower
    faults: tuple[str, ...]
    answers: bool


@dataclass(frozen=True, slots=True)
class Side:
    """For whom a request is answered: for the holder of `chosen`'s principal, or for the person themself (None)."""

    chosen: HeldPower | None
    held: tuple[HeldPower, ...]

    def obstacle(self, certificate: StoredCertificate) -> Obstacle | None:
        """What keeps a certificate out of a share for this side."""
        if self.chosen is not None and certificate.id == self.chosen.certificate.id:
            return None
        if is_power(certificate):
            return Obstacle.POWER_NOT_CHOSEN
        subject = person_of(certificate.claims)
        if self.chosen is None:
            others = [one.power for one in self.held if one.power.agent.is_same(one.power.principal) is not True]
            # Written in another way it is still theirs; what could be the holder's own as well is the holder's.
            is_others = any(power.principal.may_be(subject) and not power.agent.may_be(subject) for power in others)
            return Obstacle.ABOUT_ANOTHER if is_others else None
        return None if self.chosen.power.principal.is_same(subject) is True else Obstacle.NOT_ABOUT_THEM

    def options_of(self, found: Answer) -> tuple[int, ...]:
        """The ways of answering that are open to this side: for another only those that show the power."""
        if self.chosen is None:
            return tuple(range(len(found.options)))
        wanted = self.chosen.certificate.id
        return tuple(
            position
            for position, option in enumerate(found.options)
            if any(choice.candidate_id == wanted for some in option.choices.values() for choice in some)
        )

    def faults_of(self, one: HeldPower, *, now: datetime, time_zone: str) -> tuple[str, ...]:
        """What speaks against every use of a power that is held, by its own words and the last look at its status."""
        today = now.astimezone(ZoneInfo(time_zone)).date()
        checks = power_checks([one.certificate.claims], [], recipient_names=(), today=today)
        faults = [check.reason for check in checks if check.name in _OF_ITSELF and check.outcome is not Outcome.PASSED]
        return tuple(dict.fromkeys([*faults, *_faults_of_holding(one, self.held)]))

    def acting(
        self,
        checked: CheckedRequest,
        choices: Sequence[Choice],
        certificates: Iterable[StoredCertificate],
        *,
        now: datetime,
        time_zone: str,
    ) -> Acting | None:
        """The power that is acted under, judged for what would be shown to whoever asks. None for the person themself.

        `choices` are what would be shown; none when the request cannot be answered. `time_zone` is where this wallet's
        days begin.
        """
        if self.chosen is None:
            return None
        held, shown = self.chosen, {choice.candidate_id for choice in choices}
        today = now.astimezone(ZoneInfo(time_zone)).date()
        checks = power_checks(
            [held.certificate.claims],
            [(one.vct, one.claims) for one in certificates if one.id in shown and one.id != held.certificate.id],
            recipient_names=_names_of(checked),
            today=today,
        )
        faults = [check.reason for check in checks if check.outcome is not Outcome.PASSED]
        faults += [*_faults_of_holding(held, self.held), *_faults_of_asking(checked)]
        if choices:
            named = {path[0] for one in choices if one.candidate_id == held.certificate.id for path in one.paths}
            faults += [] if named >= NAMED_BY else ["power_names_not_asked"]
        basis = checked.stated.notice.basis if checked.stated is not None else None
        is_child = held.power.basis is PowerBasis.GUARDIAN_OF_CHILD
        if basis is Basis.CONSENT and is_child and held.power.principal.turned(OWN_CONSENT, today=today) is not False:
            faults.append("power_decides_alone")
        return Acting(held, tuple(dict.fromkeys(faults)))


def side_of(certificates: Iterable[StoredCertificate], power_id: str) -> Side:
    """The side that the person chose. Raises `InvalidSelection` when there is no such power."""
    held = tuple(_readable(certificates))
    chosen = next((one for one in held if one.certificate.id == power_id), None)
    if power_id and chosen is None:
        raise InvalidSelection("there is no such power")
    return Side(chosen, held)


def is_power(certificate: StoredCertificate) -> bool:
    """Whether a certificate is a power, also under another name of its type."""
    return POWER_VCT in (certificate.vct, *certificate.type_chain)


def asks_for_power(checked: CheckedRequest) -> bool:
    """Whether a power could answer any part of the request."""
    return any(POWER_VCT in chain for one in checked.query.credentials for chain in one.types)


def _readable(certificates: Iterable[StoredCertificate]) -> Iterable[HeldPower]:
    for one in certificates:
        if is_power(one):
            try:
                yield HeldPower(one, read_power(one.claims))
            except Malformed:
                continue  # It stays what it is, a power, and can be shown by nobody.


def _faults_of_holding(held: HeldPower, others: Iterable[HeldPower]) -> Iterable[str]:
    """What is demanded of a power beyond any other certificate: somebody vouches for its issuer, it can be
    taken back and has not been, it is the holder's own, and it does not come from another agent."""
    if not held.certificate.issuer_trusted:
        yield "power_issuer_unknown"
    if held.certificate.status != "valid":
        yield _NOT_VALID.get(held.certificate.status, "power_status_unknown")
    if not is_bound(held.certificate):
        yield "power_not_bound"
    if any(one.power.principal.is_same(held.power.agent) is True for one in others):
        yield "power_chained"


def _faults_of_asking(checked: CheckedRequest) -> Iterable[str]:
    if not asks_for_power(checked):
        yield "power_not_asked"


def _names_of(checked: CheckedRequest) -> frozenset[str]:
    """The host names by which whoever asks is known for sure; none of somebody whom nobody vouches for."""
    if checked.identity.level == "unproven":
        return frozenset()
    return frozenset(
        {*checked.identity.dns_names, *(urlsplit(uri).hostname or "" for uri in checked.identity.uris)}
    ) - {""}
