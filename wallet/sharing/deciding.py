"""The person looks, chooses and decides (S2 to S4); the answer is sent, and what became of it is kept.

The decision, its entry in the history, the one-time copies and the spent request are one transaction, which ends before
anything is sent (CS-27, durability D04).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from schemas.errors import NotFound, ProtocolError, Refused, TemporarilyUnavailable
from schemas.power import holds_on
from service.single_use import spend
from wallet.certificates import StoredCertificate
from wallet.consent import (
    CannotSatisfy,
    Consent,
    PermissionConfirmed,
    PermissionNotConfirmed,
    ShownSomethingElse,
    StepMissing,
    counts_for,
    decide,
)
from wallet.counting import Counting
from wallet.decision import Chosen, Decision, permission_digest, permission_meaning
from wallet.decision.acting import side_of
from wallet.delivery import AnswerTransport, Delivery, DeliveryState
from wallet.habits import Ending
from wallet.ledger import Event, EventKind, Outcome
from wallet.naming import plain
from wallet.over_asking import AFTER_REFUSAL, Past
from wallet.permissions import Permissions
from wallet.presentation import HeldCopy, answer_form, present, refusal
from wallet.receipt_confirmation import ReceiptConfirmation
from wallet.recording import approved_event, pseudonym_for, refused_event, request_digest
from wallet.requests import AlreadyAnswered
from wallet.sharing.confirming import confirmed_by, purpose_of, purpose_of_permission
from wallet.sharing.desk import Desk, chosen_as_json, chosen_from_json, offered
from wallet.store.certificates import take_copy
from wallet.store.ledger import append_event
from wallet.store.shares import OPEN, StoredShare, close_share, get_share, update_share
from wallet.store.tables import spent
from wallet.store.take_back import add_means
from wallet.taking_back import forget_at, means_of
from wallet.telling_acts import Telling
from wallet.vault import UnlockedVault
from wallet.withdrawals import Withdrawals

REFUSED_AGAIN = "refused_again"
"""Why an outcome stays unknown: sent a second time, the answer was refused, perhaps since they have it already."""
ANSWERED_FOR = timedelta(days=730)
"""How long an answered request is remembered, so that it is not answered twice. Requests themselves live minutes."""


class NotMutable(Refused):
    """Only a question that was refused less than a day before can be muted."""

    error = "not_mutable"


class Decisions(Desk):
    """Requests before the person, and their answers."""

    def is_kept(self, vault: UnlockedVault, share_id: str) -> bool:
        """Whether the share is still there; some hours after its request has ended only the history tells of it."""
        try:
            self._share(vault, share_id)
        except NotFound:
            return False
        return True

    def is_open(self, vault: UnlockedVault, share_id: str) -> bool:
        """Whether a request still waits for the person's decision. Raises `NotFound`."""
        return self._share(vault, share_id).state == OPEN

    def decision(self, vault: UnlockedVault, share_id: str, *, language: str) -> Decision:
        """The decision screen as it is now.

        A request that was answered in another window is closed here. Raises `NotFound`, `AlreadyAnswered`,
        `RequestExpired`, `RequestFault`, `InvalidSelection`.
        """
        return self._decision(vault, self._unanswered_share(vault, share_id), language)

    def acting_for(self, vault: UnlockedVault, share_id: str) -> str:
        """Whom the person chose to answer this request for; "" for themself. Also when nothing can be decided any
        more. Raises `NotFound`."""
        power_id = chosen_from_json(self._share(vault, share_id).members["chosen"]).acting_for
        held = side_of(vault.certificates(), "").held
        return next((plain(one.principal_name) for one in held if one.certificate.id == power_id), "")

    def choose(self, vault: UnlockedVault, share_id: str, chosen: Chosen, *, language: str) -> Decision:
        """Keep what the person has chosen so far, and show the screen that follows from it."""
        share = self._unanswered_share(vault, share_id)
        members = {**_unconfirmed(share.members), "chosen": chosen_as_json(chosen)}
        decision = self._build(vault, share_id, members, self._checked(share), language=language)
        with self._database.transaction() as connection:
            update_share(connection, vault, share, {**members, "offered": offered(decision)})
        return decision

    def is_as_shown(self, vault: UnlockedVault, decision: Decision) -> bool:
        """Whether a decision still offers what the person was shown last: a tick is a yes to what stood beside it."""
        return bool(self._share(vault, decision.share_id).members.get("offered") == offered(decision))

    def note_shown(self, vault: UnlockedVault, decision: Decision) -> None:
        """For a person who counts how they decide: the decision screen is open from now on, or the screen that says
        what is missing. The time at which that was fetched is not counted."""
        share = self._share(vault, decision.share_id)
        if share.state != OPEN or Counting(self._wallet).habits(vault) is None:
            return
        before = share.members.get("shown")
        if before is not None and not (before.get("lacking") and decision.is_satisfiable):
            return
        has_all = decision.is_satisfiable
        warned = bool(decision.warnings or decision.overrides) if has_all else decision.repeated is not None
        shown = {"at": self._wallet.clock().timestamp(), "warned": warned, "lacking": not has_all}
        with suppress(AlreadyAnswered, TemporarilyUnavailable), self._database.transaction() as connection:
            update_share(connection, vault, share, {**share.members, "shown": shown})

    def _count(self, vault: UnlockedVault, share: StoredShare, ending: Ending) -> None:
        if shown := share.members.get("shown"):
            seconds = self._wallet.clock().timestamp() - shown["at"]
            Counting(self._wallet).count(vault, ending, seconds=seconds, was_warned=shown["warned"])

    def keep_ticks(
        self, vault: UnlockedVault, share_id: str, *, ticked: frozenset[int], approved: frozenset[str]
    ) -> None:
        """Keep what stood in the form although its request has ended, for when it is fetched anew (CS-28)."""
        share = self._open_share(vault, share_id)
        chosen = replace(chosen_from_json(share.members["chosen"]), ticked=ticked, approved=approved)
        with self._database.transaction() as connection:
            update_share(connection, vault, share, {**share.members, "chosen": chosen_as_json(chosen)})

    def close(self, vault: UnlockedVault, share_id: str) -> None:
        """The person left without answering; nobody is told."""
        share = self._open_share(vault, share_id)
        with self._database.transaction() as connection:
            close_share(connection, vault, share, answer=None)
            append_event(connection, vault, Event(share_id, EventKind.CLOSED, self._wallet.clock()))
        self._count(vault, share, Ending.LEFT)

    def mute(self, vault: UnlockedVault, share_id: str) -> None:
        """The person wants no such question from this sender for a day: left without an answer, now and then (CS-21).

        Raises `NotMutable` for a question that was not refused before.
        """
        share = self._open_share(vault, share_id)
        if not Past.model_validate(share.members.get("past", {})).was_refused:
            raise NotMutable
        now = self._wallet.clock()
        facts = {"muted": True, "muted_until": (now + AFTER_REFUSAL).timestamp()}
        with self._database.transaction() as connection:
            close_share(connection, vault, share, answer=None)
            append_event(connection, vault, Event(share_id, EventKind.CLOSED, now, facts))
        self._count(vault, share, Ending.LEFT)

    # --- deciding ------------------------------------------------------------------------------------------------

    async def approve(
        self,
        vault: UnlockedVault,
        share_id: str,
        *,
        language: str,
        approved_digest: str,
        passphrase: str = "",
        passkey: str = "",
    ) -> Delivery:
        """Share what was approved, confirmed with the passphrase or by what a passkey answered for this decision.

        Nothing is sent or written unless everything holds. What the issuers say is looked at once more: a certificate
        that was revoked while the person was reading is not what they approved.

        Later checks that the decision allows must have been confirmed before, by `confirm_permission`.

        Raises what `decide` raises, `NoCopiesLeft`, `AlreadyAnswered`, `CopyDiffers`.
        """
        await self.look_anew(vault)
        share = self._unanswered_share(vault, share_id)
        decision = self._decision(vault, share, language)
        purpose = purpose_of(share_id, decision.digest)
        consent = await decide(
            decision,
            approved_digest=approved_digest,
            confirmation=confirmed_by(self._wallet, vault, purpose=purpose, passphrase=passphrase, passkey=passkey),
            permission=_confirmed_permission(share),
            now=self._wallet.clock(),
        )
        self._require_power(vault, share, decision, language)
        now = self._wallet.clock()
        pseudonym = pseudonym_for(vault, consent.request.client_id)
        event = approved_event(decision, consent, pseudonym=pseudonym, now=now)
        with self._deciding(vault, share, decision, now=now) as connection:
            copies, key = self._take_copies(connection, vault, consent)
            form = answer_form(present(consent, copies, now=now).members(), consent.answer_key)
            address = consent.request.response_uri
            share = close_share(connection, vault, share, answer={"address": address, "form": form})
            append_event(connection, vault, event)
            # From here on the share can be taken back, whatever becomes of certificate and request.
            last = forget_at(decision.retention_until, now=now)
            kept = means_of(decision.checked, key, recheck=consent.recheck)
            add_means(connection, vault, share_id, kept, forget_at=last)
        self._count(vault, share, Ending.SHARED)
        return await self._send(vault, share)

    async def confirm_permission(
        self,
        vault: UnlockedVault,
        share_id: str,
        *,
        language: str,
        approved_digest: str,
        passphrase: str = "",
        passkey: str = "",
    ) -> None:
        """Confirm the later checks that the decision allows, before the share and apart from it (CS-07).

        `approved_digest` is the `permission_digest` that the page carried, in its language. What is confirmed
        counts for a few minutes, for this very permission in every language, and is gone with the next thing that is
        ticked. Nothing is shared or sent by it. Raises `PermissionNotConfirmed` when no later checks are allowed,
        `ShownSomethingElse`, `WrongPassphrase`, `PasskeyRefused`, `AlreadyAnswered`.
        """
        share = self._unanswered_share(vault, share_id)
        decision = self._decision(vault, share, language)
        digest = permission_digest(decision)
        if not digest:
            raise PermissionNotConfirmed
        if not compare_digest(approved_digest.encode(), digest.encode()):
            raise ShownSomethingElse
        purpose = purpose_of_permission(share_id, digest)
        confirmation = confirmed_by(self._wallet, vault, purpose=purpose, passphrase=passphrase, passkey=passkey)
        await confirmation()
        confirmed = {
            "meaning": permission_meaning(decision),
            "at": self._wallet.clock().timestamp(),
            "method": confirmation.method,
            "language": language,
        }
        with self._database.transaction() as connection:
            update_share(connection, vault, share, {**share.members, "permission": confirmed})

    def permission_read_in(self, vault: UnlockedVault, share_id: str) -> str:
        """The language in which the person read the later checks that they have confirmed; "" when they have not."""
        confirmed = _confirmed_permission(self._share(vault, share_id))
        return confirmed.language if confirmed is not None else ""

    def lacks_permission_yes(self, vault: UnlockedVault, decision: Decision) -> bool:
        """Whether the decision allows later checks and the person has not confirmed them yet, or not just now."""
        confirmed = _confirmed_permission(self._share(vault, decision.share_id))
        return decision.allowed_recheck is not None and not counts_for(confirmed, decision, now=self._wallet.clock())

    def _require_power(self, vault: UnlockedVault, share: StoredShare, decision: Decision, language: str) -> None:
        """A power must still hold when the answer is made: a day may have ended, or a child come of age, while the
        person was confirming. Raises `CannotSatisfy`."""
        if decision.acting is None:
            return
        now = self._decision(vault, share, language)
        if now.acting is None or now.acting.faults:
            raise CannotSatisfy

    async def refuse(self, vault: UnlockedVault, share_id: str, *, language: str) -> Delivery:
        """Say no: the same answer whether the person does not want to or cannot (CS-23)."""
        share = self._unanswered_share(vault, share_id)
        decision = self._decision(vault, share, language)
        if decision.missing_step is not None:
            raise StepMissing  # The answer itself may tell: nothing is said before the person has read so (OA-09).
        checked, now = decision.checked, self._wallet.clock()
        form = answer_form(refusal(checked.request).members(), checked.answer_key)
        event = refused_event(decision, pseudonym=pseudonym_for(vault, checked.request.client_id), now=now)
        with self._deciding(vault, share, decision, now=now) as connection:
            answer = {"address": checked.request.response_uri, "form": form}
            share = close_share(connection, vault, share, answer=answer)
            append_event(connection, vault, event)
        self._count(vault, share, Ending.REFUSED)
        return await self._send(vault, share)

    @contextmanager
    def _deciding(
        self, vault: UnlockedVault, share: StoredShare, decision: Decision, *, now: datetime
    ) -> Iterator[Connection]:
        """The transaction of a decision; it spends the request, which nobody here can answer again (W-16)."""
        is_spent = False
        try:
            with self._database.transaction() as connection:
                digest = request_digest(decision.checked)
                if not spend(connection, spent, kind="request", value=digest, expires_at=now + ANSWERED_FOR, now=now):
                    is_spent = True
                    raise AlreadyAnswered
                yield connection
        except AlreadyAnswered:
            if is_spent:
                self._close_answered(vault, share, by_you=False)
            raise

    def _unanswered_share(self, vault: UnlockedVault, share_id: str) -> StoredShare:
        """An open share whose request nobody in this vault has answered under another one. Raises `AlreadyAnswered`."""
        share = self._open_share(vault, share_id)
        if any(entry.id == share_id and entry.outcome is Outcome.ANSWERED for entry in self.history(vault)[0]):
            self._close_answered(vault, share, by_you=True)
            raise AlreadyAnswered
        return share

    def _close_answered(self, vault: UnlockedVault, share: StoredShare, *, by_you: bool) -> None:
        """Nothing can come of this share any more: its request was answered in another window, or by somebody else."""
        event = Event(share.id, EventKind.ANSWERED, self._wallet.clock(), {"by_you": by_you})
        with suppress(AlreadyAnswered), self._database.transaction() as connection:
            close_share(connection, vault, share, answer=None)
            append_event(connection, vault, event)

    @staticmethod
    def _take_copies(
        connection: Connection, vault: UnlockedVault, consent: Consent
    ) -> tuple[dict[str, HeldCopy], Mapping[str, str]]:
        """The copies that are shown, and the key of one of them; no key when none of them is bound to any."""
        bound = {one.certificate_id: one.is_bound for one in consent.presented}
        copies: dict[str, HeldCopy] = {}
        key: Mapping[str, str] = {}
        for certificate_id in consent.certificate_ids:
            # Only a copy that is bound to no key may be shown again: it is the same for everybody anyway.
            copy = take_copy(connection, vault, certificate_id, allow_used=not bound[certificate_id])
            signer = vault.signer_for(copy) if bound[certificate_id] else None
            copies[certificate_id] = HeldCopy(copy.token, signer)
            key = key or (copy.key_private_jwk if signer is not None else {})
        return copies, key

    # --- sending -------------------------------------------------------------------------------------------------

    async def send_again(self, vault: UnlockedVault, share_id: str) -> Delivery:
        """Send the very same bytes again after an unknown outcome, while the request lives. Raises `NotFound`."""
        share = self._share(vault, share_id)
        if not self.can_send_again(vault, share_id):
            raise NotFound("There is no answer that could be sent again")
        may_be_there = self.entry(vault, share_id).outcome is Outcome.UNKNOWN
        return await self._send(vault, share, may_be_there=may_be_there)

    def can_send_again(self, vault: UnlockedVault, share_id: str) -> bool:
        """Whether the answer is still kept, the person has not taken it back, and the request has not ended."""
        share = self._share(vault, share_id)
        is_taken_back = any(event.wants_all_gone for event in self.entry(vault, share_id).events)
        if share.answer is None or is_taken_back or not self._may_still_act(vault, share_id):
            return False
        try:
            self._checked(share)
        except ProtocolError:
            return False
        return True

    def _may_still_act(self, vault: UnlockedVault, share_id: str) -> bool:
        """Whether an answer for somebody else may still be sent: its power is here, and has not ended since."""
        entry = self.entry(vault, share_id)
        if entry.acting_for is None or entry.outcome is Outcome.REFUSED:
            return True
        power_id = (entry.decided or {}).get("power_id", "")
        power = next((one for one in side_of(vault.certificates(), "").held if one.certificate.id == power_id), None)
        today = self._wallet.clock().astimezone(ZoneInfo(self._wallet.settings.time_zone)).date()
        return power is not None and power.certificate.status == "valid" and holds_on(power.power, today)

    async def _send(self, vault: UnlockedVault, share: StoredShare, *, may_be_there: bool = False) -> Delivery:
        """Send, and write what came of it. `may_be_there`: an earlier try may have arrived.

        Whoever has an answer refuses the same answer later, and a later try that never left says nothing of the first:
        only a delivery settles then whether they have it.
        """
        assert share.answer is not None
        transport: AnswerTransport = self._transport
        delivery = await transport.post_answer(share.answer["address"], share.answer["form"])
        is_final = delivery.state in (DeliveryState.DELIVERED, DeliveryState.NOT_ACCEPTED)
        if may_be_there and delivery.state is not DeliveryState.DELIVERED:
            delivery = Delivery(DeliveryState.UNKNOWN, reason=REFUSED_AGAIN if is_final else delivery.reason)
        event = Event(share.id, delivery.state.event, self._wallet.clock(), {"reason": delivery.reason})
        with self._database.transaction() as connection:
            share = get_share(connection, vault, share.id)
            members = {**share.members, "redirect_uri": delivery.redirect_uri, "followed": False}
            update_share(connection, vault, share, members, keep_answer=not is_final)
            append_event(connection, vault, event)
        if delivery.state is DeliveryState.NOT_ACCEPTED:
            await self._wallet.check_shown(vault, self.entry(vault, share.id).certificate_ids)
        if delivery.state is DeliveryState.DELIVERED:
            await ReceiptConfirmation(self._wallet).confirm(vault, share.id)
            await Permissions(self._wallet).give(vault, share.id)
            await Withdrawals(self._wallet).after_arrival(vault, share.id)
        await Telling(self._wallet).tell(vault, share.id)
        return delivery

    def no_longer_vouched_for(self, vault: UnlockedVault, share_id: str) -> list[StoredCertificate]:
        """The certificates that were shown and that their issuer has revoked or paused, as far as we know."""
        shown = self.entry(vault, share_id).certificate_ids
        return [one for one in vault.certificates() if one.id in shown and one.status in ("revoked", "suspended")]

    def return_link(self, vault: UnlockedVault, share_id: str) -> tuple[str | None, bool]:
        """Where the recipient wants the person sent, and whether this is the first time that the page shows it."""
        share = self._share(vault, share_id)
        uri = share.members.get("redirect_uri")
        if uri is None or share.members.get("followed"):
            return uri, False
        with self._database.transaction() as connection:
            update_share(connection, vault, share, {**share.members, "followed": True})
        return uri, True


def _unconfirmed(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a share without a confirmation of later checks: with every tick it starts anew."""
    return {name: value for name, value in members.items() if name != "permission"}


def _confirmed_permission(share: StoredShare) -> PermissionConfirmed | None:
    """What the person has confirmed of later checks for this share, if anything."""
    kept = share.members.get("permission")
    if not kept or "meaning" not in kept:  # Of an earlier version: it lasts for minutes, and is asked for again.
        return None
    at = datetime.fromtimestamp(kept["at"], UTC)
    return PermissionConfirmed(kept["meaning"], at, kept["method"], kept["language"])
