"""The honest requests that the labelled set is made from: who asks whom for what, in Swedish and in English.

Nothing here knows of the rules. `needs` is what somebody who works in the field would say is needed for the purpose:
sensitive items by kind, `birth_date`, `grades`, `address`. `keeps_days` is how long such things are usually kept there.
"""

from dataclasses import dataclass
from typing import Any

MICRO = "urn:intyga:credential:micro-credential:1"
COURSES = "urn:intyga:credential:course-results:1"
PID = "urn:eudi:pid:1"


@dataclass(frozen=True)
class Sector:
    """One kind of recipient with a proportionate request."""

    id: str
    name: dict[str, str]
    host: str
    purpose: dict[str, str]
    vct: str
    paths: tuple[tuple[Any, ...], ...]
    keeps_days: int
    basis: str
    needs: frozenset[str] = frozenset()
    detail: dict[str, str] | None = None


SECTORS = (
    Sector(
        "employer",
        {"sv": "Granbygd Teknik AB", "en": "Granbygd Engineering Ltd"},
        "jobb.granbygd.example",
        {
            "sv": "Vi bedömer om du har rätt utbildning för jobbet, i rekryteringen av en elektriker.",
            "en": "We assess whether you have the training for the vacancy as an electrician.",
        },
        MICRO, (("family_name",), ("date_of_issuance",)), 180, "legitimate_interest",
    ),
    Sector(
        "internship",
        {"sv": "Språngplats i Norr", "en": "Placements North"},
        "springplats.example",
        {
            "sv": "Vi ser efter om du uppfyller kraven för praktiken som du har sökt.",
            "en": "We see whether you meet the requirements of the internship that you applied for.",
        },
        COURSES, (("family_name",), ("courses", None, "achievement_title")), 365, "contract",
    ),
    Sector(
        "payroll",
        {"sv": "Lönekontoret Sundvall AB", "en": "Sundvall Payroll Ltd"},
        "lon.sundvall.example",
        {
            "sv": "Vi betalar ut din lön och lämnar uppgift om den till skattemyndigheten.",
            "en": "We pay your salary and report it to the tax authority.",
        },
        PID, (("family_name",), ("given_name",), ("personal_administrative_number",)), 2555, "legal_obligation",
        frozenset({"identity_number", "address", "birth_date"}),
        {"sv": "Bokföringslagen, 7 kap.", "en": "The Accounting Act, chapter 7."},
    ),
    Sector(
        "landlord",
        {"sv": "Bostäder i Lövhult AB", "en": "Lövhult Homes Ltd"},
        "lovhult-bostad.example",
        {
            "sv": "Vi väljer hyresgäst till lägenheten som du har anmält intresse för.",
            "en": "We choose a tenant for the apartment that you are interested in.",
        },
        PID, (("family_name",), ("given_name",)), 180, "contract",
    ),
    Sector(
        "lease",
        {"sv": "Hyreshus Öst AB", "en": "Eastside Lettings Ltd"},
        "hyreshus-ost.example",
        {
            "sv": "Vi skriver hyresavtal med dig om lägenheten på Kvarngatan.",
            "en": "We draw up the tenancy agreement with you for the flat in Mill Street.",
        },
        PID, (("family_name",), ("given_name",), ("personal_administrative_number",)), 1095, "contract",
        frozenset({"identity_number", "address", "birth_date"}),
    ),
    Sector(
        "insurer",
        {"sv": "Trygg i Dalen Försäkring", "en": "Valley Mutual"},
        "skador.tryggidalen.example",
        {
            "sv": "Vi utreder din skadeanmälan efter olyckan och räknar ut vad försäkringen betalar.",
            "en": "We look into your injury after the accident and work out what the insurance pays.",
        },
        PID, (("family_name",), ("birthdate",), ("personal_administrative_number",)), 3600, "contract",
        frozenset({"identity_number", "address", "health", "birth_date"}),
    ),
    Sector(
        "unemployment-fund",
        {"sv": "Hantverkarnas a-kassa", "en": "Craft Workers' Unemployment Fund"},
        "akassa-hantverk.example",
        {
            "sv": "Vi prövar om du har rätt till arbetslöshetsersättning.",
            "en": "We decide whether you are entitled to unemployment benefit.",
        },
        PID, (("family_name",), ("personal_administrative_number",)), 3600, "public_task",
        frozenset({"identity_number", "address", "birth_date"}),
    ),
    Sector(
        "admission",
        {"sv": "Högskolan i Älvnäs", "en": "Älvnäs University College"},
        "antagning.alvnas.example",
        {
            "sv": "Vi avgör om du är behörig till masterprogrammet som du har sökt, och rangordnar de sökande.",
            "en": "We decide on your eligibility for the master's programme and rank the applicants for admission.",
        },
        COURSES,
        (("family_name",), ("courses", None, "achievement_title"), ("courses", None, "assessment_grade")),
        730, "public_task", frozenset({"identity_number", "grades", "birth_date"}),
    ),
    Sector(
        "exam",
        {"sv": "Tentamensservice, Universitetet i Sandvik", "en": "Exam Office, University of Sandvik"},
        "tenta.sandvik.example",
        {
            "sv": "Vi kontrollerar att det är du som skriver tentamen i dag.",
            "en": "We check that it is you who sit the exam today.",
        },
        PID, (("family_name",), ("given_name",)), 60, "public_task",
        frozenset({"identity_number", "portrait", "birth_date"}),
    ),
    Sector(
        "authority",
        {"sv": "Länsstyrelsen i Norrmark", "en": "County Board of Norrmark"},
        "tillstand.norrmark.example",
        {
            "sv": "Vi prövar din ansökan om tillstånd att hantera brandfarlig vara.",
            "en": "We decide on your application for a permit to handle flammable goods.",
        },
        PID, (("family_name",), ("given_name",), ("personal_administrative_number",)), 3600, "public_task",
        frozenset({"identity_number", "address", "birth_date"}),
    ),
    Sector(
        "bank",
        {"sv": "Sparbanken Västmo", "en": "Västmo Savings Bank"},
        "kund.vastmosparbank.example",
        {
            "sv": "Vi öppnar konto åt dig och måste veta vem du är enligt lagen om penningtvätt.",
            "en": "We open a bank account for you and must know who you are, to prevent money laundering.",
        },
        PID, (("family_name",), ("birthdate",), ("personal_administrative_number",)), 1825, "legal_obligation",
        frozenset({"identity_number", "address", "birth_date"}),
        {"sv": "Penningtvättslagen, 5 kap.", "en": "The Money Laundering Act, chapter 5."},
    ),
    Sector(
        "discount",
        {"sv": "Biljettkiosken", "en": "The Ticket Kiosk"},
        "kiosken.example",
        {
            "sv": "Du får studentpris på resan om du läser en kurs just nu.",
            "en": "You get the student discount on the journey if you take a course now.",
        },
        MICRO, (("date_of_issuance",),), 30, "contract",
    ),
    Sector(
        "survey",
        {"sv": "Institutet för utbildningsfrågor", "en": "Institute for Questions of Education"},
        "enkat.utbildningsfragor.example",
        {
            "sv": "Vi gör en undersökning om hur omfattande korta kurser brukar vara.",
            "en": "We do a survey of how extensive short courses are.",
        },
        MICRO, (("credits",), ("level_of_learning_experience",)), 730, "public_task",
    ),
    Sector(
        "event",
        {"sv": "Mässan Lära Nytt", "en": "Learn Anew Fair"},
        "laranytt.example",
        {
            "sv": "Du får en biljett till konferensen, eftersom den är för dem som har gått kursen.",
            "en": "You get a ticket to the conference, which is for those who took the course.",
        },
        MICRO, (("given_name",), ("family_name",)), 60, "contract",
    ),
    Sector(
        "delivery",
        {"sv": "Bokhandeln Bladet", "en": "The Leaf Bookshop"},
        "bladet.example",
        {
            "sv": "Vi levererar böckerna som du har beställt hem till dig.",
            "en": "We deliver the books that you ordered to your home.",
        },
        PID, (("family_name",), ("address", "street_address"), ("address", "postal_code")), 90, "contract",
        frozenset({"address"}),
    ),
    Sector(
        "clinic",
        {"sv": "Vårdcentralen Eken", "en": "Oak Clinic"},
        "eken.example",
        {
            "sv": "Vi tar emot dig som patient och för journal över vården.",
            "en": "We take you on as a patient and keep a record of the care.",
        },
        PID, (("family_name",), ("personal_administrative_number",), ("birthdate",)), 3600, "legal_obligation",
        frozenset({"identity_number", "address", "health", "birth_date"}),
        {"sv": "Patientdatalagen, 3 kap.", "en": "The Patient Data Act, chapter 3."},
    ),
)  # fmt: skip
