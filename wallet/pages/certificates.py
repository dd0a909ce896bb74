"""The person's certificates: the first page, and each certificate in full."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from starlette.background import BackgroundTask

from schemas.types import type_of
from service.i18n import N_, Translator, inside_sentence
from wallet.acts import Acts
from wallet.cards import last_day, read_card, standing
from wallet.certificates import StoredCertificate
from wallet.deleting import Deleting
from wallet.hosts import host_of
from wallet.missing import Missing
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep
from wallet.pages.acting_words import done_for_you, principal_name, whom_cards_are_about
from wallet.pages.missing import missing_view
from wallet.pages.permission_words import permission_view
from wallet.pages.waiting import waiting_views
from wallet.pages.words import CHECK_SENTENCES, standing_words
from wallet.permissions import Permissions
from wallet.powers_over_me import PowersOverMe

router = APIRouter()


@router.get("/")
async def home(request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep) -> Response:
    """All certificates, what waits to be collected, and what has arrived after a wait."""
    await wallet.collect_due(vault)
    await Acts(wallet).look_in(vault)
    certificates = await wallet.check_due(vault)
    language = pages.language(request)
    now = wallet.clock()
    cards = [(c, read_card(c, language), standing(c, now=now)) for c in certificates]
    t = pages.translator(request)
    waiting, arrived = waiting_views(vault, wallet, t)
    told = [permission_view(one, t, now=now) for one in Permissions(wallet).all(vault) if one.standing.unseen]
    return await pages.render(
        request,
        "home.html",
        vault=vault,
        cards=cards,
        about=whom_cards_are_about(certificates, t),
        looked={one.id: _looked(one, t, now=now) for one, _, stands in cards if stands.tone == "good"},
        waiting=waiting,
        arrived=arrived,
        told=told,
        missing=missing_view(Missing(wallet), vault, t),
        done=done_for_you(PowersOverMe(wallet).unseen(vault)),
        standing_words=standing_words,
    )


def _looked(certificate: StoredCertificate, t: Translator, *, now: datetime) -> str:
    """When its status was looked up, where that was not today: what stands beside it is as old."""
    looked = t.date(certificate.checked_at)
    return "" if looked == t.date(now) else t(N_("Status checked %(day)s"), day=looked)


@router.get("/certificates/{certificate_id}")
async def certificate(
    request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, certificate_id: str
) -> Response:
    """One certificate in full. It is checked when the last check is old, or was made when others were trusted."""
    found = wallet.certificate(vault, certificate_id)
    if wallet.is_due(found):
        found = await wallet.check_again(vault, found)
    stands = standing(found, now=wallet.clock())
    return await pages.render(
        request,
        "certificate.html",
        vault=vault,
        certificate=found,
        card=read_card(found, pages.language(request)),
        standing=stands,
        words=standing_words(stands.word),
        checks=CHECK_SENTENCES,
        last_day=last_day(found, time_zone=wallet.settings.time_zone),
        collected_host=host_of(found.collected_from),
    )


@router.post("/certificates/{certificate_id}/check", dependencies=[FromOurForm])
async def check_now(
    request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, certificate_id: str
) -> Response:
    """Check the status of a certificate now."""
    before = wallet.certificate(vault, certificate_id)
    found = await wallet.check_now(vault, before)
    if found.status == "unknown" or found.version == before.version:
        message, kind = N_("The status could not be checked now."), "warning"
    else:
        message, kind = N_("The certificate was checked now."), "info"
    return pages.redirect(f"/certificates/{certificate_id}", message=message, kind=kind)


@router.get("/certificates/{certificate_id}/delete")
async def delete_form(
    request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, certificate_id: str
) -> Response:
    """What is lost when a certificate is deleted, what stays, and the two buttons."""
    found = wallet.certificate(vault, certificate_id)
    return await pages.render(
        request,
        "certificate_delete.html",
        vault=vault,
        certificate=found,
        card=read_card(found, pages.language(request)),
        acting_for=principal_name(found),
    )


@router.post("/certificates/{certificate_id}/delete", dependencies=[FromOurForm])
async def delete(
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    certificate_id: str,
    decision: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Delete a certificate, if that is what was pressed. The issuer is told afterwards, and nobody waits for it."""
    if decision != "delete":
        page = f"/certificates/{certificate_id}"
        return pages.redirect(page if decision else f"{page}/delete")
    if principal_name(wallet.certificate(vault, certificate_id)):
        await Acts(wallet).tend(vault)  # What was done under a power is told while the power is there.
    farewell = Deleting(wallet).delete(vault, certificate_id)
    answer = pages.redirect("/", message=N_("The certificate is deleted. Your sharing history and your receipts stay."))
    answer.background = BackgroundTask(farewell.tell)
    return answer


@router.get("/trust")
async def trusted(request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep) -> Response:
    """Whom this wallet trusts."""
    t = pages.translator(request)
    entries = wallet.trust().entries
    listed = [(one, _kinds(one.types, t)) for one in entries]
    return await pages.render(request, "trust.html", vault=vault, entries=listed)


def _kinds(types: Collection[str], t: Translator) -> str:
    """The kinds that an entry is listed for, by their titles; those that this wallet has no title for are counted."""
    titles = list(dict.fromkeys(found.title(t.language) for one in types if (found := type_of(one)) is not None))
    others = sum(type_of(one) is None for one in types)
    if others and titles:
        titles.append(t.plural("%(num)s other kind", "%(num)s other kinds", others))
    elif others:
        titles.append(t.plural("%(num)s kind without a name here", "%(num)s kinds without a name here", others))
    return t.listed([*titles[:1], *map(inside_sentence, titles[1:])])
