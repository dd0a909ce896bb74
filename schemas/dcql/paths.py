"""Claims path pointers: how a query points at claims (OpenID4VP 1.0, section 7).

A path is a non-empty array of strings (a member), nulls (all elements) and non-negative integers (one element). Applied
to the claims of a JSON-based credential it selects elements; each of them has a *concrete path* without wildcards.

    select_claims({"degrees": [{"type": "BSc"}, {"type": "MSc"}]}, ("degrees", None, "type"))
    # [("degrees", 0, "type"), ("degrees", 1, "type")]

The evaluation is iterative and bounded: no path, however hostile, selects more than `MAX_SELECTED` elements.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from schemas.errors import Malformed

ClaimsPath: TypeAlias = tuple[str | int | None, ...]
"""A path as asked for: `None` means every element of an array."""

ConcretePath: TypeAlias = tuple[str | int, ...]
"""The place of one element in one credential."""

MAX_SELECTED: Final = 10_000
"""How many elements one path may select in one credential."""


class PathError(Malformed):
    """The path cannot be applied to these claims, or it selects nothing.

    `reason` is `not_an_object`, `not_an_array`, `bad_component`, `nothing_selected`, `too_many` or `empty_path`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the claims path pointer cannot be processed: {reason}")
        self.reason = reason


def is_index(component: object) -> bool:
    """Whether a path component is a non-negative integer; `True` and `1.0` are not integers in JSON's sense here."""
    return type(component) is int and component >= 0


def select_claims(
    claims: Mapping[str, Any], path: Sequence[str | int | None], *, spend: Callable[[int], None] | None = None
) -> list[ConcretePath]:
    """The concrete paths of the elements that `path` selects in `claims`, in document order.

    `claims` are the processed claims of one credential (no `_sd`, no digests). Raises `PathError` when a component does
    not fit what is selected so far (a string on something that is no object; null or an integer on something that is no
    array), when a component is of another kind, and when nothing is selected in the end. A member or an index that does
    not exist removes that element from the selection without an error. `spend`, when given, is told after each
    component how many elements were visited, and may raise.

    Source: OpenID4VP 1.0, section 7.1.1, steps 1 to 3.
    """
    if not path:
        raise PathError("empty_path")
    selected: list[tuple[ConcretePath, Any]] = [((), claims)]  # 1.
    for component in path:  # 2.
        selected = list(_step(selected, component))
        if spend:
            spend(1 + len(selected))
    if not selected:  # 3.
        raise PathError("nothing_selected")
    return [place for place, _ in selected]


def _step(
    selected: Sequence[tuple[ConcretePath, Any]], component: str | int | None
) -> Iterator[tuple[ConcretePath, Any]]:
    count = 0
    for place, element in selected:
        found: Iterable[tuple[str | int, Any]]
        if isinstance(component, str):  # 2.1
            if not isinstance(element, Mapping):
                raise PathError("not_an_object")
            found = [(component, element[component])] if component in element else []
        elif component is None:  # 2.2
            found = enumerate(_array(element))
        elif is_index(component):  # 2.3
            array = _array(element)
            found = [(component, array[component])] if component < len(array) else []
        else:  # 2.4
            raise PathError("bad_component")
        for key, value in found:
            count += 1
            if count > MAX_SELECTED:
                raise PathError("too_many")
            yield (*place, key), value


def _array(element: Any) -> Sequence[Any]:
    if isinstance(element, list | tuple):
        return element
    raise PathError("not_an_array")


def value_at(claims: Mapping[str, Any], place: Sequence[str | int]) -> Any:
    """The element at a concrete path. Raises `PathError` when there is none."""
    element: Any = claims
    for component in place:
        try:
            element = element[component]
        except (KeyError, IndexError, TypeError) as exc:
            raise PathError("nothing_selected") from exc
    return element


def leaves(value: Any, place: ConcretePath = ()) -> Iterator[ConcretePath]:
    """The concrete paths of everything below `value` that holds nothing further.

    An empty object or array is a leaf: that it is empty says something, too.
    """
    pending: list[tuple[ConcretePath, Any]] = [(place, value)]
    while pending:
        here, element = pending.pop()
        if isinstance(element, Mapping) and element:
            pending.extend(((*here, key), inner) for key, inner in reversed(list(element.items())))
        elif isinstance(element, list | tuple) and element:
            pending.extend(((*here, index), element[index]) for index in reversed(range(len(element))))
        else:
            yield here


def starts_with(place: Sequence[str | int], prefix: Sequence[str | int]) -> bool:
    """Whether `place` is `prefix` or lies below it."""
    return len(place) >= len(prefix) and tuple(place[: len(prefix)]) == tuple(prefix)
