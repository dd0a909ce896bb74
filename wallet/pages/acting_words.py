"""What is said to somebody who acts for another, and to whom somebody acted for."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from schemas.power import MAJORITY, person_of
from schemas.receipt import BothLanguages, EventType
from service.i18n import N_, Translator
from wallet.cards import last_day
from wallet.certificates import StoredCertificate
from wallet.decision import Decision, HeldPower, Possible, Side, is_power, side_of
from wallet.ledger import Entry, EventKind
from wallet.naming import plain
from wallet.pages.phrases import the_certificate
from wallet.powers_over_me import last_told
from wallet.reporting import HeldByAnother, is_act_for_another
from wallet.telling_acts import FOR_GOOD

FAULTS = {
    "power_not_begun": N_("The power has not begun yet."),
    "power_ended": N_("The power has ended."),
    "power_revoked": N_("The power has ended."),
    "power_paused": N_("The power is paused for now."),
    "power_of_age": N_("They are 18 and decide this themself."),
    "power_age_unknown": N_("The power does not say how old they are."),
    "power_decides_alone": N_("This asks for consent, and from 13 on a child gives that themself."),
    "power_needs_others": N_("Several people have to approve together. This wallet cannot ask the others yet."),
    "power_chained": N_("A power cannot be passed on."),
    "power_other_kind": N_("The power does not cover this kind of certificate."),
    "power_other_recipient": N_("The power does not cover this recipient."),
    "power_recipient_unknown": N_("The power covers certain recipients, and we cannot confirm who is asking."),
    "power_other_person": N_("The certificate is about somebody else."),
    "power_person_unknown": N_("The certificate does not say whom it is about."),
    "power_issuer_unknown": N_("We do not know who gave the power."),
    "power_status_unknown": N_("We could not find out whether the power still holds."),
    "power_not_bound": N_("The power is not tied to your wallet."),
    "power_not_asked": N_("They do not ask for a power, so you can only answer for yourself."),
    "power_names_not_asked": N_("They do not ask who acts for whom, so they could take you for the other."),
}
_MALFORMED = N_("The power cannot be read.")


def acting_view(decision: Decision, t: Translator) -> dict[str, Any]:
    """For whom the answer is, why it cannot be, and for whom it could be."""
    acting = decision.acting
    return {
        "acting_for": plain(acting.held.principal_name) if acting is not None else "",
        "acting": {
            "agent": plain(acting.held.power.agent.name()),
            "issuer": acting.held.certificate.issuer_name,
            "until": t.date(acting.held.power.ends_on),
            "confirmed": decision.chosen.acting_confirmed,
            "is_told": bool(acting.held.power.reports_to),
            "faults": [t(FAULTS.get(fault, _MALFORMED)) for fault in acting.faults],
        }
        if acting is not None
        else None,
        "only_for_another": acting is None
        and not decision.is_satisfiable
        and any(one.answers for one in decision.powers),
        # Those with which the request can be answered come first; those of no use now come last, and have no button.
        "powers": [
            _power(one, t)
            for one in sorted(decision.powers, key=lambda one: (not one.answers, bool(one.faults)))
            if acting is None or one.held.certificate.id != acting.held.certificate.id
        ],
    }


def _power(one: Possible, t: Translator) -> dict[str, Any]:
    return {
        "id": one.held.certificate.id,
        "name": plain(one.held.principal_name),
        "issuer": one.held.certificate.issuer_name,
        "until": t.date(one.held.power.ends_on),
        "over": " ".join(dict.fromkeys(t(FAULTS.get(fault, _MALFORMED)) for fault in one.faults)),
        "answers": one.answers,
    }


_STATUSES = {
    "valid": "",
    "revoked": N_("The power had ended when you were told."),
    "suspended": N_("The power was paused when you were told."),
    "ended": N_("The power had ended when you were told."),
    "unknown": N_("We could not find out whether the power still held."),
}


def told_name(item: Mapping[str, Any], t: Translator) -> str:
    """What an item is called in a report of somebody else: one without a name is the certificate itself."""
    name = plain(BothLanguages(**item["name"]).text(t.language))
    return name or the_certificate(plain(BothLanguages(**item["certificate"]).text(t.language)), t)


def told_view(entry: Entry, t: Translator) -> dict[str, Any] | None:
    """What somebody told of an act for you; None for everything else."""
    facts = entry.told
    if facts is None:
        return None
    report = facts["report"]
    return {
        "agent": facts["agent"],
        "issuer": BothLanguages(**facts["power_issuer"]).text(t.language) or facts["power_issuer_id"],
        "ends_on": t.date(date.fromisoformat(facts["power_ends_on"])),
        "status": t(_STATUSES[facts["power_status"]]) if _STATUSES.get(facts["power_status"]) else "",
        "items": [
            {
                "name": told_name(one, t),
                "certificate": plain(BothLanguages(**one["certificate"]).text(t.language)),
                "issuer": plain(one["issuer"]),
            }
            for one in report["items"]
        ],
        "events": [
            {"words": t(DONE[EventType(one["type"])]), "moment": t.moment(datetime.fromisoformat(one["at"]))}
            for one in report["events"]
        ],
        "refused": any(one["type"] == EventType.REFUSED.value for one in report["events"]),
        "left_out": bool(facts.get("left_out")),
        "by_file": facts["told_by"] == "file",
        "until": t.date(date.fromisoformat(facts["retention_until"])) if facts["retention_until"] else "",
        "contact": facts["withdraw_contact"],
        "page": facts["withdraw_url"],
    }


def done_for_you(unseen: Sequence[Entry]) -> dict[str, Any] | None:
    """What was done for the person that they have not seen: how much, by whom, and of when the latest is."""
    if not unseen:
        return None
    by: dict[str, int] = {}
    for entry in unseen:
        agent = str((entry.told or {})["agent"])
        by[agent] = by.get(agent, 0) + 1
    return {"count": len(unseen), "by": list(by.items()), "until": max(map(last_told, unseen)).isoformat()}


DONE = {
    EventType.REQUESTED: N_("They were asked"),
    EventType.APPROVED: N_("They decided to share"),
    EventType.REFUSED: N_("They decided not to share"),
    EventType.DELIVERED: N_("It arrived"),
    EventType.NOT_ACCEPTED: N_("It arrived, and the recipient answered with an error"),
    EventType.NOT_DELIVERED: N_("It could not be sent"),
    EventType.OUTCOME_UNKNOWN: N_("It was sent, but no reply came"),
    EventType.WITHDRAWN: N_("They took it back"),
    EventType.DELETION_REQUESTED: N_("They asked to have it deleted"),
    EventType.DELETION_ACKNOWLEDGED: N_("That wish was received"),
    EventType.DELETION_STATED: N_("The recipient stated what it deleted"),
    EventType.COMPLAINED: N_("They complained to the authority"),
    EventType.CONFIRMED: N_("The recipient confirmed the receipt"),
    EventType.PERMISSION_PAUSED: N_("They paused later checks"),
    EventType.PERMISSION_RESUMED: N_("They let later checks go on"),
    EventType.PERMISSION_ENDED: N_("They ended later checks"),
    EventType.CHECKED_AGAIN: N_("The recipient checked again"),
}
"""Every event of an act in words, for whom it was done."""


def principal_name(certificate: StoredCertificate) -> str:
    """Whom the holder of a power acts for; "" for every other certificate."""
    return plain(person_of(certificate.claims, "principal_").name()) if is_power(certificate) else ""


def whom_cards_are_about(certificates: Collection[StoredCertificate], t: Translator) -> dict[str, str]:
    """By the certificate: for whom a power is, and whom a certificate is about that is somebody's for whom the holder
    of this wallet has a power. One's own are left out, and those that do not say whose they are."""
    principals = [person_of(one.claims, "principal_") for one in certificates if is_power(one)]
    found = {}
    for one in certificates:
        about = person_of(one.claims)
        if name := principal_name(one):
            found[one.id] = t(N_("For %(name)s"), name=name)
        elif any(about.is_same(principal) for principal in principals):
            found[one.id] = t(N_("About %(name)s"), name=plain(about.name()))
    return found


