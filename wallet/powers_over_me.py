"""The powers that others hold for a person, as far as their wallet was told of acts, and what was done under them.

    powers = PowersOverMe(wallet)
    powers.all(vault)                               # whether they have ended, as far as this is known
    unknown = await powers.look(vault)              # asked at their sources now; writes what has ended
    powers.unseen(vault)                            # acts that the person has not said they have seen
    powers.put_aside(vault, until=moment)

A source is asked only while this wallet trusts it, and within seconds. What could not be asked is never told as
holding.
"""

import asyncio
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from proofs.act_report import ask_power_status, status_list_of
from proofs.resolve import HurriedResolver
from wallet.deployment import HURRY_SECONDS, POWER_STATUS, Deployment
from wallet.histories import Histories
from wallet.ledger import Entry, Event, EventKind, entries_of
from wallet.reporting import HeldByAnother, held_by_others, power_key, unseen_acts
from wallet.store.ledger import append_event, read_history
from wallet.vault import UnlockedVault

MOST_ASKED: Final = 20
"""So many powers are looked up at once; the state of the others stays unknown."""


class PowersOverMe:
    """The powers over the people of one wallet service."""

    def __init__(self, wallet: Deployment) -> None:
        self._wallet = wallet

    def all(self, vault: UnlockedVault) -> list[HeldByAnother]:
        """The powers that others hold for this person, the latest told first."""
        return held_by_others(Histories(self._wallet).read(vault).entries, today=self._today())

    async def look(self, vault: UnlockedVault) -> dict[str, str]:
        """Ask the sources of those powers that may hold, and write to the history which have ended.

        Returns what is worth telling of the others, by their keys: "suspended" or "unknown".
        """
        open_ones = [one for one in self.all(vault) if not one.has_ended]
        hurried = HurriedResolver(self._wallet.resolver, seconds=HURRY_SECONDS)
        asked = [one for one in open_ones if one.copy][:MOST_ASKED]
        stands = dict.fromkeys((one.key for one in open_ones), "unknown")
        answers = await asyncio.gather(*(self._ask(one, hurried) for one in asked))
        stands |= {one.key: answer for one, answer in zip(asked, answers, strict=True)}
        self._note_ended(vault, {key for key, status in stands.items() if status == "revoked"})
        return {key: status for key, status in stands.items() if status in ("suspended", "unknown")}

    async def _ask(self, one: HeldByAnother, resolver: HurriedResolver) -> str:
        now = self._wallet.clock()
        self._wallet.resolver.forget_older(status_list_of(one.copy), than=now - POWER_STATUS)
        return await ask_power_status(one.copy, trust=self._wallet.trust(), resolver=resolver, now=now)

    def _note_ended(self, vault: UnlockedVault, keys: set[str]) -> None:
        """Once for each power, with the latest act under it."""
        if not keys:
            return
        now = self._wallet.clock()
        with self._wallet.database.transaction() as connection:
            entries = entries_of(read_history(connection, vault).events, now=now)
            over = {one.key for one in held_by_others(entries, today=self._today()) if one.has_ended}
            for entry in entries:
                key = power_key(entry.told) if entry.told is not None else ""
                if key in keys - over:
                    over.add(key)
                    append_event(connection, vault, Event(entry.id, EventKind.POWER_OVER, now))

    def unseen(self, vault: UnlockedVault) -> list[Entry]:
        """What was done for the person that they have not said they have seen, the latest first."""
        return unseen_acts(Histories(self._wallet).read(vault).entries)

    def put_aside(self, vault: UnlockedVault, *, until: datetime) -> None:
        """The person has seen what they had been told of by `until`; what came later stays unseen."""
        now = self._wallet.clock()
        with self._wallet.database.transaction() as connection:
            for entry in unseen_acts(entries_of(read_history(connection, vault).events, now=now)):
                if last_told(entry) <= until:
                    append_event(connection, vault, Event(entry.id, EventKind.ACT_SEEN, now))

    def _today(self) -> date:
        return self._wallet.clock().astimezone(ZoneInfo(self._wallet.settings.time_zone)).date()


def last_told(entry: Entry) -> datetime:
    """When the person was told of an act last."""
    return next(one.at for one in reversed(entry.events) if one.kind is EventKind.ACT_TOLD)
