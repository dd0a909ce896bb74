"""Standing permissions to check again: giving, pausing, ending, and learning of every use. What pages and commands do.

    permissions = Permissions(wallet)
    await permissions.give(vault, entry_id)                          # after the share has arrived
    await permissions.wish(vault, entry_id, PermissionAction.END)
    await permissions.tend(vault)                                    # at every unlock

What the person wants is written to the history before anything is sent, and what they answer after it. A wish without
an answer is sent again at the next unlock: the recipient gives the same answer to the same wish.
"""

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection

from schemas.errors import Refused, TemporarilyUnavailable
from schemas.standing_permission import PermissionAction, StatedPermission
from wallet.deployment import Deployment
from wallet.histories import Histories
from wallet.ledger import Entry, Event, EventKind, entries_of
from wallet.permitting import (
    NotUsable,
    PermissionStanding,
    allowed_with,
    permission_message,
    permission_of,
    read_permission,
)
from wallet.permitting.standing import WISHES
from wallet.remote_after_share import AfterShareOverHTTP
from wallet.store.ledger import append_event, read_history
from wallet.store.take_back import get_means, list_means, take_permission_turn
from wallet.taking_back import NoAnswer, NotDelivered, Transport
from wallet.taking_back.messages import MAX_ANSWER_BYTES
from wallet.vault import UnlockedVault

TEND_SECONDS: Final = 5.0
MOST_AT_ONCE: Final = 5
ASK_EVERY: Final = timedelta(hours=1)
LOOK_EVERY: Final = timedelta(seconds=30)


class NoPermissionHere(Refused):
    """Nothing was allowed with this share, or it is over."""

    error = "no_permission_here"
    status = 409


@dataclass(frozen=True, slots=True)
class Lasting:
    """A permission with the share that it belongs to."""

    entry: Entry
    standing: PermissionStanding


