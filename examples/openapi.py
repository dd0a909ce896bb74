"""The OpenAPI description of the verifier's interface for programs, written from the service itself.

python -m examples.openapi     # writes docs/verifier-openapi.json anew

Only what programs use: pages and what wallets ask are no part of it. The file is the same for every deployment, so that
nobody has to serve it (`VERIFIER_API_DOCS` is off by default: it would name staff pages to everybody).
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from service.clock import utc_now
from verifier.app import create_app, make_http
from verifier.eligibility import Answer
from verifier.requests import Kind
from verifier.settings import VerifierSettings
from verifier.store import State
from verifier.verification import Verdict

FILE = Path("docs/verifier-openapi.json")
ABOUT = "What programs ask of an Intyga verifier. Meanings and checks: docs/verifier.md; webhooks: docs/webhooks.md."
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
}
TEXT: dict[str, Any] = {"type": "string"}
TEXT_OR_NONE: dict[str, Any] = {"type": ["string", "null"]}
MANY: dict[str, Any] = {"type": "array", "items": {"type": "object"}}


def _object(**members: Any) -> dict[str, Any]:
    """An object that has exactly these members, all of them always."""
    return {"type": "object", "required": sorted(members), "properties": members, "additionalProperties": False}


ELIGIBILITY = _object(
    answer={"enum": [one.value for one in Answer]},
    as_of=TEXT_OR_NONE,
    said_by={"type": "array", "items": TEXT},
    sentence=TEXT,
    sentence_sv=TEXT,
    grounds=MANY,
    fault={"type": ["object", "null"]},
)
RESULT = _object(
    id=TEXT,
    reference=TEXT,
    template=TEXT,
    kind={"enum": [one.value for one in Kind]},
    state={"enum": [one.value for one in State]},
    accepted={"type": "boolean"},
    verdict={"enum": [*(one.value for one in Verdict), None]},
    sentence=TEXT_OR_NONE,
    sentence_sv=TEXT_OR_NONE,
    eligibility={"anyOf": [ELIGIBILITY, {"type": "null"}]},
    acting_for={"type": ["object", "null"]},
    checks=MANY,
    presentations=MANY,
    values={"type": ["array", "null"], "items": {"type": "object"}},
    declaration={"type": ["object", "null"]},
    wallet_error=TEXT_OR_NONE,
    made_at=TEXT,
    expires_at=TEXT,
    answered_at=TEXT_OR_NONE,
    retention_until=TEXT,
    values_deleted_at=TEXT_OR_NONE,
    withdrawn_at=TEXT_OR_NONE,
    deletion={"anyOf": [{"$ref": "#/components/schemas/DeletionOut"}, {"type": "null"}]},
)
"""What `GET /api/requests/{request_id}` answers; the service writes it without a model, a test holds both together."""


def description() -> dict[str, Any]:
    """The description, as an OpenAPI 3.1 document."""
    with tempfile.TemporaryDirectory() as directory:
        settings = VerifierSettings(data=Path(directory), allow_loopback=True)
        app = create_app(settings, http=make_http(settings), clock=utc_now)
        whole = app.openapi()
        app.state.verifier.database.close()
    paths = {path: _operations(of) for path, of in whole["paths"].items() if path.startswith("/api/")}
    result = paths["/api/requests/{request_id}"]["get"]["responses"]["200"]
    result["content"]["application/json"]["schema"] = {"$ref": f"{_PREFIX}Result"}
    schemas: dict[str, Any] = {"Error": ERROR, "Result": RESULT}
    missing = set(_references([paths, schemas])) - set(schemas)
    while missing:
        schemas |= {name: whole["components"]["schemas"][name] for name in missing}
        missing = set(_references(schemas)) - set(schemas)
    return {
        "openapi": whole["openapi"],
        "info": {**whole["info"], "title": "Intyga verifier", "description": ABOUT},
        "servers": [{"url": "https://verifier.example"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "api-key create NAME"}},
            "schemas": dict(sorted(schemas.items())),
        },
    }


def text() -> str:
    """The file's contents."""
    return json.dumps(description(), indent=1, ensure_ascii=False) + "\n"


def _operations(of: Mapping[str, Any]) -> dict[str, Any]:
    """The operations at one path. What is refused is answered in one shape, and never with the 422 of FastAPI."""
    refused = {"description": "Refused", "content": {"application/json": {"schema": {"$ref": _PREFIX + "Error"}}}}
    return {
        method: {
            **{name: value for name, value in operation.items() if name != "operationId"},
            "responses": {
                **{status: told for status, told in operation["responses"].items() if status != "422"},
                "4XX": refused,
            },
        }
        for method, operation in of.items()
    }


_PREFIX = "#/components/schemas/"


def _references(value: Any) -> Iterator[str]:
    """The names of the schemas that a part of the document refers to."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == "$ref":
                yield str(inner).removeprefix(_PREFIX)
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
