"""THE procedure by which credentials and presentations are verified, the same in wallet and verifier.

Each step is one named check that passes, fails, or could not be made. The numbers return at the blocks of `_verify`.

 1. form            The token is an SD-JWT (with key binding for a presentation) and an SD-JWT VC: parts, strict JSON,
                    `typ`, `vct`, form of `cnf`.  [RFC 9901, 7.1 step 1; SD-JWT VC, 2.2]
 2. signature       The issuer-signed JWT is signed, with an accepted algorithm, by the key found in `x5c`, in the
                    trust list, or in JWT VC issuer metadata.  [RFC 9901, 7.1 steps 2.1 and 2.2]
 3. issuer_trusted  That key speaks for `iss`, and the issuer is trusted for this type at this time.  [step 2.3]
 4. type            The credential is of an expected type.
 5. holder_binding  Presentation: a key-binding JWT by the key in `cnf` over exactly this SD-JWT.  [7.3]
                    Credential: no key binding yet, and `cnf` is the expected key.  [7.2]
 6. audience        Presentation only: made for this verifier.
 7. nonce           Presentation only: made for this transaction.
 8. freshness       Presentation only: made within the accepted window.
 9. disclosures     Every disclosure is well formed and referenced once; nothing is disclosed that must always be
                    visible.  [7.1 steps 2.5 and 3 to 5; SD-JWT VC, 2.2.2.3]
10. dates           `exp`, `nbf` and `iat` of the processed claims allow its use now.  [step 6]
11. status          The status list says valid. Asked last, and never for a token that failed before.
                    [Token Status List, 8.3]

After a failed check every later one reads `could_not_check`, reason `earlier_check_failed`. An unknown issuer is
`could_not_check`, and the procedure goes on with the key from the token, so that a wallet can keep such a
credential with a warning. Only a report in which every check passed makes a `Verified...`; everything else raises
`VerificationFailed` with the report, and with what was read, which stays typed as unverified.

Reasons: malformed, weak_algorithm, bad_signature, no_issuer_key, issuer_key_unreachable, issuer_unknown,
issuer_mismatch, chain_refused, type_not_trusted, outside_period, unexpected_type, missing_key_binding,
unexpected_key_binding, not_bound, other_holder, bad_key_binding, other_token, other_audience, other_nonce, too_old,
from_the_future, bad_disclosures, expired, not_yet_valid, issued_in_future, missing_expiry, missing_status,
unsupported_status, list_unreachable, list_invalid, list_stale, out_of_range, revoked, suspended, not_valid,
earlier_check_failed.
"""

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NoReturn

from proofs import jose, status_list
from proofs.certificates import Leaf, NoAnchor, UntrustedChain, unverified_leaf, verify_chain
from proofs.dates import read_date, read_optional_date
from proofs.formats.sd_jwt import SplitSDJWT, UnverifiedSDJWT, digest_of, process_disclosures, split_sd_jwt
from proofs.formats.sd_jwt_vc import (
    KEY_BINDING_TYP,
    TYP,
    check_disclosure_rules,
    check_visible_rules,
    holder_jwk,
    types_of,
)
from proofs.keys import DEFAULT_ALGORITHMS, check_public_jwk, thumbprint
from proofs.resolve import Resolver, Unresolvable, published_issuer_keys
from proofs.trust import TrustEntry, TrustList
from schemas.errors import CouldNotCheck, Malformed, ProtocolError, Refused
from schemas.verification import Check, Outcome, VerificationResult

StatusPolicy = Literal["required", "if_present"]
"""`required`: a credential without status is refused. `if_present`: it is accepted as one that cannot be revoked."""

StatusSigners = Literal["same_anchor", "any_trusted"]
"""Who may sign a status list: whoever is certified under the anchor of the credential's issuer, or under the anchor
of any trusted issuer. The key that signed the credential always may (Token Status List, section 11.3)."""

CHECKS: Final = (
    "form",
    "signature",
    "issuer_trusted",
    "type",
    "holder_binding",
    "audience",
    "nonce",
    "freshness",
    "disclosures",
    "dates",
    "status",
)
"""The checks of a presentation, in order."""

CREDENTIAL_CHECKS: Final = tuple(name for name in CHECKS if name not in ("audience", "nonce", "freshness"))
"""The checks of a credential that its holder receives."""

