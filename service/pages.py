"""Pages for people: templates with autoescape, language, CSRF tokens, messages, links under the public URL's path.

    pages = Pages(settings=settings, templates=[Path(__file__).parent / "templates"], catalogues=catalogues,
                  nav=[NavItem("/certificates", N_("My certificates"))], clock=clock, sessions=sessions)
    return pages.render(request, "certificates/list.html", certificates=certificates)      # async handlers: await nothing

A template starts with `{% extends "base.html" %}{% import "macros.html" as ui with context %}` and fills the blocks `title`
and `main`. It has `_`, `ngettext`, `{% trans %}`, `t` (the Translator), `path("/x")`, `csrf_field()`, `static("intyga.css")`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse

from schemas.errors import Refused
from service.clock import Clock
from service.i18n import Catalogues, Translator
from service.sessions import Session, Sessions
from service.settings import ServiceSettings


class ForgedForm(Refused):
    """The form did not come from our own page, or the page is too old."""

    error = "forged_form"
    status = 403


@dataclass(frozen=True, slots=True)
class NavItem:
    """One link of the navigation: our path (without prefix), English label, and who sees it ("all", "in" or "out")."""

    path: str
    label: str
    shown: str = "all"


@dataclass(frozen=True, slots=True)
class LanguageSwitch:
    """How a page that answered a POST is shown in the other language: the fields that are posted again, to which path."""

    path: str
    fields: Mapping[str, str]


class Pages:
    """Renders the pages of one service."""

    def __init__(
        self,
        *,
        settings: ServiceSettings,
        templates: Sequence[Path],
        catalogues: Catalogues,
        name: str,
        nav: Sequence[NavItem] = (),
        clock: Clock,
        sessions: Sessions | None = None,
        static: Sequence[Path] = (),
    ) -> None: ...

    async def session(self, request: Request) -> Session | None:
        """The session of the request's cookie (loaded once per request)."""
        raise NotImplementedError

    def language(self, request: Request) -> str:
        """The language to answer in: `?lang=`, the remembered one, the browser's, Swedish."""
        raise NotImplementedError

    def translator(self, request: Request) -> Translator:
        """The translator for the language to answer in."""
        raise NotImplementedError

    async def render(
        self,
        request: Request,
        template: str,
        /,
        *,
        status: int = 200,
        switch: LanguageSwitch | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """A page. `switch` is for pages that answer a POST; pages that answer a GET keep their query by themselves."""
        raise NotImplementedError

    def redirect(self, path: str, *, message: str = "", kind: str = "good") -> RedirectResponse:
        """303 to one of our own pages; `message` (an English msgid without values) is shown there once."""
        raise NotImplementedError

    async def check_csrf(self, request: Request) -> None:
        """Dependency of every POST from a page: raises `ForgedForm` unless field `csrf` or header X-CSRF-Token is right."""
        raise NotImplementedError
