"""What every step of a share needs: the stored share, its request checked anew, its decision, and the history."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from schemas.errors import NotFound, TemporarilyUnavailable
from service.single_use import prune
from wallet.decision import Chosen, Decision, build_decision
from wallet.deployment import Deployment
from wallet.ledger import Entry, Event, entries_of
from wallet.over_asking import Past
from wallet.remote_requests import RequestsOverHTTP
from wallet.requests import AlreadyAnswered, CheckedRequest, FetchedRequest, check_request
from wallet.store.ledger import History, append_event, read_history
from wallet.store.shares import OPEN, StoredShare, forget_shares, get_share
from wallet.store.tables import spent
from wallet.vault import UnlockedVault


class Desk:
    """The shares and histories of the vaults of one wallet service."""

    def __init__(self, wallet: Deployment, *, transport: RequestsOverHTTP | None = None) -> None:
        self._wallet = wallet
        self._database = wallet.database
        self._transport = transport or RequestsOverHTTP(wallet.http, allow_loopback=wallet.settings.allow_loopback)

    def tidy(self) -> None:
        """Forget requests that are long over, of all people; called on a schedule. Histories stay."""
        now = self._wallet.clock()
        # Another process is writing: the next round does it.
        with suppress(TemporarilyUnavailable), self._database.transaction() as connection:
            forget_shares(connection, now=now)
            prune(connection, spent, now=now)

    def history(self, vault: UnlockedVault) -> tuple[list[Entry], bool]:
        """All entries, the latest first, and whether the chain of the history holds."""
        history = self._read(vault)
        return entries_of(history.events, now=self._wallet.clock()), history.is_intact

    def entry(self, vault: UnlockedVault, entry_id: str) -> Entry:
        """One entry. Raises `NotFound`."""
        for entry in self.history(vault)[0]:
            if entry.id == entry_id:
                return entry
        raise NotFound("There is no such entry")

    async def look_anew(self, vault: UnlockedVault) -> None:
        """Before a decision is shown: what the issuers say of the certificates now, for a few seconds at most."""
        await self._wallet.check_before_showing(vault)

    def _read(self, vault: UnlockedVault) -> History:
        with self._database.reading() as connection:
            return read_history(connection, vault)

    def _record(self, vault: UnlockedVault, event: Event) -> None:
        with self._database.transaction() as connection:
            append_event(connection, vault, event)

    def _share(self, vault: UnlockedVault, share_id: str) -> StoredShare:
        with self._database.reading() as connection:
            return get_share(connection, vault, share_id)

    def _open_share(self, vault: UnlockedVault, share_id: str) -> StoredShare:
        share = self._share(vault, share_id)
        if share.state != OPEN:
            raise AlreadyAnswered
        return share

    def _checked(self, share: StoredShare) -> CheckedRequest:
        fetched = FetchedRequest.from_json(share.members["fetched"])
        return check_request(fetched, trust=self._wallet.trust(), now=self._wallet.clock())

    def _decision(self, vault: UnlockedVault, share: StoredShare, language: str) -> Decision:
        return self._build(vault, share.id, share.members, self._checked(share), language=language)

    def _build(
        self,
        vault: UnlockedVault,
        share_id: str,
        members: Mapping[str, Any],
        checked: CheckedRequest,
        *,
        language: str,
    ) -> Decision:
        return build_decision(
            checked,
            vault.certificates(),
            chosen_from_json(members["chosen"]),
            past=Past.model_validate(members.get("past", {})),
            share_id=share_id,
            salt=bytes.fromhex(members["salt"]),
            language=language,
            now=self._wallet.clock(),
            time_zone=self._wallet.settings.time_zone,
        )


def offered(decision: Decision) -> list[str]:
    """What a decision offers of which certificates, chosen or not; to be kept with the share."""
    groups = [*decision.required, *(group for part in decision.optional for group in part.groups)]
    later = [f"later checks until {decision.recheck.until.isoformat()}"] if decision.recheck is not None else []
    later += [f"for the principal of {decision.acting.held.certificate.id}"] if decision.acting is not None else []
    return later + sorted({f"{item.certificate_id} {item.path!r}" for group in groups for item in group.items})


def chosen_as_json(chosen: Chosen) -> dict[str, Any]:
    """What was chosen, as it rests with the share."""
    return {
        "option": chosen.option,
        "picked": {query_id: list(keys) for query_id, keys in chosen.picked.items()},
        "ticked": sorted(chosen.ticked),
        "approved": sorted(chosen.approved),
        "overridden": sorted(chosen.overridden),
        "recheck": chosen.recheck,
        "acting_for": chosen.acting_for,
        "acting_confirmed": chosen.acting_confirmed,
    }


def chosen_from_json(members: Mapping[str, Any]) -> Chosen:
    """What was chosen, as it was before `chosen_as_json`."""
    return Chosen(
        option=members["option"],
        picked={query_id: tuple(keys) for query_id, keys in members["picked"].items()},
        ticked=frozenset(members["ticked"]),
        approved=frozenset(members["approved"]),
        overridden=frozenset(members.get("overridden", ())),
        recheck=bool(members.get("recheck", False)),
        acting_for=members.get("acting_for", ""),
        acting_confirmed=bool(members.get("acting_confirmed", False)),
    )
