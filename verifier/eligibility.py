"""One word for a result: does the person meet what the template asks for, as of which day, and who says so?

    found = eligibility_of(record, contents=contents, time_zone="Europe/Stockholm")
    found.answer                                  # Answer.ELIGIBLE
    eligibility_sentence(found, translator)       # "Eligible as of 20 November 2026, says Arbetsförmedlingen."
    words_for_person(found, translator)           # the same for whom it is about, who can do something about a fault

Templates with `answers = "eligibility"` have one. *Not eligible* is said only when everything else held and a value
differs from what is asked for: somebody whom the verifier trusts then says no. Whatever was wrong in another way, or
too old, decides nothing: the person may renew it and come back.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from schemas.consent import LocalizedText
from schemas.types import type_of
from schemas.types.statement_form import AS_OF
from schemas.verification import Check, Outcome
from service.i18n import N_, Translator
from verifier.disclosed import DisclosedItem
from verifier.sentences import check_sentence
from verifier.store import Contents, ProofSummary, RequestRecord, State
from verifier.verification import Verdict


class Answer(StrEnum):
    """The answer in one word."""

    ELIGIBLE = "eligible"
    NOT_ELIGIBLE = "not_eligible"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Ground:
    """One certificate that the answer rests on: its kind, who says it, of which day, and what was found wrong with it.

    `issuer` is "" for somebody whom the verifier does not know. `as_of` is None when the kind has no day, and once the
    values were deleted. `fault` is None when every check of it held.
    """

    query_id: str
    kind: LocalizedText
    issuer: str
    as_of: date | None
    fault: Check | None


@dataclass(frozen=True, slots=True)
class Eligibility:
    """The answer, the day that all of it is true of at least, and its grounds.

    `fault` is what is wrong with the answer as a whole (a value that differs, something that is missing).
    """

    answer: Answer
    as_of: date | None
    grounds: tuple[Ground, ...]
    fault: Check | None = None

    @property
    def said_by(self) -> tuple[str, ...]:
        """Who says so: the issuers of what has a day; of everything when nothing has one."""
        dated = [one.issuer for one in self.grounds if one.issuer and _is_statement(one)]
        return tuple(dict.fromkeys(dated or [one.issuer for one in self.grounds if one.issuer]))


_WORDS: Final = {
    Answer.ELIGIBLE: N_("Eligible"),
    Answer.NOT_ELIGIBLE: N_("Not eligible"),
    Answer.UNDECIDED: N_("Could not be decided"),
}
_UNDATED: Final = {
    Answer.ELIGIBLE: N_("Eligible, says %(issuers)s."),
    Answer.NOT_ELIGIBLE: N_("Not eligible, says %(issuers)s."),
}
_DATED: Final = {
    Answer.ELIGIBLE: N_("Eligible as of %(date)s, says %(issuers)s."),
    Answer.NOT_ELIGIBLE: N_("Not eligible as of %(date)s, says %(issuers)s."),
}


_UNDECIDED: Final = N_("We could not decide yet.")
_TOO_OLD: Final = N_(
    "“%(kind)s” is true of an earlier day than we need. Fetch a new one in your wallet, and answer again."
)
_NOT_VALID: Final = N_("“%(kind)s” is not valid any more. Ask whoever gave it to you for a new one, and answer again.")
_NOT_YET: Final = N_("“%(kind)s” is not valid yet. Answer again on the day on which it is.")
_UNREACHABLE: Final = N_(
    "We could not ask whether “%(kind)s” still is valid. It is no fault of yours. Answer again later."
)
_WHO_GAVE_IT: Final = N_(
    "We cannot take “%(kind)s” from whoever gave it to you. See where what is needed can be fetched."
)
_LACKING: Final = N_("Something that is needed was not among what you shared. See what is needed, and answer again.")
_NOT_CONFIRMED: Final = N_("We could not confirm “%(kind)s”. Answer again, or ask us what to do.")
_SOMETHING: Final = N_("We could not confirm everything. Answer again, or ask us what to do.")
_ADVICE: Final = {
    "statement_too_old": _TOO_OLD,
    "undated": _TOO_OLD,
    "expired": _NOT_VALID,
    "revoked": _NOT_VALID,
    "suspended": _NOT_VALID,
    "not_yet_valid": _NOT_YET,
    "list_unreachable": _UNREACHABLE,
    "list_invalid": _UNREACHABLE,
    "list_stale": _UNREACHABLE,
    "issuer_key_unreachable": _UNREACHABLE,
    "issuer_unknown": _WHO_GAVE_IT,
    "type_not_trusted": _WHO_GAVE_IT,
    "issuer_not_accepted": _WHO_GAVE_IT,
    "outside_period": _WHO_GAVE_IT,
    "authority": _WHO_GAVE_IT,
}
"""What a person can do about what stands in the way, by the reason of the check; the rest is told in general words."""
_MISSING: Final = ("set_missing", "claim_missing")


def eligibility_of(record: RequestRecord, *, contents: Contents | None, time_zone: str) -> Eligibility | None:
    """The answer of a result; None without one, for templates that have none, and after the share was taken back.

    `contents`, when given, tell the days; without them the day is known only where it had to be that of the answer.
    """
    template = record.transaction.question.template
    if template.answers is None or record.state not in (State.ANSWERED, State.DELETED) or record.verdict is None:
        return None
    days = days_told(contents.items if contents else ())
    aged = {query_id: credential.max_age_days for query_id, credential, _ in template.queries()}
    answered_on = record.answered_at.astimezone(ZoneInfo(time_zone)).date() if record.answered_at else None
    grounds = []
    for proof in record.proofs:
        day = days.get(proof.query_id)
        if day is None and aged.get(proof.query_id) == 0 and _fault(proof.result.checks) is None:
            day = answered_on  # It had to be true of that very day.
        grounds.append(_ground(proof, day))
    fault = _fault(check for check in record.result.checks if check.name in ("query", "values"))
    said = [ground.as_of for ground in grounds if ground.as_of is not None]
    return Eligibility(_answer(record), min(said, default=None), tuple(grounds), fault)


def _answer(record: RequestRecord) -> Answer:
    if record.verdict is Verdict.ACCEPTED:
        return Answer.ELIGIBLE
    if record.result.failed == ["values"] and not record.result.unknown:
        return Answer.NOT_ELIGIBLE
    return Answer.UNDECIDED


def days_told(items: Iterable[DisclosedItem]) -> dict[str, date]:
    """As of which day each certificate says to be true, by the query it answers; what is no day says nothing."""
    found = {}
    for item in items:
        if item.path == (AS_OF,) and isinstance(item.value, str):
            with suppress(ValueError):
                found[item.query_id] = date.fromisoformat(item.value)
    return found


def _ground(proof: ProofSummary, day: date | None) -> Ground:
    known = type_of(proof.vct) if proof.vct else None
    kind = LocalizedText(sv=known.title("sv"), en=known.title("en")) if known else LocalizedText(en=proof.query_id)
    return Ground(proof.query_id, kind, proof.issuer_name, day, _fault(proof.result.checks))


def _is_statement(ground: Ground) -> bool:
    return ground.as_of is not None


def _fault(checks: Iterable[Check]) -> Check | None:
    """The first check that failed, else the first that could not be made, those behind another aside."""
    some = [check for check in checks if check.outcome is not Outcome.PASSED]
    failed = [check for check in some if check.outcome is Outcome.FAILED]
    unknown = [check for check in some if check.reason != "earlier_check_failed"]
    return next(iter(failed or unknown or some), None)


def eligibility_word(found: Eligibility, t: Translator) -> str:
    """The answer in a word or two."""
    return t(_WORDS[found.answer])


def eligibility_sentence(found: Eligibility, t: Translator) -> str:
    """The answer for staff, with its day and who says so; what stands in the way when it could not be decided."""
    if found.answer is Answer.UNDECIDED:
        first = next((one.fault for one in found.grounds if one.fault is not None), None) or found.fault
        word = eligibility_word(found, t)
        return f"{word}. {check_sentence(first, t)}" if first is not None else f"{word}."
    issuers = t.listed(found.said_by)
    if not issuers:
        return f"{eligibility_word(found, t)}."
    if found.as_of is None:
        return t(_UNDATED[found.answer], issuers=issuers)
    return t(_DATED[found.answer], date=t.date(found.as_of), issuers=issuers)


def words_for_person(found: Eligibility, t: Translator) -> str:
    """The answer for whom it is about: what stands in the way in plain words, and what they can do about it."""
    if found.answer is not Answer.UNDECIDED:
        return eligibility_sentence(found, t)
    ground = next((one for one in found.grounds if one.fault is not None), None)
    if ground is not None and ground.fault is not None and ground.kind.is_complete:
        advice = t(_ADVICE.get(ground.fault.reason, _NOT_CONFIRMED), kind=ground.kind.text(t.language))
    else:
        advice = t(_LACKING if found.fault is not None and found.fault.reason in _MISSING else _SOMETHING)
    return f"{t(_UNDECIDED)} {advice}"
