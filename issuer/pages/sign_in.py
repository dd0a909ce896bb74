"""Signing in at the provider that the operator named, for one visit of one browser: away, back, and who it is.

    url = await address(issuer, visit, browser_key, language=language, as_somebody=False)    # where to go
    is_ours(issuer, visit, browser_key, mark=mark)                         # does what came back in `state` belong here?
    claims = await claims_of(issuer, visit, browser_key, code=code)        # who has signed in

A visit is an authorization, or something else that is asked for by name (`issuer.pages.powers`). Its `state`, `nonce`
and `code_verifier` are derived from it and from the browser's key, so that nothing of it has to be kept.
"""

import hmac
from datetime import timedelta
from typing import Any

from fastapi.responses import Response

from issuer.context import IssuerContext


async def address(issuer: IssuerContext, visit: str, browser_key: str, *, language: str, as_somebody: bool) -> str:
    """The address to sign in at; `as_somebody` asks the person who they are, also one whom the provider knows.

    Raises `LoginUnavailable`.
    """
    secret = issuer.store.secret
    return await issuer.login.start(
        state=f"{visit}.{secret.login_value('state', visit, browser_key)}",
        nonce=secret.login_value("nonce", visit, browser_key),
        verifier=secret.login_value("verifier", visit, browser_key),
        language=language,
        as_somebody=as_somebody,
    )


def is_ours(issuer: IssuerContext, visit: str, browser_key: str, *, mark: str) -> bool:
    """Whether `mark`, which `state` held behind the visit, was given to this browser for it."""
    expected = issuer.store.secret.login_value("state", visit, browser_key)
    return hmac.compare_digest(mark.encode("utf-8", "replace"), expected.encode())


def has_signed_in(issuer: IssuerContext, *, code: str, iss: str) -> bool:
    """Whether the provider answered yes, and it was the provider that was asked (RFC 9207)."""
    return bool(code) and (not iss or iss == issuer.settings.login_issuer)


async def claims_of(issuer: IssuerContext, visit: str, browser_key: str, *, code: str) -> dict[str, Any]:
    """What the provider says of whoever has signed in. Raises `InvalidIDToken`, `LoginUnavailable`."""
    secret = issuer.store.secret
    return await issuer.login.finish(
        code,
        nonce=secret.login_value("nonce", visit, browser_key),
        verifier=secret.login_value("verifier", visit, browser_key),
    )


def keep(response: Response, issuer: IssuerContext, name: str, value: str, *, lasts: timedelta) -> None:
    """Keep something in the browser for the time of the visit, from scripts and other sites."""
    response.set_cookie(
        name,
        value,
        max_age=int(lasts.total_seconds()),
        path="/",
        secure=issuer.settings.is_https,
        httponly=True,
        samesite="lax",
    )
