"""Leaving: the vault is destroyed, whatever happens in the middle.

    leaving.still_kept(vault)                        # who still has something, so that the person can ask them first
    await leaving.leave(vault, passphrase)           # True: nothing is left; False: the rest goes within minutes
    leaving.finish()                                 # on a schedule and at every start: completes what was interrupted
    leaving.certified(leaving.notice(vault.person_id, held))    # what was destroyed when; None while something is left

The first step takes every wrapped key of the vault and ends its sessions, in one transaction: from then on nobody can
read anything of it. What is left is ciphertext without a key; it is deleted in the second step, and the third takes it
out of the database's log. A mark without a name stays until the third step is done, so that each step is repeated
after an interruption (durability D22).

What certifies the end is made after the last step, and nothing is kept for it: whoever left holds a notice that names
the vault by its random number alone, and brings it back until all of it is gone.
"""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from schemas.errors import ProtocolError, Refused, TemporarilyUnavailable
from schemas.withdrawal import Action
from wallet.deployment import Deployment
from wallet.histories import Histories
from wallet.ledger import Entry, Outcome
from wallet.permissions import Permissions
from wallet.store.leaving import (
    delete_what_belongs_to_nobody,
    forget_marks,
    has_marks,
    is_left_in_part,
    take_keys,
)
from wallet.taking_back import PENDING, can_take_back, standing_of
from wallet.taking_back.standing import day_in
from wallet.vault import UnlockedVault
from wallet.withdrawals import Withdrawals

ASKING_SECONDS: Final = 20.0
NOTICE_TYPE: Final = "intyga-wallet-leaving+jwt"
CERTIFICATE_TYPE: Final = "intyga-wallet-left+jwt"
MOST_NOTICE_CHARACTERS: Final = 8_000
_GONE_OUT = frozenset({Outcome.SHARED, Outcome.UNKNOWN, Outcome.NOT_ACCEPTED})


@dataclass(frozen=True, slots=True)
class Held:
    """What a vault held when it was destroyed, in numbers."""

    certificates: int
    history_entries: int
    recovery_codes: int
    passkeys: int


@dataclass(frozen=True, slots=True)
class Certified:
    """What was destroyed, and when: its keys first, and by the second moment all of it. `token` says the same, signed
    by the wallet service."""

    held: Held
    keys_destroyed_at: datetime
    nothing_left_at: datetime
    token: str


class NotOurs(Refused):
    """This is no notice of a wallet that was destroyed here."""

    error = "no_leaving_notice"


class Leaving:
    """The end of vaults of one wallet service."""

    def __init__(self, wallet: Deployment) -> None:
        self._wallet = wallet
        self._database = wallet.database

    def still_kept(self, vault: UnlockedVault) -> Sequence[Entry]:
        """The shares that somebody still has, or may have: its last day has not passed, or was never told, and they
        have not stated that all of it is deleted."""
        now, zone = self._wallet.clock(), self._wallet.settings.time_zone
        return [
            entry
            for entry in Histories(self._wallet).read(vault).entries
            if entry.outcome in _GONE_OUT
            and entry.went
            and (entry.retention_until is None or entry.retention_until >= day_in(now, zone))
            and not standing_of(entry, now=now, time_zone=zone).is_gone
        ]

    def askable(self, vault: UnlockedVault, entries: Sequence[Entry]) -> frozenset[str]:
        """Those of the entries whose recipients the wallet can ask to delete everything, and has not asked already."""
        withdrawals = Withdrawals(self._wallet)
        return frozenset(
            entry.id
            for entry in entries
            if can_take_back(entry)
            and withdrawals.standing(entry).state not in PENDING
            and withdrawals.can_ask(vault, entry.id)
        )

    async def ask(self, vault: UnlockedVault, entry_ids: Collection[str], *, language: str) -> None:
        """Ask the recipients of these entries to delete everything, all at once, and wait for their answers for a
        while. Each wish is in the history before anything is sent, and what came of it as well.
        """
        withdrawals = Withdrawals(self._wallet)
        wanted = self.askable(vault, [one for one in self.still_kept(vault) if one.id in set(entry_ids)])

        async def ask_one(entry_id: str) -> None:
            with suppress(Refused, TemporarilyUnavailable):  # Another window was first: the page says how it stands.
                await withdrawals.wish(vault, entry_id, Action.ERASE, chosen=None, language=language)

        with suppress(TimeoutError):
            async with asyncio.timeout(ASKING_SECONDS):
                await asyncio.gather(*(ask_one(entry_id) for entry_id in sorted(wanted)))

    def held(self, vault: UnlockedVault) -> Held:
        """What a vault holds, in numbers."""
        return Held(
            certificates=len(vault.certificates()),
            history_entries=len(Histories(self._wallet).read(vault).entries),
            recovery_codes=1 if vault.recovery_id else 0,
            passkeys=len(vault.passkey_ids),
        )

    def notice(self, person_id: str, held: Held) -> str:
        """What somebody whose vault has just lost its keys takes along, to be told when all of it is gone."""
        claims = {**self._said_now(), "vault": person_id, "held": asdict(held)}
        return self._wallet.provider.sign(claims, typ=NOTICE_TYPE)

    def certified(self, notice: str) -> Certified | None:
        """The certificate of what a notice is about; None while something of the vault is left. Raises `NotOurs`."""
        try:
            told = self._wallet.provider.read_own(notice[:MOST_NOTICE_CHARACTERS], typ=NOTICE_TYPE)
        except ProtocolError as exc:
            raise NotOurs("this was not signed here") from exc
        self.finish()
        with self._database.reading() as connection:
            if is_left_in_part(connection, told["vault"]):
                return None
        said = self._said_now()
        claims = {**said, "keys_destroyed_at": told["iat"], "nothing_left_at": said["iat"], "held": told["held"]}
        return Certified(
            Held(**told["held"]),
            datetime.fromtimestamp(told["iat"], UTC),
            datetime.fromtimestamp(said["iat"], UTC),
            self._wallet.provider.sign(claims, typ=CERTIFICATE_TYPE),
        )

    def _said_now(self) -> dict[str, Any]:
        return {"iss": self._wallet.settings.base_url, "iat": int(self._wallet.clock().timestamp())}

    async def leave(self, vault: UnlockedVault, passphrase: str) -> bool:
        """Destroy the vault; whether all of it is gone by now. Raises `WrongPassphrase`."""
        await self._wallet.confirm(vault, passphrase)
        await Permissions(self._wallet).end_all(vault)  # Without their keys nobody could end them any more.
        self.take_keys(vault)
        await self._wallet.forget_tries(vault.name)
        return self.finish()

    def take_keys(self, vault: UnlockedVault) -> None:
        """The first step, after which nobody can open the vault any more: in one transaction."""
        with self._database.transaction() as connection:
            take_keys(connection, vault.person_id)
            self._wallet.sessions.end_all(connection, vault.person_id)

    def finish(self) -> bool:
        """Delete what belongs to no vault any more, also out of the log; whether nothing is left to do."""
        with suppress(TemporarilyUnavailable):  # Another process is writing: the next round does it.
            with self._database.transaction() as connection:
                deleted = delete_what_belongs_to_nobody(connection)
                is_marked = has_marks(connection)
            if not deleted and not is_marked:
                return True
            if self._database.forget_deleted():
                with self._database.transaction() as connection:
                    forget_marks(connection)
                self._database.forget_deleted()
                return True
        return False
