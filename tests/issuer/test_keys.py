"""The signing key: made once, whatever happens in between; nothing outlives its certificate."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from issuer.app import announcements
from issuer.settings import IssuerSettings
from issuer.store.keys import KeyExists, KeyOfAnotherIssuer, create_key, existing_key, import_key, signing_key
from proofs.certificates import verify_chain
from proofs.certified_keys import CertifiedKey, create_certified_key
from proofs.keys import load_signer
from schemas.errors import Malformed, Refused
from tests.issuer.desk import NOON, PUBLIC_URL, assert_refused, running_desk

FILES = ("issuer.key.pem", "issuer.root.key.pem", "issuer.root.pem", "issuer.chain.pem")


@pytest.fixture
def settings(tmp_path: Path) -> IssuerSettings:
    """The settings of an issuer whose data directory is still empty."""
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("a long enough test passphrase")
    return IssuerSettings(data=tmp_path / "data", public_url=PUBLIC_URL, key_passphrase_file=passphrase)


@pytest.mark.parametrize("written", range(len(FILES)))
def test_a_key_whose_making_was_interrupted_is_made_again(settings: IssuerSettings, written: int) -> None:
    """A process that dies while it makes the key leaves some files behind; the next start makes a whole key.

    The chain is written last, so that a key counts only when all of it is there. What was left is kept aside.
    """
    first = create_key(settings, now=NOON)
    for name in FILES[written:]:
        (settings.keys / name).unlink()
    assert existing_key(settings) is None

    made = signing_key(settings, now=NOON)

    assert made.signer.kid != first.signer.kid
    assert made.root_file is not None
    verify_chain(made.signer.x5c, anchors=[_der(made.root_file)], now=NOON)
    aside = sorted(path.name for path in settings.keys.glob("*.unfinished"))
    assert aside == sorted(f"{name}.unfinished" for name in FILES[:written])
    assert signing_key(settings, now=NOON).signer.kid == made.signer.kid


def test_a_second_key_is_refused_and_the_first_stays(settings: IssuerSettings) -> None:
    """Making or importing a key where there is one says so, and changes nothing."""
    key = create_key(settings, now=NOON)
    with pytest.raises(KeyExists, match="already"):
        create_key(settings, now=NOON)
    with pytest.raises(KeyExists, match="already"):
        import_key(settings, key_pem=b"", key_passphrase=None, chain_pem=b"", now=NOON)
    assert signing_key(settings, now=NOON).signer.kid == key.signer.kid


def test_a_key_of_somebody_else_is_not_taken_over(settings: IssuerSettings, tmp_path: Path) -> None:
    """An import that cannot be used leaves nothing behind, so that the right one can follow."""
    good, wrong, other = (_elsewhere(tmp_path / name, url) for name, url in
                          (("a", PUBLIC_URL), ("b", "https://other.example"), ("c", PUBLIC_URL)))  # fmt: skip
    attempts = (
        (wrong, wrong.chain_file.read_bytes(), KeyOfAnotherIssuer),
        (good, other.chain_file.read_bytes(), Refused),
        (good, b"no certificates", Malformed),
    )
    for key, chain, error in attempts:
        with pytest.raises(error):
            import_key(settings, key_pem=_plain_pem(key), key_passphrase=None, chain_pem=chain, now=NOON)
        assert existing_key(settings) is None
    imported = import_key(
        settings, key_pem=_plain_pem(good), key_passphrase=None, chain_pem=good.chain_file.read_bytes(), now=NOON
    )
    assert imported.signer.kid == good.signer.kid == signing_key(settings, now=NOON).signer.kid


def test_no_copy_outlives_the_certificate_of_its_signer(tmp_path: Path) -> None:
    """What is issued late ends with the issuer's own certificate; after that nothing is issued any more.

    A copy that claimed to be valid for longer would be refused by everybody all the same.
    """
    with running_desk(tmp_path, validity_days=3650) as desk:
        chain_until = desk.context.issuing.chain_until
        assert chain_until == NOON.replace(microsecond=0) + timedelta(days=3652)
        for days_before, valid_days in ((3652, 3650), (100, 100), (1, 1)):
            desk.clock.now = chain_until - timedelta(days=days_before)
            (copy,) = desk.collect(desk.offer())
            assert copy.claims["exp"] - copy.claims["iat"] == valid_days * 86_400
            assert copy.claims["exp"] <= chain_until.timestamp()
        desk.clock.now = chain_until + timedelta(hours=1)
        answer = desk.ask_credential(desk.token(desk.offer()), desk.request())
        assert_refused(answer, "temporarily_unavailable", 503)


def test_an_operator_is_told_in_time_that_the_key_ends(settings: IssuerSettings) -> None:
    """Half a year before its end, every start says so."""
    create_key(settings, now=NOON)
    for days, told in ((0, False), (3652 - 200, False), (3652 - 100, True)):
        lines = announcements(settings, clock=lambda days=days: NOON + timedelta(days=days))  # type: ignore[misc]
        assert any("ends on 2036-11-19" in line for line in lines) is told


def _elsewhere(directory: Path, url: str) -> CertifiedKey:
    return create_certified_key(directory, name="k", common_name="K", public_url=url, passphrase=b"p" * 16, now=NOON)


def _plain_pem(key: CertifiedKey) -> bytes:
    private = load_signer(key.key_file, None, passphrase=b"p" * 16).private_key
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _der(pem: Path) -> bytes:
    import ssl

    return ssl.PEM_cert_to_DER_cert(pem.read_text())
