"""Webhooks: how the verifier tells a receiver's application that something has changed, and how that one checks it.

The scheme is Standard Webhooks 1.0.0 with its symmetric signature `v1`: HMAC-SHA256 over `ID.TIMESTAMP.BODY`.

    headers = signed_headers(body, message_id=id, secrets=[secret], now=now)          # the verifier

    webhooks = WebhookReceiver(secret, seen=Path("seen.sqlite3"))                     # the application
    with webhooks.received(request.headers, await request.body()) as event:
        result = await verifier.get_result(event.request_id)

A body says what changed and never what anybody showed: results are fetched over the interface, with the key. A message
may come twice, late, or out of order, so that an application acts on what it fetches. `received` lets each message id
through once; when the block raises, or its process dies, the message counts as not received and may come again.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets as randomness
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from proofs import strict_json
from schemas.errors import Malformed, ProtocolError, Refused

TOLERANCE_SECONDS: Final = 300
MAX_BODY_BYTES: Final = 20_000  # The largest that the standard recommends.
_PREFIX: Final = "whsec_"
_LEAST_SECRET_BYTES, _MOST_SECRET_BYTES = 24, 64
_MOST_SIGNATURES: Final = 10
_WORK_SECONDS: Final = 60
_REMEMBER_SECONDS: Final = 30 * 24 * 3600
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class WebhookRefused(Refused):
    """What came is no message of the verifier that shares the secret, or comes at another time than it says."""

    error = "webhook_refused"


class AlreadyReceived(ProtocolError):
    """The message was received before, and done with: answer 2xx, so that it does not come again."""

    error = "already_received"
    status = 200


class BeingReceived(ProtocolError):
    """Another process is at work on this message: answer 409, so that it comes again if that one fails."""

    error = "being_received"
    status = 409


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """What has changed: `type` is `request.changed` or `deletion.changed`, `state` that of the request by then."""

    message_id: str
    type: str
    request_id: str
    state: str


# ---------------------------------------------------------------------------------------------------------------------
# Signing


def new_secret() -> str:
    """A fresh secret, as Standard Webhooks writes it: `whsec_` and base64 of 32 random bytes."""
    return _PREFIX + base64.b64encode(randomness.token_bytes(32)).decode()


def signed_headers(body: bytes, *, message_id: str, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers that go with a body: its id, the time of this attempt, and a signature for each secret.

    Two secrets sign while an application changes from one to the other.
    """
    timestamp = str(int(now.timestamp()))
    signatures = [_signature(_key(secret), message_id, timestamp, body) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(one).decode()}" for one in signatures),
    }


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> bytes:
    return hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)


def _key(secret: str) -> bytes:
    """The bytes of a secret. Raises `ValueError` for what is none, which an empty setting is."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("this is no webhook secret") from None  # The cause would show a part of it.
    if not _LEAST_SECRET_BYTES <= len(key) <= _MOST_SECRET_BYTES:
        raise ValueError("a webhook secret has 24 to 64 bytes")
    return key


# ---------------------------------------------------------------------------------------------------------------------
# Checking


class WebhookReceiver:
    """Checks what comes to an application's webhook address: signature, time, and that it did not come before.

    `secret` is what the verifier told when the address was set; several while it is being changed. `seen` is a file
    for the ids of messages, shared by all processes of the application; without one they are forgotten at its end.
    """

    def __init__(
        self,
        *secret: str,
        seen: Path | None = None,
        tolerance_seconds: int = TOLERANCE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not secret:
            raise ValueError("a webhook receiver needs a secret")
        self._keys = [_key(one) for one in secret]
        self._seen = SeenMessages(seen)
        self._tolerance = tolerance_seconds
        self._clock = clock

    @contextmanager
    def received(self, headers: Mapping[str, str], body: bytes) -> Iterator[WebhookEvent]:
        """The event of a message, once; when the block raises, it may come again.

        Raises `WebhookRefused` (answer 400), `AlreadyReceived` (answer 200), `BeingReceived` (answer 409).
        """
        event = self.check(headers, body)
        self._seen.claim(event.message_id, at=int(self._clock()))
        try:
            yield event
        except BaseException:
            self._seen.release(event.message_id)
            raise
        self._seen.finish(event.message_id)

    def check(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """The event of a message whose signature and time hold; whether it came before is not looked at.

        Raises `WebhookRefused`, which does not say what was wrong with a signature.
        """
        named = {name.lower(): value for name, value in headers.items()}
        message_id, timestamp = named.get("webhook-id", ""), named.get("webhook-timestamp", "")
        if not _ID.fullmatch(message_id) or not _TIMESTAMP.fullmatch(timestamp) or len(body) > MAX_BODY_BYTES:
            raise WebhookRefused
        if not self._is_signed(named.get("webhook-signature", ""), message_id, timestamp, body):
            raise WebhookRefused
        if abs(self._clock() - int(timestamp)) > self._tolerance:
            raise WebhookRefused("the message was sent at another time")
        return _event(message_id, body)

    def _is_signed(self, header: str, message_id: str, timestamp: str, body: bytes) -> bool:
        right = [_signature(key, message_id, timestamp, body) for key in self._keys]
        found = False
        for part in header.split(" ")[:_MOST_SIGNATURES]:
            version, _, text = part.partition(",")
            if version != "v1":  # Other schemes may stand beside ours; they prove nothing to us.
                continue
            try:
                given = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                continue
            for one in right:
                found |= hmac.compare_digest(one, given)
        return found


def _event(message_id: str, body: bytes) -> WebhookEvent:
    try:
        told = strict_json.loads_object(body, max_bytes=MAX_BODY_BYTES)
        data = told["data"]
        members = (told["type"], data["id"], data["state"])
    except (Malformed, KeyError, TypeError) as exc:
        raise WebhookRefused("the message is signed and not of a form that is known here") from exc
    if not all(isinstance(one, str) for one in members):
        raise WebhookRefused("the message is signed and not of a form that is known here")
    return WebhookEvent(message_id, *members)


class SeenMessages:
    """Which messages were received, in a file of SQLite or in memory. Each step is one atomic statement."""

    def __init__(self, file: Path | None) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            file or ":memory:", isolation_level=None, timeout=5.0, check_same_thread=False
        )
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, at INTEGER NOT NULL, done INTEGER NOT NULL)"
        )

    def claim(self, message_id: str, *, at: int) -> None:
        """Begin with a message. One that was begun a minute ago and never done is begun again: its process has died.

        Raises `AlreadyReceived`, `BeingReceived`.
        """
        begin = (
            "INSERT INTO seen VALUES (?, ?, 0) ON CONFLICT (id) DO UPDATE SET at = excluded.at"
            " WHERE done = 0 AND at <= excluded.at - ?"
        )
        with self._lock:
            self._connection.execute("DELETE FROM seen WHERE at < ?", (at - _REMEMBER_SECONDS,))
            if self._connection.execute(begin, (message_id, at, _WORK_SECONDS)).rowcount == 1:
                return
            row = self._connection.execute("SELECT done FROM seen WHERE id = ?", (message_id,)).fetchone()
        raise AlreadyReceived if row is not None and row[0] else BeingReceived

    def finish(self, message_id: str) -> None:
        """The message is done with."""
        with self._lock:
            self._connection.execute("UPDATE seen SET done = 1 WHERE id = ?", (message_id,))

    def release(self, message_id: str) -> None:
        """The message was not done with, and may come again."""
        with self._lock:
            self._connection.execute("DELETE FROM seen WHERE id = ? AND done = 0", (message_id,))
