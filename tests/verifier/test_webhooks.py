"""Programs are told of changes: with the change itself, signed, again until it arrives, and nobody else's."""

import asyncio
import logging
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from service.accounts import Accounts
from service.database import Database
from service.http import HostRouter, OutgoingHTTP
from service.upgrades import UnknownSchema
from tests.verifier.scene import MICRO_CLAIMS, Scene, settings_for
from verifier.app import open_database
from verifier.courier import WAITS, Courier, InvalidWebhookAddress
from verifier.exchange import MadeRequest
from verifier.requests import Kind
from verifier.store.webhooks import NoSuchWebhook
from verifier.webhooks import WebhookReceiver, WebhookRefused

URL = "https://application.example/told?which=1"


@dataclass
class Application:
    """A program with a webhook, which answers as told and remembers what came."""

    status: int = 204
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/told", self._take, methods=["POST"]), Route("/elsewhere", self._take)])

    async def _take(self, request: Request) -> Response:
        self.came.append((dict(request.headers), await request.body()))
        if self.status == 302:
            return RedirectResponse("https://application.example/elsewhere", 302)
        return PlainTextResponse("what the other side says is nobody's business", self.status)


class Told:
    """A scene with a program that has a key and a webhook."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.application = Application()
        self.http = OutgoingHTTP(transport=HostRouter({"application.example": self.application.app()}))
        self.accounts = Accounts(
            scene.verifier.database, service="verifier", device_secret=scene.settings.device_secret()
        )
        self.key, _ = asyncio.run(self.accounts.new_api_key("jobbspranget", now=scene.now))
        self.courier = self.another_courier()
        self.secret = asyncio.run(self.courier.set_address(self.key.id, URL))

    def another_courier(self) -> Courier:
        """As another process would have."""
        verifier = self.scene.second_process()
        return Courier(
            verifier.courier.store,
            verifier.requests,
            database=verifier.database,
            http=self.http,
            clock=self.scene.clock,
        )

    def ask(self, maker: str = "") -> MadeRequest:
        """A request of the program."""
        template = self.scene.template()
        return self.scene.verifier.make_request(template, kind=Kind.CROSS_DEVICE, maker=maker or self.key.id)

    def deliver(self) -> int:
        """One round."""
        return asyncio.run(self.courier.deliver_due())

    def receiver(self, secret: str = "") -> WebhookReceiver:
        """How the program checks."""
        return WebhookReceiver(secret or self.secret, clock=lambda: self.scene.now.timestamp())


@pytest.fixture
def told(scene: Scene) -> Told:
    """A program that is told."""
    return Told(scene)


def test_an_answer_is_told_and_what_anybody_showed_is_not(told: Told) -> None:
    """The id and the state; the program's own check holds."""
    made = told.ask()
    told.scene.answer(made)

    assert told.deliver() == 1
    (message,) = told.application.came
    event = told.receiver().check(*message)
    assert (event.type, event.request_id, event.state) == ("request.changed", made.id, "answered")
    seen = str(message)
    for value in ("Kanarek-Test", "1999-10-02", *map(str, MICRO_CLAIMS["achievement_title"].values())):
        assert value not in seen
    assert told.deliver() == 0, "once it has arrived, it is not sent again"


@pytest.mark.parametrize(
    ("happens", "kind", "state"),
    [
        ("declines", "request.changed", "declined"),
        ("expires", "request.changed", "expired"),
        ("goes", "deletion.changed", "deleted"),
    ],
)
def test_every_end_of_a_request_is_told(told: Told, happens: str, kind: str, state: str) -> None:
    """A no, the end of its time, and that the values went."""
    made = told.ask()
    if happens == "declines":
        request = told.scene.fetch(made)
        told.scene.post(made, told.scene.form(request, {"error": "access_denied"}))
    elif happens == "expires":
        told.scene.pass_time(hours=1)
    else:
        told.scene.answer(made)
        told.deliver()
        told.application.came.clear()
        told.scene.pass_time(days=120)
    told.scene.verifier.result(made.id)

    told.deliver()

    events = [told.receiver().check(*message) for message in told.application.came]
    assert [(event.type, event.state) for event in events] == [(kind, state)]


