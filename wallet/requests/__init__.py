"""Requests of recipients (OpenID4VP 1.0): read the link, fetch, check, and find what may be told to whom.

link = parse_link(text)                                                    # S0: asked_host(link)
fetched = await fetch_request(link, transport=transport, wallet_nonce=nonce, now=now)
checked = check_request(fetched, trust=trust, now=now)                     # raises RequestFault, RequestExpired
"""

from wallet.requests.answer_key import AnswerKey
from wallet.requests.checking import CheckedRequest, FetchedRequest, check_request
from wallet.requests.declarations import AskedDeclaration
from wallet.requests.faults import (
    WRONG_SENDER,
    AlreadyAnswered,
    ErrorAddress,
    ImproperRequest,
    RequestExpired,
    RequestFault,
    RequestMuted,
)
from wallet.requests.fetching import CouldNotFetch, MayNotFetch, RequestTransport, fetch_request, wallet_metadata
from wallet.requests.kept import (
    MAX_KEPT_BYTES,
    MAX_KEPT_BYTES_TOGETHER,
    KeptRequestChanged,
    checked_again,
    content_digest,
    kept_content,
)
from wallet.requests.links import CameBy, asked_host
from wallet.requests.notice import StatedNotice
from wallet.requests.registration import Registration, RegistrationOutcome, Through

__all__ = [
    "MAX_KEPT_BYTES",
    "MAX_KEPT_BYTES_TOGETHER",
    "WRONG_SENDER",
    "AlreadyAnswered",
    "AnswerKey",
    "AskedDeclaration",
    "CameBy",
    "CheckedRequest",
    "CouldNotFetch",
    "ErrorAddress",
    "FetchedRequest",
    "ImproperRequest",
    "KeptRequestChanged",
    "MayNotFetch",
    "Registration",
    "RegistrationOutcome",
    "RequestExpired",
    "RequestFault",
    "RequestMuted",
    "RequestTransport",
    "StatedNotice",
    "Through",
    "asked_host",
    "check_request",
    "checked_again",
    "content_digest",
    "fetch_request",
    "kept_content",
    "wallet_metadata",
]
