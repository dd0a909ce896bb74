"""The versions of the verifier's database, and the steps between them (see `service.upgrades`)."""

from typing import Final

from service.upgrades import Upgrade

VERSION: Final = 2
UPGRADES: Final = (
    # Standing permissions and their uses, webhooks and their outbox: tables that are new.
    Upgrade(
        version=1,
        identity="2fcca52207d1f964af38b6d1016c1bd10641a60c56f14dfc5a7c67e41582d862",  # pragma: allowlist secret
    ),
)
