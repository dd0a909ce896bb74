"""What is kept to take a share back is forgotten as soon as it has no use any more.

forget_used_up(connection, vault, entry, wallet=wallet)  # in the transaction that learned what settles it
forget_settled(wallet, vault)                            # whatever is left over, when a vault is opened
"""

from sqlalchemy import Connection

from wallet.deployment import Deployment
from wallet.histories import Histories
from wallet.ledger import Entry, Outcome
from wallet.permitting import permission_of
from wallet.store.take_back import delete_means, get_means, list_means
from wallet.taking_back import Means, standing_of
from wallet.vault import UnlockedVault


def forget_used_up(connection: Connection, vault: UnlockedVault, entry: Entry, *, wallet: Deployment) -> None:
    """Forget what is kept of one share, if nothing is left to do with it."""
    stored = get_means(connection, vault, entry.id)
    if stored is not None and _is_used_up(entry, stored.means, wallet):
        delete_means(connection, vault, entry.id)


def forget_settled(wallet: Deployment, vault: UnlockedVault) -> None:
    """Forget what is kept of every share that is settled, or that the history does not know any more."""
    entries = {entry.id: entry for entry in Histories(wallet).read(vault).entries}
    with wallet.database.transaction() as connection:
        for stored in list_means(connection, vault):
            entry = entries.get(stored.share_id)
            if entry is None or _is_used_up(entry, stored.means, wallet):
                delete_means(connection, vault, stored.share_id)


def _is_used_up(entry: Entry, means: Means, wallet: Deployment) -> bool:
    """Whether the key has no use any more: all is stated to be gone, and nothing comes of the receipt any more."""
    now = wallet.clock()
    is_settled = not means.can_hand_in or entry.outcome is not Outcome.SHARED
    permission = permission_of(entry, now=now) if means.has_permission else None
    is_ended = permission is None or permission.is_settled
    return standing_of(entry, now=now, time_zone=wallet.settings.time_zone).is_gone and is_settled and is_ended
