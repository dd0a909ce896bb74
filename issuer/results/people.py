"""Who is who in a file of results: what a registrar should know about names that stand there more than once.

A name alone does not tell people apart. Rows with one name and neither birth date nor student number count as one
person's, because nothing says otherwise; rows whose birth dates or numbers differ count as several people's, even when
one of them has merely been left out. Both are told.
"""

from collections.abc import Iterator, Sequence

from schemas.learning.achievement import Achievement, Learner, Source
from schemas.learning.notes import note
from schemas.learning.problems import Problem


def notes_on_people(achievements: Sequence[Achievement], source: Source) -> Iterator[Problem]:
    """Notes on missing birth dates and on names that several rows share. A name itself is never repeated."""
    first_row: dict[Learner, int] = {}
    count: dict[Learner, int] = {}
    for achievement in achievements:
        first_row.setdefault(achievement.learner, int(achievement.id))
        count[achievement.learner] = count.get(achievement.learner, 0) + 1
    undated = [learner for learner in first_row if learner.birth_date is None]
    if undated and len(undated) == len(first_row):
        yield note("no_birth_date", field="birth_date")
    else:
        for learner in undated:
            yield note("no_birth_date", row=first_row[learner], field="birth_date")
    if source is Source.CSV:  # in the other formats the file itself says whose result each one is
        for learner in undated:
            if count[learner] > 1 and not learner.identifiers:
                yield note("name_only", row=first_row[learner])
    named: dict[str, int] = {}
    for learner, row in first_row.items():
        if named.setdefault(learner.name.casefold(), row) != row:
            yield note("same_name", row=row)
