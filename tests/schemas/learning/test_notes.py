"""What is worth knowing about a file is kept as a code with its values, and told in the reader's language."""

import json

import pytest

from schemas.learning.notes import NOTES, note, stored_note, told_note


@pytest.mark.parametrize("code", NOTES)
def test_a_stored_note_holds_no_sentence_and_is_told_again(code: str) -> None:
    """So that it can be told in another language, and in better words, years later."""
    fresh = note(code, row=4, field="status", item="DT4011", element="issuer", column="x", member="y")
    stored = json.loads(json.dumps(stored_note(fresh)))
    assert not {fresh.fault, fresh.fix, fresh.fault_text()} & {str(value) for value in stored.values()}
    assert told_note(stored) == fresh
    assert "%" not in fresh.fault_text() + fresh.fix_text()


def test_a_note_of_the_whole_file_is_short() -> None:
    """What does not apply is not stored."""
    assert stored_note(note("latin_1")) == {"code": "latin_1"}
    assert told_note({"code": "latin_1"}) == note("latin_1")


@pytest.mark.parametrize("stored", [{}, {"code": "gone"}, {"code": None}, {"code": ["latin_1"]}])
def test_a_note_that_is_not_told_any_more_is_left_out(stored: dict[str, object]) -> None:
    """An older database may hold codes that have gone."""
    assert told_note(stored) is None


def test_a_code_that_does_not_exist_cannot_be_noted() -> None:
    """A slip of the pen is found by the first test that runs over it."""
    with pytest.raises(KeyError):
        note("no such code")
