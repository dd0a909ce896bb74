"""What a person showed, as it rests: each presentation sealed under a key of its own, gone together with that key.

    sealed = sealer.seal_presentation(request_id, presentation)
    sealed.key_id, sealed.wrapped_key, sealed.content

The key is random, used once, and rests wrapped by the service's key, which lies beside the database and not in it.
Destroying the wrapped key makes every copy of the content unreadable, wherever it is (docs/adr/0006).
"""

import secrets
from dataclasses import dataclass, field
from typing import Final

from proofs import sealing, strict_json
from verifier.disclosed import DisclosedItem, KeptPresentation

PLACES_OF_ONE: Final = 64  # More than there are presentations in an answer, see `verifier.responses`.


@dataclass(frozen=True, slots=True)
class Contents:
    """What is kept of an answer, presentation by presentation."""

    presentations: tuple[KeptPresentation, ...] = field(repr=False)

    @property
    def items(self) -> tuple[DisclosedItem, ...]:
        """The values, in the order of the template."""
        return tuple(item for one in self.presentations for item in one.items)

    @property
    def evidence(self) -> tuple[tuple[str, str], ...]:
        """Each presentation that is kept whole, with its query id, byte for byte as received."""
        return tuple((one.query_id, one.token) for one in self.presentations if one.token is not None)


@dataclass(frozen=True, slots=True)
class SealedPresentation:
    """A presentation as it rests: the key's identifier, the key wrapped, and what it opens."""

    key_id: str
    wrapped_key: bytes = field(repr=False)
    content: bytes = field(repr=False)


def places_of(number: int) -> tuple[int, int]:
    """The first and the last place in the table for the presentations of one answer, by the number of its log line.

    They stand one after the other, so that rows are added at the end of the table.
    """
    return number * PLACES_OF_ONE, (number + 1) * PLACES_OF_ONE - 1


class Sealer:
    """Seals what must not rest in clear. The device secret lies beside the database, not in it."""

    def __init__(self, device_secret: bytes) -> None:
        self._key = sealing.derive_subkey(device_secret, purpose="verifier contents")
        self._wrapping_key = sealing.derive_subkey(device_secret, purpose="verifier data keys")

    def seal_presentation(self, request_id: str, kept: KeptPresentation) -> SealedPresentation:
        """Seal what is kept of one presentation under a fresh key."""
        members = {
            "query": kept.query_id,
            "certificate": kept.certificate,
            "items": [item.as_json() for item in kept.items],
            "token": kept.token,
        }
        key, key_id = sealing.generate_key(), secrets.token_hex(8)
        context = _context("presentation", f"{request_id}\x00{key_id}")
        content = sealing.seal(key, strict_json.dumps(members), context=context)
        return SealedPresentation(key_id, sealing.wrap_key(self._wrapping_key, key, context=context), content)

    def open_presentation(self, request_id: str, sealed: SealedPresentation) -> KeptPresentation:
        """Open what `seal_presentation` made. Raises `SealBroken`."""
        context = _context("presentation", f"{request_id}\x00{sealed.key_id}")
        key = sealing.unwrap_key(self._wrapping_key, sealed.wrapped_key, context=context)
        members = strict_json.loads_object(sealing.unseal(key, sealed.content, context=context), max_bytes=20_000_000)
        return KeptPresentation(
            query_id=members["query"],
            certificate=members["certificate"],
            items=tuple(DisclosedItem.from_json(item) for item in members["items"]),
            token=members["token"],
        )

    def seal_key(self, request_id: str, jwk: dict[str, str]) -> bytes:
        """Seal the private encryption key of a request."""
        return sealing.seal(self._key, strict_json.dumps(jwk), context=_context("encryption key", request_id))

    def open_key(self, request_id: str, sealed: bytes) -> dict[str, str]:
        """Open a sealed encryption key. Raises `SealBroken`."""
        return strict_json.loads_object(
            sealing.unseal(self._key, sealed, context=_context("encryption key", request_id))
        )

    def seal_reference(self, request_id: str, reference: str) -> bytes:
        """Seal the own reference of a request: it may hold a name."""
        return sealing.seal(self._key, reference.encode(), context=_context("reference", request_id))

    def open_reference(self, request_id: str, sealed: bytes) -> str:
        """Open a sealed reference. Raises `SealBroken`."""
        return sealing.unseal(self._key, sealed, context=_context("reference", request_id)).decode()

    def seal_receipt(self, request_id: str, receipt_jwt: str, countersignature: str) -> bytes:
        """Seal a receipt: it has the person's pseudonym, and maybe names."""
        content = strict_json.dumps([receipt_jwt, countersignature])
        return sealing.seal(self._key, content, context=_context("receipt", request_id))

    def open_receipt(self, request_id: str, sealed: bytes) -> tuple[str, str]:
        """Open what `seal_receipt` made. Raises `SealBroken`."""
        context = _context("receipt", request_id)
        receipt_jwt, countersignature = strict_json.loads(sealing.unseal(self._key, sealed, context=context))
        return receipt_jwt, countersignature

    def seal_secret(self, maker: str, secret: str) -> bytes:
        """Seal the secret of a program's webhook."""
        return sealing.seal(self._key, secret.encode(), context=_context("webhook secret", maker))

    def open_secret(self, maker: str, sealed: bytes) -> str:
        """Open a sealed secret. Raises `SealBroken`."""
        return sealing.unseal(self._key, sealed, context=_context("webhook secret", maker)).decode()


def _context(what: str, request_id: str) -> bytes:
    return f"intyga verifier {what} 1\x00{request_id}".encode()
