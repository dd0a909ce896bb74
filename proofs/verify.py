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
 6. audience        Presentation only: made for this verifier, and the credential, where it says for whom it is
                    meant, for this verifier too.  [7.1 step 6]
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

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from proofs import jose
from proofs.binding_check import check_audience, check_freshness, check_holder, check_key_binding, check_nonce
from proofs.dates import read_date, read_optional_seconds
from proofs.findings import CHECKS as CHECKS
from proofs.findings import CREDENTIAL_CHECKS as CREDENTIAL_CHECKS
from proofs.findings import Expected, Findings
from proofs.findings import StatusPolicy as StatusPolicy
from proofs.findings import StatusSigners as StatusSigners
from proofs.findings import TrustedIssuer as TrustedIssuer
from proofs.findings import VerificationFailed as VerificationFailed
from proofs.formats.sd_jwt import UnverifiedSDJWT, split_sd_jwt
from proofs.formats.sd_jwt_vc import check_disclosure_rules, check_visible_rules, holder_jwk, types_of
from proofs.issuer_check import check_issuer, check_signature
from proofs.keys import DEFAULT_ALGORITHMS, thumbprint
from proofs.leaf import Leaf
from proofs.resolve import Resolver
from proofs.status_check import check_status
from proofs.trust import TrustList
from schemas.errors import Malformed, ProtocolError
from schemas.verification import VerificationResult


@dataclass(frozen=True, slots=True)
class VerifiedCredential:
    """A credential of which every check passed. Made by this module only.

    `token` is as received; `status` is None for a credential without status. `leaf` is the certificate whose key signed
    it and whose chain was followed to an anchor; None when the issuer's key is known in another way, whatever
    certificates the credential carries.
    """

    token: str = field(repr=False)
    sd_jwt: UnverifiedSDJWT = field(repr=False)
    issuer: TrustedIssuer
    leaf: Leaf | None = field(repr=False)
    status: int | None
    report: VerificationResult

    @property
    def claims(self) -> Mapping[str, Any]:
        """The processed payload."""
        return self.sd_jwt.claims

    @property
    def vct(self) -> str:
        """The credential type."""
        return str(self.sd_jwt.claims["vct"])

    @property
    def holder_jwk(self) -> dict[str, str] | None:
        """The holder's key, None for a credential bound to no key."""
        return holder_jwk(self.sd_jwt.payload)

    @property
    def holder_thumbprint(self) -> str | None:
        """The RFC 7638 thumbprint of the holder's key, None for a credential bound to no key."""
        jwk = self.holder_jwk
        return thumbprint(jwk) if jwk is not None else None

    @property
    def valid_from(self) -> datetime | None:
        """The time in `nbf`."""
        return self._date("nbf")

    @property
    def valid_until(self) -> datetime | None:
        """The time in `exp`."""
        return self._date("exp")

    def _date(self, name: str) -> datetime | None:
        return read_date(self.claims[name], name=name) if name in self.claims else None


@dataclass(frozen=True, slots=True)
class VerifiedPresentation(VerifiedCredential):
    """A presentation of which every check passed: to this verifier, in this transaction. Made by this module only."""

    presented_at_seconds: float

    @property
    def presented_at(self) -> datetime:
        """When the holder made it, by the holder's clock."""
        return read_date(self.presented_at_seconds, name="iat")


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
    may_have_run_out: bool = False,
    algorithms: Collection[str] = DEFAULT_ALGORITHMS,
) -> VerifiedCredential:
    """Verify a credential on arrival at its holder (RFC 9901, section 7.2).

    `expected_type` is the `vct` that was offered, None to accept any; `expected_holder_thumbprint` the thumbprint of
    the key that was proven, None when the credential need not be bound to one of ours. `require_expiry` refuses a
    credential without `exp`; `may_have_run_out` passes one whose `exp` is over, for whoever asks only for its status.

    Raises `VerificationFailed`. A credential of an unknown issuer raises as well: see `only_issuer_unknown`.
    """
    expected = Expected(
        checks=CREDENTIAL_CHECKS,
        types=None if expected_type is None else (expected_type,),
        trust=trust,
        resolver=resolver,
        now=now,
        now_seconds=now.timestamp(),
        skew_seconds=skew_seconds,
        status=status,
        status_signers=status_signers,
        require_expiry=require_expiry,
        algorithms=algorithms,
        may_have_run_out=may_have_run_out,
        holder_thumbprint=expected_holder_thumbprint,
    )
    sd_jwt, issuer, leaf, status_value, report, _ = await _verify(token, expected)
    return VerifiedCredential(token, sd_jwt, issuer, leaf, status_value, report)


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
    expected = Expected(
        checks=CHECKS,
        types=expected_types,
        trust=trust,
        resolver=resolver,
        now=now,
        now_seconds=now.timestamp(),
        skew_seconds=skew_seconds,
        status=status,
        status_signers=status_signers,
        require_expiry=require_expiry,
        algorithms=algorithms,
        audience=expected_audience,
        nonce=expected_nonce,
        max_age_seconds=max_age_seconds,
    )
    sd_jwt, issuer, leaf, status_value, report, key_binding = await _verify(token, expected)
    return VerifiedPresentation(token, sd_jwt, issuer, leaf, status_value, report, key_binding["iat"])


