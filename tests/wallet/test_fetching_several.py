"""What a request asks for and one source can issue is fetched with one wish, one certificate after the other."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.types import CREDENTIAL_TYPES
from tests.issuer.fetching import ELIN
from tests.schemas.types.records import statement
from tests.wallet.fake_verifier import credential, known_verifier, notice
from tests.wallet.people import Sharer
from tests.wallet.test_fetching import Source, _enter, _form, _tree
from tests.world import World

pytestmark = pytest.mark.anyio
REGISTRATION, TARGET = (CREDENTIAL_TYPES[name] for name in ("registration-certificate", "target-group-certificate"))
BOTH: dict[str, Any] = {
    "credentials": [
        credential(["registered_status"], query_id="registration", vct=REGISTRATION.vct),
        credential(["in_target_group"], query_id="target", vct=TARGET.vct),
    ]
}


def _source(world: World) -> Source:
    kept = [statement(one, learner=ELIN, as_of=None, is_live=True) for one in (REGISTRATION, TARGET)]
    source = Source(world, vct=REGISTRATION.vct, kept=kept)
    world.wallet.trust(replace(source.entry, types=(REGISTRATION.vct, TARGET.vct)))
    return source


async def test_one_wish_fetches_both_and_leads_back_to_the_request(world: World) -> None:
    """The person sees each at the source and allows it there; the wallet goes on from the first to the second."""
    source, employer = _source(world), known_verifier(world)
    sharer = await Sharer.named(world)
    share_id = await sharer.begin(employer.ask(BOTH, notice=notice()).link())
    browser = world.wallet.browser()
    form = _form(_enter(browser, f"/share/{share_id}"), "fetch-all-1")
    page = browser.post(form.action, data=dict(form.form_values()))

    for _ in range(2):
        (link,) = _tree(page).xpath("//a[@id='to-source']/@href")
        page = browser.get("/fetched", params=source.allow(str(link)))

    assert page.url.path == f"/share/{share_id}"
    assert 'id="decide-share"' in page.text
    assert {one.vct for one in sharer.vault.certificates()} == {REGISTRATION.vct, TARGET.vct}
    assert all(one.renewal is not None for one in sharer.vault.certificates()), "each can be renewed by itself"
    assert world.wallet.deployment.collections(sharer.vault) == {}


async def test_a_no_at_the_source_ends_it(world: World) -> None:
    """Whoever says no to the first is not sent on to the second."""
    source, employer = _source(world), known_verifier(world)
    sharer = await Sharer.named(world)
    share_id = await sharer.begin(employer.ask(BOTH, notice=notice()).link())
    browser = world.wallet.browser()
    form = _form(_enter(browser, f"/share/{share_id}"), "fetch-all-1")
    page = browser.post(form.action, data=dict(form.form_values()))
    (link,) = _tree(page).xpath("//a[@id='to-source']/@href")

    page = browser.get("/fetched", params=source.allow(str(link), "no"))

    assert page.url.path.startswith("/receive/")
    assert sharer.vault.certificates() == []
    assert len(world.wallet.deployment.collections(sharer.vault)) == 1


async def test_nothing_is_fetched_afterwards_that_nobody_vouches_for(world: World) -> None:
    """A form that was changed by hand, and trust that ended in between."""
    source, employer = _source(world), known_verifier(world)
    sharer = await Sharer.named(world)
    share_id = await sharer.begin(employer.ask(BOTH, notice=notice()).link())
    browser = world.wallet.browser()
    form = _form(_enter(browser, f"/share/{share_id}"), "fetch-all-1")
    fields = dict(form.form_values())
    assert browser.post(form.action, data=fields | {"then": ["urn:other"]}).status_code == 404

    page = browser.post(form.action, data=fields)
    (link,) = _tree(page).xpath("//a[@id='to-source']/@href")
    world.wallet.trust(replace(source.entry, types=(REGISTRATION.vct,)))
    page = browser.get("/fetched", params=source.allow(str(link)))

    assert page.url.path == f"/share/{share_id}", "the request says what is still missing"
    assert [one.vct for one in sharer.vault.certificates()] == [REGISTRATION.vct]


async def test_of_alternatives_nothing_is_missing_when_one_is_there(world: World) -> None:
    """A transcript will do in place of a course certificate: the person is not told to fetch that one as well."""
    _source(world)
    sharer, employer = await Sharer.with_certificate(world), known_verifier(world)
    asked = {
        "credentials": [
            *BOTH["credentials"],
            credential(query_id="course"),
            credential(query_id="other", vct="urn:example:other"),
        ],
        "credential_sets": [
            {"options": [["other"], ["course"]]},
            {"options": [["registration"]]},
            {"options": [["target"]]},
        ],
    }

    share_id = await sharer.begin(employer.ask(asked, notice=notice()).link())

    assert [lack.query_id for lack in sharer.decision(share_id).lacks] == ["registration", "target"]
