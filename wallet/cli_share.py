"""`intyga-wallet present`: answering requests without a browser.

    intyga-wallet present LINK                     # prints what would be shared, and asks
    intyga-wallet present LINK --approve --optional all

What would be shared is printed before anything is decided. Exit status 0 means that the answer, yes or no, was
delivered.
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any

import typer

from schemas.errors import NotFound, ProtocolError
from schemas.presentation import RequestLink, parse_link
from service.commands import CommandFailed, JSONOption, show
from service.i18n import Translator, load_catalogues
from wallet.cli_acting import for_whom, with_acting_yes
from wallet.cli_decision import one_line, print_decision
from wallet.decision import Chosen, Decision, permission_digest
from wallet.delivery import Delivery, DeliveryState
from wallet.deployment import Deployment
from wallet.links import LONGEST_LINK, ArrivalKind, read_arrival
from wallet.offers import IsARequest
from wallet.over_asking import Warned
from wallet.pages.history_view import why_not_accepted
from wallet.pages.phrases import bare_certificate
from wallet.pages.share_view import decision_view
from wallet.pages.share_words import fault_words
from wallet.pages.warning_words import warning_view
from wallet.requests import AlreadyAnswered, CameBy, CouldNotFetch, asked_host
from wallet.sharing import Sharing
from wallet.terminal import (
    DEFAULT_DATA,
    DEFAULT_PERSON,
    PersonOption,
    WalletData,
    open_or_make_vault,
    read_passphrase,
    tell,
    with_wallet,
)
from wallet.vault import UnlockedVault

LANGUAGE = "en"

_SENTENCES = {
    DeliveryState.DELIVERED: "Delivered.",
    DeliveryState.NOT_ACCEPTED: "It arrived, but was not accepted.",
    DeliveryState.NOT_DELIVERED: "It could not be sent.",
    DeliveryState.UNKNOWN: "We do not know whether it arrived.",
}
_SENT_TO = {
    DeliveryState.DELIVERED: "Shared with",
    DeliveryState.NOT_ACCEPTED: "Sent to",
    DeliveryState.NOT_DELIVERED: "It was meant for",
    DeliveryState.UNKNOWN: "Sent to",
}


def register(app: typer.Typer) -> None:
    """Add the command to `intyga-wallet`."""
    app.command("present")(present)


def present(
    link: Annotated[str, typer.Argument(help="The request: a link, or a code such as employer.example/4K7M2-9QX3T.")],
    approve: Annotated[
        bool, typer.Option("--approve", help="Say yes to all that is required, without asking.")
    ] = False,
    refuse: Annotated[bool, typer.Option("--refuse", help="Answer no, without asking.")] = False,
    optional: Annotated[
        list[str], typer.Option("--optional", help="Share this optional part too: its number, or `all`. Repeatable.")
    ] = [],  # noqa: B006
    yes: Annotated[
        list[str], typer.Option("--yes", help="Say yes to this item, which needs a yes of its own. Repeatable.")
    ] = [],  # noqa: B006
    allow_checks: Annotated[
        bool, typer.Option("--allow-checks", help="Also let them check again later, where they ask for that.")
    ] = False,
    another: Annotated[
        int, typer.Option("--another", min=0, help="Answer in this other way: its number, as it is printed.")
    ] = 0,
    act_for: Annotated[
        str, typer.Option("--act-for", help="Answer for somebody else, under this power: its id, as it is printed.")
    ] = "",
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Answer a request. Prints what would be shared, and asks unless told. Ends with 0 only when the answer arrived."""
    if approve and refuse:
        raise CommandFailed("Say --approve or --refuse, not both.", error="usage", exit_status=2)
    decided = "share" if approve else "refuse" if refuse else ""
    result = with_wallet(
        data,
        lambda wallet: _present(
            wallet,
            person,
            link,
            decided=decided,
            optional=optional,
            yes=yes,
            allow_checks=allow_checks,
            act_for=act_for,
            another=another,
        ),
    )
    show(result, as_json=as_json, human=_present_text)
    if result["outcome"] != DeliveryState.DELIVERED.value:
        raise typer.Exit(1)


