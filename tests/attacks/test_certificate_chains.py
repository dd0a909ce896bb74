"""Attacks on certificate chains and on the names in them (S-14, W-05, W-06; HAIP 1.0, sections 5 and 6.1.1)."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from proofs.certificates import NoAnchor, UntrustedChain, unverified_leaf, verify_chain
from proofs.identifiers import host_of
from proofs.keys import generate_signer
from proofs.resolve import well_known_url
from schemas.errors import Malformed, ProtocolError
from tests.attacks.test_large_tokens import calls
from tests.proofs.authorities import Authority, follow, x5c
from tests.proofs.cast import NOW, certified_by_itself


def test_a_renewed_root_is_as_good_as_the_old_one() -> None:
    """An authority that kept its key has two certificates; that one of them has expired is no fault of the other."""
    old = Authority(until=timedelta(days=1))
    renewed = Authority(until=timedelta(days=100), signer=old.signer)
    chain = x5c(old.certify(until=timedelta(days=50)))

    for anchors in ((old, renewed), (renewed, old)):
        assert set(follow(chain, *anchors).anchors) == {old.der, renewed.der}
        assert follow(chain, *anchors, now=NOW + timedelta(days=2)).anchors == (renewed.der,)
        assert set(follow(chain, *anchors).anchors) == {old.der, renewed.der}
    with pytest.raises(UntrustedChain):
        follow(chain, old, now=NOW + timedelta(days=2))


def test_an_anchor_that_may_not_certify_does_not_hide_one_that_may() -> None:
    """Two anchors of one name and key, one of them broken: the sound one counts."""
    sound = Authority()
    broken = Authority(signer=sound.signer, ca=False)
    chain = x5c(sound.certify())

    for anchors in ((sound, broken), (broken, sound)):
        assert follow(chain, *anchors).anchors == (sound.der,)
    with pytest.raises(UntrustedChain):
        follow(chain, broken)


def test_a_root_in_the_chain_is_refused_whether_we_know_it_or_not() -> None:
    """The trust anchor must not travel; that it is unknown to us makes it no better."""
    root = Authority()
    leaf = root.certify()
    middle = Authority("Middle", root)

    for chain in (x5c(leaf, root.certificate), x5c(middle.certify(), middle.certificate, root.certificate)):
        for anchors in ((), (root,), (Authority(),)):
            with pytest.raises(UntrustedChain) as caught:
                follow(chain, *anchors)
            assert not isinstance(caught.value, NoAnchor)


def test_doubled_and_circular_chains_are_refused() -> None:
    """A certificate does not certify itself, alone or in a circle."""
    root = Authority()
    leaf = root.certify()
    one, other = Authority("One", root), Authority("Other", root)
    crossed = Authority("One", other, signer=one.signer)
    back = Authority("Other", one, signer=other.signer)

    for chain in (
        x5c(leaf, leaf),
        x5c(one.certify(), one.certificate, one.certificate),
        x5c(one.certify(), crossed.certificate, back.certificate, crossed.certificate, back.certificate),
        x5c(*[leaf] * 7),
        (),
    ):
        with pytest.raises(ProtocolError):
            follow(chain, root)
    # A detour is long-winded, but every step of it holds.
    assert follow(x5c(one.certify(), crossed.certificate, other.certificate), root)


def test_an_authority_limited_to_certain_names_is_not_taken_for_an_unlimited_one() -> None:
    """Name constraints that nobody applies are refused, critical or not, on the way as well as in the anchor."""
    root = Authority()
    middle = Authority("Middle", root, limited_to="other.example")
    limited = Authority(limited_to="other.example")

    with pytest.raises(UntrustedChain):
        follow(x5c(middle.certify(), middle.certificate), root)
    with pytest.raises(UntrustedChain):
        follow(x5c(limited.certify()), limited)


def _certified_by(key: Any) -> tuple[bytes, tuple[str, ...]]:
    """A root with any kind of key, and the chain of a leaf under it."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Root")])

    def builder(subject: x509.Name) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW)
            .not_valid_after(NOW + timedelta(days=1))
        )

    root = (
        builder(name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    leaf = builder(x509.Name([])).public_key(generate_signer().private_key.public_key()).sign(key, hashes.SHA256())
    return root.public_bytes(Encoding.DER), x5c(leaf)


@pytest.mark.parametrize(
    ("key", "strong"),
    [
        (rsa.generate_private_key(public_exponent=65537, key_size=1024), False),
        (rsa.generate_private_key(public_exponent=65537, key_size=2048), True),
        (ec.generate_private_key(ec.SECP224R1()), False),
        (ec.generate_private_key(ec.SECP384R1()), True),
        (dsa.generate_private_key(2048), False),
    ],
)
def test_a_weak_key_certifies_nobody(key: Any, strong: bool) -> None:
    """Whoever can break the authority's key can certify itself."""
    anchor, chain = _certified_by(key)

    if strong:
        assert verify_chain(chain, anchors=[anchor], now=NOW)
    else:
        with pytest.raises(UntrustedChain):
            verify_chain(chain, anchors=[anchor], now=NOW)


def test_strangers_chains_do_not_make_us_read_a_long_list_again_and_again() -> None:
    """A verifier may trust a thousand authorities; looking for an unknown one among them stays cheap."""
    certificates = [Authority(f"Root {number}").der for number in range(300)]
    anchors = tuple(certificates)
    strangers = [x5c(Authority("Stranger").certify()) for _ in range(20)]
    _refused(strangers[:1], anchors)

    known = calls(lambda: _refused(strangers, anchors)) / 20
    fresh = sum(calls(lambda: _refused(strangers[:1], anchors[: 290 + count])) for count in range(5))  # noqa: B023
    assert known < fresh / 5


def _refused(chains: Iterable[tuple[str, ...]], anchors: tuple[bytes, ...]) -> None:
    for chain in chains:
        with pytest.raises(NoAnchor):
            verify_chain(chain, anchors=anchors, now=NOW)


@pytest.mark.parametrize(
    "address",
    [
        "https://known.example\\@evil.example/",
        "https://evil.example\\@known.example/",
        "https://someone@known.example/",
        "https://known\t.example/",
        "https://known.exam\nple/",
        " https://known.example/",
        "https://known.example/ a",
        "https://known.example:port/",
        "https://known.example:123456/",
        "https://\u212anown.example/",
        "https://kno\u00adwn.example/",
        "https://known\u3002example/",
        "https://*.example/",
        "https://known.example./",
        "https:///known.example",
        "https:known.example",
        "//known.example",
        "https://[known.example",
    ],
)
def test_an_address_on_which_readers_disagree_has_no_host(address: str) -> None:
    """Neither a certificate nor a request can use one to pass for somebody else."""
    names = [x509.DNSName(name) for name in ("known.example", "evil.example", "*.example")]
    leaf = unverified_leaf(x5c(Authority().certify(*names)))

    assert host_of(address) is None
    assert not leaf.names(address)
    with pytest.raises(Malformed):
        well_known_url(address, "jwt-vc-issuer")


def test_an_address_on_which_readers_agree_has_one() -> None:
    """Letter case and port do not matter, the scheme does."""
    leaf = unverified_leaf(x5c(Authority().certify(x509.DNSName("known.example"))))

    for address in ("https://known.example", "https://Known.Example:8443/a/b?c=d&e=%20#f", "https://known.example?x"):
        assert host_of(address) == "known.example"
        assert leaf.names(address)
    assert not leaf.names("http://known.example")
    assert (host_of("http://[::1]:8000/"), host_of("http://127.0.0.1")) == ("::1", "127.0.0.1")
    assert host_of("http://known.example", schemes=("https",)) is None
    assert host_of(None) is None


def test_a_certificate_without_names_speaks_for_nobody() -> None:
    """Its subject is not an address."""
    leaf = unverified_leaf(certified_by_itself("urn:alone").x5c)

    assert leaf.names("urn:alone")
    assert not leaf.names("https://Alone")
    assert not leaf.names("CN=Alone")
