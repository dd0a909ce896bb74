"""Acts told to the principal's wallet: nobody gets anything into a history but whoever holds a power, and only once."""

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import wallet as wallet_room
from issuer.offers import draft_offers
from issuer.status import Status
from proofs.act_report import open_report, seal_report, sign_report
from proofs.formats.sd_jwt import parse_sd_jwt, select_disclosures
from proofs.keys import generate_signer
from schemas.act_report import HANDED_OVER, REPORTS_TO, ToldEvent, read_report_address
from schemas.errors import Malformed, NotFound, ProtocolError, TooManyRequests
from schemas.learning.personal_numbers import without_personal_numbers
from schemas.types import CREDENTIAL_TYPES
from service.i18n import load_catalogues
from tests.schemas.types.records import statement
from tests.wallet.acting import OMAR, POWER, REGISTRATION, SARA, WITH_POWER, Agent, power_for
from tests.wallet.fake_verifier import FakeVerifier, known_verifier, notice, query
from tests.wallet.test_bare_certificates import as_written_before
from tests.world import WalletSide, World
from wallet.acts import Acts, NotAboutYou
from wallet.histories import Histories
from wallet.ledger import Entry, Event, EventKind, Outcome
from wallet.pages.acting_words import told_view
from wallet.pages.history_export import EXPORTS
from wallet.pages.history_view import entry_view
from wallet.reporting import SHOWN, report_of, told_reports, written
from wallet.store.certificates import copy_to_tell_with
from wallet.store.ledger import append_event
from wallet.store.reports import MOST_WAITING
from wallet.telling_acts import Telling
from wallet.vault import UnlockedVault

pytestmark = pytest.mark.anyio


@dataclass
class Principal:
    """Lina with a wallet of her own, at another service than Omar's."""

    world: World
    side: WalletSide
    vault: UnlockedVault

    @classmethod
    async def at(cls, world: World, host: str = "her-wallet.example") -> "Principal":
        """Her wallet, which trusts whom Omar's trusts."""
        side = world.wallet_at(host)
        side.trust(world.university.trust_entry)
        assert side.app
        return cls(world, side, await side.person("Lina"))

    @property
    def acts(self) -> Acts:
        """What she does with acts."""
        return Acts(self.side.deployment)

    @property
    def told(self) -> list[Entry]:
        """What stands in her history as done for her."""
        entries = Histories(self.side.deployment).read(self.vault).entries
        return [one for one in entries if one.outcome is Outcome.DONE_FOR_YOU]

    @property
    def handle(self) -> str:
        """The last part of her address."""
        address = self.acts.address(self.vault)
        assert address is not None
        return address.url.rpartition("/")[2]

    async def unlocked(self) -> list[Entry]:
        """What stands there once she has opened her wallet."""
        await self.acts.tend(self.vault)
        return self.told


async def told_agent(world: World, principal: Principal, **power: Any) -> Agent:
    """Omar with a power into which the source wrote Lina's address."""
    return await Agent.with_power(world, reports_to=str(principal.acts.open_address(principal.vault)), **power)


async def acted(agent: Agent, employer: FakeVerifier) -> Entry:
    """Omar shares for Lina."""
    share_id = await agent.asked(employer)
    agent.act(share_id)
    await agent.approve(share_id)
    return agent.entry(share_id)


def package_of(
    agent: Agent,
    entry: Entry,
    *,
    audience: str,
    change: Callable[[dict[str, Any]], object] = lambda members: None,
    address: bool = True,
    signer: Any = None,
) -> bytes:
    """The report of an act as Omar's wallet makes it, changed before it is signed."""
    power_id = agent.powers[0].id
    with agent.world.wallet.deployment.database.reading() as connection:
        copy = copy_to_tell_with(connection, agent.vault, power_id)
    members = json.loads(written(report_of(entry)))
    change(members)
    return sign_report(
        json.dumps(members),
        copy.token,
        disclosures=select_disclosures(parse_sd_jwt(copy.token), (*SHOWN, *(((REPORTS_TO,),) if address else ()))),
        signer=signer or agent.vault.signer_for(copy),
        audience=audience,
        now=agent.world.clock(),
    )


