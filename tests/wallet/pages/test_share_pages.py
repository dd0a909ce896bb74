"""The screens of a share and of the history, as a browser without scripts meets them."""

import io
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest
import qrcode
from starlette.testclient import TestClient

import wallet
from schemas.consent import Basis
from service.i18n import load_catalogues
from tests.wallet.fake_verifier import TRANSCRIPT, FakeVerifier, credential, notice, query, with_optional
from tests.wallet.test_pages import UNKNOWN_WORDS, collect, field, make_wallet, qr_picture, send
from tests.world import PASSPHRASE, World
from wallet.delivery import Delivery
from wallet.pages import share_view
from wallet.pages.share_words import BASES
from wallet.receipts import check_receipt
from wallet.remote_requests import RequestsOverHTTP


@pytest.fixture
def employer(world: World) -> FakeVerifier:
    """A verifier that the wallet trusts."""
    made = FakeVerifier(world)
    world.wallet.trust(made.trust_entry)
    return made


def person(world: World, *types: str, language: str = "en") -> TestClient:
    """A browser in which a person has a wallet with certificates."""
    browser = world.wallet.browser(language)
    make_wallet(browser)
    for type_name in types or ("micro-credential",):
        collect(browser, world.university.offer(type_name)[0].offer)
    return browser


def arrive(browser: TestClient, link: str) -> httpx2.Response:
    """Open a link of a request: the first screen."""
    return browser.get(f"/present?{link.partition('?')[2]}")


def look(browser: TestClient, link: str) -> httpx2.Response:
    """Say yes at the first screen: the decision screen."""
    page = arrive(browser, link)
    return send(
        browser, page, "/present", link=field(page, "link"), came_by=field(page, "came_by"), decision="continue"
    )


def decide(browser: TestClient, page: httpx2.Response, decision: str, **fields: str) -> httpx2.Response:
    """Press a button of the decision screen."""
    return send(browser, page, page.url.path, decision=decision, **fields)


def confirm(browser: TestClient, page: httpx2.Response, passphrase: str = PASSPHRASE) -> httpx2.Response:
    """Confirm on the confirming page."""
    return send(browser, page, page.url.path, decision="share", digest=field(page, "digest"), passphrase=passphrase)


