"""Ways into a vault: passkeys that come and go, and a vault that gets another key (durability D19, D20)."""

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from sqlalchemy import select

from proofs import base64url
from schemas.withdrawal import Action
from tests.crash.acting import Act, Given, Tell
from tests.crash.acts_of_sharing import shared
from tests.crash.judging import nothing_lies_about, wallet_holds
from tests.crash.stage import Stage
from tests.wallet.authenticator import Authenticator
from tests.world import PASSPHRASE
from wallet.histories import Histories
from wallet.key_ring import KeyRing
from wallet.passkeys import PasskeyOpensNothing
from wallet.recovering import Recovery
from wallet.store.tables import WalletTable
from wallet.taking_back import State as Standing
from wallet.vault import UnlockedVault
from wallet.ways_in import CodeOpensNothing

NEW = "helt andra ord nu"
LOST, KEPT = "Borta", "Kvar"


# --- devices, which outlive the processes -----------------------------------------------------------------------------


def written(device: Authenticator) -> dict[str, str]:
    """A device as the next process finds it."""
    key = device.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    parts = {"credential_id": device.credential_id, "secret": device.secret, "user_handle": device.user_handle}
    return {"key": key, **{name: base64url.encode(value) for name, value in parts.items()}}


def read(stage: Stage, device: dict[str, str]) -> Authenticator:
    """The device, in somebody's hands. What it counts is far beyond what it counted before."""
    key: Any = load_pem_private_key(device["key"].encode(), password=None)
    return Authenticator(
        stage.world.wallet.settings.origin,
        key=key,
        sign_count=1_000,
        credential_id=base64url.decode(device["credential_id"]),
        secret=base64url.decode(device["secret"]),
        user_handle=base64url.decode(device["user_handle"]),
    )


def opened(stage: Stage, device: dict[str, str]) -> UnlockedVault | None:
    """The vault that a device opens; None when it opens nothing."""
    ring = KeyRing(stage.world.wallet.deployment)
    answer, prf = read(stage, device).sign(ring.ask_to_unlock())
    try:
        return ring.unlock(answer, prf, name="")
    except PasskeyOpensNothing:
        return None


async def added(stage: Stage, device: Authenticator, name: str) -> None:
    """The device becomes a way in."""
    vault, ring = await stage.maja(), KeyRing(stage.world.wallet.deployment)
    answer, prf = device.register(await ring.begin(vault, PASSPHRASE))
    ring.add(vault, answer, prf, name=name)


def names_of(stage: Stage, vault: UnlockedVault) -> list[str]:
    """The passkeys of a vault."""
    return sorted(one.name for one in KeyRing(stage.world.wallet.deployment).passkeys(vault))


def kinds_of(stage: Stage, vault: UnlockedVault) -> list[str]:
    """Every event of a history."""
    book = Histories(stage.world.wallet.deployment).read(vault)
    return [event.kind.value for entry in book.entries for event in entry.events]


async def works_as_before(stage: Stage, given: Given, vault: UnlockedVault) -> None:
    """Certificate, history and what takes a share back are there, and are still worth something."""
    (certificate,) = vault.certificates()
    assert certificate.copies_left == 9
    wallet_holds(stage.world.wallet.deployment, vault)
    standing = await stage.withdrawals.wish(vault, given["share"], Action.WITHDRAW, chosen=None, language="sv")
    assert standing.state is Standing.DONE
    nothing_lies_about(stage.directory)


# --- a passkey comes --------------------------------------------------------------------------------------------------


async def with_device(stage: Stage) -> Given:
    """Maja has shared, and holds a device that could make a passkey."""
    given = await shared(stage)
    return given | {"device": written(Authenticator(stage.world.wallet.settings.origin))}


async def add_passkey(stage: Stage, given: Given, tell: Tell) -> None:
    """The device becomes a way into her vault."""
    vault, ring = await stage.maja(), KeyRing(stage.world.wallet.deployment)
    device = read(stage, given["device"] | {"user_handle": ""})
    answer, prf = device.register(await ring.begin(vault, PASSPHRASE))
    tell(device=written(device))
    ring.add(vault, answer, prf, name=KEPT)
    tell(added=True)


async def nothing_to_do(stage: Stage, given: Given) -> None:
    """As at every start."""
    assert stage.world.wallet.deployment.forget_what_a_kill_left()


