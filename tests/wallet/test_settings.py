"""The wallet's settings: documented one by one, safe by default."""

import re
from pathlib import Path

from wallet.settings import WalletSettings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings-wallet.md"
OF_COMMANDS = {"WALLET_PERSON"}


def test_every_setting_is_documented_and_every_documented_one_exists(tmp_path: Path) -> None:
    """An operator finds each setting in the table, and nothing that does not exist."""
    settings = WalletSettings(data=tmp_path)
    documented = set(re.findall(r"^\| `(WALLET_[A-Z_]+)`", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))

    assert documented - OF_COMMANDS == {settings.variable(name) for name in WalletSettings.model_fields}


def test_a_wallet_on_loopback_needs_no_setting_at_all(tmp_path: Path) -> None:
    """What a newcomer starts is safe as it is."""
    assert WalletSettings(data=tmp_path).problems() == []


def test_unsafe_settings_are_named(tmp_path: Path) -> None:
    """Plain http for others, and a key passphrase that is too short, are refused by name."""
    short = tmp_path / "short"
    short.write_text("x")
    problems = WalletSettings(data=tmp_path, public_url="http://wallet.example", key_passphrase_file=short).problems()

    assert any("WALLET_PUBLIC_URL" in problem for problem in problems)
    assert any("WALLET_KEY_PASSPHRASE_FILE" in problem for problem in problems)
