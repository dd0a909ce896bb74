"""A backup is what `docs/durability.md` says that it is: each service goes on from those files and no others."""

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from examples.services import Services, start_trusting

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[1]
NAMES = ("issuer", "wallet", "verifier")


def files_of_a_backup() -> set[str]:
    """What the table under "Backing up" names, beside the database."""
    text = (ROOT / "docs" / "durability.md").read_text(encoding="utf-8")
    part = text.partition("## Backing up")[2].partition("\n## ")[0]
    rows = [line.strip().split("|")[1] for line in part.splitlines() if line.strip().startswith("| `")]
    return {name.rstrip("/") for row in rows for name in re.findall(r"`([^`]+)`", row)}


def back_up(data: Path, copy: Path, name: str) -> None:
    """Copy a service that runs, as the document tells to."""
    (copy / name).mkdir(parents=True)
    with (
        closing(sqlite3.connect(data / name / f"{name}.sqlite3")) as running,
        closing(sqlite3.connect(copy / name / f"{name}.sqlite3")) as kept,
    ):
        running.backup(kept)
    for one in files_of_a_backup():
        there = data / name / one
        if there.is_dir():
            shutil.copytree(there, copy / name / one)
        elif there.exists():
            shutil.copy2(there, copy / name / one)


def test_each_service_goes_on_from_its_backup(tmp_path: Path) -> None:
    """The commands at once, with nothing but the files; then the service, at its address and with its keys."""
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("korvar på tork i solen", encoding="utf-8")
    settings = {"WALLET_PASSPHRASE_FILE": str(passphrase)}
    said = {"ISSUER_NAME": "Nordanviks universitet", "ISSUER_COUNTRY": "SE", "VERIFIER_CONTACT": "hr@fjordtal.example"}
    with Services(tmp_path / "first", settings=settings | said) as services:
        start_trusting(services)
        record = str(ROOT / "examples" / "data" / "study-record.xml")
        offers = services.command("issuer", "offer", "--type", "micro-credential", "--from", record)
        services.command("wallet", "receive", offers[0]["offer"])
        request = services.command("verifier", "request", "--template", "internship")
        shown = _shown(services, request)
        keys = {name: _public(services.data / name) for name in NAMES}
        for name in NAMES:
            back_up(services.data, tmp_path / "second", name)
        ports = {name: urlsplit(services.urls[name]).port or 0 for name in NAMES}
        services.stop()
        left_out = {one.name for name in NAMES for one in (services.data / name).iterdir()} - files_of_a_backup()
        assert {one for one in left_out if ".sqlite3" not in one and not one.endswith(".lock")} == set()
        offers = services.command("issuer", "list")

    with Services(tmp_path / "second", settings=settings) as services:
        assert services.command("issuer", "list") == offers
        assert _shown(services, request) == shown
        for name in NAMES:
            assert services.start(name, ports[name]).endswith(f":{ports[name]}")
        assert {name: _public(services.data / name) for name in NAMES} == keys
        (certificate,) = services.command("wallet", "list")
        services.command("wallet", "show", certificate["id"])


def _shown(services: Services, request: dict[str, Any]) -> Any:
    """What the wallet has, and what became of a request."""
    return services.command("wallet", "list"), services.command("verifier", "result", request["id"], accept=(0, 1, 3))


def _public(data: Path) -> dict[str, bytes]:
    """The certificates of a service's keys."""
    return {one.name: one.read_bytes() for one in (data / "keys").glob("*.pem") if ".key." not in one.name}
