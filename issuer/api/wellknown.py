"""The documents at well-known addresses, and the type metadata: made once, served as bytes."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from issuer.api.answers import CORS
from issuer.context import IssuerContext
from issuer.metadata import authorization_server_metadata, issuer_metadata, jwt_vc_issuer_metadata
from proofs import strict_json
from schemas.types import CREDENTIAL_TYPES, CredentialType

_FOR_MINUTES = CORS | {"Cache-Control": "public, max-age=300"}
_FOR_EVER = CORS | {"Cache-Control": "public, max-age=31536000, immutable"}


class DocumentEndpoint:
    """One unchanging JSON document."""

    def __init__(self, document: bytes, headers: Mapping[str, str] = _FOR_MINUTES) -> None:
        self._document = document
        self._headers = headers

    async def __call__(self, request: Request) -> Response:
        """Answer with the document, whatever is accepted: JSON is always available."""
        return Response(self._document, headers=self._headers, media_type="application/json")


def well_known_documents(context: IssuerContext) -> dict[str, DocumentEndpoint]:
    """The documents by path, with the path of the public URL inserted behind the well-known name."""
    settings, issuer = context.settings, context.issuer
    signer = context.key.signer
    key = {**signer.public_jwk, "kid": signer.kid, "use": "sig", "alg": signer.alg}
    documents = {
        "openid-credential-issuer": issuer_metadata(
            issuer=issuer, names=settings.names, batch_size=settings.batch_size
        ),
        "oauth-authorization-server": authorization_server_metadata(
            issuer=issuer,
            anonymous_access=settings.anonymous_access and not settings.haip,
            methods=context.clients.methods,
            refreshes=settings.refresh_token_days > 0,
        ),
        "jwt-vc-issuer": jwt_vc_issuer_metadata(issuer=issuer, keys=[key]),
    }
    return {
        settings.well_known_path(name): DocumentEndpoint(strict_json.dumps(document.as_json()))
        for name, document in documents.items()
    }


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
