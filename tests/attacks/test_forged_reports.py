"""Whoever knows the address of a wallet and holds no power keeps no true report out, and asks nobody in its name."""

import json
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from proofs import jose
from proofs.act_report import seal_report, sign_report
from proofs.keys import generate_signer
from tests.attacks.test_acts_for_another import Principal, acted, told_agent
from tests.wallet.acting import POWER
from tests.wallet.fake_verifier import known_verifier
from tests.world import World
from wallet import acts
from wallet.acts import MOST_LOOKED_AT

pytestmark = pytest.mark.anyio
SOURCE = "https://silent.example"
"""A source that is trusted beside the one that gave the true power, and gives no keys now."""


def forge(world: World, principal: Principal) -> None:
    """A report under a power that the source never gave: its key is the sender's, and its signature is nobody's."""
    address = principal.acts.address(principal.vault)
    assert address is not None
    holder = generate_signer()
    claims = {"iss": SOURCE, "vct": POWER.vct, "cnf": {"jwk": dict(holder.public_jwk)}}
    forged = jose.sign_jws(claims, signer=generate_signer(), typ="dc+sd-jwt", header={}) + "~"
    package = sign_report(
        json.dumps({}), forged, disclosures=[], signer=holder, audience=address.url, now=world.clock()
    )
    principal.acts.arrive(principal.handle, seal_report(package, recipient_jwk=address.jwk).encode())


@pytest.mark.parametrize(("mechanism", "most_asked"), [("metadata", 1), ("x5c", 0)])
async def test_forged_reports_before_it_keep_no_true_report_out(world: World, mechanism: Any, most_asked: int) -> None:
    """Nor while the source whose name they bear gives no keys: it is asked once, and not at all where its keys come
    along with what it signs."""
    lina = await Principal.at(world)
    omar = await told_agent(world, lina)
    entry = world.university.trust_entry
    anchor_pem = entry.anchor_pem if mechanism == "x5c" else ""
    lina.side.trust(replace(entry, id="named", identifier=SOURCE, mechanism=mechanism, anchor_pem=anchor_pem))
    for _ in range(MOST_LOOKED_AT):
        forge(world, lina)
    world.clock.move(minutes=1)
    await acted(omar, known_verifier(world))
    asked: list[str] = []

    def away(request: Any) -> Any:
        if request.url.host != "silent.example":
            return None
        asked.append(str(request.url))
        return httpx2.Response(404, request=request)

    with world.network.answering(away):
        if mechanism == "x5c":
            await lina.unlocked()  # What was found false counts as looked at, and is gone.
        assert len(await lina.unlocked()) == 1
    assert len(asked) == most_asked


async def test_no_agent_fills_the_history_of_whom_they_act_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a true power: of a day only so much is written, and the rest waits for the next one."""
    monkeypatch.setattr(acts, "MOST_A_DAY", 2)
    lina = await Principal.at(world)
    omar, employer = await told_agent(world, lina), known_verifier(world)
    for _ in range(3):
        await acted(omar, employer)

    assert len(await lina.unlocked()) == 2
    assert len(await lina.unlocked()) == 2
    world.clock.move(days=1, minutes=1)
    assert len(await lina.unlocked()) == 3
