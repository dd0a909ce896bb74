"""Hostile words about certificates on their way, in the file of a wallet: refused, or of no use to who wrote them."""

import json
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from proofs import base64url, sealing, strict_json
from proofs.keys import generate_signer
from tests.wallet.test_export_on_its_way import ON_THEIR_WAY, waiting
from tests.wallet.test_fetching import Source
from tests.wallet.test_pages import send
from tests.wallet.test_portability import export, import_into
from tests.world import PASSPHRASE, World
from wallet.archive import ExportBroken, read_archive, write_archive
from wallet.carried import MAX_CARRIED, read_carried
from wallet.collection import Collection, PartState, Stage
from wallet.histories import Histories
from wallet.store.collections import take_up

pytestmark = pytest.mark.anyio

Change = Callable[[dict[str, Any]], object]
SCRIPT = "javascript:alert(1)"


async def scene(world: World) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The files of a wallet with one certificate on its way, and what they say of it."""
    maja = await world.wallet.person("Maja")
    await waiting(world, Source(world, reviewed_types="micro-credential"), maja)
    files = read_archive(await export(world, maja, passphrase=None))
    (item,) = strict_json.loads(files[ON_THEIR_WAY])
    return files, item


def issuer_is(address: str) -> Change:
    """The issuer and what it says of itself name another address."""

    def change(item: dict[str, Any]) -> None:
        item["issuer"] = item["metadata"]["credential_issuer"] = item["authorization_server"]["issuer"] = address

    return change


def says(place: str, member: str, value: object) -> Change:
    """One member of the metadata is another."""
    return lambda item: item[place].__setitem__(member, value)


def has(member: str, value: object) -> Change:
    """One member is another."""
    return lambda item: item.__setitem__(member, value)


def part_has(member: str, value: object) -> Change:
    """One member of what is waited for is another."""
    return lambda item: item["parts"][0].__setitem__(member, value)


def same_key_twice(item: dict[str, Any]) -> None:
    """Two copies bound to one key."""
    item["parts"][0]["keys"][1] = item["parts"][0]["keys"][0]


def public_keys(item: dict[str, Any]) -> None:
    """Keys of somebody else."""
    item["parts"][0]["keys"] = [generate_signer().public_jwk]


def many(count: int) -> Change:
    """The same certificate many times, under many names."""
    return lambda item: item.__setitem__(
        "parts", [{**item["parts"][0], "identifier": f"n{number}", "keys": []} for number in range(count)]
    )


def many_types(item: dict[str, Any]) -> None:
    """More types than an offer may have."""
    supported = item["metadata"]["credential_configurations_supported"]
    (name,) = supported
    for number in range(30):
        supported[f"{name}{number}"] = supported[name]
        item["displays"][f"{name}{number}"] = {}


HOSTILE: dict[str, Change] = {
    "script for an issuer": issuer_is(SCRIPT),
    "file for an issuer": issuer_is("file:///etc/passwd"),
    "data for an issuer": issuer_is("data:text/html,x"),
    "issuer with a name before the host": issuer_is("https://source.example@evil.example"),
    "issuer that is a number": has("issuer", 7),
    "another issuer than the metadata's": has("issuer", "https://evil.example"),
    "another authorization server": says("authorization_server", "issuer", "https://evil.example"),
    "script to ask later": says("metadata", "deferred_credential_endpoint", SCRIPT),
    "no place to ask later": says("metadata", "deferred_credential_endpoint", None),
    "plain http to ask later": says("metadata", "deferred_credential_endpoint", "http://source.example/d"),
    "http on this machine": says("metadata", "deferred_credential_endpoint", "http://127.0.0.1/d"),
    "script to notify": says("metadata", "notification_endpoint", SCRIPT),
    "spaces in an address": says("metadata", "credential_endpoint", "https://source.example/ x"),
    "a line end in an address": says("metadata", "nonce_endpoint", "https://source.example/\r\nHost: evil"),
    "script for tokens": says("authorization_server", "token_endpoint", SCRIPT),
    "no place for tokens": says("authorization_server", "token_endpoint", None),
    "script to sign in": says("authorization_server", "authorization_endpoint", SCRIPT),
    "script for challenges": says("authorization_server", "challenge_endpoint", SCRIPT),
    "a line end in a token": has("token", "abc\r\nX-Evil: 1"),
    "an empty token": has("token", ""),
    "a token of a megabyte": has("token", "x" * 1_000_000),
    "a token that is a list": has("token", ["x"]),
    "a refresh token with a line end": has("refresh_token", "a\nb"),
    "another type of token": has("token_type", "mac"),
    "a time before time": has("token_until", -1),
    "a time that is true": has("begun_at", True),
    "a time beyond the calendar": has("token_until", 10**30),
    "a token key that is none": has("token_key", {"kty": "oct", "k": "AAAA"}),
    "a box that is no text": has("home", 5),
    "a box of other signs": has("home", "<script>"),
    "displays that are a list": has("displays", []),
    "displays of another type": has("displays", {"other": {}}),
    "metadata that are a text": has("metadata", SCRIPT),
    "parts that are an object": has("parts", {"0": {}}),
    "nothing that waits": has("parts", []),
    "more than is fetched": many(101),
    "more types than are offered": many_types,
    "a type that is not described": part_has("configuration", "other"),
    "a type that is a list": part_has("configuration", ["x"]),
    "an identifier that is long": part_has("identifier", "x" * 100_000),
    "no transaction": part_has("transaction_id", ""),
    "a transaction that is a number": part_has("transaction_id", 5),
    "a time to ask that is a text": part_has("ask_again_at", "soon"),
    "more keys than copies": part_has("keys", [generate_signer().private_jwk()] * 101),
    "one key twice": same_key_twice,
    "keys without their private half": public_keys,
}


async def test_each_hostile_word_is_refused_and_changes_nothing(world: World) -> None:
    """Addresses, tokens, keys, times, lists: each by itself, in a file whose digests fit."""
    files, item = await scene(world)
    home, at = world.wallet.deployment.provider.home_key(), int(world.clock().timestamp())
    assert read_carried(item, home=home, at=at).stage is Stage.PENDING
    elin, wallet = await world.wallet.person("Elin"), world.wallet.deployment
    taken = []
    for name, change in HOSTILE.items():
        changed = deepcopy(item)
        change(changed)
        files[ON_THEIR_WAY] = json.dumps([item, changed]).encode()
        with suppress(ExportBroken):
            await import_into(world, elin, write_archive(files, made_at=world.clock()))
            taken.append(name)
    assert taken == []
    assert wallet.collections(elin) == {}
    assert Histories(wallet).read(elin).entries == ()

    files[ON_THEIR_WAY] = json.dumps([item, item]).encode()
    done = await import_into(world, elin, write_archive(files, made_at=world.clock()))
    assert done.on_their_way == len(wallet.collections(elin)) == 1, "the file itself is good"


@pytest.mark.parametrize(
    "content",
    [b"{}", b"[1]", b"[[]]", b"[{}]", b"[" * 100_000, b'"' + b"x" * 9_000_000 + b'"', None],
    ids=["object", "number", "list", "empty", "deep", "large", "long"],
)
async def test_a_list_that_is_none_or_too_long_is_refused(world: World, content: bytes | None) -> None:
    """Before anything in it is read."""
    files, item = await scene(world)
    files[ON_THEIR_WAY] = strict_json.dumps([item] * (MAX_CARRIED + 1)) if content is None else content
    elin = await world.wallet.person("Elin")

    with pytest.raises(ExportBroken):
        await import_into(world, elin, write_archive(files, made_at=world.clock()))

    assert world.wallet.deployment.collections(elin) == {}


async def taken_in(world: World, files: dict[str, bytes], item: dict[str, Any]) -> Collection:
    """What a changed item became in the vault of somebody else."""
    files[ON_THEIR_WAY] = strict_json.dumps([item])
    elin = await world.wallet.person("Elin")
    await import_into(world, elin, write_archive(files, made_at=world.clock()))
    (collection,) = world.wallet.deployment.collections(elin).values()
    return collection


async def test_a_box_opens_only_with_what_it_was_made_for(world: World) -> None:
    """Else a file could have the attested key and its token used at an address of its writer's."""
    files, item = await scene(world)
    item["authorization_server"]["token_endpoint"] = "https://evil.example/token"  # of the same issuer, it says

    collection = await taken_in(world, files, item)

    assert collection.refresh_token is None
    assert not collection.is_named