def text_of(page: httpx2.Response) -> str:
    """The visible text of a page."""
    body = re.sub(r"<(script|style|head)\b.*?</\1>", " ", page.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def ticks(page: httpx2.Response) -> int:
    """How many boxes of a page are ticked."""
    return len(re.findall(r"<input [^>]*\bchecked\b[^>]*>", page.text))


OPTIONAL = with_optional(credential(["family_name"]), credential(["credits"], query_id="extra"))


def test_cs15_the_ground_leads_to_what_it_means(world: World, employer: FakeVerifier) -> None:
    """The link on the decision leads to our own words for every ground, in both languages."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    assert 'href="/help#grounds"' in page.text

    for language in ("sv", "en"):
        told = browser.get(f"/help?lang={language}")
        assert 'id="grounds"' in told.text
        t = load_catalogues(Path(wallet.__file__).parent).translator(language)
        assert [basis for basis in Basis if t(BASES[basis]) not in text_of(told)] == []


# --- S0 ---------------------------------------------------------------------------------------------------------------


def test_s0_the_host_first_and_nothing_is_fetched(world: World, employer: FakeVerifier) -> None:
    """The page names the host and asks; the verifier is not spoken to before the yes."""
    browser = person(world)

    page = arrive(browser, employer.ask(query(["family_name"]), notice=notice()).link())

    assert "Did you start this yourself, just now, at employer.example?" in text_of(page)
    assert employer.fetches == []
    stopped = send(browser, page, "/present", link=field(page, "link"), decision="stop")
    assert "Nothing was fetched" in text_of(stopped)
    assert employer.fetches == []
    assert "employer.example" in text_of(browser.get("/history"))


def test_s0_enter_only_shows_the_question_again(world: World, employer: FakeVerifier) -> None:
    """The first button decides nothing."""
    browser = person(world)
    page = arrive(browser, employer.ask(query(["family_name"])).link())

    again = send(browser, page, "/present", link=field(page, "link"), decision="")

    assert "Did you start this yourself" in text_of(again)
    assert employer.fetches == []


def test_s0_a_pasted_link_and_a_picture_say_how_they_came(world: World, employer: FakeVerifier) -> None:
    """What may come from somebody else's screen is named as such."""
    browser = person(world)
    link = employer.ask(query(["family_name"])).link()

    pasted = send(browser, browser.get("/receive"), "/receive", link=link)
    picture = io.BytesIO()
    pictures: Any = qrcode  # The library has no types.
    pictures.make(link).save(picture)
    form = browser.get("/receive")
    photographed = browser.post(
        "/receive", data={"csrf": field(form, "csrf")}, files={"picture": ("qr.png", picture.getvalue(), "image/png")}
    )

    assert "It came by a link that you pasted." in text_of(pasted)
    assert "It came by a picture of a QR code." in text_of(photographed)
    assert employer.fetches == []


@pytest.mark.parametrize("said", ["code", "picture", "pasted", "command"])
def test_s0_a_link_cannot_say_how_it_came(world: World, employer: FakeVerifier, said: str) -> None:
    """OA-12: who sends a link does not decide what the first screen and the history say of how it came."""
    browser = person(world)
    link = employer.ask(query(["family_name"]), notice=notice()).link()

    page = browser.get(f"/present?came_by={said}&{link.partition('?')[2]}")
    again = send(browser, page, "/present", link=field(page, "link"), came_by=field(page, "came_by"))
    shown = send(
        browser, again, "/present", link=field(again, "link"), came_by=field(again, "came_by"), decision="continue"
    )

    for asked in (page, again):
        assert "It came by a link that was opened in this browser." in text_of(asked)
    history = browser.get(shown.url.path.replace("/share/", "/history/"))
    assert "It came by a link that was opened in this browser." in text_of(history)


@pytest.mark.parametrize("is_picture", [False, True])
def test_s0_a_code_says_whether_it_was_typed_or_photographed(
    world: World, employer: FakeVerifier, is_picture: bool
) -> None:
    """A code in a picture may be from anybody's screen: it is not said to be typed."""
    browser = person(world)
    link = employer.ask(query(["family_name"])).link()
    code = "relay.example/4K7M29QX3T"

    def typed(request: httpx2.Request) -> httpx2.Response | None:
        return httpx2.Response(200, json={"request": link}) if request.url.path == "/4K7M29QX3T" else None

    form = browser.get("/receive")
    given: dict[str, Any] = {"data": {"csrf": field(form, "csrf")} | ({} if is_picture else {"link": code})}
    if is_picture:
        given["files"] = {"picture": ("qr.png", qr_picture(code), "image/png")}
    page = browser.post("/receive", **given)
    with world.network.answering(typed):
        page = send(browser, page, "/receive/look", link=field(page, "link"), came_by=field(page, "came_by"))

    how = "It came by a picture of a QR code." if is_picture else "It came by a code that you typed."
    asked = (
        "Did you start this yourself, just now, at employer.example?"
        if is_picture
        else "Did you get this code from employer.example, or do you expect this request?"
    )
    assert how in text_of(page)
    assert asked in text_of(page)
    assert employer.fetches == []


def test_s0_a_host_that_was_confirmed_with_its_code_is_not_asked_about_again(
    world: World, employer: FakeVerifier
) -> None:
    """After the yes to the host of a typed code its request is shown; the warning stood on the page of the code."""
    browser = person(world)
    link = employer.ask(query(["family_name"]), notice=notice()).link()

    def typed(request: httpx2.Request) -> httpx2.Response | None:
        return httpx2.Response(200, json={"request": link}) if request.url.path == "/4K7M29QX3T" else None

    page = send(browser, browser.get("/receive"), "/receive", link="employer.example/4K7M29QX3T")
    assert "Did you get this code from them, or do you expect it?" in text_of(page)
    assert "so somebody else may have started it" in text_of(page)
    with world.network.answering(typed):
        page = send(browser, page, "/receive/look", link=field(page, "link"), came_by=field(page, "came_by"))

    assert "wants to see 1 thing about you" in text_of(page)
    assert "It came by a code that you typed." in text_of(browser.get(page.url.path.replace("share", "history")))


def test_s0_a_code_that_somebody_gave_can_be_reported_at_once(world: World, employer: FakeVerifier) -> None:
    """On the page of the code, before its host has been asked for anything."""
    browser = person(world)
    page = send(browser, browser.get("/receive"), "/receive", link="employer.example/4K7M29QX3T")

    page = send(
        browser, page, "/receive/look", link=field(page, "link"), came_by=field(page, "came_by"), decision="report"
    )

    assert page.url.path.endswith("/report")
    assert "employer.example" in text_of(page)
    assert world.network.asked("/4K7M29QX3T") == 0


def test_s0_a_link_survives_signing_in(world: World, employer: FakeVerifier) -> None:
    """Somebody whose wallet is locked stands before the same question after opening it."""
    person(world)
    browser = world.wallet.browser()
    locked = arrive(browser, employer.ask(query(["family_name"])).link())

    page = send(browser, locked, "/unlock", name="Maja", passphrase=PASSPHRASE, wanted=field(locked, "wanted"))

    assert "just now, at employer.example?" in text_of(page)


@pytest.mark.parametrize(
    ("query_part", "code"),
    [
        ("client_id=a&request_uri=https://h.example/&request_uri_method=POST", "invalid_request_uri_method"),
        ("client_id=a&client_id=b", "invalid_request"),
    ],
)
def test_s0_a_faulty_link_shows_its_code(world: World, query_part: str, code: str) -> None:
    """What happened, what was not lost, and the protocol's code as text."""
    page = person(world).get(f"/present?{query_part}")

    assert page.status_code == 400
    assert f'<code id="error-code">{code}</code>' in page.text
    assert "Nothing was shared" in text_of(page)


def test_s0_an_unreachable_sender_is_told_and_recorded(world: World, employer: FakeVerifier) -> None:
    """Nothing is lost, the person can try again, and the history has it."""
    browser = person(world)
    link = employer.ask(query(["family_name"])).link()

    with world.network.cut_before("/request/r1"):
        page = look(browser, link)

    assert page.status_code == 502
    assert "The request could not be fetched" in text_of(page)
    assert "Faulty request" in text_of(browser.get("/history"))
    assert look(browser, link).status_code == 200


# --- S1, S2 -----------------------------------------------------------------------------------------------------------


def test_s2_says_who_why_until_when_and_what(world: World, employer: FakeVerifier) -> None:
    """In this order: who asks and how sure we are, why, until when, what, what stays, the two buttons."""
    browser = person(world)
    items = [
        {
            "credential": "certificate",
            "path": ["family_name"],
            "reason": {"sv": "Vi vill veta vem du är.", "en": "We want to know who you are."},
        }
    ]

    page = look(browser, employer.ask(OPTIONAL, notice=notice(items=items)).link())

    order = [
        "Exempelbolaget AB wants to see 1 thing about you",
        "Who asks",
        "They are on this wallet's own list",
        "The answer goes to employer.example. You have not shared with them before.",
        "Why",
        "We check your application.",
        "Said by Exempelbolaget AB",
        "Kept until 18 February 2027",
        "What they would see",
        "Family name",
        "Sjöberg",
        "We want to know who you are.",
        "Optional. You can leave these out.",
        "ECTS credits",
        "What stays with you",
        "date of birth",
        "They cannot tell whether you lack the data or chose not to share.",
        "Share 1 item",
        "Don't share",
    ]
    text, place = text_of(page), 0
    for words in order:
        place = text.index(words, place)


def test_s1_who_confirms_the_sender_is_named_unless_it_is_the_sender(world: World) -> None:
    """A list that names somebody else vouches for the sender; one that names the sender is this wallet's own word."""
    employer = FakeVerifier(world)
    world.wallet.trust(replace(employer.trust_entry, name="Nätverket"))
    link = employer.ask(OPTIONAL, notice=notice()).link()

    page = text_of(look(person(world), link))

    assert "Confirmed by Nätverket, whom this wallet trusts" in page
    assert "own list" not in page


def test_cs01_nothing_is_selected_or_focused(world: World, employer: FakeVerifier) -> None:
    """No ticked box, no focus, and the first button of the form shows the page again."""
    page = look(person(world), employer.ask(OPTIONAL, notice=notice()).link())

    assert ticks(page) == 0
    assert "autofocus" not in page.text
    form = page.text[page.text.index('id="share-form"') :]
    first = re.search(r"<button[^>]*>", form)
    assert first is not None
    assert 'value=""' in first[0]


def test_cs01_enter_leaves_without_sharing(world: World, employer: FakeVerifier) -> None:
    """What the Enter key sends keeps the ticks and shares nothing, on both screens."""
    browser = person(world)
    page = look(browser, employer.ask(OPTIONAL, notice=notice()).link())

    again = decide(browser, page, "", optional="1")
    confirming = decide(browser, again, "share", optional="1")
    entered = send(
        browser, confirming, confirming.url.path, decision="", digest=field(confirming, "digest"),
        passphrase=PASSPHRASE,
    )  # fmt: skip

    assert ticks(again) == 1
    assert "Share 2 items with Exempelbolaget AB until 18 February 2027" in text_of(entered)
    assert "Nothing was shared. Press the button when you are sure." in text_of(entered)
    assert employer.forms == []


def test_cs02_required_items_have_no_boxes(world: World, employer: FakeVerifier) -> None:
    """The required block is without ticks; each optional part has one of its own."""
    page = look(person(world), employer.ask(OPTIONAL, notice=notice()).link())

    required = page.text[page.text.index('id="required"') : page.text.index('id="optional"')]
    assert "checkbox" not in required
    assert page.text.count('type="checkbox"') == 1
    assert "Leaving them out has no effect on the rest." in text_of(page)


def test_cs03_what_always_comes_with_it_is_listed(world: World, employer: FakeVerifier) -> None:
    """What the format cannot hide stands on the screen with its values."""
    page = look(person(world), employer.ask(query(["family_name"]), notice=notice()).link())

    text = text_of(page)
    assert "They always see what kind of certificate it is, who issued it" in text
    always = page.text[page.text.index('id="always"') :]
    assert "Issued by" in always[:3000]


def test_cs13_what_stays_is_counted(world: World, employer: FakeVerifier) -> None:
    """Three names, and how many more there are: nobody thinks that these are all."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())

    behind = re.search(r"Not shared from [^:]+: date of birth, grade, given name and (\d+) more\.", text_of(page))

    assert behind is not None
    card = text_of(browser.get(re.findall(r'href="(/certificates/[0-9a-f]+)"', browser.get("/").text)[0]))
    (hideable,) = re.findall(r"You can leave out any of (\d+) items", card)
    assert int(behind[1]) == int(hideable) - 1 - 3


def test_cs12_numbers_are_localised_and_long_values_expand(
    world: World, employer: FakeVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """7.5 or 7,5; a value longer than a screen shows its beginning, and the whole of it when it is opened."""
    monkeypatch.setattr(share_view, "_LONG_VALUE", 40)
    browser = person(world)
    page = look(browser, employer.ask(query(["credits"], ["learning_outcomes"]), notice=notice()).link())
    swedish = browser.get(f"{page.url.path}?lang=sv")

    numbers = [set(re.findall(r"\b7[.,]5\b", text_of(one))) for one in (page, swedish)]
    assert numbers == [{"7.5"}, {"7,5"}]
    long = "Carry out a risk analysis with an established method"
    opened = f'<details><summary>{long}…</summary><div class="details-body"><p>{long}</p></div></details>'
    assert opened in page.text


def test_cs30_titles_come_from_the_certificate_that_is_held(world: World, employer: FakeVerifier) -> None:
    """The history shows the title while the certificate is there; the receipt names only its type."""
    browser = person(world)
    done = confirm(
        browser,
        decide(browser, look(browser, employer.ask(query(["family_name"]), notice=notice()).link()), "share"),
    )
    entry = browser.get(re.findall(r'href="(/history/[0-9a-f]+)"', done.text)[0])
    receipt = browser.get(f"{entry.url.path}/receipt")

    assert "Computer Security" in text_of(entry)
    assert "1 entry" in text_of(browser.get("/history?certificate=computer&outcome=shared"))
    assert "Computer Security" not in receipt.text
    assert "Family name – Short course certificate" in text_of(receipt)


def test_cs10_words_of_others_are_quoted_and_harmless(world: World, employer: FakeVerifier) -> None:
    """A purpose that tries to be a part of the page stays a quotation."""
    said = notice(purpose={"en": "<b>Share now</b> <script>alert(1)</script> We are your bank."})

    page = look(person(world), employer.ask(query(["family_name"]), notice=said).link())

    assert "<script>alert" not in page.text
    assert "<b>Share now</b>" not in page.text
    assert re.search(r"<blockquote[^>]*>&lt;b&gt;Share now", page.text)


def test_cs14_what_is_not_declared_is_told(world: World, employer: FakeVerifier) -> None:
    """Recipients, processors, countries and machine decisions: declared, "none", or "not stated"."""
    browser = person(world)
    silent = look(browser, employer.ask(query(["family_name"]), notice=notice(recipients=None, basis=None)).link())
    open_hearted = look(
        browser,
        employer.ask(
            query(["family_name"]),
            notice=notice(
                recipients=[{"en": "Payroll Ltd"}],
                processors=[{"en": "Hosting <b>Ltd</b>"}, {"sv": "Posten"}],
                countries=["NO"],
                automated_decisions=True,
            ),
        ).link(),
    )
    nobody = look(browser, employer.ask(query(["family_name"]), notice=notice(processors=[])).link())

    assert text_of(silent).count("Not stated") >= 6
    assert "Handled for them by Not stated" in text_of(silent)
    for words in ("Payroll Ltd", "Handled for them by Hosting <b>Ltd</b> and Posten", "Norway", "Yes, they say"):
        assert words in text_of(open_hearted)
    assert "Handled for them by Nobody else, they say" in text_of(nobody)


def test_cs15_the_ground_is_said_in_plain_words(world: World, employer: FakeVerifier) -> None:
    """With a link to what it means; consent gives every item a tick of its own."""
    page = look(person(world), employer.ask(query(["family_name"]), notice=notice(basis="consent")).link())

    assert "Your consent. They may use it only as long as you agree." in text_of(page)
    assert 'href="/help#grounds"' in page.text
    assert "Yes, show Family name" in text_of(page)


def test_cs18_sharing_without_a_needed_yes_points_at_it(world: World, employer: FakeVerifier) -> None:
    """The page names what needs a yes and leads there; nothing is shared, nothing entered is lost."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), notice=notice(basis="consent")).link())

    refused = decide(browser, page, "share")
    tick = re.search(r'name="yes" value="([^"]*)"', refused.text)
    assert tick is not None
    agreed = decide(browser, refused, "share", yes=tick[1])

    assert "Nothing was shared. Some things need a yes of their own:" in text_of(refused)
    assert "Your passphrase" in text_of(agreed)
    assert employer.forms == []


def test_s2c_at_most_three_warnings(world: World) -> None:
    """An unproven sender that says nothing at all gets warnings, the most serious first, and no more than three."""
    stranger = FakeVerifier(world, "shop.example")

    page = look(person(world), stranger.ask(query(["family_name"])).link())

    found = re.findall(r'id="warning-([a-z_]+)"', page.text)
    assert found[0] == "unproven"
    more = re.findall(r'<details id="warnings-more".*</details>', page.text, re.DOTALL)
    assert len(found) - len(re.findall(r'id="warning-', "".join(more))) <= 3
    assert "It says it is" in text_of(page)


def test_cs22_refusing_is_one_step_and_looks_the_same(world: World, employer: FakeVerifier) -> None:
    """Same class, same place, one press; no words of loss."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    share, refuse = (
        re.search(rf'<button class="([^"]*)" id="{name}"', page.text) for name in ("decide-share", "decide-refuse")
    )
    assert share is not None
    assert refuse is not None
    assert share[1] == refuse[1]

    outcome = decide(browser, page, "refuse")

    assert employer.answers == [{"error": "access_denied", "state": "state-r1"}]
    assert "Not shared" in text_of(outcome)


def test_cs23_not_having_it_offers_the_same_no(world: World, employer: FakeVerifier) -> None:
    """The person learns what is missing and may answer no, or nothing at all."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"], vct="urn:other"), notice=notice()).link())

    assert "You do not have what Exempelbolaget AB asks for" in text_of(page)
    decide(browser, page, "refuse")
    assert employer.answers == [{"error": "access_denied", "state": "state-r1"}]


