"""The form: its fields, and for each what is proven by a certificate and what was typed.

    filled = Form()
    filled.fill_in(result)                        # what the person shared, each value with who says so
    filled.type_in({"given_name": "Elin"})        # only where nothing is proven
    filled.empty()                                # the person took it back: what was filled in goes

What is proven cannot be overwritten by typing; what was typed is never called proven.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from verifier.client import VerifierResult

MOST_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Field:
    """One field: the claim that fills it, what it is called, whether the application needs it, and has lines."""

    name: str
    labels: Mapping[str, str]
    is_required: bool = False
    has_lines: bool = False


FIELDS = (
    Field("given_name", {"sv": "Förnamn", "en": "Given name"}, True),
    Field("family_name", {"sv": "Efternamn", "en": "Family name"}, True),
    Field("job_title", {"sv": "Senaste befattning", "en": "Latest position"}, True),
    Field("employer", {"sv": "Arbetsgivare", "en": "Employer"}, True),
    Field("end_date", {"sv": "Sista dag där", "en": "Last day there"}),
    Field("tasks", {"sv": "Arbetsuppgifter", "en": "Tasks"}, has_lines=True),
    Field("extent_percent", {"sv": "Omfattning", "en": "Extent"}),
    Field("achievement_title", {"sv": "Kurs eller examen", "en": "Course or degree"}),
    Field("date_of_issuance", {"sv": "Datum för den", "en": "Date of it"}),
    Field("assessment_grade", {"sv": "Betyg", "en": "Grade"}),
)
NAMES = frozenset(one.name for one in FIELDS)


@dataclass(frozen=True, slots=True)
class Proven:
    """A value as people read it, in each language, and who says so."""

    texts: Mapping[str, str] = field(repr=False)
    said_by: str


@dataclass(slots=True)
class Form:
    """One person's application, as far as it has come."""

    proven: dict[str, Proven] = field(default_factory=dict, repr=False)
    typed: dict[str, str] = field(default_factory=dict, repr=False)
    request_id: str = ""
    is_sent: bool = False
    was_taken_back: bool = False

    def fill_in(self, result: VerifierResult) -> None:
        """Take over what the person shared, once everything about it was checked and held; nothing otherwise."""
        self.empty()
        if not result.accepted:
            return
        self.request_id, self.was_taken_back = result.id, False
        issuers = {one["certificate"]: one["issuer_name"] for one in result.document["presentations"]}
        for value in result.document["values"] or ():
            name = str(value["path"][0])
            if name in NAMES and name not in self.proven:
                texts = {"sv": value["display_sv"], "en": value["display"]}
                self.proven[name] = Proven(texts, issuers[value["certificate"]])

    def type_in(self, fields: Mapping[str, str]) -> None:
        """What was written by hand, in the fields that are not proven."""
        for name in NAMES - set(self.proven):
            self.typed[name] = fields.get(name, "").strip()[:MOST_CHARACTERS]

    def empty(self) -> None:
        """Forget what was filled in; what was typed by hand stays."""
        self.was_taken_back = self.was_taken_back or bool(self.proven)
        self.proven.clear()

    def missing(self) -> list[Field]:
        """What has to be there before it can be sent, and is not."""
        return [
            one for one in FIELDS if one.is_required and one.name not in self.proven and not self.typed.get(one.name)
        ]
