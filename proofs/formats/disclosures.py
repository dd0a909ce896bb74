"""Disclosures read, and put into the places that their digests mark (RFC 9901, sections 4.2 and 7.1, step 3)."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from proofs import base64url, strict_json
from proofs.formats.concealment import ALGORITHM_KEY, DIGESTS_KEY, ELEMENT_KEY, RESERVED_NAMES
from schemas.errors import Malformed, Refused

Path = tuple[str | int, ...]
"""Where a claim is in the processed payload."""

MAX_DEPTH: Final = strict_json.MAX_DEPTH
HASHES: Final = {"sha-256": hashlib.sha256, "sha-384": hashlib.sha384, "sha-512": hashlib.sha512}
"""The hash algorithms that `_sd_alg` may name (RFC 9901, section 4.1.1)."""


class Disclosure(NamedTuple):
    """One disclosure as received: its text, the digest over that text, and what it says.

    `name` is None for an array element. `value` may itself hold digests of further disclosures.
    """

    encoded: str
    digest: str
    salt: str
    name: str | None
    value: Any


def check_hash_name(name: Any) -> str:
    """The name of an acceptable hash algorithm. Raises `Refused`."""
    if not isinstance(name, str) or name not in HASHES:
        raise Refused("the hash algorithm of the SD-JWT is unknown or weak")
    return name


def digest_of(text: str, *, hash_name: Any) -> str:
    """The digest of a disclosure or of an SD-JWT as received, base64url (RFC 9901, sections 4.2.3 and 4.3.1).

    Raises `Refused` for a hash algorithm outside `HASHES`.
    """
    return base64url.encode(HASHES[check_hash_name(hash_name)](text.encode("ascii")).digest())


def read_disclosures(texts: Iterable[str], *, hash_name: str) -> tuple[Disclosure, ...]:
    """Read disclosures as received.

    Raises `Malformed` when one is not base64url of JSON, `Refused` for another shape or a reserved claim name.
    """
    new_hash, decode, encode, loads = HASHES[hash_name], base64url.decode, base64url.encode, strict_json.loads
    disclosures = []
    for text in texts:
        raw = text.encode("ascii")
        content = loads(decode(raw))
        size = len(content) if type(content) is list else 0
        if size == 3:
            salt, name, value = content
            if type(name) is not str or name in RESERVED_NAMES:
                raise Refused("a disclosure has a reserved claim name, or one that is not a string")
        elif size == 2:
            salt, value = content
            name = None
        else:
            raise Refused("a disclosure is not an array of a salt, a name and a value, or of a salt and a value")
        if type(salt) is not str:
            raise Refused("the salt of a disclosure is not a string")
        # The digest covers the text as received, never JSON written again (section 4.2.3).
        disclosures.append(Disclosure(text, encode(new_hash(raw).digest()), salt, name, value))
    return tuple(disclosures)


class Processing:
    """One run of section 7.1, step 3, over a payload.

    Afterwards `claims` is the processed payload; for the other members see `sd_jwt.UnverifiedSDJWT`.
    """

    __slots__ = ("_by_digest", "_seen", "claims", "concealing", "disclosure_at", "original_indexes", "undisclosed")

    def __init__(self, payload: Mapping[str, Any], disclosures: tuple[Disclosure, ...], *, as_signed: bytes) -> None:
        """Put every disclosed claim in its place. `payload` is what the bytes `as_signed` say.

        Raises `Malformed` when the nesting is too deep; `Refused` for a repeated or unreferenced disclosure, one of
        the wrong shape for its place, a digest met twice, a reserved or a colliding name.
        """
        self.disclosure_at: dict[Path, Disclosure] = {}
        self.original_indexes: dict[Path, tuple[int, ...]] = {}
        self.concealing: set[str] = set()
        self._seen: set[str] = set()
        self._by_digest = {disclosure.digest: disclosure for disclosure in disclosures}
        if len(self._by_digest) != len(disclosures):
            raise Refused("a disclosure is given twice")
        own_names = (DIGESTS_KEY in payload) + (ALGORITHM_KEY in payload)
        if b"\\" in as_signed or b'"..."' in as_signed or as_signed.count(b'"_sd') != own_names:
            self.claims = self._process_object(payload, ())
        else:
            # Without a backslash every reserved name is written as it is. There are none but those at the top level,
            # so that nested claims are taken over unread.
            self.claims = claims = dict(payload)
            claims.pop(ALGORITHM_KEY, None)
            if DIGESTS_KEY in claims:
                self._insert_disclosed(claims.pop(DIGESTS_KEY), claims, ())
        if len(self.disclosure_at) != len(disclosures):
            # Step 5. Every digest is met at most once (step 4), so that counting suffices.
            raise Refused("a disclosure is not referenced by any digest")
        self.undisclosed = len(self._seen) - len(disclosures)

    def _process_object(self, value: Mapping[str, Any], path: Path) -> dict[str, Any]:
        if len(path) > MAX_DEPTH:
            raise Malformed("the SD-JWT is nested too deeply")
        result: dict[str, Any] = {}
        for name, member in value.items():
            if name in RESERVED_NAMES:
                if name != DIGESTS_KEY and (path or name != ALGORITHM_KEY):
                    # Section 4.1.1: `_sd_alg` is at the top level only; `...` is for array elements only.
                    raise Refused("a reserved name is used in a place where it has no meaning")
                continue
            kind = type(member)
            result[name] = self._process(member, (*path, name)) if kind is dict or kind is list else member
        if DIGESTS_KEY in value:
            self._insert_disclosed(value[DIGESTS_KEY], result, path)
        return result

    def _process(self, value: Any, path: Path) -> Any:
        kind = type(value)
        if kind is dict:
            return self._process_object(value, path)
        return self._process_array(value, path) if kind is list else value

    def _insert_disclosed(self, digests: Any, result: dict[str, Any], path: Path) -> None:
        if type(digests) is not list:
            raise Refused("`_sd` is not an array of strings")
        self._note_digests(path, digests)
        by_digest = self._by_digest
        for digest in digests:
            disclosure = by_digest.get(digest)
            if disclosure is None:
                continue
            name = disclosure.name
            if name is None:
                raise Refused("the disclosure of a claim has no claim name")
            if name in result:
                raise Refused("a disclosed claim exists already at its level")
            here = (*path, name)
            self.disclosure_at[here] = disclosure
            value = disclosure.value
            kind = type(value)
            result[name] = self._process(value, here) if kind is dict or kind is list else value

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
                digest = element[ELEMENT_KEY]
                self._note_digests(path, (digest,))
                disclosure = self._by_digest.get(digest)
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

    def _note_digests(self, path: Path, digests: Sequence[Any]) -> None:
        """Note that these digests were met. Step 4 is done here, at once: repeated ones could multiply without end."""
        for digest in digests:
            if type(digest) is not str:
                raise Refused("a digest is not a string")
        new = set(digests)
        if len(new) != len(digests) or not self._seen.isdisjoint(new):
            raise Refused("a digest is met twice")
        self._seen |= new
        if path and isinstance(path[0], str):
            self.concealing.add(path[0])
