"""A share from arrival to outcome: what pages and commands call, one step per screen.

    sharing = Sharing(wallet)
    share_id = await sharing.begin(vault, link, came_by=CameBy.LINK)            # after the yes at S0
    decision = sharing.decision(vault, share_id, language="sv")                 # S1 and S2
    sharing.choose(vault, share_id, chosen)                                     # ticks
    delivery = await sharing.approve(vault, share_id, language="sv", approved_digest=..., passphrase=...)   # S3
    delivery = await sharing.refuse(vault, share_id, language="sv")

What is decided is decided in the domain modules; here is the order of things.
"""

from wallet.sharing.arriving import Arrivals, FaultShown, Kept
from wallet.sharing.deciding import ANSWERED_FOR, Decisions, NotMutable

__all__ = ["ANSWERED_FOR", "FaultShown", "Kept", "NotMutable", "Sharing"]


class Sharing(Arrivals, Decisions):
    """Shares of the vaults of one wallet service, from arrival to outcome."""
