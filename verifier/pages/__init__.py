"""The verifier's pages: for staff behind a login, and the few that a person who is asked sees.

    pages = make_pages(settings, clock=clock, sessions=sessions)
    app = build_app(settings=settings, title="Verifier", routers=[..., *page_routers()], pages=pages, ready=...)
    app.state.verifier, app.state.accounts = verifier, accounts

Staff: the board of requests (`/`), asking (`/ask`), one request with its result (`/requests/ID`), what people want
deleted (`/deletions`), what is kept until when (`/retention`), the log (`/log`), programs that are told (`/programs`).
Public: sharing by oneself (`/share/TEMPLATE`), choosing a wallet for a link (`/present`), coming back (`/return`).
"""

from pathlib import Path

from fastapi import APIRouter

import service
from service.clock import Clock
from service.error_texts import ErrorTexts
from service.i18n import LANGUAGES, N_, load_catalogues
from service.pages import NavItem, Pages
from service.sessions import Sessions
from service.staff_door import staff_door
from verifier.pages import (
    ask,
    board,
    deletions,
    evidence,
    find,
    invitation,
    programs,
    recheck,
    request,
    retention,
    share,
)
from verifier.settings import VerifierSettings

ROOM = Path(__file__).parent.parent

NAV = (
    NavItem("/", N_("Requests"), shown="in"),
    NavItem("/ask", N_("Ask"), shown="in"),
    NavItem("/deletions", N_("Deletions"), shown="in"),
    NavItem("/retention", N_("Kept"), shown="in"),
    NavItem("/log", N_("Log"), shown="in"),
)

ERROR_TEXTS = {
    "invalid_template": ErrorTexts(
        N_("This request cannot be made"),
        N_("Nothing was asked, and nobody was told."),
        N_("Its template lacks something. The list of templates says what."),
    ),
    "unknown_template": ErrorTexts(
        N_("There is no such request here"),
        N_("Nothing was asked, and nothing was sent."),
        N_("Check the address. The organisation that gave it to you can help."),
    ),
}


def make_pages(settings: VerifierSettings, *, clock: Clock, sessions: Sessions) -> Pages:
    """The pages of a verifier, with the texts of this room and of the service room."""
    assert service.__file__ is not None
    return Pages(
        settings=settings,
        templates=[ROOM / "templates"],
        static=[ROOM / "static"],
        catalogues=load_catalogues(Path(service.__file__).parent, ROOM, time_zone=settings.time_zone),
        name=N_("Intyga for those who ask"),
        organisation={language: settings.organisation.text(language) for language in LANGUAGES},
        nav=NAV,
        clock=clock,
        sessions=sessions,
        error_texts=ERROR_TEXTS,
    )


def page_routers() -> list[APIRouter]:
    """The routers of all pages."""
    door = staff_door(N_("For staff who ask for certificates and read the answers."))
    return [
        door,
        *(
            one.router
            for one in (board, find, ask, request, recheck, evidence, deletions, retention, programs, share, invitation)
        ),
    ]
