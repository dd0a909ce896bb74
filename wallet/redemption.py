"""Spending a code for a token, so that the person knows what happened even when the answer is lost.

    collection = await redeem(collection, client=client, provider=provider, keeper=keeper, clock=clock)

Keys and intent are kept before the code is sent. While there is no answer, the code may be spent or not: another
attempt tells, and when it is refused the answer was lost on the way, which costs the person a new offer, or another
sign-in, and nothing else.
Source: OpenID4VCI 1.0, section 6; RFC 6749, section 5.
"""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from proofs import strict_json
from proofs.keys import generate_signer
from schemas.errors import ProtocolError
from schemas.issuance import PRE_AUTHORIZED_CODE_GRANT, TokenRequest, TokenResponse
from wallet.collection import Collection, Keeper, Part, PartState, Stage, concluded
from wallet.issuer_client import LARGEST_ANSWER, ClientKeys, IssuerClient, WalletProvider, error_code
from wallet.web import AddressRefused, Busy, Reply, Unreachable, Web

LONGEST_TOKEN_SECONDS: Final = 31_536_000
"""A longer life than a year is cut: the number is the issuer's, and would be any number."""

MOST_CERTIFICATES: Final = 100
"""So many are fetched with one wish: the number of identifiers is the issuer's, and would be any number. A whole
education, course by course, is fewer."""
TOO_MANY: Final = "too_many"
"""Why the part that stands for all beyond that is refused."""

BUSY = frozenset({429, 503})
WRONG_TX_CODE = frozenset({"invalid_grant", "invalid_tx_code"})
"""How a wrong transaction code is refused: in OpenID4VCI 1.0, section 6.3, and in its version 1.1."""
CLIENT_ERRORS = frozenset({"invalid_client", "unauthorized_client"})


def client_for(
    collection: Collection, *, web: Web, provider: WalletProvider, clock: Callable[[], datetime]
) -> IssuerClient:
    """Who asks for this collection: the client with its own keys, at its authorization server."""
    return IssuerClient(
        ClientKeys.from_json(collection.client),
        server=collection.offered.authorization_server,
        web=web,
        provider=provider,
        clock=clock,
    )


async def redeem(
    collection: Collection,
    *,
    client: IssuerClient,
    provider: WalletProvider,
    keeper: Keeper,
    clock: Callable[[], datetime],
) -> Collection:
    """Spend the code for a token. Nothing is sent when nothing of the offer can be collected."""
    if all(part.is_final for part in collection.parts):
        collection = concluded(collection)
        keeper.save(collection)
        return collection
    sent_before = collection.unanswered
    collection = replace(collection, unanswered=True, problem="", peer_error="")
    keeper.save(collection)
    endpoint = collection.offered.authorization_server.token_endpoint
    assert endpoint is not None
    is_named = collection.code is not None or client.wants_name
    try:
        reply = await client.ask_server(
            endpoint, _token_form(collection, provider, named=is_named), attested=True, bound=True
        )
        if client.can_be_nobody and error_code(reply) in CLIENT_ERRORS:
            # It takes attestations, but not of our provider: as a public client with a code of a sign-in, which is of
            # that client; an offer it also gives to nobody in particular.
            is_named = collection.code is not None
            form = _token_form(collection, provider, named=is_named)
            reply = await client.ask_server(endpoint, form, attested=False, bound=True)
    except (AddressRefused, Busy) as exc:
        collection = replace(collection, unanswered=sent_before).paused(exc.reason)  # Nothing was sent.
    except Unreachable as exc:
        collection = collection.paused(exc.reason)
    else:
        collection = replace(collection, is_named=is_named)
        collection = _token_answer(collection, reply, sent_before=sent_before, at=int(clock().timestamp()))
    keeper.save(collection)
    return collection


async def refresh(
    collection: Collection,
    *,
    client: IssuerClient,
    provider: WalletProvider,
    keeper: Keeper,
    clock: Callable[[], datetime],
) -> Collection:
    """Get a new access token for what is still to come; without one the collection keeps waiting, with a problem."""
    endpoint = collection.offered.authorization_server.token_endpoint
    if collection.refresh_token is None or endpoint is None:
        return collection.failed("too_late")
    form = TokenRequest(
        grant_type="refresh_token",
        refresh_token=collection.refresh_token,
        client_id=provider.client_id if collection.is_named else None,
    ).as_form()
    try:
        reply = await client.ask_server(endpoint, form, attested=True, bound=True)
        if client.attests and client.can_be_nobody and error_code(reply) in CLIENT_ERRORS:
            # The token was given without an attestation, which that server did not take.
            reply = await client.ask_server(endpoint, form, attested=False, bound=True)
    except Unreachable as exc:
        return collection.paused(exc.reason)
    if reply.status != 200:
        busy = reply.status in BUSY or reply.status >= 500
        collection = collection.paused("busy") if busy else collection.failed("too_late", error_code(reply))
    else:
        refreshed = _token_answer(collection, reply, sent_before=False, at=int(clock().timestamp()))
        collection = replace(refreshed, stage=collection.stage if not refreshed.problem else refreshed.stage)
    keeper.save(collection)
    return collection


