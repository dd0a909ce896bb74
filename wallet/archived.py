"""What the file of a wallet holds, as values: certificates with their copies and keys, the history, the trust.

    files = archive_files(contents)          # for wallet.archive.write_archive
    contents = read_contents(files)          # raises ExportBroken

Nothing in a file is believed: what it says of how a certificate stands is found out anew on import.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from proofs import strict_json
from proofs.formats.sd_jwt import parse_sd_jwt
from proofs.keys import SoftwareSigner, thumbprint
from schemas.errors import ProtocolError
from wallet.archive import ExportBroken
from wallet.carried import MAX_CARRIED, MAX_CARRIED_BYTES
from wallet.examination import holder_thumbprint
from wallet.ledger import Event
from wallet.requests import MAX_KEPT_BYTES_TOGETHER
from wallet.taking_back import Means
from wallet.trusted import TrustSource

T = TypeVar("T")

MAX_CERTIFICATES, MAX_COPIES, MAX_EVENTS = 2000, 100, 100_000


@dataclass(frozen=True, slots=True)
class ArchivedCopy:
    """One copy: the bytes received, the private key it is bound to (empty for none), whether it was shown."""

    token: str = field(repr=False)
    key_private_jwk: Mapping[str, str] = field(repr=False)
    used: bool


@dataclass(frozen=True, slots=True)
class ArchivedCertificate:
    """One certificate: its former identifier, what was known about it, and its copies in their order."""

    id: str
    view: Mapping[str, Any]
    copies: tuple[ArchivedCopy, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a wallet takes along.

    `means` are what it takes to take shares back, `requests` are requests as they were received, by their entries,
    `on_their_way` what is fetched later (`wallet.carried`).
    """

    name: str
    certificates: tuple[ArchivedCertificate, ...]
    events: tuple[Event, ...]
    trust: tuple[TrustSource, ...] = ()
    means: Mapping[str, Means] = field(default_factory=dict)
    requests: Mapping[str, bytes] = field(default_factory=dict)
    on_their_way: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)


def archive_files(contents: Contents) -> dict[str, bytes]:
    """The files of an archive. Certificates stand in it byte by byte as they were received."""
    files = {"wallet.json": strict_json.dumps({"name": contents.name})}
    for number, certificate in enumerate(contents.certificates, start=1):
        place = f"certificates/{number}"
        about = {"id": certificate.id, "view": dict(certificate.view), "used": [c.used for c in certificate.copies]}
        files[f"{place}/about.json"] = strict_json.dumps(about)
        for position, copy in enumerate(certificate.copies, start=1):
            files[f"{place}/copy-{position}.txt"] = copy.token.encode()
            files[f"{place}/copy-{position}.key.json"] = strict_json.dumps(dict(copy.key_private_jwk))
    files["history.json"] = strict_json.dumps([event.as_json() for event in contents.events])
    files["taking-back.json"] = strict_json.dumps({share: one.as_json() for share, one in contents.means.items()})
    files["requests.json"] = strict_json.dumps({entry: one.decode() for entry, one in contents.requests.items()})
    files["on-their-way.json"] = strict_json.dumps([dict(one) for one in contents.on_their_way])
    files["trust.json"] = strict_json.dumps([source.as_json() for source in contents.trust])
    return files


def read_contents(files: Mapping[str, bytes]) -> Contents:
    """What `archive_files` wrote. Raises `ExportBroken` for anything else, also for a key of another certificate."""
    return or_broken(lambda: _contents(files))


def _contents(files: Mapping[str, bytes]) -> Contents:
    numbers = sorted(
        int(name.split("/")[1]) for name in files if name.startswith("certificates/") and name.endswith("/about.json")
    )
    events = _json(files["history.json"])
    if len(numbers) > MAX_CERTIFICATES or len(events) > MAX_EVENTS:
        raise ExportBroken
    return Contents(
        on_their_way=_on_their_way(files.get("on-their-way.json", b"[]")),  # Files of earlier versions have none.
        requests=_requests(_json(files.get("requests.json", b"{}"))),  # Files of earlier versions have none.
        name=str(_json(files["wallet.json"])["name"]),
        certificates=tuple(_certificate(files, f"certificates/{number}") for number in numbers),
        events=tuple(_event(one) for one in events),
        # Files of earlier versions have none.
        means={str(share): Means.from_json(one) for share, one in _json(files.get("taking-back.json", b"{}")).items()},
        trust=tuple(TrustSource.from_json(one) for one in _json(files["trust.json"])),
    )


def _certificate(files: Mapping[str, bytes], place: str) -> ArchivedCertificate:
    about = _json(files[f"{place}/about.json"])
    used, view = about["used"], about["view"]
    if not 1 <= len(used) <= MAX_COPIES or not isinstance(view, dict) or not isinstance(about["id"], str):
        raise ExportBroken
    copies = tuple(
        ArchivedCopy(
            files[f"{place}/copy-{position}.txt"].decode("ascii"),
            _json(files[f"{place}/copy-{position}.key.json"]),
            bool(was_used),
        )
        for position, was_used in enumerate(used, start=1)
    )
    for copy in copies:
        _check_key(copy)
    return ArchivedCertificate(about["id"], view, copies)


def _requests(members: Any) -> dict[str, bytes]:
    requests = {str(entry): content.encode() for entry, content in members.items()}
    if sum(len(one) for one in requests.values()) > MAX_KEPT_BYTES_TOGETHER:
        raise ExportBroken("there is more of requests than a wallet keeps")
    return requests


def _on_their_way(content: bytes) -> tuple[Mapping[str, Any], ...]:
    items = strict_json.loads(content, max_bytes=MAX_CARRIED_BYTES)
    if not isinstance(items, list) or len(items) > MAX_CARRIED or not all(isinstance(one, dict) for one in items):
        raise ExportBroken("what is on its way is no list, or too long")
    return tuple(items)


def _check_key(copy: ArchivedCopy) -> None:
    """A key has to be the one that its copy is bound to."""
    bound_to = holder_thumbprint(parse_sd_jwt(copy.token).claims)
    if bound_to is None:
        if copy.key_private_jwk:
            raise ExportBroken("a key belongs to a copy that is bound to none")
        return
    if thumbprint(SoftwareSigner.from_private_jwk(copy.key_private_jwk).public_jwk) != bound_to:
        raise ExportBroken("a key is not the one that its copy is bound to")


def _event(members: Any) -> Event:
    event = Event.from_json(members)
    if not isinstance(event.entry_id, str) or not event.entry_id.isalnum() or not isinstance(event.facts, dict):
        raise ExportBroken
    return event


def _json(content: bytes) -> Any:
    return strict_json.loads(content, max_bytes=64_000_000)


def or_broken(read: Callable[[], T]) -> T:
    """What `read` gives. Raises `ExportBroken` for whatever a file that nobody wrote here makes it raise."""
    try:
        return read()
    except ExportBroken:
        raise
    except (ProtocolError, KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, OSError) as exc:
        raise ExportBroken from exc
