"""The verifier's database: requests and what became of them, whom it trusts, which lists it watches, its log."""

from verifier.store.contents import Contents
from verifier.store.recent import RecentChanges
from verifier.store.records import Event, LogEntry, ProofSummary, RequestRecord, State
from verifier.store.requests import NoSuchRequest, RequestStore
from verifier.store.tables import VerifierRow
from verifier.store.trust import PinnedList, TrustStore

__all__ = [
    "Contents",
    "Event",
    "LogEntry",
    "NoSuchRequest",
    "PinnedList",
    "ProofSummary",
    "RecentChanges",
    "RequestRecord",
    "RequestStore",
    "State",
    "TrustStore",
    "VerifierRow",
]
