"""Standing permissions: forged, foreign, replayed, prolonged, raced with their end (docs/standing-permission.md)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from proofs import base64url, strict_json
from proofs.after_share import InvalidHolderMessage, StaleHolderMessage
from proofs.keys import generate_signer
from proofs.resolve import DictResolver
from schemas.errors import NotFound, ProtocolError, TemporarilyUnavailable
from schemas.standing_permission import PermissionState, RecheckOutcome
from schemas.withdrawal import WITHDRAWAL_TYPE
from service.accounts import Accounts
from service.http import HostRouter, OutgoingHTTP
from tests.attacks.test_verifier_processes import Rejoined
from tests.two_processes import in_two_processes
from tests.verifier.permitting import (
    ITEMS,
    PURPOSE,
    WHOLE,
    answered,
    check_again,
    later,
    offering,
    permitted,
    post,
    stated,
    wish,
)
from tests.verifier.scene import MICRO_CLAIMS, Scene
from tests.verifier.withdrawing import act, ago, take
from verifier.app import create_app
from verifier.deletion import UnknownItem
from verifier.exchange import MadeRequest
from verifier.rechecks import NoPermission, NotOffered, RecheckNotPermitted
from verifier.requests import Kind
from verifier.store.shares import NoSuchShare, Replayed


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A verifier."""
    return Scene(tmp_path)


@pytest.fixture
def made(scene: Scene) -> MadeRequest:
    """A request that offers later checks, answered, without a permission."""
    return answered(scene)


def assert_nothing_permitted(scene: Scene, made: MadeRequest) -> None:
    """There is no permission, and no check."""
    assert stated(scene, made).state is PermissionState.NONE
    with pytest.raises(RecheckNotPermitted, match="none"):
        check_again(scene, made)
    with scene.verifier.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM rechecks").scalar_one() == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"signer": generate_signer()},
        {"nonce": "x" * 43},
        {"nonce": None, "request_id": "x" * 22},
        {"aud": "x509_hash:somebody-else"},
    ],
)
def test_nobody_else_gives_changes_or_reads_a_permission(
    scene: Scene, made: MadeRequest, wrong: dict[str, Any]
) -> None:
    """Another key, another share, another recipient: one and the same answer, and nothing has happened."""
    for action in ("grant", "pause", "resume", "end", "status"):
        with pytest.raises(NoSuchShare) as refused:
            post(scene, wish(scene, made, action, **wrong))
        assert (refused.value.error, refused.value.status) == ("not_found", 404)
    assert_nothing_permitted(scene, made)


def test_the_key_of_another_share_permits_nothing(scene: Scene, made: MadeRequest) -> None:
    """A key that bound something else here is no better than any other key."""
    mine = scene.holder
    scene.holder = generate_signer()
    scene.certificate = scene.issuer.issue(MICRO_CLAIMS, holder=scene.holder)
    other = answered(scene)

    for signer, share in ((scene.holder, made), (mine, other)):
        with pytest.raises(NoSuchShare):
            post(scene, wish(scene, share, signer=signer))
    scene.holder = mine
    assert_nothing_permitted(scene, made)


def test_a_forged_signature_another_kind_and_no_signature_permit_nothing(scene: Scene, made: MadeRequest) -> None:
    """A changed body, an algorithm of none, a message of taking back."""
    header, payload, signature = wish(scene, made).split(b".")
    longer = strict_json.loads_object(base64url.decode(payload.decode())) | {"until": "2027-03-01"}
    changed = b".".join((header, base64url.encode(strict_json.dumps(longer)).encode(), signature))
    unsigned = base64url.encode(strict_json.dumps({"alg": "none", "typ": "intyga-standing-permission+jwt"})).encode()

    for body in (
        changed,
        b".".join((unsigned, payload, b"")),
        wish(scene, made, typ=WITHDRAWAL_TYPE),
        wish(scene, made, typ="JWT"),
        b"",
        b"a.b.c",
        "å".encode(),
        wish(scene, made) + b"." * 60_000,
    ):
        with pytest.raises(InvalidHolderMessage):
            post(scene, body)
    assert_nothing_permitted(scene, made)


