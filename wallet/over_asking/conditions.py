"""The conditions of the rules: one small function for each row of the table, from facts to what is to be said.

A function yields what fires and nothing otherwise. It looks at its argument alone, so that the same facts give the same
warnings whenever they are judged.
"""

from collections.abc import Iterator
from typing import Final

from schemas.consent import Basis
from schemas.receipt import BothLanguages
from schemas.types import type_of
from wallet.over_asking import purposes
from wallet.over_asking.facts import AskedFacts, AskedItem
from wallet.over_asking.names import mixes_alphabets
from wallet.over_asking.past import path_key
from wallet.over_asking.policy import PolicyOutcome
from wallet.over_asking.warned import Warned, WarningKind
from wallet.requests import RegistrationOutcome
from wallet.sensitivity import Kind, folded

YOUNG_DAYS: Final = 30
VERY_LONG_DAYS: Final = 3_653
_NEARLY_ALL: Final = 0.8
_SELECTIVE: Final = frozenset({"dc+sd-jwt", "mso_mdoc"})

_BIRTH_DATE: Final = frozenset({"birthdate", "birth_date", "date_of_birth"})
_GRADE: Final = frozenset({"assessment_grade", "grade", "grades", "result", "results", "score", "mark"})
_STREET: Final = frozenset({"street_address", "resident_street", "resident_address", "address", "house_number"})
_OVER_18, _PASSED, _TOWN = (
    BothLanguages(sv="att du är över 18 år", en="that you are over 18"),
    BothLanguages(sv="att du är godkänd", en="that you passed"),
    BothLanguages(sv="orten", en="the town"),
)
_PERSON_TYPES: Final = ("urn:eudi:pid:", "eu.europa.ec.eudi.pid", "urn:eu.europa.ec.eudi:pid:")
"""Beginnings of the types of person identification data: ages beside the birth date, the town beside the street."""

_NAMES: Final = frozenset({"family_name", "given_name", "name", "full_name", "birth_name"})
_POINTING: Final = frozenset(
    {"learner_identification", "student_identifier", "student_number", "email", "email_address", "phone_number"}
    | {"mobile_phone_number"}
)
_COURSE: Final = frozenset({"achievement_title", "course_code", "courses", "programme", "degree"})
_INSTITUTION: Final = frozenset({"issuing_authority", "awarding_body", "institution", "school"})


# --- the rules of consent.md ----------------------------------------------------------------------------------------


def beyond_registration(facts: AskedFacts) -> Iterator[Warned]:
    """OA-01: something is asked for that the recipient has not registered for this purpose."""
    if facts.registration is RegistrationOutcome.EXCEEDED:
        yield Warned(WarningKind.BEYOND_REGISTRATION, items=facts.beyond)


def not_called_for(facts: AskedFacts) -> Iterator[Warned]:
    """OA-02: a sensitive item that the purpose does not call for. What a registrar has registered is called for."""
    if facts.registration is RegistrationOutcome.COVERED:
        return
    justified = purposes.calls_for(_classes(facts))
    items = [item for item in facts.items if item.kind is not None and item.kind not in justified]
    if items:
        yield Warned(WarningKind.NOT_CALLED_FOR, items=_names(items))


def whole_certificate(facts: AskedFacts) -> Iterator[Warned]:
    """OA-03: nearly all of a certificate is asked for, or it could only be shown whole."""
    if any(_is_nearly_all(types, facts) for types in dict.fromkeys(one.types for one in facts.certificates)):
        yield Warned(WarningKind.WHOLE)
    if any(one.format not in _SELECTIVE for one in facts.certificates):
        yield Warned(WarningKind.ONLY_WHOLE)


def less_would_do(facts: AskedFacts) -> Iterator[Warned]:
    """OA-04: an exact value where the certificate has something that tells less, and the purpose needs no more."""
    exact = purposes.needs_exact(_classes(facts))
    types = {one.query_id: one.types for one in facts.certificates}
    found: dict[BothLanguages, list[AskedItem]] = {}
    for item in facts.items:
        last = _last_name(item)
        if last in _BIRTH_DATE and "birth_date" not in exact and _has(types[item.query_id], facts, "age_"):
            found.setdefault(_OVER_18, []).append(item)
        elif last in _GRADE and None in item.path and item.required and "grades" not in exact:
            found.setdefault(_PASSED, []).append(item)  # A certificate of courses says by itself that they were passed.
        elif last in _STREET and "address" not in exact and _has(types[item.query_id], facts, "resident_city"):
            found.setdefault(_TOWN, []).append(item)
    if found:
        items = [item for some in found.values() for item in some]
        yield Warned(WarningKind.LESS_WOULD_DO, items=_names(items), instead=tuple(found))


