"""What later checks came to, and how a standing permission stands, as staff reads it."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from schemas.standing_permission import PermissionState, RecheckOutcome
from service.i18n import N_, Translator
from verifier.rechecks import Permission


class Words(NamedTuple):
    """A tone and a word."""

    tone: str
    word: str


CHECKED_AGAIN = {
    RecheckOutcome.VALID: Words("good", N_("It still held")),
    RecheckOutcome.REVOKED: Words("bad", N_("The issuer has revoked it")),
    RecheckOutcome.SUSPENDED: Words("bad", N_("The issuer has paused it")),
    RecheckOutcome.EXPIRED: Words("bad", N_("Its time was over")),
    RecheckOutcome.NOT_VALID: Words("bad", N_("It no longer held")),
    RecheckOutcome.COULD_NOT_CHECK: Words("warning", N_("It could not be checked")),
    RecheckOutcome.DISCARDED: Words("warning", N_("The permission ended meanwhile; nothing was kept")),
}
_UNDER_WAY = Words("warning", N_("Under way"))
_STATES = {
    PermissionState.ACTIVE: Words("good", N_("The person lets you check again.")),
    PermissionState.PAUSED: Words("warning", N_("The person has paused the later checks.")),
    PermissionState.ENDED: Words("warning", N_("The permission to check again is over.")),
}
REFUSALS = {
    "none": N_("Nothing was checked: the person has not allowed it."),
    "paused": N_("Nothing was checked: the person has paused the later checks."),
    "ended": N_("Nothing was checked: the permission is over."),
    "deleted": N_("Nothing was checked: what was shown is deleted, or shall be."),
    "too_soon": N_("Nothing was checked: it is too soon after the last time."),
}


@dataclass(frozen=True, slots=True)
class PermissionView:
    """A permission on the page of its request. `may_check` tells whether a check would be let through now."""

    state: str
    tone: str
    word: str
    until: str
    next_at: str
    may_check: bool
    checks: tuple[tuple[str, str], ...]


def permission_view(one: Permission | None, t: Translator, *, now: datetime) -> PermissionView | None:
    """The permission as the page shows it; None when there is none."""
    if one is None:
        return None
    words, is_active = _STATES[one.state], one.state is PermissionState.ACTIVE
    checks = [
        (t.moment(each.at), t((CHECKED_AGAIN[each.outcome] if each.outcome else _UNDER_WAY).word))
        for each in one.checks
    ]
    return PermissionView(
        state=one.state.value,
        tone=words.tone,
        word=t(words.word),
        until=t.date(one.until) if one.until else "",
        next_at=t.moment(one.next_at) if is_active and one.next_at > now else "",
        may_check=is_active and one.next_at <= now,
        checks=tuple(reversed(checks)),
    )
