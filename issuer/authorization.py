"""The token endpoint: a pre-authorized code becomes an access token (OpenID4VCI 1.0, section 6).

The rules are here, as functions of what is stored and what was asked; the store loads, judges and writes in one
transaction, so that of any number of parallel requests exactly one is granted.
"""

import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from issuer.offers import CAN_BE_REDEEMED, OfferState
from proofs import strict_json
from schemas.errors import Malformed
from schemas.issuance import (
    PRE_AUTHORIZED_CODE_GRANT,
    AuthorizationDetail,
    InvalidAuthorizationDetails,
    InvalidClient,
    InvalidGrant,
    TokenRequest,
    TokenResponse,
    UnsupportedGrantType,
)

AUTHORIZATION_DETAILS_TYPE = "openid_credential"
TOKEN_TYPE = "Bearer"  # noqa: S105 - the name of a scheme
_SINGLE = frozenset({"grant_type", "pre-authorized_code", "tx_code", "client_id", "authorization_details"})
_MAX_VALUE_CHARACTERS = 10_000


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """A well-formed request to redeem a pre-authorized code."""

    code: str = field(repr=False)
    tx_code: str | None = field(repr=False)
    client_id: str | None
    details: tuple[AuthorizationDetail, ...] | None


@dataclass(frozen=True, slots=True)
class StoredCode:
    """What is known of the offer that a code belongs to.

    `tx_code` is the right transaction code, None when none is wanted.
    """

    offer_id: str
    type_name: str
    state: OfferState
    expires_at: datetime
    tx_code: str | None = field(repr=False)
    tries_left: int


class Verdict(Enum):
    """What the store has to do with a code."""

    GRANT = auto()
    """Spend it and keep the digest of a new access token."""
    COUNT_WRONG_TRY = auto()
    """Take one try away; at none left the code is burned. The code itself is not consumed."""
    REVOKE = auto()
    """It was used before: withdraw the access token that it gave (RFC 6749, section 4.1.2)."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A new access token and how it is answered."""

    token: str = field(repr=False)
    by_identifier: bool
    client_id: str | None


class CodeBook(Protocol):
    """Where codes are kept."""

    def redeem(
        self, code: str, judge: Callable[[StoredCode], Verdict], token: NewToken, *, now: datetime
    ) -> StoredCode:
        """Judge and act in one transaction; raises `InvalidGrant` unless the verdict is to grant."""
        ...


def read_token_request(form: Sequence[tuple[str, str]], *, anonymous_access: bool) -> CodeRequest:
    """Read the form of a token request. Unknown parameters are ignored, `resource` and `scope` among them.

    Raises `Malformed` (`invalid_request`), `UnsupportedGrantType`, `InvalidClient` when the client must name itself,
    `InvalidAuthorizationDetails`.
    """
    values: dict[str, str] = {}
    for name, value in form:
        if name in _SINGLE:
            if name in values:
                raise Malformed(f"{name} is there more than once")  # RFC 6749, section 3.2
            if len(value) > _MAX_VALUE_CHARACTERS:
                raise Malformed(f"{name} is too long")
            values[name] = value
    # RFC 6749, section 3.2: parameters without a value are treated as if they were omitted. An empty transaction code
    # stays a wrong one, though: somebody was asked for it.
    request = TokenRequest.read({name: value for name, value in values.items() if value or name == "tx_code"})
    if request.grant_type != PRE_AUTHORIZED_CODE_GRANT:
        raise UnsupportedGrantType("only the pre-authorized code grant is supported")
    if not request.pre_authorized_code:
        raise Malformed("pre-authorized_code is missing")
    if request.client_id is None and not anonymous_access:
        raise InvalidClient("this issuer wants a client_id")
    details = _read_details(request.authorization_details) if request.authorization_details else None
    return CodeRequest(request.pre_authorized_code, request.tx_code, request.client_id, details)


def _read_details(text: str) -> tuple[AuthorizationDetail, ...]:
    """The authorization details of a request (OpenID4VCI 6.1.1, RFC 9396, section 5)."""
    try:
        value = strict_json.loads(text, max_bytes=_MAX_VALUE_CHARACTERS)
    except Malformed as exc:
        raise InvalidAuthorizationDetails("authorization_details is not a JSON document") from exc
    if not isinstance(value, list) or not value:
        raise InvalidAuthorizationDetails("authorization_details is not an array with an entry")
    details = tuple(AuthorizationDetail.read(entry, error=InvalidAuthorizationDetails) for entry in value)
    for detail in details:
        if detail.type != AUTHORIZATION_DETAILS_TYPE or not detail.credential_configuration_id:
            raise InvalidAuthorizationDetails("each entry is of type openid_credential and names a configuration")
    return details


def judge_code(code: StoredCode, request: CodeRequest, *, issuer: str, now: datetime) -> Verdict:
    """Decide what becomes of a code. What raises here changes nothing.

    The order matters: nobody learns whether a transaction code was right before every other rule holds, and a code that
    was already used is revoked only for somebody who could have used it.
    """
    # 1. Presence of the transaction code (6.3): neither missing nor superfluous; not counted as a try.
    if code.tx_code is None and request.tx_code is not None:
        raise Malformed("no transaction code is expected")
    if code.tx_code is not None and request.tx_code is None:
        raise Malformed("a transaction code is expected")
    # 2. The code is alive, or was used.
    was_used = code.state in (OfferState.REDEEMED, OfferState.COLLECTED)
    if not was_used and (code.state not in CAN_BE_REDEEMED or now >= code.expires_at):
        raise InvalidGrant("the code is not valid, or no longer")
    if code.tx_code is not None and code.tries_left < 1:
        raise InvalidGrant("the code is not valid, or no longer")
    # 3. Details may narrow, never widen (6.1.1).
    for detail in request.details or ():
        if detail.credential_configuration_id != code.type_name:
            raise InvalidAuthorizationDetails("this configuration was not offered")
        if detail.locations is not None and issuer not in detail.locations:
            raise InvalidAuthorizationDetails("locations does not name this issuer")
    # 4. The transaction code itself, compared in constant time.
    if code.tx_code is not None and not hmac.compare_digest(
        code.tx_code.encode(), (request.tx_code or "").encode("utf-8", "replace")
    ):
        return Verdict.COUNT_WRONG_TRY
    return Verdict.REVOKE if was_used else Verdict.GRANT


def exchange_code(
    request: CodeRequest, *, codes: CodeBook, issuer: str, lifetime_seconds: int, now: datetime
) -> TokenResponse:
    """Redeem a code: exactly one of several parallel requests gets a token.

    `authorization_details` are answered only when they were asked for, and then with identifiers (6.2).
    Raises `InvalidGrant`, `Malformed`, `InvalidAuthorizationDetails`.
    """
    token = NewToken(secrets.token_urlsafe(32), request.details is not None, request.client_id)
    code = codes.redeem(
        request.code, lambda stored: judge_code(stored, request, issuer=issuer, now=now), token, now=now
    )
    details = None
    if request.details is not None:
        details = [
            AuthorizationDetail(
                type=AUTHORIZATION_DETAILS_TYPE,
                credential_configuration_id=code.type_name,
                credential_identifiers=[code.offer_id],
            )
        ]
    return TokenResponse(
        access_token=token.token,
        token_type=TOKEN_TYPE,
        expires_in=lifetime_seconds,
        authorization_details=details,
    )
