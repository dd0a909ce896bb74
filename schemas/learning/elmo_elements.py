"""Access to the elements of an ELMO report: children by name, texts by language, lines of sensible length."""

from lxml import etree

from schemas.learning.achievement import Identifier
from schemas.learning.texts import clean_text, language_tag

_XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_MAX_LINE_CHARACTERS = 500


class Elements:
    """Looks only into the namespace of the report itself, so that extensions are never mistaken for results."""

    def __init__(self, root: etree._Element) -> None:
        self._namespace = etree.QName(root).namespace or ""

    def children(self, parent: etree._Element | None, name: str) -> list[etree._Element]:
        """The children with this name; none of nothing."""
        tag = f"{{{self._namespace}}}{name}" if self._namespace else name
        return parent.findall(tag) if parent is not None else []

    def child(self, parent: etree._Element | None, name: str) -> etree._Element | None:
        """The first child with this name."""
        return next(iter(self.children(parent, name)), None)

    @staticmethod
    def text(element: etree._Element | None) -> str:
        """All text inside the element as it stands, '' for no element."""
        return "".join(str(part) for part in element.itertext()) if element is not None else ""

    def line(self, element: etree._Element | None) -> str | None:
        """The text as one line, None when empty or longer than any name, code or label is."""
        return self.line_of(self.text(element))

    @staticmethod
    def line_of(text: str) -> str | None:
        """The same for a text."""
        line = clean_text(text)
        return line if 0 < len(line) <= _MAX_LINE_CHARACTERS else None

    def texts(self, parent: etree._Element | None, name: str, *, multiline: bool) -> dict[str, str]:
        """Texts by language of all children with this name; the first of each language, empty ones ignored."""
        texts: dict[str, str] = {}
        for element in self.children(parent, name):
            text = clean_text(self.text(element), multiline=multiline)
            if text:
                texts.setdefault(language_tag(element.get(_XML_LANGUAGE)), text)
        return texts

    def identifiers(self, parent: etree._Element) -> tuple[Identifier, ...]:
        """Identifiers with their type as written, `other` without one."""
        found = (
            (self.line_of(e.get("type", "")) or "other", self.line(e)) for e in self.children(parent, "identifier")
        )
        return tuple(Identifier(type=kind, value=value) for kind, value in found if value)