def leave(principal: Principal, package: bytes) -> None:
    """Bring a package to her address, sealed as it must be."""
    address = principal.acts.address(principal.vault)
    assert address is not None
    principal.acts.arrive(principal.handle, seal_report(package, recipient_jwk=address.jwk).encode())


async def test_an_act_stands_in_the_history_of_whom_it_was_done_for(world: World) -> None:
    """Between two services, by itself, without a value; the other tests change one thing of this."""
    lina = await Principal.at(world)
    omar, employer = await told_agent(world, lina), known_verifier(world)
    entry = await acted(omar, employer)
    assert [one.kind for one in omar.entry(entry.id).events][-1] is EventKind.PRINCIPAL_TOLD

    (told,) = await lina.unlocked()
    assert told.told is not None
    assert (told.told["agent"], told.told["principal"]) == ("Omar Haddad", "Lina Haddad")
    assert told.who == entry.who
    assert [event["type"] for event in told.told["report"]["events"]] == ["requested", "approved", "delivered"]
    assert len(told.told["report"]["items"]) == len(entry.shared) > 0
    kept = json.dumps([dict(event.facts) for event in told.events])
    for value in ("2012-08-19", "1983-03-04", "commitment", "pseudonym"):
        assert value not in kept


@pytest.mark.parametrize(("language", "called"), [("en", ", the certificate itself"), ("sv", ", själva intyget")])
async def test_a_certificate_that_went_without_chosen_items_is_told(world: World, language: str, called: str) -> None:
    """By its type and its issuer, on every page of the principal; and what an agent writes there stays plain words."""
    lina = await Principal.at(world)
    omar, employer = await told_agent(world, lina), known_verifier(world)
    power, registration = WITH_POWER["credentials"]
    bare = {name: value for name, value in registration.items() if name != "claims"}
    share_id = await omar.begin(employer.ask({"credentials": [power, bare]}, notice=notice()).link())
    omar.act(share_id)
    await omar.approve(share_id)

    (told,) = await lina.unlocked()

    assert told.told is not None
    whole = [one for one in told.told["report"]["items"] if not any(one["name"].values())]
    assert [one["certificate"] for one in whole] == [{"sv": REGISTRATION.title("sv"), "en": REGISTRATION.title("en")}]
    assert whole[0]["issuer"] == world.university.trust_entry.name
    assert report_of(omar.entry(share_id)).continues(report_of(omar.entry(share_id)))
    t = load_catalogues(Path(wallet_room.__file__).parent).translator(language)
    view = entry_view(told, t, now=world.clock(), titles={})
    name = f"{REGISTRATION.title(language)}{called}"
    assert name[0].lower() + name[1:] in view["items"], "in the middle of a sentence"
    assert [one["name"] for one in view["shared"]].count(name) == 1
    assert [one["name"] for one in view["told"]["items"]].count(name) == 1


async def test_an_act_from_before_is_told_as_it_was(world: World) -> None:
    """An entry of an earlier version does not know the issuer of such a certificate: told again, it says the same."""
    lina = await Principal.at(world)
    omar, employer = await told_agent(world, lina), known_verifier(world)
    power, registration = WITH_POWER["credentials"]
    bare = {name: value for name, value in registration.items() if name != "claims"}
    share_id = await omar.begin(employer.ask({"credentials": [power, bare]}, notice=notice()).link())
    omar.act(share_id)
    await omar.approve(share_id)
    before = as_written_before(omar.entry(share_id))

    assert len(report_of(before).items) == len(before.shared) == len(report_of(omar.entry(share_id)).items) - 1


async def test_within_one_service_and_without_one_person_seeing_the_other(world: World) -> None:
    """Two vaults of one deployment are strangers: it goes over the same interface."""
    assert world.wallet.app
    vault = await world.wallet.person("Lina")
    lina = Principal(world, world.wallet, vault)
    omar = await told_agent(world, lina)
    await acted(omar, known_verifier(world))
    assert len(await lina.unlocked()) == 1
    assert [one for one in Histories(world.wallet.deployment).read(omar.vault).entries if one.told is not None] == []


