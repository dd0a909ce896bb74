"""Judging an old decision again: from the facts that the history kept to the same rules.

replayed = replay(event.facts)
replayed.is_same          # True unless the rules have changed since, and then `version` tells
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from wallet.over_asking.facts import AskedFacts
from wallet.over_asking.rules import RULES_VERSION, evaluate, fired
from wallet.over_asking.warned import Warned


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
    now = tuple(fired(warned_again(kept)))
    return Replayed(tuple(kept["rules_fired"]), now, str(kept["rules_version"]))


def warned_again(kept: Mapping[str, Any]) -> tuple[Warned, ...]:
    """What the rules of today say of the facts that an event kept; nothing of facts that they cannot read any more."""
    try:
        facts = AskedFacts.model_validate(kept.get("rules_facts"))
    except ValidationError:
        return ()
    return evaluate(facts)
