"""Registration certificates of recipients, checked: a registrar's word on who may ask for what.

    checked = check_registration_certificate(token, trust=trust, now=now)
    checked.certificate.identifier, checked.chain

A registrar is an entry of the trust list in the role `registrar`. Whose word it is that a party may ask for something
is another question than who that party is: an anchor for verifiers never makes a registrar, and `any` does not either.

Source: ETSI TS 119 475, clause 5.2 (JWT form). Its header may hold `iat` (JAdES); `b64` is refused, even when true.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from proofs import base64url, jose, status_list
from proofs.certificates import Leaf, NoAnchor, unverified_leaf, verify_chain
from proofs.dates import read_date, read_optional_date
from proofs.keys import DEFAULT_ALGORITHMS
from proofs.leaf import certificate_digests
from proofs.resolve import Resolver
from proofs.trust import TrustList
from schemas.errors import CouldNotCheck, Malformed, ProtocolError, Refused
from schemas.registration import TYP, RegistrationCertificate

MAX_BYTES: Final = 100_000
_ALGORITHMS_OF_OTHERS: Final = frozenset(
    {"ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512", "EdDSA", "Ed25519", "Ed448"}
) - frozenset(DEFAULT_ALGORITHMS)


class UnsupportedAlgorithm(CouldNotCheck):
    """The registration certificate is signed with an algorithm that is not used here; it may well hold."""


class UnknownRegistrar(CouldNotCheck):
    """The registration certificate is signed by somebody whom the trust list does not name as a registrar."""


class RegistrationExpired(Refused):
    """The registration certificate is not valid now."""


class NotOurs(Refused):
    """The registration certificate is about somebody else than the party that is to send it."""


@dataclass(frozen=True, slots=True)
class RegistrationStatus:
    """Where the registrar keeps the status of a registration certificate, and by whom the list must be signed."""

    uri: str
    index: int
    anchors: tuple[bytes, ...]
    registrar_jwk: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CheckedRegistration:
    """A registration certificate whose signature, registrar and dates were checked; not whose it is.

    `chain` holds the base64url SHA-256 of every certificate that vouches for it, its anchors included. `status` is
    where to ask whether it was revoked, None when it cannot be; that has not been asked. `trust_entry_id` is that of
    the registrar's entry.
    """

    certificate: RegistrationCertificate
    chain: tuple[str, ...]
    registrar: str
    trust_entry_id: str
    status: RegistrationStatus | None


def check_registration_certificate(
    token: str, *, trust: TrustList, now: datetime, skew_seconds: int = 60
) -> CheckedRegistration:
    """Check the signature, the registrar and the dates of a registration certificate.

    Does not check that it belongs to the party that asks, nor its status: see `ask_registration_status`.

    Raises `Malformed` for another form, `Refused` (of it `RegistrationExpired`) for one that does not hold, and
    `CouldNotCheck`: `UnsupportedAlgorithm`, or `UnknownRegistrar` when its chain leads to no registrar of the trust
    list. Whether the signature holds is found out first: a forgery is refused, whoever it claims to be from.
    """
    claims, certificate, x5c = _signed(token, now=now, skew_seconds=skew_seconds)
    try:
        verified: Leaf = verify_chain(x5c, anchors=trust.anchors("registrar"), now=now)
    except NoAnchor as exc:
        raise UnknownRegistrar("the registrar of the registration certificate is not known here") from exc
    entries = trust.under_anchors("registrar", verified.anchors, verified.uris)
    entry = next((one for one in entries if one.is_in_force(at=now)), None)
    if entry is None:
        raise UnknownRegistrar("the registrar of the registration certificate is not known here any more")
    anchors = tuple(base64url.encode(hashlib.sha256(anchor).digest()) for anchor in verified.anchors)
    return CheckedRegistration(
        certificate,
        chain=(*certificate_digests(x5c), *anchors),
        registrar=entry.name,
        trust_entry_id=entry.id,
        status=_status(claims, verified),
    )


def read_own_registration(
    token: str, *, identifiers: Collection[str], now: datetime, skew_seconds: int = 60
) -> RegistrationCertificate:
    """The registration certificate of whoever is about to send it, who is known by these identifiers.

    Checks its form, its signature, its dates, and whose it is. Does not check who the registrar is: that is the
    wallets' to judge.

    Raises as `check_registration_certificate` does, but for `UnknownRegistrar`; and `NotOurs`.
    """
    _, certificate, _ = _signed(token, now=now, skew_seconds=skew_seconds)
    if not {certificate.identifier, certificate.intermediary} & (set(identifiers) - {""}):
        raise NotOurs("the registration certificate is about somebody else")
    return certificate


async def ask_registration_status(
    status: RegistrationStatus, *, resolver: Resolver, now: datetime
) -> Literal["valid", "revoked", "unknown"]:
    """Ask the registrar's list whether a registration certificate still holds. Raises nothing.

    Only for one whose registrar is known: a stranger must not choose what a wallet fetches.
    """
    try:
        token = await resolver.status_list(status.uri, fresh_at=now)
        listed = status_list.check_status_list_token(
            token, expected_uri=status.uri, anchors=status.anchors, issuer_keys=(status.registrar_jwk,), now=now
        )
        return "valid" if listed.status(status.index) == status_list.VALID else "revoked"
    except ProtocolError:
        return "unknown"


def _signed(
    token: str, *, now: datetime, skew_seconds: int
) -> tuple[Mapping[str, Any], RegistrationCertificate, tuple[str, ...]]:
    """What a registration certificate holds whose signature and dates are in order, and the chain beside it."""
    jws = jose.parse_jws(token, max_bytes=MAX_BYTES)
    if jws.header["alg"] in _ALGORITHMS_OF_OTHERS:
        raise UnsupportedAlgorithm("the registration certificate is signed with an algorithm that is not used here")
    x5c = jws.header.get("x5c")
    if not isinstance(x5c, list):
        raise Malformed("the registration certificate carries no certificate of its registrar")
    leaf = unverified_leaf(x5c)
    checked = jose.check_jws(jws, key=leaf.public_jwk, typ=TYP, algorithms=DEFAULT_ALGORITHMS)
    certificate = RegistrationCertificate.from_claims(checked.claims)
    _check_dates(checked.claims, now=now, skew=timedelta(seconds=skew_seconds))
    return checked.claims, certificate, tuple(x5c)


def _status(claims: Mapping[str, Any], registrar: Leaf) -> RegistrationStatus | None:
    """The reference to the status list. Raises `Malformed` for another mechanism, which could not be asked."""
    if "status" not in claims:
        return None
    reference = claims["status"].get("status_list") if isinstance(claims["status"], dict) else None
    uri = reference.get("uri") if isinstance(reference, dict) else None
    index = reference.get("idx") if isinstance(reference, dict) else None
    if not isinstance(uri, str) or len(uri) > 2_000 or type(index) is not int or index < 0:
        raise Malformed("the status of the registration certificate does not name a list and an index in it")
    return RegistrationStatus(uri, index, registrar.anchors, registrar.public_jwk)


def _check_dates(claims: dict[str, object], *, now: datetime, skew: timedelta) -> None:
    """`iat` is mandatory; `exp` is not (clause 5.2.4), and then the status list or the registrar ends it."""
    issued, ends = read_date(claims.get("iat"), name="iat"), read_optional_date(claims, "exp")
    if issued > now + skew:
        raise RegistrationExpired("the registration certificate is from the future")
    if ends is not None and ends <= now - skew:
        raise RegistrationExpired("the registration certificate has expired")
