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
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from proofs.act_report import ask_power_status, status_entry_of, status_list_of
from proofs.resolve import HurriedResolver
from wallet.deployment import HURRY_SECONDS, POWER_STATUS, Deployment
from wallet.histories import Histories
from wallet.ledger import Entry, Event, EventKind, entries_of
from wallet.reporting import HeldByAnother, held_by_others, status_entry, unseen_acts
from wallet.store.ledger import append_event, read_history
from wallet.vault import UnlockedVault

MOST_ASKED: Final = 20
"""So many powers are looked up at once; the state of the others stays unknown."""
MOST_COPIES: Final = 100
"""So many further copies of those that do not hold for certain; the others are asked at the next look."""


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
        copies = {one.key: [copy for copy in one.open_copies if copy] for one in open_ones}
        answers = await self._ask([some[0] for some in copies.values() if some][:MOST_ASKED], hurried)
        # Where the latest copy holds, so does the power. Else all have to be asked: each has its own entry in the list.
        others = [copy for some in copies.values() if some and answers.get(some[0]) != "valid" for copy in some[1:]]
        answers |= await self._ask(others[:MOST_COPIES], hurried)
        self._note_ended(vault, {status_entry_of(copy) for copy, status in answers.items() if status == "revoked"})
        stands = {one.key: _together([answers.get(copy, "unknown") for copy in one.open_copies]) for one in open_ones}
        return {key: status for key, status in stands.items() if status}

    async def _ask(self, copies: Sequence[str], resolver: HurriedResolver) -> dict[str, str]:
        now = self._wallet.clock()
        for address in {status_list_of(copy) for copy in copies}:
            self._wallet.resolver.forget_older(address, than=now - POWER_STATUS)
        trust = self._wallet.trust()
        asked = (ask_power_status(copy, trust=trust, resolver=resolver, now=now) for copy in copies)
        return dict(zip(copies, await asyncio.gather(*asked), strict=True))

    def _note_ended(self, vault: UnlockedVault, ended: set[str]) -> None:
        """Once for each copy, with the latest act that was told with it."""
        if not ended:
            return
        now = self._wallet.clock()
        with self._wallet.database.transaction() as connection:
            entries = entries_of(read_history(connection, vault).events, now=now)
            held = held_by_others(entries, today=self._today())
            still_open = ended & {status_entry_of(copy) for one in held for copy in one.open_copies}
            for entry in entries:
                for event in entry.events:
                    listed = status_entry(event.facts) if event.kind is EventKind.ACT_TOLD else ""
                    if listed in still_open:
                        still_open.discard(listed)
                        append_event(connection, vault, Event(entry.id, EventKind.POWER_OVER, now, {"power": listed}))

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


def _together(statuses: Sequence[str]) -> str:
    """How a power stands by all copies of it that may hold."""
    left = {one for one in statuses if one != "revoked"}
    if "unknown" in left and "valid" not in left:
        return "unknown"
    return "suspended" if left == {"suspended"} else ""


def last_told(entry: Entry) -> datetime:
    """When the person was told of an act last."""
    return next(one.at for one in reversed(entry.events) if one.kind is EventKind.ACT_TOLD)
