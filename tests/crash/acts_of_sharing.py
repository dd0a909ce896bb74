"""Sharing, refusing, taking back, counter-signing, retention: wallet and verifier (durability D04 to D06)."""

from datetime import timedelta
from pathlib import Path

from proofs import base64url, strict_json
from schemas.withdrawal import Action
from tests.crash.acting import Act, Given, Tell
from tests.crash.judging import nothing_lies_about, verifier_holds, wallet_holds
from tests.crash.stage import FIRM, Stage
from verifier.store import State
from wallet.histories import Histories
from wallet.ledger import Entry, Outcome
from wallet.receipt_confirmation import ReceiptConfirmation
from wallet.taking_back import State as Standing


def firm_database(stage: Stage) -> Path:
    """The verifier's database."""
    return stage.directory / FIRM / "verifier.sqlite3"


async def entry_of(stage: Stage, entry_id: str) -> Entry:
    """An entry of Maja's history."""
    return Histories(stage.world.wallet.deployment).entry(await stage.maja(), entry_id)


async def all_holds(stage: Stage) -> None:
    """What holds at any time for those who share."""
    wallet_holds(stage.world.wallet.deployment, await stage.maja())
    verifier_holds(firm_database(stage))
    nothing_lies_about(stage.directory)
    assert stage.firm.requests.log_is_whole()


def _stated(statement: str) -> tuple[str, str]:
    """Why something was deleted and what came of it, as a statement says."""
    claims = strict_json.loads_object(base64url.decode(statement.split(".")[1]))
    return claims["reason"], claims["outcome"]


# --- sharing ---------------------------------------------------------------------------------------------------------


async def asked(stage: Stage) -> Given:
    """Maja has a certificate and sees what a verifier asks her."""
    sharer = await stage.sharer()
    await stage.world.wallet.receive(sharer.vault, stage.world.university.offer()[0].offer)
    made = stage.ask()
    return {"share": await sharer.begin(made.link), "request": made.id, "link": made.link}


async def share(stage: Stage, given: Given, tell: Tell) -> None:
    """She says yes."""
    delivery = await (await stage.sharer()).approve(given["share"])
    tell(delivered=delivery.state.value)


async def look_and_send_again(stage: Stage, given: Given) -> None:
    """She looks. Where the outcome is unknown she sends the same again; where nothing was decided, she says yes."""
    sharer = await stage.sharer()
    outcome = sharer.entry(given["share"]).outcome
    if outcome is Outcome.UNKNOWN:
        await sharer.sharing.send_again(sharer.vault, given["share"])
    elif outcome is Outcome.OPEN:
        await sharer.approve(given["share"])


async def shared_once(stage: Stage, given: Given, told: Given) -> None:
    """Both say that it was shared; one copy was used; another share shows another copy."""
    sharer = await stage.sharer()
    entry = sharer.entry(given["share"])
    assert entry.outcome is Outcome.SHARED, entry.outcome
    record = stage.firm.result(given["request"])
    assert record.is_accepted
    assert sharer.certificate.copies_left == 9
    assert [event.kind.value for event in entry.events].count("approved") == 1
    second = stage.ask()
    await sharer.approve(await sharer.begin(second.link))
    assert stage.firm.result(second.id).is_accepted
    assert sharer.certificate.copies_left == 8
    await all_holds(stage)


async def look_only(stage: Stage, given: Given) -> None:
    """She opens her wallet a quarter of an hour later and does nothing: the request has ended."""
    stage.move(minutes=16)
    await stage.world.wallet.deployment.resume(await stage.maja())


async def nothing_pretended(stage: Stage, given: Given, told: Given) -> None:
    """What the verifier has is never "not shared" here; what she was told stands; a used copy is never shown again."""
    sharer = await stage.sharer()
    entry, record = sharer.entry(given["share"]), stage.firm.result(given["request"])
    if record.state is State.ANSWERED:
        assert entry.outcome in (Outcome.SHARED, Outcome.UNKNOWN), entry.outcome
    if entry.outcome is Outcome.SHARED:
        assert record.is_accepted, "a receipt without a share"
    if told.get("delivered") == "delivered":
        assert entry.outcome is Outcome.SHARED
    decided = entry.outcome not in (Outcome.OPEN, Outcome.NO_ANSWER)
    assert sharer.certificate.copies_left == (9 if decided else 10)
    await all_holds(stage)