async def test_the_wallet_that_was_away_is_told_later_and_once(world: World) -> None:
    """Lost on the way, told at the agent's next unlock; told twice, it stands there once."""
    lina = await Principal.at(world)
    omar = await told_agent(world, lina)
    with world.network.lose_answer(f"/reports/{lina.handle}"):
        entry = await acted(omar, known_verifier(world))
    assert [one.kind for one in omar.entry(entry.id).events][-1] is EventKind.PRINCIPAL_NOT_TOLD
    await Acts(world.wallet.deployment).tend(omar.vault)
    await Acts(world.wallet.deployment).tend(omar.vault)
    assert [one.kind for one in omar.entry(entry.id).events][-1] is EventKind.PRINCIPAL_TOLD
    assert world.network.asked("/reports/") == 2
    (told,) = await lina.unlocked()
    assert len(told.events) == 1


async def test_a_refusal_for_another_is_told_as_well(world: World) -> None:
    """No is an act, too."""
    lina = await Principal.at(world)
    omar, employer = await told_agent(world, lina), known_verifier(world)
    share_id = await omar.asked(employer)
    omar.act(share_id)
    await omar.refuse(share_id)
    (told,) = await lina.unlocked()
    assert told.told is not None
    assert "refused" in [event["type"] for event in told.told["report"]["events"]]
    assert told.told["report"]["items"] == []


async def test_what_comes_after_an_act_is_told_at_the_next_unlock(world: World) -> None:
    """Taken back by the agent: the same entry tells it, with what was told before."""
    lina = await Principal.at(world)
    omar = await told_agent(world, lina)
    entry = await acted(omar, known_verifier(world))
    await lina.unlocked()
    with world.wallet.deployment.database.transaction() as connection:
        append_event(connection, omar.vault, Event(entry.id, EventKind.TAKEN_BACK, world.clock()))
    await Acts(world.wallet.deployment).tend(omar.vault)
    (told,) = await lina.unlocked()
    assert told.told is not None
    assert [event["type"] for event in told.told["report"]["events"]][-1] == "withdrawn"
    assert len(told.events) == 2


async def test_what_is_done_for_oneself_is_told_to_nobody(world: World) -> None:
    """The agent's own shares are nobody else's business."""
    lina = await Principal.at(world)
    omar, employer = await told_agent(world, lina), known_verifier(world)
    await omar.receive_registration(OMAR)
    share_id = await omar.asked(employer, query(["registered_status"], vct=REGISTRATION.vct))
    await omar.approve(share_id)
    assert world.network.asked("/reports/") == 0
    assert await lina.unlocked() == []


async def test_the_same_report_again_changes_nothing(world: World) -> None:
    """Kept by somebody on the way and brought again; also after she deleted the entry."""
    lina = await Principal.at(world)
    omar = await told_agent(world, lina)
    caught: list[bytes] = []

    def catch(request: Any) -> None:
        if "/reports/" in str(request.url):
            caught.append(request.content)

    with world.network.answering(catch):
        await acted(omar, known_verifier(world))
    (told,) = await lina.unlocked()
    for _ in range(3):
        lina.acts.arrive(lina.handle, caught[0])
    assert [one.id for one in await lina.unlocked()] == [told.id]
    Histories(lina.side.deployment).delete(lina.vault, told.id)
    lina.acts.arrive(lina.handle, caught[0])
    assert await lina.unlocked() == []


