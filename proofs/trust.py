"""Which key speaks for which issuer or verifier, for which credential types and when.

A trust list is a tuple of entries. An entry names one party (or, with an empty identifier, everyone under one
anchor), one mechanism by which its key is known, its types and its period: see `proofs.trust_entry`. What entries say
of an issuer by name outweighs what others say of everyone under an anchor.

Lists can be signed and passed on (`sign_trust_list`, `check_trust_list`): checked against a key that was pinned when
the list was added, an older sequence number refused.
"""

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, TypeVar, get_args

from proofs import jose
from proofs.dates import numeric_date, read_date
from proofs.keys import DEFAULT_ALGORITHMS, Signer
from proofs.trust_entry import Mechanism as Mechanism
from proofs.trust_entry import Role as Role
from proofs.trust_entry import TrustEntry as TrustEntry
from proofs.trust_entry import entry_from_anchor as entry_from_anchor
from proofs.trust_entry import entry_from_did as entry_from_did
from proofs.trust_entry import entry_from_jwk as entry_from_jwk
from proofs.trust_entry import read_entry as read_entry
from schemas.errors import CouldNotCheck, Malformed, Refused

Key = TypeVar("Key", str, bytes)
TRUST_LIST_TYP: Final = "intyga-trust-list+jwt"
_GREATEST_SEQUENCE: Final = 2**63 - 1  # What a database holds.
MAX_ENTRIES: Final = 10_000


class StaleTrustList(CouldNotCheck):
    """The trust list should have been replaced by now; what it says may have changed."""


class _Index(NamedTuple):
    """The entries for one role: all anchors, entries by the party they name, entries for everyone under an anchor."""

    anchors: tuple[bytes, ...]
    by_identifier: dict[str, tuple[TrustEntry, ...]]
    everyone_under: dict[bytes, tuple[TrustEntry, ...]]


@dataclass(frozen=True)
class TrustList:
    """Everything a wallet or verifier trusts."""

    entries: tuple[TrustEntry, ...] = ()

    @functools.cached_property
    def _by_role(self) -> dict[Role, _Index]:
        return {role: _index([entry for entry in self.entries if entry.serves(role)]) for role in get_args(Role)}

    def anchors(self, role: Role) -> tuple[bytes, ...]:
        """The anchors of every entry for a role, in DER form, each once. Always the same tuple for one list."""
        return self._by_role[role].anchors

    def naming(self, role: Role, identifier: str) -> tuple[TrustEntry, ...]:
        """The entries for a role that name exactly this party."""
        return self._by_role[role].by_identifier.get(identifier, ())

    def everyone_under(self, role: Role, anchors: Iterable[bytes]) -> tuple[TrustEntry, ...]:
        """The entries for a role that trust everyone under one of these anchors."""
        under = self._by_role[role].everyone_under
        return tuple([entry for anchor in anchors for entry in under.get(anchor, ())])

    def under_anchors(
        self, role: Role, anchors: Collection[bytes], identifiers: Iterable[str]
    ) -> tuple[TrustEntry, ...]:
        """The `x5c` entries for a role with one of these anchors that name a party by one of the identifiers, and then
        those that trust everyone under one of the anchors.
        """
        named = [entry for name in dict.fromkeys(identifiers) for entry in self.naming(role, name)]
        return (*(entry for entry in named if entry.anchor in anchors), *self.everyone_under(role, anchors))

    def under_anchor(self, role: Role, anchor: bytes, identifiers: Iterable[str]) -> tuple[TrustEntry, ...]:
        """As `under_anchors`, for one anchor."""
        return self.under_anchors(role, (anchor,), identifiers)

    def issuers_for(self, vct: str, *, at: datetime) -> tuple[TrustEntry, ...]:
        """The entries that make somebody an issuer of a type at a time."""
        return tuple(
            entry
            for entry in self.entries
            if entry.serves("issuer") and entry.is_for_type(vct) and entry.is_in_force(at=at)
        )


def _index(entries: Sequence[TrustEntry]) -> _Index:
    return _Index(
        anchors=tuple(dict.fromkeys(entry.anchor for entry in entries if entry.anchor is not None)),
        by_identifier=_grouped((entry.identifier, entry) for entry in entries if entry.identifier),
        everyone_under=_grouped(
            (entry.anchor, entry) for entry in entries if entry.anchor is not None and not entry.identifier
        ),
    )


def _grouped(pairs: Iterable[tuple[Key, TrustEntry]]) -> dict[Key, tuple[TrustEntry, ...]]:
    groups: dict[Key, list[TrustEntry]] = {}
    for key, entry in pairs:
        groups.setdefault(key, []).append(entry)
    return {key: tuple(entries) for key, entries in groups.items()}


@dataclass(frozen=True)
class SignedTrustList:
    """A trust list whose signature, sequence and dates were checked."""

    entries: tuple[TrustEntry, ...]
    sequence: int
    issued_at: datetime
    next_update: datetime


def sign_trust_list(
    entries: Iterable[TrustEntry], *, signer: Signer, sequence: int, issued_at: datetime, next_update: datetime
) -> str:
    """Sign entries as a list that others can add.

    `sequence` must grow with every edition; `next_update` is when readers should have fetched another one.
    """
    claims = {
        "sequence": sequence,
        "iat": numeric_date(issued_at),
        "next_update": numeric_date(next_update),
        "entries": [entry.to_json() for entry in entries],
    }
    return jose.sign_jws(claims, signer=signer, typ=TRUST_LIST_TYP, header={"kid": signer.kid})


def check_trust_list(
    token: str, *, key_jwk: Mapping[str, Any], minimum_sequence: int, now: datetime, skew_seconds: int = 60
) -> SignedTrustList:
    """Check a signed trust list against the key pinned for it.

    `minimum_sequence` is that of the edition in use: an older one is refused, so that nobody can bring back a party
    that was removed. Entries with a role or mechanism that we do not know are left out.

    Raises `Malformed` for another form, `Refused` for an older edition or one from the future,
    `jose.InvalidSignature`, and `StaleTrustList` when the next edition is due.
    """
    claims = jose.check_jws(token, key=key_jwk, typ=TRUST_LIST_TYP, algorithms=DEFAULT_ALGORITHMS).claims
    sequence, entries = claims.get("sequence"), claims.get("entries")
    issued_at = read_date(claims.get("iat"), name="iat")
    next_update = read_date(claims.get("next_update"), name="next_update")
    if type(sequence) is not int or not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
        raise Malformed("the trust list has no sequence number or no entries")
    if sequence > _GREATEST_SEQUENCE:
        raise Malformed("the sequence number of the trust list is beyond what can be kept")
    if sequence < minimum_sequence:
        raise Refused("the trust list is older than the one in use")
    if issued_at > now + timedelta(seconds=skew_seconds):
        raise Refused("the trust list is from the future")
    if next_update < now:
        raise StaleTrustList("the trust list should have been replaced by now")
    understood = tuple(TrustEntry.from_json(entry) for entry in entries if not _is_of_a_later_kind(entry))
    return SignedTrustList(understood, sequence, issued_at, next_update)


def _is_of_a_later_kind(entry: Any) -> bool:
    """Whether an entry has a role or mechanism that we do not know: it trusts nobody here, and spoils no list."""
    if not isinstance(entry, dict):
        return False
    role, mechanism = entry.get("role"), entry.get("mechanism", "x5c")
    are_names = isinstance(role, str) and isinstance(mechanism, str)
    return are_names and (role not in get_args(Role) or mechanism not in get_args(Mechanism))
