"""Spending an offer's code for a token, so that the person knows what happened even when the answer is lost.

    collection = await redeem(collection, web=web, keeper=keeper, clock=clock)

Keys and intent are kept before the code is sent. While there is no answer, the code may be spent or not: another
attempt tells, and when it is refused the answer was lost on the way, which costs the person a new offer and nothing
else.
Source: OpenID4VCI 1.0, section 6; RFC 6749, section 5.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from proofs import strict_json
from schemas.errors import ProtocolError
from schemas.issuance import PRE_AUTHORIZED_CODE_GRANT, ErrorResponse, TokenRequest, TokenResponse
from wallet.collection import Collection, Keeper, Stage, concluded
from wallet.offers import AddressRefused, Reply, Unreachable, Web

LARGEST_ANSWER = 100_000
BUSY = frozenset({429, 503})
_CLIENT_ERRORS = frozenset({"invalid_client", "unauthorized_client"})


async def redeem(collection: Collection, *, web: Web, keeper: Keeper, clock: Callable[[], datetime]) -> Collection:
    """Spend the code for a token. Nothing is sent when nothing of the offer can be collected."""
    if all(part.is_final for part in collection.parts):
        collection = concluded(collection)
        keeper.save(collection)
        return collection
    sent_before = collection.unanswered
    collection = replace(collection, unanswered=True, problem="", peer_error="")
    keeper.save(collection)
    offered = collection.offered
    assert offered.offer.pre_authorized is not None
    assert offered.authorization_server.token_endpoint is not None
    form = TokenRequest(
        grant_type=PRE_AUTHORIZED_CODE_GRANT,
        pre_authorized_code=offered.offer.pre_authorized.pre_authorized_code,
        tx_code=collection.tx_code,
    ).as_form()
    try:
        reply = await web.post_form(offered.authorization_server.token_endpoint, form, max_bytes=LARGEST_ANSWER)
    except AddressRefused as exc:
        collection = replace(collection, unanswered=sent_before).paused(exc.reason)  # Nothing was sent.
    except Unreachable as exc:
        collection = collection.paused(exc.reason)
    else:
        collection = _token_answer(collection, reply, sent_before=sent_before, at=int(clock().timestamp()))
    keeper.save(collection)
    return collection


def _token_answer(collection: Collection, reply: Reply, *, sent_before: bool, at: int) -> Collection:
    if reply.status == 200:
        try:
            token = TokenResponse.read(strict_json.loads_object(reply.body, max_bytes=LARGEST_ANSWER))
        except ProtocolError:
            return collection.failed("answer_unreadable")
        if token.token_type.lower() != "bearer":
            return collection.failed("token_not_supported")
        names = {p.configuration: token.credential_identifier(p.configuration) for p in collection.parts}
        return replace(
            collection,
            stage=Stage.COLLECTING,
            access_token=token.access_token,
            token_until=None if token.expires_in is None else at + token.expires_in,
            identifiers={configuration: name for configuration, name in names.items() if name is not None},
            unanswered=False,
            tx_code=None,
        )
    if reply.status in BUSY:
        return replace(collection, unanswered=sent_before).paused("busy")
    if reply.status >= 500:
        return collection.paused("unreachable")
    error = error_code(reply)
    if error == "invalid_grant" and collection.offered.wants_tx_code:
        # A wrong transaction code does not spend the offer's code (I-06): the person can try again.
        problem = "wrong_code_or_lost" if sent_before else "wrong_code"
        again = replace(collection, stage=Stage.OFFERED, tx_code=None, unanswered=False)
        return again.paused(problem, error)
    if error == "invalid_grant":
        return collection.failed("answer_lost" if sent_before else "offer_used", error)
    return collection.failed("wallet_not_known" if error in _CLIENT_ERRORS else "refused_by_issuer", error)


def error_code(reply: Reply) -> str:
    """The issuer's error code, kept only when it looks like one."""
    try:
        error = ErrorResponse.read(strict_json.loads_object(reply.body, max_bytes=LARGEST_ANSWER)).error
    except ProtocolError:
        return f"http_{reply.status}"
    return error if len(error) <= 60 and error.replace("_", "").isalnum() and error.isascii() else "other"
