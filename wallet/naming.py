"""What certificates, issuers and items are called in front of a person, in both languages, and how values read.

    names = Names(certificate)
    names.title.text("sv"), names.label(("courses", 0, "assessment_grade")).text("en")   # "Course 1: Grade"
    names.lines(("courses", 0), "sv")                                               # [("Titel", "Databaser", ""), ...]

A type that we know names its claims itself. For others the issuer's own display data is used, then the name of the
claim. Texts of issuers are data: bounded, without control characters, and shown as text.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.dcql import ClaimQuery, ClaimsPath, ConcretePath, CredentialQuery, value_at
from schemas.receipt import BothLanguages
from schemas.types import type_of
from schemas.types.card import display_parts, display_value
from schemas.types.claims import ValueType
from schemas.types.credential_type import CredentialType
from wallet.certificates import StoredCertificate

LANGUAGES = ("sv", "en")
_LONGEST_NAME = 160
_MOST_MARKS = 3


class Line(NamedTuple):
    """One value of an item: its name ("" for a value by itself), its text, and the language of the text as in
    `schemas.types.card.Part`: a tag when it is known to be another than that of the screen (WCAG 3.1.2)."""

    name: str
    text: str
    language: str = ""


class Names:
    """The names and readable values of one certificate."""

    def __init__(self, certificate: StoredCertificate) -> None:
        self._certificate = certificate
        self._type: CredentialType | None = type_of(certificate.vct)
        self._claims_display = [
            entry for entry in _list(certificate.display.get("claims")) if isinstance(entry, Mapping)
        ]

    @property
    def type_name(self) -> BothLanguages:
        """What this kind of certificate is called."""
        if self._type is not None:
            return BothLanguages(sv=self._type.title("sv"), en=self._type.title("en"))
        return _displayed(self._certificate.display.get("display")) or _same(plain(self._certificate.vct))

    @property
    def title(self) -> BothLanguages:
        """What this very certificate is called: with the title of what was learned, where the type has one."""
        if self._type is None:
            return self.type_name
        texts = {language: self._type.card(self._certificate.claims, language).title for language in LANGUAGES}
        return BothLanguages(sv=plain(texts["sv"]), en=plain(texts["en"]))

    @property
    def title_path(self) -> ConcretePath | None:
        """Where the certificate says what was learned or done, by which `title` calls it; None where it says none."""
        if self._type is None:
            return None
        name = self._type.form.titled_by if self._type.form is not None else "achievement_title"
        return (name,) if name and name in self._certificate.claims else None

    @property
    def issuer(self) -> str:
        """The issuer's name: from the trust list when it is there, else what it says of itself."""
        return plain(self._certificate.issuer_name) or plain(self._certificate.issuer_identifier)

    def label(self, path: ConcretePath) -> BothLanguages:
        """The name of the item at this path; elements of arrays are counted from 1."""
        names = {language: self._label(path, language) for language in LANGUAGES}
        return BothLanguages(sv=names["sv"], en=names["en"])

    def _label(self, path: ConcretePath, language: str) -> str:
        """`Course 1: Grade` for what lies inside an element of an array, `Grade` otherwise."""
        words: list[str] = []
        for length in range(1, len(path) + 1):
            part, end = path[:length], length == len(path)
            if isinstance(part[-1], int):
                words.append(f"{self._name(part, language)} {part[-1] + 1}")
            elif end:
                words.append(self._name(part, language))
        return ": ".join(words)

    def _name(self, path: ConcretePath, language: str) -> str:
        if self._type is not None and (spec := self._type.spec_for(path)) is not None:
            return spec.label(language)
        for entry in self._claims_display:
            if _points_at(entry.get("path"), path) and (shown := _displayed(entry.get("display"))):
                return shown.text(language)
        written = next((part for part in reversed(path) if isinstance(part, str)), "")
        return plain(written.replace("_", " ").strip()).capitalize()

    def lines(self, path: ConcretePath, language: str) -> list[Line]:
        """What the item at this path says; without names for a value or a list of texts."""
        value = value_at(self._certificate.claims, path)
        if self._is_one_value(path, value):
            parts = display_parts(value, self._value_type(path), language)
            return [Line("", without_controls(part.text) or "–", part.language) for part in parts]
        inside: list[Line] = []
        self._collect(path, value, language, inside, ())
        return inside or [Line("", "–")]

    def _collect(
        self, path: ConcretePath, value: Any, language: str, found: list[Line], above: tuple[str, ...]
    ) -> None:
        members: list[tuple[str | int, Any]]
        members = list(value.items()) if isinstance(value, Mapping) else list(enumerate(value))
        for key, inner in members:
            here = (*path, key)
            name = self._name(here, language) if isinstance(key, str) else f"{self._name(here, language)} {key + 1}"
            if self._is_one_value(here, inner):
                found.append(self._line(": ".join((*above, name)), here, inner, language))
            else:
                self._collect(here, inner, language, found, (*above, name))

    def _is_one_value(self, path: ConcretePath, value: Any) -> bool:
        if not isinstance(value, Mapping | list) or not value:
            return True
        if self._value_type(path) not in (None, "array", "object"):
            return True
        return isinstance(value, list) and not any(isinstance(item, Mapping | list) for item in value)

    def _line(self, name: str, path: ConcretePath, value: Any, language: str) -> Line:
        value_type = self._value_type(path)
        languages = {part.language for part in display_parts(value, value_type, language)}
        text = without_controls(display_value(value, value_type, language)) or "–"
        return Line(name, text, languages.pop() if len(languages) == 1 else "")

    def _value_type(self, path: ConcretePath) -> ValueType | None:
        if self._type is None:
            return "date" if path and str(path[-1]).lower() in _DATES else None
        spec = self._type.spec_for(path)
        return spec.value_type if spec is not None and len(spec.path) == len(path) else None


