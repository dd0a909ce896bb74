"""A share from arrival to outcome: what pages and commands call, one step per screen.

    sharing = Sharing(wallet)
    share_id = await sharing.begin(vault, link, came_by=CameBy.LINK)            # after the yes at S0
    decision = sharing.decision(vault, share_id, language="sv")                 # S1 and S2
    sharing.choose(vault, share_id, chosen)                                     # ticks
    delivery = await sharing.approve(vault, share_id, language="sv", approved_digest=..., passphrase=...)   # S3
    delivery = await sharing.refuse(vault, share_id, language="sv")

What is decided is decided in the domain modules; here is the order of things. The decision, its entry in the history,
the one-time copies and the spent request are one transaction, which ends before anything is sent (CS-27, durability
D04).
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from proofs import base64url
from schemas.errors import NotFound, ProtocolError
from schemas.presentation import AuthorizationErrorResponse, RequestLink
from service.single_use import spend
from wallet.consent import Consent, decide
from wallet.decision import Chosen, Decision, build_decision
from wallet.delivery import AnswerTransport, Delivery, DeliveryState
from wallet.deployment import Deployment
from wallet.ledger import Entry, Event, EventKind, entries_of, new_entry_id
from wallet.presentation import HeldCopy, answer_form, present, refusal
from wallet.receipts import has_receipt
from wallet.recording import approved_event, asked_event, fault_event, pseudonym_for, refused_event, request_digest
from wallet.remote_requests import RequestsOverHTTP
from wallet.requests import (
    AlreadyAnswered,
    CameBy,
    CheckedRequest,
    CouldNotFetch,
    FetchedRequest,
    RequestFault,
    asked_host,
    check_request,
    fetch_request,
)
from wallet.requests.faults import ErrorAddress
from wallet.store.certificates import take_copy
from wallet.store.ledger import History, append_event, read_history
from wallet.store.shares import FAULTY, OPEN, StoredShare, add_share, close_share, get_share, update_share
from wallet.store.tables import spent
from wallet.vault import UnlockedVault

ANSWERED_FOR = timedelta(days=730)
"""How long an answered request is remembered, so that it is not answered twice. Requests themselves live minutes."""


@dataclass(frozen=True, slots=True)
class FaultShown:
    """A request that cannot be shown as a decision: its fault, and whether its sender may be told."""

    share_id: str
    error: str
    description: str
    host: str
    can_tell: bool
    was_told: bool


class Sharing:
    """Shares of the vaults of one wallet service."""

    def __init__(self, wallet: Deployment, *, transport: RequestsOverHTTP | None = None) -> None:
        self._wallet = wallet
        self._database = wallet.database
        self._transport = transport or RequestsOverHTTP(wallet.http, allow_loopback=wallet.settings.allow_loopback)

    # --- arriving ------------------------------------------------------------------------------------------------

    def stopped(self, vault: UnlockedVault, host: str, *, came_by: CameBy) -> None:
        """The person said no before anything was fetched."""
        facts = {"who": {"sv": host, "en": host}, "host": host, "came_by": came_by.value}
        self._record(vault, Event(new_entry_id(), EventKind.CLOSED, self._wallet.clock(), facts))

    async def begin(self, vault: UnlockedVault, link: RequestLink, *, came_by: CameBy) -> str:
        """Fetch and check a request after the person's yes to its host; returns the id of the share.

        A request with a fault gets an id as well (`fault` tells it). Raises `CouldNotFetch`, `RequestExpired`, or
        `AlreadyAnswered` when this very request has been answered from this vault.
        """
        share_id, now = new_entry_id(), self._wallet.clock()
        host = asked_host(link)
        try:
            nonce = base64url.encode(secrets.token_bytes(32))
            fetched = await fetch_request(link, transport=self._transport, wallet_nonce=nonce, now=now)
        except CouldNotFetch as exc:
            fault = RequestFault(exc)
            self._record(vault, fault_event(share_id, fault, who=host, host=host, came_by=came_by, now=now))
            raise
        members = {
            "fetched": fetched.as_json(),
            "came_by": came_by.value,
            "salt": secrets.token_hex(16),
            "chosen": _chosen_as_json(Chosen()),
        }
        try:
            checked = check_request(fetched, trust=self._wallet.trust(), now=self._wallet.clock())
            self._refuse_repeated(vault, checked)
            decision = self._build(vault, share_id, members, checked, language=vault.language)
        except (AlreadyAnswered, CouldNotFetch):
            raise
        except ProtocolError as exc:
            if exc.error == "request_expired":
                raise
            fault = exc if isinstance(exc, RequestFault) else RequestFault(exc)
            self._keep_faulty(vault, share_id, fault, host=host, came_by=came_by, now=now)
            return share_id
        with self._database.transaction() as connection:
            add_share(connection, vault, share_id, state=OPEN, members=members)
            append_event(connection, vault, asked_event(decision, came_by=came_by, now=now))
        return share_id

    async def begin_again(self, vault: UnlockedVault, share_id: str) -> str:
        """Fetch a new request from the link of one that has ended (CS-28). Raises as `begin`."""
        share = self._share(vault, share_id)
        fetched = FetchedRequest.from_json(share.members["fetched"])
        return await self.begin(vault, fetched.link, came_by=CameBy(share.members["came_by"]))

    def _refuse_repeated(self, vault: UnlockedVault, checked: CheckedRequest) -> None:
        digest = request_digest(checked)
        for entry in self.history(vault)[0]:
            if entry.facts.get("request_digest") == digest and has_receipt(entry):
                raise AlreadyAnswered

    def _keep_faulty(
        self, vault: UnlockedVault, share_id: str, fault: RequestFault, *, host: str, came_by: CameBy, now: datetime
    ) -> None:
        members = {
            "error": fault.error,
            "description": str(fault),
            "host": host,
            "tell": [fault.tell.response_uri, fault.tell.state] if fault.tell else None,
            "told": False,
        }
        with self._database.transaction() as connection:
            add_share(connection, vault, share_id, state=FAULTY, members=members)
            append_event(connection, vault, fault_event(share_id, fault, who=host, host=host, came_by=came_by, now=now))

    # --- being asked ---------------------------------------------------------------------------------------------

    def fault(self, vault: UnlockedVault, share_id: str) -> FaultShown | None:
        """The fault of a request; None when it can be shown. Raises `NotFound`."""
        share = self._share(vault, share_id)
        if share.state != FAULTY:
            return None
        told = bool(share.members["told"])
        return FaultShown(
            share_id=share_id,
            error=share.members["error"],
            description=share.members["description"],
            host=share.members["host"],
            can_tell=share.members["tell"] is not None and not told,
            was_told=told,
        )

    def is_open(self, vault: UnlockedVault, share_id: str) -> bool:
        """Whether a request still waits for the person's decision. Raises `NotFound`."""
        return self._share(vault, share_id).state == OPEN

    def decision(self, vault: UnlockedVault, share_id: str, *, language: str) -> Decision:
        """The decision screen as it is now.

        Raises `NotFound`, `AlreadyAnswered`, `RequestExpired`, `RequestFault`, `InvalidSelection`.
        """
        return self._decision(vault, self._open_share(vault, share_id), language)

    def choose(self, vault: UnlockedVault, share_id: str, chosen: Chosen, *, language: str) -> Decision:
        """Keep what the person has chosen so far, and show the screen that follows from it."""
        share = self._open_share(vault, share_id)
        members = {**share.members, "chosen": _chosen_as_json(chosen)}
        decision = self._build(vault, share_id, members, self._checked(share), language=language)
        with self._database.transaction() as connection:
            update_share(connection, vault, share, members)
        return decision

    def close(self, vault: UnlockedVault, share_id: str) -> None:
        """The person left without answering; nobody is told."""
        share = self._open_share(vault, share_id)
        with self._database.transaction() as connection:
            close_share(connection, vault, share, answer=None)
            append_event(connection, vault, Event(share_id, EventKind.CLOSED, self._wallet.clock()))

    # --- deciding ------------------------------------------------------------------------------------------------

    async def approve(
        self, vault: UnlockedVault, share_id: str, *, language: str, approved_digest: str, passphrase: str
    ) -> Delivery:
        """Share what was approved. Nothing is sent, spent or written unless everything holds.

        Raises what `decide` raises, `NoCopiesLeft`, `AlreadyAnswered`, `CopyDiffers`.
        """
        share = self._open_share(vault, share_id)
        decision = self._decision(vault, share, language)

        async def check(given: str) -> None:
            await self._wallet.confirm(vault, given)

        consent = await decide(
            decision, approved_digest=approved_digest, passphrase=passphrase, check=check, now=self._wallet.clock()
        )
        now = self._wallet.clock()
        pseudonym = pseudonym_for(vault, consent.request.client_id)
        event = approved_event(decision, consent, pseudonym=pseudonym, now=now)
        with self._deciding(vault, decision, now=now) as connection:
            copies = self._take_copies(connection, vault, consent)
            form = answer_form(present(consent, copies, now=now).members(), consent.answer_key)
            address = consent.request.response_uri
            share = close_share(connection, vault, share, answer={"address": address, "form": form})
            append_event(connection, vault, event)
        return await self._send(vault, share)

    async def refuse(self, vault: UnlockedVault, share_id: str, *, language: str) -> Delivery:
        """Say no: the same answer whether the person does not want to or cannot (CS-23)."""
        share = self._open_share(vault, share_id)
        decision = self._decision(vault, share, language)
        checked, now = decision.checked, self._wallet.clock()
        form = answer_form(refusal(checked.request).members(), checked.answer_key)
        event = refused_event(decision, pseudonym=pseudonym_for(vault, checked.request.client_id), now=now)
        with self._deciding(vault, decision, now=now) as connection:
            answer = {"address": checked.request.response_uri, "form": form}
            share = close_share(connection, vault, share, answer=answer)
            append_event(connection, vault, event)
        return await self._send(vault, share)

    @contextmanager
    def _deciding(self, vault: UnlockedVault, decision: Decision, *, now: datetime) -> Iterator[Connection]:
        """The transaction of a decision; it spends the request, which nobody here can answer again (W-16)."""
        with self._database.transaction() as connection:
            digest = request_digest(decision.checked)
            if not spend(connection, spent, kind="request", value=digest, expires_at=now + ANSWERED_FOR, now=now):
                raise AlreadyAnswered
            yield connection

    @staticmethod
    def _take_copies(connection: Connection, vault: UnlockedVault, consent: Consent) -> dict[str, HeldCopy]:
        bound = {one.certificate_id: one.is_bound for one in consent.presented}
        copies: dict[str, HeldCopy] = {}
        for certificate_id in consent.certificate_ids:
            # Only a copy that is bound to no key may be shown again: it is the same for everybody anyway.
            copy = take_copy(connection, vault, certificate_id, allow_used=not bound[certificate_id])
            signer = vault.signer_for(copy) if bound[certificate_id] else None
            copies[certificate_id] = HeldCopy(copy.token, signer)
        return copies

    # --- sending -------------------------------------------------------------------------------------------------

    async def send_again(self, vault: UnlockedVault, share_id: str) -> Delivery:
        """Send the very same bytes again after an unknown outcome, while the request lives. Raises `NotFound`."""
        share = self._share(vault, share_id)
        if not self.can_send_again(vault, share_id):
            raise NotFound("There is no answer that could be sent again")
        return await self._send(vault, share)

    def can_send_again(self, vault: UnlockedVault, share_id: str) -> bool:
        """Whether the answer is still kept and the request has not ended."""
        share = self._share(vault, share_id)
        if share.answer is None:
            return False
        try:
            self._checked(share)
        except ProtocolError:
            return False
        return True

    async def tell(self, vault: UnlockedVault, share_id: str) -> Delivery:
        """Tell a proven sender the code of its fault, since the person asked for it. Raises `NotFound`."""
        share = self._share(vault, share_id)
        if share.state != FAULTY or share.members["tell"] is None or share.members["told"]:
            raise NotFound("There is nobody to tell")
        address = ErrorAddress(*share.members["tell"])
        with self._database.transaction() as connection:
            update_share(connection, vault, share, {**share.members, "told": True})
            append_event(connection, vault, Event(share_id, EventKind.TOLD, self._wallet.clock()))
        error = AuthorizationErrorResponse(share.members["error"], "", address.state)
        return await self._transport.post_answer(address.response_uri, answer_form(error.members(), None))

    async def _send(self, vault: UnlockedVault, share: StoredShare) -> Delivery:
        assert share.answer is not None
        transport: AnswerTransport = self._transport
        delivery = await transport.post_answer(share.answer["address"], share.answer["form"])
        event = Event(share.id, delivery.state.event, self._wallet.clock(), {"reason": delivery.reason})
        is_final = delivery.state in (DeliveryState.DELIVERED, DeliveryState.NOT_ACCEPTED)
        with self._database.transaction() as connection:
            share = get_share(connection, vault, share.id)
            members = {**share.members, "redirect_uri": delivery.redirect_uri, "followed": False}
            update_share(connection, vault, share, members, keep_answer=not is_final)
            append_event(connection, vault, event)
        return delivery

    # --- afterwards ----------------------------------------------------------------------------------------------

    def return_link(self, vault: UnlockedVault, share_id: str) -> tuple[str | None, bool]:
        """Where the recipient wants the person sent, and whether this is the first time that the page shows it."""
        share = self._share(vault, share_id)
        uri = share.members.get("redirect_uri")
        if uri is None or share.members.get("followed"):
            return uri, False
        with self._database.transaction() as connection:
            update_share(connection, vault, share, {**share.members, "followed": True})
        return uri, True

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

    # --- inside --------------------------------------------------------------------------------------------------

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
            _chosen_from_json(members["chosen"]),
            share_id=share_id,
            salt=bytes.fromhex(members["salt"]),
            language=language,
            now=self._wallet.clock(),
        )


def _chosen_as_json(chosen: Chosen) -> dict[str, Any]:
    return {
        "option": chosen.option,
        "picked": {query_id: list(keys) for query_id, keys in chosen.picked.items()},
        "ticked": sorted(chosen.ticked),
        "approved": sorted(chosen.approved),
    }


def _chosen_from_json(members: Mapping[str, Any]) -> Chosen:
    return Chosen(
        option=members["option"],
        picked={query_id: tuple(keys) for query_id, keys in members["picked"].items()},
        ticked=frozenset(members["ticked"]),
        approved=frozenset(members["approved"]),
    )
