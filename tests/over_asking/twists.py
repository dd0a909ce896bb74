"""What makes an honest request an over-asking or a deceptive one. Each twist changes one thing and says what to expect.

A twist returns None where it would change nothing (asking for the grade in a request that asks for it already).
"""

from collections.abc import Callable

from tests.over_asking.cases import PERSONAL, Case
from tests.over_asking.sectors import COURSES, MICRO, PID, Sector

Twist = Callable[[Case, Sector], Case | None]

VAGUE = {
    "sv": ("Identifiering", "För att tillhandahålla våra tjänster", "Administrativa ändamål och säkerhet",
           "Vi behandlar uppgifter för olika ändamål i verksamheten"),
    "en": ("Identification", "To provide our services to you", "Various purposes of our business",
           "Security and administration, as necessary"),
}  # fmt: skip
ANONYMOUS = {
    "sv": "Vi gör anonym statistik över vilka kurser som människor går.",
    "en": "We compile anonymous statistics on which courses people take.",
}
LOOK_ALIKES = (
    "skattevérket.example", "skatteverket.se.svar-nu.example", "arbetsformed1ingen.se", "forsakringskasan.se",
    "rnigrationsverket.se", "swedbank-login.example", "skatteverkett.se", "polisen-se.example",
)  # fmt: skip
WHOLE_MICRO = (
    "family_name", "given_name", "birthdate", "learner_identification", "course_code", "date_of_issuance",
    "date_of_completion", "assessment_grade", "grading_scheme", "credits", "swedish_credits", "expected_study_time",
    "level_of_learning_experience", "seqf_level", "learning_outcomes", "type_of_assessment", "form_of_participation",
    "types_of_quality_assurance", "prerequisites_to_enroll", "supervision_and_identity_verification",
    "integration_stackability_options", "part_of", "language_of_classes", "achievement_description",
    "further_information",
)  # fmt: skip


def _vct(case: Case) -> str:
    return str(case.dcql_query["credentials"][0]["meta"]["vct_values"][0])


def _registered(case: Case) -> list[dict[str, object]]:
    return [{"format": "dc+sd-jwt", "meta": {"vct_values": [_vct(case)]}, "claim": [dict(one) for one in case.claims]}]


def registered_for_it(case: Case, sector: Sector) -> Case:
    case.registered, case.why = _registered(case), "All that is asked is registered."
    return case


def beyond_registration(case: Case, sector: Sector) -> Case:
    case.registered, case.why, case.tone = _registered(case), "Phone and e-mail were not registered.", "over-asking"
    case.ask_for(("phone_number",), ("email",))
    case.labels |= {"OA-01"}
    return case


def _sensitive(kind: str) -> Twist:
    def twist(case: Case, sector: Sector) -> Case | None:
        if {"path": list(PERSONAL[kind])} in case.claims:
            return None
        case.ask_for(PERSONAL[kind])
        if kind in sector.needs:
            case.why = f"{kind} is needed for this purpose."
            return case
        case.tone, case.why = "over-asking", f"{kind} is not needed for this purpose."
        case.labels |= {"OA-02"}
        if kind == "address" and _vct(case) == PID:
            case.labels |= {"OA-04"}  # If anything, the town would do.
        return case

    return twist


def whole_certificate(case: Case, sector: Sector) -> Case | None:
    if _vct(case) not in (MICRO, COURSES):
        return None
    whole = tuple((name,) for name in WHOLE_MICRO)
    if _vct(case) == COURSES:
        whole = (("family_name",), ("given_name",), ("birthdate",), ("learner_identification",), ("courses",))
    case.ask_for(*whole)
    case.tone, case.why = "over-asking", "All of the certificate is asked for."
    case.labels |= {"OA-03"}
    return case


def only_whole_format(case: Case, sector: Sector) -> Case:
    other = {"id": "other", "format": "jwt_vc_json", "meta": {"type_values": [["StudentCard"]]}}
    case.dcql_query["credentials"].append(other)
    case.dcql_query["credential_sets"] = [{"options": [["asked"], ["other"]]}]
    case.tone, case.why = "over-asking", "The other way of answering can only be shown whole."
    case.labels |= {"OA-03"}
    return case


