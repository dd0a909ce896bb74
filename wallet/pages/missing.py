"""What is missing, on the first page: who owes it, since when, and where to look (CS-36, CS-38)."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from fastapi.responses import Response

from service.i18n import N_, Translator
from wallet.missing import Lack, Missing, Owed
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep
from wallet.pages.phrases import called
from wallet.vault import UnlockedVault

router = APIRouter()

MOST_SHOWN: Final = 5
_SENTENCES: Final = {
    Lack.DELETION_ANSWER: N_("You asked them to delete it. They should have answered by %(day)s."),
    Lack.STATEMENT: N_("Their last day was %(day)s. They have not stated that it is deleted."),
    Lack.COPY: N_("The copy that you asked for should have come by %(day)s."),
    Lack.OBJECTION_ANSWER: N_("They should have answered your objection by %(day)s."),
}


def missing_view(missing: Missing, vault: UnlockedVault, t: Translator) -> dict[str, Any] | None:
    """The panel of the first page; None when nothing is missing. At most `MOST_SHOWN` are named, the longest first."""
    found = missing.unseen(vault)
    shown = found[:MOST_SHOWN]
    return (
        {
            "count": len(found),
            "shown": [
                {
                    "id": one.entry.id,
                    "who": _who(one, t),
                    "day": t.date(one.entry.filed_at.date()),
                    "sentence": _sentence(one, t),
                }
                for one in shown
            ],
            "entries": list(dict.fromkeys(one.entry.id for one in shown)),
            "more": len(found) - len(shown),
        }
        if found
        else None
    )


def _who(owed: Owed, t: Translator) -> str:
    entry = owed.entry
    proven = entry.facts.get("level") != "unproven"
    return called(entry.who.text(t.language) or entry.host, t, proven=proven)[1]


def _sentence(owed: Owed, t: Translator) -> str:
    return t(_SENTENCES[owed.what], day=t.date(owed.since))


@router.post("/missing/seen", dependencies=[FromOurForm])
async def seen(
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    entry: Annotated[list[str], Form(max_length=MOST_SHOWN)] = [],  # noqa: B006 - FastAPI copies it.
    decision: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """The person has seen what the page named. The Enter key says nothing."""
    if decision == "seen":
        Missing(wallet).put_aside(vault, entry)
    return pages.redirect("/")
