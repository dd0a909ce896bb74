"""Reading a university's results: ELMO, CSV or JSON in, achievements with their completeness out.

    results = read_results(data, "results.csv", profile=profile, limits=Limits(), today=today)
    for learner in results.learners: ...
    results.select(course="DT4011")

Either everything is read, or `ImportRefused` names every fault and nothing is. The format is told from the content; the
file name only helps the error message.
"""

from issuer.results.reading import LearnerRecords, Results, notes_on_names, read_results, select_results
from schemas.learning.problems import ImportRefused, Problem
from schemas.learning.safe_xml import Limits

__all__ = [
    "ImportRefused",
    "LearnerRecords",
    "Limits",
    "Problem",
    "Results",
    "notes_on_names",
    "read_results",
    "select_results",
]
