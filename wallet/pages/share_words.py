"""What the stable names of a share are called in front of a person: obstacles, outcomes, bases, faults.

Warnings have their words in `warning_words.py`.
"""

from dataclasses import dataclass

from schemas.consent import Basis
from service.i18n import N_
from wallet.decision import Obstacle
from wallet.ledger import Outcome
from wallet.requests import WRONG_SENDER, CameBy
from wallet.sensitivity import Kind

CAME_BY = {
    CameBy.LINK: N_("It came by a link that was opened in this browser."),
    CameBy.PASTED: N_("It came by a link that you pasted."),
    CameBy.PICTURE: N_("It came by a picture of a QR code."),
    CameBy.CAMERA: N_("It came by a QR code that you scanned."),
    CameBy.CODE: N_("It came by a code that you typed."),
    CameBy.COMMAND: N_("It came by a link on the command line."),
}


@dataclass(frozen=True, slots=True)
class ArrivalWords:
    """What is asked of whoever brings a request, with the host that it names and without one, and what to do else."""

    asks: str
    asks_of_nobody: str
    otherwise: str


_STARTED = N_("Did you start this yourself, just now, at %(host)s?")
_OF_A_LINK = ArrivalWords(
    _STARTED,
    N_("The link does not say who it is from. Did you start this yourself, just now?"),
    N_("If you did not expect the link, stop. Whoever it comes from would get what you share."),
)
_OF_A_CODE = ArrivalWords(
    _STARTED,
    N_("The code does not say who it is from. Did you start this yourself, just now?"),
    N_("If you did not expect the code, stop. Whoever it comes from would get what you share."),
)
ARRIVALS = {
    CameBy.LINK: _OF_A_LINK,
    CameBy.PASTED: _OF_A_LINK,
    CameBy.PICTURE: ArrivalWords(
        _STARTED,
        N_("The picture does not say who it is from. Did you start this yourself, just now?"),
        N_("If you did not expect the picture, stop. Whoever it comes from would get what you share."),
    ),
    CameBy.CAMERA: _OF_A_CODE,
    CameBy.CODE: ArrivalWords(
        # Who types a code got it from somebody, and has started nothing.
        N_("Did you get this code from %(host)s, or do you expect this request?"),
        _OF_A_CODE.asks_of_nobody,
        _OF_A_CODE.otherwise,
    ),
    CameBy.COMMAND: _OF_A_LINK,
}
"""The strong question, for each way in which a request can come (OA-12, S0)."""

KINDS = {
    Kind.BIOMETRIC: N_("Biometric data"),
    Kind.PORTRAIT: N_("A picture of you"),
    Kind.IDENTITY_NUMBER: N_("A number that identifies you"),
    Kind.HEALTH: N_("About your health"),
    Kind.ADDRESS: N_("Where you live"),
    Kind.FAILED_GRADE: N_("A course you did not pass"),
    Kind.UNION: N_("Membership in a union"),
}

OBSTACLES = {
    Obstacle.EXPIRED: N_("It has expired."),
    Obstacle.NOT_YET_VALID: N_("It is not valid yet."),
    Obstacle.REVOKED: N_("The issuer has revoked it."),
    Obstacle.SUSPENDED: N_("The issuer has paused it."),
    Obstacle.OUTDATED: N_("It is true of an earlier day than they accept. Fetch it again, and come back here."),
    Obstacle.POWER_NOT_CHOSEN: N_("Choose first for whom you answer."),
    Obstacle.ABOUT_ANOTHER: N_("It is about somebody whom you act for. It is shown only together with the power."),
    Obstacle.NOT_ABOUT_THEM: N_("It does not say that it is about the person whom you act for."),
    Obstacle.NO_COPIES: N_("All its one-time copies have been used. Ask the issuer for new ones."),
}

NOTHING_FITS = N_("Nothing in this wallet answers what they ask for.")

KNOWN = {
    "valid": N_("The issuer had not revoked it on %(moment)s."),
    "unknown": N_("Not known whether it still holds. We last tried to find out on %(moment)s."),
    "none": N_("This issuer does not publish whether certificates are revoked."),
}

NO_LONGER = {
    "revoked": N_("The issuer has revoked %(title)s. That may be why."),
    "suspended": N_("The issuer has paused %(title)s. That may be why."),
}

LATER = {
    "revoked": N_("Later revoked by the issuer: %(title)s. So it stood when this wallet last looked, on %(day)s."),
    "suspended": N_("Later paused by the issuer: %(title)s. So it stood when this wallet last looked, on %(day)s."),
}
"""What became of a certificate after it was shown. When the issuer did it is not published."""

