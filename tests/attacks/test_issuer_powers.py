"""Ending a power at its source: only whom it is over and who holds it can, and what they ended comes back by no way."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import html
from sqlalchemy import select, update

from issuer.offers import draft_offers
from issuer.pages.issued import BY_THE_PEOPLE
from issuer.powers import NoSuchPower, PowerWasEnded, marks_of
from issuer.status import Status
from issuer.store.results import ImportDraft
from issuer.store.tables import OFFERS, RESULTS
from proofs.formats.sd_jwt import parse_sd_jwt
from schemas.learning.achievement import Identifier, Learner
from tests.issuer.fetching import Fetcher, running_fetcher
from tests.schemas.types.records import statement
from tests.wallet.acting import LINA, OMAR, POWER, REGISTRATION, SARA, power_for

POWERS = POWER.name
NUMBERED = {
    "omar": OMAR.model_copy(update={"identifiers": (Identifier(type="nationalIdentifier", value="19830304TF11"),)}),
    "lina": LINA.model_copy(update={"identifiers": (Identifier(type="nationalIdentifier", value="20120819TF22"),)}),
    "sara": SARA.model_copy(update={"identifiers": (Identifier(type="nationalIdentifier", value="20150109TF33"),)}),
}
NUMBERS = {name: one.identifiers[0].value for name, one in NUMBERED.items()}


def power_record(number: int = 1, **changes: Any) -> Any:
    """Omar's power over Lina, as a register has it."""
    made = statement(POWER, number, learner=NUMBERED["omar"])
    return made.model_copy(update={"values": power_for(**changes)})


def own_record(name: str, number: int) -> Any:
    """Something that the source knows of a person, by which it recognises them."""
    return statement(REGISTRATION, number, learner=NUMBERED[name])


def link_of(page: Any, id_: str) -> str:
    """Where a link of a page leads."""
    tree: Any = html.fromstring(page.text)
    (href,) = tree.xpath(f"//a[@id='{id_}']/@href")
    return str(href)


@dataclass
class Source:
    """An authority that gave Omar a power over Lina, and who comes to its page."""

    fetcher: Fetcher

    @property
    def client(self) -> Any:
        """The browser."""
        return self.fetcher.desk.client

    @property
    def store(self) -> Any:
        """What the authority keeps."""
        return self.fetcher.desk.context.store

    def get(self, path: str) -> Any:
        """A page."""
        return self.client.get(self.fetcher.desk.settings.origin + path, headers={"Accept": "text/html"})

    def post(self, page: Any, path: str, **fields: str) -> Any:
        """A form of a page, with its token."""
        tree: Any = html.fromstring(page.text)
        token = tree.xpath("//input[@name='csrf']/@value")[0]
        return self.client.post(
            self.fetcher.desk.settings.origin + path, data={"csrf": token, **fields}, headers={"Accept": "text/html"}
        )

    def signed_in(self, name: str = "", **person: str) -> Any:
        """Somebody signs in on the page of powers."""
        self.client.cookies.clear()
        self.fetcher.provider.person = {"sub": name or "x", **({"pnr": NUMBERS[name]} if name else {}), **person}
        leading = self.post(self.get("/powers"), "/powers/sign-in")
        url = link_of(leading, "to-sign-in")
        return self.fetcher.come_back(**self.fetcher.provider.sign_in(url))

    def collected(self) -> Any:
        """Omar has fetched his power; returns the copy."""
        self.fetcher.provider.person = {"sub": "omar", "pnr": NUMBERS["omar"]}
        token = self.fetcher.token(scope=POWERS)["access_token"]
        answer = self.fetcher.ask_credential(token, type_name=POWERS)
        assert answer.status_code == 200, answer.text
        return answer.json()["credentials"][0]["credential"]

    def now(self) -> datetime:
        """The time at the authority."""
        now: datetime = self.fetcher.desk.clock()
        return now

    @property
    def statuses(self) -> list[Status]:
        """Of every certificate."""
        return [one.status for one in self.store.status.list_issued()]

    def end(self, page: Any, link_id: str = "over-end-1") -> Any:
        """Press "End this", and then the button."""
        href = link_of(page, link_id)
        return self.post(self.get(href), href, decision="end")


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Source]:
    """The authority knows all three by number."""
    kept = (power_record(), own_record("lina", 2), own_record("sara", 3))
    with running_fetcher(tmp_path, *kept) as fetcher:
        yield Source(fetcher)


