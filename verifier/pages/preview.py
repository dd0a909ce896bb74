"""How somebody who is asked will read a request: the same words as in the wallet's decision, without their values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from babel import Locale

from schemas.consent import Basis, LocalizedText
from schemas.types import REGISTERED_CLAIMS, type_of
from service.i18n import N_, Translator
from verifier.disclosed import item_label, shown_value, type_label
from verifier.needs import option_words
from verifier.request_templates import RequestTemplate, TemplateCredential, TemplateItem

BASES = {
    Basis.CONSENT: N_("Your consent. They may use it only as long as you agree."),
    Basis.CONTRACT: N_("A contract with you, or something you asked for before one."),
    Basis.LEGAL_OBLIGATION: N_("A law that obliges them."),
    Basis.VITAL_INTERESTS: N_("To protect somebody's life."),
    Basis.PUBLIC_TASK: N_("A task in the public interest. You may object."),
    Basis.LEGITIMATE_INTEREST: N_("An interest of theirs that they say weighs more than yours. You may object."),
}
"""As the wallet words them: rooms do not share code, and a test holds both against each other."""

_TECHNICAL = frozenset(spec.path[0] for spec in REGISTERED_CLAIMS)


@dataclass(frozen=True, slots=True)
class PreviewItem:
    """One thing asked for: what it is called, and why."""

    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class PreviewGroup:
    """Things that stand together under a heading; or the ways to meet one need, of which one is enough."""

    heading: str
    items: tuple[PreviewItem, ...]
    ways: tuple["PreviewGroup", ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """A request as it is read, in one language."""

    language: str
    heading: str
    purpose: str
    said_by: str
    groups: tuple[PreviewGroup, ...]
    facts: tuple[tuple[str, str], ...]


def preview_of(template: RequestTemplate, *, organisation: LocalizedText, today: date, t: Translator) -> Preview:
    """The preview of a template in the translator's language, as if it were asked today."""
    language = t.language
    name = (template.organisation or organisation).text(language)
    required, optional = _groups(template, language, t)
    return Preview(
        language=language,
        heading=_heading(name, *template.needed_count(), t=t),
        purpose=template.purpose.text(language),
        said_by=t(N_("Said by %(name)s"), name=name),
        groups=(*required, *optional),
        facts=tuple(_facts(template, today, language, t)),
    )


def _heading(name: str, fewest: int, most: int, *, t: Translator) -> str:
    if fewest != most:
        words = N_("%(name)s wants to see %(fewest)s to %(most)s things about you")
        return t(words, name=name, fewest=fewest, most=most)
    return t.plural(
        "%(name)s wants to see %(num)s thing about you",
        "%(name)s wants to see %(num)s things about you",
        most,
        name=name,
    )


def _groups(template: RequestTemplate, language: str, t: Translator) -> tuple[list[PreviewGroup], list[PreviewGroup]]:
    shown = {
        query_id: (credential, tuple(_item(credential, item, language) for item in items) or (_whole(t),))
        for query_id, credential, items in template.queries()
    }
    required = [
        _needed(template, options, {one: items for one, (_, items) in shown.items()}, t)
        for options, is_needed in template.sets()
        if is_needed
    ]
    needed = {one for options, is_needed in template.sets() if is_needed for option in options for one in option}
    together: dict[str, list[PreviewItem]] = {}
    for query_id, (credential, items) in shown.items():
        if query_id not in needed:
            together.setdefault(type_label(credential.vct[0], template, language), []).extend(items)
    for kind, names in _always_visible(template, language).items():
        visible = tuple(PreviewItem(name, "") for name in names)
        required.append(PreviewGroup(t(N_("What always comes with it: %(kind)s"), kind=kind), visible))
    return required, [
        PreviewGroup(t(N_("Optional. You can leave these out. From: %(kind)s"), kind=kind), tuple(items))
        for kind, items in together.items()
    ]


def _needed(
    template: RequestTemplate,
    options: tuple[tuple[str, ...], ...],
    shown: Mapping[str, tuple[PreviewItem, ...]],
    t: Translator,
) -> PreviewGroup:
    ways = tuple(
        PreviewGroup(
            t(N_("From: %(kind)s"), kind=option_words(template, (option,), t)),
            tuple(item for one in option for item in shown.get(one, ())),
        )
        for option in options
    )
    kind = option_words(template, options, t)
    if len(ways) == 1:
        return PreviewGroup(t(N_("Needed, from: %(kind)s"), kind=kind), ways[0].items)
    return PreviewGroup(t(N_("One of these is needed: %(kind)s"), kind=kind), (), ways)