EARLIER: Final = "earlier_check_failed"


class VerificationFailed(ProtocolError):
    """A check failed, or could not be made; `report` tells which.

    `unverified` is what could be read of the token, `leaf` what its certificate says; neither is verified.
    """

    error = "invalid_credential"

    def __init__(
        self, report: VerificationResult, *, unverified: UnverifiedSDJWT | None = None, leaf: Leaf | None = None
    ) -> None:
        names = ", ".join(
            f"{check.name}: {check.reason}" for check in report.checks if check.reason not in ("", EARLIER)
        )
        super().__init__(f"not verified ({names})")
        self.report = report
        self.unverified = unverified
        self.leaf = leaf

    @property
    def only_issuer_unknown(self) -> bool:
        """Whether everything was checked and passed, but that the issuer is nobody in the trust list."""
        return self.report.unknown == ["issuer_trusted"] and not self.report.failed


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """The issuer of a verified credential: its name as people know it, its identifier, and who vouches for it."""

    name: str
    identifier: str
    trust_entry_id: str = ""


@dataclass(frozen=True, slots=True)
class VerifiedCredential:
    """A credential of which every check passed. Made by this module only.

    `token` is as received, `claims` the processed payload. `holder_thumbprint` is None for a credential bound to no
    key, `status` None for one without status.
    """

    token: str = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)
    vct: str
    issuer: TrustedIssuer
    holder_thumbprint: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    status: int | None
    report: VerificationResult
    sd_jwt: UnverifiedSDJWT = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerifiedPresentation(VerifiedCredential):
    """A presentation of which every check passed: to this verifier, in this transaction. Made by this module only."""

    presented_at: datetime


@dataclass(frozen=True, slots=True)
class _Expected:
    """What a caller demands of a token. `audience` and `nonce` are None for a credential."""

    checks: tuple[str, ...]
    types: Collection[str] | None
    trust: TrustList
    resolver: Resolver
    now: datetime
    skew: timedelta
    status: StatusPolicy
    status_signers: StatusSigners
    require_expiry: bool
    algorithms: Collection[str]
    holder_thumbprint: str | None = None
    audience: str | None = None
    nonce: str | None = None
    max_age: timedelta = timedelta()


async def verify_credential(
    token: str,
    *,
    expected_type: str | None,
    expected_holder_thumbprint: str | None,
    trust: TrustList,
    resolver: Resolver,
    now: datetime,
    status: StatusPolicy,
    skew_seconds: int = 60,
    status_signers: StatusSigners = "same_anchor",
    require_expiry: bool = False,
    algorithms: Collection[str] = DEFAULT_ALGORITHMS,
) -> VerifiedCredential:
    """Verify a credential on arrival at its holder (RFC 9901, section 7.2).

    `expected_type` is the `vct` that was offered, None to accept any; `expected_holder_thumbprint` the thumbprint of
    the key that was proven, None when the credential need not be bound to one of ours. `require_expiry` refuses a
    credential without `exp`.

    Raises `VerificationFailed`. A credential of an unknown issuer raises as well: see `only_issuer_unknown`.
    """
    expected = _Expected(
        checks=CREDENTIAL_CHECKS,
        types=None if expected_type is None else (expected_type,),
        trust=trust,
        resolver=resolver,
        now=now,
        skew=timedelta(seconds=skew_seconds),
        status=status,
        status_signers=status_signers,
        require_expiry=require_expiry,
        algorithms=algorithms,
        holder_thumbprint=expected_holder_thumbprint,
    )
    found = await _verify(token, expected)
    return VerifiedCredential(**found.facts(token))


async def verify_presentation(
    token: str,
    *,
    expected_audience: str,
    expected_nonce: str,
    expected_types: Collection[str] | None,
    trust: TrustList,
    resolver: Resolver,
    now: datetime,
    status: StatusPolicy,
    max_age_seconds: int = 300,
    skew_seconds: int = 60,
    status_signers: StatusSigners = "same_anchor",
    require_expiry: bool = False,
    algorithms: Collection[str] = DEFAULT_ALGORITHMS,
) -> VerifiedPresentation:
    """Verify a presentation at the verifier (RFC 9901, section 7.3). Key binding is always demanded.

    `expected_audience` is our full client identifier, `expected_nonce` the one of this transaction;
    `expected_types` are acceptable `vct` values, None to accept any. `max_age_seconds` bounds the age of the key
    binding, `skew_seconds` the difference of clocks.

    Does not compare with the query that was asked: that is the verifier's next step.

    Raises `VerificationFailed`.
    """
    expected = _Expected(
        checks=CHECKS,
        types=expected_types,
        trust=trust,
        resolver=resolver,
        now=now,
        skew=timedelta(seconds=skew_seconds),
        status=status,
        status_signers=status_signers,
        require_expiry=require_expiry,
        algorithms=algorithms,
        audience=expected_audience,
        nonce=expected_nonce,
        max_age=timedelta(seconds=max_age_seconds),
    )
    found = await _verify(token, expected)
    return VerifiedPresentation(**found.facts(token), presented_at=found.presented_at)


