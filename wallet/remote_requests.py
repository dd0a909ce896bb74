"""The network as far as shares need it: fetch a request object and the document of its sender's DID, post an answer.

Every call goes through the guarded client: https only, no redirects, bounded size and time, no header that tells which
software or which person asks.
"""

from collections.abc import Awaitable
from contextlib import suppress
from urllib.parse import urlsplit

from proofs import strict_json
from proofs.did import MAX_DOCUMENT_BYTES, did_document_addresses
from proofs.request_object import MAX_REQUEST_BYTES
from schemas.errors import CouldNotCheck, ProtocolError
from schemas.presentation import REQUEST_OBJECT_MEDIA_TYPE
from service.http import Answer, NothingSent, OutgoingHTTP, OutgoingRefused
from wallet.delivery import Delivery, DeliveryState
from wallet.remote import note_refused_address
from wallet.requests import CouldNotFetch, MayNotFetch

TIMEOUT_SECONDS = 15.0
MAX_REPLY_BYTES = 100_000
_LONGEST_LINK = 4_096
_MEDIA_TYPES = frozenset({REQUEST_OBJECT_MEDIA_TYPE, "application/jwt"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NOT_NOW = frozenset({408, 425, 429})
"""Of the statuses that blame the client those that say "later": the answer itself was not judged (RFC 9110, 15.5.9;
RFC 8470, 5.2; RFC 6585, 4). Whoever stands before the recipient may have passed it on, so it is unknown."""


class RequestsOverHTTP:
    """Fetches requests and posts answers."""

    def __init__(self, http: OutgoingHTTP, *, allow_loopback: bool) -> None:
        self._http = http
        self._allow_loopback = allow_loopback

    async def get_request(self, url: str) -> str:
        """GET a request object (RFC 9101, section 5.2.3). Raises `CouldNotFetch`, `MayNotFetch`."""
        return await _request_object(
            self._http.get(
                url,
                headers={"accept": REQUEST_OBJECT_MEDIA_TYPE},
                max_bytes=MAX_REQUEST_BYTES,
                timeout_seconds=TIMEOUT_SECONDS,
            )
        )

    async def post_request(self, url: str, form: dict[str, str]) -> str:
        """POST to a request URI (OpenID4VP 1.0, section 5.10). Raises `CouldNotFetch`, `MayNotFetch`."""
        return await _request_object(
            self._http.post(
                url,
                form=form,
                headers={"accept": REQUEST_OBJECT_MEDIA_TYPE},
                max_bytes=MAX_REQUEST_BYTES,
                timeout_seconds=TIMEOUT_SECONDS,
            )
        )

    async def get_did_document(self, did: str) -> str:
        """GET the document of a `did:web`. Raises `CouldNotFetch`, `MayNotFetch`."""
        try:
            *preferred, last = did_document_addresses(did, allow_loopback=self._allow_loopback)
            answer = None
            for url in preferred:
                with suppress(NothingSent):
                    answer = await self._did_document_at(url)
            answer = answer or await self._did_document_at(last)
        except OutgoingRefused as exc:
            note_refused_address()
            raise MayNotFetch(str(exc)) from exc
        except ProtocolError as exc:
            raise CouldNotFetch(str(exc)) from exc
        if answer.status != 200:
            raise CouldNotFetch(f"The sender's identifier is answered with status {answer.status}")
        try:
            return answer.body.decode("utf-8")
        except UnicodeDecodeError as exc:
            raise CouldNotFetch("What the sender's identifier leads to is not text") from exc

    async def _did_document_at(self, url: str) -> Answer:
        return await self._http.get(
            url,
            headers={"accept": "application/did+json, application/json"},
            max_bytes=MAX_DOCUMENT_BYTES,
            timeout_seconds=TIMEOUT_SECONDS,
        )

    async def post_answer(self, url: str, form: dict[str, str]) -> Delivery:
        """Post an answer or an error, and say what became of it (OpenID4VP 1.0, section 8.2)."""
        try:
            answer = await self._http.post(
                url,
                form=form,
                headers={"accept": "application/json"},
                max_bytes=MAX_REPLY_BYTES,
                timeout_seconds=TIMEOUT_SECONDS,
            )
        except (OutgoingRefused, NothingSent) as exc:
            return Delivery(DeliveryState.NOT_DELIVERED, reason=exc.error)
        except CouldNotCheck:
            # It may have arrived before the line broke.
            return Delivery(DeliveryState.UNKNOWN, reason="no_answer")
        if answer.status == 200:
            return Delivery(DeliveryState.DELIVERED, redirect_uri=self._redirect_uri(answer))
        if 400 <= answer.status < 500 and answer.status not in _NOT_NOW:
            return Delivery(DeliveryState.NOT_ACCEPTED, reason=_error_code(answer))
        return Delivery(DeliveryState.UNKNOWN, reason=f"http_{answer.status}")

    def _redirect_uri(self, answer: Answer) -> str | None:
        """Where the person is to be sent: only from a 200 JSON body, and only to a web address (W-19)."""
        if answer.media_type != "application/json":
            return None
        try:
            uri = strict_json.loads_object(answer.body).get("redirect_uri")
            if not isinstance(uri, str) or len(uri) > _LONGEST_LINK or not uri.isascii() or not uri.isprintable():
                return None
            parts = urlsplit(uri)
            host = parts.hostname
        except (ProtocolError, ValueError):
            return None
        if " " in uri or "@" in parts.netloc:
            return None
        is_local = self._allow_loopback and parts.scheme == "http" and host in _LOOPBACK
        return uri if host and (parts.scheme == "https" or is_local) else None


async def _request_object(asking: Awaitable[Answer]) -> str:
    try:
        answer = await asking
    except OutgoingRefused as exc:
        note_refused_address()
        raise MayNotFetch(str(exc)) from exc
    except CouldNotCheck as exc:
        raise CouldNotFetch(str(exc)) from exc
    if answer.status in (404, 410):
        raise CouldNotFetch("The sender has no such request (any more): it was answered, or its time is over")
    if answer.status != 200:
        raise CouldNotFetch(f"The sender answered with status {answer.status}")
    if answer.media_type not in _MEDIA_TYPES:
        raise CouldNotFetch("What the sender answered is not a request object")
    try:
        return answer.body.decode("ascii")
    except UnicodeDecodeError as exc:
        raise CouldNotFetch("What the sender answered is not a request object") from exc


def _error_code(answer: Answer) -> str:
    """The recipient's error code, if it has one of a usable form."""
    try:
        error = strict_json.loads_object(answer.body).get("error")
    except ProtocolError:
        return f"http_{answer.status}"
    usable = isinstance(error, str) and 0 < len(error) <= 60 and error.replace("_", "").isalnum() and error.isascii()
    return str(error) if usable else f"http_{answer.status}"
