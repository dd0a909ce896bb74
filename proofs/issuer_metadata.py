"""Signed metadata of credential issuers: by whom they are signed, as far as certificates tell.

    leaf = signer_of_metadata(token, issuer=issuer, anchors=trust.anchors("issuer"), now=now)

What stands in them is not read here: who collects goes by the unsigned document, which says the same. They tell before
anything is spent under which root an issuer signs. Source: OpenID4VCI 1.0, section 12.2.3; HAIP 1.0, section 4.1.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from proofs import jose
from proofs.certificates import Leaf, UntrustedChain, unverified_leaf, verify_chain
from proofs.dates import read_date, read_optional_date
from proofs.keys import DEFAULT_ALGORITHMS
from schemas.errors import Malformed, Refused

TYP: Final = "openidvci-issuer-metadata+jwt"
MAX_BYTES: Final = 2_000_000


def signer_of_metadata(
    token: str, *, issuer: str, anchors: Sequence[bytes], now: datetime, skew_seconds: int = 60
) -> Leaf:
    """The certificate, followed to one or more of the anchors, whose key signed an issuer's metadata.

    It names the issuer, as one has to that signs credentials with this `iss`; so that nobody under the same root can
    vouch for another's address. Does not check whether a trust list makes it an issuer of anything.

    Raises `Malformed` for another form, `Refused` for metadata of another issuer, a time outside theirs or a
    certificate that does not name the issuer, `jose.InvalidSignature`, and what `verify_chain` raises.
    """
    jws = jose.parse_jws(token, max_bytes=MAX_BYTES)
    x5c = jws.header.get("x5c")
    if not isinstance(x5c, list):
        raise Malformed("the metadata carry no certificate of their issuer")
    leaf = unverified_leaf(x5c)
    claims = jose.check_jws(jws, key=leaf.public_jwk, typ=TYP, algorithms=DEFAULT_ALGORITHMS).claims
    if claims.get("sub") != issuer:
        raise Refused("the metadata are about another issuer")
    skew, ends = timedelta(seconds=skew_seconds), read_optional_date(claims, "exp")
    if read_date(claims.get("iat"), name="iat") > now + skew or (ends is not None and ends <= now - skew):
        raise Refused("the metadata are not of this time")
    if not leaf.names(issuer):
        raise UntrustedChain("the certificate does not name the issuer")
    return verify_chain(x5c, anchors=anchors, now=now)
