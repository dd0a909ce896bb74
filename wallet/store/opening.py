"""Opening the wallet's database with all its tables."""

from pathlib import Path

from service.database import Database
from service.rate_limits import rate_limits_table
from service.sessions import sessions_table
from service.upgrades import Upgrade
from wallet.store.tables import WalletTable

FILE_NAME = "wallet.sqlite3"
VERSION = 6
UPGRADES = (
    # A recovery code beside the passphrase; events keep their own digest, so that single ones can be deleted.
    Upgrade(
        version=1,
        identity="0576cb3a50c38b9c0339ffd2dc187f4cdc145098d0f4ea915144b5c2ae0845ac",  # pragma: allowlist secret
        statements=("ALTER TABLE ledger ADD COLUMN content BLOB",),
    ),
    # What is kept to take shares back: a table that is new.
    Upgrade(
        version=2,
        identity="f0907d83c35b115125a6869fa3712d7f45c687174b36a1d9809aff584551b4e8",  # pragma: allowlist secret
    ),
    # Passkeys: a table that is new.
    Upgrade(
        version=3,
        identity="ce15a13e460c5d1ccca19f1edf0c4b0b2f89f9e38edf6792a5260dd2f0415e89",  # pragma: allowlist secret
    ),
    # Requests as they were received; addresses where acts are told, and what waits there: tables that are new.
    Upgrade(
        version=4,
        identity="02fbf18bf920b89a1854c0ce83215cc8a6c0157788e6d04c54437d0e559fa9d4",  # pragma: allowlist secret
    ),
    # Reports that could not be decided are set aside: a table that is new.
    Upgrade(
        version=5,
        identity="94cb044d2b584394e6ac8f486df969500fb19bba8dbc83f9eb5de12fc82cc709",  # pragma: allowlist secret
    ),
)


def open_database(data: Path) -> Database:
    """The database in a data directory, made or upgraded where it needs to be. Raises `UnknownSchema`."""
    sessions_table(WalletTable.metadata)
    rate_limits_table(WalletTable.metadata)
    database = Database(data / FILE_NAME, WalletTable.metadata, version=VERSION, upgrades=UPGRADES)
    database.create()
    return database
