"""What the operator of a wallet decides, in environment variables `WALLET_*` (listed in docs/settings-wallet.md)."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from service.settings import ServiceSettings


class WalletSettings(ServiceSettings):
    """The settings of the wallet service."""

    model_config = SettingsConfigDict(env_prefix="WALLET_", extra="ignore", frozen=True)
    service: ClassVar[str] = "wallet"
    also_read: ClassVar[frozenset[str]] = frozenset({"WALLET_PERSON"})  # By the commands.

    port: int = Field(default=8200, ge=0, le=65535, description="TCP port to listen on; 0: any free one.")
    batch_limit: int = Field(
        default=10, ge=1, le=50, description="Most one-time copies to ask for, if the issuer gives that many."
    )
    status_seconds: int = Field(
        default=3600,
        ge=60,
        le=86400,
        description="A status read from its issuer longer ago than this is read again when shown.",
    )
    decision_status_seconds: int = Field(
        default=60,
        ge=10,
        le=86400,
        description="Before a decision about a request, issuers' lists read longer ago than this are read anew.",
    )
    passphrase_file: Path | None = Field(
        default=None, description="File with the passphrase that the command line opens vaults with."
    )
    body_limit_bytes: int = Field(default=9_000_000, ge=1_000, le=100_000_000, description="Largest request body.")

    @field_validator("passphrase_file", mode="before")
    @classmethod
    def _empty_means_none(cls, value: object) -> object:
        return None if value == "" else value

    def _passphrase_problems(self) -> list[str]:
        # The wallet's own keys live in vaults; a key passphrase is needed only to sign trust lists.
        return [] if self.key_passphrase_file is None else super()._passphrase_problems()
