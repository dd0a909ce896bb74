"""A new credential type is one file and one line, and nothing else knows any type by name."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import schemas
from schemas.types import CREDENTIAL_TYPES, CredentialType

ROOT = Path(__file__).parents[3]
ROOMS = ("schemas", "proofs", "service", "issuer", "wallet", "verifier")
FOUR = {
    "registration-certificate": "registration_certificate.py",
    "target-group-certificate": "target_group_certificate.py",
    "upper-secondary-grades": "upper_secondary_grades.py",
    "employment": "employment.py",
}
ALLOWED = {
    # What an operator writes: requests and an example of a table, in data and in a text.
    "verifier/builtin/internship.toml",
    "issuer/templates/import.html",
    # Examples in a docstring and in a sentence that tells how kinds are written.
    "schemas/types/statement_type.py",
    "schemas/types/power_of_representation.py",
    # Kinds of purposes, one of which has the same name: an employer's, whatever they ask for.
    "wallet/over_asking/purposes.py",
}


@pytest.mark.processes
def test_a_type_is_added_by_one_file_and_one_line(tmp_path: Path) -> None:
    """In a copy of the room: then it is read in, offered, described in both languages, issued, kept, shown, asked for
    and verified, by all the other rooms as they are."""
    room = tmp_path / "schemas"
    shutil.copytree(Path(str(schemas.__file__)).parent, room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(Path(__file__).with_name("volunteering.py"), room / "types" / "volunteering.py")
    table = room / "types" / "__init__.py"
    text = table.read_text("utf-8")
    line = "        POWER_OF_REPRESENTATION,\n"
    assert text.count(line) == 1
    text = text.replace(line, f"{line}        VOLUNTEERING,\n")
    text = text.replace(
        "CREDENTIAL_TYPES: dict", "from schemas.types.volunteering import VOLUNTEERING\n\nCREDENTIAL_TYPES: dict"
    )
    table.write_text(text, "utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}

    def run(module: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", module], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-4_000:]
        return done.stdout

    run("schemas.types")  # Writes the documents that are published, as CONTRIBUTING says.
    assert (room / "json" / "volunteering.type-metadata.json").exists()
    assert run("tests.schemas.types.walk_of_one_more_type").strip() == "walked"


@pytest.mark.parametrize("name", FOUR)
def test_a_type_has_one_file_and_nothing_else_treats_it_in_a_way_of_its_own(name: str) -> None:
    """Its name, its `vct` and its constant stand in its file and in the table, and in no code or template besides."""
    constant = FOUR[name].removesuffix(".py").upper()
    spelled = re.compile(rf"""["'`]{name}["'`]|\b{name}:1\b|\b{constant}\b|^{name};""", re.MULTILINE)
    found = {
        str(file.relative_to(ROOT))
        for room in ROOMS
        for ending in ("*.py", "*.html", "*.toml", "*.js")
        for file in (ROOT / room).rglob(ending)
        if spelled.search(file.read_text("utf-8"))
    }
    own = {f"schemas/types/{FOUR[name]}", "schemas/types/__init__.py"}
    assert found >= own
    assert found - own <= ALLOWED


@pytest.mark.parametrize("name", FOUR)
def test_no_service_knows_a_claim_that_only_one_type_has(name: str) -> None:
    """What a type says is told by its file alone: no page, rule or reader names such a claim. Compared are names of
    more than one word; of the others, as `school`, any code may have its own."""
    kind = CREDENTIAL_TYPES[name]
    others = {step for other in CREDENTIAL_TYPES.values() if other is not kind for step in _steps(other)}
    own = sorted(step for step in _steps(kind) - others if "_" in step)
    assert own, "a type that says nothing of its own"
    spelled = re.compile(rf"""["'](?:{"|".join(own)})["']""")
    named = {
        str(file.relative_to(ROOT)): sorted(set(found))
        for room in ROOMS[1:]
        for file in (ROOT / room).rglob("*.py")
        if (found := spelled.findall(file.read_text("utf-8")))
    }
    assert named == {}


def _steps(kind: CredentialType) -> set[str]:
    return {step for spec in kind.claims for step in spec.path if isinstance(step, str)}
