"""The wallet's pages, as a browser without scripts meets them."""

import io
import re
import sqlite3
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image
from qrcode.main import QRCode
from starlette.testclient import TestClient

import service
import wallet
from service.i18n import broken_translations, extract_messages, load_catalogues, missing_translations
from tests.attacks.test_wallet_receiving import METADATA, changed_json
from tests.world import PASSPHRASE, World
from wallet.pages.receive import MOST_FRAME_BYTES

ROOM = Path(wallet.__file__).parent
UNKNOWN_WORDS = re.compile(r"\b(credential|verifier|claim|presentation|attribute|holder|disclosure)s?\b", re.IGNORECASE)

UNKNOWN_SWEDISH = re.compile(
    r"\b(attribut|verifierar(en?|na)|verifierare|presentation|kredential|påstående)\w*", re.IGNORECASE
)


def field(page: httpx2.Response, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, name
    return unescape(found[1])


def send(browser: TestClient, page: httpx2.Response, path: str, **fields: str | list[str]) -> httpx2.Response:
    """Send a form of a page, with the token that the page carries."""
    return browser.post(path, data={"csrf": field(page, "csrf"), **fields})


def make_wallet(browser: TestClient, name: str = "Maja", wanted: str = "/") -> httpx2.Response:
    """Make a wallet as a newcomer does, and land where it was wanted."""
    page = browser.get(wanted)
    assert page.status_code == 200
    return send(browser, page, "/welcome", name=name, passphrase=PASSPHRASE, wanted=field(page, "wanted"))


def qr_picture(text: str) -> bytes:
    """A picture of a QR code; of nothing when there is no text."""
    code: Any = QRCode()
    code.add_data(text)
    image = code.make_image().get_image() if text else Image.new("RGB", (40, 40), "white")
    picture = io.BytesIO()
    image.save(picture, "PNG")
    return picture.getvalue()


def collect(browser: TestClient, link: str, **fields: str) -> httpx2.Response:
    """Receive an offer through the pages, saying yes at each."""
    page = send(browser, browser.get("/receive"), "/receive", link=link)
    page = send(browser, page, "/receive/look", link=field(page, "link"))
    return send(browser, page, f"{page.url.path}/collect", **fields)


def test_what_a_recipient_asks_has_one_name_in_swedish() -> None:
    """A recipient makes a "förfrågan"; "begäran" is what a person makes under the GDPR, to have deleted or copied."""
    swedish = load_catalogues(Path(service.__file__).parent, ROOM).translator("sv")
    texts = [text for text in extract_messages(ROOM) if isinstance(text, str)]
    asked = {text for text in texts if re.search(r"\bbegär", swedish.text(text), re.IGNORECASE)}
    of_the_law = re.compile(r"delet|copy|that wish|article 1[57]", re.IGNORECASE)
    assert {text for text in asked if not of_the_law.search(text)} == set()
    assert asked


def test_a_link_survives_making_a_wallet(world: World) -> None:
    """Somebody who follows an issuer's link without a wallet makes one and stands before the very same link."""
    browser = world.wallet.browser()
    query = world.university.offer()[0].offer.partition("?")[2]
    locked = browser.get(f"/offer?{query}")
    assert "A certificate is offered to you" in locked.text

    page = make_wallet(browser, wanted=f"/offer?{query}")

    assert "The link leads to university.example" in page.text
    assert world.network.seen == []


def test_a_link_survives_opening_the_wallet(world: World) -> None:
    """The same for somebody whose wallet is locked, for offers and for requests."""
    make_wallet(world.wallet.browser())
    browser = world.wallet.browser()
    for wanted in ("/offer?credential_offer_uri=https%3A%2F%2Funi.example%2Fo", "/receive"):
        page = browser.get(wanted)
        opened = send(browser, page, "/unlock", name="maja", passphrase=PASSPHRASE, wanted=field(page, "wanted"))
        assert str(opened.url).endswith(wanted)
        send(browser, opened, "/lock")


def test_the_whole_way_to_a_certificate(world: World) -> None:
    """Link, host, who offers what, collection, and the certificate in full."""
    browser = world.wallet.browser()
    page = make_wallet(browser)
    assert "Here your certificates will be" in page.text

    page = collect(browser, world.university.offer()[0].offer)

    assert "The certificate is in your wallet" in page.text
    page = browser.get(re.findall(r'href="(/certificates/[0-9a-f]+)"', page.text)[0])
    for text in ("Sjöberg", "23 April 1998", "Valid", "university.example", "Goes along with every share", "7.5"):
        assert text in page.text
    assert "10 one-time copies are left" in page.text
    assert "<li>Carry out a risk analysis with an established method</li>" in page.text
    swedish = browser.get(f"{page.url.path}?lang=sv")
    for text in ("23 april 1998", "Giltigt", "Följer med vid varje delning", "7,5"):
        assert text in swedish.text
    for told, texts in (
        (page, ("Where it comes from", "Collected from", "Received", "Issuer's identifier", "20 November 2026 13:00")),
        (swedish, ("Var det kommer ifrån", "Hämtat från", "Mottaget", "Utfärdarens adress", "20 november 2026 13:00")),
    ):
        where = unescape(told.text).partition("university.example")[2]
        assert [text for text in texts if text not in unescape(told.text)] == []
        assert "university.example" in where.partition('id="provenance"')[2].partition("</dl>")[0]


def test_a_picture_of_a_qr_code_is_read(world: World) -> None:
    """A photo or screenshot of the code serves as well as the link."""
    browser = world.wallet.browser()
    make_wallet(browser)
    picture = qr_picture(world.university.offer()[0].offer)
    token = field(browser.get("/receive"), "csrf")

    page = browser.post("/receive", data={"csrf": token, "link": ""}, files={"picture": ("q.png", picture)})
    assert "The picture leads to university.example" in page.text
    assert "Did you get this picture from them, or do you expect it?" in page.text

    for content, told in ((qr_picture(""), "No QR code was found"), (b"not a picture", "is not a picture")):
        page = browser.post("/receive", data={"csrf": token, "link": ""}, files={"picture": ("q.png", content)})
        assert (page.status_code, told in page.text) == (400, True)


def test_a_frame_of_the_camera_is_read_and_not_kept(world: World) -> None:
    """What stands in the code comes back; no code, no answer; nothing is written."""
    browser = world.wallet.browser()
    token = field(make_wallet(browser), "csrf")
    before = world.wallet.settings.data.joinpath("wallet.sqlite3").read_bytes()
    headers = {"X-CSRF-Token": token, "Content-Type": "image/png", "Accept": "application/json"}

    for text, answered in (("https://example.org", {"text": "https://example.org"}), ("", {})):
        answer = browser.post("/receive/frame", content=qr_picture(text), headers=headers)
        assert (answer.status_code, answer.json()) == (200, answered)
        assert answer.headers["cache-control"] == "no-store"
    assert world.wallet.settings.data.joinpath("wallet.sqlite3").read_bytes() == before


def test_only_a_small_picture_from_our_own_page_is_a_frame(world: World) -> None:
    """Another page's, another kind, too large, not a picture, or of nobody who is there: refused."""
    browser = world.wallet.browser()
    token, picture = field(make_wallet(browser), "csrf"), qr_picture("https://example.org")
    good = {"X-CSRF-Token": token, "Content-Type": "image/png", "Accept": "application/json"}

    for change, content, status in (
        ({"X-CSRF-Token": "x"}, picture, 403),
        ({"Sec-Fetch-Site": "cross-site"}, picture, 403),
        ({"Content-Type": "image/svg+xml"}, picture, 400),
        ({"Content-Type": "image/gif"}, picture, 400),
        ({}, b"not a picture", 400),
        ({}, picture + bytes(MOST_FRAME_BYTES), 413),
    ):
        assert browser.post("/receive/frame", content=content, headers=good | change).status_code == status
    browser.cookies.clear()
    assert "example.org" not in browser.post("/receive/frame", content=picture, headers=good).text


def test_the_camera_is_allowed_where_codes_are_scanned_and_nowhere_else(world: World) -> None:
    """On the page itself, also when it says that something was wrong; not on what follows."""
    browser = world.wallet.browser()
    token = field(make_wallet(browser), "csrf")
    assert "camera=(self)" in browser.get("/receive").headers["permissions-policy"]
    faulty = browser.post("/receive", data={"csrf": token, "link": "nonsense"})
    assert "camera=(self)" in faulty.headers["permissions-policy"]

    offer = world.university.offer()[0].offer
    found = browser.post("/receive", data={"csrf": token, "scanned": offer})
    for answer in (found, browser.get("/"), browser.get("/settings"), browser.get("/unlock")):
        assert "camera=()" in answer.headers["permissions-policy"]
    assert "university.example" in found.text


def test_a_request_pasted_here_goes_to_where_requests_are_answered(world: World) -> None:
    """A person need not know whether a link offers something or asks for something."""
    browser = world.wallet.browser()
    make_wallet(browser)
    link = "openid4vp://?client_id=x509_hash%3Aabc&request_uri=https%3A%2F%2Femployer.example%2Fr"
    token = field(browser.get("/receive"), "csrf")
    answer = browser.post("/receive", data={"csrf": token, "link": link}, follow_redirects=False)

    assert answer.status_code == 200
    assert 'action="/present"' in answer.text
    assert "A request from employer.example" in answer.text


def test_what_is_no_link_is_told_at_the_field(world: World) -> None:
    """A fault names the field, says what is wrong and keeps what was written."""
    browser = world.wallet.browser()
    make_wallet(browser)

    page = send(browser, browser.get("/receive"), "/receive", link="nonsense <b>")

    assert page.status_code == 400
    assert 'href="#link"' in page.text
    assert "nonsense &lt;b&gt;" in page.text


def test_a_wrong_code_is_told_and_the_right_one_still_works(world: World) -> None:
    """A code that cannot be it costs no try; after a wrong one the page says what more of them lead to."""
    browser = world.wallet.browser()
    make_wallet(browser)
    offer = world.university.offer(tx_code=True)[0]
    assert offer.tx_code

    page = collect(browser, offer.offer, tx_code="")
    assert "Write the code that the issuer gave you" in page.text
    assert "6 digits. The issuer gave it to you in another way than the link." in page.text
    asked = world.network.asked("/token")
    for impossible in ("1", "abcdef", "1234567", "１２３４５６"):
        page = send(browser, page, page.url.path, tx_code=impossible)
        assert (page.status_code, "The code should be 6 digits. Nothing was sent" in page.text) == (400, True)
        assert f'value="{impossible}"' in page.text
    assert world.network.asked("/token") == asked
    page = send(browser, page, page.url.path, tx_code=f"{(int(offer.tx_code) + 1) % 1_000_000:06}")
    assert "The code did not work" in page.text
    assert "After a few wrong tries the offer is locked" in page.text
    assert '<code id="peer-error">invalid_grant</code>' in page.text
    page = send(browser, page, f"{page.url.path}/collect", tx_code=f" {offer.tx_code[:3]} {offer.tx_code[3:]} ")

    assert "The certificate is in your wallet" in page.text


def test_an_unknown_issuer_is_asked_about_with_two_equal_buttons(world: World) -> None:
    """Nothing is preselected; Enter decides nothing; a reload asks again."""
    browser = world.wallet.browser()
    make_wallet(browser)
    page = collect(browser, world.stranger.offer()[0].offer)
    assert "Nobody here vouches for this issuer" in page.text

    again = send(browser, page, f"{page.url.path}/answer", decision="")
    assert "Nobody here vouches for this issuer" in again.text
    assert "Something arrived that you need to decide about" in browser.get("/").text
    kept = send(browser, again, f"{again.url.path}/answer", decision="keep")

    assert "The certificate is in your wallet" in kept.text
    assert "Unknown issuer" in browser.get("/").text


def test_a_question_that_is_opened_after_its_issuer_was_added_is_none_any_more(world: World) -> None:
    """The page does not go on saying that nobody vouches for an issuer whom somebody vouches for."""
    browser = world.wallet.browser()
    make_wallet(browser)
    page = collect(browser, world.stranger.offer()[0].offer)
    world.wallet.trust(world.stranger.trust_entry)

    opened = browser.get(page.url.path)

    assert "Nobody here vouches for this issuer" not in opened.text
    assert "The certificate is in your wallet" in opened.text


def test_saying_no_forgets_the_offer(world: World) -> None:
    """Not collecting is one step, sends nothing and leaves nothing."""
    browser = world.wallet.browser()
    make_wallet(browser)
    page = send(browser, browser.get("/receive"), "/receive", link=world.university.offer()[0].offer)
    page = send(browser, page, "/receive/look", link=field(page, "link"))

    home = send(browser, page, f"{page.url.path}/away")

    assert "Here your certificates will be" in home.text
    assert world.network.asked("/token") == 0
    assert browser.get(page.url.path).status_code == 404


def test_the_same_link_again_goes_on_where_it_was(world: World) -> None:
    """Opening a link twice does not begin twice."""
    browser = world.wallet.browser()
    make_wallet(browser)
    link = world.university.offer()[0].offer
    page = send(browser, browser.get("/receive"), "/receive", link=link)
    first = send(browser, page, "/receive/look", link=link)
    second = send(browser, page, "/receive/look", link=link)

    assert first.url.path == second.url.path


def test_an_issuer_cannot_write_into_our_page(world: World) -> None:
    """Names with markup are shown as text (also inside attributes), and nothing of theirs is loaded."""
    attack = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'

    def attacked(document: dict[str, Any]) -> None:
        document["display"] = [{"name": attack}]
        described = document["credential_configurations_supported"]["micro-credential"]["credential_metadata"]
        described["display"] = [{"name": attack, "description": attack}]
        described["claims"] = [{"path": ["family_name"], "display": [{"name": attack}]}]

    browser = world.wallet.browser()
    make_wallet(browser)
    with world.network.changing(changed_json(METADATA, attacked)):
        page = send(browser, browser.get("/receive"), "/receive", link=world.stranger.offer()[0].offer)
        page = send(browser, page, "/receive/look", link=field(page, "link"))
    assert "&lt;script&gt;alert(1)" in page.text
    pages = [page, send(browser, page, f"{page.url.path}/collect")]
    pages.append(send(browser, pages[-1], f"{pages[-1].url.path}/answer", decision="keep"))
    pages += [browser.get("/"), browser.get("/history")]

    for shown in pages:
        assert "<script>alert" not in shown.text
        assert "<img" not in shown.text
        assert "default-src 'none'" in shown.headers["content-security-policy"]


# --- opening and locking ----------------------------------------------------------------------------------------------


def test_a_wrong_passphrase_opens_nothing_and_tells_nothing(world: World) -> None:
    """A known and an unknown name get the same answer."""
    make_wallet(world.wallet.browser())
    browser = world.wallet.browser()
    page = browser.get("/unlock")
    answers = [
        send(browser, page, "/unlock", name=name, passphrase="not the passphrase", wanted="/")
        for name in ("Maja", "Otto")
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert all("do not belong together" in answer.text for answer in answers)
    assert "Open your wallet" in browser.get("/").text


def test_guessing_is_slowed_down(world: World) -> None:
    """After ten attempts on one name even the right passphrase has to wait."""
    make_wallet(world.wallet.browser())
    browser = world.wallet.browser()
    page = browser.get("/unlock")
    codes = {
        send(browser, page, "/unlock", name="Maja", passphrase=f"guess {n}", wanted="/").status_code for n in range(10)
    }
    assert codes == {403}

    assert send(browser, page, "/unlock", name="Maja", passphrase=PASSPHRASE, wanted="/").status_code == 429
    world.clock.move(minutes=6)
    assert send(browser, page, "/unlock", name="Maja", passphrase=PASSPHRASE, wanted="/").status_code == 200


def test_an_idle_wallet_locks_itself(world: World) -> None:
    """After a quarter of an hour without use the wallet is locked; before that it is not."""
    browser = world.wallet.browser()
    make_wallet(browser)
    world.clock.move(minutes=14)
    assert "Here your certificates will be" in browser.get("/").text
    world.clock.move(minutes=15)

    assert "Open your wallet" in browser.get("/").text


def test_locking_ends_the_session_for_whoever_kept_the_cookie(world: World) -> None:
    """After locking, the old cookie opens nothing."""
    browser = world.wallet.browser()
    page = make_wallet(browser)
    cookies = dict(browser.cookies)
    locked = send(browser, page, "/lock")
    assert "The wallet is locked" in locked.text

    thief = world.wallet.browser()
    for name, value in cookies.items():
        thief.cookies.set(name, value)
    assert "Open your wallet" in thief.get("/").text


def test_changing_the_passphrase_locks_other_browsers(world: World) -> None:
    """The browser that changed it goes on; every other one is locked."""
    here, there = world.wallet.browser(), world.wallet.browser()
    page = make_wallet(here)
    send(there, there.get("/unlock"), "/unlock", name="Maja", passphrase=PASSPHRASE, wanted="/")

    wrong = send(here, page, "/settings/passphrase", old="another", new="nya ord som passar")
    assert (wrong.status_code, 'href="#old"' in wrong.text) == (403, True)
    short = send(here, page, "/settings/passphrase", old=PASSPHRASE, new="kort")
    assert (short.status_code, 'href="#new"' in short.text) == (400, True)
    changed = send(here, page, "/settings/passphrase", old=PASSPHRASE, new="nya ord som passar")

    assert "The passphrase is changed" in changed.text
    assert "Here your certificates will be" in here.get("/").text
    assert "Open your wallet" in there.get("/").text


def test_nobody_is_led_elsewhere_by_a_form(world: World) -> None:
    """What a form says was wanted leads to our own pages only."""
    make_wallet(world.wallet.browser())
    browser = world.wallet.browser()
    for wanted in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/\r\nX: y"):
        page = browser.get("/unlock")
        answer = browser.post(
            "/unlock",
            data={"csrf": field(page, "csrf"), "name": "Maja", "passphrase": PASSPHRASE, "wanted": wanted},
            follow_redirects=False,
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        browser.cookies.clear()


@pytest.mark.parametrize("path", ["/unlock", "/welcome", "/lock", "/receive", "/receive/look", "/settings/passphrase"])
def test_a_form_from_elsewhere_is_refused(world: World, path: str) -> None:
    """Without the token of our own page nothing happens."""
    browser = world.wallet.browser()
    make_wallet(browser)
    assert browser.post(path, data={"link": "x", "csrf": "forged"}).status_code == 403


def test_one_persons_pages_do_not_exist_for_another(world: World) -> None:
    """The address of a certificate or a collection is worth nothing to somebody else."""
    maja, otto = world.wallet.browser(), world.wallet.browser()
    make_wallet(maja, "Maja")
    make_wallet(otto, "Otto")
    stored = collect(maja, world.university.offer()[0].offer)
    path = re.findall(r'href="(/certificates/[0-9a-f]+)"', stored.text)[0]

    assert maja.get(path).status_code == 200
    for address in (path, stored.url.path):
        assert otto.get(address).status_code == 404


def test_the_language_is_changed_on_any_page_and_remembered(world: World) -> None:
    """The choice in the settings holds for the pages and for the vault."""
    browser = world.wallet.browser("en")
    page = make_wallet(browser)
    chosen = send(browser, page, "/settings/language", language="sv")
    assert "Inställningar" in chosen.text

    assert "Här kommer dina intyg" in browser.get("/").text


def test_a_wallet_under_a_path_links_under_the_path(world: World) -> None:
    """Behind a proxy with a path prefix every link and form stays inside it."""
    side = world.wallet_at("host.example/wallets/one")
    browser = side.browser()
    page = browser.get("/wallets/one/")
    links = re.findall(r'(?:href|action|src)="([^"]*)"', page.text)

    assert links
    assert all(link.startswith(("/wallets/one", "#", "data:")) for link in links)


def test_health_and_readiness_answer(world: World) -> None:
    """The operator can ask."""
    browser = world.wallet.browser()
    assert browser.get("/health").json() == {"status": "ok"}
    assert browser.get("/ready").status_code == 200


# --- words ------------------------------------------------------------------------------------------------------------


def test_everything_is_said_in_swedish_too() -> None:
    """No text of the wallet lacks its Swedish, and no translation loses a value."""
    assert missing_translations(ROOM, Path(service.__file__).parent) == {}
    assert broken_translations(ROOM) == []


def test_no_jargon_in_front_of_people() -> None:
    """The words of the standards do not reach the pages (CS-41), and nothing shouts."""
    texts = [part for text in extract_messages(ROOM) for part in ((text,) if isinstance(text, str) else text)]
    assert [text for text in texts if UNKNOWN_WORDS.search(text)] == []
    assert [text for text in texts if "!" in text] == []
    swedish = load_catalogues(Path(service.__file__).parent, ROOM).translator("sv")
    said = [swedish.text(text) for text in extract_messages(ROOM) if isinstance(text, str)]
    assert [text for text in said if UNKNOWN_SWEDISH.search(text)] == []


@pytest.mark.parametrize("language", ["sv", "en"])
def test_sentences_are_short(language: str) -> None:
    """No sentence has more than 20 words, on decision screens or elsewhere (CS-41)."""
    translator = load_catalogues(Path(service.__file__).parent, ROOM).translator(language)
    texts = [translator.text(text) for text in extract_messages(ROOM) if isinstance(text, str)]

    sentences = [sentence for text in texts for sentence in re.split(r"(?<=[.?:])\s", text)]

    assert [sentence for sentence in sentences if len(sentence.split()) > 20] == []


@pytest.mark.parametrize(
    ("language", "heading", "navigation", "receive", "answer"),
    [
        ("sv", "Använd en länk eller kod", "Ta emot eller visa", "Ta emot ett intyg", "Svara på en förfrågan"),
        ("en", "Use a link or a code", "Receive or show", "Receive a certificate", "Answer a request"),
    ],
)
def test_one_place_takes_offers_and_requests(
    world: World, language: str, heading: str, navigation: str, receive: str, answer: str
) -> None:
    """The first page has an action for each of the two, and the page where a link is entered is right for both."""
    browser = world.wallet.browser()
    make_wallet(browser)

    home = browser.get(f"/?lang={language}").text
    place = browser.get(f"/receive?lang={language}").text
    led = browser.get("/present")

    assert (f">{receive}<" in home, f">{answer}<" in home, 'href="/present"' in home) == (True, True, True)
    assert f"<h1>{heading}</h1>" in place or f">{heading}</h1>" in place
    assert navigation in place
    assert led.url.path == "/receive"
    assert 'role="status"' in led.text


def test_a_typed_code_is_not_called_an_offer_before_it_is_known(world: World) -> None:
    """A code may stand for an offer or a request: the question about its host fits both."""
    browser = world.wallet.browser()
    make_wallet(browser)

    page = send(browser, browser.get("/receive"), "/receive", link="university.example/4K7M29QX3T")

    for words in (
        "The code leads to university.example",
        "Did you get this code from them, or do you expect it?",
        "asks university.example what it is about",
    ):
        assert words in page.text
    assert "what is offered" not in page.text


def test_whoever_a_code_leads_to_is_called_by_their_host(world: World) -> None:
    """While nothing is known of what the code is for, nobody is called an issuer."""
    browser = world.wallet.browser()
    make_wallet(browser)
    page = send(browser, browser.get("/receive"), "/receive", link="university.example/4K7M29QX3T")

    with world.network.answering(lambda request: httpx2.Response(500)):
        page = send(browser, page, "/receive/look", link=field(page, "link"), came_by=field(page, "came_by"))

    assert ">university.example does not answer</h1>" in page.text
    assert "issuer" not in page.text.partition("<main")[2].partition("</main>")[0].lower()
    assert "Try again" in page.text


def test_a_network_of_addresses_guesses_as_one(world: World) -> None:
    """Sixty tries in five minutes from one IPv6 network, whichever of its addresses and whatever name each has."""
    statuses = []
    for n in range(61):
        thief = world.wallet.browser(address=f"2001:db8::{n + 1:x}")
        statuses.append(
            send(thief, thief.get("/unlock"), "/unlock", name=f"Name {n}", passphrase="x", wanted="/").status_code
        )

    assert statuses == [403] * 60 + [429]
    elsewhere = world.wallet.browser(address="2001:db8:0:1::1")
    tried = send(elsewhere, elsewhere.get("/unlock"), "/unlock", name="Maja", passphrase="x", wanted="/")
    assert tried.status_code == 403


def test_passphrases_cannot_be_tried_without_end(world: World) -> None:
    """Ten tries for a name in five minutes, for opening a wallet and for changing its passphrase alike."""
    owner = world.wallet.browser()
    make_wallet(owner)
    thief = world.wallet.browser()
    page = thief.get("/unlock")

    statuses = [
        send(thief, page, "/unlock", name="Maja", passphrase=f"guess {n}", wanted="/").status_code for n in range(11)
    ]

    assert statuses == [403] * 10 + [429]
    changing = send(owner, owner.get("/settings"), "/settings/passphrase", old=PASSPHRASE, new="nya ord som passar")
    assert (changing.status_code, "Too many attempts" in changing.text) == (429, True)
    world.clock.move(minutes=6)
    assert send(thief, page, "/unlock", name="Maja", passphrase=PASSPHRASE, wanted="/").status_code == 200


def test_while_another_process_writes_the_page_says_when_to_come_again(world: World) -> None:
    """503 with `Retry-After`, for browsers and programs alike; what was sent can be sent again, and is done then."""
    browser = world.wallet.browser()
    page = make_wallet(browser)
    other = sqlite3.connect(world.wallet.settings.data / "wallet.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        busy = send(browser, page, "/settings/recovery/later")
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
    finally:
        other.rollback()
        other.close()

    assert "There is only one way into your wallet" not in send(browser, page, "/settings/recovery/later").text
