"""Tell the stories, or the one that is named."""

import sys

from examples.stories import STORIES
from examples.stories.telling import tell

for told in STORIES:
    if sys.argv[1:] in ([], [told.name]):
        tell(told)
        print(f"{told.name}: as told")
