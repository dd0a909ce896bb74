"""What an attacker can do to the answers of authenticators: other sites, old answers, other purposes, hostile bytes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webauthn.helpers import encode_cbor

from proofs import base64url
from proofs.passkeys import (
    MAXIMUM_ANSWER_CHARACTERS,
    MalformedPasskeyAnswer,
    PasskeyRefused,
    assertion_request,
    check_assertion,
    check_registration,
    read_answer,
    read_prf,
    registration_request,
)
from tests.wallet.authenticator import USER_PRESENT, USER_VERIFIED, Authenticator
from tests.wallet.test_passkeys import a_device, added, opened_by, the_ring
from tests.world import PASSPHRASE, World
from wallet.passkeys import PasskeyOpensNothing
from wallet.store.passkeys import PasskeyKnown

ORIGIN, RP_ID, CHALLENGE = "https://wallet.example", "wallet.example", b"c" * 56
EXPECTED: dict[str, Any] = {"expected_challenge": CHALLENGE, "expected_origin": ORIGIN, "expected_rp_id": RP_ID}

Cheat = Callable[[Authenticator], object]


def to_register() -> dict[str, Any]:
    """What a browser is asked for."""
    return registration_request(
        rp_id=RP_ID, rp_name="Intyga", user_handle=b"u" * 32, user_name="Maja", challenge=CHALLENGE,
        prf_input=b"p" * 32, known=[],
    )  # fmt: skip


def to_sign() -> dict[str, Any]:
    """What a browser is asked for."""
    return assertion_request(rp_id=RP_ID, challenge=CHALLENGE, prf_input=b"p" * 32)


CHEATS: dict[str, Cheat] = {
    "a page of another site asked": lambda device: setattr(device, "origin", "https://wallet.example.evil.example"),
    "a page of the same host without TLS asked": lambda device: setattr(device, "origin", "http://wallet.example"),
    "a page on another port asked": lambda device: setattr(device, "origin", "https://wallet.example:8443"),
    "the passkey is one of another site": lambda device: setattr(device, "rp_id", "evil.example"),
    "nobody was there": lambda device: setattr(device, "flags", 0),
    "the user was not verified": lambda device: setattr(device, "flags", USER_PRESENT),
    "the user was not present": lambda device: setattr(device, "flags", USER_VERIFIED),
    "it answers another challenge": lambda device: device.client_data.update(challenge=base64url.encode(b"d" * 56)),
    "it answers another ceremony": lambda device: device.client_data.update(type="payment.get"),
    "a page of another origin framed us": lambda device: device.client_data.update(crossOrigin=True),
    "a page of another origin is on top": lambda device: device.client_data.update(topOrigin="https://evil.example"),
}


def test_honest_answers_hold() -> None:
    """What the refusals below are compared with."""
    device = Authenticator(ORIGIN)
    made = check_registration(read_answer(device.register(to_register())[0]), **EXPECTED)
    answer = read_answer(device.sign(to_sign())[0])

    assert made.credential_id == device.credential_id == answer.credential_id
    assert check_assertion(answer, **EXPECTED, public_key=made.public_key, sign_count=1) == 2


@pytest.mark.parametrize("cheat", CHEATS.values(), ids=CHEATS)
def test_a_registration_for_somebody_else_is_refused(cheat: Cheat) -> None:
    """Another site, another challenge, another ceremony, nobody there: no passkey."""
    device = Authenticator(ORIGIN)
    cheat(device)

    with pytest.raises(PasskeyRefused):
        check_registration(read_answer(device.register(to_register())[0]), **EXPECTED)


@pytest.mark.parametrize("cheat", CHEATS.values(), ids=CHEATS)
def test_an_assertion_for_somebody_else_is_refused(cheat: Cheat) -> None:
    """Signed with the right key, and still not for us, not now, or by nobody."""
    device = Authenticator(ORIGIN)
    made = check_registration(read_answer(device.register(to_register())[0]), **EXPECTED)
    cheat(device)

    with pytest.raises(PasskeyRefused):
        check_assertion(read_answer(device.sign(to_sign())[0]), **EXPECTED, public_key=made.public_key, sign_count=1)


def test_another_key_and_an_answer_to_a_registration_are_refused() -> None:
    """The signature is by the passkey that is known; an answer of one ceremony is none of the other."""
    device, other = Authenticator(ORIGIN), Authenticator(ORIGIN)
    registration = read_answer(device.register(to_register())[0])
    made = check_registration(registration, **EXPECTED)
    other.register(to_register())

    for answer in (read_answer(other.sign(to_sign())[0]), registration):
        with pytest.raises(PasskeyRefused):
            check_assertion(answer, **EXPECTED, public_key=made.public_key, sign_count=1)
    with pytest.raises(PasskeyRefused):
        check_registration(read_answer(device.sign(to_sign())[0]), **EXPECTED)


@pytest.mark.parametrize("known", [2, 3, 2**32 - 1])
def test_a_count_that_does_not_go_up_is_refused(known: int) -> None:
    """Two devices with one key, or an answer from before."""
    device = Authenticator(ORIGIN)
    made = check_registration(read_answer(device.register(to_register())[0]), **EXPECTED)

    with pytest.raises(PasskeyRefused):
        check_assertion(
            read_answer(device.sign(to_sign())[0]), **EXPECTED, public_key=made.public_key, sign_count=known
        )


@pytest.mark.parametrize("fmt", ["packed", "tpm", "android-key", "android-safetynet", "fido-u2f", "apple", "other"])
def test_chains_of_certificates_are_not_read(fmt: str) -> None:
    """Nobody asked for an attestation: what parses certificates, quotes and tokens is never reached."""
    device = Authenticator(ORIGIN)
    answer, _ = device.register(to_register(), fmt=fmt, statement={"x5c": [b"\x30\x82"], "alg": -7, "sig": b"s"})

    with pytest.raises(PasskeyRefused):
        check_registration(read_answer(answer), **EXPECTED)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "{}", '{"rawId":"AA"}', '{"rawId":"AA","response":[]}',
        '{"rawId":"AA","response":{"clientDataJSON":"e30"}}', '{"rawId":"AA","rawId":"AB"}', "[" * 3000, "{" * 3000,
        "x" * (MAXIMUM_ANSWER_CHARACTERS + 1), '{"rawId":5}', "\ud800",
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused_as_such(text: str) -> None:
    """Half an answer, members twice, too deep, too long: one clear error."""
    with pytest.raises(MalformedPasskeyAnswer):
        read_answer(text)


@pytest.mark.parametrize("text", ["AA", base64url.encode(bytes(31)), base64url.encode(bytes(33)), "=" * 43, "\ud800"])
def test_the_function_gives_32_bytes_or_nothing(text: str) -> None:
    """Anything else is no result of it."""
    with pytest.raises(MalformedPasskeyAnswer):
        read_prf(text)


@given(data=st.binary(max_size=400), place=st.sampled_from(["attestationObject", "clientDataJSON"]))
def test_any_bytes_in_a_registration_are_refused(data: bytes, place: str) -> None:
    """CBOR or JSON that is not: refused, never an error of our own."""
    members = json.loads(Authenticator(ORIGIN).register(to_register())[0])
    members["response"][place] = base64url.encode(data)

    with pytest.raises((PasskeyRefused, MalformedPasskeyAnswer)):
        check_registration(read_answer(json.dumps(members)), **EXPECTED)


@given(data=st.binary(max_size=400), place=st.sampled_from(["authenticatorData", "signature", "userHandle"]))
def test_any_bytes_in_an_assertion_are_refused(data: bytes, place: str) -> None:
    """Whatever stands in place of what the authenticator signed."""
    device = Authenticator(ORIGIN)
    made = check_registration(read_answer(device.register(to_register())[0]), **EXPECTED)
    members = json.loads(device.sign(to_sign())[0])
    members["response"][place] = base64url.encode(data)
    if place == "userHandle":  # Whose it is, is for the caller: here only its form counts.
        assert read_answer(json.dumps(members)).user_handle == data
        return

    with pytest.raises((PasskeyRefused, MalformedPasskeyAnswer)):
        check_assertion(read_answer(json.dumps(members)), **EXPECTED, public_key=made.public_key, sign_count=1)


@pytest.mark.parametrize(
    "attestation",
    [b"\x9f" * 4000, b"\x81" * 4000, b"\xbf" * 4000, b"\xdb" + b"\xff" * 8, b"\x5b" + b"\xff" * 8,
     b"\xc2\x5b" + b"\xff" * 8, encode_cbor({"fmt": "none", "attStmt": {}, "authData": b""})],
)  # fmt: skip
def test_hostile_cbor_is_refused(attestation: bytes) -> None:
    """Nested without end, lengths beyond everything, nothing where something must be."""
    members = json.loads(Authenticator(ORIGIN).register(to_register())[0])
    members["response"]["attestationObject"] = base64url.encode(attestation)

    with pytest.raises(PasskeyRefused):
        check_registration(read_answer(json.dumps(members)), **EXPECTED)


# --- with the wallet ------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_an_answer_opens_once(world: World) -> None:
    """Whoever has seen one, with the result of the function, cannot use it again, also where devices do not count."""
    device = await added(world, await world.wallet.person("Maja"))
    device.counts, device.sign_count = False, 0
    ring = the_ring(world)
    answer, prf = device.sign(ring.ask_to_unlock())
    with pytest.raises(PasskeyRefused):  # The count was 1.
        ring.unlock(answer, prf, name="")
    device.sign_count = 5
    answer, prf = device.sign(ring.ask_to_unlock())
    ring.unlock(answer, prf, name="")

    with pytest.raises(PasskeyRefused):
        ring.unlock(answer, prf, name="")


@pytest.mark.anyio
async def test_devices_that_never_count_open_and_their_answers_work_once(world: World) -> None:
    """Many passkeys that follow their owner from device to device count nothing: the challenge alone decides then."""
    vault = await world.wallet.person("Maja")
    ring, device = the_ring(world), a_device(world)
    device.counts, device.sign_count = False, 0
    answer, prf = device.register(await ring.begin(vault, PASSPHRASE))
    ring.add(vault, answer, prf, name="Telefonen")
    answer, prf = device.sign(ring.ask_to_unlock())
    assert ring.unlock(answer, prf, name="").person_id == vault.person_id

    with pytest.raises(PasskeyRefused):
        ring.unlock(answer, prf, name="")


@pytest.mark.anyio
async def test_challenges_are_ours_fresh_and_for_one_purpose(world: World) -> None:
    """One made elsewhere, one from six minutes ago and one for another purpose or person open and add nothing."""
    maja, otto = await world.wallet.person("Maja"), await world.wallet.person("Otto")
    ring, device = the_ring(world), await added(world, await world.wallet.person("Maja"))
    asked = ring.ask_to_unlock()
    to_add: Any = await ring.begin(otto, PASSPHRASE)

    for challenge in (base64url.encode(b"c" * 56), to_add["challenge"], base64url.encode(b"\xff")):
        answer, prf = device.sign({**asked, "challenge": challenge})
        with pytest.raises(PasskeyRefused):
            ring.unlock(answer, prf, name="")
    answer, prf = a_device(world).register(to_add)
    with pytest.raises(PasskeyRefused):
        ring.add(maja, answer, prf, name="Telefonen")
    answer, prf = device.sign(asked)
    world.clock.move(minutes=6)
    with pytest.raises(PasskeyRefused):
        ring.unlock(answer, prf, name="")


@pytest.mark.anyio
async def test_a_registration_works_once_and_for_one_vault(world: World) -> None:
    """The same answer adds no second passkey, and a device's passkey opens one vault."""
    maja, otto = await world.wallet.person("Maja"), await world.wallet.person("Otto")
    ring, device = the_ring(world), a_device(world)
    answer, prf = device.register(await ring.begin(maja, PASSPHRASE))
    ring.add(maja, answer, prf, name="Telefonen")

    with pytest.raises(PasskeyRefused):
        ring.add(maja, answer, prf, name="Telefonen")
    answer, prf = device.register(await ring.begin(otto, PASSPHRASE))
    with pytest.raises(PasskeyKnown):
        ring.add(otto, answer, prf, name="Telefonen")


@pytest.mark.anyio
async def test_the_handle_of_somebody_else_opens_nothing(world: World) -> None:
    """Whose passkey it is, the authenticator says too; another one, or none, does not open."""
    device = await added(world, await world.wallet.person("Maja"))
    device.user_handle = bytes(32)

    with pytest.raises(PasskeyOpensNothing):
        opened_by(world, device)
