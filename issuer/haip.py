"""What HAIP 1.0 demands of an issuer, beyond what is demanded of each request.

`ISSUER_HAIP` makes the token endpoint want client authentication and DPoP of everybody. A service of which that could
not come true, or whose key signs what peers need not be able to check, does not start.

Source: HAIP 1.0, sections 4, 4.1, 4.4.1, 6.1 and 7.
"""

from datetime import datetime

from issuer.authorization.clients import AuthMethod, ClientPolicy
from proofs.certified_keys import CertifiedKey
from proofs.haip import certified_key_faults

SWITCH = "ISSUER_HAIP"


def haip_faults(key: CertifiedKey, clients: ClientPolicy, *, now: datetime) -> list[str]:
    """Why an issuer with this key and these clients cannot keep to HAIP, one sentence each with its remedy."""
    faults = certified_key_faults(key, switch=SWITCH, now=now)
    if not {AuthMethod.ATTESTATION, AuthMethod.PRIVATE_KEY} & set(clients.methods):
        # HAIP 4.4.1: issuers must require client authentication. Here nobody could, so that nobody would be served.
        faults.append(
            f"{SWITCH}: no wallet could authenticate. Name wallet providers as [[attesters]] in ISSUER_CLIENTS_FILE, "
            "or clients with a jwks_file."
        )
    return faults
