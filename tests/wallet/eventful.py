"""A vault in which everything has happened that a history can tell: for exports, imports and documents.

story = await Story.told(world)
story.sharer.vault, story.entries["taken back"]
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.withdrawal import Action
from tests.wallet.fake_verifier import query
from tests.wallet.people import Sharer
from tests.wallet.taking_back_world import BIRTH, NAME, Recipient, withdrawals
from tests.world import World
from wallet.ledger import Outcome
from wallet.rights import Right, Rights

KEPT = {
    "ground": "legal_claims",
    "words": {"sv": "Vi behöver namnet i en tvist.", "en": "We need the name in a dispute."},
    "items": [NAME],
}
OUTCOMES = {
    "confirmed": Outcome.SHARED,
    "refused": Outcome.REFUSED,
    "taken back": Outcome.SHARED,
    "partly deleted": Outcome.SHARED,
    "acknowledged": Outcome.SHARED,
    "not delivered": Outcome.NOT_DELIVERED,
    "not accepted": Outcome.NOT_ACCEPTED,
    "faulty": Outcome.FAULTY,
    "no answer": Outcome.NO_ANSWER,
}


@dataclass(frozen=True, slots=True)
class Story:
    """A person, whom they shared with, and the entries of their history by what became of them."""

    sharer: Sharer
    firm: Recipient
    entries: Mapping[str, str]

    @classmethod
    async def told(cls, world: World, **said: Any) -> "Story":
        """Let it happen; `said` are further members of every notice."""
        sharer, firm = await Sharer.with_certificate(world), Recipient(world)
        desk = withdrawals(world)
        entries = {}

        firm.confirm = firm.countersigned
        entries["confirmed"] = await firm.shared_by(sharer, **said)
        entries["refused"] = await sharer.begin(firm.ask_for_two(**said).link())
        await sharer.refuse(entries["refused"])
        entries["taken back"] = await firm.shared_by(sharer, **said)
        await desk.wish(sharer.vault, entries["taken back"], Action.WITHDRAW, chosen=None, language="en")
        entries["partly deleted"] = await firm.shared_by(sharer, **said)
        firm.answer = lambda message: firm.statement(message, outcome="partly", items=[BIRTH], exceptions=[KEPT])
        await desk.wish(sharer.vault, entries["partly deleted"], Action.WITHDRAW, chosen=None, language="en")
        entries["acknowledged"] = await firm.shared_by(sharer, **said)
        firm.answer = firm.acknowledged
        await desk.wish(sharer.vault, entries["acknowledged"], Action.ERASE, chosen=None, language="en")
        entries["not delivered"] = await sharer.begin(firm.ask_for_two(**said).link())
        with world.network.cut_before("/response"):
            await sharer.approve(entries["not delivered"])
        firm.reply_status = 400
        entries["not accepted"] = await firm.shared_by(sharer, **said)
        firm.reply_status = 200
        entries["faulty"] = await sharer.begin(firm.ask(query(["family_name"]), transaction_data=["e30"]).link())
        entries["no answer"] = await sharer.begin(firm.ask_for_two(**said).link())
        rights = Rights(world.wallet.deployment)
        for name in ("taken back", "acknowledged"):
            rights.note_asked(sharer.vault, entries[name], Right.COPY, way="mail")
            rights.note_asked(sharer.vault, entries[name], Right.OBJECTION, way="mail")
        rights.note_answered(sharer.vault, entries["taken back"], Right.COPY, "came")
        rights.note_answered(sharer.vault, entries["taken back"], Right.OBJECTION, "stopped")
        rights.note_reported(sharer.vault, entries["faulty"])
        world.clock.move(hours=2)
        return cls(sharer, firm, entries)
