"""Hard cases, each written by hand: where somebody who knows the field and a simple rule may well disagree."""

from typing import Any

from tests.over_asking.cases import Case, honest
from tests.over_asking.sectors import PID, SECTORS

_BY_ID = {sector.id: sector for sector in SECTORS}


def _case(sector: str, language: str, name: str, tone: str, why: str, labels: set[str], **changes: Any) -> Case:
    """An honest request with members changed: `purpose`, `retention`, `basis`, `detail`, `paths`, `vct`, `host`, ..."""
    case = honest(_BY_ID[sector], language)
    case.id, case.tone, case.why, case.labels = f"hard-{name}", tone, why, labels
    assert case.notice is not None
    for member in ("purpose", "basis_detail"):
        if member in changes:
            case.notice[member] = {language: changes[member]}
    for member in ("retention", "basis"):
        if member in changes:
            case.notice[member] = changes[member]
    if "vct" in changes:
        case.dcql_query["credentials"][0]["meta"]["vct_values"] = [changes["vct"]]
    if "paths" in changes:
        case.dcql_query["credentials"][0]["claims"] = [{"path": list(path)} for path in changes["paths"]]
    if "optional" in changes:
        case.dcql_query["credentials"].append(
            {"id": "more", "format": "dc+sd-jwt", "meta": {"vct_values": [PID]},
             "claims": [{"path": list(path)} for path in changes["optional"]]}
        )  # fmt: skip
        case.dcql_query["credential_sets"] = [{"options": [["asked"]]}, {"options": [["more"]], "required": False}]
    if "host" in changes:
        case.move_to(changes["host"])
    case.identity |= changes.get("identity", {})
    case.past = changes.get("past", case.past)
    case.came_by = changes.get("came_by", case.came_by)
    case.registered = changes.get("registered", case.registered)
    return case


_PN, _NAME, _BIRTH = ("personal_administrative_number",), ("family_name",), ("birthdate",)
_FAIR, _OVER, _DECEPTIVE = "proportionate", "over-asking", "deceptive"


