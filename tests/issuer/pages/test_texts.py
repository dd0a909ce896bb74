"""Every text of the issuer's pages is there in Swedish, also those about what is wrong with a file."""

import ast
from pathlib import Path

import issuer
import schemas
import service
from service.i18n import broken_translations, load_catalogues, missing_translations

assert issuer.__file__ is not None
assert schemas.__file__ is not None
assert service.__file__ is not None
ROOM, SERVICE = Path(issuer.__file__).parent, Path(service.__file__).parent
READERS = [*(Path(schemas.__file__).parent / "learning").glob("*.py"), *(ROOM / "results").glob("*.py")]
_TELLING = {"Problem", "refuse", "warn", "fault", "Fault", "AmountFault"}
FORBIDDEN = ("credential", "verifier", "claim", "presentation", "attribute")


def told_texts() -> set[str]:
    """Every sentence that the readers of results say: faults, fixes and warnings."""
    found: set[str] = set()
    for file in READERS:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                found |= _sentences(node.args) if name in _TELLING else set()
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("fault", "fix"):
                found |= _sentences([node.value])
            elif isinstance(node, ast.Tuple) and len(node.elts) == 2:
                found |= {text for text in _sentences(node.elts) if text.endswith(".")}
    return found


def _sentences(nodes: list[ast.expr]) -> set[str]:
    constants = (node.value for node in nodes if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str) and " " in value}


def test_every_text_of_the_pages_is_translated() -> None:
    """In this room's catalogues or the shared one."""
    assert missing_translations(ROOM, SERVICE) == {}
    assert broken_translations(ROOM) == []


def test_every_fault_of_a_file_is_translated() -> None:
    """A registrar reads them in Swedish."""
    swedish = load_catalogues(SERVICE, ROOM).translator("sv")
    texts = told_texts()
    assert len(texts) > 80
    assert {text for text in texts if swedish.text(text) == text} == set()


def test_people_are_not_told_the_words_of_the_protocols() -> None:
    """Certificate, not credential; the name of the European micro-credential is the one exception."""
    for template in (ROOM / "templates").glob("*.html"):
        text = template.read_text(encoding="utf-8")
        for marked in text.split('_("')[1:]:
            sentence = marked.split('"')[0].lower()
            assert not any(word in sentence for word in FORBIDDEN), (template.name, sentence)
