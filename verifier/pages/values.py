"""The values of an answer, arranged for reading: by certificate, and within it by the thing they speak of.

A certificate that lists courses says the title of the first, the title of the second, the grade of the first. Here what
belongs to one course stands together, whichever part of the request brought it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from schemas.dcql import ConcretePath
from service.i18n import Translator
from verifier.disclosed import DisclosedItem, item_label, type_label
from verifier.request_templates import RequestTemplate
from verifier.store import ProofSummary

_BEFORE_IT_ENDS: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class ValueGroup:
    """Values that belong together; `heading` is empty for those of the certificate as a whole."""

    heading: str
    facts: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ShownCertificate:
    """One certificate of the answer: what travels with every share of its kind, then what was asked for.

    `is_known` is False when only the certificate itself says who issued it.
    """

    kind: str
    issuer: str
    is_known: bool
    valid_until: str
    groups: tuple[ValueGroup, ...]


def shown_certificates(
    items: Sequence[DisclosedItem], proofs: Iterable[ProofSummary], template: RequestTemplate, t: Translator
) -> list[ShownCertificate]:
    """What was shown, certificate by certificate, in the order in which it came."""
    origins: dict[int, ProofSummary] = {}
    for proof in proofs:
        if proof.vct:  # Else it could not be read.
            origins.setdefault(proof.certificate, proof)
    return [
        _certificate(origin, [item for item in items if item.certificate == number], template, t)
        for number, origin in origins.items()
    ]


def _certificate(
    origin: ProofSummary, items: Sequence[DisclosedItem], template: RequestTemplate, t: Translator
) -> ShownCertificate:
    return ShownCertificate(
        kind=type_label(origin.vct, template, t.language),
        issuer=origin.issuer_name or origin.issuer,
        is_known=bool(origin.issuer_name),
        # What holds until midnight does not hold on the day that begins then.
        valid_until=t.date(origin.valid_until - _BEFORE_IT_ENDS) if origin.valid_until else "",
        groups=_groups(sorted(items, key=lambda item: item.asked), t),
    )


def _groups(items: Sequence[DisclosedItem], t: Translator) -> tuple[ValueGroup, ...]:
    together: dict[ConcretePath, list[DisclosedItem]] = {(): []}
    for item in items:
        together.setdefault(_element(item.path), []).append(item)
    return tuple(_group(element, some, t) for element, some in together.items() if some)


def _element(path: ConcretePath) -> ConcretePath:
    """The element of a list that a path lies in; empty for a path that lies in none, or is the element itself."""
    for place, part in enumerate(path[:-1]):
        if isinstance(part, int):
            return path[: place + 1]
    return ()


def _group(element: ConcretePath, items: Sequence[DisclosedItem], t: Translator) -> ValueGroup:
    facts = tuple((item.label.text(t.language), item.display(t.language)) for item in items)
    if not element:
        return ValueGroup("", facts)
    number = element[-1]
    assert isinstance(number, int)
    name = item_label(items[0].vct, element).text(t.language)
    return ValueGroup(f"{name} {number + 1}", facts)