async def _verify(token: str, expected: _Expected) -> "_Findings":
    """The procedure; its steps are numbered as in the docstring of this module."""
    found = _Findings(expected)

    # 1. form
    with_binding = expected.audience is not None
    try:
        parts = found.parts = split_sd_jwt(token)
        check_visible_rules(parts.jws.header, parts.payload)
        binding = jose.parse_jws(parts.key_binding) if with_binding and parts.key_binding else None
        key_binding_claims = jose.read_claims(binding) if binding else {}
        found.holder_key = holder_jwk(parts.payload)
    except ProtocolError as exc:
        found.fail("form", "malformed", exc)
    found.passed("form")
    claims = parts.payload  # The claims read before step 9 must always be visible, so that the payload has them.

    # 2. signature
    if parts.jws.header["alg"] not in expected.algorithms:
        found.fail("signature", "weak_algorithm", "the credential is signed with an algorithm that is not accepted")
    try:
        keys = await _issuer_keys(found)
    except CouldNotCheck as exc:
        found.stop("signature", "issuer_key_unreachable", exc)
    except ProtocolError as exc:
        found.fail("signature", "no_issuer_key", exc)
    found.signing_key = _key_that_signed(parts.jws, keys, expected.algorithms)
    if found.signing_key is None:
        found.fail("signature", "bad_signature", "the credential was altered, or is not signed by its issuer")
    found.passed("signature")

    # 3. issuer_trusted
    _check_issuer(found)

    # 4. type
    if expected.types is not None and not set(types_of(claims)) & set(expected.types):
        found.fail("type", "unexpected_type", "the credential is of another type than expected")
    found.passed("type")

    if expected.audience is None:
        # 5. holder_binding, at the holder
        if parts.key_binding is not None:
            found.fail("holder_binding", "unexpected_key_binding", "an issuer does not send a key binding")
        if expected.holder_thumbprint is not None:
            _check_holder(found, expected.holder_thumbprint)
        found.passed("holder_binding")
    else:
        # 5. holder_binding, at the verifier: its policy decides, not what was sent (RFC 9901, section 7.3, step 1)
        if binding is None:
            found.fail("holder_binding", "missing_key_binding", "the presentation carries no key binding")
        _check_key_binding(found, binding, key_binding_claims)
        found.passed("holder_binding")

        # 6. audience
        if key_binding_claims.get("aud") != expected.audience:
            found.fail("audience", "other_audience", "the presentation was made for another verifier")
        found.passed("audience")

        # 7. nonce
        nonce = key_binding_claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), str(expected.nonce).encode()):
            found.fail("nonce", "other_nonce", "the presentation was made for another transaction")
        found.passed("nonce")

        # 8. freshness
        _check_freshness(found, key_binding_claims)

    # 9. disclosures
    try:
        sd_jwt = found.sd_jwt = process_disclosures(parts)
        check_disclosure_rules(sd_jwt)
    except ProtocolError as exc:
        found.fail("disclosures", "bad_disclosures", exc)
    found.passed("disclosures")

    # 10. dates
    _check_dates(found, sd_jwt.claims)

    # 11. status
    await _check_status(found, sd_jwt.claims)

    if not found.report.accepted:
        raise VerificationFailed(found.report, unverified=sd_jwt, leaf=found.leaf)
    return found


