"""The verifier's own registration certificate: sent along when it holds, left out and told of when it does not."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from proofs import base64url, jose, strict_json
from proofs.keys import generate_signer
from schemas.registration import FORMAT
from service.settings import UnsafeSettings
from tests.verifier.scene import START, Scene, certified
from verifier.app import create_app, make_http
from verifier.registration_file import RegistrationFile, UnusableRegistration, identifiers_of
from verifier.requests import ClientIdentity, Kind

URL = "https://firm.example"
SIGNER, _ = certified("firm", URL, "Exempelbolaget AB")
REGISTRAR, _ = certified("registrar", "https://registrar.example", "The registrar")
IDENTITY = ClientIdentity.x509_hash(SIGNER)


def certificate(*, typ: str = "rc-wrp+jwt", header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A registration certificate of the verifier at `URL`, or one with changes."""
    now = int(START.timestamp())
    claims = {"sub": URL, "name": "Exempelbolaget AB", "iat": now - 3600, "exp": now + 86_400, "credentials": []}
    return jose.sign_jws(claims | changes, signer=REGISTRAR, typ=typ, header=header or {"x5c": list(REGISTRAR.x5c)})


def _of_another_algorithm() -> str:
    header, payload, signature = certificate().split(".")
    changed = strict_json.loads_object(base64url.decode(header)) | {"alg": "ES384"}
    return f"{base64url.encode(strict_json.dumps(changed))}.{payload}.{signature}"


def _resigned() -> str:
    head, _, _ = certificate().split(".")
    _, payload, signature = certificate(sub="https://other.example").split(".")
    return f"{head}.{payload}.{signature[:-4]}AAAA"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: certificate(sub="https://other.example"), "is about somebody else; this verifier is .*firm.example"),
        (lambda: certificate(sub="Exempelbolaget AB"), "is about somebody else"),
        (lambda: certificate(exp=int(START.timestamp()) - 3600), "has expired"),
        (lambda: certificate(iat=int(START.timestamp()) + 3600), "is from the future"),
        (lambda: certificate(typ="jwt"), "no registration certificate that can be used"),
        (lambda: certificate(header={"kid": "k"}), "no registration certificate that can be used"),
        (lambda: certificate(credentials="all"), "no registration certificate that can be used"),
        (_resigned, "no registration certificate that can be used"),
        (_of_another_algorithm, "an algorithm that is not used here"),
        (lambda: "", "no registration certificate that can be used"),
        (lambda: "å", "cannot be read|no registration certificate"),
        (lambda: "a" * 200_000, "no registration certificate that can be used"),
    ],
)
def test_what_does_not_hold_is_not_sent_and_is_named(tmp_path: Path, make: Callable[[], str], said: str) -> None:
    """Somebody else's, too old or too new, another thing: nothing is sent, and the setting is named with the reason."""
    file = tmp_path / "registration.jwt"
    file.write_text(make(), "utf-8")
    registration = RegistrationFile(file, IDENTITY)

    assert registration.current(now=START) == ""
    with pytest.raises(UnusableRegistration, match=f"^VERIFIER_REGISTRATION_FILE.*({said})"):
        registration.check(now=START)


@pytest.mark.parametrize("changes", [{}, {"sub": IDENTITY.client_id}, {"sub": "urn:x", "act": {"sub": URL}}])
def test_it_is_ours_by_what_our_requests_prove(tmp_path: Path, changes: dict[str, Any]) -> None:
    """By the address in our certificate or by our identifier, as subject or as intermediary; spaces do not matter."""
    file = tmp_path / "registration.jwt"
    token = certificate(**changes)
    file.write_text(f"\n{token}\n")

    RegistrationFile(file, IDENTITY).check(now=START)
    assert RegistrationFile(file, IDENTITY).current(now=START) == token


