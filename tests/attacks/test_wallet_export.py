"""Hostile files in place of a saved wallet: each is refused within bounded time and memory, and nothing changes."""

import hashlib
import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from proofs import strict_json
from proofs.keys import generate_signer
from schemas.errors import ProtocolError
from tests.wallet.fake_verifier import known_verifier, notice, query
from tests.wallet.people import Sharer
from tests.wallet.test_portability import FILE_PASSPHRASE, export, import_into
from tests.world import World
from wallet.archive import (
    MAX_FILE_BYTES,
    ExportBroken,
    ExportLocked,
    ExportTooLarge,
    UnknownExportVersion,
    opened_archive,
    read_archive,
    sealed_archive,
    write_archive,
)
from wallet.histories import Histories

pytestmark = pytest.mark.anyio


def packed(files: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive with these members."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


def manifest(contents: dict[str, bytes], /, **changes: Any) -> bytes:
    """A manifest that fits the files."""
    listed = [
        {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in contents.items()
    ]
    members = {"format": "urn:intyga:wallet-export", "version": 1, "made_at": 0, "files": listed, **changes}
    return strict_json.dumps(members)


def archive(members: dict[str, bytes], /, **changes: Any) -> bytes:
    """A well-formed archive of any files."""
    return packed({"manifest.json": manifest(members, **changes), **members})


def lying_about_its_size() -> bytes:
    """A member that says it is small, in every place where it says so, and inflates to far more."""
    content = packed({"manifest.json": b"{}", "history.json": b"0" * 300_000_000})
    return content.replace(struct.pack("<L", 300_000_000), struct.pack("<L", 10))


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: b"", ExportBroken),
        (lambda: b"PK\x03\x04" + b"\x00" * 100, ExportBroken),
        (lambda: b"no archive at all", ExportBroken),
        (lambda: archive({"a.json": b"{}"}, version=2), UnknownExportVersion),
        (lambda: archive({"a.json": b"{}"}, version="1"), UnknownExportVersion),
        (lambda: archive({"a.json": b"{}"}, format="other"), ExportBroken),
        (lambda: archive({"a.json": b"{}"}, files=[]), ExportBroken),
        (lambda: archive({"a.json": b"{}"}, files=[{"name": "a.json"}]), ExportBroken),
        (lambda: archive({"a.json": b"{}"}, files="a.json"), ExportBroken),
        (lambda: packed({"a.json": b"{}"}), ExportBroken),
        (lambda: packed({"manifest.json": b'{"format":1,"format":2}'}), ExportBroken),
        (lambda: packed({"manifest.json": b"[" * 100_000}), ExportBroken),
        (lambda: archive({"../../etc/passwd": b"x"}), ExportBroken),
        (lambda: archive({"/etc/passwd": b"x"}), ExportBroken),
        (lambda: archive({"certificates\\1": b"x"}), ExportBroken),
        (lambda: archive({"a/": b""}), ExportBroken),
        (lambda: archive({f"f{number}": b"" for number in range(20_001)}), ExportTooLarge),
        (lambda: packed({"manifest.json": b"{}", "a": b"0" * 200_000_000}), ExportTooLarge),
        (lambda: packed({"manifest.json": b"{}", **{f"f{n}": b"0" * 30_000_000 for n in range(4)}}), ExportTooLarge),
        (lambda: packed({"manifest.json": b"{}"}, compression=zipfile.ZIP_LZMA), ExportBroken),
        (lambda: lying_about_its_size(), ExportBroken),
        (lambda: b"x" * (MAX_FILE_BYTES + 1), ExportTooLarge),
    ],
)
def test_an_archive_that_is_not_ours_is_refused_in_bounds(
    make: Callable[[], bytes], error: type[ProtocolError]
) -> None:
    """Bombs, tricks with names, other versions, lies about sizes."""
    content = make()
    tracemalloc.start()
    try:
        with pytest.raises(error):
            read_archive(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 400_000_000


async def test_a_member_twice_is_refused() -> None:
    """Two readers could see two files."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        made.writestr("manifest.json", manifest({"a.json": b"1"}))
        made.writestr("a.json", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            made.writestr("a.json", b"2")

    with pytest.raises(ExportBroken):
        read_archive(written.getvalue())


async def test_every_torn_or_changed_file_is_refused(world: World) -> None:
    """Cut off anywhere, one bit changed anywhere, another passphrase: locked or broken, never half."""
    sharer = await Sharer.with_certificate(world)
    file = await export(world, sharer.vault)

    for cut in (0, 10, 30, 80, 120, len(file) // 2, len(file) - 1):
        with pytest.raises((ExportBroken, ExportLocked)):
            read_archive(await opened_archive(file[:cut], FILE_PASSPHRASE))
    for place in (25, 40, 60, 100, 200, len(file) // 2, len(file) - 1):
        changed = file[:place] + bytes([file[place] ^ 1]) + file[place + 1 :]
        with pytest.raises((ExportBroken, ExportLocked)):
            read_archive(await opened_archive(changed, FILE_PASSPHRASE))
    with pytest.raises(ExportLocked):
        await opened_archive(file, FILE_PASSPHRASE + "!")


@pytest.mark.parametrize(
    "kdf", ["argon2id,1048576,20,4", "argon2id,8,1,1", "argon2id,65536,3,5", "none", "", "argon2id,65536,3,4 "]
)
async def test_the_cost_of_a_file_is_pinned(kdf: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a cheap key nor one that costs a gigabyte is derived: none is."""
    file = await sealed_archive(write_archive({}, made_at=datetime(2026, 11, 20, tzinfo=UTC)), FILE_PASSPHRASE)
    derived: list[str] = []

    async def derive(passphrase: str, salt: bytes) -> bytes:
        derived.append(passphrase)
        return bytes(32)

    monkeypatch.setattr("wallet.archive._key", derive)

    with pytest.raises(ExportBroken):
        await opened_archive(file.replace(b"argon2id,65536,3,4", kdf.encode()), FILE_PASSPHRASE)
    assert derived == []
    with pytest.raises(ExportLocked):  # An unchanged file does derive a key, here a wrong one.
        await opened_archive(file, FILE_PASSPHRASE)
    assert derived == [FILE_PASSPHRASE]


def _another_key(files: dict[str, bytes]) -> None:
    files["certificates/1/copy-1.key.json"] = strict_json.dumps(generate_signer().private_jwk())


def _no_key(files: dict[str, bytes]) -> None:
    files["certificates/1/copy-1.key.json"] = b"{}"


def _no_token(files: dict[str, bytes]) -> None:
    files["certificates/1/copy-1.txt"] = b"eyJ.eyJ.x~"


def _missing_copy(files: dict[str, bytes]) -> None:
    del files["certificates/1/copy-2.txt"]


def _display_that_breaks_pages(files: dict[str, bytes]) -> None:
    about = strict_json.loads(files["certificates/1/about.json"])
    about["view"]["display"] = {"claims": 7, "display": "x"}
    about["view"]["issuer_display"] = 7
    files["certificates/1/about.json"] = strict_json.dumps(about)


def _facts_that_break_pages(files: dict[str, bytes]) -> None:
    events = strict_json.loads(files["history.json"])
    events[1]["facts"]["who"] = {"other": "x"}
    files["history.json"] = strict_json.dumps(events)


def _event_of_an_unknown_kind(files: dict[str, bytes]) -> None:
    events = strict_json.loads(files["history.json"])
    events[0]["kind"] = "stolen"
    files["history.json"] = strict_json.dumps(events)


def _entry_with_a_path_as_its_name(files: dict[str, bytes]) -> None:
    events = strict_json.loads(files["history.json"])
    events[0]["entry"] = "../../x"
    files["history.json"] = strict_json.dumps(events)


def _time_beyond_the_calendar(files: dict[str, bytes]) -> None:
    events = strict_json.loads(files["history.json"])
    events[0]["at"] = 1e300
    files["history.json"] = strict_json.dumps(events)


def _no_history(files: dict[str, bytes]) -> None:
    del files["history.json"]


def _statement_that_breaks_pages(files: dict[str, bytes]) -> None:
    events = strict_json.loads(files["history.json"])
    statement = {"iss": "x", "iat": 1e300, "request_id": "r", "nonce": "n", "reason": "erased"}
    facts = {"token": "x", "statement": {**statement, "outcome": "deleted", "items": []}}
    events.append({**events[-1], "kind": "deletion_stated", "facts": facts})
    files["history.json"] = strict_json.dumps(events)


def _wish_for_an_item_that_is_not_there(files: dict[str, bytes]) -> None:
    events = strict_json.loads(files["history.json"])
    facts = {"way": "endpoint", "chosen": [7]}
    events.append({**events[-1], "kind": "deletion_asked", "facts": facts})
    files["history.json"] = strict_json.dumps(events)


def _means_with_a_key_that_is_none(files: dict[str, bytes]) -> None:
    means = strict_json.loads(files["taking-back.json"])
    next(iter(means.values()))["key"] = {"kty": "oct", "k": "AAAA"}
    files["taking-back.json"] = strict_json.dumps(means)


@pytest.mark.parametrize(
    "change",
    [
        _statement_that_breaks_pages,
        _wish_for_an_item_that_is_not_there,
        _means_with_a_key_that_is_none,
        _another_key,
        _no_key,
        _no_token,
        _missing_copy,
        _display_that_breaks_pages,
        _facts_that_break_pages,
        _event_of_an_unknown_kind,
        _entry_with_a_path_as_its_name,
        _time_beyond_the_calendar,
        _no_history,
    ],
)
async def test_a_file_with_one_thing_wrong_changes_nothing(
    world: World, change: Callable[[dict[str, bytes]], None]
) -> None:
    """The archive is whole and its digests fit, but one thing in it cannot be: nothing of it is taken in."""
    sharer = await Sharer.with_certificate(world)
    employer = known_verifier(world)
    await sharer.approve(await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link()))
    files = read_archive(await opened_archive(await export(world, sharer.vault), FILE_PASSPHRASE))
    otto = await world.wallet.person("Otto")
    await import_into(world, otto, write_archive(files, made_at=world.clock()))
    change(files)
    elin = await world.wallet.person("Elin")

    with pytest.raises(ExportBroken):
        await import_into(world, elin, write_archive(files, made_at=world.clock()))

    assert elin.certificates() == []
    assert Histories(world.wallet.deployment).read(elin).entries == ()