def exact_birth_date(case: Case, sector: Sector) -> Case | None:
    if _vct(case) != PID or {"path": ["birthdate"]} in case.claims:
        return None
    case.ask_for(("birthdate",))
    if "birth_date" in sector.needs:
        case.why = "The birth date itself is needed."
        return case
    case.tone, case.why = "over-asking", "That somebody is of age would do."
    case.labels |= {"OA-04"}
    return case


def list_of_grades(case: Case, sector: Sector) -> Case | None:
    if _vct(case) != COURSES or "grades" in sector.needs:
        return None
    case.ask_for(("courses", None, "assessment_grade"))
    case.tone, case.why = "over-asking", "That the courses were passed would do."
    case.labels |= {"OA-04"}
    return case


def _retention(days: int | None, why: str) -> Twist:
    def twist(case: Case, sector: Sector) -> Case | None:
        assert case.notice is not None
        if days is None:
            del case.notice["retention"]
        elif days <= 2 * sector.keeps_days:
            return None
        else:
            case.notice["retention"] = {"days": days}
        case.tone, case.why = "over-asking", why
        case.labels |= {"OA-05"}
        return case

    return twist


def until_further_notice(case: Case, sector: Sector) -> Case:
    assert case.notice is not None
    case.notice["retention"] = {"until": "9999-12-31"}
    case.tone, case.why = "over-asking", "As good as until further notice."
    case.labels |= {"OA-05"}
    return case


def _vague(number: int) -> Twist:
    def twist(case: Case, sector: Sector) -> Case:
        assert case.notice is not None
        case.notice["purpose"] = {case.language: VAGUE[case.language][number]}
        case.tone, case.why = "over-asking", "Nobody can tell from the purpose what it is for."
        case.labels |= {"OA-06"}
        if any(one["path"] in [list(path) for path in PERSONAL.values()] for one in case.claims):
            case.labels |= {"OA-02"}  # Without a purpose nothing sensitive is called for.
        if _vct(case) == PID and {"path": ["birthdate"]} in case.claims:
            case.labels |= {"OA-04"}
        if _vct(case) == PID and {"path": ["address", "street_address"]} in case.claims:
            case.labels |= {"OA-04"}
        return case

    return twist


def no_notice(case: Case, sector: Sector) -> Case | None:
    if sector.needs:
        return None  # Kept to requests where nothing else changes with the purpose.
    case.notice = None
    case.tone, case.why = "over-asking", "Neither purpose nor end was stated."
    case.labels |= {"OA-05", "OA-06"}
    return case


def other_address(case: Case, sector: Sector) -> Case:
    case.response_uri = "https://samlare.example/response"
    case.tone, case.why = "deceptive", "The answer goes to a host that the certificate does not name."
    case.labels |= {"OA-07"}
    return case


def _look_alike(number: int) -> Twist:
    def twist(case: Case, sector: Sector) -> Case:
        case.move_to(LOOK_ALIKES[number])
        case.tone, case.why = "deceptive", "The host imitates one that people know."
        case.labels |= {"OA-07"}
        return case

    return twist


def mixed_letters(case: Case, sector: Sector) -> Case | None:
    name = case.identity["legal_name"].replace("a", "\u0430", 1)
    if name == case.identity["legal_name"]:
        return None
    case.identity["legal_name"] = name
    case.tone, case.why = "deceptive", "One letter of the name is a Cyrillic one."
    case.labels |= {"OA-07"}
    return case


def young_stranger(case: Case, sector: Sector) -> Case:
    case.identity["certificate_age_days"] = 3
    case.tone, case.why = "deceptive", "Certified three days ago, and never met."
    case.labels |= {"OA-07"}
    return case


def young_acquaintance(case: Case, sector: Sector) -> Case:
    case.identity["certificate_age_days"] = 3
    case.past = {"is_first_contact": False}
    case.why = "A new certificate of somebody known."
    return case


def asked_again(case: Case, sector: Sector) -> Case:
    case.past = {"is_first_contact": True, "was_refused": True}
    case.tone, case.why = "over-asking", "Refused some hours ago."
    case.labels |= {"OA-08"}
    return case


def more_than_last_time(case: Case, sector: Sector) -> Case:
    case.past, case.last_query = {"is_first_contact": False}, case.copy().dcql_query
    case.ask_for(("email",))
    case.tone, case.why = "over-asking", "Last time no e-mail address was asked for."
    case.labels |= {"OA-08"}
    return case


