"""The registration certificate of a recipient (ETSI TS 119 475, `rc-wrp+jwt`): who it is, and what it may ask for.

    registered = RegistrationCertificate.from_claims(claims)
    registered.identifier, registered.credentials[0].paths
    beyond(query, registered.credentials)            # what a query asks for that was not registered

The field writes it in several ways, which are all read: `sub` is an identifier or an object with `id` and `legal_name`;
the array of claims is named `claim` in the tables of TS 119 475 and `claims` elsewhere; a path is an array or one name;
`meta` is an object as in DCQL or the type itself. What is read more than one way is never read more generously: both
`claim` and `claims` in one entry, or a path that is no path, make the certificate malformed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from schemas.dcql import ClaimsPath, Query
from schemas.errors import Malformed

FORMAT: Final = "registration_cert"  # `format` in verifier_info
TYP: Final = "rc-wrp+jwt"

MAX_CREDENTIALS: Final = 100
MAX_CLAIMS: Final = 1_000
MAX_TEXT: Final = 2_000
_MOST_TEXTS: Final = 50

Beyond = tuple[tuple[str, ...], ClaimsPath]
"""One thing asked for: the types that would do, and the path; an empty path is the certificate itself."""


@dataclass(frozen=True, slots=True)
class RegisteredCredential:
    """A kind of certificate that may be asked for. Without `paths` no claim of it may, as a DCQL query without claims
    asks for none."""

    format: str
    types: frozenset[str]
    paths: tuple[ClaimsPath, ...]

    def covers(self, path: ClaimsPath) -> bool:
        """Whether a claim may be asked for: itself, or something that it lies in."""
        return any(_holds(one, path) for one in self.paths)


@dataclass(frozen=True, slots=True)
class RegistrationCertificate:
    """What a registrar says of a recipient. `purpose` maps languages to texts. Dates are those of the token."""

    identifier: str
    legal_name: str
    purpose: Mapping[str, str]
    credentials: tuple[RegisteredCredential, ...]
    intermediary: str = ""

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> "RegistrationCertificate":
        """Read the claims of a registration certificate. Raises `Malformed`."""
        identifier, legal_name = _subject(claims)
        acting = claims.get("act", claims.get("intermediary"))
        return cls(
            identifier=identifier,
            legal_name=legal_name,
            purpose=_texts(claims.get("purpose", [])),
            credentials=read_registered(claims.get("credentials", [])),
            intermediary=_intermediary(acting) if acting is not None else "",
        )


def read_registered(value: object) -> tuple[RegisteredCredential, ...]:
    """Read the array `credentials`. Raises `Malformed`."""
    if not isinstance(value, list) or len(value) > MAX_CREDENTIALS:
        raise Malformed("`credentials` of the registration certificate is not an array, or too long")
    registered = tuple(_credential(entry) for entry in value)
    if sum(len(one.paths) for one in registered) > MAX_CLAIMS:
        raise Malformed("the registration certificate names too many claims")
    return registered


def beyond(
    query: Query, registered: tuple[RegisteredCredential, ...], *, only: Collection[str] | None = None
) -> tuple[Beyond, ...]:
    """What a query asks for that was not registered, each once.

    `only` are the ids of the credential queries that the registration is about; None when it is about all of them.

    A credential query that takes several types is covered for each of them or not at all: the person may hold any. One
    that takes any type is covered by no registration.
    """
    found: dict[Beyond, None] = {}
    for credential in query.credentials:
        types = tuple(dict.fromkeys(vct for alternative in credential.types for vct in alternative))
        fitting = [[one for one in registered if one.format == credential.format and vct in one.types] for vct in types]
        is_meant = only is None or credential.id in only
        if not types or not is_meant or not all(fitting):
            found |= {(types, claim.path): None for claim in credential.claims} or {(types, ()): None}
            continue
        for claim in credential.claims:
            if not all(any(one.covers(claim.path) for one in some) for some in fitting):
                found[types, claim.path] = None
    return tuple(found)


def _holds(registered: ClaimsPath, path: ClaimsPath) -> bool:
    """Whether a registered path is the path asked for or lies above it. All elements hold one; one never holds all."""
    return len(registered) <= len(path) and all(
        mine == theirs or (mine is None and isinstance(theirs, int))
        for mine, theirs in zip(registered, path, strict=False)
    )


def _credential(entry: object) -> RegisteredCredential:
    if not isinstance(entry, Mapping):
        raise Malformed("a registered credential is not an object")
    if "claim" in entry and "claims" in entry:
        raise Malformed("a registered credential has both `claim` and `claims`")
    claims = entry.get("claim", entry.get("claims"))
    paths: tuple[ClaimsPath, ...] = ()
    if claims is not None:
        if not isinstance(claims, list) or not 0 < len(claims) <= MAX_CLAIMS:
            raise Malformed("the claims of a registered credential are not a non-empty array")
        paths = tuple(_path(claim.get("path") if isinstance(claim, Mapping) else None) for claim in claims)
    return RegisteredCredential(_text(entry.get("format"), "format"), _types(entry.get("meta")), paths)


def _types(meta: object) -> frozenset[str]:
    if isinstance(meta, str):
        return frozenset({_text(meta, "meta")})
    if isinstance(meta, Mapping):
        values = meta.get("vct_values", meta.get("vct", meta.get("doctype_value")))
        values = [values] if isinstance(values, str) else values
        if isinstance(values, list) and 0 < len(values) <= MAX_CREDENTIALS:
            return frozenset(_text(value, "meta") for value in values)
    raise Malformed("a registered credential does not say of which type it is")


def _path(value: object) -> ClaimsPath:
    if isinstance(value, str):
        return (_text(value, "path"),)
    if not isinstance(value, list) or not 0 < len(value) <= 32:
        raise Malformed("a registered claim has no path")
    for part in value:
        if not (part is None or (type(part) is int and part >= 0) or (isinstance(part, str) and len(part) <= MAX_TEXT)):
            raise Malformed("a path of a registered claim holds something else than names, numbers and null")
    return tuple(value)


def _subject(claims: Mapping[str, Any]) -> tuple[str, str]:
    """Identifier and legal name: `sub` as an identifier with `sub_ln` or `name`, or as an object."""
    sub = claims.get("sub")
    if isinstance(sub, Mapping):
        return _identifier(sub.get("id")), _first_text(sub.get("legal_name", claims.get("name", "")))
    return _text(sub, "sub"), _first_text(claims.get("sub_ln", claims.get("name", "")))


def _identifier(value: object) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, Mapping):
        value = value.get("identifier")
    return _text(value, "sub")


def _intermediary(value: object) -> str:
    if not isinstance(value, Mapping):
        raise Malformed("the intermediary of the registration certificate is not an object")
    sub = value.get("sub")
    return _identifier(sub.get("id")) if isinstance(sub, Mapping) else _text(sub, "sub")


def _first_text(value: object) -> str:
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise Malformed("a name in the registration certificate is not a text")
    return value


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, list) or len(value) > _MOST_TEXTS:
        raise Malformed("`purpose` of the registration certificate is not an array")
    texts: dict[str, str] = {}
    for entry in value:
        if not isinstance(entry, Mapping):
            raise Malformed("a purpose of the registration certificate is not an object")
        said = _text(entry.get("value", entry.get("content")), "purpose")
        texts.setdefault(str(entry.get("lang", ""))[:35].split("-")[0].casefold(), said)
    return texts


def _text(value: object, member: str) -> str:
    if not isinstance(value, str) or not value or len(value) > MAX_TEXT:
        raise Malformed(f"`{member}` of the registration certificate is not a text")
    return value
