"""Whose keys bound an answer: whoever has one of them may ask about the share later, and take it back.

bound_by(proofs)                               # of an answer that is kept, or that is in order
shown_here_by(proofs, transaction)             # of an answer that did not hold
"""

from collections.abc import Iterable
from contextlib import suppress

from proofs.formats.disclosures import digest_of
from proofs.formats.sd_jwt import split_sd_jwt
from proofs.formats.sd_jwt_vc import KEY_BINDING_TYP, holder_jwk
from proofs.jose import check_jws
from proofs.keys import DEFAULT_ALGORITHMS, thumbprint
from schemas.errors import ProtocolError
from verifier.policies import RECENCY
from verifier.requests import Transaction
from verifier.verification import PresentedProof


def bound_by(proofs: Iterable[PresentedProof]) -> frozenset[str]:
    """The thumbprints of the keys that bound these presentations, where those are in order or no more than too old."""
    held = [proof for proof in proofs if set(proof.result.failed) <= {RECENCY}]
    keys = (holder_jwk(split_sd_jwt(proof.token).payload) for proof in held)
    return frozenset(thumbprint(key) for key in keys if key is not None)


def shown_here_by(proofs: Iterable[PresentedProof], transaction: Transaction) -> frozenset[str]:
    """The thumbprints of the keys that signed for this very request, whatever was wrong with the certificates.

    Checks end at the first that fails, so that the key binding of an answer that did not hold may not have been looked
    at. What somebody showed elsewhere and another sent here gives its holder no key to this share.
    """
    found = set()
    for proof in proofs:
        with suppress(ProtocolError):  # Not for us, or no presentation at all.
            parts = split_sd_jwt(proof.token)
            key = holder_jwk(parts.payload)
            if key is None or parts.key_binding is None:
                continue
            said = check_jws(parts.key_binding, key=key, typ=KEY_BINDING_TYP, algorithms=DEFAULT_ALGORITHMS).claims
            whole = digest_of(parts.without_key_binding, hash_name=parts.hash_name)
            if (said.get("aud"), said.get("nonce"), said.get("sd_hash")) == (
                transaction.audience,
                transaction.nonce,
                whole,
            ):
                found.add(thumbprint(key))
    return frozenset(found)
