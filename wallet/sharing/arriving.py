"""A request arrives (S0): fetched and checked after the person's yes, put before them, or found to be faulty."""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from proofs import base64url
from proofs.registration_certificate import ask_registration_status
from proofs.resolve import HurriedResolver
from schemas.errors import NotFound, ProtocolError
from schemas.presentation import AuthorizationErrorResponse, RequestLink
from wallet.decision import Chosen, Decision, demanded_days
from wallet.delivery import Delivery, DeliveryState
from wallet.deployment import HURRY_SECONDS
from wallet.ledger import Event, EventKind, new_entry_id
from wallet.over_asking import Past, is_from, is_muted, past_of
from wallet.presentation import answer_form
from wallet.receipts import has_receipt
from wallet.recording import asked_event, fault_event, request_digest
from wallet.requests import (
    AlreadyAnswered,
    CameBy,
    CheckedRequest,
    CouldNotFetch,
    FetchedRequest,
    RequestExpired,
    RequestFault,
    RequestMuted,
    asked_host,
    check_request,
    fetch_request,
    kept_content,
)
from wallet.requests.faults import ErrorAddress
from wallet.sharing.desk import Desk, chosen_as_json, chosen_from_json, offered
from wallet.store.kept_requests import keep_request
from wallet.store.ledger import append_event
from wallet.store.shares import FAULTY, OPEN, StoredShare, add_share, get_share, update_share
from wallet.taking_back import standing_of
from wallet.vault import UnlockedVault

TELLING_LASTS = timedelta(minutes=1)
"""So long the line to a sender may be open who is being told of a fault; one who may have been told is told again
only after that."""
_NEW_EACH_TIME = frozenset({"nonce", "iat", "request_id"})


def _question(checked: CheckedRequest) -> tuple[Any, ...]:
    """All that a choice was about: who asks, how sure we are, for what, what they say of it and have confirmed."""
    stated = checked.stated
    notice = {k: v for k, v in stated.notice.claims().items() if k not in _NEW_EACH_TIME} if stated else None
    signed = stated is not None and stated.signed
    confirms = tuple((one.text, one.credential_ids) for one in checked.declarations)
    return checked.request.client_id, checked.identity.level, checked.request.dcql_query, notice, signed, confirms


@dataclass(frozen=True, slots=True)
class FaultShown:
    """A request that cannot be shown: its fault (see `RequestFault`), and whether its sender may be told.

    `is_unknown` tells that telling was begun and nothing is known of how it ended: it goes on, or the wallet died.
    """

    share_id: str
    error: str
    kind: str
    description: str
    host: str
    can_tell: bool
    was_told: bool
    unanswered: bool
    is_unknown: bool


class Kept(StrEnum):
    """What became of the person's choices when a request that had ended was fetched anew (CS-28)."""

    NOTHING = "nothing"  # There were none.
    ALL = "all"
    NONE = "none"  # Something else is asked for now, or something else would be shown.


