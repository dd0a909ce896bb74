"""An authenticator in software: it makes passkeys and signs with them as a device would, and can be told to cheat.

device = Authenticator("https://wallet.example")
answer, prf = device.register(asked)
answer, prf = device.sign(asked)
"""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

from proofs import base64url

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One device with one passkey. What a test changes of it is what a cheat would change."""

    origin: str
    flags: int = USER_PRESENT | USER_VERIFIED
    has_prf: bool = True
    sign_count: int = 1
    counts: bool = True
    rp_id: str = ""
    user_handle: bytes = b""
    client_data: dict[str, Any] = field(default_factory=dict)
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))

    def register(self, asked: dict[str, Any], *, fmt: str = "none", statement: Any = None) -> tuple[str, str]:
        """Make the passkey; returns the answer and what the pseudo-random function gave."""
        self.user_handle = base64url.decode(asked["user"]["id"])
        data = self._data(asked["rp"]["id"], self.flags | ATTESTED)
        data += bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + self._cose()
        attestation = encode_cbor({"fmt": fmt, "attStmt": statement or {}, "authData": data})
        response = {
            "clientDataJSON": base64url.encode(self._client_data("webauthn.create", asked["challenge"])),
            "attestationObject": base64url.encode(attestation),
        }
        return self._answer(response), self._prf(asked)

    def sign(self, asked: dict[str, Any]) -> tuple[str, str]:
        """Sign with the passkey; returns the answer and what the pseudo-random function gave."""
        self.sign_count += self.counts
        data = self._data(asked["rpId"], self.flags)
        client_data = self._client_data("webauthn.get", asked["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ECDSA(SHA256()))
        response = {
            "clientDataJSON": base64url.encode(client_data),
            "authenticatorData": base64url.encode(data),
            "signature": base64url.encode(signature),
            "userHandle": base64url.encode(self.user_handle),
        }
        return self._answer(response), self._prf(asked)

    def _answer(self, response: dict[str, str]) -> str:
        name = base64url.encode(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})

    def _prf(self, asked: dict[str, Any]) -> str:
        if not self.has_prf or "extensions" not in asked:
            return ""
        value = base64url.decode(asked["extensions"]["prf"]["eval"]["first"])
        return base64url.encode(hmac.digest(self.secret, b"WebAuthn PRF\x00" + value, hashlib.sha256))

    def _data(self, rp_id: str, flags: int) -> bytes:
        digest = hashlib.sha256((self.rp_id or rp_id).encode()).digest()
        return digest + bytes([flags]) + self.sign_count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        members = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps({**members, **self.client_data}).encode()

    def _cose(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        encoded: bytes = encode_cbor(key)
        return encoded
