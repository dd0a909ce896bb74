"""`intyga-issuer`: serve, import results, make offers, revoke, and look after the key.

Every command works on the data directory, also while `serve` runs in another process. The public URL comes from
`ISSUER_PUBLIC_URL`, or is the one that `serve` recorded; so do the institution's name, country and profile.
"""

import sys
import time
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from issuer.bulk import make_offers
from issuer.cli_keys import keys_app
from issuer.cli_output import (
    certificate_shown,
    change_told,
    completeness_shown,
    grouped_notes,
    list_told,
    note_lines,
    offer_listed,
    offer_shown,
    offers_told,
    problem_shown,
    report_told,
)
from issuer.cli_refusals import left_out, refusals_told
from issuer.cli_reviews import reviews_app
from issuer.cli_settings import DEFAULT_DATA, IssuerData, settings_for, settings_to_serve
from issuer.context import open_context, profile_of
from issuer.earlier import earlier_offers
from issuer.offers import draft_offers, links_of, set_incomplete_aside
from issuer.results import Limits, Results, notes_on_names, read_results, select_results
from issuer.settings import IssuerSettings
from issuer.status import Status
from issuer.store import open_store
from issuer.store.results import ImportDraft
from schemas.learning.notes import stored_note
from schemas.types import CREDENTIAL_TYPES
from service.account_commands import account_app
from service.clock import utc_now
from service.commands import CommandFailed, JSONOption, command_app, patiently, run, show
from service.serving import serve as serve_app

app = command_app("intyga-issuer", help="Issue certificates of learning (OpenID4VCI) into wallets.")
app.add_typer(keys_app, name="keys")
app.add_typer(reviews_app, name="reviews")
app.add_typer(
    account_app("issuer", lambda data: open_store(settings_for(data, needs_url=False)).accounts), name="account"
)


class GrantChoice(StrEnum):
    """How an offer is collected."""

    PRE_AUTHORIZED = "pre-authorized"
    AUTHORIZATION_CODE = "authorization-code"


ResultsFile = Annotated[Path, typer.Argument(help="ELMO, CSV or JSON.", exists=True, dir_okay=False, readable=True)]
CertificateID = Annotated[str, typer.Argument(help="Identifier of the certificate, or of its offer.")]
OfferID = Annotated[str, typer.Argument(help="Identifier of the offer.")]
Reason = Annotated[str, typer.Option(help="Why, for the institution's own record.")]


@app.command()
def serve(
    data: IssuerData = DEFAULT_DATA,
    port: Annotated[
        int | None, typer.Option(help="TCP port; else ISSUER_PORT, else 8100. 0: any free one.", min=0, max=65_535)
    ] = None,
    as_json: JSONOption = False,
) -> None:
    """Serve the issuer until it is stopped. With --json its address and what it announces are one line of JSON."""
    # Here, because every other command would wait for a web framework that it does not use.
    from issuer.app import announcements, create_recorded_app

    serve_app(create_recorded_app, settings=settings_to_serve(data, port), announce=announcements, as_json=as_json)


@app.command("import")
def import_results(
    file: ResultsFile,
    data: IssuerData = DEFAULT_DATA,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report, keep nothing.")] = False,
    as_json: JSONOption = False,
) -> None:
    """Read study results, say what they hold and lack, and keep them for offers made on the pages."""
    settings = settings_for(data, needs_url=False, needs_institution=True)
    results = _read(file, settings)
    kept = None
    if not dry_run:
        store = open_store(settings)
        draft = ImportDraft(
            file_name=file.name,
            file_format=results.source.value,
            file_sha256=results.sha256,
            warnings=tuple(stored_note(warning) for warning in results.warnings),
            records=results.records,
        )
        kept = store.results.save_import(draft, now=utc_now(), patiently=patiently, rest=time.sleep)
        ids = [result.id for result in store.results.list_results(kept.id, limit=len(results.records))]
    report = {
        "import": kept.id if kept else None,
        "format": results.source.value,
        "results": [
            completeness_shown(record, result_id=ids[position] if kept else None)
            for position, record in enumerate(results.records)
        ],
        "warnings": [problem_shown(warning) for warning in results.warnings],
    }
    show(report, as_json=as_json, human=report_told)


