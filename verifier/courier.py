"""Delivers what programs have to be told: signed, at least once, again and again for three days.

    courier = Courier(store, requests, database=database, http=http, clock=utc_now)
    await courier.deliver_due()

What the other side answers is not read beyond its status: 2xx is delivered, 410 ends the trying at once, everything
else is tried again. Addresses are those that the guarded client may reach, and there are no redirects.

Source: Standard Webhooks 1.0.0.
"""

import asyncio
import secrets
from datetime import timedelta
from typing import Final

import orjson
import structlog

from schemas.errors import CouldNotCheck, ProtocolError
from service.clock import Clock
from service.database import Database
from service.http import OutgoingHTTP, OutgoingRefused
from verifier.store import DueMessage, RequestStore, WebhookStore
from verifier.store.records import Event
from verifier.webhooks import new_secret, signed_headers

WAITS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3_600, 3 * 3_600, 8 * 3_600, 24 * 3_600, 36 * 3_600)
)
"""How long after each attempt the next one is made; after the last of them nobody tries any more."""
ATTEMPT_SECONDS: Final = 15.0
MAX_ANSWER_BYTES: Final = 100_000
MAX_URL_CHARACTERS: Final = 2_000
_JITTER_PERCENT: Final = 20
_GONE: Final = 410
_DELETIONS: Final = frozenset({Event.WITHDRAWN, Event.ERASURE_ASKED, Event.DELETED, Event.DELETION_REFUSED})

_log = structlog.get_logger("verifier")


class InvalidWebhookAddress(ProtocolError):
    """This address cannot be told anything: https, a public host, no user name and no fragment are needed."""

    error = "invalid_webhook_address"


class Courier:
    """Sets up webhooks and delivers what waits in the outbox."""

    def __init__(
        self,
        store: WebhookStore,
        requests: RequestStore,
        *,
        database: Database,
        http: OutgoingHTTP | None,
        clock: Clock,
    ) -> None:
        self.store = store
        self._requests = requests
        self._database = database
        self._http = http
        self._clock = clock

    async def set_address(self, maker: str, url: str, *, http: OutgoingHTTP | None = None) -> str:
        """Tell the program with this key at this address from now on; returns the secret, which is told once.

        Raises `InvalidWebhookAddress`. Where the name leads is looked at with every delivery, not now.
        """
        way_out = http or self._http
        try:
            if way_out is None or len(url) > MAX_URL_CHARACTERS:
                raise InvalidWebhookAddress
            way_out.check_url(url)
        except OutgoingRefused as exc:
            raise InvalidWebhookAddress from exc
        secret = new_secret()
        await self._database.run(self.store.set, maker, url=url, secret=secret, now=self._clock())
        return secret

    async def deliver_due(self) -> int:
        """Try everything that is due once; returns how many messages were delivered."""
        delivered = 0
        while self._http is not None:
            due = await self._database.run(self.store.take_due, now=self._clock())
            if not due:
                break
            delivered += sum(await asyncio.gather(*(self._deliver(one, self._http) for one in due)))
        return delivered

    async def prune(self) -> None:
        """Forget what nobody will deliver; on a schedule."""
        await self._database.run(self.store.prune, now=self._clock())

    async def _deliver(self, message: DueMessage, http: OutgoingHTTP) -> bool:
        problem, is_final = await self._attempt(message, http)
        if not problem:
            await self._database.run(self.store.delivered, message)
            return True
        is_final = is_final or message.attempt > len(WAITS)
        again_at = None if is_final else self._clock() + _wait(message.attempt)
        await self._database.run(self.store.failed, message, problem=problem, again_at=again_at)
        _log.warning("webhook_failed", message=message.id, problem=problem, attempt=message.attempt, final=is_final)
        return False

    async def _attempt(self, message: DueMessage, http: OutgoingHTTP) -> tuple[str, bool]:
        """What went wrong, as a status or the code of an error ("" for nothing), and whether it always will."""
        try:
            body = await self._body(message)
            headers = signed_headers(body, message_id=message.id, secrets=message.secrets, now=self._clock())
            answer = await http.post(
                message.url,
                content=body,
                headers=headers,
                max_bytes=MAX_ANSWER_BYTES,
                timeout_seconds=ATTEMPT_SECONDS,
            )
        except CouldNotCheck as exc:
            return exc.error, False
        if 200 <= answer.status < 300:
            return "", False
        return str(answer.status), answer.status == _GONE

    async def _body(self, message: DueMessage) -> bytes:
        """What is told: that a request has changed, and where it stands now. Whoever has its key may fetch the rest."""
        record = await self._database.run(self._requests.get, message.request_id, now=self._clock())
        told = {
            "type": "deletion.changed" if message.event in _DELETIONS else "request.changed",
            "timestamp": message.at.isoformat(timespec="seconds"),
            "data": {"id": record.id, "state": record.state.value},
        }
        return orjson.dumps(told)


def _wait(attempt: int) -> timedelta:
    """How long to wait after this attempt; up to a fifth longer, so that not everything comes at once."""
    return WAITS[attempt - 1] * (1 + secrets.randbelow(_JITTER_PERCENT + 1) / 100)