@pytest.mark.parametrize(
    "wrong",
    [
        {"until": "2027-02-19"},  # one day more than was offered
        {"until": "2036-01-01"},
        {"until": "9999-12-31"},
        {"purpose": {"sv": PURPOSE["sv"], "en": "We keep an eye on you, whatever you do."}},
        {"purpose": {"sv": PURPOSE["sv"]}},
    ],
)
def test_a_grant_is_never_more_than_was_offered(scene: Scene, made: MadeRequest, wrong: dict[str, Any]) -> None:
    """Another purpose or a later day would not be what the person saw: whoever sends it, it does not count."""
    assert made.transaction.recheck_until is not None
    assert made.transaction.recheck_until.isoformat() == "2027-02-18"
    with pytest.raises(NotOffered):
        post(scene, wish(scene, made, **wrong))
    assert_nothing_permitted(scene, made)


@pytest.mark.parametrize(
    "wrong",
    [
        {"items": None},
        {"items": []},
        {"items": ITEMS * 201},
        {"until": None},
        {"until": "soon"},
        {"purpose": None},
        {"wished_at": None},
        {"wished_at": -1},
        {"wished_at": 2**60},
        {"wished_at": "now"},
        {"action": "forever"},
    ],
)
def test_a_grant_that_does_not_say_all_of_it_is_none(scene: Scene, made: MadeRequest, wrong: dict[str, Any]) -> None:
    """Items, day, purpose and moment must all be there, in their form."""
    with pytest.raises(InvalidHolderMessage):
        post(scene, wish(scene, made, **wrong))
    assert_nothing_permitted(scene, made)


def test_only_items_of_this_share_can_be_named(scene: Scene, made: MadeRequest) -> None:
    """An item that was never shown cannot be let checked, and its name is kept nowhere."""
    for path in (["assessment_grade", "canary"], ["a-canary"]):
        with pytest.raises(UnknownItem):
            post(scene, wish(scene, made, items=[{"credential": "certificate", "path": path}]))
    with pytest.raises(UnknownItem):
        post(scene, wish(scene, made, items=[{"credential": "another", "path": []}]))
    assert_nothing_permitted(scene, made)
    assert post(scene, wish(scene, made, items=WHOLE)).items != ()


def test_nothing_can_be_given_where_nothing_was_offered(scene: Scene) -> None:
    """The template of the request decides, not the message."""
    made = scene.ask()
    scene.answer(made)
    with pytest.raises(NotOffered):
        post(scene, wish(scene, made, until="2026-12-01"))
    assert_nothing_permitted(scene, made)


def test_a_permission_is_never_prolonged_or_begun_anew(scene: Scene) -> None:
    """A second grant changes nothing, whatever it says; after the end no grant counts."""
    made = answered(scene)
    first = post(scene, wish(scene, made, until="2026-12-01"))
    again = post(scene, wish(scene, made, until="2027-02-18", wished_at=later(scene, seconds=1)))
    assert (first.until, again.until) == (first.until, first.until)

    post(scene, wish(scene, made, "end"))

    for action in ("grant", "resume"):
        assert post(scene, wish(scene, made, action, wished_at=later(scene, minutes=1))).state is PermissionState.ENDED
    with pytest.raises(RecheckNotPermitted, match="ended"):
        check_again(scene, made)


def test_an_end_that_overtakes_its_grant_still_ends_it(scene: Scene, made: MadeRequest) -> None:
    """The grant was held up on its way: when it comes, the person has long said no."""
    grant = wish(scene, made)
    post(scene, wish(scene, made, "end"))

    assert post(scene, grant).state is PermissionState.ENDED
    with pytest.raises(RecheckNotPermitted, match="ended"):
        check_again(scene, made)


