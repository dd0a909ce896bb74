"""The pages of the recovery code, as a browser without scripts meets them."""

import re

import httpx2
from starlette.testclient import TestClient

from tests.wallet.test_pages import field, make_wallet, send
from tests.world import PASSPHRASE, World
from wallet.recovery_code import new_code, read_code
from wallet.recovery_words import check_words

NEW = "nya ord som passar"


def code_on(page: httpx2.Response) -> str:
    """The code that a page shows."""
    return " ".join(re.findall(r"<li><code>([0-9A-Z]{5})</code></li>", page.text))


def make_code(browser: TestClient) -> httpx2.Response:
    """Make a code in the settings."""
    return send(browser, browser.get("/settings/recovery"), "/settings/recovery", passphrase=PASSPHRASE)


def test_from_the_reminder_to_a_new_passphrase(world: World) -> None:
    """The first page reminds; the code is made, shown once, used for a forgotten passphrase, and spent then."""
    browser = world.wallet.browser()
    assert "There is only one way into your wallet" in make_wallet(browser).text
    shown = make_code(browser)
    code = code_on(shown)
    assert len(code) == 41
    assert shown.headers["cache-control"] == "no-store"
    assert "There is only one way into your wallet" not in browser.get("/").text
    assert code_on(browser.get("/settings/recovery")) == ""

    elsewhere = world.wallet.browser()
    form = elsewhere.get(elsewhere.get("/unlock").text.split('id="forgotten" href="')[1].split('"')[0])
    opened = send(elsewhere, form, "/recover", name="Maja", code=code, new=NEW)

    assert "Your wallet is open and has a new passphrase" in opened.text
    assert "There is only one way into this wallet" in opened.text
    assert 'id="unlock"' in browser.get("/").text, "the other browser is locked"
    again = world.wallet.browser()
    assert send(again, again.get("/recover"), "/recover", name="Maja", code=code, new=NEW).status_code == 403


def test_the_code_can_be_read_in_the_other_language(world: World) -> None:
    """Switching the language keeps what is shown only once, and a forged code is not shown."""
    browser = world.wallet.browser()
    make_wallet(browser)
    shown = make_code(browser)

    swedish = browser.post(
        "/settings/recovery/shown?lang=sv", data={"csrf": field(shown, "csrf"), "code": code_on(shown)}
    )
    forged = browser.post(
        "/settings/recovery/shown?lang=en", data={"csrf": field(swedish, "csrf"), "code": "AAAAA " * 7}
    )

    assert "Din reservkod" in swedish.text
    assert code_on(swedish) == code_on(shown)
    assert code_on(forged) == ""


def test_a_slip_names_the_group_and_keeps_what_was_written(world: World) -> None:
    """The field says which group is wrong; nothing was tried, so that no try is counted."""
    browser = world.wallet.browser()
    make_wallet(browser)
    code = code_on(make_code(browser))
    wrong = code[:12] + ("A" if code[12] != "A" else "B") + code[13:]
    elsewhere = world.wallet.browser()
    page = elsewhere.get("/recover")

    for _ in range(12):
        page = send(elsewhere, page, "/recover", name="Maja", code=wrong, new=NEW)
    assert (page.status_code, "Group 3 cannot be right" in page.text) == (400, True)
    assert wrong in page.text
    assert "You wrote 5." in send(elsewhere, page, "/recover", name="Maja", code="12345", new=NEW).text
    short = send(elsewhere, page, "/recover", name="Maja", code=code, new="kort")
    assert 'href="#new"' in short.text

    assert send(elsewhere, page, "/recover", name="Maja", code=code, new=NEW).status_code == 200


