"""stub"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from proofs.keys import Signer

VALID, INVALID, SUSPENDED = 0, 1, 2
REVOKED = INVALID


@dataclass(frozen=True, slots=True)
class StatusList:
    uri: str
    bits: int
    data: bytes
    issued_at: datetime
    expires_at: datetime | None
    ttl_seconds: int | None

    def status(self, index: int) -> int:
        raise NotImplementedError


def new_status_list(entries: int, *, bits: int) -> bytearray:
    raise NotImplementedError


def encode_status_list(statuses: bytes | bytearray | Sequence[int], *, bits: int) -> str:
    """bytes/bytearray: already packed; another sequence: one value per credential."""
    raise NotImplementedError


def decode_status_list(lst: str, *, bits: int, max_bytes: int) -> bytes:
    raise NotImplementedError


def status_at(data: bytes | bytearray, index: int, *, bits: int) -> int:
    raise NotImplementedError


def set_status(data: bytearray, index: int, value: int, *, bits: int) -> None:
    raise NotImplementedError


def make_status_list_token(
    *,
    statuses: bytes | bytearray,
    bits: int,
    uri: str,
    signer: Signer,
    issued_at: datetime,
    expires_at: datetime,
    ttl_seconds: int,
) -> str:
    raise NotImplementedError


def check_status_list_token(
    token: str,
    *,
    expected_uri: str,
    anchors: Sequence[bytes],
    issuer_keys: Sequence[Mapping[str, Any]],
    now: datetime,
    skew_seconds: int = 60,
) -> StatusList:
    raise NotImplementedError


def fresh_until(
    token: str, *, fetched_at: datetime, at_least_seconds: int = 60, at_most_seconds: int = 86_400
) -> datetime:
    """For resolvers: how long a fetched token may be used (its ttl and exp within bounds)."""
    raise NotImplementedError
