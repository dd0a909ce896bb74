"""The issuer's pages: for staff behind a login, and the one that a person sees who was given a link to an offer.

    pages = make_pages(settings, clock=clock, sessions=context.store.sessions)
    app = build_app(settings=settings, title="Issuer", routers=[..., *page_routers()], pages=pages, ready=...,
                    body_limits=BODY_LIMITS)

Staff: overview (`/`), reading a file (`/import`), its results and their preview (`/results/ID`), offers (`/offered`),
issued certificates (`/issued`), certificates that
wait for a review (`/waiting`). Public: opening an offer in a wallet (`/offer`), and ending a power (`/powers`).
`app.state.issuer` is the
`IssuerContext`.
"""

from pathlib import Path

from fastapi import APIRouter, Request

import service
from issuer.pages import authorize, home, imports, invitation, issued, offers, powers, results, reviews
from issuer.pages.access import the_issuer
from issuer.settings import IssuerSettings
from schemas.learning.safe_xml import Limits
from service.clock import Clock
from service.error_texts import ErrorTexts
from service.i18n import N_, Catalogues, load_catalogues
from service.pages import NavItem, Pages
from service.sessions import Sessions
from service.staff_door import staff_door

ROOM = Path(__file__).parent.parent

NAV = (
    NavItem("/", N_("Overview"), shown="in"),
    NavItem("/import", N_("Read results"), shown="in"),
    NavItem("/offered", N_("Offers"), shown="in"),
    NavItem("/issued", N_("Issued"), shown="in"),
)
BODY_LIMITS = {"/import": Limits().max_bytes + 100_000}
"""An upload may be as large as a file of results, with what a form adds to it."""

_REQUEST_OVER = ErrorTexts(
    N_("This request is over"),
    N_("Nothing was fetched."),
    N_("Go back to your wallet and start fetching again."),
)
_FETCH = N_(
    "Do you want a certificate of your own? Answer the request in your wallet, and choose to fetch it from %(name)s. "
    "The wallet then leads you to where you sign in."
)
_ASK = N_("Do you want a certificate of your own? Ask %(name)s for a link. You open it in your wallet.")
ERROR_TEXTS = {
    "authorization_over": _REQUEST_OVER,
    "invalid_request_uri": _REQUEST_OVER,
    "no_such_power": ErrorTexts(
        N_("There is no such power"),
        N_("Nothing was changed. It may have ended already."),
        N_("Go back to the list of powers."),
    ),
    "power_was_ended": ErrorTexts(
        N_("Whom this power is over has ended it"),
        N_("Nothing was offered."),
        N_("A new power begins on a later day, and is read in with that day."),
    ),
    "revocation_is_final": ErrorTexts(
        N_("A revoked certificate stays revoked"),
        N_("Nothing was changed."),
        N_("Offer a new certificate if the person should have one."),
    ),
}


def catalogues_of(settings: IssuerSettings) -> Catalogues:
    """The Swedish and English texts of this room and of the service room."""
    assert service.__file__ is not None
    return load_catalogues(Path(service.__file__).parent, ROOM, time_zone=settings.time_zone)


def make_pages(settings: IssuerSettings, *, clock: Clock, sessions: Sessions) -> Pages:
    """The pages of an issuer."""
    return Pages(
        settings=settings,
        templates=[ROOM / "templates"],
        static=[ROOM / "static"],
        catalogues=catalogues_of(settings),
        name=N_("Intyga for issuers"),
        organisation=settings.names,
        nav=NAV,
        clock=clock,
        sessions=sessions,
        error_texts=ERROR_TEXTS,
    )


def _for_people(request: Request) -> str:
    """How somebody gets on who was sent to this address for a certificate of their own."""
    return _FETCH if the_issuer(request).login.is_set else _ASK


def page_routers() -> list[APIRouter]:
    """The routers of all pages. They come before the route of typed codes, which takes whatever looks like one."""
    door = staff_door(N_("For staff who issue certificates."), for_others=_for_people)
    return [
        door,
        *(one.router for one in (home, imports, results, offers, issued, reviews, invitation, authorize, powers)),
    ]
