"""From a template to the DCQL query: required blocks, and each optional item by itself.

question = Question.of(template)
question.dcql          # what goes into the request
question.query         # the same, parsed, for checking what comes back, with values that the request does not tell
"""

from dataclasses import dataclass, field
from typing import Any

from proofs.transaction_data import encode_transaction_data
from schemas.dcql import Query, parse_query
from schemas.presentation import DECLARATION_TYPE
from verifier.request_templates import InvalidTemplate, RequestTemplate, TemplateCredential, TemplateItem


@dataclass(frozen=True, slots=True)
class Question:
    """A template with its query, as sent and as parsed. Made once per template and shared."""

    template: RequestTemplate
    dcql: dict[str, Any] = field(repr=False)
    query: Query = field(repr=False)
    transaction_data: tuple[str, ...] = ()

    @classmethod
    def of(cls, template: RequestTemplate) -> "Question":
        """The question that a template asks. Raises `InvalidQuery` when it is larger than wallets evaluate."""
        dcql = build_query(template)
        parse_query(dcql)
        untold = parse_query(build_query(template, with_untold=True))
        return cls(template, dcql, untold, build_transaction_data(template))


def build_query(template: RequestTemplate, *, with_untold: bool = False) -> dict[str, Any]:
    """The DCQL query of a template: required blocks, and each optional item by itself in a set that may be left out.

    `with_untold` puts in acceptable values that only the verifier compares: never for a request.
    """
    queries = list(template.queries())
    credentials = [
        _credential_query(query_id, credential, items, with_untold) for query_id, credential, items in queries
    ]
    query: dict[str, Any] = {"credentials": credentials}
    sets = _credential_sets(template, [query_id for query_id, _, _ in queries])
    if template.alternatives or any(not one["required"] for one in sets):
        query["credential_sets"] = sets
    return query


def build_transaction_data(template: RequestTemplate) -> tuple[str, ...]:
    """The declaration of a template as `transaction_data`: the same strings for the same template, always.

    Any certificate that is required may carry it.
    """
    if template.declaration is None:
        return ()
    members = {
        "type": DECLARATION_TYPE,
        "credential_ids": [one for one in template.query_ids if template.is_required(one)],
        "text": {"sv": template.declaration.sv, "en": template.declaration.en},
    }
    return (encode_transaction_data(members),)


def _credential_query(
    query_id: str, credential: TemplateCredential, items: tuple[TemplateItem, ...], with_untold: bool
) -> dict[str, Any]:
    query: dict[str, Any] = {
        "id": query_id,
        "format": credential.format,
        "meta": {"vct_values": list(credential.vct)},
    }
    if credential.multiple:
        query["multiple"] = True
    if credential.authorities == "trusted":
        raise InvalidTemplate("whose issuers are trusted is known when the request is made")
    if credential.authorities:
        query["trusted_authorities"] = [{"type": "aki", "values": list(credential.authorities)}]
    if items:
        query["claims"] = [_claims_query(item, with_untold) for item in items]
    return query


def _claims_query(item: TemplateItem, with_untold: bool) -> dict[str, Any]:
    query: dict[str, Any] = {"path": list(item.path)}
    if item.values is not None and (item.values_told or with_untold):
        query["values"] = list(item.values)
    return query


def _credential_sets(template: RequestTemplate, query_ids: list[str]) -> list[dict[str, Any]]:
    chosen = {one for option in template.alternatives for one in option}
    sets: list[dict[str, Any]] = [
        {"options": [[query_id]], "required": template.is_required(query_id)}
        for query_id in query_ids
        if query_id not in chosen
    ]
    if template.alternatives:
        sets.insert(0, {"options": [list(option) for option in template.alternatives], "required": True})
    return sets
