"""Collecting what was offered: token, nonce, proofs, certificates; resumable at every step.

    collection = agreed(collection, tx_code="4711", batch_limit=10)
    collection = await collect(collection, web=web, provider=provider, keeper=keeper, examine=examine, clock=clock)

The rules of the game (OpenID4VCI 1.0, sections 6 to 11; DESIGN 4.3; durability D02, D03):

1. Keys and intent are kept before the code is sent. Without an answer the code may be spent, and the page says so.
2. The token is kept before it is used.
3. Every request proves the same keys with a fresh nonce, so that a repeated request meets the same slots at the issuer.
4. What was received is kept before it is judged, so that nothing needs to be asked for twice.
5. A certificate and the end of its part are kept in one transaction: there is never a second one.
6. What the issuer defers is asked for again later, with the same transaction, until it is there or denied. When the
   transaction has ended and the answer was lost, the same keys are proven once more.
7. The issuer is told what became of it, when it wants to know.
"""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from proofs import strict_json
from proofs.keys import SoftwareSigner, generate_signer
from schemas.errors import ProtocolError
from schemas.issuance import CredentialRequest, CredentialResponse, NonceResponse
from wallet.certificates import NewCertificate
from wallet.collectable import unusable
from wallet.collection import Collection, Keeper, Part, PartState, Stage, concluded
from wallet.issuer_client import (
    LARGEST_ANSWER,
    IssuerClient,
    WalletProvider,
    error_code,
    new_client_keys,
)
from wallet.key_proofs import key_proofs
from wallet.message_encryption import SealedRequest, open_answer, seal_request
from wallet.offers import OfferUnusable, learn_metadata
from wallet.redemption import BUSY, client_for, redeem, refresh
from wallet.web import Reply, Unreachable, Web

LARGEST_CERTIFICATES = 10_000_000
DEFAULT_INTERVAL = 10
LONGEST_INTERVAL = 7 * 24 * 3600
"""Seconds: what a strange issuer may make us wait at most."""
_NONCE_TRIES = 3
_REFRESH, _RELEARN = "refresh", "relearn"
_REMEDIES = frozenset({_REFRESH, _RELEARN})
_GONE = (404, 405, 410)


class Verdict(StrEnum):
    """What the examination of a received certificate came to."""

    GOOD = "good"
    UNKNOWN_ISSUER = "unknown_issuer"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Examined:
    """The outcome of an examination. `certificate` is there unless refused; `problem` says why it was."""

    verdict: Verdict
    certificate: NewCertificate | None = None
    problem: str = ""


Examine = Callable[[Collection, Part], Awaitable[Examined]]


def agreed(collection: Collection, *, tx_code: str | None, batch_limit: int) -> Collection:
    """The person wants what is offered: the collection with fresh keys for every copy, ready to be kept and sent."""
    offered = collection.offered
    batch = offered.metadata.batch_credential_issuance
    copies = min(batch.batch_size, batch_limit) if batch else 1
    parts = []
    configurations = dict(offered.items)
    for part in collection.parts:
        configuration = configurations[part.configuration]
        if problem := unusable(configuration, offered.metadata):
            parts.append(replace(part, state=PartState.REFUSED, problem=problem))
        elif configuration.needs_proofs and not part.keys:
            parts.append(replace(part, keys=tuple(generate_signer().private_jwk() for _ in range(copies))))
        else:
            parts.append(part)
    wanted = tx_code if offered.wants_tx_code else None
    return replace(
        collection,
        stage=Stage.ASKING,
        parts=tuple(parts),
        tx_code=wanted,
        client=collection.client or new_client_keys().as_json(),
        problem="",
        peer_error="",
    )


async def collect(
    collection: Collection,
    *,
    web: Web,
    provider: WalletProvider,
    keeper: Keeper,
    examine: Examine,
    clock: Callable[[], datetime],
) -> Collection:
    """Move a collection on as far as it goes now, and return it as it was kept last.

    It ends `DONE`, `FAILED`, in a `QUESTION` to the person, `PENDING` at the issuer, back at `OFFERED` (a wrong
    transaction code, or a sign-in that has to be done again), or where it was, with a `problem`, when the issuer cannot
    be reached now. Raises `MovedOn`.
    """
    if collection.stage is Stage.QUESTION:
        return await _store_recognised(collection, keeper=keeper, examine=examine)
    if not collection.client:  # It was begun before wallets had keys as clients.
        collection = replace(collection, client=new_client_keys().as_json())
    client = client_for(collection, web=web, provider=provider, clock=clock)
    if collection.stage is Stage.ASKING:
        collection = await redeem(collection, client=client, provider=provider, keeper=keeper, clock=clock)
    if collection.stage in (Stage.COLLECTING, Stage.PENDING):
        work = _Work(client, web, provider, keeper, examine, clock)
        collection = await _get_parts(collection, work)
    return collection


