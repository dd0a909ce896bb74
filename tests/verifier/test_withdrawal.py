"""Taking back, deleting and stating it, as a wallet sees it (docs/withdrawal.md)."""

import asyncio
import hashlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from proofs import base64url
from proofs.after_share import check_recipient_message
from proofs.trust import TrustList
from schemas.consent import LocalizedText, RequestNotice
from schemas.errors import Refused
from schemas.withdrawal import COUNTERSIGNATURE_TYPE, STATEMENT_TYPE, Ground, Reason, StatedException, StatementOutcome
from tests.verifier.scene import MICRO_CLAIMS, Scene, request_parameters_of, response_code_of
from tests.verifier.withdrawing import act, receipt_for, statement_of, submission, take
from verifier.deletion import due_date
from verifier.deletion_desk import DeskAnswer
from verifier.exchange import MadeRequest, browser_binding
from verifier.fetched import build_notice
from verifier.request_templates import parse_template
from verifier.requests import Kind
from verifier.store import DeletionState, Event, NoSuchRequest, State
from verifier.store.contents import places_of
from verifier.store.deletion_records import AlreadyDecided

WORDS = LocalizedText(sv="Bokföringslagen kräver det.", en="The accounting act demands it.")


@pytest.fixture
def waiting(tmp_path: Path) -> Scene:
    """A verifier where staff decides."""
    return Scene(tmp_path, withdraw_at_once=False, backup_days=10)


def shared(scene: Scene, template: str = "employer-micro-credential", *, optional: bool = True) -> MadeRequest:
    """A request that was answered."""
    made = scene.ask(template)
    assert scene.answer(made, optional=optional).status == 200
    return made


def names(statement: Any) -> set[tuple[Any, ...]]:
    """The items of a statement, as credential and path."""
    return {(item.credential, *item.path) for item in statement.items}


def events(scene: Scene, made: MadeRequest) -> list[Event]:
    """What the log says about a request, oldest first."""
    return [entry.event for entry in scene.verifier.requests.log(request_id=made.id)][::-1]


def values(scene: Scene, made: MadeRequest) -> list[tuple[Any, ...]]:
    """The paths of what is kept."""
    contents = scene.verifier.contents(made.id, viewer="test")
    return [] if contents is None else [item.path for item in contents.items]


# ---------------------------------------------------------------------------------------------------------------------
# The notice


def test_the_notice_names_where_to_take_back_and_to_hand_in_a_receipt(scene: Scene) -> None:
    """Endpoint, page, contact and phone; the messages of OpenID4VP stay as they are."""
    template = scene.template().model_copy(update={"withdraw_phone": "+46 8 123", "withdraw_url": "https://me.example"})
    made = scene.ask(template)
    notice = build_notice(made.transaction, terms=scene.settings.terms, identity=scene.verifier.identity)

    assert notice.withdraw is not None
    assert notice.withdraw.endpoint == "http://localhost:8003/withdrawals"
    assert (notice.withdraw.url, notice.withdraw.phone) == ("https://me.example", "+46 8 123")
    assert notice.receipt_endpoint == "http://localhost:8003/receipts"
    assert RequestNotice.model_validate(notice.claims()) == notice


# ---------------------------------------------------------------------------------------------------------------------
# Taking back at once


def test_taking_back_deletes_everything_and_states_it(scene: Scene) -> None:
    """Signed by the key that signs requests: what, when, where, until when in backups, and which keys are gone."""
    made = shared(scene)
    with scene.verifier.database.reading() as connection:
        keys = connection.exec_driver_sql("SELECT key_id FROM contents").scalars().all()
    scene.pass_time(days=3)

    statement = statement_of(take(scene, act(scene, made, receipt_id="receipt-1")), scene, made)

    assert (statement.reason, statement.outcome) == (Reason.WITHDRAWN, StatementOutcome.DELETED)
    assert statement.iss == made.transaction.client_id
    assert (statement.nonce, statement.request_id) == (made.transaction.nonce, made.transaction.handle)
    assert statement.receipt_id == "receipt-1"
    assert statement.deleted_at == scene.now.timestamp()
    assert statement.backups_until == date(2026, 12, 23)
    assert len(keys) == 5
    assert set(statement.destroyed_keys) == set(keys)
    assert names(statement) >= {("certificate", "family_name"), ("certificate-optional-2", "credits")}
    assert all(item.label.is_complete for item in statement.items)
    assert statement.exceptions == ()
    assert values(scene, made) == []
    with scene.verifier.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM contents").scalar_one() == 0


