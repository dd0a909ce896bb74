"""What holds at any time, in all databases, whatever was killed."""

import sqlite3
from collections import Counter
from pathlib import Path

from proofs.formats.sd_jwt import parse_sd_jwt
from wallet.deployment import Deployment
from wallet.histories import Histories
from wallet.store.archived import archived_certificates
from wallet.vault import UnlockedVault


def issuer_holds(database: Path) -> None:
    """No slot twice, no copy without its slot, counts derived from rows agree with rows, no certificate twice."""
    with sqlite3.connect(database) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        slots = connection.execute("select offer_id, list_id, idx from slots").fetchall()
        offers = dict(connection.execute("select id, copies from offers").fetchall())
        allocated = dict(connection.execute("select id, allocated from status_lists").fetchall())
    assert len({slot[1:] for slot in slots}) == len(slots), "a status index was given twice"
    taken = Counter(offer for offer, _, _ in slots)
    assert {offer: count for offer, count in offers.items() if count} == dict(taken), "slots and copies differ"
    by_list = Counter(number for _, number, _ in slots)
    assert all(allocated[number] >= count for number, count in by_list.items())


def verifier_holds(database: Path) -> None:
    """One answer for a request, values only of requests that have not ended, no copy shown twice."""
    with sqlite3.connect(database) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        answered = Counter(
            row[0] for row in connection.execute("select request_id from log where event = 'answered'").fetchall()
        )
        keys = connection.execute("select thumbprint, request_id from holder_keys").fetchall()
        numbers = [row[0] for row in connection.execute("select number from log order by number").fetchall()]
        contents = connection.execute("select count(*) from contents").fetchone()[0]
        kept = connection.execute("select count(*) from requests where contents_number is not null").fetchone()[0]
    assert not answered or max(answered.values()) == 1, "an answer counted twice"
    assert numbers == list(range(1, len(numbers) + 1)), "the log has a gap"
    assert len({key for key, _ in keys}) == len(keys), "a copy was shown twice"
    assert (contents > 0) == (kept > 0), "values without their request, or the reverse"


def wallet_holds(deployment: Deployment, vault: UnlockedVault) -> None:
    """The chain of the history verifies, no copy is there twice, and what was received is written once."""
    book = Histories(deployment).read(vault)
    assert book.is_intact, book.faults
    received = [entry.id for entry in book.entries for event in entry.events if event.kind == "received"]
    assert len(set(received)) == len(received), "received twice"
    with deployment.database.reading() as connection:
        places = [_place(copy.token) for one in archived_certificates(connection, vault) for copy in one.copies]
    assert len(set(places)) == len(places), "a copy is kept twice"


def status_lists_of(deployment: Deployment, vault: UnlockedVault) -> list[str]:
    """The addresses of the status lists that the copies in a vault name."""
    with deployment.database.reading() as connection:
        found = [_place(copy.token)[0] for one in archived_certificates(connection, vault) for copy in one.copies]
    return sorted(set(found))


def nothing_lies_about(directory: Path) -> None:
    """No half-written file is left that nothing will ever remove."""
    assert not left_behind(directory), left_behind(directory)


def left_behind(directory: Path) -> list[str]:
    """Names of half-written files."""
    return [path.name for path in directory.rglob("*") if path.is_file() and path.name.endswith((".new", ".tmp"))]


def _place(token: str) -> tuple[str, int]:
    entry = parse_sd_jwt(token).claims["status"]["status_list"]
    return entry["uri"], entry["idx"]