def test_cs28_a_request_that_ended_can_be_fetched_anew(world: World, employer: FakeVerifier) -> None:
    """The page says so, keeps what it can, and offers a new one."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    confirming = decide(browser, page, "share")
    world.clock.move(minutes=8)

    ended = confirm(browser, confirming)
    renewed = send(browser, ended, f"{ended.url.path}/renew")

    assert "The request has ended" in text_of(ended)
    assert employer.forms == []
    assert "wants to see 1 thing about you" in text_of(renewed)


def test_a_fault_is_told_to_the_sender_only_when_the_person_says_so(world: World, employer: FakeVerifier) -> None:
    """ "Tell them" posts the code and nothing else, once."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), transaction_data=["e30"]).link())

    assert '<code id="error-code">invalid_transaction_data</code>' in page.text
    assert employer.forms == []
    told = send(browser, page, f"{page.url.path}/tell")

    assert employer.answers == [{"error": "invalid_transaction_data", "state": "state-r1"}]
    assert "Tell them" not in text_of(told)
    assert "Go back to" not in text_of(told)


def test_a_fault_is_told_encrypted_where_answers_are(world: World, employer: FakeVerifier) -> None:
    """An error comes by the response mode that was asked for (5.6); in clear only where no key can be used (8.3.1)."""
    browser = person(world)
    changes: list[dict[str, Any]] = [{}, {"client_metadata": {"jwks": {"keys": []}}}]
    for change in changes:
        asked = employer.ask(query(["family_name"]), transaction_data=["e30"], encrypted=True, **change)
        page = look(browser, asked.link())
        send(browser, page, f"{page.url.path}/tell")

    assert [set(form) for form in employer.forms] == [{"response"}, {"error", "state"}]
    assert (employer.answers[0]["error"], employer.answers[0]["state"]) == ("invalid_transaction_data", "state-r1")