async def test_a_stranger_who_knows_the_address_gets_nothing_in(world: World) -> None:
    """Noise, another key than the power's, another nonce, another audience, a power that was copied from the wire."""
    lina = await Principal.at(world)
    omar = await told_agent(world, lina)
    entry = await acted(omar, known_verifier(world))
    (told,) = await lina.unlocked()
    address = lina.acts.address(lina.vault)
    assert address is not None

    def other_act(members: dict[str, Any]) -> None:
        members["act_id"] = "0123456789abcdef0123456789abcdef"

    real = json.loads(package_of(omar, entry, audience=address.url, change=other_act))
    stolen = real["power"]
    swapped = {"report": real["report"].replace("delivered", "not_delivered"), "power": stolen}
    without_key = {"report": real["report"], "power": stolen.rpartition("~")[0] + "~"}
    another_key = generate_signer()
    key_binding = {"report": real["report"], "power": stolen[:-8] + "AAAAAAAA"}
    elsewhere = json.loads(package_of(omar, entry, audience="https://other.example/reports/x", change=other_act))
    handed = json.loads(package_of(omar, entry, audience=HANDED_OVER, change=other_act))
    more = real | {"note": "x"}
    for wrong in (swapped, without_key, key_binding, elsewhere, handed, more, {"report": "{}"}, {}):
        leave(lina, json.dumps(wrong).encode())
    lina.acts.arrive(lina.handle, b"noise")
    lina.acts.arrive(lina.handle, seal_report(b"{}", recipient_jwk=another_key.public_jwk).encode())
    with pytest.raises(ProtocolError):
        package_of(omar, entry, audience=address.url, signer=another_key)
    assert [one.id for one in await lina.unlocked()] == [told.id]
    leave(lina, json.dumps(real).encode())
    assert len(await lina.unlocked()) == 2  # What they changed was all that was wrong.


async def test_a_power_for_somebody_else_opens_no_history(world: World) -> None:
    """Omar holds a power for Sara, signed by the very same source, and knows Lina's address: it is not in that power.
    Not with the address of another wallet in it, and not with the address left out."""
    lina = await Principal.at(world)
    address = lina.acts.open_address(lina.vault)
    other = str(address).replace("her-wallet", "other")
    employer = known_verifier(world)
    for to in (None, other):
        changes: dict[str, Any] = {"reports_to": to} if to else {}
        omar = await Agent.named(world, f"Omar {to is None}")
        assert isinstance(omar, Agent)
        await omar.receive_power(SARA, **changes)
        await omar.receive_registration(SARA)
        entry = await acted(omar, employer)
        leave(lina, package_of(omar, entry, audience=address.url, address=to is not None))
    assert await lina.unlocked() == []


async def test_a_power_of_a_source_that_nobody_trusts_is_nothing_and_asks_nobody(world: World) -> None:
    """A stranger makes a power that names the address; nothing is looked up where the stranger says, so that they do
    not learn when the wallet is opened."""
    lina = await Principal.at(world)
    address = lina.acts.open_address(lina.vault)
    stranger = world.stranger
    omar = await Agent.with_power(world)
    made = statement(POWER, learner=OMAR).model_copy(update={"values": power_for(reports_to=str(address))})
    drafts = draft_offers(CREDENTIAL_TYPES[POWER.name], [made], with_tx_code=False)
    (offer,) = stranger.context.store.offers.create(drafts, now=world.clock())
    collection_id = await world.wallet.begin(omar.vault, stranger.context.links_of(offer).offer)
    await world.wallet.deployment.collect(omar.vault, collection_id, tx_code=None)
    await world.wallet.deployment.answer(omar.vault, collection_id, keep=True)
    forged = omar.powers[0]
    assert not forged.issuer_trusted
    entry = await acted_under(omar, omar.powers[1])
    with world.wallet.deployment.database.reading() as connection:
        copy = copy_to_tell_with(connection, omar.vault, forged.id)
    package = sign_report(
        written(report_of(entry)),
        copy.token,
        disclosures=select_disclosures(parse_sd_jwt(copy.token), (*SHOWN, (REPORTS_TO,))),
        signer=omar.vault.signer_for(copy),
        audience=address.url,
        now=world.clock(),
    )
    leave(lina, package)
    before = world.network.asked("stranger.example")
    assert await lina.unlocked() == []
    assert world.network.asked("stranger.example") == before


async def acted_under(agent: Agent, power: Any) -> Entry:
    """Omar shares for Lina under this power of several."""
    share_id = await agent.asked(known_verifier(agent.world))
    agent.act(share_id, power)
    await agent.approve(share_id)
    return agent.entry(share_id)


