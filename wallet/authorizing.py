"""Fetching with the person's sign-in at the source: the authorization code flow (OpenID4VCI 1.0, section 5).

    collection = await ask_to_sign_in(collection, client=client, provider=provider)    # pushed; `sign_in_url` is set
    collection = came_back(collection, {"code": ..., "state": ..., "iss": ...})        # the browser is here again

Everything that is wanted from one issuer is asked for at once, so that the person signs in and allows it once. A server
that takes one kind at a time is asked for the first, and for the others afterwards.

What is asked for is pushed to the authorization server where it takes that (RFC 9126), so that the browser carries
nothing but a reference. The answer counts only with our `state`, and with the `iss` of the server that was asked.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from proofs import pkce, strict_json
from schemas.errors import ProtocolError
from schemas.issuance import AuthorizationDetail
from schemas.issuance.messages import PushedResponse
from wallet.collection import Collection, Stage, concluded
from wallet.issuer_client import LARGEST_ANSWER, IssuerClient, WalletProvider, error_code
from wallet.redemption import BUSY, CLIENT_ERRORS
from wallet.web import Unreachable

TOO_MUCH_AT_ONCE = frozenset({"invalid_scope", "invalid_authorization_details", "invalid_request"})
"""How a server says that it does not take a request; of several kinds it may take each by itself."""

ONE_AT_A_TIME = "one_at_a_time"
"""The problem of a collection that was refused for that, and asks for its first kind alone the next time."""


class ForeignAnswer(ProtocolError):
    """The answer of an authorization does not belong to anything that was begun here."""

    error = "foreign_answer"


async def ask_to_sign_in(
    collection: Collection, *, client: IssuerClient, provider: WalletProvider, language: str
) -> Collection:
    """Push what is wanted; `AUTHORIZING` with the address to send the browser to, or a problem.

    Nothing is asked when nothing of it can be collected. `language` is the person's, for the pages at the source.
    """
    if all(part.is_final for part in collection.parts):
        return concluded(collection)
    server = collection.offered.authorization_server
    collection = replace(
        collection, state=secrets.token_urlsafe(24), code_verifier=pkce.new_verifier(), problem="", peer_error=""
    )
    request = _request(collection, provider, language=language)
    endpoint = server.pushed_authorization_request_endpoint
    if endpoint is None:
        return _away(collection, request | {"state": collection.state})
    try:
        reply = await client.ask_server(endpoint, request, attested=True, bound=False)
        if client.attests and client.can_be_nobody and error_code(reply) in CLIENT_ERRORS:
            # It takes attestations, but not of our provider; it may know us as a public client.
            reply = await client.ask_server(endpoint, request, attested=False, bound=False)
    except Unreachable as exc:
        return collection.paused(exc.reason)
    if reply.status in BUSY:
        return collection.paused("busy")
    if reply.status >= 500:
        return collection.paused("unreachable")
    if not 200 <= reply.status < 300:
        error = error_code(reply)
        if error in TOO_MUCH_AT_ONCE and (first := _first_alone(collection)) is not None:
            return await ask_to_sign_in(first, client=client, provider=provider, language=language)
        return collection.failed("wallet_not_known" if error in CLIENT_ERRORS else "refused_by_issuer", error)
    try:
        pushed = PushedResponse.read(strict_json.loads_object(reply.body, max_bytes=LARGEST_ANSWER))
    except ProtocolError:
        return collection.failed("answer_unreadable")
    # RFC 9126, section 4: client_id and request_uri alone.
    return _away(collection, {"client_id": provider.client_id, "request_uri": pushed.request_uri})


def _first_alone(collection: Collection) -> Collection | None:
    """The first of several kinds that are fetched, with the others to be fetched after it; None when there is one, and
    of an offer, which is taken as a whole."""
    if len(collection.open_parts) < 2 or collection.offered.offer.grants is not None:
        return None
    first, *others = [part.configuration for part in collection.open_parts]
    known = dict(collection.offered.items)
    further = (vct for name in others if (vct := known[name].vct))
    return replace(collection.narrowed(first), and_then=(*further, *collection.and_then))


def _request(collection: Collection, provider: WalletProvider, *, language: str) -> dict[str, str]:
    """What is pushed: scopes where every certificate has one (HAIP 4.3), else authorization details.

    `ui_locales` is the parameter of OpenID Connect (Core 1.0, 3.1.2.1); a server that does not know it ignores it.
    """
    offered = collection.offered
    request = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "state": collection.state,
        "code_challenge": pkce.challenge_of(collection.code_verifier),
        "code_challenge_method": pkce.METHOD,
        "ui_locales": language,
    }
    wanted = [part.configuration for part in collection.open_parts]
    scopes = offered.scopes(wanted)
    if scopes is not None:
        request["scope"] = " ".join(scopes)
    else:
        locations = [offered.issuer] if offered.metadata.authorization_servers else None
        details = [
            AuthorizationDetail(type="openid_credential", credential_configuration_id=name, locations=locations)
            for name in wanted
        ]
        request["authorization_details"] = strict_json.dumps([detail.as_json() for detail in details]).decode()
    if offered.metadata.authorization_servers:
        request["resource"] = offered.issuer
    grant = offered.offer.grants.authorization_code if offered.offer.grants else None
    if grant is not None and grant.issuer_state is not None:
        request["issuer_state"] = grant.issuer_state
    return request


def _away(collection: Collection, query: Mapping[str, str]) -> Collection:
    endpoint = collection.offered.authorization_server.authorization_endpoint or ""
    separator = "&" if "?" in endpoint else "?"
    return replace(collection, stage=Stage.AUTHORIZING, sign_in_url=f"{endpoint}{separator}{urlencode(query)}")


def belongs(collection: Collection, state: str) -> bool:
    """Whether an answer with this `state` is the answer to this collection's authorization."""
    return collection.stage is Stage.AUTHORIZING and hmac.compare_digest(
        collection.state.encode(), state.encode("utf-8", "replace")
    )


def came_back(collection: Collection, answer: Mapping[str, str]) -> Collection:
    """Read the answer that the browser brought: a code to redeem, or the reason why there is none.

    Raises `ForeignAnswer` when it is not by the server that was asked: another one's code goes nowhere (RFC 9207).
    """
    server = collection.offered.authorization_server
    named = answer.get("iss")
    if named is None and server.authorization_response_iss_parameter_supported:
        raise ForeignAnswer("the answer does not say which server it is from")
    if named is not None and named != server.issuer:
        raise ForeignAnswer("the answer is from another server")
    ended = replace(collection, sign_in_url="", state="")
    code = answer.get("code")
    if code:
        return replace(ended, stage=Stage.ASKING, code=code, problem="", peer_error="")
    error = answer.get("error", "")
    known = error if error.replace("_", "").isalnum() and error.isascii() and len(error) <= 60 else "other"
    again = replace(ended, stage=Stage.OFFERED, code_verifier="")
    if known in TOO_MUCH_AT_ONCE and (first := _first_alone(again)) is not None:
        return first.paused(ONE_AT_A_TIME, known)
    return again.paused("not_allowed" if error == "access_denied" else "refused_by_issuer", known)
