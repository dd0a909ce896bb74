"""Saving, reading in and deleting the whole wallet, on the pages."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx2
from starlette.testclient import TestClient

from tests.wallet.pages.sharing_browser import THEIR_NUMBER, browser_that_shared
from tests.wallet.pages.test_share_pages import text_of
from tests.wallet.test_pages import UNKNOWN_WORDS, field, make_wallet, send
from tests.wallet.test_portability import FILE_PASSPHRASE
from tests.world import PASSPHRASE, World
from wallet.archive import is_sealed, read_archive


def read_in(browser: TestClient, content: bytes, passphrase: str = FILE_PASSPHRASE) -> httpx2.Response:
    """Choose a file and read it in."""
    token = field(browser.get("/settings/import"), "csrf")
    return browser.post(
        "/settings/import", data={"csrf": token, "file_passphrase": passphrase}, files={"file": ("w.intyga", content)}
    )


def saved(browser: TestClient, **fields: str) -> httpx2.Response:
    """Save the wallet."""
    values = {"passphrase": PASSPHRASE, "file_passphrase": FILE_PASSPHRASE, **fields}
    return send(browser, browser.get("/settings/export"), "/settings/export", **values)


def test_a_wallet_moves_from_one_browser_to_another(world: World) -> None:
    """Saved with a lock, read in by a new wallet: the certificate and the history are there, a second time too."""
    browser, entry, _ = browser_that_shared(world)
    file = saved(browser)
    assert is_sealed(file.content)
    assert file.headers["content-disposition"] == 'attachment; filename="intyga-wallet-2026-11-20.intyga"'
    assert file.headers["cache-control"] == "no-store"
    other = world.wallet.browser()
    make_wallet(other, "Otto")

    done = read_in(other, file.content)

    assert "1 certificate is new." in text_of(done)
    assert other.get(f"/history/{entry}").status_code == 200
    assert 'id="certificate-1"' in other.get("/").text
    assert "1 certificate was here already." in text_of(read_in(other, file.content))


def test_a_file_without_a_lock_only_after_a_warning(world: World) -> None:
    """The page warns; without the tick there is no file; the passphrase of the wallet is asked for."""
    browser, _, _ = browser_that_shared(world)
    assert "Whoever gets an unlocked file can read all your certificates" in browser.get("/settings/export").text

    without_tick = saved(browser, plain="yes")
    assert (without_tick.status_code, 'href="#understood"' in without_tick.text) == (400, True)
    wrong = saved(browser, plain="yes", understood="yes", passphrase="something else")
    assert (wrong.status_code, 'href="#plain-passphrase"' in wrong.text) == (403, True)
    file = saved(browser, plain="yes", understood="yes")

    assert file.headers["content-type"] == "application/zip"
    assert "index.html" in read_archive(file.content)


def test_faults_are_told_and_change_nothing(world: World) -> None:
    """No file, a short passphrase, a wrong one, a torn file, nonsense: a sentence each."""
    browser, _, _ = browser_that_shared(world)
    short = saved(browser, file_passphrase="kort")
    assert (short.status_code, 'href="#file_passphrase"' in short.text) == (400, True)
    file = saved(browser).content
    other = world.wallet.browser()
    make_wallet(other, "Otto")

    for content, passphrase, told in (
        (b"", FILE_PASSPHRASE, "Choose the file of a saved wallet."),
        (file, "something else", "The passphrase does not open this file"),
        (file[:-1], FILE_PASSPHRASE, "The passphrase does not open this file"),
        (b"nonsense", FILE_PASSPHRASE, "This is not a whole saved wallet"),
    ):
        page = read_in(other, content, passphrase)
        assert page.status_code >= 400
        assert told in page.text
    assert "Here your certificates will be" in other.get("/").text
    assert "Nothing has happened yet" in other.get("/history").text


def test_leaving_tells_who_still_has_something_and_then_deletes(world: World) -> None:
    """Whom to ask, with a draft; Enter and a missing tick delete nothing; then the wallet is gone and the name free."""
    browser, _, _ = browser_that_shared(world)
    page = browser.get("/settings/leave")
    assert "Kept until 18 February 2027" in text_of(page)
    export = page.text.index('id="export-first"')
    assert export < page.text.index('id="still-kept"') < page.text.index('id="delete-wallet"'), (
        "saving is offered first"
    )
    assert browser.get("/settings/export").status_code == 200
    draft = re.search(r'href="(mailto:[^"]+)"', page.text)
    assert draft is not None
    mail = urlsplit(unescape(draft[1]))
    assert mail.path == "dataskydd@employer.example"
    body = parse_qs(mail.query)["body"][0]
    assert "Family name" in body
    assert f"Your number for it: {THEIR_NUMBER}" in body, "found there: tests/verifier/pages/test_find.py"
    assert not UNKNOWN_WORDS.search(text_of(page))

    for fields, status in (
        ({"passphrase": PASSPHRASE, "understood": "yes"}, 200),
        ({"passphrase": PASSPHRASE, "decision": "delete"}, 400),
        ({"passphrase": "something else", "understood": "yes", "decision": "delete"}, 403),
    ):
        assert send(browser, page, "/settings/leave", **fields).status_code == status
    gone = send(browser, page, "/settings/leave", passphrase=PASSPHRASE, understood="yes", decision="delete")

    assert gone.url.path == "/left"
    assert "Your wallet is deleted" in gone.text
    assert "Nothing of it is left here." in gone.text
    assert 'id="unlock"' in browser.get("/").text
    again = send(browser, browser.get("/unlock"), "/unlock", name="Maja", passphrase=PASSPHRASE, wanted="/")
    assert again.status_code == 403


def test_forms_of_other_sites_do_nothing(world: World) -> None:
    """Saving, reading in and deleting need the page's own token."""
    browser, _, _ = browser_that_shared(world)
    for path in ("/settings/export", "/settings/import", "/settings/leave"):
        answer = browser.post(path, data={"passphrase": PASSPHRASE, "understood": "yes", "decision": "delete"})
        assert answer.status_code == 403
    assert 'id="certificate-1"' in browser.get("/").text
