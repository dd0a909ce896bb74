"""What the operator of a verifier decides, from environment variables `VERIFIER_*` (docs/settings-verifier.md)."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from proofs.did import did_web
from schemas.consent import LocalizedText
from schemas.errors import ProtocolError
from service.settings import ServiceSettings
from verifier.requests import RequestTerms, is_browser_address, web_origin

ClientIdPrefix = Literal["x509_hash", "x509_san_dns", "decentralized_identifier", "redirect_uri"]


class VerifierSettings(ServiceSettings):
    """Settings of the verifier, beside those of every service."""

    model_config = SettingsConfigDict(env_prefix="VERIFIER_", extra="ignore", frozen=True)

    service: ClassVar[str] = "verifier"
    # By commands and applications.
    also_read: ClassVar[frozenset[str]] = frozenset({"VERIFIER_URL", "VERIFIER_KEY", "VERIFIER_KEY_FILE"})

    port: int = Field(default=8300, ge=0, le=65535, description="TCP port to listen on; 0: any free one.")
    name: str = Field(default="", max_length=160, description="Name of the organisation, in Swedish.")
    name_en: str = Field(default="", max_length=160, description="Name of the organisation, in English.")
    contact: str = Field(
        default="", max_length=160, description="Where people reach the organisation about their data."
    )
    organisation_number: str = Field(
        default="", max_length=60, description="Registration number of the organisation, told in every request."
    )
    data_protection_contact: str = Field(
        default="", max_length=160, description="Where people reach the data protection officer, if there is one."
    )
    country: str = Field(default="SE", max_length=2, description="Country of the organisation (ISO 3166-1 alpha-2).")
    wallet_url: str = Field(default="", description="A web wallet that https links lead to; empty: the person chooses.")
    templates: Path | None = Field(default=None, description="Directory with further request templates (.toml, .json).")
    registration_file: Path | None = Field(
        default=None, description="File with the registration certificate that every request carries along."
    )
    client_id_prefix: ClientIdPrefix = Field(default="x509_hash", description="As whom requests are made.")
    did_method: Literal["web", "jwk"] = Field(
        default="web",
        description="With decentralized_identifier: a DID of the public address (web) or of the key (jwk).",
    )
    response_mode: Literal["direct_post", "direct_post.jwt"] = Field(
        default="direct_post.jwt", description="How answers come: encrypted (direct_post.jwt) or in clear."
    )
    haip: bool = Field(
        default=False,
        description="Demand what HAIP 1.0 demands: x509_hash, encrypted answers, a sound certificate, one device.",
    )
    request_lifetime_seconds: int = Field(
        default=30 * 60, ge=60, le=7 * 24 * 3600, description="How long a request can be answered, in seconds."
    )
    response_limit_bytes: int = Field(
        default=1_000_000, ge=10_000, le=10_000_000, description="Largest answer, posted and decrypted, in bytes."
    )
    max_age_seconds: int = Field(
        default=300, ge=10, le=3600, description="Oldest acceptable proof of the person's key, in seconds."
    )
    skew_seconds: int = Field(default=60, ge=0, le=300, description="How far clocks may differ, in seconds.")
    max_status_age_seconds: int = Field(
        default=3600, ge=60, le=24 * 3600, description="Oldest acceptable status list, in seconds since it was fetched."
    )
    trust_refresh_seconds: int = Field(
        default=3600, ge=60, le=7 * 24 * 3600, description="How often signed trust lists are read again, in seconds."
    )

    wallet_messages_per_minute: int = Field(
        default=6_000, ge=600, description="What wallets say after shares, from one address, at each of the endpoints."
    )
    failed_messages_per_minute: int = Field(
        default=60, ge=1, description="Refused messages of wallets from one address; what is accepted never counts."
    )

    withdraw_at_once: bool = Field(
        default=True, description="Delete at once when a person takes back; else somebody decides within a month."
    )
    backup_days: int = Field(
        default=30, ge=0, le=3_650, description="How long copies stay in backups, in days; said in statements."
    )

    @field_validator("wallet_url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        return value.strip().rstrip("/")

    @field_validator("templates", "registration_file", mode="before")
    @classmethod
    def _no_path(cls, value: object) -> object:
        return None if value == "" else value

    def problems(self) -> list[str]:
        """Unsafe or impossible settings, one sentence each, naming the variable."""
        found = super().problems()
        if self.haip and self.client_id_prefix != "x509_hash":
            found.append("VERIFIER_HAIP allows only x509_hash in VERIFIER_CLIENT_ID_PREFIX.")
        if self.haip and self.response_mode != "direct_post.jwt":
            found.append("VERIFIER_HAIP demands direct_post.jwt in VERIFIER_RESPONSE_MODE.")
        if self.client_id_prefix == "decentralized_identifier" and self.did_method == "web" and not self._has_did_web:
            found.append("VERIFIER_DID_METHOD web needs a public address with a host name, not an IP address.")
        if self.wallet_url and not is_browser_address(self.wallet_url):
            found.append("VERIFIER_WALLET_URL must start with https:// (plain http is for loopback only).")
        if not self.contact.strip() and not self.is_loopback:
            found.append("VERIFIER_CONTACT must say where people reach the organisation: every request tells them.")
        if self.templates is not None and not self.templates.is_dir():
            found.append("VERIFIER_TEMPLATES names a directory that is not there.")
        return found

    def announcements(self) -> list[str]:
        """Settings that lift a guard, one sentence each."""
        told = super().announcements()
        if self.client_id_prefix == "decentralized_identifier":
            told.append(
                "VERIFIER_CLIENT_ID_PREFIX: wallets cannot tell whose DID this is unless a trust list names it."
            )
        if self.client_id_prefix == "redirect_uri":
            told.append("VERIFIER_CLIENT_ID_PREFIX: requests are not signed, so wallets cannot tell who asks.")
        if self.response_mode == "direct_post":
            told.append("VERIFIER_RESPONSE_MODE: answers are not encrypted beyond TLS.")
        return told

    @property
    def _has_did_web(self) -> bool:
        try:
            return bool(did_web(self.base_url))
        except ProtocolError:
            return False

    @property
    def host_name(self) -> str:
        """The host of the public URL, without a port."""
        return self._parts.hostname or "localhost"

    @property
    def browser_origin(self) -> str:
        """The origin of our pages as browsers write it."""
        return web_origin(self.base_url)

    @property
    def is_named(self) -> bool:
        """Whether the organisation has a name of its own in any language."""
        return bool(self.name.strip() or self.name_en.strip())

    @property
    def organisation(self) -> LocalizedText:
        """The name of the organisation; its host when none is set."""
        swedish, english = self.name.strip(), self.name_en.strip()
        fallback = swedish or english or self.host_name
        return LocalizedText(sv=swedish or fallback, en=english or fallback)

    @property
    def terms(self) -> RequestTerms:
        """What is the same for all requests."""
        return RequestTerms(
            base_url=self.base_url,
            organisation=self.organisation,
            country=self.country,
            organisation_number=self.organisation_number.strip(),
            data_protection_contact=self.data_protection_contact.strip(),
            response_mode=self.response_mode,
            lifetime_seconds=self.request_lifetime_seconds,
            time_zone=self.time_zone,
        )

    @property
    def contact_or_address(self) -> str:
        """Where people reach the organisation; on loopback, when nothing is set, the service's own address."""
        return self.contact.strip() or self.base_url
