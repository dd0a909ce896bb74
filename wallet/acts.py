"""Acts for another, taken in by the principal's wallet over an interface that others can speak; agents tell of them by
`wallet.telling_acts`.

    acts = Acts(wallet)
    acts.open_address(vault)                                # for the principal to give to the source of the power
    acts.arrive(handle, token)                              # anybody, while the vault is locked
    await acts.look_in(vault)                               # whenever the first page is opened
    await acts.tend(vault)                                  # at every unlock; also what agents here have to tell

Nothing gets into a history that was not made by a key which a power of a trusted source is bound to; and by itself only
under a power into which that source wrote this very address. What comes by file needs the person's own yes that it is
about them. See docs/acting-for-another.md.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from proofs.act_report import ReportUnchecked, ToldAct, open_report, verify_report
from proofs.keys import generate_signer
from proofs.resolve import HurriedResolver
from schemas.act_report import (
    HANDED_OVER,
    MOST_REPORT_BYTES,
    REPORTS_TO,
    ActReport,
    ReportAddress,
)
from schemas.errors import Malformed, ProtocolError, Refused, TemporarilyUnavailable
from service.single_use import spend
from wallet.deployment import HURRY_SECONDS, Deployment
from wallet.ledger import Entry, Event, EventKind, entries_of
from wallet.reporting import (
    MOST_TOLD,
    entry_id_of,
    facts_of,
    power_key,
    principal_of,
    read_act,
    told_reports,
    written,
)
from wallet.store.ledger import append_event, read_history
from wallet.store.reports import (
    OpenAddress,
    add_address,
    forget_report,
    get_address,
    leave_report,
    remove_address,
    set_aside,
    waiting_reports,
)
from wallet.store.tables import spent
from wallet.telling_acts import TOLD_FOR, Telling
from wallet.undecided import Undecided, to_forget
from wallet.vault import UnlockedVault

TEND_SECONDS: Final = 5.0
ONE_SOURCE_SECONDS: Final = 1.5
"""So long a source has for its answers about one report, so that the others get their turn."""
MOST_LOOKED_AT: Final = 20
MOST_A_DAY: Final = 20
"""Acts under one power that stand in the history of a day: no agent fills the history of whom they act for."""
_REMEMBERED: Final = timedelta(days=3650)
_JUST_MADE: Final = 300


class NotAboutYou(Refused):
    """The person has not said that the report is about them."""

    error = "not_about_you"


class ToldOtherwise(Refused):
    """Of the same act something else was told before, or it was told too often; the history stays as it is."""

    error = "told_otherwise"


class ToldTooOften(Refused):
    """Under this power so much was told within a day that the rest waits."""

    error = "told_too_often"


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A report in a file, checked: what would be taken in, and whom the source says it is about."""

    facts: dict[str, Any]
    principal: str
    birthdate: str


