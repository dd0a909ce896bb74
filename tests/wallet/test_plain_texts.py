"""CS-41: what stands on decision screens is short and in everybody's words, in both languages (checked by machine).

`test_pages.py` looks at every text of the wallet. Decision screens are held to more: plural forms count as well, a
colon ends no sentence, and no button says OK.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file

import service
import wallet
from service.i18n import load_catalogues
from wallet.over_asking import RULES

assert wallet.__file__ is not None
assert service.__file__ is not None
ROOM, SERVICE = Path(wallet.__file__).parent, Path(service.__file__).parent
MOST_WORDS = 20
SCREENS = [
    *sorted((ROOM / "templates" / "share").glob("*.html")),
    *(
        ROOM / "pages" / f"{name}.py"
        for name in ("share", "share_arrival", "share_confirm", "share_outcome", "share_view", "share_missing")
    ),
    *(ROOM / "pages" / f"{name}.py" for name in ("share_fetch", "phrases")),
    ROOM / "templates" / "acting.html",
    *(ROOM / "templates" / "history" / f"{name}.html" for name in ("take_back", "standing", "right", "report")),
    *(ROOM / "pages" / f"{name}_words.py" for name in ("share", "warning", "right", "reason", "acting", "permission")),
    ROOM / "over_asking" / "rules.py",
]
"""The decision screens S0 to S4 and that of taking back, and the tables that their sentences stand in."""

FORBIDDEN = {
    "en": r"\b(credentials?|verifiers?|attributes?|claims?|presentations?|issuances?|submit|ok)\b|!",
    "sv": r"\b(credentials?|verifier\w*|attribut\w*|claims?|presentation\w*|skicka in|ok)\b|!",
}
STIRRING = {
    "en": r"\b(sorry|unfortunately|sadly|regret|miss out|lose out|hurry|last chance|only today|right away"
    r"|congratulations|great|awesome|perfect|recommended|best choice|trusted by|don't worry|are you sure|please share"
    r"|no thanks|you will lose|safe and secure)\b",
    "sv": r"\b(tyvärr|ledsen|ångra\w*|gå miste|missa\w*|skynda\w*|sista chansen|bara i dag|genast|grattis|toppen"
    r"|perfekt|rekommender\w*|bästa valet|oroa dig|är du säker|snälla|nej tack|du förlorar|tryggt och säkert)\b",
}
"""Words that praise, shame, frighten or hurry somebody towards an answer (EDPB 03/2022, stirring)."""
_KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "plural": (1, 2)}


def said() -> set[str]:
    """Every text of the screens, in English as it stands there."""
    found: set[str] = set()
    for file in SCREENS:
        method = "jinja2.ext.babel_extract" if file.suffix == ".html" else "python"
        for _, message, _, _ in extract_from_file(method, file, keywords=_KEYWORDS):
            found |= set(message) if isinstance(message, tuple) else {message}
    return found


def texts(language: str) -> Iterable[tuple[str, str]]:
    """Each text with what is said in a language."""
    translator = load_catalogues(SERVICE, ROOM).translator(language)
    for text in sorted(said()):
        for form in (translator.text(text), translator.plural_text(text, text, 2)):
            yield text, form


def sentences(text: str) -> list[str]:
    """The sentences of a text; a name that is put in counts as one word."""
    plain = re.sub(r"%\(\w+\)s", "Namn", text)
    return [one for one in re.split(r"(?<=[.?])\s+", plain) if one.strip()]


def test_the_ledger_has_one_name_in_each_language() -> None:
    """What the navigation calls it: “Sharing history”, “Delningar”; nobody looks for a second thing of another name."""
    other_names = re.compile(r"(?<!sharing[ -])\bhistory\b|historik", re.IGNORECASE)
    texts = [one for file in (ROOM / "locale").glob("*.po") for one in re.findall(r'"(.*)"', file.read_text("utf-8"))]

    assert [text for text in texts if other_names.search(text)] == []


def test_the_screens_are_read_whole() -> None:
    """The test would prove nothing if it found no texts."""
    assert len(said()) > 200
    assert {one.sentence for rule in RULES for one in rule.says.values()} <= said()


@pytest.mark.parametrize("language", ["sv", "en"])
def test_cs41_no_sentence_on_a_decision_screen_is_longer_than_20_words(language: str) -> None:
    """Also with the names put in; what is listed in its place is the recipient's doing."""
    long = [
        (text, len(sentence.split()))
        for text, form in texts(language)
        for sentence in sentences(form)
        if len(sentence.split()) > MOST_WORDS
    ]
    assert long == []


@pytest.mark.parametrize("language", ["sv", "en"])
def test_cs41_no_word_of_the_protocols_stands_on_a_decision_screen(language: str) -> None:
    """Certificate, not credential; and nothing shouts."""
    wrong = [form for _, form in texts(language) if re.search(FORBIDDEN[language], form, re.IGNORECASE)]
    assert wrong == []


@pytest.mark.parametrize("language", ["sv", "en"])
def test_nothing_on_a_decision_screen_stirs(language: str) -> None:
    """No praise, no shame, no fear, no hurry; the list finds what it is for."""
    assert re.search(STIRRING[language], {"en": "Are you sure?", "sv": "Tyvärr går du miste"}[language], re.IGNORECASE)
    wrong = [form for _, form in texts(language) if re.search(STIRRING[language], form, re.IGNORECASE)]
    assert wrong == []


def test_every_warning_has_one_sentence_and_one_thing_to_do_in_both_languages() -> None:
    """And the Swedish is not the English."""
    swedish = load_catalogues(SERVICE, ROOM).translator("sv")
    for rule in RULES:
        for one in rule.says.values():
            for text in (one.sentence, one.advice):
                assert text.endswith(".")
                assert swedish.text(text) not in ("", text)
            assert len(sentences(one.advice)) == 1
