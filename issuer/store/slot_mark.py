"""How many entries of the newest status list were ever taken: a small file beside the database.

An entry that was given to a copy must never be given to another one, or revoking the one would revoke the other. Within
the database a key guarantees that; a database that was restored from an older copy has forgotten what was taken since.
The mark has not, so that a database behind it is noticed when the next entry is taken, and a fresh list is begun
(durability D13).

It is written before the transaction that takes entries commits, inside the database's lock. It is not forced to disk:
what it guards against is an old database beside it, not a power cut, after which it may be behind, which is harmless.
A process that is killed between the two leaves a mark that is ahead, which costs a fresh list and nothing else.
"""

import os
from pathlib import Path

from issuer.status import StatusRolledBack
from service.database import StorageUnavailable

Taken = tuple[int, int]
"""Number of a list, and how many of its entries were taken."""


class SlotMark:
    """The mark of one data directory, shared by its processes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Taken:
        """What was taken last as far as is known; (0, 0) before the first. Raises `StatusRolledBack` when damaged.

        A file that is empty, or holds zeros, was made at the very first entry and not written before the power went.
        """
        try:
            content = self._path.read_bytes()
            if not content.strip(b"\0 \n"):
                return 0, 0
            number, taken = content.split()
            return int(number), int(taken)
        except FileNotFoundError:
            return 0, 0
        except ValueError as exc:
            raise StatusRolledBack(f"the file {self._path.name} beside the database is damaged") from exc

    def write(self, taken: Taken) -> None:
        """Remember it, in one write of always the same length. Raises `StorageUnavailable`."""
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(handle, b"%12d %12d\n" % taken, 0)
            finally:
                os.close(handle)
        except OSError as exc:
            raise StorageUnavailable from exc
