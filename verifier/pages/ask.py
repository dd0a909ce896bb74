"""Asking: the templates at hand, how the other person will read one, and making the request."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from service.i18n import LANGUAGES, N_, Catalogues, Translator
from service.pages import Pages
from verifier.exchange import Verifier
from verifier.pages.access import BrowserDep, FromOurForm, PagesDep, SignedIn, StaffDep, VerifierDep, the_verifier
from verifier.pages.preview import Preview, preview_of, value_notes
from verifier.request_templates import RequestTemplate
from verifier.requests import MAX_REFERENCE_CHARACTERS, InvalidReference
from verifier.settings import VerifierSettings

router = APIRouter(dependencies=[SignedIn])

LONG_REFERENCE = N_("Your own reference is too long. Use at most 100 letters, digits and signs.")


@dataclass(frozen=True, slots=True)
class TemplateCard:
    """One template in the list."""

    name: str
    title: str
    purpose: str
    items: str


@dataclass(frozen=True, slots=True)
class FaultyTemplate:
    """A file that is no template yet, and what it lacks, in the words of the program that read it."""

    name: str
    faults: tuple[str, ...]


@router.get("/ask")
async def templates(request: Request, verifier: VerifierDep, pages: PagesDep) -> Response:
    """What can be asked for, and the files with which nothing can be asked yet."""
    t = pages.translator(request)
    shelf = verifier.templates()
    return await pages.render(
        request,
        "ask.html",
        templates=[_card(one, t) for one in sorted(shelf.templates.values(), key=lambda one: one.name)],
        faulty=[_faulty(fault) for _, fault in sorted(shelf.faulty.items())],
    )


@router.get("/ask/{name}")
async def template(request: Request, verifier: VerifierDep, pages: PagesDep, name: str) -> Response:
    """One template, as the other person will read it, in both languages."""
    return await _show_template(request, verifier, pages, name)


async def _show_template(
    request: Request, verifier: Verifier, pages: Pages, name: str, *, reference: str = "", fault: str = ""
) -> Response:
    one = verifier.templates()[name]
    t = pages.translator(request)
    return await pages.render(
        request,
        "ask_template.html",
        status=400 if fault else 200,
        reference=reference,
        fault=t(fault) if fault else "",
        longest_reference=MAX_REFERENCE_CHARACTERS,
        name=name,
        title=one.title.text(t.language),
        previews=[
            preview_in(one, language, request=request, settings=verifier.settings)
            for language in sorted(LANGUAGES, key=lambda language: language != t.language)
        ],
        notes=value_notes(one, t),
        days=one.lifetime_days,
        minutes=verifier.settings.request_lifetime_seconds // 60,
        share_url=verifier.settings.url(f"/share/{name}"),
        only_here=verifier.settings.haip,
    )


@router.post("/ask/{name}", dependencies=[FromOurForm])
async def make(
    request: Request,
    verifier: VerifierDep,
    pages: PagesDep,
    staff: StaffDep,
    browser: BrowserDep,
    name: str,
    reference: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """Make the request: a link for this browser, and, unless under HAIP, a QR code for another device."""
    one = verifier.templates()[name]
    try:
        *_, last = await verifier.database.run(
            lambda: verifier.make_on_page(one, maker=staff.subject, binding=browser.binding, reference=reference)
        )
    except InvalidReference:
        return await _show_template(request, verifier, pages, name, reference=reference, fault=LONG_REFERENCE)
    response = pages.redirect(f"/requests/{last.id}")
    browser.remember(response)
    return response


def _faulty(fault: str) -> FaultyTemplate:
    file, _, faults = fault.partition(": ")
    return FaultyTemplate(file, tuple(faults.split("; ")))


def preview_in(template: RequestTemplate, language: str, *, request: Request, settings: VerifierSettings) -> Preview:
    """The preview of a template in one language, whatever the language of the page."""
    catalogues = request.app.state.catalogues
    assert isinstance(catalogues, Catalogues)
    today = the_verifier(request).clock().date()
    return preview_of(template, organisation=settings.organisation, today=today, t=catalogues.translator(language))


def _card(one: RequestTemplate, t: Translator) -> TemplateCard:
    fewest, most = one.needed_count()
    needed = {query_id for options, is_needed in one.sets() if is_needed for way in options for query_id in way}
    optional = sum(len(items) or 1 for query_id, _, items in one.queries() if query_id not in needed)
    if fewest == most:
        line = t.plural("%(num)s thing needed", "%(num)s things needed", most)
    else:
        line = t(N_("%(fewest)s to %(most)s things needed"), fewest=fewest, most=most)
    if optional:
        line += t.plural(", %(num)s optional", ", %(num)s optional", optional)
    return TemplateCard(one.name, one.title.text(t.language), one.purpose.text(t.language), line)
