"""`intyga-issuer`: serve, import results, make offers, revoke, and look after the key.

Every command works on the data directory, also while `serve` runs in another process. The public URL comes from
`ISSUER_PUBLIC_URL`, or is the one that `serve` recorded.
"""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from issuer.cli_keys import keys_app
from issuer.cli_settings import DEFAULT_DATA, IssuerData, settings_for, settings_to_serve
from issuer.context import open_context, profile_of
from issuer.earlier import earlier_offers
from issuer.offers import Offer, OfferLinks, draft_offers, links_of
from issuer.results import Limits, Problem, Results, read_results, select_results
from issuer.settings import IssuerSettings
from issuer.status import Status
from issuer.store import open_store
from issuer.store.results import ImportDraft
from issuer.store.status import Certificate
from schemas.learning.notes import stored_note
from schemas.learning.texts import in_language
from schemas.types import CREDENTIAL_TYPES
from service.clock import utc_now
from service.commands import CommandFailed, JSONOption, command_app, run, show
from service.serving import serve as serve_app

app = command_app("intyga-issuer", help="Issue certificates of learning (OpenID4VCI) into wallets.")
app.add_typer(keys_app, name="keys")

_MOST_NOTES = 40

ResultsFile = Annotated[Path, typer.Argument(help="ELMO, CSV or JSON.", exists=True, dir_okay=False, readable=True)]
CertificateID = Annotated[str, typer.Argument(help="Identifier of the certificate, or of its offer.")]
OfferID = Annotated[str, typer.Argument(help="Identifier of the offer.")]
Reason = Annotated[str, typer.Option(help="Why, for the institution's own record.")]


@app.command()
def serve(
    data: IssuerData = DEFAULT_DATA,
    port: Annotated[int | None, typer.Option(help="TCP port; else ISSUER_PORT, else 8000. 0: any free one.")] = None,
) -> None:
    """Serve the issuer until it is stopped."""
    # Here, because every other command would wait for a web framework that it does not use.
    from issuer.app import announcements, create_app

    serve_app(create_app, settings=settings_to_serve(data, port), announce=announcements)


@app.command("import")
def import_results(
    file: ResultsFile,
    data: IssuerData = DEFAULT_DATA,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report, keep nothing.")] = False,
    as_json: JSONOption = False,
) -> None:
    """Read study results, say what they hold and lack, and keep them for offers made on the pages."""
    settings = settings_for(data, needs_url=False)
    results = _read(file, settings)
    kept = None
    if not dry_run:
        store = open_store(settings)
        draft = ImportDraft(
            file_name=file.name,
            file_format=results.source.value,
            file_sha256=results.sha256,
            warnings=tuple(stored_note(warning) for warning in results.warnings),
            achievements=results.achievements,
        )
        kept = store.results.save_import(draft, now=utc_now())
        ids = [result.id for result in store.results.list_results(kept.id, limit=len(results.achievements))]
    report = {
        "import": kept.id if kept else None,
        "format": results.source.value,
        "results": [
            _completeness(achievement, result_id=ids[position] if kept else None)
            for position, achievement in enumerate(results.achievements)
        ],
        "warnings": [_problem(warning) for warning in results.warnings],
    }
    show(report, as_json=as_json, human=_human_report)


