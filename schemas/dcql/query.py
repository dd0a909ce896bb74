"""A DCQL query, parsed: what a verifier asks for (OpenID4VP 1.0, section 6).

    query = parse_query(request["dcql_query"])
    query.credentials[0].claims[0].path          # ("address", "street_address")

A value of these classes is valid once it exists. Unknown members are ignored everywhere, as the specification demands;
everything else that is not as it says raises `InvalidQuery`. The bounds below are ours: a query is somebody else's
program, and it runs in the wallet.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.dcql.paths import ClaimsPath, is_index
from schemas.errors import Malformed

SD_JWT_VC: Final = "dc+sd-jwt"
MDOC: Final = "mso_mdoc"
W3C_FORMATS: Final = frozenset({"jwt_vc_json", "ldp_vc"})

MAX_CREDENTIAL_QUERIES: Final = 50
MAX_CREDENTIAL_SETS: Final = 50
MAX_OPTIONS: Final = 50
"""How many options one credential set, and how many combinations one credential query (`claim_sets`), may have."""
MAX_CLAIMS: Final = 500
"""How many claims queries the whole query may have."""
MAX_REFERENCES: Final = 5_000
"""How many ids all `options` and `claim_sets` of the query may name together."""
MAX_VALUES: Final = 100
"""How many entries one `values`, `vct_values` or `trusted_authorities` array may have."""
MAX_PATH_LENGTH: Final = 32
MAX_STRING_LENGTH: Final = 2_000
"""In characters: path components, expected values, types, ids."""
MAX_INDEX: Final = 1_000_000

_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class InvalidQuery(Malformed):
    """The DCQL query is not as OpenID4VP 1.0, section 6 demands, or larger than we evaluate."""

    error = "invalid_request"


@dataclass(frozen=True, slots=True)
class TrustedAuthorities:
    """One way of naming whose issuers the verifier would accept (6.1.1): `aki`, `etsi_tl`, `openid_federation`, ..."""

    type: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClaimQuery:
    """One claim asked for (6.3). `values`, when not empty, are the only values of interest, exact in type and value."""

    path: ClaimsPath
    id: str | None = None
    values: tuple[str | int | bool, ...] = ()


@dataclass(frozen=True, slots=True)
class CredentialQuery:
    """One credential asked for (6.1).

    `claims` is empty when the query has none: then no selectively disclosable claim is asked for (6.4.1). A path that
    the query names twice stands here once, unless `claim_sets` refer to both by their ids.
    `claim_sets` holds, per alternative, positions in `claims`; empty when the query has none.
    `types` is how the format constrains the type, as alternatives of which each is a set that must be there in full:
    one string each for `vct_values`; empty means any type.
    """

    id: str
    format: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    types: tuple[tuple[str, ...], ...] = ()
    multiple: bool = False
    trusted_authorities: tuple[TrustedAuthorities, ...] = ()
    require_cryptographic_holder_binding: bool = True
    claims: tuple[ClaimQuery, ...] = ()
    claim_sets: tuple[tuple[int, ...], ...] = ()

    def alternatives(self) -> Iterator[tuple[int | None, tuple[ClaimQuery, ...]]]:
        """The combinations of claims that would do, in the verifier's order, each with its position in `claim_sets`."""
        if not self.claim_sets:
            yield None, self.claims
        for index, positions in enumerate(self.claim_sets):
            yield index, tuple(self.claims[position] for position in positions)


@dataclass(frozen=True, slots=True)
class CredentialSetQuery:
    """A use case that any one of `options` (lists of credential query ids) satisfies (6.2)."""

    options: tuple[tuple[str, ...], ...]
    required: bool = True


@dataclass(frozen=True, slots=True)
class Query:
    """A whole DCQL query (6)."""

    credentials: tuple[CredentialQuery, ...]
    credential_sets: tuple[CredentialSetQuery, ...] = ()

    def credential(self, query_id: str) -> CredentialQuery:
        """The credential query with this id; `KeyError` when there is none."""
        for credential in self.credentials:
            if credential.id == query_id:
                return credential
        raise KeyError(query_id)

    @property
    def sets(self) -> tuple[CredentialSetQuery, ...]:
        """The credential sets; without any, all credentials are one required set (6.4.2)."""
        if self.credential_sets:
            return self.credential_sets
        return (CredentialSetQuery(options=(tuple(credential.id for credential in self.credentials),)),)

    @property
    def needs_state(self) -> bool:
        """Whether the request must carry a `state`, since a proof without holder binding is accepted (5.3)."""
        return any(not credential.require_cryptographic_holder_binding for credential in self.credentials)