def test_a_share_that_was_taken_back_is_not_used_any_more(scene: Scene) -> None:
    """Its state says so, and it is no longer accepted; the log tells what happened, without a value."""
    made = shared(scene)
    assert scene.result(made).is_accepted

    take(scene, act(scene, made))

    record = scene.result(made)
    assert record.state is State.WITHDRAWN
    assert record.state.is_final
    assert not record.is_accepted
    assert (record.withdrawn_at, record.contents_deleted_at) == (scene.now, scene.now)
    assert events(scene, made)[-2:] == [Event.WITHDRAWN, Event.DELETED]


def test_a_statement_names_no_value(scene: Scene) -> None:
    """Whoever sees it learns what kind of things were shared, not what they said."""
    made = shared(scene)
    token = take(scene, act(scene, made)).token

    told = base64url.decode(token.split(".")[1]).decode()
    for value in (MICRO_CLAIMS["family_name"], "Distribuerade system", "2026-06-12", "replicated log"):
        assert value not in told


def test_the_same_wish_again_gives_the_same_statement_for_good(scene: Scene) -> None:
    """Byte for byte, also in another process, also when the retention date is long past."""
    made = shared(scene)
    first = take(scene, act(scene, made)).token

    assert take(scene, act(scene, made), verifier=scene.second_process()).token == first
    scene.pass_time(days=400)
    asyncio.run(scene.verifier.tidy())
    for action in ("withdraw", "erase", "status"):
        assert take(scene, act(scene, made, action)).token == first
    item = {"credential": "certificate", "path": ["family_name"]}
    assert take(scene, act(scene, made, "erase", items=[item])).token == first
    assert events(scene, made).count(Event.DELETED) == 1


def test_a_share_is_named_by_its_request_id_as_well(scene: Scene) -> None:
    """The number in the notice does as well as the nonce, and both together."""
    made = shared(scene)

    assert take(scene, act(scene, made, nonce=None, request_id=made.transaction.handle)).token
    assert take(scene, act(scene, made, request_id=made.transaction.handle)).token


def test_status_of_a_share_that_nobody_took_back(scene: Scene) -> None:
    """It is kept, and until when; asking changes nothing."""
    made = shared(scene)

    answer = take(scene, act(scene, made, "status"))

    assert answer == DeskAnswer(200, members={"state": "kept", "kept_until": "2027-02-18"})
    assert scene.result(made).is_accepted


def test_an_answer_whose_browser_has_not_come_back_can_be_taken_back(scene: Scene) -> None:
    """The person changes their mind at once: nothing is kept, and coming back does not change that."""
    mine = browser_binding(b"mine")
    made = scene.ask(kind=Kind.SAME_DEVICE, binding=mine)
    code = response_code_of(scene.answer(made))

    first = take(scene, act(scene, made))

    assert statement_of(first, scene, made).outcome is StatementOutcome.DELETED
    scene.verifier.redeem(code, binding=mine)
    assert scene.result(made).state is State.WITHDRAWN
    assert values(scene, made) == []


def test_an_answer_that_did_not_come_back_has_a_statement_too(scene: Scene) -> None:
    """It was deleted when another browser brought its code; the statement says when."""
    made = scene.ask(kind=Kind.SAME_DEVICE, binding=browser_binding(b"mine"))
    code = response_code_of(scene.answer(made))
    with pytest.raises(NoSuchRequest):
        scene.verifier.redeem(code, binding=browser_binding(b"theirs"))
    deleted_at = scene.now
    scene.pass_time(days=1)

    statement = statement_of(take(scene, act(scene, made)), scene, made)

    assert statement.deleted_at == deleted_at.timestamp()
    assert ("certificate", "family_name") in names(statement)


