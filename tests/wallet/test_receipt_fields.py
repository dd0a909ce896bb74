"""The receipt against the fields of a consent record in ISO/IEC TS 27560, listed by somebody else."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.receipt import Receipt
from tests.wallet.fake_verifier import FakeVerifier, credential, notice, query, with_optional
from tests.wallet.pages.test_receipt_page import DECLARED
from tests.wallet.people import Sharer
from tests.world import World
from wallet.receipts import check_receipt, receipt_of, signed_receipt

pytestmark = pytest.mark.anyio
VECTOR: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors/iso27560/fields.json").read_text("utf-8"))
FIELDS: dict[str, dict[str, Any]] = {
    name: field for section in VECTOR["sections"].values() for name, field in section.items()
}
MANDATORY = [name for name, field in FIELDS.items() if field["required"]]
_STEP = re.compile(r"(?P<name>\w+)(?P<list>\[(?:type=(?P<type>\w+))?\])?")


def found(members: Any, path: str) -> list[Any]:
    """Every value at a path of the vector: `a.b`, `a[].b` of all, `a[type=x].b` of those of that type."""
    values = [members]
    for step in path.split("."):
        match = _STEP.fullmatch(step)
        assert match is not None, path
        values = [one[match["name"]] for one in values if isinstance(one, dict) and match["name"] in one]
        if match["list"]:
            inner = [one for several in values for one in several]
            values = [one for one in inner if not match["type"] or one["type"] == match["type"]]
    return values


def says(value: Any) -> bool:
    """Whether a value tells anything: no is an answer, and so is an empty list of those it is passed on to."""
    return value is not None and value not in ("", {}) and value != {"sv": "", "en": ""}


async def shared(world: World, decision: str = "share", **declared: Any) -> tuple[Receipt, dict[str, Any]]:
    """The receipt of a decision about a request with such a notice, as it is written and as it is read again."""
    sharer = await Sharer.with_certificate(world)
    employer = FakeVerifier(world)
    world.wallet.trust(employer.trust_entry)
    asked = with_optional(credential(["family_name"]), credential(["credits"], query_id="extra"))
    share_id = await sharer.begin(employer.ask(asked, notice=notice(**declared)).link())
    await (sharer.approve(share_id) if decision == "share" else sharer.refuse(share_id))
    entry = sharer.entry(share_id)
    assert check_receipt(signed_receipt(entry)) == receipt_of(entry)
    return receipt_of(entry), receipt_of(entry).claims()


def lacking(members: dict[str, Any]) -> list[str]:
    """The mandatory fields of which a receipt says nothing."""
    return [
        name
        for name in MANDATORY
        if not any(says(one) for path in FIELDS[name]["ours"] for one in found(members, path))
    ]


async def test_every_mandatory_field_of_the_standard_is_told(world: World) -> None:
    """Of a share with a whole notice: each of the 25, and each member that stands for it is one of the form."""
    assert len(MANDATORY) == 25
    _, members = await shared(world, **DECLARED)
    assert lacking(members) == []
    unknown = {path for field in FIELDS.values() for path in field["ours"] if not found(members, path)}
    assert unknown == set(), "a member that the vector names and no receipt has"


@pytest.mark.parametrize("name", ["receipt_id", "jurisdiction", "controller", "events", "notice", "holder_pseudonym"])
async def test_a_receipt_without_one_of_them_is_found_out(world: World, name: str) -> None:
    """The comparison above would notice a field that is gone."""
    _, members = await shared(world, **DECLARED)
    del members[name]
    assert lacking(members)


async def test_what_the_recipient_kept_to_itself_is_all_that_is_missing(world: World) -> None:
    """Of a notice without retention, recipients and ways to take back, the receipt invents nothing."""
    _, members = await shared(world, retention=None, recipients=None, processors=None, countries=None, withdraw=None)
    assert set(lacking(members)) <= {
        "storage locations",
        "retention period",
        "recipient third parties",
        "withdrawal method",
        "validity duration",
    }


async def test_a_no_is_no_consent(world: World) -> None:
    """Its receipt has no kind of consent and no day until which it holds, and still who, what for, and when."""
    receipt, members = await shared(world, "refuse", **DECLARED)
    assert receipt.is_refusal
    assert set(lacking(members)) == {
        "pii information",
        "pii type",
        "retention period",
        "validity duration",
        "event type",
    }


async def test_a_receipt_has_another_number_when_something_has_happened(world: World) -> None:
    """Two files of one share can be told apart, and told to be of one share."""
    sharer, employer = await Sharer.with_certificate(world), FakeVerifier(world)
    world.wallet.trust(employer.trust_entry)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    await sharer.approve(share_id)
    entry = sharer.entry(share_id)

    before, after = receipt_of(replace(entry, events=entry.events[:-1])), receipt_of(entry)

    assert before.record_id == after.record_id
    assert before.receipt_id != after.receipt_id
