"""A small service of its own, so that the room is tested without any of the three real ones."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from fastapi import APIRouter, Depends, FastAPI, Form, Request
from fastapi.responses import Response
from pydantic_settings import SettingsConfigDict
from sqlalchemy import MetaData
from starlette.testclient import TestClient

import service
from schemas.errors import Malformed
from service.accounts import account_tables
from service.app import build_app
from service.database import Database
from service.i18n import N_, load_catalogues
from service.pages import NavItem, Pages
from service.rate_limits import rate_limits_table
from service.sessions import Session, Sessions, sessions_table
from service.settings import ServiceSettings
from service.single_use import spent_table

ROOM = Path(service.__file__).parent
NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


class SampleSettings(ServiceSettings):
    """Settings of the sample service."""

    model_config = SettingsConfigDict(env_prefix="SAMPLE_")
    service: ClassVar[str] = "sample"


@dataclass
class FixedClock:
    """A clock that stands until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, *, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def sample_metadata() -> MetaData:
    """The tables that the room offers to every service."""
    metadata = MetaData()
    spent_table(metadata)
    sessions_table(metadata)
    account_tables(metadata)
    rate_limits_table(metadata)
    return metadata


@dataclass
class Sample:
    """The sample service with what stands behind it."""

    settings: SampleSettings
    database: Database
    sessions: Sessions
    pages: Pages
    clock: FixedClock
    app: FastAPI
    seen: list[str] = field(default_factory=list)

    def client(self, **headers: str) -> TestClient:
        """A browser-like client that keeps cookies."""
        shown = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "en", **headers}
        return TestClient(self.app, base_url=self.settings.origin, headers=shown, raise_server_exceptions=False)


def make_sample(data: Path, **settings: object) -> Sample:
    """Build the sample service in a data directory."""
    made = SampleSettings.model_validate({"data": data, "port": 8000, **settings})
    clock = FixedClock()
    database = Database(data / "sample.sqlite3", sample_metadata())
    database.create()
    sessions = Sessions(database, settings=made)
    templates = data / "templates"
    templates.mkdir(exist_ok=True)
    (templates / "form.html").write_text(
        '{% extends "base.html" %}{% import "macros.html" as ui %}{% block title %}Form{% endblock %}'
        '{% block main %}{{ ui.heading("Form") }}<p id="shown">{{ shown }}</p>'
        '<form method="post">{{ csrf_field() }}{{ ui.button("Send", "send") }}</form>{% endblock %}'
    )
    pages = Pages(
        settings=made,
        templates=[templates],
        catalogues=load_catalogues(ROOM),
        name=N_("Help"),
        nav=[NavItem("/form", "Help"), NavItem("/secret", "Code", shown="in")],
        clock=clock,
        sessions=sessions,
    )
    seen: list[str] = []
    app = build_app(
        settings=made,
        title="Sample",
        routers=[_routes(pages, sessions, clock, seen)],
        pages=pages,
        ready=database.check,
        body_limits={"/upload": 5_000},
    )
    return Sample(made, database, sessions, pages, clock, app, seen)


def _routes(pages: Pages, sessions: Sessions, clock: FixedClock, seen: list[str]) -> APIRouter:
    router = APIRouter()

    @router.get("/form")
    async def form(request: Request, shown: str = "") -> Response:
        return await pages.render(request, "form.html", shown=shown)

    @router.post("/form", dependencies=[Depends(pages.check_csrf)])
    async def sent(request: Request) -> Response:
        seen.append("sent")
        return pages.redirect("/form", message="Copied")

    @router.get("/secret")
    async def secret(request: Request, session: Annotated[Session, Depends(pages.signed_in)]) -> Response:
        return await pages.render(request, "form.html", shown=session.subject)

    @router.post("/enter")
    async def enter() -> Response:
        response = pages.redirect("/secret")
        sessions.set_cookie(response, await sessions.open("person-1", now=clock()))
        return response

    @router.post("/upload")
    @router.post("/api/upload")
    async def upload(request: Request) -> dict[str, int]:
        return {"size": len(await request.body())}

    @router.post("/api/named")
    async def named(name: Annotated[str, Form()], count: Annotated[int, Form()]) -> dict[str, int]:
        return {"count": count}

    @router.get("/api/fault")
    async def fault() -> None:
        raise Malformed("The form is not right.")

    @router.get("/api/broken")
    async def broken() -> None:
        raise LookupError("secret-value-in-message")

    return router


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "sample.sqlite3", sample_metadata())
    database.create()
    yield database
    database.close()


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[Sample]:
    made = make_sample(tmp_path)
    yield made
    made.database.close()
