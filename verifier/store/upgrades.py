"""The versions of the verifier's database, and the steps between them (see `service.upgrades`)."""

from typing import Final

from service.upgrades import Upgrade

VERSION: Final = 3
UPGRADES: Final = (
    # Standing permissions and their uses, webhooks and their outbox: tables that are new.
    Upgrade(
        version=1,
        identity="2fcca52207d1f964af38b6d1016c1bd10641a60c56f14dfc5a7c67e41582d862",  # pragma: allowlist secret
    ),
    # Receipts that wallets handed in: a table that is new.
    Upgrade(
        version=2,
        identity="ab9c6c99cd9518e024c0a31a1e9abc0f59e1fb822664cd686718cb4e2f41cde6",  # pragma: allowlist secret
    ),
)
