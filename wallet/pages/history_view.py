"""Entries of the history as the templates show them: every text in the reader's language, nothing left to decide.

The history holds names and texts, never values; the title of a certificate is looked up while it is held (CS-30).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from schemas.consent import Basis
from schemas.receipt import BothLanguages
from service.i18n import N_, Translator, inside_sentence
from wallet.certificates import StoredCertificate
from wallet.ledger import AFTER_SHARE, Entry, EventKind
from wallet.naming import Names, plain
from wallet.pages.acting_words import reported_view, told_view
from wallet.pages.history_words import all_happened
from wallet.pages.phrases import (
    along,
    bare_certificate,
    called,
    in_a_sentence,
    language_of,
    the_certificate,
    title_sentence,
    told_apart,
)
from wallet.pages.reason_words import reason_words
from wallet.pages.right_words import right_views
from wallet.pages.share_words import BASES, CAME_BY, LATER, NO_LONGER, OUTCOMES, fault_words
from wallet.pages.take_back_words import NO_STATEMENT, STATES, called_here
from wallet.pages.warning_words import kept_sentences
from wallet.permitting import allowed_with
from wallet.receipts import has_receipt
from wallet.requests import CameBy
from wallet.rights import Right, can_ask, can_report
from wallet.taking_back import State, standing_of
from wallet.taking_back.standing import day_in
from wallet.vault import UnlockedVault

_DONE_BY = N_("Done for you by %(name)s")


def titles_of(vault: UnlockedVault) -> dict[str, BothLanguages]:
    """What the certificates in the vault are called: the history keeps only the names of their types (CS-30)."""
    return {one.id: Names(one).title for one in vault.certificates()}


def row_view(entry: Entry, t: Translator, *, now: datetime, titles: Mapping[str, BothLanguages]) -> dict[str, Any]:
    """One line of the history: what went to whom until when. `titles` are those of the certificates still held."""
    words = OUTCOMES[entry.outcome]
    name = entry.who.text(t.language) or entry.host
    unproven = entry.facts.get("level") == "unproven"
    known_as, begins = called(name, t, proven=not unproven)
    certificates = [titles[one].text(t.language) for one in entry.certificate_ids if one in titles]
    items = told_apart([(_name(one, t), _owner(one), called_here(one, titles, t)) for one in _went(entry)])
    items += [bare_certificate(called_here(one, titles, t), t) for one in entry.bare]
    is_gone = standing_of(entry, now=now, time_zone=t.time_zone).is_gone
    done_by = entry.told["agent"] if entry.told is not None else ""
    return {
        "id": entry.id,
        "who": name,
        "called": known_as,
        "begins": begins,
        "host": entry.host,
        "unproven": unproven,
        "moment": t.moment(entry.filed_at),
        "day": t.date(entry.filed_at),
        "word": t(_DONE_BY, name=done_by) if done_by else t(words.word),
        "state": words.state,
        "icon": words.icon,
        "items": t.listed([*items[:1], *map(inside_sentence, items[1:])]) if items else "",
        "count": len(items),
        "certificates": t.listed(certificates or [one.text(t.language) for one in entry.certificates]),
        "until": "" if is_gone else _until(entry, t),
        "days_left": None if is_gone else entry.days_left(today=day_in(now, t.time_zone)),
        "is_gone": is_gone,
        "is_share": entry.is_share,
        "is_about_wallet": entry.is_about_wallet,
        "their_number": plain(str(entry.facts.get("request_id") or "")),
        "outcome": entry.outcome.value,
        "acting_for": entry.acting_for["principal"] if entry.acting_for is not None else "",
        "done_by": done_by,
        "after": after_view(entry, t, now=now),
        "reported": _day_of(entry, EventKind.REPORTED, t),
        "rights": right_views(entry, t, now=now),
        "can_report": can_report(entry),
        "can_object": can_ask(entry, Right.OBJECTION),
    }


def _day_of(entry: Entry, kind: EventKind, t: Translator) -> str:
    event = entry.last(kind)
    return t.date(event.at) if event is not None else ""


def after_view(entry: Entry, t: Translator, *, now: datetime) -> dict[str, Any] | None:
    """What came after a share, in one word; None when there is nothing to say."""
    standing = standing_of(entry, now=now, time_zone=t.time_zone)
    words = STATES.get(standing.state)
    if words is None:
        return None if not standing.misses_statement else {"word": t(NO_STATEMENT), "look": "warning", "icon": ""}
    complained = standing.complained_at is not None and standing.state is not State.ESCALATED
    beside = f", {inside_sentence(t(STATES[State.ESCALATED].word))}" if complained else ""
    return {"word": f"{t(words.word)}{beside}", "look": words.state, "icon": words.icon}


def _until(entry: Entry, t: Translator) -> str:
    return t.date(entry.retention_until) if entry.retention_until and entry.went else ""


def entry_view(entry: Entry, t: Translator, *, now: datetime, titles: Mapping[str, BothLanguages]) -> dict[str, Any]:
    """Everything that S4 and S6 show about one entry."""
    facts, decided = entry.facts, entry.decided or {}
    refused = next((event.facts for event in entry.events if event.kind is EventKind.REFUSED), None)
    basis = facts.get("basis")
    # What came after the answer itself, such as taking back, stands elsewhere.
    last = next((event for event in reversed(entry.events) if event.kind not in AFTER_SHARE), entry.events[-1])
    return {
        **row_view(entry, t, now=now, titles=titles),
        "events": [
            {"moment": t.moment(event.at), "words": words, "reason": reason_words(event.facts.get("reason", ""), t)}
            for event, words in all_happened(entry.events, t)
        ],
        "codes": [(t.moment(event.at), event.facts["reason"]) for event in entry.events if event.facts.get("reason")],
        "last": last.kind.value,
        "reason": last.facts.get("reason", ""),
        "confirmed": next((t.moment(one.at) for one in entry.events if one.kind is EventKind.CONFIRMED), ""),
        "came_by": t(CAME_BY[CameBy(facts["came_by"])]) if facts.get("came_by") else "",
        "asked": _asked(entry, t),
        "shared": [
            {
                "name": _name(item, t),
                "certificate": called_here(item, titles, t),
                "certificate_id": item.get("certificate_id", ""),
                "issuer": item["issuer"],
                "required": item.get("required", True),
            }
            for item in _went(entry)
        ],
        "bare": [
            {
                "name": bare_certificate(called_here(one, titles, t), t),
                "certificate_id": one["certificate_id"],
            }
            for one in entry.bare
        ],
        "came_along": [
            {
                "certificate": called_here(one, titles, t),
                "title": _title_went(one, titles, t),
                "items": t.listed(dict.fromkeys(in_a_sentence(BothLanguages(**name), t) for name in one["items"])),
            }
            for one in decided.get("came_along", ())
        ],
        "along": along([BothLanguages(**name) for one in decided.get("came_along", ()) for name in one["items"]], t),
        "decided": t.moment(entry.decided_at) if entry.decided_at else "",
        "declined": [_both(name, t) for name in decided.get("declined", ())],
        "level": facts.get("level", ""),
        "purpose": _both(facts.get("purpose"), t),
        "purpose_lang": language_of(BothLanguages(**facts["purpose"]), t) if facts.get("purpose") else "",
        "basis": t(BASES[Basis(basis)]) if basis else "",
        "contact": facts.get("contact", ""),
        "data_protection_contact": facts.get("data_protection_contact", ""),
        "withdraw_url": facts.get("withdraw_url", ""),
        "withdraw_contact": facts.get("withdraw_contact", ""),
        "withdraw_phone": facts.get("withdraw_phone", ""),
        "is_over": _is_over(entry.retention_until, day_in(now, t.time_zone)),
        "language": (decided or refused or {}).get("language", ""),
        "warnings": kept_sentences(
            list((decided or refused or {}).get("warnings", ())), {**facts, **(decided or refused or {})}, t
        ),
        "has_receipt": has_receipt(entry),
        "error": facts.get("error", ""),
        "fault": fault_words(facts.get("kind", facts["error"])) if facts.get("error") and entry.is_share else None,
        "certificate_id": facts.get("certificate_id", ""),
        "copies": facts.get("copies", 0),
        "checks_ended": _checks_ended(entry, t, now=now),
        "recheck_declined": bool(decided.get("recheck_declined")),
        "could_share": (refused or {}).get("could_share", True),
        "told": told_view(entry, t),
        "telling": reported_view(entry, t),
    }


def _checks_ended(entry: Entry, t: Translator, *, now: datetime) -> str:
    allowed = allowed_with(entry, now=now)
    return t.date(allowed.ended_at) if allowed is not None and allowed.ended_at is not None else ""


def _asked(entry: Entry, t: Translator) -> list[str]:
    names = zip(entry.asked, entry.asked_of, strict=True)
    written = [(name.text(t.language), of.text(t.language)) for name, of in names]
    return [f"{name} ({of})" if of else name for name, of in written]


def _went(entry: Entry) -> Sequence[Mapping[str, Any]]:
    """What the person shared, or somebody else for them."""
    return entry.told["report"]["items"] if entry.told is not None else entry.shared


def _name(item: Mapping[str, Any], t: Translator) -> str:
    """What an item is called; one without a name is told by somebody else, who showed the certificate itself."""
    return plain(_both(item["name"], t)) or the_certificate(plain(_both(item["certificate"], t)), t)


def _owner(item: Mapping[str, Any]) -> str:
    """What tells its certificate from others: what somebody else tells of their own names no certificate here."""
    return str(item.get("certificate_id") or BothLanguages(**item["certificate"]))


def _title_went(facts: Mapping[str, Any], titles: Mapping[str, BothLanguages], t: Translator) -> str:
    """Whether the title went to who asked; named only from a certificate that is held, since nothing else keeps it."""
    held, went = titles.get(facts.get("certificate_id", "")), facts.get("title_went")
    if held is None and went is not None:
        return t(N_("Its title went with it.") if went else N_("Its title did not go with it."))
    return title_sentence(held.text(t.language), went, t) if held is not None else ""


def why_not_accepted(certificates: Iterable[StoredCertificate], t: Translator) -> list[str]:
    """What may be the reason: an issuer no longer vouches for what was shown."""
    return [t(NO_LONGER[one.status], title=Names(one).title.text(t.language)) for one in certificates]


def no_longer_valid(certificates: Iterable[StoredCertificate], t: Translator) -> list[str]:
    """Which of the certificates that went their issuer has revoked or paused since, as far as this wallet knows."""
    return [
        t(LATER[one.status], title=Names(one).title.text(t.language), day=t.date(one.checked_at))
        for one in certificates
    ]


def _is_over(until: date | None, today: date) -> bool:
    return until is not None and until < today


def _both(value: Mapping[str, str] | None, t: Translator) -> str:
    return BothLanguages(**value).text(t.language) if value else ""