def test_requests_of_others_are_not_told(told: Told) -> None:
    """Neither those of another key nor those of staff."""
    other, _ = asyncio.run(told.accounts.new_api_key("other", now=told.scene.now))
    for maker in (other.id, "somebody of staff"):
        told.scene.answer(told.ask(maker))

    assert told.deliver() == 0
    assert told.application.came == []


def test_the_message_is_written_with_the_answer_or_not_at_all(told: Told) -> None:
    """A database that breaks at the outbox stores no answer either: nothing is lost, nothing is told that is not."""
    made = told.ask()
    database: Database = told.scene.verifier.database
    with database.transaction() as connection:
        connection.execute(text("CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'full'); END"))
    with pytest.raises(Exception, match="full"):
        told.scene.answer(made)
    assert told.scene.result(made).answered_at is None

    with database.transaction() as connection:
        connection.execute(text("DROP TRIGGER full"))
    told.scene.answer(made)
    assert told.deliver() == 1


def test_what_does_not_arrive_is_tried_again_with_the_same_id_and_a_fresh_time(told: Told) -> None:
    """Seconds, minutes, hours, three days; then it is laid before staff, who can have it sent again."""
    told.application.status = 500
    told.scene.answer(told.ask())
    assert told.deliver() == 0
    for wait in WAITS:
        told.scene.pass_time(seconds=wait.total_seconds() - 1)
        told.deliver()
        before = len(told.application.came)
        told.scene.pass_time(seconds=wait.total_seconds() * 0.2 + 2)
        told.deliver()
        assert len(told.application.came) == before + 1
    assert len(told.application.came) == len(WAITS) + 1
    assert len({headers["webhook-id"] for headers, _ in told.application.came}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in told.application.came}) == len(WAITS) + 1

    told.scene.pass_time(days=5)
    assert told.deliver() == 0
    assert len(told.application.came) == len(WAITS) + 1
    (dead,) = told.courier.store.undelivered()
    assert (dead.label, dead.problem, dead.attempts) == ("jobbspranget", "500", len(WAITS) + 1)

    told.application.status = 200
    told.courier.store.send_again(dead.id, now=told.scene.now)
    assert told.deliver() == 1
    assert told.courier.store.undelivered() == []
    with pytest.raises(NoSuchWebhook):
        told.courier.store.send_again(dead.id, now=told.scene.now)


def test_an_address_that_says_gone_is_not_asked_again(told: Told) -> None:
    """410, as the standard has it; staff see it at once."""
    told.application.status = 410
    told.scene.answer(told.ask())
    told.deliver()
    told.scene.pass_time(days=9)
    told.deliver()

    assert len(told.application.came) == 1
    assert [one.problem for one in told.courier.store.undelivered()] == ["410"]


def test_a_redirect_is_not_followed(told: Told) -> None:
    """Whoever holds the address cannot make the verifier post elsewhere."""
    told.application.status = 302
    told.scene.answer(told.ask())
    told.deliver()

    assert len(told.application.came) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://application.example/told",
        "https://localhost/told",
        "https://127.0.0.1/told",
        "https://10.0.0.8/told",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/told",
        "https://[::ffff:10.0.0.8]/told",
        "https://2130706433/told",
        "https://intranet/told",
        "https://user:secret@application.example/told",
        "https://application.example/told#part",
        "file:///etc/passwd",
        "gopher://application.example",
        "https://application.example/" + "a" * 2_000,
        "https://application.example/a b",
        "",
    ],
)
def test_an_address_within_is_refused(told: Told, url: str) -> None:
    """A key lets a program ask people, not the machines beside the verifier."""
    with pytest.raises(InvalidWebhookAddress):
        asyncio.run(told.courier.set_address(told.key.id, url))
    assert told.courier.store.of(told.key.id).url == URL


def test_a_name_that_leads_within_is_refused_when_it_is_asked(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """An honest-looking name whose address is a private one: the real way out vets what the name leads to."""
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_more: [(2, 1, 6, "", ("10.0.0.8", 443))])
    verifier = told.scene.second_process()
    real = Courier(
        verifier.courier.store,
        verifier.requests,
        database=verifier.database,
        http=OutgoingHTTP(),
        clock=told.scene.clock,
    )
    told.scene.answer(told.ask())

    assert asyncio.run(real.deliver_due()) == 0
    problems = [row[0] for row in _rows(told, "SELECT problem FROM outbox")]
    assert problems in (["address_refused"], ["unreachable"])
    assert told.application.came == []