async def send_again_late(stage: Stage, given: Given) -> None:
    """She sends the same again after two minutes, when the verifier no longer repeats its reply."""
    stage.move(minutes=2)
    await look_and_send_again(stage, given)


async def never_said_refused(stage: Stage, given: Given, told: Given) -> None:
    """What the verifier has accepted is not told as not accepted."""
    entry = (await stage.sharer()).entry(given["share"])
    assert stage.firm.result(given["request"]).is_accepted
    assert entry.outcome in (Outcome.SHARED, Outcome.UNKNOWN), entry.outcome
    await all_holds(stage)


async def refuse(stage: Stage, given: Given, tell: Tell) -> None:
    """She says no."""
    await (await stage.sharer()).refuse(given["share"])
    tell(refused=True)


async def look_and_refuse_again(stage: Stage, given: Given) -> None:
    """She looks, and says no where nothing was decided."""
    sharer = await stage.sharer()
    if sharer.entry(given["share"]).outcome is Outcome.OPEN:
        await sharer.refuse(given["share"])


async def refused(stage: Stage, given: Given, told: Given) -> None:
    """It stays refused, nothing was shown, and no copy is used."""
    sharer = await stage.sharer()
    assert sharer.entry(given["share"]).outcome is Outcome.REFUSED
    assert not stage.firm.result(given["request"]).is_accepted
    assert sharer.certificate.copies_left == 10
    await all_holds(stage)


# --- taking back -----------------------------------------------------------------------------------------------------


async def shared(stage: Stage) -> Given:
    """Maja has shared."""
    given = await asked(stage)
    await (await stage.sharer()).approve(given["share"])
    return given


async def take_back(stage: Stage, given: Given, tell: Tell) -> None:
    """She takes it back."""
    standing = await stage.withdrawals.wish(
        await stage.maja(), given["share"], Action.WITHDRAW, chosen=None, language="sv"
    )
    tell(state=standing.state.value)


async def wish_again(stage: Stage, given: Given) -> None:
    """Her wallet asks by itself when it is opened some hours later; where the wish was not kept she wishes again."""
    vault = await stage.maja()
    stage.move(hours=25)
    await stage.withdrawals.tend(vault)
    entry = await entry_of(stage, given["share"])
    if stage.withdrawals.standing(entry).wish is None:
        await stage.withdrawals.wish(vault, given["share"], Action.WITHDRAW, chosen=None, language="sv")


async def gone_once(stage: Stage, given: Given, told: Given) -> None:
    """It is stated to be deleted, once, and is; the wish stands once in the history."""
    entry = await entry_of(stage, given["share"])
    kinds = [event.kind.value for event in entry.events]
    assert stage.withdrawals.standing(entry).state is Standing.DONE
    assert (kinds.count("taken_back"), kinds.count("deletion_stated")) == (1, 1)
    assert stage.firm.contents(given["request"], viewer="anna") is None
    (one,) = stage.firm.deletions.store.of_request(given["request"])
    assert _stated(one.statement) == ("withdrawn", "deleted")
    await all_holds(stage)


async def ask_to_delete(stage: Stage, given: Given, tell: Tell) -> None:
    """She asks for one item to be deleted."""
    vault = await stage.maja()
    standing = await stage.withdrawals.wish(vault, given["share"], Action.ERASE, chosen=[0], language="sv")
    tell(state=standing.state.value)


async def ask_again(stage: Stage, given: Given) -> None:
    """As with taking back."""
    vault = await stage.maja()
    stage.move(hours=25)
    await stage.withdrawals.tend(vault)
    if stage.withdrawals.standing(await entry_of(stage, given["share"])).wish is None:
        await stage.withdrawals.wish(vault, given["share"], Action.ERASE, chosen=[0], language="sv")


async def one_item_gone(stage: Stage, given: Given, told: Given) -> None:
    """One wish, one deletion, one statement; the other items are still there."""
    entry = await entry_of(stage, given["share"])
    kinds = [event.kind.value for event in entry.events]
    assert (kinds.count("deletion_asked"), kinds.count("deletion_stated")) == (1, 1), kinds
    assert len(stage.firm.deletions.store.of_request(given["request"])) == 1
    assert stage.firm.contents(given["request"], viewer="anna") is not None
    await all_holds(stage)


