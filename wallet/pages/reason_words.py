"""Why something did not arrive or was not answered, in a person's words.

The codes themselves are for whoever mends it: pages keep them folded away, and a code that nobody here knows has no
words, since what happened is said beside it.
"""

from typing import Final

from service.i18n import N_, Translator

OF_PERMISSIONS: Final = {
    "more_than_allowed": N_("Their answer says more than you allowed. It does not count."),
    "answer_not_valid": N_("Their answer cannot be relied on."),
    "no_answer": N_("No answer came."),
}
REASONS: Final = {
    **OF_PERMISSIONS,
    "address_refused": N_("Their address is not a public one with https."),
    "unreachable": N_("They could not be reached."),
    "no_statement": N_("Their answer does not say what they deleted."),
    "statement_not_valid": N_("What they sent cannot be relied on."),
    "too_many_requests": N_("They want the wallet to wait."),
    "not_found": N_("They say that they do not know what it is about."),
    "refused_again": N_("It had been sent before, and they may have it since then."),
    "no_such_address": N_("That address does not exist any more."),
    "no_power": N_("The power is not in this wallet any more."),
}
_BY_STATUS: Final = {
    "http_3": N_("Their address leads to another one, which the wallet does not follow."),
    "http_5": N_("Something is wrong at their end."),
}


def reason_words(code: str, t: Translator) -> str:
    """The sentence for a reason; "" for one that adds nothing to what is said beside it."""
    words = REASONS.get(code) or _BY_STATUS.get(code[:6], "")
    return t(words) if words else ""