def test_two_processes_send_a_message_once(told: Told) -> None:
    """Whoever takes it has it for a minute; when that one dies, the next one sends it."""
    told.scene.answer(told.ask())
    died = told.another_courier().store.take_due(now=told.scene.now)
    assert len(died) == 1
    assert told.deliver() == 0

    told.scene.pass_time(seconds=60)
    assert told.deliver() == 1
    told.another_courier().store.failed(died[0], problem="late", again_at=None)
    assert told.courier.store.undelivered() == []


def test_a_new_secret_signs_beside_the_earlier_one_for_a_day(told: Told) -> None:
    """So that a program can change it without losing a message."""
    fresh = asyncio.run(told.courier.set_address(told.key.id, URL))
    told.scene.answer(told.ask())
    told.deliver()
    (message,) = told.application.came
    assert told.receiver(fresh).check(*message) == told.receiver().check(*message)

    told.scene.pass_time(days=1, seconds=1)
    told.scene.answer(told.ask())
    told.deliver()
    assert told.receiver(fresh).check(*told.application.came[-1])
    with pytest.raises(WebhookRefused):
        told.receiver().check(*told.application.came[-1])


def test_a_program_whose_key_has_ended_is_told_nothing(told: Told) -> None:
    """What waited for it goes as well."""
    told.scene.answer(told.ask())
    asyncio.run(told.accounts.revoke_api_key(told.key.id, now=told.scene.now))

    assert told.deliver() == 0
    asyncio.run(told.courier.prune())
    assert _rows(told, "SELECT count(*) FROM outbox") == [(0,)]
    assert told.courier.store.all() == []


def test_what_nobody_could_deliver_is_forgotten_after_a_month(told: Told) -> None:
    """It says that somebody answered; that is not kept for ever."""
    told.application.status = 410
    told.scene.answer(told.ask())
    told.deliver()
    told.scene.pass_time(days=29)
    asyncio.run(told.courier.prune())
    assert len(told.courier.store.undelivered()) == 1

    told.scene.pass_time(days=2)
    asyncio.run(told.courier.prune())
    assert told.courier.store.undelivered() == []


def test_secrets_rest_sealed_and_are_logged_nowhere(
    told: Told, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the database nor a log holds the secret; a log does not hold the address either, which may be one."""
    caplog.set_level(logging.DEBUG)
    told.application.status = 500
    told.scene.answer(told.ask())
    told.deliver()

    printed = capsys.readouterr()
    # The library of the way out tells addresses; `service.serving` keeps it quiet.
    ours = [record.getMessage() for record in caplog.records if record.name != "httpx2"]
    logged = "".join(ours) + printed.out + printed.err
    assert "webhook_failed" in logged
    assert told.secret not in logged
    assert "which=1" not in logged
    told.scene.verifier.database.forget_deleted()
    files = b"".join(file.read_bytes() for file in told.scene.settings.data.glob("verifier.sqlite3*"))
    assert told.secret.removeprefix("whsec_").encode() not in files


def test_a_database_of_before_is_upgraded(tmp_path: Path) -> None:
    """Version 1 has neither webhooks nor an outbox; its requests stay."""
    settings = settings_for(tmp_path)
    open_database(settings).close()
    file = tmp_path / "verifier.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE webhooks")
        connection.execute("DROP TABLE outbox")
        identity = "2fcca52207d1f964af38b6d1016c1bd10641a60c56f14dfc5a7c67e41582d862"  # pragma: allowlist secret
        connection.execute("UPDATE intyga_schema SET version = 1, identity = ?", (identity,))
        connection.execute("INSERT INTO templates VALUES (x'01', 'kept')")

    opened = open_database(settings)
    with opened.reading() as connection:
        assert connection.execute(text("SELECT text FROM templates")).scalar_one() == "kept"
        assert connection.execute(text("SELECT count(*) FROM outbox")).scalar_one() == 0
    opened.close()

    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE intyga_schema SET version = 1, identity = 'other'")
    with pytest.raises(UnknownSchema):
        open_database(settings)


def _rows(told: Told, statement: str) -> list[Any]:
    with told.scene.verifier.database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(statement)).all()]
