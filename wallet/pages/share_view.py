"""Decisions as the templates show them: every text in the reader's language, nothing left to decide.

Texts of others (names, purposes, reasons) are marked as such by the templates, which quote them with their source.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from proofs.request_object import DECENTRALIZED_IDENTIFIER
from schemas.consent import Basis
from service.i18n import N_, Translator
from wallet.cards import read_card
from wallet.certificates import StoredCertificate
from wallet.decision import (
    Alternative,
    Decision,
    Group,
    Item,
    LeftBehind,
    NotAccepted,
    is_bound,
    shows_title,
    unavoidable,
    unavoidable_names,
)
from wallet.ledger import Entry, Outcome
from wallet.naming import plain
from wallet.over_asking import PolicyOutcome
from wallet.pages.acting_words import acting_view
from wallet.pages.phrases import (
    along,
    bare_certificate,
    called,
    country,
    in_a_sentence,
    language_of,
    title_sentence,
)
from wallet.pages.share_missing import missing
from wallet.pages.share_words import BASES, KINDS, KNOWN
from wallet.pages.warning_words import POLICIES, REGISTRATION, REGISTRATION_ADVICE, warning_views
from wallet.pages.ways_out import mail_link
from wallet.recording import who_asks
from wallet.requests import CheckedRequest, Through

_LONG_VALUE = 240
_CAME = N_("came into the wallet on %(moment)s")
_LETTER_SUBJECT = N_("A question about your request")
_LETTER = N_("You ask to see: %(items)s. Why do you need it, how long do you keep it, and who else sees it?")


def decision_view(decision: Decision, t: Translator, *, history: Sequence[Entry]) -> dict[str, Any]:
    """Everything that S1 to S3 show."""
    checked = decision.checked
    policies = {one.id: one.policy for one in decision.facts.shown}
    return {
        "who": (who := _who(decision, t, history)),
        "notice": _notice(decision, t),
        "retention": t.date(decision.retention_until) if decision.retention_until else "",
        "required": [_group(group, t, policies) for group in decision.required],
        "optional": [
            {
                "index": part.index,
                "ticked": part.is_ticked,
                "groups": [_group(group, t, policies) for group in part.groups],
            }
            for part in decision.optional
        ],
        "unanswered": [
            {
                "index": part.index,
                "items": t.listed(in_a_sentence(name, t) for name in part.names),
                "not_accepted": t.listed(_not_accepted(one, t) for one in part.not_accepted),
            }
            for part in decision.unanswered
        ],
        "alternatives": _alternatives(decision, t),
        "behind": [
            {"title": one.group.names.title.text(t.language), "items": _behind(one, t)}
            for one in decision.left_behind
            if one.names
        ],
        "always": [
            {
                "title": one.group.names.title.text(t.language),
                "pairs": unavoidable(one.group.certificate, one.group.names, t.language),
                "bound": is_bound(one.group.certificate),
            }
            for one in decision.left_behind
        ],
        "always_stands_open": any(
            unavoidable(one.group.certificate, one.group.names, t.language) or not is_bound(one.group.certificate)
            for one in decision.left_behind
        ),
        "along": along(
            [
                name
                for one in decision.left_behind
                for name in unavoidable_names(one.group.certificate, one.group.names)
            ],
            t,
        ),
        **warning_views(decision, t, history=history),
        "lacks": missing(decision, t),
        "items": _names_of_items(decision, t),
        "titles": _titles(decision, t),
        "recheck": _recheck(decision, t),
        **(acting := acting_view(decision, t)),
        "headline": _headline(decision, t, name=who["begins"], principal=acting["acting_for"]),
        "declarations": [
            {"text": one.text.text(t.language), "lang": language_of(one.text, t)} for one in checked.declarations
        ],
        "count": decision.count,
        "expires": t.time(checked.expires_at),
        "expires_day": "" if t.date(checked.expires_at) == t.date(checked.asked_at) else t.date(checked.expires_at),
        "answer_host": checked.answer_host,
        "ask_mail": _ask_mail(decision, t),
    }


def _headline(decision: Decision, t: Translator, *, name: str, principal: str) -> str:
    """What they ask for: needed, and more if the person likes. Ticks change nothing of it."""
    needed, more = decision.count_needed, decision.count_optional
    if needed and principal:
        asked = t.plural(
            "%(name)s wants to see %(num)s thing about %(principal)s",
            "%(name)s wants to see %(num)s things about %(principal)s",
            needed,
            name=name,
            principal=principal,
        )
    elif needed:
        asked = t.plural(
            "%(name)s wants to see %(num)s thing about you",
            "%(name)s wants to see %(num)s things about you",
            needed,
            name=name,
        )
    else:
        whom = principal or t(N_("you"))
        return t.plural(
            "%(name)s wants to see %(num)s thing about %(principal)s, if you like",
            "%(name)s wants to see up to %(num)s things about %(principal)s, if you like",
            more,
            name=name,
            principal=whom,
        )
    return t(N_("%(asked)s, and %(num)s more if you like"), asked=asked, num=more) if more else asked


def _not_accepted(one: NotAccepted, t: Translator) -> str:
    accepted = t.listed((value.text(t.language) for value in one.accepted), "or")
    return t(N_("%(name)s (they accept only %(values)s)"), name=in_a_sentence(one.name, t), values=accepted)


def _recheck(decision: Decision, t: Translator) -> dict[str, Any] | None:
    """The later checks that they ask to be allowed; None when there are none that may be."""
    offer = decision.recheck
    if offer is None:
        return None
    return {
        "until": t.date(offer.until),
        "every_days": offer.every_days,
        "purpose": offer.purpose.text(t.language),
        "purpose_lang": language_of(offer.purpose, t),
        "texts": {language: getattr(offer.purpose, language) for language in ("sv", "en")},
        "ticked": decision.chosen.recheck,
    }


def _behind(one: LeftBehind, t: Translator) -> str:
    names = [in_a_sentence(name, t) for name in one.names]
    return t.listed([*names, t.plural("%(num)s more", "%(num)s more", one.further)] if one.further else names)


def _names_of_items(decision: Decision, t: Translator) -> list[str]:
    """What would be shared, by name; with the certificate that it comes from."""
    titles = {group.certificate.id: group.names.title.text(t.language) for group in decision.groups}
    listed = [f"{item.name.text(t.language)} – {titles[item.certificate_id]}" for item in decision.items]
    return [*listed, *(bare_certificate(titles[one.certificate.id], t) for one in decision.bare)]


def _titles(decision: Decision, t: Translator) -> list[str]:
    """Of every certificate that would be shown and has a title: whether that goes with it."""
    told = {
        one.certificate.id: title_sentence(one.names.title.text(t.language), _is_title_shown(one, decision.items), t)
        for one in decision.groups
    }
    return [sentence for sentence in told.values() if sentence]


def _is_title_shown(group: Group, items: Iterable[Item]) -> bool | None:
    shared = [item.path for item in items if item.certificate_id == group.certificate.id]
    return shows_title(group.certificate, group.names, shared)


def _ask_mail(decision: Decision, t: Translator) -> str:
    """A letter to the recipient that asks why, when its contact is an address for mail; empty otherwise (S2c)."""
    stated = decision.checked.stated
    contact = stated.notice.controller.contact if stated else ""
    names = t.listed(item.name.text(t.language) for item in decision.items) or "–"
    body = t(_LETTER, items=names)
    return mail_link(contact, t(_LETTER_SUBJECT), body)


def _who(decision: Decision, t: Translator, history: Sequence[Entry]) -> dict[str, Any]:
    checked = decision.checked
    level = checked.identity.level
    client_id = checked.request.client_id
    by_did = checked.request.prefix == DECENTRALIZED_IDENTIFIER
    earlier = [
        entry.at for entry in history if entry.outcome is Outcome.SHARED and entry.facts.get("client_id") == client_id
    ]
    name = who_asks(checked).text(t.language)
    known_as, begins = called(name, t, proven=checked.is_proven)
    state, registration = REGISTRATION[checked.registration.outcome]
    return {
        "name": name,
        "called": known_as,
        "begins": begins,
        "level": level,
        "confirmed_by": (confirmed_by := _confirmed_by(checked)),
        "confirms_itself": bool(confirmed_by) and confirmed_by in (who_asks(checked).sv, who_asks(checked).en),
        "proven": checked.is_proven,
        "host": checked.answer_host,
        "client_id": client_id,
        "registration": t(registration),
        "registration_state": state,
        "registration_advice": t(advice) if (advice := REGISTRATION_ADVICE.get(checked.registration.outcome)) else "",
        "registered_purpose": checked.registration.purpose.text(t.language),
        "registrar": plain(checked.registration.registrar),
        "through": _through(checked.registration.through),
        "by_did": by_did,
        "domain": checked.identity.dns_names[0] if by_did and checked.identity.dns_names else "",
        "dns_names": t.listed(checked.identity.dns_names) if checked.identity.dns_names else "",
        "last_shared": t.date(max(earlier)) if earlier else "",
    }


def _confirmed_by(checked: CheckedRequest) -> str:
    """Who vouches for the sender's name, as the trust list names them: maybe the sender itself."""
    entry_id = checked.identity.trust_entry_id
    return next((plain(one.name) for one in checked.vouched_by if one.id == entry_id), "")