class _Findings:
    """What one run has found out so far, and the report that grows with it."""

    parts: SplitSDJWT
    issuer: TrustedIssuer
    presented_at: datetime

    def __init__(self, expected: _Expected) -> None:
        self.expected = expected
        self.checks: list[Check] = []
        self.leaf: Leaf | None = None
        self.signing_key: dict[str, str] | None = None
        self.holder_key: dict[str, str] | None = None
        self.trusted_by: TrustEntry | None = None
        self.sd_jwt: UnverifiedSDJWT | None = None
        self.valid_from: datetime | None = None
        self.valid_until: datetime | None = None
        self.status: int | None = None

    @property
    def report(self) -> VerificationResult:
        return VerificationResult(tuple(self.checks))

    def passed(self, name: str) -> None:
        self.checks.append(Check(name, Outcome.PASSED))

    def unknown(self, name: str, reason: str, detail: object) -> None:
        """Note a check that could not be made, and go on."""
        self.checks.append(Check(name, Outcome.COULD_NOT_CHECK, reason, str(detail)))

    def fail(self, name: str, reason: str, detail: object) -> NoReturn:
        """End the run with a failed check."""
        self.checks.append(Check(name, Outcome.FAILED, reason, str(detail)))
        self._end()

    def stop(self, name: str, reason: str, detail: object) -> NoReturn:
        """End the run with a check that could not be made and without which the others mean nothing."""
        self.unknown(name, reason, detail)
        self._end()

    def _end(self) -> NoReturn:
        for later in self.expected.checks[len(self.checks) :]:
            self.unknown(later, EARLIER, "an earlier check failed")
        raise VerificationFailed(self.report, unverified=self._readable(), leaf=self.leaf)

    def _readable(self) -> UnverifiedSDJWT | None:
        if self.sd_jwt is None and hasattr(self, "parts"):
            try:
                self.sd_jwt = process_disclosures(self.parts)
            except ProtocolError:
                return None
        return self.sd_jwt

    def facts(self, token: str) -> dict[str, Any]:
        """The members of a `VerifiedCredential`."""
        assert self.sd_jwt is not None  # Set in step 9, which passed.
        return {
            "token": token,
            "claims": self.sd_jwt.claims,
            "vct": self.sd_jwt.claims["vct"],
            "issuer": self.issuer,
            "holder_thumbprint": thumbprint(self.holder_key) if self.holder_key else None,
            "valid_from": self.valid_from,
            "valid_until": self.valid_until,
            "status": self.status,
            "report": self.report,
            "sd_jwt": self.sd_jwt,
        }


async def _issuer_keys(found: _Findings) -> Sequence[Mapping[str, str]]:
    """Step 2: the keys that may have signed, by a mechanism that the trust list allows for this issuer.

    Raises `Refused` when there is none, `Unresolvable` when it could not be fetched.
    """
    header, iss = found.parts.jws.header, found.parts.payload.get("iss")
    known = found.expected.trust.naming("issuer", iss) if iss is not None else ()
    if "x5c" in header and (not known or any(entry.mechanism == "x5c" for entry in known)):
        # Only from the protected header; `jku`, `x5u` and `jwk` are never followed.
        if not isinstance(header["x5c"], list):
            raise Malformed("x5c is not an array")
        found.leaf = unverified_leaf(header["x5c"])
        return (found.leaf.public_jwk,)
    if iss is None:
        raise Refused("the credential names neither an issuer nor a certificate")
    listed = [key for entry in known for key in entry.jwks]
    if listed:
        return listed
    if not iss.startswith(("https://", "http://")):
        raise Unresolvable("keys of this kind of issuer identifier cannot be looked up")
    published = await published_issuer_keys(iss, resolver=found.expected.resolver)
    named = [key for key in published if key.get("kid") == header.get("kid")]
    return named or published


def _key_that_signed(
    jws: jose.UnverifiedJWS, keys: Sequence[Mapping[str, str]], algorithms: Collection[str]
) -> dict[str, str] | None:
    for key in keys:
        try:
            jose.check_signature(jws, key=key, typ=TYP, algorithms=algorithms)
        except ProtocolError:
            continue
        return {name: key[name] for name in ("kty", "crv", "x", "y")}
    return None


