"""Where wallets give, pause and end standing permissions, and where the status is checked again under one.

    token = await desk.take_act(body)                          # what a wallet posts to the endpoint of the offer
    outcome = await desk.check_again(request_id, actor=...)    # refused unless the person lets it happen now

See docs/standing-permission.md.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from proofs.keys import Signer
from proofs.resolve import Resolver
from schemas.errors import CouldNotCheck, NotFound, ProtocolError
from schemas.standing_permission import PERMISSION_TYPE, PermissionAct, RecheckOutcome
from service.clock import Clock
from service.rate_limits import RateLimit
from verifier.deletion_desk import MAX_ACT_BYTES
from verifier.holder_messages import claims_of, holder_message
from verifier.policies import Policy
from verifier.rechecks import Permission, check_again, permission_statement
from verifier.store import PermissionStore

BY_ITSELF = "the service"


class RecheckDesk:
    """Takes what wallets say of permissions, and checks again where there is one."""

    def __init__(
        self,
        store: PermissionStore,
        *,
        signer: Signer | None,
        by_key: RateLimit,
        policy: Callable[[], Awaitable[Policy]],
        resolver: Callable[[], Resolver | None],
        clock: Clock,
    ) -> None:
        self.store = store
        self._signer = signer
        self._by_key = by_key
        self._policy = policy
        self._resolver = resolver
        self._clock = clock

    async def take_act(self, body: bytes) -> str:
        """Give, pause, resume or end a permission, or say how it stands: the signed statement.

        Raises `InvalidHolderMessage`, `NoSuchShare`, `Replayed`, `NotOffered`, `NoPermission`, `UnknownItem`;
        `NotFound` without a signing key.
        """
        if self._signer is None:
            raise NotFound("nothing is signed here")
        message = holder_message(
            body, typ=PERMISSION_TYPE, max_bytes=MAX_ACT_BYTES, by_key=self._by_key, now=self._clock()
        )
        act = claims_of(PermissionAct, message)
        now = self._clock()
        permission, transaction = await self.store.database.run(self.store.act_upon, message, act, now=now)
        return permission_statement(permission, transaction, answers=message.jti, signer=self._signer, now=now)

    async def permission(self, request_id: str) -> Permission | None:
        """The permission of a request; None when there is none."""
        return await self.store.database.run(self.store.get, request_id, now=self._clock())

    async def check_again(self, request_id: str, *, actor: str) -> RecheckOutcome:
        """Check once more whether what was shown still holds, and keep what came of it.

        Raises `NoSuchRequest`, `RecheckNotPermitted`; `CouldNotCheck` where nothing can be looked up.
        """
        resolver = self._resolver()
        if resolver is None:
            raise CouldNotCheck("nothing can be looked up here")
        database = self.store.database
        claimed = await database.run(self.store.claim, request_id, actor=actor, now=self._clock())
        try:
            outcome = await check_again(
                claimed.kept,
                transaction=claimed.transaction,
                answered_at=claimed.answered_at,
                policy=await self._policy(),
                resolver=resolver,
                now=self._clock(),
            )
        except ProtocolError:
            outcome = RecheckOutcome.COULD_NOT_CHECK
        return await database.run(self.store.finish, claimed, outcome, now=self._clock())

    async def check_what_is_due(self) -> int:
        """Check again what the templates want checked by itself and is due; returns how many were checked."""
        done = 0
        for request_id in await self.store.database.run(self.store.due, now=self._clock()):
            with suppress(ProtocolError):  # Ended, paused or checked by another process meanwhile: the next one.
                await self.check_again(request_id, actor=BY_ITSELF)
                done += 1
        return done
