"""Swedish and English: `.po` catalogues read at start, msgids are English. Dates and numbers by Babel.

Each room keeps `locale/sv.po` (and further `locale/sv-*.po`, one per author of pages); all are merged.

    catalogues = load_catalogues(Path(service.__file__).parent, Path(wallet.__file__).parent)
    _ = catalogues.translator("sv")
    _("Share %(count)s items", count=3)              # a msgid is always a % format: write a literal percent sign as %%
    _.plural("%(num)s certificate", "%(num)s certificates", 3)
    _.date(date(2027, 3, 31))                        # "31 mars 2027"

Texts that are not said at once are marked with `N_("...")`, so that they are found by the extraction.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from babel import Locale
from babel.dates import format_date, format_datetime, format_time, get_timezone
from babel.lists import format_list
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

LANGUAGES = ("sv", "en")
DEFAULT_LANGUAGE = "sv"
LANGUAGE_NAMES = {"sv": "Svenska", "en": "English"}

_LOCALES = {"sv": Locale("sv", "SE"), "en": Locale("en", "GB")}
_KEYWORDS: dict[str, Any] = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "plural": (1, 2),
}
_METHODS = [("**/templates/**.html", "jinja2.ext.babel_extract"), ("**.py", "python")]

MessageId = str | tuple[str, ...]


def N_(text: str) -> str:
    """Mark a text for translation without translating it now."""
    return text


class Translator:
    """Says texts, dates and numbers in one language."""

    def __init__(self, language: str, texts: Mapping[str, Sequence[str]], *, time_zone: str) -> None:
        self.language = language
        self.time_zone = time_zone
        self._texts = texts
        self._locale = _LOCALES[language]
        self._time_zone = get_timezone(time_zone)

    def __call__(self, text: str, /, **values: Any) -> str:
        """The text in this language, with `%(name)s` replaced by values."""
        return self.text(text) % values

    def text(self, text: str) -> str:
        """The text in this language, its `%(name)s` not yet replaced."""
        forms = self._texts.get(text)
        return forms[0] if forms else text

    def plural(self, one: str, many: str, num: int, /, **values: Any) -> str:
        """The form for `num` (also available as `%(num)s`)."""
        return self.plural_text(one, many, num) % {"num": num, **values}

    def plural_text(self, one: str, many: str, num: int) -> str:
        """The form for `num`, its `%(name)s` not yet replaced. Swedish and English both have two forms."""
        forms = self._texts.get(one, ())
        if len(forms) == 2:
            one, many = forms
        return one if num == 1 else many

    def pick(self, texts: Mapping[str, str]) -> str:
        """The text of a language map (`{"sv": ..., "en": ...}`) in this language, or in the nearest one there is."""
        return texts[self.picked_language(texts)] if texts else ""

    def picked_language(self, texts: Mapping[str, str]) -> str:
        """The key of a language map that `pick` takes; for the `lang` of the part (accessibility, A-08)."""
        for wanted in (self.language, "en", "sv"):
            for key in texts:
                if key.lower().replace("_", "-").split("-")[0] == wanted:
                    return key
        return next(iter(texts), "")

    def date(self, value: date | datetime) -> str:
        """A date: "31 mars 2027"; its month in letters, since numbers are read differently in different places."""
        if isinstance(value, datetime):
            value = in_zone(value, self._time_zone).date()
        return format_date(value, "d MMMM y", locale=self._locale)

    def moment(self, value: datetime) -> str:
        """A date and time of day in the service's time zone: "31 mars 2027 14:05"."""
        return format_datetime(_as_it_stands(value, self._time_zone), "d MMMM y HH:mm", tzinfo=UTC, locale=self._locale)

    def time(self, value: datetime | time) -> str:
        """The time of day in the service's time zone: "14:05"."""
        if isinstance(value, datetime):
            return format_time(_as_it_stands(value, self._time_zone), "HH:mm", tzinfo=UTC, locale=self._locale)
        return format_time(value, "HH:mm", tzinfo=self._time_zone, locale=self._locale)

    def number(self, value: int | float | Decimal) -> str:
        """A number as it is written in this language: "7,5" in Swedish, "7.5" in English."""
        return format_decimal(value, locale=self._locale)

    def listed(self, items: Iterable[str], style: str = "standard") -> str:
        """Items joined as in a sentence: "a, b och c"; style `or`: "a, b eller c"."""
        return format_list(list(items), style="or" if style == "or" else "standard", locale=self._locale)


def in_zone(value: datetime, zone: tzinfo) -> datetime:
    """A moment by the clocks of a zone, for showing it. Raises nothing, whatever somebody else wrote.

    One without a zone counts as UTC. So near the first or the last day of the calendar (years 1 and 9999) that the
    clocks of the zone would show a day beyond it, it stays as it was written.
    """
    aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    try:
        return aware.astimezone(zone)
    except (OverflowError, ValueError):
        return aware


def _as_it_stands(value: datetime, zone: tzinfo) -> datetime:
    """What the clocks of a zone show, called UTC: so that Babel, which would move it again, takes it as it stands."""
    return in_zone(value, zone).replace(tzinfo=UTC)


