"""`volunteering`: a credential type that is not built in, as somebody would add it: this file, and a line in the table.

`test_one_more_type.py` adds it to a copy of the room, and walks through everything that derives from it.
"""

from schemas.types.claims import PERSONAL, PUBLIC
from schemas.types.statement_form import Item, StatementForm
from schemas.types.statement_type import claim, statement_type

VOLUNTEERING = statement_type(
    "volunteering",
    display={"sv": "Intyg om ideellt arbete", "en": "Certificate of voluntary work"},
    description={
        "sv": "Intyg från en förening om vad någon har gjort där ideellt.",
        "en": "An association certifies what somebody has done there as a volunteer.",
    },
    form=StatementForm(
        items=(
            Item(
                claim("task", "Uppdrag", "Task", "texts", PUBLIC, "course", mandatory=True),
                columns=("uppdrag",),
                demanded=True,
            ),
            Item(
                claim("first_aid", "Kan första hjälpen", "Knows first aid", "boolean", PERSONAL),
                columns=("första_hjälpen",),
            ),
        ),
        told_apart_by=("task",),
        titled_by="task",
    ),
)
