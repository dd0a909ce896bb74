"""What the issuer's commands say when a file or its results cannot be used: every problem, on a line of its own.

Programs get the same as `problems`, each with `row`, `field`, `fault` and `fix`; row and field are null where a problem
is about the whole file. A result that lacks an element has its code as field.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from issuer.offers import IncompleteRecords, named_element, named_record
from issuer.results import ImportRefused, Problem
from schemas.learning.achievement import Record
from schemas.types import CredentialType
from service.commands import CommandFailed


@contextmanager
def refusals_told(file_name: str = "the file") -> Iterator[None]:
    """Turn refusals of results into what the person at the terminal reads, and what programs do."""
    try:
        yield
    except ImportRefused as exc:
        raise _failed(
            f"{exc.count} problem(s) in {file_name}; nothing of it was taken:", exc.error, exc.problems, exc.count
        ) from exc
    except IncompleteRecords as exc:
        element = exc.credential_type.element
        problems = [
            Problem(
                f"{named_record(record)} lacks {named_element(element(code))}.".replace("%", "%%"),
                element(code).supply["en"],
                int(record.id),
                code,
            )
            for record, codes in exc.lacking
            for code in codes
        ]
        heading = f"A {exc.credential_type.name} cannot be made of {len(exc.lacking)} of the results; none was offered:"
        raise _failed(heading, exc.error, problems, len(problems)) from exc


def left_out(credential_type: CredentialType, record: Record, codes: Sequence[str]) -> str:
    """That no offer was made of a result, and why."""
    elements = [credential_type.element(code) for code in codes]
    supply = " ".join(element.supply["en"] for element in elements)
    return f"{named_record(record)} was left out: it lacks {', '.join(map(named_element, elements))}. {supply}"


def _failed(heading: str, error: str, problems: Sequence[Problem], count: int) -> CommandFailed:
    more = [f"... and {count - len(problems)} more."] if count > len(problems) else []
    shown = [
        {
            "row": problem.row,
            "field": problem.field or None,
            "fault": problem.fault_text(),
            "fix": problem.fix_text(),
        }
        for problem in problems
    ]
    message = "\n".join([heading, *map(str, problems), *more])
    return CommandFailed(message, error=error, members={"problems": shown})
