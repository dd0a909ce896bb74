"""The OpenAPI description in `docs/` is that of the service, and enough for a program that has nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastapi.routing import APIRoute
from httpx2 import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from examples.openapi import FILE, text
from service.clock import utc_now
from tests.verifier.scene import Scene
from tests.verifier.test_api import Web
from tests.verifier.test_internship import Applicant
from verifier.api import embedding, permissions, rechecks, wallets, webhooks, withdrawals
from verifier.app import create_app, make_http
from verifier.pages import page_routers
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


def test_every_operation_stands_in_the_table_of_the_documents(described: dict[str, Any]) -> None:
    """Whoever reads `docs/verifier.md` alone misses none."""
    text = (ROOT / "docs/verifier.md").read_text("utf-8")
    table = [line.split("|")[1] for line in text.splitlines() if re.match(r"\| `(GET|POST) /api/", line)]
    told = {
        (method, re.sub(r"/(ID|NAME)\b", "/{}", path))
        for cell in table
        for path in re.findall(r"/api/[\w/]+", cell)
        for method in re.findall(r"GET|POST|DELETE", cell)
    }

    assert operations(described) - told == set()


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
    schema = {"$ref": "#/components/schemas/ResultOut", "components": described["components"]}

    for told in (applicant.told(waiting), applicant.told(made)):
        jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(told)))
    assert applicant.told(made)["eligibility"]["answer"] == ("eligible" if registered else "not_eligible")


def test_every_operation_has_a_described_answer_and_one_form_of_refusal(described: dict[str, Any]) -> None:
    """A program needs no trial to know what comes: a model for what is done, a problem document for what is not."""
    for path, of in described["paths"].items():
        for method, operation in of.items():
            told, place = operation["responses"], f"{method} {path}"
            done = {status: answer for status, answer in told.items() if status.startswith("2")}
            assert len(done) == 1, place
            for status, answer in done.items():
                assert answer["description"] != "Successful Response", place
                models = [content["schema"].get("$ref") for content in answer.get("content", {}).values()]
                assert (models == []) if status == "204" else (len(models) == 1 and models[0]), place
            assert {"401", "429", "4XX", "5XX"} <= set(told), place
            assert "422" not in told, place
            for status in set(told) - set(done):
                (form,) = told[status]["content"].items()
                assert form == ("application/problem+json", {"schema": {"$ref": "#/components/schemas/Problem"}}), place


def test_every_member_is_described(described: dict[str, Any]) -> None:
    """Models that only name their members leave the meaning to guesses."""
    for name, schema in described["components"]["schemas"].items():
        assert schema.get("description"), name
        for member, of in schema.get("properties", {}).items():
            assert of.get("description"), f"{name}.{member}"


def test_everything_under_api_is_described(described: dict[str, Any]) -> None:
    """No route is left out of the description, such as one beside FastAPI's own."""
    routers = [embedding.router, rechecks.router, webhooks.router, wallets.router, wallets.code_router]
    routers += [withdrawals.router, permissions.router, *page_routers()]
    served = {
        (method, re.sub(r"\{[^}]+\}", "{}", route.path))
        for router in routers
        for route in router.routes
        if isinstance(route, Route | APIRoute) and route.path.startswith("/api/")
        for method in (route.methods or set()) - {"HEAD"}
    }

    assert served == operations(described)


def test_needs_and_refusals_are_as_described(described: dict[str, Any], tmp_path: Path) -> None:
    """What the service answers is of the models: a request, the templates, what one needs, and each refusal."""
    web = Web(Scene(tmp_path))
    key = web.authorized

    def of(answer: Response, name: str, status: int) -> Any:
        assert answer.status_code == status
        schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())
        return answer.json()

    of(web.client.post("/api/requests", headers=key, json={"template": "internship"}), "RequestMade", 201)
    of(web.client.get("/api/templates", headers=key), "TemplateList", 200)
    of(web.client.get("/api/templates/internship", headers=key), "TemplateOut", 200)
    for refused, status, code in (
        (web.client.get("/api/templates"), 401, "invalid_token"),
        (web.client.get("/api/templates/none", headers=key), 404, "unknown_template"),
        (web.client.get("/api/nowhere", headers=key), 404, "not_found"),
        (
            web.client.post("/api/requests", headers=key, json={"template": "internship", "k": 1}),
            400,
            "invalid_request",
        ),
        (web.client.put("/api/templates", headers=key), 405, "method_not_allowed"),
        (web.client.post("/api/requests", headers=key, content=b" " * 300_000), 413, "too_large"),
    ):
        problem = of(refused, "Problem", status)
        assert (problem["error"], problem["status"]) == (code, status)
        assert refused.headers["content-type"] == "application/problem+json"


def test_what_wallets_ask_is_refused_in_the_form_of_their_standard(tmp_path: Path) -> None:
    """OpenID4VP and OAuth have an error form of their own."""
    answer = Web(Scene(tmp_path)).client.post("/request/unknown")

    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"error", "error_description"}


def test_nothing_is_served_unless_the_operator_wants_it(tmp_path: Path) -> None:
    """The whole description names staff pages; the one for programs lies in `docs/`."""
    for wanted, status in ((False, 404), (True, 200)):
        settings = VerifierSettings(data=tmp_path / str(wanted), allow_loopback=True, api_docs=wanted)
        app = create_app(settings, http=make_http(settings), clock=utc_now)
        assert TestClient(app, base_url="http://localhost:8300").get("/openapi.json").status_code == status
        app.state.verifier.database.close()