async def _present(
    wallet: Deployment,
    person: str,
    text: str,
    *,
    decided: str,
    optional: list[str],
    yes: list[str],
    allow_checks: bool,
    act_for: str,
    another: int,
) -> dict[str, Any]:
    vault = await open_or_make_vault(wallet, person)
    sharing = Sharing(wallet)
    link, came_by = await _read_link(wallet, vault, text)
    tell(f"The request comes from {asked_host(link) or 'an unknown address'}.")
    share_id = await _begin(sharing, vault, link, came_by)
    try:
        return await _answer(
            wallet,
            sharing,
            vault,
            share_id,
            decided=decided,
            optional=optional,
            yes=yes,
            allow_checks=allow_checks,
            act_for=act_for,
            another=another,
        )
    finally:
        # Whatever stopped it, nobody answers this one any more: the history says so, and the request can be answered
        # under another entry.
        with suppress(NotFound, AlreadyAnswered):
            sharing.close(vault, share_id)


async def _answer(
    wallet: Deployment,
    sharing: Sharing,
    vault: UnlockedVault,
    share_id: str,
    *,
    decided: str,
    optional: list[str],
    yes: list[str],
    allow_checks: bool,
    act_for: str,
    another: int,
) -> dict[str, Any]:
    person = vault.name
    decision = for_whom(sharing, vault, share_id, act_for, language=LANGUAGE)
    if another:
        decision = _in_another_way(sharing, vault, decision, another)
    chosen = replace(
        _chosen(decision, optional=optional, yes=yes),
        recheck=allow_checks,
        option=decision.chosen.option,
        picked=decision.chosen.picked,
        acting_for=act_for,
    )
    decision = sharing.choose(vault, share_id, chosen, language=LANGUAGE)
    told = bool(decided)
    view = decision_view(decision, _translator(), history=sharing.history(vault)[0])
    print_decision(decision, view)
    decision = _with_step(sharing, vault, share_id, decision, ask=not told)
    decided = decided or _ask(decision)
    if decided == "share":
        decision = _with_overrides(sharing, vault, share_id, decision, ask=not told)
    if decided == "share" and decision.misses_acting_yes:
        decision = with_acting_yes(sharing, vault, decision, ask=not told, language=LANGUAGE)
    if decided == "share" and decision.missing_yes:
        decision = _with_own_yes(sharing, vault, share_id, decision, ask=not told)
    if decided == "refuse":
        delivery = await sharing.refuse(vault, share_id, language=LANGUAGE)
        return _result(share_id, decision, delivery, shared=False)
    if not decision.is_satisfiable:
        faults = view["acting"]["faults"] if view["acting"] else []
        raise CommandFailed(
            " ".join(["This wallet cannot give what is asked for.", *faults, "Nothing was sent; --refuse answers no."]),
            error="cannot_satisfy",
        )
    if not decision.choices:
        raise CommandFailed(
            "Nothing was chosen: all they ask for is optional. Name what to share with --optional. Nothing was sent.",
            error="nothing_chosen",
        )
    if decision.allowed_recheck is not None:
        tell("Later checks outlast the share: they are confirmed by themselves, before it.")
        await sharing.confirm_permission(
            vault,
            share_id,
            language=LANGUAGE,
            approved_digest=permission_digest(decision),
            passphrase=read_passphrase(wallet.settings, person, is_new=False),
        )
    passphrase = read_passphrase(wallet.settings, person, is_new=False)
    delivery = await sharing.approve(
        vault, share_id, language=LANGUAGE, approved_digest=decision.digest, passphrase=passphrase
    )
    result = _result(share_id, decision, delivery, shared=True)
    if delivery.state is DeliveryState.NOT_ACCEPTED:
        result["reasons"] = why_not_accepted(sharing.no_longer_vouched_for(vault, share_id), _translator())
    return result


def _with_step(sharing: Sharing, vault: UnlockedVault, share_id: str, decision: Decision, *, ask: bool) -> Decision:
    """The decision once that has been read which must be before any answer, yes or no (OA-09)."""
    step = decision.missing_step
    return decision if step is None else _gone_on(sharing, vault, share_id, decision, [step], ask=ask)


