"""Errors of token endpoint (RFC 6749, 5.2), credential endpoint (OpenID4VCI 8.3.1) and bearer use (RFC 6750, 3.1)."""

from schemas.errors import ProtocolError


class InvalidGrant(ProtocolError):
    """The code is unknown, expired, used or voided, or the transaction code is wrong."""

    error = "invalid_grant"


class InvalidClient(ProtocolError):
    """The client must identify itself and did not, or could not be authenticated."""

    error = "invalid_client"


class UnauthorizedClient(ProtocolError):
    """This client may not use this grant type."""

    error = "unauthorized_client"


class UnsupportedGrantType(ProtocolError):
    """The authorization server does not support this grant type."""

    error = "unsupported_grant_type"


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
