"""The verifier's tables. Rows are not messages: a table class does not validate what it is given.

What a person showed rests sealed in one column and goes on its retention date; everything else here holds no value of
any certificate. Response codes are kept as digests, encryption keys sealed and only until they were used.
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
    template: str  # JSON, as it was when the request was made
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
    pair: str = ""
    maker: str = ""
    served: int = 0
    # what became of it
    answered_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    answer_digest: bytes | None = None
    reply_status: int = 0
    response_code_digest: bytes | None = Field(default=None, unique=True)
    return_by: datetime | None = Field(default=None, sa_type=UTCDateTime, index=True)
    verdict: str = ""
    report: str = ""  # JSON: checks and proofs, without values
    wallet_error: str = ""
    contents: bytes | None = None  # sealed: items and evidence
    contents_deleted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    changed: int = 0  # number of the log entry of its last change


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
LOG = table_of(LogRow)
TRUST_ENTRIES = table_of(TrustEntryRow)
TRUST_LISTS = table_of(TrustListRow)
WATCHED_LISTS = table_of(WatchedListRow)
