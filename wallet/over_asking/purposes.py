"""What a stated purpose is for, judged by its words: how long is usual, and which sensitive items it can call for.

    classes_of("Vi betalar ut din lön.")[0].id        # "employment"
    is_vague("Identifiering")                         # True

A purpose is the recipient's own text in Swedish or English. Words are looked for by how they begin, so that bent forms
are found. Who lies about the purpose passes here; the person reads the text, and the history keeps it. A text can be of
several classes: then the most generous of them counts. One that is of none is judged by the strictest measure.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from wallet.sensitivity import Kind

_YEAR: Final = 365
SHORTEST_PURPOSE: Final = 20
"""In characters: below this a purpose is too short to be judged (OA-06)."""

USUAL_DAYS: Final = 2 * _YEAR
"""What is usual where the purpose is of no class."""
BY_LAW_DAYS: Final = 3_653
"""Where a law obliges to keep, as said with its name: ten years, the longest of the common ones."""


@dataclass(frozen=True, slots=True)
class PurposeClass:
    """One kind of purpose. `words` are beginnings of words or phrases; `calls_for` the sensitive items that it can
    call for; `exact` the exact values it can call for where less would do for others."""

    id: str
    words: tuple[str, ...]
    days: int
    calls_for: frozenset[Kind] = frozenset()
    exact: frozenset[str] = frozenset()


_ID, _ADDRESS, _HEALTH, _PORTRAIT, _UNION = (
    Kind.IDENTITY_NUMBER, Kind.ADDRESS, Kind.HEALTH, Kind.PORTRAIT, Kind.UNION,
)  # fmt: skip
_BIRTH, _GRADES, _STREET = "birth_date", "grades", "address"

CLASSES: Final = (
    # An applicant who was passed over may complain for two years (Swedish Discrimination Act, chapter 6).
    PurposeClass(
        "recruitment",
        ("rekryter", "jobbansök", "ansökan om jobb", "ansökan om anställning", "sökt jobb", "sökt tjänst", "praktik",
         "recruit", "job applica", "application for the job", "applied for the job", "internship", "vacancy"),
        2 * _YEAR,
    ),
    # Accounting material is kept for seven years after the year (Swedish Accounting Act, chapter 7).
    PurposeClass(
        "employment",
        ("anställningsavtal", "anställer dig", "lön", "payroll", "salary", "wage", "employment contract", "employ you"),
        8 * _YEAR + 2, frozenset({_ID, _ADDRESS}), frozenset({_BIRTH, _STREET}),
    ),
    PurposeClass(
        "tenancy_contract",
        ("hyresavtal", "hyreskontrakt", "tenancy agreement", "lease", "rental agreement"),
        BY_LAW_DAYS, frozenset({_ID, _ADDRESS}), frozenset({_BIRTH, _STREET}),
    ),
    PurposeClass(
        "tenancy", ("hyresgäst", "lägenhet", "bostad", "hyra ", "tenant", "apartment", "housing", "rent "), 2 * _YEAR
    ),
    PurposeClass(
        "insurance",
        ("försäkring", "skadeanmälan", "skadeärende", "insurance", "insure", "your injury", "damage"),
        BY_LAW_DAYS, frozenset({_ID, _ADDRESS, _HEALTH}), frozenset({_BIRTH, _STREET}),
    ),
    PurposeClass(
        "benefit",
        ("a-kassa", "arbetslöshetsersättning", "bidrag", "studiemedel", "ersättning", "pension", "unemployment",
         "benefit", "student aid", "grant", "allowance"),
        BY_LAW_DAYS, frozenset({_ID, _ADDRESS}), frozenset({_BIRTH, _STREET}),
    ),
    PurposeClass(
        "licence",
        ("tillstånd", "yrkeslegitimation", "licens", "uppehållstillstånd", "bygglov", "permit", "licence", "license",
         "registration as a"),
        BY_LAW_DAYS, frozenset({_ID, _ADDRESS}), frozenset({_BIRTH, _GRADES, _STREET}),
    ),
    PurposeClass(
        "admission",
        ("antag", "behörig", "registrera dig på", "tillgodoräkn", "studieplats", "admission", "admit", "enrol",
         "eligib", "credit transfer", "recognition of"),
        3 * _YEAR, frozenset({_ID}), frozenset({_BIRTH, _GRADES}),
    ),
    PurposeClass(
        "support",
        ("pedagogiskt stöd", "funktionsnedsättning", "anpassa", "disability", "adapt", "accommodation for"),
        3 * _YEAR, frozenset({_HEALTH}),
    ),
    PurposeClass(
        "exam",
        ("tentamen", "tentand", "legitimera dig vid prov", "examinee", "at the exam", "sit the exam"),
        _YEAR, frozenset({_ID, _PORTRAIT}), frozenset({_BIRTH}),
    ),
    # Five years, in some cases ten (Swedish Money Laundering Act, chapter 5).
    PurposeClass(
        "finance",
        ("bankkonto", "öppnar konto", "kredit", "bolån", "lånelöfte", "penningtvätt", "bank account", "credit check",
         "loan", "mortgage", "money laundering"),
        BY_LAW_DAYS, frozenset({_ID, _ADDRESS}), frozenset({_BIRTH, _STREET}),
    ),
    # Patient records are kept for ten years (Swedish Patient Data Act, chapter 3).
    PurposeClass(
        "care",
        ("vård", "patient", "läkar", "vaccin", "care ", "treat you", "doctor", "clinic"),
        BY_LAW_DAYS, frozenset({_HEALTH, _ID, _ADDRESS}), frozenset({_BIRTH, _STREET}),
    ),
    PurposeClass(
        "delivery", ("leverera", "leverans", "skickar hem", "paket", "deliver", "ship ", "parcel", "post the"),
        _YEAR, frozenset({_ADDRESS}), frozenset({_STREET}),
    ),
    PurposeClass(
        "pass_card", ("passerkort", "inpassering", "access card", "entry card", "badge"), 3 * _YEAR,
        frozenset({_PORTRAIT}),
    ),
    PurposeClass(
        "union", ("facklig", "fackförbund", "trade union", "union member"), BY_LAW_DAYS, frozenset({_UNION, _ID}),
    ),
    PurposeClass("age", ("åldersgräns", "fyllt 18", "fyllt 20", "åldern", "age limit", "over 18", "your age"), 30),
    PurposeClass(
        "membership",
        ("rabatt", "studentpris", "medlem", "bibliotek", "lånekort", "discount", "membership", "library"),
        _YEAR,
    ),
    PurposeClass(
        "event", ("evenemang", "konferens", "mässa", "biljett", "event", "conference", "fair ", "ticket"), 90
    ),
    # What research rests on is kept for ten years, so that it can be checked; a questionnaire alone is no research.
    PurposeClass("research", ("forsk", "research"), BY_LAW_DAYS),
    PurposeClass(
        "survey", ("enkät", "undersökning", "statistik", "survey", "statistic", "questionnaire"), 2 * _YEAR
    ),
)  # fmt: skip

_ANONYMOUS: Final = (
    "anonym", "statistik", "statistic", "utan koppling till dig", "not linked to you", "avidentifi", "utan namn",
    "inga namn", "without names", "without your name", "no names", "ingen kan se vem", "ingen vet vem", "inte se vem",
    "nobody can tell who", "nobody can see who", "nobody knows who", "kan inte spåras", "kan inte härledas",
    "cannot be traced", "cannot be linked",
)  # fmt: skip
_MADE_ANONYMOUS: Final = ("anonymiser", "anonymis", "anonymiz", "avidentifi")
_AFTERWARDS: Final = (
    "efteråt", "därefter", "senare", "i efterhand", "innan vi publicerar", "innan det publiceras", "afterwards",
    "later", "before we publish", "before it is published", "before publication",
)  # fmt: skip
"""Who says that names are taken away later says that they are there first."""

_GENERIC: Final = frozenset(
    {
        "identifikation", "identifiering", "identification", "identify", "identifiera", "identity", "identitet",
        "verifiering", "verifikation", "verification", "verifiera", "verify", "kontroll", "kontrollera", "check",
        "checks", "control", "service", "services", "tjänst", "tjänster", "tjänsten", "administration", "säkerhet",
        "security", "kyc", "hantering", "processing", "behandling", "ändamål", "purpose", "purposes", "olika",
        "various", "diverse", "other", "andra", "allmän", "allmänna", "general", "business", "verksamhet",
        "verksamheten", "uppgifter", "data", "information", "personal", "personuppgifter", "customer", "kund", "kunder",
        "customers", "användare", "user", "users", "förbättra", "improve", "erbjuda", "provide", "offer", "quality",
        "kvalitet", "experience", "upplevelse", "internal", "interna", "internt", "system", "account", "legal",
        "tillhandahålla", "administrativa", "administrative",
        "administrera", "nödvändig", "nödvändiga", "necessary", "required", "needs", "behov",
    }
)  # fmt: skip
_FILLING: Final = frozenset(
    {
        "vi", "we", "the", "a", "an", "of", "for", "för", "av", "att", "to", "and", "och", "our", "your", "you", "din",
        "ditt", "dina", "dig", "vår", "våra", "vårt", "i", "in", "on", "på", "en", "ett", "den", "det", "de", "som",
        "that", "this", "is", "är", "as", "with", "med", "or", "eller", "such", "behöver", "need", "vid", "at", "by",
        "behandlar", "process", "använder", "use", "must", "måste", "can", "kan", "be", "till", "from", "från",
    }
)  # fmt: skip


_ANY_LAW: Final = frozenset(
    {
        "lag", "lagar", "lagen", "lagstiftning", "lagstiftningen", "rätt", "rättslig", "rättsliga", "förpliktelse",
        "förpliktelser", "skyldighet", "skyldigheter", "gällande", "tillämplig", "tillämpliga", "enligt", "regler",
        "reglerna", "föreskrifter", "svensk", "svenska", "law", "laws", "legislation", "obligation", "obligations",
        "applicable", "relevant", "rules", "regulation", "regulations", "according", "under", "statutory", "national",
        "local", "swedish",
    }
)  # fmt: skip


def classes_of(*texts: str) -> tuple[PurposeClass, ...]:
    """The classes that the texts of one purpose belong to, in the order of the table."""
    whole = " ".join(_spaced(text) for text in texts)
    return tuple(one for one in CLASSES if any(_begins(whole, word) for word in one.words))


def is_vague(text: str) -> bool:
    """Whether a purpose is under 20 characters, or says nothing but general words."""
    words = [word for word in re.findall(r"\w+", text.casefold()) if word not in _FILLING]
    return len(text.strip()) < SHORTEST_PURPOSE or all(word in _GENERIC for word in words)


def is_anonymous(*texts: str) -> bool:
    """Whether a purpose says that nobody is to be recognised, or is of a kind that needs nobody to be.

    One that only promises to take the names away afterwards says that there are names until then.
    """
    return any(_says_anonymous(_spaced(text)) for text in texts)


def _says_anonymous(spaced: str) -> bool:
    if any(_begins(spaced, word) for word in _AFTERWARDS):
        for word in _MADE_ANONYMOUS:
            spaced = spaced.replace(f" {word}", " ")
    return any(_begins(spaced, word) for word in _ANONYMOUS)


def names_a_law(text: str) -> bool:
    """Whether a ground in law says which law: more than that there is one."""
    words = re.findall(r"\w+", text.casefold())
    return any(word not in _FILLING and word not in _GENERIC and word not in _ANY_LAW for word in words)


def same_purpose(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether two requests are for the same, as far as words tell: the same text, or texts of the same classes.

    Two texts that are of no class count as the same: rewording a purpose makes no new one.
    """
    texts, others = ({_spaced(text) for text in some if text.strip()} for some in (one, other))
    return bool(texts & others) or classes_of(*texts) == classes_of(*others)


def calls_for(classes: Iterable[PurposeClass]) -> frozenset[Kind]:
    """The sensitive items that a purpose of these classes can call for."""
    return frozenset().union(*(one.calls_for for one in classes))


def needs_exact(classes: Iterable[PurposeClass]) -> frozenset[str]:
    """The exact values that a purpose of these classes can call for."""
    return frozenset().union(*(one.exact for one in classes))


def usual_days(classes: Iterable[PurposeClass]) -> int:
    """How long it is usual to keep things for a purpose of these classes."""
    return max((one.days for one in classes), default=USUAL_DAYS)


def _spaced(text: str) -> str:
    words = re.sub(r"[^\w-]+", " ", text.casefold()).strip()
    return f" {words} "


def _begins(spaced: str, word: str) -> bool:
    return f" {word}" in spaced
