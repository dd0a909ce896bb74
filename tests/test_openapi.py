"""The OpenAPI description in `docs/` is that of the service, and enough for a program that has nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient

from examples.openapi import FILE, text
from service.clock import utc_now
from tests.verifier.test_internship import Applicant
from verifier.app import create_app, make_http
from verifier.settings import VerifierSettings

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The description as it lies in the repository."""
    found: dict[str, Any] = json.loads((ROOT / FILE).read_text("utf-8"))
    return found


def operations(described: dict[str, Any]) -> set[tuple[str, str]]:
    """Every method with its path, names in braces left out."""
    return {
        (method.upper(), re.sub(r"\{[^}]+\}", "{}", path)) for path, of in described["paths"].items() for method in of
    }


def test_the_description_is_that_of_the_service() -> None:
    """Nobody reads of a member that is not there."""
    assert text() == (ROOT / FILE).read_text("utf-8"), "Run: python -m examples.openapi"


def test_only_what_programs_use_is_described(described: dict[str, Any]) -> None:
    """No page and nothing of wallets; every operation under the key."""
    assert described["paths"]
    assert [path for path in described["paths"] if not path.startswith("/api/")] == []
    assert described["security"] == [{"key": []}]


def test_every_request_of_the_shell_script_is_described(described: dict[str, Any]) -> None:
    """`apply.sh` is written from this and `docs/` alone."""
    script = (ROOT / "examples/jobbspranget/apply.sh").read_text("utf-8")
    asked = re.findall(r"ask (GET|POST) \"?(/api/[^\s?\"')]+)", script)
    written = {(method, re.sub(r"\$\w+|(?<=/templates/)\w+", "{}", path)) for method, path in asked}

    assert len(asked) == 3
    assert written <= operations(described)


def test_every_request_of_the_table_is_described(described: dict[str, Any]) -> None:
    """And the other way round for those that make and follow requests."""
    table = (ROOT / "docs/verifier.md").read_text("utf-8")
    rows = re.findall(r"^\| `(GET|POST|DELETE) (/api/[^\s?`]+)", table, re.MULTILINE)
    written = {(method, re.sub(r"\b(ID|NAME)\b", "{}", path)) for method, path in rows}

    assert len(written) >= 9
    assert written <= operations(described)


@pytest.mark.parametrize("registered", [True, False])
def test_a_result_is_as_described(described: dict[str, Any], tmp_path: Path, registered: bool) -> None:
    """Every member is there and none beside them, before an answer, accepted and refused."""
    applicant = Applicant(tmp_path)
    applicant.hold({"registered_status": registered})
    waiting = applicant.ask("internship")
    made, _ = applicant.apply("course")
    schema = {"$ref": "#/components/schemas/Result", "components": described["components"]}

    for told in (applicant.told(waiting), applicant.told(made)):
        jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(told)))
    assert applicant.told(made)["eligibility"]["answer"] == ("eligible" if registered else "not_eligible")


def test_nothing_is_served_unless_the_operator_wants_it(tmp_path: Path) -> None:
    """The whole description names staff pages; the one for programs lies in `docs/`."""
    for wanted, status in ((False, 404), (True, 200)):
        settings = VerifierSettings(data=tmp_path / str(wanted), allow_loopback=True, api_docs=wanted)
        app = create_app(settings, http=make_http(settings), clock=utc_now)
        assert TestClient(app, base_url="http://localhost:8300").get("/openapi.json").status_code == status
        app.state.verifier.database.close()
