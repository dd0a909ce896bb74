"""Standing permissions in a person's words: how one stands, what was checked, and what they say of it."""

from datetime import datetime
from typing import Any

from schemas.standing_permission import EndReason, PermissionAction, RecheckOutcome
from service.i18n import N_, Translator
from wallet.ledger import Entry
from wallet.pages.history_view import row_view
from wallet.pages.reason_words import OF_PERMISSIONS
from wallet.pages.take_back_words import names_of
from wallet.permissions import Lasting
from wallet.permitting import Check, PermissionStanding

OUTCOMES = {
    RecheckOutcome.VALID: N_("It still held"),
    RecheckOutcome.SUSPENDED: N_("It was paused by who issued it"),
    RecheckOutcome.REVOKED: N_("It was revoked by who issued it"),
    RecheckOutcome.EXPIRED: N_("Its time was over"),
    RecheckOutcome.NOT_VALID: N_("It no longer held"),
    RecheckOutcome.COULD_NOT_CHECK: N_("They could not find out"),
    RecheckOutcome.DISCARDED: N_("You had stopped it meanwhile; they kept nothing of it"),
}
UNDER_WAY = N_("They have not said what came of it")
_ACTIVE = (N_("In force"), "good", "")
_NOT_CONFIRMED = {
    PermissionAction.GRANT: (N_("Not in force yet: they have not got it"), "warning", "clock"),
    PermissionAction.RESUME: (N_("Not going on yet: they have not got it"), "warning", "clock"),
    PermissionAction.PAUSE: (N_("Paused by you. They have not confirmed it yet."), "warning", "clock"),
    PermissionAction.END: (N_("Ended by you. They have not confirmed it yet."), "warning", "clock"),
}
_CONFIRMED = {
    PermissionAction.GRANT: _ACTIVE,
    PermissionAction.RESUME: _ACTIVE,
    PermissionAction.PAUSE: (N_("Paused"), "quiet", "clock"),
    PermissionAction.END: (N_("Ended"), "quiet", "check"),
}
_PAST = (N_("Over: its last day has passed"), "quiet", "check")
_ENDED_THERE = {
    EndReason.BY_PERSON: (N_("Ended"), "quiet", "check"),
    EndReason.WITHDRAWN: (N_("Ended: you took it back"), "quiet", "check"),
    EndReason.DELETED: (N_("Ended: they have deleted it"), "quiet", "check"),
    EndReason.TIME: _PAST,
}
NOT_REACHED = N_("They could not be reached. The wallet tries again when you open it.")


def permission_view(one: Lasting, t: Translator, *, now: datetime) -> dict[str, Any]:
    """A permission as pages and commands show it."""
    standing, entry = one.standing, one.entry
    word, look, icon = _words(standing)
    last = standing.last
    return {
        **{name: value for name, value in row_view(entry, t, now=now, titles={}).items() if name in _OF_ROW},
        "what": t.listed(_names(entry, standing, t)),
        "purpose": standing.granted.purpose.text(t.language),
        "last_day": t.date(standing.granted.until),
        "ended": t.date(standing.ended_at) if standing.ended_at is not None else "",
        "every_days": standing.granted.every_days,
        "given": t.date(entry.decided_at or entry.at),
        "state": "over" if standing.is_over else "paused" if standing.wish is PermissionAction.PAUSE else "active",
        "is_confirmed": standing.is_confirmed,
        "word": t(word),
        "look": look,
        "icon": icon,
        "reason": "" if not standing.reason else t(OF_PERMISSIONS.get(standing.reason, NOT_REACHED)),
        "contradicts": standing.contradicts,
        "last": check_view(last, t) if last is not None else None,
        "next": t.moment(standing.next_at) if standing.next_at is not None else "",
        "checks": [check_view(check, t) for check in reversed(standing.checks)],
        "unseen": [check_view(check, t) for check in reversed(standing.unseen)],
        "may_pause": not standing.is_over and standing.wish is not PermissionAction.PAUSE,
        "may_resume": not standing.is_over and standing.wish is PermissionAction.PAUSE,
        "may_end": not standing.is_over,
        "may_ask": not standing.is_settled,
    }


_OF_ROW = frozenset({"id", "who", "called", "begins", "unproven"})


def check_view(check: Check, t: Translator) -> dict[str, str]:
    """One check: when, and what they say came of it."""
    return {"moment": t.moment(check.at), "outcome": t(OUTCOMES[check.outcome] if check.outcome else UNDER_WAY)}


def _words(standing: PermissionStanding) -> tuple[str, str, str]:
    ended = standing.ended_there
    if ended is not None:
        return _ENDED_THERE[ended]
    if standing.is_past and standing.wish is not PermissionAction.END:
        return _PAST
    return (_CONFIRMED if standing.is_confirmed else _NOT_CONFIRMED)[standing.wish]


def _names(entry: Entry, standing: PermissionStanding, t: Translator) -> list[str]:
    return names_of(entry, standing.granted.items, t)
