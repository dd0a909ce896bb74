"""Pushed authorization requests: what a wallet wants to fetch, before the person is asked (RFC 9126; OpenID4VCI 5.1).

A request comes by `POST /par` only: nothing of it travels through the browser but its `request_uri`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from issuer.authorization.clients import AuthMethod, ClientIdentity, ClientPolicy
from issuer.authorization.token_request import CLIENT_MEMBERS, check_locations, read_details, read_members
from proofs import pkce
from proofs.dpop import CheckedDPoP
from schemas.errors import Malformed
from schemas.issuance import (
    InvalidAuthorizationDetails,
    InvalidClient,
    InvalidDPoPProof,
    InvalidScope,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from schemas.types import CREDENTIAL_TYPES
from service.i18n import language_of_locales

REQUEST_URI_PREFIX = "urn:ietf:params:oauth:request_uri:"
OPENING_SECONDS = 590
"""How long a pushed request can be opened in a browser, and the person then has to sign in and to decide: less than 600
(FAPI 2.0 Security Profile, 5.3.2.2, 12, which HAIP makes a part of itself)."""
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_APP_SCHEME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
"""A scheme that an app on the device answers to: a domain name turned round, so it has a dot (RFC 8252, 7.1)."""
_AUTHORITY = re.compile(r"([A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?")
"""A host and a port as every browser reads them: what the person is shown is where they are led."""
_MEMBERS = frozenset(
    {
        *CLIENT_MEMBERS,
        "response_type",
        "response_mode",
        "redirect_uri",
        "state",
        "scope",
        "authorization_details",
        "code_challenge",
        "code_challenge_method",
        "issuer_state",
        "dpop_jkt",
        "request",
        "request_uri",
        "ui_locales",
    }
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A credential type that is asked for; `by_identifier`: by authorization details, so identifiers are answered."""

    type_name: str
    by_identifier: bool


@dataclass(frozen=True, slots=True)
class PushedRequest:
    """A request that holds: who asks for what, and where the person goes back to."""

    client_id: str
    attested_key: str | None
    redirect_uri: str
    state: str | None
    code_challenge: str
    wanted: tuple[Wanted, ...]
    dpop_key: str | None
    issuer_state: str | None
    language: str | None


def read_pushed_members(form: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The members of a pushed request that we know. Raises `Malformed`."""
    return read_members(form, _MEMBERS)


def check_pushed_request(
    members: Mapping[str, str],
    client: ClientIdentity,
    *,
    dpop: CheckedDPoP | None,
    policy: ClientPolicy,
    issuer: str,
    allow_loopback: bool,
) -> PushedRequest:
    """Check what an authenticated client wants.

    Raises `Malformed`, `UnsupportedResponseType`, `InvalidScope`, `InvalidAuthorizationDetails`, `InvalidClient`,
    `UnauthorizedClient`, `InvalidDPoPProof`.
    """
    if "request_uri" in members or "request" in members:
        raise Malformed("a pushed request cannot refer to another request")  # RFC 9126, section 2.1
    if members.get("response_type") != "code":
        if "response_type" not in members:
            raise Malformed("response_type is missing")
        raise UnsupportedResponseType
    if members.get("response_mode", "query") != "query":
        raise Malformed("the only response mode is query")
    if client.client_id is None:
        raise InvalidClient("client_id is missing")
    redirect_uri = _redirect_uri(members, client, policy, allow_loopback=allow_loopback)
    if members.get("code_challenge_method") != pkce.METHOD or not pkce.is_challenge(members.get("code_challenge", "")):
        raise Malformed("a code_challenge with the method S256 is needed")  # HAIP 4; RFC 9700, 2.1.1
    dpop_key = members.get("dpop_jkt")
    if dpop is not None:
        if dpop_key is not None and dpop_key != dpop.thumbprint:
            raise InvalidDPoPProof("dpop_jkt is not the key of the DPoP proof")
        dpop_key = dpop.thumbprint
    return PushedRequest(
        client_id=client.client_id,
        attested_key=client.attested_key,
        redirect_uri=redirect_uri,
        state=members.get("state"),
        code_challenge=members["code_challenge"],
        wanted=_wanted(members, issuer=issuer),
        dpop_key=dpop_key,
        issuer_state=members.get("issuer_state"),
        language=language_of_locales(members.get("ui_locales", "")),
    )


def _redirect_uri(
    members: Mapping[str, str], client: ClientIdentity, policy: ClientPolicy, *, allow_loopback: bool
) -> str:
    uri = members.get("redirect_uri")
    if uri is None:
        raise Malformed("redirect_uri is missing")
    registered = policy.clients.get(client.client_id or "")
    if registered is not None:
        if uri not in registered.redirect_uris:  # Simple string comparison (RFC 9700, section 2.1).
            raise Malformed("redirect_uri is not registered for this client")
        return uri
    if client.method is not AuthMethod.ATTESTATION:
        raise UnauthorizedClient("this client is neither registered nor attested")
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError as exc:
        raise Malformed("redirect_uri is not an address") from exc
    is_loopback = allow_loopback and parts.scheme == "http" and parts.netloc.rpartition(":")[0] in _LOOPBACK
    is_web = bool(host) and (parts.scheme == "https" or is_loopback)
    # PKCE and the sender-constrained token keep another app that took the same scheme from using the code.
    if "#" in uri or not _AUTHORITY.fullmatch(parts.netloc) or not (is_web or _APP_SCHEME.fullmatch(parts.scheme)):
        raise Malformed("redirect_uri is neither an https address nor one of an app, without fragment")
    if any(character.isspace() or ord(character) < 0x21 or ord(character) > 0x7E for character in uri):
        raise Malformed("redirect_uri holds characters that an address cannot have")
    return uri


def _wanted(members: Mapping[str, str], *, issuer: str) -> tuple[Wanted, ...]:
    """What is asked for, each type once; details win over a scope of the same type (5.1.2)."""
    found: dict[str, Wanted] = {}
    if "authorization_details" in members:
        details = read_details(members["authorization_details"])
        check_locations(details, issuer=issuer)
        for detail in details:
            name = detail.credential_configuration_id or ""
            if name not in CREDENTIAL_TYPES:
                raise InvalidAuthorizationDetails("there is no such credential configuration")
            found[name] = Wanted(name, by_identifier=True)
    # The scope of a type is its name. Others are ignored (5.1.2), unless nothing else is asked for.
    for scope in members.get("scope", "").split():
        if scope in CREDENTIAL_TYPES:
            found.setdefault(scope, Wanted(scope, by_identifier=False))
    if not found:
        raise InvalidScope("neither scope nor authorization_details names a credential that is issued here")
    return tuple(found.values())