@app.command()
def offer(
    data: IssuerData = DEFAULT_DATA,
    type_name: Annotated[str, typer.Option("--type", help="micro-credential or course-results.")] = "micro-credential",
    from_file: Annotated[
        Path | None, typer.Option("--from", help="ELMO, CSV or JSON.", exists=True, dir_okay=False)
    ] = None,
    import_id: Annotated[str | None, typer.Option("--import", help="Identifier of an earlier import.")] = None,
    course: Annotated[
        list[str] | None, typer.Option("--course", help="Only this course code or result; may be repeated.")
    ] = None,
    tx_code: Annotated[bool, typer.Option("--tx-code", help="Demand a transaction code.")] = False,
    by_value: Annotated[bool, typer.Option("--by-value", help="Put the offer into the link itself.")] = False,
    as_json: JSONOption = False,
) -> None:
    """Make offers from study results: one per course, or one per person for a type that takes many."""
    credential_type = CREDENTIAL_TYPES.get(type_name)
    if credential_type is None:
        raise CommandFailed(f"There is no type {type_name}; there is: {', '.join(CREDENTIAL_TYPES)}.", exit_status=2)
    if (from_file is None) == (import_id is None):
        raise CommandFailed("Say where the results are: --from FILE or --import ID.", exit_status=2)
    settings = settings_for(data)
    store = open_store(settings)
    if from_file is not None:
        results = _read(from_file, settings)
        for line in _note_lines([str(warning) for warning in results.warnings]):
            print(line, file=sys.stderr)  # noqa: T201 - beside the result, for the person
        found = list(results.achievements)
    else:
        kept = store.results.list_results(import_id, limit=Limits().max_rows)
        found = [result.achievement for result in kept]
    chosen = select_results(found, course or [])
    now = utc_now()
    drafts = draft_offers(credential_type, chosen, with_tx_code=tx_code)
    earlier = earlier_offers(store.offers, {draft.recipient for draft in drafts}, now=now)
    if repeated := sum(bool(earlier.of_draft(draft)) for draft in drafts):
        told = f"Note: {repeated} of these certificates have been offered before; those offers stay."
        print(told, file=sys.stderr)  # noqa: T201
    offers = store.offers.create(drafts, now=now)
    shown = [
        _offer(one, links_of(one, issuer=settings.base_url, secret=store.secret, now=now), by_value=by_value)
        for one in offers
    ]
    show(shown, as_json=as_json, human=_human_offers)