def _check_issuer(found: _Findings) -> None:
    """Step 3: the signing key speaks for the issuer, and the issuer is trusted for this type now."""
    expected, leaf, iss = found.expected, found.leaf, found.parts.payload.get("iss")
    vct = found.parts.payload["vct"]
    anchor: bytes | None = None
    if leaf is not None:
        if iss is not None and not leaf.names(iss):
            found.fail("issuer_trusted", "issuer_mismatch", "the certificate does not name the issuer")
        anchor = _anchor_of(found, leaf)
    identifier = iss or (leaf.uris[0] if leaf is not None and leaf.uris else leaf.subject if leaf is not None else "")
    entries = _entries_for(found, anchor, identifier)
    if not entries and expected.trust.naming("issuer", identifier):
        # Somebody else claims to be an issuer we know.
        found.fail("issuer_trusted", "issuer_mismatch", "the key is not the one known for this issuer")
    if not entries:
        found.unknown("issuer_trusted", "issuer_unknown", "nobody in the trust list vouches for this issuer")
        return
    in_force = [entry for entry in entries if entry.is_in_force(at=expected.now)]
    if not in_force:
        found.fail("issuer_trusted", "outside_period", "the issuer is not trusted at this time")
    for_type = [entry for entry in in_force if entry.is_for_type(vct)]
    if not for_type:
        found.fail("issuer_trusted", "type_not_trusted", "the issuer is not trusted for this type")
    entry = found.trusted_by = for_type[0]
    name = entry.name if entry.identifier or leaf is None else leaf.legal_name or entry.name
    found.issuer = TrustedIssuer(name=name, identifier=identifier, trust_entry_id=entry.id)
    found.passed("issuer_trusted")


def _anchor_of(found: _Findings, leaf: Leaf) -> bytes | None:
    """The trusted anchor that the chain leads to, or None; a chain that breaks a rule fails the check."""
    x5c, now = found.parts.jws.header["x5c"], found.expected.now
    try:
        found.leaf = verify_chain(x5c, anchors=found.expected.trust.anchors("issuer"), now=now)
    except NoAnchor:
        if not leaf.not_before <= now <= leaf.not_after:
            found.fail("issuer_trusted", "chain_refused", "the issuer's certificate is not valid at this time")
        return None
    except (UntrustedChain, Malformed) as exc:
        found.fail("issuer_trusted", "chain_refused", exc)
    return found.leaf.anchor


def _entries_for(found: _Findings, anchor: bytes | None, identifier: str) -> list[TrustEntry]:
    """The trust entries under which the signing key speaks for the issuer, by any mechanism."""
    trust, leaf = found.expected.trust, found.leaf
    entries: list[TrustEntry] = []
    if anchor is not None and leaf is not None:
        entries += trust.under_anchor("issuer", anchor, (identifier, *leaf.uris))
    for entry in trust.naming("issuer", identifier):
        # A key without certificate was published at the issuer's address, or is listed (see step 2).
        if found.signing_key in entry.jwks or (entry.mechanism == "metadata" and leaf is None):
            entries.append(entry)
    return entries


def _check_holder(found: _Findings, expected_thumbprint: str) -> None:
    """Step 5, at the holder: the credential is bound to the key that was proven."""
    if found.holder_key is None:
        found.fail("holder_binding", "not_bound", "the credential is bound to no key")
    if thumbprint(found.holder_key) != expected_thumbprint:
        found.fail("holder_binding", "other_holder", "the credential is bound to another key")
    try:
        check_public_jwk(found.holder_key)
    except ProtocolError as exc:
        found.fail("holder_binding", "not_bound", exc)


def _check_key_binding(found: _Findings, binding: jose.UnverifiedJWS, claims: Mapping[str, Any]) -> None:
    """Step 5, at the verifier: signed by the holder's key, over exactly this SD-JWT (RFC 9901, section 4.3)."""
    if found.holder_key is None:
        found.fail("holder_binding", "not_bound", "the credential is bound to no key")
    try:
        jose.check_signature(binding, key=found.holder_key, typ=KEY_BINDING_TYP, algorithms=found.expected.algorithms)
    except ProtocolError as exc:
        found.fail("holder_binding", "bad_key_binding", exc)
    parts = found.parts
    try:
        digest = digest_of(parts.without_key_binding, hash_name=parts.hash_name)
    except ProtocolError as exc:
        found.fail("holder_binding", "bad_key_binding", exc)
    if claims.get("sd_hash") != digest:
        found.fail("holder_binding", "other_token", "the key binding covers other disclosures or another credential")


