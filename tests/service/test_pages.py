"""Pages: language, forms that only we can have made, messages, signing in."""

import re
from types import CodeType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment
from starlette.testclient import TestClient

from service.compiled_templates import CompiledTemplates
from service.pages import Pages
from tests.service.conftest import Sample


def token(client: TestClient, path: str = "/form") -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def test_a_page_has_language_landmarks_skip_link_and_a_heading_that_takes_the_focus(sample: Sample) -> None:
    page = sample.client().get("/form").text

    assert '<html lang="en">' in page
    assert page.index('class="skip-link" href="#main"') < page.index("<header")
    for landmark in ("<header", "<nav", '<main id="main"', "<footer"):
        assert landmark in page
    assert '<h1 id="page-title" tabindex="-1">Form</h1>' in page
    assert 'id="help-link"' in page


def test_swedish_comes_first_when_nothing_is_asked_for(sample: Sample) -> None:
    assert '<html lang="sv">' in sample.client(**{"Accept-Language": "fr"}).get("/form").text


def test_changing_language_keeps_the_address_and_is_remembered(sample: Sample) -> None:
    client = sample.client()
    page = client.get("/form?shown=a%26b&empty=").text

    link = re.search(r'id="language-sv" href="([^"]+)"', page)
    assert link
    other = client.get(link[1].replace("&amp;", "&")).text

    assert '<html lang="sv">' in other
    assert '<p id="shown">a&amp;b</p>' in other
    assert '<html lang="sv">' in client.get("/form").text


def test_what_an_outsider_sends_is_escaped(sample: Sample) -> None:
    page = sample.client().get("/form", params={"shown": "<script>alert(1)</script>"}).text

    assert "<script>alert" not in page


def test_a_form_of_ours_is_taken(sample: Sample) -> None:
    client = sample.client()

    answer = client.post("/form", data={"csrf": token(client)}, follow_redirects=False)

    assert answer.status_code == 303
    assert sample.seen == ["sent"]


@pytest.mark.parametrize("given_token", [None, "", "x", "å"])
def test_a_form_without_our_token_changes_nothing(sample: Sample, given_token: str | None) -> None:
    client = sample.client()
    token(client)

    answer = client.post("/form", data={} if given_token is None else {"csrf": given_token})

    assert answer.status_code == 403
    assert "forged_form" in answer.text
    assert sample.seen == []


def test_a_token_of_another_browser_is_worthless(sample: Sample) -> None:
    stolen = token(sample.client())
    victim = sample.client()
    token(victim)

    assert victim.post("/form", data={"csrf": stolen}).status_code == 403


def test_a_form_sent_from_another_site_is_refused_even_with_our_token(sample: Sample) -> None:
    client = sample.client()
    data = {"csrf": token(client)}

    assert client.post("/form", data=data, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post("/form", data=data, headers={"Sec-Fetch-Site": "same-site"}).status_code == 403
    assert sample.seen == []


def test_scripts_may_send_the_token_in_a_header(sample: Sample) -> None:
    client = sample.client()

    answer = client.post("/form", headers={"X-CSRF-Token": token(client)}, follow_redirects=False)

    assert answer.status_code == 303


def test_the_token_changes_when_somebody_signs_in(sample: Sample) -> None:
    client = sample.client()
    before = token(client)
    client.post("/enter")

    assert token(client) != before
    assert client.post("/form", data={"csrf": before}).status_code == 403


def test_a_message_is_shown_once_in_the_readers_language(sample: Sample) -> None:
    client = sample.client(**{"Accept-Language": "sv"})

    page = client.post("/form", data={"csrf": token(client)}).text

    assert "<p>Kopierat</p>" in page
    assert "<p>Kopierat</p>" not in client.get("/form").text


def test_nobody_else_can_make_our_page_say_something(sample: Sample) -> None:
    client = sample.client()
    client.post("/form", data={"csrf": token(client)}, follow_redirects=False)
    name = "intyga-sample-message-8000"
    body, _, tag = client.cookies[name].strip('"').partition(".")
    for forged in (f"{body}x.{tag}", f"{body}.{tag[:-1]}", body, "."):
        page = sample.client(Cookie=f"{name}={forged}").get("/form").text
        assert 'role="status"' not in page


def test_somebody_who_has_not_signed_in_is_sent_to_sign_in_and_back(sample: Sample) -> None:
    answer = sample.client().get("/secret?a=1&lang=en", follow_redirects=False)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fsecret%3Fa%3D1"
    program = sample.client(Accept="application/json").get("/secret")
    assert (program.status_code, program.json()["error"]) == (401, "login_required")


def test_the_menu_shows_what_the_reader_may_open(sample: Sample) -> None:
    client = sample.client()
    assert "/secret" not in client.get("/form").text

    client.post("/enter")

    page = client.get("/secret").text
    assert '<p id="shown">person-1</p>' in page
    assert 'href="/secret" aria-current="page"' in page
    assert 'id="session-warning"' in page


@given(st.text(max_size=40))
def test_going_on_after_signing_in_never_leads_elsewhere(path: str) -> None:
    safe = Pages.safe_next(path)

    assert safe.startswith("/")
    assert not safe.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "/a\nb", "", None, "/\t/e"]
)
def test_known_tricks_to_lead_elsewhere_end_at_the_start_page(path: str | None) -> None:
    assert Pages.safe_next(path) == "/"


def test_a_template_is_compiled_once_for_every_language_and_anew_when_its_text_is_another() -> None:
    compiled: list[str] = []

    class Counting(Environment):
        def _compile(self, source: str, filename: str) -> CodeType:
            compiled.append(source)
            return super()._compile(source, filename)

    def shown(text: str, said: str) -> str:
        environment = Counting(loader=DictLoader({"greeting.html": text}), bytecode_cache=CompiledTemplates())
        environment.globals["said"] = said
        return environment.get_template("greeting.html").render()

    first, other = "<p>{{ said }}</p><!-- compiled once -->", "<b>{{ said }}</b><!-- another -->"
    assert [shown(first, "hej"), shown(first, "hello")] == [
        "<p>hej</p><!-- compiled once -->",
        "<p>hello</p><!-- compiled once -->",
    ]
    assert len(compiled) == 1
    assert shown(other, "hej") == "<b>hej</b><!-- another -->"
    assert len(compiled) == 2