def test_whom_it_is_over_ends_it_at_once_and_for_good(source: Source) -> None:
    """Revoked in the published list, logged without a name; and there is no way to fetch it again."""
    copy = parse_sd_jwt(source.collected())
    page = source.signed_in("lina")
    assert "Omar Haddad" in page.text
    ended = source.end(page)
    assert 'id="over-none"' in ended.text
    assert source.fetcher.desk.read_status(copy) == 1
    (certificate,) = source.store.status.list_issued()
    assert certificate.status_reason == "ended_by_principal"
    assert "ended_by_principal" in BY_THE_PEOPLE

    source.fetcher.provider.person = {"sub": "omar", "pnr": NUMBERS["omar"]}
    nothing = source.fetcher.sign_in(source.fetcher.open(source.fetcher.request_uri(scope=POWERS)))
    assert "Nothing was fetched" in nothing.text or "Inget hämtades" in nothing.text


def test_who_is_not_known_is_asked_who_they_are_when_they_sign_in_again(source: Source) -> None:
    """The provider may know the browser, and would bring the same person back."""
    first = source.post(source.get("/powers"), "/powers/sign-in")
    assert "prompt" not in parse_qs(urlsplit(link_of(first, "to-sign-in")).query)
    told = source.signed_in(pnr="19500101-0000")
    tree: Any = html.fromstring(told.text)
    (again,) = tree.xpath("//input[@name='again']/@value")
    leading = source.post(told, "/powers/sign-in", again=again)
    assert parse_qs(urlsplit(link_of(leading, "to-sign-in")).query)["prompt"] == ["login"]


@pytest.mark.parametrize(
    ("language", "kind", "everything"),
    [
        ("en", "Job seeker registration", "every kind of certificate, but no other power. They may be shown to every"),
        ("sv", "Inskrivningsintyg", "alla slags intyg, men ingen annan behörighet. De får visas för alla"),
    ],
)
def test_what_a_power_covers_is_told_in_words(source: Source, language: str, kind: str, everything: str) -> None:
    """By the titles of the kinds and the names of the recipients, on both pages, before and after fetching."""
    wide = power_record(9, covers_types=["all"], covers_recipients=["all"], power_basis="decision")
    source.store.offers.create(draft_offers(POWER, [wide], with_tx_code=False), now=source.now())
    source.collected()
    source.signed_in("lina")
    page = source.get(f"/powers?lang={language}")
    tree: Any = html.fromstring(page.text)
    told = ["".join(one.xpath(".//text()")) for one in tree.xpath("//p[contains(@id, '-covers')]")]
    assert len(told) == 2
    assert any(kind in one and "employer.example" in one for one in told), told
    assert any(everything in one and "employer" not in one for one in told), told
    assert "urn:" not in " ".join(told)
    number = 1 + next(position for position, one in enumerate(told) if kind in one)
    ending: Any = html.fromstring(source.get(link_of(page, f"over-end-{number}") + f"?lang={language}").text)
    assert kind in "".join(ending.xpath("//p[@id='covers']//text()"))


def test_two_powers_of_one_agent_are_told_apart_and_the_other_one_stays(source: Source) -> None:
    """By period and basis, before and after fetching; ending one says that the other goes on, and it does."""
    source.collected()
    later = power_record(9, begins_on="2026-02-03", power_basis="decision")
    (drafts,) = [draft_offers(POWER, [later], with_tx_code=False)]
    source.store.offers.create(drafts, now=source.fetcher.desk.clock())
    page = source.signed_in("lina")
    tree: Any = html.fromstring(page.text)
    first, second = ("".join(tree.xpath(f"//p[@id='over-{number}-period']//text()")) for number in (1, 2))
    assert first
    assert second
    assert first != second
    href = link_of(page, "over-end-1")
    before = source.get(href)
    assert first.split(". ")[0] in before.text
    assert "also one of the same person" in before.text or "även om samma person" in before.text
    left: Any = html.fromstring(source.post(before, href, decision="end").text)
    assert "".join(left.xpath("//p[@id='over-1-period']//text()")) == second
    assert not left.xpath("//section[@id='over-2']")


def test_wallets_find_the_page(source: Source) -> None:
    """Published beside the other documents of the issuer, for whoever wants to send people there."""
    settings = source.fetcher.desk.settings
    found = source.get(settings.well_known_path("intyga-powers").removeprefix(settings.origin)).json()
    assert found == {"issuer": source.fetcher.desk.issuer, "page": settings.url("/powers")}


