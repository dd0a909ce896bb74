"""What an answer comes to: it is checked with what can be looked up elsewhere, and what is kept of it is chosen.

    judge = Judge(settings, database=database, trust=trust, clock=clock, http=http)
    outcome = await judge.judge(transaction, answer, digest=digest, code_digest=None, now=now)

Status lists of accepted answers are fetched ahead of time from then on; nobody else's.
"""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from proofs.resolve import Resolver
from schemas.errors import CouldNotCheck
from schemas.presentation import AuthorizationErrorResponse, AuthorizationResponse
from service.clock import Clock
from service.database import Database
from service.http import OutgoingHTTP
from verifier.disclosed import kept_presentations
from verifier.holder_keys import bound_by, shown_here_by
from verifier.policies import RECENCY, Policy
from verifier.remote import LookUpsOfOneAnswer, RemoteResolver
from verifier.requests import Transaction
from verifier.responses import Answer
from verifier.settings import VerifierSettings
from verifier.store import Contents, TrustStore
from verifier.store.answers import Outcome
from verifier.store.records import Report
from verifier.verification import Verdict, Verification, issuers_of_unknown_keys, verify_answer

WATCH_DAYS: Final = 7
_SAID_IN_ORDER: Final = frozenset({"values", RECENCY})
"""What can speak against an answer that is genuine, the person's own and meant for us: a value that is not the one
asked for, and a day that is too long ago. Of the whole of it nothing is kept, and it is an answer all the same."""
_ERROR_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")


class Judge:
    """Checks answers. `resolver` stands for what is looked up over `http`; without both nothing can be checked."""

    def __init__(
        self,
        settings: VerifierSettings,
        *,
        database: Database,
        trust: TrustStore,
        clock: Clock,
        resolver: Resolver | None = None,
        http: OutgoingHTTP | None = None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._trust = trust
        self._clock = clock
        self._remote: RemoteResolver | None = None
        if resolver is None and http is not None:
            self._remote = resolver = RemoteResolver(
                http,
                clock=clock,
                max_status_age_seconds=settings.max_status_age_seconds,
                on_new_list=self._watch,
            )
        self._resolver = resolver

    async def judge(
        self, transaction: Transaction, answer: Answer, *, digest: bytes, code_digest: bytes | None, now: datetime
    ) -> Outcome:
        """What the answer comes to.

        `digest` is that of its bytes, `code_digest` that of the code with which its browser has to come back (same
        device), else None.
        """
        if isinstance(answer, AuthorizationErrorResponse):
            # The log keeps the code for good: what is no code may be anything, also something about a person.
            error = answer.error if _ERROR_CODE.fullmatch(answer.error) else "other_error"
            return Outcome(digest, 200, wallet_error=error, response_code_digest=code_digest)
        found = await self._verified(answer, transaction, await self.policy(), now)
        if found.verdict is Verdict.REJECTED:
            # In order, and yet no: its browser comes back as after a yes. Whatever else does not hold is refused; of
            # that nobody but the wallet is told in the same-device flow, for no browser comes back.
            comes_back = code_digest is not None and set(found.result.failed) <= _SAID_IN_ORDER
            return Outcome(
                digest,
                200 if comes_back else 400,
                verdict=found.verdict,
                report=Report.of(found),
                holder_keys=shown_here_by(found.proofs, transaction),
                response_code_digest=code_digest,
            )
        await self._keep_fresh(found)
        kept = kept_presentations(found.proofs, template=transaction.question.template)
        return Outcome(
            digest,
            200,
            verdict=found.verdict,
            report=Report.of(found),
            contents=Contents(kept) if kept else None,
            holder_keys=bound_by(found.proofs),
            response_code_digest=code_digest,
        )

    async def policy(self) -> Policy:
        """Whom we trust now, and how fresh an answer has to be."""
        return Policy(
            trust=await self._database.run(self._trust.trust, now=self._clock()),
            max_age_seconds=self._settings.max_age_seconds,
            skew_seconds=self._settings.skew_seconds,
            time_zone=self._settings.time_zone,
            certificates_only=self._settings.haip,
        )

    def hurried_resolver(self) -> Resolver | None:
        """The look-ups of one later check, with their deadline; None where nothing can be looked up."""
        if self._remote is None or self._resolver is None:
            return self._resolver
        return LookUpsOfOneAnswer(self._resolver, read_at=self._remote.read_at)

    async def _verified(
        self, answer: AuthorizationResponse, transaction: Transaction, policy: Policy, now: datetime
    ) -> Verification:
        """The answer verified; once more when an issuer turns out to have published other keys meanwhile (V-16)."""
        if self._resolver is None:
            raise CouldNotCheck("answers are taken by the service only")
        if self._remote is None:
            return await verify_answer(answer, transaction=transaction, policy=policy, resolver=self._resolver, now=now)
        resolver = LookUpsOfOneAnswer(self._resolver, read_at=self._remote.read_at)
        found = await verify_answer(answer, transaction=transaction, policy=policy, resolver=resolver, now=now)
        if "signature" in found.result.failed:
            renewed = [await self._remote.renew_issuer(iss) for iss in issuers_of_unknown_keys(found)]
            if any(renewed):
                found = await verify_answer(answer, transaction=transaction, policy=policy, resolver=resolver, now=now)
        read_at = resolver.status_read_at
        proofs = tuple(replace(proof, status_read_at=read_at.get(proof.status_list)) for proof in found.proofs)
        return replace(found, proofs=proofs)

    # --- status lists ahead of time ----------------------------------------------------------------------------------

    async def _keep_fresh(self, found: Verification) -> None:
        if self._remote is None or found.verdict is not Verdict.ACCEPTED:
            return
        for uri in {proof.status_list for proof in found.proofs} - {""}:
            await self._remote.note_use(uri)

    def expect_an_answer(self) -> None:
        """A wallet has fetched a request: what is in use is looked up again while its person decides."""
        if self._remote is not None:
            self._remote.renew_lists_in_use()

    async def refresh_recent_lists(self) -> None:
        """Fetch again the status lists that are in use."""
        if self._remote is not None:
            await self._remote.refresh_recent()

    async def refresh_status_lists(self, *, ahead_seconds: int) -> None:
        """Fetch again the status lists that would be stale soon."""
        if self._remote is None:
            return
        now = self._clock()
        since = now - timedelta(days=WATCH_DAYS)
        for uri in await self._database.run(self._trust.watched, since=since):
            await self._remote.refresh_status_list(uri, before=now + timedelta(seconds=ahead_seconds))

    async def _watch(self, uri: str) -> None:
        await self._database.run(self._trust.watch, uri, now=self._clock())

    async def close(self) -> None:
        """Stop what is still being looked up."""
        if self._remote is not None:
            await self._remote.close()
