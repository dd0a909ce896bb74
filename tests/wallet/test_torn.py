"""What is torn or forgotten on the way takes nothing from a vault (durability D20).

Nothing of a vault lies in the browser but the cookie of a session, and nothing is uploaded but a saved wallet that is
to be read in.
"""

import sqlite3
from contextlib import closing

import pytest

from tests.wallet.pages.sharing_browser import browser_that_shared
from tests.wallet.pages.test_moving_pages import read_in, saved
from tests.wallet.test_pages import field, make_wallet, send
from tests.world import PASSPHRASE, World

BOUNDARY = "torn"


def at_rest(world: World) -> list[tuple[object, ...]]:
    """Every row of the tables in which vaults lie."""
    with closing(sqlite3.connect(world.wallet.settings.data / "wallet.sqlite3")) as database:
        tables = ("person", "certificate", "copy", "ledger", "ledger_head", "take_back")
        return [row for table in tables for row in database.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()]


# The parser of the framework lets go of a part that never ended, without closing it: it was never a file with a name.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.999])
def test_d20_a_torn_upload_leaves_the_vault_as_it_was(world: World, kept: float) -> None:
    """The line breaks before the file, in its middle, or in its last bytes: refused, and nothing is touched."""
    browser, _, _ = browser_that_shared(world)
    file = saved(browser).content
    other = world.wallet.browser()
    make_wallet(other, "Otto")
    token = field(other.get("/settings/import"), "csrf")
    fields = {"csrf": token, "file_passphrase": "fem ord till en fil"}
    head = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    head += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="w.intyga"\r\n\r\n'
    before = at_rest(world)

    torn = other.post(
        "/settings/import",
        content=head.encode() + file[: int(kept * len(file))],
        headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
    )

    assert torn.status_code >= 400
    assert at_rest(world) == before
    assert "1 certificate is new." in read_in(other, file).text, "whole, it is read in"


def test_d20_an_empty_wallet_overwrites_nothing(world: World) -> None:
    """The file of a vault in which nothing is, read into one that holds something."""
    browser, _, _ = browser_that_shared(world)
    other = world.wallet.browser()
    make_wallet(other, "Otto")
    empty = saved(other).content
    before = at_rest(world)

    done = read_in(browser, empty)

    assert done.status_code == 200
    assert at_rest(world) == before


def test_d20_a_browser_that_forgot_everything_finds_all_of_it(world: World) -> None:
    """Cookies gone: the passphrase opens the same vault."""
    browser, entry, _ = browser_that_shared(world)
    before = at_rest(world)
    browser.cookies.clear()
    assert 'id="certificate-1"' not in browser.get("/").text

    send(browser, browser.get("/unlock"), "/unlock", name="Maja", passphrase=PASSPHRASE)

    assert 'id="certificate-1"' in browser.get("/").text
    assert browser.get(f"/history/{entry}").status_code == 200
    assert at_rest(world) == before
