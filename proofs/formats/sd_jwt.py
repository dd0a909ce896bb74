"""SD-JWT (RFC 9901): an issuer-signed JWT whose claims are revealed one by one through disclosures.

`parse_sd_jwt` takes a compact SD-JWT or SD-JWT+KB apart and does the whole structural processing of section 7.1: it
matches every disclosure to its digest, over the string as received, and refuses what is unreferenced, duplicated,
misshapen or colliding. It checks no signature and no date; its result is named for that.

    sd_jwt = parse_sd_jwt(token)
    sd_jwt.claims                                    # with everything that was disclosed put in place
    select_disclosures(sd_jwt, [("address", "city")])  # the disclosures that reveal just this, parents included

Paths are tuples of member names and array indexes into `claims`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from proofs import strict_json
from proofs.formats.concealment import ALGORITHM_KEY
from proofs.formats.concealment import DisclosurePlan as DisclosurePlan
from proofs.formats.concealment import plan_disclosures as plan_disclosures
from proofs.formats.disclosures import Disclosure as Disclosure
from proofs.formats.disclosures import Path as Path
from proofs.formats.disclosures import Processing, check_hash_name, read_disclosures
from proofs.formats.disclosures import digest_of as digest_of
from proofs.jose import UnverifiedJWS, parse_jws
from schemas.errors import Malformed, Refused

MAX_SD_JWT_BYTES: Final = 2_000_000


class UnverifiedSDJWT(NamedTuple):
    """An SD-JWT taken apart and put together; no signature has been checked.

    `issuer_jwt` and `key_binding` are the compact JWTs as received, `header` and `payload` what the former says as
    signed. `claims` is the processed payload with every disclosed claim in its place. `disclosure_at` says which
    disclosure revealed what is at a path; `undisclosed` counts digests without a disclosure (withheld claims and
    decoys); `original_indexes` gives, for arrays that lost undisclosed elements, the indexes as issued of those
    that are left. `concealing` names the top-level claims below which there are digests; `hash_name` is the value of
    `_sd_alg` or its default.
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
    concealing: frozenset[str]
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


class SplitSDJWT(NamedTuple):
    """An SD-JWT separated into its parts; the disclosures are still unread.

    `without_key_binding` is everything up to the final `~`, as `sd_hash` covers it.
    """

    issuer_jwt: str
    encoded_disclosures: tuple[str, ...]
    key_binding: str | None
    without_key_binding: str
    jws: UnverifiedJWS
    payload: dict[str, Any]

    @property
    def hash_name(self) -> Any:
        """The value of `_sd_alg`, or its default, unchecked."""
        return self.payload.get(ALGORITHM_KEY, "sha-256")


def split_sd_jwt(token: str) -> SplitSDJWT:
    """Separate an SD-JWT or SD-JWT+KB into its parts (section 7.1, step 1).

    Raises `Malformed` when it is not one, or is larger than 2 MB.
    """
    if not isinstance(token, str) or len(token) > MAX_SD_JWT_BYTES or not token.isascii():
        raise Malformed("not an SD-JWT, or too large")
    issuer_jwt, *encoded, key_binding = token.split("~") if "~" in token else ("", "")
    if not issuer_jwt or not all(encoded) or (key_binding and key_binding.count(".") != 2):
        raise Malformed("not an SD-JWT: a part between tildes is missing")
    jws = parse_jws(issuer_jwt, max_bytes=MAX_SD_JWT_BYTES)
    payload = strict_json.loads_object(jws.payload, max_bytes=MAX_SD_JWT_BYTES)
    shown = token[: len(token) - len(key_binding)]
    return SplitSDJWT(issuer_jwt, tuple(encoded), key_binding or None, shown, jws, payload)


def process_disclosures(parts: SplitSDJWT) -> UnverifiedSDJWT:
    """Put every disclosed claim in its place (section 7.1, steps 2.5 and 3 to 5).

    Raises `Malformed` when a disclosure cannot be read, `Refused` when a rule on disclosures is broken.
    """
    hash_name = check_hash_name(parts.hash_name)
    disclosures = read_disclosures(parts.encoded_disclosures, hash_name=hash_name)
    processing = Processing(parts.payload, disclosures, as_signed=parts.jws.payload)
    return UnverifiedSDJWT(
        parts.issuer_jwt,
        disclosures,
        parts.key_binding,
        parts.jws.header,
        parts.payload,
        processing.claims,
        processing.disclosure_at,
        processing.undisclosed,
        processing.original_indexes,
        frozenset(processing.concealing),
        hash_name,
    )


def select_disclosures(sd_jwt: UnverifiedSDJWT, paths: Iterable[Path], *, nested: bool = False) -> tuple[str, ...]:
    """The disclosures that reveal exactly the claims at these paths, in the order in which the issuer gave them.

    The disclosures of every parent that has to be opened on the way are included. What is disclosable below a path
    stays hidden unless `nested` is set. A claim that is always visible needs none.

    Raises `Refused` when there is no claim at a path.
    """
    wanted: set[str] = set()
    chosen = set(map(tuple, paths))
    for path in chosen:
        claim_at(sd_jwt.claims, path)
        for length in range(1, len(path) + 1):
            disclosure = sd_jwt.disclosure_at.get(path[:length])
            if disclosure is not None:
                wanted.add(disclosure.encoded)
    if nested:
        # By the few lengths of paths, not path by path: issuers and verifiers choose how many there are of both.
        lengths = {len(path) for path in chosen}
        for at, disclosure in sd_jwt.disclosure_at.items():
            if any(at[:length] in chosen for length in lengths):
                wanted.add(disclosure.encoded)
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
