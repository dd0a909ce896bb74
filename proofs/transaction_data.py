"""Digests of transaction data in a key binding (OpenID4VP 1.0, B.3.3.1).

    claims = hashes_claims([encoded], algorithm="sha-256", is_named=False)   # what the holder's key signs besides
    fault = hashes_fault(key_binding, expected=[encoded])                    # at the verifier: "" when it holds

A digest is over the string as it stands in the request, not over what it decodes to.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from proofs import base64url, strict_json

DEFAULT_HASH: Final = "sha-256"
_HASHES: Final[Mapping[str, Callable[[bytes], Any]]] = {
    "sha-256": hashlib.sha256,
    "sha-384": hashlib.sha384,
    "sha-512": hashlib.sha512,
}
MAX_BYTES: Final = 20_000


def decode_transaction_data(encoded: str) -> dict[str, Any]:
    """The object in one string of `transaction_data`, read strictly. Raises `Malformed`."""
    return strict_json.loads_object(base64url.decode(encoded), max_bytes=MAX_BYTES)


def encode_transaction_data(members: Mapping[str, Any]) -> str:
    """An object as a string of `transaction_data`; equal objects give equal strings."""
    return base64url.encode(strict_json.dumps(dict(members)))


def common_hash(offered: Iterable[Collection[str] | None]) -> str | None:
    """The first of our algorithms that every object takes (None: the default alone); None when there is none."""
    lists = [frozenset(one) if one is not None else frozenset({DEFAULT_HASH}) for one in offered]
    return next((name for name in _HASHES if all(name in one for one in lists)), None)


def hashes_claims(encoded: Sequence[str], *, algorithm: str, is_named: bool) -> dict[str, Any]:
    """The members of a key binding for these strings; `is_named` says that the request named algorithms."""
    claims: dict[str, Any] = {"transaction_data_hashes": [_digest(one, algorithm) for one in encoded]}
    return claims | {"transaction_data_hashes_alg": algorithm} if is_named else claims


def hashes_fault(key_binding: Mapping[str, Any], *, expected: Sequence[str]) -> str:
    """Why a key binding does not confirm exactly these strings under the default algorithm; "" when it does.

    The faults are `missing`, `other_algorithm` and `other_text`: more, fewer, other or the same digest twice.
    """
    if "transaction_data_hashes" not in key_binding:
        return "missing"
    if key_binding.get("transaction_data_hashes_alg", DEFAULT_HASH) != DEFAULT_HASH:
        return "other_algorithm"
    found = key_binding["transaction_data_hashes"]
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        return "other_text"
    return "" if sorted(found) == sorted(_digest(one, DEFAULT_HASH) for one in expected) else "other_text"


def _digest(encoded: str, algorithm: str) -> str:
    return base64url.encode(_HASHES[algorithm](encoded.encode("ascii")).digest())