async def test_of_one_act_nothing_else_can_be_told_later(world: World) -> None:
    """Later reports may only go on where the earlier stopped: not another recipient, and no event taken back."""
    lina = await Principal.at(world)
    omar = await told_agent(world, lina)
    entry = await acted(omar, known_verifier(world))
    (told,) = await lina.unlocked()
    address = lina.acts.address(lina.vault)
    assert address is not None
    for change in (
        lambda members: members["recipient"].update(host="harmless.example"),
        lambda members: members.update(events=members["events"][:1]),
        lambda members: members.update(items=[]),
    ):
        leave(lina, package_of(omar, entry, audience=address.url, change=change))
    assert [one.events for one in await lina.unlocked()] == [told.events]
    later = {"type": "withdrawn", "at": world.clock().isoformat()}
    leave(lina, package_of(omar, entry, audience=address.url, change=lambda members: members["events"].append(later)))
    (now,) = await lina.unlocked()
    assert now.id == told.id
    assert now.told is not None
    assert now.told["report"]["events"][-1]["type"] == "withdrawn"


def _changed(wrong: dict[str, Any], members: dict[str, Any]) -> None:
    members.update(wrong)


IMPOSSIBLE: tuple[Any, ...] = (
    "2026-11-20T10:00:00",  # without a zone it is no moment
    "9999-12-31T23:59:59.999999Z",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00",
    "2020-01-01T00:00:00Z",  # before the power began
    "2030-01-01T00:00:00Z",  # after it was told
    0,
)
"""Moments at which nothing can have happened under the power."""

FORMS: tuple[dict[str, Any], ...] = (
    {"act_id": "short"},
    {"act_id": "../../../etc/passwd-and-more"},
    {"items": [{"name": {"sv": "x" * 3000}, "certificate": {"sv": ""}, "issuer": ""}]},
    {"events": []},
    {"events": [{"type": "requested", "at": "2026-11-20T10:00:00Z"}] * 51},
    {"value": "Lina"},
    {"recipient": None},
    {"schema": "urn:intyga:act-report:2"},
    *({"events": [{"type": "requested", "at": at}]} for at in IMPOSSIBLE),
)


async def test_a_report_of_another_form_is_not_taken_in(world: World) -> None:
    """Also from somebody who may tell: too long, without an event, with members that nobody knows."""
    lina = await Principal.at(world)
    omar = await told_agent(world, lina)
    with world.network.cut_before(f"/reports/{lina.handle}"):
        entry = await acted(omar, known_verifier(world))
    address = lina.acts.address(lina.vault)
    assert address is not None
    for wrong in FORMS:
        package = package_of(omar, entry, audience=address.url, change=partial(_changed, wrong))
        leave(lina, package)
    assert await lina.unlocked() == []
    leave(lina, package_of(omar, entry, audience=address.url))
    assert len(await lina.unlocked()) == 1


@pytest.mark.parametrize("at", IMPOSSIBLE)
async def test_an_act_with_an_impossible_moment_that_was_kept_before_can_be_seen(world: World, at: Any) -> None:
    """Wallets took any moment in once: the entry is shown, exported, and goes with a wallet that moves."""
    lina = await Principal.at(world)
    omar = await told_agent(world, lina)
    await acted(omar, known_verifier(world))
    (told,) = await lina.unlocked()
    assert told.told is not None
    report = {**told.told["report"], "act_id": "another-act-0123456789"}
    happened = ToldEvent.model_validate({"type": "requested", "at": at}).model_dump(mode="json")
    facts = {**told.told, "report": {**report, "events": [happened]}}
    with lina.side.deployment.database.transaction() as connection:
        append_event(connection, lina.vault, Event("e" * 32, EventKind.ACT_TOLD, world.clock(), facts))

    kept = next(one for one in lina.told if one.id == "e" * 32)

    book = Histories(lina.side.deployment).read(lina.vault)
    for language in ("sv", "en"):
        t = load_catalogues(Path(wallet_room.__file__).parent).translator(language)
        view = told_view(kept, t)
        assert view is not None
        assert view["events"][0]["moment"]
        for export in EXPORTS.values():
            assert export(book, t, zone="Europe/Stockholm", now=world.clock())
        assert entry_view(kept, t, now=world.clock(), titles={})
    assert told_reports(kept)[0].events[0].type == "requested"


NUMBERS = (
    *("191212121212", "121212-1212", "121212 1212"),
    *("１２１２１２−１２１２", "1212\u200b12-12\u206012", "1912-12-12\t%2D\u034f1212"),
)


