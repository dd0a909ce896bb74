"""Taking back, asking for deletion, and seeing how it stands: what pages and commands do.

    withdrawals = Withdrawals(wallet)
    standing = await withdrawals.wish(vault, entry_id, Action.WITHDRAW, chosen=None, language="sv")
    standing = await withdrawals.look(vault, entry_id)
    await withdrawals.tend(vault)                    # at every unlock

The wish is written to the history before anything is sent, and the answer in one transaction after it. A wish whose
answer is not here (the wallet died, the line broke) is sent again at the next unlock: recipients give the same answer
to the same wish, so that nothing is lost and nothing is done twice.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection

from schemas.errors import Refused, TemporarilyUnavailable
from schemas.withdrawal import Action, ItemReference
from wallet.acts import Acts
from wallet.deployment import Deployment
from wallet.histories import Book, Histories
from wallet.kept_means import forget_settled, forget_used_up
from wallet.ledger import OF_PERMISSIONS, Entry, Event, EventKind, Outcome, entries_of
from wallet.permissions import Permissions, note_end_of_share
from wallet.receipt_confirmation import ReceiptConfirmation
from wallet.remote_after_share import AfterShareOverHTTP
from wallet.store.ledger import append_event, read_history
from wallet.store.shares import drop_answer
from wallet.store.take_back import forget_means, get_means, list_means, take_turn, write_means
from wallet.taking_back import (
    PENDING,
    Answered,
    Means,
    NoAnswer,
    NotDelivered,
    Standing,
    State,
    Transport,
    can_take_back,
    read_reply,
    separable,
    standing_of,
    withdrawal,
)
from wallet.taking_back.messages import MAX_ANSWER_BYTES
from wallet.vault import UnlockedVault

TEND_SECONDS: Final = 5.0
MOST_AT_ONCE: Final = 5
ASK_EVERY: Final = timedelta(hours=1)
ASK_SELDOM_EVERY: Final = timedelta(days=1)
"""Where little is to be expected: after the last day without a wish, and after an error for an answer."""
LOOK_EVERY: Final = timedelta(seconds=30)
WAYS: Final = ("page", "mail", "phone")

_WISHES = {Action.WITHDRAW: EventKind.TAKEN_BACK, Action.ERASE: EventKind.DELETION_ASKED}
_OF_SOMETHING_ELSE = OF_PERMISSIONS | {
    EventKind.CONFIRMED,
    EventKind.COMPLAINED,
    EventKind.COPY_ASKED,
    EventKind.COPY_CAME,
    EventKind.OBJECTED,
    EventKind.OBJECTION_ANSWERED,
    EventKind.MISSING_SEEN,
    EventKind.REPORTED,
}
_RESENT = frozenset({State.SENT, State.NOT_SENT, State.NOT_ACCEPTED})
"""The wish itself is sent again, which asks the same: they may not have it."""


class NothingToTakeBack(Refused):
    """Nothing of this entry went to anybody, or by their statements nothing is left there."""

    error = "nothing_to_take_back"
    status = 409


class NothingChosen(Refused):
    """No item was chosen, or one that was not shared."""

    error = "nothing_chosen"


class OnlyByThePerson(Refused):
    """The recipient named no address that the wallet could use: the person writes or calls."""

    error = "only_by_the_person"
    status = 409


class Withdrawals:
    """What comes after the shares of the vaults of one wallet service."""

    def __init__(self, wallet: Deployment, *, transport: Transport | None = None) -> None:
        self._wallet = wallet
        self._database = wallet.database
        self._transport: Transport = transport or AfterShareOverHTTP(wallet.http)
        self._permissions = Permissions(wallet, transport=self._transport)
        self._receipts = ReceiptConfirmation(wallet, transport=self._transport)

    # --- looking --------------------------------------------------------------------------------------------------

    def standing(self, entry: Entry) -> Standing:
        """How taking back stands for an entry."""
        return standing_of(entry, now=self._wallet.clock(), time_zone=self._wallet.settings.time_zone)

    def entry(self, vault: UnlockedVault, entry_id: str) -> Entry:
        """One entry. Raises `NotFound`."""
        return Histories(self._wallet).entry(vault, entry_id)

    def check(self, entry: Entry, chosen: Sequence[int] | None) -> None:
        """Raise `NothingToTakeBack` or `NothingChosen` for a wish that could not be."""
        _checked(entry, chosen, self.standing(entry))

    def means(self, vault: UnlockedVault, entry_id: str) -> Means | None:
        """What is kept to take an entry back; None when nothing is kept (any more)."""
        with self._database.reading() as connection:
            stored = get_means(connection, vault, entry_id)
        return None if stored is None else stored.means

    def can_ask(self, vault: UnlockedVault, entry_id: str) -> bool:
        """Whether the wallet can take an entry back by itself."""
        means = self.means(vault, entry_id)
        return means is not None and means.can_ask

    # --- wishing --------------------------------------------------------------------------------------------------

    async def wish(
        self, vault: UnlockedVault, entry_id: str, action: Action, *, chosen: Sequence[int] | None, language: str
    ) -> Standing:
        """Take a share back, or have it or the chosen items deleted: written first, then sent.

        `chosen` are numbers of what went (`Entry.went`), None for everything. Raises `NotFound`, `NothingToTakeBack`,
        `NothingChosen`, `OnlyByThePerson`. What the network does is no error: it stands in the standing.
        """
        now = self._wallet.clock()
        with self._database.transaction() as connection:
            entry = self._entry(connection, vault, entry_id)
            kept = _checked(entry, chosen, self.standing(entry))
            stored = get_means(connection, vault, entry_id)
            if stored is None or not stored.means.can_ask:
                raise OnlyByThePerson
            if not self._is_same_wish(entry, action, kept):
                facts = {"way": "endpoint", "chosen": kept, "language": language}
                append_event(connection, vault, Event(entry_id, _WISHES[action], now, facts))
            self._end_share(connection, vault, entry, kept)
            write_means(connection, vault, stored, stored.means.asked(now))
        await self._permissions.end_of_share(vault, entry_id)
        await self._send_wish(vault, entry_id)
        return self.standing(Histories(self._wallet).entry(vault, entry_id))

    def note_sent(
        self, vault: UnlockedVault, entry_id: str, action: Action, *, chosen: Sequence[int] | None, way: str
    ) -> Standing:
        """The person has written or called: the month runs from now. Raises as `wish`, but `OnlyByThePerson`."""
        if way not in WAYS:
            raise NothingChosen("this is not a way to write to them")
        now = self._wallet.clock()
        with self._database.transaction() as connection:
            entry = self._entry(connection, vault, entry_id)
            kept = _checked(entry, chosen, self.standing(entry))
            append_event(connection, vault, Event(entry_id, _WISHES[action], now, {"way": way, "chosen": kept}))
            self._end_share(connection, vault, entry, kept)
        return self.standing(Histories(self._wallet).entry(vault, entry_id))

    def _end_share(self, connection: Connection, vault: UnlockedVault, entry: Entry, chosen: list[int] | None) -> None:
        """Of what is taken back as a whole nothing goes out any more: no answer once more, no permission."""
        if chosen is None:
            note_end_of_share(connection, vault, entry, wallet=self._wallet)
            drop_answer(connection, vault, entry.id)

    def note_answer(self, vault: UnlockedVault, entry_id: str, answer: str) -> None:
        """The person got an answer in another way: `deleted` or `refused`. Raises `NotFound`, `NothingToTakeBack`."""
        if answer not in ("deleted", "refused"):
            raise NothingChosen("this is not an answer")
        self._note(
            vault, entry_id, EventKind.DELETION_ANSWERED, {"answer": answer}, lambda found: found.state in PENDING
        )

    def note_complaint(self, vault: UnlockedVault, entry_id: str) -> None:
        """The person complained to the authority: of a missing answer, of a no or of a part.

        Raises `NotFound`, and `NothingToTakeBack` when there is nothing to complain of, or when it stands already.
        """
        self._note(vault, entry_id, EventKind.COMPLAINED, {}, lambda found: found.can_complain)

    def _note(
        self,
        vault: UnlockedVault,
        entry_id: str,
        kind: EventKind,
        facts: dict[str, Any],
        fits: Callable[[Standing], bool],
    ) -> None:
        with self._database.transaction() as connection:
            entry = self._entry(connection, vault, entry_id)
            if not fits(self.standing(entry)):
                raise NothingToTakeBack
            append_event(connection, vault, Event(entry_id, kind, self._wallet.clock(), facts))

    def _is_same_wish(self, entry: Entry, action: Action, chosen: list[int] | None) -> bool:
        """Whether the last wish is this one and still waits: it is sent again, and not written again."""
        standing = self.standing(entry)
        same = standing.action is action and standing.chosen == (None if chosen is None else tuple(chosen))
        return same and standing.is_by_wallet and standing.state in PENDING | {State.NOT_SENT}

    async def after_arrival(self, vault: UnlockedVault, entry_id: str) -> None:
        """The answer arrived, as is known only now: a wish that may have come before it is sent again. Best effort."""
        with suppress(TimeoutError, TemporarilyUnavailable):
            if self.standing(Histories(self._wallet).entry(vault, entry_id)).is_by_wallet:
                async with asyncio.timeout(TEND_SECONDS):
                    await self._send_wish(vault, entry_id)

    # --- asking how it stands -------------------------------------------------------------------------------------

    async def look(self, vault: UnlockedVault, entry_id: str) -> Standing:
        """Ask how it stands, because the person wants to know. Raises `NotFound`."""
        with self._database.transaction() as connection:
            self._entry(connection, vault, entry_id)
            stored = take_turn(connection, vault, entry_id, now=self._wallet.clock(), every=LOOK_EVERY)
        if stored is not None and stored.means.can_ask:
            await self._ask(vault, entry_id)
        return self.standing(Histories(self._wallet).entry(vault, entry_id))

    async def confirm_receipt(self, vault: UnlockedVault, entry_id: str) -> bool:
        """Hand the receipt in again, because the person wants it confirmed; whether it is. Raises `NotFound`.

        A recipient who sees a share on the same device knows of it only when the browser was there again.
        """
        with self._database.transaction() as connection:
            self._entry(connection, vault, entry_id)
            stored = take_turn(connection, vault, entry_id, now=self._wallet.clock(), every=LOOK_EVERY)
        if stored is not None and stored.means.can_hand_in:
            await self._receipts.confirm(vault, entry_id)
        return Histories(self._wallet).entry(vault, entry_id).last(EventKind.CONFIRMED) is not None

    async def tend(self, vault: UnlockedVault) -> None:
        """What is due when a vault is opened: open wishes, statements at the end of retention, receipts to confirm.

        A few recipients at most, the longest unasked first, and within a few seconds; the rest at a later time.
        """
        with suppress(TemporarilyUnavailable, TimeoutError):
            forget_settled(self._wallet, vault)
            async with asyncio.timeout(TEND_SECONDS):
                for share_id, works in self._due(vault):
                    for work in works:
                        with suppress(TemporarilyUnavailable):
                            await (self._receipts.confirm if work == "receipt" else self._ask)(vault, share_id)
        await self._permissions.tend(vault)
        await Acts(self._wallet).tend(vault)

    def _due(self, vault: UnlockedVault) -> list[tuple[str, tuple[str, ...]]]:
        """Who is asked now, and what about; noted before anybody is asked."""
        book, now = Histories(self._wallet).read(vault), self._wallet.clock()
        entries = {entry.id: entry for entry in book.entries}
        due: list[tuple[str, tuple[str, ...]]] = []
        with self._database.transaction() as connection:
            for stored in sorted(list_means(connection, vault), key=lambda one: one.means.asked_at):
                entry = entries.get(stored.share_id)
                if entry is None or len(due) >= MOST_AT_ONCE:
                    continue
                works, every = self._works(entry, stored.means)
                if works and take_turn(connection, vault, stored.share_id, now=now, every=every) is not None:
                    due.append((stored.share_id, works))
        # Recipients who compare notes must not see a fixed order.
        secrets.SystemRandom().shuffle(due)
        return due

    def _works(self, entry: Entry, means: Means) -> tuple[tuple[str, ...], timedelta]:
        standing = self.standing(entry)
        is_open = standing.is_by_wallet and standing.state in PENDING | {State.NOT_SENT}
        # A wish that waits for its answer keeps no receipt from being confirmed.
        receipt = ("receipt",) if means.can_hand_in and entry.outcome is Outcome.SHARED else ()
        if means.can_ask and is_open:
            return ("ask", *receipt), ASK_SELDOM_EVERY if standing.state is State.NOT_ACCEPTED else ASK_EVERY
        if means.can_ask and standing.misses_statement:
            return ("ask", *receipt), ASK_SELDOM_EVERY
        return receipt, ASK_EVERY

    def tidy(self) -> None:
        """Forget what nobody can take back any more, of all people; called on a schedule. Histories stay."""
        # Another process is writing: the next round does it.
        with suppress(TemporarilyUnavailable), self._database.transaction() as connection:
            forget_means(connection, now=self._wallet.clock())

    # --- sending --------------------------------------------------------------------------------------------------

    async def _ask(self, vault: UnlockedVault, entry_id: str) -> None:
        """Ask how it stands; a wish that they may not have is sent again instead, which asks the same."""
        standing = self.standing(Histories(self._wallet).entry(vault, entry_id))
        overdue_unheard = standing.is_overdue and not _is_acknowledged(standing, self._events(vault, entry_id))
        if standing.is_by_wallet and (standing.state in _RESENT or overdue_unheard):
            await self._send_wish(vault, entry_id)
        else:
            await self._send(vault, entry_id, Action.STATUS, None, language=vault.language)

    def _events(self, vault: UnlockedVault, entry_id: str) -> Sequence[Event]:
        return Histories(self._wallet).entry(vault, entry_id).events

    async def _send_wish(self, vault: UnlockedVault, entry_id: str) -> None:
        entry = Histories(self._wallet).entry(vault, entry_id)
        standing = self.standing(entry)
        assert standing.wish is not None
        assert standing.action is not None
        items: tuple[ItemReference, ...] | None = None
        if standing.chosen is not None:
            written = [one for number in standing.chosen for one in entry.went[number].get("references", ())]
            items = tuple(dict.fromkeys(ItemReference.model_validate(one) for one in written))
        language = standing.wish.facts.get("language", vault.language)
        await self._send(vault, entry_id, standing.action, items, language=language)

    async def _send(
        self,
        vault: UnlockedVault,
        entry_id: str,
        action: Action,
        items: tuple[ItemReference, ...] | None,
        *,
        language: str,
    ) -> None:
        means, entry = self.means(vault, entry_id), Histories(self._wallet).entry(vault, entry_id)
        if means is None or not means.can_ask or entry.decided_at is None:
            return
        now = self._wallet.clock()
        token = withdrawal(means, action, items=items, receipt_id=entry_id, language=language, now=now)
        try:
            reply = await self._transport.post_jwt(means.endpoint, token, max_bytes=MAX_ANSWER_BYTES)
        except NotDelivered as exc:
            answered = Answered(EventKind.DELETION_NOT_SENT, {"reason": exc.reason})
        except NoAnswer:
            answered = Answered(EventKind.DELETION_UNKNOWN, {"reason": "no_answer"})
        else:
            answered = read_reply(
                reply,
                means,
                expected_receipt_id=entry_id,
                decided_at=entry.decided_at,
                trust=self._wallet.trust(),
                now=self._wallet.clock(),
            )
        self._keep(vault, entry_id, answered, asked_only=action is Action.STATUS)

    def _keep(self, vault: UnlockedVault, entry_id: str, answered: Answered, *, asked_only: bool) -> None:
        """Write what came of it, if it is news; forget the key when nothing is left to do with it."""
        if answered.kind is None:
            return
        with self._database.transaction() as connection:
            entry = self._entry(connection, vault, entry_id)
            has_wish = self.standing(entry).wish is not None
            # A question of the wallet's own that comes to nothing is no event of the person's history.
            is_idle = asked_only and not has_wish and answered.kind is not EventKind.DELETION_STATED
            if is_idle or _is_known(entry.events, answered):
                return
            event = Event(entry_id, answered.kind, self._wallet.clock(), answered.facts)
            append_event(connection, vault, event)
            forget_used_up(connection, vault, self._entry(connection, vault, entry_id), wallet=self._wallet)

    # --- inside a transaction -------------------------------------------------------------------------------------

    def _entry(self, connection: Connection, vault: UnlockedVault, entry_id: str) -> Entry:
        history = read_history(connection, vault)
        entries = tuple(entries_of(history.events, now=self._wallet.clock()))
        return Book(entries, history.faults, history.deletions).entry(entry_id)


def _checked(entry: Entry, chosen: Sequence[int] | None, standing: Standing) -> list[int] | None:
    """The chosen numbers, sorted. Raises `NothingToTakeBack`, `NothingChosen`."""
    if not can_take_back(entry) or standing.is_gone:
        raise NothingToTakeBack
    if chosen is None:
        return None
    numbers = sorted(set(chosen))
    if not numbers or not set(numbers) <= set(separable(entry)):
        raise NothingChosen
    return numbers


def _is_acknowledged(standing: Standing, events: Sequence[Event]) -> bool:
    assert standing.wish is not None
    since = events[events.index(standing.wish) :]
    return any(event.kind is EventKind.DELETION_ACKNOWLEDGED for event in since)


def _is_known(events: Sequence[Event], answered: Answered) -> bool:
    """Whether the history tells this already: the same statement ever, the same of everything else at its end."""
    if answered.kind is EventKind.DELETION_STATED:
        return any(
            event.kind is EventKind.DELETION_STATED and event.facts.get("token") == answered.facts.get("token")
            for event in events
        )
    told = [event for event in events if event.kind not in _OF_SOMETHING_ELSE]
    return bool(told) and told[-1].kind is answered.kind and dict(told[-1].facts) == dict(answered.facts)
