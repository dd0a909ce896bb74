"""The OpenAPI description of the service, with the one form in which `/api` refuses.

    app.openapi = described(app)

FastAPI tells every model in the type of what succeeds; what is refused there is a problem document (RFC 9457).
"""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from service.app import PROBLEM_TYPE


def described(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What the application's `openapi` should be."""
    whole = app.openapi

    def openapi() -> dict[str, Any]:
        for path, operations in whole()["paths"].items():
            for operation in operations.values() if path.startswith("/api/") else ():
                for status, told in operation["responses"].items():
                    if status[0] in "45" and "content" in told:
                        (form,) = told["content"].values()
                        told["content"] = {PROBLEM_TYPE: form}
        return whole()

    return openapi