def test_a_statement_is_by_this_verifier_and_no_other(scene: Scene) -> None:
    """A wallet that expects another recipient refuses it."""
    made = shared(scene)
    token = take(scene, act(scene, made)).token
    for wrong in ("x509_hash:" + "A" * 43, "x509_san_dns:other.example"):
        with pytest.raises(Refused):
            check_recipient_message(
                token, typ=STATEMENT_TYPE, expected_client_id=wrong, trust=TrustList(), now=scene.now
            )


# ---------------------------------------------------------------------------------------------------------------------
# Erasing a part


def test_a_chosen_item_goes_and_the_rest_stays(scene: Scene) -> None:
    """The optional grade goes with the presentation that showed it; the required part stays, evidence included."""
    made = shared(scene)
    item = {"credential": "certificate-optional-4", "path": ["assessment_grade"]}

    statement = statement_of(take(scene, act(scene, made, "erase", items=[item])), scene, made)

    assert (statement.reason, statement.outcome) == (Reason.ERASED, StatementOutcome.DELETED)
    assert names(statement) == {("certificate-optional-4", "assessment_grade")}
    assert len(statement.destroyed_keys) == 1
    assert ("assessment_grade",) not in values(scene, made)
    assert ("family_name",) in values(scene, made)
    record = scene.result(made)
    assert record.is_accepted
    assert record.state is State.ANSWERED
    contents = scene.verifier.contents(made.id, viewer="test")
    assert contents is not None
    assert [query_id for query_id, _ in contents.evidence] == ["certificate"] + [
        f"certificate-optional-{number}" for number in (1, 2, 3)
    ]


def test_evidence_that_shows_an_erased_item_goes_with_it(scene: Scene) -> None:
    """A presentation is signed as a whole, so that it cannot be kept without the item; the other items can."""
    made = shared(scene, optional=False)
    with scene.verifier.database.reading() as connection:
        before = connection.exec_driver_sql("SELECT key_id FROM contents").scalar_one()
    item = {"credential": "certificate", "path": ["family_name"]}

    statement = statement_of(take(scene, act(scene, made, "erase", items=[item])), scene, made)

    assert statement.destroyed_keys == (before,)
    contents = scene.verifier.contents(made.id, viewer="test")
    assert contents is not None
    assert contents.evidence == ()
    assert ("date_of_issuance",) in values(scene, made)
    assert ("family_name",) not in values(scene, made)
    assert not any("Kanarek" in str(item.value) for item in contents.items)


def test_one_course_of_several_can_be_erased(scene: Scene) -> None:
    """A number in a path names one element; the others stay, and where they stand stays as well."""
    made = shared(scene, "course-results", optional=False)
    item = {"credential": "transcript", "path": ["courses", 0]}

    statement = statement_of(take(scene, act(scene, made, "erase", items=[item])), scene, made)

    assert names(statement) == {
        ("transcript", "courses", 0, "achievement_title"),
        ("transcript", "courses", 0, "date_of_issuance"),
    }
    left = values(scene, made)
    assert ("courses", 1, "achievement_title") in left
    assert not [path for path in left if path[:2] == ("courses", 0)]


def asked_twice(scene: Scene) -> MadeRequest:
    """An answered request that asks for the same items twice, met by one certificate."""
    template = scene.template().model_dump(mode="json", exclude_defaults=True)
    first = template["credentials"][0]
    wanted = [item for item in first["items"] if item["path"] in (["family_name"], ["date_of_issuance"])]
    again = first | {"id": "again", "items": wanted}
    made = scene.ask(parse_template(template | {"credentials": [first, again]}))
    scene.answer(made)
    return made


