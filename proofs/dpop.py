"""Proof of possession at the application level (DPoP, RFC 9449): made by the wallet, checked by the issuer.

A proof says: whoever sends this request holds this key, now, for this method and address. It carries its own key; an
access token that is bound to the key's thumbprint (`dpop_jkt`) is worthless without it.

    token = make_dpop_proof(signer=key, method="POST", url="https://issuer.example/token", nonce=None,
                            access_token=None, now=now)
    proof = check_dpop_proof(token, expected_method="POST", expected_url="https://issuer.example/token",
                             expected_access_token=None, nonces=is_fresh, demand_nonce=True,
                             algorithms={"ES256"}, now=now)

Whether `jti` was seen before is the issuer's to judge, in the transaction that keeps it (`CheckedDPoP.replay_value`).
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from proofs import base64url, jose
from proofs.dates import is_number, numeric_date, read_optional_seconds
from proofs.keys import Signer, check_public_jwk, thumbprint
from schemas.errors import ProtocolError
from schemas.issuance.errors import InvalidDPoPProof, UseDPoPNonce

DPOP_TYP = "dpop+jwt"
WINDOW_SECONDS = 300
"""How old a proof without our nonce may be, and how long its `jti` is remembered."""
_SKEW_SECONDS = 60
_MAX_TEXT = 500
_DEFAULT_PORTS = {"https": 443, "http": 80}
_UNRESERVED = "-._~"


@dataclass(frozen=True, slots=True)
class CheckedDPoP:
    """A proof that holds: the key, its RFC 7638 thumbprint (`jkt`), and what makes it recognisable when it comes again.

    `nonce` is the server's nonce that it carries, if any.
    """

    jwk: dict[str, str]
    thumbprint: str
    nonce: str | None
    jti: str = field(repr=False)

    @property
    def replay_value(self) -> str:
        """What is spent so that this proof works once: key and `jti` together (RFC 9449, section 11.1)."""
        return f"{self.thumbprint} {self.jti}"


def make_dpop_proof(
    *, signer: Signer, method: str, url: str, nonce: str | None, access_token: str | None, now: datetime
) -> str:
    """A proof for one request. `nonce` is the server's latest, `access_token` the one sent along (then `ath` binds it).

    Source: RFC 9449, section 4.2.
    """
    claims: dict[str, Any] = {
        "jti": secrets.token_urlsafe(16),
        "htm": method,
        "htu": url.partition("#")[0].partition("?")[0],
        "iat": numeric_date(now),
    }
    if access_token is not None:
        claims["ath"] = access_token_hash(access_token)
    if nonce is not None:
        claims["nonce"] = nonce
    return jose.sign_jws(claims, signer=signer, typ=DPOP_TYP, header={"jwk": signer.public_jwk})


def check_dpop_proof(
    token: str,
    *,
    expected_method: str,
    expected_url: str,
    expected_access_token: str | None,
    nonces: Callable[[str], bool],
    demand_nonce: bool,
    algorithms: Collection[str],
    now: datetime,
) -> CheckedDPoP:
    """Check one DPoP proof (RFC 9449, section 4.3).

    `expected_url` is the address under the public URL, never what the Host header says; query and fragment are ignored
    and both sides are normalised. `expected_access_token` is the token that came along, None where none is used.
    `nonces` tells whether a nonce is ours and fresh; a proof that carries one is as old as the nonce, however old its
    `iat` is. Without one, `iat` counts, unless `demand_nonce`. It is never more than a minute ahead (FAPI 2.0 Security
    Profile, 5.3.2.1, 13).

    Does not check replay: spend `replay_value`.

    Raises `UseDPoPNonce` when a nonce is missing or not fresh, `InvalidDPoPProof` otherwise.
    """
    try:
        jws = jose.parse_jws(token, max_bytes=20_000)
        jwk = check_public_jwk(jws.header.get("jwk"))
        claims = jose.check_jws(jws, key=jwk, typ=DPOP_TYP, algorithms=algorithms).claims
    except ProtocolError as exc:
        raise InvalidDPoPProof(f"the DPoP proof does not hold: {exc}") from exc
    jti, method, url = (_text(claims, name) for name in ("jti", "htm", "htu"))
    if method != expected_method:
        raise InvalidDPoPProof("the DPoP proof is made for another method")
    if normalised_url(url) != normalised_url(expected_url):
        raise InvalidDPoPProof("the DPoP proof is made for another address")
    if expected_access_token is not None and not hmac.compare_digest(
        str(claims.get("ath")).encode("utf-8", "replace"), access_token_hash(expected_access_token).encode()
    ):
        raise InvalidDPoPProof("the DPoP proof does not name the access token that came with it")
    issued_at = _check_times(claims, now=now)
    nonce = claims.get("nonce")
    if nonce is not None:
        if not isinstance(nonce, str) or not nonces(nonce):
            raise UseDPoPNonce("the nonce of the DPoP proof is not from here, or has expired")
    elif demand_nonce:
        raise UseDPoPNonce("the DPoP proof needs a nonce of this server")
    elif now.timestamp() - issued_at > WINDOW_SECONDS - _SKEW_SECONDS:
        raise InvalidDPoPProof("the DPoP proof is too old")
    return CheckedDPoP(jwk=jwk, thumbprint=thumbprint(jwk), nonce=nonce, jti=jti)


def _check_times(claims: dict[str, Any], *, now: datetime) -> float:
    """When the proof was issued: not in the future, nor before or after what it says of itself (RFC 7519, 4.1)."""
    issued_at = claims.get("iat")
    if not is_number(issued_at):
        raise InvalidDPoPProof("the DPoP proof has no time of issue")
    try:
        starts, ends = (read_optional_seconds(claims, name) for name in ("nbf", "exp"))
    except ProtocolError as exc:
        raise InvalidDPoPProof(f"the DPoP proof does not hold: {exc}") from exc
    if max(issued_at, starts or 0) > now.timestamp() + _SKEW_SECONDS:
        raise InvalidDPoPProof("the DPoP proof is from the future")
    if ends is not None and ends <= now.timestamp() - _SKEW_SECONDS:
        raise InvalidDPoPProof("the DPoP proof has expired")
    return issued_at


def access_token_hash(access_token: str) -> str:
    """The `ath` of an access token (RFC 9449, section 4.2)."""
    return base64url.encode(hashlib.sha256(access_token.encode("ascii", "replace")).digest())


def normalised_url(url: str) -> tuple[str, str, int | None, str]:
    """Scheme, host, port and path in the form in which two addresses are compared (RFC 3986, section 6.2).

    Raises `InvalidDPoPProof` for what is no address.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise InvalidDPoPProof("the address in the DPoP proof is malformed") from exc
    scheme = parts.scheme.lower()
    if not parts.hostname or scheme not in _DEFAULT_PORTS or "@" in parts.netloc:
        raise InvalidDPoPProof("the address in the DPoP proof is malformed")
    # Only what means the same anyway is made the same: an encoded slash stays one.
    segments = [quote(unquote(part), safe=_UNRESERVED + "!$&'()*+,;=:@") for part in parts.path.split("/")]
    path = "/".join(_without_dots(segments))
    return scheme, parts.hostname.lower(), port or _DEFAULT_PORTS[scheme], path or "/"


def _without_dots(segments: Sequence[str]) -> list[str]:
    """The segments of a path without `.` and `..` (RFC 3986, section 5.2.4); nothing leads above the root."""
    kept: list[str] = []
    for segment in segments:
        if segment == ".." and len(kept) > 1:
            kept.pop()
        elif segment not in (".", ".."):
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return kept


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value or len(value) > _MAX_TEXT:
        raise InvalidDPoPProof(f"`{name}` of the DPoP proof is missing, too long or not a string")
    return value
