"""The lines of a card: every claim that is there, in the order of the type, with its label and value for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.types.card import CardLine, display_parts, display_value
from schemas.types.claims import ClaimPath, ClaimSpec, ConcretePath


def card_lines(specs: Sequence[ClaimSpec], claims: Mapping[str, Any], language: str) -> tuple[CardLine, ...]:
    """Lines for the claims that these specifications know. Members of array elements follow element by element."""
    return tuple(_lines(specs, claims, (), (), language))


def _lines(
    specs: Sequence[ClaimSpec], value: Mapping[str, Any], path: ConcretePath, pattern: ClaimPath, language: str
) -> list[CardLine]:
    lines: list[CardLine] = []
    for spec in specs:
        *above, name = spec.path
        if tuple(above) != pattern or not isinstance(name, str) or name not in value:
            continue
        here = (*path, name)
        if spec.value_type != "array":
            shown = display_value(value[name], spec.value_type, language)
            parts = display_parts(value[name], spec.value_type, language)
            lines.append(CardLine(spec.label(language), shown, here, spec.disclosable, parts))
        elif isinstance(value[name], list):
            inside = (*pattern, name, None)
            for index, element in enumerate(value[name]):
                if isinstance(element, Mapping):
                    lines += _lines(specs, element, (*here, index), inside, language)
    return lines