def test_what_is_kept_on_a_ground_does_not_go_by_another_name(waiting: Scene) -> None:
    """Asked for twice: keeping it once keeps it, and the statement does not say that it was deleted."""
    made = asked_twice(waiting)
    take(waiting, act(waiting, made))
    (one,) = inbox(waiting)
    kept = [item for item in waiting.verifier.deletions.store.askable(one.id) if item.path == ("family_name",)][:1]
    exception = StatedException(ground=Ground.LEGAL_CLAIMS, words=WORDS, items=tuple(kept))

    asyncio.run(waiting.verifier.deletions.refuse(one.id, [exception], actor="anna"))

    statement = statement_of(take(waiting, act(waiting, made, "status")), waiting, made)
    assert ("family_name",) in values(waiting, made)
    assert ("date_of_issuance",) not in values(waiting, made)
    assert not [item for item in statement.items if item.path == ("family_name",)]


def test_the_same_item_of_the_same_certificate_goes_wherever_it_was_asked(scene: Scene) -> None:
    """Asked for twice, shown from one certificate: erasing it under one name erases it under the other."""
    made = asked_twice(scene)
    item = {"credential": "again", "path": ["family_name"]}

    statement = statement_of(take(scene, act(scene, made, "erase", items=[item])), scene, made)

    assert names(statement) == {("again", "family_name"), ("certificate", "family_name")}
    contents = scene.verifier.contents(made.id, viewer="test")
    assert contents is not None
    assert contents.evidence == ()
    assert ("family_name",) not in values(scene, made)


def test_erasing_every_item_leaves_nothing(scene: Scene) -> None:
    """With the last thing that was asked for goes what the certificate always shows; the answer stays accepted."""
    made = shared(scene, optional=False)
    for name in ("family_name", "date_of_issuance"):
        take(scene, act(scene, made, "erase", items=[{"credential": "certificate", "path": [name]}]))

    record = scene.result(made)
    assert (record.state, record.has_contents) == (State.DELETED, False)
    assert record.is_accepted
    statement = statement_of(take(scene, act(scene, made)), scene, made)
    assert names(statement) == {("certificate", "family_name"), ("certificate", "date_of_issuance")}
    assert scene.result(made).state is State.WITHDRAWN


def test_a_whole_certificate_is_named_by_an_empty_path(scene: Scene) -> None:
    """Everything of that credential query goes, asked or always visible."""
    made = shared(scene)
    item = {"credential": "certificate-optional-1", "path": []}

    statement = statement_of(take(scene, act(scene, made, "erase", items=[item])), scene, made)

    assert names(statement) == {("certificate-optional-1", "level_of_learning_experience")}
    assert ("level_of_learning_experience",) not in values(scene, made)


def test_the_last_statement_is_about_all_of_the_share(scene: Scene) -> None:
    """First one item, then everything: the second statement names the first item, too."""
    made = shared(scene)
    item = {"credential": "certificate-optional-4", "path": ["assessment_grade"]}
    take(scene, act(scene, made, "erase", items=[item]))

    statement = statement_of(take(scene, act(scene, made)), scene, made)

    assert ("certificate-optional-4", "assessment_grade") in names(statement)
    assert ("certificate", "family_name") in names(statement)


# ---------------------------------------------------------------------------------------------------------------------
# Retention


def test_on_the_retention_date_the_verifier_deletes_unprompted_and_says_so(scene: Scene) -> None:
    """Nobody has to ask: `status` gives the statement, and so does every wish that comes later (CS-38)."""
    made = shared(scene)
    scene.now = datetime(2027, 2, 18, 23, 0, tzinfo=UTC)
    assert asyncio.run(scene.verifier.tidy()) == 1

    first = take(scene, act(scene, made, "status"))
    statement = statement_of(first, scene, made)

    assert (statement.reason, statement.outcome) == (Reason.RETENTION, StatementOutcome.DELETED)
    assert statement.deleted_at == scene.now.timestamp()
    assert ("certificate", "family_name") in names(statement)
    assert take(scene, act(scene, made)).token == first.token
    record = scene.result(made)
    assert (record.state, record.is_accepted) == (State.WITHDRAWN, False)


