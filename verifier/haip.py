"""What HAIP 1.0 demands of a verifier's key, beyond what its settings can say.

The rest of HAIP's demands on a verifier is kept without a choice (a signed request by `request_uri`, a fresh P-256 key
per request, both content encryptions, DCQL), or by the settings that `VERIFIER_HAIP` insists on.

Source: HAIP 1.0, sections 5, 5.1 and 7.
"""

from collections.abc import Sequence
from datetime import datetime

from proofs.certificates import NoAnchor, verify_chain
from proofs.keys import Signer
from schemas.errors import ProtocolError

ALGORITHM = "ES256"


def key_faults(signer: Signer, *, anchors: Sequence[bytes], now: datetime) -> list[str]:
    """Why requests signed with this key would not be HAIP requests, one sentence each.

    `anchors` are the roots (DER) under which the certificate is known to stand; none when nobody has said. The
    certificates that travel must not be self-signed nor be one of them, and must be valid at `now`. The algorithm must
    be the one that every wallet under HAIP can check.
    """
    faults = []
    if signer.alg != ALGORITHM:
        faults.append(f"VERIFIER_HAIP needs a P-256 key ({ALGORITHM}): wallets need not be able to check {signer.alg}.")
    if not signer.x5c:
        return [*faults, "VERIFIER_HAIP needs a certificate for the key that requests are signed with."]
    try:
        verify_chain(signer.x5c, anchors=anchors, now=now)
    except NoAnchor:
        if anchors:
            faults.append("VERIFIER_HAIP: the certificate of the signing key does not stand under its root.")
    except ProtocolError as exc:
        faults.append(f"VERIFIER_HAIP: the certificate of the signing key cannot be used: {exc}.")
    return faults
