"""What an agent's wallet tells of an act, and what the principal's wallet keeps of it: names and texts, never values.

    report = report_of(entry)                               # of the agent's history
    facts = facts_of(told, read_act(told), told_by="address", today=today, arrived_at=now)  # for the principal's

An act is a decision for somebody else, yes or no, and everything that came after it. See docs/acting-for-another.md.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, Final

from pydantic import ValidationError

from proofs import strict_json
from proofs.act_report import ToldAct, status_entry_of
from schemas.act_report import MOST_EVENTS, ActReport, ToldEvent, ToldItem, ToldRecipient, ToldText
from schemas.errors import Malformed
from schemas.learning.personal_numbers import LEFT_OUT, holds_personal_number, without_personal_numbers
from schemas.power import Person, person_of
from schemas.receipt import BothLanguages, Receipt
from wallet.ledger import Entry, Event, EventKind
from wallet.naming import plain
from wallet.receipts import has_receipt, receipt_of
from wallet.taking_back.messages import SKEW

SHOWN: Final = (
    ("family_name",),
    ("given_name",),
    ("principal_family_name",),
    ("principal_given_name",),
    ("principal_birthdate",),
)
"""What a report shows of the power: who acted for whom. What the power rests on stays hidden."""
_FURTHEST_EAST: Final = timezone(timedelta(hours=14))
"""Where a day begins first: in which zone the source of a power counts its days is not told."""
MOST_TOLD: Final = 20
"""How often the same act is told anew before the principal's wallet takes no more of it."""


@dataclass(frozen=True, slots=True)
class HeldByAnother:
    """A power that somebody else holds for the person, as far as they told of acts under it.

    Two powers with the same names and days cannot be told apart, since no copy says of which power it is: they are one
    here, and it has ended when all have.
    """

    key: str
    agent: str
    principal: str
    issuer: str
    issuer_identifier: str
    begins_on: date
    ends_on: date
    has_ended: bool
    acts: int
    known_since: datetime | None = None
    """When this wallet learned that it was ended before its last day."""
    open_copies: tuple[str, ...] = ()
    """The copies that came with reports and are not known to be ended, the latest first; "" stands for those that were
    not kept."""


def is_act_for_another(entry: Entry) -> bool:
    """Whether the person decided something for somebody else, so that there is something to tell."""
    return entry.acting_for is not None and has_receipt(entry)


def report_of(entry: Entry) -> ActReport:
    """The report of one decision for somebody else, as its receipt names everything; no value and no pseudonym."""
    receipt = receipt_of(entry)
    return ActReport(
        act_id=hashlib.sha256(f"act {entry.id}".encode()).hexdigest()[:32],
        recipient=ToldRecipient(
            name=_text(receipt.controller.name),
            identifier=receipt.controller.identifier[:2000],
            host=receipt.controller.host[:300],
            level=receipt.controller.level,
        ),
        purpose=_text(receipt.purposes[0].text) if receipt.purposes[0].text is not None else None,
        items=tuple(_told_items(entry, receipt))[:400],
        kept_until=receipt.retention.until if receipt.retention is not None else None,
        withdraw_url=(receipt.rights.withdraw_url or "")[:2000] or None,
        withdraw_contact=(receipt.rights.withdraw_contact or receipt.controller.contact or "")[:500] or None,
        events=tuple(ToldEvent(type=one.type, at=one.at) for one in receipt.events[:MOST_EVENTS]),
    )


def _told_items(entry: Entry, receipt: Receipt) -> Iterator[ToldItem]:
    for one in receipt.items:
        yield ToldItem(name=_text(one.name), certificate=_text(one.certificate), issuer=one.issuer[:500])
    for bare in entry.bare:
        # Acts that are older than this were told without it: what was told once is told the same.
        if "issuer" in bare:
            certificate = _text(BothLanguages(**bare["certificate"]))
            yield ToldItem(name=ToldText(), certificate=certificate, issuer=bare["issuer"][:500])


def written(report: ActReport) -> str:
    """The text of a report that is signed."""
    members = report.model_dump(mode="json", by_alias=True, exclude_none=True)
    return strict_json.dumps(members).decode()


