"""One request: how to hand it over while it is open, and the result once there is one. One address for both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from schemas.power import POWER_CHECKS
from schemas.verification import Check
from service.i18n import N_, Translator
from verifier.acting import acting_in
from verifier.eligibility import Answer, Eligibility, Ground, eligibility_of, eligibility_sentence, eligibility_word
from verifier.exchange import Verifier
from verifier.pages.access import BrowserDep, SignedIn, StaffDep, VerifierDep, the_pages
from verifier.pages.ask import preview_in
from verifier.pages.board import EVENTS, told, viewers
from verifier.pages.invitation import invitation_for, qr_code, wallet_fault
from verifier.pages.live import event_stream
from verifier.pages.preview import value_notes
from verifier.pages.recheck_words import permission_view
from verifier.pages.stands import furthest, stand_of
from verifier.pages.values import ShownCertificate, shown_certificates
from verifier.requests import Kind, request_link
from verifier.result_document import confirmed
from verifier.sentences import check_sentence
from verifier.store import RequestRecord, State
from verifier.verification import Verdict

router = APIRouter(dependencies=[SignedIn])


@dataclass(frozen=True, slots=True)
class VerdictNotice:
    """What all checks together say, as a notice."""

    tone: str
    word: str
    sentence: str


VERDICTS = {
    Verdict.ACCEPTED: VerdictNotice(
        "good", N_("Every check held"), N_("You can rely on what was shown, as far as these checks go.")
    ),
    Verdict.REJECTED: VerdictNotice(
        "bad", N_("Something did not hold"), N_("Do not rely on this answer. The lines below say why.")
    ),
    Verdict.UNDETERMINED: VerdictNotice(
        "warning",
        N_("Something could not be checked"),
        N_("We do not know whether you can rely on this answer. The lines below say what is not known."),
    ),
}

NOT_WANTED = VerdictNotice(
    "warning",
    N_("Genuine, but not what you accept"),
    N_("Nothing is wrong with this answer. The lines below say what is not as you ask for it."),
)

_TONES = {Answer.ELIGIBLE: "good", Answer.NOT_ELIGIBLE: "bad", Answer.UNDECIDED: "warning"}


@dataclass(frozen=True, slots=True)
class EligibilityNotice:
    """The answer in a word, in a sentence, and what it rests on."""

    tone: str
    word: str
    sentence: str
    grounds: tuple[str, ...]

    @classmethod
    def of(cls, found: Eligibility | None, t: Translator) -> "EligibilityNotice | None":
        """The notice of an answer; None without one."""
        if found is None:
            return None
        grounds = tuple(_ground_line(ground, t) for ground in found.grounds)
        word, sentence = eligibility_word(found, t), eligibility_sentence(found, t)
        return cls(_TONES[found.answer], word, sentence, grounds)


def _ground_line(ground: Ground, t: Translator) -> str:
    kind = ground.kind.text(t.language)
    if ground.fault is not None:
        return f"{kind}: {check_sentence(ground.fault, t)}"
    told = [ground.issuer] if ground.issuer else []
    told += [t(N_("true of %(date)s"), date=t.date(ground.as_of))] if ground.as_of else []
    return f"{kind}: {', '.join(told)}" if told else kind


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check: a symbol and a word for the outcome, and a sentence."""

    name: str
    outcome: str
    sentence: str

    @classmethod
    def of(cls, check: Check, record: RequestRecord, t: Translator) -> "CheckLine":
        """The line of a check; that of the status says how old the issuer's list was."""
        sentence = check_sentence(check, t)
        if check.name == "status" and (age := _status_age_seconds(record)) is not None:
            told = t.plural(
                "The issuer's list was read %(num)s second before the answer.",
                "The issuer's list was read %(num)s seconds before the answer.",
                age,
            )
            sentence = f"{sentence} {told}"
        return cls(check.name, check.outcome.value, sentence)


def _status_age_seconds(record: RequestRecord) -> int | None:
    """How old the oldest status list was when the answer came; None when none was looked at."""
    read = [proof.status_read_at for proof in record.proofs if proof.status_read_at is not None]
    if record.answered_at is None or not read:
        return None
    return max(0, round((record.answered_at - min(read)).total_seconds()))


@router.get("/requests/{request_id}")
async def one_request(
    request: Request, verifier: VerifierDep, staff: StaffDep, browser: BrowserDep, request_id: str, values: str = ""
) -> Response:
    """The request while it is open, its result afterwards; the values when somebody asks to see them."""
    together = await _together(verifier, request_id)
    record = furthest(together)
    if record.state in (State.WAITING, State.OPENED, State.AWAITING_RETURN):
        return await _open(request, verifier, request_id, together, browser.binding)
    viewer = staff.subject if values == "shown" else ""
    return await _result(request, verifier, record, viewer=viewer)


@router.get("/requests/{request_id}/events")
async def request_events(request: Request, verifier: VerifierDep, request_id: str) -> Response:
    """Says when something has changed with this request, and when nothing more will."""
    await _together(verifier, request_id)

    async def look() -> tuple[object, bool]:
        some = await _together(verifier, request_id)
        return [(one.state, one.changed) for one in some], furthest(some).state.is_final

    return event_stream(request, verifier, look)


