"""The example of a form that is filled in from a wallet: a process beside the services, its pages, and its rules."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request as HTTPRequest
from urllib.request import urlopen

import pytest
from fastapi import Request

from examples.application_form.form import FIELDS, Form, Proven
from examples.application_form.page import WORDS, page
from examples.browsing import Browser
from examples.demo import EXAMPLE_SETTINGS
from examples.jobbspranget.running import running_application
from examples.services import Services
from examples.stories.job_application import job_application
from examples.stories.telling import Story, tell
from tests.applying import Visitor
from verifier.client import VerifierResult

SHARED = {
    "job_title": {"sv": "Systemutvecklare", "en": "Systems developer"},
    "employer": {"sv": "Fjordtal AB", "en": "Fjordtal Ltd"},
}


def result(*, accepted: bool = True, values: bool = True) -> VerifierResult:
    """What the verifier tells of a share of position and employer, and of something that the form has no place for."""
    told = [
        {"path": [name], "display": texts["en"], "display_sv": texts["sv"], "certificate": 1}
        for name, texts in SHARED.items()
    ]
    told.append({"path": ["issuing_country"], "display": "Sweden", "display_sv": "Sverige", "certificate": 1})
    document = {
        "presentations": [{"certificate": 1, "issuer_name": "Fjordtal AB"}],
        "values": told if values else None,
    }
    return VerifierResult("7", "number", "answered", accepted, "accepted", (), None, "2027-01-01", document)


def shown(kind: str, lang: str, **told: Any) -> str:
    """A page in a language."""
    scope = {"type": "http", "headers": [], "query_string": f"lang={lang}".encode(), "path": "/applications/n"}
    return bytes(page(Request(scope), kind, **told).body).decode()


def test_what_is_proven_and_what_is_typed_are_kept_apart() -> None:
    """Typing never changes what is proven, and what was typed comes back when the proof is taken back."""
    form = Form()
    form.type_in({"given_name": " Elin ", "job_title": "Boss", "nothing": "x"})
    form.fill_in(result())
    form.type_in({"given_name": "Elin", "family_name": "S", "job_title": "Owner of it all"})

    assert form.proven == {name: Proven(texts, "Fjordtal AB") for name, texts in SHARED.items()}
    assert form.missing() == []
    form.empty()
    assert not form.proven
    assert form.was_taken_back
    assert (form.typed["job_title"], form.typed["given_name"]) == ("Boss", "Elin")
    assert "nothing" not in form.typed
    assert [one.name for one in form.missing()] == ["employer"]


@pytest.mark.parametrize("told", [result(accepted=False), result(values=False)])
def test_what_did_not_hold_fills_nothing_in(told: VerifierResult) -> None:
    """Only an accepted result counts; one whose values are gone has nothing to fill in."""
    form = Form()
    form.fill_in(told)
    assert not form.proven
    assert not form.was_taken_back, "there was nothing"


@pytest.mark.parametrize("lang", ["sv", "en"])
def test_every_page_says_what_is_proven_and_what_is_typed(lang: str) -> None:
    """In both languages; a field has a label, a proven one cannot be written in, what is missing is named."""
    words, form = WORDS[lang], Form()
    form.type_in({"given_name": "<b>Elin</b>"})
    form.fill_in(result())
    on_form = shown("form", lang, form=form, missing=form.missing())
    for one in FIELDS:
        assert f'<label for="{one.name}">{one.labels[lang]}' in on_form
    assert f'id="job_title" value="{SHARED["job_title"][lang]}" readonly' in on_form
    assert f"{words['proven']} Fjordtal AB" in on_form
    assert 'name="job_title"' not in on_form
    assert 'href="#family_name"' in on_form
    assert 'aria-invalid="true"' in on_form
    assert "<b>" not in on_form
    assert f'<html lang="{lang}">' in on_form

    sent = shown("sent", lang, form=form)
    assert words["typed"] in sent
    assert words["nothing"] in sent
    form.empty()
    for kind in ("form", "sent"):
        emptied = shown(kind, lang, form=form)
        assert words["taken_back"] in emptied
        assert SHARED["job_title"][lang] not in emptied
    assert words["elsewhere"] in shown("elsewhere", lang)
    assert WORDS["sv"].keys() == WORDS["en"].keys()


@pytest.mark.processes
def test_a_form_is_filled_in_sent_and_emptied() -> None:
    """The whole way through a second process: filled in from the wallet beside what was typed, sent, taken back."""
    tell(Story(job_application))


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """A verifier alone."""
    with Services(tmp_path, settings=EXAMPLE_SETTINGS) as started:
        started.start("verifier", 0)
        yield started


@pytest.mark.processes
def test_a_form_by_hand_and_only_in_its_own_browser(services: Services) -> None:
    """Nothing needs a wallet; nobody else sees the form, nor sends it, nor fills it in by a code that was passed on."""
    with running_application(services, example="application_form") as (url, _):
        elin = Browser(language="sv")
        elin.opens(url)
        mine = elin.url.partition("?")[0]
        elin.presses("send", given_name="Elin")
        assert elin.reads("//*[@id='missing']//a") == ["Efternamn", "Senaste befattning", "Arbetsgivare"]
        assert elin.values("//input[@id='given_name']/@value") == ["Elin"], "what was written is still there"
        elin.presses("language")
        assert elin.reads("//h1") == ["Apply for a job"]

        other = Visitor()
        assert other.opens(f"{url}/")[0] == 303
        assert other.opens(mine)[0] == 403
        assert other.opens(f"{mine}?response_code=guessed")[0] == 403
        assert other.opens(f"{mine}/wallet")[0] == 403
        for path in ("fill", "send"):
            with pytest.raises(HTTPError, match="403"):
                urlopen(HTTPRequest(f"{mine}/{path}", b"given_name=Somebody"), timeout=20)

        elin.presses("send", given_name="Elin", family_name="Sjöberg", job_title="Utvecklare", employer="Fjordtal")
        assert elin.reads("//h1") == ["The application is sent"]
        assert "Employer Fjordtal Written by you" in elin.reads("//dl[@id='application']/div")