_STANDS = {
    "suspended": N_("It is paused for now."),
    "unknown": N_("We could not find out just now whether it still holds."),
}


def held_view(held: HeldByAnother, t: Translator, *, stands: str = "") -> dict[str, Any]:
    """A power that somebody holds for you. `stands` is what came of looking it up just now."""
    if held.known_since is not None:
        ended = t(N_("Ended. You learned it on %(day)s."), day=t.date(held.known_since))
    else:
        ended = t(N_("Ended on %(day)s"), day=t.date(held.ends_on))
    return {
        "key": held.key,
        "agent": held.agent,
        "issuer": held.issuer,
        "begins_on": t.date(held.begins_on),
        "ends_on": t.date(held.ends_on),
        "has_ended": held.has_ended,
        "ended": ended if held.has_ended else "",
        "stands": t(_STANDS[stands]) if stands in _STANDS else "",
        "acts": held.acts,
    }


_FROM_A_DAY = {
    "power_not_begun": N_("It begins on %(day)s."),
    "power_ended": N_("Ended on %(day)s"),
    "power_revoked": N_("Ended. You learned it on %(day)s."),
    "power_paused": N_("Paused. You learned it on %(day)s."),
    "power_of_age": N_("They turned 18 on %(day)s and decide this themself."),
    "power_out_of_date": N_("The certificate of the power ended on %(day)s."),
}


