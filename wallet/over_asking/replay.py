"""Judging an old decision again: from the facts that the history kept to the same rules.

replayed = replay(event.facts)
replayed.is_same          # True unless the rules have changed since, and then `version` tells
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wallet.over_asking.facts import AskedFacts
from wallet.over_asking.rules import RULES_VERSION, evaluate, fired


@dataclass(frozen=True, slots=True)
class Replayed:
    """Which rules fired then, by which version of the table, and which fire now on the same facts."""

    then: tuple[str, ...]
    now: tuple[str, ...]
    version: str

    @property
    def is_same(self) -> bool:
        """Whether the rules of today say the same as those of then."""
        return self.then == self.now

    @property
    def is_same_version(self) -> bool:
        """Whether they are the same rules."""
        return self.version == RULES_VERSION


def replay(kept: Mapping[str, Any]) -> Replayed | None:
    """Judge again what an event kept; None for an event of before the rules were kept."""
    if "rules_facts" not in kept:
        return None
    facts = AskedFacts.model_validate(kept["rules_facts"])
    return Replayed(tuple(kept["rules_fired"]), tuple(fired(evaluate(facts))), str(kept["rules_version"]))
