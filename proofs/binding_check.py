"""Steps 5 to 8 of `proofs.verify`: whose the credential is, and to whom, for what and when it was shown."""

from collections.abc import Mapping
from typing import Any

from proofs import jose
from proofs.dates import read_optional_seconds, read_seconds
from proofs.findings import Findings
from proofs.formats.sd_jwt import SplitSDJWT, digest_of
from proofs.formats.sd_jwt_vc import KEY_BINDING_TYP
from proofs.keys import check_public_jwk, thumbprint
from schemas.errors import Malformed, ProtocolError


def check_holder(found: Findings, parts: SplitSDJWT, holder_key: dict[str, str] | None) -> None:
    """Step 5, at the holder: nothing was shown yet, and the credential is bound to the key that was proven."""
    if parts.key_binding is not None:
        found.fail("holder_binding", "unexpected_key_binding", "an issuer does not send a key binding")
    expected = found.expected.holder_thumbprint
    if expected is not None:
        if holder_key is None:
            found.fail("holder_binding", "not_bound", "the credential is bound to no key")
        if thumbprint(holder_key) != expected:
            found.fail("holder_binding", "other_holder", "the credential is bound to another key")
        try:
            check_public_jwk(holder_key)
        except ProtocolError as exc:
            found.fail("holder_binding", "not_bound", exc)
    found.passed("holder_binding")


def check_key_binding(
    found: Findings,
    parts: SplitSDJWT,
    holder_key: dict[str, str] | None,
    binding: jose.UnverifiedJWS | None,
    claims: Mapping[str, Any],
) -> None:
    """Step 5, at the verifier: signed by the holder's key, over exactly this SD-JWT (RFC 9901, section 4.3).

    The verifier's policy demands it, not what was sent (RFC 9901, section 7.3, step 1).
    """
    if binding is None:
        found.fail("holder_binding", "missing_key_binding", "the presentation carries no key binding")
    if holder_key is None:
        found.fail("holder_binding", "not_bound", "the credential is bound to no key")
    try:
        jose.check_signature(binding, key=holder_key, typ=KEY_BINDING_TYP, algorithms=found.expected.algorithms)
        digest = digest_of(parts.without_key_binding, hash_name=parts.hash_name)
    except ProtocolError as exc:
        found.fail("holder_binding", "bad_key_binding", exc)
    if claims.get("sd_hash") != digest:
        found.fail("holder_binding", "other_token", "the key binding covers other disclosures or another credential")
    found.passed("holder_binding")


def check_audience(found: Findings, binding_claims: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Step 6: shown to this verifier, who is also among those for whom the credential is meant, if it says so."""
    ours = found.expected.audience
    if binding_claims.get("aud") != ours:
        found.fail("audience", "other_audience", "the presentation was made for another verifier")
    if "aud" in claims:
        stated = claims["aud"]
        if stated != ours and not (isinstance(stated, list) and ours in stated):
            found.fail("audience", "other_audience", "the credential itself is meant for other verifiers")
    found.passed("audience")


def check_nonce(found: Findings, binding_claims: Mapping[str, Any]) -> None:
    """Step 7: made for this transaction."""
    nonce = binding_claims.get("nonce")
    if not isinstance(nonce, str) or nonce != found.expected.nonce:
        found.fail("nonce", "other_nonce", "the presentation was made for another transaction")
    found.passed("nonce")


def check_freshness(found: Findings, binding_claims: Mapping[str, Any]) -> None:
    """Step 8: `iat` of the key binding lies in the window; `exp` and `nbf`, if any, hold (RFC 9901, 7.3 step 5.8)."""
    expected = found.expected
    now, skew = expected.now_seconds, expected.skew_seconds
    try:
        issued_at = read_seconds(binding_claims.get("iat"), name="iat")
        not_before = read_optional_seconds(binding_claims, "nbf")
        expires_at = read_optional_seconds(binding_claims, "exp")
    except Malformed as exc:
        found.fail("freshness", "malformed", exc)
    if issued_at > now + skew or (not_before is not None and not_before > now + skew):
        found.fail("freshness", "from_the_future", "the presentation was made in the future")
    if issued_at < now - expected.max_age_seconds - skew:
        found.fail("freshness", "too_old", "the presentation was made too long ago")
    if expires_at is not None and expires_at <= now - skew:
        found.fail("freshness", "too_old", "the presentation has expired")
    found.passed("freshness")
