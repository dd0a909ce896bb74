"""An OpenID Connect provider in one process, for what a well-behaved one never does."""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from proofs import jose
from proofs.keys import SoftwareSigner, generate_signer
from tests.issuer.desk import StandingClock

ISSUER = "https://id.example"
CLIENT_ID = "university"


@dataclass
class Provider:
    """`person` holds the claims about whoever signs in next; `changes` what its ID token says wrongly."""

    clock: StandingClock
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "1", "pnr": "19980203-TF12"})
    changes: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    signer: SoftwareSigner = field(default_factory=generate_signer)
    published: SoftwareSigner | None = None
    names_itself: str = ISSUER
    is_down: bool = False
    _asked: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._configuration),
                Route("/keys", self._keys),
                Route("/token", self._token, methods=["POST"]),
                Route("/me", self._me),
            ]
        )

    def sign_in(self, url: str) -> dict[str, str]:
        """The person signs in at this address; what the browser brings back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = f"code-{len(self._asked)}"
        self._asked[code] = query
        return {"code": code, "state": query["state"], "iss": ISSUER}

    async def _configuration(self, request: Request) -> Response:
        if self.is_down:
            return Response(status_code=500)
        document = {
            "issuer": self.names_itself,
            "authorization_endpoint": f"{ISSUER}/auth",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }
        if self.userinfo is not None:
            document["userinfo_endpoint"] = f"{ISSUER}/me"
        return JSONResponse(document)

    async def _keys(self, request: Request) -> Response:
        signer = self.published or self.signer
        return JSONResponse({"keys": [{"kty": "unknown"}, {**signer.public_jwk, "kid": signer.kid}]})

    async def _me(self, request: Request) -> Response:
        return JSONResponse(self.userinfo)

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        asked = self._asked.pop(form.get("code", ""), None)
        self.seen.append(form)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if asked is None or challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(self.clock().timestamp())
        claims = {"iss": ISSUER, "aud": CLIENT_ID, "nonce": asked["nonce"], "iat": now, "exp": now + 60}
        claims |= self.person | self.changes
        signed = {name: value for name, value in claims.items() if value is not None}
        token = jose.sign_jws(signed, signer=self.signer, typ="JWT", header={"kid": self.signer.kid})
        return JSONResponse({"access_token": "at", "token_type": "Bearer", "id_token": token})
