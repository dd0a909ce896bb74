"""One wallet service put together: database, way out, clock and trust, and what pages and commands do with them.

    wallet = Deployment(settings, http=http, clock=utc_now)
    vault = await wallet.unlock("Maja", "långa ord är bra")
    collection_id = await wallet.look_at(vault, arrival)
    collection = await wallet.collect(vault, collection_id, tx_code=None)

Pages and commands call these; what they decide is decided in the domain modules.
"""

from wallet.deployment.collecting import Collecting
from wallet.deployment.ground import HURRY_SECONDS
from wallet.deployment.people import People
from wallet.deployment.standing import POWER_STATUS

__all__ = ["HURRY_SECONDS", "POWER_STATUS", "Deployment"]


class Deployment(People, Collecting):
    """One wallet service: everything that its pages and commands share."""
