"""Telling those for whom somebody acted: what the agent's wallet says of an act to the wallet of the person it was for.

    telling = Telling(wallet)
    await telling.tell(vault, entry_id)             # after every act
    await telling.tell_some(vault)                  # later: what was not told, or is told once more
    package = telling.file_of(vault, entry_id)      # to hand over

What takes it in is `wallet.acts`. See docs/acting-for-another.md.
"""

import asyncio
import hashlib
import secrets
from contextlib import suppress
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from proofs.act_report import seal_report, sign_report
from proofs.formats.sd_jwt import parse_sd_jwt, select_disclosures
from schemas.act_report import HANDED_OVER, REPORTS_TO, read_report_address
from schemas.errors import NotFound, ProtocolError, TemporarilyUnavailable
from wallet.certificates import UnknownCertificate
from wallet.deployment import Deployment
from wallet.histories import Histories
from wallet.ledger import Entry, Event, EventKind, entries_of
from wallet.remote_after_share import AfterShareOverHTTP
from wallet.reporting import SHOWN, is_act_for_another, report_of, written
from wallet.store.certificates import copy_to_tell_with
from wallet.store.ledger import append_event, read_history
from wallet.taking_back import NoAnswer, NotDelivered
from wallet.vault import UnlockedVault

TELL_SECONDS: Final = 5.0
MOST_AT_ONCE: Final = 5
TOLD_AGAIN_AFTER: Final = (timedelta(days=8), timedelta(days=31))
"""How long after it was taken an act is told once more, and a last time: what took it knew nothing of it, and may have
had no place for it while it could not be checked (`wallet/undecided.py`). A second telling changes nothing."""
TOLD_FOR: Final = timedelta(days=400)
"""How long after an act its principal's wallet is still told, and how old a report in a file may be."""
FOR_GOOD: Final = frozenset({"no_such_address", "no_power"})
"""Why an act is not told any more: the address was closed, or the power has left the agent's wallet."""


class Telling:
    """The agents of one wallet service, and what they tell."""

    def __init__(self, wallet: Deployment) -> None:
        self._wallet = wallet
        self._database = wallet.database
        self._transport = AfterShareOverHTTP(wallet.http)

    async def tell(self, vault: UnlockedVault, entry_id: str) -> None:
        """Tell the principal's wallet of an act, where the power says how. Best effort: it is tried again later."""
        with suppress(TimeoutError, TemporarilyUnavailable, NotFound):
            entry = Histories(self._wallet).entry(vault, entry_id)
            if self._is_due(entry):
                async with asyncio.timeout(TELL_SECONDS):
                    await self._tell(vault, entry)

    async def tell_some(self, vault: UnlockedVault) -> None:
        """Tell of some acts that are due, each at most as long as the network lets it take."""
        due = [one for one in Histories(self._wallet).read(vault).entries if self._is_due(one)]
        # Others must not wait for ever behind one that cannot be reached.
        for entry in secrets.SystemRandom().sample(due, min(MOST_AT_ONCE, len(due))):
            await self._tell(vault, entry)

    def file_of(self, vault: UnlockedVault, entry_id: str) -> bytes:
        """The report of an act to hand over, signed. Raises `NotFound` when there is none, or no power any more."""
        entry = Histories(self._wallet).entry(vault, entry_id)
        if not is_act_for_another(entry):
            raise NotFound("There is nothing to hand over")
        return self._signed(vault, entry, audience=HANDED_OVER)

    def _is_due(self, entry: Entry) -> bool:
        if not is_act_for_another(entry) or not _reports_to(entry):
            return False
        last = entry.events[-1]
        is_closed = last.kind is EventKind.PRINCIPAL_NOT_TOLD and last.facts.get("reason") in FOR_GOOD
        is_old = self._wallet.clock() - entry.at > TOLD_FOR
        return not is_closed and not is_old and self._is_time_to_tell(entry)

    def _is_time_to_tell(self, entry: Entry) -> bool:
        said = _said(entry)
        tellings = [
            one.at for one in entry.events if one.kind is EventKind.PRINCIPAL_TOLD and one.facts.get("said") == said
        ]
        if not tellings:
            return True
        is_last = len(tellings) > len(TOLD_AGAIN_AFTER)
        return not is_last and self._wallet.clock() - tellings[0] >= TOLD_AGAIN_AFTER[len(tellings) - 1]

    async def _tell(self, vault: UnlockedVault, entry: Entry) -> None:
        """Send one report, and write what came of it. The same bytes may go twice: the other side takes one in."""
        said = _said(entry)
        try:
            address = read_report_address(_reports_to(entry))
            package = self._signed(vault, entry, audience=address.url, also=((REPORTS_TO,),))
            token = seal_report(package, recipient_jwk=address.jwk)
            answer = await self._transport.post_sealed(address.url, token, max_bytes=10_000)
            reason = "" if answer.status == 202 else "no_such_address" if answer.status == 404 else "not_taken"
        except NotDelivered as exc:
            reason = exc.reason
        except NoAnswer:
            reason = "no_answer"
        except (UnknownCertificate, NotFound):
            reason = "no_power"
        except ProtocolError as exc:
            reason = exc.error
        kind = EventKind.PRINCIPAL_NOT_TOLD if reason else EventKind.PRINCIPAL_TOLD
        with self._database.transaction() as connection:
            last = next((one for one in self._entries(connection, vault) if one.id == entry.id), entry).events[-1]
            is_same = last.kind is kind and last.facts.get("reason") == reason
            if is_same and (reason or self._wallet.clock() - last.at < TOLD_AGAIN_AFTER[0]):
                return  # It stands there already.
            facts = {"reason": reason} if reason else {"said": said, "reason": ""}
            append_event(connection, vault, Event(entry.id, kind, self._wallet.clock(), facts))

    def _signed(
        self, vault: UnlockedVault, entry: Entry, *, audience: str, also: tuple[tuple[str, ...], ...] = ()
    ) -> bytes:
        power_id = next((event.facts["power_id"] for event in entry.events if event.facts.get("power_id")), "")
        try:
            with self._database.reading() as connection:
                copy = copy_to_tell_with(connection, vault, power_id)
        except UnknownCertificate as exc:
            raise NotFound("The power is no longer in this wallet") from exc
        return sign_report(
            written(report_of(entry)),
            copy.token,
            disclosures=select_disclosures(parse_sd_jwt(copy.token), (*SHOWN, *also)),
            signer=vault.signer_for(copy),
            audience=audience,
            now=self._wallet.clock(),
        )

    def _entries(self, connection: Connection, vault: UnlockedVault) -> list[Entry]:
        return entries_of(read_history(connection, vault).events, now=self._wallet.clock())


def _reports_to(entry: Entry) -> str:
    return next((str(event.facts["reports_to"]) for event in entry.events if event.facts.get("reports_to")), "")


def _said(entry: Entry) -> str:
    return hashlib.sha256(written(report_of(entry)).encode()).hexdigest()