# --- the receipt -----------------------------------------------------------------------------------------------------


async def unconfirmed(stage: Stage) -> Given:
    """Maja has shared, and the verifier could not counter-sign then."""
    given = await asked(stage)
    with stage.world.network.cut_before("/receipts"):
        await (await stage.sharer()).approve(given["share"])
    return given


async def confirm(stage: Stage, given: Given, tell: Tell) -> None:
    """The receipt is handed in."""
    tell(confirmed=await ReceiptConfirmation(stage.world.wallet.deployment).confirm(await stage.maja(), given["share"]))


async def confirm_again(stage: Stage, given: Given) -> None:
    """The wallet does it by itself, some hours later."""
    stage.move(hours=25)
    await stage.withdrawals.tend(await stage.maja())


async def confirmed_once(stage: Stage, given: Given, told: Given) -> None:
    """Counter-signed, once."""
    entry = await entry_of(stage, given["share"])
    assert [event.kind.value for event in entry.events].count("confirmed") == 1
    await all_holds(stage)


# --- the verifier's own ----------------------------------------------------------------------------------------------


async def at_retention(stage: Stage) -> Given:
    """Two shares whose last day has passed."""
    given = await shared(stage)
    sharer = await stage.sharer()
    second = stage.ask()
    await sharer.approve(await sharer.begin(second.link))
    until = stage.firm.result(given["request"]).delete_at
    stage.move(seconds=(until - stage.world.clock() + timedelta(hours=1)).total_seconds())
    return given | {"second": second.id}


async def sweep(stage: Stage, given: Given, tell: Tell) -> None:
    """What is due is deleted."""
    await stage.firm.tidy()
    await stage.firm.forget()
    tell(swept=True)


async def sweep_again(stage: Stage, given: Given) -> None:
    """As at every start."""
    await stage.firm.tidy()
    await stage.firm.forget()


async def swept_once(stage: Stage, given: Given, told: Given) -> None:
    """Both are gone, each with one statement."""
    for request in (given["request"], given["second"]):
        assert stage.firm.contents(request, viewer="anna") is None
        (one,) = stage.firm.deletions.store.of_request(request)
        assert _stated(one.statement) == ("retention", "deleted")
    await all_holds(stage)


async def make_request(stage: Stage, given: Given, tell: Tell) -> None:
    """A request is made and fetched by a wallet."""
    made = stage.ask()
    tell(request=made.id, link=made.link)


async def with_certificate(stage: Stage) -> Given:
    """Maja has a certificate."""
    vault = await stage.maja()
    await stage.world.wallet.receive(vault, stage.world.university.offer()[0].offer)
    assert stage.firm
    return {}


async def nothing_to_do(stage: Stage, given: Given) -> None:
    """Nobody does anything."""


async def request_stands(stage: Stage, given: Given, told: Given) -> None:
    """What somebody was given a link to can be answered."""
    if "link" in told:
        sharer = await stage.sharer()
        await sharer.approve(await sharer.begin(told["link"]))
        assert stage.firm.result(told["request"]).is_accepted
    await all_holds(stage)


SHARING_ACTS = (
    Act("share, and send again", asked, share, look_and_send_again, shared_once, alone=("wallet", "verifier")),
    Act("share, and do nothing", asked, share, look_only, nothing_pretended, alone=("wallet", "verifier")),
    Act(
        "share, and send again too late",
        asked,
        share,
        send_again_late,
        never_said_refused,
        alone=("wallet", "verifier"),
    ),
    Act("refuse", asked, refuse, look_and_refuse_again, refused, alone=("wallet", "verifier")),
    Act("take back", shared, take_back, wish_again, gone_once, alone=("wallet", "verifier")),
    Act("ask to delete", shared, ask_to_delete, ask_again, one_item_gone, alone=("wallet", "verifier")),
    Act("counter-sign", unconfirmed, confirm, confirm_again, confirmed_once, alone=("wallet", "verifier")),
    Act("delete at the end of retention", at_retention, sweep, sweep_again, swept_once),
    Act("make a request", with_certificate, make_request, nothing_to_do, request_stands),
)