def test_a_sender_who_was_told_may_send_the_person_back(world: World, employer: FakeVerifier) -> None:
    """A recipient may continue there after an error as well (8.2): at once, and by an ordinary link afterwards."""
    employer.reply = {"redirect_uri": "https://employer.example/back#code"}
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), transaction_data=["e30"]).link())

    told = send(browser, page, f"{page.url.path}/tell")
    later = browser.get(page.url.path)

    assert 'content="0; url=https://employer.example/back#code"' in told.text
    assert 'http-equiv="refresh"' not in later.text
    for shown in (told, later):
        assert 'href="https://employer.example/back#code"' in shown.text
        assert "Go back to employer.example" in text_of(shown)


@pytest.mark.parametrize(
    ("failure", "said", "again", "noted"),
    [
        (httpx2.ConnectError("cut"), "They were not told: they could not be reached.", True, ""),
        (
            httpx2.ReadError("cut"),
            "Whether they were told is not known: no answer came.",
            False,
            "The code of the fault was sent to them, but no reply came",
        ),
    ],
)
def test_nobody_is_said_to_have_been_told_who_was_not(
    world: World, employer: FakeVerifier, failure: httpx2.TransportError, said: str, again: bool, noted: str
) -> None:
    """What certainly did not leave can be sent again, and the history does not claim it."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), transaction_data=["e30"]).link())

    def fail(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path == "/response":
            raise failure
        return None

    with world.network.answering(fail):
        told = send(browser, page, f"{page.url.path}/tell")
    history = text_of(browser.get(page.url.path.replace("/share/", "/history/")))

    assert said in text_of(told)
    assert ("Tell them" in text_of(told)) is again
    assert "They were told the code" not in text_of(told)
    assert "They were told" not in history
    assert noted in history


@pytest.mark.parametrize("is_sent", [False, True])
def test_d04_dying_while_telling_leaves_unknown(
    world: World, employer: FakeVerifier, monkeypatch: pytest.MonkeyPatch, is_sent: bool
) -> None:
    """The wallet ends before or after the code has left: nobody is said to have been told, and it can be told again
    once the line of the first try cannot be open any more."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), transaction_data=["e30"]).link())
    really = RequestsOverHTTP.post_answer

    async def die(self: RequestsOverHTTP, url: str, form: dict[str, str]) -> Delivery:
        if is_sent:
            await really(self, url, form)
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(RequestsOverHTTP, "post_answer", die)
        assert send(browser, page, f"{page.url.path}/tell").status_code == 500
    history = page.url.path.replace("/share/", "/history/")

    shown = text_of(browser.get(page.url.path))
    assert "Whether it arrived is not known" in shown
    assert "They were told" not in shown
    assert "Tell them" not in shown
    assert "You chose to tell them of the fault; whether it reached them is not known" in text_of(browser.get(history))

    world.clock.move(minutes=2)
    again = browser.get(page.url.path)
    assert "Whether it arrived is not known" in text_of(again)
    told = send(browser, again, f"{page.url.path}/tell")
    assert "They were told the code of the fault" in text_of(told)
    assert "not known" not in text_of(told)
    assert len(employer.forms) == 1 + is_sent
    happened = text_of(browser.get(history))
    assert "They were told of the fault" in happened
    assert happened.count("whether it reached them is not known") == 1, "of the first try nobody knows"


