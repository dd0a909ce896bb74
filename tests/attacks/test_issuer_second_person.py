"""The next person at the same browser, and a pushed request that was opened in time and is opened again much later."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import html

from issuer.authorization.pushed import OPENING_SECONDS
from schemas.learning.achievement import Identifier, Learner
from tests.issuer.fetching import Fetcher, records, running_fetcher


@pytest.fixture
def fetcher(tmp_path: Path) -> Iterator[Fetcher]:
    """An issuer with a record of one person."""
    with running_fetcher(tmp_path) as opened:
        yield opened


def test_an_expired_request_uri_is_refused_also_when_it_was_opened_before(fetcher: Fetcher) -> None:
    """RFC 9126, section 4: expired request_uri values MUST be rejected. `expires_in` told the wallet 590 seconds."""
    uri = fetcher.request_uri()
    assert fetcher.open(uri).status_code == 303
    opened = []
    for _ in range(4):
        fetcher.desk.clock.advance(minutes=29)
        opened.append(fetcher.open(uri).status_code)
    assert OPENING_SECONDS < 600
    assert opened == [400] * 4


def test_who_wants_to_sign_in_as_somebody_else_is_asked_who_they_are(fetcher: Fetcher) -> None:
    """OpenID Connect Core, 3.1.2.1: without `prompt` a provider that knows the browser answers at once, with the same
    person, whose record was not found."""
    fetcher.provider.person = {"sub": "2", "pnr": "19700101-1234"}
    page: Any = fetcher.sign_in(fetcher.open(fetcher.request_uri()))
    tree: Any = html.fromstring(page.text)
    (form,) = tree.xpath("//form[@id='again-form']")
    answer = fetcher.desk.client.post(
        fetcher.desk.settings.origin + form.get("action"),
        data={"csrf": tree.xpath("//input[@name='csrf']/@value")[0]},
        headers={"Accept": "text/html"},
    )
    shown: Any = html.fromstring(answer.text)
    (link,) = shown.xpath("//a[@id='to-sign-in']/@href")
    asked = parse_qs(urlsplit(link).query)
    assert set(asked.get("prompt", [""])[0].split()) & {"login", "select_account"} or asked.get("max_age") == ["0"]


def test_a_record_that_was_erased_before_the_yes_gives_no_certificate(fetcher: Fetcher) -> None:
    """Somebody at the source found it wrong and took it away while the person was reading. Whoever leaves out a course
    is told so (409); whoever takes all of it must not get what is not there any more."""
    page: Any = fetcher.sign_in(fetcher.open(fetcher.request_uri()))
    store = fetcher.desk.context.store.results
    (imported,) = store.list_imports()
    store.delete_import(imported.id)

    assert fetcher.decide(page).status_code == 409


@pytest.mark.parametrize(
    ("kind", "of_the_record", "of_the_sign_in"),
    [
        ("nationalIdentifier", "120423+2388", "120423-2388"),  # Born in 1912; born in 2012 (folkbokföringslagen, 18 §).
        ("localId", "AM-201-10457", "AM-2011-0457"),
        ("localId", "12/3", "1/23"),
    ],
)
def test_a_number_that_is_written_otherwise_is_another_persons(
    tmp_path: Path, kind: str, of_the_record: str, of_the_sign_in: str
) -> None:
    """Exactly or not at all (`issuer.recognition`): what stands between the parts of a number tells people apart."""
    somebody_else = Learner(
        family_name="Åström", given_name="Gunhild", identifiers=(Identifier(type=kind, value=of_the_record),)
    )
    kept = records("DT4011", learner=somebody_else)
    with running_fetcher(tmp_path, *kept, login_match=f"pnr=identifier:{kind}") as fetcher:
        fetcher.provider.person = {"sub": "1", "pnr": of_the_sign_in}
        page: Any = fetcher.sign_in(fetcher.open(fetcher.request_uri()))
        assert "Gunhild" not in page.text


def test_a_request_for_another_credential_issuer_is_refused(fetcher: Fetcher) -> None:
    """RFC 8707, section 2 (`invalid_target`); OpenID4VCI 5.1.2: `resource` names the credential issuer for which the
    wallet wants the token. A hostile issuer that lists us as its authorization server is sent a token of ours by the
    wallet; one without DPoP it can use here, with keys of its own."""
    assert fetcher.push(resource=fetcher.desk.issuer).status_code == 201
    answer = fetcher.push(resource="https://hostile.example")
    assert (answer.status_code, answer.json().get("error")) == (400, "invalid_target")


def test_a_token_is_not_asked_for_another_credential_issuer_either(fetcher: Fetcher) -> None:
    """Ours beside another is another as well; the code is as good as before."""
    hostile = "https://hostile.example"
    code = fetcher.allowed()
    for resource in (hostile, [fetcher.desk.issuer, hostile]):
        answer = fetcher.ask_token(code, resource=resource)
        assert (answer.status_code, answer.json().get("error")) == (400, "invalid_target")
    assert fetcher.ask_token(code, resource=fetcher.desk.issuer).status_code == 200


def test_who_opens_a_request_late_has_the_whole_time_to_decide(fetcher: Fetcher) -> None:
    """Its page, opened in time, is there for as long as the person has; the address of the request is not."""
    uri = fetcher.request_uri()
    fetcher.desk.clock.advance(seconds=OPENING_SECONDS - 1)
    page = fetcher.sign_in(fetcher.open(uri))
    fetcher.desk.clock.advance(minutes=29)
    assert fetcher.open(uri).status_code == 400
    assert fetcher.sent_back(fetcher.decide(page))["code"]


def test_a_first_sign_in_asks_nobody_twice(fetcher: Fetcher) -> None:
    """Whom the provider knows goes on at once, until they say that they are somebody else."""
    opened = fetcher.open(fetcher.request_uri())
    assert "prompt" not in parse_qs(urlsplit(opened.headers["location"]).query)
