"""What is sealed opens with its key and context only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs.sealing import (
    SealBroken,
    derive_subkey,
    generate_inbox_keypair,
    generate_key,
    seal,
    seal_to,
    unseal,
    unseal_with,
    unwrap_key,
    wrap_key,
)

KEY = generate_key()
PRIVATE, PUBLIC = generate_inbox_keypair()


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=20))
def test_what_is_sealed_is_opened(plaintext: bytes, context: bytes) -> None:
    """And never looks the same twice."""
    first, second = seal(KEY, plaintext, context=context), seal(KEY, plaintext, context=context)

    assert unseal(KEY, first, context=context) == plaintext
    assert first != second
    assert len(first) == len(plaintext) + 29


@given(st.binary(max_size=50), st.data())
def test_an_altered_seal_does_not_open(plaintext: bytes, data: st.DataObject) -> None:
    """Any bit, any shortening."""
    sealed = seal(KEY, plaintext, context=b"row 1")
    altered = bytearray(sealed)
    altered[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    for broken in (bytes(altered), sealed[:-1], sealed + b"x", b"", sealed[:20]):
        with pytest.raises(SealBroken):
            unseal(KEY, broken, context=b"row 1")


def test_another_context_or_key_does_not_open() -> None:
    """A value moved to another row or person is worthless there."""
    sealed = seal(KEY, b"secret", context=b"row 1")

    with pytest.raises(SealBroken):
        unseal(KEY, sealed, context=b"row 2")
    with pytest.raises(SealBroken):
        unseal(generate_key(), sealed, context=b"row 1")
    with pytest.raises(SealBroken):
        unwrap_key(KEY, sealed, context=b"row 1")


def test_misuse_is_an_error() -> None:
    """A short key or a missing context is a fault of the caller."""
    for key, context in ((b"short", b"c"), (KEY, b"")):
        with pytest.raises(ValueError, match=r"sealing key|context"):
            seal(key, b"", context=context)
    for key, purpose in ((b"short", "p"), (KEY, "")):
        with pytest.raises(ValueError, match="32 random bytes"):
            derive_subkey(key, purpose=purpose)


def test_subkeys_are_unrelated_and_repeatable() -> None:
    """One key, many purposes."""
    assert derive_subkey(KEY, purpose="a") == derive_subkey(KEY, purpose="a")
    assert len({KEY, derive_subkey(KEY, purpose="a"), derive_subkey(KEY, purpose="b")}) == 3


def test_a_wrapped_key_is_unwrapped() -> None:
    """A vault key rests under a passphrase key."""
    vault_key = generate_key()

    assert unwrap_key(KEY, wrap_key(KEY, vault_key, context=b"vault 7"), context=b"vault 7") == vault_key
    with pytest.raises(SealBroken):
        unwrap_key(KEY, wrap_key(KEY, vault_key, context=b"vault 7"), context=b"vault 8")


@given(st.binary(max_size=200))
def test_an_inbox_takes_messages_for_its_owner(plaintext: bytes) -> None:
    """Whoever has the public key can put something in; only the owner takes it out."""
    sealed = seal_to(PUBLIC, plaintext, context=b"deferred")

    assert unseal_with(PRIVATE, sealed, context=b"deferred") == plaintext
    assert seal_to(PUBLIC, plaintext, context=b"deferred") != sealed
    for broken in (sealed[:-1], b"", sealed[:40], b"\x01" + sealed[1:], sealed[:1] + bytes(32) + sealed[33:]):
        with pytest.raises(SealBroken):
            unseal_with(PRIVATE, broken, context=b"deferred")
    with pytest.raises(SealBroken):
        unseal_with(PRIVATE, sealed, context=b"other")
    with pytest.raises(SealBroken):
        unseal_with(generate_inbox_keypair()[0], sealed, context=b"deferred")
