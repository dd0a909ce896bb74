"""A person who shares, for the wallet's tests."""

from dataclasses import dataclass, replace

from schemas.presentation import parse_link
from tests.world import PASSPHRASE, World
from wallet.certificates import StoredCertificate
from wallet.decision import Chosen, Decision, permission_digest
from wallet.delivery import Delivery
from wallet.ledger import Entry
from wallet.over_asking import WarningKind
from wallet.requests import CameBy
from wallet.sharing import Sharing
from wallet.vault import UnlockedVault


@dataclass
class Sharer:
    """A person with an open vault in the world's wallet, and what they do with requests."""

    world: World
    vault: UnlockedVault
    sharing: Sharing

    @classmethod
    async def named(cls, world: World, name: str = "Maja") -> "Sharer":
        """A person with an empty vault."""
        vault = await world.wallet.person(name)
        return cls(world, vault, Sharing(world.wallet.deployment))

    @classmethod
    async def with_certificate(cls, world: World, *types: str, name: str = "Maja") -> "Sharer":
        """A person who has received certificates, a micro-credential unless other types are named."""
        sharer = await cls.named(world, name)
        for type_name in types or ("micro-credential",):
            await world.wallet.receive(sharer.vault, world.university.offer(type_name)[0].offer)
        return sharer

    @property
    def certificate(self) -> StoredCertificate:
        """The latest certificate."""
        return self.vault.certificates()[0]

    async def begin(self, link: str, *, came_by: CameBy = CameBy.LINK) -> str:
        """Say yes at S0."""
        return await self.sharing.begin(self.vault, parse_link(link, max_chars=60_000), came_by=came_by)

    def decision(self, share_id: str, *, language: str = "en") -> Decision:
        """The decision screen."""
        return self.sharing.decision(self.vault, share_id, language=language)

    def choose(self, share_id: str, chosen: Chosen) -> Decision:
        """Tick."""
        return self.sharing.choose(self.vault, share_id, chosen, language="en")

    def go_on(self, share_id: str, *kinds: WarningKind) -> Decision:
        """Go on in spite of warnings, one by one; beside what was chosen so far."""
        chosen = self.decision(share_id).chosen
        overridden = chosen.overridden | {kind.value for kind in kinds}
        return self.choose(share_id, replace(chosen, overridden=overridden))

    async def allow_checks(self, share_id: str, *, passphrase: str = PASSPHRASE) -> None:
        """Confirm the later checks that the screen says now."""
        digest = permission_digest(self.decision(share_id))
        await self.sharing.confirm_permission(
            self.vault, share_id, language="en", approved_digest=digest, passphrase=passphrase
        )

    async def approve(self, share_id: str, *, passphrase: str = PASSPHRASE) -> Delivery:
        """Share what the screen says now."""
        digest = self.decision(share_id).digest
        return await self.sharing.approve(
            self.vault, share_id, language="en", approved_digest=digest, passphrase=passphrase
        )

    async def refuse(self, share_id: str) -> Delivery:
        """Say no."""
        return await self.sharing.refuse(self.vault, share_id, language="en")

    def entry(self, share_id: str) -> Entry:
        """The share in the history."""
        return self.sharing.entry(self.vault, share_id)
