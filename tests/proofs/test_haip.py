"""Keys under HAIP 1.0: which certificates and algorithms an issuer or a verifier may sign with."""

from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec

from proofs.haip import key_faults
from proofs.keys import SoftwareSigner
from tests.proofs.authorities import Authority, x5c
from tests.proofs.cast import NOW


def test_self_signed_certificates_and_anchors_in_the_chain_are_faults() -> None:
    """HAIP 5: the anchor must not travel, the signing certificate must not be self-signed."""
    root = Authority()
    middle = Authority("Middle", root)
    leaf = SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))
    sound = leaf.with_chain(x5c(middle.certify(signer=leaf), middle.certificate))
    with_root = sound.with_chain((*sound.x5c, *x5c(root.certificate)))
    alone = root.signer.with_chain(x5c(root.certificate))

    assert key_faults(sound, anchors=[root.der], switch="VERIFIER_HAIP", now=NOW) == []
    assert key_faults(sound, anchors=[], switch="VERIFIER_HAIP", now=NOW) == []
    for wrong, anchors in ((with_root, [root.der]), (with_root, []), (sound, [middle.der]), (alone, [])):
        (fault,) = key_faults(wrong, anchors=anchors, switch="VERIFIER_HAIP", now=NOW)
        assert "cannot be used" in fault
    (fault,) = key_faults(leaf, anchors=[], switch="VERIFIER_HAIP", now=NOW)
    assert "needs a certificate" in fault


def test_an_algorithm_that_wallets_need_not_know_is_a_fault() -> None:
    """HAIP 7: ES256 is what everybody can check."""
    root = Authority()
    leaf = SoftwareSigner(ec.generate_private_key(ec.SECP384R1()))

    (fault,) = key_faults(
        leaf.with_chain(x5c(root.certify(signer=leaf))), anchors=[root.der], switch="VERIFIER_HAIP", now=NOW
    )

    assert "ES384" in fault


def test_a_certificate_that_has_ended_is_a_fault_also_where_no_root_is_known() -> None:
    """Without a root there is no chain to follow, but the periods of what travels can be read."""
    root = Authority()
    middle = Authority("Middle", root, until=timedelta(days=3))
    leaf = SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))
    signer = leaf.with_chain(x5c(middle.certify(signer=leaf), middle.certificate))

    for anchors in ([root.der], []):
        assert key_faults(signer, anchors=anchors, switch="S", now=NOW + timedelta(days=2)) == []
        (fault,) = key_faults(signer, anchors=anchors, switch="S", now=NOW + timedelta(days=4))
        assert "not valid at this time" in fault


def test_every_fault_is_told_at_once() -> None:
    """An operator who mends one thing should not meet the next one at the next start."""
    root = Authority()
    leaf = SoftwareSigner(ec.generate_private_key(ec.SECP384R1()))
    signer = leaf.with_chain(x5c(root.certify(signer=leaf)))

    faults = key_faults(signer, anchors=[root.der], switch="S", now=NOW + timedelta(days=6))

    assert [word in fault for word, fault in zip(("ES384", "not valid"), faults, strict=True)] == [True, True]
    assert all(fault.startswith("S") for fault in faults)
