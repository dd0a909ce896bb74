"""What happened, and what a check of the history can find, in a person's words."""

from collections.abc import Collection, Sequence
from itertools import zip_longest

from schemas.withdrawal import DeletionStatement, StatementOutcome
from service.i18n import N_, Translator
from wallet.ledger import Event, EventKind, HistoryFault

NOT_INTACT = N_("The sharing history was changed from outside this wallet. Look at the sharing history.")

FAULT_SENTENCES = {
    HistoryFault.CUT_OFF: N_(
        "The end of the sharing history is missing: something happened later that does not stand here."
    ),
    HistoryFault.MISSING: N_("Something is missing inside the sharing history, or stands in another place."),
    HistoryFault.CHANGED: N_("Something in the sharing history is no longer what was written."),
    HistoryFault.NO_END: N_(
        "The seal at the end of the sharing history is missing or wrong, so that its end may be missing."
    ),
    HistoryFault.EARLIER: N_(
        "Something was wrong with the sharing history earlier. What was written since then is in order."
    ),
}

HAPPENED = {
    EventKind.ASKED: N_("The request was shown to you"),
    EventKind.APPROVED: N_("You decided to share"),
    EventKind.REFUSED: N_("You decided not to share"),
    EventKind.FAULTY: N_("The request had a fault"),
    EventKind.TELLING: N_("You chose to tell them of the fault"),
    EventKind.TOLD: N_("They were told of the fault"),
    EventKind.DELIVERED: N_("They received it"),
    EventKind.NOT_ACCEPTED: N_("It arrived, and they answered with an error"),
    EventKind.NOT_DELIVERED: N_("It could not be sent"),
    EventKind.UNKNOWN: N_("It was sent, but no reply came"),
    EventKind.CLOSED: N_("You left without answering"),
    EventKind.ANSWERED: N_("It had been answered already"),
    EventKind.TAKEN_BACK: N_("You took it back"),
    EventKind.DELETION_ASKED: N_("You asked them to delete"),
    EventKind.DELETION_NOT_SENT: N_("Your wish could not be sent"),
    EventKind.DELETION_UNKNOWN: N_("Your wish was sent, but no usable answer came"),
    EventKind.DELETION_NOT_ACCEPTED: N_("They answered your wish with an error"),
    EventKind.DELETION_ACKNOWLEDGED: N_("They have received your wish"),
    EventKind.DELETION_STATED: N_("They stated what they deleted"),
    EventKind.DELETION_ANSWERED: N_("You noted what they answered"),
    EventKind.COMPLAINED: N_("You complained to the authority"),
    EventKind.COPY_ASKED: N_("You asked them for a copy"),
    EventKind.COPY_CAME: N_("You noted that the copy came"),
    EventKind.OBJECTED: N_("You objected to what they do with it"),
    EventKind.OBJECTION_ANSWERED: N_("You noted what they answered to your objection"),
    EventKind.MISSING_SEEN: N_("You saw that their answer was missing"),
    EventKind.REPORTED: N_("You reported the request"),
    EventKind.CONFIRMED: N_("They confirmed the receipt"),
    EventKind.PERMISSION_PAUSED: N_("You paused the later checks"),
    EventKind.PERMISSION_RESUMED: N_("You let the later checks go on"),
    EventKind.PERMISSION_ENDED: N_("You ended the later checks"),
    EventKind.PERMISSION_NOT_SENT: N_("They could not be told of it"),
    EventKind.PERMISSION_UNKNOWN: N_("They were told, but no usable answer came"),
    EventKind.PERMISSION_TOLD: N_("They said how the permission stands"),
    EventKind.CHECKED_AGAIN: N_("They checked whether it still holds"),
    EventKind.CHECKS_SEEN: N_("You saw what they had checked"),
    EventKind.PASSKEY_ADDED: N_("The passkey was added"),
    EventKind.PASSKEY_REMOVED: N_("The passkey was removed"),
    EventKind.KEY_CHANGED: N_("Everything was locked with a new key"),
    EventKind.RECOVERY_MADE: N_("A recovery code was made"),
    EventKind.RECOVERY_REMOVED: N_("The recovery code was removed"),
    EventKind.RECOVERED: N_("The recovery code opened the wallet, and the passphrase was changed"),
    EventKind.RECEIVED: N_("The certificate was received"),
    EventKind.NOT_RECEIVED: N_("The certificate could not be received"),
    EventKind.DELETED: N_("You deleted the certificate from the wallet"),
    EventKind.PRINCIPAL_TOLD: N_("The wallet of whom you acted for was told"),
    EventKind.PRINCIPAL_NOT_TOLD: N_("The wallet of whom you acted for could not be told"),
    EventKind.ACT_TOLD: N_("You were told of it"),
    EventKind.ACT_SEEN: N_("You saw what was done for you"),
    EventKind.POWER_OVER: N_("The source said that the power has ended"),
}
"""Every kind of event in words."""
STATED = {
    StatementOutcome.DELETED: HAPPENED[EventKind.DELETION_STATED],
    StatementOutcome.PARTLY: N_("They stated what they deleted and what they keep"),
    StatementOutcome.REFUSED: N_("They stated that they keep it"),
}
"""The same of their signed statement, by what it says."""
GOT_NO = N_("They got your no")
_ANSWERED_BY_YOU = N_("You had answered it in another window")
_TOLD_UNANSWERED = N_("The code of the fault was sent to them, but no reply came")
_TOLD_PERHAPS = N_("You chose to tell them of the fault; whether it reached them is not known")


def happened(event: Event, t: Translator, *, then: Event | None, is_refused: bool) -> str:
    """What an event was, in words. `then` is the next one of its entry: what was begun and has no result is unknown.

    `is_refused` tells that the answer was a no, which is then what arrived.
    """
    if event.kind is EventKind.TELLING and (then is None or then.kind is EventKind.TELLING):
        return t(_TOLD_PERHAPS)
    if event.kind is EventKind.ANSWERED and event.facts.get("by_you"):
        return t(_ANSWERED_BY_YOU)
    if event.kind is EventKind.TOLD and event.facts.get("unanswered"):
        return t(_TOLD_UNANSWERED)
    if event.kind is EventKind.DELIVERED and is_refused:
        return t(GOT_NO)
    if event.kind is EventKind.DELETION_STATED:
        return t(STATED[outcome_of(DeletionStatement.model_validate(event.facts["statement"]))])
    return t(HAPPENED[event.kind])


def all_happened(events: Sequence[Event], t: Translator) -> list[tuple[Event, str]]:
    """Every event of an entry with what it was, in words."""
    is_refused = any(one.kind is EventKind.REFUSED for one in events)
    return [(one, happened(one, t, then=then, is_refused=is_refused)) for one, then in zip_longest(events, events[1:])]


def outcome_of(statement: DeletionStatement) -> StatementOutcome:
    """What a statement comes to by what it says: one that keeps something has not deleted everything."""
    is_all = statement.outcome is not StatementOutcome.DELETED or not statement.exceptions
    return statement.outcome if is_all else StatementOutcome.PARTLY


def fault_sentences(faults: Collection[HistoryFault], t: Translator) -> list[str]:
    """The sentences for what was found, in the order of the table."""
    return [t(sentence) for fault, sentence in FAULT_SENTENCES.items() if fault in faults]
