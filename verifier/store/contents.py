"""What a person showed, as it rests: sealed under the device secret, bound to its request, gone on its date."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from proofs import sealing, strict_json
from verifier.disclosed import DisclosedItem


@dataclass(frozen=True, slots=True)
class Contents:
    """The values of one answer, and the evidence: each presentation with its query id, byte for byte as received."""

    items: tuple[DisclosedItem, ...] = field(repr=False)
    evidence: tuple[tuple[str, str], ...] = field(repr=False)


class Sealer:
    """Seals what must not rest in clear. The device secret lies beside the database, not in it."""

    def __init__(self, device_secret: bytes) -> None:
        self._key = sealing.derive_subkey(device_secret, purpose="verifier contents")

    def seal_contents(self, request_id: str, contents: Contents) -> bytes:
        """Seal the contents of an answer for its request."""
        members = {
            "items": [item.as_json() for item in contents.items],
            "evidence": [[query_id, token] for query_id, token in contents.evidence],
        }
        return sealing.seal(self._key, strict_json.dumps(members), context=_context("contents", request_id))

    def open_contents(self, request_id: str, sealed: bytes) -> Contents:
        """Open sealed contents. Raises `SealBroken`."""
        plain = sealing.unseal(self._key, sealed, context=_context("contents", request_id))
        members = strict_json.loads_object(plain, max_bytes=20_000_000)
        return Contents(
            items=tuple(DisclosedItem.from_json(item) for item in members["items"]),
            evidence=tuple((query_id, token) for query_id, token in _pairs(members["evidence"])),
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


def _context(what: str, request_id: str) -> bytes:
    return f"intyga verifier {what} 1\x00{request_id}".encode()


def _pairs(value: Iterable[list[str]]) -> Iterable[tuple[str, str]]:
    return ((one[0], one[1]) for one in value)
