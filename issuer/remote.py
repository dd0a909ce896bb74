"""The issuer's way out: the OpenID Connect provider where people sign in (OpenID Connect Core 1.0, code flow).

login = Login(http, settings=settings, clock=clock)
url = await login.start(state=..., nonce=..., verifier=..., language="sv")
claims = await login.finish(code, nonce=..., verifier=...)
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from issuer.settings import IssuerSettings
from proofs import pkce, strict_json
from proofs.id_token import InvalidIDToken, check_id_token
from schemas.errors import CouldNotCheck, ProtocolError
from service.clock import Clock
from service.http import Answer, OutgoingHTTP

CALLBACK = "/authorize/callback"
_DISCOVERY_KEPT = timedelta(minutes=10)
_MAX_BYTES = 500_000


class LoginUnavailable(CouldNotCheck):
    """People cannot sign in at the moment: the provider does not answer as it should, or none is set."""

    error = "login_unavailable"
    status = 503


@dataclass(frozen=True, slots=True)
class _Provider:
    """What the provider says of itself, and until when we believe it."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    takes_basic: bool
    until: datetime


class Login:
    """Signing in at the provider that the operator named."""

    def __init__(self, http: OutgoingHTTP, *, settings: IssuerSettings, clock: Clock) -> None:
        self._http = http
        self._settings = settings
        self._clock = clock
        self._provider: _Provider | None = None

    @property
    def is_set(self) -> bool:
        """Whether there is a provider at all."""
        return bool(self._settings.login_issuer)

    async def start(self, *, state: str, nonce: str, verifier: str, language: str, as_somebody: bool = False) -> str:
        """The address at which the person signs in; `as_somebody`: they say who they are, whom the provider knows or
        not (OpenID Connect Core, 3.1.2.1). Raises `LoginUnavailable`."""
        provider = await self._discover()
        query = {
            "response_type": "code",
            "client_id": self._settings.login_client_id,
            "redirect_uri": self._callback,
            "scope": self._settings.login_scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": pkce.challenge_of(verifier),
            "code_challenge_method": pkce.METHOD,
            "ui_locales": language,
            **({"prompt": "login"} if as_somebody else {}),
        }
        separator = "&" if "?" in provider.authorization_endpoint else "?"
        return f"{provider.authorization_endpoint}{separator}{urlencode(query)}"

    async def finish(self, code: str, *, nonce: str, verifier: str) -> dict[str, Any]:
        """The claims about the person who signed in, of the ID token and the user info together.

        Raises `LoginUnavailable`, `InvalidIDToken`.
        """
        provider = await self._discover()
        tokens = await self._exchange(provider, code, verifier)
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str):
            raise InvalidIDToken("the provider gave no ID token")
        keys = (await self._object(provider.jwks_uri, "keys")).get("keys")
        claims = check_id_token(
            id_token,
            keys=[key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else [],
            expected_issuer=self._settings.login_issuer,
            expected_client_id=self._settings.login_client_id,
            expected_nonce=nonce,
            now=self._clock(),
        )
        access_token = tokens.get("access_token")
        if provider.userinfo_endpoint is None or not isinstance(access_token, str):
            return claims
        more = await self._object(provider.userinfo_endpoint, "user info", bearer=access_token)
        if more.get("sub") != claims["sub"]:  # OpenID Connect Core, 5.3.2: else it can be about somebody else.
            raise InvalidIDToken("the user info is about somebody else than the ID token")
        return more | claims

    async def close(self) -> None:
        """Close kept connections."""
        await self._http.close()

    @property
    def _callback(self) -> str:
        return self._settings.url(CALLBACK)

    async def _discover(self) -> _Provider:
        if not self.is_set:
            raise LoginUnavailable("no provider is set where people sign in")
        now = self._clock()
        if self._provider is not None and now < self._provider.until:
            return self._provider
        issuer = self._settings.login_issuer
        found = await self._object(f"{issuer.rstrip('/')}/.well-known/openid-configuration", "configuration")
        if found.get("issuer") != issuer:
            raise LoginUnavailable("the provider names itself otherwise than it was set")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        endpoints = {name: found[name] for name in names if isinstance(found.get(name), str)}
        if len(endpoints) != len(names):
            raise LoginUnavailable("the provider's configuration is incomplete")
        # The browser is sent there: the same rules as for our own requests.
        self._http.check_url(endpoints["authorization_endpoint"])
        userinfo = found.get("userinfo_endpoint")
        methods = found.get("token_endpoint_auth_methods_supported")
        self._provider = _Provider(
            **endpoints,
            userinfo_endpoint=userinfo if isinstance(userinfo, str) else None,
            takes_basic=not isinstance(methods, list) or "client_secret_basic" in methods,
            until=now + _DISCOVERY_KEPT,
        )
        return self._provider

    async def _exchange(self, provider: _Provider, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback,
            "code_verifier": verifier,
        }
        headers = {"accept": "application/json"}
        secret = self._secret()
        client_id = self._settings.login_client_id
        if secret and provider.takes_basic:
            # RFC 6749, section 2.3.1: both parts are form-encoded first.
            pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}".encode()
            headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        else:
            form["client_id"] = client_id
            if secret:
                form["client_secret"] = secret
        answer = await self._asked(
            lambda: self._http.post(provider.token_endpoint, form=form, headers=headers, max_bytes=_MAX_BYTES)
        )
        return _json_object(answer, "tokens")

    def _secret(self) -> str:
        file = self._settings.login_client_secret_file
        return "" if file is None else file.read_text("utf-8").strip()

    async def _object(self, url: str, what: str, *, bearer: str | None = None) -> dict[str, Any]:
        headers = {"accept": "application/json"}
        if bearer is not None:
            headers["authorization"] = f"Bearer {bearer}"
        answer = await self._asked(lambda: self._http.get(url, headers=headers, max_bytes=_MAX_BYTES))
        return _json_object(answer, what)

    async def _asked(self, ask: Any) -> Answer:
        try:
            answer: Answer = await ask()
        except CouldNotCheck as exc:
            raise LoginUnavailable(f"the provider cannot be reached: {exc}") from exc
        return answer


def _json_object(answer: Answer, what: str) -> dict[str, Any]:
    if answer.status != 200:
        raise LoginUnavailable(f"the provider refused the {what} (HTTP {answer.status})")
    try:
        found: Mapping[str, Any] = strict_json.loads_object(answer.body, max_bytes=_MAX_BYTES)
    except ProtocolError as exc:
        raise LoginUnavailable(f"the provider's {what} cannot be read") from exc
    return dict(found)