async def test_nobody_makes_this_service_vouch_for_a_key_of_theirs(world: World) -> None:
    """A box sealed with another key, or a key in the open, is of no use: the attested key is one that was made here."""
    files, item = await scene(world)
    theirs = generate_signer().private_jwk()
    inside = {"refresh_token": "x", "instance": theirs, "family": ""}
    box = sealing.seal(sealing.generate_key(), strict_json.dumps(inside), context=b"intyga carried collection 1: ")
    item |= {"home": base64url.encode(box), "instance": theirs, "client": {"instance": theirs, "dpop": theirs}}

    collection = await taken_in(world, files, item)

    assert collection.client["instance"]["x"] != theirs["x"]
    assert collection.client["dpop"] == item["token_key"]


async def test_a_file_says_nothing_of_how_far_it_has_come(world: World) -> None:
    """No member of a collection but those that are written is taken from a file; times ahead are cut."""
    files, item = await scene(world)
    item |= {"stage": "question", "renews": "x", "for_share": "y", "sign_in_url": SCRIPT, "code": "z", "link": SCRIPT}
    item |= {"begun_at": 2**39, "token_until": 2**39}
    item["parts"][0] |= {"state": "received", "received": ["a.b.c"], "certificate_id": "q", "ask_again_at": 2**39}

    collection = await taken_in(world, files, item)

    (part,) = collection.parts
    assert (collection.stage, part.state, part.received, part.certificate_id) == (
        Stage.PENDING,
        PartState.DEFERRED,
        (),
        "",
    )
    assert (collection.renews, collection.for_share, collection.sign_in_url, collection.code) == ("", "", "", None)
    now = int(world.clock().timestamp())
    assert collection.begun_at == now
    assert part.ask_again_at <= now + 7 * 24 * 3600
    assert SCRIPT not in strict_json.dumps(collection.as_json()).decode()


