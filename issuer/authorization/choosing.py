"""The single courses of a certificate that a person leaves out before it is fetched.

A certificate of several results is fetched with those that the person ticked, and no trace of the others: whoever sees
it later can neither read nor count them. What is left out is not in the records of the certificate either, so that a
fresh copy (a refresh token) holds the same courses and no more.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from issuer.offers import OfferDraft, draft_offer
from proofs import strict_json
from schemas.errors import Refused
from schemas.learning.achievement import Record
from schemas.types import CREDENTIAL_TYPES


class NoCourseChosen(Refused):
    """Of a certificate that is to be fetched, no course was chosen."""


class RecordsChanged(Refused):
    """The records say something else by now than the person was shown."""


def courses_of(draft: OfferDraft) -> tuple[Mapping[str, Any], ...]:
    """The courses that the person can choose among, in the order of the draft's records; none where there is no choice,
    in a certificate of one course or of another thing."""
    listed = draft.claims.get(CREDENTIAL_TYPES[draft.type_name].listed_under)
    if not isinstance(listed, list) or len(listed) < 2 or len(listed) != len(draft.result_ids):
        return ()
    return tuple(listed)


def unchanged(draft: OfferDraft, readings: Iterable[Sequence[Record]]) -> Sequence[Record]:
    """The records of a draft as it was made of them: the first of these readings of them now (as of one day or another)
    that says what the draft says. Raises `RecordsChanged` when none does."""
    credential_type = CREDENTIAL_TYPES[draft.type_name]
    for records in readings:
        if strict_json.loads(strict_json.dumps(credential_type.claims_from(records))) == dict(draft.claims):
            return records
    raise RecordsChanged


def narrowed(draft: OfferDraft, positions: Sequence[int], records: Sequence[Record]) -> OfferDraft:
    """The draft with the courses at these positions alone. `records` are all of its records (`unchanged`).

    Raises `NoCourseChosen` for none, and `Refused` for one that is not there.
    """
    chosen = sorted(set(positions))
    if not chosen:
        raise NoCourseChosen
    if not 0 <= chosen[0] <= chosen[-1] < len(records):
        raise Refused("there is no such course in the certificate")
    return draft_offer(
        CREDENTIAL_TYPES[draft.type_name],
        [records[position] for position in chosen],
        with_tx_code=draft.with_tx_code,
        with_sign_in=draft.with_sign_in,
        result_ids=[draft.result_ids[position] for position in chosen],
    )
