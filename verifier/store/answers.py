"""What an answer to a request is before and after it is stored.

pending = store.pending(handle, now=now)
if pending.answer and pending.answer.is_replayed_by(digest, now=now): ...
store.record(pending.transaction, Outcome(digest=digest, reply_status=200, ...), now=now)
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from verifier.requests import Transaction
from verifier.store.contents import Contents
from verifier.store.records import Report, State
from verifier.verification import Verdict

REPLAY_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """How an answer was replied to: its digest, when, and the HTTP status of the reply."""

    digest: bytes
    at: datetime
    reply_status: int

    def is_replayed_by(self, digest: bytes, *, now: datetime) -> bool:
        """Whether this is the same answer again, within a minute."""
        return self.digest == digest and now - self.at <= timedelta(seconds=REPLAY_SECONDS)


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that an answer was posted to: what was asked, where it stands, and the answer it already has."""

    transaction: Transaction
    state: State
    answer: StoredAnswer | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer comes to, to be stored as a whole: a verification, or an error of the wallet.

    `holder_keys` are the thumbprints of the keys that bound what was sent: whoever has one may take the share back, and
    is told what is kept of it.
    `response_code_digest` is given when the person's browser must come back before the result counts.
    """

    digest: bytes
    reply_status: int
    verdict: Verdict | None = None
    report: Report | None = None
    contents: Contents | None = None
    holder_keys: frozenset[str] = frozenset()
    wallet_error: str = ""
    response_code_digest: bytes | None = None
