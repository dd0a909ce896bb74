"""Steps 2 and 3 of `proofs.verify`: who signed, and whether that key speaks for a trusted issuer."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from proofs import jose
from proofs.certificates import Leaf, NoAnchor, UntrustedChain, unverified_leaf, verify_chain
from proofs.findings import Findings, TrustedIssuer
from proofs.formats.sd_jwt import SplitSDJWT
from proofs.formats.sd_jwt_vc import TYP, types_of
from proofs.keys import known_public_key
from proofs.resolve import Unresolvable, published_issuer_keys
from proofs.trust import TrustEntry
from schemas.errors import CouldNotCheck, Malformed, ProtocolError, Refused


async def check_signature(found: Findings, parts: SplitSDJWT) -> None:
    """Step 2: the credential is signed by a key of the issuer it names."""
    algorithms = found.expected.algorithms
    if parts.jws.header["alg"] not in algorithms:
        found.fail("signature", "weak_algorithm", "the credential is signed with an algorithm that is not accepted")
    try:
        keys = await _issuer_keys(found, parts)
    except CouldNotCheck as exc:
        found.stop("signature", "issuer_key_unreachable", exc)
    except ProtocolError as exc:
        found.fail("signature", "no_issuer_key", exc)
    found.signing_key = _key_that_signed(parts.jws, keys, algorithms)
    if found.signing_key is None:
        found.fail("signature", "bad_signature", "the credential was altered, or is not signed by its issuer")
    found.passed("signature")


async def _issuer_keys(found: Findings, parts: SplitSDJWT) -> Sequence[Mapping[str, str]]:
    """Step 2: the keys that may have signed, by a mechanism that the trust list allows for this issuer.

    Raises `Refused` when there is none, `Unresolvable` when it could not be fetched.
    """
    header, iss = parts.jws.header, parts.payload.get("iss")
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
        crv, x, y = key["crv"], key["x"], key["y"]
        try:
            jose.check_signature_under(known_public_key(crv, x, y), jws, typ=TYP, algorithms=algorithms)
        except ProtocolError:
            continue
        return {"kty": "EC", "crv": crv, "x": x, "y": y}
    return None


def check_issuer(found: Findings, parts: SplitSDJWT) -> None:
    """Step 3: the signing key speaks for the issuer, and the issuer is trusted for this type now."""
    expected, leaf, iss = found.expected, found.leaf, parts.payload.get("iss")
    if leaf is not None:
        if iss is not None and not leaf.names(iss):
            found.fail("issuer_trusted", "issuer_mismatch", "the certificate does not name the issuer")
        _follow_chain(found, leaf, parts.jws.header["x5c"])
    # The names that count: `iss` alone where there is one, else those in the certificate.
    names = (iss,) if iss is not None else leaf.uris if leaf is not None else ()
    entries, is_known = _entries_for(found, names)
    if not entries and is_known:
        # Somebody else claims to be an issuer we know.
        found.fail("issuer_trusted", "issuer_mismatch", "the key is not the one known for this issuer")
    if not entries:
        found.unknown("issuer_trusted", "issuer_unknown", "nobody in the trust list vouches for this issuer")
        return
    in_force = [entry for entry in entries if entry.is_in_force(at=expected.now)]
    if not in_force:
        found.fail("issuer_trusted", "outside_period", "the issuer is not trusted at this time")
    relied_upon = _types_relied_upon(parts.payload, expected.types)
    entry = next((entry for entry in in_force for vct in relied_upon if entry.is_for_type(vct)), None)
    if entry is None:
        found.fail("issuer_trusted", "type_not_trusted", "the issuer is not trusted for this type")
    found.trusted_by = entry
    name = entry.name if entry.identifier or leaf is None else leaf.legal_name or entry.name
    identifier = iss or entry.identifier or (names[0] if names else leaf.subject if leaf is not None else "")
    found.issuer = TrustedIssuer(name, identifier, entry.id)
    found.passed("issuer_trusted")


def _types_relied_upon(claims: Mapping[str, Any], expected: Collection[str] | None) -> Collection[str]:
    """The types as which the credential would be accepted: one of them must be the issuer's to give.

    `aka_vcts` are the issuer's own word and give no authority (SD-JWT VC, section 7.7), so that trust in an issuer for
    one type must not reach another one that it names beside it.
    """
    if expected is None:
        return (claims["vct"],)
    return [vct for vct in types_of(claims) if vct in expected] or (claims["vct"],)


def _follow_chain(found: Findings, leaf: Leaf, x5c: Sequence[str]) -> None:
    """Find the trusted anchors that the chain leads to, if any; a chain that breaks a rule fails the check."""
    now = found.expected.now
    try:
        found.leaf = verify_chain(x5c, anchors=found.expected.trust.anchors("issuer"), now=now)
    except NoAnchor:
        if not leaf.not_before <= now <= leaf.not_after:
            found.fail("issuer_trusted", "chain_refused", "the issuer's certificate is not valid at this time")
    except (UntrustedChain, Malformed) as exc:
        found.fail("issuer_trusted", "chain_refused", exc)


def _entries_for(found: Findings, names: Collection[str]) -> tuple[Sequence[TrustEntry], bool]:
    """The trust entries under which the signing key speaks for the issuer, by any mechanism.

    What is said of the issuer by name outweighs what is said of everyone under an anchor: trust that ended, or is for
    few types only, is not brought back by a root that others are trusted under.

    Returns them, and whether any entry names the issuer at all.
    """
    trust, leaf = found.expected.trust, found.leaf
    named = [entry for name in names for entry in trust.naming("issuer", name)]
    if named:
        return [entry for entry in named if _speaks(found, entry)], True
    return trust.everyone_under("issuer", leaf.anchors if leaf is not None else ()), False


def _speaks(found: Findings, entry: TrustEntry) -> bool:
    """Whether the signing key is the one that an entry trusts."""
    if entry.mechanism == "x5c":
        return found.leaf is not None and entry.anchor in found.leaf.anchors
    if entry.mechanism == "jwks":
        return found.signing_key in entry.jwks
    # A key without certificate was published at the issuer's address, or is listed (see step 2).
    return found.leaf is None
