"""The stage: the world of the tests with a verifier and a source, in a directory that processes open one after another.

    stage = Stage(directory, hours=0)
    maja = await stage.maja()

Everything that lasts is in the directory; each process opens it anew. Deriving keys from passphrases is made cheap,
since it is done in every one of some hundred processes and has no part in what is shown here.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx2

from proofs.trust import entry_from_anchor
from schemas.types import CREDENTIAL_TYPES
from service import database
from tests.issuer.fetching import records
from tests.thrift import NO_WAITING, does_not_wait
from tests.wallet.people import Sharer
from tests.wallet.test_fetching import Source
from tests.world import World
from verifier.app import create_app
from verifier.exchange import MadeRequest, Verifier
from verifier.requests import Kind
from verifier.settings import VerifierSettings
from wallet.sharing import Sharing
from wallet.vault import UnlockedVault
from wallet.withdrawals import Withdrawals

FIRM = "firm.example"
VCT = CREDENTIAL_TYPES["micro-credential"].vct


class Stage:
    """Three services on one directory, as one process sees them."""

    def __init__(self, directory: Path, *, is_new: bool = False) -> None:
        self.directory = directory
        self.world = World(directory)
        self.is_new = is_new
        self.opened_source: Source | None = None
        self.forever = ExitStack()
        self._moved = directory / "moved.json"
        if self._moved.exists():
            self.world.clock.move(**json.loads(self._moved.read_text()))

    def move(self, **units: float) -> None:
        """Let time pass, for the processes that come after as well."""
        self.world.clock.move(**units)
        seconds = (self.world.clock.now - World(self.directory).clock.now).total_seconds()
        self._moved.write_text(json.dumps({"seconds": seconds}))

    @cached_property
    def firm(self) -> Verifier:
        """The verifier; wallet and verifier know the university, and the wallet knows the verifier."""
        passphrase = self.directory / "firm-passphrase"
        passphrase.write_text("a passphrase for key files in tests\n", encoding="ascii")
        settings = VerifierSettings(
            data=self.directory / FIRM,
            public_url=f"https://{FIRM}",
            key_passphrase_file=passphrase,
            name="Exempelbolaget AB",
            name_en="Example Company Ltd",
            contact="dataskydd@firm.example",
        )
        app = create_app(settings, http=self.world.http(), clock=self.world.clock)
        self.world.network.connect(FIRM, app)
        verifier: Verifier = app.state.verifier
        self.world._closing.append(verifier.database.close)
        if self.is_new:
            verifier.trust.add_entry(self.world.university.trust_entry, now=self.world.clock())
            root = next(Path(settings.data).rglob("*.root.pem"))
            self.world.wallet.trust(entry_from_anchor(root.read_bytes(), name=None, role="verifier"))
        return verifier

    def source(self, *codes: str, **settings: Any) -> Source:
        """An issuer where people sign in and fetch: one course, unless more are named."""
        return Source(self.world, kept=records(*(codes or ("DT4011",))) if self.is_new else (), **settings)

    async def maja(self, name: str = "Maja") -> UnlockedVault:
        """Her vault, opened."""
        return await self.world.wallet.person(name)

    async def sharer(self, name: str = "Maja") -> Sharer:
        """She, with what she does with requests."""
        return Sharer(self.world, await self.maja(name), Sharing(self.world.wallet.deployment))

    @property
    def withdrawals(self) -> Withdrawals:
        """Taking back."""
        return Withdrawals(self.world.wallet.deployment)

    def ask(self) -> MadeRequest:
        """A request of the verifier."""
        template = self.firm.templates()["employer-micro-credential"]
        return self.firm.make_request(template, kind=Kind.CROSS_DEVICE, maker="test")

    async def read(self, url: str) -> str:
        """What somebody gets who reads a status list."""
        async with httpx2.AsyncClient(transport=self.world.network) as client:
            answer = await client.get(url, headers={"Accept-Encoding": "identity"})
        assert answer.status_code == 200, answer.text
        return answer.text

    def close(self) -> None:
        """Close every database."""
        self.world.close()


async def _cheap_key(passphrase: str, *, salt: bytes, device_secret: bytes, parameters: Any) -> bytes:
    return hashlib.sha256(passphrase.encode() + salt + device_secret + repr(parameters).encode()).digest()


@contextmanager
def cheap_keys() -> Iterator[None]:
    """Inside the block keys are derived from passphrases at no cost. Other tests of this process must not see it."""
    with ExitStack() as patches:
        for module in ("vault", "ways_in", "recovering", "archive"):
            patches.enter_context(patch(f"wallet.{module}.derive_key", _cheap_key))
        yield


@contextmanager
def cheap() -> Iterator[None]:
    """The same, and nothing waits for the disk.

    `SIGKILL` takes nothing from what the system has of a file, whether it is on the disk by then or not.
    """
    with (
        cheap_keys(),
        patch.object(database, "_PRAGMAS", NO_WAITING),
        patch.object(os, "fsync", does_not_wait),
    ):
        yield


_kept = ExitStack()


def make_cheap() -> None:
    """The same for the rest of a process of its own, that ends soon."""
    _kept.enter_context(cheap())
