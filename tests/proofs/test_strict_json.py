"""The strict reader agrees with the standard one on all that is unambiguous, and refuses the rest."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs import strict_json
from schemas.errors import Malformed

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


@given(VALUES, st.booleans())
def test_every_json_document_is_read_as_it_was_written(value: Any, ascii_only: bool) -> None:
    """Whitespace and escapes make no difference."""
    for text in (strict_json.dumps(value), json.dumps(value, ensure_ascii=ascii_only).encode()):
        assert strict_json.loads(text) == value


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_any_input_is_read_or_refused(data: bytes | str) -> None:
    """Nothing but `Malformed` is ever raised, and what is read is what the standard reader reads."""
    try:
        value = strict_json.loads(data)
    except Malformed:
        return
    assert json.loads(data) == value


@given(st.dictionaries(st.text(max_size=6), SCALARS, min_size=1, max_size=4), st.data())
def test_a_repeated_member_is_never_overlooked(members: dict[str, Any], data: st.DataObject) -> None:
    """Wherever a member is written once more, the document is refused."""
    name = data.draw(st.sampled_from(sorted(members)))
    pairs = [f"{json.dumps(each)}: {json.dumps(value)}" for each, value in members.items()]
    pairs.insert(data.draw(st.integers(0, len(pairs))), f"{json.dumps(name)}:{json.dumps(members[name])}")

    with pytest.raises(Malformed):
        strict_json.loads("{" + ",".join(pairs) + "}")


def test_only_objects_are_objects() -> None:
    """A reader that needs an object says so."""
    assert strict_json.loads_object(b'{"a":[{"b":1},{"b":1}]}') == {"a": [{"b": 1}, {"b": 1}]}
    for text in (b"[]", b"null", b'"a"', b"1"):
        with pytest.raises(Malformed):
            strict_json.loads_object(text)


def test_depth_and_size_have_a_limit() -> None:
    """Sixty-four levels are enough for any credential."""
    assert strict_json.loads(b"[" * 64 + b"]" * 64)
    assert strict_json.loads(b"[" * 64 + b" " + b"]" * 64)
    for text in (b"[" * 65 + b"]" * 65, b"[" * 65 + b" " + b"]" * 65, b'{"a":' * 65 + b"1" + b"}" * 65):
        with pytest.raises(Malformed):
            strict_json.loads(text)
    with pytest.raises(Malformed):
        strict_json.loads(b'"12345"', max_bytes=6)
    assert strict_json.loads(b"[" + b"[]," * 100 + b"[]]") == [[]] * 101


def test_numbers_of_64_bits_fit() -> None:
    """And large floats are floats."""
    assert strict_json.loads("[18446744073709551615, -9223372036854775808, 1e30]") == [2**64 - 1, -(2**63), 1e30]
    assert strict_json.loads(" 1.5e300") == 1.5e300
