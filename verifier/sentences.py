"""What each check found out, in a sentence that a person can read.

    check_sentence(check, translator)        # "Intyget har dragits tillbaka av den som utfärdade det."

Texts are rows of a table: the name of a check with its outcome, or with a reason that deserves a sentence of its own.
"""

from typing import Final

from schemas.verification import Check, Outcome
from service.i18n import N_, Translator
from verifier.verification import Verdict

_PASSED: Final = {
    "form": N_("What came is in the form that the standard asks for."),
    "signature": N_("The content is unaltered since it was issued."),
    "issuer_trusted": N_("The issuer is one that you trust for this kind of certificate."),
    "type": N_("It is the kind of certificate that you asked for."),
    "holder_binding": N_("The person who showed it holds the key that it was issued to."),
    "audience": N_("It was shown to you and to nobody else."),
    "nonce": N_("It answers exactly this request."),
    "freshness": N_("It was shown just now."),
    "disclosures": N_("Everything shown belongs to the certificate."),
    "dates": N_("It is within its period of validity."),
    "status": N_("It has not been revoked by its issuer."),
    "recency": N_("What it states is recent enough."),
    "query": N_("Everything that you asked for as required is there."),
    "values": N_("The values are among those that you accept."),
    "power_dates": N_("The power to act for another holds today."),
    "power_agents": N_("One person may use the power alone."),
    "power_chain": N_("The power was given by its issuer, and not passed on."),
    "power_scope": N_("The power covers these certificates and you."),
    "power_person": N_("The certificates are about the person acted for."),
    "declaration": N_("The person confirmed what you asked, word for word."),
}

_FAILED: Final = {
    "form": N_("What came is not in the form that the standard asks for."),
    "signature": N_("The content was altered, or was not signed by this issuer."),
    "issuer_trusted": N_("The issuer is not one that you trust for this kind of certificate."),
    "type": N_("It is another kind of certificate than you asked for."),
    "holder_binding": N_("The person who showed it did not prove to hold its key."),
    "audience": N_("It was made for somebody else."),
    "nonce": N_("It answers another request."),
    "freshness": N_("It was made at another time than just now."),
    "disclosures": N_("Something was shown that does not belong to the certificate."),
    "dates": N_("It is outside its period of validity."),
    "status": N_("It is not valid any more."),
    "recency": N_("What it states is not recent enough."),
    "query": N_("Something that you asked for as required is missing."),
    "values": N_("A value is not among those that you accept."),
    "declaration": N_("The person did not confirm what you asked."),
}

_UNKNOWN: Final = {
    "form": N_("We could not find out whether it is in the right form."),
    "signature": N_("We could not find out whether the content is unaltered."),
    "issuer_trusted": N_("We do not know this issuer."),
    "type": N_("We could not find out what kind of certificate it is."),
    "holder_binding": N_("We could not find out whether the person holds its key."),
    "audience": N_("We could not find out whom it was made for."),
    "nonce": N_("We could not find out which request it answers."),
    "freshness": N_("We could not find out when it was shown."),
    "disclosures": N_("We could not find out whether everything shown belongs to it."),
    "dates": N_("We could not find out whether it is within its period of validity."),
    "status": N_("We could not find out whether it has been revoked."),
    "recency": N_("We could not find out of which day it is true."),
    "query": N_("We could not find out whether everything is there."),
    "values": N_("We could not find out whether the values are acceptable."),
    "declaration": N_("We could not find out whether the person confirmed what you asked."),
}

_BY_OUTCOME: Final = {Outcome.PASSED: _PASSED, Outcome.FAILED: _FAILED, Outcome.COULD_NOT_CHECK: _UNKNOWN}