def inside_sentence(text: str) -> str:
    """A name as it stands inside a sentence; abbreviations such as ECTS keep their capitals."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


class Catalogues:
    """The translations of all rooms of a service."""

    def __init__(self, texts: Mapping[str, Mapping[str, Sequence[str]]], *, time_zone: str) -> None:
        self._translators = {
            language: Translator(language, texts.get(language, {}), time_zone=time_zone) for language in LANGUAGES
        }

    def translator(self, language: str) -> Translator:
        """The translator of `sv` or `en` (anything else: Swedish)."""
        return self._translators.get(language, self._translators[DEFAULT_LANGUAGE])


def load_catalogues(*rooms: Path, time_zone: str = "Europe/Stockholm") -> Catalogues:
    """Read the catalogues of rooms (their package directories); a later room's text wins.

    Raises `ValueError` when two files of one language are broken, `LookupError` for an unknown time zone.
    """
    texts: dict[str, dict[str, Sequence[str]]] = {language: {} for language in LANGUAGES}
    for room in rooms:
        for language in LANGUAGES:
            for path in _paths_of(room, language):
                texts[language].update(_texts_in(path, language, path.stat().st_mtime_ns))
    return Catalogues(texts, time_zone=time_zone)


def choose_language(*, query: str | None, cookie: str | None, accept_language: str | None) -> str:
    """The language of a page: asked for in the query, else remembered, else the browser's best, else Swedish."""
    for chosen in (query, cookie):
        if chosen in LANGUAGES:
            return chosen
    return _accepted(accept_language or "")


def language_of_locales(ui_locales: str) -> str | None:
    """The first language of `ui_locales` (language tags in order of preference, between spaces) that pages are in.

    None when there is none: that is no error (OpenID Connect Core 1.0, section 3.1.2.1).
    """
    wished = (tag.lower().split("-")[0] for tag in ui_locales[:1000].split(" "))
    return next((language for language in wished if language in LANGUAGES), None)


def _accepted(header: str) -> str:
    """The language of an Accept-Language header (RFC 9110, 12.5.4) with the greatest weight; Swedish wins a tie."""
    weights: dict[str, float] = {}
    for part in header[:1000].split(","):
        tag, _, parameters = part.strip().partition(";")
        language = tag.strip().lower().split("-")[0]
        name, _, weight = parameters.strip().partition("=")
        try:
            quality = float(weight) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and 0 < quality <= 1:
            weights[language] = max(quality, weights.get(language, 0.0))
    return max(LANGUAGES, key=lambda language: weights.get(language, 0.0))


# --- Completeness: used by the tests of every room -----------------------------------------------------------------


def extract_messages(room: Path) -> dict[MessageId, str]:
    """Every text marked in a room's templates and Python code, with the place where it first stands."""
    found: dict[MessageId, str] = {}
    extracted = extract_from_dir(
        room,
        method_map=_METHODS,
        options_map={"**/templates/**.html": {"extensions": "", "silent": "false", "newstyle_gettext": "true"}},
        keywords=_KEYWORDS,
    )
    for file, line, message, _, _ in extracted:
        if message and message != ("", ""):
            found.setdefault(message, f"{room.name}/{file}:{line}")
    return found


def missing_translations(room: Path, *others: Path, language: str = "sv") -> dict[MessageId, str]:
    """The texts of a room that have no translation, in its own catalogues or those of `others` (such as `service`)."""
    known: dict[str, Sequence[str]] = {}
    for one in (room, *others):
        for catalogue in _catalogues_of(one, language):
            known.update(_texts(catalogue))
    return {
        message: place
        for message, place in extract_messages(room).items()
        if len(known.get(_first(message), ())) != (1 if isinstance(message, str) else 2)
    }


def broken_translations(room: Path, *, language: str = "sv") -> list[str]:
    """Translations whose `%(name)s` parts differ from those of the text, or that are not a % format at all."""
    broken: list[str] = []
    for catalogue in _catalogues_of(room, language):
        for text, forms in _texts(catalogue).items():
            expected = _placeholders(text)
            broken.extend(
                text for form in forms if expected is None or _placeholders(form) not in (expected, expected | {"num"})
            )
    return broken


def _placeholders(text: str) -> set[str] | None:
    used: set[str] = set()

    class Recorder(dict[str, str]):
        def __missing__(self, key: str) -> str:
            used.add(key)
            return ""

    try:
        _ = text % Recorder()
    except (ValueError, TypeError, KeyError):
        return None
    return used


def _first(message: MessageId) -> str:
    return message if isinstance(message, str) else message[0]


def _paths_of(room: Path, language: str) -> list[Path]:
    return sorted((room / "locale").glob(f"{language}.po")) + sorted((room / "locale").glob(f"{language}-*.po"))


def _catalogues_of(room: Path, language: str) -> list[Catalog]:
    return [_read(path, language) for path in _paths_of(room, language)]


def _read(path: Path, language: str) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


@lru_cache(maxsize=200)
def _texts_in(path: Path, language: str, changed: int) -> Mapping[str, Sequence[str]]:
    """The texts of a file as it was when last changed: read once in a process, however many ask (a second service, a
    command that says something in each language)."""
    return MappingProxyType(_texts(_read(path, language)))


def _texts(catalogue: Catalog) -> dict[str, Sequence[str]]:
    texts: dict[str, Sequence[str]] = {}
    for message in catalogue:
        if message.id and message.string and not message.fuzzy:
            forms = (message.string,) if isinstance(message.string, str) else tuple(message.string)
            if all(forms):
                texts[_first(message.id if isinstance(message.id, str) else tuple(message.id))] = forms
    return texts