def value_notes(template: RequestTemplate, t: Translator) -> tuple[str, ...]:
    """For staff: which items count only with certain values. Wallets show no such thing beside an item."""
    language = t.language
    notes = []
    for credential in template.credentials:
        for item in credential.items:
            if item.values:
                label = (item.label or item_label(credential.vct[0], item.path)).text(language)
                values = t.listed([_accepted(one, credential, item, language) for one in item.values], "or")
                notes.append(t(N_("%(item)s: only %(values)s counts."), item=label, values=values))
    return tuple(notes)


def _item(credential: TemplateCredential, item: TemplateItem, language: str) -> PreviewItem:
    label = item.label or item_label(credential.vct[0], item.path)
    return PreviewItem(label.text(language), item.reason.text(language))


def _accepted(value: str | int | bool, credential: TemplateCredential, item: TemplateItem, language: str) -> str:
    text = shown_value(value, vct=credential.vct[0], path=item.path, language=language)
    return text.lower() if isinstance(value, bool) else text  # "yes" stands within a sentence.


def _whole(t: Translator) -> PreviewItem:
    return PreviewItem(t(N_("That you have it")), t(N_("Only what is visible on every certificate of this kind.")))


def _always_visible(template: RequestTemplate, language: str) -> dict[str, list[str]]:
    """What cannot be hidden on each kind of certificate asked for, the technical members aside."""
    found: dict[str, list[str]] = {}
    for credential in template.credentials:
        known = type_of(credential.vct[0])
        if known is None:
            continue
        hidden = set(known.disclosable_paths())
        found[known.title(language)] = [
            spec.label(language)
            for spec in known.all_claims()
            if len(spec.path) == 1 and spec.path not in hidden and spec.path[0] not in _TECHNICAL
        ]
    return found


def _facts(template: RequestTemplate, today: date, language: str, t: Translator) -> list[tuple[str, str]]:
    """What the notice declares, each with the name and the words that the wallet has for it."""
    confirmed = [(t(N_("What you would confirm")), template.declaration.text(language))] if template.declaration else []
    kept_until = template.retention_date(asked_on=today)
    not_stated = t(N_("Not stated"))
    automated = {None: not_stated, True: t(N_("Yes, they say")), False: t(N_("No, they say"))}
    facts = [
        *confirmed,
        (t(N_("Kept until")), t.date(kept_until)),
        (t(N_("Ground that they state")), t(BASES[template.basis])),
        (t(N_("In their words")), template.basis_detail.text(language) if template.basis_detail else not_stated),
        (t(N_("Passed on to")), _listed(template.recipients, t(N_("Nobody, they say")), t)),
        (t(N_("Handled for them by")), _listed(template.processors, t(N_("Nobody else, they say")), t)),
        (t(N_("Other countries")), _countries(template.countries, t)),
        (t(N_("Decisions by machine")), automated[template.automated_decisions]),
        (t(N_("To take back")), template.withdraw_url or template.contact),
        (t(N_("Contact")), template.contact),
    ]
    if (later := template.recheck) is not None:
        until = t.date(template.recheck_until(asked_on=today) or kept_until)
        often = t.plural(
            "At most once a day, until %(day)s.",
            "At most once in %(num)s days, until %(day)s.",
            later.every_days,
            day=until,
        )
        own_yes = t(N_("Saying no has no effect on the rest."))
        facts.append(
            (t(N_("Apart from this: may they check again?")), f"{often} {later.purpose.text(language)} {own_yes}")
        )
    return facts


def _listed(texts: tuple[LocalizedText, ...] | None, none: str, t: Translator) -> str:
    if texts is None:
        return t(N_("Not stated"))
    return t.listed(text.text(t.language) for text in texts) if texts else none


def _countries(codes: tuple[str, ...] | None, t: Translator) -> str:
    if codes is None:
        return t(N_("Not stated"))
    names = Locale(t.language).territories
    return t.listed(str(names.get(code.upper(), code)) for code in codes) if codes else t(N_("None, they say"))
