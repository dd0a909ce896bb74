"""The verifier's tables. Rows are not messages: a table class does not validate what it is given.

Rows of requests stay small and keep their size, so that storing an answer touches few pages: what is large stands in
tables of its own. What a person showed rests sealed in one table and goes on its retention date, or when the person
takes it back; everything else here holds no value of any certificate. Response codes are kept as digests, encryption
keys sealed and until they were used.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Table
from sqlmodel import Field, SQLModel

from service.accounts import account_tables
from service.database import UTCDateTime, new_registry
from service.rate_limits import rate_limits_table
from service.sessions import sessions_table
from service.single_use import spent_table


class VerifierRow(SQLModel, registry=new_registry()):
    """Base of the verifier's tables, with a registry of their own."""


def table_of(row: type[VerifierRow]) -> Table:
    """The SQLAlchemy table of a row class."""
    found = getattr(row, "__table__", None)
    assert isinstance(found, Table)
    return found


class RequestRow(VerifierRow, table=True):
    """One request (transaction) and what became of it."""

    __tablename__ = "requests"

    id: str = Field(primary_key=True)
    handle: str = Field(unique=True)
    kind: str
    state: str  # see verifier.store.records.State
    template_digest: bytes  # of its row in `templates`
    template_name: str
    client_id: str
    request_uri: str
    response_uri: str
    response_mode: str
    nonce: str
    response_state: str
    encryption_key: bytes | None = None  # sealed private JWK, gone once used or expired
    code: str | None = Field(default=None, unique=True)
    code_expires_at: datetime = Field(sa_type=UTCDateTime)
    made_at: datetime = Field(sa_type=UTCDateTime, index=True)
    expires_at: datetime = Field(sa_type=UTCDateTime, index=True)
    retention_until: str  # ISO date
    delete_at: datetime = Field(sa_type=UTCDateTime, index=True)
    binding: str = ""
    return_url: str = ""
    pair: str = Field(default="", index=True)
    maker: str = ""
    reference: bytes | None = None  # sealed; what staff call the request, gone on the day on which values go
    served: int = 0
    # what became of it
    answered_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    answer_digest: bytes | None = None
    reply_status: int = 0
    response_code_digest: bytes | None = Field(default=None, unique=True)
    return_by: datetime | None = Field(default=None, sa_type=UTCDateTime, index=True)
    answer_number: int | None = None  # of the line in the log that holds the report
    verdict: str = ""
    wallet_error: str = ""
    contents_number: int | None = None  # of the rows in `contents`, as long as there are any
    contents_deleted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UTCDateTime)  # the person took the share back
    deletion: str = ""  # state of the newest row in `deletions`
    changed: int = 0  # number of the log entry of its last change


class TemplateRow(VerifierRow, table=True):
    """A template as it was when requests were made from it: many share one, so that their rows stay small."""

    __tablename__ = "templates"

    digest: bytes = Field(primary_key=True)
    text: str  # JSON


class ContentsRow(VerifierRow, table=True):
    """What is kept of one presentation, sealed under a key of its own, which is wrapped by the service's key.

    Deleting the row destroys the key and what it opened. A table of its own: rows are added at its end and deleted.
    """

    __tablename__ = "contents"

    place: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})  # see `verifier.store.contents`
    query_id: str
    key_id: str
    wrapped_key: bytes
    sealed: bytes


class HolderKeyRow(VerifierRow, table=True):
    """The thumbprint of a key that bound a presentation of a share: whoever signs with it may take the share back."""

    __tablename__ = "holder_keys"
    __table_args__: ClassVar[Any] = {"sqlite_with_rowid": False}

    thumbprint: str = Field(primary_key=True)
    request_id: str = Field(primary_key=True)


class DeletionRow(VerifierRow, table=True):
    """Something that was or is to be deleted, and the statement about it. Kept for good; it holds no value."""

    __tablename__ = "deletions"

    id: str = Field(primary_key=True)
    number: int = Field(unique=True)  # of the line in the log of its last change
    request_id: str = Field(index=True)
    maker: str = Field(index=True)  # who made the request, so that a program learns of its own
    action: str  # see verifier.store.erasing.Cause
    state: str = Field(index=True)  # see verifier.store.records.DeletionState
    chosen: str = ""  # JSON: the items that are to go; "" for everything
    receipt_id: str = ""
    received_at: datetime = Field(sa_type=UTCDateTime)
    due_on: str  # ISO date
    decided_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    erased: str = ""  # JSON: the items that were deleted
    exceptions: str = ""  # JSON: what was kept, on which ground
    statement: str = ""  # the signed statement
    acknowledged_at: datetime | None = Field(default=None, sa_type=UTCDateTime)  # the program deleted its copy