def _token_form(collection: Collection, provider: WalletProvider, *, named: bool) -> dict[str, str]:
    client_id = provider.client_id if named else None
    if collection.code is not None:
        return TokenRequest(
            grant_type="authorization_code",
            client_id=client_id,
            code=collection.code,
            code_verifier=collection.code_verifier,
            redirect_uri=provider.redirect_uri,
        ).as_form()
    offer = collection.offered.offer
    assert offer.pre_authorized is not None
    return TokenRequest(
        grant_type=PRE_AUTHORIZED_CODE_GRANT,
        client_id=client_id,
        pre_authorized_code=offer.pre_authorized.pre_authorized_code,
        tx_code=collection.tx_code,
    ).as_form()


def _token_answer(collection: Collection, reply: Reply, *, sent_before: bool, at: int) -> Collection:
    if reply.status == 200:
        try:
            token = TokenResponse.read(strict_json.loads_object(reply.body, max_bytes=LARGEST_ANSWER))
        except ProtocolError:
            return collection.failed("answer_unreadable")
        if token.token_type.lower() not in ("bearer", "dpop"):
            return collection.failed("token_not_supported")
        return _granted(collection, token, at=at)
    if reply.status in BUSY:
        return replace(collection, unanswered=sent_before).paused("busy")
    if reply.status >= 500:
        return collection.paused("unreachable")
    error = error_code(reply)
    if error == "invalid_grant" and collection.code is not None:
        # The sign-in has to be done again; nothing is lost by it.
        again = replace(collection, stage=Stage.OFFERED, code=None, code_verifier="", unanswered=False)
        return again.paused("sign_in_again", error)
    if error in WRONG_TX_CODE and collection.offered.wants_tx_code:
        # A wrong transaction code does not spend the offer's code (I-06): the person can try again.
        problem = "wrong_code_or_lost" if sent_before else "wrong_code"
        again = replace(collection, stage=Stage.OFFERED, tx_code=None, unanswered=False)
        return again.paused(problem, error)
    if error == "invalid_grant":
        return collection.failed("answer_lost" if sent_before else "offer_used", error)
    return collection.failed("wallet_not_known" if error in CLIENT_ERRORS else "refused_by_issuer", error)


def _granted(collection: Collection, token: TokenResponse, *, at: int) -> Collection:
    """The collection with its token. What the token does not cover is not asked for: another's name would be wrong for
    it, and without a name it would be refused.

    Where credentials are named by identifiers, those without one were not granted (8.2: a configuration is named only
    when no identifiers were answered). Else the scope says what was, when it is not what was asked for (RFC 6749, 5.1).
    What else the token covers, unasked, is left alone. A refreshed token may say nothing anew: then the names stay.
    """
    has_names = any(part.identifier for part in collection.parts)
    if any(detail.credential_identifiers for detail in token.authorization_details or []):
        collection = _named(collection, token)
    elif token.scope is not None and collection.offered.wants_sign_in and not has_names:
        given = set(token.scope.split())
        known = {name: configuration.scope for name, configuration in collection.offered.items}
        waiting = [part for part in collection.parts if part.state is PartState.WAITING]
        if collection.offered.scopes([part.configuration for part in waiting]) is not None:
            for part in waiting:
                if known[part.configuration] not in given:
                    collection = collection.with_part(_not_granted(part))
    refresh_token = token.refresh_token or collection.refresh_token
    return replace(
        collection,
        stage=Stage.COLLECTING,
        access_token=token.access_token,
        token_until=None if token.expires_in is None else at + min(token.expires_in, LONGEST_TOKEN_SECONDS),
        is_bound=token.token_type.lower() == "dpop",
        refresh_token=refresh_token,
        family=collection.family or (secrets.token_hex(16) if refresh_token else ""),
        unanswered=False,
        tx_code=None,
        code=None,
        code_verifier="",
    )


def _named(collection: Collection, token: TokenResponse) -> Collection:
    """The collection with a part for each identifier that was granted for what was asked for, up to
    `MOST_CERTIFICATES`: each gets keys of its own. What is beyond that is one part that says so.

    A refreshed token adds nothing: what the issuer has more of by then was not asked for.
    """
    room = MOST_CERTIFICATES - len(collection.parts)
    parts: list[Part] = []
    for part in collection.parts:
        granted = token.credential_identifiers(part.configuration)
        if part.state is not PartState.WAITING or part.identifier in granted:
            parts.append(part)
        elif collection.stage is Stage.ASKING and granted and not part.identifier:
            taken = granted[: 1 + max(room, 0)]
            room -= len(taken) - 1
            parts += [replace(part, identifier=taken[0]), *(_another(part, name) for name in taken[1:])]
            if len(taken) < len(granted):
                parts.append(Part(part.configuration, state=PartState.REFUSED, problem=TOO_MANY))
        elif len(granted) == 1 and _is_only_one(part, collection):
            parts.append(replace(part, identifier=granted[0]))
        else:
            parts.append(_not_granted(part))
    return replace(collection, parts=tuple(parts))


def _another(part: Part, identifier: str) -> Part:
    """A further certificate of the same configuration, with as many keys, all of its own."""
    return replace(part, identifier=identifier, keys=tuple(generate_signer().private_jwk() for _ in part.keys))


def _is_only_one(part: Part, collection: Collection) -> bool:
    return [one.configuration for one in collection.parts].count(part.configuration) == 1


def _not_granted(part: Part) -> Part:
    return replace(part, state=PartState.REFUSED, keys=(), received=(), problem="not_granted")