def test_a_sender_who_does_not_fit_is_warned_of_under_the_code_of_the_specification(
    world: World, employer: FakeVerifier
) -> None:
    """The code is that of any faulty request (8.5); the person is told not to go on, and so says the history."""
    asked = employer.ask(query(["family_name"]))
    asked.parameters["client_id"] = "x509_hash:somebody-else"
    browser = person(world)
    page = look(browser, asked.link())

    assert '<code id="error-code">invalid_request</code>' in page.text
    for told in (page, browser.get(page.url.path.replace("/share/", "/history/"))):
        assert "The sender does not fit the request" in text_of(told)


def test_the_sender_of_a_fault_who_is_unproven_is_never_told(world: World) -> None:
    """There is no such button, and posting to its address anyhow does nothing."""
    stranger = FakeVerifier(world, "shop.example")
    browser = person(world)
    page = look(browser, stranger.ask(query(["family_name"]), transaction_data=["e30"]).link())

    assert "Tell them" not in text_of(page)
    assert send(browser, browser.get("/settings"), f"{page.url.path}/tell").status_code == 404
    assert stranger.forms == []


# --- S3, S4 -----------------------------------------------------------------------------------------------------------


def test_s3_repeats_what_is_shared_and_takes_the_passphrase(world: World, employer: FakeVerifier) -> None:
    """A wrong passphrase shares nothing and says so; the right one delivers."""
    browser = person(world)
    page = decide(browser, look(browser, employer.ask(OPTIONAL, notice=notice()).link()), "share", optional="1")
    assert "Share 2 items with Exempelbolaget AB until 18 February 2027" in text_of(page)

    wrong = confirm(browser, page, "something else")
    assert [one.status_code for one in wrong.history] == [303], "going back asks nobody to send a passphrase again"
    assert "This is not your passphrase. Nothing was shared." in text_of(wrong)
    assert "This is not your passphrase" not in text_of(browser.get(page.url.path))
    assert "Det är inte din lösenfras." in text_of(browser.get(f"{page.url.path}?told=passphrase&lang=sv"))
    browser.get(f"{page.url.path}?lang=en")
    assert employer.forms == []
    done = confirm(browser, wrong)

    assert "2 items were delivered: Family name and ECTS credits." in text_of(done)
    for shown in (page, done):
        along = "the kind of certificate, who issued it, how long it is valid, country and title"
        assert f"Always with it: {along}." in text_of(shown)
    assert len(employer.forms) == 1


def test_s3_passphrases_cannot_be_tried_without_end(world: World, employer: FakeVerifier) -> None:
    """Whoever finds an open wallet has ten tries in five minutes, and nothing is shared by the eleventh."""
    browser = person(world)
    page = decide(browser, look(browser, employer.ask(OPTIONAL, notice=notice()).link()), "share")

    wrong = [confirm(browser, page, f"guess {n}") for n in range(10)]
    last = confirm(browser, page)

    assert all("This is not your passphrase." in text_of(one) for one in wrong)
    assert "Too many attempts. Nothing was shared." in text_of(last)
    assert employer.forms == []


