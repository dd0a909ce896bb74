"""Judging an old decision again (CS-19): from the bytes of the request, or from the facts that were gathered of it.

    again = replay(event.facts, content)     # `content`: the kept bytes, None when there are none
    again.read_from                          # REQUEST: the bytes were read, checked and judged from the beginning
    again.is_same                            # whether the rules say what was logged

From the bytes the facts are gathered anew. What a request does not tell stands beside what was logged: the time, the
entries of the trust list that it came to, what the history knew of the sender, and what the rules need of the
certificates that would be shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from wallet.over_asking.facts import AskedFacts, gather
from wallet.over_asking.rules import RULES_VERSION, evaluate, fired
from wallet.over_asking.warned import Warned
from wallet.requests import CheckedRequest, KeptRequestChanged, checked_again, content_digest, kept_content


class ReadFrom(StrEnum):
    """What a decision was judged again from."""

    REQUEST = "request"  # the bytes as received
    FACTS = "facts"  # what was gathered of it then: the bytes are not kept, or not any more
    CHANGED = "changed"  # the kept bytes are not those that were judged: judged from the facts, and told


@dataclass(frozen=True, slots=True)
class Replayed:
    """Which rules fired then, by which version of the table, and which fire now.

    `same_facts` tells whether the request was read again to the very facts that were logged; it is True where the
    facts themselves are all there is.
    """

    then: tuple[str, ...]
    now: tuple[str, ...]
    version: str
    read_from: ReadFrom
    same_facts: bool = True

    @property
    def is_same(self) -> bool:
        """Whether what was logged is what the request comes to."""
        return self.then == self.now and self.same_facts and self.read_from is not ReadFrom.CHANGED

    @property
    def is_same_version(self) -> bool:
        """Whether they are the same rules."""
        return self.version == RULES_VERSION


def judged_facts(checked: CheckedRequest, facts: AskedFacts) -> dict[str, Any]:
    """What is logged of a judgement: which rules fired on which facts, and what it takes to judge it again."""
    return {
        "rules_version": RULES_VERSION,
        "rules_fired": fired(evaluate(facts)),
        "rules_facts": facts.model_dump(mode="json"),
        "rules_request": {
            "sha256": content_digest(kept_content(checked.fetched)),
            "checked_at": checked.checked_at.timestamp(),
            "vouched_by": [entry.to_json() for entry in checked.vouched_by],
        },
    }


def replay(logged: Mapping[str, Any], content: bytes | None) -> Replayed | None:
    """Judge again what an event logged; None for an event of before the rules were kept, or of something else."""
    if "rules_facts" not in logged:
        return None
    # A history can come out of a file: what has another form than was written here is another result, and no fault.
    written, version = logged.get("rules_fired"), str(logged.get("rules_version"))
    then = tuple(map(str, written)) if isinstance(written, list | tuple) else ()
    about = logged.get("rules_request")
    if content is not None and about is not None:
        try:
            again = _gathered_again(logged, about, content)
        except KeptRequestChanged:
            return Replayed(then, tuple(fired(warned_again(logged))), version, ReadFrom.CHANGED, same_facts=False)
        same_facts = again == AskedFacts.model_validate(logged["rules_facts"])
        return Replayed(then, tuple(fired(evaluate(again))), version, ReadFrom.REQUEST, same_facts)
    return Replayed(then, tuple(fired(warned_again(logged))), version, ReadFrom.FACTS)


def _gathered_again(logged: Mapping[str, Any], about: Any, content: bytes) -> AskedFacts:
    """The facts, gathered anew of the kept bytes. Raises `KeptRequestChanged`."""
    try:
        if not isinstance(about, Mapping):
            raise TypeError
        beside = AskedFacts.model_validate(logged["rules_facts"])
        checked_at = datetime.fromtimestamp(about["checked_at"], UTC)
        digest, vouched_by = about["sha256"], about["vouched_by"]
    except (ValidationError, KeyError, TypeError, ValueError, OverflowError, OSError) as exc:
        raise KeptRequestChanged("what stood beside the request cannot be read any more") from exc
    checked = checked_again(content, expected_digest=digest, checked_at=checked_at, vouched_by=vouched_by)
    return gather(checked, past=beside.past, shown=beside.shown)


def warned_again(kept: Mapping[str, Any]) -> tuple[Warned, ...]:
    """What the rules of today say of the facts that an event kept; nothing of facts that they cannot read any more."""
    try:
        facts = AskedFacts.model_validate(kept.get("rules_facts"))
    except ValidationError:
        return ()
    return evaluate(facts)
