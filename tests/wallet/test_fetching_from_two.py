"""Two certificates are missing and two sources have them: what is on its way at one holds up nothing at the other."""

from dataclasses import replace
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from issuer.deferral import Review
from schemas.types import CREDENTIAL_TYPES, CredentialType
from tests.issuer.fetching import ELIN
from tests.schemas.types.records import statement
from tests.wallet.fake_verifier import FakeVerifier, known_verifier, notice
from tests.wallet.people import Sharer
from tests.wallet.test_fetching import Source, _enter, _form, _tree
from tests.wallet.test_fetching_several import BOTH, employment_service, fields_of
from tests.world import World

pytestmark = pytest.mark.anyio
REGISTRATION, TARGET = (CREDENTIAL_TYPES[name] for name in ("registration-certificate", "target-group-certificate"))


class Asked:
    """A person who is asked for two certificates, of which one source has the one and another source the other."""

    def __init__(self, world: World, sharer: Sharer, employer: FakeVerifier, **at_first: Any) -> None:
        self.world, self.sharer, self.employer = world, sharer, employer
        self.first = _source(world, "first.example", REGISTRATION, **at_first)
        self.second = _source(world, "second.example", TARGET, provider=self.first.provider)
        self.browser: TestClient = world.wallet.browser()
        self.share_id = ""

    async def begins(self) -> Any:
        """The request, which says what is missing."""
        self.share_id = await self.sharer.begin(self.employer.ask(BOTH, notice=notice()).link())
        return _enter(self.browser, f"/share/{self.share_id}")

    def away(self, page: Any, kind: CredentialType) -> str:
        """The person presses the button for this kind; the address of the source."""
        (form,) = [one for one in _tree(page).xpath("//form") if one.xpath(f".//input[@value='{kind.vct}']")]
        away = self.browser.post(form.action, data=fields_of(form))
        (address,) = _tree(away).xpath("//a[@id='to-source']/@href")
        return str(address)

    def comes_back(self, source: Source, address: str, decision: str = "yes") -> Any:
        """They sign in, decide, and the browser leads back."""
        return self.browser.get("/fetched", params=source.allow(address, decision))

    def request(self) -> Any:
        """The request again."""
        return self.browser.get(f"/share/{self.share_id}")

    def goes_on(self, page: Any) -> Any:
        """The way back to the request from the page of a collection."""
        form = _form(page, "go-on")
        return self.browser.post(form.action, data=dict(form.form_values()))

    @property
    def held(self) -> set[str]:
        return {one.vct for one in self.sharer.vault.certificates()}


def _source(world: World, host: str, kind: CredentialType, **settings: Any) -> Source:
    kept = [statement(kind, learner=ELIN, as_of=None, is_live=True)]
    source = Source(world, vct=kind.vct, kept=kept, host=host, **settings)
    # Each is trusted for what it has, and for nothing else.
    world.wallet.trust(replace(source.entry, types=(kind.vct,)))
    return source


async def _asked(world: World, **at_first: Any) -> Asked:
    return Asked(world, await Sharer.named(world), known_verifier(world), **at_first)


def _fetchable(page: Any) -> set[tuple[str, str]]:
    """Where what can be fetched, by the buttons of the page."""
    return {
        (form.xpath("string(.//input[@name='issuer']/@value)"), form.xpath("string(.//input[@name='vct']/@value)"))
        for form in _tree(page).xpath("//form[.//input[@name='vct']]")
    }


async def test_what_the_first_source_has_to_look_at_does_not_hold_up_the_second(world: World) -> None:
    """It takes days at the first; the second is fetched meanwhile, and the same request is answered with both."""
    asked = await _asked(world, reviewed_types=REGISTRATION.name)
    page = await asked.begins()
    first, second = (asked.first.side.url, REGISTRATION.vct), (asked.second.side.url, TARGET.vct)
    assert _fetchable(page) == {first, second}

    waits = asked.comes_back(asked.first, asked.away(page, REGISTRATION))

    assert 'id="ask-again"' in waits.text
    page = asked.goes_on(waits)
    assert page.url.path == f"/share/{asked.share_id}"
    assert 'id="on-its-way-1"' in page.text
    assert _fetchable(page) == {second}, "what is on its way is not fetched a second time there"
    page = asked.comes_back(asked.second, asked.away(page, TARGET))
    assert page.url.path == f"/share/{asked.share_id}"
    assert asked.held == {TARGET.vct}
    assert _fetchable(page) == set()

    deferrals = asked.first.side.context.store.deferrals
    deferrals.review(deferrals.list_waiting()[0].offer_id, Review.APPROVED, now=world.clock())
    world.clock.move(seconds=11)
    arrived = asked.browser.get("/")
    assert asked.held == {REGISTRATION.vct, TARGET.vct}
    form = _form(arrived, "arrived-go-on-1")
    page = asked.browser.post(form.action, data=dict(form.form_values()))
    assert 'id="decide-share"' in page.text


