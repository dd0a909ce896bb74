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
from wallet.commitments import opens
from wallet.decision import always_shown, unavoidable
from wallet.ledger import Entry
from wallet.naming import Line, Names


@dataclass(frozen=True, slots=True)
class Reshown:
    """One item of a share, or what a certificate `always` shows, whatever was chosen of it; `name` is then its title.

    `lines` are its names and values, none when it `is_as_it_was` no longer.
    """

    name: BothLanguages
    is_as_it_was: bool
    lines: tuple[Line, ...] = field(default=(), repr=False)
    always: bool = False


def reshown(entry: Entry, certificates: Iterable[StoredCertificate], *, language: str) -> Iterator[Reshown]:
    """The items that went, then what came along; what belongs to deleted certificates is left out."""
    held = {one.id: one for one in certificates}
    decided = entry.decided or {}
    for item, salt in zip(entry.shared, decided.get("salts", ()), strict=False):  # One from another wallet has none.
        certificate = held.get(item["certificate_id"])
        if certificate is None:
            continue
        name, path = BothLanguages(**item["name"]), tuple(item["path"])
        if _is_as_it_was(certificate, path, item["commitment"], salt):
            yield Reshown(name, True, tuple(Names(certificate).lines(path, language)))
        else:
            yield Reshown(name, is_as_it_was=False)
    # Entries that were written before there was a commitment to what comes along have no salts for it either.
    for one, salt in zip(decided.get("came_along", ()), decided.get("salts_along", ()), strict=False):
        certificate = held.get(one["certificate_id"])
        if certificate is not None:
            yield from _came_along(certificate, one["commitment"], salt, language)


def _came_along(certificate: StoredCertificate, commitment: str, salt: str, language: str) -> Iterator[Reshown]:
    names, values = Names(certificate), always_shown(certificate)
    if not opens(commitment, salt=base64url.decode(salt), path=(), value=values):
        yield Reshown(names.title, is_as_it_was=False, always=True)
    elif values:
        yield Reshown(names.title, True, tuple(unavoidable(certificate, names, language)), always=True)


def _is_as_it_was(certificate: StoredCertificate, path: ConcretePath, commitment: str, salt: str) -> bool:
    try:
        value = value_at(certificate.claims, path)
        return opens(commitment, salt=base64url.decode(salt), path=path, value=value)
    except (PathError, Malformed):
        return False
