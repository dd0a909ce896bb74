"""Access and refresh tokens: to whom they are bound, and how the token endpoint answers (RFC 6749, 5.1; RFC 9449, 5).

An access token that was asked for with a DPoP proof works with that key only. A refresh token is given to clients that
can be held to something. Of a client that authenticates it stays the same, and is bound to the key by which it does so,
the attested one or its own, whatever its DPoP key (RFC 9449, section 5; FAPI 2.0 Security Profile, 5.3.2.1, 9). Of any
other it is bound to the DPoP key, is replaced at every use, and using an old one ends the whole family.

Only one use of an old one is no theft: the answer with the new one was lost, and the client asks again. For as long as
the access token beside it lives, and neither of the two has been used, whoever has the key gets the same new one again.
Nobody gains by it: the key is needed all the same, and there is never more than one new token of an old one, so that
its second use is seen when thief and owner go on.
"""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from issuer.authorization.clients import AuthMethod, ClientIdentity
from issuer.authorization.token_request import AUTHORIZATION_DETAILS_TYPE, RefreshRequest
from issuer.issuance import Period
from schemas.issuance import AuthorizationDetail, InvalidClient, InvalidDPoPProof, InvalidGrant, TokenResponse

BEARER, DPOP = "Bearer", "DPoP"


