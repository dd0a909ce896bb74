"""Taking a whole wallet along: out of a vault into a file, and out of a file into a vault.

    file = await Portability(wallet).export(vault, index=index, passphrase="...")       # None: plain
    done = await Portability(wallet).import_file(vault, file, passphrase="...", try_out=try_out)

An import is one transaction: all of the file is in the vault, or nothing. Certificates are verified anew before it, and
what could not be found out is kept as not checked. What is there already is recognised by its bytes, so that the same
file can be imported again, and nothing that is there is taken away.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from proofs import strict_json
from proofs.formats.sd_jwt import parse_sd_jwt
from proofs.resolve import HurriedResolver
from schemas.errors import ProtocolError
from schemas.issuance import FORMAT_SD_JWT_VC
from wallet.archive import ExportBroken, opened_archive, read_archive, sealed_archive, write_archive
from wallet.archived import ArchivedCertificate, Contents, archive_files, or_broken, read_contents
from wallet.carried import carried_together, holder_keys, read_carried
from wallet.certificates import NewCopy, StoredCertificate
from wallet.collection import Collection
from wallet.deployment import Deployment
from wallet.examination import holder_thumbprint, judge, moment, report_as_json
from wallet.histories import Book
from wallet.ledger import Event, entries_of
from wallet.requests import content_digest
from wallet.store.archived import add_missing_copies, archived_certificates, certificate_holding
from wallet.store.certificates import add_certificate, list_certificates
from wallet.store.collections import add_collection, list_collections
from wallet.store.kept_requests import keep_request_once, list_kept_requests
from wallet.store.ledger import append_event, read_history
from wallet.store.take_back import add_means_once, list_means
from wallet.taking_back import can_take_back, forget_at
from wallet.vault import UnlockedVault

HURRY_SECONDS = 5.0

TryOut = Callable[[list[StoredCertificate], Book, list[Collection]], None]
"""Shows everything once, as the pages do; whatever it raises, the file is refused."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to, in numbers. `events` are single steps, `entries` what a history shows as one: how many of
    them have something new.

    `on_their_way` are certificates that are fetched by this wallet now; `briefly` are those of them that can be fetched
    for some minutes only, since what it takes to ask later belongs to the wallet service that they come from.
    """

    certificates: int
    known_certificates: int
    events: int
    known_events: int
    entries: int
    not_checked: int
    on_their_way: int
    briefly: int


class Portability:
    """Export and import of the vaults of one wallet service."""

    def __init__(self, wallet: Deployment) -> None:
        self._wallet = wallet
        self._database = wallet.database

    def contents(self, vault: UnlockedVault) -> Contents:
        """Everything in a vault, and whom this wallet trusts."""
        with self._database.reading() as connection:
            return Contents(
                name=vault.name,
                certificates=tuple(archived_certificates(connection, vault)),
                events=read_history(connection, vault).events,
                trust=tuple(self._wallet.trust_store.sources(connection)),
                means={one.share_id: one.means for one in list_means(connection, vault)},
                requests=self._requests(connection, vault),
                on_their_way=tuple(self._on_their_way(connection, vault)),
            )

    def coming_along(self, vault: UnlockedVault) -> int:
        """How many certificates that are on their way go into the file."""
        with self._database.reading() as connection:
            return sum(len(one["parts"]) for one in self._on_their_way(connection, vault))

    def _on_their_way(self, connection: Connection, vault: UnlockedVault) -> list[dict[str, Any]]:
        home, at = self._wallet.provider.home_key(), int(self._wallet.clock().timestamp())
        return carried_together(list_collections(connection, vault).values(), home=home, at=at)

    @staticmethod
    def _requests(connection: Connection, vault: UnlockedVault) -> dict[str, bytes]:
        """The kept requests that are what the history says of them; others would prove nothing anywhere."""
        digests = _request_digests(read_history(connection, vault).events)
        kept = list_kept_requests(connection, vault)
        return {entry: one for entry, one in kept.items() if digests.get(entry) == content_digest(one)}

    async def export(self, vault: UnlockedVault, *, more: Mapping[str, bytes], passphrase: str | None) -> bytes:
        """The file of a whole wallet, with `more` files for people to read; plain when there is no passphrase.

        Raises `UnsuitableFilePassphrase`.
        """
        files = {**archive_files(self.contents(vault)), **more}
        archive = write_archive(files, made_at=self._wallet.clock())
        return archive if passphrase is None else await sealed_archive(archive, passphrase)

    async def import_file(
        self, vault: UnlockedVault, file: bytes, *, passphrase: str, try_out: TryOut, with_trust: bool = False
    ) -> Imported:
        """Take everything in a file into a vault, or nothing.

        Trust counts for everybody in this wallet service, so that it is taken over only for whoever runs it
        (`with_trust`); lists are checked against their pinned keys whenever they are used.

        Raises `ExportBroken` and what it covers, `ExportLocked`.
        """
        contents = read_contents(read_archive(await opened_archive(file, passphrase)))
        home, at = self._wallet.provider.home_key(), int(self._wallet.clock().timestamp())
        coming = or_broken(lambda: [read_carried(one, home=home, at=at) for one in contents.on_their_way])
        views = [await self._view(one) for one in contents.certificates]
        with self._database.transaction() as connection:
            identifiers, new = self._add_certificates(connection, vault, contents, views)
            added = self._add_events(connection, vault, contents, identifiers)
            touched = {event.entry_id for event in added}
            self._add_means(connection, vault, contents)
            self._add_requests(connection, vault, contents)
            begun = self._add_collections(connection, vault, coming)
            for source in contents.trust if with_trust else ():
                self._wallet.trust_store.put(connection, source)
            self._try_out(connection, vault, try_out)
        return Imported(
            certificates=new,
            known_certificates=len(views) - new,
            events=len(added),
            known_events=len(contents.events) - len(added),
            entries=len(touched),
            not_checked=sum(view["status"] == "unknown" for view in views),
            on_their_way=sum(len(one.parts) for one in begun),
            briefly=sum(len(one.parts) for one in begun if one.refresh_token is None),
        )

    async def _view(self, certificate: ArchivedCertificate) -> dict[str, Any]:
        """What is known about a certificate: found out now where it matters, else what the file says of it."""
        token = certificate.copies[0].token
        resolver = HurriedResolver(self._wallet.resolver, seconds=HURRY_SECONDS)
        try:
            sd_jwt = parse_sd_jwt(token)
            judgement = await judge(
                token,
                sd_jwt,
                expected_type=None,
                trust=self._wallet.trust(),
                resolver=resolver,
                now=self._wallet.clock(),
            )
        except ProtocolError as exc:
            raise ExportBroken from exc
        claims, said = sd_jwt.claims, certificate.view
        also = claims.get("aka_vcts")
        vct = str(claims.get("vct", ""))
        now = int(self._wallet.clock().timestamp())
        return {
            "format": FORMAT_SD_JWT_VC,
            "vct": vct,
            "type_chain": [vct, *(one for one in (also if isinstance(also, list) else ()) if isinstance(one, str))],
            "issuer_identifier": judgement.issuer_identifier or str(said.get("issuer_identifier", "")),
            "issuer_name": judgement.issuer_name or str(said.get("issuer_name", "")),
            "issuer_trusted": judgement.issuer_trusted,
            "received_at": said["received_at"] if moment(said.get("received_at")) else now,
            "valid_from": claims.get("nbf") if moment(claims.get("nbf")) else None,
            "valid_until": claims.get("exp") if moment(claims.get("exp")) else None,
            "status": judgement.status,
            "report": report_as_json(judgement.report),
            "checked_at": now,
            "display": said.get("display", {}),
            "issuer_display": said.get("issuer_display", []),
            "collected_from": str(said.get("collected_from", "")),
        }

    @staticmethod
    def _add_certificates(
        connection: Connection, vault: UnlockedVault, contents: Contents, views: list[dict[str, Any]]
    ) -> tuple[dict[str, str], int]:
        """Store what is not there; returns former identifiers with the ones here, and how many were new."""
        identifiers: dict[str, str] = {}
        new = 0
        # The latest received stands first in a vault and in its file; what is stored last is the latest.
        for archived, view in reversed(list(zip(contents.certificates, views, strict=True))):
            known = certificate_holding(connection, vault, [copy.token for copy in archived.copies])
            if known is None:
                copies = [NewCopy(copy.token, copy.key_private_jwk) for copy in archived.copies]
                known = add_certificate(connection, vault, view, copies)
                new += 1
            add_missing_copies(connection, vault, known, archived.copies)
            identifiers[archived.id] = known
        return identifiers, new

    @staticmethod
    def _add_events(
        connection: Connection, vault: UnlockedVault, contents: Contents, identifiers: Mapping[str, str]
    ) -> list[Event]:
        there = {_digestible(event) for event in read_history(connection, vault).events}
        added = []
        for event in contents.events:
            here = Event(event.entry_id, event.kind, event.at, _renamed(event.facts, identifiers))
            if _digestible(here) in there:
                continue
            append_event(connection, vault, here)
            there.add(_digestible(here))
            added.append(here)
        return added

    def _add_means(self, connection: Connection, vault: UnlockedVault, contents: Contents) -> None:
        """What it takes to take shares back, for shares that are here now. Others in this service keep theirs."""
        now = self._wallet.clock()
        entries = {one.id: one for one in entries_of(read_history(connection, vault).events, now=now)}
        for share_id, means in contents.means.items():
            entry = entries.get(share_id)
            if entry is not None and can_take_back(entry):
                last = forget_at(entry.retention_until, now=now)
                add_means_once(connection, vault, share_id, means, forget_at=last)

    @staticmethod
    def _add_requests(connection: Connection, vault: UnlockedVault, contents: Contents) -> None:
        """Requests as they were received, of entries that are here now. One that its entry does not name is refused."""
        digests = _request_digests(read_history(connection, vault).events)
        for entry_id, content in contents.requests.items():
            if digests.get(entry_id) != content_digest(content):
                raise ExportBroken("a request is not the one that its entry names")
            keep_request_once(connection, vault, entry_id, content)

    @staticmethod
    def _add_collections(
        connection: Connection, vault: UnlockedVault, coming: Sequence[Collection]
    ) -> list[Collection]:
        """What is on its way and not here: neither waited for already, nor come in the meantime."""
        known = {
            holder_thumbprint(parse_sd_jwt(copy.token).claims)
            for certificate in archived_certificates(connection, vault)
            for copy in certificate.copies
        }
        transactions: set[str] = set()
        for collection in list_collections(connection, vault).values():
            known |= holder_keys(collection.parts)
            transactions |= {part.transaction_id for part in collection.parts}
        begun = []
        for collection in coming:
            asked = {part.transaction_id for part in collection.parts}
            keys = holder_keys(collection.parts)
            if not keys & known and not asked & transactions:
                add_collection(connection, vault, collection)
                begun.append(collection)
                known |= keys
                transactions |= asked
        return begun

    def _try_out(self, connection: Connection, vault: UnlockedVault, try_out: TryOut) -> None:
        """Whatever cannot be shown is not taken in: a hostile file would make every page of the vault fail."""
        history = read_history(connection, vault)
        try:
            entries = entries_of(history.events, now=self._wallet.clock())
            book = Book(tuple(entries), history.faults, history.deletions)
            collections = list(list_collections(connection, vault).values())
            try_out(list_certificates(connection, vault), book, collections)
        except ProtocolError as exc:
            raise ExportBroken from exc
        except Exception as exc:
            raise ExportBroken("something in the file cannot be shown") from exc


def _request_digests(events: Sequence[Event]) -> dict[str, Any]:
    """What the history says of kept requests: their digests, by their entries."""
    named = ((event.entry_id, event.facts.get("rules_request")) for event in events)
    return {entry_id: about.get("sha256") for entry_id, about in named if isinstance(about, Mapping)}


def _digestible(event: Event) -> bytes:
    return strict_json.dumps(event.as_json())


def _renamed(value: Any, identifiers: Mapping[str, str]) -> Any:
    """Facts with the identifiers that certificates have here."""
    if isinstance(value, Mapping):
        return {name: _renamed(inner, identifiers) for name, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, identifiers) for inner in value]
    return identifiers.get(value, value) if isinstance(value, str) else value
