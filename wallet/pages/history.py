"""The history of a vault (consent.md, S5 and S6), and the receipts in it."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from proofs import strict_json
from schemas.errors import NotFound
from schemas.withdrawal import MEDIA_TYPE
from service.documents import pdf_of
from service.i18n import N_, Translator
from service.pages import FormSwitch
from wallet.histories import Histories
from wallet.history_filter import Filter
from wallet.ledger import LOOKED_FOR, EventKind, Outcome
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep
from wallet.pages.history_export import EXPORTS
from wallet.pages.history_pdf import history_document, parts_of
from wallet.pages.history_view import entry_view, no_longer_valid, row_view, titles_of
from wallet.pages.history_words import HAPPENED, fault_sentences
from wallet.pages.permission_words import permission_view
from wallet.pages.receipt_pdf import receipt_document
from wallet.pages.receipt_view import receipt_view
from wallet.pages.share_access import SharingDep
from wallet.pages.share_words import OUTCOMES
from wallet.pages.take_back_words import standing_view
from wallet.permissions import Lasting
from wallet.permitting import permission_of
from wallet.receipts import receipt_file, receipt_of
from wallet.reshown import Reshown, reshown
from wallet.taking_back import can_take_back, standing_of
from wallet.withdrawals import Withdrawals

router = APIRouter()

MEDIA_TYPES = {".json": "application/json", ".csv": "text/csv; charset=utf-8", ".pdf": "application/pdf"}
_CONFIRMED = N_("They confirmed the receipt.")
_NOT_CONFIRMED = N_("They have not confirmed it yet. The wallet tries again when you open it.")
NOT_A_DATE = N_("Write the date as year-month-day, for example 2027-03-31.")


@router.get("/history")
async def history(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    sharing: SharingDep,
    who: Annotated[str, Query(max_length=200)] = "",
    since: Annotated[str, Query(max_length=20)] = "",
    until: Annotated[str, Query(max_length=20)] = "",
    outcome: Annotated[str, Query(max_length=20)] = "",
    certificate: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Everything that happened, filtered by words that a person understands."""
    t = pages.translator(request)
    faults = [(name, t(NOT_A_DATE)) for name, text in (("since", since), ("until", until)) if text and not _day(text)]
    wanted = Filter(
        who=who,
        since=_day(since),
        until=_day(until),
        outcome=Outcome(outcome) if outcome in set(Outcome) else None,
        done=EventKind(outcome) if outcome in LOOKED_FOR else None,
        certificate=certificate,
    )
    book = Histories(wallet).read(vault)
    entries = book.entries
    titles = titles_of(vault)
    return await pages.render(
        request,
        "history/list.html",
        status=400 if faults else 200,
        rows=[
            row_view(entry, t, now=wallet.clock(), titles=titles) for entry in entries if wanted.matches(entry, titles)
        ],
        total=len(entries),
        pdf_parts=parts_of(book),
        is_intact=book.is_intact,
        faults_found=fault_sentences(book.faults, t),
        deletions=len(book.deletions),
        last_deletion=t.date(max(book.deletions)) if book.deletions else "",
        is_filtered=not wanted.is_empty,
        outcomes=[
            ("", t(N_("Any"))),
            *((one.value, t(words.word)) for one, words in OUTCOMES.items()),
            *((one.value, t(HAPPENED[one])) for one in LOOKED_FOR),
        ],
        filter={"who": who, "since": since, "until": until, "outcome": outcome, "certificate": certificate},
        faults=faults,
        switch=FormSwitch("history-filter", "/history", searches=True) if entries else None,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


@router.get("/history/files/{name}")
async def history_file(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    name: str,
    part: Annotated[int, Query(ge=0, le=1_000_000)] = 1,
) -> Response:
    """The whole history as a file; a long one as PDF in parts."""
    ending = f".{name.rpartition('.')[2]}"
    if name != f"history{ending}" or ending not in MEDIA_TYPES:
        raise NotFound("There is no such file")
    now = wallet.clock()
    t = pages.translator(request)
    book = Histories(wallet).read(vault)
    number = ""
    if ending == ".pdf":
        if not 1 <= part <= parts_of(book):
            raise NotFound("There is no such part")
        number = f"-{part}" if parts_of(book) > 1 else ""
        content = await pdf_of(history_document(book, t, part=part, now=now))
    else:
        content = EXPORTS[ending](book, t, zone=wallet.settings.time_zone, now=now)
    file_name = f"intyga-{t(N_('sharing-history'))}-{now.date().isoformat()}{number}{ending}"
    return _file(content, file_name, MEDIA_TYPES[ending])


def _file(content: bytes, name: str, media_type: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


@router.get("/history/{entry_id}")
async def entry(
    request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, sharing: SharingDep, entry_id: str
) -> Response:
    """One entry: what was asked, what went, to whom, why, until when; and whom to turn to."""
    titles, t, found = titles_of(vault), pages.translator(request), sharing.entry(vault, entry_id)
    standing = (
        standing_view(found, standing_of(found, now=wallet.clock(), time_zone=t.time_zone), t, titles=titles)
        if can_take_back(found)
        else None
    )
    permission = permission_of(found, now=wallet.clock())
    may_ask = standing is not None and (standing["is_by_wallet"] or standing["misses_statement"])
    values = reshown(found, vault.certificates(), language=t.language)
    return await pages.render(
        request,
        "history/entry.html",
        values=[(_called(one, t), one.is_as_it_was, one.lines) for one in values],
        view=entry_view(found, t, now=wallet.clock(), titles=titles),
        held=titles,
        no_longer_valid=no_longer_valid(sharing.no_longer_vouched_for(vault, entry_id), t) if found.went else [],
        standing=standing,
        permission=permission_view(Lasting(found, permission), t, now=wallet.clock()) if permission else None,
        can_look=may_ask and Withdrawals(wallet).can_ask(vault, entry_id),
    )


def _called(one: Reshown, t: Translator) -> str:
    name = one.name.text(t.language)
    return t(N_("Always comes along: %(title)s"), title=name) if one.always else name


@router.get("/history/{entry_id}/delete")
async def delete_form(request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, entry_id: str) -> Response:
    """What is lost when an entry is deleted, before it is."""
    found = Histories(wallet).entry(vault, entry_id)
    view = entry_view(found, pages.translator(request), now=wallet.clock(), titles=titles_of(vault))
    return await pages.render(request, "history/delete.html", view=view)


@router.post("/history/{entry_id}/delete", dependencies=[FromOurForm])
async def delete(
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    entry_id: str,
    decision: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Delete an entry, if that is what was pressed."""
    if decision != "delete":
        return pages.redirect(f"/history/{entry_id}/delete" if not decision else f"/history/{entry_id}")
    Histories(wallet).delete(vault, entry_id)
    return pages.redirect("/history", message=N_("The entry is deleted."))


@router.get("/history/{entry_id}/receipt")
async def receipt(
    request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, sharing: SharingDep, entry_id: str
) -> Response:
    """The receipt, to read and to print: like the file, it names the type of a certificate and not its title."""
    found = sharing.entry(vault, entry_id)
    t = pages.translator(request)
    view = entry_view(found, t, now=wallet.clock(), titles={})
    receipt = receipt_view(receipt_of(found), view, t)
    means = Withdrawals(wallet).means(vault, entry_id)
    can_hand_in = means is not None and means.can_hand_in and found.outcome is Outcome.SHARED
    return await pages.render(request, "history/receipt.html", view=view, receipt=receipt, can_hand_in=can_hand_in)


@router.post("/history/{entry_id}/receipt", dependencies=[FromOurForm])
async def confirm_receipt(vault: VaultDep, wallet: WalletDep, pages: PagesDep, entry_id: str) -> Response:
    """Ask the recipient to confirm the receipt."""
    is_confirmed = await Withdrawals(wallet).confirm_receipt(vault, entry_id)
    message, kind = (_CONFIRMED, "good") if is_confirmed else (_NOT_CONFIRMED, "warning")
    return pages.redirect(f"/history/{entry_id}/receipt", message=message, kind=kind)


@router.get("/history/{entry_id}/receipt.json")
async def receipt_json(vault: VaultDep, sharing: SharingDep, entry_id: str) -> Response:
    """The receipt for machines: its members, and the same signed."""
    found = sharing.entry(vault, entry_id)
    return _file(strict_json.dumps(receipt_file(found)), f"intyga-receipt-{found.id[:8]}.json", MEDIA_TYPES[".json"])


@router.get("/history/{entry_id}/statements/{number}.jwt")
async def statement_file(
    vault: VaultDep, wallet: WalletDep, sharing: SharingDep, entry_id: str, number: int
) -> Response:
    """A statement about deletion, byte for byte as its recipient signed it; counted from 1 in the order they came."""
    found = sharing.entry(vault, entry_id)
    statements = Withdrawals(wallet).standing(found).statements
    if not 1 <= number <= len(statements):
        raise NotFound("There is no such statement")
    content = str(statements[number - 1][0].facts["token"]).encode("ascii")
    return _file(content, f"intyga-deletion-{found.id[:8]}-{number}.jwt", MEDIA_TYPE)


@router.get("/history/{entry_id}/receipt.pdf")
async def receipt_pdf(
    request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, sharing: SharingDep, entry_id: str
) -> Response:
    """The receipt to keep: the same words as on its page."""
    found, t = sharing.entry(vault, entry_id), pages.translator(request)
    content = await pdf_of(receipt_document(found, t, now=wallet.clock()))
    return _file(content, f"intyga-{t(N_('receipt'))}-{found.id[:8]}.pdf", MEDIA_TYPES[".pdf"])