@dataclass(frozen=True, slots=True)
class _Work:
    """What getting the certificates needs."""

    client: IssuerClient
    web: Web
    provider: WalletProvider
    keeper: Keeper
    examine: Examine
    clock: Callable[[], datetime]

    def seconds(self) -> int:
        """Now, in seconds since 1970."""
        return int(self.clock().timestamp())


def answered(collection: Collection, *, keep: bool) -> Collection:
    """The person's answer about certificates of unknown issuers, before `keep_examined` acts on it."""
    if keep:
        return collection
    parts = tuple(
        replace(p, state=PartState.REFUSED, received=(), keys=(), problem="not_wanted")
        if p.state is PartState.UNKNOWN_ISSUER
        else p
        for p in collection.parts
    )
    return concluded(replace(collection, parts=parts))


async def keep_unknown(collection: Collection, *, keeper: Keeper, examine: Examine) -> Collection:
    """Store what came from unknown issuers: the person has seen the warning and wants to keep it."""
    for part in collection.parts:
        if part.state is not PartState.UNKNOWN_ISSUER:
            continue
        examined = await examine(collection, part)
        if examined.certificate is None:
            collection = collection.with_part(_refused(part, examined.problem))
            keeper.save(collection)
        else:
            collection = keeper.store(collection, part, examined.certificate)
    collection = concluded(collection)
    keeper.save(collection)
    return collection


async def _store_recognised(collection: Collection, *, keeper: Keeper, examine: Examine) -> Collection:
    """Examine anew what waits for the person: somebody may vouch for its issuer by now.

    Anything but a good outcome leaves the question as it stands; only the person drops what was received.
    """
    for part in collection.parts:
        if part.state is PartState.UNKNOWN_ISSUER:
            examined = await examine(collection, part)
            if examined.verdict is Verdict.GOOD and examined.certificate is not None:
                collection = keeper.store(collection, part, examined.certificate)
    if not any(part.state is PartState.UNKNOWN_ISSUER for part in collection.parts):
        collection = concluded(collection)
        keeper.save(collection)
    return collection


async def _get_parts(collection: Collection, work: _Work) -> Collection:
    """Steps 3 to 7 for every certificate of the offer."""
    collection = collection.paused("")
    if _is_due(collection, work) and _token_is_over(collection, work):
        collection = await _refreshed(collection, work)
        if collection.problem:
            work.keeper.save(collection)
            return collection
    held_up: Collection | None = None
    for name in [part.name for part in collection.parts]:
        part = collection.part(name)
        if part.state is PartState.WAITING or (
            part.state is PartState.DEFERRED and part.ask_again_at <= work.seconds()
        ):
            collection = await _ask_for(collection, part, work)
            work.keeper.save(collection)
            if collection.problem and not collection.peer_error:
                return collection  # Nobody answered: the others wait as well.
            if collection.problem:
                held_up, collection = collection, collection.paused("")
        part = collection.part(name)
        if part.state is PartState.RECEIVED:
            collection = await _judge(collection, part, work)
    collection = concluded(collection)
    if held_up is not None and collection.stage not in (Stage.DONE, Stage.FAILED):
        collection = collection.paused(held_up.problem, held_up.peer_error)
    work.keeper.save(collection)
    return collection


async def _judge(collection: Collection, part: Part, work: _Work) -> Collection:
    examined = await work.examine(collection, part)
    if examined.verdict is Verdict.GOOD and examined.certificate is not None:
        collection = work.keeper.store(collection, part, examined.certificate)
        await tell_issuer(collection, part, "credential_accepted", client=work.client)
    elif examined.verdict is Verdict.UNKNOWN_ISSUER:
        collection = collection.with_part(replace(part, state=PartState.UNKNOWN_ISSUER))
        work.keeper.save(collection)
    else:
        collection = collection.with_part(_refused(part, examined.problem))
        work.keeper.save(collection)
        await tell_issuer(collection, part, "credential_failure", client=work.client)
    return collection


