"""`intyga-wallet ledger`: reading, checking and saving the history without a browser.

    intyga-wallet ledger --json
    intyga-wallet ledger --save history.csv

It holds names and outcomes, never values.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from service.commands import CommandFailed, JSONOption, show
from service.documents import pdf_now
from service.i18n import Translator, load_catalogues
from wallet.deployment import Deployment
from wallet.histories import Histories
from wallet.ledger import Outcome
from wallet.over_asking import about_rule, replay
from wallet.pages.history_export import EXPORTS, entry_record
from wallet.pages.history_pdf import history_document, parts_of
from wallet.pages.history_words import fault_sentences
from wallet.terminal import (
    DEFAULT_DATA,
    DEFAULT_PERSON,
    LanguageOption,
    PersonOption,
    WalletData,
    open_vault,
    translator_for,
    with_wallet,
    write_private_file,
)

LANGUAGE = "en"


def register(app: typer.Typer) -> None:
    """Add the command to `intyga-wallet`."""
    app.command("ledger")(ledger)


def ledger(
    rules: Annotated[
        bool, typer.Option("--rules", help="Only what you were warned of, judged again from what was kept.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Only check that nothing was changed, removed or cut off. Ends with 1 if so."),
    ] = False,
    save: Annotated[
        Path | None, typer.Option("--save", help="Write the whole history to a new file: .json, .csv or .pdf.")
    ] = None,
    language: LanguageOption = LANGUAGE,
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Show the history: everything that was asked, shared, refused and received. It holds no values."""
    if rules:
        show(with_wallet(data, lambda wallet: _rules(wallet, person)), as_json=as_json, human=_rules_text)
        return
    if save is not None:
        saved = with_wallet(data, lambda wallet: _save_ledger(wallet, person, save, language))
        show(saved, as_json=as_json, human=_saved_text)
        return
    if not check:
        show(with_wallet(data, lambda wallet: _ledger(wallet, person)), as_json=as_json, human=_ledger_text)
        return
    result = with_wallet(data, lambda wallet: _check_ledger(wallet, person))
    show(result, as_json=as_json, human=_check_text)
    if not result["intact"]:
        raise typer.Exit(1)


async def _check_ledger(wallet: Deployment, person: str) -> dict[str, Any]:
    vault = await open_vault(wallet, person)
    if vault is None:
        raise CommandFailed("There is no such vault.", error="unknown_person")
    book = Histories(wallet).read(vault)
    return {
        "intact": book.is_intact,
        "faults": sorted(fault.value for fault in book.faults),
        "sentences": fault_sentences(book.faults, _translator()),
        "entries": len(book.entries),
        "deleted": len(book.deletions),
    }


def _check_text(result: dict[str, Any]) -> str:
    if not result["intact"]:
        return "\n".join(["The history was changed from outside this wallet.", *result["sentences"]])
    deleted = f" {result['deleted']} deleted by its owner." if result["deleted"] else ""
    return f"The history is as it was written: {result['entries']} entries.{deleted}"


async def _ledger(wallet: Deployment, person: str) -> dict[str, Any]:
    vault = await open_vault(wallet, person)
    if vault is None:
        return {"intact": True, "entries": []}
    book, zone, now = Histories(wallet).read(vault), wallet.settings.time_zone, wallet.clock()
    entries = [entry_record(entry, _translator(), zone=zone, now=now) for entry in book.entries]
    return {"intact": book.is_intact, "entries": entries}


async def _rules(wallet: Deployment, person: str) -> dict[str, Any]:
    vault = await open_vault(wallet, person)
    entries = Histories(wallet).read(vault).entries if vault is not None else []
    told = [(entry, event, replay(event.facts)) for entry in entries for event in entry.events]
    return {
        "entries": [
            {
                "id": entry.id,
                "event": event.kind.value,
                "at": event.at.astimezone(ZoneInfo(wallet.settings.time_zone)).isoformat(timespec="seconds"),
                "fired": list(again.then),
                "fired_again": list(again.now),
                "same": again.is_same,
                "rules_version": again.version,
            }
            for entry, event, again in told
            if again is not None
        ]
    }


def _rules_text(result: dict[str, Any]) -> str:
    lines = [
        f"{one['at'][:16].replace('T', ' ')}  {one['event']:<9} {one['id'][:8]}  {_abouts(one['fired'])}"
        + ("" if one["same"] else f"  (now: {_abouts(one['fired_again'])})")
        for one in result["entries"]
    ]
    return "\n".join(lines) or "No request has been judged yet."


def _abouts(rule_ids: Sequence[str]) -> str:
    """What the rules are about; their numbers stand in the JSON."""
    return "; ".join(about_rule(one) for one in rule_ids) or "nothing"


async def _save_ledger(wallet: Deployment, person: str, file: Path, language: str) -> dict[str, Any]:
    ending = file.suffix.lower()
    if ending not in (*EXPORTS, ".pdf"):
        raise CommandFailed(f"The file must end in {', '.join([*EXPORTS, '.pdf'])}.", error="usage", exit_status=2)
    vault = await open_vault(wallet, person)
    if vault is None:
        raise CommandFailed("There is no such vault.", error="unknown_person")
    book, t, now = Histories(wallet).read(vault), translator_for(wallet, language), wallet.clock()
    files = [file]
    if ending == ".pdf":
        parts = parts_of(book)
        files = [file if part == 1 else file.with_stem(f"{file.stem}-{part}") for part in range(1, parts + 1)]
        for part, place in enumerate(files, start=1):
            write_private_file(place, pdf_now(history_document(book, t, part=part, now=now)))
    else:
        write_private_file(file, EXPORTS[ending](book, t, zone=wallet.settings.time_zone, now=now))
    more = [str(one) for one in files[1:]]
    return {"file": str(file), "more_files": more, "entries": len(book.entries), "intact": book.is_intact}


def _saved_text(saved: dict[str, Any]) -> str:
    names = ", ".join([saved["file"], *saved["more_files"]])
    return f"{saved['entries']} entries are in {names}."


def _ledger_text(result: dict[str, Any]) -> str:
    lines = [] if result["intact"] else ["The history was changed from outside this wallet."]
    for one in result["entries"]:
        what = ", ".join(one["shared"] or one["certificates"])
        until = f" (kept until {one['kept_until']})" if one["kept_until"] else ""
        moment = f"{one['at'][:10]} {one['at'][11:16]} {one['at'][-6:]}"
        if one["outcome"] == Outcome.ANSWERED.value:
            what = "(the same request was answered under another line)"
        who = f"says it is {one['who']}" if one["level"] == "unproven" else one["who"] or one["host"]
        outcome = one["outcome"].replace("_", " ")
        lines.append(
            f"{one['id'][:8]}  {moment}  {outcome:<13} {who}  {what}{until}".rstrip() + _after_text(one["after"])
        )
    return "\n".join(lines) or "Nothing has happened yet."


def _after_text(after: dict[str, Any] | None) -> str:
    """How taking back stands, behind the line of a share."""
    if after is None or (after["state"] == "none" and not after["misses_statement"]):
        return ""
    due = f", due {after['due_on']}" if after["due_on"] else ""
    state = after["state"].replace("_", " ") if after["state"] != "none" else "no statement of deletion yet"
    return f"  [{state}{due}]"


def _translator() -> Translator:
    return load_catalogues().translator(LANGUAGE)
