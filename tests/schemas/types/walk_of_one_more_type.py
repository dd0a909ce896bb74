"""Walks through everything that derives from the table of types, for one that was added to it: read in, offered, shown
in the metadata, issued, kept, shown, asked for and verified. Run with a room `schemas` that has it.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from issuer.offers import draft_offers
from issuer.results import Limits, read_results
from schemas.types import CREDENTIAL_TYPES
from tests.wallet.people import Sharer
from tests.world import World
from verifier.app import create_app
from verifier.request_templates import parse_template
from verifier.requests import Kind
from verifier.settings import VerifierSettings
from wallet.cards import read_card

NAME = "volunteering"
VCT = f"urn:intyga:credential:{NAME}:1"
TABLE = "intygstyp;efternamn;förnamn;födelsedatum;uppdrag_sv;uppdrag_en;första_hjälpen;gäller_den\n" + (
    "volunteering;Sjöberg;Elin;1998-04-23;Jourledare;Shift leader;ja;2026-11-02\n"
)
DISPLAYS = {"sv": "Intyg om ideellt arbete", "en": "Certificate of voluntary work"}
TITLES = {"sv": "Jourledare", "en": "Shift leader"}
LABELS = {"sv": {"Uppdrag", "Kan första hjälpen"}, "en": {"Task", "Knows first aid"}}


async def walk(world: World) -> None:
    """From the row of a table to the verdict."""
    issuer, kind = world.university, CREDENTIAL_TYPES[NAME]
    get = TestClient(issuer.app, base_url=issuer.url).get

    # Metadata and type metadata, in both languages.
    described = get("/.well-known/openid-credential-issuer").json()["credential_configurations_supported"][NAME]
    assert {one["locale"]: one["name"] for one in described["credential_metadata"]["display"]} == DISPLAYS
    assert (described["vct"], described["scope"]) == (VCT, NAME)
    published = get(f"/types/{NAME}/1")
    assert published.content == kind.type_metadata_bytes()
    assert {one["locale"]: one["name"] for one in published.json()["display"]} == DISPLAYS

    # Read in from a table, offered, issued, kept.
    results = read_results(
        TABLE.encode(), "v.csv", profile=issuer.context.profile, limits=Limits(), today=world.clock().date()
    )
    drafts = draft_offers(kind, results.records, with_tx_code=False)
    (offer,) = issuer.context.store.offers.create(drafts, now=world.clock())
    sharer = await Sharer.named(world)
    certificate = await world.wallet.receive(sharer.vault, issuer.context.links_of(offer).offer)
    assert certificate.vct == VCT

    # Shown in the wallet, in both languages, and in no other words than the type's.
    for language in ("sv", "en"):
        card = read_card(certificate, language)
        labels = {line.label for group in card.groups for line in group.lines}
        assert (card.type_name, TITLES[language] in card.title) == (DISPLAYS[language], True), card.title
        assert labels >= LABELS[language], labels

    # Asked for by a template, shared, verified, shown to who asked.
    firm = verifier_of(world)
    template = parse_template(asking())
    made = firm.make_request(template, kind=Kind.CROSS_DEVICE, maker="test")
    share_id = await sharer.begin(made.link)
    asked = [item.name for group in sharer.decision(share_id, language="sv").required for item in group.items]
    assert ("Kan första hjälpen", "Knows first aid") in [(one.sv, one.en) for one in asked], asked
    await sharer.approve(share_id)
    assert firm.result(made.id).is_accepted
    firm.database.close()


def asking() -> dict[str, Any]:
    """A request for the new kind, as a file of the operator would say it."""
    return {
        "name": "volunteer",
        "title": {"sv": "Volontär", "en": "Volunteer"},
        "purpose": {"sv": "Vi söker någon som kan första hjälpen.", "en": "We look for somebody who knows first aid."},
        "retention_days": 30,
        "basis": "legitimate_interest",
        "basis_detail": {"sv": "Säkerhet på plats.", "en": "Safety on site."},
        "contact": "data@firm.example",
        "credentials": [
            {
                "id": "volunteer",
                "vct": [VCT],
                "items": [
                    {
                        "path": ["first_aid"],
                        "reason": {"sv": "Det behövs på plats.", "en": "It is needed on site."},
                    }
                ],
            }
        ],
    }


def verifier_of(world: World) -> Any:
    """A verifier that trusts the university, and that the wallet trusts."""
    from proofs.trust import entry_from_anchor

    passphrase = world.directory / "firm-passphrase"
    passphrase.write_text("a passphrase for key files in tests\n", encoding="ascii")
    settings = VerifierSettings(
        data=world.directory / "firm.example",
        public_url="https://firm.example",
        key_passphrase_file=passphrase,
        name="Exempelbolaget AB",
        contact="data@firm.example",
    )
    app = create_app(settings, http=world.http(), clock=world.clock)
    world.network.connect("firm.example", app)
    verifier = app.state.verifier
    verifier.trust.add_entry(world.university.trust_entry, now=world.clock())
    root = next(settings.data.rglob("*.root.pem"))
    world.wallet.trust(entry_from_anchor(root.read_bytes(), name=None, role="verifier"))
    return verifier


if __name__ == "__main__":
    assert NAME in CREDENTIAL_TYPES, sys.modules["schemas"].__file__
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        asyncio.run(walk(world))
        world.close()
    print("walked")
