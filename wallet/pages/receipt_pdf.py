"""The receipt as a document to keep (CS-29): all that its page says, and so all that its file says.

content = await pdf_of(receipt_document(entry, t, now=now))
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from service.documents import PAGE_WORDS, Block, Document, Facts, Items, Paragraph, Quote, Section
from service.i18n import N_, Translator
from wallet.ledger import Entry
from wallet.pages.history_view import entry_view
from wallet.pages.receipt_view import receipt_view
from wallet.receipts import receipt_of


def receipt_document(entry: Entry, t: Translator, *, now: datetime) -> Document:
    """The receipt of an entry in the reader's language. Raises `NotFound` for an entry without a decision.

    It is dated with the decision, not with the day on which it is made: the same receipt is always the same file.
    """
    receipt = receipt_of(entry)
    view = entry_view(entry, t, now=now, titles={})
    said = receipt_view(receipt, view, t)
    because: list[Block] = [Quote(view["purpose"], view["begins"])] if view["purpose"] else []
    has_gone = bool(view["shared"] or view["bare"])
    rights: list[Block] = [Paragraph(t(TAKING_BACK))] if has_gone else []
    return Document(
        title=f"{t(N_('Receipt'))}: {view['called']}, {view['day']}",
        language=t.language,
        made_on=(entry.decided_at or entry.at).date(),
        page_words=t.text(PAGE_WORDS),
        blocks=(Paragraph(view["word"]), _facts(said["who"])),
        sections=(
            Section(t(N_("Why, and until when")), (*because, _facts(said["terms"]))),
            Section(t(N_("What went")), tuple(_went(said, view, t))),
            Section(
                t(N_("To take it back or have it deleted") if has_gone else N_("Whom to turn to")),
                (*rights, _facts(said["rights"])),
            ),
            Section(
                t(N_("Step by step")),
                (Items(tuple(f"{words}, {moment}" for words, moment in said["events"]), in_order=True),),
            ),
            Section(t(N_("Figures for checking")), (_facts(said["checking"]),)),
        ),
    )


TAKING_BACK = N_(
    "You can take it back, or ask them to delete it (article 17 of the GDPR). They must answer within one month."
)


def _went(said: Mapping[str, Any], view: Mapping[str, Any], t: Translator) -> list[Block]:
    if not view["shared"] and not view["bare"]:
        return [Paragraph(t(N_("Nothing.")))]
    items = [f"{one['name']} – {one['certificate']}, {one['issuer']}. {one['how']}." for one in said["items"]]
    return [
        Items((*items, *(one["name"] for one in view["bare"]))),
        *(Paragraph(came_along(one, t)) for one in view["came_along"]),
        Paragraph(
            f"{t(N_('A receipt names the items and never tells their values.'))} "
            f"{t(N_('It holds a seal for each value, which only your wallet can open.'))}"
        ),
        *([Paragraph(_confirmed(view, t))] if view["confirmed"] else []),
    ]


def came_along(one: Mapping[str, Any], t: Translator) -> str:
    """What every share of a certificate shows."""
    always = N_("With every share of %(title)s come its kind, its issuer and how long it holds.")
    besides = t(N_("So do: %(items)s."), items=one["items"]) if one["items"] else ""
    return " ".join(part for part in (t(always, title=one["certificate"]), besides, one["title"]) if part)


def _confirmed(view: Mapping[str, Any], t: Translator) -> str:
    return f"{t(N_('%(name)s has confirmed this receipt'), name=view['begins'])}, {view['confirmed']}"


def _facts(facts: Iterable[tuple[str, ...]]) -> Facts:
    return Facts(tuple((name, value) for name, value, *_ in facts))
