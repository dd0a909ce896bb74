"""What the stable reasons of the domain are called in front of a person: a word, a sentence, and what to do."""

from dataclasses import dataclass

from schemas.issuance import TxCode
from service.i18n import N_, Translator
from wallet.naming import plain
from wallet.vouching import IssuerStanding, Vouched


@dataclass(frozen=True, slots=True)
class Words:
    """A short word or heading, a sentence that explains it, and what to do now (both English msgids)."""

    title: str
    text: str
    advice: str = ""


_STANDINGS = {
    "valid": Words(N_("Valid"), N_("The issuer vouches for this certificate.")),
    "no_status": Words(
        N_("Genuine"), N_("The signature holds. This issuer does not publish whether certificates are revoked.")
    ),
    "revoked": Words(N_("Revoked by the issuer"), N_("The issuer no longer vouches for this certificate.")),
    "suspended": Words(
        N_("Paused by the issuer"), N_("The issuer does not vouch for this certificate for the time being.")
    ),
    "expired": Words(N_("Expired"), N_("The time for which this certificate was issued has ended.")),
    "not_yet_valid": Words(N_("Not valid yet"), N_("The time for which this certificate was issued has not begun.")),
    "unknown_issuer": Words(
        N_("Unknown issuer"), N_("This wallet does not know the issuer and cannot tell who made this certificate.")
    ),
    "not_genuine": Words(N_("Not genuine"), N_("The last check of this certificate did not hold.")),
    "not_checked": Words(
        N_("Status could not be checked"),
        N_("The signature holds. Whether the issuer has revoked the certificate could not be found out."),
    ),
}

_ASK_NEW = N_("Ask the issuer for a new offer.")
_ASK_ISSUER = N_("Tell the issuer the code under “For support”.")
_TRY_LATER = N_("Try again in a while. Nothing is lost.")