def mine_views(
    certificates: Collection[StoredCertificate], t: Translator, *, now: datetime, time_zone: str
) -> list[dict[str, Any]]:
    """The powers that the person holds, with why each cannot be used now and since or until when (`over`, empty for one
    that can, as far as it speaks for itself); those that cannot come last."""
    side = side_of(certificates, "")
    readable = {held.certificate.id: held for held in side.held}
    views = [
        _mine(one, readable.get(one.id), side, t, now=now, time_zone=time_zone) for one in certificates if is_power(one)
    ]
    return sorted(views, key=lambda view: bool(view["over"]))


def _mine(
    certificate: StoredCertificate, held: HeldPower | None, side: Side, t: Translator, *, now: datetime, time_zone: str
) -> dict[str, Any]:
    faults = ["power_malformed"]
    if held is not None:
        faults = list(side.faults_of(held, now=now, time_zone=time_zone))
        if certificate.is_expired(at=now) and "power_ended" not in faults:
            faults.append("power_out_of_date")
    over = dict.fromkeys(_over(fault, certificate, held, t, time_zone=time_zone) for fault in faults)
    return {
        "id": certificate.id,
        "name": principal_name(certificate),
        "issuer": certificate.issuer_name,
        "until": t.date(held.power.ends_on) if held is not None else "",
        "over": list(over),
    }


def _over(fault: str, certificate: StoredCertificate, held: HeldPower | None, t: Translator, *, time_zone: str) -> str:
    """Why a power cannot be used now, with the day from which that is so, as far as it is known."""
    day: date | datetime | None = None
    if held is not None:
        day = {
            "power_not_begun": held.power.begins_on,
            "power_ended": held.power.ends_on,
            "power_revoked": certificate.status_since,
            "power_paused": certificate.status_since,
            "power_of_age": held.power.principal.birthday(MAJORITY),
            "power_out_of_date": last_day(certificate, time_zone=time_zone),
        }.get(fault)
    if day is not None:
        return t(_FROM_A_DAY[fault], day=t.date(day))
    return t(FAULTS.get(fault, _MALFORMED))


def reported_view(entry: Entry, t: Translator) -> dict[str, str] | None:
    """For who acted: whether the wallet of the other has been told; None for what was not done for another."""
    if not is_act_for_another(entry):
        return None
    last = next(
        (one for one in reversed(entry.events) if one.kind in (EventKind.PRINCIPAL_TOLD, EventKind.PRINCIPAL_NOT_TOLD)),
        None,
    )
    if last is None:
        return {"state": "none", "moment": ""}
    is_over = last.facts.get("reason") in FOR_GOOD
    state = "told" if last.kind is EventKind.PRINCIPAL_TOLD else "closed" if is_over else "not_told"
    return {"state": state, "moment": t.moment(last.at)}
