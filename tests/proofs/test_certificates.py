"""Certificate chains: made, imported, followed to an anchor, and refused where a rule is broken."""

import base64
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from proofs.certificates import (
    CertifiedKey,
    NoAnchor,
    UntrustedChain,
    create_certified_key,
    import_certified_key,
    load_certified_key,
    unverified_leaf,
    verify_chain,
)
from proofs.keys import generate_signer
from schemas.errors import Malformed, NotFound, ProtocolError, Refused
from tests.proofs.authorities import Authority, follow, x5c
from tests.proofs.cast import NOW, certified, certified_by_itself


@pytest.fixture(scope="module")
def university(tmp_path_factory: pytest.TempPathFactory) -> CertifiedKey:
    """A key certified for a university."""
    return certified(tmp_path_factory.mktemp("keys"), "university", "https://university.example/a")


def der_of_root(key: CertifiedKey) -> bytes:
    """The root certificate in DER form."""
    assert key.root_file is not None
    return x509.load_pem_x509_certificate(key.root_file.read_bytes()).public_bytes(Encoding.DER)


def test_a_created_key_leads_to_its_root(university: CertifiedKey) -> None:
    """The leaf names the public URL, its host and the organization."""
    leaf = verify_chain(university.signer.x5c, anchors=[der_of_root(university)], now=NOW)

    assert leaf.uris == ("https://university.example/a",)
    assert leaf.dns_names == ("university.example",)
    assert leaf.legal_name == "University"
    assert leaf.public_jwk == university.signer.public_jwk
    assert leaf.anchor == der_of_root(university)
    assert len(leaf.authority_key_ids) == 1
    assert leaf == verify_chain(list(university.signer.x5c), anchors=(der_of_root(university),), now=NOW)


def test_a_created_root_is_an_authority_and_the_leaf_is_none(university: CertifiedKey) -> None:
    """Roots have CA:true and keyCertSign, leaves DNS and URI names."""
    root = x509.load_der_x509_certificate(der_of_root(university))
    leaf = x509.load_pem_x509_certificate(university.chain_file.read_bytes())

    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert root.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert leaf.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
    assert stat.S_IMODE(university.key_file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("url", "dns", "addresses"),
    [
        ("http://localhost:8001", ("localhost",), ()),
        ("http://127.0.0.1:8001", (), ("127.0.0.1",)),
        ("http://[::1]:8001/x", (), ("::1",)),
    ],
)
def test_a_key_can_be_certified_on_loopback(
    tmp_path: Path, url: str, dns: tuple[str, ...], addresses: tuple[str, ...]
) -> None:
    """An address becomes an address, not a name."""
    leaf = unverified_leaf(certified(tmp_path, "local", url).signer.x5c)

    assert (leaf.uris, leaf.dns_names, leaf.ip_addresses) == ((url,), dns, addresses)
    assert leaf.names(url)
    assert leaf.anchor is None


def test_a_leaf_names_its_uris_and_https_hosts(university: CertifiedKey) -> None:
    """Equal to a URI, or https with the host among the DNS names."""
    leaf = unverified_leaf(university.signer.x5c)

    assert leaf.names("https://university.example/a")
    assert leaf.names("https://UNIVERSITY.example:8443/other")
    for other in ("http://university.example", "https://sub.university.example", "university.example", "https://[", ""):
        assert not leaf.names(other)


def test_keys_are_found_again_and_not_overwritten(tmp_path: Path) -> None:
    """What is created once stays."""
    made = certified(tmp_path, "main", "https://a.example")

    assert load_certified_key(tmp_path, name="main", passphrase=b"test").signer.kid == made.signer.kid
    with pytest.raises(Refused):
        certified(tmp_path, "main", "https://a.example")
    with pytest.raises(NotFound):
        load_certified_key(tmp_path, name="other", passphrase=b"test")
    with pytest.raises(Malformed):
        load_certified_key(tmp_path, name="main", passphrase=b"wrong")
    with pytest.raises(Refused):
        load_certified_key(tmp_path, name="../main", passphrase=b"test")
    for url in (
        "university",
        "https://[",
        "mailto:a@b",
        "https://a..b\\@c",
        "https://" + "a" * 64 + ".example",
        "https://å.example",
    ):
        with pytest.raises(Malformed):
            create_certified_key(tmp_path, name="n", common_name="N", public_url=url, passphrase=b"p", now=NOW)
    for name in ("", " "):
        with pytest.raises(Malformed):
            create_certified_key(
                tmp_path, name="n", common_name=name, public_url="https://a.example", passphrase=b"p", now=NOW
            )
    assert not list(tmp_path.glob("n.*"))


def test_an_existing_key_can_be_imported(tmp_path: Path, university: CertifiedKey) -> None:
    """With its chain; a root at the end is kept apart and never sent."""
    assert university.root_file is not None
    chain = university.chain_file.read_bytes() + university.root_file.read_bytes()
    pem = university.key_file.read_bytes()

    imported = import_certified_key(
        tmp_path, name="real", key_pem=pem, key_passphrase=b"test", chain_pem=chain, passphrase=b"new"
    )

    assert imported.signer.x5c == university.signer.x5c
    assert imported.root_file is not None
    other = generate_signer().private_pem(passphrase=b"p")
    with pytest.raises(Refused):
        import_certified_key(tmp_path, name="b", key_pem=other, key_passphrase=b"p", chain_pem=chain, passphrase=b"new")
    alone = certified_by_itself()
    own = x509.load_der_x509_certificate(base64.b64decode(alone.x5c[0])).public_bytes(Encoding.PEM)
    with pytest.raises(Refused):
        import_certified_key(
            tmp_path, name="c", key_pem=alone.private_pem(passphrase=b"p"), key_passphrase=b"p", chain_pem=own,
            passphrase=b"new",
        )  # fmt: skip
    with pytest.raises(Malformed):
        import_certified_key(
            tmp_path, name="d", key_pem=pem, key_passphrase=b"test", chain_pem=b"nothing", passphrase=b"new"
        )


