"""What a person looks for in their history, in words that they understand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from schemas.receipt import BothLanguages
from wallet.ledger import Entry, EventKind, Outcome


@dataclass(frozen=True, slots=True)
class Filter:
    """What a person looks for, in words that they understand. Empty members let everything through."""

    who: str = ""
    since: date | None = None
    until: date | None = None
    outcome: Outcome | None = None
    done: EventKind | None = None
    certificate: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is looked for."""
        return self == Filter()

    def matches(self, entry: Entry, titles: Mapping[str, BothLanguages]) -> bool:
        """Whether an entry is among what is looked for. `titles` are those of the certificates in the vault, by id."""
        day = entry.filed_at.date()
        called = [*entry.certificates, *(titles[one] for one in entry.certificate_ids if one in titles)]
        return (
            _contains((entry.who.sv, entry.who.en, entry.host), self.who)
            and (self.since is None or day >= self.since)
            and (self.until is None or day <= self.until)
            and (self.outcome is None or entry.outcome is self.outcome)
            and (self.done is None or entry.last(self.done) is not None)
            and _contains([text for one in called for text in (one.sv, one.en)], self.certificate)
        )


def _contains(texts: Iterable[str], wanted: str) -> bool:
    folded = wanted.strip().casefold()
    return not folded or any(folded in text.casefold() for text in texts)