def test_a_did_is_ours_and_unsigned_requests_have_none(tmp_path: Path) -> None:
    """A DID is what its requests prove; a request that nobody signed can be anybody's."""
    file = tmp_path / "registration.jwt"
    did = ClientIdentity.decentralized_identifier(generate_signer(), "did:web:firm.example")
    assert identifiers_of(did) == {"did:web:firm.example", "decentralized_identifier:did:web:firm.example"}
    file.write_text(certificate(sub="did:web:firm.example"))
    assert RegistrationFile(file, did).current(now=START)

    with pytest.raises(UnusableRegistration, match="requests are not signed"):
        RegistrationFile(file, ClientIdentity.unsigned()).check(now=START)


def test_a_changed_file_counts_at_once_and_an_unchanged_one_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No restart is needed for a new one; and one that ends is noticed though nobody touched the file."""
    file, other = tmp_path / "registration.jwt", tmp_path / "next"
    first, second = certificate(), certificate(exp=int(START.timestamp()) + 10 * 86_400)
    file.write_text(first)
    registration = RegistrationFile(file, IDENTITY)
    opened: list[Path] = []
    real_open = Path.open

    def counting(self: Path, *arguments: Any, **named: Any) -> Any:
        opened.append(self)
        return real_open(self, *arguments, **named)

    monkeypatch.setattr(Path, "open", counting)
    assert [registration.current(now=START) for _ in range(3)] == [first] * 3
    assert opened == [file]

    later = START + timedelta(days=3)
    assert registration.current(now=later) == "", "it has ended meanwhile"
    other.write_text(second)
    os.replace(other, file)
    assert registration.current(now=later) == second
    file.unlink()
    with pytest.raises(UnusableRegistration, match="cannot be read"):
        registration.check(now=later)
    file.write_text(second)
    assert registration.current(now=later) == second


def test_requests_of_every_channel_carry_it(tmp_path: Path) -> None:
    """Fetched by a wallet, or given to the browser: after the notice, and about the whole query."""
    file = tmp_path / "registration.jwt"
    scene = Scene(tmp_path / "data", registration_file=file)
    token = certificate(sub=scene.settings.base_url)
    file.write_text(token)
    fetched = scene.fetch(scene.ask("employer-micro-credential"))
    template = scene.verifier.templates()["employer-micro-credential"]
    shown = scene.verifier.make_request(template, kind=Kind.SAME_DEVICE, maker="", binding="browser")
    _, digital = scene.verifier.begin_digital(shown.transaction.handle, binding="browser")
    by_browser = jose.read_claims(jose.parse_jws(digital["data"]["request"]))

    for parameters in (fetched, by_browser):
        notice, registration = parameters["verifier_info"]
        assert notice["format"] != FORMAT
        assert registration == {"format": FORMAT, "data": token}

    file.write_text("nothing")
    assert len(scene.fetch(scene.ask("employer-micro-credential"))["verifier_info"]) == 1


def test_the_start_and_readiness_say_what_is_wrong(tmp_path: Path) -> None:
    """A service does not start with one that is not ours; when one ends later it is not ready, and says why."""
    file = tmp_path / "registration.jwt"
    scene = Scene(tmp_path / "data", registration_file=file)
    mine = scene.settings.base_url
    for wrong, said in ((None, "cannot be read"), (certificate(sub="https://other.example"), "about somebody else")):
        if wrong is not None:
            file.write_text(wrong)
        with pytest.raises(UnsafeSettings, match=f"VERIFIER_REGISTRATION_FILE.*{said}"):
            create_app(scene.settings, http=make_http(scene.settings), clock=scene.clock)

    file.write_text(certificate(sub=mine))
    app = create_app(scene.settings, http=make_http(scene.settings), clock=scene.clock)
    with TestClient(app, base_url=mine) as client:
        assert client.get("/ready").status_code == 200
        scene.pass_time(days=2)
        answer = client.get("/ready")
        assert answer.status_code == 503
        description = answer.json()["error_description"]
        assert description == "VERIFIER_REGISTRATION_FILE: the registration certificate has expired."
        assert client.get("/health").status_code == 200
        file.write_text(certificate(sub=mine, exp=int(scene.now.timestamp()) + 3600))
        assert client.get("/ready").status_code == 200
