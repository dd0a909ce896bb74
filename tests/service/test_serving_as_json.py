"""`serve --json` of the three services, as installed: one line that a program can read."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("service", ["issuer", "wallet", "verifier"])
def test_serve_prints_its_address_and_announcements_as_one_line(service: str, tmp_path: Path) -> None:
    """What people are told on the terminal stands in it: settings that lift a guard, the code for the first account."""
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name(f"intyga-{service}")), "serve", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            f"{service.upper()}_DATA": str(tmp_path),
            f"{service.upper()}_ALLOW_LOOPBACK": "1",
            "ISSUER_STATUS_LIST_SIZE": "1000",
        },
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
    finally:
        process.terminate()
        rest, told = process.communicate(timeout=20)

    assert line, told
    said = json.loads(line)
    assert said["service"] == service
    assert said["address"] == (tmp_path / "public-url").read_text().strip() + "/"
    assert said["announcements"][0].startswith(f"{service.upper()}_ALLOW_LOOPBACK:")
    if service != "wallet":
        assert any(sentence.startswith("Code for the first account") for sentence in said["announcements"])
    assert rest == ""
    assert "Code for the first account" not in told