def test_nobody_else_sees_it_or_ends_it(source: Source) -> None:
    """Not another child, not somebody who is not signed in, not by the address of the form, not with a borrowed
    cookie."""
    source.collected()
    lina = source.signed_in("lina")
    href = link_of(lina, "over-end-1")
    who = {name: value for name, value in source.client.cookies.items() if name.endswith("powers-who")}
    assert who
    page = source.signed_in("sara")
    assert "Omar" not in page.text
    assert source.get(href).status_code == 404
    source.post(page, href, decision="end")
    assert source.statuses == [Status.VALID]
    for name, value in who.items():  # The cookie of another browser, without the key of that browser.
        source.client.cookies.set(name, value)
    source.post(page, href, decision="end")
    assert source.statuses == [Status.VALID]
    source.client.cookies.clear()
    anonymous = source.get("/powers")
    assert "Omar" not in anonymous.text
    source.post(anonymous, href, decision="end")
    assert source.get(href).url.path.endswith("/powers")
    assert source.statuses == [Status.VALID]


def test_a_form_of_another_site_ends_nothing_and_enter_ends_nothing(source: Source) -> None:
    """Without the token of our own page; and with it, but without the button."""
    source.collected()
    page = source.signed_in("lina")
    href = link_of(page, "over-end-1")
    address = source.fetcher.desk.settings.origin + href
    source.client.post(address, data={"decision": "end"}, headers={"Accept": "text/html"})
    source.post(page, href)
    source.post(page, href, decision="keep")
    assert source.statuses == [Status.VALID]


def test_the_visit_ends_by_itself_and_by_signing_out(source: Source) -> None:
    """After 15 minutes, and at the button."""
    source.collected()
    page = source.signed_in("lina")
    href = link_of(page, "over-end-1")
    source.fetcher.desk.clock.advance(minutes=16)
    source.post(page, href, decision="end")
    page = source.signed_in("lina")
    left = source.post(page, "/powers/leave")
    source.post(page, href, decision="end")
    assert source.statuses == [Status.VALID]
    told = [value for one in (*left.history, left) for value in one.headers.get_list("set-cookie")]
    ended = [value for value in told if "-powers-" in value and "Max-Age=0" in value]
    assert len(ended) == 2
    assert all(value.startswith("__Host-") and "Secure" in value and "Path=/" in value for value in ended)


@pytest.mark.parametrize(
    "brought",
    [
        {"state": "powers.wrong", "code": "code-0"},
        {"state": "powers.", "code": "code-0"},
        {"state": "powers", "code": ""},
        {"state": "powers.ä", "code": "x"},
    ],
)
def test_a_sign_in_that_was_not_begun_here_counts_for_nothing(source: Source, brought: dict[str, str]) -> None:
    """Another's `state` signs nobody in as somebody else."""
    source.post(source.get("/powers"), "/powers/sign-in")
    source.fetcher.come_back(**brought)
    assert 'id="sign-in"' in source.get("/powers").text


def test_a_sign_in_for_fetching_is_none_for_ending(source: Source) -> None:
    """The two are told apart: what one gives is of no use for the other."""
    source.collected()
    source.client.cookies.clear()
    source.fetcher.provider.person = {"sub": "lina", "pnr": NUMBERS["lina"]}
    source.fetcher.sign_in(source.fetcher.open(source.fetcher.request_uri(scope=REGISTRATION.name)))
    assert 'id="sign-in"' in source.get("/powers").text


def test_who_holds_it_lays_it_down(source: Source) -> None:
    """The agent sees it under what they hold, and ends it in the same way; a new one can be given."""
    source.collected()
    page = source.signed_in("omar")
    assert 'id="over-none"' in page.text
    source.end(page, "mine-end-1")
    assert source.statuses == [Status.REVOKED]
    (certificate,) = source.store.status.list_issued()
    assert certificate.status_reason == "laid_down"
    drafts = draft_offers(POWER, [power_record()], with_tx_code=False)
    assert source.store.offers.create(drafts, now=source.fetcher.desk.clock())


@pytest.mark.parametrize(
    ("language", "held_by", "held_for", "lay_down"),
    [
        ("en", "Held by Omar Haddad", "Held for Lina Haddad", "Lay down the power for Lina Haddad"),
        ("sv", "Innehas av Omar Haddad", "Gäller för Lina Haddad", "Lämna ifrån dig behörigheten för Lina Haddad"),
    ],
)
def test_each_sees_who_the_other_one_is(
    source: Source, language: str, held_by: str, held_for: str, lay_down: str
) -> None:
    """Who lays a power down sees for whom it is, on the list and before the end; no name is made up when it is gone."""
    source.collected()
    source.signed_in("lina")
    assert held_by in source.get(f"/powers?lang={language}").text
    source.signed_in("omar")
    page = source.get(f"/powers?lang={language}")
    assert held_for in page.text
    assert "Omar Haddad" not in page.text
    before = source.get(link_of(page, "mine-end-1"))
    assert f"{lay_down}</h1>" in before.text
    with source.store.database.transaction() as connection:
        connection.execute(update(OFFERS).values(claims=None))
        connection.execute(update(RESULTS).values(import_id=""))
    left = source.get("/powers").text
    assert 'id="mine-1"' in left
    assert "Haddad" not in left


