"""The verifier's database: requests and what became of them, whom it trusts, which lists it watches, its log."""

from verifier.store.contents import Contents, Sealer
from verifier.store.deletion_records import Deletion, Standing
from verifier.store.deletions import Confirmed, DeletionStore
from verifier.store.erasing import Eraser
from verifier.store.finding import Finder
from verifier.store.permissions import PermissionStore
from verifier.store.receipts import KeptReceipt
from verifier.store.recent import RecentChanges
from verifier.store.records import DeletionState, Event, LogEntry, ProofSummary, RequestRecord, State
from verifier.store.requests import NoSuchRequest, RequestStore
from verifier.store.tables import VerifierRow
from verifier.store.trust import PinnedList, TrustStore
from verifier.store.webhooks import DueMessage, UndeliveredMessage, Webhook, WebhookStore

__all__ = [
    "Confirmed",
    "Contents",
    "Deletion",
    "DeletionState",
    "DeletionStore",
    "DueMessage",
    "Eraser",
    "Event",
    "Finder",
    "KeptReceipt",
    "LogEntry",
    "NoSuchRequest",
    "PermissionStore",
    "PinnedList",
    "ProofSummary",
    "RecentChanges",
    "RequestRecord",
    "RequestStore",
    "Sealer",
    "Standing",
    "State",
    "TrustStore",
    "UndeliveredMessage",
    "VerifierRow",
    "Webhook",
    "WebhookStore",
]
