"""What the history keeps of a request and of the decision about it: names, texts and commitments, never values.

    asked = asked_event(decision, came_by=CameBy.LINK, now=now)
    approved = approved_event(decision, consent, pseudonym=..., now=now)

The facts are all that receipts and history pages are made from, so that they stay readable when the certificate, the
trust list or the recipient are gone.
"""

import secrets
from datetime import datetime
from hashlib import sha256
from hmac import new as new_hmac
from typing import Any

from proofs import base64url
from proofs.keys import generate_signer
from schemas.consent import LocalizedText
from schemas.dcql import starts_with, value_at
from schemas.receipt import BothLanguages
from wallet.commitments import SALT_BYTES, commitment
from wallet.consent import Consent
from wallet.decision import Decision, Item, always_shown, can_be_checked, shows_title, unavoidable_names
from wallet.ledger import Event, EventKind
from wallet.naming import names_asked, plain, type_asked
from wallet.over_asking import asked_paths, judged_facts
from wallet.requests import CameBy, CheckedRequest, RequestFault
from wallet.vault import UnlockedVault


def who_asks(checked: CheckedRequest) -> BothLanguages:
    """The name of the sender: the proven one; for an unproven sender what it says of itself, else the host."""
    if checked.is_proven and checked.identity.legal_name:
        return _same(plain(checked.identity.legal_name))
    if checked.stated is not None:
        name = checked.stated.notice.controller.name
        return BothLanguages(sv=plain(name.text("sv")), en=plain(name.text("en")))
    return _same(plain(checked.identity.legal_name) or checked.answer_host)


def request_digest(checked: CheckedRequest) -> str:
    """What tells one request from every other: its sender and its nonce."""
    return sha256(f"{checked.request.client_id}\x00{checked.request.nonce}".encode()).hexdigest()


def asked_event(decision: Decision, *, came_by: CameBy, now: datetime) -> Event:
    """The request was put before the person."""
    checked = decision.checked
    facts: dict[str, Any] = {
        "who": who_asks(checked).model_dump(),
        "level": checked.identity.level,
        "host": checked.answer_host,
        "client_id": checked.request.client_id,
        "came_by": came_by.value,
        "asked": _asked_names(decision),
        "retention_until": decision.retention_until.isoformat() if decision.retention_until else None,
        "expires_at": checked.expires_at.timestamp(),
        "request_digest": request_digest(checked),
        "asked_paths": list(asked_paths(checked.query)),
        **_rules_facts(decision),
        **_notice_facts(checked),
    }
    return Event(decision.share_id, EventKind.ASKED, now, facts)


def _rules_facts(decision: Decision) -> dict[str, Any]:
    """What the over-asking rules looked at and which of them fired: enough to judge it again later (CS-19)."""
    return judged_facts(decision.checked, decision.facts)


def _notice_facts(checked: CheckedRequest) -> dict[str, Any]:
    if checked.stated is None:
        return {}
    notice = checked.stated.notice
    controller, withdraw = notice.controller, notice.withdraw
    return {
        "notice_digest": checked.stated.digest,
        "notice_signed": checked.stated.signed,
        "request_id": notice.request_id,
        "says_it_is": _text(controller.name),
        "contact": controller.contact,
        "organisation_number": controller.organisation_number,
        "country": controller.country,
        "website": controller.website,
        "data_protection_contact": controller.data_protection_contact,
        "purpose": _text(notice.purpose),
        "basis": notice.basis.value if notice.basis else None,
        "basis_detail": _text(notice.basis_detail),
        "recipients": None if notice.recipients is None else [_text(one) for one in notice.recipients],
        "processors": None if notice.processors is None else [_text(one) for one in notice.processors],
        "countries": None if notice.countries is None else list(notice.countries),
        "automated_decisions": notice.automated_decisions,
        "withdraw_url": withdraw.url if withdraw else "",
        "withdraw_contact": withdraw.contact if withdraw else "",
        "withdraw_phone": withdraw.phone if withdraw else "",
    }


