"""A certificate on its way, in the file of a wallet: what another wallet needs to fetch it, and no more.

    item = carried(collection, home=key)                 # None: nothing of it waits at its issuer
    collection = read_carried(item, home=key, at=now)    # raises ProtocolError, KeyError, TypeError, ValueError

In the open (the file itself is locked) are the access token with its key (DPoP), what is waited for, its holder keys,
and what the issuer says of itself. The refresh token goes along in the open only where it is nobody's in particular.
One that was given to the wallets of this service works with a key for which this service vouches (attestation-based
client authentication). Such a key never leaves: token and key stand in a box that this service alone can open, and that
belongs to the rest of the item, so that no file makes it vouch for a key that it did not make itself.

A refresh token that something in the vault shares stays there: used in two places it may end for both (RFC 9700, 4.14).
What comes by a carried collection is not renewed, for the same reason. Everything read here is what a stranger wrote.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from proofs import base64url, sealing, strict_json
from proofs.keys import SoftwareSigner, thumbprint
from schemas.errors import Malformed, ProtocolError
from schemas.issuance import CredentialResponse, TokenResponse
from wallet.collection import Collection, Part, PartState, Stage
from wallet.issuer_client import ClientKeys, new_client_keys
from wallet.offers import read_kept_offer
from wallet.receiving import LONGEST_INTERVAL
from wallet.redemption import LONGEST_TOKEN_SECONDS, MOST_CERTIFICATES

MAX_CARRIED: Final = 100
MAX_CARRIED_BYTES: Final = 8_000_000
_MAX_KEYS: Final = 100
_MAX_TEXT: Final = 8000
_BOX: Final = "home"
_VISIBLE: Final = range(0x21, 0x7F)


def carried(collection: Collection, *, home: bytes) -> dict[str, Any] | None:
    """What of a collection goes into a file; None when nothing of it waits at its issuer. `home` is the key of the
    box: 32 bytes that this wallet service alone has."""
    waiting = [part for part in collection.parts if part.state is PartState.DEFERRED]
    if collection.stage is not Stage.PENDING or collection.renews or not waiting or not collection.access_token:
        return None
    names = list(dict.fromkeys(part.configuration for part in waiting))
    supported = collection.metadata["credential_configurations_supported"]
    item: dict[str, Any] = {
        "issuer": collection.offered.issuer,
        "metadata": {
            **collection.metadata,
            "credential_configurations_supported": {name: supported[name] for name in names},
        },
        "authorization_server": dict(collection.authorization_server),
        "displays": {name: dict(collection.displays.get(name, {})) for name in names},
        "begun_at": collection.begun_at,
        "token": collection.access_token,
        "token_until": collection.token_until,
        "token_type": "DPoP" if collection.is_bound else "Bearer",
        "token_key": dict((collection.client or new_client_keys().as_json())["dpop"]),
        "parts": [
            {
                "configuration": part.configuration,
                "identifier": part.identifier,
                "keys": [dict(key) for key in part.keys],
                "transaction_id": part.transaction_id,
                "ask_again_at": part.ask_again_at,
            }
            for part in waiting
        ],
    }
    if collection.refresh_token is None or len(waiting) < len(collection.parts):
        return item
    if not collection.is_named:
        return {**item, "refresh_token": collection.refresh_token}
    inside = {
        "refresh_token": collection.refresh_token,
        "instance": dict(collection.client["instance"]),
        "family": collection.family,
    }
    return {**item, _BOX: base64url.encode(sealing.seal(home, strict_json.dumps(inside), context=_context(item)))}


def carried_together(collections: Iterable[Collection], *, home: bytes, at: int) -> list[dict[str, Any]]:
    """What of these goes into one file: only what can be read in again, and together no more than is read.

    The words and tokens are an issuer's: an odd one or a long one must not make the whole file unreadable.
    """
    items: list[dict[str, Any]] = []
    room = MAX_CARRIED_BYTES - 2
    for collection in collections:
        item = carried(collection, home=home)
        if item is None or len(items) == MAX_CARRIED:
            continue
        size = len(strict_json.dumps(item)) + 1
        with suppress(ProtocolError, KeyError, TypeError, ValueError):
            read_carried(item, home=home, at=at)
            if size <= room:
                items.append(item)
                room -= size
    return items


def read_carried(item: Mapping[str, Any], *, home: bytes, at: int) -> Collection:
    """The collection that goes on with what is on its way. `at` in seconds since 1970.

    Raises `ProtocolError`, `KeyError`, `TypeError` or `ValueError` for anything that `carried` does not write.
    """
    offered = read_kept_offer(item["issuer"], item["metadata"], item["authorization_server"], item["displays"])
    if not offered.metadata.deferred_credential_endpoint:
        raise Malformed("there is no place where it could be asked for")
    is_bound = {"DPoP": True, "Bearer": False}[item["token_type"]]
    token = TokenResponse.read(
        {name: item[name] for name in ("token_type", "refresh_token") if name in item}
        | {"access_token": _visible(item["token"])}
    )
    refresh_token = None if token.refresh_token is None else _visible(token.refresh_token)
    instance, family, is_named = new_client_keys().instance, secrets.token_hex(16), False
    if (box := _opened(item, home)) is not None:
        instance, family, is_named = box["instance"], box["family"], True
        refresh_token = box["refresh_token"]
    parts = tuple(_part(one, at=at) for one in _listed(item["parts"], MOST_CERTIFICATES))
    configurations = [name for name, _ in offered.items]
    if not parts or {part.configuration for part in parts} != set(configurations):
        raise Malformed("what waits is not what the issuer is said to issue")
    if len({part.name for part in parts}) < len(parts) or len(holder_keys(parts)) < sum(len(p.keys) for p in parts):
        raise Malformed("two certificates have the same name or the same key")
    SoftwareSigner.from_private_jwk(item["token_key"])
    return Collection(
        link=f"carried:{hashlib.sha256(_context(item)).hexdigest()}",
        offer=offered.offer.as_json(),
        metadata=offered.metadata.as_json(),
        authorization_server=offered.authorization_server.as_json(),
        displays=offered.raw_displays,
        stage=Stage.PENDING,
        parts=parts,
        begun_at=min(_moment(item["begun_at"]), at),
        access_token=token.access_token,
        token_until=None
        if item["token_until"] is None
        else min(_moment(item["token_until"]), at + LONGEST_TOKEN_SECONDS),
        client=ClientKeys(dpop=item["token_key"], instance=instance).as_json(),
        is_bound=is_bound,
        is_named=is_named,
        refresh_token=refresh_token,
        family=family if refresh_token else "",
        waited=True,
        is_carried=True,
    )


def holder_keys(parts: Sequence[Part]) -> set[str]:
    """The thumbprints of the holder keys of what is on its way, by which it is recognised."""
    return {thumbprint(SoftwareSigner.from_private_jwk(key).public_jwk) for part in parts for key in part.keys}


def _part(value: Mapping[str, Any], *, at: int) -> Part:
    answer = CredentialResponse.read({"transaction_id": _visible(value["transaction_id"]), "interval": 1})
    assert answer.transaction_id is not None
    name, identifier = value["configuration"], value["identifier"]
    if not isinstance(name, str) or not isinstance(identifier, str) or len(identifier) > _MAX_TEXT:
        raise Malformed("a certificate on its way has no name")
    return Part(
        configuration=name,
        identifier=identifier,
        keys=tuple(dict(key) for key in _listed(value["keys"], _MAX_KEYS)),
        state=PartState.DEFERRED,
        transaction_id=answer.transaction_id,
        ask_again_at=min(_moment(value["ask_again_at"]), at + LONGEST_INTERVAL),
    )


def _opened(item: Mapping[str, Any], home: bytes) -> dict[str, Any] | None:
    """What stands in the box; None when there is none, or it is of another wallet service or of another item."""
    if _BOX not in item:
        return None
    rest = {name: value for name, value in item.items() if name != _BOX}
    sealed = base64url.decode(item[_BOX])
    try:
        inside = sealing.unseal(home, sealed, context=_context(rest))
    except sealing.SealBroken:
        return None
    return strict_json.loads_object(inside)


def _context(item: Mapping[str, Any]) -> bytes:
    rest = {name: value for name, value in item.items() if name != _BOX}
    return b"intyga carried collection 1: " + hashlib.sha256(strict_json.dumps(rest)).digest()


def _visible(value: object) -> str:
    """A text that may stand in a header or a request."""
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT or any(ord(one) not in _VISIBLE for one in value):
        raise Malformed("a token has other characters than visible ones")
    return value


def _moment(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**40:
        raise Malformed("not a time")
    return value


def _listed(value: object, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise Malformed("a list is none, or too long")
    return value
