"""What was shared, said again from the certificate that the wallet still holds (CS-30).

    for shown in reshown(entry, certificates, language="sv"):
        shown.name, shown.lines, shown.is_as_it_was

The history holds no values. It holds a salted commitment to each, and only a value that opens it is said again: a
certificate that was renewed may say something else today.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from proofs import base64url
from schemas.dcql import ConcretePath, PathError, value_at
from schemas.errors import Malformed
from schemas.receipt import BothLanguages
from wallet.certificates import StoredCertificate
from wallet.ledger import Entry, opens
from wallet.naming import Names


@dataclass(frozen=True, slots=True)
class Reshown:
    """One item of a share. `lines` are pairs of name and value, none when it `is_as_it_was` no longer."""

    name: BothLanguages
    is_as_it_was: bool
    lines: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def reshown(entry: Entry, certificates: Iterable[StoredCertificate], *, language: str) -> Iterator[Reshown]:
    """The items that went and whose certificate is still held; those of deleted certificates are left out."""
    held = {one.id: one for one in certificates}
    salts = (entry.decided or {}).get("salts", ())
    for item, salt in zip(entry.shared, salts, strict=False):  # An entry from another wallet has none.
        certificate = held.get(item["certificate_id"])
        if certificate is None:
            continue
        name, path = BothLanguages(**item["name"]), tuple(item["path"])
        if _is_as_it_was(certificate, path, item["commitment"], salt):
            yield Reshown(name, True, tuple(Names(certificate).lines(path, language)))
        else:
            yield Reshown(name, is_as_it_was=False)


def _is_as_it_was(certificate: StoredCertificate, path: ConcretePath, commitment: str, salt: str) -> bool:
    try:
        value = value_at(certificate.claims, path)
        return opens(commitment, salt=base64url.decode(salt), path=path, value=value)
    except (PathError, Malformed):
        return False
