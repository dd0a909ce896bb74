"""Settings: safe defaults, and no start with an unsafe one."""

import stat
import threading
from pathlib import Path

import pytest
from pydantic import ValidationError

from issuer.settings import IssuerSettings
from service.settings import (
    UnsafeSettings,
    is_loopback_host,
    record_public_url,
    recorded_public_url,
    refuse_unsafe,
    settings_values,
)
from tests.service.conftest import SampleSettings
from verifier.settings import VerifierSettings
from wallet.settings import WalletSettings


def made(tmp_path: Path, **values: object) -> SampleSettings:
    return SampleSettings.model_validate({"data": tmp_path, **values})


def passphrase_file(tmp_path: Path, text: str = "sixteen letters!") -> Path:
    path = tmp_path / "passphrase"
    path.write_text(text + "\n")
    return path


def test_defaults_are_safe_and_on_loopback(tmp_path: Path) -> None:
    settings = made(tmp_path)

    assert settings.problems() == []
    assert settings.announcements() == []
    assert settings.base_url == "http://localhost:8000"
    assert settings.is_loopback
    assert not settings.is_https
    assert not settings.allow_loopback


def test_settings_come_from_the_environment_of_their_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLE_DATA", str(tmp_path))
    monkeypatch.setenv("SAMPLE_PUBLIC_URL", "https://sample.example/a/")
    monkeypatch.setenv("SAMPLE_ALLOW_HOSTS", "One.example, two.example:8443")
    monkeypatch.setenv("SAMPLE_ALLOW_LOOPBACK", "1")
    monkeypatch.setenv("SAMPLE_CA_FILE", "")

    settings = SampleSettings()

    assert settings.base_url == "https://sample.example/a"
    assert settings.allow_hosts == ["one.example", "two.example:8443"]
    assert settings.allow_loopback
    assert settings.ca_file is None
    assert [line.split(":")[0] for line in settings.announcements()] == ["SAMPLE_ALLOW_LOOPBACK", "SAMPLE_ALLOW_HOSTS"]


def test_addresses_are_built_from_the_public_url(tmp_path: Path) -> None:
    settings = made(tmp_path, public_url="https://sample.example:8443/a/b/")

    assert settings.origin == "https://sample.example:8443"
    assert settings.path_prefix == "/a/b"
    assert settings.url("/token") == "https://sample.example:8443/a/b/token"
    assert settings.path("/token") == "/a/b/token"
    assert settings.well_known_path("x") == "/.well-known/x/a/b"
    assert settings.well_known_url("x") == "https://sample.example:8443/.well-known/x/a/b"
    assert made(tmp_path).on_port(4711).url("/x") == "http://localhost:4711/x"


@pytest.mark.parametrize(
    ("values", "variable"),
    [
        ({"public_url": "http://sample.example"}, "SAMPLE_PUBLIC_URL"),
        ({"public_url": "ftp://localhost"}, "SAMPLE_PUBLIC_URL"),
        ({"public_url": "sample.example"}, "SAMPLE_PUBLIC_URL"),
        ({"public_url": "http://user:word@localhost:1"}, "SAMPLE_PUBLIC_URL"),
        ({"public_url": "http://localhost:1/?a=b"}, "SAMPLE_PUBLIC_URL"),
        ({"public_url": "https://sample.example"}, "SAMPLE_KEY_PASSPHRASE_FILE"),
        ({"host": "0.0.0.0"}, "SAMPLE_HOST"),
        ({"proxies": "*"}, "SAMPLE_PROXIES"),
        ({"proxies": "10.0.0.7, 0.0.0.0/0"}, "SAMPLE_PROXIES"),
        ({"proxies": "::/0"}, "SAMPLE_PROXIES"),
        ({"proxies": "10.0.0.7/8"}, "SAMPLE_PROXIES"),
        ({"proxies": "proxy.example"}, "SAMPLE_PROXIES"),
        ({"allow_hosts": "*"}, "SAMPLE_ALLOW_HOSTS"),
        ({"allow_hosts": "a.example,*.b.example"}, "SAMPLE_ALLOW_HOSTS"),
        ({"allow_hosts": "https://a.example"}, "SAMPLE_ALLOW_HOSTS"),
        ({"ca_file": "/nowhere/ca.pem"}, "SAMPLE_CA_FILE"),
        ({"key_passphrase_file": "/nowhere/passphrase"}, "SAMPLE_KEY_PASSPHRASE_FILE"),
        ({"session_idle_seconds": 3601, "session_absolute_seconds": 3600}, "SAMPLE_SESSION_IDLE_SECONDS"),
    ],
)
def test_an_unsafe_setting_is_refused_by_name(tmp_path: Path, values: dict[str, object], variable: str) -> None:
    with pytest.raises(UnsafeSettings) as caught:
        refuse_unsafe(made(tmp_path, **values))

    assert caught.value.problems[0].startswith(variable)


