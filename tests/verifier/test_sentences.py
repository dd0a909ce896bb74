"""Every check has a sentence in both languages, in words that a person knows."""

import re
from pathlib import Path

import pytest

import proofs.verify
import verifier
from schemas.verification import Check, Outcome
from service.i18n import broken_translations, load_catalogues, missing_translations
from verifier.sentences import _BY_REASON, check_name, check_sentence, verdict_sentence
from verifier.verification import ALL_CHECKS, Verdict

ROOM = Path(verifier.__file__).parent
FORBIDDEN = re.compile(r"\b(credential|verifier|claim|presentation|attribute)", re.IGNORECASE)
SPECIFIC_BY_NAME = {
    "malformed", "bad_signature", "unexpected_type", "unexpected_key_binding", "other_holder", "bad_key_binding",
    "other_audience", "other_nonce", "bad_disclosures", "not_valid",
}  # fmt: skip


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """All sentences in both languages."""
    catalogues = load_catalogues(ROOM)
    found = []
    for language in ("sv", "en"):
        t = catalogues.translator(language)
        for name in ALL_CHECKS:
            found += [check_sentence(Check(name, outcome), t) for outcome in Outcome]
            found.append(check_name(Check(name, Outcome.PASSED), t))
        found += [check_sentence(Check("form", Outcome.FAILED, reason), t) for reason in _BY_REASON]
        found += [verdict_sentence(verdict, t) for verdict in Verdict]
    return found


def test_every_sentence_is_translated() -> None:
    """No text of the checks is missing in Swedish, none has broken placeholders."""
    assert not [place for place in missing_translations(ROOM).values() if "sentences.py" in place]
    assert broken_translations(ROOM) == []


def test_sentences_use_words_that_people_know(texts: list[str]) -> None:
    """The glossary's words, and at most 20 of them in a sentence (CS-41)."""
    for text in texts:
        assert not FORBIDDEN.search(text), text
        assert all(len(part.split()) <= 20 for part in text.split(".")), text


def test_every_reason_of_the_procedure_has_a_sentence() -> None:
    """A new reason in proofs needs a sentence here, or the one of its check."""
    listed = re.search(r"Reasons: (.*?)\.\n", proofs.verify.__doc__ or "", re.DOTALL)
    assert listed is not None
    reasons = set(re.split(r",\s+", listed[1].strip()))

    assert reasons - set(_BY_REASON) - SPECIFIC_BY_NAME == set()


def test_the_page_of_a_result_speaks_to_the_organisation_throughout() -> None:
    """In Swedish the checks say *ni*, since it is the organisation that asked: nothing beside them says *du*."""
    t = load_catalogues(ROOM).translator("sv")
    templates = [ROOM / "templates" / name for name in ("request.html", "result.html")]
    pages = "".join(template.read_text(encoding="utf-8") for template in templates)
    told = [t.text(msgid) for msgid in re.findall(r'_\("([^"]+)"', pages)]
    told += [verdict_sentence(verdict, t) for verdict in Verdict]

    assert len(told) > 40
    assert [text for text in told if re.search(r"\b(du|dig|din|ditt|dina)\b", text, re.IGNORECASE)] == []
