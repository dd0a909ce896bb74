"""What HAIP 1.0 demands of the key with which an issuer or a verifier signs.

Source: HAIP 1.0, sections 4.1 (signed metadata), 5 (requests), 6.1 and 6.1.1 (credentials and status lists): the
certificates travel as `x5c`, the anchor does not, and who signs is not self-signed; section 7: ES256 is the algorithm
that everybody can check.
"""

from collections.abc import Sequence
from datetime import datetime

from proofs.certificate_form import read_pem_anchors
from proofs.certificates import NoAnchor, verify_chain
from proofs.certified_keys import CertifiedKey
from proofs.keys import DEFAULT_ALGORITHMS, Signer
from proofs.leaf import read_chain
from schemas.errors import ProtocolError


def certified_key_faults(key: CertifiedKey, *, switch: str, now: datetime) -> list[str]:
    """As `key_faults`, for a key with its files: the root beside it, where there is one, is its anchor."""
    anchors = read_pem_anchors(key.root_file.read_bytes()) if key.root_file is not None else ()
    return key_faults(key.signer, anchors=anchors, switch=switch, now=now)


def key_faults(signer: Signer, *, anchors: Sequence[bytes], switch: str, now: datetime) -> list[str]:
    """Why what is signed with this key would not be after HAIP, one sentence each, with what to do about it.

    `anchors` are the roots (DER) under which the certificate is known to stand; none when nobody has said. `switch` is
    the setting that demands HAIP. The certificates that travel must not be self-signed nor be an anchor, and must all
    be valid at `now`. The algorithm must be one that everybody under HAIP can check.
    """
    faults = []
    if signer.alg not in DEFAULT_ALGORITHMS:
        faults.append(
            f"{switch} needs a P-256 key (ES256): peers need not be able to check {signer.alg}. Use such a key, in "
            "another data directory."
        )
    if not signer.x5c:
        return [*faults, f"{switch} needs a certificate for the signing key. Put its chain (PEM) beside the key."]
    try:
        verify_chain(signer.x5c, anchors=anchors, now=now)
    except NoAnchor:
        if anchors:
            faults.append(
                f"{switch}: the certificate of the signing key does not stand under its root. Put the root that "
                "certifies it beside the key, or no root at all."
            )
        elif not _is_valid(signer.x5c, now=now):  # Without a root nobody has looked at the periods yet.
            faults.append(_unusable(switch, "a certificate of the chain is not valid at this time"))
    except ProtocolError as exc:
        faults.append(_unusable(switch, str(exc)))
    return faults


def _unusable(switch: str, why: str) -> str:
    return (
        f"{switch}: the certificate of the signing key cannot be used: {why}. Get one from an authority whose root is "
        "not sent along, and that is valid now."
    )


def _is_valid(x5c: Sequence[str], *, now: datetime) -> bool:
    return all(one.not_valid_before_utc <= now <= one.not_valid_after_utc for one in read_chain(tuple(x5c)))