def parse_query(value: object) -> Query:
    """Read a `dcql_query`, as parsed from JSON by a strict reader.

    Raises `InvalidQuery`, and nothing else, for whatever is not a valid query: missing or wrongly typed members, empty
    arrays, ids outside `[A-Za-z0-9_-]+` or used twice, references to ids that do not exist, `claim_sets` without
    `claims`, path components of another kind, and anything over the bounds of this module.

    Numbers in `values` must be integers as JSON wrote them: `1.0` is refused here, and a claim whose value is `1.0`
    matches no integer. That is stricter than mathematics and the same on both sides.

    Source: OpenID4VP 1.0, sections 6.1 to 6.4 and B.3.5.
    """
    top = _object(value, "dcql_query")
    credentials = tuple(
        _credential(entry) for entry in _array(top.get("credentials"), "credentials", MAX_CREDENTIAL_QUERIES)
    )
    ids = [credential.id for credential in credentials]
    if len(set(ids)) != len(ids):
        raise InvalidQuery("two credential queries have the same id")
    sets: tuple[CredentialSetQuery, ...] = ()
    if "credential_sets" in top:
        entries = _array(top.get("credential_sets"), "credential_sets", MAX_CREDENTIAL_SETS)
        sets = tuple(_credential_set(entry, frozenset(ids)) for entry in entries)
    _check_size(credentials, sets)
    return Query(credentials=credentials, credential_sets=sets)


def _credential(value: object) -> CredentialQuery:
    entry = _object(value, "a credential query")
    query_id, format_ = _id(entry, "a credential query"), _string(entry.get("format"), "format")
    if "meta" not in entry:
        raise InvalidQuery("a credential query has no meta")
    meta = _object(entry["meta"], "meta")
    authorities: tuple[TrustedAuthorities, ...] = ()
    if "trusted_authorities" in entry:
        authorities = tuple(
            _authorities(item) for item in _array(entry.get("trusted_authorities"), "trusted_authorities", MAX_VALUES)
        )
    claims: tuple[ClaimQuery, ...] = ()
    if "claims" in entry:
        claims = tuple(_claim(item, format_) for item in _array(entry.get("claims"), "claims", MAX_CLAIMS))
        named = [claim.id for claim in claims if claim.id is not None]
        if len(set(named)) != len(named):
            raise InvalidQuery("two claims queries of one credential query have the same id")
    claim_sets: tuple[tuple[int, ...], ...] = ()
    if "claim_sets" in entry:
        claim_sets = _claim_sets(entry, claims)
    return CredentialQuery(
        id=query_id,
        format=format_,
        meta=meta,
        types=_types(format_, meta),
        multiple=_boolean(entry, "multiple", default=False),
        trusted_authorities=authorities,
        require_cryptographic_holder_binding=_boolean(entry, "require_cryptographic_holder_binding", default=True),
        claims=claims if claim_sets else _without_repeats(claims),
        claim_sets=claim_sets,
    )


def _without_repeats(claims: tuple[ClaimQuery, ...]) -> tuple[ClaimQuery, ...]:
    """Wallets SHOULD ignore a claims query that points to the same claim again (6.1)."""
    first: dict[ClaimsPath, ClaimQuery] = {}
    for claim in claims:
        first.setdefault(claim.path, claim)
    return tuple(first.values())


def _claim_sets(entry: Mapping[str, Any], claims: tuple[ClaimQuery, ...]) -> tuple[tuple[int, ...], ...]:
    if not claims:
        raise InvalidQuery("claim_sets without claims")
    if any(claim.id is None for claim in claims):
        raise InvalidQuery("a claims query needs an id when there are claim_sets")
    positions = {claim.id: position for position, claim in enumerate(claims)}
    found = []
    for item in _array(entry.get("claim_sets"), "claim_sets", MAX_OPTIONS):
        ids = _strings(item, "a claim set", MAX_CLAIMS)
        if any(one not in positions for one in ids):
            raise InvalidQuery("a claim set names an id that no claims query has")
        found.append(tuple(dict.fromkeys(positions[one] for one in ids)))
    return tuple(found)