def test_check_words_on_paper_and_after_typing(world: World) -> None:
    """In both languages on the page that is printed; whoever has written a code sees its words before it is tried, and
    another code has others. A code from before there were words has them too: they follow from the code alone."""
    browser = world.wallet.browser()
    make_wallet(browser)
    shown = make_code(browser)
    code = code_on(shown)
    on_paper = re.findall(r'<span lang="sv">(\w+)</span> / <span lang="en">(\w+)</span>', shown.text)
    assert on_paper == list(check_words(read_code(code)))
    assert "screen-only" not in shown.text.partition('id="check-words"')[2].partition("</p>")[0]
    elsewhere = world.wallet.browser()
    page = elsewhere.get("/recover")
    assert 'id="check-words"' not in page.text

    for _ in range(12):  # Nothing is tried by it, so that no try is counted.
        compared = send(elsewhere, page, "/recover", name="Maja", code=code.lower(), decision="compare")

    swedish, english = (" ".join(words) for words in zip(*on_paper, strict=True))
    assert f"The check words of this code: {english}." in compared.text
    assert code.lower() in compared.text
    in_swedish = send(elsewhere, page, "/recover?lang=sv", name="Maja", code=code, decision="compare")
    assert f"Kodens kontrollord: {swedish}." in in_swedish.text
    slip = send(elsewhere, page, "/recover?lang=en", name="Maja", code=code[:-1], decision="compare")
    assert 'id="check-words"' not in slip.text
    other = send(elsewhere, page, "/recover", name="Maja", code=other_code(code), new=NEW)
    assert other.status_code == 403
    assert 'id="check-words"' in other.text, "the words stand beside what is wrong"
    assert f"{english}." not in other.text
    assert send(elsewhere, page, "/recover", name="Maja", code=code, new=NEW).url.path == "/settings/recovery"


def other_code(code: str) -> str:
    """A well-formed code with other words."""
    found = new_code()
    return found if check_words(read_code(found)) != check_words(read_code(code)) else other_code(code)


def test_guessing_is_limited(world: World) -> None:
    """Codes that are well formed count as tries, as passphrases do: ten for a name, then a pause."""
    browser = world.wallet.browser()
    page = browser.get("/recover")

    answers = [send(browser, page, "/recover", name="Maja", code=new_code(), new=NEW).status_code for _ in range(11)]

    assert answers == [403] * 10 + [429]


def test_forms_need_their_token_and_an_open_wallet(world: World) -> None:
    """Another site can neither make, remove nor use a code; without an open wallet there is nothing to make."""
    browser = world.wallet.browser()
    make_wallet(browser)
    for path in ("/settings/recovery", "/settings/recovery/remove", "/settings/recovery/later", "/recover"):
        assert browser.post(path, data={"passphrase": PASSPHRASE}).status_code == 403

    stranger = world.wallet.browser()
    locked = send(stranger, stranger.get("/unlock"), "/settings/recovery", passphrase=PASSPHRASE)
    assert 'id="unlock"' in locked.text
    assert code_on(locked) == ""


def test_a_wrong_passphrase_makes_and_removes_nothing(world: World) -> None:
    """The fault stands at the field."""
    browser = world.wallet.browser()
    make_wallet(browser)
    page = send(browser, browser.get("/settings/recovery"), "/settings/recovery", passphrase="something else")
    assert (page.status_code, 'href="#passphrase"' in page.text) == (403, True)
    make_code(browser)
    page = browser.get("/settings/recovery")
    page = send(browser, page, "/settings/recovery/remove", passphrase="something else")
    assert (page.status_code, 'href="#remove-passphrase"' in page.text) == (403, True)

    page = send(browser, page, "/settings/recovery/remove", passphrase=PASSPHRASE)

    assert "The recovery code no longer opens your wallet" in page.text
    assert "There is only one way into this wallet" in page.text


def test_who_does_not_want_a_reminder_is_not_reminded(world: World) -> None:
    """One press, and the first page is quiet; the settings still say it."""
    browser = world.wallet.browser()
    home = make_wallet(browser)

    home = send(browser, home, "/settings/recovery/later")

    assert "There is only one way into your wallet" not in home.text
    assert "There is none yet" in browser.get("/settings").text
