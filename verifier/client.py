"""The small library for organisations that embed a verifier: make a request, hand over its link, get the result.

    async with VerifierClient("https://verifier.example", api_key=key) as verifier:
        made = await verifier.make_request("course-results")
        show(made.request)                                     # a link, or the text of a QR code
        result = await verifier.wait_for_result(made.id, seconds=600)
        if result.accepted:
            names = result.values_at("courses", None, "achievement_title")

    with BlockingVerifierClient("https://verifier.example", api_key=key) as verifier:     # the same without async
        ...

An API key is made with `intyga-verifier api-key create NAME`. `accepted` is the only thing to decide by: it is true
when everything was checked and held, and only then. What could not be checked is named in `unknown`, and is never
accepted.
"""

import asyncio
import time
from collections.abc import Awaitable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

from proofs import strict_json
from schemas.errors import CouldNotCheck, ProtocolError
from service.http import Answer, OutgoingHTTP, OutgoingRefused
from verifier.client_messages import (
    CertificateKind,
    CheckedItem,
    DeletionNotice,
    Need,
    PendingRequest,
    Receipt,
    ReceivedValue,
    Source,
    VerifierResult,
    deletion_of,
    need_of,
    receipt_of,
    result_of,
)
from verifier.webhooks import AlreadyReceived, BeingReceived, WebhookEvent, WebhookReceiver, WebhookRefused

T = TypeVar("T")

MAX_ANSWER_BYTES = 5_000_000
__all__ = [
    "AlreadyReceived",
    "BeingReceived",
    "BlockingVerifierClient",
    "CertificateKind",
    "CheckedItem",
    "DeletionNotice",
    "Need",
    "NoResultYet",
    "PendingRequest",
    "Receipt",
    "ReceivedValue",
    "RequestKind",
    "Source",
    "VerifierClient",
    "VerifierRefused",
    "VerifierResult",
    "VerifierUnreachable",
    "WebhookEvent",
    "WebhookReceiver",
    "WebhookRefused",
]

WAIT_AT_ONCE_SECONDS = 20.0
ASK_AGAIN_SECONDS = 1.0
_BUSY = frozenset({429, 502, 503, 504})

RequestKind = Literal["cross_device", "same_device"]


class VerifierRefused(ProtocolError):
    """The verifier refused: `error` is its code (`invalid_template`, `invalid_token`, `not_found`, ...).

    `invalid_answer` when what answers there is no verifier.
    """

    def __init__(self, error: str, message: str, status: int) -> None:
        super().__init__(message)
        self.error = error
        self.status = status


class VerifierUnreachable(CouldNotCheck):
    """The verifier did not answer, or its address is not one that may be asked (the message says which)."""

    error = "verifier_unreachable"


class NoResultYet(CouldNotCheck):
    """The time to wait is over, and there is no result yet. The request may still be answered."""

    error = "no_result_yet"


