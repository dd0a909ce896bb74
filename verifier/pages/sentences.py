"""What each check found, in a sentence that a person can read.

    check_sentence(Check("status", Outcome.FAILED, "revoked"))    # "The issuer has taken the certificate back."

Every text here is a msgid: the page translates it. A reason that has no sentence of its own gets the one of its check.
"""

from collections.abc import Mapping
from typing import Final

from schemas.verification import Check, Outcome
from service.i18n import N_
from verifier.verification import Verdict

PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.COULD_NOT_CHECK

CHECK_TITLES: Final[Mapping[str, str]] = {
    "form": N_("Form of the answer"),
    "signature": N_("Content unaltered"),
    "issuer_trusted": N_("Issuer trusted"),
    "type": N_("Kind of certificate"),
    "holder_binding": N_("Belongs to the person who answered"),
    "audience": N_("Made for us"),
    "nonce": N_("Belongs to this request"),
    "freshness": N_("Made just now"),
    "disclosures": N_("Everything shown is signed"),
    "dates": N_("Within its dates"),
    "status": N_("Not taken back"),
    "query": N_("Asked and received"),
    "values": N_("Values asked for"),
}

_SENTENCES: Final[Mapping[tuple[str, Outcome], str]] = {
    ("form", PASSED): N_("The answer has the form it should have."),
    ("form", FAILED): N_("The answer does not have the form it should have, so nothing in it counts."),
    ("form", UNKNOWN): N_("We could not read the form of the answer."),
    ("signature", PASSED): N_("The certificate is exactly what its issuer signed."),
    ("signature", FAILED): N_("The signature does not hold: the certificate is not what an issuer signed."),
    ("signature", UNKNOWN): N_("We could not get the issuer's key, so we do not know whether the signature holds."),
    ("issuer_trusted", PASSED): N_("You have said that you trust this issuer for this kind of certificate."),
    ("issuer_trusted", FAILED): N_("This issuer is not one that you trust for this kind of certificate."),
    ("issuer_trusted", UNKNOWN): N_("This issuer is not in your list, so we do not know whether it can be trusted."),
    ("type", PASSED): N_("It is the kind of certificate that you asked for."),
    ("type", FAILED): N_("It is another kind of certificate than the one you asked for."),
    ("type", UNKNOWN): N_("We could not find out what kind of certificate it is."),
    ("holder_binding", PASSED): N_("The person who answered holds the key that the certificate was issued to."),
    ("holder_binding", FAILED): N_("The answer was not made with the key that the certificate was issued to."),
    ("holder_binding", UNKNOWN): N_("We could not check who holds the certificate's key."),
    ("audience", PASSED): N_("The answer was made for you and nobody else."),
    ("audience", FAILED): N_("The answer was made for somebody else."),
    ("audience", UNKNOWN): N_("We could not check whom the answer was made for."),
    ("nonce", PASSED): N_("The answer was made for this request, and had not been used before."),
    ("nonce", FAILED): N_("The answer was made for another request."),
    ("nonce", UNKNOWN): N_("We could not check which request the answer was made for."),
    ("freshness", PASSED): N_("The answer was made when it was sent."),
    ("freshness", FAILED): N_("The answer was made too long ago, or by a clock that is wrong."),
    ("freshness", UNKNOWN): N_("We could not check when the answer was made."),
    ("disclosures", PASSED): N_("Everything that was shown belongs to what the issuer signed."),
    ("disclosures", FAILED): N_("Something that was shown does not belong to what the issuer signed."),
    ("disclosures", UNKNOWN): N_("We could not check whether everything shown was signed."),
    ("dates", PASSED): N_("The certificate was valid when it was shown."),
    ("dates", FAILED): N_("The certificate was not valid when it was shown."),
    ("dates", UNKNOWN): N_("We could not check the dates of the certificate."),
    ("status", PASSED): N_("The issuer had not taken the certificate back."),
    ("status", FAILED): N_("The issuer does not let the certificate count any longer."),
    ("status", UNKNOWN): N_("We could not ask whether the issuer has taken the certificate back."),
    ("query", PASSED): N_("You received what you asked for."),
    ("query", FAILED): N_("What you received is not what you asked for."),
    ("query", UNKNOWN): N_("We could not check whether you received what you asked for."),
    ("values", PASSED): N_("The values are among those that your request accepts."),
    ("values", FAILED): N_("A value is another than those that your request accepts."),
    ("values", UNKNOWN): N_("We could not compare the values with those that your request accepts."),
}

_EARLIER: Final = N_("Not looked at, because something before it did not hold.")

_REASONS: Final[Mapping[tuple[str, str], str]] = {
    ("issuer_trusted", "issuer_not_accepted"): N_("You trust this issuer, but this request does not accept it."),
    ("dates", "expired"): N_("The certificate had expired when it was shown."),
    ("dates", "not_yet_valid"): N_("The certificate was not valid yet when it was shown."),
    ("status", "revoked"): N_("The issuer has taken the certificate back."),
    ("status", "suspended"): N_("The issuer has put the certificate on hold."),
    ("status", "list_unreachable"): N_("The issuer's list of certificates taken back could not be reached."),
    ("status", "list_invalid"): N_("The issuer's list of certificates taken back could not be trusted."),
    ("form", "unknown_query"): N_("The answer holds something that you did not ask for, so nothing in it counts."),
    ("form", "multiple"): N_("Several certificates came where you asked for one, so nothing in the answer counts."),
    ("query", "more_than_asked"): N_("You received what you asked for. The wallet showed more; that is not kept."),
    ("query", "set_missing"): N_("Something that you cannot do without did not come."),
    ("query", "claim_missing"): N_("A detail that you asked for did not come."),
    ("query", "multiple"): N_("Several certificates came where you asked for one."),
    ("query", "unknown_query"): N_("Something came that you did not ask for."),
    ("query", "type"): N_("A certificate of another kind came than the one you asked for."),
    ("query", "authority"): N_("The certificate comes from an issuer that this request does not accept."),
}

VERDICTS: Final[Mapping[Verdict, tuple[str, str, str]]] = {
    Verdict.ACCEPTED: ("good", N_("Every check held"), N_("You can rely on what was shown, as far as the checks go.")),
    Verdict.REJECTED: ("bad", N_("Something did not hold"), N_("Do not rely on this answer. The lines below say why.")),
    Verdict.UNDETERMINED: (
        "warning",
        N_("Something could not be checked"),
        N_("We do not know whether you can rely on this answer. The lines below say what is unknown."),
    ),
}


def check_title(check: Check) -> str:
    """What a check is called, as a msgid; its own name when it is one that we do not know."""
    return CHECK_TITLES.get(check.name, check.name.replace("_", " "))


def check_sentence(check: Check) -> str:
    """What the check found, as a msgid. A check that was not reached says that, whatever its name."""
    if check.reason == "earlier_check_failed":
        return _EARLIER
    specific = _REASONS.get((check.name, check.reason))
    return specific or _SENTENCES.get((check.name, check.outcome), "")
