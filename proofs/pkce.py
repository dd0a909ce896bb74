"""Proof key for code exchange (RFC 7636), with the only method that is safe: S256."""

import hashlib
import hmac
import re
import secrets

from proofs import base64url

METHOD = "S256"
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


def new_verifier() -> str:
    """A fresh code verifier: 256 random bits."""
    return secrets.token_urlsafe(32)


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, section 4.2)."""
    return base64url.encode(hashlib.sha256(verifier.encode("ascii")).digest())


def is_challenge(text: str) -> bool:
    """Whether this can be an S256 challenge."""
    return _CHALLENGE.fullmatch(text) is not None


def verifier_holds(verifier: str, *, challenge: str) -> bool:
    """Whether a verifier has the form of one and belongs to this challenge (RFC 7636, section 4.6)."""
    if _VERIFIER.fullmatch(verifier) is None:
        return False
    return hmac.compare_digest(challenge_of(verifier), challenge)
