"""The retention calendar: how many answers from which template go on which day, and what should have gone."""

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import Response

from verifier.pages.access import PagesDep, SignedIn, VerifierDep
from verifier.pages.deletion_view import SOON_DAYS, Word, days_word
from verifier.pages.live import event_stream

router = APIRouter(dependencies=[SignedIn])

MOST_LINES = 500


@dataclass(frozen=True, slots=True)
class CalendarLine:
    """Answers from one template that go when this day has passed. `request_ids` are the first of their requests, each
    with its own page, `more` how many others there are."""

    day: date
    title: str
    count: int
    request_ids: tuple[str, ...]
    more: int
    word: Word
    is_overdue: bool


@router.get("/retention")
async def calendar(request: Request, verifier: VerifierDep, pages: PagesDep) -> Response:
    """Every day on which something goes, the nearest first. It shows what is there, and deletes nothing by itself."""
    t, now = pages.translator(request), verifier.clock()
    titles = {name: one.title.text(t.language) for name, one in verifier.templates().templates.items()}
    found = await verifier.database.run(verifier.deletions.store.calendar)
    for one in found:
        if one.template_name not in titles:  # Made from a template that is not on the shelf: its request has the title.
            record = await verifier.database.run(verifier.result, one.request_ids[0])
            titles[one.template_name] = record.transaction.question.template.title.text(t.language)
    lines = [
        CalendarLine(
            one.day,
            titles[one.template_name],
            one.count,
            one.request_ids,
            one.count - len(one.request_ids),
            days_word(verifier.deletions.days_left(one.day), t),
            one.delete_at <= now,
        )
        for one in found
    ]
    soon = sum(one.count for one in lines if verifier.deletions.days_left(one.day) <= SOON_DAYS)
    return await pages.render(
        request,
        "retention.html",
        lines=lines[:MOST_LINES],
        left_out=len(lines) > MOST_LINES,
        answers=sum(one.count for one in lines),
        soon=soon,
        overdue=sum(one.count for one in lines if one.is_overdue),
    )


@router.get("/retention/events")
async def calendar_events(request: Request, verifier: VerifierDep) -> Response:
    """Says when something has changed in the calendar."""

    async def look() -> tuple[object, bool]:
        return await verifier.database.run(verifier.requests.change_counter), False

    return event_stream(request, verifier, look)