def read_act(told: ToldAct) -> ActReport:
    """What a checked report says, without any personal number: its words are the agent's, who may write one into them.

    Raises `Malformed` for a form that is not known.
    """
    try:
        return _without_numbers(ActReport.model_validate(strict_json.loads_object(told.report_text)))
    except ValidationError as exc:
        raise Malformed("This is not a report of a known form") from exc


def leaves_something_out(report: ActReport) -> bool:
    """Whether a personal number stood in what was told, and stands there no more."""
    return LEFT_OUT in report.model_dump_json()


def _without_numbers(report: ActReport) -> ActReport:
    members = report.model_dump(mode="json", by_alias=True)
    if holds_personal_number(report.act_id):
        members["act_id"] = hashlib.sha256(f"act {report.act_id}".encode()).hexdigest()[:32]
    return ActReport.model_validate(_masked(members))


def _masked(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: _masked(value) for name, value in told.items()}
    if isinstance(told, list):
        return [_masked(value) for value in told]
    return without_personal_numbers(told)[:2000] if isinstance(told, str) else told


def principal_of(told: ToldAct) -> Person:
    """Whom the report says to be about: as the source wrote it into the power."""
    return person_of(told.power, "principal_")


def entry_id_of(told: ToldAct, report: ActReport) -> str:
    """The entry of an act in the principal's history: the same for every report of it, and another for whatever
    another agent, or another source, tells under the same number."""
    agent = person_of(told.power)
    parts = [told.issuer_identifier, agent.family_name, agent.given_name, report.act_id]
    return hashlib.sha256(strict_json.dumps(["act", *parts])).hexdigest()[:32]


def facts_of(told: ToldAct, report: ActReport, *, told_by: str, today: date, arrived_at: datetime) -> dict[str, Any]:
    """What the history keeps. `told_by` is "address" or "file".

    Raises `Malformed` when the power does not say who acts for whom, and from when until when, and when something is
    said to have happened before it began or after the report arrived.
    """
    agent, principal = person_of(told.power), principal_of(told)
    begins, ends = told.power.get("begins_on"), told.power.get("ends_on")
    if not (agent.family_name and agent.given_name and principal.family_name and principal.given_name):
        raise Malformed("The report does not show who acts for whom")
    try:
        begins_on, ends_on = date.fromisoformat(str(begins)), date.fromisoformat(str(ends))
    except ValueError as exc:
        raise Malformed("The power does not say how long it holds") from exc
    if not all(_can_have_happened(one.at, begins_on=begins_on, arrived_at=arrived_at) for one in report.events):
        raise Malformed("The report speaks of moments before the power began, or after it was made")
    source = told.power.get("issuing_authority")
    return {
        "who": _plain(report.recipient.name),
        "level": report.recipient.level.value,
        "host": plain(report.recipient.host),
        "purpose": _plain(report.purpose) if report.purpose is not None else None,
        "retention_until": report.kept_until.isoformat() if report.kept_until else None,
        "withdraw_url": report.withdraw_url or "",
        "withdraw_contact": plain(report.withdraw_contact or ""),
        "agent": plain(agent.name()),
        "principal": plain(principal.name()),
        "power_issuer": _both(source) if isinstance(source, Mapping) else {"sv": "", "en": ""},
        "power_issuer_id": told.issuer_identifier,
        "power_begins_on": begins_on.isoformat(),
        "power_ends_on": ends_on.isoformat(),
        "power_status": "ended" if ends_on < today else told.power_status,
        "told_by": told_by,
        "left_out": leaves_something_out(report),
        "power_copy": told.power_copy,
        "report": report.model_dump(mode="json", by_alias=True),
    }


def _can_have_happened(at: datetime, *, begins_on: date, arrived_at: datetime) -> bool:
    """Whether an act under a power can be of this moment; one without a zone is none.

    The form of a report does not ask for it (`ToldEvent`), so that what was kept before can still be read.
    """
    begins = datetime.combine(begins_on, time(), _FURTHEST_EAST)
    return at.tzinfo is not None and begins <= at <= arrived_at + SKEW


def told_reports(entry: Entry) -> list[ActReport]:
    """The reports of one act that the history keeps, the earliest first."""
    return [
        _without_numbers(ActReport.model_validate(event.facts["report"]))
        for event in entry.events
        if event.kind is EventKind.ACT_TOLD
    ]


