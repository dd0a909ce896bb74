"""Attacks on requests, on coming back, and on what is kept (edge cases V-07, V-08, V-17, and DESIGN 4.4)."""

import asyncio
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.verifier.scene import Scene, response_code_of
from verifier.exchange import browser_binding
from verifier.request_templates import parse_template
from verifier.requests import InvalidReturnURL, Kind
from verifier.store import Event, NoSuchRequest, State

MINE, THEIRS = browser_binding(b"mine"), browser_binding(b"theirs")
CANARIES = ("Kanarek-Test", "2026-06-12")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A verifier with an issuer and a holder."""
    return Scene(tmp_path)


# --- V-07, V-08: coming back ------------------------------------------------------------------------------------------


def test_v07_each_answer_has_a_fresh_response_code(scene: Scene) -> None:
    """256 bits, never the same, not in the database."""
    codes = {response_code_of(scene.answer(scene.ask(kind=Kind.SAME_DEVICE, binding=MINE))) for _ in range(3)}

    with scene.verifier.database.reading() as connection:
        stored = str(connection.exec_driver_sql("SELECT * FROM requests").all())
    assert len(codes) == 3
    assert {len(code) for code in codes} == {43}
    assert not any(code in stored for code in codes)


def test_v07_a_response_code_works_once(scene: Scene) -> None:
    """Whoever finds the address in a history finds nothing."""
    made = scene.ask(kind=Kind.SAME_DEVICE, binding=MINE)
    code = response_code_of(scene.answer(made))
    scene.verifier.redeem(code, binding=MINE)

    with pytest.raises(NoSuchRequest):
        scene.verifier.redeem(code, binding=MINE)

    assert scene.result(made).is_accepted


def test_v08_coming_back_in_another_browser_ends_the_request(scene: Scene) -> None:
    """Session fixation: the attacker's request, the victim's wallet. Rejected, and the values are gone (HAIP 5.1)."""
    made = scene.ask(kind=Kind.SAME_DEVICE, binding=MINE)
    code = response_code_of(scene.answer(made))

    with pytest.raises(NoSuchRequest):
        scene.verifier.redeem(code, binding=THEIRS)
    with pytest.raises(NoSuchRequest):
        scene.verifier.redeem(code, binding=MINE)

    record = scene.result(made)
    assert record.state is State.NOT_RETURNED
    assert not record.is_accepted
    assert not record.has_contents


def test_v08_an_answer_whose_browser_never_comes_back_is_rejected(scene: Scene) -> None:
    """After ten minutes the code is worthless and the values are deleted."""
    made = scene.ask(kind=Kind.SAME_DEVICE, binding=MINE)
    code = response_code_of(scene.answer(made))
    scene.pass_time(minutes=10)

    with pytest.raises(NoSuchRequest):
        scene.verifier.redeem(code, binding=MINE)

    assert scene.result(made).state is State.NOT_RETURNED
    with scene.verifier.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM contents").scalar_one() == 0


def test_v07_a_cross_device_answer_gives_the_phone_nothing(scene: Scene) -> None:
    """No redirect and no code: the result belongs to the screen that showed the QR code."""
    reply = scene.answer(scene.ask())

    assert dict(reply.members) == {}


def test_v07_an_unreturned_result_is_not_told(scene: Scene) -> None:
    """Until the browser is back there are no checks, no issuer and no values to see."""
    made = scene.ask(kind=Kind.SAME_DEVICE, binding=MINE)
    scene.answer(made)

    record = scene.result(made)

    assert (record.verdict, record.proofs, record.result.checks) == (None, (), ())
    assert scene.verifier.contents(made.id, viewer="test") is None


@pytest.mark.parametrize(
    "url", ["http://attacker.example/", "javascript:alert(1)", "https://", "https://a.example/#x", "/relative"]
)
def test_a_return_address_that_leads_astray_is_refused(scene: Scene, url: str) -> None:
    """https only, and nothing that a browser would run."""
    with pytest.raises(InvalidReturnURL):
        scene.ask(kind=Kind.SAME_DEVICE, return_url=url)


# --- request objects --------------------------------------------------------------------------------------------------


def test_a_request_object_is_served_ten_times(scene: Scene) -> None:
    """Reloads are fine, harvesting is not."""
    made = scene.ask()
    requests = [scene.fetch(made) for _ in range(10)]

    with pytest.raises(NoSuchRequest):
        scene.fetch(made)

    assert len({request["nonce"] for request in requests}) == 1


def test_a_request_object_is_not_served_after_an_answer_or_its_end(scene: Scene) -> None:
    """What is answered, refused or over cannot be read again."""
    answered, declined, expired = scene.ask(), scene.ask(), scene.ask()
    scene.answer(answered)
    scene.post(declined, {"error": "access_denied", "state": scene.fetch(declined)["state"]})
    scene.pass_time(minutes=30)

    for made in (answered, declined, expired):
        with pytest.raises(NoSuchRequest):
            scene.fetch(made)


def test_a_request_object_never_outlives_its_transaction(scene: Scene) -> None:
    """Five minutes, or less when the transaction ends before."""
    made = scene.ask()
    scene.pass_time(minutes=28)

    request = scene.fetch(made)

    assert request["exp"] == int(made.transaction.expires_at.timestamp())


def test_guessing_codes_finds_nothing(scene: Scene) -> None:
    """Fifty random bits; and a code that is none is refused without a look-up."""
    scene.ask()
    for guess in ("0000000000", "ABCDEFGHJK", "", "ABC", "A" * 11, "../../etc1", "UUUUUUUUUU"):
        with pytest.raises(NoSuchRequest):
            asyncio.run(scene.verifier.find_by_code(guess))


# --- V-17: what is kept -----------------------------------------------------------------------------------------------


def test_v17_values_go_on_their_date_and_the_log_stays(scene: Scene) -> None:
    """Kept through the promised day in Stockholm, gone when it has passed; no value was ever in the log."""
    made = scene.ask()
    scene.answer(made)
    last_day = made.transaction.retention_until
    assert last_day == date(2027, 2, 18)

    scene.now = scene.now.replace(year=2027, month=2, day=18, hour=22, minute=59)
    assert scene.verifier.contents(made.id, viewer="test") is not None
    scene.now = scene.now.replace(hour=23, minute=0)
    assert scene.verifier.contents(made.id, viewer="test") is None

    record = scene.result(made)
    assert record.contents_deleted_at == scene.now
    assert record.is_accepted
    events = [entry.event for entry in scene.verifier.requests.log(request_id=made.id)]
    assert events == [Event.DELETED, Event.VIEWED, Event.ANSWERED, Event.OPENED, Event.MADE]


def test_v17_no_file_holds_a_value_in_clear_or_after_deletion(scene: Scene) -> None:
    """Look into every file of the data directory: while kept and afterwards."""
    made = scene.ask()
    scene.answer(made, optional=True)
    assert not _found_in(scene.settings.data)
    with scene.verifier.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT sealed, wrapped_key FROM contents").all()
    pieces = [bytes(piece)[-32:] for row in rows for piece in row]
    assert _found_in(scene.settings.data, *pieces)

    scene.pass_time(days=91)
    scene.result(made)
    scene.verifier.database.close()

    assert not _found_in(scene.settings.data, *pieces)


def test_v17_what_is_deleted_leaves_the_files_of_a_running_service(scene: Scene) -> None:
    """Not only the rows: the log that SQLite keeps beside the database holds the deleted bytes no longer, either."""
    made = scene.ask()
    scene.answer(made, optional=True)
    away = scene.ask(kind=Kind.SAME_DEVICE, binding=MINE)
    code = response_code_of(scene.answer(away, optional=True))
    with scene.verifier.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT sealed FROM contents").scalars().all()
    pieces = [bytes(row)[start : start + 32] for row in rows for start in range(40, len(row) - 32, 500)]
    assert len(pieces) > 4
    assert _found_in(scene.settings.data, *pieces)

    with pytest.raises(NoSuchRequest):
        scene.verifier.redeem(code, binding=THEIRS)
    scene.pass_time(days=91)
    asyncio.run(scene.verifier.tidy())

    assert not _found_in(scene.settings.data, *pieces)


def test_v09_the_key_of_an_answered_request_leaves_the_files_as_well(scene: Scene) -> None:
    """What was encrypted to it stays closed, even to who steals the files later (HAIP 5)."""
    made = scene.ask()
    with scene.verifier.database.reading() as connection:
        key = bytes(connection.exec_driver_sql("SELECT encryption_key FROM requests").scalar_one())
    scene.answer(made)

    asyncio.run(scene.verifier.forget())

    assert not _found_in(scene.settings.data, key[:32], key[-32:])


@pytest.mark.parametrize("days", [0, 1])
def test_v17_values_kept_for_a_day_or_less_go_at_midnight(scene: Scene, days: int) -> None:
    """Asked on 20 November until the 20th or 21st: there until 23.59 in Stockholm, gone at 0.00."""
    template = scene.template().model_dump(mode="json", exclude_defaults=True)
    del template["retention_days"]
    last = scene.now.date() + timedelta(days=days)
    made = scene.ask(parse_template(template | {"retention_until": last.isoformat()}))
    scene.answer(made)
    midnight = scene.now.replace(hour=23, minute=0) + timedelta(days=days)  # in UTC

    scene.now = midnight - timedelta(seconds=1)
    assert scene.verifier.contents(made.id, viewer="test") is not None
    scene.now = midnight
    assert asyncio.run(scene.verifier.tidy()) == 1
    assert asyncio.run(scene.verifier.tidy()) == 0

    assert scene.verifier.contents(made.id, viewer="test") is None
    assert not scene.result(made).has_contents


def test_v17_a_late_answer_is_deleted_as_well(scene: Scene) -> None:
    """Asked yesterday with a date of yesterday, answered today: the values go at once."""
    template = scene.template().model_dump(mode="json", exclude_defaults=True)
    del template["retention_days"]
    today = scene.now.date().isoformat()
    made = scene.ask(parse_template(template | {"retention_until": today}), lifetime_seconds=7 * 24 * 3600)
    scene.pass_time(days=6)
    asyncio.run(scene.verifier.tidy())
    scene.answer(made)

    assert scene.result(made).contents_deleted_at == scene.now
    assert scene.verifier.contents(made.id, viewer="test") is None


def _found_in(directory: Path, *wanted: bytes) -> bool:
    """Whether any file below holds one of these bytes (by default the values of the certificate)."""
    needles = wanted or tuple(canary.encode() for canary in CANARIES)
    contents = [path.read_bytes() for path in directory.rglob("*") if path.is_file()]
    return any(needle in content for needle in needles for content in contents)


def test_v17_the_log_names_checks_and_no_values(scene: Scene) -> None:
    """What a colleague may read years later: what happened, not what was shown."""
    made = scene.ask()
    scene.issuer.set_status(7, 1)
    scene.refresh_list()
    scene.answer(made)

    entry = scene.verifier.requests.log()[0]

    assert (entry.event, entry.outcome) == (Event.ANSWERED, "rejected")
    assert entry.detail.startswith("status")
    assert not any(canary in str(scene.verifier.requests.log()) for canary in CANARIES)


def test_looking_at_values_is_logged(scene: Scene) -> None:
    """Who looked, and when."""
    made = scene.ask()
    scene.answer(made)

    scene.verifier.contents(made.id, viewer="account-7")

    entry = scene.verifier.requests.log()[0]
    assert (entry.event, entry.actor, entry.request_id) == (Event.VIEWED, "account-7", made.id)
