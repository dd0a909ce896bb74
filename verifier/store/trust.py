"""Whom the verifier trusts: entries added by hand, and signed lists with the key pinned for each.

Loading is apart from trusting: a list is trusted because its key was pinned at `trust add`, and read again on a
schedule. One whose next update has passed does not count until a newer one was read, and is named as overdue.
"""

import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from proofs import strict_json
from proofs.trust import SignedTrustList, TrustEntry, TrustList
from service.database import Database
from verifier.store.tables import TRUST_ENTRIES, TRUST_LISTS, WATCHED_LISTS

LOOK_AGAIN_SECONDS: Final = 0.25
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PinnedList:
    """A signed list: its address, its key, and the last version that held."""

    url: str
    id: str
    key_jwk: Mapping[str, Any]
    sequence: int
    next_update: datetime | None
    fetched_at: datetime | None
    problem: str

    def is_overdue(self, *, now: datetime) -> bool:
        """Whether its own next update has passed without a newer list."""
        return self.next_update is not None and self.next_update < now


class TrustStore:
    """Trust entries and pinned lists of one verifier."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._kept: tuple[tuple[Any, ...], TrustList] | None = None
        self._looked_at = 0.0
        self._kept_until = _NEVER

    def trust(self, *, now: datetime) -> TrustList:
        """Everybody who is trusted now.

        The entries of a list that should have been replaced by now do not count: an issuer known only from there is
        then unknown, which is "could not check" and never "passed". The same object is returned while nothing changes;
        what another process changed counts after a quarter of a second.
        """
        looked_at = time.monotonic()
        if self._kept is not None and looked_at - self._looked_at < LOOK_AGAIN_SECONDS and now < self._kept_until:
            return self._kept[1]
        with self.database.reading() as connection:
            *counts, next_update = connection.execute(_VERSION, {"at": now}).one()
            version = tuple(counts)
            self._looked_at, self._kept_until = looked_at, next_update or _NEVER
            if self._kept is not None and self._kept[0] == version:
                return self._kept[1]
            rows = connection.execute(_IN_FORCE, {"at": now}).all()
        trust = TrustList(tuple(TrustEntry.from_json(strict_json.loads_object(row.entry)) for row in rows))
        self._kept = (version, trust)
        return trust

    def add_entry(self, entry: TrustEntry, *, now: datetime) -> None:
        """Trust one entry; one with the same id is replaced."""
        self._kept = None
        with self.database.transaction() as connection:
            connection.execute(
                delete(TRUST_ENTRIES).where(TRUST_ENTRIES.c.id == entry.id, TRUST_ENTRIES.c.source == "")
            )
            _insert(connection, [entry], source="", now=now)

    def add_list(self, url: str, key_jwk: Mapping[str, Any], signed: SignedTrustList, *, now: datetime) -> PinnedList:
        """Pin the key of a signed list and take its entries. An address that is there already gets the new key."""
        list_id = f"list-{hashlib.sha256(url.encode()).hexdigest()[:12]}"
        self._kept = None
        with self.database.transaction() as connection:
            connection.execute(delete(TRUST_LISTS).where(TRUST_LISTS.c.url == url))
            connection.execute(
                insert(TRUST_LISTS).values(url=url, id=list_id, key_jwk=strict_json.dumps(dict(key_jwk)).decode())
            )
            _replace(connection, url, signed, now)
        return next(one for one in self.lists() if one.url == url)

    def update_list(self, url: str, signed: SignedTrustList, *, now: datetime) -> bool:
        """Take a newer version of a list; False when there is a newer one here already, or the list was removed."""
        self._kept = None
        with self.database.transaction() as connection:
            row = connection.execute(select(TRUST_LISTS).where(TRUST_LISTS.c.url == url)).one_or_none()
            if row is None or row.sequence > signed.sequence:
                return False
            _replace(connection, url, signed, now)
        return True

    def note_problem(self, url: str, problem: str) -> None:
        """Note that a list could not be read again, and why."""
        with self.database.transaction() as connection:
            connection.execute(update(TRUST_LISTS).where(TRUST_LISTS.c.url == url).values(problem=problem))

    def lists(self) -> list[PinnedList]:
        """The pinned lists."""
        with self.database.reading() as connection:
            rows = connection.execute(select(TRUST_LISTS).order_by(TRUST_LISTS.c.url)).all()
        return [
            PinnedList(
                url=row.url,
                id=row.id,
                key_jwk=strict_json.loads_object(row.key_jwk),
                sequence=row.sequence,
                next_update=row.next_update,
                fetched_at=row.fetched_at,
                problem=row.problem,
            )
            for row in rows
        ]

    def entries(self) -> list[tuple[TrustEntry, str]]:
        """Every entry with the address of the list that it came from ("" when added by hand)."""
        with self.database.reading() as connection:
            rows = connection.execute(select(TRUST_ENTRIES).order_by(TRUST_ENTRIES.c.source, TRUST_ENTRIES.c.id)).all()
        return [(TrustEntry.from_json(strict_json.loads_object(row.entry)), row.source) for row in rows]

    def remove(self, entry_id: str) -> bool:
        """Stop trusting an entry added by hand, or a whole list (by its id or address). False when there is none."""
        self._kept = None
        with self.database.transaction() as connection:
            removed = connection.execute(
                delete(TRUST_ENTRIES).where(TRUST_ENTRIES.c.id == entry_id, TRUST_ENTRIES.c.source == "")
            ).rowcount
            lists = connection.execute(
                select(TRUST_LISTS.c.url).where((TRUST_LISTS.c.id == entry_id) | (TRUST_LISTS.c.url == entry_id))
            ).all()
            for row in lists:
                connection.execute(delete(TRUST_ENTRIES).where(TRUST_ENTRIES.c.source == row.url))
                connection.execute(delete(TRUST_LISTS).where(TRUST_LISTS.c.url == row.url))
        return bool(removed or lists)

    # --- status lists to keep fresh ----------------------------------------------------------------------------------

    def watch(self, uri: str, *, now: datetime) -> None:
        """Remember a status list that was needed, so that it is fetched before it is needed again."""
        with self.database.transaction() as connection:
            connection.execute(delete(WATCHED_LISTS).where(WATCHED_LISTS.c.uri == uri))
            connection.execute(insert(WATCHED_LISTS).values(uri=uri, used_at=now))

    def watched(self, *, since: datetime) -> list[str]:
        """The status lists needed since then."""
        with self.database.reading() as connection:
            rows = connection.execute(select(WATCHED_LISTS.c.uri).where(WATCHED_LISTS.c.used_at >= since)).all()
        return [row.uri for row in rows]


def _replace(connection: Connection, url: str, signed: SignedTrustList, now: datetime) -> None:
    connection.execute(delete(TRUST_ENTRIES).where(TRUST_ENTRIES.c.source == url))
    _insert(connection, signed.entries, source=url, now=now)
    values = {"sequence": signed.sequence, "next_update": signed.next_update, "fetched_at": now, "problem": ""}
    connection.execute(update(TRUST_LISTS).where(TRUST_LISTS.c.url == url).values(**values))


def _insert(connection: Connection, entries: Iterable[TrustEntry], *, source: str, now: datetime) -> None:
    for entry in entries:
        text = strict_json.dumps(entry.to_json()).decode()
        connection.execute(insert(TRUST_ENTRIES).values(id=entry.id, source=source, entry=text, added_at=now))


# Something that changes when the entries in force do: how many there are, and when the newest was added.
_COUNTS = TRUST_ENTRIES.outerjoin(TRUST_LISTS, TRUST_LISTS.c.url == TRUST_ENTRIES.c.source)
_COUNTING = (TRUST_LISTS.c.next_update.is_(None)) | (TRUST_LISTS.c.next_update >= bindparam("at"))
_VERSION = (
    select(func.count(), func.max(TRUST_ENTRIES.c.added_at), func.min(TRUST_LISTS.c.next_update))
    .select_from(_COUNTS)
    .where(_COUNTING)
)
_IN_FORCE = select(TRUST_ENTRIES.c.entry).select_from(_COUNTS).where(_COUNTING).order_by(TRUST_ENTRIES.c.added_at)