PROBLEMS = {
    # Before anything was sent that could be spent
    "unreadable_link": Words(
        N_("This is not a link to a certificate"),
        N_("The text is neither a link nor a code that a wallet can read."),
        N_("Copy the whole link, or type the whole code, for example university.example/4K7M2-9QX3T."),
    ),
    "unreachable": Words(N_("The issuer does not answer"), N_("Nothing came back in time."), _TRY_LATER),
    "host_unreachable": Words(
        N_("Whoever the code leads to does not answer"), N_("Nothing came back in time."), _TRY_LATER
    ),
    "address_refused": Words(
        N_("This wallet may not ask that address"),
        N_("It is not a public address with https. Nothing was sent."),
        N_("Ask whoever runs the wallet."),
    ),
    "busy": Words(N_("The issuer is busy"), N_("It asks us to come back later."), _TRY_LATER),
    "offer_gone": Words(N_("The offer is no longer there"), N_("It was used, has expired or was withdrawn."), _ASK_NEW),
    "code_unknown": Words(
        N_("The code is unknown"),
        N_("It was mistyped, or it has expired. Codes are good for a short time only."),
        N_("Check the code and try again, or ask for a new one."),
    ),
    "not_an_offer": Words(
        N_("This is not an offer"), N_("The link does not lead to a certificate that is offered."), _ASK_NEW
    ),
    "malformed": Words(
        N_("The offer cannot be read"), N_("It does not follow the rules for offers. Nothing was sent."), _ASK_ISSUER
    ),
    "issuer_mismatch": Words(
        N_("The offer does not fit its issuer"),
        N_("Who makes the offer and who answers for it are not the same. Nothing was sent."),
        N_("Do not use this link. Ask the issuer in another way."),
    ),
    "server_mismatch": Words(
        N_("The offer does not fit its issuer"),
        N_("The offer points to a service that does not belong to the issuer. Nothing was sent."),
        N_("Do not use this link. Ask the issuer in another way."),
    ),
    "unknown_configuration": Words(
        N_("The issuer does not know what it offers"),
        N_("The offered certificate is missing in the issuer's own list. Nothing was sent."),
        _ASK_ISSUER,
    ),
    "grant_not_supported": Words(
        N_("This wallet cannot collect this offer"),
        N_("The issuer hands out certificates in a way that this wallet does not know."),
    ),
    "not_issued_there": Words(
        N_("This issuer does not have that certificate"), N_("It does not list it. Nothing was fetched.")
    ),
    "not_allowed": Words(
        N_("Nothing was fetched"),
        N_("You said no at the issuer, or it found no record of yours."),
        N_("You can sign in again whenever you want."),
    ),
    "sign_in_again": Words(
        N_("The sign-in took too long"),
        N_("What you allowed was no longer good when we came to fetch it. Nothing was fetched."),
        N_("Sign in again."),
    ),
    "format_not_supported": Words(
        N_("This wallet cannot keep this kind of certificate"), N_("It is of a format that this wallet does not know.")
    ),
    "encryption_not_supported": Words(
        N_("This wallet cannot collect this offer"), N_("The issuer demands an encryption that this wallet lacks.")
    ),
    "proof_not_supported": Words(
        N_("This wallet cannot collect this offer"), N_("The issuer demands keys of a kind that this wallet lacks.")
    ),
    # While collecting
    "wrong_code": Words(
        N_("The code did not work"),
        N_("It is another code, or the offer was used or has expired."),
        N_(
            "Check the code and try again. After a few wrong tries the offer is locked, and you must ask for a new one."
        ),
    ),
    "wrong_code_or_lost": Words(
        N_("The code did not work"),
        N_("It is another code, or an earlier answer of the issuer was lost on the way."),
        N_(
            "Check the code and try again. After a few wrong tries the offer is locked, and you must ask for a new one."
        ),
    ),
    "offer_used": Words(N_("The offer can no longer be used"), N_("It was used already, or it has expired."), _ASK_NEW),
    "answer_lost": Words(
        N_("The issuer's answer was lost"),
        N_("The connection broke while we asked, and the offer works only once. No certificate was issued."),
        _ASK_NEW,
    ),
    "answer_unreadable": Words(
        N_("The issuer's answer cannot be read"), N_("It does not follow the rules. Nothing was stored."), _ASK_ISSUER
    ),
    "token_not_supported": Words(
        N_("This wallet cannot collect this offer"), N_("The issuer demands a protection that this wallet lacks.")
    ),
    "wallet_not_known": Words(
        N_("The issuer does not accept this wallet"), N_("It gives certificates only to wallets that it knows.")
    ),
    "refused_by_issuer": Words(N_("The issuer said no"), N_("It refused to hand out the certificate."), _ASK_ISSUER),
    "not_granted": Words(
        N_("The issuer gave less than we asked for"),
        N_("This one was left out when it was allowed there."),
        N_("You can fetch it by itself."),
    ),
    "too_many": Words(
        N_("There are too many at once"),
        N_("The issuer has more of these than the wallet fetches at once. The first ones were fetched."),
        _ASK_ISSUER,
    ),
    "one_at_a_time": Words(
        N_("This issuer gives one certificate at a time"),
        N_("Nothing was fetched. The others come after this one."),
        N_("Sign in again."),
    ),
    "denied": Words(N_("The issuer said no"), N_("It will not issue this certificate."), _ASK_ISSUER),
    "too_late": Words(
        N_("Too much time has passed"),
        N_("The issuer lets a certificate be collected for some minutes only."),
        _ASK_NEW,
    ),
    "fetched_elsewhere": Words(
        N_("It was fetched in your other wallet"),
        N_("It came here in a saved wallet, and can be fetched once only."),
        N_("Save your other wallet again and read in that file, or ask the issuer for a new offer."),
    ),
    "stayed_behind": Words(
        N_("It cannot be fetched in this wallet"),
        N_("It came here in a saved wallet. What is needed to ask for it this late stayed in the other one."),
        N_("Fetch it in your other wallet, or ask the issuer for a new offer."),
    ),
    "deferred_not_supported": Words(
        N_("The certificate is not ready yet"),
        N_("The issuer needs more time. This wallet cannot come back for it by itself yet."),
        N_("Ask the issuer for a new offer when the certificate is ready."),
    ),
    # After examination
    "not_genuine": Words(
        N_("The certificate is not genuine"),
        N_("Its signature or its contents do not hold. It was not stored."),
        _ASK_ISSUER,
    ),
    "not_readable": Words(
        N_("The certificate cannot be read"), N_("It does not follow the rules. It was not stored."), _ASK_ISSUER
    ),
    "already_shown": Words(
        N_("The certificate was shown before"),
        N_("It carries somebody's proof of having shown it. It was not stored."),
        _ASK_ISSUER,
    ),
    "other_key": Words(
        N_("The certificate is not made for this wallet"),
        N_("It is bound to a key that this wallet did not make. It was not stored."),
        _ASK_ISSUER,
    ),
    "copies_differ": Words(
        N_("The copies do not say the same"),
        N_("Their contents differ from each other. They were not stored."),
        _ASK_ISSUER,
    ),
    "not_entitled": Words(
        N_("This wallet does not trust the issuer for this certificate"),
        N_("The wallet knows the issuer, but not for this kind of certificate. It was not stored."),
        N_("Ask whoever runs this wallet to trust the issuer for this kind, and say the code under “For support”."),
    ),
    "not_yet_entitled": Words(
        N_("This wallet does not trust the issuer for this certificate"),
        N_("The wallet knows the issuer, but not for this kind of certificate. The offer is unused."),
        N_("Ask whoever runs this wallet to trust the issuer for this kind. Then try the same link again."),
    ),
    "not_trusted_now": Words(
        N_("This wallet does not trust the issuer at this time"),
        N_("The wallet knows the issuer, but the trust has ended or has not begun. The offer is unused."),
        N_("Ask whoever runs this wallet to trust the issuer. Then try the same link again."),
    ),
    "other_type": Words(
        N_("The certificate is of another kind"), N_("It is not what was offered. It was not stored."), _ASK_ISSUER
    ),
    "breaks_type": Words(
        N_("The certificate does not keep to its kind"),
        N_("Something is missing, or cannot be hidden as it should. It was not stored."),
        _ASK_ISSUER,
    ),
    "expired": Words(
        N_("The certificate is out of date"), N_("It is not valid at this time. It was not stored."), _ASK_NEW
    ),
    "revoked": Words(
        N_("The certificate was revoked already"),
        N_("The issuer no longer vouches for it. It was not stored."),
        _ASK_NEW,
    ),
    "suspended": Words(
        N_("The certificate is paused"),
        N_("The issuer does not vouch for it for the time being. It was not stored."),
        _ASK_NEW,
    ),
    "not_checked": Words(
        N_("The certificate could not be checked"), N_("Something needed for the check could not be had."), _ASK_NEW
    ),
    "not_wanted": Words(N_("You chose not to keep it"), N_("Nothing was stored.")),
}

