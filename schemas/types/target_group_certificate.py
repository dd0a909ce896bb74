"""`target-group-certificate`: a yes or a no to one question: does a person belong to the target group of a programme?

The programme is always visible: an answer about one programme must not pass for an answer about another. Why somebody
belongs to a group or does not is nowhere in it, and there is no claim that could carry it.
"""

from schemas.types.claims import PERSONAL, PUBLIC
from schemas.types.statement_form import Item, StatementForm
from schemas.types.statement_type import claim, statement_type

TARGET_GROUP_CERTIFICATE = statement_type(
    "target-group-certificate",
    display={"sv": "Målgruppsintyg", "en": "Target group certificate"},
    description={
        "sv": "Intyg från en myndighet om att någon hör till målgruppen för ett program, eller inte.",
        "en": "An authority certifies that somebody belongs to the target group of a programme, or not.",
    },
    form=StatementForm(
        items=(
            Item(
                claim("programme", "Program", "Programme", "texts", PUBLIC, "course", visible=True, mandatory=True),
                columns=("program", "insats"),
                demanded=True,
            ),
            Item(
                claim(
                    "in_target_group",
                    "Hör till målgruppen",
                    "Belongs to the target group",
                    "boolean",
                    PERSONAL,
                    mandatory=True,
                ),
                columns=("i_målgruppen", "målgrupp"),
                demanded=True,
            ),
        ),
        told_apart_by=("programme",),
        titled_by="programme",
        # A programme is often called as whoever runs it; a certificate of that name alone would seem to be theirs.
        title_words={"sv": "Målgrupp för {}", "en": "Target group for {}"},
    ),
    validity_days=30,
)
