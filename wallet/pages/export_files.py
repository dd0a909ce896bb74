"""The parts of an exported wallet that people read: an index as HTML, and the receipts; and a try-out for imports."""

from collections.abc import Iterable
from datetime import datetime
from html import escape

from proofs import strict_json
from service.i18n import LANGUAGES, N_, Catalogues, Translator
from wallet.cards import read_card
from wallet.certificates import StoredCertificate
from wallet.collection import Collection
from wallet.histories import Book
from wallet.my_data import holdings
from wallet.pages.history_view import entry_view
from wallet.pages.take_back_words import standing_view
from wallet.pages.waiting import issuer_name, part_titles
from wallet.receipts import has_receipt, receipt_file
from wallet.taking_back import can_take_back, standing_of


def readable_files(
    certificates: Iterable[StoredCertificate], book: Book, t: Translator, *, now: datetime
) -> dict[str, bytes]:
    """`index.html` with all certificates and the history; the receipt of each decision; the statements on deletion."""
    receipts = {
        f"receipts/{entry.id}.json": strict_json.dumps(receipt_file(entry))
        for entry in book.entries
        if has_receipt(entry)
    }
    statements = {
        f"statements/{entry.id}-{number}.jwt": str(event.facts["token"]).encode("ascii")
        for entry in book.entries
        if can_take_back(entry)
        for number, (event, _) in enumerate(standing_of(entry, now=now, time_zone=t.time_zone).statements, start=1)
    }
    return {"index.html": _index(certificates, book, t, now=now).encode(), **receipts, **statements}


def try_out(
    certificates: list[StoredCertificate],
    book: Book,
    collections: list[Collection],
    *,
    catalogues: Catalogues,
    now: datetime,
) -> None:
    """Make what every page about a vault is made of, in both languages; raises whatever is wrong with it."""
    for language in LANGUAGES:
        t = catalogues.translator(language)
        readable_files(certificates, book, t, now=now)
        holdings(certificates, book.entries, language=language)
        for one in collections:
            issuer_name(one, t)
            part_titles(one, t)
        for entry in book.entries:
            standing_view(entry, standing_of(entry, now=now, time_zone=t.time_zone), t)


def _index(certificates: Iterable[StoredCertificate], book: Book, t: Translator, *, now: datetime) -> str:
    title = t(N_("My wallet"))
    parts = [
        f'<!doctype html>\n<html lang="{t.language}">\n<head><meta charset="utf-8"><title>{escape(title)}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>\n<body>',
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(t(N_('Saved on %(day)s.'), day=t.moment(now)))}</p>",
        f"<h2>{escape(t(N_('Certificates')))}</h2>",
        *(_certificate(one, t) for one in certificates),
        f"<h2>{escape(t(N_('Sharing history')))}</h2>",
        "<ul>",
        *(_entry(view) for view in (entry_view(entry, t, now=now, titles={}) for entry in book.entries)),
        "</ul>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _certificate(certificate: StoredCertificate, t: Translator) -> str:
    card = read_card(certificate, t.language)
    lines = [
        f"<dt>{escape(f'{group.heading}: {line.label}' if group.heading else line.label)}</dt>"
        f"<dd>{escape(line.value)}</dd>"
        for group in card.groups
        for line in group.lines
    ]
    return f"<h3>{escape(card.title)}</h3>\n<p>{escape(card.issuer)}</p>\n<dl>\n" + "\n".join(lines) + "\n</dl>"


def _entry(view: dict[str, object]) -> str:
    texts = [str(view["moment"]), str(view["who"]), str(view["word"]), str(view["items"] or view["certificates"])]
    if view["until"]:
        texts.append(str(view["until"]))
    if isinstance(view["after"], dict):
        texts.append(str(view["after"]["word"]))
    line = escape(" · ".join(text for text in texts if text))
    if view["has_receipt"]:
        line = f'<a href="receipts/{escape(str(view["id"]))}.json">{line}</a>'
    return f"<li>{line}</li>"