def test_values_that_went_on_their_date_leave_the_answer_accepted(scene: Scene) -> None:
    """The state says that nothing is kept; what the checks said stays true."""
    made = shared(scene)
    scene.pass_time(days=91)

    record = scene.result(made)

    assert (record.state, record.is_accepted, record.has_contents) == (State.DELETED, True, False)


# ---------------------------------------------------------------------------------------------------------------------
# Where staff decides


def inbox(scene: Scene) -> list[Any]:
    """What waits for a decision."""
    return scene.verifier.deletions.store.open()


def refuse(scene: Scene, deletion_id: str, *, only: str = "") -> Any:
    """Refuse as staff would, everything or one item."""
    desk = scene.verifier.deletions
    items = tuple(item for item in desk.store.askable(deletion_id) if not only or only in item.path)
    exception = StatedException(ground=Ground.LEGAL_OBLIGATION, words=WORDS, items=items)
    return asyncio.run(desk.refuse(deletion_id, [exception], actor="anna"))


def test_a_wish_that_waits_is_received_with_its_day(waiting: Scene) -> None:
    """202, when, and until when it must be answered; values are covered at once."""
    made = shared(waiting)

    answer = take(waiting, act(waiting, made))

    assert answer.status == 202
    assert answer.members == {
        "state": "received",
        "received_at": "2026-11-20T12:00:00+00:00",
        "due_on": "2026-12-20",
    }
    assert take(waiting, act(waiting, made, "status")) == answer
    record = waiting.result(made)
    assert (record.state, record.is_accepted, record.has_contents) == (State.WITHDRAWN, False, False)
    assert waiting.verifier.contents(made.id, viewer="test") is None
    with waiting.verifier.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM contents").scalar_one() == 5


def test_the_same_wish_again_does_not_start_another_month(waiting: Scene) -> None:
    """One row in the inbox, with the day of the first."""
    made = shared(waiting)
    first = take(waiting, act(waiting, made))
    waiting.pass_time(days=5)

    assert take(waiting, act(waiting, made)) == first
    assert len(inbox(waiting)) == 1
    assert events(waiting, made).count(Event.ERASURE_ASKED) == 1


def test_wishes_add_up_while_one_is_open(waiting: Scene) -> None:
    """Two items, then everything: one row, from the day of the first."""
    made = shared(waiting)
    for number, name in ((1, "level_of_learning_experience"), (2, "credits")):
        item = {"credential": f"certificate-optional-{number}", "path": [name]}
        take(waiting, act(waiting, made, "erase", items=[item]))
        waiting.pass_time(days=1)
    (one,) = inbox(waiting)
    assert one.chosen is not None
    assert {item.path for item in one.chosen} == {("level_of_learning_experience",), ("credits",)}

    take(waiting, act(waiting, made))

    (one,) = inbox(waiting)
    assert (one.action, one.chosen, one.due_on) == ("withdraw", None, date(2026, 12, 20))


def test_staff_deletes_and_the_wallet_gets_the_statement(waiting: Scene) -> None:
    """Who decided stands in the log."""
    made = shared(waiting)
    take(waiting, act(waiting, made, receipt_id="r1"))
    waiting.pass_time(days=2)

    asyncio.run(waiting.verifier.deletions.delete(inbox(waiting)[0].id, actor="anna"))

    statement = statement_of(take(waiting, act(waiting, made, "status")), waiting, made)
    assert (statement.reason, statement.outcome, statement.receipt_id) == ("withdrawn", "deleted", "r1")
    assert statement.backups_until == date(2026, 12, 2)
    assert inbox(waiting) == []
    entry = waiting.verifier.requests.log(request_id=made.id)[0]
    assert (entry.event, entry.actor) == (Event.DELETED, "anna")


