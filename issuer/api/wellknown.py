"""The documents at well-known addresses, and the type metadata: made once, served as bytes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from issuer.api.answers import CORS, Handler
from issuer.context import IssuerContext
from issuer.metadata import authorization_server_metadata, issuer_metadata, jwt_vc_issuer_metadata
from proofs import jose, strict_json
from proofs.dates import numeric_date
from proofs.jwe import public_part
from schemas.types import CREDENTIAL_TYPES, CredentialType

_FOR_MINUTES = CORS | {"Cache-Control": "public, max-age=300"}
_VARIES = {"Vary": "Accept"}
_METADATA_TYP = "openidvci-issuer-metadata+jwt"
_SIGNED_FOR = timedelta(days=1)
_FOR_EVER = CORS | {"Cache-Control": "public, max-age=31536000, immutable"}


class DocumentEndpoint:
    """One unchanging JSON document."""

    def __init__(self, document: bytes, headers: Mapping[str, str] = _FOR_MINUTES) -> None:
        self._document = document
        self._headers = headers

    async def __call__(self, request: Request) -> Response:
        """Answer with the document, whatever is accepted: JSON is always available."""
        return Response(self._document, headers=self._headers, media_type="application/json")


class IssuerMetadataEndpoint:
    """The credential issuer metadata: unsigned JSON, or signed for who asks for `application/jwt` (12.2.2, 12.2.3)."""

    def __init__(self, context: IssuerContext, document: Mapping[str, Any]) -> None:
        self._context = context
        self._document = dict(document)
        self._unsigned = DocumentEndpoint(strict_json.dumps(dict(document)), _FOR_MINUTES | _VARIES)

    async def __call__(self, request: Request) -> Response:
        """Answer as it is asked for; JSON whenever that is accepted as much."""
        if not prefers_jwt(request.headers.get("accept", "")):
            return await self._unsigned(request)
        now = self._context.clock()
        claims = self._document | {
            "iss": self._context.issuer,
            "sub": self._context.issuer,
            "iat": numeric_date(now),
            "exp": numeric_date(now + _SIGNED_FOR),
        }
        signer = self._context.key.signer
        token = jose.sign_jws(claims, signer=signer, typ=_METADATA_TYP, header=jose.certificate_header(signer))
        return Response(token, headers=_FOR_MINUTES | _VARIES, media_type="application/jwt")


def prefers_jwt(accept: str) -> bool:
    """Whether an Accept header ranks `application/jwt` above `application/json`; malformed parts do not count."""
    best = {"application/jwt": 0.0, "application/json": 0.0}
    for part in accept.split(",")[:50]:
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        kind = kind.lower()
        # A type that is named outranks a range that only covers it.
        if kind in best:
            best[kind] = max(best[kind], weight + 0.0001 if 0 < weight <= 1 else 0.0)
        elif kind in ("*/*", "application/*"):
            best["application/json"] = max(best["application/json"], weight if 0 < weight <= 1 else 0.0)
    return best["application/jwt"] > best["application/json"]


def well_known_documents(context: IssuerContext) -> dict[str, Handler]:
    """The documents by path, with the path of the public URL inserted behind the well-known name."""
    settings, issuer = context.settings, context.issuer
    signer = context.key.signer
    key = {**signer.public_jwk, "kid": signer.kid, "use": "sig", "alg": signer.alg}
    documents = {
        "openid-credential-issuer": issuer_metadata(
            issuer=issuer,
            names=settings.names,
            rules=context.issuing.key_rules,
            signing_algorithm=signer.alg,
            encryption_key=public_part(context.encryption_key),
            encryption=settings.encryption,
        ),
        "oauth-authorization-server": authorization_server_metadata(
            issuer=issuer,
            anonymous_access=settings.anonymous_access and not settings.haip,
            methods=context.clients.methods,
            refreshes=settings.refresh_token_days > 0,
        ),
        "jwt-vc-issuer": jwt_vc_issuer_metadata(issuer=issuer, keys=[key]),
    }
    found: dict[str, Handler] = {
        settings.well_known_path(name): DocumentEndpoint(strict_json.dumps(document.as_json()))
        for name, document in documents.items()
    }
    if settings.login_issuer:
        # Where people end the powers that others hold for them (docs/acting-for-another.md).
        desk = {"issuer": issuer, "page": settings.url("/powers")}
        found[settings.well_known_path("intyga-powers")] = DocumentEndpoint(strict_json.dumps(desk))
    path = settings.well_known_path("openid-credential-issuer")
    found[path] = IssuerMetadataEndpoint(context, documents["openid-credential-issuer"].as_json())
    return found


def type_metadata_path(credential_type: CredentialType) -> str:
    """The path of a type's metadata: `/types/micro-credential/1`, from `urn:intyga:credential:micro-credential:1`."""
    *_, name, version = credential_type.vct.split(":")
    return f"/types/{name}/{version}"


def type_documents() -> dict[str, DocumentEndpoint]:
    """The published type metadata by path: the very bytes that `vct#integrity` pins, which never change."""
    return {
        type_metadata_path(credential_type): DocumentEndpoint(credential_type.type_metadata_bytes(), _FOR_EVER)
        for credential_type in CREDENTIAL_TYPES.values()
    }
