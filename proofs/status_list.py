"""Token Status List: one to eight bits per credential, compressed, in a signed token.

    statuses = new_status_list(1_000_000, bits=2)
    set_status(statuses, 42, INVALID, bits=2)
    token = make_status_list_token(statuses=statuses, bits=2, uri=uri, signer=key, issued_at=now,
                                   expires_at=now + timedelta(hours=24), ttl_seconds=300)
    check_status_list_token(token, expected_uri=uri, anchors=anchors, issuer_keys=(), now=now).status(42)  # 1

Entries are packed from the lowest bit of each byte upwards (section 4.1), the opposite of the Bitstring Status List.
"""

import functools
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from proofs import base64url, jose, strict_json
from proofs.certificates import unverified_leaf, verify_chain
from proofs.dates import is_number, numeric_date, read_date, read_optional_date, read_optional_seconds, read_seconds
from proofs.inflate import inflate
from proofs.keys import DEFAULT_ALGORITHMS, Signer
from schemas.errors import CouldNotCheck, Malformed, ProtocolError, Refused

VALID: Final = 0
INVALID: Final = 1
REVOKED: Final = INVALID
SUSPENDED: Final = 2

TYP: Final = "statuslist+jwt"
WIDTHS: Final = (1, 2, 4, 8)
MAX_TOKEN_BYTES: Final = 8_000_000
MAX_LIST_BYTES: Final = 4_000_000
_COMPRESSION_LEVEL: Final = 6  # Level 9 takes sixteen times as long and saves an eighth.


class OutOfRange(Refused):
    """The index lies outside the status list, so that the credential must be rejected (section 8.3)."""


class InvalidStatusList(CouldNotCheck):
    """The status list token breaks a rule, so that it says nothing about any credential."""


class StaleStatusList(CouldNotCheck):
    """The status list token has expired and may not be relied upon any longer."""


@dataclass(frozen=True, slots=True)
class StatusList:
    """A checked status list: its address, entry width, packed entries, and what its token says about time."""

    uri: str
    bits: int
    data: bytes = field(repr=False)
    issued_at: datetime
    expires_at: datetime | None
    ttl_seconds: float | None

    def status(self, index: int) -> int:
        """The status at an index. Raises `OutOfRange`."""
        return status_at(self.data, index, bits=self.bits)


