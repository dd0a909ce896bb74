"""SD-JWT VC (`dc+sd-jwt`): credentials in SD-JWT form, issued, read and presented.

    token = issue_sd_jwt_vc(claims, disclosable=plan, signer=issuer_key, holder_jwk=proof.jwk)
    shown = build_presentation(token, disclosures=select_disclosures(parse_sd_jwt(token), paths), signer=holder_key,
                               audience=client_id, nonce=nonce, now=now)

`check_rules` holds what SD-JWT VC adds to RFC 9901. The deprecated `vc+sd-jwt` is neither made nor accepted.
"""

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from proofs import base64url, strict_json
from proofs.dates import numeric_date
from proofs.formats.concealment import DisclosurePlan, conceal
from proofs.formats.sd_jwt import UnverifiedSDJWT, digest_of, parse_sd_jwt
from proofs.jose import sign_jws
from proofs.keys import Signer, minimal_public_jwk
from schemas.errors import Malformed, Refused

TYP: Final = "dc+sd-jwt"
KEY_BINDING_TYP: Final = "kb+jwt"
NEVER_DISCLOSABLE: Final = frozenset({"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"})
"""Claims that, with everything below them, are always visible (SD-JWT VC, section 2.2.2.3)."""

_KEY_FORMS: Final = frozenset({"jwk", "jwe", "kid", "jku", "x5c", "x5t", "x5t#S256", "x5u"})


def issue_sd_jwt_vc(
    claims: Mapping[str, Any],
    *,
    disclosable: DisclosurePlan,
    signer: Signer,
    holder_jwk: Mapping[str, Any] | None,
    header: Mapping[str, Any] | None = None,
    decoys: int = 0,
) -> str:
    """Sign a credential.

    `claims` is the whole plain payload (`vct`, `iss`, `iat`, `exp`, `status`, ...); `cnf` is added from `holder_jwk`,
    a public key that the caller has checked by its proof of possession, or None for a credential without binding.
    `disclosable` says what becomes disclosable, `header` adds protected header members beside `alg`, `typ`, `kid`
    and `x5c`, `decoys` digests that reveal nothing.

    Returns the SD-JWT with all disclosures, ending in `~`. Fresh salts make two calls with the same claims differ.

    Raises `Malformed` when `vct` is missing, `Refused` when a claim that must be visible is planned as disclosable.
    """
    vct = claims.get("vct")
    if not isinstance(vct, str) or not vct:
        raise Malformed("the credential has no type (`vct`)")
    if not NEVER_DISCLOSABLE.isdisjoint(disclosable.children):
        raise Refused("a claim that must always be visible is planned as disclosable")
    payload, disclosures = conceal(claims, disclosable, decoys=decoys)
    if holder_jwk is not None:
        if "cnf" in claims:
            raise Refused("`cnf` is made from the holder's key")
        payload["cnf"] = {"jwk": minimal_public_jwk(holder_jwk)}
    further = strict_json.dumps(dict(header)) if header else b""
    segment = _issuer_header(signer.alg, signer.kid, signer.x5c, further)
    signing_input = segment + base64url.encode_bytes(strict_json.dumps(payload))
    signature = base64url.encode_bytes(signer.sign(signing_input))
    return b"~".join((signing_input + b"." + signature, *disclosures, b"")).decode("ascii")


@functools.lru_cache(maxsize=64)
def _issuer_header(alg: str, kid: str, x5c: tuple[str, ...], further: bytes) -> bytes:
    """The encoded header with its dot; the chain is encoded once per signer, not once per credential."""
    members = {"alg": alg, "typ": TYP, "kid": kid, **({"x5c": list(x5c)} if x5c else {})}
    for name, value in strict_json.loads_object(further or b"{}").items():
        if name in members:
            raise ValueError("this header member is set by the signer and the format")
        members[name] = value
    return base64url.encode_bytes(strict_json.dumps(members)) + b"."


def check_rules(sd_jwt: UnverifiedSDJWT) -> None:
    """Check what SD-JWT VC demands of header and claims; no signature, no dates against a clock, no trust.

    `typ` is `dc+sd-jwt`; `vct` is there; what must be visible is; `iss`, `aka_vcts` and `cnf` have their form. Missing
    `iss` and `sub` are tolerated: the certificate can name the issuer.

    Raises `Malformed` or `Refused`.
    """
    check_visible_rules(sd_jwt.header, sd_jwt.payload)
    holder_jwk(sd_jwt.payload)
    check_disclosure_rules(sd_jwt)


