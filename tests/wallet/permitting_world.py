"""A recipient that offers later checks: the fake one, whose endpoint answers as a test wants, and what a person ticks.

firm = Permitted(world)
share_id = await firm.allowed_by(sharer)
firm.say = lambda message: firm.state(message, checks=[...])
"""

from collections.abc import Callable
from typing import Any

import httpx2
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from proofs.after_share import CheckedHolderMessage
from schemas.standing_permission import PERMISSION_STATE_TYPE, PERMISSION_TYPE
from tests.wallet.people import Sharer
from tests.wallet.taking_back_world import BIRTH, NAME, Recipient
from tests.world import World
from wallet.decision import Chosen
from wallet.permissions import Permissions

PURPOSE = {"sv": "Vi vill se att intyget gäller hela tiden.", "en": "We want to see that it holds all the time."}


class Permitted(Recipient):
    """A trusted recipient whose notices offer later checks. `wishes` are the messages that came, checked."""

    def __init__(self, world: World, host: str = "employer.example") -> None:
        super().__init__(world, host)
        self.wishes: list[CheckedHolderMessage] = []
        self.say: Callable[[CheckedHolderMessage], Response] = self.state
        self.kept: dict[str, Any] = {}
        fake: Any = world.network.apps[host]
        routes = [Route("/permissions", self._permission, methods=["POST"])]
        world.network.apps[host] = httpx2.ASGITransport(app=Router(routes, default=fake.app))

    async def _permission(self, request: Request) -> Response:
        self.wishes.append(self._checked((await request.body()).decode(), PERMISSION_TYPE))
        return self.say(self.wishes[-1])

    def offer(self, **changed: Any) -> dict[str, Any]:
        """The later checks as the notice offers them."""
        until = self.world.clock().date().replace(year=self.world.clock().year + 1).isoformat()
        members = {"until": until, "every_days": 30, "purpose": PURPOSE, "endpoint": f"{self.url}/permissions"}
        return {**members, **changed}

    def ask_offering(self, **changed: Any) -> str:
        """The link of a request whose data are kept for two years and that offers later checks."""
        return self.ask_for_two(retention={"days": 730}, recheck=self.offer(**changed)).link()

    async def allowed_by(self, sharer: Sharer, **changed: Any) -> str:
        """A share with the box for later checks ticked; returns its entry."""
        share_id = await sharer.begin(self.ask_offering(**changed))
        sharer.choose(share_id, Chosen(recheck=True))
        await sharer.allow_checks(share_id)
        await sharer.approve(share_id)
        return share_id

    def state_claims(self, message: CheckedHolderMessage, **changed: Any) -> dict[str, Any]:
        """An honest answer to a message; None leaves a member out."""
        said, now = message.claims, self.world.clock().timestamp()
        if said["action"] == "grant":
            self.kept = {"state": "active", "until": said["until"], "granted_at": now, "items": [NAME, BIRTH]}
        elif said["action"] != "status":
            state = {"pause": "paused", "resume": "active", "end": "ended"}[said["action"]]
            self.kept |= {"state": state}
            self.kept |= {"ended_at": now, "end_reason": "by_person"} if state == "ended" else {}
        claims = {
            "iss": message.audience,
            "iat": now,
            "answers": message.jti,
            "request_id": said["request_id"],
            "nonce": said["nonce"],
            "every_days": 30,
            "next_at": None if self.kept.get("state") == "ended" else now,
            "checks": [],
            "state": "none",
            **self.kept,
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def state(self, message: CheckedHolderMessage, **changed: Any) -> Response:
        """The signed answer."""
        return self.signed(self.state_claims(message, **changed), typ=PERMISSION_STATE_TYPE)

    def check(self, number: int = 1, outcome: str | None = "valid") -> dict[str, Any]:
        """One check, made now."""
        return {"number": number, "at": self.world.clock().timestamp(), "outcome": outcome}


def permissions(world: World) -> Permissions:
    """What the wallet's pages call."""
    return Permissions(world.wallet.deployment)
