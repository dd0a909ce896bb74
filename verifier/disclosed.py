"""What a person showed, item by item, as it is kept until the retention date.

Only what was asked for is kept, with what the format cannot hide (the type's visible claims). A wallet that showed more
than was asked does not make the verifier own more.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from proofs.formats.sd_jwt import always_visible
from schemas.consent import LocalizedText
from schemas.dcql import PathError, select_claims
from schemas.types import display_value, type_of
from verifier.request_templates import ALWAYS_VISIBLE, RequestTemplate
from verifier.verification import PresentedProof

ConcretePath = tuple[str | int, ...]
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TECHNICAL = ALWAYS_VISIBLE | {"iat", "jti", "sub", "aud"}


@dataclass(frozen=True, slots=True)
class DisclosedItem:
    """One value: which query asked for it, where it stood, what it is called, and the value as JSON.

    `asked` is False for what travels with every share of this type. `vct` is the type it comes from.
    """

    query_id: str
    path: ConcretePath
    label: LocalizedText
    value: Any = field(repr=False)
    vct: str
    asked: bool

    def display(self, language: str) -> str:
        """The value as a person reads it."""
        return shown_value(self.value, vct=self.vct, path=self.path, language=language)

    def as_json(self) -> dict[str, Any]:
        """The item as JSON members."""
        return {
            "query": self.query_id,
            "path": list(self.path),
            "label": self.label.model_dump(),
            "value": self.value,
            "type": self.vct,
            "asked": self.asked,
        }

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> "DisclosedItem":
        """The item that `as_json` made."""
        return cls(
            query_id=members["query"],
            path=tuple(members["path"]),
            label=LocalizedText.model_validate(members["label"]),
            value=members["value"],
            vct=members["type"],
            asked=members["asked"],
        )


def disclosed_items(proofs: Iterable[PresentedProof], *, template: RequestTemplate) -> tuple[DisclosedItem, ...]:
    """Every asked value that came, in the template's order, after what its type always shows."""
    by_query = {query_id: items for query_id, _, items in template.queries()}
    found: list[DisclosedItem] = []
    seen: set[tuple[str, ConcretePath]] = set()
    for proof in proofs:
        if proof.sd_jwt is None:
            continue
        fingerprint = proof.sd_jwt.issuer_jwt
        for place, value in _visible(proof):
            if (fingerprint, place) not in seen:
                seen.add((fingerprint, place))
                found.append(_item(proof, place, value, None, asked=False))
        for item in by_query.get(proof.query_id, ()):
            for place in _places(proof.claims, item.path):
                if (fingerprint, place) not in seen:
                    seen.add((fingerprint, place))
                    found.append(_item(proof, place, _value_at(proof.claims, place), item.label, asked=True))
    return tuple(found)


def _visible(proof: PresentedProof) -> list[tuple[ConcretePath, Any]]:
    """The top-level members that cannot be hidden, without the technical ones."""
    assert proof.sd_jwt is not None
    names = dict.fromkeys(place[0] for place, _ in always_visible(proof.sd_jwt) if place and isinstance(place[0], str))
    return [((name,), proof.claims[name]) for name in names if name not in _TECHNICAL and name in proof.claims]


def _places(claims: Mapping[str, Any], path: tuple[str | int | None, ...]) -> list[ConcretePath]:
    try:
        return select_claims(claims, path)
    except PathError:
        return []


def _value_at(claims: Mapping[str, Any], place: ConcretePath) -> Any:
    value: Any = claims
    for part in place:
        value = value[part]
    return value


def _item(
    proof: PresentedProof, place: ConcretePath, value: Any, label: LocalizedText | None, *, asked: bool
) -> DisclosedItem:
    return DisclosedItem(proof.query_id, place, label or item_label(proof.vct, place), value, proof.vct, asked)


def shown_value(value: Any, *, vct: str, path: tuple[str | int | None, ...], language: str) -> str:
    """A value as a person reads it: by its type where we know it; else dates, numbers, yes and no at least."""
    known = type_of(vct)
    spec = known.spec_for(tuple(None if isinstance(part, int) else part for part in path)) if known else None
    if spec is not None:
        return display_value(value, spec.value_type if len(spec.path) == len(path) else None, language)
    is_date = isinstance(value, str) and _DATE.fullmatch(value)
    return display_value(value, "date" if is_date else None, language)


def type_label(vct: str, template: RequestTemplate, language: str) -> str:
    """What certificates of a type are called: by the type where we know it, else by the template that asks for it."""
    known = type_of(vct)
    if known is not None:
        return known.title(language)
    titles = [one.title for one in template.credentials if vct in one.vct and one.title is not None]
    return titles[0].text(language) if titles else vct


def item_label(vct: str, path: tuple[str | int | None, ...]) -> LocalizedText:
    """What a claim is called: by its type where we know it, else the last name in its path."""
    return _label(vct, tuple(None if isinstance(part, int) else part for part in path))


@lru_cache(maxsize=2_000)
def _label(vct: str, path: tuple[str | None, ...]) -> LocalizedText:
    """The label of every element of an array is the same, so the same few are asked for all the time."""
    known = type_of(vct)
    if known is not None:
        return LocalizedText(sv=known.label(path, "sv")[:600], en=known.label(path, "en")[:600])
    last = next((part for part in reversed(path) if isinstance(part, str)), "")
    text = "".join(character for character in last if character.isprintable())[:160] or "?"
    return LocalizedText(sv=text, en=text)
