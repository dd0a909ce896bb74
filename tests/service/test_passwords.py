"""Passwords cost what they should, and nobody can lower the price."""

import asyncio
import threading
import time

import pytest
from argon2 import PasswordHasher

from service import passwords
from service.passwords import KDFParameters, WeakParameters, derive_key, hash_password, verify_password

DEVICE_SECRET = bytes(range(32))
SALT = bytes(16)


def test_a_password_belongs_to_its_hash_and_no_other_does() -> None:
    async def story() -> None:
        hashed = await hash_password("ett långt lösenord")
        assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        assert await verify_password(hashed, "ett långt lösenord")
        assert await verify_password(hashed, "ett la\u030angt lo\u0308senord"), (
            "the same letters, typed on another keyboard"
        )
        assert not await verify_password(hashed, "ett annat lösenord")
        assert not await verify_password(hashed, "x" * 1025)
        assert await hash_password("ett långt lösenord") != hashed

    asyncio.run(story())


@pytest.mark.parametrize(
    "weak",
    [
        PasswordHasher(memory_cost=65535, time_cost=3, parallelism=4).hash("x"),
        PasswordHasher(memory_cost=65536, time_cost=2, parallelism=4).hash("x"),
        PasswordHasher(memory_cost=65536, time_cost=3, parallelism=3).hash("x"),
        "$argon2i$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "not a hash",
        "",
    ],
    ids=["less memory", "fewer passes", "fewer lanes", "another kind", "no hash", "nothing"],
)
def test_a_weakened_hash_is_refused(weak: str) -> None:
    """Somebody who can write to the database cannot make passwords cheap to try."""
    with pytest.raises(WeakParameters):
        asyncio.run(verify_password(weak, "x"))


@pytest.mark.parametrize(
    ("memory_kib", "passes", "lanes", "accepted"),
    [
        (65535, 3, 4, False),
        (65536, 3, 4, True),
        (65537, 3, 4, True),
        (65536, 2, 4, False),
        (65536, 4, 4, True),
        (65536, 3, 3, False),
        (65536, 3, 5, True),
        (1024 * 1024, 20, 16, True),
        (1024 * 1024 + 1, 3, 4, False),
        (65536, 21, 4, False),
        (65536, 3, 17, False),
    ],
)
def test_parameters_have_a_pinned_minimum_and_a_maximum(
    memory_kib: int, passes: int, lanes: int, accepted: bool
) -> None:
    text = f"argon2id,{memory_kib},{passes},{lanes}"
    if accepted:
        assert KDFParameters.from_text(text).to_text() == text
    else:
        with pytest.raises(WeakParameters):
            KDFParameters.from_text(text)


@pytest.mark.parametrize(
    "text", ["", "argon2id", "argon2i,65536,3,4", "scrypt,65536,3,4", "argon2id,65536,3,4,5", "argon2id,-1,3,4"]
)
def test_parameters_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(WeakParameters):
        KDFParameters.from_text(text)


def test_a_key_depends_on_passphrase_salt_and_device() -> None:
    async def key(passphrase: str = "a", salt: bytes = SALT, secret: bytes = DEVICE_SECRET) -> bytes:
        return await derive_key(passphrase, salt=salt, device_secret=secret, parameters=KDFParameters())

    async def story() -> None:
        first = await key()
        assert len(first) == 32
        assert await key() == first
        assert len({first, await key("b"), await key(salt=b"x" * 16), await key(secret=b"x" * 32)}) == 4
        with pytest.raises(ValueError, match="too short"):
            await key(salt=b"x" * 15)
        with pytest.raises(ValueError, match="too short"):
            await key(secret=b"x" * 31)

    asyncio.run(story())


def test_at_most_two_run_at_once_and_the_others_wait() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    async def story() -> None:
        await asyncio.gather(*(passwords._in_turn(work) for _ in range(8)))

    asyncio.run(story())

    assert most == 2