@app.command()
def offer(
    data: IssuerData = DEFAULT_DATA,
    type_name: Annotated[str, typer.Option("--type", help="Which kind of certificate.")] = "micro-credential",
    from_file: Annotated[
        Path | None,
        typer.Option("--from", help="ELMO, CSV or JSON; not kept, so nothing is renewed.", exists=True, dir_okay=False),
    ] = None,
    import_id: Annotated[str | None, typer.Option("--import", help="Identifier of an earlier import.")] = None,
    course: Annotated[
        list[str] | None, typer.Option("--course", help="Only this course code or result; may be repeated.")
    ] = None,
    grant: Annotated[
        GrantChoice, typer.Option("--grant", help="Whoever has the link collects, or the person signs in.")
    ] = GrantChoice.PRE_AUTHORIZED,
    tx_code: Annotated[bool, typer.Option("--tx-code", help="Demand a transaction code.")] = False,
    by_value: Annotated[bool, typer.Option("--by-value", help="Put the offer into the link itself.")] = False,
    as_json: JSONOption = False,
) -> None:
    """Make offers from records: one per course or statement, or one per person for a type that takes many.

    Results that lack what a certificate of one course demands are left out with a note, unless --course names them.
    With --grant authorization-code only the person of the record can fetch: it needs kept records (--import).
    """
    with_sign_in = grant is GrantChoice.AUTHORIZATION_CODE
    if with_sign_in and tx_code:
        raise CommandFailed("Who signs in needs no transaction code: leave out --tx-code.", exit_status=2)
    if with_sign_in and import_id is None:
        raise CommandFailed(
            "Whoever signs in is matched with records that are kept: import the file first, and give --import ID.",
            exit_status=2,
        )
    credential_type = CREDENTIAL_TYPES.get(type_name)
    if credential_type is None:
        raise CommandFailed(f"There is no type {type_name}; there is: {', '.join(CREDENTIAL_TYPES)}.", exit_status=2)
    if (from_file is None) == (import_id is None):
        raise CommandFailed("Say where the results are: either --from FILE or --import ID.", exit_status=2)
    settings = settings_for(data, needs_institution=True)
    store = open_store(settings)
    notes: list[str] = []
    kept_as: dict[str, str] = {}
    if with_sign_in and not settings.login_issuer:
        notes.append(f"Note: people can sign in only where the service runs with {settings.variable('login_issuer')}.")
    if from_file is not None:
        results = _read(from_file, settings)
        notes += note_lines(grouped_notes(map(problem_shown, results.warnings)))
        found = list(results.records)
    else:
        imported = store.results.get_import(import_id or "")
        kept = store.results.list_results(imported.id, limit=Limits().max_rows)
        found = [result.record for result in kept]
        kept_as = {result.record.id: result.id for result in kept}
        notes += note_lines(grouped_notes(map(problem_shown, notes_on_names(found))))
    today = settings.day_of(now := utc_now())
    chosen = tuple(record.dated(today) for record in select_results(found, course or []))
    if not course and credential_type.takes == "one":
        # Whoever names no course wants what can be had; what was named has to be complete.
        complete, lacking = set_incomplete_aside(credential_type, chosen)
        if complete:
            chosen = tuple(complete)
            notes += note_lines([left_out(credential_type, record, codes) for record, codes in lacking])
    with refusals_told():
        drafts = draft_offers(
            credential_type,
            chosen,
            with_tx_code=tx_code,
            with_sign_in=with_sign_in,
            result_ids=[kept_as[record.id] for record in chosen] if kept_as else (),
        )
    earlier = earlier_offers(store.offers, {draft.recipient for draft in drafts}, now=now)
    if repeated := sum(bool(earlier.of_draft(draft)) for draft in drafts):
        have = "has" if repeated == 1 else "have"
        notes.append(f"Note: {repeated} of these certificates {have} been offered before; those offers stay.")
    offers = make_offers(store.offers, drafts, now=now, patiently=patiently, rest=time.sleep)
    for note in notes:  # Only beside a result: when the command fails, the fault is all there is on this stream.
        print(note, file=sys.stderr)  # noqa: T201 - for the person
    shown = [
        offer_shown(one, links_of(one, issuer=settings.base_url, secret=store.secret, now=now), by_value=by_value)
        for one in offers
    ]
    show(shown, as_json=as_json, human=offers_told)


@app.command()
def void(offer_id: OfferID, data: IssuerData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """Make an offer that nobody collected worthless."""
    store = open_store(settings_for(data))
    done = patiently(lambda: store.offers.void(offer_id, now=utc_now()))
    show({"id": done.id, "state": done.state}, as_json=as_json, human=lambda _: f"Offer {done.id} is void.")


@app.command("offer-again")
def offer_again(offer_id: OfferID, data: IssuerData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """Give an offer that nobody collected new codes; the old ones become void."""
    settings = settings_for(data)
    store = open_store(settings)
    now = utc_now()
    again = patiently(lambda: store.offers.offer_again(offer_id, now=now))
    links = links_of(again, issuer=settings.base_url, secret=store.secret, now=now)
    show([offer_shown(again, links, by_value=False)], as_json=as_json, human=offers_told)


@app.command("list")
def list_all(data: IssuerData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """List offers and certificates with their identifiers and where they stand."""
    settings = settings_for(data, needs_url=False)
    if not settings.database.exists():  # A directory written wrongly would otherwise be made, and look empty.
        raise CommandFailed(f"There is no issuer's data in {data}: choose its directory with --data.", error="no_data")
    store = open_store(settings)
    listed = {
        "offers": [offer_listed(o) for o in store.offers.list_offers(now=utc_now(), limit=10_000)],
        "certificates": [certificate_shown(c) for c in store.status.list_issued(limit=10_000)],
    }
    show(listed, as_json=as_json, human=list_told)


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
    context, now = open_context(settings_for(data), clock=utc_now), utc_now()
    changed, *_ = patiently(
        lambda: context.store.status.change(
            [certificate_id], status, publishing=context.publishing, reason=reason, now=now
        )
    )
    show(
        {**certificate_shown(changed), "changed": changed.status_at == now},
        as_json=as_json,
        human=change_told,
    )


def _read(file: Path, settings: IssuerSettings) -> Results:
    # The day after tomorrow is in the future everywhere; records made in the east may be dated tomorrow already.
    today = (utc_now() + timedelta(hours=14)).date()
    limits = Limits()
    with file.open("rb") as opened:
        data = opened.read(limits.max_bytes + 1)  # One more than is accepted: a larger file is refused, not read.
    with refusals_told(file.name):
        return read_results(data, file.name, profile=profile_of(settings), limits=limits, today=today)


def main() -> None:
    """The command `intyga-issuer`."""
    run(app)
