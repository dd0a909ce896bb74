"""`intyga-wallet take-back` and `ask-delete`: taking a share back, and having it deleted, at the terminal.

    intyga-wallet take-back ENTRY                  # says what it does, asks, sends; again: asks how it stands
    intyga-wallet ask-delete ENTRY --item 2

The entry is named as `ledger --json` names it; its first 8 signs do. Exit status 0 means that they have the wish.
"""

import sys
from typing import Annotated, Any

import typer

from schemas.withdrawal import Action
from service.commands import CommandFailed, JSONOption, show
from service.i18n import Translator, load_catalogues
from wallet.deployment import Deployment
from wallet.histories import Histories
from wallet.ledger import Entry
from wallet.pages.history_export import after_record
from wallet.pages.reason_words import reason_words
from wallet.pages.take_back_words import STATES, names_of, ways_of
from wallet.taking_back import State, can_take_back
from wallet.terminal import DEFAULT_DATA, DEFAULT_PERSON, PersonOption, WalletData, open_vault, tell, with_wallet
from wallet.vault import UnlockedVault
from wallet.withdrawals import OnlyByThePerson, Withdrawals

LANGUAGE = "en"
_THEY_HAVE_IT = frozenset({State.ACKNOWLEDGED, State.DONE, State.PARTLY, State.REFUSED, State.MARKED})

EntryArgument = Annotated[str, typer.Argument(metavar="ENTRY", help="The share, as `ledger --json` names it.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
NotedOption = Annotated[
    bool, typer.Option("--sent", help="Only note that you have written or called: the month runs from today.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to `intyga-wallet`."""
    app.command("take-back")(take_back)
    app.command("ask-delete")(ask_delete)


def take_back(
    entry: EntryArgument,
    yes: YesOption = False,
    sent: NotedOption = False,
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Take a share back: they stop using it and delete it. What they have read cannot be unread."""
    _run(data, person, entry, Action.WITHDRAW, None, yes=yes, sent=sent, as_json=as_json)


def ask_delete(
    entry: EntryArgument,
    item: Annotated[
        list[int], typer.Option("--item", help="Only this item: its number in the share, from 1. Repeatable.")
    ] = [],  # noqa: B006
    yes: YesOption = False,
    sent: NotedOption = False,
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Ask a recipient to delete what was shared, or some items of it."""
    chosen = tuple(number - 1 for number in item) or None
    _run(data, person, entry, Action.ERASE, chosen, yes=yes, sent=sent, as_json=as_json)


def _run(
    data: WalletData,
    person: str,
    entry: str,
    action: Action,
    chosen: tuple[int, ...] | None,
    *,
    yes: bool,
    sent: bool,
    as_json: bool,
) -> None:
    result = with_wallet(
        data, lambda wallet: _wish(wallet, person, entry.strip().lower(), action, chosen, yes=yes, sent=sent)
    )
    show(result, as_json=as_json, human=_text)
    if State(result["state"]) not in _THEY_HAVE_IT:
        raise typer.Exit(1)


async def _wish(
    wallet: Deployment,
    person: str,
    name: str,
    action: Action,
    chosen: tuple[int, ...] | None,
    *,
    yes: bool,
    sent: bool,
) -> dict[str, Any]:
    vault = await open_vault(wallet, person)
    if vault is None:
        raise CommandFailed("There is no such vault.", error="unknown_person")
    found = _find(wallet, vault, name)
    withdrawals = Withdrawals(wallet)
    withdrawals.check(found, chosen)
    names = names_of(found, chosen, _translator())
    who = found.who.text(LANGUAGE) or found.host
    tell(f"{who} has: {', '.join(names) or 'a certificate'}.")
    tell("They must answer within one month. What they have already read cannot be unread.")
    if not sent and not withdrawals.can_ask(vault, found.id):
        _tell_ways(found, names, action)
        raise CommandFailed(
            "They named no address that the wallet can use. Write or call, then say --sent.",
            error=OnlyByThePerson.error,
        )
    if not yes and not sent:
        _ask(who)
    if sent:
        withdrawals.note_sent(vault, found.id, action, chosen=chosen, way="mail")
    else:
        await withdrawals.wish(vault, found.id, action, chosen=chosen, language=vault.language)
    after = after_record(Histories(wallet).entry(vault, found.id), now=wallet.clock(), zone=wallet.settings.time_zone)
    assert after is not None
    return {"id": found.id, "recipient": who, "items": names, **after}


def _find(wallet: Deployment, vault: UnlockedVault, name: str) -> Entry:
    entries = Histories(wallet).read(vault).entries
    found = [entry for entry in entries if entry.id.startswith(name)] if len(name) >= 8 else []
    if len(found) != 1:
        raise CommandFailed("There is no such entry in the history.", error="not_found")
    if not can_take_back(found[0]):
        raise CommandFailed("Nothing of this entry went to anybody.", error="nothing_to_take_back")
    return found[0]


def _ask(who: str) -> None:
    if not sys.stdin.isatty():
        raise CommandFailed("There is nobody to ask: say --yes. Nothing was sent.", error="no_decision", exit_status=2)
    if not typer.confirm(f"Send this to {who}?", default=False, err=True):
        raise CommandFailed("Nothing was sent.", error="no_decision")


def _tell_ways(entry: Entry, names: list[str], action: Action) -> None:
    t = _translator()
    day = t.date(entry.decided_at or entry.at)
    for way in ways_of(entry.facts, t, names=names, day=day, action=action):
        tell(f"By {way['way']}: {way['text']}")
        if way["way"] == "mail":
            tell(f"  {way['subject']}\n\n{way['body']}\n")


def _text(result: dict[str, Any]) -> str:
    words = STATES[State(result["state"])]
    due = f" Due by {result['due_on']}." if result["due_on"] else ""
    reason = reason_words(result["reason"], _translator())
    return " ".join(part for part in (f"{result['recipient']}: {words.word}.{due} {words.sentence}", reason) if part)


def _translator() -> Translator:
    return load_catalogues().translator(LANGUAGE)
