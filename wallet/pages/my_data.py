"""My data: each item that the person holds, its source, who received it, and each decision about it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from service.i18n import N_, Translator
from wallet.histories import Histories
from wallet.my_data import GIVEN, Datum, Decided, Holding, Use, holdings
from wallet.pages.access import PagesDep, VaultDep, WalletDep
from wallet.pages.acting_words import whom_cards_are_about
from wallet.pages.history_view import after_view
from wallet.pages.phrases import called
from wallet.pages.share_words import OUTCOMES
from wallet.taking_back import standing_of

router = APIRouter()

_DECIDED = {
    Decided.SHARED: N_("You shared it"),
    Decided.CAME_ALONG: N_("It came along"),
    Decided.LEFT_OUT: N_("You left it out"),
    Decided.REFUSED: N_("You shared nothing"),
}
_SHOWN = {
    "": N_("Everything"),
    "given": N_("What somebody has received"),
    "kept": N_("What nobody has received"),
    "refused": N_("What you have said no to"),
}


@router.get("/my-data")
async def my_data(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    find: Annotated[str, Query(max_length=200)] = "",
    show: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Everything, or what is looked for: by a word of it, and by what became of it."""
    t, now = pages.translator(request), wallet.clock()
    book = Histories(wallet).read(vault)
    everything = holdings(vault.certificates(), book.entries, language=t.language)
    show = show if show in _SHOWN else ""
    about = whom_cards_are_about(vault.certificates(), t)
    views = [view for one in everything if (view := _holding(one, find=find, show=show, t=t, now=now))["data"]]
    return await pages.render(
        request,
        "my_data.html",
        holdings=views,
        about=about,
        total=sum(len(one.data) for one in everything),
        found=sum(len(view["data"]) for view in views),
        is_filtered=bool(find.strip() or show),
        filter={"find": find, "show": show},
        shown=[(value, t(words)) for value, words in _SHOWN.items()],
        is_intact=book.is_intact,
    )


def _holding(holding: Holding, *, find: str, show: str, t: Translator, now: datetime) -> dict[str, Any]:
    matches_whole = _contains((holding.title, holding.issuer), find)
    return {
        "id": holding.certificate_id,
        "is_held": holding.card is not None,
        "title": holding.title,
        "title_language": holding.card.title_language if holding.card else "",
        "issuer": holding.issuer,
        "data": [
            {"label": _label(datum, t), "value": datum.value, "uses": [_use(use, t, now=now) for use in datum.uses]}
            for datum in holding.data
            if _fits(datum, show) and (matches_whole or _contains(_texts(datum, t), find))
        ],
    }


def _label(datum: Datum, t: Translator) -> str:
    whole = N_("The certificate itself: its kind, its issuer and how long it holds")
    return t(whole) if datum.is_whole else datum.label


def _fits(datum: Datum, show: str) -> bool:
    if show == "given":
        return datum.went_somewhere
    if show == "kept":
        return not datum.went_somewhere
    return show != "refused" or any(use.decided not in GIVEN for use in datum.uses)


def _texts(datum: Datum, t: Translator) -> Iterable[str]:
    yield _label(datum, t)
    yield datum.value
    for use in datum.uses:
        yield use.entry.who.text(t.language)
        yield use.entry.host


def _use(use: Use, t: Translator, *, now: datetime) -> dict[str, Any]:
    entry = use.entry
    is_given = use.decided in GIVEN
    proven = entry.facts.get("level") != "unproven"
    _, who = called(entry.who.text(t.language) or entry.host, t, proven=proven)
    outcome = OUTCOMES[entry.outcome]
    is_gone = standing_of(entry, now=now, time_zone=t.time_zone).is_gone
    after = after_view(entry, t, now=now) if is_given else None
    return {
        "entry": entry.id,
        "who": who,
        "what": t(_DECIDED[use.decided]),
        # Sharing can have gone wrong on its way; then that is what counts.
        "outcome": t(outcome.word) if is_given and entry.outcome.value != "shared" else "",
        "after": after["word"] if after else "",
        "day": t.date(entry.decided_at or entry.at),
        "until": t.date(entry.retention_until) if is_given and entry.retention_until and not is_gone else "",
    }


def _contains(texts: Iterable[str], wanted: str) -> bool:
    folded = wanted.strip().casefold()
    return not folded or any(folded in text.casefold() for text in texts)