def test_a_chain_that_nobody_could_follow_is_not_imported(tmp_path: Path) -> None:
    """Out of order, with a gap, or unreadable: better told now than by every wallet later."""
    root, key = Authority(), generate_signer()
    middle = Authority("Middle", root)
    leaf = middle.certify(signer=key)
    stranger = Authority("Stranger")
    pem = key.private_pem(passphrase=b"p")

    def imported(name: str, *chain: x509.Certificate, also: bytes = b"") -> CertifiedKey:
        text = b"".join(each.public_bytes(Encoding.PEM) for each in chain) + also
        return import_certified_key(
            tmp_path, name=name, key_pem=pem, key_passphrase=b"p", chain_pem=text, passphrase=b"new"
        )

    for chain in ((leaf, root.certificate), (leaf, stranger.certificate), (leaf, root.certificate, middle.certificate)):
        with pytest.raises(Refused):
            imported("broken", *chain)
    der = leaf.public_bytes(Encoding.DER)
    at = der.index(b"\xa0\x03\x02\x01\x02") + 4
    strange = base64.b64encode(der[:at] + b"\x07" + der[at + 1 :])
    with pytest.raises(Malformed):
        imported("broken", leaf, also=b"-----BEGIN CERTIFICATE-----\n" + strange + b"\n-----END CERTIFICATE-----\n")
    assert not list(tmp_path.glob("broken.*"))
    for name, chain in (
        ("whole", (leaf, middle.certificate, root.certificate)),
        ("rootless", (leaf, middle.certificate)),
    ):
        assert len(imported(name, *chain).signer.x5c) == 2


def test_a_chain_through_an_intermediate_is_followed() -> None:
    """In exactly its order."""
    root = Authority(path_length=1)
    middle = Authority("Middle", root, path_length=0)
    leaf = middle.certify()

    assert follow(x5c(leaf, middle.certificate), root)
    with pytest.raises(NoAnchor):
        follow(x5c(leaf), root)
    with pytest.raises(UntrustedChain):
        follow(x5c(middle.certificate, leaf), root)
    with pytest.raises(UntrustedChain):
        follow(x5c(leaf, Authority("Middle", root).certificate), root)


def test_nobody_certifies_who_may_not() -> None:
    """A leaf is no authority, and an authority's limits hold."""
    root = Authority()
    for middle in (Authority("Middle", root, ca=False), Authority("Middle", root, cert_sign=False)):
        with pytest.raises(UntrustedChain):
            follow(x5c(middle.certify(), middle.certificate), root)
    short = Authority(path_length=0)
    middle = Authority("Middle", short)
    with pytest.raises(UntrustedChain):
        follow(x5c(middle.certify(), middle.certificate), short)
    impostor = Authority()
    with pytest.raises(NoAnchor):
        follow(x5c(impostor.certify()), root)


def test_periods_are_compared_every_time() -> None:
    """A chain that was checked before does not outlive its certificates."""
    root = Authority(until=timedelta(days=3))
    chain = x5c(root.certify(until=timedelta(days=9)))

    assert follow(chain, root)
    for now in (NOW + timedelta(days=4), NOW - timedelta(days=2)):
        with pytest.raises(UntrustedChain):
            follow(chain, root, now=now)
    assert follow(chain, root)


def test_what_is_not_understood_and_critical_is_refused() -> None:
    """Name constraints that we do not apply must not be passed over."""
    root = Authority()
    with pytest.raises(UntrustedChain):
        follow(x5c(root.certify(critical=True)), root)
    with pytest.raises(UntrustedChain):
        unverified_leaf(x5c(root.certify(sign=False)))


def test_self_signed_leaves_and_anchors_in_the_chain_are_refused() -> None:
    """Neither proves anything (HAIP 5 and 6.1.1)."""
    root = Authority()
    with pytest.raises(UntrustedChain):
        follow(x5c(root.certify(), root.certificate), root)
    with pytest.raises(UntrustedChain):
        follow(certified_by_itself().x5c, root)
    with pytest.raises(UntrustedChain):
        follow(certified_by_itself().x5c)


def test_a_leaf_with_another_kind_of_key_is_refused() -> None:
    """Its key could not check anything here."""
    root, key = Authority(), rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(root.name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(root.signer.private_key, hashes.SHA256())
    )
    with pytest.raises(Malformed):
        follow(x5c(certificate), root)


@given(
    st.lists(
        st.text(max_size=30) | st.binary(max_size=60).map(lambda data: base64.b64encode(data).decode()), max_size=8
    )
)
def test_any_header_is_read_or_refused(chain: list[str]) -> None:
    """Nothing but our own errors is raised."""
    with pytest.raises(ProtocolError):
        verify_chain(chain, anchors=[], now=NOW)