@app.command()
def void(offer_id: OfferID, data: IssuerData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """Make an offer that nobody collected worthless."""
    done = open_store(settings_for(data)).offers.void(offer_id, now=utc_now())
    show({"id": done.id, "state": done.state}, as_json=as_json, human=lambda _: f"Offer {done.id} is void.")


@app.command("offer-again")
def offer_again(offer_id: OfferID, data: IssuerData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """Give an offer that nobody collected new codes; the old ones become void."""
    settings = settings_for(data)
    store = open_store(settings)
    now = utc_now()
    again = store.offers.offer_again(offer_id, now=now)
    links = links_of(again, issuer=settings.base_url, secret=store.secret, now=now)
    show([_offer(again, links, by_value=False)], as_json=as_json, human=_human_offers)


@app.command("list")
def list_all(data: IssuerData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """List offers and certificates with their identifiers and where they stand."""
    store = open_store(settings_for(data, needs_url=False))
    listed = {
        "offers": [
            {"id": o.id, "type": o.type_name, "title": _text(o.title), "recipient": o.recipient, "state": o.state}
            for o in store.offers.list_offers(now=utc_now(), limit=10_000)
        ],
        "certificates": [_certificate(c) for c in store.status.list_issued(limit=10_000)],
    }
    show(listed, as_json=as_json, human=_human_list)


@app.command()
def revoke(
    certificate_id: CertificateID, data: IssuerData = DEFAULT_DATA, reason: Reason = "", as_json: JSONOption = False
) -> None:
    """Revoke a certificate, for good."""
    _change(certificate_id, Status.REVOKED, data=data, reason=reason, as_json=as_json)


@app.command()
def suspend(
    certificate_id: CertificateID, data: IssuerData = DEFAULT_DATA, reason: Reason = "", as_json: JSONOption = False
) -> None:
    """Suspend a certificate until it is reinstated."""
    _change(certificate_id, Status.SUSPENDED, data=data, reason=reason, as_json=as_json)


@app.command()
def reinstate(
    certificate_id: CertificateID, data: IssuerData = DEFAULT_DATA, reason: Reason = "", as_json: JSONOption = False
) -> None:
    """Make a suspended certificate valid again."""
    _change(certificate_id, Status.VALID, data=data, reason=reason, as_json=as_json)


def _change(certificate_id: str, status: Status, *, data: Path, reason: str, as_json: bool) -> None:
    context = open_context(settings_for(data), clock=utc_now)
    changed, *_ = context.store.status.change(
        [certificate_id], status, publishing=context.publishing, reason=reason, now=utc_now()
    )
    show(
        _certificate(changed),
        as_json=as_json,
        human=lambda shown: f"{shown['title']}, {shown['recipient']}: {shown['status']} ({shown['copies']} copies).",
    )


def _read(file: Path, settings: IssuerSettings) -> Results:
    # The day after tomorrow is in the future everywhere; records made in the east may be dated tomorrow already.
    today = (utc_now() + timedelta(hours=14)).date()
    return read_results(file.read_bytes(), file.name, profile=profile_of(settings), limits=Limits(), today=today)


def _text(texts: Any) -> str:
    return in_language(texts, "en")


def _offer(offer_: Offer, links: OfferLinks, *, by_value: bool) -> dict[str, str]:
    shown = {
        "id": offer_.id,
        "title": _text(offer_.title),
        "recipient": offer_.recipient,
        "offer": links.by_value if by_value else links.offer,
        "offer_https": links.offer_https,
    }
    if links.tx_code is not None:
        shown["tx_code"] = links.tx_code
    if links.typed is not None:
        shown["typed"] = links.typed
    return shown


def _certificate(certificate: Certificate) -> dict[str, Any]:
    return {
        "id": certificate.id,
        "offer_id": certificate.offer_id,
        "type": certificate.type_name,
        "title": _text(certificate.title),
        "recipient": certificate.recipient,
        "collected_at": certificate.collected_at.isoformat(),
        "status": certificate.status.name.lower(),
        "copies": certificate.copies,
    }


def _completeness(achievement: Any, *, result_id: str | None) -> dict[str, Any]:
    reports = {name: t.completeness(achievement) for name, t in CREDENTIAL_TYPES.items()}
    report = next(iter(reports.values()))
    return {
        "id": result_id,
        "course": achievement.code or achievement.id,
        "title": _text(achievement.title) if achievement.title else "",
        "learner": achievement.learner.name,
        "elements": {
            state.element.code: [source.value for source in state.sources] if state.present else None
            for state in report.states
        },
        "missing": list(report.missing),
        "cannot_be_issued_as": {
            name: list(one.missing_demanded) for name, one in reports.items() if one.missing_demanded
        },
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "row": problem.row,
        "field": problem.field,
        "item": problem.item,
        "text": str(problem),
    }


def _human_report(report: dict[str, Any]) -> str:
    lines = [f"{len(report['results'])} result(s), format {report['format']}."]
    for result in report["results"]:
        lines.append(f"  {result['course']}: {result['title']} ({result['learner']})")
        if result["missing"]:
            lines.append(f"    missing: {', '.join(result['missing'])}")
        for name, codes in result["cannot_be_issued_as"].items():
            lines.append(f"    cannot be issued as {name} without {', '.join(codes)}")
    lines += _note_lines([warning["text"] for warning in report["warnings"]])
    lines.append(f"Kept as import {report['import']}." if report["import"] else "Nothing was kept.")
    return "\n".join(lines)


def _note_lines(texts: list[str]) -> list[str]:
    """Notes for the terminal, not more than a person reads."""
    more = (
        [f"Note: and {len(texts) - _MOST_NOTES} more (--json of import tells all)."] if len(texts) > _MOST_NOTES else []
    )
    return [f"Note: {text}" for text in texts[:_MOST_NOTES]] + more


def _human_offers(offers: list[dict[str, str]]) -> str:
    blocks = []
    for one in offers:
        lines = [f"{one['title']}, for {one['recipient'] or 'an unnamed person'} (offer {one['id']})", one["offer"]]
        lines.append(f"For people: {one['offer_https']}")
        if "typed" in one:
            lines.append(f"To type: {one['typed']}")
        if "tx_code" in one:
            lines.append(f"Transaction code, to be told separately: {one['tx_code']}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _human_list(listed: dict[str, Any]) -> str:
    lines = [f"{len(listed['offers'])} offer(s)"]
    lines += [f"  {o['id']}  {o['state']:10}  {o['title']} ({o['recipient']})" for o in listed["offers"]]
    lines.append(f"{len(listed['certificates'])} certificate(s)")
    lines += [f"  {c['id']}  {c['status']:10}  {c['title']} ({c['recipient']})" for c in listed["certificates"]]
    return "\n".join(lines)


def main() -> None:
    """The command `intyga-issuer`."""
    run(app)