def test_a_code_that_was_given_before_the_end_is_worth_nothing_after_it(source: Source) -> None:
    """The agent has signed in and said yes, and has the code in the hand, when it is ended."""
    source.collected()
    source.fetcher.provider.person = {"sub": "omar", "pnr": NUMBERS["omar"]}
    code = source.fetcher.allowed(scope=POWERS)
    (power,) = source.store.powers.of_person(_marks(source, LINA), now=source.fetcher.desk.clock())
    _end(source, power.id, LINA)
    assert source.fetcher.ask_token(code).status_code == 400
    assert source.statuses == [Status.REVOKED]


def test_a_token_that_was_given_before_the_end_is_worth_nothing_after_it(source: Source) -> None:
    """And so is one with which nothing has been collected yet: the offer itself is what is ended then."""
    source.fetcher.provider.person = {"sub": "omar", "pnr": NUMBERS["omar"]}
    token = source.fetcher.token(scope=POWERS)
    (power,) = source.store.powers.of_person(_marks(source, LINA), now=source.fetcher.desk.clock())
    assert not power.was_collected
    _end(source, power.id, LINA)
    assert source.fetcher.ask_credential(token["access_token"], type_name=POWERS).status_code == 401
    if "refresh_token" in token:
        assert source.fetcher.ask_refresh(token["refresh_token"]).status_code == 400
    assert source.statuses == []
    assert source.store.powers.of_person(_marks(source, LINA), now=source.fetcher.desk.clock()) == []


def test_the_register_of_the_next_night_brings_nothing_back(source: Source) -> None:
    """The same power, read in again, is neither offered nor fetched; one that begins on a later day is."""
    source.collected()
    (power,) = source.store.powers.of_person(_marks(source, LINA), now=source.fetcher.desk.clock())
    _end(source, power.id, LINA)
    clock = source.fetcher.desk.clock
    again = draft_offers(POWER, [power_record(9)], with_tx_code=False)
    with pytest.raises(PowerWasEnded):
        source.store.offers.create(again, now=clock())
    draft = ImportDraft("powers.json", "json", "1" * 64, (), (power_record(9),))
    source.store.results.save_import(draft, now=clock())
    source.fetcher.provider.person = {"sub": "omar", "pnr": NUMBERS["omar"]}
    code = source.fetcher.allowed(scope=POWERS)
    refused = source.fetcher.ask_token(code)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    later = power_record(10, begins_on="2099-01-01", ends_on="2100-01-01", power_basis="power_of_attorney")
    assert source.store.offers.create(draft_offers(POWER, [later], with_tx_code=False), now=clock())


def test_a_power_ends_once(source: Source) -> None:
    """In one transaction: whoever comes second finds nothing, and nor does somebody else."""
    source.collected()
    (power,) = source.store.powers.of_person(_marks(source, LINA), now=source.fetcher.desk.clock())
    _end(source, power.id, LINA)
    with pytest.raises(NoSuchPower):
        _end(source, power.id, LINA)
    with pytest.raises(NoSuchPower):
        _end(source, power.id, SARA)