def _claim(value: object, format_: str) -> ClaimQuery:
    entry = _object(value, "a claims query")
    path = tuple(_component(item) for item in _array(entry.get("path"), "path", MAX_PATH_LENGTH))
    if format_ == MDOC and (len(path) != 2 or not all(isinstance(item, str) for item in path)):
        raise InvalidQuery("a path into an mdoc is a namespace and a data element identifier")  # 7.2.1
    if "intent_to_retain" in entry:
        _boolean(entry, "intent_to_retain", default=False)
    values: tuple[str | int | bool, ...] = ()
    if "values" in entry:
        values = tuple(_expected(item) for item in _array(entry.get("values"), "values", MAX_VALUES))
    return ClaimQuery(path=path, id=_id(entry, "a claims query") if "id" in entry else None, values=values)


def _component(item: object) -> str | int | None:
    if item is None:
        return None
    if isinstance(item, str):
        return _bounded(item, "a path component")
    if is_index(item):
        assert isinstance(item, int)
        if item <= MAX_INDEX:
            return item
    raise InvalidQuery("a path component is neither a string, null nor a non-negative integer that we accept")


def _expected(item: object) -> str | int | bool:
    if isinstance(item, str):
        return _bounded(item, "a value")
    if isinstance(item, int):  # includes booleans; a float, even 1.0, is not an integer
        return item
    raise InvalidQuery("values may hold strings, integers and booleans only")


def _authorities(value: object) -> TrustedAuthorities:
    entry = _object(value, "a trusted authorities query")
    return TrustedAuthorities(
        type=_string(entry.get("type"), "type"),
        values=_strings(entry.get("values"), "values of trusted authorities", MAX_VALUES),
    )


def _types(format_: str, meta: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """The type constraint, per format (B.1.1, B.2.3, B.3.5). Without our member, `meta` constrains nothing."""
    if format_ == SD_JWT_VC and "vct_values" in meta:
        return tuple((vct,) for vct in _strings(meta["vct_values"], "vct_values", MAX_VALUES))
    if format_ == MDOC and "doctype_value" in meta:
        return ((_string(meta["doctype_value"], "doctype_value"),),)
    if format_ in W3C_FORMATS and "type_values" in meta:
        alternatives = _array(meta.get("type_values"), "type_values", MAX_VALUES)
        return tuple(_strings(types, "an entry of type_values", MAX_VALUES) for types in alternatives)
    return ()


def _credential_set(value: object, known: frozenset[str]) -> CredentialSetQuery:
    entry = _object(value, "a credential set query")
    options = []
    for item in _array(entry.get("options"), "options", MAX_OPTIONS):
        ids = _strings(item, "an option", MAX_CREDENTIAL_QUERIES)
        if any(one not in known for one in ids):
            raise InvalidQuery("an option names an id that no credential query has")
        options.append(tuple(dict.fromkeys(ids)))
    return CredentialSetQuery(options=tuple(options), required=_boolean(entry, "required", default=True))


def _check_size(credentials: Sequence[CredentialQuery], sets: Sequence[CredentialSetQuery]) -> None:
    if sum(len(credential.claims) for credential in credentials) > MAX_CLAIMS:
        raise InvalidQuery("the query asks for more claims than we evaluate")
    references = sum(len(ids) for credential in credentials for ids in credential.claim_sets)
    references += sum(len(ids) for one in sets for ids in one.options)
    if references > MAX_REFERENCES:
        raise InvalidQuery("the query names more combinations than we evaluate")


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidQuery(f"{what} is not an object")
    return value


def _array(value: object, what: str, longest: int) -> Sequence[Any]:
    if not isinstance(value, list | tuple) or not value:
        raise InvalidQuery(f"{what} is not a non-empty array")
    if len(value) > longest:
        raise InvalidQuery(f"{what} has more than {longest} entries")
    return value


def _strings(value: object, what: str, longest: int) -> tuple[str, ...]:
    return tuple(_string(item, what) for item in _array(value, what, longest))


def _string(value: object, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidQuery(f"{what} is not a non-empty string")
    return _bounded(value, what)


def _bounded(value: str, what: str) -> str:
    if len(value) > MAX_STRING_LENGTH:
        raise InvalidQuery(f"{what} is longer than {MAX_STRING_LENGTH} characters")
    return value


def _id(entry: Mapping[str, Any], what: str) -> str:
    value = _string(entry.get("id"), f"the id of {what}")
    if not _ID.fullmatch(value):
        raise InvalidQuery(f"the id of {what} has characters outside A-Z, a-z, 0-9, _ and -")
    return value


def _boolean(entry: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = entry.get(name, default)
    if not isinstance(value, bool):
        raise InvalidQuery(f"{name} is neither true nor false")
    return value
