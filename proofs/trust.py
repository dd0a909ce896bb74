"""stub"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from proofs.keys import Signer

Role = Literal["issuer", "verifier", "any"]
Mechanism = Literal["x5c", "jwks", "metadata"]


@dataclass(frozen=True, slots=True)
class TrustEntry:
    id: str
    name: str
    role: Role
    identifier: str = ""
    mechanism: Mechanism = "x5c"
    anchor_pem: str = ""
    jwks: tuple[dict[str, str], ...] = ()
    types: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        raise NotImplementedError

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "TrustEntry":
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class TrustList:
    entries: tuple[TrustEntry, ...] = ()

    def anchors(self, role: Role) -> tuple[bytes, ...]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class SignedTrustList:
    entries: tuple[TrustEntry, ...]
    sequence: int
    issued_at: datetime
    next_update: datetime


def sign_trust_list(
    entries: Iterable[TrustEntry], *, signer: Signer, sequence: int, issued_at: datetime, next_update: datetime
) -> str:
    raise NotImplementedError


def check_trust_list(
    token: str, *, key_jwk: Mapping[str, Any], minimum_sequence: int, now: datetime
) -> SignedTrustList:
    raise NotImplementedError


def entry_from_anchor(
    pem: bytes | str, *, name: str | None, role: Role = "any", types: Sequence[str] = ()
) -> TrustEntry:
    raise NotImplementedError


def entry_from_jwk(
    jwk: Mapping[str, Any], *, identifier: str, name: str, role: Role, types: Sequence[str] = ()
) -> TrustEntry:
    raise NotImplementedError