def test_a_list_that_cannot_be_signed_ends_nothing(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it or nothing: the record stays, too."""
    source.collected()
    (power,) = source.store.powers.of_person(_marks(source, LINA), now=source.fetcher.desk.clock())

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("the key cannot be read")

    monkeypatch.setattr("issuer.store.status.sign_list", broken)
    with pytest.raises(OSError, match="key"):
        _end(source, power.id, LINA)
    assert source.statuses == [Status.VALID]
    with source.store.database.reading() as connection:
        assert "" not in connection.execute(select(RESULTS.c.import_id)).scalars().all()


def test_a_power_of_before_is_found_when_somebody_looks(source: Source) -> None:
    """Made by an earlier version, which kept no marks: by its record."""
    source.collected()
    with source.store.database.transaction() as connection:
        connection.execute(update(OFFERS).values(principal_mark=None, agent_mark=None))
    assert "Omar Haddad" in source.signed_in("lina").text


def test_one_of_whom_nothing_is_left_hides_none_and_is_looked_at_once(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier power whose claims and record are gone, before another one, and only one is looked at in a step."""
    monkeypatch.setattr("issuer.store.powers._MARKED_AT_ONCE", 1)
    source.collected()
    source.store.offers.create(draft_offers(POWER, [power_record(4)], with_tx_code=False), now=source.now())
    with source.store.database.transaction() as connection:
        first = connection.execute(select(OFFERS.c.id).order_by(OFFERS.c.number)).scalars().first()
        connection.execute(update(OFFERS).values(principal_mark=None, agent_mark=None))
        connection.execute(update(OFFERS).where(OFFERS.c.id == first).values(claims=None, result_ids=b"[]"))
    assert len(source.store.powers.of_person(_marks(source, LINA), now=source.now())) == 1
    with source.store.database.reading() as connection:
        assert None not in connection.execute(select(OFFERS.c.principal_mark)).scalars().all()


def unborn(number: int, family_name: str) -> Any:
    """A power over Lina of an agent whose birth date is not told."""
    agent = Learner(family_name=family_name, given_name="Alex", identifiers=NUMBERED["omar"].identifiers)
    return power_record(number).model_copy(update={"learner": agent})


@pytest.mark.parametrize("of_before", [False, True])
def test_an_ended_power_blocks_no_other_agent_without_a_birth_date(source: Source, of_before: bool) -> None:
    """The agent of the ended power is another; `of_before`: it was kept by a version that gave such agents no mark."""

    def offered(record: Any) -> None:
        source.store.offers.create(draft_offers(POWER, [record], with_tx_code=False), now=source.now())

    offered(unborn(21, "Aa"))
    for power in source.store.powers.of_person(_marks(source, LINA), now=source.now()):
        _end(source, power.id, LINA)
    if of_before:
        with source.store.database.transaction() as connection:
            connection.execute(update(OFFERS).values(agent_mark=None))
    offered(unborn(22, "Bb"))
    if not of_before:
        with pytest.raises(PowerWasEnded):
            offered(unborn(23, "Aa"))


def test_two_people_of_one_name_and_birth_date_are_told_apart_or_nothing_is_done(tmp_path: Path) -> None:
    """A power has no number in it: where the source knows two such people, neither ends it here."""
    namesake = LINA.model_copy(update={"identifiers": (Identifier(type="nationalIdentifier", value="20120819TF99"),)})
    kept = (power_record(), own_record("lina", 2), statement(REGISTRATION, 3, learner=namesake))
    with running_fetcher(tmp_path, *kept) as fetcher:
        source = Source(fetcher)
        source.collected()
        for number in (NUMBERS["lina"], "20120819TF99"):
            page = source.signed_in(pnr=number)
            assert 'id="why"' in page.text
            assert "Omar" not in page.text
        assert 'id="why"' in source.signed_in(pnr="20120819TF77").text  # Nobody at all.


def test_where_people_are_matched_by_name_and_birth_date_the_sign_in_says_who_it_is(tmp_path: Path) -> None:
    """The source has no record of the child but the power over her."""
    match = "birthdate=birth_date, given_name=given_name, family_name=family_name"
    with running_fetcher(tmp_path, power_record(), login_match=match) as fetcher:
        source = Source(fetcher)
        omar = {"birthdate": "1983-03-04", "given_name": "Omar", "family_name": "Haddad"}
        lina = {"birthdate": "2012-08-19", "given_name": "Lina", "family_name": "Haddad"}
        fetcher.provider.person = {"sub": "omar", **omar}
        token = fetcher.token(scope=POWERS)["access_token"]
        assert fetcher.ask_credential(token, type_name=POWERS).status_code == 200
        assert "Omar" not in source.signed_in(**(lina | {"birthdate": "2012-08-20"})).text
        source.end(source.signed_in(**lina))
        assert source.statuses == [Status.REVOKED]


def _marks(source: Source, learner: Learner) -> frozenset[bytes]:
    assert isinstance(learner.birth_date, date)
    assert learner.family_name is not None
    assert learner.given_name is not None
    person = (learner.family_name.casefold(), learner.given_name.casefold(), learner.birth_date.strftime("%Y%m%d"))
    return marks_of(source.store.secret, [person])


def _end(source: Source, power_id: str, learner: Learner) -> None:
    context = source.fetcher.desk.context
    context.store.powers.end(
        power_id, _marks(source, learner), publishing=context.publishing, now=source.fetcher.desk.clock()
    )