def _through(through: Through | None) -> dict[str, str] | None:
    """Who asks for whom, by what a registrar knows them as; None when nobody stands between."""
    if through is None:
        return None
    named = plain(through.legal_name)
    on_behalf_of = f"{named} ({plain(through.on_behalf_of)})" if named else plain(through.on_behalf_of)
    return {"intermediary": plain(through.intermediary), "on_behalf_of": on_behalf_of}


def _notice(decision: Decision, t: Translator) -> dict[str, Any]:
    """What the recipient declared; empty strings and None where it declared nothing."""
    stated = decision.checked.stated
    if stated is None:
        return {
            "purpose": "", "purpose_lang": "", "basis": "", "basis_detail": "", "basis_detail_lang": "",
            "recipients": None, "processors": None, "countries": None, "automated": None, "contact": "",
            "organisation_number": "", "country": "", "website": "", "data_protection_contact": "", "withdraw": "",
            "signed": False, "consent": False, "says_it_is": "", "stands_open": False,
        }  # fmt: skip
    notice, controller = stated.notice, stated.notice.controller
    withdraw = notice.withdraw
    return {
        "purpose": notice.purpose.text(t.language),
        "purpose_lang": language_of(notice.purpose, t),
        "basis": t(BASES[notice.basis]) if notice.basis else "",
        "basis_detail": notice.basis_detail.text(t.language) if notice.basis_detail else "",
        "basis_detail_lang": language_of(notice.basis_detail, t) if notice.basis_detail else "",
        "recipients": None if notice.recipients is None else [one.text(t.language) for one in notice.recipients],
        "processors": None if notice.processors is None else [one.text(t.language) for one in notice.processors],
        "countries": None if notice.countries is None else [country(code, t) for code in notice.countries],
        "automated": notice.automated_decisions,
        "contact": controller.contact,
        "organisation_number": controller.organisation_number,
        "country": country(controller.country, t),
        "website": controller.website,
        "data_protection_contact": controller.data_protection_contact,
        "withdraw": (withdraw.url or withdraw.contact) if withdraw else "",
        "signed": stated.signed and decision.checked.is_proven,
        "consent": notice.basis is Basis.CONSENT,
        "says_it_is": plain(controller.name.text(t.language)),
        # What reaches further than the two of them, or hangs on the person's own yes, is never folded away.
        "stands_open": notice.basis is Basis.CONSENT
        or bool(notice.recipients or notice.processors or notice.countries or notice.automated_decisions),
    }


