"""How a person shows that it is they who decide (S3): with the passphrase, or by a passkey that signs for it.

What the passkey signs is a challenge that is good only for this share and for the digest of what its page said: an
answer that somebody got for anything else confirms nothing.
"""

from dataclasses import dataclass, field

from wallet.consent import Confirmation
from wallet.deployment import Deployment
from wallet.key_ring import KeyRing
from wallet.vault import UnlockedVault


def purpose_of(share_id: str, digest: str) -> str:
    """What a passkey signs for when it confirms a share."""
    return f"share {share_id} {digest}"


def purpose_of_permission(share_id: str, digest: str) -> str:
    """What a passkey signs for when it confirms later checks; an answer for the share is none for them."""
    return f"later checks {share_id} {digest}"


def confirmed_by(
    wallet: Deployment, vault: UnlockedVault, *, purpose: str, passphrase: str, passkey: str
) -> Confirmation:
    """The confirmation that a person gave: what a passkey answered for this purpose, or else the passphrase."""
    if passkey:
        return _ByPasskey(KeyRing(wallet), vault, passkey, purpose)
    return _ByPassphrase(wallet, vault, passphrase)


@dataclass(frozen=True, slots=True)
class _ByPassphrase:
    wallet: Deployment
    vault: UnlockedVault
    passphrase: str = field(repr=False)

    @property
    def method(self) -> str:
        return "passphrase"

    async def __call__(self) -> None:
        await self.wallet.confirm(self.vault, self.passphrase)


@dataclass(frozen=True, slots=True)
class _ByPasskey:
    ring: KeyRing
    vault: UnlockedVault
    answer: str = field(repr=False)
    purpose: str = field(repr=False)

    @property
    def method(self) -> str:
        return "passkey"

    async def __call__(self) -> None:
        self.ring.confirm(self.vault, self.answer, purpose=self.purpose)