def test_a_resume_that_was_held_up_does_not_undo_a_later_pause(scene: Scene) -> None:
    """Of two wishes the later one counts, in whatever order they arrive."""
    made = permitted(scene)
    post(scene, wish(scene, made, "pause", wished_at=later(scene, seconds=1)))
    held_up = wish(scene, made, "resume", wished_at=later(scene, seconds=2))
    post(scene, wish(scene, made, "resume", wished_at=later(scene, seconds=3)))
    post(scene, wish(scene, made, "pause", wished_at=later(scene, seconds=4)))

    assert post(scene, held_up).state is PermissionState.PAUSED
    with pytest.raises(RecheckNotPermitted, match="paused"):
        check_again(scene, made)


def test_a_wish_from_the_future_cannot_lock_out_the_person(scene: Scene) -> None:
    """A moment far ahead would win over all that the person wishes from now on."""
    made = permitted(scene)
    with pytest.raises(InvalidHolderMessage, match="future"):
        post(scene, wish(scene, made, "resume", wished_at=later(scene, days=3000)))
    assert post(scene, wish(scene, made, "pause")).state is PermissionState.PAUSED


def test_a_pause_without_a_permission_is_refused(scene: Scene, made: MadeRequest) -> None:
    """There is nothing to pause, and nothing begins by it."""
    for action in ("pause", "resume"):
        with pytest.raises(NoPermission):
            post(scene, wish(scene, made, action))
    assert_nothing_permitted(scene, made)


def test_a_message_counts_once_and_only_now(scene: Scene, made: MadeRequest) -> None:
    """The same bytes again are refused in every process, as are old ones."""
    body = wish(scene, made)
    post(scene, body)
    for verifier in (None, scene.second_process()):
        with pytest.raises(Replayed):
            post(scene, body, verifier=verifier)
    for seconds in (301, -301):
        with pytest.raises(StaleHolderMessage):
            post(scene, wish(scene, made, "end", iat=ago(scene, seconds=seconds)))
    assert stated(scene, made).state is PermissionState.ACTIVE


def test_an_answer_that_does_not_count_cannot_be_checked_later(scene: Scene) -> None:
    """A browser that has not come back yet: until then there is nothing to permit."""
    made = scene.ask(offering(scene), kind=Kind.SAME_DEVICE, binding="somebody")
    scene.answer(made)
    with pytest.raises(NotOffered):
        post(scene, wish(scene, made))
    assert_nothing_permitted(scene, made)


def test_nothing_is_permitted_about_what_is_gone_or_shall_go(tmp_path: Path) -> None:
    """After taking back, whether it is deleted or waits for staff."""
    for number, at_once in enumerate((True, False)):
        scene = Scene(tmp_path / str(number), withdraw_at_once=at_once)
        made = answered(scene)
        take(scene, act(scene, made, "withdraw"))
        with pytest.raises(NotOffered):
            post(scene, wish(scene, made))
        assert_nothing_permitted(scene, made)


def test_a_verifier_without_a_key_takes_no_permission(tmp_path: Path) -> None:
    """What it stated could not be told from anybody's word."""
    scene = Scene(tmp_path, client_id_prefix="redirect_uri")
    with pytest.raises(NotFound):
        asyncio.run(scene.verifier.rechecks.take_act(b"a.b.c"))


def test_an_outcome_that_comes_after_the_end_is_not_kept(scene: Scene) -> None:
    """The end came while the list was being read: that a check was made is told, what it found is thrown away."""
    made = permitted(scene)
    store = scene.verifier.rechecks.store
    claimed = store.claim(made.id, actor="test", now=scene.now)
    post(scene, wish(scene, made, "end"))

    assert store.finish(claimed, RecheckOutcome.REVOKED, now=scene.now) is RecheckOutcome.DISCARDED
    assert [one.outcome for one in stated(scene, made).checks] == [RecheckOutcome.DISCARDED]


