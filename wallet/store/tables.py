"""The tables of the wallet. Identifiers and states are readable; whatever says something about a person is sealed."""

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from service.database import new_registry


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
    """One source of trust of this deployment, sealed under the device secret: the file alone tells and changes nothing."""

    __tablename__ = "trust"

    id: str = Field(primary_key=True)
    sealed_entry: bytes = Field(sa_type=LargeBinary)
    version: int = 1