def _with_number(number: str, members: dict[str, Any]) -> None:
    """Wherever a report has room for a text."""
    text = {"sv": f"Uppgift {number}.", "en": f"Item {number}."}
    members["recipient"].update(name=text, identifier=f"x:{number}")
    members.update(purpose=text, withdraw_contact=f"call {number}", withdraw_url=f"https://a.example/{number}")
    members["items"] = [{"name": text, "certificate": text, "issuer": f"School ({number})"}]
    members["act_id"] = "of-this-act-" + number if re.fullmatch("[0-9-]+", number) else "x" * 20


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("by", ["address", "file"])
async def test_a_personal_number_in_what_an_agent_tells_is_kept_nowhere(world: World, number: str, by: str) -> None:
    """The words of a report are the agent's: a number goes in none of them, however it is written. The act stands, and
    says that something was left out."""
    lina = await Principal.at(world)
    omar = await told_agent(world, lina)
    with world.network.cut_before(f"/reports/{lina.handle}"):
        entry = await acted(omar, known_verifier(world))
    address = lina.acts.address(lina.vault)
    assert address is not None
    audience = address.url if by == "address" else HANDED_OVER
    package = package_of(omar, entry, audience=audience, change=partial(_with_number, number), address=by == "address")
    if by == "address":
        leave(lina, package)
        (told,) = await lina.unlocked()
    else:
        read = await lina.acts.read_file(lina.vault, package)
        assert not _holds(json.dumps(dict(read.facts), ensure_ascii=False))
        await lina.acts.take_in_file(lina.vault, package, is_about_me=True)
        (told,) = lina.told
    kept = json.dumps([dict(event.facts) for event in told.events], ensure_ascii=False)
    assert not _holds(kept)
    assert told.told is not None
    assert told.told["left_out"]
    assert told.told["report"]["items"][0]["name"]["sv"].startswith("Uppgift")
    assert "Lina Haddad" in kept


def _holds(text: str) -> bool:
    digits = (unicodedata.digit(one, None) for one in text.replace("%2D", "-"))
    return "1212121212" in "".join(str(one) for one in digits if one is not None)


async def test_a_report_without_a_number_says_nothing_of_one(world: World) -> None:
    """Amounts, days, telephone numbers and registration numbers of companies are none."""
    lina = await Principal.at(world)
    omar = await told_agent(world, lina)
    await acted(omar, known_verifier(world))
    (told,) = await lina.unlocked()
    assert told.told is not None
    assert not told.told["left_out"]
    for text in ("556703-7485", "2026-11-20 10:00", "070-123 45 67", "1212121213"):
        assert without_personal_numbers(text) == text


async def test_only_so_much_waits_and_only_at_an_address_that_is_there(world: World) -> None:
    """Whoever knows an address cannot fill the service; a closed address takes nothing."""
    lina = await Principal.at(world)
    lina.acts.open_address(lina.vault)
    handle = lina.handle
    for _ in range(MOST_WAITING):
        lina.acts.arrive(handle, b"noise")
    with pytest.raises(TooManyRequests):
        lina.acts.arrive(handle, b"noise")
    with pytest.raises(NotFound):
        lina.acts.arrive(handle + "x", b"noise")
    with pytest.raises(Malformed):
        lina.acts.arrive(handle, b"x" * 60_001)
    lina.acts.close_address(lina.vault)
    with pytest.raises(NotFound):
        lina.acts.arrive(handle, b"noise")
    assert lina.acts.open_address(lina.vault).url.rpartition("/")[2] != handle


async def test_what_waits_cannot_be_read_at_rest(world: World) -> None:
    """The service keeps bytes that only the opened vault can read, and no handle."""
    lina = await Principal.at(world)
    omar = await told_agent(world, lina)
    await acted(omar, known_verifier(world))
    at_rest = b"".join(file.read_bytes() for file in lina.side.settings.data.glob("wallet.sqlite3*"))
    for secret in (lina.handle, "Haddad", "employer.example"):
        assert secret.encode() not in at_rest