def _is_due(collection: Collection, work: _Work) -> bool:
    """Whether anything is to be asked for now."""
    return any(
        part.state is PartState.WAITING or (part.state is PartState.DEFERRED and part.ask_again_at <= work.seconds())
        for part in collection.parts
    )


def _token_is_over(collection: Collection, work: _Work) -> bool:
    return (
        collection.refresh_token is not None
        and collection.token_until is not None
        and collection.token_until <= work.seconds()
    )


async def _refreshed(collection: Collection, work: _Work) -> Collection:
    """The collection with a new access token, or with the reason why there is none; kept either way."""
    return await refresh(collection, client=work.client, provider=work.provider, keeper=work.keeper, clock=work.clock)


async def _ask_for(
    collection: Collection, part: Part, work: _Work, *, remedies: frozenset[str] = _REMEDIES
) -> Collection:
    """One credential request, or one for what was deferred.

    The part comes back received, deferred or refused, or the collection with a problem. Each of the `remedies` is tried
    once: a new access token, and what the issuer says of itself now.
    """
    for _ in range(_NONCE_TRIES):
        try:
            sealed, reply = await _request(collection, part, work)
        except Unreachable as exc:
            return collection.paused(exc.reason)
        error = "" if reply.status in (200, 202) else error_code(reply)
        if error != "invalid_nonce":
            break
    if reply.status in (200, 202):
        asked = _answered(part, reply, sealed, work)
        if asked.state is PartState.DEFERRED and not collection.offered.metadata.deferred_credential_endpoint:
            asked = _refused(part, "answer_unreadable")  # There is no place where it could be asked for.
        return collection.with_part(asked)
    if error == "invalid_transaction_id" and part.state is PartState.DEFERRED and collection.is_carried:
        # The wallet that it was taken from has fetched it. The same keys are not proven here as well: nobody here
        # vouches for keys that came in a file, and two wallets would have the same copies.
        return replace(collection.with_part(_refused(part, "fetched_elsewhere", error)), peer_error=error)
    if error == "invalid_transaction_id" and part.state is PartState.DEFERRED and part.keys:
        # The copies were handed out and the answer was lost (9.2: then the transaction is worth nothing). The same keys
        # get the same copies at the endpoint where they were first asked for; whoever knows nothing of them refuses.
        waiting = replace(part, state=PartState.WAITING, transaction_id="")
        collection = collection.with_part(waiting)
        work.keeper.save(collection)
        return await _ask_for(collection, waiting, work, remedies=remedies)
    if reply.status in BUSY:
        return collection.paused("busy", error)
    if reply.status >= 500:
        return collection.paused("unreachable", error)
    if _RELEARN in remedies and (error == "invalid_encryption_parameters" or reply.status in _GONE):
        # Keys and addresses may have changed since the offer was read, which can be months ago.
        anew = await _relearned(collection, work)
        if anew is not None:
            return await _ask_for(anew, part, work, remedies=remedies - {_RELEARN})
    if reply.status == 401 and _REFRESH in remedies and collection.refresh_token is not None:
        # The token has ended before its time, or without anybody having said when: a new one is asked for once.
        refreshed = await _refreshed(collection, work)
        if refreshed.stage is not Stage.FAILED:
            return (
                refreshed
                if refreshed.problem
                else await _ask_for(refreshed, part, work, remedies=remedies - {_REFRESH})
            )
    if reply.status == 401:
        stayed = collection.is_carried and collection.refresh_token is None
        return _ended(collection, "stayed_behind" if stayed else "too_late", error)
    problem = "denied" if error == "credential_request_denied" else "refused_by_issuer"
    return replace(collection.with_part(_refused(part, problem, error)), peer_error=error)


async def _relearned(collection: Collection, work: _Work) -> Collection | None:
    """The collection with the issuer's metadata of now; None when there is nothing new, or it cannot be used."""
    offer = collection.offered.offer
    try:
        metadata = (await learn_metadata(offer, web=work.web, languages="*")).as_json()
    except (OfferUnusable, Unreachable):
        return None
    return replace(collection, metadata=metadata) if metadata != collection.metadata else None


