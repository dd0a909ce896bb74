"""Which key speaks for which issuer or verifier, for which credential types and when.

A trust list is a tuple of entries. An entry names one party (or, with an empty identifier, everyone under one
anchor), one mechanism by which its key is known, its types and its period. What entries say of an issuer by name
outweighs what others say of everyone under an anchor. The mechanisms are:

- `x5c`: the chain in the token leads to `anchor_pem`;
- `jwks`: the key is one of `jwks`;
- `metadata`: the key is published as JWT VC issuer metadata at the identifier.

Lists can be signed and passed on (`sign_trust_list`, `check_trust_list`): checked against a key that was pinned when
the list was added, an older sequence number refused.
"""

import functools
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeVar, cast, get_args

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from proofs import jose
from proofs.certificate_form import extension, read_pem, subject_name
from proofs.dates import numeric_date, read_date
from proofs.keys import DEFAULT_ALGORITHMS, Signer, check_public_jwk, thumbprint
from schemas.errors import CouldNotCheck, Malformed, Refused

Role = Literal["issuer", "verifier", "any"]
Mechanism = Literal["x5c", "jwks", "metadata"]
Key = TypeVar("Key", str, bytes)

TRUST_LIST_TYP: Final = "intyga-trust-list+jwt"
MAX_ENTRIES: Final = 10_000


class StaleTrustList(CouldNotCheck):
    """The trust list should have been replaced by now; what it says may have changed."""


@dataclass(frozen=True)
class TrustEntry:
    """One party that is trusted, and how its key is known.

    `identifier` is the issuer's `iss` or the verifier's client identifier; empty means everyone under the anchor.
    `types` are `vct` values, none meaning every type. `not_before` and `not_after` bound the trust, both inclusive.
    """

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

    def __post_init__(self) -> None:
        """Refuse an entry that would trust nobody in particular. Raises `Malformed`."""
        if self.role not in get_args(Role) or self.mechanism not in get_args(Mechanism) or not self.id:
            raise Malformed("a trust entry lacks its id, or names an unknown role or mechanism")
        if self.mechanism == "x5c" and self.anchor is None:
            raise Malformed("a trust entry by certificate needs its anchor")
        if self.mechanism != "x5c" and not self.identifier:
            raise Malformed("a trust entry by key needs to name its party")
        if self.mechanism == "jwks" and not self.jwks:
            raise Malformed("a trust entry by key needs its key")
        if (self.anchor_pem and self.mechanism != "x5c") or (self.jwks and self.mechanism != "jwks"):
            raise Malformed("a trust entry has one mechanism")

    @functools.cached_property
    def anchor(self) -> bytes | None:
        """The anchor certificate in DER form, or None. Raises `Malformed` when the PEM text holds none."""
        return _certificate(self.anchor_pem).public_bytes(Encoding.DER) if self.anchor_pem else None

    def serves(self, role: Role) -> bool:
        """Whether the entry trusts its party in this role."""
        return role == "any" or self.role in (role, "any")

    def is_for_type(self, vct: str) -> bool:
        """Whether the entry trusts its party for this credential type."""
        return not self.types or vct in self.types

    def is_in_force(self, *, at: datetime) -> bool:
        """Whether a time lies in the entry's period."""
        return (self.not_before is None or self.not_before <= at) and (self.not_after is None or at <= self.not_after)

    def to_json(self) -> dict[str, Any]:
        """The entry as a JSON object, without its empty members; times as seconds since 1970."""
        times = {"not_before": self.not_before, "not_after": self.not_after}
        members: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "role": self.role,
            "identifier": self.identifier,
            "mechanism": self.mechanism,
            "anchor_pem": self.anchor_pem,
            "jwks": list(self.jwks),
            "types": list(self.types),
            **{name: numeric_date(moment) for name, moment in times.items() if moment is not None},
        }
        return {name: value for name, value in members.items() if value not in ("", [])}

    @classmethod
    def from_json(cls, value: Any) -> "TrustEntry":
        """Read what `to_json` wrote; unknown members are ignored. Raises `Malformed`."""
        if not isinstance(value, dict):
            raise Malformed("a trust entry is not an object")
        texts = {name: value.get(name, "") for name in ("id", "name", "identifier", "anchor_pem")}
        jwks, types = value.get("jwks", []), value.get("types", [])
        if not all(isinstance(text, str) for text in texts.values()):
            raise Malformed("a member of a trust entry is not a string")
        if not isinstance(types, list) or not all(isinstance(each, str) for each in types):
            raise Malformed("`types` of a trust entry is not an array of strings")
        if not isinstance(jwks, list) or not all(isinstance(each, dict) for each in jwks):
            raise Malformed("`jwks` of a trust entry is not an array of keys")
        role, mechanism = value.get("role"), value.get("mechanism", "x5c")
        return cls(
            **texts,
            role=cast("Role", role),  # Refused above when it is none.
            mechanism=cast("Mechanism", mechanism),
            jwks=tuple(check_public_jwk(each) for each in jwks),
            types=tuple(types),
            not_before=read_date(value["not_before"], name="not_before") if "not_before" in value else None,
            not_after=read_date(value["not_after"], name="not_after") if "not_after" in value else None,
        )


