"""The issuer's tables. Rows are not messages: a table class does not validate what it is given.

Codes, references and access tokens are kept as SHA-256 digests only. Claims live in an offer until its collection
window closes; a certificate keeps its name, its recipient and its slots, never a signature, a salt or a holder key.
"""

from datetime import datetime

from sqlalchemy import Table
from sqlmodel import Field, SQLModel

from service.accounts import account_tables
from service.database import UTCDateTime, new_registry
from service.rate_limits import rate_limits_table
from service.sessions import sessions_table
from service.single_use import spent_table


class IssuerRow(SQLModel, registry=new_registry()):
    """Base of the issuer's tables, with a registry of their own."""


def table_of(row: type[IssuerRow]) -> Table:
    """The SQLAlchemy table of a row class."""
    found = getattr(row, "__table__", None)
    assert isinstance(found, Table)
    return found


class OfferRow(IssuerRow, table=True):
    """One offer of one certificate, and the grant that its pre-authorized code became."""

    __tablename__ = "offers"

    id: str = Field(primary_key=True)
    type_name: str
    title: bytes  # JSON: language -> text
    recipient: str
    result_ids: bytes  # JSON: the results that the claims were made from
    claims: bytes | None = None  # JSON; None once erased
    created_at: datetime = Field(sa_type=UTCDateTime, index=True)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    state: str  # see issuer.offers.StoredState
    state_at: datetime = Field(sa_type=UTCDateTime)
    generation: int = 1
    code_digest: bytes = Field(unique=True)
    reference_digest: bytes = Field(unique=True)
    typeable_series: int = 0
    typeable_digest: bytes | None = Field(default=None, unique=True)
    typeable_until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    tx_code_length: int = 0  # 0: no transaction code
    tries_left: int = 0
    token_digest: bytes | None = Field(default=None, unique=True)
    token_until: datetime | None = Field(default=None, sa_type=UTCDateTime, index=True)
    by_identifier: bool = False  # the token answered authorization_details, so requests name the identifier
    client_id: str | None = None
    batches_left: int = 0
    certificate_id: str | None = None


class CertificateRow(IssuerRow, table=True):
    """One logical certificate: all copies that one offer yielded."""

    __tablename__ = "certificates"

    id: str = Field(primary_key=True)
    offer_id: str = Field(index=True)
    type_name: str
    title: bytes
    recipient: str
    collected_at: datetime = Field(sa_type=UTCDateTime, index=True)
    valid_from: datetime = Field(sa_type=UTCDateTime)  # whole hours: iat and nbf of every copy
    valid_until: datetime = Field(sa_type=UTCDateTime)  # whole hours: exp of every copy
    status: int = Field(default=0, index=True)
    status_at: datetime = Field(sa_type=UTCDateTime)
    status_reason: str = ""
    copies: int = 0


class SlotRow(IssuerRow, table=True):
    """One entry of a status list, taken by one copy. The key of the table is what makes every index unique."""

    __tablename__ = "slots"

    list_id: int = Field(primary_key=True)
    idx: int = Field(primary_key=True)
    certificate_id: str = Field(index=True)
    key_mark: bytes | None = None  # erased when the collection window closes


class StatusListRow(IssuerRow, table=True):
    """One status list and the token that was published last. `version` counts the changes of statuses."""

    __tablename__ = "status_lists"

    id: int = Field(primary_key=True)
    size: int
    allocated: int = 0
    version: int = 0
    token: bytes | None = None
    token_digest: bytes | None = None
    published_version: int = -1
    published_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class EventRow(IssuerRow, table=True):
    """Something that happened to an offer or a certificate: what live pages follow. No personal values."""

    __tablename__ = "events"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UTCDateTime)
    kind: str
    subject_id: str


class ImportRow(IssuerRow, table=True):
    """One file of results that was read."""

    __tablename__ = "imports"

    id: str = Field(primary_key=True)
    file_name: str
    file_format: str
    file_sha256: str
    imported_at: datetime = Field(sa_type=UTCDateTime, index=True)
    warnings: bytes  # JSON: sentences


class ResultRow(IssuerRow, table=True):
    """One achievement of one person, as imported."""

    __tablename__ = "results"

    id: str = Field(primary_key=True)
    import_id: str = Field(index=True)
    position: int
    achievement: bytes  # JSON of schemas.learning.achievement.Achievement


OFFERS = table_of(OfferRow)
CERTIFICATES = table_of(CertificateRow)
SLOTS = table_of(SlotRow)
STATUS_LISTS = table_of(StatusListRow)
EVENTS = table_of(EventRow)
IMPORTS = table_of(ImportRow)
RESULTS = table_of(ResultRow)
SPENT = spent_table(IssuerRow.metadata)
sessions_table(IssuerRow.metadata)
account_tables(IssuerRow.metadata)
rate_limits_table(IssuerRow.metadata)
