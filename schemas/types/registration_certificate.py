"""`registration-certificate`: a public employment service says that a person is registered as a job seeker.

It holds no number of the person. The name of an unemployment fund can be in it, as a disclosure of its own; it says
what a union might be told by, so that it counts as sensitive, and no request of ours asks for it.
"""

from schemas.types.claims import LEARNING, PERSONAL, SENSITIVE
from schemas.types.statement_form import Item, StatementForm
from schemas.types.statement_type import claim, statement_type

REGISTRATION_CERTIFICATE = statement_type(
    "registration-certificate",
    display={"sv": "Inskrivningsintyg", "en": "Job seeker registration"},
    description={
        "sv": "Intyg från en arbetsförmedling om att någon är inskriven som arbetssökande.",
        "en": "A public employment service certifies that somebody is registered as a job seeker.",
    },
    form=StatementForm(
        items=(
            Item(
                claim(
                    "registered_status",
                    "Inskriven som arbetssökande",
                    "Registered as a job seeker",
                    "boolean",
                    PERSONAL,
                    mandatory=True,
                ),
                columns=("inskriven", "registered"),
                demanded=True,
            ),
            Item(
                claim("registered_since", "Inskriven sedan", "Registered since", "date", PERSONAL),
                columns=("inskriven_sedan", "inskrivningsdatum", "registration_date"),
            ),
            Item(
                claim("office", "Kontor", "Office", "texts", LEARNING),
                columns=("kontor", "arbetsförmedling"),
                tells_where=True,
            ),
            Item(
                claim("unemployment_fund", "Arbetslöshetskassa", "Unemployment fund", "text", SENSITIVE),
                columns=("a_kassa", "arbetslöshetskassa"),
            ),
        ),
    ),
    validity_days=30,
)