def long_retention(facts: AskedFacts) -> Iterator[Warned]:
    """OA-05: no end was stated, one that is over already, or one that is later than is usual for such a purpose.

    What is usual cannot be said of a purpose that says nothing; of that one another rule tells (OA-06).
    """
    usual = purposes.usual_days(_classes(facts))
    if facts.basis is Basis.LEGAL_OBLIGATION and _names_a_law(facts):
        usual = max(usual, purposes.BY_LAW_DAYS)
    if facts.retention_days is None:
        yield Warned(WarningKind.NO_RETENTION)
    elif facts.retention_days < 0:  # As good as none: nobody deletes on a day that has been.
        yield Warned(WarningKind.RETENTION_PAST)
    elif facts.retention_days > VERY_LONG_DAYS:
        yield Warned(WarningKind.LONG_RETENTION)
    elif facts.retention_days > usual and not any(vague_purpose(facts)):
        yield Warned(WarningKind.LONGER_THAN_USUAL)


def vague_purpose(facts: AskedFacts) -> Iterator[Warned]:
    """OA-06: no purpose was stated, or one that is too short or too general, in any language that it was stated in."""
    texts = [text for text in (facts.purpose.sv, facts.purpose.en) if text]
    if not texts:
        yield Warned(WarningKind.NO_PURPOSE)
    elif any(purposes.is_vague(text) for text in texts):
        yield Warned(WarningKind.VAGUE_PURPOSE)


def other_party(facts: AskedFacts) -> Iterator[Warned]:
    """OA-07: the answer would go to somebody else, or to somebody who looks like somebody else."""
    if facts.level != "unproven" and facts.dns_names and _bare_host(facts) not in facts.dns_names:
        yield Warned(WarningKind.OTHER_ADDRESS, {"host": facts.host})
    if facts.looks_like:
        yield Warned(WarningKind.LOOK_ALIKE, {"host": facts.host, "like": facts.looks_like})
    names = (facts.legal_name, facts.says_it_is.sv, facts.says_it_is.en, _bare_host(facts), *facts.dns_names)
    if any(mixes_alphabets(name) for name in names):
        yield Warned(WarningKind.MIXED_LETTERS)
    age = facts.certificate_age_days
    # Whom the trust list names is known in another way than by a certificate.
    if age is not None and age < YOUNG_DAYS and facts.past.is_first_contact and facts.level != "registered":
        yield Warned(WarningKind.YOUNG_CERTIFICATE)


def repeated(facts: AskedFacts) -> Iterator[Warned]:
    """OA-08: the same was refused less than a day ago, or more is asked for than last time."""
    if facts.past.was_refused:
        yield Warned(WarningKind.REPEATED)
    types = {one.query_id: one.types for one in facts.certificates}
    more = [item for item in facts.items if path_key(types[item.query_id], item.path) in facts.past.more]
    if more:
        yield Warned(WarningKind.MORE_THAN_LAST_TIME, items=_names(more))


def guesses_values(facts: AskedFacts) -> Iterator[Warned]:
    """OA-09: the query names values, so that an answer tells that the person has them."""
    guessed = [item for item in facts.items if item.guessed]
    if guessed:
        yield Warned(WarningKind.GUESSES_VALUES, items=_names(guessed))


def not_anonymous(facts: AskedFacts) -> Iterator[Warned]:
    """OA-10: said to be anonymous, and yet asking for what points at one person, alone or together."""
    if not purposes.is_anonymous(facts.purpose.sv, facts.purpose.en):
        return
    pointing = [item for item in facts.items if _points_at_somebody(item)]
    narrowing = {_role(item) for item in facts.items} - {""}
    if any(type_of(vct) is not None for one in facts.certificates for vct in one.types):
        narrowing.add("institution")  # Our types always show who issued them.
    if pointing or len(narrowing) >= 3:
        yield Warned(WarningKind.NOT_ANONYMOUS, items=_names(pointing or [i for i in facts.items if _role(i)]))


def policy_says_no(facts: AskedFacts) -> Iterator[Warned]:
    """OA-11: the issuer did not mean the certificate for this recipient, or we cannot tell."""
    for one in facts.shown:
        if one.policy is PolicyOutcome.NOT_ALLOWED:
            yield Warned(WarningKind.POLICY_SAYS_NO, certificate_id=one.id)
        elif one.policy is PolicyOutcome.UNKNOWN:
            yield Warned(WarningKind.POLICY_UNKNOWN, certificate_id=one.id)


def not_started_here(facts: AskedFacts) -> Iterator[Warned]:
    """OA-12: it came by a picture, a code or a pasted link: perhaps somebody else started it. Asked about at S0."""
    if facts.past.came_by.perhaps_from_elsewhere:
        yield Warned(WarningKind.NOT_STARTED_HERE)


def forced_consent(facts: AskedFacts) -> Iterator[Warned]:
    """OA-13: consent as the ground, for something that is required."""
    if facts.basis is Basis.CONSENT and any(item.required for item in facts.items):
        yield Warned(WarningKind.FORCED_CONSENT)


def overdue_deletion(facts: AskedFacts) -> Iterator[Warned]:
    """OA-14: this recipient has not answered the person's request to delete in time."""
    if facts.past.overdue_deletions:
        yield Warned(WarningKind.OVERDUE_DELETION)


# --- who asks, and what would be shown ------------------------------------------------------------------------------


