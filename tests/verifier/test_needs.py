"""What a template needs, told so that nobody fetches more than one of the ways, and everybody knows where."""

import asyncio
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from proofs.trust import TrustEntry, TrustList
from schemas.types import CREDENTIAL_TYPES
from tests.verifier.scene import Scene
from tests.verifier.test_api import Web
from tests.verifier.test_client import client_of
from tests.verifier.test_templates import GOOD
from verifier.app import catalogues_of
from verifier.client import Need
from verifier.needs import needs_of
from verifier.request_templates import RequestTemplate, built_in_template, parse_template

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
REGISTRATION = CREDENTIAL_TYPES["registration-certificate"].vct
AUTHORITY = "https://employment.example"
UNIVERSITY = "https://university.example"
ELSEWHERE = {"id": "elsewhere", "vct": ["urn:example:degree"], "title": {"sv": "Examensbevis", "en": "Degree"}}


def entry(identifier: str, *types: str, name: str = "") -> TrustEntry:
    """Somebody whom the verifier trusts."""
    jwk = {"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}
    return TrustEntry(
        id=identifier or "id", name=name or identifier, role="issuer", identifier=identifier,
        mechanism="jwks", jwks=(jwk,), types=types,
    )  # fmt: skip


def needs(template: RequestTemplate, scene: Scene, *entries: TrustEntry) -> list[dict[str, Any]]:
    """What the template needs, where these are trusted."""
    catalogues = catalogues_of(scene.settings)
    return needs_of(template, trust=TrustList(entries), now=NOW, catalogues=catalogues)


def internship() -> RequestTemplate:
    """The template of Jobbsprånget."""
    return built_in_template("internship", contact="privacy@programme.example")


def test_an_internship_needs_two_statements_and_one_of_two_records(scene: Scene) -> None:
    """Three things, not four; and their words say so in both languages."""
    found = needs(internship(), scene)

    assert [one["required"] for one in found] == [True, True, True]
    assert [[[kind["query"] for kind in option] for option in one["options"]] for one in found] == [
        [["registration"]],
        [["target-group"]],
        [["course"], ["transcript"]],
    ]
    assert [one["text"] for one in found] == [
        {"sv": "Inskrivningsintyg", "en": "Job seeker registration"},
        {"sv": "Målgruppsintyg", "en": "Target group certificate"},
        {"sv": "Mikromeritintyg eller studieresultat", "en": "Short course certificate or course results"},
    ]
    assert internship().needed_count() == (5, 5)


def test_certificates_that_go_together_stay_together(scene: Scene) -> None:
    """One way of two certificates, or one of one: neither half of the first is enough, and the counts differ."""
    members = deepcopy(GOOD)
    members["credentials"] += [ELSEWHERE, {"id": "results", "vct": [CREDENTIAL_TYPES["course-results"].vct]}]
    members["alternatives"] = [["course", "results"], ["elsewhere"]]
    template = parse_template(members)

    (found,) = needs(template, scene)

    assert [[kind["query"] for kind in option] for option in found["options"]] == [["course", "results"], ["elsewhere"]]
    fewest, most = template.needed_count()
    assert (fewest, most) == (1, 2), "optional items are not needed"
    assert found["text"]["en"].startswith("One of these: ")
    assert found["text"]["en"].endswith(" and Course results; Degree")
    assert found["text"]["sv"].startswith("Något av detta: ")


def test_what_can_be_left_out_is_not_required(scene: Scene) -> None:
    """A whole certificate that is optional, and one of which every item is."""
    members = deepcopy(GOOD)
    for item in members["credentials"][0]["items"]:
        item["required"] = False
    members["credentials"].append(ELSEWHERE | {"required": False})

    assert [one["required"] for one in needs(parse_template(members), scene)] == [False, False]


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([entry(AUTHORITY, REGISTRATION, name="AF")], [("AF", AUTHORITY, False)]),
        ([entry(UNIVERSITY, name="Uni")], [("Uni", UNIVERSITY, True)]),
        ([entry(AUTHORITY, REGISTRATION, name="AF"), entry(UNIVERSITY, name="Uni")], [("AF", AUTHORITY, False)]),
        ([entry(AUTHORITY, name="All"), entry(AUTHORITY, REGISTRATION, name="AF")], [("AF", AUTHORITY, False)]),
        ([entry(AUTHORITY, REGISTRATION, name="AF"), entry(AUTHORITY, name="All")], [("AF", AUTHORITY, False)]),
        ([entry(AUTHORITY, "urn:example:other")], []),
    ],
)
def test_who_is_trusted_for_the_kind_is_told_before_who_is_trusted_for_every_kind(
    scene: Scene, entries: list[TrustEntry], told: list[tuple[str, str, bool]]
) -> None:
    """Somebody who is trusted for everything is a source where nobody is named, and is told as such."""
    (kind,) = needs(internship(), scene, *entries)[0]["options"][0]

    assert [(one["name"], one["url"], one["every_kind"]) for one in kind["sources"]] == told


def test_a_root_without_an_address_is_told_by_its_name(scene: Scene) -> None:
    """`trust add --anchor ROOT` names nobody below it: "from nobody" would be wrong all the same."""
    anchor = scene.issuer.entry()
    everyone = TrustEntry(id="root", name="The university", role="issuer", anchor_pem=anchor.anchor_pem)

    (kind,) = needs(internship(), scene, everyone)[0]["options"][0]

    assert kind["sources"] == [{"name": "The university", "url": None, "every_kind": True}]


def test_a_program_reads_the_ways(scene: Scene) -> None:
    """The library gives what is needed, what of it is a choice, and where each is fetched."""
    web = Web(scene)

    async def read() -> list[Need]:
        async with client_of(web) as verifier:
            return await verifier.needs("internship")

    registration, _, record = asyncio.run(read())
    assert (registration.is_required, len(registration.options), registration.kinds[0].max_age_days) == (True, 1, 0)
    assert record.texts["en"] == "Short course certificate or course results"
    assert [[kind.titles["en"] for kind in option] for option in record.options] == [
        ["Short course certificate"],
        ["Course results"],
    ]
    assert [kind.titles["sv"] for kind in record.kinds] == ["Mikromeritintyg", "Studieresultat"]
    assert record.kinds[0].sources[0].name == scene.issuer.entry().name
