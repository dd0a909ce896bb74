"""What a person showed, item by item, as it is kept until the retention date.

Only what was asked for is kept, with what the format cannot hide (the type's visible claims). A wallet that showed more
than was asked does not make the verifier own more. Each value keeps the certificate that it comes from and the place at
which it stood there, so that nothing that was shown in parts is put together in another way.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from proofs.formats.sd_jwt import UnverifiedSDJWT, always_visible
from schemas.consent import LocalizedText
from schemas.dcql import ClaimsPath, ConcretePath, PathError, place_as_issued, select_presented, value_at
from schemas.types import display_value, type_of
from schemas.types.claims import ValueType
from verifier.request_templates import ALWAYS_VISIBLE, RequestTemplate
from verifier.verification import PresentedProof

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TECHNICAL = ALWAYS_VISIBLE | {"iat", "jti", "sub", "aud"}


@dataclass(frozen=True, slots=True)
class DisclosedItem:
    """One value: which query asked for it, where it stood, what it is called, and the value as JSON.

    `path` counts the elements of arrays as issued. `asked` is False for what travels with every share of this type.
    `vct` is the type it comes from, `certificate` the number of the certificate within the answer.
    """

    query_id: str
    path: ConcretePath
    label: LocalizedText
    value: Any = field(repr=False)
    vct: str
    asked: bool
    certificate: int = 0

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
            "certificate": self.certificate,
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
            certificate=members["certificate"],
        )


@dataclass(frozen=True, slots=True)
class KeptPresentation:
    """What is kept of one presentation: its items, and the evidence, byte for byte as received.

    An item that several presentations of one certificate show is kept with the first. `token` is None when the
    evidence had to go because it showed something that was erased.
    """

    query_id: str
    certificate: int
    items: tuple[DisclosedItem, ...] = field(repr=False)
    token: str | None = field(repr=False)


def kept_presentations(proofs: Iterable[PresentedProof], *, template: RequestTemplate) -> tuple[KeptPresentation, ...]:
    """What is kept of an answer: of each presentation that could be read, what was asked and what is always visible."""
    read = [proof for proof in proofs if proof.sd_jwt is not None]
    items = list(disclosed_items(read, template=template))
    kept = []
    for proof in read:
        own = [item for item in items if (item.query_id, item.certificate) == (proof.query_id, proof.certificate)]
        items = [item for item in items if item not in own]
        kept.append(KeptPresentation(proof.query_id, proof.certificate, tuple(own), proof.token))
    return tuple(kept)


def disclosed_items(proofs: Iterable[PresentedProof], *, template: RequestTemplate) -> tuple[DisclosedItem, ...]:
    """Every asked value that came, in the template's order, after what its type always shows."""
    by_query = {query_id: items for query_id, _, items in template.queries()}
    found: dict[tuple[int, ConcretePath], DisclosedItem] = {}
    for proof in proofs:
        if proof.sd_jwt is None:
            continue
        items = _visible(proof, proof.sd_jwt)
        for item in by_query.get(proof.query_id, ()):
            places = _places(proof.sd_jwt, item.path)
            items += [_item(proof, place, value_at(proof.claims, place), item.label, asked=True) for place in places]
        for one in items:
            found.setdefault((one.certificate, one.path), one)
    return tuple(found.values())


def _visible(proof: PresentedProof, sd_jwt: UnverifiedSDJWT) -> list[DisclosedItem]:
    """What cannot be hidden, without the technical members, and without what was disclosed below it."""
    return [
        _item(proof, place, value, None, asked=False)
        for place, value in always_visible(sd_jwt)
        if place[0] not in _TECHNICAL and value not in ({}, [])
    ]


def _places(sd_jwt: UnverifiedSDJWT, path: ClaimsPath) -> list[ConcretePath]:
    try:
        return select_presented(sd_jwt.claims, path, positions=sd_jwt.original_indexes)
    except PathError:
        return []


def _item(
    proof: PresentedProof, place: ConcretePath, value: Any, label: LocalizedText | None, *, asked: bool
) -> DisclosedItem:
    assert proof.sd_jwt is not None
    path = place_as_issued(place, proof.sd_jwt.original_indexes)
    label = label or item_label(proof.vct, path)
    return DisclosedItem(proof.query_id, path, label, value, proof.vct, asked, proof.certificate)


def shown_value(value: Any, *, vct: str, path: tuple[str | int | None, ...], language: str) -> str:
    """A value as a person reads it: by its type where we know it; else dates, numbers, yes and no at least."""
    known = type_of(vct)
    spec = known.spec_for(tuple(None if isinstance(part, int) else part for part in path)) if known else None
    if spec is not None:
        of_element: ValueType | None = "texts" if spec.value_type == "texts_list" else None
        return display_value(value, spec.value_type if len(spec.path) == len(path) else of_element, language)
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