async def test_while_one_is_away_at_the_first_source_the_second_can_be_begun(world: World) -> None:
    """Two sign-ins are open at once, and each answer finds its own."""
    asked = await _asked(world)
    page = await asked.begins()
    at_first = asked.away(page, REGISTRATION)
    page = asked.request()
    assert _fetchable(page) == {(asked.second.side.url, TARGET.vct)}
    at_second = asked.away(page, TARGET)

    page = asked.comes_back(asked.second, at_second)
    assert asked.held == {TARGET.vct}
    assert 'id="on-its-way-1"' in page.text
    page = asked.comes_back(asked.first, at_first)

    assert page.url.path == f"/share/{asked.share_id}"
    assert 'id="decide-share"' in page.text


async def test_a_no_at_the_first_source_leaves_both_to_be_fetched(world: World) -> None:
    """The request says that nothing came of it and why; it is tried again there, and what failed is put away."""
    asked = await _asked(world)
    page = await asked.begins()
    both = _fetchable(page)

    refused = asked.comes_back(asked.first, asked.away(page, REGISTRATION), "no")

    page = asked.goes_on(refused)
    told = " ".join(_tree(page).xpath("//*[@id='stopped-1']")[0].text_content().split())
    assert told.startswith("Nothing has come from ")
    assert "You said no at the issuer, or it found no record of yours." in told
    assert 'id="on-its-way-1"' not in page.text
    assert _fetchable(page) == both
    page = asked.comes_back(asked.second, asked.away(page, TARGET))
    assert asked.held == {TARGET.vct}
    assert 'id="stopped-1"' in page.text
    page = asked.comes_back(asked.first, asked.away(page, REGISTRATION))
    assert page.url.path == f"/share/{asked.share_id}"
    assert 'id="decide-share"' in page.text
    assert world.wallet.deployment.collections(asked.sharer.vault) == {}, "the try that failed is put away"


async def test_what_one_source_refuses_can_be_fetched_from_another(world: World) -> None:
    """Both have the kind: the first will not even hear of it, and stays as one of two."""
    asked = await _asked(world)
    other = _source(world, "other.example", REGISTRATION)
    page = await asked.begins()
    refusing = httpx2.Response(400, json={"error": "access_denied"})
    (form,) = [one for one in _tree(page).xpath("//form") if one.xpath(".//input[@value='https://first.example']")]
    with world.network.answering(lambda sent: refusing if sent.url.path == "/par" else None):
        failed = asked.browser.post(form.action, data=fields_of(form))
    assert 'id="problem"' in failed.text

    page = asked.goes_on(failed)

    assert 'id="stopped-1"' in page.text
    wanted = {(one, REGISTRATION.vct) for one in (asked.first.side.url, other.side.url)}
    assert _fetchable(page) == wanted | {(asked.second.side.url, TARGET.vct)}


async def test_what_is_gone_on_with_one_by_one_has_not_stopped(world: World) -> None:
    """A source that takes one kind at a time is gone on with where it stands, which knows the order: another wish for
    all of it would be refused as well."""
    employment_service(world)
    sharer, employer = await Sharer.named(world), known_verifier(world)
    share_id = await sharer.begin(employer.ask(BOTH, notice=notice()).link())
    browser = world.wallet.browser()
    form = _form(_enter(browser, f"/share/{share_id}"), "fetch-all-1")
    browser.post(form.action, data=fields_of(form))
    (one,) = world.wallet.deployment.collections(sharer.vault).values()
    server = one.offered.authorization_server.issuer

    browser.get("/fetched", params={"error": "invalid_scope", "state": one.state, "iss": server})

    page = browser.get(f"/share/{share_id}")
    assert 'id="on-its-way-1"' in page.text
    assert 'id="stopped-1"' not in page.text
    assert _fetchable(page) == set(), "the second follows the first by itself"
