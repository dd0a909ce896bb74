"""A form that reaches the wallet after it was locked does nothing, whoever sent it; ours is told the way on."""

import re
from datetime import timedelta

import httpx2
import pytest
from fastapi.routing import iter_route_contexts

from tests.wallet.fake_verifier import FakeVerifier, credential, notice, query, with_optional
from tests.wallet.pages.test_share_pages import decide, look, person, text_of
from tests.wallet.test_pages import field, send
from tests.world import PASSPHRASE, World
from wallet.pages import access
from wallet.pages.access import LOCKED_MEANWHILE

OUR_FORM = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin", "Origin": "null"}
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://other.wallet.example"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    {},
]


@pytest.fixture
def employer(world: World) -> FakeVerifier:
    """A verifier that the wallet trusts."""
    made = FakeVerifier(world)
    world.wallet.trust(made.trust_entry)
    return made


def leave_lying(world: World) -> None:
    """The session ends, before the request does."""
    world.wallet.app.state.wallet.sessions.idle = timedelta(seconds=60)
    world.clock.move(minutes=2)


def test_a_form_left_lying_leads_through_the_door_and_back(world: World, employer: FakeVerifier) -> None:
    """The person is told that the wallet had locked and nothing was shared; what the server keeps is still ticked."""
    browser = person(world)
    asked = with_optional(credential(["family_name"]), credential(["credits"], query_id="extra"))
    page = look(browser, employer.ask(asked, notice=notice()).link())
    page = decide(browser, page, "", optional="1")
    leave_lying(world)

    form = {"csrf": field(page, "csrf"), "decision": "share", "optional": "1", "wanted": "/settings"}
    locked = browser.post(page.url.path, data=form, headers=OUR_FORM)

    assert (locked.status_code, LOCKED_MEANWHILE in text_of(locked)) == (200, True)
    assert field(locked, "wanted") == page.url.path
    assert employer.forms == []
    back = send(browser, locked, "/unlock", name="Maja", passphrase=PASSPHRASE, wanted=field(locked, "wanted"))
    assert back.url.path == page.url.path
    assert re.search(r'id="optional-1"[^>]*checked', back.text)


@pytest.mark.parametrize(
    ("sent_to", "page"),
    [
        ("/share/abc", "/share/abc"),
        ("/share/abc/confirm", "/share/abc/confirm"),
        ("/share/abc/again", "/share/abc"),
        ("/receive/look", "/receive"),
        ("/receive", "/receive"),
        ("/present", "/present"),
        ("/settings/language", "/settings"),
        ("/lock", "/"),
        ("/share/a%2Fb%5C..%2F%2Fevil.example", "/"),
        ("/share/%2F%2Fevil.example/again", "/"),
    ],
)
def test_it_leads_to_the_page_of_the_address_and_nowhere_else(world: World, sent_to: str, page: str) -> None:
    """Where it leads is read from our own routes; nothing that the form says is."""
    browser = world.wallet.browser()
    answer = browser.post(
        sent_to, data={"wanted": "https://evil.example", "link": "x"}, headers=OUR_FORM, follow_redirects=False
    )
    if answer.status_code == 404:
        assert page == "/"
        return
    assert (answer.status_code, answer.headers["location"]) == (303, page)


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("is_lapsed", [True, False])
def test_a_form_from_elsewhere_is_refused_as_ever(
    world: World, employer: FakeVerifier, headers: dict[str, str], is_lapsed: bool
) -> None:
    """Another site learns nothing and moves nothing, whether a wallet is open in this browser or not."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    if is_lapsed:
        leave_lying(world)

    for path, form in (
        (page.url.path, {"decision": "refuse"}),
        (f"{page.url.path}/confirm", {"decision": "share", "passphrase": PASSPHRASE}),
        ("/present", {"link": "client_id=x", "decision": "continue"}),
        ("/lock", {}),
    ):
        answer = browser.post(path, data=form, headers={"Accept": "text/html", **headers}, follow_redirects=False)
        assert (answer.status_code, "location" in answer.headers) == (403, False)
    assert employer.forms == []


def test_a_wrong_token_is_refused_while_the_wallet_is_open(world: World, employer: FakeVerifier) -> None:
    """It is no excuse of a form that it comes from this address."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())

    answer = browser.post(page.url.path, data={"csrf": "x", "decision": "refuse"}, headers=OUR_FORM)

    assert (answer.status_code, "forged_form" in answer.text) == (403, True)
    assert employer.forms == []


@pytest.mark.parametrize("path", ["/unlock", "/welcome", "/recover", "/unlock/passkey"])
def test_the_door_itself_takes_no_form_without_its_token(world: World, path: str) -> None:
    """That no wallet is open is the rule there: a login that somebody else made up is refused."""
    person(world)
    browser = world.wallet.browser()
    answer: httpx2.Response = browser.post(
        path, data={"name": "Maja", "passphrase": PASSPHRASE}, headers=OUR_FORM, follow_redirects=False
    )
    assert answer.status_code == 403


def test_a_script_is_told_and_the_sentence_is_left_for_the_page(world: World, employer: FakeVerifier) -> None:
    """A tick that a script sends is answered 401; the page it then loads anew says why."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    leave_lying(world)

    told = browser.post(page.url.path, data={"decision": "update"}, headers={**OUR_FORM, "Sec-Fetch-Dest": "empty"})

    assert told.status_code == 401
    assert LOCKED_MEANWHILE in text_of(browser.get(page.url.path))


def test_every_form_behind_the_door_has_a_page_to_lead_back_to(world: World) -> None:
    """The list of pages with forms is that of the routes: each can be read, and no form has one nearer."""
    routes = [one for one in iter_route_contexts(world.wallet.app.routes) if one.methods and one.path]
    read = {str(one.path).strip("/") for one in routes if "GET" in (one.methods or ())}
    assert {*access._WITH_FORMS} <= read
    for one in routes:
        parts = str(one.path).strip("/").split("/")
        above = ["/".join(parts[:length]) for length in range(len(parts), 0, -1)]
        nearest = next((page for page in above if page in read), "")
        if "POST" in (one.methods or ()) and nearest not in ("", "unlock", "unlock/passkey", "welcome", "recover"):
            assert nearest in access._WITH_FORMS, one.path