def test_cs25_an_approval_of_an_older_page_is_shown_again(world: World, employer: FakeVerifier) -> None:
    """Two windows: what was confirmed in one is not what the other shows."""
    browser = person(world)
    page = look(browser, employer.ask(OPTIONAL, notice=notice()).link())
    confirming = decide(browser, page, "share")
    decide(browser, page, "update", optional="1")

    refused = confirm(browser, confirming)

    assert "Something has changed since you looked. Nothing was shared." in text_of(refused)
    assert employer.forms == []


def test_s4_the_browser_is_sent_on_once_and_the_link_stays(world: World, employer: FakeVerifier) -> None:
    """In the same-device flow the outcome page leads on at once, without a script and without a form."""
    employer.reply = {"redirect_uri": "https://employer.example/done#response_code=abc"}
    browser = person(world)
    page = decide(browser, look(browser, employer.ask(query(["family_name"]), notice=notice()).link()), "share")

    done = confirm(browser, page)

    assert '<meta http-equiv="refresh" content="0; url=https://employer.example/done#response_code=abc">' in done.text
    assert 'href="https://employer.example/done#response_code=abc"' in done.text
    again = browser.get(done.url.path)
    assert "http-equiv" not in again.text
    assert 'id="return"' in again.text


def test_s4_an_unknown_outcome_says_so_and_can_be_sent_again(world: World, employer: FakeVerifier) -> None:
    """We do not know whether it arrived; the same answer goes once more only when the person asks."""
    browser = person(world)
    page = decide(browser, look(browser, employer.ask(query(["family_name"]), notice=notice()).link()), "share")

    with world.network.lose_answer("/response"):
        unknown = confirm(browser, page)
    assert "We do not know whether it arrived" in text_of(unknown)
    done = send(browser, unknown, unknown.url.path.replace("outcome", "again"))

    assert "Shared with Exempelbolaget AB" in text_of(done)
    assert employer.forms[0] == employer.forms[1]


def test_a_request_is_decided_once(world: World, employer: FakeVerifier) -> None:
    """Pressing the buttons of an old page again changes nothing."""
    browser = person(world)
    asked = employer.ask(query(["family_name"]), notice=notice())
    page = look(browser, asked.link())
    confirming = decide(browser, page, "share")
    decide(browser, page, "refuse")

    assert "Not shared" in text_of(confirm(browser, confirming))
    assert "You have answered this request already" in text_of(look(browser, asked.link()))
    assert len(employer.forms) == 1


# --- S5, S6 and receipts ----------------------------------------------------------------------------------------------


def test_s5_what_waits_can_be_gone_on_with(world: World, employer: FakeVerifier) -> None:
    """A request that was left open is found again in the history, until its time is over."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    entry = browser.get(page.url.path.replace("share", "history"))

    assert "Waiting for you" in text_of(entry)
    assert f'href="{page.url.path}"' in entry.text
    world.clock.move(minutes=10)
    assert "No answer given" in text_of(browser.get(entry.url.path))


def test_s2c_asking_why_is_a_letter(world: World, employer: FakeVerifier) -> None:
    """With a warning there is one thing to do: a prepared letter that names the items and nothing about the person."""
    asked = employer.ask(query(["family_name"]), notice=notice(retention=None))
    page = look(person(world), asked.link())

    letter = re.search(r'href="(mailto:[^"]*)"', page.text)
    assert letter is not None
    assert letter[1].startswith("mailto:dataskydd@employer.example?subject=")
    assert "Sj" not in letter[1]


def test_s5_the_history_is_filtered_by_plain_words(world: World, employer: FakeVerifier) -> None:
    """Who, what came of it, when; a wrong date is named and mended."""
    browser = person(world)
    decide(browser, look(browser, employer.ask(query(["family_name"]), notice=notice()).link()), "refuse")

    assert "Exempelbolaget AB" in text_of(browser.get("/history?who=exempel"))
    assert "Nothing in the sharing history fits this." in text_of(browser.get("/history?who=nobody"))
    assert "1 entry" in text_of(browser.get("/history?outcome=refused"))
    assert "Nothing in the sharing history fits this." in text_of(browser.get("/history?since=2030-01-01"))
    assert browser.get("/history?since=yesterday").status_code == 400


def test_s6_what_was_asked_names_what_nothing_here_answers(world: World, employer: FakeVerifier) -> None:
    """An optional part that the person lacks was asked for all the same, and stands in the history by its name."""
    browser = person(world)
    asked = with_optional(credential(["family_name"]), credential(["prerequisites_to_enroll"], query_id="extra"))
    done = confirm(browser, decide(browser, look(browser, employer.ask(asked, notice=notice()).link()), "share"))

    address = re.findall(r'href="(/history/[0-9a-f]+)"', done.text)[0]

    assert "What was asked Family name Prerequisites to enrol" in text_of(browser.get(address))
    assert "Förkunskapskrav" in text_of(browser.get(f"{address}?lang=sv"))


def test_s6_the_entry_says_whom_to_turn_to(world: World, employer: FakeVerifier) -> None:
    """What was asked, what went, until when, days left, and the recipient's contact for taking back."""
    browser = person(world)
    page = decide(browser, look(browser, employer.ask(OPTIONAL, notice=notice()).link()), "share")
    done = confirm(browser, page)
    entry = browser.get(re.findall(r'href="(/history/[0-9a-f]+)"', done.text)[0])

    text = text_of(entry)
    for words in ("90 days left", "dataskydd@employer.example", "article 17", "You left out: ECTS credits.", "IMY"):
        assert words in text
    before, _, values = entry.text.partition('id="values"')
    assert "Sjöberg" in values.partition("</details>")[0], "CS-30: from the certificate, folded away"
    assert "Sjöberg" not in before + values.partition("</details>")[2]


