"""Later checks of the status that a request asks to be allowed, and whether they are offered to the person at all.

What is not offered is not shown: an offer for more than twelve months, beyond the day until which the recipient keeps
the data, for no stated purpose, by somebody who has not proven who it is, or about certificates that cannot be looked
up or of which nothing is chosen, is none (CS-07). Refusing what is offered has no effect on the share.
"""

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Final

from proofs import strict_json
from schemas.consent import RecheckOffer, latest_recheck
from wallet.certificates import StoredCertificate
from wallet.decision.candidates import is_bound
from wallet.decision.model import Decision
from wallet.hosts import host_of
from wallet.requests import CheckedRequest
from wallet.taking_back import signs_statements

SHORTEST_PURPOSE: Final = 20


def permission_digest(decision: Decision) -> str:
    """What the page says on which the person allows later checks: this share as it was shown, and in it the permission.

    It covers whom they allow, of which certificates, what for, how often and until when. Like the digest of the share,
    which is in it, it is salted, and it is another one: who has confirmed the one has not the other. Lower-case
    hexadecimal; empty when nothing is allowed.
    """
    return _digest(decision, decision.digest)


def permission_meaning(decision: Decision) -> str:
    """What the person has allowed, which is the same in every language: what is kept of a confirmation.

    It covers the recipient's words in both languages, so that neither can be another one later.
    """
    return _digest(decision, decision.meaning)


def _digest(decision: Decision, share: str) -> str:
    offer = decision.allowed_recheck
    if offer is None:
        return ""
    items = [
        [item.id, list(item.path)]
        for group in decision.groups
        if can_be_checked(group.certificate)
        for item in group.items
    ]
    shown = {
        "later checks of": share,
        "client_id": decision.checked.request.client_id,
        "endpoint": offer.endpoint,
        "purpose": [offer.purpose.sv, offer.purpose.en],
        "until": offer.until.isoformat(),
        "every_days": offer.every_days,
        "items": items,
    }
    return hashlib.sha256(strict_json.dumps(shown)).hexdigest()


def can_be_checked(certificate: StoredCertificate) -> bool:
    """Whether a certificate names a list that says how it stands, and is tied to a key of this wallet."""
    status = certificate.claims.get("status")
    return is_bound(certificate) and isinstance(status, dict) and "status_list" in status


def recheck_offered(
    checked: CheckedRequest, shown: Sequence[StoredCertificate], *, retention_until: date | None
) -> RecheckOffer | None:
    """The later checks that the person can be asked about; None when there are none that may be. `shown` are the
    certificates of which something is chosen."""
    stated = checked.stated
    offer = stated.notice.recheck if stated is not None and stated.signed and checked.is_proven else None
    if offer is None or not signs_statements(checked.request.client_id) or not host_of(offer.endpoint):
        return None
    asked_on = checked.asked_at.date()
    is_short = asked_on <= offer.until <= latest_recheck(asked_on)
    is_kept = retention_until is not None and offer.until <= retention_until
    says_why = all(len(text) >= SHORTEST_PURPOSE for text in (offer.purpose.sv, offer.purpose.en) if text)
    return offer if is_short and is_kept and says_why and any(map(can_be_checked, shown)) else None