def _with_overrides(
    sharing: Sharing, vault: UnlockedVault, share_id: str, decision: Decision, *, ask: bool
) -> Decision:
    """The decision with a yes in spite of each failed check of who asks (CS-20)."""
    return _gone_on(sharing, vault, share_id, decision, decision.missing_overrides, ask=ask)


def _gone_on(
    sharing: Sharing, vault: UnlockedVault, share_id: str, decision: Decision, over: Sequence[Warned], *, ask: bool
) -> Decision:
    for warned in over:
        view = warning_view(warned, _translator(), titles={})
        if not ask:
            # Whoever gives the answer with the command has decided about all that is printed, each warning by name.
            tell(f"You go on in spite of this ({view.kind}): {view.sentence}")
            continue
        if not typer.confirm(f"{view.sentence} Go on in spite of it?", default=False, err=True):
            raise CommandFailed("Nothing was sent.", error="override_missing")
    overridden = decision.chosen.overridden | {warned.kind.value for warned in over}
    if overridden == decision.chosen.overridden:
        return decision
    return sharing.choose(vault, share_id, replace(decision.chosen, overridden=overridden), language=LANGUAGE)


def _with_own_yes(sharing: Sharing, vault: UnlockedVault, share_id: str, decision: Decision, *, ask: bool) -> Decision:
    """The decision with a yes for each item that needs one of its own.

    `--approve` (and `--optional` for what is optional) is that yes; otherwise the person is asked about each.
    """
    if not decision.is_satisfiable:
        return decision
    for item in decision.missing_yes:
        name = item.name.text(LANGUAGE)
        if not ask:
            tell(f"  You say yes to: {name}")
        elif not typer.confirm(f"{name} is sensitive, or needs a yes of its own. Share it?", default=False, err=True):
            raise CommandFailed(f"Without a yes to {name} nothing is shared. Nothing was sent.", error="yes_missing")
    approved = decision.chosen.approved | {item.id for item in decision.missing_yes}
    return sharing.choose(vault, share_id, replace(decision.chosen, approved=approved), language=LANGUAGE)


async def _read_link(wallet: Deployment, vault: UnlockedVault, text: str) -> tuple[RequestLink, CameBy]:
    """The link that was given, or that a typed code stands for."""
    arrival = read_arrival(text, allow_loopback=wallet.settings.allow_loopback)
    if arrival.kind is ArrivalKind.REQUEST:
        return parse_link(arrival.text, max_chars=LONGEST_LINK), CameBy.COMMAND
    if arrival.kind is ArrivalKind.CODE:
        try:
            wallet.put_away(vault, await wallet.look_at(vault, arrival))
        except IsARequest as exc:
            return parse_link(f"?{exc.query}", max_chars=LONGEST_LINK), CameBy.CODE
    raise CommandFailed("This is an offer, not a request: use `receive`.", error="is_an_offer")


async def _begin(sharing: Sharing, vault: UnlockedVault, link: RequestLink, came_by: CameBy) -> str:
    try:
        share_id = await sharing.begin(vault, link, came_by=came_by)
    except CouldNotFetch as exc:
        raise CommandFailed(f"The request could not be fetched: {str(exc).rstrip('.')}.", error=exc.error) from exc
    except ProtocolError as exc:
        raise CommandFailed(str(exc), error=exc.error) from exc
    fault = sharing.fault(vault, share_id)
    if fault is not None:
        words = fault_words(fault.kind)
        raise CommandFailed(f"{words.title}. {words.text} ({fault.description})", error=fault.error)
    return share_id


def _in_another_way(sharing: Sharing, vault: UnlockedVault, decision: Decision, number: int) -> Decision:
    """The decision with another way of answering in place of the one that reveals least (S2b)."""
    if number > len(decision.alternatives):
        raise CommandFailed(f"There is no other way {number}. Nothing was sent.", error="usage", exit_status=2)
    chosen = decision.alternatives[number - 1].in_place_of(decision.chosen)
    return sharing.choose(vault, decision.share_id, chosen, language=LANGUAGE)


