"""The awarding body of an ELMO report: by its title, else by what identifies it everywhere.

Exports write `TODO` and the like where nobody entered a name. A domain, an Erasmus code or a participant code (PIC)
still says who it is; a local number says nothing outside of the system that wrote it.
"""

import re
from collections.abc import Iterator

from lxml import etree

from schemas.learning.achievement import Country, Identifier
from schemas.learning.elmo_elements import Elements
from schemas.learning.texts import UNKNOWN_LANGUAGE

_PLACEHOLDER = re.compile(r"\s*(todo\b|xxx\b|n/a$|-$|unknown$)", re.IGNORECASE)
_DOMAIN = re.compile(
    r"(?:https?://)?(?:www\.)?((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24})(?::\d{1,5})?(?:/[^@]*)?"
)
_DOMAIN_TYPES = ("schac", "url", "domain")
_ERASMUS_CODE = re.compile(r"[A-Z]{1,3} {0,2}[A-Z-]{2,12}\d{2,3}")
_PIC = re.compile(r"\d{9}")


def is_placeholder(text: str) -> bool:
    """Whether a text only keeps the place of one that nobody wrote."""
    return _PLACEHOLDER.match(text) is not None


def country_of(elements: Elements, issuer: etree._Element | None) -> Country | None:
    """The country that the report states, None when it states none."""
    written = (elements.line(elements.child(issuer, "country")) or "").upper()
    return written if len(written) == 2 and written.isascii() and written.isalpha() else None


def real_identifiers(elements: Elements, issuer: etree._Element) -> tuple[Identifier, ...]:
    """Its identifiers without placeholders."""
    found = elements.identifiers(issuer)
    return tuple(one for one in found if not is_placeholder(one.value) and not is_placeholder(one.type))


def name_by_identifier(elements: Elements, issuer: etree._Element) -> dict[str, str] | None:
    """What stands for the name of a body that has none: its domain, Erasmus code or PIC; None without any."""
    name = next(_shared_names(elements, issuer), None)
    return {UNKNOWN_LANGUAGE: name} if name else None


def _shared_names(elements: Elements, issuer: etree._Element) -> Iterator[str]:
    identifiers = [(one.type.lower(), one.value) for one in real_identifiers(elements, issuer)]
    addresses = [value for wanted in _DOMAIN_TYPES for kind, value in identifiers if kind == wanted]
    for address in (*addresses, elements.line(elements.child(issuer, "url")) or ""):
        domain = _DOMAIN.fullmatch(address.lower())
        if domain is not None and not is_placeholder(domain[1]):
            yield domain[1]
    yield from (value for kind, value in identifiers if kind == "erasmus" and _ERASMUS_CODE.fullmatch(value))
    yield from (f"PIC {value}" for kind, value in identifiers if kind == "pic" and _PIC.fullmatch(value))
