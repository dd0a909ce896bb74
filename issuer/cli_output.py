"""What the issuer's commands print: `..._shown` as JSON for programs, `..._told` as text for people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from issuer.offers import Offer, OfferLinks
from issuer.results import Problem
from issuer.store.status import Certificate
from schemas.learning.achievement import Record
from schemas.learning.texts import in_language
from schemas.types import types_for

_MOST_NOTES = 40
_MOST_ROWS = 8


def text_of(texts: Any) -> str:
    """A text in English, or in the language that there is."""
    return in_language(texts, "en")


def offer_shown(offer: Offer, links: OfferLinks, *, by_value: bool) -> dict[str, str]:
    """An offer with its links and codes."""
    shown = {
        "id": offer.id,
        "title": text_of(offer.title),
        "recipient": offer.recipient,
        "offer": links.by_value if by_value else links.offer,
        "offer_https": links.offer_https,
    }
    if offer.with_sign_in:
        shown["grant"] = "authorization_code"
    if links.tx_code is not None:
        shown["tx_code"] = links.tx_code
    if links.typed is not None:
        shown["typed"] = links.typed
    return shown


def offer_listed(offer: Offer) -> dict[str, Any]:
    """An offer without its links and codes."""
    return {
        "id": offer.id,
        "type": offer.type_name,
        "title": text_of(offer.title),
        "recipient": offer.recipient,
        "state": offer.state,
    }


def certificate_shown(certificate: Certificate) -> dict[str, Any]:
    """A certificate and its status."""
    return {
        "id": certificate.id,
        "offer_id": certificate.offer_id,
        "type": certificate.type_name,
        "title": text_of(certificate.title),
        "recipient": certificate.recipient,
        "collected_at": certificate.collected_at.isoformat(),
        "status": certificate.status.name.lower(),
        "copies": certificate.copies,
    }


def change_told(shown: dict[str, Any]) -> str:
    """What became of a certificate's status; one that had it already was not changed, and its reason neither."""
    whose = f"{shown['title']}, {shown['recipient']}"
    if shown["changed"]:
        return f"{whose}: {shown['status']} ({shown['copies']} copies)."
    return f"{whose}: {shown['status']} already, so nothing was changed."


def completeness_shown(record: Record, *, result_id: str | None) -> dict[str, Any]:
    """What one record holds of the elements of the certificates that can be made of it, and lacks."""
    reports = {name: one.completeness(record) for name, one in types_for(record).items()}
    report = next(iter(reports.values()))
    return {
        "id": result_id,
        "course": record.code or record.id,
        "title": text_of(record.title) if record.title else "",
        "learner": record.learner.name,
        "elements": {
            state.element.code: [source.value for source in state.sources] if state.present else None
            for state in report.states
        },
        "element_names": {
            state.element.code: state.element.name["en"] for one in reports.values() for state in one.states
        },
        "missing": list(report.missing),
        "cannot_be_issued_as": {
            name: list(one.missing_demanded) for name, one in reports.items() if one.missing_demanded
        },
    }


def problem_shown(problem: Problem) -> dict[str, Any]:
    """A note on a file of results."""
    return {
        "code": problem.code,
        "row": problem.row,
        "field": problem.field,
        "item": problem.item,
        "sentence": f"{problem.fault_text()} {problem.fix_text()}",
        "text": str(problem),
    }


def report_told(report: dict[str, Any]) -> str:
    """The report of an import."""
    lines = [f"{len(report['results'])} result(s), format {report['format']}."]
    for result in report["results"]:
        lines.append(f"  {result['course']}: {result['title']} ({result['learner']})")
        names = result["element_names"]
        if result["missing"]:
            lines.append(f"    missing: {_elements(result['missing'], names)}")
        for name, codes in result["cannot_be_issued_as"].items():
            lines.append(f"    cannot be issued as {name} without {_elements(codes, names)}")
    lines += note_lines(grouped_notes(report["warnings"]))
    lines.append(f"Kept as import {report['import']}." if report["import"] else "Nothing was kept.")
    return "\n".join(lines)


def _elements(codes: list[str], names: dict[str, str]) -> str:
    """Elements by name, each with its code where that is not a word of its own: `Grade (M8)`."""
    return ", ".join(f"{names[code]} ({code})" for code in codes)


def grouped_notes(shown: Iterable[Mapping[str, Any]]) -> list[str]:
    """Notes that say the same as one text with all their rows; `shown` are those of `problem_shown`."""
    rows: dict[tuple[str, str], list[int]] = {}
    for one in shown:
        rows.setdefault((one["field"], one["sentence"]), []).extend([one["row"]] if one["row"] else [])
    return [
        f"{', '.join(part for part in (_rows(numbers), field) if part) or 'file'}: {sentence}"
        for (field, sentence), numbers in rows.items()
    ]


def _rows(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - _MOST_ROWS} more" if len(numbers) > _MOST_ROWS else ""
    named = ", ".join(map(str, numbers[:_MOST_ROWS]))
    return f"{'rows' if len(numbers) > 1 else 'row'} {named}{more}" if numbers else ""


def note_lines(texts: list[str]) -> list[str]:
    """Notes for the terminal, not more than a person reads."""
    more = (
        [f"Note: and {len(texts) - _MOST_NOTES} more (--json of import tells all)."] if len(texts) > _MOST_NOTES else []
    )
    return [f"Note: {text}" for text in texts[:_MOST_NOTES]] + more


def offers_told(offers: list[dict[str, str]]) -> str:
    """Offers that were made."""
    blocks = []
    for one in offers:
        lines = [f"{one['title']}, for {one['recipient'] or 'an unnamed person'} (offer {one['id']})", one["offer"]]
        lines.append(f"For people: {one['offer_https']}")
        if "grant" in one:
            lines.append("The person signs in at the source to fetch it.")
        if "typed" in one:
            lines.append(f"To type: {one['typed']}")
        if "tx_code" in one:
            lines.append(f"Transaction code, to be told separately: {one['tx_code']}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def list_told(listed: dict[str, Any]) -> str:
    """Offers and certificates."""
    lines = [f"{len(listed['offers'])} offer(s)"]
    lines += [f"  {o['id']}  {o['state']:10}  {o['title']} ({o['recipient']})" for o in listed["offers"]]
    lines.append(f"{len(listed['certificates'])} certificate(s)")
    lines += [f"  {c['id']}  {c['status']:10}  {c['title']} ({c['recipient']})" for c in listed["certificates"]]
    return "\n".join(lines)
