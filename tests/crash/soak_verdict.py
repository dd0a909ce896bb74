"""What holds over all three databases when the soak is over: the oracle, with what the people were told."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from issuer.settings import IssuerSettings
from service.clock import utc_now
from service.http import OutgoingHTTP
from tests.crash.judging import issuer_holds, left_behind, verifier_holds, wallet_holds
from tests.crash.soak_people import Plan, shares_of
from tests.world import PASSPHRASE
from verifier.app import make_verifier
from verifier.exchange import Verifier
from verifier.settings import VerifierSettings
from wallet.deployment import Deployment
from wallet.ledger import Outcome
from wallet.settings import WalletSettings
from wallet.taking_back import State
from wallet.withdrawals import Withdrawals


def verdict(
    wallet_data: Path,
    issuer: IssuerSettings,
    verifier: VerifierSettings,
    plans: list[Plan],
    told: dict[str, dict[str, Any]],
) -> list[str]:
    """Every broken invariant, in words; none when all is well."""
    return asyncio.run(_verdict(wallet_data, issuer, verifier, plans, told))


async def _verdict(
    wallet_data: Path,
    issuer: IssuerSettings,
    verifier: VerifierSettings,
    plans: list[Plan],
    told: dict[str, dict[str, Any]],
) -> list[str]:
    faults = []
    settings = WalletSettings(data=wallet_data, public_url="https://wallet.example", allow_loopback=True)
    wallet = Deployment(settings, http=OutgoingHTTP(allow_loopback=True), clock=utc_now)
    firm = make_verifier(verifier, clock=utc_now)
    try:
        issuer_holds(issuer.database)
        verifier_holds(verifier.data / "verifier.sqlite3")
    except AssertionError as exc:
        faults.append(str(exc))
    if not firm.requests.log_is_whole():
        faults.append("the verifier's log is not whole")
    faults += [f"left behind: {name}" for name in left_behind(wallet_data.parent)]
    for plan in plans:
        facts = told.get(plan["name"], {})
        for one in await _of_person(wallet, firm, plan, facts):
            faults.append(f"{plan['name']}: {one} (was told {facts})")
    wallet.database.close()
    firm.database.close()
    return faults


async def _of_person(wallet: Deployment, firm: Verifier, plan: Plan, facts: dict[str, Any]) -> list[str]:
    if not wallet.has_person(plan["name"]):
        return ["a vault that was told of is gone"] if facts else []
    vault = await wallet.unlock(plan["name"], PASSPHRASE)
    try:
        wallet_holds(wallet, vault)
    except AssertionError as exc:
        return [str(exc)]
    certificates = vault.certificates()
    if "received" in facts and len(certificates) != 1:
        return [f"{len(certificates)} certificates"]
    if any(one.copies_total not in (10, 20) for one in certificates):
        return [f"copies {[one.copies_total for one in certificates]}"]
    return list(_of_share(wallet, firm, vault, plan, facts))


def _of_share(wallet: Deployment, firm: Verifier, vault: Any, plan: Plan, facts: dict[str, Any]) -> Iterator[str]:
    """Each receipt has its presentation at the receiver, or the wallet says that it does not know."""
    record = firm.result(plan["request"])
    has_it = record.state.is_answered
    shares = shares_of(wallet, vault)
    if len(shares) > 1:
        yield f"{len(shares)} entries for one request"
    if not shares:
        if has_it or "shared" in facts:
            yield "the recipient has what the history does not tell"
        return
    (entry, *_) = shares
    if has_it and entry.outcome not in (Outcome.SHARED, Outcome.UNKNOWN, Outcome.NOT_ACCEPTED):
        yield f"the recipient has it, and the history says {entry.outcome.value}"
    if entry.outcome is Outcome.SHARED and not has_it:
        yield "a receipt without a share"
    if entry.outcome is Outcome.NOT_ACCEPTED and record.is_accepted:
        yield "accepted there, not accepted here"
    if facts.get("shared") == "shared" and entry.outcome is not Outcome.SHARED:
        yield "was told that it was shared, and is not told so any more"
    if Withdrawals(wallet).standing(entry).state is State.DONE and _has_values(firm, plan["request"]):
        yield "deletion was stated, and the values are there"


def _has_values(firm: Verifier, request_id: str) -> bool:
    return firm.contents(request_id, viewer="soak") is not None