async def opens_or_is_not_there(stage: Stage, given: Given, told: Given) -> None:
    """It is a way in and stands in the history, or neither; then it can still become one."""
    vault = await stage.maja()
    names = names_of(stage, vault)
    assert names == [KEPT] or (names == [] and "added" not in told), names
    assert kinds_of(stage, vault).count("passkey_added") == len(names)
    if "device" in told:
        by_device = opened(stage, told["device"])
        assert (by_device is not None) == bool(names)
        if by_device is not None:
            assert by_device.certificates()[0].id == vault.certificates()[0].id
    if not names:
        await added(stage, read(stage, given["device"] | {"user_handle": ""}), KEPT)
    await works_as_before(stage, given, await stage.maja())


# --- a passkey goes, and the key with it ------------------------------------------------------------------------------


async def with_ways_in(stage: Stage) -> Given:
    """Maja has shared; two devices and a recovery code open her vault. `ways` are the wrapped keys, in base64url."""
    given = await shared(stage)
    devices = {}
    for name in (LOST, KEPT):
        device = Authenticator(stage.world.wallet.settings.origin)
        await added(stage, device, name)
        devices[name] = written(device)
    code = await Recovery(stage.world.wallet.deployment).make(await stage.maja(), PASSPHRASE)
    return given | {"devices": devices, "code": code, "ways": [base64url.encode(one) for one in _ways_in(stage)]}


def _ways_in(stage: Stage) -> list[bytes]:
    """Everything in the database in which a key of a vault is wrapped."""
    found: list[bytes | None] = []
    with stage.world.wallet.deployment.database.reading() as connection:
        for table in WalletTable.metadata.sorted_tables:
            for column in table.c:
                if column.name == "wrapped_key" or (table.name == "passkey" and column.name.startswith("sealed_")):
                    found += connection.execute(select(column)).scalars().all()
    return [bytes(one) for one in found if one]


def _bytes_at_rest(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.rglob("wallet.sqlite3*")))


async def lose_device(stage: Stage, given: Given, tell: Tell) -> None:
    """She removes the passkey of a device that is lost; the vault gets another key."""
    await _remove(stage, is_lost=True)
    tell(removed=True)


async def remove_passkey(stage: Stage, given: Given, tell: Tell) -> None:
    """She removes a passkey that she has no use for."""
    await _remove(stage, is_lost=False)
    tell(removed=True)


async def _remove(stage: Stage, *, is_lost: bool) -> None:
    vault, ring = await stage.maja(), KeyRing(stage.world.wallet.deployment)
    gone = next(one for one in ring.passkeys(vault) if one.name == LOST)
    await ring.remove(vault, gone.id, PASSPHRASE, is_lost=is_lost)


async def gone_or_nothing_happened(stage: Stage, given: Given, told: Given, *, has_code: bool) -> bool:
    """The passphrase and the other device open all of it; the removed device opens it only if nothing happened.

    Returns whether it was removed. `has_code`: the recovery code works afterwards as well.
    """
    vault = await stage.maja()
    names = names_of(stage, vault)
    is_removed = names == [KEPT]
    assert is_removed or (names == sorted((LOST, KEPT)) and "removed" not in told), names
    kinds = kinds_of(stage, vault)
    assert kinds.count("passkey_removed") == is_removed
    assert kinds.count("key_changed") == (is_removed and not has_code)
    assert (opened(stage, given["devices"][LOST]) is None) == is_removed
    by_kept = opened(stage, given["devices"][KEPT])
    assert by_kept is not None
    await works_as_before(stage, given, by_kept)
    try:
        recovered = await Recovery(stage.world.wallet.deployment).recover("Maja", given["code"], new=NEW)
    except CodeOpensNothing:
        assert is_removed
        assert not has_code
    else:
        assert has_code or not is_removed
        assert len(recovered.certificates()) == 1
    return is_removed


async def rekeyed_or_not(stage: Stage, given: Given, told: Given) -> None:
    """All of it or nothing; and when it happened, no file holds what opened the vault before."""
    at_rest = _bytes_at_rest(stage.directory)
    if await gone_or_nothing_happened(stage, given, told, has_code=False):
        left = [way for way in given["ways"] if base64url.decode(way) in at_rest]
        assert not left, f"{len(left)} former ways in are in the files"


async def removed_or_not(stage: Stage, given: Given, told: Given) -> None:
    """All of it or nothing."""
    await gone_or_nothing_happened(stage, given, told, has_code=True)


KEY_ACTS = (
    Act("add a passkey", with_device, add_passkey, nothing_to_do, opens_or_is_not_there),
    Act("remove a passkey", with_ways_in, remove_passkey, nothing_to_do, removed_or_not),
    Act("lose a device", with_ways_in, lose_device, nothing_to_do, rekeyed_or_not),
)
