"""Whoever knows the address of a wallet and holds no power keeps no true report out, and asks nobody in its name."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from proofs import jose
from proofs.act_report import seal_report, sign_report
from proofs.keys import generate_signer
from schemas.errors import TooManyRequests
from tests.attacks.test_acts_for_another import Principal, acted, told_agent
from tests.wallet.acting import POWER
from tests.wallet.fake_verifier import known_verifier
from tests.world import World
from wallet import acts
from wallet.acts import MOST_LOOKED_AT, Acts
from wallet.ledger import EventKind
from wallet.store import reports
from wallet.store.opening import UPGRADES, open_database
from wallet.store.reports import forget_report, waiting_reports
from wallet.telling_acts import TOLD_AGAIN_AFTER
from wallet.undecided import (
    KNOWN_FOR,
    MOST_OF_A_POWER,
    MOST_OF_A_SOURCE,
    MOST_UNCHECKED,
    UNKNOWN_FOR,
    Undecided,
    to_forget,
)

pytestmark = pytest.mark.anyio
SOURCE = "https://silent.example"
"""A source that is trusted beside the one that gave the true power, and gives no keys now."""


def forge(world: World, principal: Principal, *, spoiled: bool = False) -> None:
    """A report under a power that the source never gave: its key is the sender's, and its signature is nobody's.
    `spoiled`: the key has not even signed the report."""
    address = principal.acts.address(principal.vault)
    assert address is not None
    holder = generate_signer()
    claims = {"iss": SOURCE, "vct": POWER.vct, "cnf": {"jwk": dict(holder.public_jwk)}}
    forged = jose.sign_jws(claims, signer=generate_signer(), typ="dc+sd-jwt", header={}) + "~"
    package = sign_report(
        json.dumps({}), forged, disclosures=[], signer=holder, audience=address.url, now=world.clock()
    )
    if spoiled:
        members = json.loads(package)
        package = json.dumps(members | {"power": members["power"][:-8] + "AAAAAAAA"}).encode()
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


def away(request: Any) -> Any:
    """The silent source."""
    return httpx2.Response(404, request=request) if request.url.host == "silent.example" else None


def trust_silent(world: World, principal: Principal) -> None:
    """The source gives its keys at its address, or would."""
    entry = world.university.trust_entry
    principal.side.trust(replace(entry, id="named", identifier=SOURCE, mechanism="metadata", anchor_pem=""))


def kept(principal: Principal) -> int:
    """How many reports rest at her address."""
    with principal.side.deployment.database.reading() as connection:
        return len(waiting_reports(connection, principal.vault))


async def test_forged_reports_do_not_fill_the_address_while_a_source_is_silent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as may wait, again after each opening: a true report finds its place after the first one, and of the
    forged ones a few are kept for a few days."""
    lina = await Principal.at(world)
    omar, employer = await told_agent(world, lina), known_verifier(world)
    trust_silent(world, lina)
    with world.network.answering(away):
        monkeypatch.setattr(reports, "MOST_WAITING", MOST_OF_A_SOURCE + 2)
        for day in range(2):
            for _ in range(MOST_OF_A_SOURCE + 2):
                forge(world, lina)
            with pytest.raises(TooManyRequests):
                forge(world, lina)
            await lina.unlocked()
            assert kept(lina) == MOST_OF_A_SOURCE
            await acted(omar, employer)
            assert len(await lina.unlocked()) == day + 1
            world.clock.move(days=1)
        world.clock.move(days=7)
        await lina.unlocked()
        assert kept(lina) == 0


async def test_who_has_not_the_key_of_the_power_is_refused_also_while_its_source_is_silent(world: World) -> None:
    """So nobody takes the places of a power that they only saw."""
    lina = await Principal.at(world)
    lina.acts.open_address(lina.vault)
    trust_silent(world, lina)
    with world.network.answering(away):
        forge(world, lina)
        forge(world, lina)
        forge(world, lina, spoiled=True)
        await lina.unlocked()
    assert kept(lina) == 2


def undecided(number: int, *, power: str = "", source: str = SOURCE, day: int = 0) -> Undecided:
    """One report that is left open."""
    at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=day, seconds=number)
    return Undecided(f"{number:05}", at, source, power or f"power-{number}~")


def test_a_power_that_was_checked_before_has_places_of_its_own() -> None:
    """However many came before it in the name of its source, or of others."""
    flood = [undecided(number, source=f"https://{number % 9}.example") for number in range(1000)]
    true = [undecided(2000 + number, power="known~") for number in range(MOST_OF_A_POWER + 5)]
    now = datetime(2026, 11, 2, tzinfo=UTC)
    left = {one.id for one in (*flood, *true)} - to_forget([*flood, *true], known={"known~"}, now=now)
    assert left >= {one.id for one in true[:MOST_OF_A_POWER]}
    assert len(left) == MOST_OF_A_POWER + MOST_UNCHECKED
    later = now + UNKNOWN_FOR
    assert to_forget([flood[0], true[0]], known={"known~"}, now=later) == {flood[0].id}
    assert to_forget([true[0]], known={"known~"}, now=now + KNOWN_FOR) == {true[0].id}


async def test_an_act_that_found_no_place_is_told_again(world: World) -> None:
    """Twice, when what kept it out is gone; and what had arrived changes nothing."""
    lina = await Principal.at(world)
    omar = await told_agent(world, lina)
    await acted(omar, known_verifier(world))
    with lina.side.deployment.database.transaction() as connection:
        for one in waiting_reports(connection, lina.vault):
            forget_report(connection, lina.vault, one.id)
    start, told = world.clock(), []
    for days in (0, 7, 8, 9, 30, 31, 32, 100):
        world.clock.now = start + timedelta(days=days)
        await Acts(world.wallet.deployment).tend(omar.vault)
        told.append((len(await lina.unlocked()), world.network.asked("/reports/")))
    assert told == [(0, 1), (0, 1), (1, 2), (1, 2), (1, 2), (1, 3), (1, 3), (1, 3)]
    (entry,) = lina.told
    assert [one.kind for one in entry.events] == [EventKind.ACT_TOLD]
    assert TOLD_AGAIN_AFTER[0] > UNKNOWN_FOR
    assert TOLD_AGAIN_AFTER[1] > KNOWN_FOR


async def test_a_vault_of_schema_5_sets_reports_aside_from_now_on(world: World) -> None:
    """What waited before waits on, and is looked at."""
    lina = await Principal.at(world)
    omar = await told_agent(world, lina)
    await acted(omar, known_verifier(world))
    (step,) = [one for one in UPGRADES if one.version == 5]
    with lina.side.deployment.database.transaction() as connection:
        connection.execute(text("DROP TABLE report_aside"))
        connection.execute(text(f"UPDATE intyga_schema SET version = 5, identity = '{step.identity}'"))

    open_database(lina.side.settings.data)

    assert kept(lina) == 1
    assert len(await lina.unlocked()) == 1