def new_status_list(entries: int, *, bits: int) -> bytearray:
    """Packed room for that many entries, all `VALID`."""
    _check_width(bits)
    return bytearray(-(-entries * bits // 8))


def status_at(data: bytes | bytearray, index: int, *, bits: int) -> int:
    """The status at an index of a packed list. Raises `OutOfRange`, also for a negative index."""
    _check_width(bits)
    per_byte = 8 // bits
    if type(index) is not int or not 0 <= index < len(data) * per_byte:
        raise OutOfRange("the status index is outside the list")
    return data[index // per_byte] >> (index % per_byte * bits) & ((1 << bits) - 1)


def set_status(data: bytearray, index: int, value: int, *, bits: int) -> None:
    """Set the status at an index of a packed list, in place. Raises `OutOfRange`, `ValueError` for a wide value."""
    current = status_at(data, index, bits=bits)
    if not 0 <= value < 1 << bits:
        raise ValueError("the status does not fit into its bits")
    data[index * bits // 8] ^= (current ^ value) << (index * bits % 8)


def encode_status_list(statuses: bytes | bytearray | Sequence[int], *, bits: int) -> str:
    """Compress statuses into the `lst` string of a status list token.

    `statuses` is a packed list as bytes, or a sequence with one value per credential in index order. `bits` is the
    width of one entry: 1, 2, 4 or 8.

    Returns base64url without padding of the zlib-compressed byte array (index 0 in the lowest bits).
    Raises `ValueError` if a value does not fit.

    Source: Token Status List, section 4.1.
    """
    _check_width(bits)
    if isinstance(statuses, bytes | bytearray):
        packed = bytes(statuses)
    else:
        room = new_status_list(len(statuses), bits=bits)
        for index, value in enumerate(statuses):
            set_status(room, index, value, bits=bits)
        packed = bytes(room)
    return base64url.encode(zlib.compress(packed, _COMPRESSION_LEVEL))


def decode_status_list(lst: str, *, bits: int, max_bytes: int = MAX_LIST_BYTES) -> bytes:
    """Decompress a `lst` string into its packed entries.

    `max_bytes` bounds the packed entries. Raises `Malformed` when the string is not base64url of a complete zlib
    stream, is too large, or `bits` is not 1, 2, 4 or 8.
    """
    if type(bits) is not int or bits not in WIDTHS:
        raise Malformed("the entry width of a status list is 1, 2, 4 or 8 bits")
    return inflate(base64url.decode(lst), wbits=zlib.MAX_WBITS, max_bytes=max_bytes)


def make_status_list_token(
    *,
    statuses: bytes | bytearray,
    bits: int,
    uri: str,
    signer: Signer,
    issued_at: datetime,
    expires_at: datetime,
    ttl_seconds: int,
) -> str:
    """Sign a status list.

    `statuses` is packed, `uri` the address under which credentials name the list. The header carries the signer's
    `x5c`, `kid`, and for readers that want it the leaf's key as `jwk`; our own readers use `x5c`.

    Source: Token Status List, section 5.1; HAIP 1.0, section 6.1.
    """
    claims = {
        "sub": uri,
        "iat": numeric_date(issued_at),
        "exp": numeric_date(expires_at),
        "ttl": ttl_seconds,
        "status_list": {"bits": bits, "lst": encode_status_list(statuses, bits=bits)},
    }
    header = {**jose.certificate_header(signer), "jwk": {**signer.public_jwk, "kid": signer.kid}}
    return jose.sign_jws(claims, signer=signer, typ=TYP, header=header)


def check_status_list_token(
    token: str,
    *,
    expected_uri: str,
    anchors: Sequence[bytes],
    issuer_keys: Sequence[Mapping[str, Any]],
    now: datetime,
    skew_seconds: int = 60,
) -> StatusList:
    """Check a status list token and read its list.

    `expected_uri` is the address in the credential. The token must be signed under `x5c` that leads to one of
    `anchors` (those trusted for the credential's issuer), or by one of `issuer_keys` (the credential's own signing
    key, or the issuer's listed ones, public EC keys); section 11.3 leaves that policy to us.

    Checks signature, `typ`, `sub`, `iat`, `nbf`, `exp`, `ttl` and the list's form. Whether the token is fresh enough by
    its `ttl` depends on when it was fetched: see `fresh_until`.

    Raises `StaleStatusList` when it has expired, `InvalidStatusList` for everything else.
    """
    keys = tuple([(key["crv"], key["x"], key["y"]) for key in issuer_keys])
    try:
        signed = _read_signed_list(token, keys)
        if signed.signed_with not in keys:
            verify_chain(signed.x5c, anchors=anchors, now=now)
    except ProtocolError as exc:
        raise InvalidStatusList(f"the status list token does not hold: {exc}") from exc
    if signed.status_list.uri != expected_uri:
        raise InvalidStatusList("the status list token is about another list")
    now_seconds = now.timestamp()
    if signed.valid_from > now_seconds + skew_seconds:
        raise InvalidStatusList("the status list token is from the future")
    if signed.valid_until is not None and signed.valid_until <= now_seconds - skew_seconds:
        raise StaleStatusList("the status list token has expired")
    return signed.status_list


@dataclass(frozen=True, slots=True)
class _SignedList:
    """A list whose signature holds under `signed_with`; whether that key is trusted is still open.

    `valid_from` is the later of `iat` and `nbf`, `valid_until` is `exp`, both in seconds since 1970.
    """

    status_list: StatusList
    valid_from: float
    valid_until: float | None
    signed_with: tuple[str, str, str]
    x5c: tuple[str, ...]


@functools.lru_cache(maxsize=16)
def _read_signed_list(token: str, keys: tuple[tuple[str, str, str], ...]) -> _SignedList:
    """The part of the check that depends neither on time nor on trust; inflating a large list once is enough."""
    jws = jose.parse_jws(token, max_bytes=MAX_TOKEN_BYTES)
    x5c = jws.header.get("x5c", [])
    if not isinstance(x5c, list):
        raise Malformed("x5c is not an array")
    if x5c:
        leaf_key = unverified_leaf(x5c).public_jwk
        keys = ((leaf_key["crv"], leaf_key["x"], leaf_key["y"]),)
    for crv, x, y in keys:
        try:
            key = {"kty": "EC", "crv": crv, "x": x, "y": y}
            jose.check_signature(jws, key=key, typ=TYP, algorithms=DEFAULT_ALGORITHMS)
        except jose.InvalidSignature:
            continue
        claims = strict_json.loads_object(jws.payload, max_bytes=MAX_TOKEN_BYTES)
        times = read_seconds(claims.get("iat"), name="iat"), read_optional_seconds(claims, "nbf") or 0
        valid_until = read_optional_seconds(claims, "exp")
        return _SignedList(_read_list(claims), max(times), valid_until, (crv, x, y), tuple(x5c))
    raise jose.InvalidSignature("the status list token is signed by no key that could be trusted")


def _read_list(claims: Mapping[str, Any]) -> StatusList:
    status_list, uri, ttl = claims.get("status_list"), claims.get("sub"), claims.get("ttl")
    if not isinstance(uri, str) or not isinstance(status_list, dict) or not isinstance(status_list.get("lst"), str):
        raise Malformed("the status list token lacks `sub` or `status_list`")
    if ttl is not None and (not is_number(ttl) or ttl <= 0):
        raise Malformed("`ttl` of the status list token is not a positive number")
    bits = status_list.get("bits")
    return StatusList(
        uri=uri,
        bits=bits if type(bits) is int else 0,
        data=decode_status_list(status_list["lst"], bits=bits),  # type: ignore[arg-type]  # Refused there.
        issued_at=read_date(claims.get("iat"), name="iat"),
        expires_at=read_optional_date(claims, "exp"),
        ttl_seconds=ttl,
    )


def fresh_until(
    token: str, *, fetched_at: datetime, at_least_seconds: int = 60, at_most_seconds: int = 86_400
) -> datetime:
    """Until when a fetched token may answer further questions before a new one is fetched; for caches.

    `ttl` counts from the fetch and is kept within the two bounds, so that a token can neither demand a flood of
    fetches nor stay forever; without `ttl`, `exp` says when, within the same bounds (sections 11.5 and 13.7). HTTP
    caching headers play no part. Reads the token unverified. Raises `Malformed` when it cannot be read.
    """
    claims = strict_json.loads_object(
        jose.parse_jws(token, max_bytes=MAX_TOKEN_BYTES).payload, max_bytes=MAX_TOKEN_BYTES
    )
    ttl, expires_at = claims.get("ttl"), read_optional_date(claims, "exp")
    left = (expires_at - fetched_at).total_seconds() if expires_at is not None else at_most_seconds
    seconds = min(ttl, left) if is_number(ttl) else left
    return fetched_at + timedelta(seconds=max(at_least_seconds, min(seconds, at_most_seconds)))


def _check_width(bits: int) -> None:
    if bits not in WIDTHS:
        raise ValueError("the entry width of a status list is 1, 2, 4 or 8 bits")