def _chosen(decision: Decision, *, optional: list[str], yes: list[str]) -> Chosen:
    parts = {part.index for part in decision.optional}
    if "all" in optional:
        return Chosen(ticked=frozenset(parts), approved=frozenset(yes))
    numbers = {str(index) for index in parts}
    unknown = [one for one in optional if one not in numbers]
    lacking = {str(part.index) for part in decision.unanswered}
    for one in unknown:
        if one in lacking:
            raise CommandFailed(
                f"Nothing in this wallet answers optional part {one}. Nothing was sent.", error="usage", exit_status=2
            )
    if unknown:
        raise CommandFailed(f"There is no optional part {unknown[0]}.", error="usage", exit_status=2)
    return Chosen(ticked=frozenset(int(one) for one in optional), approved=frozenset(yes))


def _ask(decision: Decision) -> str:
    if not sys.stdin.isatty():
        raise CommandFailed(
            "There is nobody to ask: say --approve or --refuse. Nothing was sent.", error="no_decision", exit_status=2
        )
    if not decision.is_satisfiable:
        return "refuse" if typer.confirm("Answer no?", default=False, err=True) else ""
    view = decision_view(decision, _translator(), history=[])
    until = f" until {view['retention']}" if view["retention"] else ""
    question = f"Share {decision.count} item(s) with {view['who']['called']}{until}? Write share or no"
    written = str(typer.prompt(question, err=True)).strip().casefold()
    if written not in ("share", "no", "n"):  # A share needs its whole word, a no only its beginning.
        raise CommandFailed("That was neither share nor no. Nothing was sent.", error="no_decision")
    return "share" if written == "share" else "refuse"


def _result(share_id: str, decision: Decision, delivery: Delivery, *, shared: bool) -> dict[str, Any]:
    view = decision_view(decision, _translator(), history=[])
    return {
        "id": share_id,
        "outcome": delivery.state.value,
        "reason": delivery.reason,
        "answer": "shared" if shared else "refused",
        "recipient": {"name": view["who"]["name"], "level": view["who"]["level"], "host": view["answer_host"]},
        "shared": [item.name.text(LANGUAGE) for item in decision.items] if shared else [],
        "certificates": _kinds(decision) if shared else [],
        "went": _went(decision, view) if shared else [],
        "kept_until": decision.retention_until.isoformat() if decision.retention_until and shared else None,
        "redirect_uri": delivery.redirect_uri,
        "reasons": [],
    }


def _kinds(decision: Decision) -> list[str]:
    """The kinds of the certificates that are shown: what every recipient sees, also when no item goes."""
    shown = {choice.candidate_id for choice in decision.choices}
    titles = [
        one.group.names.type_name.text(LANGUAGE) for one in decision.left_behind if one.group.certificate.id in shown
    ]
    return list(dict.fromkeys(titles))


def _went(decision: Decision, view: dict[str, Any]) -> list[str]:
    """Everything that went, of each certificate once: its items, or that it went with none, and its title."""
    items: dict[str, list[str]] = {group.certificate.id: [] for group in decision.groups}
    for item in decision.items:
        items[item.certificate_id].append(item.name.text(LANGUAGE))
    titles = {group.certificate.id: group.names.title.text(LANGUAGE) for group in decision.groups}
    went = [
        f"{', '.join(names)} – {titles[id_]}" if names else bare_certificate(titles[id_], _translator())
        for id_, names in items.items()
    ]
    return [one_line(text) for text in [*went, *view["titles"]]]


def _present_text(result: dict[str, Any]) -> str:
    state = DeliveryState(result["outcome"])
    name = result["recipient"]["name"]
    called = f"somebody who says it is {name}" if result["recipient"]["level"] == "unproven" else name
    if result["answer"] == "shared":
        said = "\n  ".join([f"{_SENT_TO[state]} {called}:", *result["went"]])
    else:
        said = f"You said no to {called}. Nothing was shared."
    back = f"\nThey want you to go on at: {result['redirect_uri']}" if result["redirect_uri"] else ""
    return " ".join([_SENTENCES[state], *result["reasons"], f"{said}{back}"])


def _translator() -> Translator:
    return load_catalogues().translator(LANGUAGE)