def test_a_refusal_states_its_ground_and_keeps_the_values(waiting: Scene) -> None:
    """Nothing deleted, why in both languages; the same wish again that day gets the same answer; staff delete after
    all."""
    made = shared(waiting)
    take(waiting, act(waiting, made))
    done = refuse(waiting, inbox(waiting)[0].id)

    first = take(waiting, act(waiting, made))

    statement = statement_of(first, waiting, made)
    assert (statement.outcome, statement.deleted_at, statement.items) == (StatementOutcome.REFUSED, None, ())
    assert statement.backups_until is None
    assert statement.exceptions[0].ground is Ground.LEGAL_OBLIGATION
    assert statement.exceptions[0].words == WORDS
    assert ("certificate", "family_name") in {(i.credential, *i.path) for i in statement.exceptions[0].items}
    waiting.pass_time(hours=23)
    assert take(waiting, act(waiting, made)).token == first.token
    assert ("family_name",) in values(waiting, made)
    assert waiting.result(made).state is State.WITHDRAWN

    asyncio.run(waiting.verifier.deletions.delete(done.id, actor="anna"))
    statement = statement_of(take(waiting, act(waiting, made)), waiting, made)
    assert statement.outcome is StatementOutcome.DELETED
    assert values(waiting, made) == []


def test_a_part_can_be_kept_on_a_ground_and_the_rest_goes(waiting: Scene) -> None:
    """The statement tells both."""
    made = shared(waiting)
    take(waiting, act(waiting, made))

    done = refuse(waiting, inbox(waiting)[0].id, only="family_name")

    statement = statement_of(take(waiting, act(waiting, made, "status")), waiting, made)
    assert (done.state, statement.outcome) == (DeletionState.PARTLY, StatementOutcome.PARTLY)
    assert {item.path for item in statement.exceptions[0].items} == {("family_name",)}
    assert ("certificate", "family_name") not in names(statement)
    assert ("certificate-optional-2", "credits") in names(statement)
    asked = [path for path in values(waiting, made) if path in {("family_name",), ("credits",), ("date_of_issuance",)}]
    assert asked == [("family_name",)]


def test_what_is_deleted_is_not_decided_again(waiting: Scene) -> None:
    """Nor is a refusal refused."""
    made = shared(waiting)
    take(waiting, act(waiting, made))
    one = inbox(waiting)[0]
    refuse(waiting, one.id)
    with pytest.raises(AlreadyDecided):
        refuse(waiting, one.id)
    done = asyncio.run(waiting.verifier.deletions.delete(one.id, actor=""))
    with pytest.raises(AlreadyDecided):
        asyncio.run(waiting.verifier.deletions.delete(done.id, actor=""))


def test_the_retention_date_closes_what_nobody_decided(waiting: Scene) -> None:
    """Values go on their date whether or not somebody has looked at the inbox."""
    made = shared(waiting)
    take(waiting, act(waiting, made, receipt_id="r1"))
    waiting.pass_time(days=91)
    asyncio.run(waiting.verifier.tidy())

    statement = statement_of(take(waiting, act(waiting, made, "status")), waiting, made)

    assert (statement.reason, statement.receipt_id) == (Reason.RETENTION, "r1")
    assert inbox(waiting) == []
    assert len(waiting.verifier.deletions.store.of_request(made.id)) == 1


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (datetime(2026, 1, 31, 12, tzinfo=UTC), date(2026, 2, 28)),
        (datetime(2028, 1, 31, 12, tzinfo=UTC), date(2028, 2, 29)),
        (datetime(2026, 12, 15, 12, tzinfo=UTC), date(2027, 1, 15)),
        (datetime(2026, 11, 30, 12, tzinfo=UTC), date(2026, 12, 30)),
        (datetime(2026, 11, 29, 23, 30, tzinfo=UTC), date(2026, 12, 30)),  # already the 30th in Stockholm
    ],
)
def test_the_month_runs_to_the_same_day_or_the_last(received: datetime, due: date) -> None:
    """As days are counted where the organisation is."""
    assert due_date(received, time_zone="Europe/Stockholm") == due


