"""Errors of the endpoints of an issuer.

Authorization and token endpoint (RFC 6749, 4.1.2.1 and 5.2), pushed requests (RFC 9126), DPoP (RFC 9449), client
attestation, credential endpoint (OpenID4VCI 8.3.1), deferred (9.3), notification (11.3), use of tokens (RFC 6750, 3.1).
"""

from schemas.errors import ProtocolError


class InvalidGrant(ProtocolError):
    """The code is unknown, expired, used or voided, or the transaction code is wrong."""

    error = "invalid_grant"


class InvalidClient(ProtocolError):
    """The client must identify itself and did not, or could not be authenticated."""

    error = "invalid_client"


class InvalidClientAttestation(InvalidClient):
    """The client's attestation, or its proof of possession, does not hold."""


class UseAttestationChallenge(InvalidClient):
    """The attestation's proof needs a challenge of this server; the answer carries one."""

    error = "use_attestation_challenge"


class UseFreshAttestation(InvalidClient):
    """The client's attestation is no longer fresh."""

    error = "use_fresh_attestation"


class InvalidDPoPProof(ProtocolError):
    """The DPoP proof is missing or does not hold (RFC 9449, section 5)."""

    error = "invalid_dpop_proof"


class UseDPoPNonce(ProtocolError):
    """The DPoP proof needs a nonce of this server; the answer carries one (RFC 9449, section 8)."""

    error = "use_dpop_nonce"


class AccessDenied(ProtocolError):
    """The person, or the issuer, said no."""

    error = "access_denied"


class UnsupportedResponseType(ProtocolError):
    """Only the response type `code` is supported."""

    error = "unsupported_response_type"


class InvalidRequestURI(ProtocolError):
    """The pushed request is unknown, was used, has expired, or is of another client (RFC 9126, section 4)."""

    error = "invalid_request_uri"


class InvalidTransactionID(ProtocolError):
    """There is no such deferred transaction under this access token, or it was already used to obtain a credential."""

    error = "invalid_transaction_id"


class InvalidNotificationID(ProtocolError):
    """There is no such notification under this access token."""

    error = "invalid_notification_id"


class InvalidNotificationRequest(ProtocolError):
    """The notification request lacks something or is otherwise malformed."""

    error = "invalid_notification_request"


class UnauthorizedClient(ProtocolError):
    """This client may not use this grant type."""

    error = "unauthorized_client"


class UnsupportedGrantType(ProtocolError):
    """The authorization server does not support this grant type."""

    error = "unsupported_grant_type"


class InvalidTarget(ProtocolError):
    """The resource is another one than what is issued here (RFC 8707, section 2)."""

    error = "invalid_target"


class InvalidScope(ProtocolError):
    """The scope names nothing that this grant covers."""

    error = "invalid_scope"


class InvalidAuthorizationDetails(ProtocolError):
    """The authorization details are malformed or ask for more than was granted (RFC 9396, section 5)."""

    error = "invalid_authorization_details"


class InvalidToken(ProtocolError):
    """The access token is missing, unknown, expired or revoked."""

    error = "invalid_token"
    status = 401


class InsufficientScope(ProtocolError):
    """The access token does not cover what was asked for."""

    error = "insufficient_scope"
    status = 403


class InvalidCredentialRequest(ProtocolError):
    """The credential request lacks something, repeats something or is otherwise malformed."""

    error = "invalid_credential_request"


class UnknownCredentialConfiguration(ProtocolError):
    """The credential configuration is unknown, or this access token does not cover it."""

    error = "unknown_credential_configuration"


class UnknownCredentialIdentifier(ProtocolError):
    """The credential identifier is unknown to this access token."""

    error = "unknown_credential_identifier"


class InvalidProof(ProtocolError):
    """A key proof is missing or invalid."""

    error = "invalid_proof"


class InvalidNonce(ProtocolError):
    """The nonce in a key proof is not from here, has expired or was used before."""

    error = "invalid_nonce"


class InvalidEncryptionParameters(ProtocolError):
    """Encryption of the answer was asked for in a way that is not offered."""

    error = "invalid_encryption_parameters"


class CredentialRequestDenied(ProtocolError):
    """The credential will not be issued; asking again will not help."""

    error = "credential_request_denied"
