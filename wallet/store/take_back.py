"""What is kept of shares so that they can be taken back, at rest: sealed, one row for each share."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import col

from wallet.store.people import require_current
from wallet.store.tables import TakeBackRow
from wallet.taking_back import Means
from wallet.vault import UnlockedVault

_MEANS = "take_back.means"


@dataclass(frozen=True, slots=True)
class StoredMeans:
    """The means of one share, in the version that was read."""

    share_id: str
    means: Means
    version: int
    forget_at: datetime


def add_means(
    connection: Connection, vault: UnlockedVault, share_id: str, means: Means, *, forget_at: datetime
) -> None:
    """Keep the means of a share, in the transaction of its decision."""
    require_current(connection, vault)
    connection.execute(
        insert(TakeBackRow).values(
            share_id=share_id,
            person_id=vault.person_id,
            sealed_means=vault.seal_json(_MEANS, share_id, means.as_json()),
            version=1,
            forget_at=forget_at,
        )
    )


def add_means_once(
    connection: Connection, vault: UnlockedVault, share_id: str, means: Means, *, forget_at: datetime
) -> None:
    """Keep the means of a share unless there are some: those here know more than those of a file."""
    if get_means(connection, vault, share_id) is None:
        add_means(connection, vault, share_id, means, forget_at=forget_at)


def get_means(connection: Connection, vault: UnlockedVault, share_id: str) -> StoredMeans | None:
    """The means of one share of this vault; None when there are none (any more)."""
    found = list_means(connection, vault, share_id)
    return found[0] if found else None


def list_means(connection: Connection, vault: UnlockedVault, share_id: str | None = None) -> list[StoredMeans]:
    """The means of all shares of this vault, or of one."""
    query = select(TakeBackRow.__table__).where(col(TakeBackRow.person_id) == vault.person_id)  # type: ignore[attr-defined]  # SQLModel does not type its table
    if share_id is not None:
        query = query.where(col(TakeBackRow.share_id) == share_id)
    return [
        StoredMeans(
            row.share_id,
            Means.from_json(vault.unseal_json(_MEANS, row.share_id, row.sealed_means, version=row.version)),
            row.version,
            row.forget_at,
        )
        for row in connection.execute(query).all()
    ]


def write_means(connection: Connection, vault: UnlockedVault, stored: StoredMeans, means: Means) -> bool:
    """Write other means, if nobody has written since; False when somebody has."""
    require_current(connection, vault)
    version = stored.version + 1
    written = connection.execute(
        update(TakeBackRow)
        .where(
            col(TakeBackRow.share_id) == stored.share_id,
            col(TakeBackRow.person_id) == vault.person_id,
            col(TakeBackRow.version) == stored.version,
        )
        .values(
            sealed_means=vault.seal_json(_MEANS, stored.share_id, means.as_json(), version=version), version=version
        )
    )
    return written.rowcount == 1


def take_turn(
    connection: Connection, vault: UnlockedVault, share_id: str, *, now: datetime, every: timedelta
) -> StoredMeans | None:
    """Note that the recipient of a share is asked now; None when it was asked less than `every` ago, or by another
    process at this moment."""
    stored = get_means(connection, vault, share_id)
    if stored is None or 0 <= now.timestamp() - stored.means.asked_at < every.total_seconds():
        return None
    means = stored.means.asked(now)
    if not write_means(connection, vault, stored, means):
        return None
    return StoredMeans(share_id, means, stored.version + 1, stored.forget_at)


def take_permission_turn(
    connection: Connection, vault: UnlockedVault, share_id: str, *, now: datetime, every: timedelta
) -> StoredMeans | None:
    """The same for what is asked about a standing permission."""
    stored = get_means(connection, vault, share_id)
    if stored is None or 0 <= now.timestamp() - stored.means.permission_asked_at < every.total_seconds():
        return None
    means = stored.means.permission_asked(now)
    if not write_means(connection, vault, stored, means):
        return None
    return StoredMeans(share_id, means, stored.version + 1, stored.forget_at)


def delete_means(connection: Connection, vault: UnlockedVault, share_id: str) -> None:
    """Forget the means of one share of this vault."""
    connection.execute(
        delete(TakeBackRow).where(col(TakeBackRow.share_id) == share_id, col(TakeBackRow.person_id) == vault.person_id)
    )


def forget_means(connection: Connection, *, now: datetime) -> int:
    """Delete the means of all people whose time is over; returns how many. Histories stay."""
    return connection.execute(delete(TakeBackRow).where(col(TakeBackRow.forget_at) <= now)).rowcount
