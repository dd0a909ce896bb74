"""Standing permissions: given, used and ended, at the wallet and at the verifier (CS-33; durability D04 to D06)."""

from schemas.standing_permission import PermissionAction, PermissionState, RecheckOutcome
from tests.crash.acting import Act, Given, Tell
from tests.crash.acts_of_sharing import all_holds, entry_of, look_and_send_again, share
from tests.crash.stage import Stage
from tests.verifier.permitting import PURPOSE
from verifier.rechecks import Permission, RecheckNotPermitted
from verifier.request_templates import TemplateRecheck
from verifier.requests import Kind
from wallet.decision import Chosen
from wallet.permissions import NoPermissionHere, Permissions
from wallet.permitting import PermissionStanding

EVERY_DAYS = 30


def permissions(stage: Stage) -> Permissions:
    """What the wallet's pages call."""
    return Permissions(stage.world.wallet.deployment)


async def standing(stage: Stage, given: Given) -> PermissionStanding:
    """How it stands in the wallet."""
    found = permissions(stage).standing(await stage.maja(), given["share"])
    assert found is not None
    return found


async def at_the_firm(stage: Stage, given: Given) -> Permission | None:
    """How it stands at the verifier."""
    return await stage.firm.rechecks.permission(given["request"])


async def offered(stage: Stage) -> Given:
    """Maja sees a request that offers later checks, and has ticked them."""
    sharer = await stage.sharer()
    await stage.world.wallet.receive(sharer.vault, stage.world.university.offer()[0].offer)
    recheck = TemplateRecheck.model_validate({"days": 90, "every_days": EVERY_DAYS, "purpose": PURPOSE})
    template = stage.firm.templates()["employer-micro-credential"].model_copy(update={"recheck": recheck})
    made = stage.firm.make_request(template, kind=Kind.CROSS_DEVICE, maker="test")
    share_id = await sharer.begin(made.link)
    sharer.choose(share_id, Chosen(recheck=True))
    await sharer.allow_checks(share_id)
    return {"share": share_id, "request": made.id, "link": made.link}


async def tend(stage: Stage, given: Given) -> None:
    """She does what she can with the share, and her wallet is opened two hours later."""
    await look_and_send_again(stage, given)
    await _two_hours_later(stage)


async def _two_hours_later(stage: Stage) -> None:
    stage.move(hours=2)
    await permissions(stage).tend(await stage.maja())


async def in_force_once(stage: Stage, given: Given, told: Given) -> None:
    """Both say that it is in force, until the same day; it can be used once and is told of then."""
    here, there = await standing(stage, given), await at_the_firm(stage, given)
    assert there is not None
    assert (here.is_confirmed, here.is_over) == (True, False)
    assert there.state is PermissionState.ACTIVE
    assert there.until == here.granted.until
    kinds = [event.kind.value for event in (await entry_of(stage, given["share"])).events]
    assert kinds.count("permission_told") == 1, kinds
    assert await stage.firm.rechecks.check_again(given["request"], actor="test") is RecheckOutcome.VALID
    await _two_hours_later(stage)
    assert [one.outcome for one in (await standing(stage, given)).checks] == [RecheckOutcome.VALID]
    await all_holds(stage)


async def permitted(stage: Stage) -> Given:
    """A permission in force, that has been used once and can be used again."""
    given = await offered(stage)
    await share(stage, given, lambda **_: None)
    await stage.firm.rechecks.check_again(given["request"], actor="test")
    stage.move(days=EVERY_DAYS, hours=1)
    return given


async def check_again(stage: Stage, given: Given, tell: Tell) -> None:
    """The verifier checks again, and Maja's wallet asks what was checked."""
    outcome = await stage.firm.rechecks.check_again(given["request"], actor="test")
    tell(outcome=outcome.value)
    await permissions(stage).look(await stage.maja(), given["share"])


async def check_if_it_may(stage: Stage, given: Given) -> None:
    """Staff tries again as often as it likes, and the wallet is opened when that is over."""
    refused = []
    for _ in range(2):
        try:
            await stage.firm.rechecks.check_again(given["request"], actor="test")
        except RecheckNotPermitted as exc:
            refused.append(exc.reason)
    assert set(refused) == {"too_soon"}, refused
    await _two_hours_later(stage)


async def every_use_is_told(stage: Stage, given: Given, told: Given) -> None:
    """It was used twice, not more; the person knows of both, and each outcome is one that was really found."""
    here, there = await standing(stage, given), await at_the_firm(stage, given)
    assert there is not None
    assert [one.number for one in there.checks] == [1, 2]
    assert [(one.number, one.outcome) for one in here.checks] == [(one.number, one.outcome) for one in there.checks]
    first, second = there.checks
    assert (second.at - first.at).days >= EVERY_DAYS
    assert first.outcome is RecheckOutcome.VALID
    may_be = {RecheckOutcome.VALID} if "outcome" in told else {RecheckOutcome.VALID, RecheckOutcome.COULD_NOT_CHECK}
    assert second.outcome in may_be, second.outcome
    assert not here.contradicts
    await all_holds(stage)


async def end(stage: Stage, given: Given, tell: Tell) -> None:
    """She ends it."""
    found = await permissions(stage).wish(await stage.maja(), given["share"], PermissionAction.END)
    tell(confirmed=found.is_confirmed)


async def end_again(stage: Stage, given: Given) -> None:
    """Her wallet goes on by itself two hours later; where the wish was not kept she wishes again."""
    await _two_hours_later(stage)
    if (await standing(stage, given)).wish is not PermissionAction.END:
        await permissions(stage).wish(await stage.maja(), given["share"], PermissionAction.END)


async def ended_once(stage: Stage, given: Given, told: Given) -> None:
    """Over at both, for good: nothing is checked any more, and it cannot be resumed."""
    here, there = await standing(stage, given), await at_the_firm(stage, given)
    assert there is not None
    assert (here.is_over, here.is_confirmed, here.is_settled) == (True, True, True)
    assert there.state is PermissionState.ENDED
    kinds = [event.kind.value for event in (await entry_of(stage, given["share"])).events]
    assert kinds.count("permission_ended") == 1, kinds
    stage.move(days=EVERY_DAYS)
    with_reason = ""
    try:
        await stage.firm.rechecks.check_again(given["request"], actor="test")
    except RecheckNotPermitted as exc:
        with_reason = exc.reason
    assert with_reason == "ended"
    try:
        await permissions(stage).wish(await stage.maja(), given["share"], PermissionAction.RESUME)
    except NoPermissionHere:
        pass
    else:
        raise AssertionError("an ended permission was resumed")
    await all_holds(stage)


PERMISSION_ACTS = (
    Act("allow later checks", offered, share, tend, in_force_once, alone=("wallet", "verifier")),
    Act("check again", permitted, check_again, check_if_it_may, every_use_is_told),
    Act("end later checks", permitted, end, end_again, ended_once, alone=("wallet", "verifier")),
)
