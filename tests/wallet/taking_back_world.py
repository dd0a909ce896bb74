"""A recipient that takes back: the fake verifier, with an endpoint that answers as a test wants.

firm = Recipient(world)
share_id = await firm.shared_by(sharer)
firm.answer = lambda message: firm.statement(message)
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from proofs import base64url
from proofs.after_share import CheckedHolderMessage, check_holder_message, sign_recipient_message
from schemas.withdrawal import COUNTERSIGNATURE_TYPE, RECEIPT_SUBMISSION_TYPE, STATEMENT_TYPE, WITHDRAWAL_TYPE
from tests.wallet.fake_verifier import Asked, FakeVerifier, notice, query
from tests.wallet.people import Sharer
from tests.world import World
from wallet.withdrawals import Withdrawals

NAME = {"credential": "certificate", "path": ["family_name"], "label": {"sv": "Efternamn", "en": "Family name"}}
BIRTH = {"credential": "certificate", "path": ["birthdate"], "label": {"sv": "Födelsedatum", "en": "Date of birth"}}
JWT = "application/jwt"


class Recipient(FakeVerifier):
    """A trusted verifier whose notices name an endpoint. `messages` are the withdrawals that came, checked."""

    def __init__(self, world: World, host: str = "employer.example", *, endpoint: str = "") -> None:
        super().__init__(world, host)
        world.wallet.trust(self.trust_entry)
        self.messages: list[CheckedHolderMessage] = []
        self.receipts: list[CheckedHolderMessage] = []
        self.answer: Callable[[CheckedHolderMessage], Response] = self.statement
        self.confirm: Callable[[CheckedHolderMessage], Response] = lambda _: Response(status_code=503)
        self.endpoint = endpoint or f"{self.url}/withdrawals"
        fake: Any = world.network.apps[host]
        inner = fake.app
        routes = [
            Route("/withdrawals", self._take_back, methods=["POST"]),
            Route("/receipts", self._receipt, methods=["POST"]),
        ]
        world.network.apps[host] = httpx2.ASGITransport(app=Router(routes, default=inner))

    async def _take_back(self, request: Request) -> Response:
        self.messages.append(self._checked((await request.body()).decode(), WITHDRAWAL_TYPE))
        return self.answer(self.messages[-1])

    async def _receipt(self, request: Request) -> Response:
        self.receipts.append(self._checked((await request.body()).decode(), RECEIPT_SUBMISSION_TYPE))
        return self.confirm(self.receipts[-1])

    def _checked(self, token: str, typ: str) -> CheckedHolderMessage:
        return check_holder_message(token, typ=typ, now=self.world.clock(), max_age_seconds=300, max_bytes=300_000)

    def ask_for_two(self, **said: Any) -> Asked:
        """A request for a name and a birth date, with a signed notice."""
        number = f"request-{len(self.asked) + 1}"
        withdraw = {"endpoint": self.endpoint, "contact": "dataskydd@employer.example", "phone": "+46 8 123 45 67"}
        members = {"withdraw": withdraw, "request_id": number, "receipt_endpoint": f"{self.url}/receipts", **said}
        return self.ask(query(["family_name"], ["birthdate"]), notice=notice(**members))

    async def shared_by(self, sharer: Sharer, **said: Any) -> str:
        """A share of both; returns its entry."""
        share_id = await sharer.begin(self.ask_for_two(**said).link())
        await sharer.approve(share_id)
        return share_id

    def statement_claims(self, message: CheckedHolderMessage, **changed: Any) -> dict[str, Any]:
        """An honest statement that answers a message; None leaves a member out."""
        now = int(self.world.clock().timestamp())
        claims = {
            "iss": message.audience,
            "iat": now,
            "request_id": message.claims["request_id"],
            "nonce": message.claims["nonce"],
            "receipt_id": message.claims.get("receipt_id"),
            "reason": "withdrawn",
            "outcome": "deleted",
            "items": [NAME, BIRTH],
            "deleted_at": now,
            "backups_until": "2026-12-20",
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def statement(self, message: CheckedHolderMessage, **changed: Any) -> Response:
        """The answer with such a statement."""
        return self.signed(self.statement_claims(message, **changed))

    def signed(self, claims: Mapping[str, Any], *, typ: str = STATEMENT_TYPE, signer: Any = None) -> Response:
        """A signed answer."""
        return Response(sign_recipient_message(claims, signer=signer or self.signer, typ=typ), media_type=JWT)

    def countersigned(self, message: CheckedHolderMessage) -> Response:
        """The counter-signature of a receipt that was handed in."""
        claims = {
            "iss": message.audience,
            "iat": int(self.world.clock().timestamp()),
            "request_id": message.claims["request_id"],
            "receipt_sha256": base64url.encode(hashlib.sha256(message.claims["receipt"].encode()).digest()),
        }
        return self.signed(claims, typ=COUNTERSIGNATURE_TYPE)

    def acknowledged(self, message: CheckedHolderMessage, due_on: str = "2026-12-20") -> Response:
        """202: somebody must decide."""
        return JSONResponse(
            {"state": "received", "received_at": self.world.clock().isoformat(), "due_on": due_on}, status_code=202
        )


def says(status: int, body: Any = b"", media_type: str = "application/json", **headers: str) -> Any:
    """An answer whatever was asked."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda _: Response(content, status_code=status, media_type=media_type, headers=headers)


def withdrawals(world: World) -> Withdrawals:
    """What the wallet's pages call."""
    return Withdrawals(world.wallet.deployment)
