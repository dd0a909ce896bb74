"""Authorization codes: the person said yes, and the wallet that asked redeems the code (RFC 6749, 4.1.3; RFC 7636).

The rules are here, as functions of what is stored and what was asked; the store loads, judges and writes in one
transaction, so that of any number of parallel requests exactly one is granted.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from issuer.authorization.clients import ClientIdentity
from issuer.authorization.pre_authorized import Verdict
from issuer.authorization.token_request import AuthorizationCodeRequest, check_locations
from issuer.authorization.tokens import GrantedCredential, NewToken, binding_of, new_token, token_response
from proofs.pkce import verifier_holds
from schemas.issuance import InvalidAuthorizationDetails, InvalidGrant, TokenResponse

CODE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class StoredAuthorization:
    """What is known of the authorization that a code belongs to. `type_names`: what the person said yes to."""

    id: str
    client_id: str
    attested_key: str | None
    dpop_key: str | None
    redirect_uri: str
    code_challenge: str
    code_until: datetime
    was_redeemed: bool
    type_names: tuple[str, ...]


class AuthorizationBook(Protocol):
    """Where authorizations are kept."""

    def redeem_code(
        self,
        code: str,
        judge: Callable[[StoredAuthorization], Verdict],
        token: NewToken,
        *,
        narrowed_to: Sequence[str] | None,
        now: datetime,
    ) -> list[GrantedCredential]:
        """Judge and act in one transaction; raises `InvalidGrant` unless the verdict is to grant."""
        ...


def judge_authorization_code(
    stored: StoredAuthorization,
    request: AuthorizationCodeRequest,
    client: ClientIdentity,
    *,
    dpop_key: str | None,
    issuer: str,
    now: datetime,
) -> Verdict:
    """Decide what becomes of a code. What raises here changes nothing.

    A code that was used before ends its tokens (RFC 6749, 4.1.2), but only for somebody who could have used it.
    Raises `InvalidGrant`, `InvalidAuthorizationDetails`.
    """
    # 1. The client that pushed the request, with the same attested key.
    if client.client_id != stored.client_id or client.attested_key != stored.attested_key:
        raise InvalidGrant("the code is of another client")
    # 2. The address it was sent to, the verifier behind the challenge, the key that was announced.
    if not hmac.compare_digest(request.redirect_uri.encode(), stored.redirect_uri.encode()):
        raise InvalidGrant("redirect_uri is not the one that the code was sent to")
    if not verifier_holds(request.code_verifier, challenge=stored.code_challenge):
        raise InvalidGrant("code_verifier does not belong to the request")
    if stored.dpop_key is not None and dpop_key != stored.dpop_key:
        raise InvalidGrant("the code is bound to another DPoP key")
    # 3. Alive, or used before.
    if stored.was_redeemed:
        return Verdict.REVOKE
    if now >= stored.code_until:
        raise InvalidGrant("the code has expired")
    # 4. Details may narrow, never widen.
    for detail in request.details or ():
        if detail.credential_configuration_id not in stored.type_names:
            raise InvalidAuthorizationDetails("this configuration was not authorized")
    check_locations(request.details or (), issuer=issuer)
    return Verdict.GRANT


def exchange_authorization_code(
    request: AuthorizationCodeRequest,
    client: ClientIdentity,
    *,
    dpop_key: str | None,
    book: AuthorizationBook,
    issuer: str,
    lifetime_seconds: int,
    with_refresh: bool,
    now: datetime,
) -> TokenResponse:
    """Redeem an authorization code. Raises `InvalidGrant`, `InvalidAuthorizationDetails`."""
    token = new_token(
        binding_of(client, dpop_key), by_identifier=request.details is not None, with_refresh=with_refresh
    )
    narrowed_to = None
    if request.details is not None:
        narrowed_to = [detail.credential_configuration_id or "" for detail in request.details]

    def judge(stored: StoredAuthorization) -> Verdict:
        return judge_authorization_code(stored, request, client, dpop_key=dpop_key, issuer=issuer, now=now)

    credentials = book.redeem_code(request.code, judge, token, narrowed_to=narrowed_to, now=now)
    return token_response(token, credentials, lifetime_seconds=lifetime_seconds, was_asked_by_scope=True)
