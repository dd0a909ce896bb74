"""What the operator of an issuer decides.

Environment variables `ISSUER_...`, explained in `docs/settings-issuer.md`.
"""

from datetime import date, datetime
from pathlib import Path
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from issuer.recognition import read_match_rules
from schemas.errors import Malformed
from schemas.types import CREDENTIAL_TYPES
from service.settings import ServiceSettings

DATABASE_FILE = "issuer.sqlite3"
KEY_NAME = "issuer"


class IssuerSettings(ServiceSettings):
    """Settings of an issuer. Every upper bound that protects somebody is enforced here."""

    model_config = SettingsConfigDict(env_prefix="ISSUER_", extra="ignore", frozen=True)
    service: ClassVar[str] = "issuer"

    body_limit_bytes: int = Field(
        default=2_000_000,
        ge=1_000,
        le=100_000_000,
        description="Largest request body; files of results may have 20 MB whatever stands here.",
    )
    port: int = Field(default=8100, ge=0, le=65535, description="TCP port to listen on; 0: any free one.")
    name: str = Field(default="", max_length=200, description="Name of the institution in Swedish; empty: its host.")
    name_en: str = Field(default="", max_length=200, description="Name of the institution in English; empty: as above.")
    country: str = Field(default="SE", pattern="^[A-Z]{2}$", description="Country of the institution, ISO 3166-1.")
    profile_file: Path | None = Field(default=None, description="Institution profile that fills in what records lack.")
    batch_size: int = Field(default=10, ge=2, le=100, description="Copies in one answer at most.")
    allowance_batches: int = Field(default=3, ge=1, le=100, description="Batches of copies that one offer yields.")
    offer_lifetime_hours: int = Field(default=168, ge=1, le=168, description="Hours until an offer expires.")
    access_token_seconds: int = Field(default=300, ge=30, le=300, description="Lifetime of an access token.")
    nonce_seconds: int = Field(default=300, ge=30, le=300, description="Lifetime of a nonce.")
    typeable_code_seconds: int = Field(default=900, ge=60, le=900, description="Lifetime of a typeable code.")
    tx_code_length: int = Field(default=6, ge=4, le=10, description="Digits of a transaction code.")
    tx_code_tries: int = Field(
        default=5, ge=1, le=5, description="Tries before a wrong transaction code burns the offer."
    )
    anonymous_access: bool = Field(default=True, description="Whether wallets may collect without a client identifier.")
    refresh_token_days: int = Field(
        default=180, ge=0, le=366, description="Days in which a wallet may fetch fresh copies; 0: never."
    )
    haip: bool = Field(
        default=False,
        description="Demand what HAIP 1.0 demands: client attestation (or a registered key), DPoP, a sound P-256 key.",
    )
    clients_file: Path | None = Field(
        default=None, description="Trusted wallet providers and registered clients (TOML); see docs/authorization.md."
    )
    login_issuer: str = Field(
        default="", max_length=500, description="OpenID Connect issuer where people sign in to fetch; empty: nowhere."
    )
    login_client_id: str = Field(default="", max_length=500, description="Our client identifier there.")
    login_client_secret_file: Path | None = Field(default=None, description="File with our client secret there.")
    login_scopes: str = Field(default="openid profile", max_length=500, description="Scopes that we ask for there.")
    login_match: str = Field(
        default="",
        max_length=2_000,
        description="Which claim of the sign-in equals which field of a record: CLAIM=FIELD, separated by commas.",
    )
    reviewed_types: str = Field(
        default="", max_length=500, description="Types of which each certificate is looked at first, commas between."
    )
    key_attested_types: str = Field(
        default="", max_length=500, description="Types that need an attestation of the holder keys, commas between."
    )
    encryption: Literal["none", "offered", "required"] = Field(
        default="offered", description="Encryption of credential requests and responses beyond TLS."
    )
    validity_days: int = Field(
        default=3650, ge=1, le=36_500, description="Days until a certificate expires; some types expire sooner."
    )
    status_list_size: int = Field(default=1_000_000, ge=1_000, le=10_000_000, description="Entries of a status list.")
    status_list_ttl_seconds: int = Field(default=300, ge=10, le=86_400, description="How long readers may keep a list.")
    status_list_lifetime_seconds: int = Field(default=43_200, ge=60, le=604_800, description="When a list expires.")
    failed_tokens_per_minute: int = Field(default=300, ge=1, description="Refused token requests from one address.")
    pushed_per_minute: int = Field(default=600, ge=60, description="Pushed requests of one client.")
    token_uses_per_minute: int = Field(
        default=600, ge=120, description="Requests with one access token, at each of the endpoints that take one."
    )
    address_requests_per_minute: int = Field(
        default=6_000, ge=600, description="Nonces, challenges and sign-ins begun from one address, each."
    )
    failed_codes_per_minute: int = Field(default=60, ge=1, description="Unknown typed codes from one address.")

    @field_validator("profile_file", "clients_file", "login_client_secret_file", mode="before")
    @classmethod
    def _no_file(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("status_list_size")
    @classmethod
    def _whole_bytes(cls, value: int) -> int:
        if value % 4:
            raise ValueError("must be a multiple of 4, so that the list ends with a whole byte")
        return value

    def problems(self) -> list[str]:
        """Unsafe or impossible settings, one sentence each, naming the variable."""
        found = super().problems()
        if self.profile_file is not None and not self.profile_file.is_file():
            found.append(f"{self.variable('profile_file')} names a file that is not there.")
        for name in ("clients_file", "login_client_secret_file"):
            file = getattr(self, name)
            if file is not None and not file.is_file():
                found.append(f"{self.variable(name)} names a file that is not there.")
        found += self._login_problems()
        for name, types in (("reviewed_types", self.reviewed), ("key_attested_types", self.key_attested)):
            for unknown in sorted(types - CREDENTIAL_TYPES.keys()):
                found.append(f"{self.variable(name)} names {unknown}, which is no type of certificate.")
        if self.key_attested and self.clients_file is None:
            found.append(
                f"{self.variable('key_attested_types')} needs {self.variable('clients_file')} with key_attesters."
            )
        if self.status_list_ttl_seconds * 2 > self.status_list_lifetime_seconds:
            found.append(
                f"{self.variable('status_list_lifetime_seconds')} must be at least twice "
                f"{self.variable('status_list_ttl_seconds')}, or readers are left with an expired list."
            )
        return found

    @property
    def reviewed(self) -> frozenset[str]:
        """The types of which each certificate waits for a review."""
        return _names(self.reviewed_types)

    @property
    def key_attested(self) -> frozenset[str]:
        """The types whose holder keys must be attested."""
        return _names(self.key_attested_types)

    def _login_problems(self) -> list[str]:
        """What keeps people from signing in, or lets the wrong ones in."""
        if not self.login_issuer:
            return []
        found = []
        if not self.login_client_id:
            found.append(f"{self.variable('login_client_id')} is needed with {self.variable('login_issuer')}.")
        if "openid" not in self.login_scopes.split():
            found.append(f"{self.variable('login_scopes')} must hold openid.")
        try:
            if not read_match_rules(self.login_match):
                found.append(f"{self.variable('login_match')} must say how a sign-in is matched with records.")
        except Malformed as exc:
            found.append(f"{self.variable('login_match')}: {exc}.")
        return found

    def day_of(self, moment: datetime) -> date:
        """The day that it is at the institution."""
        return moment.astimezone(ZoneInfo(self.time_zone)).date()

    @property
    def keys(self) -> Path:
        """The directory of the key files."""
        return self.data / "keys"

    @property
    def database(self) -> Path:
        """The database file."""
        return self.data / DATABASE_FILE

    @property
    def says_name(self) -> bool:
        """Whether somebody said the institution's name; otherwise the address of the service stands in."""
        return bool(self.name or self.name_en)

    @property
    def says_country(self) -> bool:
        """Whether the country is somebody's statement: said itself, or left at its default beside a name."""
        return "country" in self.model_fields_set or self.says_name

    @property
    def names(self) -> dict[str, str]:
        """The institution's name in Swedish and English; where none is set, the host of the public URL."""
        name = self.name or self.name_en or self.origin.partition("://")[2]
        return {"sv": name, "en": self.name_en or name}


def _names(text: str) -> frozenset[str]:
    return frozenset(name for part in text.split(",") if (name := part.strip()))
