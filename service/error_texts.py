"""What an error page says: what happened, what was not lost, what to do. English msgids, no codes in the sentences."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.i18n import N_


@dataclass(frozen=True, slots=True)
class ErrorTexts:
    """The three sentences of an error page."""

    what_happened: str
    what_was_not_lost: str
    what_to_do: str


_NOTHING_CHANGED = N_("Nothing was changed and nothing was sent.")
_UNKNOWN_CHANGE = N_("What was already saved is still there.")

BY_CODE: Mapping[str, ErrorTexts] = {
    "forged_form": ErrorTexts(
        N_("This page had become too old to be used"),
        _NOTHING_CHANGED,
        N_("Go back, load the page again and try once more."),
    ),
    "login_required": ErrorTexts(
        N_("You need to sign in to see this"),
        _NOTHING_CHANGED,
        N_("Sign in and come back to this address."),
    ),
}

BY_STATUS: Mapping[int, ErrorTexts] = {
    400: ErrorTexts(
        N_("This could not be done as it was asked"),
        _NOTHING_CHANGED,
        N_("Go back and look over what you entered, or start again from the link you were given."),
    ),
    401: ErrorTexts(
        N_("You need to sign in to see this"), _NOTHING_CHANGED, N_("Sign in and come back to this address.")
    ),
    403: ErrorTexts(
        N_("You are not allowed to do this"),
        _NOTHING_CHANGED,
        N_("Ask whoever runs this service if you think you should be."),
    ),
    404: ErrorTexts(
        N_("There is nothing at this address"),
        _NOTHING_CHANGED,
        N_("Check the address, or start from the first page."),
    ),
    405: ErrorTexts(N_("This address is not used in that way"), _NOTHING_CHANGED, N_("Start from the first page.")),
    413: ErrorTexts(
        N_("What was sent is too large"), _NOTHING_CHANGED, N_("Choose a smaller file, or send less at a time.")
    ),
    422: ErrorTexts(
        N_("Something is missing in what was sent, or is not of the right kind"),
        _NOTHING_CHANGED,
        N_("Go back and look over what you entered."),
    ),
    429: ErrorTexts(
        N_("There were too many attempts in a short time"), _NOTHING_CHANGED, N_("Wait a minute and try again.")
    ),
    500: ErrorTexts(
        N_("Something went wrong here, and it is our fault"),
        _UNKNOWN_CHANGE,
        N_("Try again. If it happens again, give the code below to whoever runs this service."),
    ),
    503: ErrorTexts(
        N_("The service is busy right now"), _NOTHING_CHANGED, N_("Wait a moment and load the page again.")
    ),
}


def texts_for(code: str, status: int, further: Mapping[str, ErrorTexts]) -> ErrorTexts:
    """The sentences for an error: by its code (the service's own first), else by its status, else in general."""
    general = BY_STATUS[500] if status >= 500 else BY_STATUS[400]
    return further.get(code) or BY_CODE.get(code) or BY_STATUS.get(status) or general
