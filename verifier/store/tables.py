"""The verifier's tables. Rows are not messages: a table class does not validate what it is given.

Rows of requests stay small and keep their size, so that storing an answer touches few pages: what is large stands in
tables of its own. What a person showed rests sealed in one table and goes on its retention date; everything else here
holds no value of any certificate. Response codes are kept as digests, encryption keys sealed and until they were used.
"""

from datetime import datetime

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
    contents_number: int | None = None  # of the row in `contents`, as long as there is one
    contents_deleted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    changed: int = 0  # number of the log entry of its last change


class TemplateRow(VerifierRow, table=True):
    """A template as it was when requests were made from it: many share one, so that their rows stay small."""

    __tablename__ = "templates"

    digest: bytes = Field(primary_key=True)
    text: str  # JSON


class ContentsRow(VerifierRow, table=True):
    """What a person showed, sealed. A table of its own: rows are added at its end and deleted, never changed."""

    __tablename__ = "contents"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})  # of its line in the log
    sealed: bytes


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
LOG = table_of(LogRow)
TRUST_ENTRIES = table_of(TrustEntryRow)
TRUST_LISTS = table_of(TrustListRow)
WATCHED_LISTS = table_of(WatchedListRow)
