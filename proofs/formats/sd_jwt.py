"""SD-JWT (RFC 9901): an issuer-signed JWT whose claims are revealed one by one through disclosures.

`parse_sd_jwt` takes a compact SD-JWT or SD-JWT+KB apart and does the whole structural processing of section 7.1: it
matches every disclosure to its digest, over the string as received, and refuses what is unreferenced, duplicated,
misshapen or colliding. It checks no signature and no date; its result is named for that.

    sd_jwt = parse_sd_jwt(token)
    sd_jwt.claims                                    # with everything that was disclosed put in place
    select_disclosures(sd_jwt, [("address", "city")])  # the disclosures that reveal just this, parents included

Paths are tuples of member names and array indexes into `claims`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from proofs import base64url, strict_json
from proofs.formats.concealment import ALGORITHM_KEY, DIGESTS_KEY, ELEMENT_KEY, RESERVED_NAMES
from proofs.formats.concealment import DisclosurePlan as DisclosurePlan
from proofs.formats.concealment import plan_disclosures as plan_disclosures
from proofs.jose import UnverifiedJWS, parse_jws
from schemas.errors import Malformed, Refused

Path = tuple[str | int, ...]
"""Where a claim is in the processed payload."""

MAX_SD_JWT_BYTES: Final = 2_000_000
MAX_DEPTH: Final = strict_json.MAX_DEPTH
HASHES: Final = {"sha-256": hashlib.sha256, "sha-384": hashlib.sha384, "sha-512": hashlib.sha512}
"""The hash algorithms that `_sd_alg` may name (RFC 9901, section 4.1.1)."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One disclosure as received: its text, the digest over that text, and what it says.

    `name` is None for an array element. `value` may itself hold digests of further disclosures.
    """

    encoded: str
    digest: str
    salt: str
    name: str | None
    value: Any


@dataclass(frozen=True, slots=True)
class UnverifiedSDJWT:
    """An SD-JWT taken apart and put together; no signature has been checked.

    `issuer_jwt` and `key_binding` are the compact JWTs as received, `jws` the former taken apart, `payload` its claims
    as signed. `claims` is the processed payload with every disclosed claim in its place. `disclosure_at` says which
    disclosure revealed what is at a path; `undisclosed` counts digests without a disclosure (withheld claims and
    decoys); `original_indexes` gives, for arrays that lost undisclosed elements, the indexes as issued of those
    that are left. `hash_name` is the value of `_sd_alg` or its default.
    """

    issuer_jwt: str
    disclosures: tuple[Disclosure, ...]
    key_binding: str | None
    header: dict[str, Any]
    payload: dict[str, Any]
    claims: dict[str, Any]
    disclosure_at: Mapping[Path, Disclosure]
    undisclosed: int
    original_indexes: Mapping[Path, tuple[int, ...]]
    hash_name: str

    @property
    def without_key_binding(self) -> str:
        """The issuer-signed JWT and the disclosures with the final `~`, as `sd_hash` covers it."""
        return "~".join((self.issuer_jwt, *(disclosure.encoded for disclosure in self.disclosures), ""))


def parse_sd_jwt(token: str) -> UnverifiedSDJWT:
    """Take an SD-JWT or SD-JWT+KB apart and process its disclosures (RFC 9901, section 7.1, steps 1 and 3 to 5).

    Raises `Malformed` when it is not one, or is larger than 2 MB; `Refused` when a rule on disclosures is broken.
    """
    return process_disclosures(split_sd_jwt(token))


@dataclass(frozen=True, slots=True)
class SplitSDJWT:
    """An SD-JWT separated into its parts; the disclosures are still unread."""

    issuer_jwt: str
    encoded_disclosures: tuple[str, ...]
    key_binding: str | None
    jws: UnverifiedJWS = field(repr=False)
    payload: dict[str, Any] = field(repr=False)

    @property
    def hash_name(self) -> Any:
        """The value of `_sd_alg`, or its default; still to be checked against `HASHES`."""
        return self.payload.get(ALGORITHM_KEY, "sha-256")

    @property
    def without_key_binding(self) -> str:
        """The issuer-signed JWT and the disclosures with the final `~`, as `sd_hash` covers it."""
        return "~".join((self.issuer_jwt, *self.encoded_disclosures, ""))


def split_sd_jwt(token: str) -> SplitSDJWT:
    """Separate an SD-JWT or SD-JWT+KB into its parts (section 7.1, step 1).

    Raises `Malformed` when it is not one, or is larger than 2 MB.
    """
    if not isinstance(token, str) or len(token) > MAX_SD_JWT_BYTES or not token.isascii():
        raise Malformed("not an SD-JWT, or too large")
    issuer_jwt, *encoded, key_binding = token.split("~") if "~" in token else ("", "")
    if not issuer_jwt or not all(encoded):
        raise Malformed("not an SD-JWT: a part between tildes is missing")
    jws = parse_jws(issuer_jwt, max_bytes=MAX_SD_JWT_BYTES)
    payload = strict_json.loads_object(jws.payload, max_bytes=MAX_SD_JWT_BYTES)
    return SplitSDJWT(issuer_jwt, tuple(encoded), key_binding or None, jws, payload)


def process_disclosures(parts: SplitSDJWT) -> UnverifiedSDJWT:
    """Put every disclosed claim in its place (section 7.1, steps 2.5 and 3 to 5).

    Raises `Malformed` when a disclosure cannot be read, `Refused` when a rule on disclosures is broken.
    """
    hash_name = parts.hash_name
    if not isinstance(hash_name, str) or hash_name not in HASHES:
        raise Refused("the hash algorithm of the SD-JWT is unknown or weak")
    disclosures = tuple(_read_disclosure(text, hash_name) for text in parts.encoded_disclosures)
    processing = _Processing(disclosures)
    claims = processing.process_payload(parts.payload)
    return UnverifiedSDJWT(
        issuer_jwt=parts.issuer_jwt,
        disclosures=disclosures,
        key_binding=parts.key_binding,
        header=parts.jws.header,
        payload=parts.payload,
        claims=claims,
        disclosure_at=processing.disclosure_at,
        undisclosed=processing.undisclosed,
        original_indexes=processing.original_indexes,
        hash_name=hash_name,
    )


def digest_of(text: str, *, hash_name: str) -> str:
    """The digest of a disclosure or of an SD-JWT as received, base64url (RFC 9901, sections 4.2.3 and 4.3.1).

    Raises `Refused` for a hash algorithm outside `HASHES`.
    """
    if not isinstance(hash_name, str) or hash_name not in HASHES:
        raise Refused("the hash algorithm of the SD-JWT is unknown or weak")
    return base64url.encode(HASHES[hash_name](text.encode("ascii")).digest())


def _read_disclosure(text: str, hash_name: str) -> Disclosure:
    content = strict_json.loads(base64url.decode(text), max_bytes=MAX_SD_JWT_BYTES)
    if type(content) is not list or not 2 <= len(content) <= 3 or not isinstance(content[0], str):
        raise Refused("a disclosure is not an array of a salt, a name and a value, or of a salt and a value")
    name = content[1] if len(content) == 3 else None
    if len(content) == 3 and (not isinstance(name, str) or name in RESERVED_NAMES):
        raise Refused("a disclosure has a reserved claim name, or one that is not a string")
    return Disclosure(text, digest_of(text, hash_name=hash_name), content[0], name, content[-1])


class _Processing:
    """One run of RFC 9901, section 7.1, step 3, over a payload."""

    def __init__(self, disclosures: tuple[Disclosure, ...]) -> None:
        self.disclosure_at: dict[Path, Disclosure] = {}
        self.original_indexes: dict[Path, tuple[int, ...]] = {}
        self.undisclosed = 0
        self._seen: set[str] = set()
        self._by_digest = {disclosure.digest: disclosure for disclosure in disclosures}
        self._count = len(disclosures)
        if len(self._by_digest) != self._count:
            raise Refused("a disclosure is given twice")

    def process_payload(self, payload: dict[str, Any]) -> dict[str, Any]:
        claims = self._process_object({name: payload[name] for name in payload if name != ALGORITHM_KEY}, ())
        if len(self.disclosure_at) != self._count:
            # Step 5. Every digest is met at most once (step 4), so that counting suffices.
            raise Refused("a disclosure is not referenced by any digest")
        return claims

    def _process(self, value: Any, path: Path) -> Any:
        kind = type(value)
        if kind is dict:
            return self._process_object(value, path)
        if kind is list:
            return self._process_array(value, path)
        return value

    def _process_object(self, value: dict[str, Any], path: Path) -> dict[str, Any]:
        if len(path) > MAX_DEPTH:
            raise Malformed("the SD-JWT is nested too deeply")
        result: dict[str, Any] = {}
        for name, member in value.items():
            if name in RESERVED_NAMES:
                if name != DIGESTS_KEY:
                    # Section 4.1.1: `_sd_alg` is at the top level only; `...` is for array elements only.
                    raise Refused("a reserved name is used in a place where it has no meaning")
                continue
            kind = type(member)
            result[name] = self._process(member, (*path, name)) if kind is dict or kind is list else member
        if DIGESTS_KEY in value:
            self._insert_disclosed(value[DIGESTS_KEY], result, path)
        return result

    def _insert_disclosed(self, digests: Any, result: dict[str, Any], path: Path) -> None:
        if type(digests) is not list:
            raise Refused("`_sd` is not an array of strings")
        for digest in digests:
            disclosure = self._match(digest)
            if disclosure is None:
                continue
            name = disclosure.name
            if name is None:
                raise Refused("the disclosure of a claim has no claim name")
            if name in result:
                raise Refused("a disclosed claim exists already at its level")
            here = (*path, name)
            self.disclosure_at[here] = disclosure
            result[name] = self._process(disclosure.value, here)

    def _process_array(self, value: list[Any], path: Path) -> list[Any]:
        if len(path) > MAX_DEPTH:
            raise Malformed("the SD-JWT is nested too deeply")
        result: list[Any] = []
        indexes: list[int] = []
        for index, element in enumerate(value):
            here = (*path, len(result))
            if type(element) is dict and ELEMENT_KEY in element:
                if len(element) != 1:
                    raise Refused("a placeholder of an array element has further members")
                disclosure = self._match(element[ELEMENT_KEY])
                if disclosure is None:
                    continue
                if disclosure.name is not None:
                    raise Refused("the disclosure of an array element has a claim name")
                self.disclosure_at[here] = disclosure
                element = disclosure.value
            result.append(self._process(element, here))
            indexes.append(index)
        if len(result) != len(value):
            self.original_indexes[path] = tuple(indexes)
        return result

    def _match(self, digest: Any) -> Disclosure | None:
        if type(digest) is not str:
            raise Refused("a digest is not a string")
        if digest in self._seen:
            raise Refused("a digest is met twice")
        self._seen.add(digest)
        disclosure = self._by_digest.get(digest)
        if disclosure is None:
            self.undisclosed += 1
        return disclosure


def select_disclosures(sd_jwt: UnverifiedSDJWT, paths: Iterable[Path], *, nested: bool = False) -> tuple[str, ...]:
    """The disclosures that reveal exactly the claims at these paths, in the order in which the issuer gave them.

    The disclosures of every parent that has to be opened on the way are included. What is disclosable below a path
    stays hidden unless `nested` is set. A claim that is always visible needs none.

    Raises `Refused` when there is no claim at a path.
    """
    wanted: set[str] = set()
    for path in map(tuple, paths):
        claim_at(sd_jwt.claims, path)
        for length in range(1, len(path) + 1):
            disclosure = sd_jwt.disclosure_at.get(path[:length])
            if disclosure is not None:
                wanted.add(disclosure.encoded)
        if nested:
            wanted.update(
                disclosure.encoded for at, disclosure in sd_jwt.disclosure_at.items() if at[: len(path)] == path
            )
    return tuple(disclosure.encoded for disclosure in sd_jwt.disclosures if disclosure.encoded in wanted)


def claim_at(claims: Any, path: Path) -> Any:
    """The value at a path. Raises `Refused` when there is none."""
    value = claims
    for step in path:
        fits_object = isinstance(value, dict) and isinstance(step, str) and step in value
        fits_array = isinstance(value, list) and type(step) is int and 0 <= step < len(value)
        if not fits_object and not fits_array:
            raise Refused("there is no claim at this path")
        value = value[step]
    return value


def always_visible(sd_jwt: UnverifiedSDJWT) -> list[tuple[Path, Any]]:
    """What every presentation reveals, whatever is chosen: paths and values, outermost first.

    An object or array that holds disclosable claims is listed by its visible parts; one of which nothing else is
    visible is listed with an empty value, since that it is there can be seen.
    """
    opened = {path[:length] for path in sd_jwt.disclosure_at for length in range(len(path))}
    return [item for name in sd_jwt.claims for item in _visible(sd_jwt, sd_jwt.claims[name], (name,), opened)]


def _visible(sd_jwt: UnverifiedSDJWT, value: Any, path: Path, opened: set[Path]) -> list[tuple[Path, Any]]:
    if path in sd_jwt.disclosure_at:
        return []
    if path not in opened:
        return [(path, value)]
    steps: Iterable[str | int] = value if isinstance(value, dict) else range(len(value))
    inner = [item for step in steps for item in _visible(sd_jwt, value[step], (*path, step), opened)]
    return inner or [(path, type(value)())]
