"""What is said to somebody who acts for another: why a power is of no use here, and what it says."""

from typing import Any

from service.i18n import N_, Translator
from wallet.decision import Decision, HeldPower
from wallet.naming import plain

FAULTS = {
    "power_not_begun": N_("The power has not begun yet."),
    "power_ended": N_("The power has ended."),
    "power_of_age": N_("They are 18 and decide this themself."),
    "power_age_unknown": N_("The power does not say how old they are."),
    "power_decides_alone": N_("This asks for consent, and from 13 on a child gives that themself."),
    "power_needs_others": N_("Several people have to approve together. This wallet cannot ask the others yet."),
    "power_chained": N_("A power cannot be passed on."),
    "power_other_kind": N_("The power does not cover this kind of certificate."),
    "power_other_recipient": N_("The power does not cover this recipient."),
    "power_recipient_unknown": N_("The power covers certain recipients, and we cannot confirm who is asking."),
    "power_other_person": N_("The certificate is about somebody else."),
    "power_person_unknown": N_("The certificate does not say whom it is about."),
    "power_issuer_unknown": N_("We do not know who gave the power."),
    "power_status_unknown": N_("We could not find out whether the power still holds."),
    "power_not_bound": N_("The power is not tied to your wallet."),
    "power_not_asked": N_("They do not ask for a power, so you can only answer for yourself."),
    "power_names_not_asked": N_("They do not ask who acts for whom, so they could take you for the other."),
}
_MALFORMED = N_("The power cannot be read.")


def acting_view(decision: Decision, t: Translator) -> dict[str, Any]:
    """For whom the answer is, why it cannot be, and for whom it could be."""
    acting = decision.acting
    return {
        "acting_for": plain(acting.held.principal_name) if acting is not None else "",
        "acting": {
            "agent": plain(acting.held.power.agent.name()),
            "issuer": acting.held.certificate.issuer_name,
            "until": t.date(acting.held.power.ends_on),
            "confirmed": decision.chosen.acting_confirmed,
            "faults": [t(FAULTS.get(fault, _MALFORMED)) for fault in acting.faults],
        }
        if acting is not None
        else None,
        "powers": [
            _power(one, t)
            for one in decision.powers
            if acting is None or one.certificate.id != acting.held.certificate.id
        ],
    }


def _power(one: HeldPower, t: Translator) -> dict[str, str]:
    return {
        "id": one.certificate.id,
        "name": plain(one.principal_name),
        "issuer": one.certificate.issuer_name,
        "until": t.date(one.power.ends_on),
    }
