"""`employment`: an employer says what somebody worked as, from when until when and to what extent.

`job_title`, `start_date` and `end_date` are named as in schema.org (`jobTitle`, `startDate`, `endDate`), written as the
EUDI credentials write names. There is no claim for the employer's organisation number: that of a sole trader is the
personal identity number of somebody.
"""

from schemas.types.claims import LEARNING, PERSONAL
from schemas.types.statement_form import Item, StatementForm
from schemas.types.statement_type import claim, statement_type

EMPLOYMENT = statement_type(
    "employment",
    display={"sv": "Anställningsintyg", "en": "Certificate of employment"},
    description={
        "sv": "Intyg från en arbetsgivare om en anställning: befattning, tid och omfattning.",
        "en": "An employer certifies an employment: position, time and extent.",
    },
    form=StatementForm(
        items=(
            Item(
                claim("job_title", "Befattning", "Position", "texts", LEARNING, "course", mandatory=True),
                columns=("befattning", "yrkesroll", "roll"),
                demanded=True,
            ),
            Item(
                claim("employer", "Arbetsgivare", "Employer", "texts", PERSONAL, "course", mandatory=True),
                columns=("arbetsgivare",),
                demanded=True,
                tells_where=True,
            ),
            Item(
                claim("start_date", "Från och med", "From", "date", LEARNING, mandatory=True),
                columns=("startdatum", "från", "start"),
                demanded=True,
            ),
            Item(
                claim("end_date", "Till och med", "Until", "date", LEARNING),
                columns=("slutdatum", "till", "end"),
                may_be_ahead=True,
            ),
            Item(
                claim("extent_percent", "Omfattning", "Extent", "percent", LEARNING),
                columns=("omfattning", "omfattning_procent", "extent"),
            ),
            Item(claim("tasks", "Arbetsuppgifter", "Tasks", "texts_list", LEARNING), columns=("arbetsuppgifter",)),
        ),
        told_apart_by=("employer", "job_title", "start_date"),
        titled_by="job_title",
    ),
)