_Outcome = tuple[UnverifiedSDJWT, TrustedIssuer, Leaf | None, int | None, VerificationResult, dict[str, Any]]


async def _verify(token: str, expected: Expected) -> _Outcome:
    """The procedure; its steps are numbered as in the docstring of this module."""
    found = Findings(expected)

    # 1. form
    with_binding = expected.audience is not None
    try:
        parts = found.parts = split_sd_jwt(token)
        check_visible_rules(parts.jws.header, parts.payload)
        binding = jose.parse_jws(parts.key_binding) if with_binding and parts.key_binding else None
        key_binding_claims = jose.read_claims(binding) if binding else {}
        holder_key = holder_jwk(parts.payload)
    except ProtocolError as exc:
        found.fail("form", "malformed", exc)
    found.passed("form")
    claims = parts.payload  # What steps 2 to 5 read of it must always be visible (step 9), so that the payload has it.

    # 2. signature
    await check_signature(found, parts)

    # 3. issuer_trusted
    check_issuer(found, parts)

    # 4. type
    if expected.types is not None and not any(vct in expected.types for vct in types_of(claims)):
        found.fail("type", "unexpected_type", "the credential is of another type than expected")
    found.passed("type")

    if expected.audience is None:
        # 5. holder_binding, at the holder
        check_holder(found, parts, holder_key)
    else:
        # 5. holder_binding, at the verifier
        check_key_binding(found, parts, holder_key, binding, key_binding_claims)

        # 6. audience; that of the credential may be among the disclosures, which step 9 judges (RFC 9901, 9.7)
        found.read_disclosures()
        check_audience(found, key_binding_claims, claims if found.sd_jwt is None else found.sd_jwt.claims)

        # 7. nonce
        check_nonce(found, key_binding_claims)

        # 8. freshness
        check_freshness(found, key_binding_claims)

    # 9. disclosures
    found.read_disclosures()
    sd_jwt = found.sd_jwt
    if sd_jwt is None:
        found.fail("disclosures", "bad_disclosures", found.disclosure_fault)
    try:
        check_disclosure_rules(sd_jwt)
    except ProtocolError as exc:
        found.fail("disclosures", "bad_disclosures", exc)
    found.passed("disclosures")

    # 10. dates
    _check_dates(found, sd_jwt.claims)

    # 11. status
    await check_status(found, sd_jwt.claims)

    if found.is_open or found.issuer is None or len(found.checks) != len(expected.checks):
        raise VerificationFailed(found.report, unverified=sd_jwt, leaf=found.leaf)
    return sd_jwt, found.issuer, found.leaf, found.status, found.report, key_binding_claims


def _check_dates(found: Findings, claims: Mapping[str, Any]) -> None:
    """Step 10: the processed claims allow the use of the credential now."""
    now, skew = found.expected.now_seconds, found.expected.skew_seconds
    try:
        expires_at, not_before = read_optional_seconds(claims, "exp"), read_optional_seconds(claims, "nbf")
        issued_at = read_optional_seconds(claims, "iat")
    except Malformed as exc:
        found.fail("dates", "malformed", exc)
    if expires_at is None and found.expected.require_expiry:
        found.fail("dates", "missing_expiry", "the credential does not say when it expires")
    if expires_at is not None and expires_at <= now - skew and not found.expected.may_have_run_out:
        found.fail("dates", "expired", "the credential has expired")
    if not_before is not None and not_before > now + skew:
        found.fail("dates", "not_yet_valid", "the credential is not valid yet")
    if issued_at is not None and issued_at > now + skew:
        found.fail("dates", "issued_in_future", "the credential was issued in the future")
    found.passed("dates")
