"""Finding a request by what somebody was told: the number in a letter or a receipt, or what staff call it themselves.

    finder.find("Your number for it: q3Zk…", now=now)      # the requests, newest first

A person who writes names the number of the notice, which is the request's public handle (docs/withdrawal.md). Own
references are sealed, so they are opened and compared one by one, the newest first, up to a bound.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, or_, select

from proofs.sealing import SealBroken
from service.database import Database
from verifier.store.contents import Sealer
from verifier.store.mapping import WHOLE, record_of
from verifier.store.records import RequestRecord
from verifier.store.tables import DELETIONS, REQUESTS

MOST_REFERENCES: Final = 5_000
MOST_FOUND: Final = 50
_AROUND: Final = ".,;:()[]<>\"'“”"


class Finder:
    """Looks requests up for staff."""

    def __init__(self, database: Database, *, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    def find(self, text: str, *, now: datetime) -> list[RequestRecord]:
        """The requests that a number names, with those made together with them, and those whose own reference holds
        the text, in any case of letters. Newest first, at most `MOST_FOUND` of either.

        A number that came from outside hides nothing: whoever takes back chooses the number of their receipt.
        """
        wanted = " ".join(text.split())
        if not wanted:
            return []
        words = {word.strip(_AROUND) for word in (wanted, wanted.rpartition(" ")[2])}
        with self._database.reading() as connection:
            ids = [
                *self._numbered(connection, words, whole=wanted.strip(_AROUND)),
                *self._called(connection, wanted, now),
            ]
            rows = connection.execute(
                WHOLE.where(REQUESTS.c.id.in_(ids)).order_by(REQUESTS.c.made_at.desc(), REQUESTS.c.id)
            ).all()
        return [record_of(row, self._sealer, now) for row in rows]

    @staticmethod
    def _numbered(connection: Connection, words: set[str], *, whole: str) -> list[str]:
        """By handle or id of a request, or by the number of a deletion statement; by that of a receipt, which somebody
        else chose, only where nothing else was looked for."""
        about = select(DELETIONS.c.request_id).where(or_(DELETIONS.c.receipt_id == whole, DELETIONS.c.id.in_(words)))
        named = or_(REQUESTS.c.handle.in_(words), REQUESTS.c.id.in_(words), REQUESTS.c.id.in_(about))
        found = connection.execute(select(REQUESTS.c.id, REQUESTS.c.pair).where(named).limit(MOST_FOUND)).all()
        pairs = {row.pair for row in found if row.pair}
        together = (
            connection.execute(select(REQUESTS.c.id).where(REQUESTS.c.pair.in_(pairs))).scalars() if pairs else ()
        )
        return list(dict.fromkeys([*(row.id for row in found), *together]))

    def _called(self, connection: Connection, wanted: str, now: datetime) -> list[str]:
        """By own references that are not due to be forgotten."""
        held = (REQUESTS.c.reference.is_not(None), REQUESTS.c.delete_at > now)
        newest = select(REQUESTS.c.id, REQUESTS.c.reference).where(*held).order_by(REQUESTS.c.made_at.desc())
        found = []
        for row in connection.execute(newest.limit(MOST_REFERENCES)):
            try:
                reference = self._sealer.open_reference(row.id, row.reference)
            except SealBroken:
                continue  # It was changed from outside, and names nothing any more.
            if wanted.casefold() in reference.casefold():
                found.append(row.id)
                if len(found) == MOST_FOUND:
                    break
        return found
