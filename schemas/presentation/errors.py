"""What can be wrong with a request or an answer (OpenID4VP 8.5, RFC 6749 4.1.2.1).

A wallet may post `error` of one of these to the response URI.
"""

from schemas.errors import Malformed, Refused


class InvalidRequest(Malformed):
    """The request lacks a parameter, repeats one, or has a value that the specification does not allow."""

    error = "invalid_request"


class InvalidClient(Refused):
    """The client identifier or its metadata cannot be accepted."""

    error = "invalid_client"


class AccessDenied(Refused):
    """The person did not share, or there is nothing that would satisfy the request; nobody can tell which."""

    error = "access_denied"


class InvalidScope(Refused):
    """The scope stands for no query that is known here."""

    error = "invalid_scope"


class UnsupportedResponseType(Refused):
    """The response type is not `vp_token`."""

    error = "unsupported_response_type"


class VPFormatsNotSupported(Refused):
    """None of the formats asked for is supported."""

    error = "vp_formats_not_supported"


class InvalidRequestURIMethod(InvalidRequest):
    """`request_uri_method` is neither `get` nor `post`."""

    error = "invalid_request_uri_method"


class InvalidTransactionData(Refused):
    """Transaction data of a type that is not understood, or not conforming to it."""

    error = "invalid_transaction_data"


class WalletUnavailable(Refused):
    """The wallet could not be reached or could not answer."""

    error = "wallet_unavailable"


class InvalidResponse(Malformed):
    """An authorization response is not of the form that the specification gives."""

    error = "invalid_request"