async def test_a_file_needs_the_persons_own_yes_and_holds_as_much(world: World) -> None:
    """Without an address: handed over, checked in the same way, and never taken in unasked."""
    lina = await Principal.at(world)
    omar = await Agent.with_power(world)
    entry = await acted(omar, known_verifier(world))
    file = Telling(world.wallet.deployment).file_of(omar.vault, entry.id)
    with pytest.raises(NotAboutYou):
        await lina.acts.take_in_file(lina.vault, file, is_about_me=False)
    read = await lina.acts.read_file(lina.vault, file)
    assert (read.principal, read.birthdate) == ("Lina Haddad", "2012-08-19")
    assert lina.told == []
    for _ in range(2):
        await lina.acts.take_in_file(lina.vault, file, is_about_me=True)
    assert [len(one.events) for one in lina.told] == [1]
    for wrong in (b"", b"{}", file.replace(b"employer", b"harmless"), file[:-20] + b'AAAAAAAAAAAAAAAAAA"}'):
        with pytest.raises(ProtocolError):
            await lina.acts.take_in_file(lina.vault, wrong, is_about_me=True)
    assert len(lina.told) == 1


async def test_an_act_told_after_the_power_was_ended_says_so(world: World) -> None:
    """It is not swallowed, and not told as if the power still held."""
    lina = await Principal.at(world)
    omar = await told_agent(world, lina)
    with world.network.cut_before(f"/reports/{lina.handle}"):
        await acted(omar, known_verifier(world))
    issuer = world.university.context
    ids = [one.id for one in issuer.store.status.list_issued() if one.type_name == "power-of-representation"]
    issuer.store.status.change(ids, Status.REVOKED, publishing=issuer.publishing, now=world.clock())
    world.clock.move(hours=13)
    await Acts(world.wallet.deployment).tend(omar.vault)
    (told,) = await lina.unlocked()
    assert told.told is not None
    assert told.told["power_status"] == "revoked"


async def test_an_act_that_could_not_be_told_in_time_is_told_after_the_last_day(world: World) -> None:
    """The copies of a power end with it: what was done under it is told all the same, as told afterwards."""
    lina = await Principal.at(world)
    omar = await told_agent(world, lina, ends_on="2026-11-20")
    with world.network.cut_before(f"/reports/{lina.handle}"):
        await acted(omar, known_verifier(world))
    world.clock.move(days=400 - 1)
    await Acts(world.wallet.deployment).tend(omar.vault)
    assert world.network.asked("/reports/") == 2
    (told,) = await lina.unlocked()
    assert told.told is not None
    assert told.told["power_status"] == "ended"


@pytest.mark.parametrize(
    "written_address",
    [
        "",
        "https://wallet.example/reports/x",
        "https://user:secret@wallet.example/x#" + "A" * 43 + "." + "A" * 43,
        "https://wallet.example/x?y=1#" + "A" * 43 + "." + "A" * 43,
        "file:///etc/passwd#" + "A" * 43 + "." + "A" * 43,
        "https:///x#" + "A" * 43 + "." + "A" * 43,
        "https://wallet.example/x y#" + "A" * 43 + "." + "A" * 43,
        None,
    ],
)
def test_an_address_of_another_form_is_none(written_address: str | None) -> None:
    """No name, no password, no query, nothing but https (or http, which the way out refuses outside of trials)."""
    with pytest.raises(Malformed):
        read_report_address(written_address)


async def test_an_address_inside_the_network_is_not_asked(world: World) -> None:
    """The source chose the address; the guarded way out refuses what is not public, and the act stands all the same."""
    key = generate_signer().public_jwk
    inside = f"http://169.254.169.254/latest#{key['x']}.{key['y']}"
    omar = await Agent.with_power(world, reports_to=inside)
    entry = await acted(omar, known_verifier(world))
    assert omar.entry(entry.id).outcome is Outcome.SHARED
    assert omar.entry(entry.id).events[-1].kind is EventKind.PRINCIPAL_NOT_TOLD
    assert world.network.asked("169.254") == 0


def test_a_report_opens_with_its_own_key_only() -> None:
    """Sealed to somebody else it stays closed."""
    mine, other = generate_signer(), generate_signer()
    token = seal_report(b"{}", recipient_jwk=mine.public_jwk)
    assert open_report(token, private_jwk=mine.private_jwk()) == b"{}"
    with pytest.raises(ProtocolError):
        open_report(token, private_jwk=other.private_jwk())
