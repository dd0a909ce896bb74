"""What a receipt that was handed in still tells when the items that it tells of were deleted."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from proofs.jose import parse_jws, read_claims
from tests.verifier.scene import MICRO, Scene
from tests.verifier.test_acting_for_another import ASKED, POWER, REGISTRATION, WHY, Guardian
from tests.verifier.test_internship import Applicant
from tests.verifier.withdrawing import act, receipt_for, statement_of, submission, take
from verifier.countersigning import ReceiptMismatch
from verifier.deletion import shared_items
from verifier.exchange import MadeRequest

SAID = {"principal": "Lina Haddad", "agent": "Omar Haddad", "power_issuer": "Nämnden", "power_ends_on": "2030-08-18"}


@pytest.fixture
def guardian(tmp_path: Path) -> Guardian:
    """Omar, who acts for Lina."""
    return Guardian(tmp_path)


def items() -> list[dict[str, Any]]:
    """The items of a receipt for what the guardian shares."""
    return [
        {
            "name": {language: kind.label((path,), language) for language in WHY},
            "certificate": {language: kind.title(language) for language in WHY}, "certificate_type": kind.vct,
            "issuer": "x", "path": [path], "required": True, "approved_separately": False, "commitment": "c",
        }
        for name, paths in ASKED.items()
        for kind in [POWER if name == "power" else REGISTRATION]
        for path in paths
    ]  # fmt: skip


def hand_in(scene: Scene, made: MadeRequest, **changed: Any) -> None:
    """A receipt, handed in."""
    receipt = receipt_for(scene, made, **changed)
    asyncio.run(scene.verifier.deletions.countersign(submission(scene, made, receipt)))


def told(scene: Scene, made: MadeRequest) -> dict[str, Any]:
    """What the receipt that the verifier keeps says; nothing when it keeps none."""
    kept = scene.verifier.deletions.store.receipt(made.id)
    return {} if kept is None else dict(read_claims(parse_jws(kept.receipt_jwt)))


def test_names_that_were_stated_to_be_deleted_leave_the_receipt_as_well(guardian: Guardian) -> None:
    """Names are values (docs/receipt.md): once the statement says that they are deleted, the receipt has none either,
    also when the answer itself (is this person registered?) is kept."""
    made, _ = guardian.given()
    hand_in(guardian, made, items=items(), acting_for=SAID)
    assert told(guardian, made)["acting_for"] == SAID
    names = [
        {"credential": query, "path": [path]}
        for query, paths in ASKED.items()
        for path in paths
        if path != "registered_status"
    ]
    statement = statement_of(take(guardian, act(guardian, made, "erase", items=names)), guardian, made)
    assert (statement.outcome, len(statement.items)) == ("deleted", len(names))

    assert "acting_for" not in told(guardian, made)


def test_a_receipt_with_a_value_in_a_path_is_not_kept(tmp_path: Path) -> None:
    """A path may be narrowed by numbers alone, as in a wish to delete (`verifier.deletion.chosen_items`): a name in it
    could be anything, also about a person, and the receipt outlives the values."""
    scene = Scene(tmp_path)
    made = scene.ask()
    assert scene.answer(made, optional=True).status == 200
    both = {"sv": "x", "en": "x"}
    answered = {one.query_id for one in scene.result(made).proofs}
    asked = shared_items(made.transaction.question.template, answered)
    said = [
        {
            "name": both, "certificate": both, "certificate_type": MICRO.vct, "issuer": "x",
            "path": [*(0 if part is None else part for part in one.path), "Kanarek-Test"], "required": True,
            "approved_separately": False, "commitment": "c",
        }
        for one in asked
    ]  # fmt: skip
    with suppress(ReceiptMismatch):
        hand_in(scene, made, items=said)
    take(scene, act(scene, made))

    assert scene.verifier.contents(made.id, viewer="test") is None
    assert "Kanarek-Test" not in str(told(scene, made))


@pytest.mark.parametrize(
    ("member", "text", "is_kept"),
    [
        ("name", None, True),
        ("name", "Kanarek-Test", False),
        ("name", "Kanarek-Test: Betyg", False),
        ("name", "Betyg Kanarek", False),
        ("certificate", "Kanarek-Test", False),
        ("pseudonym", "Kanarek-Test", False),
        ("along", "Kanarek-Test", False),
        ("along certificate", "Kanarek-Test", False),
        ("along", "Efternamn", True),
    ],
)
def test_a_receipt_with_words_of_its_own_is_signed_and_not_kept(
    tmp_path: Path, member: str, text: str | None, is_kept: bool
) -> None:
    """What an item, a kind of certificate or the person is called could be a value: only words that we know are kept.
    The wallet has its counter-signature all the same, and one that was kept before stays."""
    scene = Scene(tmp_path)
    made = scene.ask()
    assert scene.answer(made, optional=True).status == 200
    said = dict(read_claims(parse_jws(receipt_for(scene, made))))["items"]
    title = {language: MICRO.title(language) for language in ("sv", "en")}
    changed: dict[str, Any] = {"items": said}
    if text is not None and member in ("name", "certificate"):
        changed["items"] = [said[0] | {member: {"sv": text, "en": ""}}, *said[1:]]
    if text is not None and member == "pseudonym":
        changed["holder_pseudonym"] = text
    if text is not None and member.startswith("along"):
        along = {"certificate": title, "items": [{"sv": text, "en": ""}]}
        if member != "along":
            along = {"certificate": {"sv": text, "en": ""}, "items": []}
        changed["came_along"] = [along]

    hand_in(scene, made, record_id="changed", **changed)

    assert (told(scene, made).get("record_id") == "changed") == is_kept
    hand_in(scene, made, record_id="good")
    hand_in(scene, made, record_id="changed", **changed)
    assert told(scene, made)["record_id"] == ("changed" if is_kept else "good")


def test_a_receipt_of_all_items_and_one_more_is_refused(tmp_path: Path) -> None:
    """What was never received is not signed for, also beside all that was."""
    scene = Scene(tmp_path)
    made = scene.ask()
    assert scene.answer(made, optional=True).status == 200
    said = dict(read_claims(parse_jws(receipt_for(scene, made))))["items"]

    with pytest.raises(ReceiptMismatch, match="not received"):
        hand_in(scene, made, items=[*said, said[0] | {"path": ["birthdate"]}])


def test_after_the_yes_or_no_itself_is_deleted_nobody_is_told_what_it_was(tmp_path: Path) -> None:
    """The only value of the target-group certificate is a yes. It is stated to be deleted, and the same interface goes
    on telling "Eligible as of ...", which is that yes."""
    applicant = Applicant(tmp_path)
    applicant.hold()
    made, _ = applicant.apply("course")
    item = {"credential": "target-group", "path": ["in_target_group"]}
    statement = statement_of(take(applicant, act(applicant, made, "erase", items=[item])), applicant, made)
    assert [one.path for one in statement.items] == [("in_target_group",)]

    assert applicant.told(made)["eligibility"] is None
