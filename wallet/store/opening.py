"""Opening the wallet's database with all its tables."""

from pathlib import Path

from service.database import Database
from service.rate_limits import rate_limits_table
from service.sessions import sessions_table
from wallet.store.tables import WalletTable

FILE_NAME = "wallet.sqlite3"


def open_database(data: Path) -> Database:
    """The database in a data directory, made when there is none. Raises `UnknownSchema`."""
    sessions_table(WalletTable.metadata)
    rate_limits_table(WalletTable.metadata)
    database = Database(data / FILE_NAME, WalletTable.metadata)
    database.create()
    return database
