"""`intyga-wallet ledger`: reading, checking and saving the history without a browser.

    intyga-wallet ledger --json
    intyga-wallet ledger --save history.csv
    intyga-wallet ledger --rules --entry 3f1c9a27

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
from wallet.histories import Histories, Judged
from wallet.ledger import Entry, Outcome
from wallet.over_asking import ReadFrom, about_rule, warned_again
from wallet.pages.history_export import EXPORTS, entry_record
from wallet.pages.history_pdf import history_document, parts_of
from wallet.pages.history_words import fault_sentences
from wallet.pages.warning_words import warning_view
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
        bool,
        typer.Option(
            "--rules",
            help="Only what you were warned of, each request read and judged anew. Ends with 1 if another comes of it.",
        ),
    ] = False,
    entry: Annotated[
        str, typer.Option("--entry", help="With --rules, only this entry: its number, or the first 8 characters.")
    ] = "",
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
        judged = with_wallet(data, lambda wallet: _rules(wallet, person, entry.strip().lower()))
        show(judged, as_json=as_json, human=_rules_text)
        if not judged["same"]:
            raise typer.Exit(1)
        return
    if entry:
        raise CommandFailed("--entry goes with --rules.", error="usage", exit_status=2)
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


async def _rules(wallet: Deployment, person: str, number: str) -> dict[str, Any]:
    vault = await open_vault(wallet, person)
    histories = Histories(wallet)
    if vault is None:
        judged: list[Judged] = []
    elif number:
        judged = histories.judged_again(vault, _entry_id(histories.read(vault).entries, number))
    else:
        judged = histories.judged_again(vault)
    entries = [_judged_record(one, zone=wallet.settings.time_zone) for one in judged]
    return {"same": all(one["same"] for one in entries), "entries": entries}


def _entry_id(entries: Sequence[Entry], number: str) -> str:
    found = [one.id for one in entries if one.id.startswith(number)] if len(number) >= 8 else []
    if len(found) != 1:
        raise CommandFailed("There is no such entry in the history.", error="not_found")
    return found[0]


def _judged_record(judged: Judged, *, zone: str) -> dict[str, Any]:
    again, t = judged.again, _translator()
    return {
        "id": judged.entry.id,
        "event": judged.event.kind.value,
        "at": judged.event.at.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds"),
        "fired": list(again.then),
        "fired_again": list(again.now),
        "said": [warning_view(one, t, titles={}).sentence for one in warned_again(judged.event.facts)],
        "read_from": again.read_from.value,
        "same": again.is_same,
        "rules_version": again.version,
        "same_rules": again.is_same_version,
    }


_FROM = {
    ReadFrom.REQUEST: "",
    ReadFrom.FACTS: "  (from what was noted of it: the request itself is not kept)",
    ReadFrom.CHANGED: "  (the kept request was changed from outside this wallet)",
}


def _rules_text(result: dict[str, Any]) -> str:
    return "\n".join(_rules_line(one) for one in result["entries"]) or "No request has been judged yet."


def _rules_line(one: dict[str, Any]) -> str:
    """One judgement: what it was about, what is another now, and below it the sentences that the person was shown."""
    return "\n".join([_first_line(one), *(f"    {sentence}" for sentence in one["said"])])


def _first_line(one: dict[str, Any]) -> str:
    line = f"{one['at'][:16].replace('T', ' ')}  {one['event']:<9} {one['id'][:8]}  {_abouts(one['fired'])}"
    line += _FROM[ReadFrom(one["read_from"])]
    if one["fired"] != one["fired_again"]:
        return f"{line}  (now: {_abouts(one['fired_again'])})"
    differs = not one["same"] and one["read_from"] == ReadFrom.REQUEST.value
    return f"{line}  (this version reads the request otherwise)" if differs else line


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
