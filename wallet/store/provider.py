"""The key with which this deployment vouches for its wallets, at rest. Fulfils `wallet.issuer_client.WalletProvider`.

It is made at first need, by exactly one of several processes, and lies encrypted under a passphrase that is derived
from the device secret: whoever has the directory can vouch as this deployment, as whoever runs it can anyway.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from proofs import jose
from proofs.certified_keys import CertifiedKey, certified_key
from proofs.client_attestation import make_attestation
from proofs.key_attestation import make_key_attestation
from service.clock import Clock
from wallet.settings import WalletSettings

KEY_NAME = "wallet-provider"
BACK = "/fetched"
ATTESTED_FOR = timedelta(hours=1)


class DeploymentProvider:
    """The wallet provider that a deployment is for its own wallets."""

    def __init__(self, settings: WalletSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._loaded: CertifiedKey | None = None

    @property
    def client_id(self) -> str:
        """The public URL: one for all wallets of this deployment."""
        return self._settings.base_url

    @property
    def redirect_uri(self) -> str:
        """Where browsers come back to."""
        return self._settings.url(BACK)

    @property
    def root_file(self) -> Path:
        """The certificate that issuers trust: what the operator hands to them."""
        root = self._key().root_file
        assert root is not None
        return root

    def attestation(self, instance_jwk: Mapping[str, str], *, now: datetime) -> str:
        """Vouch for the key of one wallet, for an hour."""
        return make_attestation(
            signer=self._key().signer,
            client_id=self.client_id,
            issuer=self.client_id,
            instance_jwk=instance_jwk,
            lifetime=ATTESTED_FOR,
            now=now,
            wallet_name="Intyga",
            wallet_link=self._settings.base_url,
        )

    def key_attestation(self, keys: Sequence[Mapping[str, str]], *, nonce: str | None, now: datetime) -> str:
        """Vouch for holder keys. They lie in a vault in software, so that nothing is claimed about their storage."""
        return make_key_attestation(
            signer=self._key().signer,
            issuer=self.client_id,
            keys=keys,
            nonce=nonce,
            key_storage=(),
            user_authentication=(),
            lifetime=ATTESTED_FOR,
            now=now,
        )

    def sign(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """Say something in the name of this deployment, with the certificates of its key."""
        signer = self._key().signer
        return jose.sign_jws(claims, signer=signer, typ=typ, header={"x5c": list(signer.x5c)})

    def read_own(self, token: str, *, typ: str) -> dict[str, Any]:
        """What this deployment has said. Raises `ProtocolError` for anything else."""
        signer = self._key().signer
        return jose.check_jws(token, key=signer.public_jwk, typ=typ, algorithms=[signer.alg]).claims

    def home_key(self) -> bytes:
        """The key of what no other wallet service may open (`wallet.carried`): 32 bytes."""
        return hmac.digest(self._settings.device_secret(), b"intyga carried collections", hashlib.sha256)

    def _key(self) -> CertifiedKey:
        if self._loaded is None:
            passphrase = hmac.digest(self._settings.device_secret(), b"intyga wallet provider key", hashlib.sha256)
            self._loaded = certified_key(
                self._settings.data / "keys",
                name=KEY_NAME,
                common_name="Intyga wallet",
                public_url=self._settings.base_url,
                passphrase=passphrase.hex().encode(),
                now=self._clock(),
            )
        return self._loaded