def test_cs29_the_receipt_is_a_page_and_a_file(world: World, employer: FakeVerifier) -> None:
    """Both tell the same, name the language shown, and hold no value."""
    browser = person(world)
    done = confirm(
        browser,
        decide(browser, look(browser, employer.ask(query(["family_name"]), notice=notice()).link()), "share"),
    )
    address = re.findall(r'href="(/history/[0-9a-f]+/receipt)"', done.text)[0]

    page, swedish, file = browser.get(address), browser.get(f"{address}?lang=sv"), browser.get(f"{address}.json")

    for said in ("Language shown to you English", "Asked ", "Decided ", "come its kind, its issuer and how long"):
        assert said in text_of(page)
    assert "syns alltid vilken typ av intyg det är" in text_of(browser.get(address.removesuffix("/receipt")))
    assert "Kvitto" in text_of(swedish)
    receipt = check_receipt(file.json()["jwt"])
    assert receipt.claims() == file.json()["receipt"]
    assert receipt.language == "en"
    for shown in (page, swedish, file):
        assert "Sjöberg" not in shown.text


def test_another_persons_share_is_not_there(world: World, employer: FakeVerifier) -> None:
    """The address of somebody's request leads nobody else to it."""
    page = look(person(world), employer.ask(query(["family_name"]), notice=notice()).link())
    other = world.wallet.browser()
    make_wallet(other, "Ali")

    for path in (page.url.path, f"{page.url.path}/confirm", f"{page.url.path}/outcome"):
        assert other.get(path).status_code == 404


@pytest.mark.parametrize("language", ["sv", "en"])
def test_cs41_screens_speak_plainly(world: World, employer: FakeVerifier, language: str) -> None:
    """None of the words of the specifications reaches a person, in either language."""
    browser = person(world, "micro-credential", "course-results", language=language)
    pages = [
        arrive(browser, employer.ask(OPTIONAL, notice=notice()).link()),
        look(browser, employer.ask(OPTIONAL, notice=notice(basis="consent")).link()),
        look(browser, employer.ask(query(["courses", None, "credits"], vct=TRANSCRIPT), notice=notice()).link()),
        look(browser, employer.ask(query(["x"], vct="urn:other")).link()),
        browser.get("/history"),
    ]

    for page in pages:
        assert page.status_code == 200
        text = text_of(page)
        assert not UNKNOWN_WORDS.search(text), UNKNOWN_WORDS.search(text)


def test_the_other_language_keeps_what_was_ticked(world: World, employer: FakeVerifier) -> None:
    """Reading the screen in the other language loses no tick and shares nothing."""
    browser = person(world)
    page = look(browser, employer.ask(OPTIONAL, notice=notice()).link())

    swedish = send(browser, page, page.url.path, to_language="sv", optional="1")

    assert "vill se 1 uppgift om dig, och 1 till om du vill" in text_of(swedish)
    assert "Dela 2 uppgifter" in text_of(swedish)
    assert ticks(swedish) == 1
    assert employer.forms == []


def test_forms_of_other_sites_are_refused(world: World, employer: FakeVerifier) -> None:
    """Without our token no share is begun, decided or confirmed."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    forged: list[tuple[str, dict[str, Any]]] = [
        ("/present", {"link": "client_id=x", "decision": "continue"}),
        (page.url.path, {"decision": "refuse"}),
        (f"{page.url.path}/confirm", {"decision": "share", "passphrase": PASSPHRASE}),
    ]

    for path, fields in forged:
        assert browser.post(path, data=fields).status_code == 403
    assert employer.forms == []


DECLARED: list[dict[str, Any]] = [
    {"basis": "consent"},
    {"recipients": [{"en": "Payroll Ltd"}]},
    {"processors": [{"en": "Hosting Ltd"}]},
    {"countries": ["US"]},
    {"automated_decisions": True},
]


def stands_open(page: httpx2.Response, part: str) -> bool:
    """Whether a part of the page that can be folded away is not."""
    found = re.search(rf'<details id="{part}"([^>]*)>', page.text)
    assert found is not None
    return "open" in found[1]


@pytest.mark.parametrize("said", DECLARED)
def test_cs14_cs15_what_is_declared_and_reaches_further_stands_open(
    world: World, employer: FakeVerifier, said: dict[str, Any]
) -> None:
    """Consent, others who get it, other countries, a decision by a machine: none of it needs a press to be read."""
    browser = person(world)
    nothing_more = notice(basis="public_task", recipients=None)

    assert not stands_open(look(browser, employer.ask(query(["family_name"]), notice=nothing_more).link()), "ground")
    page = look(browser, employer.ask(query(["family_name"]), notice={**nothing_more, **said}).link())
    lacking = look(browser, employer.ask(query(["x"], vct="urn:o"), notice={**nothing_more, **said}).link())

    assert stands_open(page, "ground")
    assert stands_open(lacking, "ground")


def test_cs03_what_cannot_be_hidden_stands_open(world: World, employer: FakeVerifier) -> None:
    """Its values are read without a press."""
    page = look(person(world), employer.ask(query(["family_name"]), notice=notice()).link())

    assert stands_open(page, "always")


def test_gdpr13_the_rights_and_the_authority_are_named(world: World, employer: FakeVerifier) -> None:
    """Beside the ground, in both languages."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())

    assert "correct or delete it, and you may object. You can complain to the authority IMY" in text_of(page)
    assert "Du kan klaga hos myndigheten IMY" in text_of(browser.get(f"{page.url.path}?lang=sv"))


def test_s2b_alternatives_that_look_alike_are_told_apart(world: World, employer: FakeVerifier) -> None:
    """Each names its day and how it stands; where that is the same too, when it came into the wallet."""
    browser = person(world)
    world.clock.move(minutes=3)
    collect(browser, world.university.offer()[0].offer)

    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())

    (other,) = re.findall(r'<ul class="share-alternatives">(.*?)</ul>', page.text, re.DOTALL)
    date, came = re.search(r"Issued by [^·]*· ([^·<]*) · came into the wallet on ([^<]*)<", other).groups()  # type: ignore[union-attr] # asserted by using it
    assert re.fullmatch(r"\d+ \w+ 20\d\d", date)
    assert came.startswith("20 November 2026 ")
    assert "The issuer had not revoked it on" in other


