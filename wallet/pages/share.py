"""S1 and S2 of a share: who asks, why, until when, and what; the ticks and the decision. Nothing here needs a script.

`GET /share/ID` shows the screen as the person left it, `POST /share/ID` takes ticks and the decision. The screens
before and after it are in `share_arrival.py`, `share_confirm.py` and `share_outcome.py`. The first button of the form
shows the page again: the Enter key never shares (CS-01).
"""

from contextlib import suppress
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from schemas.dcql import InvalidSelection
from service.i18n import N_
from service.pages import FormSwitch
from wallet.consent import StepMissing
from wallet.decision import Chosen, Decision
from wallet.pages import share_arrival, share_confirm, share_outcome
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, go_to, the_wallet
from wallet.pages.history_view import row_view
from wallet.pages.share_access import CHANGED, SharingDep
from wallet.pages.share_fetch import afterwards, begun, fetchable, to_ask_for, together
from wallet.pages.share_view import decision_view
from wallet.pages.share_words import fault_words
from wallet.pages.warning_words import warning_view
from wallet.requests import AlreadyAnswered, RequestExpired, RequestFault
from wallet.sharing import NotMutable, Sharing
from wallet.vault import UnlockedVault

router = APIRouter()
router.include_router(share_arrival.router)
router.include_router(share_confirm.router)
router.include_router(share_outcome.router)


@router.get("/share/{share_id}")
async def decide_page(
    request: Request, vault: VaultDep, pages: PagesDep, sharing: SharingDep, share_id: str
) -> Response:
    """The decision screen, as the person left it; on a fresh one nothing is chosen."""
    if not sharing.is_kept(vault, share_id):
        return go_to(request, f"/history/{share_id}")
    fault = sharing.fault(vault, share_id)
    if fault is not None:
        return_link, is_first = sharing.return_link(vault, share_id)
        return await pages.render(
            request, "share/fault.html", status=200, fault=fault, host=fault.host, error=fault.error,
            words=fault_words(fault.kind), acting_for="",
            return_link=return_link, go_now=is_first,
        )  # fmt: skip
    if not sharing.is_open(vault, share_id):
        return go_to(request, f"/share/{share_id}/outcome")
    await the_wallet(request).collect_due(vault)
    await sharing.look_anew(vault)
    try:
        decision = sharing.decision(vault, share_id, language=pages.language(request))
    except AlreadyAnswered:  # In another window; that page says so.
        return go_to(request, f"/share/{share_id}/outcome")
    except RequestExpired:
        return await _show_expired(request, pages, sharing, vault, share_id)
    except RequestFault as exc:
        return await _show_late_fault(request, pages, exc, acting_for=sharing.acting_for(vault, share_id))
    except InvalidSelection:
        decision = sharing.choose(vault, share_id, Chosen(), language=pages.language(request))
    if not sharing.is_as_shown(vault, decision):
        # Something was revoked or received meanwhile: what was ticked stood beside something else.
        decision = sharing.choose(vault, share_id, Chosen(), language=pages.language(request))
    return await _show_decision(request, pages, sharing, vault, decision)