def unproven(facts: AskedFacts) -> Iterator[Warned]:
    """Nobody whom this wallet trusts says who asks."""
    if facts.level == "unproven":
        yield Warned(WarningKind.UNPROVEN, {"host": facts.host})


def unproven_notice(facts: AskedFacts) -> Iterator[Warned]:
    """The sender is proven, but purpose and retention are not signed."""
    if facts.level != "unproven" and facts.has_notice and not facts.notice_signed:
        yield Warned(WarningKind.UNPROVEN_NOTICE)


def registration_unchecked(facts: AskedFacts) -> Iterator[Warned]:
    """A proof of registration that does not hold, that we cannot check, or none at all."""
    kinds = {
        RegistrationOutcome.FAILED: WarningKind.REGISTRATION_FAILED,
        RegistrationOutcome.UNKNOWN: WarningKind.REGISTRATION_UNKNOWN,
        RegistrationOutcome.MISSING: WarningKind.UNREGISTERED,
    }
    if facts.registration in kinds:
        yield Warned(kinds[facts.registration])


def bearer(facts: AskedFacts) -> Iterator[Warned]:
    """A certificate that is bound to no key: whoever gets it can show it (CS-17)."""
    yield from (Warned(WarningKind.BEARER, certificate_id=one.id) for one in facts.shown if not one.bound)


def may_not_be_accepted(facts: AskedFacts) -> Iterator[Warned]:
    """A certificate whose issuer or status we do not know."""
    for one in facts.shown:
        if not one.issuer_trusted:
            yield Warned(WarningKind.ISSUER_UNKNOWN, certificate_id=one.id)
        if one.status == "unknown":
            yield Warned(WarningKind.STATUS_UNKNOWN, certificate_id=one.id)


def last_copy(facts: AskedFacts) -> Iterator[Warned]:
    """The last one-time copy of a certificate would be used."""
    for one in facts.shown:
        if one.bound and one.copies_left == 1:
            yield Warned(WarningKind.LAST_COPY, certificate_id=one.id)


# --- what several of them ask ---------------------------------------------------------------------------------------


def _classes(facts: AskedFacts) -> tuple[purposes.PurposeClass, ...]:
    return purposes.classes_of(facts.purpose.sv, facts.purpose.en)


def _names_a_law(facts: AskedFacts) -> bool:
    return any(purposes.names_a_law(text) for text in (facts.basis_detail.sv, facts.basis_detail.en))


def _names(items: list[AskedItem]) -> tuple[BothLanguages, ...]:
    return tuple(dict.fromkeys(item.name for item in items))


def _last_name(item: AskedItem) -> str:
    return next((folded(part) for part in reversed(item.path) if isinstance(part, str)), "")


def _bare_host(facts: AskedFacts) -> str:
    return facts.host.partition(":")[0].casefold()


def _is_nearly_all(types: tuple[str, ...], facts: AskedFacts) -> bool:
    """Whether all queries for one type together ask for nearly all of it; optional parts are queries of their own."""
    ids = {one.query_id for one in facts.certificates if one.types == types}
    asked = {item.path for item in facts.items if item.query_id in ids}
    known = next((found for vct in types if (found := type_of(vct)) is not None), None)
    if known is None:
        # Of a type that nobody here knows, only the certificate itself tells how much there is.
        names = next((set(one.names) for one in facts.shown if one.names), set())
        return len(names) > 3 and len({path[0] for path in asked} & names) >= _NEARLY_ALL * len(names)
    hidden = [spec.path for spec in known.claims if spec.disclosable]
    leaves = [path for path in hidden if not any(other[: len(path)] == path for other in hidden if other != path)]
    covered = [path for path in leaves if any(_covers(one, path) for one in asked)]
    return len(covered) >= _NEARLY_ALL * len(leaves)


def _covers(asked: tuple[str | int | None, ...], path: tuple[str | int | None, ...]) -> bool:
    """Whether asking for one path shows another: all elements of an array lie in it."""
    return len(asked) <= len(path) and all(
        mine == theirs or (isinstance(mine, int) and theirs is None) for mine, theirs in zip(asked, path, strict=False)
    )


def _has(types: tuple[str, ...], facts: AskedFacts, beginning: str) -> bool:
    """Whether such a certificate has something that tells less: by its type, or as the one here does."""
    if any(vct.startswith(_PERSON_TYPES) for vct in types):
        return True
    return any(name.startswith(beginning) for one in facts.shown for name in one.names)


def _points_at_somebody(item: AskedItem) -> bool:
    return _last_name(item) in _NAMES | _POINTING or item.kind in (Kind.IDENTITY_NUMBER, Kind.PORTRAIT, Kind.BIOMETRIC)


def _role(item: AskedItem) -> str:
    last, first = _last_name(item), folded(str(item.path[0]))
    if last in _BIRTH_DATE:
        return "birth"
    if last in _COURSE or first in _COURSE:
        return "course"
    if last in _INSTITUTION:
        return "institution"
    return "address" if last in _STREET else ""