async def test_an_address_in_this_house_is_never_asked(world: World) -> None:
    """https to a private address can be written; the client that goes out does not go there."""
    files, item = await scene(world)
    item["metadata"]["deferred_credential_endpoint"] = "https://169.254.169.254/latest"
    await taken_in(world, files, item)
    world.clock.move(seconds=30)

    elin = await world.wallet.deployment.unlock("Elin", PASSPHRASE)
    await world.wallet.deployment.resume(elin)

    assert world.network.asked("169.254") == 0
    (collection,) = world.wallet.deployment.collections(elin).values()
    assert collection.stage is Stage.PENDING


@pytest.mark.parametrize(
    "odd",
    [
        {"access_token": "a token with spaces"},
        {"refresh_token": "x" * 9000, "is_named": False},
        {"metadata": "huge"},
    ],
    ids=["signs", "long", "huge"],
)
async def test_an_issuer_cannot_spoil_the_file_of_a_wallet(world: World, odd: dict[str, Any]) -> None:
    """What would not be read in again stays behind and is told; all else comes along."""
    wallet, maja = world.wallet.deployment, await world.wallet.person("Maja")
    collection_id = await waiting(world, Source(world, reviewed_types="micro-credential"), maja)
    held = take_up(wallet.database, maja, collection_id, now=world.clock())
    if "metadata" in odd:
        odd = {"metadata": {**held.collection.metadata, "nonce_endpoint": "https://source.example/" + "x" * 9_000_000}}
    held.save(replace(held.collection, **odd))
    held.let_go()
    browser = world.wallet.browser()
    page = browser.get("/settings/export")
    page = send(browser, page, "/unlock", name="Maja", passphrase=PASSPHRASE, wanted="/settings/export")

    otto = await world.wallet.person("Otto")
    done = await import_into(world, otto, await export(world, maja))

    assert done.on_their_way == 0
    assert "1 certificate on its way does not come along" in browser.get("/settings/export").text
    assert "comes along" not in browser.get("/settings/export").text
