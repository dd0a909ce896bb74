"""Who gets in: the first account by the code from the terminal, then name and password, and nobody else."""

import asyncio
from typing import Any

import pytest

from tests.issuer.desk import Desk
from tests.issuer.pages.registrar import PASSWORD, Registrar

STAFF_PAGES = [
    "/",
    "/import",
    "/import/abc",
    "/results/abc",
    "/results/abc/def",
    "/offered",
    "/offered/abc",
    "/issued",
    "/issued/abc",
    "/issued/abc/revoke",
    "/account",
    "/events",
    "/offered/abc/events",
]


@pytest.mark.parametrize("path", STAFF_PAGES)
def test_staff_pages_lead_to_signing_in_and_back(desk: Desk, path: str) -> None:
    """Nobody sees a result without a login, and nobody learns what exists."""
    visitor = Registrar(desk).visit(path)
    assert visitor.at.startswith("/sign-in?next=")
    assert "login" in visitor.ids("")


@pytest.mark.parametrize(
    "path",
    ["/import", "/import/a/keep", "/results/a/offer", "/offered/a/void", "/offered/a/again", "/issued/a/revoke"],
)
def test_nothing_is_changed_without_a_login(desk: Desk, path: str) -> None:
    """A program without a session is refused."""
    answer = desk.client.post(desk.url(path), data={}, headers={"Accept": "application/json"})
    assert answer.status_code in (401, 403)


@pytest.mark.parametrize("path", ["/import/a/discard", "/offered/a/void", "/issued/a/suspend", "/sign-out"])
def test_a_form_from_elsewhere_is_refused(registrar: Registrar, path: str) -> None:
    """Another site cannot make a signed-in browser act."""
    assert registrar.send(path, csrf="forged").status == 403


def test_the_first_account_needs_the_code_from_the_terminal(desk: Desk) -> None:
    """A wrong code, a short password and a missing name are each told."""
    visitor = Registrar(desk).visit("/setup")
    assert "does not work" in visitor.send("/setup", setup_code="WRONG", login="a", password=PASSWORD).words()
    assert "login name" in visitor.send("/setup", setup_code="WRONG", login=" ", password=PASSWORD).words()
    assert "too short" in visitor.send("/setup", setup_code="WRONG", login="a", password="short").words()
    assert visitor.sign_in().at == "/"


def test_there_is_only_one_first_account(registrar: Registrar) -> None:
    """Once there is an account, the page leads to signing in."""
    assert registrar.visit("/setup").at.startswith("/sign-in")


def test_signing_out_and_in_again(registrar: Registrar) -> None:
    """The session ends at once; name and password open a new one, which goes on to what was asked for."""
    registrar.press("sign-out")
    assert "signed out" in registrar.words()
    registrar.visit("/issued")
    assert registrar.at.startswith("/sign-in")
    registrar.press("sign-in", login="registrator", password="wrong wrong wrong")
    assert registrar.status == 403
    registrar.press("sign-in", login="Registrator", password=PASSWORD)
    assert registrar.at == "/issued"


def test_somebody_changes_their_own_password(registrar: Registrar) -> None:
    """With the present one only; other browsers are signed out, this one stays."""
    client, new = registrar.desk.client, "another long and quiet one"
    elsewhere = dict(client.cookies)
    client.cookies.clear()
    registrar.visit("/sign-in").press("sign-in", login="registrator", password=PASSWORD)

    registrar.visit("/account").press("change-password", old_password="wrong wrong wrong", new_password=new)
    assert "not your present password" in registrar.words()
    registrar.press("change-password", old_password=PASSWORD, new_password="short")
    assert "too short" in registrar.words()
    registrar.press("change-password", old_password=PASSWORD, new_password=new)
    assert "Your password was changed" in registrar.words()

    assert registrar.visit("/issued").at == "/issued"
    client.cookies.clear()
    client.cookies.update(elsewhere)
    assert registrar.visit("/issued").at.startswith("/sign-in")
    assert registrar.press("sign-in", login="registrator", password=PASSWORD).status == 403
    assert registrar.press("sign-in", login="registrator", password=new).at == "/issued"


def test_a_session_of_a_removed_account_opens_nothing(registrar: Registrar) -> None:
    """Even one that was opened while the account was being removed."""
    desk = registrar.desk
    app: Any = desk.client.app
    sessions = app.state.pages.sessions
    desk.client.cookies.clear()
    desk.client.cookies.set(sessions.cookie_name, asyncio.run(sessions.open("nobody", now=desk.clock())))
    for path in ("/", "/offered", "/account"):
        assert registrar.visit(path).at.startswith("/sign-in")


def test_guessing_the_present_password_is_slowed_down(registrar: Registrar) -> None:
    """Somebody at an unlocked screen does not get endless tries."""
    registrar.visit("/account")
    for _ in range(10):
        registrar.press("change-password", old_password="wrong wrong wrong", new_password="x" * 20)
    registrar.press("change-password", old_password=PASSWORD, new_password="x" * 20)
    assert registrar.status == 429


def test_guessing_passwords_is_slowed_down(registrar: Registrar) -> None:
    """After ten attempts even the right one waits."""
    registrar.press("sign-out")
    for _ in range(10):
        registrar.press("sign-in", login="registrator", password="wrong wrong wrong")
    registrar.press("sign-in", login="registrator", password=PASSWORD)
    assert registrar.status == 429
    assert "ten minutes" in registrar.words()


@pytest.mark.parametrize("following", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_signing_in_never_leads_elsewhere(registrar: Registrar, following: str) -> None:
    """The way back is always one of our pages."""
    registrar.press("sign-out")
    registrar.press("sign-in", login="registrator", password=PASSWORD, next=following)
    assert registrar.at == "/"
