"""Opening the wallet's database with all its tables."""

from pathlib import Path

from service.database import Database
from wallet.store.tables import WalletTable

FILE_NAME = "wallet.sqlite3"


def open_database(data: Path) -> Database:
    """The database in a data directory, made when there is none. Raises `UnknownSchema`."""
    database = Database(data / FILE_NAME, WalletTable.metadata)
    database.create()
    return database
