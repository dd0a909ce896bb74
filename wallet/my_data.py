"""Every single thing that a person holds, where it comes from, who received it, and each decision about it.

    for holding in holdings(certificates, entries, language="sv"):
        holding.card.title, holding.data[0].label, holding.data[0].uses

What was shared is known by certificate and path. What was left out or refused is known by name alone: a refusal says
nothing of a certificate, so that it stands at every item of that name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from schemas.receipt import BothLanguages
from wallet.cards import CardView, Line, read_card
from wallet.certificates import StoredCertificate
from wallet.ledger import Entry, Outcome
from wallet.naming import Names


class Decided(StrEnum):
    """What a person decided about one item in one request."""

    SHARED = "shared"
    CAME_ALONG = "came_along"  # the certificate shows it in every share
    LEFT_OUT = "left_out"
    REFUSED = "refused"


GIVEN = frozenset({Decided.SHARED, Decided.CAME_ALONG})


@dataclass(frozen=True, slots=True)
class Use:
    """One decision about one item: in which entry of the history."""

    entry: Entry
    decided: Decided


@dataclass(frozen=True, slots=True)
class Datum:
    """One thing that a person holds, and every decision about it, the latest first.

    `is_whole` is the certificate itself, which went without any chosen item; it has no label and no value of its own.
    """

    label: str
    value: str
    uses: tuple[Use, ...]
    is_whole: bool = False

    @property
    def went_somewhere(self) -> bool:
        """Whether somebody received it, or may have."""
        return any(use.decided in GIVEN and use.entry.outcome is not Outcome.NOT_DELIVERED for use in self.uses)


@dataclass(frozen=True, slots=True)
class Holding:
    """One certificate with its single items. `card` is None, and values are empty, for one that is no longer held."""

    certificate_id: str
    card: CardView | None
    title: str
    issuer: str
    data: tuple[Datum, ...]


def holdings(certificates: Iterable[StoredCertificate], entries: Iterable[Entry], *, language: str) -> list[Holding]:
    """All that is held, certificate by certificate; then what was shared from certificates no longer held."""
    shares = [entry for entry in entries if entry.is_share]
    held = [_held(certificate, shares, language) for certificate in certificates]
    return [*held, *_no_longer_held({one.certificate_id for one in held}, shares, language)]


def _held(certificate: StoredCertificate, shares: Sequence[Entry], language: str) -> Holding:
    card, names = read_card(certificate, language), Names(certificate)
    data = tuple(
        Datum(_label(group.heading, line), line.value, _uses(certificate.id, line, names, shares))
        for group in card.groups
        for line in group.lines
    )
    return Holding(certificate.id, card, card.title, card.issuer, (*_whole(certificate.id, shares), *data))


def _whole(certificate_id: str, shares: Iterable[Entry]) -> tuple[Datum, ...]:
    """The certificate itself, where it went with nothing but what every share of it shows."""
    went = [entry for entry in shares if any(one["certificate_id"] == certificate_id for one in entry.bare)]
    return (Datum("", "", tuple(Use(entry, Decided.SHARED) for entry in went), is_whole=True),) if went else ()


def _label(heading: str, line: Line) -> str:
    return f"{heading}: {line.label}" if heading else line.label


def _uses(certificate_id: str, line: Line, names: Names, shares: Sequence[Entry]) -> tuple[Use, ...]:
    called = names.label(line.path) if line.path else None
    decisions = ((entry, _decided(entry, certificate_id, line, called)) for entry in shares)
    return tuple(Use(entry, decided) for entry, decided in decisions if decided is not None)


def _decided(entry: Entry, certificate_id: str, line: Line, called: BothLanguages | None) -> Decided | None:
    """What was decided about a line in an entry; None when it was not about it."""
    if entry.outcome is Outcome.REFUSED:
        return Decided.REFUSED if called in entry.asked else None
    decided = entry.decided or {}
    if any(item["certificate_id"] == certificate_id and _overlap(item["path"], line.path) for item in entry.shared):
        return Decided.SHARED
    with_it = any(one["certificate_id"] == certificate_id for one in decided.get("came_along", ()))
    if with_it and not line.can_stay_hidden:
        return Decided.CAME_ALONG
    return Decided.LEFT_OUT if _is_named(called, decided.get("declined", ())) else None


def _overlap(one: Sequence[str | int], other: Sequence[str | int]) -> bool:
    shorter = min(len(one), len(other))
    return shorter > 0 and tuple(one[:shorter]) == tuple(other[:shorter])


def _is_named(called: BothLanguages | None, names: Iterable[Mapping[str, Any]]) -> bool:
    return called is not None and any(BothLanguages(**name) == called for name in names)


def _no_longer_held(held: set[str], shares: Sequence[Entry], language: str) -> list[Holding]:
    """What went from certificates that are gone, by the names that the history keeps."""
    gone: dict[str, dict[str, list[Use]]] = {}
    titles: dict[str, tuple[str, str]] = {}

    def add(entry: Entry, one: Mapping[str, Any], names: Iterable[Mapping[str, Any]], decided: Decided) -> None:
        certificate_id = one["certificate_id"]
        if certificate_id in held:
            return
        # Of what came along, older entries do not know the issuer.
        issuer = one.get("issuer") or titles.get(certificate_id, ("", ""))[1]
        titles[certificate_id] = (BothLanguages(**one["certificate"]).text(language), issuer)
        items = gone.setdefault(certificate_id, {})
        for name in names:
            uses = items.setdefault(BothLanguages(**name).text(language), [])
            if not any(use.entry is entry for use in uses):
                uses.append(Use(entry, decided))

    for entry in shares:
        for item in entry.shared:
            add(entry, item, (item["name"],), Decided.SHARED)
        for one in (entry.decided or {}).get("came_along", ()):
            add(entry, one, one["items"], Decided.CAME_ALONG)
    return [
        Holding(
            certificate_id,
            None,
            *titles[certificate_id],
            (*_whole(certificate_id, shares), *(Datum(name, "", tuple(uses)) for name, uses in items.items())),
        )
        for certificate_id, items in gone.items()
    ]
