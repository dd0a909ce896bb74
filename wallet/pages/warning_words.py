"""Warnings in front of a person: the sentence and the thing to do of each, with names in the reader's language.

The sentences themselves stand in the table of rules (`wallet.over_asking`), so that each is written once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from service.i18n import N_, Translator
from wallet.decision import Decision
from wallet.ledger import Entry
from wallet.over_asking import PolicyOutcome, Warned, WarningKind, is_from, says, warned_again
from wallet.pages.phrases import in_a_sentence
from wallet.requests import RegistrationOutcome
from wallet.taking_back import standing_of

MOST_SHOWN = 3
"""How many warnings stand open on the decision screen; the others are one click away (S2c)."""
_MOST_NAMES = 4


@dataclass(frozen=True, slots=True)
class WarningView:
    """One warning as a page shows it. `overridden` says that the person has ticked it; `href` is the page of this
    wallet where they find what it speaks of, "" when it speaks of this request alone."""

    kind: str
    sentence: str
    advice: str
    overridden: bool = False
    href: str = ""


REGISTRATION = {
    RegistrationOutcome.COVERED: ("good", N_("They have registered to ask for this.")),
    RegistrationOutcome.EXCEEDED: ("warning", N_("They have registered to ask for less than this.")),
    RegistrationOutcome.FAILED: ("warning", says(WarningKind.REGISTRATION_FAILED).sentence),
    RegistrationOutcome.UNKNOWN: ("warning", says(WarningKind.REGISTRATION_UNKNOWN).sentence),
    RegistrationOutcome.MISSING: ("warning", says(WarningKind.UNREGISTERED).sentence),
}
REGISTRATION_ADVICE = {
    RegistrationOutcome.UNKNOWN: says(WarningKind.REGISTRATION_UNKNOWN).advice,
    RegistrationOutcome.MISSING: says(WarningKind.UNREGISTERED).advice,
}
"""What to do, where it is said beside who asks; the others say it among what to think of."""

POLICIES = {
    PolicyOutcome.ALLOWED: ("good", N_("The issuer has named them among those it is meant for.")),
    PolicyOutcome.NOT_ALLOWED: ("warning", N_("The issuer has not named them among those it is meant for.")),
    PolicyOutcome.UNKNOWN: ("quiet", N_("The issuer meant it for some only. We could not check whether for them.")),
}


def warning_view(warned: Warned, t: Translator, *, titles: Mapping[str, str], overridden: bool = False) -> WarningView:
    """One warning in words. `titles` are those of the certificates that it may speak of, by id."""
    words = says(warned.kind)
    facts = {
        "host": "–",
        "like": "–",
        **warned.facts,
        "items": _listed(warned.items, t),
        "instead": _listed(warned.instead, t),
        "certificate": titles.get(warned.certificate_id) or t(N_("a certificate")),
    }
    return WarningView(warned.kind.value, t(words.sentence, **facts), t(words.advice, **facts), overridden)


def warning_views(decision: Decision, t: Translator, *, history: Sequence[Entry]) -> dict[str, Any]:
    """What the decision screen says to think of: at most three, the rest, and the failed checks with their ticks."""
    titles = {group.certificate.id: group.names.title.text(t.language) for group in decision.groups}

    def view(warned: Warned) -> WarningView:
        ticked = warned.kind.value in decision.chosen.overridden
        href = _overdue_entry(decision, history, t) if warned.kind is WarningKind.OVERDUE_DELETION else ""
        return replace(warning_view(warned, t, titles=titles, overridden=ticked), href=href)

    shown = [view(warned) for warned in decision.warnings]
    return {
        "warnings": shown[:MOST_SHOWN],
        "more_warnings": shown[MOST_SHOWN:],
        "overrides": [view(warned) for warned in decision.overrides],
        "can_mute": decision.repeated is not None,
        "repeated": view(decision.repeated) if decision.repeated is not None else None,
    }


def _overdue_entry(decision: Decision, history: Sequence[Entry], t: Translator) -> str:
    """The page of what they have owed for longest, as it was when they asked (OA-14)."""
    checked = decision.checked
    for entry in reversed(history):
        standing = standing_of(entry, now=checked.asked_at, time_zone=t.time_zone)
        if standing.is_overdue and is_from(entry, checked):
            return f"/history/{entry.id}"
    return ""


def kept_sentences(kinds: list[str], kept: Mapping[str, Any], t: Translator) -> list[str]:
    """The sentences of a decision in the history: with their names where the facts of then still give the same."""
    found = warned_again(kept)
    if [warned.kind.value for warned in found] != kinds:
        known = [WarningKind(kind) for kind in kinds if kind in set(WarningKind)]
        found = tuple(Warned(kind, {"host": str(kept.get("host", ""))}) for kind in known)
    return [warning_view(warned, t, titles={}).sentence for warned in found]


def _listed(names: tuple[Any, ...], t: Translator) -> str:
    """Names in a sentence; a long list ends with how many more there are."""
    if not names:
        return t(N_("some of it"))
    shown = [in_a_sentence(name, t) for name in names]
    if len(shown) > _MOST_NAMES:
        rest = len(shown) - _MOST_NAMES + 1
        shown = [*shown[: _MOST_NAMES - 1], t.plural("%(num)s more", "%(num)s more", rest)]
    return t.listed(shown)
