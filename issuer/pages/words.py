"""Where an offer or a certificate stands, in a word, a symbol and a sentence; and where a value comes from.

`tone` and `icon` are those of the shared pieces. Nothing is said by colour alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from issuer.notification import WalletEvent
from issuer.offers import OfferState
from issuer.status import Status
from schemas.learning.achievement import Source
from service.i18n import N_


@dataclass(frozen=True, slots=True)
class Word:
    """One way to stand. `kind` is stable, for tests and styles."""

    kind: str
    tone: str
    icon: str
    word: str
    sentence: str


OFFERS: dict[OfferState, Word] = {
    OfferState.OFFERED: Word("offered", "quiet", "clock", N_("Offered"), N_("Nobody has opened the offer yet.")),
    OfferState.OPENED: Word("opened", "quiet", "person", N_("Opened"), N_("A wallet has read the offer.")),
    OfferState.REDEEMED: Word(
        "redeemed", "quiet", "person", N_("Being collected"), N_("A wallet is collecting the certificate right now.")
    ),
    OfferState.COLLECTED: Word(
        "collected", "good", "check", N_("Collected"), N_("The person has the certificate in a wallet.")
    ),
    OfferState.EXPIRED: Word(
        "expired", "quiet", "clock", N_("Expired"), N_("The time for collecting is over. You can offer it again.")
    ),
    OfferState.VOIDED: Word(
        "voided", "quiet", "cross", N_("Void"), N_("The offer was made void. You can offer it again.")
    ),
    OfferState.LOCKED: Word(
        "locked",
        "warning",
        "lock",
        N_("Locked"),
        N_("There were too many wrong codes. Offer it again, with a new code."),
    ),
}

CERTIFICATES: dict[Status, Word] = {
    Status.VALID: Word("valid", "good", "check", N_("Valid"), N_("Whoever checks the certificate finds it valid.")),
    Status.SUSPENDED: Word(
        "suspended", "warning", "pause", N_("Suspended"), N_("Whoever checks the certificate finds it suspended.")
    ),
    Status.REVOKED: Word(
        "revoked", "bad", "cross", N_("Revoked"), N_("Whoever checks the certificate finds it revoked, for good.")
    ),
}

TOLD: dict[WalletEvent, str] = {
    WalletEvent.UNKNOWN: N_("Nothing yet. Some wallets never tell anything."),
    WalletEvent.ACCEPTED: N_("It has received the certificate."),
    WalletEvent.FAILURE: N_("It could not receive the certificate."),
    WalletEvent.DELETED: N_("The certificate was deleted there."),
}
"""What a wallet told of its copies."""

SOURCES: dict[Source, str] = {
    Source.ELMO: N_("the ELMO report"),
    Source.CSV: N_("the CSV file"),
    Source.JSON: N_("the JSON file"),
    Source.PROFILE: N_("the institution's profile"),
    Source.SETTINGS: N_("the settings of the service"),
    Source.ADDRESS: N_("the address of the service"),
    Source.DERIVED: N_("derived from another value"),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many offers stand in one way."""

    word: Word
    count: int


def tallies(states: Iterable[OfferState]) -> list[Tally]:
    """How many offers stand in each way, every way named even when there is none."""
    counts = dict.fromkeys(OFFERS, 0)
    for state in states:
        counts[state] += 1
    return [Tally(OFFERS[state], count) for state, count in counts.items()]