def _asked_names(decision: Decision) -> list[dict[str, Any]]:
    """The names of all that was asked for: of what is here, and of optional parts that nothing here answers. Where the
    same name is asked of several certificates, it stands once for each, with the name of its type as `certificate`.

    When the required part cannot be answered, the names of everything in the query.
    """
    groups = (*decision.required, *(group for part in decision.optional for group in part.groups))
    kinds = {group.certificate.id: group.names.type_name for group in groups}
    query = decision.checked.query
    items = [item for group in decision.required for item in group.items]
    items += [item for part in decision.optional for item in part.items]
    asked: list[tuple[BothLanguages, str, BothLanguages | None]] = [
        (item.name, item.certificate_id, kinds.get(item.certificate_id)) for item in items if not item.comes_along
    ]
    answered = {item.query_id for item in items}
    optional = {one for some in query.sets if not some.required for ids in some.options for one in ids}
    lacking = [
        one
        for one in query.credentials
        if one.id not in answered and (not decision.is_satisfiable or one.id in optional)
    ]
    for credential in lacking:
        asked += [(name, credential.id, type_asked(credential)) for name in names_asked(credential)]
    owners: dict[BothLanguages, set[str]] = {}
    for name, owner, _ in asked:
        owners.setdefault(name, set()).add(owner)
    return [
        {**name.model_dump(), **({"certificate": kind.model_dump()} if kind and len(owners[name]) > 1 else {})}
        for name, _, kind in dict.fromkeys(asked)
    ]


def approved_event(decision: Decision, consent: Consent, *, pseudonym: str, now: datetime) -> Event:
    """The person decided to share; written before anything is sent."""
    claims = {group.certificate.id: group.certificate.claims for group in decision.groups}
    items, salts = [], []
    for item in decision.items:
        salt = secrets.token_bytes(SALT_BYTES)
        value = value_at(claims[item.certificate_id], item.path)
        facts_of_item = _item_facts(decision, item, commitment(salt, item.path, value))
        items.append({**facts_of_item, "references": _references(item, consent)})
        salts.append(base64url.encode(salt))
    came_along, salts_along = _came_along(decision, consent)
    declined = [item.name.model_dump() for part in decision.optional if not part.is_ticked for item in part.items]
    facts = {
        **_decision_facts(decision, pseudonym),
        "items": items,
        "came_along": came_along,
        "salts": salts,
        "salts_along": salts_along,
        "declarations": [_text(one.text) for some in consent.presented for one in some.declarations],
        "declined": declined,
        "shown_digest": consent.shown_digest,
        "screen_version": consent.screen_version,
        "method": consent.method,
        "certificate_ids": list(consent.certificate_ids),
        **_recheck_facts(decision, consent),
    }
    return Event(decision.share_id, EventKind.APPROVED, now, facts)


def _recheck_facts(decision: Decision, consent: Consent) -> dict[str, Any]:
    """The later checks that were offered and allowed, or not: until when, how often, what for, of which items."""
    if decision.recheck is None:
        return {}
    if consent.recheck is None:
        return {"recheck_declined": True}
    checkable = {group.certificate.id for group in decision.groups if can_be_checked(group.certificate)}
    named = [number for number, item in enumerate(decision.items) if item.certificate_id in checkable]
    return {
        "recheck": {
            "until": consent.recheck.until.isoformat(),
            "every_days": consent.recheck.every_days,
            "purpose": _text(consent.recheck.purpose),
            "items": named,
            **_permission_facts(consent),
        }
    }


def _permission_facts(consent: Consent) -> dict[str, Any]:
    """How, when and in which language the later checks were confirmed, apart from the share (CS-07)."""
    confirmed = consent.permission
    return (
        {}
        if confirmed is None
        else {
            "method": confirmed.method,
            "confirmed_at": confirmed.at.timestamp(),
            "language": confirmed.language,
        }
    )


def _references(item: Item, consent: Consent) -> list[dict[str, Any]]:
    """How the recipient knows an item: by what it asked for. What comes along with a part goes with that part."""
    paths = next((one.paths for one in consent.presented if one.query_id == item.query_id), ())
    asked = [path for path in paths if path == item.path]
    asked = asked or [path for path in paths if starts_with(path, item.path) or starts_with(item.path, path)]
    return [{"credential": item.query_id, "path": list(path)} for path in asked or [item.path]]


