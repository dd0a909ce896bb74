"""From a link to a wallet: the buttons that open one, and the address of a web wallet, typed once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from proofs import base64url
from schemas.errors import NotFound, ProtocolError
from schemas.presentation import RequestLink
from service import qr, web_wallet
from service.sessions import cookie_name
from service.web_wallet import FAULT, normal_wallet, remembered_wallet
from verifier.exchange import MadeRequest
from verifier.pages.access import FromOurForm, PagesDep, VerifierDep, the_pages
from verifier.settings import VerifierSettings

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Invitation:
    """How this browser can open a wallet with a request: a link to a web wallet (when one is known) or to an app."""

    app_link: str
    wallet_link: str
    wallet_host: str
    typed: str


@dataclass(frozen=True, slots=True)
class QRCode:
    """A QR code with what else works for another device: an https link for anybody, one for a wallet app, a code."""

    svg: str
    https_link: str
    link: str
    code: str
    code_until: datetime


def wallet_of(request: Request, settings: VerifierSettings) -> str:
    """The web wallet of this browser: typed once, else the one that the operator names; empty when there is none."""
    return remembered_wallet(request, settings) or settings.wallet_url


def invitation_for(request: Request, link: RequestLink, settings: VerifierSettings) -> Invitation:
    """The ways to open a wallet in this browser with a link."""
    wallet = wallet_of(request, settings)
    return Invitation(
        app_link=link.for_scheme(),
        wallet_link=link.for_scheme(f"{wallet}/present") if wallet else "",
        wallet_host=urlsplit(wallet).netloc,
        typed=_typed_wrongly(request, settings) or wallet,
    )


def qr_code(made: MadeRequest, *, title: str) -> QRCode:
    """The QR code of a request with its link and its code."""
    return QRCode(
        qr.svg(made.link, title=title), made.https_link, made.link, made.code, made.transaction.code_expires_at
    )


@router.post("/wallet-address", dependencies=[FromOurForm])
async def remember_wallet(
    request: Request,
    verifier: VerifierDep,
    pages: PagesDep,
    wallet_address: Annotated[str, Form(max_length=2_000)] = "",
    back: Annotated[str, Form(max_length=4_000)] = "/",
) -> Response:
    """Remember a web wallet in this browser, and show the page again with its link."""
    target = pages.safe_next(back)
    wallet = normal_wallet(wallet_address, verifier.settings)
    if not wallet:
        response = pages.redirect(f"{target}{'&' if '?' in target else '?'}wallet=wrong")
        _keep_typed(response, wallet_address, verifier.settings)
        return response
    response = pages.redirect(target)
    web_wallet.remember_wallet(response, wallet, verifier.settings)
    return response


@router.get("/present")
async def choose_wallet(
    request: Request,
    verifier: VerifierDep,
    pages: PagesDep,
    client_id: str = "",
    request_uri: str = "",
    request_uri_method: str = "get",
    wallet: str = "",
) -> Response:
    """Where a link to one of our own requests leads when nobody has said which wallet: the person says it here."""
    if not client_id or not request_uri.startswith(verifier.settings.url("/request/")):
        raise NotFound("this is no link to a request of ours")
    link = RequestLink(client_id, request_uri, "post" if request_uri_method == "post" else "get")
    return await pages.render(
        request,
        "choose_wallet.html",
        invite=invitation_for(request, link, verifier.settings),
        back=f"/present?{link.query()}",
        organisation=verifier.settings.organisation.text(pages.language(request)),
        wallet_fault=wallet_fault(request),
    )


def wallet_fault(request: Request) -> str:
    """The sentence about a wallet's address that could not be used, or nothing."""
    return the_pages(request).translator(request)(FAULT) if request.query_params.get("wallet") == "wrong" else ""


def _keep_typed(response: Response, typed: str, settings: VerifierSettings) -> None:
    """Keep what was typed for the page that says what is wrong with it, so that nobody types it twice."""
    response.set_cookie(
        cookie_name(settings, "wallet-typed"),
        base64url.encode(typed[: web_wallet.LONGEST_ADDRESS].encode("utf-8", "replace")),
        max_age=60,
        path="/",
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )


def _typed_wrongly(request: Request, settings: VerifierSettings) -> str:
    if request.query_params.get("wallet") != "wrong":
        return ""
    try:
        kept = base64url.decode(request.cookies.get(cookie_name(settings, "wallet-typed"), ""))
    except ProtocolError:
        return ""
    return kept.decode("utf-8", "replace")