def name_of_asked(types: Iterable[str], path: ClaimsPath) -> BothLanguages:
    """What a claim that is asked for is called, without a certificate: by the types asked for, else as written."""
    known = next((found for vct in types if (found := type_of(vct)) is not None), None)
    anywhere = tuple(None if isinstance(part, int) else part for part in path)  # Any element is called the same.
    if known is not None and known.spec_for(anywhere) is not None:
        return BothLanguages(sv=known.label(anywhere, "sv"), en=known.label(anywhere, "en"))
    written = next((part for part in reversed(path) if isinstance(part, str)), "")
    return _same(plain(written.replace("_", " ")).capitalize())


def names_asked(credential: CredentialQuery) -> list[BothLanguages]:
    """What one credential query asks for, by name."""
    return [name_of_asked(_types_asked(credential), claim.path) for claim in credential.claims]


def values_asked(credential: CredentialQuery, claim: ClaimQuery) -> tuple[BothLanguages, ...]:
    """The only values of a claim that are accepted, as a person reads them."""
    known = next((found for vct in _types_asked(credential) if (found := type_of(vct)) is not None), None)
    anywhere = tuple(None if isinstance(part, int) else part for part in claim.path)
    spec = known.spec_for(anywhere) if known is not None else None
    value_type = spec.value_type if spec is not None and len(spec.path) == len(anywhere) else None
    texts = ([plain(display_value(one, value_type, language)) for language in LANGUAGES] for one in claim.values)
    return tuple(BothLanguages(sv=sv, en=en) for sv, en in texts)


def _types_asked(credential: CredentialQuery) -> list[str]:
    return [vct for alternative in credential.types for vct in alternative]


def type_asked(credential: CredentialQuery) -> BothLanguages | None:
    """What the type of certificate is called that one credential query asks for; None for an unknown type."""
    types = (type_of(vct) for alternative in credential.types for vct in alternative)
    known = next((found for found in types if found is not None), None)
    return None if known is None else BothLanguages(sv=known.title("sv"), en=known.title("en"))


_DATES = frozenset({"birth_date", "birthdate", "date_of_birth", "issuance_date", "expiry_date", "date_of_issuance"})


def plain(text: str) -> str:
    """A name of somebody else's making on one line, bounded, without characters that could restyle or reorder it."""
    shown = " ".join(without_controls(text).split())
    return shown if len(shown) <= _LONGEST_NAME else shown[: _LONGEST_NAME - 1] + "…"


def without_controls(text: str) -> str:
    """A text without control, format and unassigned characters, and without piles of accents; line breaks stay.

    Accents piled on one letter would reach over the lines above and below it.
    """
    shown: list[str] = []
    marks = 0
    for c in text:
        category = unicodedata.category(c)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks <= _MOST_MARKS and (c == "\n" or category not in {"Cc", "Cf", "Cs", "Co", "Cn"}):
            shown.append(c)
    return "".join(shown)


def _same(text: str) -> BothLanguages:
    return BothLanguages(sv=text, en=text)


def _displayed(display: Any) -> BothLanguages | None:
    """The names in an array of `{"name", "locale"}` (OpenID4VCI 12.2.4); an entry without locale serves for both."""
    names: dict[str, str] = {}
    for entry in _list(display):
        if isinstance(entry, Mapping) and isinstance(entry.get("name"), str) and entry["name"].strip():
            locale = entry.get("locale")
            language = locale.split("-")[0].lower() if isinstance(locale, str) else ""
            names.setdefault(language, plain(entry["name"]))
    if not names:
        return None
    fallback = names.get("") or next(iter(names.values()))
    return BothLanguages(sv=names.get("sv", fallback), en=names.get("en", fallback))


def _points_at(written: Any, path: Sequence[str | int]) -> bool:
    return (
        isinstance(written, list)
        and len(written) == len(path)
        and all(
            mine == theirs or (mine is None and isinstance(theirs, int))
            for mine, theirs in zip(written, path, strict=True)
        )
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