def _came_along(decision: Decision, consent: Consent) -> tuple[list[dict[str, Any]], list[str]]:
    """What every share of these certificates shows, whatever was chosen: by name, with one commitment to all of it, so
    that it can be said again while the certificate is held; and the salts of the commitments.

    A recipient knows a certificate of which it asked for nothing in particular by the query that it answered.
    """
    told, salts = [], []
    for one in decision.left_behind:
        certificate, names, salt = one.group.certificate, one.group.names, secrets.token_bytes(SALT_BYTES)
        facts = {
            "certificate": names.type_name.model_dump(),
            "certificate_id": certificate.id,
            "issuer": names.issuer,
            "items": [name.model_dump() for name in unavoidable_names(certificate, names)],
            "commitment": commitment(salt, (), always_shown(certificate)),
            "title_went": shows_title(
                certificate, names, [item.path for item in decision.items if item.certificate_id == certificate.id]
            ),
            "references": [
                {"credential": shown.query_id, "path": []}
                for shown in consent.presented
                if shown.certificate_id == certificate.id and not shown.paths
            ],
        }
        told.append(facts)
        salts.append(base64url.encode(salt))
    return told, salts


def refused_event(decision: Decision, *, pseudonym: str, now: datetime) -> Event:
    """The person decided not to share, or could not; which of the two is nobody else's business."""
    facts = {**_decision_facts(decision, pseudonym), "could_share": decision.is_satisfiable}
    return Event(decision.share_id, EventKind.REFUSED, now, facts)


def _decision_facts(decision: Decision, pseudonym: str) -> dict[str, Any]:
    return {
        "language": decision.language,
        "warnings": [warned.kind.value for warned in decision.warned],
        "overridden": sorted(decision.chosen.overridden),
        **_rules_facts(decision),
        "alternatives": len(decision.alternatives),
        "pseudonym": pseudonym,
        # A key for this receipt alone: receipts of one person cannot be linked by it.
        "receipt_key": generate_signer().private_jwk(),
        **_acting_facts(decision),
    }


def _acting_facts(decision: Decision) -> dict[str, Any]:
    """For whom, as whom, under whose power: the parties of the act, who are named like the recipient is."""
    if decision.acting is None:
        return {}
    held = decision.acting.held
    return {
        "acting_for": {
            "principal": plain(held.power.principal.name()),
            "agent": plain(held.power.agent.name()),
            "power_issuer": plain(held.certificate.issuer_name),
            "power_ends_on": held.power.ends_on.isoformat(),
        },
        # Who is told of it, and which certificate shows that it may be told.
        "power_id": held.certificate.id,
        "reports_to": held.power.reports_to,
    }


def _item_facts(decision: Decision, item: Item, written: str) -> dict[str, Any]:
    group = next(group for group in decision.groups if group.certificate.id == item.certificate_id)
    required = any(item in group.items for group in decision.required)
    return {
        "name": item.name.model_dump(),
        # The title of a certificate is a value of it (CS-30): the pages look it up while the certificate is held.
        "certificate": group.names.type_name.model_dump(),
        "certificate_id": item.certificate_id,
        "certificate_type": group.certificate.vct,
        "issuer": group.names.issuer,
        "path": list(item.path),
        "required": required,
        "approved_separately": item.approved or not required,
        "commitment": written,
    }


def fault_event(entry_id: str, fault: RequestFault, *, who: str, host: str, came_by: CameBy, now: datetime) -> Event:
    """The request could not be shown."""
    facts = {
        "who": _same(plain(who) or host).model_dump(),
        "host": host,
        "came_by": came_by.value,
        "error": fault.error,
        "kind": fault.kind,
        "description": str(fault),
    }
    return Event(entry_id, EventKind.FAULTY, now, facts)


def pseudonym_for(vault: UnlockedVault, client_id: str) -> str:
    """The holder's name in receipts towards one recipient: stable there, unrelated to the one towards any other."""
    digest = new_hmac(vault.secret_for("receipt pseudonym"), client_id.encode(), sha256).digest()
    return base64url.encode(digest[:18])


def _same(text: str) -> BothLanguages:
    return BothLanguages(sv=text, en=text)


def _text(text: LocalizedText | None) -> dict[str, str] | None:
    return None if text is None else {"sv": text.sv, "en": text.en}
