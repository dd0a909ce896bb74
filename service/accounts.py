"""Staff accounts and API keys of issuer and verifier.

The first account is made with a code that is printed on the terminal. Login names are stored as HMACs under the device
secret, passwords as Argon2id hashes, API keys as digests.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import MetaData

from schemas.errors import Refused
from service.database import Database

MINIMUM_PASSWORD_CHARACTERS = 12


def account_tables(metadata: MetaData) -> None:
    """Add the tables of accounts, setup codes and API keys to a service's metadata (call it in store.py)."""
    raise NotImplementedError


class PasswordTooShort(Refused):
    """The password has fewer than 12 characters."""


class WrongSetupCode(Refused):
    """The setup code is unknown, expired or already used."""


class LoginTaken(Refused):
    """An account with this login name exists."""


@dataclass(frozen=True, slots=True)
class Account:
    """A member of staff, known by an opaque id."""

    id: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class APIKey:
    """A key for programs: its id and label; the key itself is shown once and stored as a digest."""

    id: str
    label: str
    made_at: datetime
    revoked_at: datetime | None = None


class Accounts:
    """The accounts and API keys of one service."""

    def __init__(self, database: Database, *, service: str, device_secret: bytes) -> None: ...

    async def setup_code(self, *, now: datetime) -> str | None:
        """A fresh code (24 hours) with which the first account is made, to be printed at start; None when one exists."""
        raise NotImplementedError

    async def create_first(self, setup_code: str, login: str, password: str, *, now: datetime) -> Account:
        """Make the first account. Raises `WrongSetupCode`, `PasswordTooShort`. Exactly one of several callers wins."""
        raise NotImplementedError

    async def create(self, login: str, password: str, *, now: datetime) -> Account:
        """Make a further account. Raises `LoginTaken`, `PasswordTooShort`."""
        raise NotImplementedError

    async def sign_in(self, login: str, password: str, *, now: datetime) -> Account | None:
        """The account when name and password belong together, else None, after equal work for an unknown name."""
        raise NotImplementedError

    async def change_password(self, account_id: str, old: str, new: str, *, now: datetime) -> bool:
        """Change a password; False when the old one is wrong. Raises `PasswordTooShort`."""
        raise NotImplementedError

    async def new_api_key(self, label: str, *, now: datetime) -> tuple[APIKey, str]:
        """Make an API key; the text (`intyga-SERVICE-...`) is returned once and not kept."""
        raise NotImplementedError

    async def check_api_key(self, text: str) -> APIKey | None:
        """The key that a program sent (`Authorization: Bearer ...`), or None when unknown or revoked."""
        raise NotImplementedError

    async def revoke_api_key(self, key_id: str, *, now: datetime) -> bool:
        """End an API key; False when there is none of that id."""
        raise NotImplementedError

    async def api_keys(self) -> list[APIKey]:
        """All API keys, newest first."""
        raise NotImplementedError