def test_addresses_networks_and_hosts_are_taken(tmp_path: Path) -> None:
    """What names somebody in particular is no problem."""
    settings = made(
        tmp_path,
        proxies="10.0.0.7, 10.1.0.0/16, ::1, fd00::/8",
        allow_hosts="localhost, a-b.example:8443, my_host, 10.0.0.7:80, [::1]:8080, ::1",
    )

    assert settings.problems() == []
    assert len(settings.announcements()) == 2


@pytest.mark.parametrize(
    ("url", "is_plain"),
    [
        ("https://sample.example", True),
        ("https://sample.example/", True),
        ("https://a-b.sample.example:8443/tenant/A_b.c~1", True),
        ("https://xn--hgskola-q4a.example", True),
        ("http://127.0.0.1:8000", True),
        ("http://[::1]:8000/x", True),
        ("https://Sample.example", False),
        ("https://h\u00f6gskola.example", False),
        ("https://sample.example/caf\u00e9", False),
        ("https://sample.example:443", False),
        ("https://sample.example/a b", False),
        ("https://sample.example//a", False),
        ("https://sample.example/a/../b", False),
        ("https://sample.example/a%2fb", False),
        ("https://-sample.example", False),
        (f"https://{'x' * 64}.example", False),
    ],
)
def test_a_public_address_is_written_in_the_one_form_that_peers_compare(
    tmp_path: Path, url: str, is_plain: bool
) -> None:
    """Identifiers are compared letter by letter; a second spelling of the same address would be somebody else."""
    file = passphrase_file(tmp_path, "x" * 16)
    problems = made(tmp_path, public_url=url, key_passphrase_file=file).problems()
    assert (problems == []) is is_plain
    assert is_plain or "SAMPLE_PUBLIC_URL must be written plainly" in problems[0]


@pytest.mark.parametrize("port", [0, 80, 443, 65535])
def test_the_address_on_this_machine_is_plain_whatever_the_port(tmp_path: Path, port: int) -> None:
    """Port 0 becomes a real one when the service listens."""
    assert made(tmp_path, port=port).problems() == []


@pytest.mark.parametrize("url", ["https://[::1", "https://sample.example:99999", "https://sample.example:x"])
def test_what_is_no_address_at_all_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValidationError, match="not an http"):
        made(tmp_path, public_url=url)


@pytest.mark.parametrize(("letters", "safe"), [(15, False), (16, True), (17, True)])
def test_a_passphrase_has_sixteen_characters_or_more(tmp_path: Path, letters: int, safe: bool) -> None:
    file = passphrase_file(tmp_path, "x" * letters)
    settings = made(tmp_path, public_url="https://sample.example", key_passphrase_file=file)

    assert (settings.problems() == []) is safe
    assert settings.key_passphrase() == b"x" * letters


def test_a_passphrase_is_made_on_loopback_only(tmp_path: Path) -> None:
    passphrase = made(tmp_path).key_passphrase()

    assert len(passphrase) >= 40
    assert made(tmp_path).key_passphrase() == passphrase
    assert stat.S_IMODE((tmp_path / "key-passphrase").stat().st_mode) == 0o600
    with pytest.raises(UnsafeSettings):
        made(tmp_path, public_url="https://sample.example").key_passphrase()


