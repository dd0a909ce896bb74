"""How the wallet shows an issuer that the keys of the copies are its own (OpenID4VCI 1.0, 8.2.1 and appendix F).

    key_proofs(configuration, signers, issuer=..., nonce=..., provider=..., now=...)   # {"jwt": [...]}

Each key signs for itself where the issuer takes that; one who takes nothing but the word of a wallet provider gets one
attestation of all keys.
"""

from collections.abc import Sequence
from datetime import datetime

from proofs.keys import SoftwareSigner
from proofs.proof_of_possession import make_proof
from schemas.issuance import PROOF_TYPE_ATTESTATION, PROOF_TYPE_JWT, CredentialConfiguration
from wallet.issuer_client import WalletProvider

ALGORITHM = "ES256"
BINDING_METHOD = "jwk"
"""How the wallet's keys are named in proofs and certificates (`cryptographic_binding_methods_supported`, 12.2.4)."""


def proof_type(configuration: CredentialConfiguration) -> str | None:
    """The kind of proof to give; None when the issuer takes none that this wallet can make."""
    supported = configuration.proof_types_supported or {}
    for name in (PROOF_TYPE_JWT, PROOF_TYPE_ATTESTATION):
        if name in supported and ALGORITHM in supported[name].proof_signing_alg_values_supported:
            return name
    return None


def key_proofs(
    configuration: CredentialConfiguration,
    signers: Sequence[SoftwareSigner],
    *,
    issuer: str,
    nonce: str | None,
    provider: WalletProvider,
    now: datetime,
) -> dict[str, list[str]]:
    """The `proofs` of a credential request for these keys; an attestation goes along where the issuer wants one."""
    keys = [signer.public_jwk for signer in signers]
    if proof_type(configuration) == PROOF_TYPE_ATTESTATION:
        return {PROOF_TYPE_ATTESTATION: [provider.key_attestation(keys, nonce=nonce, now=now)]}
    support = (configuration.proof_types_supported or {}).get(PROOF_TYPE_JWT)
    is_wanted = support is not None and support.key_attestations_required is not None
    attestation = provider.key_attestation(keys, nonce=nonce, now=now) if is_wanted else None
    return {
        PROOF_TYPE_JWT: [
            # `iss` stays out: it may be there only when the token was given to a client that proved itself (F.1).
            make_proof(signer=signer, audience=issuer, nonce=nonce, issuer=None, now=now, key_attestation=attestation)
            for signer in signers
        ]
    }
