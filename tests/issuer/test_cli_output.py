"""What the issuer's commands print."""

from issuer.cli_output import grouped_notes, problem_shown
from schemas.learning.notes import note


def test_notes_that_say_the_same_are_one_with_all_their_rows() -> None:
    """As on the page: nobody reads the same sentence for every row, and everybody sees which rows."""
    some = [note("personal_numbers_to_recognise", row=row, field="personnummer") for row in range(2, 14)]
    others = [note("long_text", row=3, field="title"), note("address_as_name", field="awarding_body")]
    without_place = [note("address_as_name")]

    said = grouped_notes(map(problem_shown, [*some, *others, *without_place]))

    assert len(said) == 4
    assert said[0].startswith("rows 2, 3, 4, 5, 6, 7, 8, 9 and 4 more, personnummer: The personal identity number was")
    assert said[1].startswith("row 3, title: The text is too long")
    assert said[2].startswith("awarding_body: ")
    assert said[3].startswith("file: ")