class Acts:
    """The acts that the people of one wallet service are told of."""

    def __init__(self, wallet: Deployment) -> None:
        self._wallet = wallet
        self._database = wallet.database

    def address(self, vault: UnlockedVault) -> ReportAddress | None:
        """Where others tell this person of acts; None when they do not want to be told."""
        with self._database.reading() as connection:
            found = get_address(connection, vault)
        return self._written(found) if found is not None else None

    def open_address(self, vault: UnlockedVault) -> ReportAddress:
        """The person's address, made now unless there is one."""
        key = generate_signer().private_jwk()
        with self._database.transaction() as connection:
            add_address(connection, vault, OpenAddress(secrets.token_urlsafe(24), key))
        found = self.address(vault)
        assert found is not None
        return found

    def close_address(self, vault: UnlockedVault) -> None:
        """Take no more reports there, for good; a new address is another one."""
        with self._database.transaction() as connection:
            remove_address(connection, vault)

    def arrive(self, handle: str, token: bytes) -> None:
        """Keep what somebody brings, unread. Raises `NoSuchAddress`, `TooManyRequests`, `Malformed`."""
        if not token or len(token) > MOST_REPORT_BYTES or not token.isascii():
            raise Malformed("This is no sealed report")
        with self._database.transaction() as connection:
            leave_report(connection, handle, token, now=self._wallet.clock())

    async def take_in(self, vault: UnlockedVault, *, only_new: bool = False) -> int:
        """Look at what waits, and write what holds to the history; returns how many acts are news.

        `only_new` leaves alone what was set aside before.

        What does not hold is forgotten unseen. What could not be checked is set aside for another time, as much of it
        as `to_forget` leaves, and nothing waits behind it: a source that does not answer is asked once, and what it
        left open does not count as looked at.
        """
        with self._database.reading() as connection:
            mine, waiting = get_address(connection, vault), waiting_reports(connection, vault)
        news = looked_at = 0
        silent: set[str] = set()
        undecided: list[Undecided] = []
        try:
            # What just came goes first: nothing that was left open before takes its time.
            for one in sorted(waiting, key=lambda one: one.is_set_aside):
                if only_new and one.is_set_aside:
                    break
                if mine is None or looked_at >= MOST_LOOKED_AT:
                    break
                try:
                    told = await self._opened(one.token, mine, arrived_at=one.arrived_at, not_asked=silent)
                    news += self._keep(vault, told, told_by="address", arrived_at=one.arrived_at, waiting_id=one.id)
                    looked_at += 1
                except ReportUnchecked as exc:
                    silent.update({exc.source} - {""})
                    undecided.append(Undecided(one.id, one.arrived_at, exc.source, exc.power_copy))
                except ToldTooOften:
                    undecided.append(Undecided(one.id, one.arrived_at, told.issuer_identifier, told.power_copy))
                except TemporarilyUnavailable:
                    raise
                except ProtocolError:
                    looked_at += 1
                    self._forget(vault, one.id)
        finally:
            # Also when time is up, so that it is out of the way of what comes.
            self._set_aside(vault, undecided, {one.id for one in waiting if one.is_set_aside})
        return news

    def _set_aside(self, vault: UnlockedVault, undecided: Sequence[Undecided], already: Collection[str]) -> None:
        """Out of the way of what comes, as far as it is kept at all."""
        if not undecided:
            return
        with self._database.transaction() as connection:
            tellings = (
                event.facts
                for entry in self._entries(connection, vault)
                for event in entry.events
                if event.kind is EventKind.ACT_TOLD
            )
            known = {facts["power_copy"] for facts in tellings if "power_copy" in facts}
            gone = to_forget(undecided, known=known, now=self._wallet.clock())
            for one in undecided:
                if one.id in gone:
                    forget_report(connection, vault, one.id)
                elif one.id not in already:
                    set_aside(connection, vault, one.id)

    async def read_file(self, vault: UnlockedVault, package: bytes) -> HandedOver:
        """What a file would bring, before anything is taken in. Raises `ProtocolError`."""
        told = await self._handed_over(package)
        report, principal = read_act(told), principal_of(told)
        facts = facts_of(told, report, told_by="file", today=self._today(), arrived_at=self._wallet.clock())
        return HandedOver(facts, facts["principal"], principal.birthdate or "")

    async def take_in_file(self, vault: UnlockedVault, package: bytes, *, is_about_me: bool) -> str:
        """Take in what somebody handed over; returns the entry. Raises `NotAboutYou` without the person's yes to that,
        `ToldOtherwise`, and what checking raises."""
        if not is_about_me:
            raise NotAboutYou
        told = await self._handed_over(package)
        self._keep(vault, told, told_by="file", arrived_at=self._wallet.clock())
        return entry_id_of(told, read_act(told))

    async def _opened(
        self, token: str, mine: OpenAddress, *, arrived_at: datetime, not_asked: Collection[str]
    ) -> ToldAct:
        address = self._written(mine)
        told = await verify_report(
            open_report(token, private_jwk=mine.private_jwk),
            expected_audience=address.url,
            trust=self._wallet.trust(),
            resolver=HurriedResolver(self._wallet.resolver, seconds=ONE_SOURCE_SECONDS),
            now=arrived_at,
            max_age_seconds=_JUST_MADE,
            not_asked=not_asked,
        )
        if told.power.get(REPORTS_TO) != str(address):
            # Who holds a power for somebody else, and came to know this address, has no business here.
            raise Refused("the source of the power did not write this address into it")
        return told

    async def _handed_over(self, package: bytes) -> ToldAct:
        return await verify_report(
            package,
            expected_audience=HANDED_OVER,
            trust=self._wallet.trust(),
            resolver=self._wallet.resolver,
            now=self._wallet.clock(),
            max_age_seconds=int(TOLD_FOR.total_seconds()),
        )

    def _keep(
        self, vault: UnlockedVault, told: ToldAct, *, told_by: str, arrived_at: datetime, waiting_id: str = ""
    ) -> bool:
        """Write an act to the history, once; whether it is news.

        Raises `Malformed`, `ToldOtherwise`, and `ToldTooOften` for one that came by itself.
        """
        report, now = read_act(told), self._wallet.clock()
        facts = facts_of(told, report, told_by=told_by, today=self._today(), arrived_at=arrived_at)
        entry_id = entry_id_of(told, report)
        said = hashlib.sha256(written(report).encode()).hexdigest()
        with self._database.transaction() as connection:
            if waiting_id:
                forget_report(connection, vault, waiting_id)
            # Also when the person has deleted the entry since: nothing brings it back.
            is_new = spend(
                connection,
                spent,
                kind="act",
                value=f"{vault.person_id} {entry_id} {said}",
                expires_at=now + _REMEMBERED,
                now=now,
            )
            if not is_new:
                return False
            entries = self._entries(connection, vault)
            before = next((one for one in entries if one.id == entry_id), None)
            if waiting_id and _count_of_the_day(entries, facts, now) >= MOST_A_DAY:
                raise ToldTooOften
            earlier = told_reports(before) if before is not None else []
            if before is not None and not _may_follow(report, earlier):
                raise ToldOtherwise
            append_event(connection, vault, Event(entry_id, EventKind.ACT_TOLD, now, facts))
        return True

    def _forget(self, vault: UnlockedVault, waiting_id: str) -> None:
        with self._database.transaction() as connection:
            forget_report(connection, vault, waiting_id)

    def _written(self, found: OpenAddress) -> ReportAddress:
        return ReportAddress(
            self._wallet.settings.url(f"/reports/{found.handle}"), found.private_jwk["x"], found.private_jwk["y"]
        )

    async def tend(self, vault: UnlockedVault) -> None:
        """What is due when a vault is opened: take in what waits, and tell of acts that were not told. Within seconds;
        what is not done then is done later."""
        with suppress(TemporarilyUnavailable, TimeoutError):
            async with asyncio.timeout(TEND_SECONDS):
                await self.take_in(vault)
                await Telling(self._wallet).tell_some(vault)

    async def look_in(self, vault: UnlockedVault) -> None:
        """What is due when the first page is opened: take in what has come since. Within seconds; what cannot be
        checked is set aside, so that no later look waits for it."""
        with suppress(TemporarilyUnavailable, TimeoutError):
            async with asyncio.timeout(HURRY_SECONDS):
                await self.take_in(vault, only_new=True)

    def _entries(self, connection: Connection, vault: UnlockedVault) -> list[Entry]:
        return entries_of(read_history(connection, vault).events, now=self._wallet.clock())

    def _today(self) -> date:
        return self._wallet.clock().astimezone(ZoneInfo(self._wallet.settings.time_zone)).date()


def _count_of_the_day(entries: Iterable[Entry], facts: Mapping[str, Any], now: datetime) -> int:
    """How often something was told under the same power within the last day."""
    power = power_key(facts)
    return sum(
        event.kind is EventKind.ACT_TOLD and now - event.at < timedelta(days=1)
        for entry in entries
        if entry.told is not None and power_key(entry.told) == power
        for event in entry.events
    )


def _may_follow(report: ActReport, earlier: list[ActReport]) -> bool:
    return len(earlier) < MOST_TOLD and report.continues(earlier[-1])