def _group(group: Group, t: Translator, policies: Mapping[str, PolicyOutcome]) -> dict[str, Any]:
    card = read_card(group.certificate, t.language)
    policy = POLICIES.get(policies.get(group.certificate.id, PolicyOutcome.NONE))
    return {
        "certificate_id": group.certificate.id,
        "title": group.names.title.text(t.language),
        "issuer": group.names.issuer,
        "issuer_trusted": group.certificate.issuer_trusted,
        "policy": (policy[0], t(policy[1])) if policy else None,
        "date": card.date,
        "known": _known(group.certificate, t),
        "is_bare": not group.items,
        "title_goes": title_sentence(group.names.title.text(t.language), _is_title_shown(group, group.items), t),
        "items": [_item(item, t) for item in group.items],
    }


def _known(certificate: StoredCertificate, t: Translator) -> str:
    """What is known of whether the issuer still vouches for a certificate, and from when; it is never said without."""
    return t(KNOWN[certificate.status], moment=t.moment(certificate.checked_at)) if certificate.status in KNOWN else ""


def _item(item: Item, t: Translator) -> dict[str, Any]:
    lines = [(one.name, one.text, len(one.text) > _LONG_VALUE, one.language) for one in item.lines]
    return {
        "id": item.id,
        "label": item.name.text(t.language),
        "lines": lines,
        "many": len(lines) > 6,
        "reason": item.reason.text(t.language) if item.reason else "",
        "reason_lang": language_of(item.reason, t) if item.reason else "",
        "kind": t(KINDS[item.kind]) if item.kind else "",
        "needs_yes": item.needs_yes,
        "approved": item.approved,
        "comes_along": item.comes_along,
        "accepted": t.listed((one.text(t.language) for one in item.accepted), "or"),
    }


def _alternatives(decision: Decision, t: Translator) -> list[dict[str, Any]]:
    """The other ways of answering. What looks like another one, or like what is in use, is told apart by when it came
    into the wallet."""
    in_use = [group.certificate for group in decision.required]
    every = [*in_use, *(held for one in decision.alternatives for held in one.held)]
    looks = {(held.id, _look(held, t)) for held in every}
    found = [_alternative(one, t) for one in decision.alternatives]
    for one, view in zip(decision.alternatives, found, strict=True):
        alike = [held for held in one.held if any(look == _look(held, t) and other != held.id for other, look in looks)]
        came = dict.fromkeys(t(_CAME, moment=t.moment(held.received_at)) for held in alike)
        view["dates"] = " · ".join([*([view["dates"]] if view["dates"] else []), *came])
    return found


def _look(held: StoredCertificate, t: Translator) -> tuple[str, ...]:
    card = read_card(held, t.language)
    return card.title, card.issuer, card.date, _known(held, t)


def _alternative(one: Alternative, t: Translator) -> dict[str, Any]:
    form = f"option:{one.option}" if one.option is not None else f"pick:{one.query_id}:{one.key}"
    return {
        "value": form,
        "add": f"add:{one.query_id}:{one.key}" if one.can_add else "",
        "title": t.listed(title.text(t.language) for title in one.certificates),
        "issuer": t.listed(dict.fromkeys(one.issuers)),
        "dates": t.listed(dict.fromkeys(filter(None, (read_card(held, t.language).date for held in one.held)))),
        "known": " ".join(dict.fromkeys(filter(None, (_known(held, t) for held in one.held)))),
        "items": t.listed(dict.fromkeys(in_a_sentence(name, t) for name in one.items)),
        "is_least": one.is_least,
    }