class ReceiptRow(VerifierRow, table=True):
    """The receipt of a share as its wallet handed it in, and our counter-signature; see `verifier.store.receipts`."""

    __tablename__ = "receipts"

    request_id: str = Field(primary_key=True)
    received_at: datetime = Field(sa_type=UTCDateTime)
    names_people: bool  # who acted for whom: then it goes with the values
    sealed: bytes


class PermissionRow(VerifierRow, table=True):
    """A standing permission of the person to check the status again; kept for good, it holds no value.

    One of state `ended` without `granted_at` was ended before it arrived, and can never begin.
    """

    __tablename__ = "permissions"

    request_id: str = Field(primary_key=True)
    state: str  # see schemas.standing_permission.PermissionState
    wished_at: int  # milliseconds since 1970 of the wish that made the state
    named: str = ""  # JSON: the items that may be checked
    until: str = ""  # ISO date
    ends_at: datetime = Field(sa_type=UTCDateTime)
    granted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    end_reason: str = ""
    next_at: datetime = Field(sa_type=UTCDateTime, index=True)
    checks: int = 0


class RecheckRow(VerifierRow, table=True):
    """One use of a standing permission, written before anything is looked up."""

    __tablename__ = "rechecks"

    request_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UTCDateTime)
    actor: str
    outcome: str = ""  # see schemas.standing_permission.RecheckOutcome; "" while it is under way


class LogRow(VerifierRow, table=True):
    """What happened, for good and without values. Its number is the counter that live views watch."""

    __tablename__ = "log"

    number: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UTCDateTime)
    event: str
    request_id: str = Field(index=True)
    template_name: str
    outcome: str = ""
    detail: str = ""
    actor: str = ""
    report: str = ""  # JSON: checks and proofs of an answer, without values


class WebhookRow(VerifierRow, table=True):
    """Where a program is told of changes in the requests of its key, and the secret that signs the messages."""

    __tablename__ = "webhooks"

    maker: str = Field(primary_key=True)  # the id of its API key
    url: str
    secret: bytes  # sealed
    earlier_secret: bytes | None = None  # sealed; signs beside the new one until the moment below
    earlier_until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    made_at: datetime = Field(sa_type=UTCDateTime)


class OutboxRow(VerifierRow, table=True):
    """A message that a program has to be told, written together with what it tells of. It holds no value.

    It goes when it was delivered. `is_dead` says that nobody tries any more.
    """

    __tablename__ = "outbox"

    id: str = Field(primary_key=True)
    maker: str = Field(index=True)
    event: str  # see verifier.store.records.Event
    request_id: str
    at: datetime = Field(sa_type=UTCDateTime)
    due_at: datetime = Field(sa_type=UTCDateTime, index=True)
    attempts: int = 0
    is_dead: bool = False
    problem: str = ""  # of the last attempt: an HTTP status, or the code of an error


class TrustEntryRow(VerifierRow, table=True):
    """One entry whom the verifier trusts: added by hand, or read from a signed list (`source` is its address)."""

    __tablename__ = "trust_entries"

    id: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    entry: str  # JSON
    added_at: datetime = Field(sa_type=UTCDateTime)


class TrustListRow(VerifierRow, table=True):
    """A signed trust list: its address, the key pinned for it, and the last one that held."""

    __tablename__ = "trust_lists"

    url: str = Field(primary_key=True)
    id: str = Field(unique=True)
    key_jwk: str
    sequence: int = 0
    next_update: datetime | None = Field(default=None, sa_type=UTCDateTime)
    fetched_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    problem: str = ""


class WatchedListRow(VerifierRow, table=True):
    """A status list that a certificate shown here pointed to, fetched again before it grows stale."""

    __tablename__ = "watched_lists"

    uri: str = Field(primary_key=True)
    used_at: datetime = Field(sa_type=UTCDateTime, index=True)


SPENT = spent_table(VerifierRow.metadata)
sessions_table(VerifierRow.metadata)
account_tables(VerifierRow.metadata)
rate_limits_table(VerifierRow.metadata)

REQUESTS = table_of(RequestRow)
TEMPLATES = table_of(TemplateRow)
CONTENTS = table_of(ContentsRow)
HOLDER_KEYS = table_of(HolderKeyRow)
DELETIONS = table_of(DeletionRow)
API_KEYS = VerifierRow.metadata.tables["api_keys"]
LOG = table_of(LogRow)
RECEIPTS = table_of(ReceiptRow)
PERMISSIONS = table_of(PermissionRow)
RECHECKS = table_of(RecheckRow)
WEBHOOKS = table_of(WebhookRow)
OUTBOX = table_of(OutboxRow)
TRUST_ENTRIES = table_of(TrustEntryRow)
TRUST_LISTS = table_of(TrustListRow)
WATCHED_LISTS = table_of(WatchedListRow)
