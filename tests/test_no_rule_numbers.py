"""The numbers of our requirements and rules (CS-18, OA-05) are for us: no person reads one on a page or a terminal."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import issuer.cli
import verifier.cli
import wallet.cli

ROOT = Path(__file__).parents[1]
ROOMS = ("issuer", "wallet", "verifier", "service", "schemas", "proofs")
NUMBER = re.compile(r"\b(CS|OA|D|A|WHO|REG|CER)-?[0-9]{2}\b")
TABLE = ROOT / "wallet" / "over_asking" / "rules.py"  # the ids of the rules, for histories and machines


def said_by(file: Path) -> Iterator[str]:
    """The string constants of a module, its docstrings aside."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes:
            yield node.value


def commands(group: Any, name: str) -> Iterator[tuple[str, str]]:
    """Every command below a group with all that `--help` says of it."""
    inner = getattr(group, "commands", {})
    options = [str(getattr(one, "help", "") or "") for one in group.params]
    yield name, " ".join([group.help or "", *options])
    for below, command in inner.items():
        yield from commands(command, f"{name} {below}")


@pytest.mark.parametrize("room", ROOMS)
def test_no_text_of_a_room_names_a_rule(room: str) -> None:
    """Neither a sentence in a module nor one in a template, nor its translation; comments may."""
    files = [file for file in sorted((ROOT / room).rglob("*.py")) if file != TABLE]
    found = [(file.name, text) for file in files for text in said_by(file) if NUMBER.search(text)]
    for page in sorted((ROOT / room).rglob("templates/**/*.html")):
        text = re.sub(r"\{#.*?#\}", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        found += [(page.name, line) for line in text.splitlines() if NUMBER.search(line)]
    for catalogue in sorted((ROOT / room).rglob("locale/*.po")):
        text = catalogue.read_text(encoding="utf-8")
        found += [(catalogue.name, line) for line in text.splitlines() if line[:1] != "#" and NUMBER.search(line)]

    assert files
    assert found == []


@pytest.mark.parametrize(
    "app", [issuer.cli.app, wallet.cli.app, verifier.cli.app], ids=["issuer", "wallet", "verifier"]
)
def test_no_help_of_a_command_names_a_rule(app: typer.Typer) -> None:
    """What `--help` prints comes from docstrings as well."""
    told = list(commands(typer.main.get_command(app), "intyga"))

    assert len(told) > 5
    assert [name for name, text in told if NUMBER.search(text)] == []