@dataclass(frozen=True, slots=True)
class TokenBinding:
    """Who may use a token: the client that asked, the key of its DPoP proof, its attested key (thumbprints)."""

    client_id: str | None
    dpop_key: str | None
    attested_key: str | None
    is_authenticated: bool

    @property
    def can_refresh(self) -> bool:
        """Whether a refresh token would be bound to anything."""
        return self.is_authenticated or self.dpop_key is not None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A new access token, whose it is, and the refresh token beside it, if any."""

    token: str = field(repr=False)
    by_identifier: bool
    binding: TokenBinding
    refresh_token: str | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class GrantedCredential:
    """A certificate that a token covers.

    `by_identifier`: it is named by its identifier; `also_by_configuration`: all the same it is what a request gets that
    names its configuration alone. Without an identifier it is asked for so in any case.
    """

    offer_id: str
    type_name: str
    by_identifier: bool
    also_by_configuration: bool = False


@dataclass(frozen=True, slots=True)
class StoredRefreshToken:
    """What is known of a refresh token. `may_be_lost`: nothing that came when it was replaced has been used so far, and
    the access token that did still lives."""

    family: str
    binding: TokenBinding
    until: datetime
    was_replaced: bool
    may_be_lost: bool


class RefreshVerdict(Enum):
    """What the store has to do with a refresh token."""

    KEEP = auto()
    """Give a new access token; the refresh token stays."""
    REPLACE = auto()
    """Give a new access token and a new refresh token; this one is used up."""
    REPEAT = auto()
    """Give a new access token and the same new refresh token again: the answer may not have arrived."""
    REVOKE_FAMILY = auto()
    """It was used up before: somebody has stolen it, so everything that came of it ends."""


def binding_of(client: ClientIdentity, dpop_key: str | None) -> TokenBinding:
    """The binding of a token that this client asks for."""
    return TokenBinding(client.client_id, dpop_key, client.attested_key, client.is_authenticated)


def new_token(binding: TokenBinding, *, by_identifier: bool, with_refresh: bool) -> NewToken:
    """A fresh access token of 256 random bits, and a refresh token when it is wanted and can be bound."""
    refresh = secrets.token_urlsafe(32) if with_refresh and binding.can_refresh else None
    return NewToken(secrets.token_urlsafe(32), by_identifier, binding, refresh)


def named_by(type_names: Sequence[str], *, asked_by_details: Collection[str]) -> list[tuple[bool, bool]]:
    """How the certificates of one authorization are asked for, which are given by their types: for each, whether by its
    identifier, and whether also by its configuration.

    Identifiers are answered when something was asked for by `authorization_details`, which is what `asked_by_details`
    names, or when the person chose several of a kind that was asked for by scope, where they are optional (OpenID4VCI
    6.2). They are left out where nothing needs them: there are wallets that break when they come unasked. When they
    are answered, everything has one, since wallets then name nothing by its configuration (8.2).

    A wallet that asked by scope and passes over them is refused nothing for it: by the name of the configuration it
    gets the first of the kind, always the same one. 8.2 tells wallets to use the identifiers, and not issuers to
    refuse.
    """
    by_scope = [name for name in type_names if name not in asked_by_details]
    has_identifiers = len(by_scope) < len(type_names) or len(set(by_scope)) < len(by_scope)
    firsts = {name: type_names.index(name) for name in by_scope}
    return [(has_identifiers, has_identifiers and firsts.get(name) == at) for at, name in enumerate(type_names)]


def token_response(
    token: NewToken, credentials: Sequence[GrantedCredential], *, lifetime_seconds: int, was_asked_by_scope: bool
) -> TokenResponse:
    """The answer. `authorization_details` are there for what has an identifier (`named_by`), `scope` only for what was
    asked for by scopes: the person may have allowed less (RFC 6749, 5.1). An offer was not asked for, and a refreshed
    token is for what the first one was for."""
    identifiers: dict[str, list[str]] = {}
    scopes: dict[str, None] = {}
    for credential in credentials:
        if credential.by_identifier:
            identifiers.setdefault(credential.type_name, []).append(credential.offer_id)
        if was_asked_by_scope and (credential.also_by_configuration or not credential.by_identifier):
            scopes[credential.type_name] = None
    details = [
        AuthorizationDetail(
            type=AUTHORIZATION_DETAILS_TYPE, credential_configuration_id=type_name, credential_identifiers=found
        )
        for type_name, found in identifiers.items()
    ]
    return TokenResponse(
        access_token=token.token,
        token_type=DPOP if token.binding.dpop_key else BEARER,
        expires_in=lifetime_seconds,
        refresh_token=token.refresh_token,
        scope=" ".join(scopes) or None,
        authorization_details=details or None,
    )


def judge_refresh(
    stored: StoredRefreshToken, client: ClientIdentity, *, dpop_key: str | None, now: datetime
) -> RefreshVerdict:
    """Decide what becomes of a refresh token. What raises here changes nothing.

    Raises `InvalidGrant`, `InvalidClient`, `InvalidDPoPProof`.
    """
    bound = stored.binding
    if client.client_id != bound.client_id and (client.client_id is not None or bound.is_authenticated):
        raise InvalidGrant("the refresh token is of another client")
    if bound.is_authenticated and not client.is_authenticated:
        raise InvalidClient("the client must authenticate as it did before")
    if bound.attested_key is not None:
        if client.method is not AuthMethod.ATTESTATION or client.attested_key != bound.attested_key:
            raise InvalidGrant("the refresh token is bound to another attested key")
    elif bound.is_authenticated and client.method is AuthMethod.ATTESTATION:
        raise InvalidGrant("the refresh token is of a client that authenticates with its own key")
    elif not bound.is_authenticated and bound.dpop_key is not None and dpop_key != bound.dpop_key:
        if dpop_key is None:
            raise InvalidDPoPProof("the refresh token is bound to a key: a DPoP proof is needed")
        raise InvalidGrant("the refresh token is bound to another key")
    if stored.was_replaced and not stored.may_be_lost:
        return RefreshVerdict.REVOKE_FAMILY
    if now >= stored.until:
        raise InvalidGrant("the refresh token has expired")
    if stored.was_replaced:
        return RefreshVerdict.REPEAT
    return RefreshVerdict.KEEP if bound.is_authenticated else RefreshVerdict.REPLACE


class RefreshBook(Protocol):
    """Where refresh tokens are kept."""

    def next_refresh_token(self, refresh_token: str) -> str:
        """What a refresh token is replaced by."""
        ...

    def refresh(
        self,
        refresh_token: str,
        judge: Callable[[StoredRefreshToken], RefreshVerdict],
        token: NewToken,
        *,
        periods: Mapping[str, Period],
        now: datetime,
    ) -> tuple[RefreshVerdict, list[GrantedCredential], datetime]:
        """Judge and act in one transaction; what can be renewed is made from the records as they are now.

        The third is when the access token ends: one that is given again ends when the lost one would have.

        `periods` says by name of type how long fresh copies hold.

        Raises `InvalidGrant` unless something was granted.
        """
        ...


def exchange_refresh_token(
    request: RefreshRequest,
    client: ClientIdentity,
    *,
    dpop_key: str | None,
    book: RefreshBook,
    periods: Mapping[str, Period],
    now: datetime,
) -> TokenResponse:
    """Give a new access token for the certificates that an earlier one covered (OpenID4VCI 14.5).

    Raises `InvalidGrant`, `InvalidClient`, `InvalidDPoPProof`.
    """
    token = new_token(binding_of(client, dpop_key), by_identifier=False, with_refresh=False)
    if token.binding.can_refresh:
        token = replace(token, refresh_token=book.next_refresh_token(request.refresh_token))
    verdict, credentials, until = book.refresh(
        request.refresh_token,
        lambda stored: judge_refresh(stored, client, dpop_key=dpop_key, now=now),
        token,
        periods=periods,
        now=now,
    )
    if verdict is RefreshVerdict.KEEP:
        token = replace(token, refresh_token=None)
    lifetime = int((until - now).total_seconds())
    return token_response(token, credentials, lifetime_seconds=lifetime, was_asked_by_scope=False)
