"""A receipt as people read it: every member of the file (docs/receipt.md), in the reader's language."""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.receipt import BothLanguages, EventType, Item, Receipt, Retention
from service.i18n import N_, Translator
from wallet.pages.history_words import GOT_NO
from wallet.pages.phrases import country, language_of, told_apart

LEVELS = {
    "registered": N_("On a list that this wallet trusts"),
    "certificate": N_("Confirmed by somebody this wallet trusts"),
    "unproven": N_("Not confirmed"),
}
HAPPENED = {
    EventType.REQUESTED: N_("The request was shown to you"),
    EventType.APPROVED: N_("You decided to share"),
    EventType.REFUSED: N_("You decided not to share"),
    EventType.DELIVERED: N_("They received it"),
    EventType.NOT_ACCEPTED: N_("It arrived, and they answered with an error"),
    EventType.NOT_DELIVERED: N_("It could not be sent"),
    EventType.OUTCOME_UNKNOWN: N_("It was sent, but no reply came"),
    EventType.WITHDRAWN: N_("You took it back"),
    EventType.DELETION_REQUESTED: N_("You asked them to delete"),
    EventType.DELETION_ACKNOWLEDGED: N_("They have received your wish"),
    EventType.DELETION_STATED: N_("Their statement on deletion came"),
    EventType.COMPLAINED: N_("You complained to the authority"),
    EventType.CONFIRMED: N_("They confirmed the receipt"),
    EventType.PERMISSION_PAUSED: N_("You paused the later checks"),
    EventType.PERMISSION_RESUMED: N_("You let the later checks go on"),
    EventType.PERMISSION_ENDED: N_("You ended the later checks"),
    EventType.CHECKED_AGAIN: N_("They checked whether it still holds"),
}

Facts = list[tuple[str, str] | tuple[str, str, str]]
"""Names and values, and the language of a value that is in another than the page's."""


def receipt_view(receipt: Receipt, view: Mapping[str, Any], t: Translator) -> dict[str, Any]:
    """The receipt in words. `view` is that of its entry, which knows how names of others are written."""
    return {
        "who": _who(receipt, view, t),
        "terms": _terms(receipt, view, t),
        "rights": _rights(receipt, t),
        "items": [_item(item, t) for item in receipt.items],
        "events": [(_happened(event.type, receipt, t), t.moment(event.at)) for event in receipt.events],
        "checking": _checking(receipt, t),
    }


def _happened(what: EventType, receipt: Receipt, t: Translator) -> str:
    return t(GOT_NO if what is EventType.DELIVERED and receipt.is_refusal else HAPPENED[what])


def _who(receipt: Receipt, view: Mapping[str, Any], t: Translator) -> Facts:
    controller = receipt.controller
    name = t(N_("Says it is %(name)s"), name=view["who"]) if view["unproven"] else view["who"]
    asked = next((t.moment(one.at) for one in receipt.events if one.type is EventType.REQUESTED), view["moment"])
    return [
        (t(N_("Number")), receipt.record_id),
        *([(t(N_("Their number for it")), view["their_number"])] if view["their_number"] else []),
        (t(N_("Asked")), asked),
        (t(N_("Decided")), view["decided"]),
        *_acting(receipt, t),
        (t(N_("Who asked")), name),
        (t(N_("How sure the wallet was who they are")), t(LEVELS[controller.level.value])),
        (t(N_("Address")), controller.host),
        (t(N_("Organisation number")), _said(controller.organisation_number, t)),
        (t(N_("Country")), _said(country(controller.country or "", t), t)),
        (t(N_("Contact")), _said(controller.contact, t)),
        (t(N_("Data protection contact")), _said(controller.data_protection_contact, t)),
    ]


def _acting(receipt: Receipt, t: Translator) -> Facts:
    acting = receipt.acting_for
    if acting is None:
        return []
    sentence = N_("%(name)s, as %(agent)s, by a power from %(issuer)s until %(day)s")
    said = {"name": acting.principal, "agent": acting.agent, "issuer": acting.power_issuer}
    return [(t(N_("Acting for")), t(sentence, day=t.date(acting.power_ends_on), **said))]


def _terms(receipt: Receipt, view: Mapping[str, Any], t: Translator) -> Facts:
    purpose = receipt.purposes[0]
    decides = {None: N_("Not stated"), True: N_("Yes, they say"), False: N_("No, they say")}
    return [
        *_retention(receipt, t),
        *((t(N_("You confirmed")), one.text(t.language), _other(one, t)) for one in receipt.declarations),
        *_later_checks(receipt, view, t),
        (t(N_("Ground that they state")), _said(view["basis"], t)),
        (t(N_("In their words")), _said(_text(purpose.basis_detail, t), t)),
        (t(N_("Passed on to")), _declared(_texts(receipt.recipients, t), N_("Nobody, they say"), t)),
        (t(N_("Handled for them by")), _declared(_texts(receipt.processors, t), N_("Nobody else, they say"), t)),
        (t(N_("Other countries")), _declared(_countries(receipt, t), N_("None, they say"), t)),
        (t(N_("Decisions by machine")), t(decides[receipt.automated_decisions])),
        (t(N_("Their notice was signed")), t(N_("Yes") if receipt.notice.signed else N_("No"))),
        (t(N_("Language shown to you")), _language(receipt.language, t)),
    ]


