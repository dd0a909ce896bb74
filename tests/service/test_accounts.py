"""Staff accounts and keys of programs."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from service.accounts import Accounts, LoginTaken, PasswordTooShort, WrongSetupCode
from service.database import Database
from tests.service.conftest import NOW

PASSWORD = "a password of 24 letters"  # pragma: allowlist secret


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database, service="sample", device_secret=bytes(32))


def test_the_first_account_is_made_with_the_code_from_the_terminal(accounts: Accounts) -> None:
    async def story() -> None:
        assert await accounts.is_empty()
        code = await accounts.setup_code(now=NOW)
        assert code is not None
        with pytest.raises(WrongSetupCode):
            await accounts.create_first("0000-0000-0000-0000", "Alva", PASSWORD, now=NOW)

        account = await accounts.create_first(code.lower().replace("-", " "), " Alva ", PASSWORD, now=NOW)

        assert not await accounts.is_empty()
        assert await accounts.setup_code(now=NOW) is None
        assert await accounts.sign_in("alva", PASSWORD, now=NOW) == account
        assert await accounts.sign_in("alva", PASSWORD + "x", now=NOW) is None
        assert await accounts.sign_in("nobody", PASSWORD, now=NOW) is None
        with pytest.raises(WrongSetupCode):
            await accounts.create_first(code, "Second", PASSWORD, now=NOW)

    asyncio.run(story())


def test_of_several_with_the_code_exactly_one_makes_the_first_account(accounts: Accounts) -> None:
    async def story() -> list[object]:
        code = await accounts.setup_code(now=NOW)
        assert code is not None
        tries = (accounts.create_first(code, f"person {number}", PASSWORD, now=NOW) for number in range(4))
        return list(await asyncio.gather(*tries, return_exceptions=True))

    outcomes = asyncio.run(story())

    assert sum(isinstance(outcome, WrongSetupCode) for outcome in outcomes) == 3


@pytest.mark.parametrize(("seconds", "works"), [(86399, True), (86400, False)])
def test_a_setup_code_works_for_a_day(accounts: Accounts, seconds: int, works: bool) -> None:
    async def story() -> None:
        code = await accounts.setup_code(now=NOW)
        assert code is not None
        await accounts.create_first(code, "Alva", PASSWORD, now=NOW + timedelta(seconds=seconds))

    if works:
        asyncio.run(story())
    else:
        with pytest.raises(WrongSetupCode):
            asyncio.run(story())


def test_an_earlier_setup_code_stops_working(accounts: Accounts) -> None:
    async def story() -> None:
        first = await accounts.setup_code(now=NOW)
        await accounts.setup_code(now=NOW)
        assert first is not None
        await accounts.create_first(first, "Alva", PASSWORD, now=NOW)

    with pytest.raises(WrongSetupCode):
        asyncio.run(story())


@pytest.mark.parametrize(("letters", "accepted"), [(11, False), (12, True), (13, True)])
def test_a_password_has_twelve_characters_or_more(accounts: Accounts, letters: int, accepted: bool) -> None:
    making = accounts.create("Alva", "x" * letters, now=NOW)
    if accepted:
        asyncio.run(making)
    else:
        with pytest.raises(PasswordTooShort):
            asyncio.run(making)


def test_a_login_name_is_taken_once_and_not_readable_at_rest(accounts: Accounts, tmp_path: Path) -> None:
    asyncio.run(accounts.create("Alva Lindqvist", PASSWORD, now=NOW))

    with pytest.raises(LoginTaken):
        asyncio.run(accounts.create("alva lindqvist ", PASSWORD, now=NOW))

    raw = b"".join(file.read_bytes() for file in tmp_path.iterdir()).lower()
    assert b"lindqvist" not in raw
    assert PASSWORD.encode() not in raw


def test_a_password_is_changed_with_the_old_one_only(accounts: Accounts) -> None:
    async def story() -> None:
        account = await accounts.create("Alva", PASSWORD, now=NOW)
        assert not await accounts.change_password(account.id, "wrong password", "another password")
        assert not await accounts.change_password("nobody", PASSWORD, "another password")
        assert await accounts.change_password(account.id, PASSWORD, "another password")
        assert await accounts.sign_in("Alva", PASSWORD, now=NOW) is None
        assert await accounts.sign_in("Alva", "another password", now=NOW) == account

    asyncio.run(story())


def test_an_api_key_works_until_it_is_revoked_and_is_not_kept(accounts: Accounts, tmp_path: Path) -> None:
    async def story() -> str:
        key, text = await accounts.new_api_key("student system", now=NOW)
        assert text.startswith("intyga-sample-")
        assert await accounts.check_api_key(text) == key
        assert await accounts.check_api_key(text[:-1]) is None
        assert await accounts.check_api_key("å") is None
        assert [one.label for one in await accounts.api_keys()] == ["student system"]
        assert await accounts.revoke_api_key(key.id, now=NOW)
        assert not await accounts.revoke_api_key(key.id, now=NOW)
        assert await accounts.check_api_key(text) is None
        return text

    text = asyncio.run(story())

    assert text.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
