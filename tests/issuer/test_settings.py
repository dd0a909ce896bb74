"""The issuer's settings: all of them documented, the unsafe ones refused."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from issuer.settings import IssuerSettings
from issuer.store.keys import KeyOfAnotherIssuer
from tests.issuer.desk import open_desk

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings-issuer.md"


def test_every_setting_stands_in_the_document_with_its_default() -> None:
    """The table names each variable once, with the default that the code has."""
    rows = dict(re.findall(r"^\| `(ISSUER_[A-Z_]+)` \|.*\| ([^|]+) \|$", DOCUMENT.read_text(), re.MULTILINE))
    settings = IssuerSettings(data=Path("x"))
    assert set(rows) == {settings.variable(name) for name in IssuerSettings.model_fields}
    for name, field in IssuerSettings.model_fields.items():
        default = rows[settings.variable(name)].strip("`")
        if default in ("none", "empty") or name in ("data", "public_url"):
            assert not field.default or name == "data"
        else:
            assert default.casefold() == str(field.default).casefold(), name


def test_variables_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """ISSUER_... sets what the document says."""
    monkeypatch.setenv("ISSUER_BATCH_SIZE", "20")
    monkeypatch.setenv("ISSUER_NAME", "Universitetet")
    monkeypatch.setenv("ISSUER_PROFILE_FILE", "")
    settings = IssuerSettings(data=Path("x"))
    assert (settings.batch_size, settings.names, settings.profile_file) == (
        20,
        {"sv": "Universitetet", "en": "Universitetet"},
        None,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"batch_size": 1},
        {"status_list_size": 1001},
        {"tx_code_length": 3},
        {"nonce_seconds": 301},
        {"country": "Sverige"},
    ],
)
def test_impossible_values_are_refused(change: dict[str, Any]) -> None:
    """Bounds that protect somebody are enforced by the type."""
    with pytest.raises(ValidationError):
        IssuerSettings.model_validate({"data": Path("x")} | change)


def test_unsafe_settings_are_named(tmp_path: Path) -> None:
    """A missing profile, a list that expires before it is fetched again, an address without https."""
    settings = IssuerSettings(
        data=tmp_path,
        public_url="http://issuer.example",
        profile_file=tmp_path / "nowhere.toml",
        status_list_ttl_seconds=600,
        status_list_lifetime_seconds=900,
    )
    told = " ".join(settings.problems())
    for variable in ("PUBLIC_URL", "PROFILE_FILE", "STATUS_LIST_LIFETIME_SECONDS", "KEY_PASSPHRASE_FILE"):
        assert f"ISSUER_{variable}" in told


def test_a_key_of_another_address_is_not_used(tmp_path: Path) -> None:
    """When the public URL changes, the issuer refuses to sign what nobody would trust, and says what to do."""
    open_desk(tmp_path).context.store.close()
    with pytest.raises(KeyOfAnotherIssuer, match="ISSUER_PUBLIC_URL"):
        open_desk(tmp_path, public_url="https://other.example")
