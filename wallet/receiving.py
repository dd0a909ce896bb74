"""Collecting what was offered: token, nonce, proofs, certificates; resumable at every step.

    collection = agreed(collection, tx_code="4711", batch_limit=10)
    collection = await collect(collection, web=web, keeper=keeper, examine=examine, clock=clock)

The rules of the game (OpenID4VCI 1.0, sections 6 to 8; DESIGN 4.3; durability D02, D03):

1. Keys and intent are kept before the code is sent. Without an answer the code may be spent, and the page says so.
2. The token is kept before it is used.
3. Every request proves the same keys with a fresh nonce, so that a repeated request meets the same slots at the issuer.
4. What was received is kept before it is judged, so that nothing needs to be asked for twice.
5. A certificate and the end of its part are kept in one transaction: there is never a second one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from proofs import strict_json
from proofs.keys import SoftwareSigner, generate_signer
from proofs.proof_of_possession import make_proof
from schemas.errors import ProtocolError
from schemas.issuance import (
    FORMAT_SD_JWT_VC,
    PROOF_TYPE_JWT,
    CredentialConfiguration,
    CredentialRequest,
    CredentialResponse,
    NonceResponse,
)
from wallet.certificates import NewCertificate
from wallet.collection import Collection, Keeper, Part, PartState, Stage, concluded
from wallet.offers import Reply, Unreachable, Web
from wallet.redemption import BUSY, LARGEST_ANSWER, error_code, redeem

LARGEST_CERTIFICATES = 10_000_000
_NONCE_TRIES = 3


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
    for part, (_, configuration) in zip(collection.parts, offered.items, strict=True):
        if problem := unusable(
            configuration,
            offered.metadata.credential_response_encryption is not None
            and offered.metadata.credential_response_encryption.encryption_required,
        ):
            parts.append(replace(part, state=PartState.REFUSED, problem=problem))
        elif configuration.needs_proofs and not part.keys:
            parts.append(replace(part, keys=tuple(generate_signer().private_jwk() for _ in range(copies))))
        else:
            parts.append(part)
    wanted = tx_code if offered.wants_tx_code else None
    return replace(collection, stage=Stage.ASKING, parts=tuple(parts), tx_code=wanted, problem="", peer_error="")


def unusable(configuration: CredentialConfiguration, encryption_required: bool = False) -> str:
    """Why this wallet cannot collect a configuration, as a stable reason; empty when it can."""
    if configuration.format != FORMAT_SD_JWT_VC:
        return "format_not_supported"
    if encryption_required:
        return "encryption_not_supported"
    if configuration.proof_types_supported is None:
        return ""
    support = configuration.proof_types_supported.get(PROOF_TYPE_JWT)
    if support is None or "ES256" not in support.proof_signing_alg_values_supported:
        return "proof_not_supported"
    return "attestation_not_supported" if support.key_attestations_required is not None else ""


async def collect(
    collection: Collection, *, web: Web, keeper: Keeper, examine: Examine, clock: Callable[[], datetime]
) -> Collection:
    """Move a collection on as far as it goes now, and return it as it was kept last.

    It ends `DONE`, `FAILED`, in a `QUESTION` to the person, back at `OFFERED` (a wrong transaction code), or where it
    was, with a `problem`, when the issuer cannot be reached now. Raises `MovedOn`.
    """
    if collection.stage is Stage.QUESTION:
        return await _store_recognised(collection, keeper=keeper, examine=examine)
    if collection.stage is Stage.ASKING:
        collection = await redeem(collection, web=web, keeper=keeper, clock=clock)
    if collection.stage is Stage.COLLECTING:
        collection = await _get_parts(collection, web=web, keeper=keeper, examine=examine, clock=clock)
    return collection


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


async def _get_parts(
    collection: Collection, *, web: Web, keeper: Keeper, examine: Examine, clock: Callable[[], datetime]
) -> Collection:
    """Steps 3 to 5 for every certificate of the offer."""
    collection = collection.paused("")
    for name in [part.configuration for part in collection.parts]:
        part = _part(collection, name)
        if part.state is PartState.WAITING:
            collection = await _ask_for(collection, part, web=web, clock=clock)
            keeper.save(collection)
            if collection.problem:
                return collection
        part = _part(collection, name)
        if part.state is PartState.RECEIVED:
            examined = await examine(collection, part)
            if examined.verdict is Verdict.GOOD and examined.certificate is not None:
                collection = keeper.store(collection, part, examined.certificate)
            elif examined.verdict is Verdict.UNKNOWN_ISSUER:
                collection = collection.with_part(replace(part, state=PartState.UNKNOWN_ISSUER))
                keeper.save(collection)
            else:
                collection = collection.with_part(_refused(part, examined.problem))
                keeper.save(collection)
    collection = concluded(collection)
    keeper.save(collection)
    return collection


async def _ask_for(collection: Collection, part: Part, *, web: Web, clock: Callable[[], datetime]) -> Collection:
    """One credential request; the part comes back received or refused, or the collection with a problem."""
    for _ in range(_NONCE_TRIES):
        try:
            reply = await _request(collection, part, web=web, now=clock())
        except Unreachable as exc:
            return collection.paused(exc.reason)
        error = "" if reply.status in (200, 202) else error_code(reply)
        if error != "invalid_nonce":
            break
    if reply.status == 200:
        return collection.with_part(_received(part, reply))
    if reply.status == 202:
        return collection.with_part(_refused(part, "deferred_not_supported"))
    if reply.status in BUSY:
        return collection.paused("busy", error)
    if reply.status >= 500:
        return collection.paused("unreachable", error)
    if reply.status == 401:
        return _ended(collection, "too_late", error)
    problem = "denied" if error == "credential_request_denied" else "refused_by_issuer"
    return replace(collection.with_part(_refused(part, problem)), peer_error=error)


async def _request(collection: Collection, part: Part, *, web: Web, now: datetime) -> Reply:
    metadata = collection.offered.metadata
    proofs = None
    if part.keys:
        nonce = await _nonce(metadata.nonce_endpoint, web=web)
        signers = [SoftwareSigner.from_private_jwk(key) for key in part.keys]
        proofs = {
            PROOF_TYPE_JWT: [
                # `iss` stays out: the token was given to nobody in particular (Appendix F.1).
                make_proof(signer=signer, audience=metadata.credential_issuer, nonce=nonce, issuer=None, now=now)
                for signer in signers
            ]
        }
    identifier = collection.identifiers.get(part.configuration)
    request = CredentialRequest(
        credential_identifier=identifier,
        credential_configuration_id=None if identifier else part.configuration,
        proofs=proofs,
    )
    return await web.post_json(
        metadata.credential_endpoint,
        request.as_json(),
        bearer=collection.access_token,
        max_bytes=LARGEST_CERTIFICATES,
    )


async def _nonce(endpoint: str | None, *, web: Web) -> str | None:
    if endpoint is None:
        return None
    reply = await web.post_json(endpoint, None, bearer=None, max_bytes=LARGEST_ANSWER)
    if not 200 <= reply.status < 300:
        raise Unreachable(f"the nonce endpoint answered with status {reply.status}")
    try:
        return NonceResponse.read(strict_json.loads_object(reply.body, max_bytes=LARGEST_ANSWER)).c_nonce
    except ProtocolError as exc:
        raise Unreachable("the nonce endpoint's answer cannot be read") from exc


def _received(part: Part, reply: Reply) -> Part:
    try:
        answer = CredentialResponse.read(strict_json.loads_object(reply.body, max_bytes=LARGEST_CERTIFICATES))
    except ProtocolError:
        return _refused(part, "answer_unreadable")
    tokens = tuple(item.credential for item in answer.credentials or [] if isinstance(item.credential, str))
    if not tokens or len(tokens) != len(answer.credentials or []) or len(tokens) > max(len(part.keys), 1):
        return _refused(part, "answer_unreadable")
    return replace(part, state=PartState.RECEIVED, received=tokens)


def _refused(part: Part, problem: str) -> Part:
    return replace(part, state=PartState.REFUSED, received=(), keys=(), problem=problem)


def _ended(collection: Collection, problem: str, error: str) -> Collection:
    """The token serves no more: what has not been stored yet will not come."""
    for part in collection.parts:
        if part.state is PartState.WAITING:
            collection = collection.with_part(_refused(part, problem))
    return replace(collection, peer_error=error)


def _part(collection: Collection, configuration: str) -> Part:
    return next(part for part in collection.parts if part.configuration == configuration)
