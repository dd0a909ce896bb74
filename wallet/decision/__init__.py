"""The decision screen (consent.md, S1 to S3) as values: what is shown, what was chosen, and the digest of both."""

from wallet.decision.acting import Acting, HeldPower, Possible, Side, is_power, side_of
from wallet.decision.building import build_decision
from wallet.decision.candidates import Lack, Obstacle, is_bound, obstacle_of
from wallet.decision.items import Group, Item, always_shown, shows_title, unavoidable, unavoidable_names
from wallet.decision.model import SCREEN_VERSION, Alternative, Chosen, Decision, LeftBehind, NotAccepted, Optional
from wallet.decision.recency import DemandedDays, demanded_days
from wallet.decision.recheck import can_be_checked, permission_digest, permission_meaning

__all__ = [
    "SCREEN_VERSION",
    "Acting",
    "Alternative",
    "Chosen",
    "Decision",
    "DemandedDays",
    "Group",
    "HeldPower",
    "Item",
    "Lack",
    "LeftBehind",
    "NotAccepted",
    "Obstacle",
    "Optional",
    "Possible",
    "Side",
    "always_shown",
    "build_decision",
    "can_be_checked",
    "demanded_days",
    "is_bound",
    "is_power",
    "obstacle_of",
    "permission_digest",
    "permission_meaning",
    "shows_title",
    "side_of",
    "unavoidable",
    "unavoidable_names",
]
