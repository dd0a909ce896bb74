"""What programs are told: every change at least once, under one id however often it is sent (durability D09, D23)."""

import json
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.withdrawal import Action
from service.accounts import Accounts
from tests.crash.acting import Act, Given, Tell
from tests.crash.acts_of_sharing import all_holds, firm_database, look_and_send_again, wish_again
from tests.crash.stage import Stage
from verifier.requests import Kind
from verifier.webhooks import WebhookReceiver

PROGRAM = "application.example"


def _came(stage: Stage) -> Path:
    return stage.directory / "came.jsonl"


def open_with_program(stage: Stage) -> Any:
    """All services, and a program that writes down what comes to it before it answers."""

    async def take(request: Request) -> Response:
        line = json.dumps({"headers": dict(request.headers), "body": (await request.body()).decode()})
        with _came(stage).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        return Response(status_code=204)

    stage.world.network.connect(PROGRAM, Starlette(routes=[Route("/told", take, methods=["POST"])]))
    return stage.world.university, stage.world.wallet, stage.firm


async def asked_by_program(stage: Stage) -> Given:
    """A program that wants to be told has asked Maja."""
    open_with_program(stage)
    firm = stage.firm
    accounts = Accounts(firm.database, service="verifier", device_secret=firm.settings.device_secret())
    key, _ = await accounts.new_api_key("program", now=stage.world.clock())
    secret = await firm.courier.set_address(key.id, f"https://{PROGRAM}/told")
    sharer = await stage.sharer()
    await stage.world.wallet.receive(sharer.vault, stage.world.university.offer()[0].offer)
    template = firm.templates()["employer-micro-credential"]
    made = firm.make_request(template, kind=Kind.CROSS_DEVICE, maker=key.id)
    return {"share": await sharer.begin(made.link), "request": made.id, "secret": secret}


async def share_and_take_back(stage: Stage, given: Given, tell: Tell) -> None:
    """She shares, the program is told, she takes it back, the program is told."""
    sharer = await stage.sharer()
    await sharer.approve(given["share"])
    await stage.firm.courier.deliver_due()
    tell(answered=True)
    await stage.withdrawals.wish(sharer.vault, given["share"], Action.WITHDRAW, chosen=None, language="sv")
    await stage.firm.courier.deliver_due()
    tell(taken_back=True)


async def go_on(stage: Stage, given: Given) -> None:
    """She does the rest, and the service tells what is still to be told when nobody holds it any more."""
    await look_and_send_again(stage, given)
    await wish_again(stage, given)
    await stage.firm.courier.deliver_due()


async def each_was_told(stage: Stage, given: Given, told: Given) -> None:
    """As many ids as there were changes, none twice with other words, none lost, and nothing waits."""
    receiver = WebhookReceiver(given["secret"], tolerance_seconds=7 * 24 * 3600, clock=stage.world.clock.now.timestamp)
    by_id = defaultdict(set)
    for line in _came(stage).read_text(encoding="utf-8").splitlines():
        message = json.loads(line)
        event = receiver.check(message["headers"], message["body"].encode())
        assert event.request_id == given["request"]
        by_id[event.message_id].add(event.type)
    assert all(len(types) == 1 for types in by_id.values()), by_id
    with sqlite3.connect(firm_database(stage)) as connection:
        changes = [
            row[0]
            for row in connection.execute("select event from log where event in ('answered', 'withdrawn', 'deleted')")
        ]
        waiting = connection.execute("select count(*) from outbox").fetchone()[0]
    assert waiting == 0
    assert "answered" in changes
    assert len(by_id) == len(changes), (changes, by_id)
    assert sorted(next(iter(types)) for types in by_id.values()) == sorted(
        "request.changed" if event == "answered" else "deletion.changed" for event in changes
    )
    assert len(changes) == len(set(changes))
    await all_holds(stage)


WEBHOOK_ACTS = (
    Act(
        "tell a program",
        asked_by_program,
        share_and_take_back,
        go_on,
        each_was_told,
        opens=open_with_program,
    ),
)
