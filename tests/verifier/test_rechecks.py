"""Later checks of the status under a standing permission: given, used, told, paused, ended (CS-07, CS-33)."""

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from proofs.resolve import DictResolver
from schemas.consent import latest_recheck
from schemas.standing_permission import EndReason, PermissionState, RecheckOutcome
from service.commands import CommandFailed
from service.http import HostRouter, OutgoingHTTP
from tests.verifier.permitting import PURPOSE, answered, check_again, offering, permitted, post, stated, wish
from tests.verifier.scene import MICRO_CLAIMS, Scene, scene_of_before
from tests.verifier.withdrawing import act, take
from verifier.app import create_app
from verifier.cli import app
from verifier.fetched import build_notice
from verifier.rechecks import RecheckNotPermitted
from verifier.request_templates import InvalidTemplate, parse_template
from verifier.requests import ClientIdentity
from verifier.store import Event


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A verifier with an answer to come."""
    return Scene(tmp_path)


def test_the_notice_offers_what_the_template_says_up_to_a_day(scene: Scene) -> None:
    """The offer names its last day, its interval, its own purpose and an endpoint."""
    made, identity = scene.ask(offering(scene)), scene.verifier.identity

    offer = build_notice(made.transaction, terms=scene.settings.terms, identity=identity).recheck

    assert offer is not None
    assert offer.until == scene.now.date() + timedelta(days=90)
    assert (offer.every_days, offer.endpoint) == (30, "http://localhost:8003/permissions")
    assert offer.purpose.model_dump() == PURPOSE
    assert (
        build_notice(made.transaction, terms=scene.settings.terms, identity=ClientIdentity.unsigned()).recheck is None
    )
    assert build_notice(scene.ask().transaction, terms=scene.settings.terms, identity=identity).recheck is None


def test_an_offer_ends_with_the_retention_date_at_the_latest(scene: Scene) -> None:
    """A fixed retention date cuts it off; one that is known to be too short is no template."""
    until = scene.now.date() + timedelta(days=10)
    short = offering(scene).model_copy(update={"retention_days": None, "retention_until": until})

    assert scene.ask(short).transaction.recheck_until == until
    members = offering(scene).model_dump(mode="json", exclude_none=True) | {"retention_days": 60}
    with pytest.raises(InvalidTemplate, match="longer than the data are kept"):
        parse_template(members)


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": 366},
        {"days": 0},
        {"every_days": 0},
        {"days": 10, "every_days": 11},
        {"purpose": {"sv": "Kort", "en": "Short"}},
        {"purpose": {"sv": PURPOSE["sv"]}},
        {"purpose": {"sv": PURPOSE["sv"] + "\u200b", "en": PURPOSE["en"]}},
    ],
)
def test_a_template_cannot_offer_more_than_twelve_months_or_less_than_a_purpose(
    scene: Scene, wrong: dict[str, object]
) -> None:
    """What would not be offered by a wallet cannot be asked here."""
    recheck = {"days": 90, "every_days": 30, "purpose": PURPOSE} | wrong
    members = scene.template().model_dump(mode="json", exclude_none=True) | {"recheck": recheck}
    with pytest.raises(InvalidTemplate):
        parse_template(members)


def test_a_check_is_made_told_and_logged(scene: Scene) -> None:
    """Given, used once, and the person is told of it with its moment and outcome."""
    made = permitted(scene)

    assert check_again(scene, made) is RecheckOutcome.VALID

    told = stated(scene, made)
    assert (told.state, told.until) == (PermissionState.ACTIVE, scene.now.date() + timedelta(days=90))
    assert [(one.number, one.at, one.outcome) for one in told.checks] == [(1, scene.now.timestamp(), "valid")]
    assert told.next_at == (scene.now + timedelta(days=30)).timestamp()
    events = [entry.event for entry in scene.verifier.requests.log(request_id=made.id)]
    assert events[:3] == [Event.RECHECKED, Event.RECHECK_BEGUN, Event.PERMITTED]


@pytest.mark.parametrize(
    ("status", "outcome"), [(1, RecheckOutcome.REVOKED), (2, RecheckOutcome.SUSPENDED), (3, RecheckOutcome.NOT_VALID)]
)
def test_what_the_issuer_took_back_is_told_apart(scene: Scene, status: int, outcome: RecheckOutcome) -> None:
    """Revoked, suspended, or something else than valid."""
    made = permitted(scene)
    scene.pass_time(days=1)
    scene.issuer.set_status(7, status)
    scene.refresh_list()

    assert check_again(scene, made) is outcome


def test_a_certificate_whose_time_is_over_is_not_valid_any_more(scene: Scene) -> None:
    """The dates are looked at as well as the list."""
    scene.certificate = scene.issuer.issue(
        {**MICRO_CLAIMS, "exp": int((scene.now + timedelta(days=20)).timestamp())}, holder=scene.holder
    )
    made = permitted(scene)
    scene.pass_time(days=21)

    assert check_again(scene, made) is RecheckOutcome.EXPIRED


def test_what_could_not_be_checked_is_never_valid_and_may_be_tried_the_next_day(scene: Scene) -> None:
    """An unreachable list leaves it open; the try stands in the record, and a day later there may be another."""
    made = permitted(scene)
    scene.lists.clear()

    assert check_again(scene, made) is RecheckOutcome.COULD_NOT_CHECK

    with pytest.raises(RecheckNotPermitted, match="too_soon"):
        check_again(scene, made)
    scene.pass_time(days=1)
    assert check_again(scene, made) is RecheckOutcome.VALID
    assert [one.outcome for one in stated(scene, made).checks] == ["could_not_check", "valid"]


def test_an_issuer_whom_nobody_trusts_any_more_leaves_it_open(scene: Scene) -> None:
    """Trust is that of the day of the check."""
    made = permitted(scene)
    scene.verifier.trust.remove(scene.issuer.entry().id)

    assert check_again(scene, made) is RecheckOutcome.COULD_NOT_CHECK


def test_between_two_checks_lies_what_was_offered(scene: Scene) -> None:
    """Thirty days were offered: not one second sooner."""
    made = permitted(scene)
    check_again(scene, made)
    scene.pass_time(days=30, seconds=-1)
    with pytest.raises(RecheckNotPermitted, match="too_soon"):
        check_again(scene, made)

    scene.pass_time(seconds=1)

    assert check_again(scene, made) is RecheckOutcome.VALID


def test_paused_ended_and_over_are_told_apart_and_nothing_is_read(scene: Scene) -> None:
    """Each refusal says why, and leaves no use behind."""
    made = permitted(scene)

    post(scene, wish(scene, made, "pause"))
    with pytest.raises(RecheckNotPermitted, match="paused"):
        check_again(scene, made)
    scene.pass_time(minutes=1)
    assert post(scene, wish(scene, made, "resume")).state is PermissionState.ACTIVE
    assert check_again(scene, made) is RecheckOutcome.VALID
    ended = post(scene, wish(scene, made, "end"))
    with pytest.raises(RecheckNotPermitted, match="ended"):
        check_again(scene, made)

    assert (ended.state, ended.end_reason, ended.next_at) == (PermissionState.ENDED, EndReason.BY_PERSON, None)
    assert len(stated(scene, made).checks) == 1


def test_the_last_day_ends_it(scene: Scene) -> None:
    """Through that day where the organisation is, and not after it."""
    made = permitted(scene, days=40)
    scene.pass_time(days=40)
    assert check_again(scene, made) is RecheckOutcome.VALID

    scene.pass_time(days=31)

    with pytest.raises(RecheckNotPermitted, match="ended"):
        check_again(scene, made)
    told = stated(scene, made)
    assert (told.state, told.end_reason) == (PermissionState.ENDED, EndReason.TIME)


@pytest.mark.parametrize("at_once", [True, False])
def test_taking_back_ends_it_in_the_same_transaction(tmp_path: Path, at_once: bool) -> None:
    """Also where staff decides about the deletion first."""
    scene = Scene(tmp_path, withdraw_at_once=at_once)
    made = permitted(scene)

    take(scene, act(scene, made, "withdraw"))

    with pytest.raises(RecheckNotPermitted, match="ended"):
        check_again(scene, made)
    told = stated(scene, made)
    assert (told.state, told.end_reason) == (PermissionState.ENDED, EndReason.WITHDRAWN)


@pytest.mark.parametrize("at_once", [True, False])
def test_asking_for_everything_to_be_deleted_ends_it_too(tmp_path: Path, at_once: bool) -> None:
    """Whoever wants it gone does not want it checked."""
    scene = Scene(tmp_path, withdraw_at_once=at_once)
    made = permitted(scene)

    take(scene, act(scene, made, "erase"))

    assert stated(scene, made).end_reason is EndReason.DELETED
    with pytest.raises(RecheckNotPermitted, match="ended"):
        check_again(scene, made)


def test_an_item_that_was_erased_takes_its_presentation_out_of_the_checks(scene: Scene) -> None:
    """The evidence of a part is gone with it: there is nothing left that could be looked up."""
    made = permitted(scene)

    take(scene, act(scene, made, "erase", items=[{"credential": "certificate", "path": ["family_name"]}]))

    with pytest.raises(RecheckNotPermitted, match="deleted"):
        check_again(scene, made)
    assert stated(scene, made).checks == ()


def test_the_retention_date_ends_it(scene: Scene) -> None:
    """When the values go by themselves, there is nothing to check."""
    made = permitted(scene)
    scene.pass_time(days=400)
    asyncio.run(scene.verifier.tidy())

    assert stated(scene, made).state is PermissionState.ENDED
    with pytest.raises(RecheckNotPermitted, match="ended"):
        check_again(scene, made)


def test_the_service_checks_by_itself_only_where_the_template_says_so(scene: Scene) -> None:
    """And only what is due and in force."""
    by_hand, by_itself, paused = permitted(scene), permitted(scene, automatic=True), permitted(scene, automatic=True)
    post(scene, wish(scene, paused, "pause"))

    first = asyncio.run(scene.verifier.rechecks.check_what_is_due())
    again = asyncio.run(scene.verifier.rechecks.check_what_is_due())
    scene.pass_time(days=30)
    later = asyncio.run(scene.verifier.rechecks.check_what_is_due())

    assert (first, again, later) == (1, 0, 1)
    assert [len(stated(scene, made).checks) for made in (by_hand, by_itself, paused)] == [0, 2, 0]


def test_a_share_without_a_permission_is_stated_as_that(scene: Scene) -> None:
    """The question is answered; there is just nothing."""
    told = stated(scene, answered(scene))
    assert (told.state, told.until, told.checks) == (PermissionState.NONE, None, ())


def test_a_wallet_posts_to_the_endpoint_of_the_offer(tmp_path: Path) -> None:
    """Over HTTP: the signed statement, not to be stored; another kind of body is refused."""
    scene = Scene(tmp_path)
    made = answered(scene)
    http = OutgoingHTTP(transport=HostRouter({}))
    web = create_app(scene.settings, http=http, clock=scene.clock, resolver=DictResolver(status_lists=scene.lists))
    with TestClient(web, base_url="http://localhost:8003") as client:
        reply = client.post("/permissions", content=wish(scene, made), headers={"Content-Type": "application/jwt"})
        other = client.post("/permissions", content=wish(scene, made), headers={"Content-Type": "text/plain"})

    assert (reply.status_code, reply.headers["content-type"].split(";")[0]) == (200, "application/jwt")
    assert reply.headers["cache-control"] == "no-store"
    assert other.status_code == 415


def test_a_database_of_before_is_upgraded_and_its_share_has_no_permission(tmp_path: Path) -> None:
    """Version 1 knew no permissions: everything in it stays, and nothing may be checked."""
    scene, record = scene_of_before(tmp_path, schema=1)

    with pytest.raises(RecheckNotPermitted, match="none"):
        asyncio.run(scene.verifier.rechecks.check_again(record.id, actor="test"))


def test_twelve_months_are_the_same_day_of_the_next_year() -> None:
    """Also from a day that the next year does not have."""
    assert latest_recheck(date(2026, 11, 20)) == date(2027, 11, 20)
    assert latest_recheck(date(2028, 2, 29)) == date(2029, 2, 28)


def test_the_command_checks_what_the_person_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused without a permission, with the reason; with one it looks, and says how it stands."""
    scene = Scene(tmp_path)
    made = answered(scene)
    monkeypatch.setenv("VERIFIER_PUBLIC_URL", "http://localhost:8003")

    def command(*words: str) -> Any:
        return CliRunner().invoke(app, ["recheck", *words, "--data", str(tmp_path), "--json"])

    none = command(made.id, "--look")
    assert (none.exit_code, json.loads(none.stdout)["permission"]["state"]) == (0, "none")
    refused = command(made.id)
    assert refused.exit_code != 0
    assert isinstance(refused.exception, RecheckNotPermitted)
    unclear = command().exception
    assert isinstance(unclear, CommandFailed)
    assert unclear.exit_status == 2
    assert json.loads(command("--due").stdout) == {"checked": 0}