def _retention(receipt: Receipt, t: Translator) -> Facts:
    if not receipt.is_refusal:
        return [(t(N_("Kept until")), _until(receipt.retention, t))]
    return [
        (t(N_("Kept until")), t(N_("Nothing was shared"))),
        (t(N_("They asked to keep it until")), _until(receipt.asked_retention, t)),
    ]


def _until(retention: Retention | None, t: Translator) -> str:
    return t.date(retention.until) if retention else t(N_("Not stated"))


def _later_checks(receipt: Receipt, view: Mapping[str, Any], t: Translator) -> Facts:
    allowed = receipt.standing_permission
    if allowed is None:
        return [(t(N_("Later checks allowed until")), t(N_("Not allowed")))]
    often = t.plural("At most once a day", "At most once in %(num)s days", allowed.every_days)
    checked = [receipt.items[number] for number in allowed.items]
    names = told_apart(
        [(one.name.text(t.language), one.certificate_type, one.certificate.text(t.language)) for one in checked]
    )
    facts: Facts = [
        (t(N_("Later checks allowed until")), f"{t.date(allowed.until)}. {often}."),
        *([(t(N_("Later checks ended on")), view["checks_ended"])] if view["checks_ended"] else []),
        (t(N_("Later checks, in their words")), allowed.purpose.text(allowed.language or t.language)),
        (t(N_("Later checks of")), t.listed(names)),
    ]
    if allowed.language is not None:
        facts.append((t(N_("Later checks, language shown to you")), _language(allowed.language, t)))
    return facts


def _language(code: str, t: Translator) -> str:
    return t(N_("Swedish") if code == "sv" else N_("English"))


def _rights(receipt: Receipt, t: Translator) -> Facts:
    rights = receipt.rights
    return [
        (t(N_("Their page for it")), _said(rights.withdraw_url, t)),
        (t(N_("Their contact for it")), _said(rights.withdraw_contact or receipt.controller.contact, t)),
        (t(N_("Their phone for it")), _said(rights.withdraw_phone, t)),
        (t(N_("If they do not answer")), receipt.controller.supervisory_authority),
        *([(t(N_("Law")), t(N_("The data protection law of the EU (GDPR)")))] if receipt.jurisdiction else []),
    ]


def _item(item: Item, t: Translator) -> dict[str, str]:
    had = [
        t(N_("It was needed") if item.required else N_("It was optional")),
        *([t(N_("you said yes to it by itself"))] if item.approved_separately else []),
    ]
    return {
        "name": item.name.text(t.language),
        "certificate": item.certificate.text(t.language),
        "issuer": item.issuer,
        "how": t.listed(had),
    }


def _checking(receipt: Receipt, t: Translator) -> Facts:
    seals = [(_path(item), item.commitment) for item in receipt.items]
    return [
        (t(N_("Form of this receipt")), receipt.schema_version),
        *([(t(N_("Number of this receipt")), receipt.receipt_id)] if receipt.receipt_id else []),
        (t(N_("Identifier")), receipt.controller.identifier),
        (t(N_("Your name towards them")), receipt.holder_pseudonym),
        (t(N_("Digest of their notice")), _said(receipt.notice.digest, t)),
        (t(N_("Digest of the step before")), receipt.previous_event_digest),
        *((t(N_("Seal of %(item)s"), item=path), seal) for path, seal in seals),
    ]


def _path(item: Item) -> str:
    return f"{item.certificate_type} › {' › '.join(str(step) for step in item.path)}"


def _said(text: str | None, t: Translator) -> str:
    return text or t(N_("Not stated"))


def _declared(names: Sequence[str] | None, none: str, t: Translator) -> str:
    if names is None:
        return t(N_("Not stated"))
    return t.listed(names) if names else t(none)


def _countries(receipt: Receipt, t: Translator) -> list[str] | None:
    return None if receipt.countries is None else [country(code, t) for code in receipt.countries]


def _texts(texts: Sequence[BothLanguages] | None, t: Translator) -> list[str] | None:
    return None if texts is None else [text.text(t.language) for text in texts]


def _other(text: BothLanguages, t: Translator) -> str:
    language = language_of(text, t)
    return language if language != t.language else ""


def _text(text: BothLanguages | None, t: Translator) -> str:
    return text.text(t.language) if text else ""
