"""Where others tell a person what they did for them, and what waits there, at rest.

Whoever has the handle of an address may leave something; it is sealed to a key that only the opened vault has, and
looked at then. The handle rests as a digest, so that a stolen database opens no address.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from schemas.errors import NotFound, TooManyRequests
from wallet.store.people import require_current
from wallet.store.tables import ReportAddressRow, ReportAsideRow, ReportRow
from wallet.vault import UnlockedVault

MOST_WAITING = 100
"""So many reports wait for one person that nobody has looked at; whoever comes later is told to come again."""
_ADDRESS = "report.address"


class NoSuchAddress(NotFound):
    """Nobody takes reports at this address, or no longer."""

    error = "no_such_address"


@dataclass(frozen=True, slots=True)
class OpenAddress:
    """A person's address: its handle, and the private key that opens what is sealed to it."""

    handle: str
    private_jwk: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class WaitingReport:
    """A report as it came. Nothing in it is known."""

    id: str
    token: str
    arrived_at: datetime
    is_set_aside: bool = False


def get_address(connection: Connection, vault: UnlockedVault) -> OpenAddress | None:
    """The address of this vault; None when there is none."""
    row = connection.execute(
        select(col(ReportAddressRow.sealed_key), col(ReportAddressRow.version)).where(
            col(ReportAddressRow.person_id) == vault.person_id
        )
    ).first()
    if row is None:
        return None
    members = vault.unseal_json(_ADDRESS, vault.person_id, row.sealed_key, version=row.version)
    return OpenAddress(members["handle"], members["key"])


def add_address(connection: Connection, vault: UnlockedVault, address: OpenAddress) -> bool:
    """Open an address; False when there is one already, which stays."""
    require_current(connection, vault)
    if get_address(connection, vault) is not None:
        return False
    members = {"handle": address.handle, "key": dict(address.private_jwk)}
    try:
        connection.execute(
            insert(ReportAddressRow).values(
                handle_digest=_digest(address.handle),
                person_id=vault.person_id,
                sealed_key=vault.seal_json(_ADDRESS, vault.person_id, members),
                version=1,
            )
        )
    except IntegrityError:
        return False  # Another window was first.
    return True


def remove_address(connection: Connection, vault: UnlockedVault) -> None:
    """Close the address, with everything that waits: its key goes with it."""
    require_current(connection, vault)
    for table in (ReportAddressRow, ReportRow, ReportAsideRow):
        connection.execute(delete(table).where(col(table.person_id) == vault.person_id))


def leave_report(connection: Connection, handle: str, token: bytes, *, now: datetime) -> None:
    """Keep what somebody brings for whoever has this address.

    Raises `NoSuchAddress`, or `TooManyRequests` when too many wait.
    """
    person_id = connection.execute(
        select(col(ReportAddressRow.person_id)).where(col(ReportAddressRow.handle_digest) == _digest(handle))
    ).scalar_one_or_none()
    if person_id is None:
        raise NoSuchAddress
    aside = select(col(ReportAsideRow.report_id))
    waiting = (
        select(func.count())
        .select_from(ReportRow)
        .where(col(ReportRow.person_id) == person_id, col(ReportRow.id).not_in(aside))
    )
    if connection.execute(waiting).scalar_one() >= MOST_WAITING:
        raise TooManyRequests("too many reports wait here", retry_after_seconds=3600)
    connection.execute(
        insert(ReportRow).values(id=secrets.token_hex(16), person_id=person_id, token=token, arrived_at=now)
    )


def waiting_reports(connection: Connection, vault: UnlockedVault) -> list[WaitingReport]:
    """What waits for this person, set aside or not, the earliest first."""
    aside = set(
        connection.execute(
            select(col(ReportAsideRow.report_id)).where(col(ReportAsideRow.person_id) == vault.person_id)
        ).scalars()
    )
    rows = connection.execute(
        select(col(ReportRow.id), col(ReportRow.token), col(ReportRow.arrived_at))
        .where(col(ReportRow.person_id) == vault.person_id)
        .order_by(col(ReportRow.arrived_at), col(ReportRow.id))
    ).all()
    return [
        WaitingReport(row.id, row.token.decode("ascii", "replace"), row.arrived_at, row.id in aside) for row in rows
    ]


def set_aside(connection: Connection, vault: UnlockedVault, report_id: str) -> None:
    """It was looked at and could not be decided. Done again, also by another window, it changes nothing."""
    row = {"report_id": report_id, "person_id": vault.person_id}
    connection.execute(upsert(ReportAsideRow).values(row).on_conflict_do_nothing())


def forget_report(connection: Connection, vault: UnlockedVault, report_id: str) -> None:
    """It was looked at."""
    mine = vault.person_id
    connection.execute(delete(ReportRow).where(col(ReportRow.id) == report_id, col(ReportRow.person_id) == mine))
    connection.execute(
        delete(ReportAsideRow).where(col(ReportAsideRow.report_id) == report_id, col(ReportAsideRow.person_id) == mine)
    )


def _digest(handle: str) -> bytes:
    return hashlib.sha256(f"report address {handle}".encode()).digest()