class VerifierClient:
    """Speaks with one verifier. `allow_loopback` lets it be one on this machine over http."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str,
        allow_loopback: bool = False,
        ca_file: Path | None = None,
        http: OutgoingHTTP | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}", "Accept": "application/json"}
        self._http = http or OutgoingHTTP(allow_loopback=allow_loopback, ca_file=ca_file)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close kept connections."""
        await self._http.close()

    async def make_request(
        self,
        template: str | Mapping[str, Any],
        *,
        kind: RequestKind | None = None,
        return_url: str = "",
        lifetime_seconds: int | None = None,
        reference: str = "",
    ) -> PendingRequest:
        """Make a request from a template: its name, or a whole one.

        `lifetime_seconds` is how long it can be answered (7 days at most); the verifier's setting when None.
        `reference` is what you call it yourself: it comes back with the result, and the person never sees it.

        Without `kind` it is what the verifier is set to (`cross_device`, unless it keeps to HAIP). With `same_device`
        the person's browser comes back to `return_url`, your own page, with `response_code`, which `take_back` hands
        in. Raises `VerifierRefused`, `VerifierUnreachable`.
        """
        body: dict[str, Any] = {"template": template, "kind": kind, "return_url": return_url}
        if lifetime_seconds is not None:
            body["lifetime_seconds"] = lifetime_seconds
        if reference:
            body["reference"] = reference
        answer = await _answered(self._http.post(f"{self._url}/api/requests", json=body, headers=self._headers))
        told = _told(answer, 201)
        with _read_as_expected(answer):
            return PendingRequest(
                id=told["id"],
                request=told["request"],
                request_https=told["request_https"],
                code=told["code"],
                expires_at=told["expires_at"],
            )

    async def get_result(self, request_id: str, *, wait_seconds: float = 0) -> VerifierResult:
        """Where a request stands; waits for a final state so long (20 s at most) before it answers."""
        wait = min(max(wait_seconds, 0.0), WAIT_AT_ONCE_SECONDS)
        answer = await _answered(
            self._http.get(
                f"{self._url}/api/requests/{quote(request_id, safe='')}?wait={wait:g}",
                headers=self._headers,
                max_bytes=MAX_ANSWER_BYTES,
                timeout_seconds=wait + 15,
            )
        )
        told = _told(answer, 200)
        with _read_as_expected(answer):
            return result_of(told)

    async def wait_for_result(self, request_id: str, *, seconds: float) -> VerifierResult:
        """The result as soon as it is final. Raises `NoResultYet` when there is none after so many seconds.

        A verifier that is away or busy for a while (a restart) is asked again until then; what was wrong is raised
        when it still is at the end.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                result = await self.get_result(request_id, wait_seconds=deadline - time.monotonic())
            except (VerifierUnreachable, VerifierRefused) as exc:
                rest = deadline - time.monotonic()
                if rest <= 0 or (isinstance(exc, VerifierRefused) and exc.status not in _BUSY):
                    raise
                await asyncio.sleep(min(ASK_AGAIN_SECONDS, rest))
                continue
            if result.is_final:
                return result
            if time.monotonic() >= deadline:
                raise NoResultYet

    async def needs(self, template: str) -> list[Need]:
        """What a template needs, of which kinds one is enough, and who issues each: for a page that tells people.

        Whether a person has it, nobody is told.
        """
        url = f"{self._url}/api/templates/{quote(template, safe='')}"
        answer = await _answered(self._http.get(url, headers=self._headers, max_bytes=MAX_ANSWER_BYTES))
        told = _told(answer, 200)
        with _read_as_expected(answer):
            return [need_of(one) for one in told["needs"]]

    async def set_webhook(self, url: str) -> str:
        """Be told at this address when a request changes; returns the secret for `WebhookReceiver`, told this once."""
        answer = await _answered(self._http.post(f"{self._url}/api/webhook", json={"url": url}, headers=self._headers))
        told = _told(answer, 200)
        with _read_as_expected(answer):
            return str(told["secret"])

    async def take_back(self, response_code: str) -> str:
        """Hand in the response code that the person's browser brought back; returns the id of its request.

        Check first that this browser is the one that the request was made for, by a session of your own.
        """
        answer = await _answered(
            self._http.post(f"{self._url}/api/returns", json={"response_code": response_code}, headers=self._headers)
        )
        told = _told(answer, 200)
        with _read_as_expected(answer):
            return str(told["id"])

    async def receipt(self, request_id: str) -> Receipt | None:
        """The receipt that the person's wallet handed in, with both signatures; None when there is none."""
        url = f"{self._url}/api/requests/{quote(request_id, safe='')}/receipt"
        answer = await _answered(self._http.get(url, headers=self._headers, max_bytes=MAX_ANSWER_BYTES))
        if answer.status == 404:
            return None
        told = _told(answer, 200)
        with _read_as_expected(answer):
            return receipt_of(told)

    async def deletions(self, *, after: int = 0) -> tuple[list[DeletionNotice], int]:
        """What was taken back or deleted after this number, and the number to ask with next time.

        Keep that number, and do what each notice says before you keep it. Raises `VerifierRefused`,
        `VerifierUnreachable`.
        """
        found: list[DeletionNotice] = []
        while True:
            answer = await _answered(
                self._http.get(
                    f"{self._url}/api/deletions?after={after:d}", headers=self._headers, max_bytes=MAX_ANSWER_BYTES
                )
            )
            told = _told(answer, 200)
            with _read_as_expected(answer):
                found += [deletion_of(one) for one in told["deletions"]]
                after = int(told["next_after"])
                if told["has_more"] is not True:
                    return found, after

    async def acknowledge_deletion(self, notice: DeletionNotice) -> None:
        """Say that your copy is deleted, too. Raises `VerifierRefused` with status 409 when it changed meanwhile."""
        url = f"{self._url}/api/deletions/{quote(notice.id, safe='')}/acknowledgement"
        _told(await _answered(self._http.post(url, json={"number": notice.number}, headers=self._headers)), 200)


