"""Offers that are fetched with a sign-in: what the `issuer_state` of a pushed request is worth (OpenID4VCI 4.1.1, 5.1).

The state says which offer a request comes from, and nothing about who brings it: links are forwarded, photographed and
injected, and the specification says so itself. So it opens nothing by itself. It narrows:

1. A pushed request whose state is not that of an open offer, or that asks for anything but what was offered, is
   refused with `invalid_request` before anybody is asked. The specification names no error; this is RFC 6749's for a
   value that does not hold.
2. The person who signs in has to be the one whose record was offered. Anybody else gets nothing, also nothing of
   their own: they were not offered anything, and whoever sent them the link may want to know what they have.
3. The state is spent when the code is redeemed, by the statement that makes the offer a grant. Looking does not spend
   it, so that a closed browser costs nothing, and of several who were allowed one gets the certificate.
"""

from collections.abc import Sequence

from issuer.authorization.pushed import Wanted
from issuer.offers import Offer
from issuer.recognition import NotRecognised
from schemas.errors import Refused
from schemas.learning.achievement import Record


class InvalidIssuerState(Refused):
    """The issuer_state is not that of an open offer of what is asked for."""


def check_offered(offer: Offer | None, wanted: Sequence[Wanted]) -> Offer:
    """The offer that a pushed request comes from. Raises `InvalidIssuerState`.

    Unknown, expired, void and used are one answer: whoever guesses learns nothing.
    """
    if offer is None or not offer.with_sign_in or not offer.is_open:
        raise InvalidIssuerState("issuer_state is unknown, has expired, or was used")
    if any(one.type_name != offer.type_name for one in wanted):
        raise InvalidIssuerState("issuer_state belongs to an offer of another credential")
    return offer


def records_offered(offer: Offer, records: Sequence[tuple[str, Record]]) -> list[tuple[str, Record]]:
    """Of a person's records (pairs of result identifier and record) those that were offered.

    Raises `NotRecognised` unless all of them are this person's: somebody else signed in, or a record was erased or
    replaced since.
    """
    known = dict(records)
    if not offer.result_ids or any(result_id not in known for result_id in offer.result_ids):
        raise NotRecognised("the records of the offer are not those of the person who signed in")
    return [pair for pair in records if pair[0] in offer.result_ids]
