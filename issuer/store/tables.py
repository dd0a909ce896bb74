"""The issuer's tables. Rows are not messages: a table class does not validate what it is given.

Codes, references and access tokens are kept as SHA-256 digests only. Claims live in an offer until its collection
window closes; a certificate keeps its name, its recipient and its slots, never a signature, a salt or a holder key.
"""

from datetime import datetime

from sqlalchemy import Index, Table
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
    """One offer of one certificate, the grant that its code became, and the certificate that was collected with it.

    They are one row because they are one thing in three ages, and because collecting then writes one row instead of
    three.
    """

    __tablename__ = "offers"

    number: int | None = Field(default=None, primary_key=True)  # the order in which they were made
    id: str = Field(unique=True)
    type_name: str
    title: bytes  # JSON: language -> text
    recipient: str
    result_ids: bytes  # JSON: the results that the claims were made from
    claims: bytes | None = None  # JSON; None once erased
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    state: str  # see issuer.offers.OfferState
    state_at: datetime = Field(sa_type=UTCDateTime)
    generation: int = 1
    code_digest: bytes = Field(unique=True)
    issuer_state_digest: bytes | None = None  # of an offer that is fetched with a sign-in; nobody knows its code
    reference_digest: bytes = Field(unique=True)
    typeable_series: int = 0
    typeable_digest: bytes | None = Field(default=None, unique=True)
    typeable_until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    tx_code_length: int = 0  # 0: no transaction code
    tries_left: int = 0
    # The grant. Several certificates of one authorization share a token, and a family of refresh tokens.
    family: str = Field(index=True)
    token_digest: bytes | None = Field(default=None, index=True)
    token_until: datetime | None = Field(default=None, sa_type=UTCDateTime, index=True)
    by_identifier: bool = False  # the token answer named it by its identifier, so requests do too
    also_by_configuration: bool = False  # asked for by scope: a request that names the configuration gets it as well
    client_id: str | None = None
    dpop_key: str | None = None  # thumbprint of the only key that the token works with
    batches_left: int = 0
    # The certificate: all copies that this offer yielded.
    collected_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    valid_from: datetime | None = Field(default=None, sa_type=UTCDateTime)  # whole hours: iat and nbf of every copy
    valid_until: datetime | None = Field(default=None, sa_type=UTCDateTime)  # whole hours: exp of every copy
    copies: int = 0
    status: int = 0
    status_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    status_reason: str = ""
    review: str = Field(default="", index=True)  # see issuer.deferral.Review
    review_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    wallet_event: str = ""  # see issuer.notification.WalletEvent
    principal_mark: bytes | None = None  # of a power: keyed digests of whom it is over, and of who holds it
    agent_mark: bytes | None = None


class AuthorizationRow(IssuerRow, table=True):
    """One request to fetch certificates, from the pushed request to the redeemed code.

    What the person signed in for (`drafts`: claims) is kept until the code is redeemed or has expired.
    """

    __tablename__ = "authorizations"

    id: str = Field(primary_key=True)
    request_digest: bytes = Field(unique=True)
    client_id: str
    attested_key: str | None = None
    dpop_key: str | None = None
    redirect_uri: str
    client_state: str | None = None
    code_challenge: str
    wanted: bytes  # JSON: [type name, by identifier]
    created_at: datetime = Field(sa_type=UTCDateTime)
    until: datetime = Field(sa_type=UTCDateTime, index=True)
    stage: str  # see issuer.authorization.deciding.Stage
    browser_digest: bytes | None = None
    drafts: bytes | None = None  # JSON
    code_digest: bytes | None = Field(default=None, unique=True)
    offer_id: str | None = None  # the offer whose issuer_state was brought, and which of its generations
    offer_generation: int | None = None
    language: str | None = None  # what was pushed as ui_locales, if it is a language of the pages


