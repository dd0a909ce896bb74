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
from verifier.settings import VerifierSettings

FILE = Path("docs/verifier-openapi.json")
ABOUT = "What programs ask of an Intyga verifier. Meanings and checks: docs/verifier.md; webhooks: docs/webhooks.md."


def description() -> dict[str, Any]:
    """The description, as an OpenAPI 3.1 document."""
    with tempfile.TemporaryDirectory() as directory:
        settings = VerifierSettings(data=Path(directory), allow_loopback=True)
        app = create_app(settings, http=make_http(settings), clock=utc_now)
        whole = app.openapi()
        app.state.verifier.database.close()
    paths = {path: _operations(of) for path, of in whole["paths"].items() if path.startswith("/api/")}
    schemas: dict[str, Any] = {}
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
    """The operations at one path, without the ids that FastAPI makes of paths."""
    return {
        method: {name: value for name, value in operation.items() if name != "operationId"}
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
