"""Requests that a person is being asked about, at rest.

A share is written over in versions, each sealed; moving from "open" to "decided" happens once, whoever tries.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import col

from schemas.errors import NotFound
from wallet.requests import AlreadyAnswered
from wallet.store.people import require_current
from wallet.store.tables import ShareRow
from wallet.vault import UnlockedVault

OPEN, FAULTY, DECIDED = "open", "faulty", "decided"


@dataclass(frozen=True, slots=True)
class StoredShare:
    """A share as it rests, opened: its state, its members, and the bytes of an answer that may still be sent again."""

    id: str
    state: str
    members: dict[str, Any]
    version: int
    answer: dict[str, Any] | None


def add_share(
    connection: Connection,
    vault: UnlockedVault,
    share_id: str,
    *,
    state: str,
    members: dict[str, Any],
    ends_at: datetime,
    now: datetime,
) -> None:
    """Keep a new share until some time after `ends_at`, the end of its request. Shares that are over are forgotten."""
    require_current(connection, vault)
    forget_shares(connection, now=now)
    connection.execute(
        insert(ShareRow).values(
            id=share_id,
            person_id=vault.person_id,
            state=state,
            sealed_state=vault.seal_json("share.state", share_id, {"state": state, **members}),
            version=1,
            forget_at=_whole_hour_after(ends_at),
        )
    )


def keep_share(connection: Connection, vault: UnlockedVault, share_id: str, *, until: datetime) -> None:
    """Keep a share at least until then, with its link, when it is still there and open: something is fetched for it."""
    connection.execute(
        update(ShareRow)
        .where(
            col(ShareRow.id) == share_id,
            col(ShareRow.person_id) == vault.person_id,
            col(ShareRow.state) == OPEN,
            col(ShareRow.forget_at) < _whole_hour_after(until),
        )
        .values(forget_at=_whole_hour_after(until))
    )


def _whole_hour_after(moment: datetime) -> datetime:
    """A whole hour tells less about when somebody was asked than the moment itself."""
    return moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)


def forget_shares(connection: Connection, *, now: datetime) -> int:
    """Delete the shares of all people whose requests are over; returns how many. Histories stay."""
    return connection.execute(delete(ShareRow).where(col(ShareRow.forget_at) <= now)).rowcount


def delete_share(connection: Connection, vault: UnlockedVault, share_id: str) -> None:
    """Forget one share of this vault now, if it is still kept."""
    connection.execute(delete(ShareRow).where(col(ShareRow.id) == share_id, col(ShareRow.person_id) == vault.person_id))


def get_share(connection: Connection, vault: UnlockedVault, share_id: str) -> StoredShare:
    """One share of this vault. Raises `NotFound`."""
    row = connection.execute(
        select(ShareRow.__table__).where(  # type: ignore[attr-defined]  # SQLModel does not type its table
            col(ShareRow.id) == share_id, col(ShareRow.person_id) == vault.person_id
        )
    ).first()
    if row is None:
        raise NotFound("There is no such request")
    members = vault.unseal_json("share.state", row.id, row.sealed_state, version=row.version)
    answer = None
    if row.sealed_answer is not None:
        answer = vault.unseal_json("share.answer", row.id, row.sealed_answer)
    return StoredShare(row.id, members.pop("state"), members, row.version, answer)


def update_share(
    connection: Connection,
    vault: UnlockedVault,
    share: StoredShare,
    members: dict[str, Any],
    *,
    keep_answer: bool = True,
) -> StoredShare:
    """Write other members, if nobody has written since; `AlreadyAnswered` when somebody has."""
    values: dict[str, Any] = {} if keep_answer else {"sealed_answer": None}
    return _write(connection, vault, share, share.state, members, values)


def drop_answer(connection: Connection, vault: UnlockedVault, share_id: str) -> None:
    """Forget the answer of a share, if it is still kept: nobody can send it again."""
    require_current(connection, vault)
    connection.execute(
        update(ShareRow)
        .where(col(ShareRow.id) == share_id, col(ShareRow.person_id) == vault.person_id)
        .values(sealed_answer=None)
    )


def close_share(
    connection: Connection, vault: UnlockedVault, share: StoredShare, *, answer: dict[str, Any] | None
) -> StoredShare:
    """Move an open share to "decided", keeping the answer for as long as it may be sent again.

    Raises `AlreadyAnswered` when it has been decided before, or changed since it was read.
    """
    if share.state != OPEN:
        raise AlreadyAnswered
    sealed = None if answer is None else vault.seal_json("share.answer", share.id, answer)
    return replace(
        _write(connection, vault, share, DECIDED, share.members, {"sealed_answer": sealed}),
        state=DECIDED,
        answer=answer,
    )


def _write(
    connection: Connection,
    vault: UnlockedVault,
    share: StoredShare,
    state: str,
    members: dict[str, Any],
    values: dict[str, Any],
) -> StoredShare:
    require_current(connection, vault)
    version = share.version + 1
    sealed = vault.seal_json("share.state", share.id, {"state": state, **members}, version=version)
    written = connection.execute(
        update(ShareRow)
        .where(
            col(ShareRow.id) == share.id,
            col(ShareRow.person_id) == vault.person_id,
            col(ShareRow.version) == share.version,
            col(ShareRow.state) == share.state,
        )
        .values(state=state, sealed_state=sealed, version=version, **values)
    )
    if written.rowcount != 1:
        raise AlreadyAnswered
    return replace(share, members=members, version=version)
