"""Files of keys are written whole or not at all, and a key is made once, whatever is killed meanwhile."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from proofs.certified_keys import certified_key
from proofs.keys import write_new_file
from schemas.errors import Refused

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY = {"name": "k", "common_name": "K", "public_url": "https://k.example", "passphrase": b"sixteen bytes or more"}
FILES = ("k.key.pem", "k.root.key.pem", "k.root.pem", "k.chain.pem")
DYING = """
import os, signal, sys
from pathlib import Path
from proofs.keys import write_new_file
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
setattr(os, sys.argv[2], die)
write_new_file(Path(sys.argv[1]), b"everything a person has", secret=True)
"""


@pytest.mark.processes
@pytest.mark.parametrize("point", ["fsync", "link"])
def test_a_writer_that_is_killed_leaves_nothing_behind(tmp_path: Path, point: str) -> None:
    """Neither half a file under its name, nor its content under another one."""
    place = tmp_path / "out"
    place.mkdir()
    command = [sys.executable, "-c", DYING, str(place / "file"), point]
    killed = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("without", [False, True])
def test_a_file_is_private_whole_and_never_written_over(
    tmp_path: Path, without: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same on a file system that has no nameless files."""
    if without:
        monkeypatch.delattr(os, "O_TMPFILE")
    write_new_file(tmp_path / "file", b"first", secret=True)
    with pytest.raises(Refused, match="exists already"):
        write_new_file(tmp_path / "file", b"second", secret=True)
    assert (tmp_path / "file").read_bytes() == b"first"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("written", range(len(FILES)))
def test_a_key_whose_making_was_interrupted_is_made_again(tmp_path: Path, written: int) -> None:
    """Wallet and verifier make theirs this way at their first start: a kill must not keep them from the second."""
    first = certified_key(tmp_path, now=NOW, **KEY)  # type: ignore[arg-type]
    for name in FILES[written:]:
        (tmp_path / name).unlink()

    made = certified_key(tmp_path, now=NOW, **KEY)  # type: ignore[arg-type]

    assert made.signer.kid != first.signer.kid
    assert certified_key(tmp_path, now=NOW, **KEY).signer.kid == made.signer.kid  # type: ignore[arg-type]
    aside = sorted(path.name for path in tmp_path.glob("*.unfinished"))
    assert aside == sorted(f"{name}.unfinished" for name in FILES[:written])