def check_visible_rules(header: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
    """The part of `check_rules`, but for `cnf`, that needs no disclosure, since what it reads is always visible."""
    if header.get("typ") != TYP:
        raise Refused("the credential is not typed as dc+sd-jwt")
    if not isinstance(payload.get("vct"), str) or not payload["vct"]:
        raise Malformed("the credential has no type (`vct`)")
    for name in ("iss", "vct#integrity"):
        if name in payload and not isinstance(payload[name], str):
            raise Malformed(f"the claim `{name}` is not a string")
    if "aka_vcts" in payload:
        _check_further_types(payload["aka_vcts"], vct=payload["vct"])


def check_disclosure_rules(sd_jwt: UnverifiedSDJWT) -> None:
    """The part of `check_rules` about what was made disclosable. Raises `Refused`."""
    if not NEVER_DISCLOSABLE.isdisjoint([path[0] for path in sd_jwt.disclosure_at]):
        raise Refused("a claim that must always be visible is in a disclosure")
    if not NEVER_DISCLOSABLE.isdisjoint(sd_jwt.concealing):
        # Its sub-claims may not be selectively disclosable either, disclosed now or not.
        raise Refused("a claim that must always be visible has disclosable parts")


def _check_further_types(value: Any, *, vct: str) -> None:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value) or vct in value:
        raise Malformed("`aka_vcts` is not a list of further types")


def types_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """All types a credential says it has: `vct`, then `aka_vcts`."""
    return (claims["vct"], *claims.get("aka_vcts", ()))


def holder_jwk(claims: Mapping[str, Any]) -> dict[str, str] | None:
    """The holder's key from the claim `cnf`, minimal form, or None when the credential is not bound to a key.

    Raises `Malformed` when `cnf` has another form, `Refused` when it holds a private key, more than one form of key,
    or none that we can use.
    """
    if "cnf" not in claims:
        return None
    confirmation = claims["cnf"]
    if not isinstance(confirmation, dict):
        raise Malformed("`cnf` is not an object")
    if confirmation.keys() & _KEY_FORMS != {"jwk"} or not isinstance(confirmation["jwk"], dict):
        raise Refused("`cnf` does not name exactly one key, as `jwk`")
    return minimal_public_jwk(confirmation["jwk"])


def build_presentation(
    token: str,
    *,
    disclosures: Sequence[str],
    signer: Signer,
    audience: str,
    nonce: str,
    now: datetime,
    further_claims: Mapping[str, Any] | None = None,
) -> str:
    """Show a credential to one verifier, once: an SD-JWT+KB with the chosen disclosures.

    `token` is the SD-JWT as received, `disclosures` the chosen ones as received (see `select_disclosures`); their
    bytes go out as they came. `signer` holds the key in `cnf`; `audience` is the verifier's full client identifier.
    `further_claims` are what the key signs besides (see `proofs.transaction_data`).

    Raises `ValueError` when these would replace a member of the key binding; `Refused` when a disclosure is not part of
    the token or cannot be reached without another that was not chosen, when the key is not the credential's, or when
    the token carries a key binding already.
    """
    held = token.split("~")
    if held[-1]:
        raise Refused("the credential already carries a key binding")
    if not set(disclosures) <= set(held[1:-1]):
        raise Refused("a chosen disclosure is not part of the credential")
    shown = "~".join((held[0], *disclosures, ""))
    # Parsing refuses a disclosure whose parent was not chosen (RFC 9901, section 7.2).
    sd_jwt = parse_sd_jwt(shown)
    bound_to = holder_jwk(sd_jwt.payload)
    if bound_to is None or bound_to != signer.public_jwk:
        raise Refused("the credential is not bound to this key")
    claims = {
        "iat": numeric_date(now),
        "aud": audience,
        "nonce": nonce,
        "sd_hash": digest_of(shown, hash_name=sd_jwt.hash_name),
    }
    if further_claims and not claims.keys().isdisjoint(further_claims):
        raise ValueError("this member is set by the key binding")
    return shown + sign_jws(claims | dict(further_claims or {}), signer=signer, typ=KEY_BINDING_TYP)