# ---------------------------------------------------------------------------------------------------------------------
# Counter-signing


def test_a_receipt_of_a_share_is_countersigned(scene: Scene) -> None:
    """Over the SHA-256 of the very bytes; it works after deletion, too."""
    made = shared(scene)
    receipt = receipt_for(scene, made)

    for number in range(2):
        token = asyncio.run(scene.verifier.deletions.countersign(submission(scene, made, receipt)))
        claims, _ = check_recipient_message(
            token,
            typ=COUNTERSIGNATURE_TYPE,
            expected_client_id=made.transaction.client_id,
            trust=TrustList(),
            now=scene.now,
        )
        assert claims["receipt_sha256"] == base64url.encode(hashlib.sha256(receipt.encode()).digest())
        assert claims["request_id"] == made.transaction.handle
        if not number:
            take(scene, act(scene, made))
    assert Event.COUNTERSIGNED in events(scene, made)


def test_requests_are_still_what_openid4vp_says(scene: Scene) -> None:
    """Where to take back stands in the notice alone."""
    made = scene.ask()
    parameters = scene.fetch(made)
    assert not {name for name in parameters if "withdraw" in name or "receipt" in name}
    token = parameters["verifier_info"][0]["data"]
    assert request_parameters_of(token)["withdraw"]["endpoint"] == "http://localhost:8003/withdrawals"


# ---------------------------------------------------------------------------------------------------------------------
# Many


def test_nothing_of_many_deleted_shares_is_left_in_pages_that_are_used_again(scene: Scene) -> None:
    """Here and there between others that stay, some in two steps: rows are moved about, and leave nothing behind."""
    made = [shared(scene, "course-results" if number % 2 else "employer-micro-credential") for number in range(24)]
    gone: set[bytes] = set()
    for number, one in enumerate(made):
        if number % 3 == 0:
            continue
        gone |= pieces(scene, one)
        if number % 3 == 1:
            first = one.transaction.question.template.credentials[0].id
            take(scene, act(scene, one, "erase", items=[{"credential": first, "path": ["family_name"]}]))
            gone |= pieces(scene, one)
        take(scene, act(scene, one))
    left = {piece for one in made[::3] for piece in pieces(scene, one)}
    files = [path.read_bytes() for path in scene.settings.data.rglob("*") if path.is_file()]

    assert len(gone) > 500
    assert not [piece for piece in gone if any(piece in content for content in files)]
    assert [piece for piece in left if any(piece in content for content in files)]


def pieces(scene: Scene, made: MadeRequest) -> set[bytes]:
    """Pieces of what is sealed of a share, all through, and of its wrapped keys."""
    with scene.verifier.database.reading() as connection:
        number = connection.exec_driver_sql(
            "SELECT contents_number FROM requests WHERE id = ?", (made.id,)
        ).scalar_one()
        rows = connection.exec_driver_sql(
            "SELECT sealed, wrapped_key FROM contents WHERE place BETWEEN ? AND ?", places_of(number)
        ).all()
    return {bytes(part)[start : start + 24] for row in rows for part in row for start in range(1, len(part) - 24, 200)}


@pytest.mark.parametrize(
    "cut",
    [
        "DELETE FROM log WHERE number = (SELECT max(number) FROM log)",
        "DELETE FROM log WHERE number = 2",
        "DELETE FROM log WHERE number = 1",
        "DELETE FROM log",
    ],
)
def test_d28_a_log_that_was_cut_is_noticed(scene: Scene, cut: str) -> None:
    """At its end, in the middle, at its beginning: by the numbers, and by what refers to them."""
    made = shared(scene)
    take(scene, act(scene, made))
    asyncio.run(scene.verifier.check_log())
    assert scene.verifier.log_is_whole

    with scene.verifier.database.transaction() as connection:
        connection.exec_driver_sql(cut)
    asyncio.run(scene.verifier.check_log())

    assert not scene.verifier.log_is_whole
