"""One short story per flow, each through real services and their installed commands; each is also a test.

python -m examples.stories [NAME]     # without a name all of them

A story raises `AssertionError` at the first thing that is not as told. `docs/stories.md` tells them in words.
"""

from examples.stories import from_abroad, job_application, unemployment_insurance, university, upper_secondary
from examples.stories.telling import Story

STORIES: tuple[Story, ...] = (
    Story(university.one_course),
    Story(university.taken_back_by_the_issuer),
    Story(university.a_no_tells_nothing),
    Story(
        unemployment_insurance.unemployment_insurance, unemployment_insurance.SETTINGS, unemployment_insurance.PEOPLE
    ),
    Story(job_application.job_application),
    Story(upper_secondary.chosen_grades, upper_secondary.SETTINGS, upper_secondary.PEOPLE),
    Story(from_abroad.from_abroad, from_abroad.SETTINGS),
)