class Arrivals(Desk):
    """Requests on their way to the person."""

    def stopped(self, vault: UnlockedVault, host: str, *, came_by: CameBy) -> str:
        """The person said no before anything was fetched; returns the entry."""
        facts = {"who": {"sv": host, "en": host}, "host": host, "came_by": came_by.value}
        entry_id = new_entry_id()
        self._record(vault, Event(entry_id, EventKind.CLOSED, self._wallet.clock(), facts))
        return entry_id

    async def begin(self, vault: UnlockedVault, link: RequestLink, *, came_by: CameBy, show_muted: bool = False) -> str:
        """Fetch and check a request after the person's yes to its host; returns the id of the share.

        A request with a fault gets an id as well (`fault` tells it). Raises `CouldNotFetch`, `RequestExpired`,
        `AlreadyAnswered` when this very request has been answered from this vault, or `RequestMuted` when the person
        has muted the question and does not want to see it.
        """
        share_id, now = new_entry_id(), self._wallet.clock()
        host = asked_host(link)
        try:
            nonce = base64url.encode(secrets.token_bytes(32))
            fetched = await fetch_request(link, transport=self._transport, wallet_nonce=nonce, now=now)
        except CouldNotFetch as exc:
            self._record(vault, fault_event(share_id, RequestFault(exc), who=host, host=host, came_by=came_by, now=now))
            raise
        await self.look_anew(vault)
        members: dict[str, Any] = {
            "fetched": fetched.as_json(),
            "came_by": came_by.value,
            "salt": secrets.token_hex(16),
            "chosen": chosen_as_json(Chosen()),
        }
        try:
            checked = check_request(fetched, trust=self._wallet.trust(), now=self._wallet.clock())
            self._refuse_repeated(vault, checked)
            fetched = await self._with_registration_status(fetched, checked, now=now)
            members["fetched"] = fetched.as_json()
            checked = check_request(fetched, trust=self._wallet.trust(), now=self._wallet.clock())
            await self._renew_outdated(vault, checked)
            members["past"] = self._past(vault, checked, came_by=came_by).model_dump(mode="json")
            decision = self._build(vault, share_id, members, checked, language=vault.language)
        except AlreadyAnswered:
            raise
        except RequestExpired as exc:
            self._record(vault, fault_event(share_id, RequestFault(exc), who=host, host=host, came_by=came_by, now=now))
            raise
        except ProtocolError as exc:
            fault = exc if isinstance(exc, RequestFault) else RequestFault(exc)
            self._keep_faulty(vault, share_id, fault, host=host, came_by=came_by, now=now)
            return share_id
        if not show_muted and is_muted(self.history(vault)[0], checked, now=now):
            self._end_silently(vault, decision, came_by=came_by, now=now)
            raise RequestMuted
        members["offered"] = offered(decision)
        with self._database.transaction() as connection:
            add_share(connection, vault, share_id, state=OPEN, members=members, ends_at=checked.expires_at, now=now)
            self._write_asked(connection, vault, decision, came_by=came_by, now=now)
        return share_id

    @staticmethod
    def _write_asked(
        connection: Connection, vault: UnlockedVault, decision: Decision, *, came_by: CameBy, now: datetime
    ) -> None:
        """The entry of a request, and the request itself as it was received (CS-19)."""
        keep_request(connection, vault, decision.share_id, kept_content(decision.checked.fetched))
        append_event(connection, vault, asked_event(decision, came_by=came_by, now=now))

    async def begin_again(self, vault: UnlockedVault, share_id: str) -> tuple[str, Kept]:
        """Fetch a new request from the link of one that has ended (CS-28); returns the new share. Raises as `begin`.

        What was chosen is carried over when the same is asked, by the same, with the same notice, and when it would
        show the same of the same certificates: a tick is a yes to what stood beside it.
        """
        share = self._share(vault, share_id)
        if share.state == FAULTY:
            raise NotFound("A faulty request is not fetched again from here")
        fetched = FetchedRequest.from_json(share.members["fetched"])
        chosen = chosen_from_json(share.members["chosen"])
        new_id = await self.begin(vault, fetched.link, came_by=CameBy(share.members["came_by"]))
        self._wallet.follow(vault, share_id, new_id)
        new = self._share(vault, new_id)
        if new.state != OPEN:
            return new_id, Kept.NOTHING
        members = {**new.members, "chosen": chosen_as_json(chosen)}
        try:
            # The earlier one as it was when it arrived: that it has ended since is why it was fetched anew.
            asked_before = check_request(fetched, trust=self._wallet.trust(), now=fetched.fetched_at)
            asked_now = self._checked(new)
            same = _question(asked_before) == _question(asked_now)
            if chosen == Chosen():
                return new_id, Kept.NOTHING if same else Kept.NONE
            decision = self._build(vault, new_id, members, asked_now, language=vault.language)
        except ProtocolError:
            return new_id, Kept.NONE
        if not same or share.members["offered"] != offered(decision):
            return new_id, Kept.NONE
        with self._database.transaction() as connection:
            update_share(connection, vault, new, {**members, "offered": offered(decision)})
        return new_id, Kept.ALL

    async def go_back(self, vault: UnlockedVault, share_id: str) -> tuple[str, Kept]:
        """Back to a request from a source: the very same one while it can be answered, else fetched anew by itself.

        The person has said yes to its host already. What was asked for anew and differs is shown as new: nothing is
        kept of what was chosen. Raises as `begin`, and `NotFound` when it is not kept any more.
        """
        share = self._share(vault, share_id)
        if share.state == OPEN:
            try:
                self._checked(share)
            except RequestExpired:
                return await self.begin_again(vault, share_id)
            except ProtocolError:
                pass  # Its own page says what is wrong.
        return share_id, Kept.NOTHING

    async def _with_registration_status(
        self, fetched: FetchedRequest, checked: CheckedRequest, *, now: datetime
    ) -> FetchedRequest:
        """The request with what the registrar's list says of its registration; asked once, kept with the request."""
        if checked.registration.status is None:
            return fetched
        hurried = HurriedResolver(self._wallet.resolver, seconds=HURRY_SECONDS)
        status = await ask_registration_status(checked.registration.status, resolver=hurried, now=now)
        return replace(fetched, registration_status=status)

    async def _renew_outdated(self, vault: UnlockedVault, checked: CheckedRequest) -> None:
        """Before it is shown: fresh copies of what the sender would find too old, when its notice is signed.

        The person has agreed to look at the request. Its sender learns nothing by it; the source learns that somebody
        wants the statement of today, and not who (docs/adr/0013).
        """
        if checked.stated is None or not checked.stated.signed:
            return
        now, time_zone = self._wallet.clock(), self._wallet.settings.time_zone
        demanded = demanded_days(checked.query, checked.stated.notice, at=now, time_zone=time_zone)
        await self._wallet.renew_outdated(vault, demanded.is_outdated)

    def _past(self, vault: UnlockedVault, checked: CheckedRequest, *, came_by: CameBy) -> Past:
        entries, now = self.history(vault)[0], self._wallet.clock()
        time_zone = self._wallet.settings.time_zone
        overdue = sum(
            is_from(entry, checked) and standing_of(entry, now=now, time_zone=time_zone).is_overdue for entry in entries
        )
        return past_of(entries, checked, came_by=came_by, overdue_deletions=overdue)

    def _end_silently(self, vault: UnlockedVault, decision: Decision, *, came_by: CameBy, now: datetime) -> None:
        """A muted question: it stands in the history, and the sender gets no answer (CS-21)."""
        with self._database.transaction() as connection:
            self._write_asked(connection, vault, decision, came_by=came_by, now=now)
            append_event(connection, vault, Event(decision.share_id, EventKind.CLOSED, now, {"muted": True}))

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
            "kind": fault.kind,
            "description": str(fault),
            "host": host,
            "tell": fault.tell.as_json() if fault.tell else None,
            "told": False,
        }
        with self._database.transaction() as connection:
            add_share(connection, vault, share_id, state=FAULTY, members=members, ends_at=now, now=now)
            append_event(connection, vault, fault_event(share_id, fault, who=host, host=host, came_by=came_by, now=now))

    def fault(self, vault: UnlockedVault, share_id: str) -> FaultShown | None:
        """The fault of a request; None when it can be shown. Raises `NotFound`."""
        share = self._share(vault, share_id)
        if share.state != FAULTY:
            return None
        told = bool(share.members["told"])
        return FaultShown(
            share_id=share_id,
            error=share.members["error"],
            kind=share.members.get("kind", share.members["error"]),  # Of before there were kinds.
            description=share.members["description"],
            host=share.members["host"],
            can_tell=self._can_tell(share),
            was_told=told,
            unanswered=bool(share.members.get("unanswered")),
            is_unknown=share.members.get("telling") is not None,
        )

    async def tell(self, vault: UnlockedVault, share_id: str) -> Delivery:
        """Tell a proven sender the code of its fault, since the person asked for it, once.

        The start is written before anything is sent, and the result after it: a start without a result is unknown
        (durability D04). What certainly did not leave, or may not have left, can be told again. Where the sender wants
        the person then, `return_link` knows. Raises `NotFound`.
        """
        share = self._share(vault, share_id)
        if share.state != FAULTY or not self._can_tell(share):
            raise NotFound("There is nobody to tell")
        address, now = ErrorAddress.from_json(share.members["tell"]), self._wallet.clock()
        with self._database.transaction() as connection:
            update_share(connection, vault, share, {**share.members, "telling": now.timestamp()})
            append_event(connection, vault, Event(share_id, EventKind.TELLING, now))
        error = AuthorizationErrorResponse(share.members["error"], "", address.state)
        delivery = await self._transport.post_answer(
            address.response_uri, answer_form(error.members(), address.answer_key)
        )
        is_told = delivery.state is not DeliveryState.NOT_DELIVERED
        unanswered = {"unanswered": True} if delivery.state is DeliveryState.UNKNOWN else {}
        with self._database.transaction() as connection:
            share = get_share(connection, vault, share_id)
            back = {"redirect_uri": delivery.redirect_uri, "followed": False}
            result = {"told": is_told, "telling": None, **unanswered, **back}
            update_share(connection, vault, share, {**share.members, **result})
            kind = EventKind.TOLD if is_told else EventKind.NOT_DELIVERED
            append_event(connection, vault, Event(share_id, kind, self._wallet.clock(), unanswered))
        return delivery

    def _can_tell(self, share: StoredShare) -> bool:
        """Whether there is a sender to tell who was not told, and is not being told at this moment."""
        began = share.members.get("telling")
        passed = None if began is None else self._wallet.clock() - datetime.fromtimestamp(began, UTC)
        is_going_on = passed is not None and timedelta(0) <= passed < TELLING_LASTS
        return share.members["tell"] is not None and not share.members["told"] and not is_going_on