def test_s2b_alternatives_that_differ_need_no_moment(world: World, employer: FakeVerifier) -> None:
    """The title tells them apart."""
    browser = person(world)
    collect(browser, world.university.offer()[1].offer)

    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())

    assert "Other ways to answer" in text_of(page)
    assert "came into the wallet" not in text_of(page)


def test_a08_values_and_words_in_another_language_say_in_which(world: World, employer: FakeVerifier) -> None:
    """On the decision, the entry and the receipt: a reader aloud changes its voice there."""
    browser = world.wallet.browser("en")
    make_wallet(browser)
    university = world.university
    told = {"learning_outcomes": [{"sv": "Göra en riskanalys"}], "achievement_description": {"fi": "Kurssi"}}
    (offer, *_) = university.make_offers(said=told)
    collect(browser, university.context.links_of(offer).offer)
    asked = employer.ask(
        query(["learning_outcomes"], ["achievement_description"]),
        notice=notice(
            purpose={"sv": "Vi kontrollerar din ansökan."}, basis_detail={"sv": "Vi har ett avtal."}, countries=["NO"]
        ),
    )
    page = look(browser, asked.link())
    done = confirm(browser, decide(browser, page, "share"))
    entry = browser.get(re.findall(r'href="(/history/[0-9a-f]+)"', done.text)[0])
    receipt = browser.get(f"{entry.url.path}/receipt")

    for shown in (page, entry):
        assert '<span lang="sv">Göra en riskanalys</span>' in shown.text
        assert '<span lang="fi">Kurssi</span>' in shown.text
    assert '<dd lang="sv">Vi har ett avtal.</dd>' in page.text
    for shown in (page, entry, receipt):
        assert '<blockquote lang="sv">Vi kontrollerar din ansökan.' in shown.text
    swedish = browser.get(f"{entry.url.path}?lang=sv")
    assert "<blockquote>Vi kontrollerar din ansökan." in swedish.text
    assert "<span>Göra en riskanalys</span>" in swedish.text


@pytest.mark.parametrize("language", ["sv", "en"])
def test_an_optional_part_that_nothing_here_answers_is_named(
    world: World, employer: FakeVerifier, language: str
) -> None:
    """Told as optional and as lacking, with nothing to tick; the rest is decided as ever."""
    browser = person(world, language=language)
    asked = with_optional(
        credential(["family_name"]), credential(["credits"], query_id="other", vct="urn:somebody:else")
    )

    page = look(browser, employer.ask(asked, notice=notice()).link())

    words = {
        "sv": "som inget i din plånbok berättar: credits. Det är frivilligt.",
        "en": "which nothing in your wallet says: credits. It is optional.",
    }
    assert words[language] in text_of(page)
    assert 'name="optional"' not in page.text


@pytest.mark.parametrize("language", ["sv", "en"])
def test_a_value_that_is_not_accepted_is_no_lack(world: World, employer: FakeVerifier, language: str) -> None:
    """The person has a grade, and another one is asked for: both sentences about it agree, and name what would do."""
    browser = person(world, language=language)
    graded = credential(["credits"], query_id="extra")
    graded["claims"] = [{"path": ["credits"], "values": [91, 92]}, {"path": ["achievement_title"]}]
    asked = with_optional(credential(["family_name"]), graded)

    step = look(browser, employer.ask(asked, notice=notice()).link())
    page = decide(browser, step, "read")

    words = {
        "sv": "godtar inte det värde som du har: ECTS-poäng (de godtar bara 91 eller 92). Det är frivilligt.",
        "en": "do not accept the value that you have: ECTS credits (they accept only 91 or 92). It is optional.",
    }
    assert words[language] in text_of(page)
    assert 'id="unanswered-' not in page.text
    assert employer.forms == []


def test_the_only_values_that_are_accepted_stand_beside_the_value(world: World, employer: FakeVerifier) -> None:
    """A request that names values says so where the value stands."""
    browser = person(world)
    asked = query(["family_name"])
    asked["credentials"][0]["claims"][0]["values"] = ["Sjöberg", "Nyström"]

    step = look(browser, employer.ask(asked, notice=notice()).link())
    page = decide(browser, step, "read")

    assert "They accept only Sjöberg or Nyström." in text_of(page)


def test_the_headline_says_what_they_ask_for_and_no_tick_changes_it(world: World, employer: FakeVerifier) -> None:
    """Needed, and more if one likes; how much goes stands on the button. What is lacking was asked for as well."""
    browser = person(world)
    lacking = credential(["credits"], query_id="other", vct="urn:somebody:else")
    asked = with_optional(credential(["family_name"]), credential(["credits"], query_id="extra"), lacking)
    headline = "Exempelbolaget AB wants to see 1 thing about you, and 2 more if you like"

    page = look(browser, employer.ask(asked, notice=notice()).link())
    assert (headline in text_of(page), "Share 1 item " in text_of(page)) == (True, True)
    ticked = decide(browser, page, "update", optional="1")
    assert (headline in text_of(ticked), "Share 2 items " in text_of(ticked)) == (True, True)


def test_a_request_of_nothing_but_optional_parts_says_so(world: World, employer: FakeVerifier) -> None:
    """No number of things is said to be wanted that the person need not give."""
    browser = person(world)
    asked = query(["family_name"], ["given_name"])
    asked["credential_sets"] = [{"options": [["certificate"]], "required": False}]

    page = look(browser, employer.ask(asked, notice=notice()).link())

    assert "Exempelbolaget AB wants to see up to 2 things about you, if you like" in text_of(page)
