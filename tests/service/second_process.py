"""What a second real process does in the tests of single use: `python -m tests.service.second_process WORK PATH START`.

START is the moment (seconds since 1970) at which all threads of all processes begin together.
"""

import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

from service.database import Busy, Database
from service.single_use import spend, spent_table
from tests.service.conftest import NOW, sample_metadata

THREADS = 16


def spend_once(database: Database, value: str, *, kind: str = "code") -> bool:
    """Spend a value in a transaction of its own."""
    expires_at = NOW + timedelta(minutes=5)
    with database.transaction() as connection:
        return spend(connection, spent_table(database.metadata), kind=kind, value=value, expires_at=expires_at, now=NOW)


def race(database: Database, start: float) -> list[bool]:
    """Sixteen threads spend the same value at the same moment; a busy one asks again, as a peer does after 503."""
    outcomes: list[bool] = []

    def one() -> None:
        time.sleep(max(0.0, start - time.time()))
        while True:
            try:
                outcomes.append(spend_once(database, "the-only-code"))
                return
            except Busy:
                continue

    running = [threading.Thread(target=one) for _ in range(THREADS)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return outcomes


def main(work: str, path: str, start: str) -> None:
    """Do one of the works and print what came of it."""
    database = Database(Path(path), sample_metadata())
    if work == "create":
        time.sleep(max(0.0, float(start) - time.time()))
        database.create()
    elif work == "race":
        for won in race(database, float(start)):
            print("won" if won else "lost")
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