def power_key(facts: Mapping[str, Any]) -> str:
    """What is the same for all acts that were told under one power."""
    named = ("power_issuer_id", "agent", "principal", "power_begins_on", "power_ends_on")
    return hashlib.sha256(strict_json.dumps([facts[name] for name in named])).hexdigest()[:16]


def status_entry(facts: Mapping[str, Any]) -> str:
    """Which entry of a status list tells of the copy that an act was told with; "" where that is not kept."""
    return status_entry_of(facts.get("power_copy", ""))


def held_by_others(entries: Iterable[Entry], *, today: date) -> list[HeldByAnother]:
    """The powers under which others told of acts, the latest told first."""
    under: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.told is not None:
            under.setdefault(power_key(entry.told), []).append(entry)
    return [_held(key, acts, today=today) for key, acts in under.items()]


def _held(key: str, acts: Sequence[Entry], *, today: date) -> HeldByAnother:
    latest = acts[0].told
    assert latest is not None
    ends_on = date.fromisoformat(latest["power_ends_on"])
    copies = _copies(acts)
    still_open = [one for one in copies if one.ended_at is None]
    # One that was ended when it was first told of adds nothing to what was known of the others.
    ends = [one.ended_at for one in copies if one.ended_at is not None and one.was_open]
    ends = ends or [min(one.ended_at for one in copies if one.ended_at is not None)] if not still_open else []
    return HeldByAnother(
        key=key,
        agent=latest["agent"],
        principal=latest["principal"],
        issuer=BothLanguages(**latest["power_issuer"]).text("sv") or latest["power_issuer_id"],
        issuer_identifier=latest["power_issuer_id"],
        begins_on=date.fromisoformat(latest["power_begins_on"]),
        ends_on=ends_on,
        has_ended=ends_on < today or not still_open,
        acts=len(acts),
        known_since=max(ends, default=None),
        open_copies=tuple(one.copy for one in reversed(still_open)),
    )


@dataclass(slots=True)
class _Copy:
    """What became known of one copy of a power, which its entry in a status list tells from every other."""

    copy: str
    was_open: bool = False
    ended_at: datetime | None = None


def _copies(acts: Iterable[Entry]) -> list[_Copy]:
    """The copies under which acts were told, the latest told last.

    An end counts for the copy of which it was learned, and no more once an act is told later with that copy holding.
    """
    found: dict[str, _Copy] = {}
    for event, facts in sorted(_tellings(acts), key=lambda one: one[0].at):
        listed = event.facts.get("power") if event.kind is EventKind.POWER_OVER else None
        listed = listed or status_entry(facts)
        one = found.pop(listed, None) or _Copy(facts.get("power_copy", ""))
        found[listed] = one
        if event.kind is EventKind.POWER_OVER or facts["power_status"] == "revoked":
            one.ended_at = one.ended_at or event.at
        else:
            one.was_open = True
            if facts["power_status"] == "valid" and one.ended_at is not None and event.at > one.ended_at:
                one.ended_at = None
    return list(found.values())


def _tellings(acts: Iterable[Entry]) -> Iterator[tuple[Event, Mapping[str, Any]]]:
    """What was told, and that a power was found ended, each with the facts that were told last before."""
    for entry in acts:
        facts: Mapping[str, Any] = {}
        for event in entry.events:
            if event.kind is EventKind.ACT_TOLD:
                facts = event.facts
            if event.kind in (EventKind.ACT_TOLD, EventKind.POWER_OVER):
                yield event, facts


def unseen_acts(entries: Iterable[Entry]) -> list[Entry]:
    """What was done for the person, and told anew since they said that they have seen it; the latest first."""
    return [one for one in entries if one.told is not None and _is_unseen(one)]


def _is_unseen(entry: Entry) -> bool:
    kinds = [one.kind for one in entry.events if one.kind in (EventKind.ACT_TOLD, EventKind.ACT_SEEN)]
    return kinds[-1] is EventKind.ACT_TOLD


def _text(text: BothLanguages) -> ToldText:
    return ToldText(sv=text.sv[:2000], en=text.en[:2000])


def _plain(text: BothLanguages) -> dict[str, str]:
    return {"sv": plain(text.sv), "en": plain(text.en)}


def _both(text: Mapping[str, Any]) -> dict[str, str]:
    return {language: plain(str(text.get(language, "")))[:500] for language in ("sv", "en")}