def test_no_passphrase_is_made_for_a_key_that_has_another(tmp_path: Path) -> None:
    """A command without the service's environment says what to set, and leaves nothing behind."""
    key = tmp_path / "keys" / "sample.key.pem"
    key.parent.mkdir()
    key.touch()
    with pytest.raises(UnsafeSettings) as refused:
        made(tmp_path).key_passphrase()

    assert "SAMPLE_KEY_PASSPHRASE_FILE is not set here" in refused.value.problems[0]
    assert not (tmp_path / "key-passphrase").exists()


def test_a_damaged_device_secret_is_named_and_not_replaced(tmp_path: Path) -> None:
    """A new secret would lock everybody out; the operator is told which file to bring back."""
    (tmp_path / "device-secret").write_text("half of it was writt")
    with pytest.raises(UnsafeSettings, match="device-secret is damaged"):
        made(tmp_path).device_secret()


def test_the_device_secret_is_made_once_even_by_many_at_a_time(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(made(tmp_path).device_secret())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(found)) == 1
    assert len(found[0]) == 32
    assert stat.S_IMODE((tmp_path / "device-secret").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["device-secret"]


def test_other_commands_find_the_public_url(tmp_path: Path) -> None:
    assert recorded_public_url(tmp_path / "new") is None

    record_public_url(tmp_path / "new", "http://localhost:4711")

    assert recorded_public_url(tmp_path / "new") == "http://localhost:4711"


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("LOCALHOST", True),
        ("localhost.example", False),
        ("128.0.0.1", False),
        ("0.0.0.0", False),
        ("", False),
    ],
)
def test_loopback_is_this_very_machine(host: str, is_loopback: bool) -> None:
    assert is_loopback_host(host) is is_loopback


def test_settings_can_be_printed_by_their_variables(tmp_path: Path) -> None:
    values = settings_values(made(tmp_path))

    assert values["SAMPLE_PORT"] == 8000
    assert "SAMPLE_SESSION_IDLE_SECONDS" in values


def test_a_variable_that_no_setting_reads_is_told_with_the_nearest_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typing error is told at start, without its value, which may be a secret; other prefixes are not ours."""
    monkeypatch.setenv("SAMPLE_DATA", str(tmp_path))
    monkeypatch.setenv("SAMPLE_ALOW_LOOPBACK", "hidden-value")
    monkeypatch.setenv("SAMPLE_QQQQQQQQQQQQ", "x")
    monkeypatch.setenv("SAMPLER_PORT", "8001")
    monkeypatch.setenv("SAMPLE_PERSON", "Maja")
    monkeypatch.setattr(SampleSettings, "also_read", frozenset({"SAMPLE_PERSON"}))

    told = SampleSettings().announcements()

    assert told == [
        "SAMPLE_ALOW_LOOPBACK: no setting has this name, so it does nothing. Did you mean SAMPLE_ALLOW_LOOPBACK?",
        "SAMPLE_QQQQQQQQQQQQ: no setting has this name, so it does nothing.",
    ]


def test_each_service_tells_a_typing_error_and_knows_what_its_commands_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`VERIFIER_HAPI` for `VERIFIER_HAIP`, the same of the issuer, and a wallet's; `*_DATA` is no stranger."""
    for name in ("ISSUER_DATA", "WALLET_DATA", "VERIFIER_DATA", "WALLET_PERSON", "VERIFIER_URL", "VERIFIER_KEY"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("ISSUER_HAPI", "WALLET_BATCH_LIMITS", "VERIFIER_HAPI"):
        monkeypatch.setenv(name, "1")

    told = [
        line
        for settings in (IssuerSettings(data=tmp_path), WalletSettings(data=tmp_path), VerifierSettings(data=tmp_path))
        for line in settings.announcements()
        if "no setting has this name" in line
    ]

    assert [(line.split(":")[0], line.split()[-1]) for line in told] == [
        ("ISSUER_HAPI", "ISSUER_HAIP?"),
        ("WALLET_BATCH_LIMITS", "WALLET_BATCH_LIMIT?"),
        ("VERIFIER_HAPI", "VERIFIER_HAIP?"),
    ]
