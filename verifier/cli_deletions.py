"""`intyga-verifier deletions` and `retention`: what people want deleted, deciding about it, and what goes when."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from schemas.withdrawal import Ground
from service.clock import utc_now
from service.commands import CommandFailed, JSONOption, command_app, run_async, show
from verifier.cli_settings import DEFAULT_DATA, VerifierData, open_verifier
from verifier.deletion import item_name, stated_exception
from verifier.exchange import Verifier
from verifier.result_document import deletion_document
from verifier.store import Deletion

ACTOR = "command line"

deletions_app = command_app("deletions", help="What people took back or want deleted: list, delete, refuse.")
retention_app = command_app("retention", help="What is kept until when.")

DeletionId = Annotated[str, typer.Argument(metavar="ID", help="As `deletions list` names it.")]


@deletions_app.command("list")
def list_deletions(
    everything: Annotated[bool, typer.Option("--all", help="Also what was decided or done.")] = False,
    data: VerifierData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """List what waits for a decision, the first that is due at the top."""
    verifier = open_verifier(data)
    run_async(verifier.tidy())
    store = verifier.deletions.store
    found = store.open() + (store.decided() if everything else [])
    show([_document(verifier, one) for one in found], as_json=as_json, human=_human_deletions)


@deletions_app.command()
def delete(deletion_id: DeletionId, data: VerifierData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """Delete what was asked for. It cannot be undone."""
    verifier = open_verifier(data)
    done = run_async(verifier.deletions.delete(deletion_id, actor=ACTOR))
    show(_document(verifier, done), as_json=as_json, human=_human_deletion)


@deletions_app.command()
def refuse(
    deletion_id: DeletionId,
    ground: Annotated[str, typer.Option(help=f"One of {', '.join(Ground)} (GDPR, article 17(3)).")],
    sv: Annotated[str, typer.Option("--sv", help="Why, in Swedish; the person reads it.")],
    en: Annotated[str, typer.Option("--en", help="Why, in English.")],
    keep: Annotated[
        list[str] | None, typer.Option("--keep", help="An item to keep, as the list names it; else all. Repeatable.")
    ] = None,
    data: VerifierData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Keep what must be kept, with its ground in law; delete the rest.

    The person is told at once: what is kept, on which ground, and why in your words. An answer is due a month after the
    wish came (GDPR, article 12(3)); `deletions list` says the day. After the date that the person was told when they
    shared nothing is kept, whatever is decided.
    """
    if ground not in list(Ground):
        raise CommandFailed(f"--ground is one of {', '.join(Ground)}.", error="usage", exit_status=2)
    verifier = open_verifier(data)
    askable = verifier.deletions.store.askable(deletion_id)
    kept = keep or [item_name(item) for item in askable]
    exception = stated_exception(askable, ground=ground, words_sv=sv, words_en=en, keep=kept)
    done = run_async(verifier.deletions.refuse(deletion_id, [exception], actor=ACTOR))
    show(_document(verifier, done), as_json=as_json, human=_human_refusal)


@retention_app.command("list")
def list_retention(data: VerifierData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """List on which day how many answers from which template are deleted; what is overdue comes first."""
    verifier = open_verifier(data)
    now = utc_now()
    shown = [
        {
            "kept_until": day.day.isoformat(),
            "template": day.template_name,
            "answers": day.count,
            "overdue": day.delete_at <= now,
        }
        for day in verifier.deletions.store.calendar()
    ]
    show(shown, as_json=as_json, human=_human_retention)


def _document(verifier: Verifier, one: Deletion) -> dict[str, Any]:
    about, zone = list(one.items), ZoneInfo(verifier.settings.time_zone)
    if one.is_open:
        about = list(verifier.deletions.store.askable(one.id))
    return deletion_document(one) | {
        "days_left": verifier.deletions.days_left(one.due_on) if one.is_open else None,
        "about": [item_name(item) for item in about],
        "decided_on": one.decided_at.astimezone(zone).date().isoformat() if one.decided_at else None,
        "kept_until": verifier.result(one.request_id).retention_until.isoformat(),
    }


def _human_deletions(told: list[dict[str, Any]]) -> str:
    return "\n\n".join(_human_deletion(one) for one in told) or "Nothing waits for a decision."


def _human_deletion(told: dict[str, Any]) -> str:
    lines = [f"{told['id']}  {told['action']}: {told['state']}, request {told['request_id']}"]
    if told["days_left"] is not None:
        left = told["days_left"]
        lines.append(f"  Due {told['due_on']} ({'OVERDUE' if left < 0 else f'{left} days left'})")
    lines += [f"  {name}" for name in told["about"]]
    for one in told["exceptions"]:
        lines.append(f"  Kept: {one['ground']}. {one['words']['en']}")
    return "\n".join(lines)


def _human_refusal(told: dict[str, Any]) -> str:
    """What was decided, whether in time, and what the person reads of it."""
    late = " That is LATE." if told["decided_on"] > told["due_on"] else ""
    lines = [
        _human_deletion(told),
        f"  Answered on {told['decided_on']}; the answer was due by {told['due_on']}.{late}",
        "  Their wallet gets a signed statement when it asks, and says that they can complain. They read:"
        if told["statement"]
        else "  Nothing is signed here, so no wallet tells the person. Tell them yourself:",
    ]
    for one in told["exceptions"]:
        lines += [f"    {language}: {one['words'][language]}" for language in ("sv", "en")]
    return "\n".join([*lines, f"  What is kept is deleted by itself after {told['kept_until']}."])


def _human_retention(told: list[dict[str, Any]]) -> str:
    lines = [
        f"{one['kept_until']}  {one['answers']:>6}  {one['template']}{'  OVERDUE' if one['overdue'] else ''}"
        for one in told
    ]
    return "\n".join(lines) or "Nothing is kept."
