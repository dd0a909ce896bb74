"""Swedish and English: `.po` catalogues read at start, msgids are English. Dates and numbers by Babel.

Each room keeps `locale/sv.po` (and further `locale/sv-*.po`, one per author of pages); all are merged.

    catalogues = load_catalogues(Path(service.__file__).parent, Path(wallet.__file__).parent)
    _ = catalogues.translator("sv")
    _("Share %(count)s items", count=3)              # a msgid is always a % format: write a literal percent sign as %%
    _.plural("%(num)s certificate", "%(num)s certificates", 3)
    _.date(date(2027, 3, 31))                        # "31 mars 2027"

Texts that are not said at once are marked with `N_("...")`, so that they are found by the extraction.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

LANGUAGES = ("sv", "en")
DEFAULT_LANGUAGE = "sv"


def N_(text: str) -> str:
    """Mark a text for translation without translating it now."""
    return text


class Translator:
    """Says texts, dates and numbers in one language."""

    language: str

    def __call__(self, text: str, /, **values: Any) -> str:
        """The text in this language, with `%(name)s` replaced by values."""
        raise NotImplementedError

    def plural(self, one: str, many: str, num: int, /, **values: Any) -> str:
        """The form for `num` (also available as `%(num)s`)."""
        raise NotImplementedError

    def pick(self, texts: Mapping[str, str]) -> str:
        """The text of a language map (`{"sv": ..., "en": ...}`) in this language, or in the nearest one there is."""
        raise NotImplementedError

    def date(self, value: date | datetime, style: str = "long") -> str:
        """A date: long "31 mars 2027" or short "2027-03-31"."""
        raise NotImplementedError

    def moment(self, value: datetime, style: str = "long") -> str:
        """A date and time of day in the service's time zone."""
        raise NotImplementedError

    def number(self, value: int | float | Decimal) -> str:
        """A number as it is written in this language."""
        raise NotImplementedError

    def listed(self, items: list[str]) -> str:
        """Items joined as in a sentence: "a, b och c"."""
        raise NotImplementedError


class Catalogues:
    """The translations of all rooms of a service."""

    def translator(self, language: str) -> Translator:
        """The translator of `sv` or `en` (anything else: Swedish)."""
        raise NotImplementedError


def load_catalogues(*rooms: Path, time_zone: str = "Europe/Stockholm") -> Catalogues:
    """Read the catalogues of rooms (their package directories); a later room's text wins."""
    raise NotImplementedError


def choose_language(*, query: str | None, cookie: str | None, accept_language: str | None) -> str:
    """The language of a page: asked for in the query, else remembered, else the browser's first that we speak, else Swedish."""
    raise NotImplementedError
