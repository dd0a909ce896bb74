"""What a template needs from people and who issues it: so that an application can tell them before.

    needs_of(template, trust=trust_list, now=now, catalogues=catalogues)

Whether a person has it, nobody is told: a wallet answers "no" alike for what is lacking and what is not shared (CS-23).
"""

from datetime import datetime
from typing import Any

from proofs.trust import TrustEntry, TrustList
from schemas.consent import LocalizedText
from service.i18n import N_, Catalogues, Translator, inside_sentence
from verifier.disclosed import type_label
from verifier.request_templates import RequestTemplate, TemplateCredential


def needs_of(
    template: RequestTemplate, *, trust: TrustList, now: datetime, catalogues: Catalogues
) -> list[dict[str, Any]]:
    """Each thing needed as JSON members: whether it is required, in words, and the ways to meet it.

    One of `options` is enough (OpenID4VP 1.0, 6.4.2); each lists the certificates that have to be shown together, with
    title, age, and who issues them.
    """
    by_id = {one.id: one for one in template.credentials}
    languages = {language: catalogues.translator(language) for language in ("sv", "en")}
    return [
        {
            "required": is_required,
            "text": {language: option_words(template, options, t) for language, t in languages.items()},
            "options": [[_kind(template, by_id[one], trust, now) for one in option] for option in options],
        }
        for options, is_required in template.sets()
    ]


def option_words(template: RequestTemplate, options: tuple[tuple[str, ...], ...], t: Translator) -> str:
    """The ways to meet one need as a person reads them: "Mikromeritintyg eller studieresultat".

    Where several certificates go together in one way, each way stands by itself, so that *and* binds closer than *or*.
    """
    ways = [t.listed(_titles(template, option, t)) for option in options]
    if len(ways) > 1 and any(len(option) > 1 for option in options):
        return t(N_("One of these: %(ways)s"), ways="; ".join(ways))
    return t.listed([ways[0], *(inside_sentence(way) for way in ways[1:])], "or")


def _titles(template: RequestTemplate, option: tuple[str, ...], t: Translator) -> list[str]:
    """What the certificates of one way are called; `vct` values of one query stand for each other."""
    by_id = {one.id: one for one in template.credentials}
    return [
        t.listed(dict.fromkeys(type_label(vct, template, t.language) for vct in by_id[one].vct), "or") for one in option
    ]


def _kind(template: RequestTemplate, credential: TemplateCredential, trust: TrustList, now: datetime) -> dict[str, Any]:
    title = LocalizedText(
        sv=type_label(credential.vct[0], template, "sv"), en=type_label(credential.vct[0], template, "en")
    )
    return {
        "query": credential.id,
        "title": title.model_dump(),
        "types": list(credential.vct),
        "max_age_days": credential.max_age_days,
        "sources": [
            {"name": one.name or one.identifier, "url": _address(one), "every_kind": not one.types}
            for one in _sources(credential, trust, now)
        ],
    }


def _address(entry: TrustEntry) -> str | None:
    """Where people fetch from an issuer; None for everybody under a root, of whom the root tells a name only."""
    return entry.identifier if "://" in entry.identifier else None


def _sources(credential: TemplateCredential, trust: TrustList, now: datetime) -> list[TrustEntry]:
    """Issuers that the verifier trusts for one of the types: those trusted for it by name, else those for every kind.

    Whoever is trusted for every kind need not issue this one, so such a source is told only where none is named.
    """
    found: dict[str, TrustEntry] = {}
    for vct in credential.vct:
        for entry in trust.issuers_for(vct, at=now):
            key = entry.identifier or entry.id
            wanted = not credential.issuers or not entry.identifier or entry.identifier in credential.issuers
            if wanted and (entry.types or key not in found):
                found[key] = entry
    named = [one for one in found.values() if one.types]
    return named or list(found.values())
