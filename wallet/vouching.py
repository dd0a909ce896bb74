"""Whether this wallet trusts who offers something, as far as that is known before anything is spent for it.

    token = await learn_signed_metadata(issuer, trust=trust, web=web, languages="sv")     # "" when there is none
    standing = issuer_standing(offered, token, trust=trust, now=now)
    standing.refusal        # why what is offered would be refused on arrival; "" when it would not, or nobody can tell

An issuer that the trust list names by its address is known by that. One that is trusted by a root certificate alone is
known by what it signs: its metadata tell, where it signs them; where not, only the certificate does, on arrival.
The same rules decide then (`proofs/issuer_check.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from proofs.issuer_metadata import MAX_BYTES, signer_of_metadata
from proofs.trust import TrustEntry, TrustList
from schemas.errors import ProtocolError
from schemas.issuance import credential_issuer_metadata_url
from wallet.offers import Offered
from wallet.web import Unreachable, Web


class Vouched(StrEnum):
    """What the trust list says of an issuer."""

    YES = "yes"
    NOT_FOR_THIS = "not_for_this"  # For other kinds of certificates only.
    NOT_NOW = "not_now"  # The trust has ended, or has not begun.
    UNKNOWN = "unknown"  # Nothing by its address, and nothing that it signs has been seen.


_REFUSALS = {Vouched.NOT_FOR_THIS: "not_yet_entitled", Vouched.NOT_NOW: "not_trusted_now"}
REFUSALS = frozenset(_REFUSALS.values())


@dataclass(frozen=True, slots=True)
class IssuerStanding:
    """How an issuer stands for what it offers; `name` is the trust list's for it, or its certificate's."""

    vouched: Vouched
    name: str = ""

    @property
    def refusal(self) -> str:
        """The stable reason why all that is offered would be refused, so that the offer is better left unused."""
        return _REFUSALS.get(self.vouched, "")


async def learn_signed_metadata(issuer: str, *, trust: TrustList, web: Web, languages: str) -> str:
    """The signed metadata of an issuer, unchecked; "" when it has none, or they would tell nothing.

    They are asked for only where roots alone are trusted and the list does not name the issuer.
    """
    if trust.naming("issuer", issuer) or not trust.everyone_under("issuer", trust.anchors("issuer")):
        return ""
    try:
        url = credential_issuer_metadata_url(issuer)
        reply = await web.get(url, accept="application/jwt", languages=languages, max_bytes=MAX_BYTES)
        is_signed = reply.status == 200 and reply.media_type == "application/jwt"
        return reply.body.decode("ascii").strip() if is_signed else ""
    except (Unreachable, ProtocolError, UnicodeDecodeError):
        return ""


def issuer_standing(offered: Offered, signed_metadata: str, *, trust: TrustList, now: datetime) -> IssuerStanding:
    """What the trust list says of who offers this. What it says by name outweighs what it says of all under a root."""
    if entries := trust.naming("issuer", offered.issuer):
        return _judged(entries, offered, now=now)
    if not signed_metadata:
        return IssuerStanding(Vouched.UNKNOWN)
    try:
        anchors = trust.anchors("issuer")
        leaf = signer_of_metadata(signed_metadata, issuer=offered.issuer, anchors=anchors, now=now)
    except ProtocolError:
        return IssuerStanding(Vouched.UNKNOWN)
    entries = trust.everyone_under("issuer", leaf.anchors)
    return _judged(entries, offered, now=now, name=leaf.legal_name) if entries else IssuerStanding(Vouched.UNKNOWN)


def _judged(entries: Sequence[TrustEntry], offered: Offered, *, now: datetime, name: str = "") -> IssuerStanding:
    in_force = [one for one in entries if one.is_in_force(at=now)]
    if not in_force:
        return IssuerStanding(Vouched.NOT_NOW, name or entries[0].name)
    kinds = [configuration.vct for _, configuration in offered.items]
    fitting = [one for one in in_force if any(vct is None or one.is_for_type(vct) for vct in kinds)]
    if not fitting:
        return IssuerStanding(Vouched.NOT_FOR_THIS, name or in_force[0].name)
    return IssuerStanding(Vouched.YES, name or fitting[0].name)