_BY_REASON: Final = {
    "earlier_check_failed": N_("Not looked at, because of what was found before."),
    # proofs/verify.py
    "weak_algorithm": N_("It is signed in a way that is not accepted."),
    "no_issuer_key": N_("No key was found that this issuer could have signed with."),
    "issuer_key_unreachable": N_("The issuer's key could not be fetched."),
    "issuer_unknown": N_("We do not know this issuer."),
    "issuer_mismatch": N_("It was signed by somebody else than it says."),
    "chain_refused": N_("The issuer's own certificate cannot be relied on."),
    "type_not_trusted": N_("You trust this issuer, but not for this kind of certificate."),
    "outside_period": N_("You do not trust this issuer at this time."),
    "missing_key_binding": N_("The person who showed it did not prove to hold its key."),
    "not_bound": N_("It is bound to no key, so anybody could show it."),
    "other_token": N_("The proof of its key belongs to something else."),
    "too_old": N_("It was made too long ago. Somebody may be showing it again."),
    "from_the_future": N_("It was made at a time that has not come yet. A clock may be wrong."),
    "expired": N_("Its period of validity is over."),
    "not_yet_valid": N_("Its period of validity has not begun."),
    "issued_in_future": N_("It was issued at a time that has not come yet. A clock may be wrong."),
    "missing_expiry": N_("It does not say until when it is valid, and you ask for that."),
    "missing_status": N_("It does not say where its validity can be checked, and you ask for that."),
    "unsupported_status": N_("It says where its validity can be checked in a way that we do not know."),
    "list_unreachable": N_("The issuer's list of revoked certificates could not be reached."),
    "list_invalid": N_("The issuer's list of revoked certificates cannot be relied on."),
    "list_stale": N_("The issuer's list of revoked certificates is too old."),
    "out_of_range": N_("It is not in the issuer's list of revoked certificates."),
    "revoked": N_("It has been revoked by its issuer."),
    "suspended": N_("Its issuer has put it on hold."),
    # verifier/policies.py, verifier/verification.py
    "not_certified": N_("Its issuer is known without an electronic certificate, and your service demands one (HAIP)."),
    "issuer_not_accepted": N_("You trust this issuer, but did not ask for its certificates here."),
    "undated": N_("It does not say of which day it is true, and you ask for that."),
    "statement_too_old": N_("It was true on an earlier day than you accept. Ask the person to renew it and come back."),
    "statement_of_a_later_day": N_("It says that it is true of a day that has not come yet."),
    "declaration_missing": N_("The person confirmed nothing."),
    "declaration_elsewhere": N_("It was confirmed with something else than you asked for."),
    "declaration_other_algorithm": N_("It was confirmed in a way that is not accepted."),
    "declaration_other_text": N_("Another sentence was confirmed than yours."),
    "unknown_query": N_("Something came that you did not ask for."),
    # schemas/power.py
    "power_malformed": N_("The power does not say its limits in a known way."),
    "power_not_begun": N_("The power to act for another has not begun."),
    "power_ended": N_("The power to act for another has ended."),
    "power_of_age": N_("The person acted for is 18 and has no guardian any more."),
    "power_age_unknown": N_("The power does not say how old the person acted for is."),
    "power_needs_others": N_("Several people have to act together, and only one has."),
    "power_chained": N_("A power was passed on, or more than one was shown."),
    "power_other_kind": N_("The power does not cover one of the certificates."),
    "power_other_recipient": N_("The power does not cover you."),
    "power_recipient_unknown": N_("We could not find out whether the power covers you."),
    "power_other_person": N_("A certificate is about somebody else than the person acted for."),
    "power_person_unknown": N_("We could not find out whether everything is about the person acted for."),
    # schemas/dcql/recheck.py
    "multiple": N_("More certificates came than you asked for."),
    "more_than_asked": N_("Everything that you asked for is there. More was shown; it was not kept."),
    "several_certificates": N_(
        "Everything that you asked for is there, but it comes from more than one certificate. See which says what."
    ),
    "claim_missing": N_("Something that you asked for is missing."),
    "set_missing": N_("A certificate that you asked for is missing."),
    "authority": N_("It comes from another circle of issuers than you asked for."),
    "value_differs": N_("A value is not among those that you accept."),
    "position_unknown": N_("We could not find out which entry of a list was shown."),
}

_NO_TEXT: Final = {
    Outcome.PASSED: N_("This check held."),
    Outcome.FAILED: N_("This check did not hold."),
    Outcome.COULD_NOT_CHECK: N_("This could not be checked."),
}

_NAMES: Final = {
    "form": N_("Form"),
    "signature": N_("Content unaltered"),
    "issuer_trusted": N_("Issuer trusted"),
    "type": N_("Kind of certificate"),
    "holder_binding": N_("Belongs to the person"),
    "audience": N_("Made for you"),
    "nonce": N_("Answers this request"),
    "freshness": N_("Shown just now"),
    "disclosures": N_("Nothing added"),
    "dates": N_("Within its dates"),
    "status": N_("Not revoked"),
    "recency": N_("Recent enough"),
    "query": N_("Asked and received"),
    "values": N_("Accepted values"),
    "power_dates": N_("Power within its days"),
    "power_agents": N_("Power for one alone"),
    "power_chain": N_("Power not passed on"),
    "power_scope": N_("Power covers this"),
    "power_person": N_("About the person acted for"),
    "declaration": N_("Confirmed"),
}

_VERDICTS: Final = {
    Verdict.ACCEPTED: N_("Everything held."),
    Verdict.REJECTED: N_("Something did not hold. Do not rely on it."),
    Verdict.UNDETERMINED: N_("Something could not be checked. Do not rely on it yet."),
}
_GENUINE: Final = N_("Everything is genuine, but it is not what you accept.")


def check_sentence(check: Check, translator: Translator) -> str:
    """One sentence on what a check found out."""
    text = _BY_REASON.get(check.reason)
    if text is None:
        text = _BY_OUTCOME[check.outcome].get(check.name, _NO_TEXT[check.outcome])
    return translator(text)


def check_name(check: Check, translator: Translator) -> str:
    """What a check is called; its own name when it is unknown here."""
    text = _NAMES.get(check.name)
    return translator(text) if text is not None else check.name


def verdict_sentence(verdict: Verdict, translator: Translator, *, is_genuine: bool = False) -> str:
    """One sentence on what all checks together say; `is_genuine` is that of `RequestRecord`."""
    return translator(_GENUINE if verdict is Verdict.REJECTED and is_genuine else _VERDICTS[verdict])