BASES = {
    Basis.CONSENT: N_("Your consent. They may use it only as long as you agree."),
    Basis.CONTRACT: N_("A contract with you, or something you asked for before one."),
    Basis.LEGAL_OBLIGATION: N_("A law that obliges them."),
    Basis.VITAL_INTERESTS: N_("To protect somebody's life."),
    Basis.PUBLIC_TASK: N_("A task in the public interest. You may object."),
    Basis.LEGITIMATE_INTEREST: N_("An interest of theirs that they say weighs more than yours. You may object."),
}


@dataclass(frozen=True, slots=True)
class OutcomeWords:
    """A word for lists and filters, and the look of its symbol."""

    word: str
    state: str
    icon: str = ""


OUTCOMES = {
    Outcome.SHARED: OutcomeWords(N_("Shared"), "good", "share"),
    Outcome.UNKNOWN: OutcomeWords(N_("Unknown whether it arrived"), "warning", "question"),
    Outcome.NOT_DELIVERED: OutcomeWords(N_("Not delivered"), "warning"),
    Outcome.NOT_ACCEPTED: OutcomeWords(N_("Arrived, not accepted"), "warning"),
    Outcome.REFUSED: OutcomeWords(N_("Not shared"), "quiet", "lock"),
    Outcome.NO_ANSWER: OutcomeWords(N_("No answer given"), "quiet", "clock"),
    Outcome.ANSWERED: OutcomeWords(N_("Answered already"), "quiet"),
    Outcome.OPEN: OutcomeWords(N_("Waiting for you"), "quiet", "clock"),
    Outcome.FAULTY: OutcomeWords(N_("Faulty request"), "warning"),
    Outcome.RECEIVED: OutcomeWords(N_("Received"), "good", "certificate"),
    Outcome.NOT_RECEIVED: OutcomeWords(N_("Not received"), "warning"),
    Outcome.DELETED: OutcomeWords(N_("Deleted from the wallet"), "quiet"),
    Outcome.DONE_FOR_YOU: OutcomeWords(N_("Done for you"), "quiet", "share"),
    Outcome.PASSKEY_ADDED: OutcomeWords(N_("Passkey added"), "quiet", "lock"),
    Outcome.PASSKEY_REMOVED: OutcomeWords(N_("Passkey removed"), "quiet", "lock"),
    Outcome.KEY_CHANGED: OutcomeWords(N_("Locked anew"), "quiet", "lock"),
    Outcome.RECOVERY_MADE: OutcomeWords(N_("Recovery code made"), "quiet", "lock"),
    Outcome.RECOVERY_REMOVED: OutcomeWords(N_("Recovery code removed"), "quiet", "lock"),
    Outcome.RECOVERED: OutcomeWords(N_("Opened with the recovery code"), "warning", "lock"),
}


@dataclass(frozen=True, slots=True)
class FaultWords:
    """What happened, and what to do."""

    title: str
    text: str
    advice: str


_ASK_AGAIN = N_("Ask the sender for a new link.")
_TELL_THEM = N_("The sender has to mend this. You have done nothing wrong.")

_OTHER_FAULT = FaultWords(N_("This request cannot be shown"), N_("It does not follow the rules."), _TELL_THEM)
_WRONG_SENDER = FaultWords(
    N_("The sender does not fit the request"),
    N_("What the request says about its sender does not belong together."),
    N_("Do not go on. If you know the sender, tell them in another way."),
)
FAULTS = {
    "invalid_request_object": FaultWords(
        N_("The request is not genuine"),
        N_("Its signature does not hold, or it was changed on the way."),
        N_("Do not go on. If you know the sender, tell them in another way."),
    ),
    WRONG_SENDER: _WRONG_SENDER,
    "invalid_client": _WRONG_SENDER,  # In entries of the history from before there were kinds.
    "vp_formats_not_supported": FaultWords(
        N_("They ask for a kind of certificate that this wallet does not have"),
        N_("Nothing in this wallet could answer the request."),
        _TELL_THEM,
    ),
    "invalid_transaction_data": FaultWords(
        N_("They want you to sign something that this wallet does not understand"),
        N_("What you cannot read, you should not sign. The wallet has stopped."),
        _TELL_THEM,
    ),
    "invalid_request_uri_method": FaultWords(
        N_("The link of the request is faulty"), N_("It does not say in a known way how to fetch it."), _ASK_AGAIN
    ),
    "request_expired": FaultWords(N_("The request has ended"), N_("The time for answering has passed."), _ASK_AGAIN),
    "address_refused": FaultWords(
        N_("This wallet may not ask that address"),
        N_("It is not a public address with https. Nothing was sent."),
        N_("Ask whoever runs the wallet."),
    ),
    "request_unreachable": FaultWords(
        N_("The request could not be fetched"), N_("The sender did not answer, or has no request there."), _ASK_AGAIN
    ),
}


def fault_words(kind: str) -> FaultWords:
    """The words for the kind of a fault, which is its code but for `WRONG_SENDER`."""
    return FAULTS.get(kind, _OTHER_FAULT)