async def _together(verifier: Verifier, request_id: str) -> list[RequestRecord]:
    """The request and the one that was made with it. Raises `NoSuchRequest`."""
    record = await verifier.database.run(verifier.result, request_id)
    pair = record.transaction.pair
    some = await verifier.database.run(lambda: verifier.requests.pair(pair, now=verifier.clock()))
    return some or [record]


async def _open(
    request: Request, verifier: Verifier, request_id: str, together: Sequence[RequestRecord], binding: str
) -> Response:
    pages = the_pages(request)
    settings, t = verifier.settings, pages.translator(request)
    record = furthest(together)
    is_open = [one for one in together if one.state in (State.WAITING, State.OPENED)]
    crossing = next((one for one in is_open if one.transaction.kind is Kind.CROSS_DEVICE), None)
    # The link is of use in the browser that it was made for, and nowhere else.
    here = next((one for one in is_open if one.transaction.binding == binding), None)
    template = record.transaction.question.template
    title = template.title.text(t.language)
    shown: dict[str, Any] = {"qr": None, "invite": None}
    if crossing is not None:
        shown["qr"] = qr_code(
            verifier.made(crossing.transaction), title=t(N_("QR code with the request: %(title)s"), title=title)
        )
    if here is not None:
        shown["invite"] = invitation_for(request, request_link(here.transaction), settings)
    return await pages.render(
        request,
        "request.html",
        id=request_id,
        title=title,
        reference=record.reference,
        number=record.transaction.handle,
        stand=stand_of(record),
        open_until=record.transaction.expires_at,
        preview=preview_in(template, t.language, request=request, settings=settings),
        notes=value_notes(template, t),
        wallet_fault=wallet_fault(request),
        share_url=settings.url(f"/share/{template.name}") if settings.haip else "",
        **shown,
    )


async def _result(request: Request, verifier: Verifier, record: RequestRecord, *, viewer: str) -> Response:
    """The page of a result. `viewer` is who wants to see the values, which the log then says; "" for nobody."""
    pages = the_pages(request)
    t = pages.translator(request)
    template = record.transaction.question.template
    certificates: list[ShownCertificate] = []
    contents = None
    if record.has_contents and viewer:
        contents = await verifier.database.run(lambda: verifier.contents(record.id, viewer=viewer))
        certificates = shown_certificates(contents.items, record.proofs, template, t) if contents else []
    entries = await verifier.database.run(lambda: verifier.requests.log(request_id=record.id))
    deletion = await verifier.database.run(verifier.deletions.newest, record.id)
    receipt = await verifier.database.run(verifier.deletions.store.receipt, record.id)
    people = await viewers(request, t)
    eligibility = eligibility_of(record, contents=contents, time_zone=verifier.settings.time_zone)
    acted = any(check.name in POWER_CHECKS for check in record.result.checks)
    return await pages.render(
        request,
        "result.html",
        id=record.id,
        title=template.title.text(t.language),
        acted=acted,
        acting=acting_in(contents.items, record.transaction.question.template) if contents is not None else None,
        reference=record.reference,
        number=record.transaction.handle,
        ask_again=f"/ask/{template.name}" if verifier.templates().templates.get(template.name) == template else "",
        stand=stand_of(record),
        not_returned=record.state is State.NOT_RETURNED,
        verdict=_verdict(record),
        eligibility=EligibilityNotice.of(eligibility, t),
        declaration=declaration.text(t.language) if (declaration := confirmed(record)) is not None else "",
        answered_at=record.answered_at if record.state.is_answered else None,
        checks=[CheckLine.of(check, record, t) for check in record.result.checks] if record.state.is_answered else [],
        several_certificates=any(check.reason == "several_certificates" for check in record.result.checks),
        has_values=record.has_contents,
        certificates=certificates,
        kept_until=record.retention_until,
        deleted_at=record.contents_deleted_at,
        is_untold=record.is_untold,
        withdrawn_at=record.withdrawn_at,
        permission=permission_view(await verifier.rechecks.permission(record.id), t, now=verifier.clock()),
        receipt_at=receipt.received_at if receipt is not None else None,
        deletion_id=deletion.id if deletion is not None else "",
        is_covered=deletion is not None and deletion.is_open,
        preview=preview_in(template, t.language, request=request, settings=verifier.settings),
        notes=value_notes(template, t),
        events=[
            (
                t.moment(entry.at),
                _event(t(EVENTS[entry.event]), told(entry, t, is_untold=record.is_untold, people=people)),
            )
            for entry in entries
        ],
    )


def _verdict(record: RequestRecord) -> VerdictNotice | None:
    """What is said of an answer that counts; nothing once that would tell what was deleted."""
    if record.verdict is None or record.state not in (State.ANSWERED, State.DELETED):
        return None
    is_refused = record.verdict is Verdict.REJECTED
    return NOT_WANTED if is_refused and record.is_genuine else VERDICTS.get(record.verdict)


def _event(what: str, more: str) -> str:
    return f"{what}. {more}." if more else f"{what}."