def test_over_the_interface_nothing_is_checked_without_a_permission(tmp_path: Path) -> None:
    """A program with a key gets 409 and the reason; the request of another program does not exist for it."""
    scene = Scene(tmp_path)
    app = create_app(
        scene.settings,
        http=OutgoingHTTP(transport=HostRouter({})),
        clock=scene.clock,
        resolver=DictResolver(status_lists=scene.lists),
    )
    accounts: Accounts = app.state.accounts
    (key, secret), (_, other) = (asyncio.run(accounts.new_api_key(name, now=scene.now)) for name in ("one", "two"))
    made = scene.verifier.make_request(offering(scene), kind=Kind.CROSS_DEVICE, maker=key.id)
    scene.answer(made)
    with TestClient(app, base_url="http://localhost:8003") as client:
        url, mine = f"/api/requests/{made.id}/recheck", {"Authorization": f"Bearer {secret}"}
        refused = client.post(url, headers=mine)
        foreign = client.post(url, headers={"Authorization": f"Bearer {other}"})
        nobody = client.post(url)
        post(scene, wish(scene, made))
        checked = client.post(url, headers=mine)
        again = client.post(url, headers=mine)

    assert (refused.status_code, refused.json()["error"]) == (409, "recheck_not_permitted")
    assert (foreign.status_code, nobody.status_code) == (404, 401)
    assert (checked.status_code, checked.json()["outcome"]) == (200, "valid")
    assert again.status_code == 409


# --- processes -------------------------------------------------------------------------------------------------------


def check_all(data: Path, token: str, list_url: str, request_id: str, count: int, barrier: Any, results: Any) -> None:
    """In a process of its own: check again as often as it can."""
    scene = Rejoined(data, token, list_url)
    barrier.wait(60)
    for _ in range(count):
        results.put(_patiently(lambda: asyncio.run(scene.verifier.rechecks.check_again(request_id, actor="test"))))


def claim_then_end(
    data: Path, token: str, list_url: str, request_id: str, body: bytes, barrier: Any, results: Any
) -> None:
    """In a process of its own: end the permission (with a message), or check again (without one)."""
    scene = Rejoined(data, token, list_url)
    barrier.wait(60)
    if body:
        results.put(_patiently(lambda: asyncio.run(scene.verifier.rechecks.take_act(body)) and "end"))
    else:
        results.put(
            _patiently(lambda: scene.verifier.rechecks.store.claim(request_id, actor="t", now=scene.now) and "use")
        )


def _patiently(work: Any) -> str:
    for _ in range(500):
        try:
            return str(work())
        except TemporarilyUnavailable:
            continue
        except ProtocolError as exc:
            return str(exc)
    return "busy"


@pytest.mark.processes
def test_two_processes_use_a_permission_once(tmp_path: Path) -> None:
    """Sixteen tries at the same moment: one is a check, the others come too soon."""
    scene = Scene(tmp_path)
    made = permitted(scene)
    shared = (tmp_path, scene.lists[scene.issuer.list_url], scene.issuer.list_url, made.id, 8)

    found = in_two_processes(check_all, [shared, shared], 16)

    assert sum(one == "valid" for one in found) == 1
    assert sum("too_soon" in one for one in found) == 15
    assert len(stated(scene, made).checks) == 1


@pytest.mark.processes
def test_cs33_a_check_and_the_end_have_an_order(tmp_path: Path) -> None:
    """Raced in two processes, again and again: the check is in the record of the end, or it is refused."""
    for number in range(6):
        scene = Scene(tmp_path / str(number))
        made = permitted(scene)
        about = (tmp_path / str(number), scene.lists[scene.issuer.list_url], scene.issuer.list_url, made.id)

        found = in_two_processes(claim_then_end, [(*about, wish(scene, made, "end")), (*about, b"")], 2)

        told = stated(scene, made)
        assert told.state is PermissionState.ENDED
        assert "end" in found
        used = "use" in found
        assert used or any("ended" in one for one in found)
        assert len(told.checks) == int(used)
        with pytest.raises(RecheckNotPermitted, match="ended"):
            check_again(scene, made)
