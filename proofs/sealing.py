"""stub"""

from schemas.errors import Refused


class SealBroken(Refused):
    """What was sealed cannot be opened: another key, another context, or altered bytes."""


def generate_key() -> bytes:
    raise NotImplementedError


def seal(key: bytes, plaintext: bytes, *, context: bytes) -> bytes:
    raise NotImplementedError


def unseal(key: bytes, sealed: bytes, *, context: bytes) -> bytes:
    raise NotImplementedError


def derive_subkey(key: bytes, *, purpose: str) -> bytes:
    raise NotImplementedError


def wrap_key(wrapping_key: bytes, key: bytes, *, context: bytes) -> bytes:
    raise NotImplementedError


def unwrap_key(wrapping_key: bytes, wrapped: bytes, *, context: bytes) -> bytes:
    raise NotImplementedError


def generate_inbox_keypair() -> tuple[bytes, bytes]:
    """(private, public), 32 bytes each"""
    raise NotImplementedError


def seal_to(public_key: bytes, plaintext: bytes, *, context: bytes) -> bytes:
    raise NotImplementedError


def unseal_with(private_key: bytes, sealed: bytes, *, context: bytes) -> bytes:
    raise NotImplementedError
