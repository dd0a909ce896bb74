"""One entry of a trust list: a party, one mechanism by which its key is known, its types and its period.

- `x5c`: the chain in the token leads to `anchor_pem`;
- `jwks`: the key is one of `jwks`;
- `metadata`: the key is published as JWT VC issuer metadata at the identifier;
- `did`: the identifier is a DID, and the key stands in its document (verifiers only).
"""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, cast, get_args

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from proofs.certificate_form import extension, read_pem, subject_name
from proofs.dates import numeric_date, read_date
from proofs.did import did_method
from proofs.keys import check_public_jwk, thumbprint
from schemas.errors import Malformed, Refused

Role = Literal["issuer", "verifier", "any", "registrar"]
Mechanism = Literal["x5c", "jwks", "metadata", "did"]


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
        if self.mechanism == "did":
            did_method(self.identifier)
            if self.role != "verifier":
                raise Malformed("only a verifier can be trusted by its decentralized identifier")
        if (self.anchor_pem and self.mechanism != "x5c") or (self.jwks and self.mechanism != "jwks"):
            raise Malformed("a trust entry has one mechanism")

    @functools.cached_property
    def anchor(self) -> bytes | None:
        """The anchor certificate in DER form, or None. Raises `Malformed` when the PEM text holds none."""
        return _certificate(self.anchor_pem).public_bytes(Encoding.DER) if self.anchor_pem else None

    def serves(self, role: Role) -> bool:
        """Whether the entry trusts its party in this role.

        A registrar says what others may ask for. Nobody is one by being trusted in `any` role, nor is it anything else.
        """
        if "registrar" in (role, self.role):
            return role == self.role
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
        # The same root can be added once more as a registrar's, which is another trust.
        id=_short_id(der, f"registrar {identifier}" if role == "registrar" else identifier),
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


def entry_from_did(did: str, *, name: str) -> TrustEntry:
    """Trust a verifier by its DID: whoever holds a key in its document is this party. Raises `Malformed`."""
    return TrustEntry(id=_short_id(b"", did), name=name, role="verifier", identifier=did, mechanism="did")


def read_entry(value: Any) -> TrustEntry:
    """Read an entry as people write it in a file (docs/trust.md); a missing `id` is made of key and identifier.

    So the same party, written again, replaces what was said about it. Raises `Malformed`, or `Refused` for a weak key.
    """
    if not isinstance(value, dict) or "id" in value:
        return TrustEntry.from_json(value)
    entry = TrustEntry.from_json({**value, "id": "to be made"})
    key = entry.anchor or "".join(sorted(thumbprint(jwk) for jwk in entry.jwks)).encode()
    return replace(entry, id=_short_id(key, entry.identifier))


def _short_id(key: bytes, identifier: str) -> str:
    """Hexadecimal, since it is typed after a command and must not begin with a hyphen."""
    return hashlib.sha256(key + b"\x00" + identifier.encode()).hexdigest()[:16]


@functools.lru_cache(maxsize=256)
def _certificate(pem: str) -> x509.Certificate:
    return read_pem(pem)