@router.post("/share/{share_id}", dependencies=[FromOurForm])
async def choose(
    request: Request,
    vault: VaultDep,
    pages: PagesDep,
    sharing: SharingDep,
    share_id: str,
    decision: Annotated[str, Form(max_length=20)] = "",
    optional: Annotated[list[int], Form()] = [],  # noqa: B006
    yes: Annotated[list[str], Form()] = [],  # noqa: B006
    override: Annotated[list[str], Form()] = [],  # noqa: B006
    recheck: Annotated[str, Form(max_length=5)] = "",
    acting: Annotated[str, Form(max_length=5)] = "",
    use: Annotated[str, Form(max_length=5000)] = "",
    to_language: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Take the ticks, and the decision if one was made. A form without a decision only shows the page again."""
    language = pages.language(request)
    try:
        if decision == "refuse":
            await sharing.refuse(vault, share_id, language=language)
            return go_to(request, f"/share/{share_id}/outcome")
        if decision == "close":
            sharing.close(vault, share_id)
            return pages.redirect("/", message=N_("You left without answering. Nothing was sent."))
        if decision == "mute":
            sharing.mute(vault, share_id)
            return pages.redirect("/", message=N_("The question is muted for 24 hours. Nothing was sent."))
        before = sharing.decision(vault, share_id, language=language)
        if before.missing_step is not None:
            if decision == "read":
                read = before.chosen.overridden | {before.missing_step.kind.value}
                sharing.choose(vault, share_id, replace(before.chosen, overridden=read), language=language)
            return go_to(request, f"/share/{share_id}")
        if not sharing.is_as_shown(vault, before):
            return pages.redirect(f"/share/{share_id}", message=CHANGED, kind="warning")
        chosen = replace(
            _chosen(before, optional=optional, yes=yes, override=override, use=use),
            recheck=recheck == "yes" and before.recheck is not None,
            acting_confirmed=acting == "yes" and before.acting is not None and not use.startswith("act:"),
        )
        shown = sharing.choose(vault, share_id, chosen, language=language)
    except AlreadyAnswered:
        return go_to(request, f"/share/{share_id}/outcome")
    except RequestExpired:
        with suppress(AlreadyAnswered):
            sharing.keep_ticks(vault, share_id, ticked=frozenset(optional), approved=frozenset(yes))
        return go_to(request, f"/share/{share_id}")  # That page says so.
    except RequestFault:
        return go_to(request, f"/share/{share_id}")  # That page says so.
    except StepMissing:
        return go_to(request, f"/share/{share_id}")  # That page says what to read.
    except NotMutable:
        return go_to(request, f"/share/{share_id}")
    except InvalidSelection:
        return pages.redirect(f"/share/{share_id}", message=CHANGED, kind="warning")
    if decision != "share":
        lang = f"?lang={to_language}" if to_language in ("sv", "en") else ""
        anchor = "" if to_language else "#what"
        return go_to(request, f"/share/{share_id}{lang}{anchor}")
    if not shown.is_satisfiable:
        return go_to(request, f"/share/{share_id}")
    if shown.missing_yes or shown.missing_overrides or shown.misses_acting_yes:
        return go_to(request, f"/share/{share_id}?missing=1")
    return go_to(request, f"/share/{share_id}/confirm")


def _chosen(before: Decision, *, optional: list[int], yes: list[str], override: list[str], use: str) -> Chosen:
    """What the form says. `use` names another alternative: `option:1`, `pick:QUERY:KEY` or `add:QUERY:KEY`; or for whom
    the answer is, `act:POWER`, with which everything else is chosen anew.
    """
    option, picked = before.chosen.option, dict(before.chosen.picked)
    kind, _, rest = use.partition(":")
    query_id, _, key = rest.partition(":")
    if kind == "option" and rest.isascii() and rest.isdigit() and len(rest) < 6:
        option, picked = int(rest), {}
    elif kind == "pick":
        picked[query_id] = (key,)
    elif kind == "add":
        in_use = before.selection.choices.get(query_id, ()) if before.selection is not None else ()
        picked[query_id] = (*(choice.key for choice in in_use), key)
    if kind == "act":
        return Chosen(acting_for=rest, overridden=before.chosen.overridden)
    may_override = {warned.kind.value for warned in before.overrides}
    read = before.chosen.overridden - may_override  # What was read on the page before this one stays read.
    return Chosen(
        option=option,
        picked=picked,
        ticked=frozenset(optional),
        approved=frozenset(yes),
        overridden=read | (may_override & set(override)),
        acting_for=before.chosen.acting_for,
    )


async def _show_decision(
    request: Request, pages: PagesDep, sharing: Sharing, vault: UnlockedVault, decision: Decision
) -> Response:
    t = pages.translator(request)
    view = decision_view(decision, t, history=sharing.history(vault)[0])
    if decision.missing_step is not None:
        step = warning_view(decision.missing_step, t, titles={})
        return await pages.render(request, "share/guess.html", view=view, decision=decision, step=step)
    sharing.note_shown(vault, decision)
    wallet = the_wallet(request)
    if not decision.is_satisfiable:
        on_its_way = begun(decision.share_id, wallet, vault, t)
        found = fetchable(decision, wallet, t, on_its_way)
        groups = together(decision, found)
        return await pages.render(
            request,
            "share/lacking.html",
            view=view,
            decision=decision,
            fetchable=found,
            together=groups,
            afterwards=afterwards(decision, found, groups, t),
            to_ask_for=[one.sentence(t) for one in to_ask_for(decision, wallet, t)],
            begun=on_its_way,
        )
    faults: list[tuple[str, str]] = []
    if "missing" in request.query_params:
        unticked = [one for one in view["overrides"] if not one.overridden]
        faults += [(f"override-{one.kind}", one.sentence) for one in unticked]
        if decision.misses_acting_yes:
            faults.append(("acting-yes", t(N_("You are acting for %(name)s"), name=view["acting_for"])))
        faults += [(f"yes-{item.id}", item.name.text(t.language)) for item in decision.missing_yes]
    return await pages.render(
        request,
        "share/decide.html",
        faults=faults,
        view=view,
        decision=decision,
        switch=FormSwitch("share-form", f"/share/{decision.share_id}"),
    )


async def _show_expired(
    request: Request, pages: PagesDep, sharing: Sharing, vault: UnlockedVault, share_id: str
) -> Response:
    view = row_view(
        sharing.entry(vault, share_id), pages.translator(request), now=the_wallet(request).clock(), titles={}
    )
    for_whom = sharing.acting_for(vault, share_id)
    return await pages.render(request, "share/expired.html", share_id=share_id, who=view["called"], acting_for=for_whom)


async def _show_late_fault(request: Request, pages: PagesDep, exc: RequestFault, *, acting_for: str) -> Response:
    """Trust was withdrawn, or something else no longer holds, while the person was looking."""
    return await pages.render(
        request, "share/fault.html", status=400, fault=None, host="", error=exc.error,
        words=fault_words(exc.kind), acting_for=acting_for, return_link=None,
    )  # fmt: skip
