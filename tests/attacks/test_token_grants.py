"""An issuer whose token answer says something else than what was asked for: more, other, nothing, or twice the same.

Source: OpenID4VCI 1.0, sections 6.2 and 8.2; RFC 6749, section 5.1.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from schemas.types import CREDENTIAL_TYPES
from tests.attacks.test_wallet_receiving import changed_json
from tests.issuer.fetching import records
from tests.wallet.test_fetching import Source
from tests.wallet.test_fetching_of_one_kind import in_clear
from tests.wallet.test_fetching_several import (
    METADATA,
    REGISTRATION,
    TARGET,
    away_for_both,
    employment_service,
    listening,
    without_scopes,
)
from tests.world import World
from wallet.collection import Stage

pytestmark = pytest.mark.anyio
Details = list[dict[str, Any]]
COURSE, RESULTS = (CREDENTIAL_TYPES[name].vct for name in ("micro-credential", "course-results"))


def _more(details: Details) -> Details:
    other = {
        "type": "openid_credential",
        "credential_configuration_id": "employment",
        "credential_identifiers": ["more"],
    }
    return [other, *details, {"type": "payment", "amount": "1"}]


def _other(details: Details) -> Details:
    return [{**details[0], "credential_configuration_id": "employment"}]


def _one_of_them(details: Details) -> Details:
    return details[1:]


def _swapped(details: Details) -> Details:
    first, second = [one["credential_identifiers"] for one in details]
    return [{**details[0], "credential_identifiers": second}, {**details[1], "credential_identifiers": first}]


def _the_same_twice(details: Details) -> Details:
    return [{**one, "credential_identifiers": details[0]["credential_identifiers"]} for one in details]


@pytest.mark.parametrize(
    ("answered", "asked_for", "kept", "stage"),
    [
        (_more, 2, {REGISTRATION.vct, TARGET.vct}, Stage.DONE),
        (_one_of_them, 1, {TARGET.vct}, Stage.DONE),
        (_other, 0, set(), Stage.FAILED),
        (_the_same_twice, 2, {REGISTRATION.vct}, Stage.DONE),  # The second is of another kind than it was asked for as.
        (_swapped, 2, set(), Stage.FAILED),
    ],
)
async def test_only_what_was_asked_for_and_granted_is_fetched(
    world: World, answered: Callable[[Details], Details], asked_for: int, kept: set[str], stage: Stage
) -> None:
    """By authorization details: what was granted unasked is left alone, what was not granted is not asked for, and what
    comes under another's name is not stored as that."""
    source, vault = employment_service(world), await world.wallet.person()
    wallet = world.wallet.deployment
    with world.network.changing(changed_json(METADATA, without_scopes)):
        collection_id, collection = await away_for_both(world, vault, source)

    def change(token: dict[str, Any]) -> None:
        if "id_token" not in token:  # Else it is the provider's, where the person signs in.
            token["authorization_details"] = answered(token["authorization_details"])

    with world.network.changing(changed_json("/token", change)), listening(world, "/credential") as sent:
        await wallet.come_back(vault, source.allow(collection.sign_in_url))

    assert "more" not in {json.loads(one.content).get("credential_identifier") for one in sent}
    assert len(sent) == asked_for
    assert {one.vct for one in vault.certificates()} == kept
    ended = wallet.collection(vault, collection_id)
    assert ended.stage is stage
    assert ended.access_token is None


def _none(details: Details) -> Details:
    return []


def _nameless(details: Details) -> Details:
    return [{**details[0], "credential_identifiers": []}, *details[1:]]


@pytest.mark.parametrize(
    ("answered", "asked_for", "kept", "stage"),
    [
        (_more, 4, [COURSE] * 3 + [RESULTS], Stage.DONE),
        (_one_of_them, 1, [RESULTS], Stage.DONE),
        (_other, 0, [], Stage.FAILED),
        (_the_same_twice, 6, [COURSE] * 3, Stage.DONE),
        (_swapped, 4, [], Stage.FAILED),
        (_none, 2, [COURSE, RESULTS], Stage.DONE),  # By their kinds, of which the source gives the first.
        (_nameless, 0, [], Stage.FAILED),  # The answer breaks the rules: nothing of it is believed.
    ],
)
async def test_only_what_was_asked_for_by_scope_and_named_is_fetched(
    world: World, answered: Callable[[Details], Details], asked_for: int, kept: list[str], stage: Stage
) -> None:
    """By scopes, three of one kind and one of another ticked, and the names altered on the way: nothing comes under
    another's name, and no key of the person's is shown for what was not named."""
    source = Source(world, kept=records("DT4011", "DT4012", "DT4013"))
    world.wallet.trust(replace(source.entry, types=(COURSE, RESULTS)))
    vault, wallet = await world.wallet.person(), world.wallet.deployment
    with world.network.changing(changed_json(METADATA, in_clear)):
        collection_id = await wallet.look_for(vault, source.side.url, COURSE, RESULTS)
        collection = await wallet.begin_sign_in(vault, collection_id)

    def change(token: dict[str, Any]) -> None:
        if "id_token" not in token:
            assert set(token["scope"].split()) == {"micro-credential", "course-results"}
            token["authorization_details"] = answered(token["authorization_details"])

    with world.network.changing(changed_json("/token", change)), listening(world, "/credential") as sent:
        await wallet.come_back(vault, source.allow(collection.sign_in_url))

    assert len(sent) == asked_for
    assert sorted(one.vct for one in vault.certificates()) == sorted(kept)
    assert len({json.dumps(one.claims, sort_keys=True) for one in vault.certificates()}) == len(kept)
    assert wallet.collection(vault, collection_id).stage is stage


@pytest.mark.parametrize("scope", ["", "openid", "registration-certificate-2 employment"])
async def test_a_token_that_grants_nothing_is_asked_for_nothing(world: World, scope: str) -> None:
    """By scopes: the person is told, no key of theirs is shown to the issuer, and nothing waits in vain."""
    source, vault = employment_service(world), await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away_for_both(world, vault, source)

    def change(token: dict[str, Any]) -> None:
        token["scope"] = scope

    with world.network.changing(changed_json("/token", change)), listening(world, "/credential") as sent:
        await wallet.come_back(vault, source.allow(collection.sign_in_url))

    ended = wallet.collection(vault, collection_id)
    assert (ended.stage, ended.problem, sent) == (Stage.FAILED, "not_granted", [])
    assert not any(part.keys for part in ended.parts)