async def _request(collection: Collection, part: Part, work: _Work) -> tuple[SealedRequest, Reply]:
    """Ask for one certificate; encrypted whenever the issuer offers that."""
    metadata = collection.offered.metadata
    endpoint = metadata.credential_endpoint
    if part.state is PartState.DEFERRED:
        endpoint = metadata.deferred_credential_endpoint or ""
        value: dict[str, Any] = {"transaction_id": part.transaction_id}
    else:
        value = await _credential_request(collection, part, work)
    sealed = seal_request(value, metadata)
    reply = await work.client.ask_resource(
        endpoint,
        collection.access_token or "",
        bound=collection.is_bound,
        json=None if sealed.content is not None else value,
        content=sealed.content,
        media_type=sealed.media_type,
        max_bytes=LARGEST_CERTIFICATES,
    )
    return sealed, reply


async def _credential_request(collection: Collection, part: Part, work: _Work) -> dict[str, Any]:
    metadata = collection.offered.metadata
    proofs = None
    if part.keys:
        nonce = await _nonce(metadata.nonce_endpoint, work, credential_endpoint=metadata.credential_endpoint)
        signers = [SoftwareSigner.from_private_jwk(key) for key in part.keys]
        proofs = key_proofs(
            metadata.credential_configurations_supported[part.configuration],
            signers,
            issuer=metadata.credential_issuer,
            nonce=nonce,
            provider=work.provider,
            now=work.clock(),
        )
    return CredentialRequest(
        credential_identifier=part.identifier or None,
        credential_configuration_id=None if part.identifier else part.configuration,
        proofs=proofs,
    ).as_json()


async def _nonce(endpoint: str | None, work: _Work, *, credential_endpoint: str) -> str | None:
    """A fresh nonce for key proofs; one for DPoP that comes along is for the credential endpoint (7.2)."""
    if endpoint is None:
        return None
    reply = await work.web.post(endpoint, content=b"", headers={"accept": "application/json"}, max_bytes=LARGEST_ANSWER)
    if not 200 <= reply.status < 300:
        raise Unreachable(f"the nonce endpoint answered with status {reply.status}")
    work.client.keep_nonce(reply, url=credential_endpoint)
    try:
        return NonceResponse.read(strict_json.loads_object(reply.body, max_bytes=LARGEST_ANSWER)).c_nonce
    except ProtocolError as exc:
        raise Unreachable("the nonce endpoint's answer cannot be read") from exc


def _answered(part: Part, reply: Reply, sealed: SealedRequest, work: _Work) -> Part:
    """What an answer with 200 or 202 makes of a part."""
    try:
        value = open_answer(sealed, media_type=reply.media_type, body=reply.body, max_bytes=LARGEST_CERTIFICATES)
        answer = CredentialResponse.read(value)
    except ProtocolError:
        return _refused(part, "answer_unreadable")
    if answer.transaction_id is not None:
        wait = math.ceil(min(answer.interval or DEFAULT_INTERVAL, LONGEST_INTERVAL))
        return replace(
            part,
            state=PartState.DEFERRED,
            transaction_id=answer.transaction_id,
            ask_again_at=work.seconds() + wait,
        )
    tokens = tuple(item.credential for item in answer.credentials or [] if isinstance(item.credential, str))
    if not tokens or len(tokens) != len(answer.credentials or []) or len(tokens) > max(len(part.keys), 1):
        return _refused(part, "answer_unreadable")
    return replace(
        part,
        state=PartState.RECEIVED,
        received=tokens,
        transaction_id="",
        notification_id=answer.notification_id or "",
    )


async def tell_issuer(collection: Collection, part: Part, event: str, *, client: IssuerClient) -> bool:
    """Tell the issuer what became of its answer, once, when it wants to know; nothing hangs on it (11.1).

    Whether nothing is left to tell: it has answered, other than that it cannot now, or does not want to know.
    """
    endpoint = collection.offered.metadata.notification_endpoint
    if endpoint is None or not part.notification_id or collection.access_token is None:
        return True
    try:
        reply = await client.ask_resource(
            endpoint,
            collection.access_token,
            bound=collection.is_bound,
            json={"notification_id": part.notification_id, "event": event},
            max_bytes=LARGEST_ANSWER,
        )
    except Unreachable:
        return False
    return reply.status not in BUSY and reply.status < 500


def _refused(part: Part, problem: str, error: str = "") -> Part:
    return replace(part, state=PartState.REFUSED, received=(), keys=(), problem=problem, peer_error=error)


def _ended(collection: Collection, problem: str, error: str) -> Collection:
    """The token serves no more: what has not been stored yet will not come."""
    for part in collection.parts:
        if part.state in (PartState.WAITING, PartState.DEFERRED):
            collection = collection.with_part(_refused(part, problem, error))
    return replace(collection, peer_error=error)