class Permissions:
    """The standing permissions of the vaults of one wallet service."""

    def __init__(self, wallet: Deployment, *, transport: Transport | None = None) -> None:
        self._wallet = wallet
        self._database = wallet.database
        self._transport: Transport = transport or AfterShareOverHTTP(wallet.http)

    # --- looking --------------------------------------------------------------------------------------------------

    def all(self, vault: UnlockedVault) -> list[Lasting]:
        """Every permission that the person ever gave, the latest share first."""
        found = [
            (one, permission_of(one, now=self._wallet.clock())) for one in Histories(self._wallet).read(vault).entries
        ]
        return [Lasting(entry, standing) for entry, standing in found if standing is not None]

    def standing(self, vault: UnlockedVault, entry_id: str) -> PermissionStanding | None:
        """How the permission of one share stands; None when there is none. Raises `NotFound`."""
        return permission_of(Histories(self._wallet).entry(vault, entry_id), now=self._wallet.clock())

    # --- wishing --------------------------------------------------------------------------------------------------

    async def give(self, vault: UnlockedVault, entry_id: str) -> None:
        """Send what the person allowed with a share that has arrived. Best effort: it is tried again at an unlock."""
        await self._hurriedly(vault, entry_id)

    async def wish(self, vault: UnlockedVault, entry_id: str, action: PermissionAction) -> PermissionStanding:
        """Pause, resume or end a permission: written first, then sent. Raises `NotFound`, `NoPermissionHere`.

        What the network does is no error: it stands in the standing.
        """
        with self._database.transaction() as connection:
            entry = self._entry(connection, vault, entry_id)
            note_wish(connection, vault, entry, action, wallet=self._wallet, because="person")
        await self.tell(vault, entry_id)
        found = self.standing(vault, entry_id)
        assert found is not None
        return found

    def put_aside(self, vault: UnlockedVault, entry_id: str) -> None:
        """The person has seen the checks that they were told of. Raises `NotFound`."""
        with self._database.transaction() as connection:
            standing = permission_of(self._entry(connection, vault, entry_id), now=self._wallet.clock())
            if standing is not None and standing.unseen:
                facts = {"number": standing.unseen[-1].number}
                append_event(connection, vault, Event(entry_id, EventKind.CHECKS_SEEN, self._wallet.clock(), facts))

    async def end_all(self, vault: UnlockedVault) -> None:
        """End every permission, since the vault is about to be destroyed: whoever can be reached within seconds."""
        lasting = [one.entry.id for one in self.all(vault) if not one.standing.is_settled]
        with self._database.transaction() as connection:
            for entry_id in lasting:
                entry = self._entry(connection, vault, entry_id)
                with suppress(NoPermissionHere):
                    action = PermissionAction.END
                    note_wish(connection, vault, entry, action, wallet=self._wallet, because="leaving")
        await asyncio.gather(*(self._hurriedly(vault, entry_id) for entry_id in lasting))

    # --- asking ---------------------------------------------------------------------------------------------------

    async def look(self, vault: UnlockedVault, entry_id: str) -> PermissionStanding:
        """Ask how it stands and what was checked, because the person wants to know. Raises `NoPermissionHere`."""
        with self._database.transaction() as connection:
            self._entry(connection, vault, entry_id)
            stored = take_permission_turn(connection, vault, entry_id, now=self._wallet.clock(), every=LOOK_EVERY)
        if stored is not None:
            await self.tell(vault, entry_id)
        found = self.standing(vault, entry_id)
        if found is None:
            raise NoPermissionHere
        return found

    async def tend(self, vault: UnlockedVault) -> None:
        """What is due when a vault is opened: wishes that were not confirmed, and whether anything was checked.

        A few recipients at most, the longest unasked first, and within a few seconds; the rest at a later time.
        """
        with suppress(TemporarilyUnavailable, TimeoutError):
            async with asyncio.timeout(TEND_SECONDS):
                for entry_id in self._due(vault):
                    with suppress(TemporarilyUnavailable):
                        await self.tell(vault, entry_id)

    def _due(self, vault: UnlockedVault) -> list[str]:
        lasting = {one.entry.id for one in self.all(vault) if not one.standing.is_settled}
        due: list[str] = []
        with self._database.transaction() as connection:
            for stored in sorted(list_means(connection, vault), key=lambda one: one.means.permission_asked_at):
                if stored.share_id not in lasting or not stored.means.has_permission or len(due) >= MOST_AT_ONCE:
                    continue
                now = self._wallet.clock()
                if take_permission_turn(connection, vault, stored.share_id, now=now, every=ASK_EVERY) is not None:
                    due.append(stored.share_id)
        # Recipients who compare notes must not see a fixed order.
        secrets.SystemRandom().shuffle(due)
        return due

    async def end_of_share(self, vault: UnlockedVault, entry_id: str) -> None:
        """Tell them that a permission ends with its share, if there was one, before they are told to delete."""
        standing = self.standing(vault, entry_id)
        if standing is not None and not standing.is_settled:
            await self._hurriedly(vault, entry_id)

    # --- sending --------------------------------------------------------------------------------------------------

    async def _hurriedly(self, vault: UnlockedVault, entry_id: str) -> None:
        with suppress(TimeoutError, TemporarilyUnavailable):
            async with asyncio.timeout(TEND_SECONDS):
                await self.tell(vault, entry_id)

    async def tell(self, vault: UnlockedVault, entry_id: str) -> None:
        """Bring them up to the person's last wish, or ask how it stands when they have it already."""
        standing = self.standing(vault, entry_id)
        if standing is None:
            return
        is_end = standing.wish is PermissionAction.END
        if not standing.is_granted_there and not is_end:
            # Whatever came after it: first they must have what it is about.
            granted_at = Histories(self._wallet).entry(vault, entry_id).decided_at
            if not await self._send(vault, entry_id, PermissionAction.GRANT, wished_at=granted_at):
                return
            standing = self.standing(vault, entry_id)
            assert standing is not None
            if standing.wish is PermissionAction.GRANT:
                return
        action = PermissionAction.STATUS if standing.is_confirmed else standing.wish
        await self._send(vault, entry_id, action, wished_at=standing.wished_at)

    async def _send(self, vault: UnlockedVault, entry_id: str, action: PermissionAction, *, wished_at: Any) -> bool:
        """Send one message and keep what came of it; whether a usable answer came."""
        entry = Histories(self._wallet).entry(vault, entry_id)
        with self._database.reading() as connection:
            stored = get_means(connection, vault, entry_id)
        if stored is None or not stored.means.has_permission:
            return False
        means, jti = stored.means, secrets.token_urlsafe(24)
        token = permission_message(means, action, entry, jti=jti, wished_at=wished_at, now=self._wallet.clock())
        try:
            reply = await self._transport.post_jwt(means.permission_endpoint, token, max_bytes=MAX_ANSWER_BYTES)
            now = self._wallet.clock()
            facts = read_permission(reply, means, entry, answers=jti, trust=self._wallet.trust(), now=now)
        except NotDelivered as exc:
            self._failed(vault, entry_id, EventKind.PERMISSION_NOT_SENT, exc.reason)
        except NoAnswer:
            self._failed(vault, entry_id, EventKind.PERMISSION_UNKNOWN, "no_answer")
        except NotUsable as exc:
            self._failed(vault, entry_id, EventKind.PERMISSION_UNKNOWN, exc.reason)
        else:
            self._keep(vault, entry_id, facts)
            return True
        return False

    def _failed(self, vault: UnlockedVault, entry_id: str, kind: EventKind, reason: str) -> None:
        """Note that it did not come to anything, if the history does not end with that already."""
        with self._database.transaction() as connection:
            standing = permission_of(self._entry(connection, vault, entry_id), now=self._wallet.clock())
            if standing is not None and standing.reason != reason:
                append_event(connection, vault, Event(entry_id, kind, self._wallet.clock(), {"reason": reason}))

    def _keep(self, vault: UnlockedVault, entry_id: str, facts: dict[str, Any]) -> None:
        """Write every check that is news, and how it stands if that is."""
        stated = StatedPermission.model_validate(facts["permission"])
        with self._database.transaction() as connection:
            now = self._wallet.clock()
            standing = permission_of(self._entry(connection, vault, entry_id), now=now)
            if standing is None:
                return
            known = {one.number: (one.at.timestamp(), one.outcome) for one in standing.checks}
            for check in stated.checks:
                if known.get(check.number) == (check.at, check.outcome):
                    continue
                used = {"number": check.number, "at": check.at, "outcome": check.outcome}
                append_event(connection, vault, Event(entry_id, EventKind.CHECKED_AGAIN, now, used))
            if not (standing.is_answered and _says_the_same(standing.told, stated)):
                append_event(connection, vault, Event(entry_id, EventKind.PERMISSION_TOLD, now, facts))

    def _entry(self, connection: Connection, vault: UnlockedVault, entry_id: str) -> Entry:
        found = entries_of(read_history(connection, vault).events, now=self._wallet.clock())
        entry = next((one for one in found if one.id == entry_id), None)
        if entry is None:
            raise NoPermissionHere
        return entry