def hard_cases() -> list[Case]:
    """All of them, in the order in which they stand in the file."""
    return [
        # Short but clear, long but empty.
        _case("lease", "sv", "short-lease", _FAIR, "One word that says it all.", set(), purpose="Hyreskontrakt"),
        _case("payroll", "en", "short-salary", _FAIR, "Clear, though short.", set(), purpose="Paying your salary"),
        _case("exam", "sv", "short-exam", _FAIR, "Clear, though short.", set(), purpose="Tentamen i dag kl. 9"),
        _case("employer", "sv", "warm-words", _OVER, "Warm words, no purpose.", {"OA-06"},
              purpose="Vi värnar om din integritet och arbetar ständigt för att ge dig en bättre vardag."),
        _case("discount", "en", "flattery", _OVER, "Says nothing that could be checked.", {"OA-06"},
              purpose="Because we care, and want to make every day a little better together with you."),
        _case("event", "sv", "see-website", _OVER, "Refers to somewhere else.", {"OA-06"},
              purpose="Se vår webbplats för mer om hur och varför vi gör detta."),
        _case("landlord", "en", "lawyers", _OVER, "Every purpose that a lawyer could think of.", {"OA-06"},
              purpose="For legitimate interests pursued by us or third parties, including future ones."),
        # Personal numbers.
        _case("event", "sv", "lecture-fee", _FAIR, "Tax on a fee is reported with the personal number.", set(),
              purpose="Vi betalar ditt arvode för föreläsningen och drar skatt på det.", paths=(_NAME, _PN), vct=PID,
              retention={"days": 2555}, basis="legal_obligation", basis_detail="Bokföringslagen, 7 kap."),
        _case("authority", "en", "pension", _FAIR, "A pension is paid by personal number.", set(),
              purpose="We work out how much pension you get from abroad."),
        _case("admission", "sv", "credit-transfer", _FAIR, "Results are recorded by personal number.", set(),
              purpose="Vi tillgodoräknar dig kursen i din examen och för in den i registret.", paths=(_NAME, _PN),
              vct=PID),
        _case("discount", "sv", "gym-number", _OVER, "A gym card needs no personal number.", {"OA-02"},
              purpose="Du får medlemskort på gymmet till studentpris.", paths=(_NAME, _PN), vct=PID),
        _case("landlord", "sv", "queue-number", _OVER, "A queue needs no personal number before the lease.", {"OA-02"},
              paths=(_NAME, _PN)),
        _case("event", "en", "stuffed-words", _DECEPTIVE, "The word insurance is there only to be read.", {"OA-02"},
              purpose="Your ticket comes with insurance offers from our partners, just for you.",
              paths=(_NAME, _PN), vct=PID),
        _case("employer", "en", "salary-word", _DECEPTIVE, "A job advert that mentions salary is no payroll.",
              {"OA-02"}, purpose="We recruit for a job with a good salary and want to know you.", paths=(_NAME, _PN),
              vct=PID),
        # Other sensitive items.
        _case("event", "sv", "special-diet", _FAIR, "Optional, and needed for the meal.", set(),
              purpose="Du får en plats på konferensen, och mat som du tål om du vill berätta.",
              optional=(("allergies",),)),
        _case("discount", "en", "student-card", _FAIR, "A card with a picture needs the picture.", set(),
              purpose="We print your student card with your picture on it.", paths=(_NAME, ("portrait",)), vct=PID),
        _case("employer", "sv", "pass-card", _FAIR, "A pass card has a picture.", set(),
              purpose="Vi gör ditt passerkort till bygget.", paths=(_NAME, ("portrait",)), vct=PID),
        _case("discount", "sv", "union-price", _FAIR, "The price is for members of the union.", set(),
              purpose="Du är med i facket och får medlemspris på fackförbundets kurser.",
              paths=(("trade_union_membership",),), vct=PID),
        _case("admission", "en", "support", _FAIR, "Support at the exam is given for a disability.", set(),
              purpose="We adapt the teaching to your disability, as you asked.", paths=(("disability",),), vct=PID),
        _case("employer", "sv", "health-at-hiring", _OVER, "Health is not for the first contact.", {"OA-02"},
              paths=(_NAME, ("sick_leave",)), vct=PID),
        _case("event", "en", "face", _OVER, "A fair needs no face template.", {"OA-02"},
              paths=(_NAME, ("face_template",)), vct=PID),
        _case("delivery", "sv", "digital-book", _OVER, "A file is not sent to an address.", {"OA-02", "OA-04"},
              purpose="Du får boken som en fil att läsa på skärmen."),
        # Retention.
        _case("authority", "sv", "archive", _FAIR, "Decisions of authorities are kept by the Archives Act.", set(),
              retention={"until": "9999-12-31"}, basis="legal_obligation", basis_detail="Arkivlagen, 3 §"),
        _case("employer", "en", "exposure-register", _FAIR, "40 years by law for work with asbestos.", set(),
              purpose="We keep the register of those who work with asbestos at our site.", retention={"days": 14_600},
              basis="legal_obligation", basis_detail="The provisions on asbestos, section 39."),
        _case("survey", "sv", "ten-years", _FAIR, "Research data are kept for ten years to be checked.", set(),
              purpose="Vi forskar om korta kurser och måste kunna visa underlaget.", retention={"days": 3650}),
        _case("discount", "sv", "receipts", _FAIR, "Receipts are kept for seven years.", set(),
              retention={"days": 2555}, basis="legal_obligation", basis_detail="Bokföringslagen, 7 kap."),
        _case("discount", "en", "law-as-excuse", _DECEPTIVE, "A law that does not exist.", {"OA-05"},
              retention={"days": 3600}, basis="legal_obligation", basis_detail="Applicable law."),
        _case("employer", "sv", "two-years", _FAIR, "Who was passed over may complain for two years.", set(),
              retention={"days": 730}),
        _case("employer", "en", "three-years", _OVER, "Longer than anybody may complain.", {"OA-05"},
              retention={"days": 1095}),
        _case("event", "sv", "next-fair", _OVER, "To invite again is another purpose.", {"OA-05"},
              retention={"days": 400}),
        _case("exam", "en", "two-terms", _OVER, "An exam is over when it is marked.", {"OA-05"},
              retention={"days": 380}),
        _case("internship", "sv", "eighteen-months", _OVER, "An internship of three months.", {"OA-05"},
              retention={"days": 550}),
        _case("employer", "sv", "ended-already", _OVER, "The last day was over before they asked.", {"OA-05"},
              retention={"until": "2024-12-31"}),
        _case("bank", "en", "ended-yesterday", _OVER, "It ended the day before they asked.", {"OA-05"},
              retention={"until": "2026-11-19"}),
        _case("exam", "sv", "ends-today", _FAIR, "It is looked at on the day and not kept.", set(),
              retention={"until": "2026-11-20"}),
        _case("discount", "en", "ended-in-law", _DECEPTIVE, "No law asks for a day that has been.", {"OA-05"},
              retention={"until": "2020-01-01"}, basis="legal_obligation", basis_detail="Applicable law."),
        # Hosts and names.
        _case("authority", "sv", "itself", _FAIR, "The authority itself.", set(), host="skatteverket.se"),
        _case("authority", "sv", "under-it", _FAIR, "A host under the authority's.", set(),
              host="etjanster.skatteverket.se"),
        _case("admission", "sv", "kth-firm", _FAIR, "A firm of the university, known by this name.", set(),
              host="kth-innovation.example"),
        _case("bank", "sv", "sister-company", _FAIR, "A sister company of the bank, honest.", set(),
              host="swedbank-robur.example"),
        _case("employer", "sv", "accents", _FAIR, "A Swedish name with its letters.", set(),
              host="xn--rksmrgs-5wao1o.example"),
        _case("authority", "sv", "short-name", _DECEPTIVE, "Imitates csn.se.", {"OA-07"},
              host="csn-utbetalning.example"),
        _case("clinic", "sv", "digits", _DECEPTIVE, "Imitates 1177.se.", {"OA-07"}, host="1177-bokning.example"),
        _case("authority", "sv", "subdomain", _DECEPTIVE, "The known name stands in front.", {"OA-07"},
              host="uhr.se.antagningsbesked.example"),
        _case("bank", "en", "homograph", _DECEPTIVE, "Letters that look the same.", {"OA-07"},
              host="xn--swdbank-8gg.se"),
        _case("authority", "en", "synonym", _DECEPTIVE, "A name that sounds official.", {"OA-07"},
              host="swedish-tax-refund.example"),
        _case("bank", "en", "typo", _DECEPTIVE, "Two letters swapped.", {"OA-07"}, host="swedbnak.se"),
        _case("event", "en", "omega", _FAIR, "A firm that writes its name so.", set(),
              identity={"legal_name": "Ωmega Events Ltd"}),
        _case("event", "sv", "cyrillic", _FAIR, "A name wholly in another alphabet.", set(),
              identity={"legal_name": "Книга и Курс"}),
        _case("employer", "sv", "named-in-list", _FAIR, "New certificate, but on the trust list.", set(),
              identity={"level": "registered", "certificate_age_days": 2}),
        _case("employer", "en", "day-30", _FAIR, "Thirty days old.", set(), identity={"certificate_age_days": 30}),
        _case("employer", "sv", "day-29", _DECEPTIVE, "Twenty-nine days old.", {"OA-07"},
              identity={"certificate_age_days": 29}),
        # Less would do.
        _case("discount", "sv", "age-limit", _OVER, "Over 18 would do.", {"OA-04"},
              purpose="Vi kontrollerar att du har åldern inne för konserten.", paths=(_BIRTH,), vct=PID),
        _case("insurer", "en", "premium", _FAIR, "The premium depends on the day of birth.", set(),
              purpose="We work out the premium of your life insurance.", paths=(_BIRTH,)),
        _case("event", "en", "birthday", _FAIR, "They want to congratulate, and say so; the day is the point.", set(),
              purpose="We send you a greeting on your birthday, if you like.", paths=(_BIRTH,), vct=PID,
              retention={"days": 85}),
        _case("employer", "en", "no-coarser", _FAIR, "No coarser item is in this certificate.", set(),
              paths=(_NAME, _BIRTH)),
        _case("internship", "en", "one-grade", _FAIR, "The grade of one course, as the advert says.", set(),
              paths=(_NAME, ("courses", 0, "assessment_grade"))),
        _case("employer", "sv", "graduate-scheme", _FAIR, "The scheme takes those with the best marks.", set(),
              purpose="Vi rekryterar till vårt traineeprogram, där betygen avgör.",
              vct="urn:intyga:credential:course-results:1",
              paths=(_NAME, ("courses", None, "achievement_title"), ("courses", None, "assessment_grade"))),
        # Much of a certificate, but not all.
        _case("employer", "sv", "half", _FAIR, "A third of the certificate, all of it about the course.", set(),
              paths=(("credits",), ("level_of_learning_experience",), ("learning_outcomes",), ("course_code",),
                     ("type_of_assessment",), ("language_of_classes",), ("achievement_description",), _NAME)),
        _case("discount", "en", "too-much", _OVER, "Three quarters, for a discount.", {"OA-03"},
              paths=tuple((name,) for name in (
                  "family_name", "given_name", "birthdate", "learner_identification", "course_code", "date_of_issuance",
                  "date_of_completion", "assessment_grade", "grading_scheme", "credits", "swedish_credits",
                  "expected_study_time", "level_of_learning_experience", "seqf_level", "learning_outcomes",
                  "type_of_assessment", "form_of_participation", "part_of", "language_of_classes"))),
        _case("internship", "en", "all-courses", _OVER, "All about all courses.", {"OA-03"},
              paths=(_NAME, ("given_name",), _BIRTH, ("learner_identification",), ("courses",))),
        # Anonymous or not.
        _case("survey", "en", "truly", _FAIR, "Nothing points at anybody.", set(),
              purpose="We compile anonymous statistics on the extent of courses."),
        _case("survey", "sv", "later-anonymous", _FAIR, "They say that names are removed later, and are open about it.",
              set(), purpose="Vi kontaktar dig för en intervju; svaren anonymiseras efteråt.",
              paths=(_NAME, ("given_name",))),
        _case("survey", "sv", "together", _DECEPTIVE, "Together these leave one person.", {"OA-10"},
              purpose="Anonym enkät om hur kurser används på orten.",
              paths=(_BIRTH, ("course_code",), ("date_of_completion",))),
        _case("survey", "en", "student-number", _DECEPTIVE, "A student number is a name.", {"OA-10"},
              purpose="Anonymous survey of how people use short courses.",
              paths=(("learner_identification",), ("credits",))),
        _case("survey", "en", "no-names-taken", _DECEPTIVE, "Says so in other words, and asks for the name.",
              {"OA-10"}, purpose="We do a survey in which nobody can tell who answered what.", paths=(_NAME,)),
        # Consent.
        _case("survey", "sv", "research-consent", _FAIR, "Research needs consent by law; without it there is no part.",
              set(), basis="consent"),
        _case("event", "en", "newsletter", _OVER, "A newsletter as a condition of the ticket.", {"OA-13"},
              purpose="You get the ticket to the conference, and our newsletter.", basis="consent"),
        # Again, and more.
        _case("employer", "en", "more-and-more", _OVER, "More each time, for another vacancy.", {"OA-08"},
              paths=(_NAME, ("date_of_issuance",), ("learner_identification",)),
              past={"is_first_contact": False, "more_paths": [["learner_identification"]]}),
        _case("discount", "sv", "typed-code", _DECEPTIVE, "A code from a poster.", {"OA-12"}, came_by="code"),
        _case("exam", "sv", "own-screen", _FAIR, "Scanned in the exam hall, as everybody does there.", {"OA-12"},
              came_by="picture"),
        # Registered.
        _case("delivery", "en", "registered-above", _FAIR, "The whole address is registered, a part is asked for.",
              set(), registered=[{"format": "dc+sd-jwt", "meta": PID,
                                  "claim": [{"path": "family_name"}, {"path": "address"}]}]),
        _case("delivery", "sv", "registered-part", _OVER, "Street registered, postal code not.", {"OA-01"},
              registered=[{"format": "dc+sd-jwt", "meta": {"vct_values": [PID]},
                           "claims": [{"path": ["family_name"]}, {"path": ["address", "street_address"]}]}]),
        _case("employer", "sv", "registered-type", _OVER, "Registered for another type.", {"OA-01"},
              registered=[{"format": "dc+sd-jwt", "meta": {"vct_values": [PID]},
                           "claim": [{"path": ["family_name"]}, {"path": ["date_of_issuance"]}]}]),
        _case("discount", "sv", "registered-number", _FAIR, "A registrar has looked at it and registered the number.",
              set(), purpose="Du får medlemskort i biblioteket, som lånar ut mot personnummer.", paths=(_NAME, _PN),
              vct=PID, registered=[{"format": "dc+sd-jwt", "meta": {"vct_values": [PID]},
                                    "claim": [{"path": ["family_name"]}, {"path": list(_PN)}]}]),
    ]  # fmt: skip
