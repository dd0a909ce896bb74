"""The high-water mark of published status lists: a small file beside the database.

A status list must never be served older than one that was served before, or a revoked certificate would be valid again.
The mark remembers, outside the database, the highest version of each list that was ever served. It is on disk before
that version leaves the house. A database that is behind the mark was restored from an old copy, and its lists are not
served.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from issuer.status import StatusRolledBack
from proofs import strict_json
from schemas.errors import Malformed
from service.database import StorageUnavailable


class HighWaterMark:
    """The highest published version of each status list, shared by all processes on one data directory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[int, int] = {}

    def raise_to(self, list_id: int, version: int) -> None:
        """Remember that this version is about to be served.

        Raises `StatusRolledBack` when a higher one was served before, `StorageUnavailable` when the mark cannot be
        written: then that version must not be served yet. Costs nothing when the version is the one known.
        """
        if self._known.get(list_id) == version:
            return
        try:
            self._raise_to(list_id, version)
        except OSError as exc:
            raise StorageUnavailable from exc
        self._known[list_id] = version

    def _raise_to(self, list_id: int, version: int) -> None:
        with self._locked():
            marks = self._read()
            if version < marks.get(list_id, -1):
                raise StatusRolledBack(
                    f"status list {list_id} is at version {version}, but {marks[list_id]} was published before: "
                    "the database was restored from an older copy; repeat the changes made since then"
                )
            if version > marks.get(list_id, -1):
                self._write(marks | {list_id: version})

    def of(self, list_id: int) -> int:
        """The mark of a list, -1 when it was never published."""
        return self._read().get(list_id, -1)

    def _read(self) -> dict[int, int]:
        try:
            stored = strict_json.loads_object(self._path.read_bytes())
            return {int(list_id): int(version) for list_id, version in stored.items()}
        except FileNotFoundError:
            return {}
        except (Malformed, ValueError, TypeError) as exc:
            raise StatusRolledBack("the file with the marks of published status lists is damaged") from exc

    def _write(self, marks: dict[int, int]) -> None:
        """Replace the file as a whole: temporary file, fsync, rename, fsync of the directory."""
        temporary = self._path.with_suffix(".new")
        with temporary.open("wb") as file:
            file.write(strict_json.dumps({str(list_id): version for list_id, version in marks.items()}))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._path.with_suffix(".lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
