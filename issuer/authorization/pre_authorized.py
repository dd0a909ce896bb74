"""Pre-authorized codes: an offer was handed to the person, and a wallet redeems its code (OpenID4VCI 1.0, section 6).

The rules are here, as functions of what is stored and what was asked; the store loads, judges and writes in one
transaction, so that of any number of parallel requests exactly one is granted.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from issuer.authorization.token_request import CodeRequest, check_locations
from issuer.authorization.tokens import GrantedCredential, NewToken, TokenBinding, new_token, token_response
from issuer.offers import CAN_BE_REDEEMED, OfferState
from schemas.errors import Malformed
from schemas.issuance import InvalidAuthorizationDetails, InvalidGrant, TokenResponse


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


class CodeBook(Protocol):
    """Where codes are kept."""

    def redeem(
        self, code: str, judge: Callable[[StoredCode], Verdict], token: NewToken, *, now: datetime
    ) -> StoredCode:
        """Judge and act in one transaction; raises `InvalidGrant` unless the verdict is to grant."""
        ...


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
    check_locations(request.details or (), issuer=issuer)
    # 4. The transaction code itself, compared in constant time.
    if code.tx_code is not None and not hmac.compare_digest(
        code.tx_code.encode(), (request.tx_code or "").encode("utf-8", "replace")
    ):
        return Verdict.COUNT_WRONG_TRY
    return Verdict.REVOKE if was_used else Verdict.GRANT


def exchange_code(
    request: CodeRequest,
    binding: TokenBinding,
    *,
    codes: CodeBook,
    issuer: str,
    lifetime_seconds: int,
    with_refresh: bool,
    now: datetime,
) -> TokenResponse:
    """Redeem a code: exactly one of several parallel requests gets a token.

    `authorization_details` are answered only when they were asked for, and then with identifiers (6.2).
    Raises `InvalidGrant`, `Malformed`, `InvalidAuthorizationDetails`.
    """
    by_identifier = request.details is not None
    token = new_token(binding, by_identifier=by_identifier, with_refresh=with_refresh)
    code = codes.redeem(
        request.code, lambda stored: judge_code(stored, request, issuer=issuer, now=now), token, now=now
    )
    granted = GrantedCredential(code.offer_id, code.type_name, by_identifier)
    return token_response(token, [granted], lifetime_seconds=lifetime_seconds, was_asked_by_scope=False)
