"""The tables of the wallet. Identifiers and states are readable; whatever says something about a person is sealed."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from service.database import UTCDateTime, new_registry
from service.single_use import spent_table


class WalletTable(SQLModel, registry=new_registry()):
    """Base of the wallet's tables, with a registry of their own."""


class PersonRow(WalletTable, table=True):
    """One vault: the login name as an HMAC, the wrapped key, the sealed profile."""

    __tablename__ = "person"

    person_id: str = Field(primary_key=True)
    login: bytes = Field(sa_type=LargeBinary, unique=True)
    kdf: str
    salt: bytes = Field(sa_type=LargeBinary)
    wrapped_key: bytes = Field(sa_type=LargeBinary)
    sealed_profile: bytes = Field(sa_type=LargeBinary)
    profile_version: int = 1


class RecoveryRow(WalletTable, table=True):
    """The vault key wrapped under a person's recovery code; `id` is that of the code, which itself is kept nowhere."""

    __tablename__ = "recovery"

    person_id: str = Field(primary_key=True)
    id: str
    kdf: str
    salt: bytes = Field(sa_type=LargeBinary)
    wrapped_key: bytes = Field(sa_type=LargeBinary)


class PasskeyRow(WalletTable, table=True):
    """One passkey of a person: the vault key sealed to its holder, and what the vault knows of it.

    `found_by` is an HMAC of the identifier that the authenticator gave it.
    """

    __tablename__ = "passkey"

    id: str = Field(primary_key=True)
    found_by: bytes = Field(sa_type=LargeBinary, unique=True)
    person_id: str = Field(index=True)
    wrapped_key: bytes = Field(sa_type=LargeBinary)
    sealed_view: bytes = Field(sa_type=LargeBinary)
    version: int = 1


class CertificateRow(WalletTable, table=True):
    """One logical certificate: its sealed view (issuer, dates, status, display, provenance)."""

    __tablename__ = "certificate"

    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    person_id: str = Field(index=True)
    sealed_view: bytes = Field(sa_type=LargeBinary)
    version: int = 1


class CopyRow(WalletTable, table=True):
    """One one-time copy: the bytes received and the private key, both sealed. `used` is set before it is shown."""

    __tablename__ = "copy"

    id: str = Field(primary_key=True)
    certificate_id: str = Field(index=True)
    person_id: str
    position: int
    used: bool = False
    sealed_token: bytes = Field(sa_type=LargeBinary)
    sealed_key: bytes = Field(sa_type=LargeBinary)


class CollectionRow(WalletTable, table=True):
    """One collection that has begun: intent, keys and what has been received so far, sealed."""

    __tablename__ = "collection"

    id: str = Field(primary_key=True)
    person_id: str = Field(index=True)
    sealed_state: bytes = Field(sa_type=LargeBinary)
    version: int = 1
    lease: str = ""
    leased_until: int = 0


class TrustRow(WalletTable, table=True):
    """One source of trust of this deployment, sealed under the device secret."""

    __tablename__ = "trust"

    id: str = Field(primary_key=True)
    sealed_entry: bytes = Field(sa_type=LargeBinary)
    version: int = 1


class ShareRow(WalletTable, table=True):
    """One request that a person is being asked about: what was fetched and chosen, sealed. `state` tells how far it is.

    `sealed_answer` holds the very bytes of an answer from the decision until it is delivered. The row is forgotten at
    `forget_at`, a whole hour after the request has ended; the history stays.
    """

    __tablename__ = "share"

    id: str = Field(primary_key=True)
    person_id: str = Field(index=True)
    state: str
    sealed_state: bytes = Field(sa_type=LargeBinary)
    version: int = 1
    sealed_answer: bytes | None = Field(default=None, sa_type=LargeBinary)
    forget_at: datetime = Field(sa_type=UTCDateTime, index=True)


class TakeBackRow(WalletTable, table=True):
    """What is kept of one share so that it can be taken back, sealed; apart from certificate and request.

    Forgotten at `forget_at`, the first day of a month, or when nothing can be taken back any more.
    """

    __tablename__ = "take_back"

    person_id: str = Field(primary_key=True)
    share_id: str = Field(primary_key=True)
    sealed_means: bytes = Field(sa_type=LargeBinary)
    version: int = 1
    forget_at: datetime = Field(sa_type=UTCDateTime, index=True)


class KeptRequestRow(WalletTable, table=True):
    """A request as it was received, sealed, for as long as its entry stands in the history.

    `size_bytes` is the length of what is sealed, which shows anyway; it bounds what one vault keeps.
    """

    __tablename__ = "kept_request"

    person_id: str = Field(primary_key=True)
    entry_id: str = Field(primary_key=True)
    sealed_request: bytes = Field(sa_type=LargeBinary)
    size_bytes: int


class LedgerRow(WalletTable, table=True):
    """One event of a person's history, sealed, or what is left of it when the person deleted it.

    `content` is the digest of the event as it was written; `digest` chains it to the one before.
    """

    __tablename__ = "ledger"

    person_id: str = Field(primary_key=True)
    sequence: int = Field(primary_key=True)
    sealed_event: bytes = Field(sa_type=LargeBinary)
    digest: bytes = Field(sa_type=LargeBinary)
    content: bytes | None = Field(default=None, sa_type=LargeBinary)


class LedgerHeadRow(WalletTable, table=True):
    """Where a person's history ends: number and digest of the last event, sealed, so that a cut-off end is noticed."""

    __tablename__ = "ledger_head"

    person_id: str = Field(primary_key=True)
    sequence: int
    sealed_head: bytes = Field(sa_type=LargeBinary)


class ReportAddressRow(WalletTable, table=True):
    """Where others tell a person what they did for them. Whoever knows the handle may write; only its digest rests."""

    __tablename__ = "report_address"

    handle_digest: bytes = Field(sa_type=LargeBinary, primary_key=True)
    person_id: str = Field(unique=True)
    sealed_key: bytes = Field(sa_type=LargeBinary)
    version: int = 1


class ReportRow(WalletTable, table=True):
    """One report as it came, sealed by its sender to the person's address; it waits until the vault is opened."""

    __tablename__ = "report"

    id: str = Field(primary_key=True)
    person_id: str = Field(index=True)
    token: bytes = Field(sa_type=LargeBinary)
    arrived_at: datetime = Field(sa_type=UTCDateTime)


class ReportAsideRow(WalletTable, table=True):
    """A report that could not be decided when the vault was opened: it takes no place of those that come."""

    __tablename__ = "report_aside"

    report_id: str = Field(primary_key=True)
    person_id: str = Field(index=True)


class LeavingRow(WalletTable, table=True):
    """The mark of a vault whose keys are gone and whose rows have to follow; it goes with the last of them."""

    __tablename__ = "leaving"

    person_id: str = Field(primary_key=True)


# Requests that have been answered by anybody here: the same request is never answered twice.
spent = spent_table(WalletTable.metadata)
