"""The token request, read: which grant it uses and what it brings (RFC 6749, section 3.2; OpenID4VCI 6.1).

Unknown parameters are ignored, `scope` among them; a parameter that we know is there once or not at all, except for
`resource`, which names this issuer each time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from proofs import strict_json
from schemas.errors import Malformed
from schemas.issuance import (
    PRE_AUTHORIZED_CODE_GRANT,
    AuthorizationDetail,
    InvalidAuthorizationDetails,
    InvalidTarget,
    UnsupportedGrantType,
)

AUTHORIZATION_CODE_GRANT = "authorization_code"
REFRESH_TOKEN_GRANT = "refresh_token"  # noqa: S105 - the name of a grant
GRANT_TYPES = (AUTHORIZATION_CODE_GRANT, PRE_AUTHORIZED_CODE_GRANT, REFRESH_TOKEN_GRANT)
AUTHORIZATION_DETAILS_TYPE = "openid_credential"
MAX_VALUE_CHARACTERS = 10_000
CLIENT_MEMBERS = ("client_id", "client_assertion", "client_assertion_type")
_MEMBERS = frozenset(
    {
        *CLIENT_MEMBERS,
        "grant_type",
        "pre-authorized_code",
        "tx_code",
        "authorization_details",
        "code",
        "code_verifier",
        "redirect_uri",
        "refresh_token",
    }
)


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """A request to redeem a pre-authorized code."""

    code: str = field(repr=False)
    tx_code: str | None = field(repr=False)
    details: tuple[AuthorizationDetail, ...] | None


@dataclass(frozen=True, slots=True)
class AuthorizationCodeRequest:
    """A request to redeem an authorization code."""

    code: str = field(repr=False)
    code_verifier: str = field(repr=False)
    redirect_uri: str
    details: tuple[AuthorizationDetail, ...] | None


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """A request for a new access token for what was collected before."""

    refresh_token: str = field(repr=False)


TokenRequested = CodeRequest | AuthorizationCodeRequest | RefreshRequest


def read_members(form: Sequence[tuple[str, str]], members: frozenset[str]) -> dict[str, str]:
    """Those members of a form that we know. Raises `Malformed` for one that is there twice, or too long."""
    values: dict[str, str] = {}
    for name, value in form:
        if name in members:
            if name in values:
                raise Malformed(f"{name} is there more than once")  # RFC 6749, section 3.2
            if len(value) > MAX_VALUE_CHARACTERS:
                raise Malformed(f"{name} is too long")
            values[name] = value
    # RFC 6749, section 3.2: parameters without a value are treated as if they were omitted.
    return {name: value for name, value in values.items() if value}


def read_token_request(form: Sequence[tuple[str, str]]) -> tuple[TokenRequested, Mapping[str, str]]:
    """Read the form of a token request: what is asked for, and the members that name the client.

    Raises `Malformed` (`invalid_request`), `UnsupportedGrantType`, `InvalidAuthorizationDetails`.
    """
    values = read_members(form, _MEMBERS)
    client = {name: values[name] for name in CLIENT_MEMBERS if name in values}
    grant_type = values.get("grant_type")
    if grant_type is None:
        raise Malformed("grant_type is missing")
    if grant_type not in GRANT_TYPES:
        raise UnsupportedGrantType("this grant type is not supported")
    if grant_type == REFRESH_TOKEN_GRANT:
        return RefreshRequest(_needed(values, "refresh_token")), client
    details = read_details(values["authorization_details"]) if "authorization_details" in values else None
    if grant_type == PRE_AUTHORIZED_CODE_GRANT:
        return CodeRequest(_needed(values, "pre-authorized_code"), values.get("tx_code"), details), client
    code, verifier, redirect_uri = (_needed(values, name) for name in ("code", "code_verifier", "redirect_uri"))
    return AuthorizationCodeRequest(code, verifier, redirect_uri, details), client


def _needed(values: Mapping[str, str], name: str) -> str:
    if name not in values:
        raise Malformed(f"{name} is missing")
    return values[name]


def read_details(text: str) -> tuple[AuthorizationDetail, ...]:
    """The authorization details of a request (OpenID4VCI 5.1.1 and 6.1.1; RFC 9396, section 5).

    Raises `InvalidAuthorizationDetails`.
    """
    try:
        value = strict_json.loads(text, max_bytes=MAX_VALUE_CHARACTERS)
    except Malformed as exc:
        raise InvalidAuthorizationDetails("authorization_details is not a JSON document") from exc
    if not isinstance(value, list) or not value:
        raise InvalidAuthorizationDetails("authorization_details is not an array with an entry")
    details = tuple(AuthorizationDetail.read(entry, error=InvalidAuthorizationDetails) for entry in value)
    for detail in details:
        if detail.type != AUTHORIZATION_DETAILS_TYPE or not detail.credential_configuration_id:
            raise InvalidAuthorizationDetails("each entry is of type openid_credential and names a configuration")
    return details


def check_resources(form: Sequence[tuple[str, str]], *, issuer: str) -> None:
    """Refuse a request for a token that works elsewhere, or elsewhere as well (RFC 8707, section 2; OpenID4VCI 5.1.2).

    Raises `InvalidTarget`.
    """
    if any(value != issuer for name, value in form if name == "resource" and value):
        raise InvalidTarget("resource does not name this issuer")


def check_locations(details: Sequence[AuthorizationDetail], *, issuer: str) -> None:
    """Refuse details that are meant for another credential issuer. Raises `InvalidAuthorizationDetails`."""
    for detail in details:
        if detail.locations is not None and issuer not in detail.locations:
            raise InvalidAuthorizationDetails("locations does not name this issuer")
