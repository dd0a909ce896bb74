"""Token, nonce and credential: requests and responses (OpenID4VCI 1.0, sections 6, 7 and 8)."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from schemas.errors import ProtocolError
from schemas.issuance.message import Message, NonEmpty

PROOF_TYPE_JWT = "jwt"
PROOF_TYPE_ATTESTATION = "attestation"
FORMAT_SD_JWT_VC = "dc+sd-jwt"


class AuthorizationDetail(Message):
    """One entry of `authorization_details`, in a token request (without) or response (with identifiers)."""

    type: NonEmpty
    credential_configuration_id: str | None = None
    locations: list[str] | None = None
    claims: list[dict[str, Any]] | None = None
    credential_identifiers: Annotated[list[NonEmpty], Field(min_length=1)] | None = None


class TokenRequest(Message):
    """A token request of any of the three grants, as form members; `authorization_details` is JSON text."""

    grant_type: NonEmpty
    code: str | None = None
    code_verifier: str | None = None
    redirect_uri: str | None = None
    refresh_token: str | None = None
    pre_authorized_code: str | None = Field(default=None, alias="pre-authorized_code")
    tx_code: str | None = None
    client_id: str | None = None
    authorization_details: str | None = None
    scope: str | None = None
    resource: str | None = None

    def as_form(self) -> dict[str, str]:
        """The members to send as `application/x-www-form-urlencoded`."""
        return {name: str(value) for name, value in self.as_json().items()}


class PushedResponse(Message):
    """The answer to a pushed authorization request (RFC 9126, section 2.2)."""

    request_uri: NonEmpty
    expires_in: int | None = None


class TokenResponse(Message):
    """A token response; peers may leave `expires_in` out."""

    access_token: NonEmpty
    token_type: NonEmpty
    expires_in: Annotated[int, Field(ge=0)] | None = None
    refresh_token: str | None = None
    scope: str | None = None
    authorization_details: list[AuthorizationDetail] | None = None

    def credential_identifiers(self, credential_configuration_id: str) -> list[str]:
        """The identifiers granted for this configuration, each once: one credential each. Requests must then use them
        instead of the configuration (8.2)."""
        found = (
            identifier
            for detail in self.authorization_details or []
            if detail.credential_configuration_id == credential_configuration_id
            for identifier in detail.credential_identifiers or []
        )
        return list(dict.fromkeys(found))


class NonceResponse(Message):
    """A fresh nonce for key proofs."""

    c_nonce: NonEmpty


class CredentialRequest(Message):
    """A credential request: exactly one way of naming the credential, and the key proofs by type."""

    credential_configuration_id: str | None = None
    credential_identifier: str | None = None
    proofs: dict[str, Annotated[list[Any], Field(min_length=1)]] | None = None
    credential_response_encryption: dict[str, Any] | None = None


class IssuedCredential(Message):
    """One issued credential; for `dc+sd-jwt` the compact SD-JWT."""

    credential: str | dict[str, Any]


class CredentialResponse(Message):
    """A credential response: the credentials, or the number of a deferred transaction (then HTTP 202).

    `interval` is in seconds, "a positive number" (8.3): peers may write a fraction.
    """

    credentials: Annotated[list[IssuedCredential], Field(min_length=1)] | None = None
    transaction_id: str | None = None
    interval: Annotated[int | float, Field(gt=0, allow_inf_nan=False)] | None = None
    notification_id: str | None = None

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if (self.credentials is None) == (self.transaction_id is None):
            raise ValueError("exactly one of credentials and transaction_id")
        return self


class ErrorResponse(Message):
    """An error answer of the token, nonce or credential endpoint."""

    error: NonEmpty
    error_description: str | None = None

    @classmethod
    def of(cls, error: ProtocolError) -> Mapping[str, str]:
        """The JSON object for a raised error."""
        return {"error": error.error, "error_description": error.description}
