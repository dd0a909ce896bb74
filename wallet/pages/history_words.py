"""What a check of the history can find, in a person's words."""

from collections.abc import Collection

from service.i18n import N_, Translator
from wallet.ledger import HistoryFault

NOT_INTACT = N_("The history was changed from outside this wallet. Look at the sharing history.")

FAULT_SENTENCES = {
    HistoryFault.CUT_OFF: N_("The end of the history is missing: something happened later that does not stand here."),
    HistoryFault.MISSING: N_("Something is missing inside the history, or stands in another place."),
    HistoryFault.CHANGED: N_("Something in the history is no longer what was written."),
    HistoryFault.NO_END: N_("The seal at the end of the history is missing or wrong, so that its end may be missing."),
    HistoryFault.EARLIER: N_("Something was wrong with the history earlier. What was written since then is in order."),
}


def fault_sentences(faults: Collection[HistoryFault], t: Translator) -> list[str]:
    """The sentences for what was found, in the order of the table."""
    return [t(sentence) for fault, sentence in FAULT_SENTENCES.items() if fault in faults]
