"""An issuer that keeps to HAIP 1.0: with which keys and clients it starts, and what it says of its key."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.testclient import TestClient

from issuer.app import announcements, create_app
from issuer.settings import IssuerSettings
from issuer.store.keys import create_key, existing_key, import_key
from proofs.jose import parse_jws
from proofs.keys import SoftwareSigner, generate_signer
from schemas.errors import Refused
from schemas.types import CREDENTIAL_TYPES
from service.settings import UnsafeSettings
from tests.issuer.desk import PUBLIC_URL, StandingClock
from tests.proofs.authorities import Authority
from tests.proofs.cast import NOW


def settings_for(directory: Path, *, clients: str = "attesters", **changes: Any) -> IssuerSettings:
    """An issuer under HAIP with a file of clients: one with a trusted wallet provider unless said otherwise."""
    provider, portal = Authority("Wallet provider"), generate_signer()
    (directory / "root.pem").write_bytes(provider.certificate.public_bytes(Encoding.PEM))
    (directory / "portal.json").write_text(f'{{"keys": [{portal.public_jwk}]}}'.replace("'", '"'))
    entries = {
        "attesters": '[[attesters]]\nroots = ["root.pem"]\n',
        "registered": '[[clients]]\nclient_id = "p"\nredirect_uris = ["https://p.example/"]\njwks_file = "portal.json"',
        "public": '[[clients]]\nclient_id = "p"\nredirect_uris = ["https://p.example/"]\n',
        "key attesters": '[[key_attesters]]\nroots = ["root.pem"]\n',
        "nobody": "",
    }
    (directory / "clients.toml").write_text(entries[clients])
    (directory / "passphrase").write_text("a long enough test passphrase")
    values: dict[str, Any] = {
        "data": directory / "data",
        "public_url": PUBLIC_URL,
        "key_passphrase_file": directory / "passphrase",
        "clients_file": directory / "clients.toml",
        "haip": True,
    }
    return IssuerSettings.model_validate(values | changes)


def certified(root: Authority, curve: ec.EllipticCurve | None = None, **changes: Any) -> tuple[bytes, bytes]:
    """A plain private key, and the certificate that a root gives it, both PEM."""
    signer = SoftwareSigner(ec.generate_private_key(curve or ec.SECP256R1()))
    leaf = root.certify(x509.UniformResourceIdentifier(PUBLIC_URL), signer=signer, **changes)
    return _plain(signer), leaf.public_bytes(Encoding.PEM)


def pem(authority: Authority) -> bytes:
    return authority.certificate.public_bytes(Encoding.PEM)


def started(settings: IssuerSettings) -> TestClient:
    return TestClient(create_app(settings, clock=StandingClock(NOW)), base_url=settings.origin)


def test_a_sound_key_and_a_trusted_wallet_provider_are_enough(tmp_path: Path) -> None:
    """With the key that is made at first need, and with one from elsewhere, root sent along or not."""
    with started(settings_for(tmp_path)):
        pass
    root = Authority()
    for number, chain_end in enumerate((b"", pem(root))):
        (tmp_path / str(number)).mkdir()
        settings = settings_for(tmp_path / str(number))
        key, leaf = certified(root)
        import_key(settings, key_pem=key, key_passphrase=None, chain_pem=leaf + chain_end, now=NOW)
        with started(settings):
            pass


@pytest.mark.parametrize("haip", [True, False])
def test_a_key_that_signs_something_else_is_neither_imported_nor_served(tmp_path: Path, haip: bool) -> None:
    """P-384: refused under HAIP at import and at start (HAIP 7); otherwise taken, and told at start."""
    settings, root = settings_for(tmp_path, haip=haip), Authority()
    key, leaf = certified(root, ec.SECP384R1())
    if haip:
        with pytest.raises(UnsafeSettings, match="ISSUER_HAIP needs a P-256 key"):
            import_key(settings, key_pem=key, key_passphrase=None, chain_pem=leaf + pem(root), now=NOW)
        assert existing_key(settings) is None
    lenient = settings.model_copy(update={"haip": False})
    import_key(lenient, key_pem=key, key_passphrase=None, chain_pem=leaf + pem(root), now=NOW)
    if haip:
        with pytest.raises(UnsafeSettings, match="ISSUER_HAIP needs a P-256 key"):
            started(settings)
    assert any("signs ES384" in line for line in announcements(lenient, clock=lambda: NOW))


@pytest.mark.parametrize(("curve", "algorithm"), [(ec.SECP256R1(), "ES256"), (ec.SECP384R1(), "ES384")])
def test_the_metadata_say_what_the_key_signs(tmp_path: Path, curve: ec.EllipticCurve, algorithm: str) -> None:
    """Every type, the issuer metadata for `iss` and the signature of the signed metadata name one algorithm."""
    settings, root = settings_for(tmp_path, haip=False), Authority()
    key, leaf = certified(root, curve)
    import_key(settings, key_pem=key, key_passphrase=None, chain_pem=leaf + pem(root), now=NOW)
    with started(settings) as client:
        address = f"{settings.origin}/.well-known/openid-credential-issuer/uni"
        types = client.get(address).json()["credential_configurations_supported"]
        signed = parse_jws(client.get(address, headers={"Accept": "application/jwt"}).text)
        (published,) = client.get(f"{settings.origin}/.well-known/jwt-vc-issuer/uni").json()["jwks"]["keys"]

    assert types.keys() == CREDENTIAL_TYPES.keys()
    assert [one["credential_signing_alg_values_supported"] for one in types.values()] == [[algorithm]] * len(types)
    assert signed.header["alg"] == published["alg"] == algorithm


@pytest.mark.parametrize("haip", [True, False])
def test_a_self_signed_certificate_does_not_sign(tmp_path: Path, haip: bool) -> None:
    """HAIP 6.1.1. Written twice it would get past the rule that a root at the end of a chain is left out."""
    settings, alone = settings_for(tmp_path, haip=haip), Authority("Leaf")
    own = alone.certify(x509.UniformResourceIdentifier(PUBLIC_URL), signer=alone.signer).public_bytes(Encoding.PEM)
    for chain in (own, own * 2, own * 3):
        with pytest.raises(Refused, match="self-signed"):
            import_key(settings, key_pem=_plain(alone.signer), key_passphrase=None, chain_pem=chain, now=NOW)
        assert existing_key(settings) is None
    created = create_key(settings, now=NOW)
    created.key_file.write_bytes(alone.signer.private_pem(passphrase=settings.key_passphrase()))
    created.chain_file.write_bytes(own * 2)
    with pytest.raises(Refused, match="self-signed"):
        started(settings)


@pytest.mark.parametrize("with_root", [True, False])
def test_a_certificate_that_has_ended_does_not_sign(tmp_path: Path, with_root: bool) -> None:
    """Also where nobody brought the root."""
    settings, root = settings_for(tmp_path), Authority()
    key, leaf = certified(root, until=timedelta(days=2))
    chain = leaf + (pem(root) if with_root else b"")
    import_key(settings, key_pem=key, key_passphrase=None, chain_pem=chain, now=NOW)
    later = StandingClock(NOW + timedelta(days=3))
    with pytest.raises(UnsafeSettings, match="not valid at this time"):
        create_app(settings, clock=later)
    create_app(settings.model_copy(update={"haip": False}), clock=later)


def test_the_root_beside_the_key_certifies_it(tmp_path: Path) -> None:
    """Wallets are given this root: under another one nothing would be believed."""
    settings = settings_for(tmp_path)
    created = create_key(settings, now=NOW)
    assert created.root_file is not None
    created.root_file.write_bytes(pem(Authority()))
    with pytest.raises(UnsafeSettings, match="does not stand under its root"):
        started(settings)


@pytest.mark.parametrize("clients", ["public", "key attesters", "nobody", None])
def test_without_anybody_who_could_authenticate_it_does_not_start(tmp_path: Path, clients: str | None) -> None:
    """HAIP 4.4.1 wants client authentication: here nobody could collect anything, and the operator learns why."""
    settings = settings_for(tmp_path, clients=clients or "nobody")
    if clients is None:
        settings = settings.model_copy(update={"clients_file": None})
    with pytest.raises(UnsafeSettings, match=r"no wallet could authenticate.*\[\[attesters\]\] in ISSUER_CLIENTS_FILE"):
        started(settings)
    with started(settings.model_copy(update={"haip": False})):
        pass


def test_registered_keys_are_client_authentication_too(tmp_path: Path) -> None:
    """HAIP 4.4.1 asks for authentication, not for attestations alone."""
    with started(settings_for(tmp_path, clients="registered")):
        pass


def test_haip_without_a_sign_in_is_told(tmp_path: Path) -> None:
    """HAIP 4: the authorization code flow is there for whoever wants it."""
    settings = settings_for(tmp_path)
    assert any("ISSUER_LOGIN_ISSUER" in line for line in announcements(settings, clock=lambda: NOW))
    signing_in = settings.model_copy(update={"login_issuer": "https://id.example"})
    assert not any("ISSUER_LOGIN_ISSUER" in line for line in announcements(signing_in, clock=lambda: NOW))


def _plain(signer: SoftwareSigner) -> bytes:
    return signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
