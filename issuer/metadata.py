"""The documents that an issuer publishes about itself: OpenID4VCI 12.2, RFC 8414, SD-JWT VC 4.

Only what truly exists is named. The addresses come from the public URL; `credential_issuer` equals it exactly.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from issuer.authorization.clients import CLIENT_ALGORITHMS
from issuer.authorization.token_request import AUTHORIZATION_DETAILS_TYPE, GRANT_TYPES, REFRESH_TOKEN_GRANT
from issuer.credential_request import COMPRESSION, PROOF_ALGORITHMS, KeyRules
from proofs import pkce
from proofs.jwe import ENCRYPTIONS, KEY_AGREEMENT
from schemas.issuance import (
    FORMAT_SD_JWT_VC,
    PROOF_TYPE_ATTESTATION,
    PROOF_TYPE_JWT,
    AuthorizationServerMetadata,
    BatchSupport,
    ClaimDescription,
    ClaimDisplay,
    CredentialConfiguration,
    CredentialMetadata,
    Display,
    IssuerMetadata,
    JWTVCIssuerMetadata,
    ProofTypeSupport,
    RequestEncryption,
    ResponseEncryption,
)
from schemas.types import CREDENTIAL_TYPES, ClaimSpec, CredentialType

LOCALES = ("sv", "en")
BACKGROUND, TEXT = "#1f3a5f", "#ffffff"


def issuer_metadata(
    *,
    issuer: str,
    names: Mapping[str, str],
    rules: KeyRules,
    signing_algorithm: str,
    encryption_key: Mapping[str, Any],
    encryption: str,
) -> IssuerMetadata:
    """The credential issuer metadata.

    `names` maps languages to the institution's name, `signing_algorithm` is what the issuer's key signs (`ES256`),
    `encryption_key` the public JWK to which requests can be encrypted, `encryption` whether that is none, offered or
    required.
    """
    encryptions = list(ENCRYPTIONS)
    return IssuerMetadata(
        credential_issuer=issuer,
        credential_endpoint=f"{issuer}/credential",
        nonce_endpoint=f"{issuer}/nonce",
        deferred_credential_endpoint=f"{issuer}/deferred_credential",
        notification_endpoint=f"{issuer}/notification",
        credential_request_encryption=None
        if encryption == "none"
        else RequestEncryption(
            jwks={"keys": [dict(encryption_key)]},
            enc_values_supported=encryptions,
            zip_values_supported=[COMPRESSION],
            encryption_required=encryption == "required",
        ),
        credential_response_encryption=None
        if encryption == "none"
        else ResponseEncryption(
            alg_values_supported=[KEY_AGREEMENT],
            enc_values_supported=encryptions,
            zip_values_supported=[COMPRESSION],
            encryption_required=encryption == "required",
        ),
        batch_credential_issuance=BatchSupport(batch_size=rules.batch_size),
        display=[Display(name=names[locale], locale=locale) for locale in LOCALES],
        credential_configurations_supported={
            name: credential_configuration(credential_type, rules=rules, signing_algorithm=signing_algorithm)
            for name, credential_type in CREDENTIAL_TYPES.items()
        },
    )


def credential_configuration(
    credential_type: CredentialType, *, rules: KeyRules, signing_algorithm: str
) -> CredentialConfiguration:
    """What wallets need to know of one type."""
    return CredentialConfiguration(
        format=FORMAT_SD_JWT_VC,
        vct=credential_type.vct,
        scope=credential_type.name,
        cryptographic_binding_methods_supported=["jwk"],
        credential_signing_alg_values_supported=[signing_algorithm],
        proof_types_supported=_proof_types(credential_type.name, rules),
        credential_metadata=CredentialMetadata(
            display=[
                Display(
                    name=credential_type.display[locale],
                    locale=locale,
                    description=credential_type.description[locale],
                    background_color=BACKGROUND,
                    text_color=TEXT,
                )
                for locale in LOCALES
            ],
            claims=[_claim(spec) for spec in credential_type.claims],
        ),
    )


def _proof_types(type_name: str, rules: KeyRules) -> dict[str, ProofTypeSupport]:
    """How keys are proven for a type. `attestation` exists only where somebody is trusted to vouch for keys."""
    needed: dict[str, Any] | None = {} if type_name in rules.demanded_for else None
    support = ProofTypeSupport(
        proof_signing_alg_values_supported=list(PROOF_ALGORITHMS), key_attestations_required=needed
    )
    if not rules.attesters:
        return {PROOF_TYPE_JWT: support}
    attestation = ProofTypeSupport(
        proof_signing_alg_values_supported=list(PROOF_ALGORITHMS), key_attestations_required={}
    )
    return {PROOF_TYPE_JWT: support, PROOF_TYPE_ATTESTATION: attestation}


def _claim(spec: ClaimSpec) -> ClaimDescription:
    return ClaimDescription(
        path=list(spec.path),
        mandatory=True if spec.mandatory else None,
        display=[ClaimDisplay(name=spec.display[locale], locale=locale) for locale in LOCALES],
    )


def authorization_server_metadata(
    *, issuer: str, anonymous_access: bool, methods: Sequence[str], refreshes: bool
) -> AuthorizationServerMetadata:
    """The authorization server metadata. `methods` are the ways in which clients authenticate here."""
    algorithms = list(CLIENT_ALGORITHMS)
    grant_types = [grant for grant in GRANT_TYPES if refreshes or grant != REFRESH_TOKEN_GRANT]
    return AuthorizationServerMetadata(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/authorize",
        token_endpoint=f"{issuer}/token",
        pushed_authorization_request_endpoint=f"{issuer}/par",
        require_pushed_authorization_requests=True,
        authorization_response_iss_parameter_supported=True,
        challenge_endpoint=f"{issuer}/challenge",
        scopes_supported=list(CREDENTIAL_TYPES),
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=grant_types,
        code_challenge_methods_supported=[pkce.METHOD],
        token_endpoint_auth_methods_supported=list(methods),
        token_endpoint_auth_signing_alg_values_supported=algorithms,
        client_attestation_signing_alg_values_supported=algorithms,
        client_attestation_pop_signing_alg_values_supported=algorithms,
        dpop_signing_alg_values_supported=algorithms,
        authorization_details_types_supported=[AUTHORIZATION_DETAILS_TYPE],
        pre_authorized_grant_anonymous_access_supported=anonymous_access,
    )


def jwt_vc_issuer_metadata(*, issuer: str, keys: Sequence[Mapping[str, Any]]) -> JWTVCIssuerMetadata:
    """The JWT VC issuer metadata; `keys` are public JWKs with `kid`."""
    return JWTVCIssuerMetadata(issuer=issuer, jwks={"keys": [dict(key) for key in keys]})
