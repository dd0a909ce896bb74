"""Salted commitments to what was shared: the history holds these and the names of items, never the values (CS-30).

written = commitment(salt, ["courses", 0, "title"], "Statistik")
opens(written, salt=salt, path=["courses", 0, "title"], value="Statistik")
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

from proofs import base64url, strict_json

SALT_BYTES = 16


def commitment(salt: bytes, path: Sequence[str | int], value: Any) -> str:
    """A commitment to one shared item: base64url SHA-256 over the salt and the item's path and value as JSON.

    With the salt, which stays sealed with the holder, it proves what was shared; without it, it tells nothing.
    """
    return base64url.encode(hashlib.sha256(salt + strict_json.dumps([list(path), value])).digest())


def opens(written: str, *, salt: bytes, path: Sequence[str | int], value: Any) -> bool:
    """Whether a commitment is one to this value."""
    return secrets.compare_digest(written, commitment(salt, path, value))
