"""Whom this wallet trusts: single entries, and signed lists by their address and pinned key.

    trust_list([source, ...], now=now)      # the TrustList that checks are made against

A list counts until its `next_update`; after that its entries are left out until it could be fetched again, and a list
with an older sequence than one seen before is refused.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from proofs import strict_json
from proofs.keys import check_public_jwk
from proofs.trust import SignedTrustList, TrustEntry, TrustList, check_trust_list
from schemas.errors import ProtocolError


class NotAList(ProtocolError):
    """What is at this address is not a trust list signed with the given key."""

    error = "invalid_trust_list"


@dataclass(frozen=True, slots=True)
class TrustSource:
    """One thing that was added: an entry, or a list (then with `url`, pinned `key_jwk` and the last good `token`)."""

    id: str
    entry: TrustEntry | None = None
    url: str = ""
    key_jwk: Mapping[str, str] = field(default_factory=dict)
    token: str = ""
    sequence: int = 0

    def as_json(self) -> dict[str, Any]:
        """The form in which it rests."""
        return {
            "id": self.id,
            "entry": self.entry.to_json() if self.entry else None,
            "url": self.url,
            "key_jwk": dict(self.key_jwk),
            "token": self.token,
            "sequence": self.sequence,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "TrustSource":
        """Read what `as_json` gave."""
        entry = TrustEntry.from_json(value["entry"]) if value["entry"] else None
        return cls(**{**value, "entry": entry})


def source_of_entry(entry: TrustEntry) -> TrustSource:
    """A source that is one entry; it keeps the entry's own identifier."""
    return TrustSource(id=entry.id, entry=entry)


def source_of_list(url: str, token: str, *, key_jwk: Mapping[str, Any], now: datetime) -> TrustSource:
    """A source that is a list, with its key pinned. Raises `NotAList` when the token is not signed with it."""
    pinned = check_public_jwk(dict(key_jwk))
    checked = _checked(token, key_jwk=pinned, minimum_sequence=0, now=now)
    return TrustSource(id=secrets.token_hex(4), url=url, key_jwk=pinned, token=token, sequence=checked.sequence)


def refreshed(source: TrustSource, token: str, *, now: datetime) -> TrustSource:
    """The list as fetched anew. Raises `NotAList` for another key or an older sequence."""
    checked = _checked(token, key_jwk=source.key_jwk, minimum_sequence=source.sequence, now=now)
    return TrustSource(id=source.id, url=source.url, key_jwk=source.key_jwk, token=token, sequence=checked.sequence)


def entries_of(source: TrustSource, *, now: datetime) -> tuple[TrustEntry, ...]:
    """The entries that a source stands for now; none when its list has run out."""
    if source.entry is not None:
        return (source.entry,)
    try:
        return _checked(source.token, key_jwk=source.key_jwk, minimum_sequence=source.sequence, now=now).entries
    except NotAList:
        return ()


def trust_list(sources: Iterable[TrustSource], *, now: datetime) -> TrustList:
    """All entries of all sources that count now."""
    return TrustList(tuple(entry for source in sources for entry in entries_of(source, now=now)))


def judged_under(trust: TrustList, *, at: datetime) -> str:
    """A mark of everybody who is trusted as an issuer at a time; another one means that judgements may be others.

    It follows what counts, not what was written: a list that was fetched anew and says the same leaves it as it is, and
    an entry whose period ends changes it.
    """
    counting = [entry for entry in trust.entries if entry.serves("issuer") and entry.is_in_force(at=at)]
    marks = sorted(hashlib.sha256(strict_json.dumps(entry.to_json())).hexdigest() for entry in counting)
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()


def _checked(token: str, *, key_jwk: Mapping[str, Any], minimum_sequence: int, now: datetime) -> SignedTrustList:
    try:
        return check_trust_list(token, key_jwk=key_jwk, minimum_sequence=minimum_sequence, now=now)
    except ProtocolError as exc:
        raise NotAList(str(exc)) from exc
