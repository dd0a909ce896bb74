"""A real verifier in the world of the wallet's tests, under `https://firm.example`.

with running_firm(world) as firm:
    firm.make_request(...)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from proofs.trust import entry_from_anchor
from tests.world import World
from verifier.app import create_app
from verifier.exchange import Verifier
from verifier.settings import VerifierSettings

HOST = "firm.example"


@contextmanager
def running_firm(world: World, *, is_trusted: bool = True, **settings: Any) -> Iterator[Verifier]:
    """A verifier that trusts the university, its settings changed; the wallet trusts it, or knows nothing of it."""
    passphrase = world.directory / "firm-passphrase"
    passphrase.write_text("a passphrase for key files in tests\n", encoding="ascii")
    usual = {
        "public_url": f"https://{HOST}",
        "name": "Exempelbolaget AB",
        "name_en": "Example Company Ltd",
        "contact": "dataskydd@firm.example",
    }
    made = VerifierSettings(data=world.directory / HOST, key_passphrase_file=passphrase, **{**usual, **settings})
    app = create_app(made, http=world.http(), clock=world.clock)
    world.network.connect(HOST, app)
    verifier: Verifier = app.state.verifier
    verifier.trust.add_entry(world.university.trust_entry, now=world.clock())
    if is_trusted:
        root = next(Path(made.data).rglob("*.root.pem"))
        world.wallet.trust(entry_from_anchor(root.read_bytes(), name=None, role="verifier"))
    yield verifier
    verifier.database.close()