CHECK_SENTENCES = {
    "form": N_("The certificate is written as the rules demand."),
    "signature": N_("The signature fits what is written: nothing has been changed."),
    "issuer_trusted": N_("The issuer is one that this wallet trusts for this kind of certificate."),
    "type": N_("It is the kind of certificate that it says it is."),
    "holder_binding": N_("It is bound to a key that only this wallet has."),
    "disclosures": N_("Every item belongs to the certificate."),
    "dates": N_("Today lies within the time for which it was issued."),
    "status": N_("The issuer has not revoked it."),
}


def standing_words(word: str) -> Words:
    """How a certificate stands, in words."""
    return _STANDINGS[word]


def tx_code_words(form: TxCode | None, t: Translator) -> str:
    """What a transaction code looks like: "6 digits", "4 characters", "digits only"."""
    form = form or TxCode()
    if form.input_mode != "text":
        return t.plural("%(num)s digit", "%(num)s digits", form.length) if form.length else t(N_("digits only"))
    if form.length:
        return t.plural("%(num)s character", "%(num)s characters", form.length)
    return t(N_("letters or digits"))


def problem_words(problem: str) -> Words:
    """Why a collection did not go on, in words."""
    return PROBLEMS.get(problem, PROBLEMS["refused_by_issuer"])


_VOUCHED = N_(
    "This wallet trusts this issuer, as %(name)s. Whether the certificate is really from it is checked when it arrives."
)
_NOT_KNOWN_BEFORE = N_(
    "Whether this wallet trusts the issuer is not known before the certificate arrives. "
    "The offer may be used up by then."
)


def standing_line(standing: IssuerStanding, t: Translator) -> str:
    """What is known of an issuer before anything is collected; "" where a problem says it."""
    if standing.vouched is Vouched.YES:
        return t(_VOUCHED, name=plain(standing.name))
    return t(_NOT_KNOWN_BEFORE) if standing.vouched is Vouched.UNKNOWN else ""