class RefreshTokenRow(IssuerRow, table=True):
    """One refresh token. Used ones are kept until the family's end, so that a stolen one is recognised."""

    __tablename__ = "refresh_tokens"

    token_digest: bytes = Field(primary_key=True)
    family: str = Field(index=True)
    client_id: str | None = None
    dpop_key: str | None = None
    attested_key: str | None = None
    is_authenticated: bool = False
    until: datetime = Field(sa_type=UTCDateTime, index=True)
    was_replaced: bool = False


class DeferralRow(IssuerRow, table=True):
    """One deferred transaction: the keys for which copies are made once the certificate is approved."""

    __tablename__ = "deferrals"

    id_digest: bytes = Field(primary_key=True)
    offer_id: str = Field(index=True)
    keys: bytes  # JSON; empty once obtained
    created_at: datetime = Field(sa_type=UTCDateTime)
    was_obtained: bool = False


class LearnerKeyRow(IssuerRow, table=True):
    """What a person who signs in is recognised by: keyed digests of identifiers, names and birth dates of records.

    A statement has further ones, by which a later statement of the same is recognised (`issuer/store/results.py`).
    """

    __tablename__ = "learner_keys"
    __table_args__ = {"sqlite_with_rowid": False}

    digest: bytes = Field(primary_key=True)
    result_id: str = Field(primary_key=True, index=True)


class SlotRow(IssuerRow, table=True):
    """One entry of a status list, taken by one copy. The key of the table is what makes every index unique."""

    __tablename__ = "slots"
    __table_args__ = {"sqlite_with_rowid": False}

    list_id: int = Field(primary_key=True)
    idx: int = Field(primary_key=True)
    offer_id: str = Field(index=True)
    key_mark: bytes | None = None  # erased when the collection window closes


class StatusListRow(IssuerRow, table=True):
    """One status list: how many entries it has and how many are taken; `version` counts the changes of statuses."""

    __tablename__ = "status_lists"

    id: int = Field(primary_key=True)
    size: int
    allocated: int = 0
    version: int = 0


class PublishedListRow(IssuerRow, table=True):
    """The token that was published last for a status list, apart from the list: it is large and changes seldom."""

    __tablename__ = "published_lists"

    list_id: int = Field(primary_key=True)
    version: int
    token: bytes
    token_digest: bytes
    published_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)


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
    warnings: bytes  # JSON: notes, each a code with its values


class ResultRow(IssuerRow, table=True):
    """One record of one person, as imported: an achievement, or a statement."""

    __tablename__ = "results"

    id: str = Field(primary_key=True)
    import_id: str = Field(index=True)
    position: int
    achievement: bytes  # JSON of a schemas.learning.achievement.Record


OFFERS = table_of(OfferRow)
SLOTS = table_of(SlotRow)
AUTHORIZATIONS = table_of(AuthorizationRow)
REFRESH_TOKENS = table_of(RefreshTokenRow)
DEFERRALS = table_of(DeferralRow)
LEARNER_KEYS = table_of(LearnerKeyRow)
STATUS_LISTS = table_of(StatusListRow)
PUBLISHED_LISTS = table_of(PublishedListRow)
EVENTS = table_of(EventRow)
IMPORTS = table_of(ImportRow)
RESULTS = table_of(ResultRow)
SPENT = spent_table(IssuerRow.metadata)
# Certificates that are not valid are few: only they are indexed by their status.
Index("offers_not_valid", OFFERS.c.status, sqlite_where=OFFERS.c.status != 0, postgresql_where=OFFERS.c.status != 0)
ISSUER_STATES = Index(
    "offers_issuer_state",
    OFFERS.c.issuer_state_digest,
    unique=True,
    sqlite_where=OFFERS.c.issuer_state_digest.is_not(None),
    postgresql_where=OFFERS.c.issuer_state_digest.is_not(None),
)
for _column in (OFFERS.c.principal_mark, OFFERS.c.agent_mark):
    Index(
        f"offers_{_column.name}",
        _column,
        sqlite_where=_column.is_not(None),
        postgresql_where=_column.is_not(None),
    )
sessions_table(IssuerRow.metadata)
account_tables(IssuerRow.metadata)
rate_limits_table(IssuerRow.metadata)
