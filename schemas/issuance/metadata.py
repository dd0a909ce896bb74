"""Metadata of credential issuer (OpenID4VCI 12.2), authorization server (RFC 8414) and JWT VC issuer (SD-JWT VC)."""

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from schemas.issuance.message import Message, NonEmpty


class Logo(Message):
    """A picture and what it shows."""

    uri: str
    alt_text: str | None = None


class Display(Message):
    """Names and colours of an issuer or a credential in one language; `locale` may be missing with peers."""

    name: str | None = None
    locale: str | None = None
    logo: Logo | None = None
    description: str | None = None
    background_color: str | None = None
    background_image: Logo | None = None
    text_color: str | None = None


class ClaimDisplay(Message):
    """The name of a claim in one language."""

    name: str | None = None
    locale: str | None = None


class ClaimDescription(Message):
    """One claim, or set of claims, in the credential: claims path pointer, whether always there, and its names."""

    path: Annotated[list[str | int | None], Field(min_length=1)]
    mandatory: bool | None = None
    display: list[ClaimDisplay] | None = None


class CredentialMetadata(Message):
    """What is needed to show a credential of this configuration."""

    display: list[Display] | None = None
    claims: list[ClaimDescription] | None = None


class ProofTypeSupport(Message):
    """What the issuer takes for one proof type."""

    proof_signing_alg_values_supported: Annotated[list[str], Field(min_length=1)]
    key_attestations_required: dict[str, Any] | None = None


class CredentialConfiguration(Message):
    """One credential that the issuer can issue. `credential_signing_alg_values_supported` is integers for mdoc."""

    format: NonEmpty
    vct: str | None = None
    scope: str | None = None
    cryptographic_binding_methods_supported: list[str] | None = None
    credential_signing_alg_values_supported: list[str | int] | None = None
    proof_types_supported: dict[str, ProofTypeSupport] | None = None
    credential_metadata: CredentialMetadata | None = None

    @property
    def needs_proofs(self) -> bool:
        """Whether a request for it must bring key proofs (8.2)."""
        return self.proof_types_supported is not None


class BatchSupport(Message):
    """How many proofs one credential request may bring."""

    batch_size: Annotated[int, Field(ge=2)]


class RequestEncryption(Message):
    """How a credential request can be encrypted to the issuer."""

    jwks: dict[str, Any]
    enc_values_supported: Annotated[list[str], Field(min_length=1)]
    zip_values_supported: list[str] | None = None
    encryption_required: bool


class ResponseEncryption(Message):
    """How the issuer can encrypt a credential response."""

    alg_values_supported: Annotated[list[str], Field(min_length=1)]
    enc_values_supported: Annotated[list[str], Field(min_length=1)]
    zip_values_supported: list[str] | None = None
    encryption_required: bool


class IssuerMetadata(Message):
    """Credential issuer metadata (12.2.4)."""

    credential_issuer: NonEmpty
    authorization_servers: Annotated[list[str], Field(min_length=1)] | None = None
    credential_endpoint: NonEmpty
    nonce_endpoint: str | None = None
    deferred_credential_endpoint: str | None = None
    notification_endpoint: str | None = None
    credential_request_encryption: RequestEncryption | None = None
    credential_response_encryption: ResponseEncryption | None = None
    batch_credential_issuance: BatchSupport | None = None
    display: list[Display] | None = None
    credential_configurations_supported: dict[str, CredentialConfiguration]

    def display_name(self, language: str) -> str | None:
        """The issuer's name in this language, or in another when there is none, or None."""
        return display_name(self.display, language)


class AuthorizationServerMetadata(Message):
    """Authorization server metadata (RFC 8414); the members that this flow needs."""

    issuer: NonEmpty
    token_endpoint: str | None = None
    authorization_endpoint: str | None = None
    pushed_authorization_request_endpoint: str | None = None
    require_pushed_authorization_requests: bool | None = None
    authorization_response_iss_parameter_supported: bool | None = None
    challenge_endpoint: str | None = None
    dpop_signing_alg_values_supported: list[str] | None = None
    client_attestation_signing_alg_values_supported: list[str] | None = None
    client_attestation_pop_signing_alg_values_supported: list[str] | None = None
    token_endpoint_auth_signing_alg_values_supported: list[str] | None = None
    jwks_uri: str | None = None
    scopes_supported: list[str] | None = None
    response_types_supported: list[str] | None = None
    response_modes_supported: list[str] | None = None
    grant_types_supported: list[str] | None = None
    token_endpoint_auth_methods_supported: list[str] | None = None
    code_challenge_methods_supported: list[str] | None = None
    authorization_details_types_supported: list[str] | None = None
    pre_authorized_grant_anonymous_access_supported: bool | None = Field(
        default=None, alias="pre-authorized_grant_anonymous_access_supported"
    )


class JWTVCIssuerMetadata(Message):
    """JWT VC issuer metadata: the keys of an issuer, by value or by reference, never both."""

    issuer: NonEmpty
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.jwks is None) == (self.jwks_uri is None):
            raise ValueError("exactly one of jwks and jwks_uri")
        return self


def display_name(displays: Sequence[Display] | Sequence[ClaimDisplay] | None, language: str) -> str | None:
    """The name in `language` (`sv` also meets `sv-SE`), else the one without locale, else the first, else None."""
    named = [display for display in displays or [] if display.name]
    for display in named:
        if (display.locale or "").lower().split("-")[0] == language.lower().split("-")[0]:
            return display.name
    for display in named:
        if not display.locale:
            return display.name
    return named[0].name if named else None
