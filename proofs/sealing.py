"""Authenticated encryption for what rests: vaults, session data, wrapped keys, and an inbox that only its owner opens.

Everything is AES-256-GCM with a random nonce, and the context is authenticated with it: a sealed value moved to
another row, kind or person does not open. A key seals at most 2**32 values (NIST SP 800-38D, section 8.3); derive
a subkey per purpose instead of using one key for everything.

    vault_key = generate_key()
    sealed = seal(vault_key, b"...", context=b"certificate:42")
    wrapped = wrap_key(passphrase_key, vault_key, context=b"vault:7")

The inbox takes messages while a vault is locked: anyone holding its public key can put something in, so that what
comes out is secret but not signed.
"""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from schemas.errors import Refused

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
_SEALED: Final = b"\x01"
_INBOX: Final = b"\x02"


class SealBroken(Refused):
    """What was sealed cannot be opened: another key, another context, or altered bytes."""


def generate_key() -> bytes:
    """A fresh random key of 32 bytes."""
    return os.urandom(KEY_BYTES)


def seal(key: bytes, plaintext: bytes, *, context: bytes) -> bytes:
    """Encrypt and authenticate bytes.

    `key` is 32 bytes; `context` says what the value is and whose (kind, row, person) and must be given again to open.

    Returns a version byte, the nonce and the ciphertext with its tag. Raises `ValueError` for a key of another
    length or an empty context.
    """
    _check_arguments(key, context)
    nonce = os.urandom(NONCE_BYTES)
    return _SEALED + nonce + AESGCM(key).encrypt(nonce, plaintext, _SEALED + context)


def unseal(key: bytes, sealed: bytes, *, context: bytes) -> bytes:
    """Open what `seal` made with the same key and context. Raises `SealBroken`."""
    _check_arguments(key, context)
    if len(sealed) < 1 + NONCE_BYTES + TAG_BYTES or sealed[:1] != _SEALED:
        raise SealBroken("not a sealed value of a known version")
    nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, _SEALED + context)
    except InvalidTag as exc:
        raise SealBroken("the sealed value cannot be opened with this key and context") from exc


def derive_subkey(key: bytes, *, purpose: str, salt: bytes | None = None) -> bytes:
    """A key for one purpose, from a random key of 32 bytes (HKDF-SHA256). Different purposes give unrelated keys.

    With a secret `salt` both are needed to derive it.
    """
    if len(key) != KEY_BYTES or not purpose:
        raise ValueError("a subkey is derived from 32 random bytes, for a named purpose")
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=salt, info=b"intyga subkey: " + purpose.encode()).derive(key)


def wrap_key(wrapping_key: bytes, key: bytes, *, context: bytes) -> bytes:
    """Seal a key under another one."""
    return seal(wrapping_key, key, context=b"wrapped key: " + context)


def unwrap_key(wrapping_key: bytes, wrapped: bytes, *, context: bytes) -> bytes:
    """Open a wrapped key. Raises `SealBroken`."""
    return unseal(wrapping_key, wrapped, context=b"wrapped key: " + context)


def generate_inbox_keypair() -> tuple[bytes, bytes]:
    """A fresh inbox: private key and public key (X25519), 32 bytes each."""
    private = X25519PrivateKey.generate()
    return private.private_bytes_raw(), private.public_key().public_bytes_raw()


def inbox_public_key(private_key: bytes) -> bytes:
    """The public key of an inbox whose private key is any 32 secret bytes, such as a derived subkey."""
    return X25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()


def seal_to(public_key: bytes, plaintext: bytes, *, context: bytes) -> bytes:
    """Encrypt to an inbox.

    Returns a version byte, a fresh public key and the ciphertext. Raises `ValueError` for a key of another length
    or an empty context.
    """
    _check_arguments(public_key, context)
    ephemeral = X25519PrivateKey.generate()
    sender = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public_key))
    key = _inbox_key(shared, sender=sender, recipient=public_key)
    # The key is used once, for this message only, so that a constant nonce is safe.
    return _INBOX + sender + AESGCM(key).encrypt(bytes(NONCE_BYTES), plaintext, _INBOX + context)


def unseal_with(private_key: bytes, sealed: bytes, *, context: bytes) -> bytes:
    """Open what `seal_to` made for this inbox. Raises `SealBroken`. Says nothing about who sent it."""
    _check_arguments(private_key, context)
    if len(sealed) < 1 + KEY_BYTES + TAG_BYTES or sealed[:1] != _INBOX:
        raise SealBroken("not an inbox message of a known version")
    private = X25519PrivateKey.from_private_bytes(private_key)
    sender, ciphertext = sealed[1 : 1 + KEY_BYTES], sealed[1 + KEY_BYTES :]
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(sender))
        key = _inbox_key(shared, sender=sender, recipient=private.public_key().public_bytes_raw())
        return AESGCM(key).decrypt(bytes(NONCE_BYTES), ciphertext, _INBOX + context)
    except (InvalidTag, ValueError) as exc:
        raise SealBroken("the inbox message cannot be opened with this key and context") from exc


def _inbox_key(shared: bytes, *, sender: bytes, recipient: bytes) -> bytes:
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=b"intyga inbox" + sender + recipient).derive(shared)


def _check_arguments(key: bytes, context: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise ValueError("a sealing key has 32 bytes")
    if not context:
        raise ValueError("what is sealed needs a context")