def _check_freshness(found: _Findings, claims: Mapping[str, Any]) -> None:
    """Step 8: `iat` of the key binding lies in the window; `exp` and `nbf`, if any, hold (RFC 9901, 7.3 step 5.8)."""
    expected = found.expected
    try:
        issued_at = read_date(claims.get("iat"), name="iat")
        expires_at, not_before = read_optional_date(claims, "exp"), read_optional_date(claims, "nbf")
    except Malformed as exc:
        found.fail("freshness", "malformed", exc)
    if issued_at > expected.now + expected.skew or (not_before and not_before > expected.now + expected.skew):
        found.fail("freshness", "from_the_future", "the presentation was made in the future")
    if issued_at < expected.now - expected.max_age - expected.skew:
        found.fail("freshness", "too_old", "the presentation was made too long ago")
    if expires_at and expires_at <= expected.now - expected.skew:
        found.fail("freshness", "too_old", "the presentation has expired")
    found.presented_at = issued_at
    found.passed("freshness")


def _check_dates(found: _Findings, claims: dict[str, Any]) -> None:
    """Step 10: the processed claims allow the use of the credential now."""
    now, skew = found.expected.now, found.expected.skew
    try:
        expires_at = found.valid_until = read_optional_date(claims, "exp")
        not_before = found.valid_from = read_optional_date(claims, "nbf")
        issued_at = read_optional_date(claims, "iat")
    except Malformed as exc:
        found.fail("dates", "malformed", exc)
    if expires_at is None and found.expected.require_expiry:
        found.fail("dates", "missing_expiry", "the credential does not say when it expires")
    if expires_at is not None and expires_at <= now - skew:
        found.fail("dates", "expired", "the credential has expired")
    if not_before is not None and not_before > now + skew:
        found.fail("dates", "not_yet_valid", "the credential is not valid yet")
    if issued_at is not None and issued_at > now + skew:
        found.fail("dates", "issued_in_future", "the credential was issued in the future")
    found.passed("dates")


async def _check_status(found: _Findings, claims: Mapping[str, Any]) -> None:
    """Step 11: what the status list says. An unreachable or broken list leaves the question open."""
    expected = found.expected
    if "status" not in claims:
        if expected.status == "required":
            found.fail("status", "missing_status", "the credential cannot be asked for its status")
        found.passed("status")
        return
    mechanisms = claims["status"]
    if not isinstance(mechanisms, dict):
        found.fail("status", "malformed", "`status` is not an object")
    if "status_list" not in mechanisms:
        found.unknown("status", "unsupported_status", "the status is kept by a mechanism that is not supported")
        return
    reference = mechanisms["status_list"]
    uri = reference.get("uri") if isinstance(reference, dict) else None
    index = reference.get("idx") if isinstance(reference, dict) else None
    if not isinstance(uri, str) or type(index) is not int or index < 0:
        found.fail("status", "malformed", "`status_list` does not name a list and an index in it")
    try:
        token = await expected.resolver.status_list(uri, fresh_at=expected.now)
        listed = _read_status_list(found, token, uri)
        found.status = listed.status(index)
    except status_list.OutOfRange as exc:
        found.fail("status", "out_of_range", exc)
    except status_list.StaleStatusList as exc:
        found.unknown("status", "list_stale", exc)
    except status_list.InvalidStatusList as exc:
        found.unknown("status", "list_invalid", exc)
    except CouldNotCheck as exc:
        found.unknown("status", "list_unreachable", exc)
    else:
        reason = _STATUS_REASONS.get(found.status, "not_valid")
        if reason:
            found.fail("status", reason, "the status list does not say valid")
        found.passed("status")


_STATUS_REASONS = {status_list.VALID: "", status_list.INVALID: "revoked", status_list.SUSPENDED: "suspended"}


def _read_status_list(found: _Findings, token: str, uri: str) -> status_list.StatusList:
    expected, leaf = found.expected, found.leaf
    anchors: tuple[bytes, ...] = (leaf.anchor,) if leaf is not None and leaf.anchor is not None else ()
    if expected.status_signers == "any_trusted":
        anchors = expected.trust.anchors("issuer")
    listed = found.trusted_by.jwks if found.trusted_by is not None else ()
    signing = (found.signing_key,) if found.signing_key is not None else ()
    return status_list.check_status_list_token(
        token,
        expected_uri=uri,
        anchors=anchors,
        issuer_keys=(*signing, *listed),
        now=expected.now,
        skew_seconds=int(expected.skew.total_seconds()),
    )
