"""Whether this wallet can collect a configuration at all: known from the issuer's metadata, before a code is spent.

unusable(configuration, metadata)       # "", or the stable reason for a page
"""

from schemas.issuance import FORMAT_SD_JWT_VC, CredentialConfiguration, IssuerMetadata
from wallet.key_proofs import BINDING_METHOD, proof_type
from wallet.message_encryption import can_encrypt_as_demanded


def unusable(configuration: CredentialConfiguration, metadata: IssuerMetadata) -> str:
    """Why this wallet cannot collect a configuration, as a stable reason; empty when it can."""
    if configuration.format != FORMAT_SD_JWT_VC:
        return "format_not_supported"
    if not can_encrypt_as_demanded(metadata):
        return "encryption_not_supported"
    if configuration.proof_types_supported is None:
        return ""
    methods = configuration.cryptographic_binding_methods_supported
    if methods is not None and BINDING_METHOD not in methods:
        return "proof_not_supported"
    return "" if proof_type(configuration) is not None else "proof_not_supported"