@dataclass(frozen=True)
class TrustList:
    """Everything a wallet or verifier trusts."""

    entries: tuple[TrustEntry, ...] = ()

    @functools.cached_property
    def _anchors(self) -> dict[Role, tuple[bytes, ...]]:
        return {
            role: tuple(
                dict.fromkeys(entry.anchor for entry in self.entries if entry.serves(role) and entry.anchor is not None)
            )
            for role in get_args(Role)
        }

    def anchors(self, role: Role) -> tuple[bytes, ...]:
        """The anchors of every entry for a role, in DER form, each once. Always the same tuple for one list."""
        return self._anchors[role]

    def entries_for(self, role: Role, *, mechanism: Mechanism) -> tuple[TrustEntry, ...]:
        """The entries for a role that know their key by a mechanism."""
        return tuple(entry for entry in self.entries if entry.serves(role) and entry.mechanism == mechanism)

    @functools.cached_property
    def _by_anchor(self) -> dict[bytes, tuple[TrustEntry, ...]]:
        return _grouped((entry.anchor, entry) for entry in self.entries if entry.anchor is not None)

    @functools.cached_property
    def _by_identifier(self) -> dict[str, tuple[TrustEntry, ...]]:
        return _grouped((entry.identifier, entry) for entry in self.entries if entry.identifier)

    def under_anchor(self, role: Role, anchor: bytes, identifiers: Collection[str]) -> tuple[TrustEntry, ...]:
        """The `x5c` entries for a role with this anchor that name one of the identifiers, or everyone under it.

        Entries that name the party come before those that do not.
        """
        return self.under_anchors(role, (anchor,), identifiers)

    def under_anchors(
        self, role: Role, anchors: Iterable[bytes], identifiers: Collection[str]
    ) -> tuple[TrustEntry, ...]:
        """As `under_anchor`, for a chain that leads to several anchors."""
        fitting = [
            entry
            for anchor in anchors
            for entry in self._by_anchor.get(anchor, ())
            if entry.serves(role) and (not entry.identifier or entry.identifier in identifiers)
        ]
        return tuple(sorted(fitting, key=_is_for_everyone) if len(fitting) > 1 else fitting)

    def naming(self, role: Role, identifier: str) -> tuple[TrustEntry, ...]:
        """The entries for a role that name exactly this party."""
        named = self._by_identifier.get(identifier, ())
        return tuple([entry for entry in named if entry.serves(role)]) if named else ()

    def issuers_for(self, vct: str, *, at: datetime) -> tuple[TrustEntry, ...]:
        """The entries that make somebody an issuer of a type at a time."""
        return tuple(
            entry
            for entry in self.entries
            if entry.serves("issuer") and entry.is_for_type(vct) and entry.is_in_force(at=at)
        )


def _grouped(pairs: Iterable[tuple[Key, TrustEntry]]) -> dict[Key, tuple[TrustEntry, ...]]:
    groups: dict[Key, list[TrustEntry]] = {}
    for key, entry in pairs:
        groups.setdefault(key, []).append(entry)
    return {key: tuple(entries) for key, entries in groups.items()}


def _is_for_everyone(entry: TrustEntry) -> bool:
    return not entry.identifier


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


def entry_from_anchor(
    pem: bytes | str, *, name: str | None, role: Role = "any", types: Sequence[str] = (), identifier: str = ""
) -> TrustEntry:
    """Trust a root certificate directly.

    Without `name`, the entry is called as the certificate's subject; without `identifier` everyone under the root is
    trusted. Root and identifier make the entry's id, so that several parties under one root can be named one by one.
    The entry ends with the certificate. Raises `Malformed` when there is no certificate, `Refused` when it is
    not that of a certificate authority.
    """
    text = pem.decode("ascii", "replace") if isinstance(pem, bytes) else pem
    certificate = _certificate(text)
    constraints = extension(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        raise Refused("the certificate is not that of a certificate authority")
    der = certificate.public_bytes(Encoding.DER)
    return TrustEntry(
        id=_short_id(der, identifier),
        name=name or subject_name(certificate) or certificate.subject.rfc4514_string(),
        role=role,
        identifier=identifier,
        anchor_pem=certificate.public_bytes(Encoding.PEM).decode("ascii"),
        types=tuple(types),
        not_after=certificate.not_valid_after_utc,
    )


def entry_from_jwk(
    jwk: Mapping[str, Any], *, identifier: str, name: str, role: Role, types: Sequence[str] = ()
) -> TrustEntry:
    """Trust one key for one named party. Raises `Malformed` or `Refused` when the key cannot be used."""
    public = check_public_jwk(jwk)
    return TrustEntry(
        id=_short_id(thumbprint(public).encode(), identifier),
        name=name,
        role=role,
        identifier=identifier,
        mechanism="jwks",
        jwks=(public,),
        types=tuple(types),
    )


def _short_id(key: bytes, identifier: str) -> str:
    """Hexadecimal, since it is typed after a command and must not begin with a hyphen."""
    return hashlib.sha256(key + b"\x00" + identifier.encode()).hexdigest()[:16]


@functools.lru_cache(maxsize=256)
def _certificate(pem: str) -> x509.Certificate:
    return read_pem(pem)
