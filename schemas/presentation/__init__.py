"""OpenID4VP messages: the link that invokes a wallet, the request in the request object, and the answer.

    link = parse_link("openid4vp://?client_id=...&request_uri=...&request_uri_method=post")
    request = AuthorizationRequest.from_parameters(request_object.parameters)
    response = read_response({"vp_token": {"diploma": ["eyJ..."]}, "state": "..."})

Source: OpenID4VP 1.0, sections 5 (request), 8 (response) and 13.3.
"""

from schemas.presentation.client_ids import (
    split_client_id,
)
from schemas.presentation.declaration import (
    DECLARATION_TYPE,
    MAX_DECLARATIONS,
    Declaration,
    read_declaration,
)
from schemas.presentation.errors import (
    AccessDenied,
    InvalidClient,
    InvalidRequest,
    InvalidRequestURIMethod,
    InvalidResponse,
    InvalidScope,
    InvalidTransactionData,
    UnsupportedResponseType,
    VPFormatsNotSupported,
    WalletUnavailable,
)
from schemas.presentation.link import (
    RequestLink,
    RequestURIMethod,
    check_url,
    parse_link,
)
from schemas.presentation.request import (
    DEFAULT_CONTENT_ENCRYPTION,
    REQUEST_OBJECT_MEDIA_TYPE,
    REQUEST_OBJECT_TYPE,
    WALLET_AUDIENCE,
    AuthorizationRequest,
    ClientMetadata,
    KeySet,
    ResponseMode,
    TransactionDatum,
    VerifierInfo,
    parameters_from_strings,
)
from schemas.presentation.response import (
    AuthorizationErrorResponse,
    AuthorizationResponse,
    read_response,
)

__all__ = [
    "DECLARATION_TYPE",
    "DEFAULT_CONTENT_ENCRYPTION",
    "MAX_DECLARATIONS",
    "REQUEST_OBJECT_MEDIA_TYPE",
    "REQUEST_OBJECT_TYPE",
    "WALLET_AUDIENCE",
    "AccessDenied",
    "AuthorizationErrorResponse",
    "AuthorizationRequest",
    "AuthorizationResponse",
    "ClientMetadata",
    "Declaration",
    "InvalidClient",
    "InvalidRequest",
    "InvalidRequestURIMethod",
    "InvalidResponse",
    "InvalidScope",
    "InvalidTransactionData",
    "KeySet",
    "RequestLink",
    "RequestURIMethod",
    "ResponseMode",
    "TransactionDatum",
    "UnsupportedResponseType",
    "VPFormatsNotSupported",
    "VerifierInfo",
    "WalletUnavailable",
    "check_url",
    "parameters_from_strings",
    "parse_link",
    "read_declaration",
    "read_response",
    "split_client_id",
]
