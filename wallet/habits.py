"""How a person decides, counted for nobody but themselves (consent requirement CS-43).

Off until the person turns it on. Whole numbers only: no recipient, no item, no moment. They rest sealed in the vault's
profile, are part of no receipt, no history and no saved wallet, and nothing sends them anywhere.

    habits = Habits.begun(on=date(2026, 11, 26))
    habits = habits.after(Ending.REFUSED, seconds=14.0, was_warned=True)
"""

from bisect import bisect_right
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

STEPS = (10, 30, 120)
"""Seconds at which one class of looking times ends and the next begins."""

_ENDLESS = 1_000_000


class Ending(StrEnum):
    """How the person left a decision screen."""

    SHARED = "shared"
    REFUSED = "refused"
    LEFT = "left"


class Habits(BaseModel):
    """The numbers. `looked` counts decisions by how long the screen was open: under the first of `STEPS`, and so on.

    `warned` counts the decisions with a warning on the screen, `heeded` those of them that ended without a share.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    since: date
    shared: int = Field(default=0, ge=0, le=_ENDLESS)
    refused: int = Field(default=0, ge=0, le=_ENDLESS)
    left: int = Field(default=0, ge=0, le=_ENDLESS)
    warned: int = Field(default=0, ge=0, le=_ENDLESS)
    heeded: int = Field(default=0, ge=0, le=_ENDLESS)
    looked: tuple[int, ...] = (0,) * (len(STEPS) + 1)

    @classmethod
    def begun(cls, *, on: date) -> Self:
        """No decision yet."""
        return cls(since=on)

    @property
    def decisions(self) -> int:
        """All decisions that were counted."""
        return self.shared + self.refused + self.left

    @property
    def classes(self) -> tuple[tuple[int, int | None, int], ...]:
        """The looking times: from, to (seconds; None: no end), and how many decisions."""
        bounds = (0, *STEPS, None)
        return tuple(
            (low or 0, high, number) for (low, high), number in zip(pairwise(bounds), self.looked, strict=True)
        )

    def after(self, ending: Ending, *, seconds: float, was_warned: bool) -> Self:
        """The numbers with one more decision, taken `seconds` after its screen was first shown."""
        looked = list(self.looked)
        looked[bisect_right(STEPS, max(0.0, seconds))] += 1
        is_heeded = was_warned and ending is not Ending.SHARED
        return self.model_copy(
            update={
                ending.value: getattr(self, ending.value) + 1,
                "warned": self.warned + was_warned,
                "heeded": self.heeded + is_heeded,
                "looked": tuple(looked),
            }
        )
