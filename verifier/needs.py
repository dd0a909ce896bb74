"""What a template needs from people, kind by kind, and who issues it: so that an application can tell them before.

    needs_of(template, trust=trust_list, now=now)

Whether a person has it, nobody is told: a wallet answers "no" alike for what is lacking and what is not shared (CS-23).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from proofs.trust import TrustEntry, TrustList
from schemas.consent import LocalizedText
from verifier.disclosed import type_label
from verifier.request_templates import RequestTemplate, TemplateCredential


def needs_of(template: RequestTemplate, *, trust: TrustList, now: datetime) -> list[dict[str, Any]]:
    """Each kind asked for as JSON members: title, whether it is required, its group, its age, who issues it.

    Kinds of which one is enough have the same `group`.
    """
    groups = {one: number for number, options in enumerate(_groups(template)) for one in options}
    return [
        {
            "query": credential.id,
            "title": LocalizedText(
                sv=type_label(credential.vct[0], template, "sv"), en=type_label(credential.vct[0], template, "en")
            ).model_dump(),
            "types": list(credential.vct),
            "required": credential.required,
            "group": groups[credential.id],
            "max_age_days": credential.max_age_days,
            "sources": [{"name": one.name, "url": one.identifier} for one in _sources(credential, trust, now)],
        }
        for credential in template.credentials
    ]


def _groups(template: RequestTemplate) -> list[set[str]]:
    chosen = {one for option in template.alternatives for one in option}
    alone = [{one.id} for one in template.credentials if one.id not in chosen]
    return [*alone, chosen] if chosen else alone


def _sources(credential: TemplateCredential, trust: TrustList, now: datetime) -> Iterator[TrustEntry]:
    """Issuers that the verifier trusts for one of the types by name; who is trusted for everything is no answer."""
    seen: set[str] = set()
    for vct in credential.vct:
        for entry in trust.issuers_for(vct, at=now):
            wanted = not credential.issuers or entry.identifier in credential.issuers
            if "://" in entry.identifier and entry.types and wanted and entry.identifier not in seen:
                seen.add(entry.identifier)
                yield entry