def note_wish(
    connection: Connection,
    vault: UnlockedVault,
    entry: Entry,
    action: PermissionAction,
    *,
    wallet: Deployment,
    because: str,
) -> None:
    """Write what the person wants of a permission, in the caller's transaction; the same wish is not written twice.

    Raises `NoPermissionHere` when there is none, or when it is over.
    """
    standing = permission_of(entry, now=wallet.clock())
    if standing is None or (standing.is_over and standing.wish is not action):
        raise NoPermissionHere
    if standing.wish is not action:
        append_event(connection, vault, Event(entry.id, WISHES[action], wallet.clock(), {"because": because}))


def note_end_of_share(connection: Connection, vault: UnlockedVault, entry: Entry, *, wallet: Deployment) -> None:
    """Whoever takes everything back does not let it be checked any longer; written in the caller's transaction.

    Also while nobody knows whether the share arrived: what is learned of that later must find the end here.
    """
    standing = allowed_with(entry, now=wallet.clock())
    if standing is not None and not standing.is_over:
        kind, facts = WISHES[PermissionAction.END], {"because": "taken_back"}
        append_event(connection, vault, Event(entry.id, kind, wallet.clock(), facts))


def _says_the_same(before: StatedPermission | None, now: StatedPermission) -> bool:
    passing = {"iat", "answers"}
    return before is not None and before.model_dump(exclude=passing) == now.model_dump(exclude=passing)
