"""What somebody can send to an application's webhook address, and what somebody can make the verifier send."""

import base64
import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from verifier.webhooks import (
    AlreadyReceived,
    BeingReceived,
    WebhookEvent,
    WebhookReceiver,
    WebhookRefused,
    new_secret,
    signed_headers,
)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECRET = new_secret()
BODY = json.dumps({"type": "request.changed", "data": {"id": "ab12", "state": "answered"}}).encode()


def message(body: bytes = BODY, *, message_id: str = "msg_1", secrets: tuple[str, ...] = (SECRET,)) -> Any:
    """A message as the verifier sends it: its headers and its body."""
    return signed_headers(body, message_id=message_id, secrets=secrets, now=NOW), body


def receiver(*secrets: str, seconds_later: float = 0, seen: Path | None = None) -> WebhookReceiver:
    """An application's receiver, some time after `NOW`."""
    return WebhookReceiver(*(secrets or (SECRET,)), seen=seen, clock=lambda: NOW.timestamp() + seconds_later)


def test_the_published_vector_holds() -> None:
    """Standard Webhooks, the example of its reference libraries: the scheme is theirs to the letter."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    at = datetime.fromtimestamp(1614265330, UTC)

    headers = signed_headers(body, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", secrets=[secret], now=at)

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_honest_message_is_received() -> None:
    """Header names in any case, as servers hand them on."""
    headers, body = message()
    shouted = {name.upper(): value for name, value in headers.items()}

    assert receiver().check(shouted, body) == WebhookEvent("msg_1", "request.changed", "ab12", "answered")


def _mac(content: bytes, key: bytes = b"") -> str:
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


@pytest.mark.parametrize(
    ("changed", "body"),
    [
        ({}, BODY.replace(b"answered", b"declined")),
        ({}, BODY + b" "),
        ({"webhook_id": "msg_2"}, BODY),
        ({"webhook_id": ""}, BODY),
        ({"webhook_id": "msg_1.1"}, BODY),
        ({"webhook_timestamp": str(int(NOW.timestamp()) + 1)}, BODY),
        ({"webhook_timestamp": ""}, BODY),
        ({"webhook_timestamp": "-1"}, BODY),
        ({"webhook_timestamp": "1e9"}, BODY),
        ({"webhook_timestamp": "\u0661\u0662"}, BODY),
        ({"webhook_timestamp": "9" * 5_000}, BODY),
        ({"webhook_signature": ""}, BODY),
        ({"webhook_signature": "v1,"}, BODY),
        ({"webhook_signature": "v1,AAAA"}, BODY),
        ({"webhook_signature": "v1"}, BODY),
        ({"webhook_signature": "v1,\u00e5"}, BODY),
        ({"webhook_signature": _mac(b"")}, BODY),
        ({"webhook_signature": _mac(f"msg_1.{int(NOW.timestamp())}.".encode() + BODY)}, BODY),  # the empty key
    ],
)
def test_a_message_that_was_changed_is_refused(changed: dict[str, Any], body: bytes) -> None:
    """Each part is signed; what is no number, no id and no signature is refused like a wrong one."""
    headers, _ = message()
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}

    with pytest.raises(WebhookRefused):
        receiver().check(headers, body)


def test_another_scheme_or_key_proves_nothing() -> None:
    """A signature under v1a or an unknown version, or with another application's secret, is none."""
    headers, body = message()
    other, _ = message(secrets=(new_secret(),))
    for signature in (headers["webhook-signature"].replace("v1,", "v1a,"), other["webhook-signature"]):
        with pytest.raises(WebhookRefused):
            receiver().check(headers | {"webhook-signature": signature}, body)


def test_the_right_signature_among_others_is_found_and_their_number_is_bounded() -> None:
    """While a secret is changed there are two; thousands are not looked through."""
    headers, body = message(secrets=(new_secret(), SECRET))
    assert receiver().check(headers, body)

    many = " ".join(["v1,AAAA"] * 5_000) + " " + message()[0]["webhook-signature"]
    with pytest.raises(WebhookRefused):
        receiver().check(headers | {"webhook-signature": many}, body)


@pytest.mark.parametrize(("later", "is_fine"), [(300, True), (301, False), (-300, True), (-301, False)])
def test_a_message_of_another_time_is_refused(later: float, is_fine: bool) -> None:
    """What was caught yesterday is worth nothing today, five minutes aside."""
    headers, body = message()
    if is_fine:
        assert receiver(seconds_later=later).check(headers, body)
    else:
        with pytest.raises(WebhookRefused):
            receiver(seconds_later=later).check(headers, body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"type":"request.changed"}',
        b'{"type":"request.changed","data":[]}',
        b'{"type":1,"data":{"id":"a","state":"b"}}',
        b'{"type":"request.changed","data":{"id":"a","id":"b","state":"answered"}}',
        b"[" * 10_000,
        b'{"type":"request.changed","data":{"id":"a","state":"b"},"x":"' + b"x" * 20_000 + b'"}',
    ],
)
def test_a_signed_body_of_another_form_is_refused(body: bytes) -> None:
    """Also with the secret: a later version may send what this one does not know."""
    with pytest.raises(WebhookRefused):
        receiver().check(*message(body))


@pytest.fixture(params=["file", "memory"])
def seen(request: Any, tmp_path: Path) -> Path | None:
    """Where an application remembers."""
    return tmp_path / "seen.sqlite3" if request.param == "file" else None


def test_a_message_is_received_once(seen: Path | None) -> None:
    """The same one again, whoever sends it, does nothing; another one does."""
    application = receiver(seen=seen)
    with application.received(*message()):
        pass

    with pytest.raises(AlreadyReceived), application.received(*message()):
        raise AssertionError("received twice")
    with application.received(*message(message_id="msg_2")) as event:
        assert event.message_id == "msg_2"


def test_a_message_whose_work_failed_may_come_again(seen: Path | None) -> None:
    """At least once: what was not done is not forgotten."""
    application = receiver(seen=seen)
    with pytest.raises(RuntimeError), application.received(*message()):
        raise RuntimeError

    with application.received(*message()) as event:
        assert event.state == "answered"


def test_a_message_whose_process_died_may_come_again(tmp_path: Path) -> None:
    """Begun and never done: within a minute another process holds it, afterwards nobody does."""
    file = tmp_path / "seen.sqlite3"
    died = receiver(seen=file).received(*message())
    died.__enter__()

    with pytest.raises(BeingReceived), receiver(seen=file, seconds_later=59).received(*message()):
        raise AssertionError("received twice")
    with receiver(seen=file, seconds_later=60).received(*message()) as event:
        assert event.request_id == "ab12"


def test_many_at_once_are_one(tmp_path: Path) -> None:
    """Eight processes' worth of receivers on one file: one of them gets it."""
    file = tmp_path / "seen.sqlite3"
    applications = [receiver(seen=file) for _ in range(8)]

    def take(application: WebhookReceiver) -> int:
        try:
            with application.received(*message()):
                return 1
        except (AlreadyReceived, BeingReceived):
            return 0

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, applications)) == 1


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_" + "A" * 100, "not base64 at all!"])
def test_a_receiver_without_a_real_secret_does_not_start(secret: str) -> None:
    """An empty setting would let everybody sign. The message does not show what was given."""
    with pytest.raises(ValueError, match="secret") as refused:
        WebhookReceiver(secret)
    assert not secret or secret not in str(refused.value)

    with pytest.raises(ValueError, match="needs a secret"):
        WebhookReceiver()