def same_as_last_time(case: Case, sector: Sector) -> Case:
    case.past, case.last_query = {"is_first_contact": False}, case.copy().dcql_query
    case.why = "The same as last time."
    return case


def guesses(case: Case, sector: Sector) -> Case:
    case.claims[0]["values"] = ["Sjöberg"]
    case.tone, case.why = "deceptive", "Asking whether the value is this one."
    case.labels |= {"OA-09"}
    return case


def anonymous_with_name(case: Case, sector: Sector) -> Case | None:
    if sector.id not in ("survey", "event", "employer", "internship", "discount"):
        return None
    assert case.notice is not None
    case.notice["purpose"] = {case.language: ANONYMOUS[case.language]}
    case.ask_for(("family_name",), ("birthdate",))
    case.tone, case.why = "deceptive", "Said to be anonymous, and asks for name and birth date."
    case.labels |= {"OA-10"}
    return case


def not_for_them(case: Case, sector: Sector) -> Case:
    case.policy, case.why, case.tone = "not_allowed", "The issuer named others.", "over-asking"
    case.labels |= {"OA-11"}
    return case


def for_them(case: Case, sector: Sector) -> Case:
    case.policy, case.why = "allowed", "The issuer named them."
    return case


def from_a_picture(case: Case, sector: Sector) -> Case:
    case.came_by, case.tone, case.why = "picture", "deceptive", "Came by a picture: perhaps of somebody else's screen."
    case.labels |= {"OA-12"}
    return case


def pasted(case: Case, sector: Sector) -> Case:
    case.came_by, case.tone, case.why = "pasted", "deceptive", "Came by a link from a message."
    case.labels |= {"OA-12"}
    return case


def forced_consent(case: Case, sector: Sector) -> Case:
    assert case.notice is not None
    case.notice["basis"] = "consent"
    case.notice.pop("basis_detail", None)
    case.tone, case.why = "over-asking", "Consent that cannot be withheld is none."
    case.labels |= {"OA-13"}
    return case


def consent_for_optional(case: Case, sector: Sector) -> Case:
    assert case.notice is not None
    case.notice["basis"] = "consent"
    case.notice.pop("basis_detail", None)
    case.dcql_query["credential_sets"] = [{"options": [["asked"]], "required": False}]
    case.why = "Consent, and nothing is required."
    return case


def owes_a_deletion(case: Case, sector: Sector) -> Case:
    case.past = {"is_first_contact": False, "overdue_deletions": 1}
    case.tone, case.why = "over-asking", "Has not answered when asked to delete."
    case.labels |= {"OA-14"}
    return case


TWISTS: dict[str, Twist] = {
    "registered": registered_for_it,
    "beyond-registration": beyond_registration,
    "identity-number": _sensitive("identity_number"),
    "portrait": _sensitive("portrait"),
    "health": _sensitive("health"),
    "union": _sensitive("union"),
    "address": _sensitive("address"),
    "whole": whole_certificate,
    "only-whole": only_whole_format,
    "birth-date": exact_birth_date,
    "grades": list_of_grades,
    "no-retention": _retention(None, "No end was stated."),
    "nine-years": _retention(3287, "Nine years, for something that is over much earlier."),
    "further-notice": until_further_notice,
    "vague-1": _vague(0),
    "vague-2": _vague(1),
    "vague-3": _vague(2),
    "vague-4": _vague(3),
    "no-notice": no_notice,
    "other-address": other_address,
    **{f"look-alike-{number + 1}": _look_alike(number) for number in range(len(LOOK_ALIKES))},
    "mixed-letters": mixed_letters,
    "young-stranger": young_stranger,
    "young-acquaintance": young_acquaintance,
    "asked-again": asked_again,
    "more-than-last": more_than_last_time,
    "same-as-last": same_as_last_time,
    "guesses": guesses,
    "anonymous-with-name": anonymous_with_name,
    "not-for-them": not_for_them,
    "for-them": for_them,
    "from-a-picture": from_a_picture,
    "pasted": pasted,
    "forced-consent": forced_consent,
    "consent-for-optional": consent_for_optional,
    "owes-a-deletion": owes_a_deletion,
}
