"""From rows to what the rest of the verifier knows: requests, their state, their record."""

from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, cast

from sqlalchemy import Row, func, select

from proofs import strict_json
from schemas.consent import Path
from schemas.presentation import ResponseMode
from schemas.verification import VerificationResult
from service.prepared import moment
from verifier.deletion import agree
from verifier.policies import RECENCY
from verifier.queries import Question
from verifier.request_templates import parse_template
from verifier.requests import DigitalResponseMode, Kind, Transaction
from verifier.store.contents import Sealer
from verifier.store.records import OPEN_STATES, DeletionState, Report, RequestRecord, State
from verifier.store.tables import DELETIONS, LOG, REQUESTS, TEMPLATES
from verifier.verification import Verdict

WHOLE = (
    select(
        REQUESTS,
        TEMPLATES.c.text.label("template"),
        LOG.c.report,
        select(func.group_concat(DELETIONS.c.erased, "\n"))
        .where(DELETIONS.c.request_id == REQUESTS.c.id, DELETIONS.c.erased != "")
        .scalar_subquery()
        .label("erased"),
    )
    .join_from(REQUESTS, TEMPLATES, TEMPLATES.c.digest == REQUESTS.c.template_digest)
    .outerjoin(LOG, LOG.c.number == REQUESTS.c.answer_number)
)
"""A request with its template, its report, and the items that were deleted of it: what `record_of` reads."""

_MOMENTS = (
    "made_at",
    "code_expires_at",
    "expires_at",
    "answered_at",
    "return_by",
    "contents_deleted_at",
    "withdrawn_at",
)
PENDING_COLUMNS = frozenset(
    {
        "id",
        "handle",
        "kind",
        "state",
        "client_id",
        "request_uri",
        "response_uri",
        "response_mode",
        "nonce",
        "response_state",
        "encryption_key",
        "code",
        "retention_until",
        "binding",
        "return_url",
        "pair",
        "answer_digest",
        "reply_status",
        *_MOMENTS,
    }
)
"""What must be known of a request to judge an answer to it."""


def with_moments(row: Any) -> Any:
    """A row of a prepared statement with its moments as such."""
    found = {name: getattr(row, name) for name in _MOMENTS}
    return row._replace(**{name: None if value is None else moment(value) for name, value in found.items()})


def transaction_of(row: Row[Any], sealer: Sealer) -> Transaction:
    """The request as it was made."""
    key = sealer.open_key(row.id, row.encryption_key) if row.encryption_key is not None else None
    return Transaction(
        id=row.id,
        handle=row.handle,
        kind=Kind(row.kind),
        question=question_of(row.template),
        client_id=row.client_id,
        request_uri=row.request_uri,
        response_uri=row.response_uri,
        response_mode=cast("ResponseMode | DigitalResponseMode", row.response_mode),
        nonce=row.nonce,
        state=row.response_state,
        encryption_key=key,
        code=row.code or "",
        made_at=row.made_at,
        code_expires_at=row.code_expires_at,
        expires_at=row.expires_at,
        retention_until=date.fromisoformat(row.retention_until),
        binding=row.binding,
        return_url=row.return_url,
        pair=row.pair,
    )


def record_of(row: Row[Any], sealer: Sealer, now: datetime) -> RequestRecord:
    """The request and what became of it until now."""
    state = state_now(row, now)
    # Until the browser is back there is no result, and when it does not come back there never is one: whoever made the
    # request may have sent its link to somebody else, of whom even "it would have been a yes" is not theirs to know.
    is_told = state not in (State.AWAITING_RETURN, State.NOT_RETURNED)
    report = Report.from_json((row.report or "") if is_told else "")
    is_untold = _is_untold(row, state, now)
    if is_untold:
        report = _without_values(report)
    return RequestRecord(
        transaction=transaction_of(row, sealer),
        state=state,
        maker=row.maker,
        reference=sealer.open_reference(row.id, row.reference) if row.reference and row.delete_at > now else "",
        answered_at=row.answered_at,
        verdict=None if is_untold else _verdict(row.verdict, state),
        result=report.result,
        proofs=report.proofs,
        wallet_error=row.wallet_error if is_told else "",
        has_contents=may_be_read(row, now),
        is_covered=are_kept(row, now) and not may_be_read(row, now),
        contents_deleted_at=row.contents_deleted_at if is_told else None,
        withdrawn_at=row.withdrawn_at,
        delete_at=row.delete_at,
        changed=row.changed,
        is_untold=is_untold,
    )


_TELL_VALUES: Final = frozenset({"values", RECENCY})
"""The checks that compare a value with what is accepted."""


def _is_untold(row: Row[Any], state: State, now: datetime) -> bool:
    """Whether the verdict told a value that was taken back or deleted: of what was stated to be gone, no yes and no no
    stays."""
    template = question_of(row.template).template
    compared: list[tuple[str, Path]] = []
    for query_id, _, items in template.queries():
        if template.answers is not None:  # It rests on everything that was shown.
            compared.append((query_id, ()))
        compared += [(query_id, item.path) for item in items if item.values is not None]
    if not compared or not row.verdict:
        return False
    if state in (State.WITHDRAWN, State.DELETED):
        return True
    if state is not State.ANSWERED:
        return False
    if row.contents_number is None:  # A no, of which nothing else was ever kept.
        return bool(row.delete_at <= now)
    erased = [item for line in (row.erased or "").splitlines() for item in strict_json.loads(line)]
    return any(
        one["credential"] == query_id and agree(tuple(one["path"]), path)
        for one in erased
        for query_id, path in compared
    )


def _without_values(report: Report) -> Report:
    def rest(result: VerificationResult) -> VerificationResult:
        return VerificationResult(tuple(check for check in result.checks if check.name not in _TELL_VALUES))

    return Report(rest(report.result), tuple(replace(one, result=rest(one.result)) for one in report.proofs))


def _verdict(stored: str, state: State) -> Verdict | None:
    """The verdict that is told: none before the browser is back, and a no for whatever did not come back."""
    if state is State.NOT_RETURNED:
        return Verdict.REJECTED
    return Verdict(stored) if stored and state is not State.AWAITING_RETURN else None


def may_be_read(row: Row[Any], now: datetime) -> bool:
    """Whether values are there, are not due, count, and nobody is waiting for their deletion."""
    return are_kept(row, now) and row.deletion != DeletionState.RECEIVED.value


def are_kept(row: Row[Any], now: datetime) -> bool:
    """Whether values of an answer that counts are there and are not due, also while nobody may read them."""
    return row.contents_number is not None and row.delete_at > now and row.state == State.ANSWERED.value


@lru_cache(maxsize=256)
def question_of(template: str) -> Question:
    """The question behind a stored template; the same few templates make nearly all requests."""
    return Question.of(parse_template(strict_json.loads_object(template)))


def state_now(row: Row[Any], now: datetime) -> State:
    """What a stored state means now."""
    state = State(row.state)
    if state.value in OPEN_STATES and row.expires_at <= now:
        return State.EXPIRED
    if state is State.AWAITING_RETURN and row.return_by is not None and row.return_by <= now:
        return State.NOT_RETURNED
    if state is State.ANSWERED and row.withdrawn_at is not None:
        return State.WITHDRAWN
    if state is State.ANSWERED and row.contents_deleted_at is not None:
        return State.DELETED
    return state