class BlockingVerifierClient:
    """The same client for code without async; keeps an event loop of its own. Not for use within a running loop."""

    def __init__(self, url: str, *, api_key: str, allow_loopback: bool = False, ca_file: Path | None = None) -> None:
        self._runner = asyncio.Runner()
        self._client = VerifierClient(url, api_key=api_key, allow_loopback=allow_loopback, ca_file=ca_file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close kept connections and the event loop."""
        self._run(self._client.close())
        self._runner.close()

    def make_request(
        self,
        template: str | Mapping[str, Any],
        *,
        kind: RequestKind | None = None,
        return_url: str = "",
        lifetime_seconds: int | None = None,
        reference: str = "",
    ) -> PendingRequest:
        """As `VerifierClient.make_request`."""
        return self._run(
            self._client.make_request(
                template, kind=kind, return_url=return_url, lifetime_seconds=lifetime_seconds, reference=reference
            )
        )

    def get_result(self, request_id: str, *, wait_seconds: float = 0) -> VerifierResult:
        """As `VerifierClient.get_result`."""
        return self._run(self._client.get_result(request_id, wait_seconds=wait_seconds))

    def wait_for_result(self, request_id: str, *, seconds: float) -> VerifierResult:
        """As `VerifierClient.wait_for_result`."""
        return self._run(self._client.wait_for_result(request_id, seconds=seconds))

    def needs(self, template: str) -> list[Need]:
        """As `VerifierClient.needs`."""
        return self._run(self._client.needs(template))

    def set_webhook(self, url: str) -> str:
        """As `VerifierClient.set_webhook`."""
        return self._run(self._client.set_webhook(url))

    def take_back(self, response_code: str) -> str:
        """As `VerifierClient.take_back`."""
        return self._run(self._client.take_back(response_code))

    def receipt(self, request_id: str) -> Receipt | None:
        """As `VerifierClient.receipt`."""
        return self._run(self._client.receipt(request_id))

    def deletions(self, *, after: int = 0) -> tuple[list[DeletionNotice], int]:
        """As `VerifierClient.deletions`."""
        return self._run(self._client.deletions(after=after))

    def acknowledge_deletion(self, notice: DeletionNotice) -> None:
        """As `VerifierClient.acknowledge_deletion`."""
        self._run(self._client.acknowledge_deletion(notice))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)


async def _answered(asking: Awaitable[Answer]) -> Answer:
    try:
        return await asking
    except OutgoingRefused as exc:
        raise VerifierUnreachable(f"{exc} For a verifier on this machine: allow_loopback=True.") from exc
    except CouldNotCheck as exc:
        raise VerifierUnreachable(str(exc)) from exc


def _told(answer: Answer, expected: int) -> dict[str, Any]:
    """The JSON of an answer. Raises `VerifierRefused` for another status."""
    try:
        told = strict_json.loads_object(answer.body, max_bytes=MAX_ANSWER_BYTES)
    except ProtocolError as exc:
        raise VerifierRefused("invalid_answer", "the answer is not JSON", answer.status) from exc
    if answer.status != expected:
        # Problem details for HTTP APIs (RFC 9457); `error` is the stable code.
        raise VerifierRefused(str(told.get("error", "unknown")), str(told.get("detail", "")), answer.status)
    return told


@contextmanager
def _read_as_expected(answer: Answer) -> Iterator[None]:
    """Say what happened when the other side is no verifier, or one of another age."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as exc:
        raise VerifierRefused("invalid_answer", "the answer is not that of a verifier", answer.status) from exc
