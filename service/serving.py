"""Serving an application with uvicorn on uvloop and httptools, on both loopback addresses where there are two."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from fastapi import FastAPI

from service.settings import ServiceSettings

S = TypeVar("S", bound=ServiceSettings)


def serve(
    app_factory: Callable[[S], FastAPI], *, settings: S, announce: Callable[[S], Iterable[str]] | None = None
) -> None:
    """Refuse unsafe settings, bind `settings.host`/`settings.port`, record the public URL, make the app with the settings
    that hold the real port, print the address and serve until SIGINT or SIGTERM; then finish what is under way."""
    raise NotImplementedError
