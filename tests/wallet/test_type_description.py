"""A type is read whole, with what it extends, or not at all (SD-JWT VC, "Processing Type Metadata"; S-16, S-17)."""

import base64
import hashlib
import json
from typing import Any

import pytest

from proofs.formats.sd_jwt import UnverifiedSDJWT, parse_sd_jwt, plan_disclosures
from proofs.formats.sd_jwt_vc import issue_sd_jwt_vc
from proofs.keys import generate_signer
from proofs.resolve import DictResolver
from schemas.types.type_rules import BrokenTypeRules
from tests.attacks.test_wallet_receiving import METADATA, changed_json
from tests.world import World
from wallet.collection import Stage
from wallet.type_description import described_by_type

pytestmark = pytest.mark.anyio

CHILD, BASE = "https://t.example/child", "https://t.example/base"
SIGNER = generate_signer()


def certificate(**more: Any) -> UnverifiedSDJWT:
    """A certificate of the type `CHILD` with a name that can be hidden."""
    claims = {"vct": CHILD, "name": "Astrid", **more}
    token = issue_sd_jwt_vc(claims, disclosable=plan_disclosures([("name",)]), signer=SIGNER, holder_jwk=None)
    return parse_sd_jwt(token)


def published(**documents: dict[str, Any]) -> DictResolver:
    """Type metadata by the last part of their address, as published."""
    bodies = {name: {"vct": f"https://t.example/{name}", **members} for name, members in documents.items()}
    return DictResolver(type_metadata={one["vct"]: json.dumps(one).encode() for one in bodies.values()})


def label(text: str) -> list[dict[str, str]]:
    """The display of a claim."""
    return [{"locale": "en", "label": text}]


async def test_the_words_of_an_extended_type_are_used_where_the_type_has_none() -> None:
    """Display as a whole from the nearest type that has one; labels per claim."""
    resolver = published(
        base={
            "display": [{"locale": "en", "name": "Thing"}],
            "claims": [{"path": ["name"], "sd": "always", "display": label("Full name")}],
        },
        child={"extends": BASE, "claims": [{"path": ["city"], "display": label("Town")}]},
    )

    shown = await described_by_type(certificate(), resolver=resolver)

    assert shown["display"] == [{"name": "Thing", "locale": "en"}]
    assert [(one["path"], one["display"][0]["name"]) for one in shown["claims"]] == [
        (["name"], "Full name"),
        (["city"], "Town"),
    ]


async def test_the_rules_of_an_extended_type_hold() -> None:
    """A type cannot shake off what the type that it extends demands."""
    resolver = published(base={"claims": [{"path": ["birthdate"], "mandatory": True}]}, child={"extends": BASE})

    with pytest.raises(BrokenTypeRules):
        await described_by_type(certificate(), resolver=resolver)
    assert await described_by_type(certificate(birthdate="1999-10-02"), resolver=resolver)


@pytest.mark.parametrize(
    "child",
    [
        {"extends": "https://t.example/not-there"},
        {"extends": 7},
        {"extends": BASE, "extends#integrity": "sha256-AAAA"},
        {"extends": BASE, "extends#integrity": 7},
    ],
)
async def test_a_type_that_cannot_be_read_whole_is_not_used(child: dict[str, Any]) -> None:
    """Neither its words nor its rules: half of a description is none."""
    resolver = published(
        base={}, child={**child, "display": [{"locale": "en", "name": "Thing"}], "claims": [{"path": ["x", 1]}]}
    )

    assert await described_by_type(certificate(), resolver=resolver) == {}


async def test_the_extended_type_is_used_when_it_has_the_stated_digest() -> None:
    """A digest beside `extends` is that of the very bytes."""
    base = json.dumps({"vct": BASE, "display": [{"locale": "en", "name": "Thing"}]}).encode()
    integrity = f"sha256-{base64.b64encode(hashlib.sha256(base).digest()).decode()}"
    child = json.dumps({"vct": CHILD, "extends": BASE, "extends#integrity": integrity}).encode()

    shown = await described_by_type(certificate(), resolver=DictResolver(type_metadata={CHILD: child, BASE: base}))

    assert shown["display"] == [{"name": "Thing", "locale": "en"}]


async def test_types_that_extend_each_other_in_a_circle_are_refused() -> None:
    """Whoever follows them would never end."""
    with pytest.raises(BrokenTypeRules):
        await described_by_type(certificate(), resolver=published(base={"extends": CHILD}, child={"extends": BASE}))


async def test_a_long_line_of_types_is_not_followed() -> None:
    """Every one of them is an address of somebody's choice that we would ask."""
    line = {f"t{n}": {"extends": f"https://t.example/t{n + 1}"} for n in range(50)}

    assert (
        await described_by_type(certificate(), resolver=published(child={"extends": "https://t.example/t0"}, **line))
        == {}
    )


def without_words(metadata: dict[str, Any]) -> None:
    """Issuer metadata that do not say how to show anything."""
    for one in metadata["credential_configurations_supported"].values():
        one.pop("credential_metadata", None)


@pytest.mark.parametrize("name", ["micro-credential", "course-results"])
async def test_our_own_certificates_keep_to_their_types(world: World, name: str) -> None:
    """Where an issuer's metadata say nothing of display the type is read, and what our issuer makes passes."""
    with world.network.changing(changed_json(METADATA, without_words)):
        stored = await world.wallet.receive(await world.wallet.person(), world.university.offer(name)[0].offer)

    assert stored.display["claims"], "the words are those of the type"


async def test_a_certificate_that_breaks_its_type_is_not_stored(world: World) -> None:
    """One of which nothing can be hidden, although its type says that it can, is refused, by whomever it is signed."""

    def all_visible(answer: dict[str, Any]) -> dict[str, Any]:
        original = parse_sd_jwt(answer["credentials"][0]["credential"])
        token = issue_sd_jwt_vc(
            {name: value for name, value in original.claims.items() if name != "cnf"},
            disclosable=plan_disclosures([]),
            signer=world.university.context.key.signer,
            holder_jwk=original.claims["cnf"]["jwk"],
        )
        return {"credentials": [{"credential": token}]}

    vault = await world.wallet.person()
    with (
        world.network.changing(changed_json(METADATA, without_words)),
        world.network.changing(changed_json("/credential", all_visible)),
    ):
        collection = await world.wallet.collect(vault, world.university.offer()[0].offer)

    assert (collection.stage, collection.problem) == (Stage.FAILED, "breaks_type")
    assert vault.certificates() == []
