"""A request as it was received, kept with its entry in the history, so that it can be judged again from its own bytes.

    content = kept_content(checked.fetched)                       # sealed in the vault, one for each entry
    content_digest(content)                                       # in the history, with what the rules said
    checked = checked_again(content, expected_digest=..., checked_at=..., vouched_by=...)

The bytes hold the request object or the parameters, with everything that was sent in them, and what was found out at
that moment and cannot be found out later: what the registrar's list said, and the document of a DID. They hold what a
sender wrote and nothing of the person: a value that a query guesses (OA-09) is the sender's word, and goes from here
into nothing but the same check.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from proofs import strict_json
from proofs.trust import TrustEntry, TrustList
from schemas.errors import Malformed, ProtocolError
from wallet.requests.checking import CheckedRequest, FetchedRequest, check_request

MAX_KEPT_BYTES: Final = 1_000_000
"""Of one request. It is larger than any that is read: what is put before a person is kept."""
MAX_KEPT_BYTES_TOGETHER: Final = 8_000_000
"""Of all requests of one vault, so that nobody fills it, and its file can be read in again: some 600 usual ones."""


class KeptRequestChanged(Malformed):
    """What is kept as a request is not what was judged."""

    error = "kept_request_changed"


def kept_content(fetched: FetchedRequest) -> bytes:
    """The bytes to keep of a request."""
    return strict_json.dumps(fetched.as_json())


def content_digest(content: bytes) -> str:
    """The SHA-256 of kept bytes, as lower-case hexadecimal: all of them that stands in the history."""
    return hashlib.sha256(content).hexdigest()


def checked_again(
    content: bytes, *, expected_digest: str, checked_at: datetime, vouched_by: Sequence[dict[str, Any]]
) -> CheckedRequest:
    """Read and check a kept request once more, as of then: signature, sender, query, notice and registration.

    `vouched_by` are the entries of the trust list that it came to then: whom the wallet trusts today does not matter.
    Raises `KeptRequestChanged` when a byte differs, or when it cannot be checked any more with the same result.
    """
    if content_digest(content) != expected_digest:
        raise KeptRequestChanged("the kept request is not the one that was judged")
    try:
        fetched = FetchedRequest.from_json(strict_json.loads_object(content, max_bytes=MAX_KEPT_BYTES))
        trust = TrustList(tuple(TrustEntry.from_json(entry) for entry in vouched_by))
        return check_request(fetched, trust=trust, now=checked_at)
    except (ProtocolError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as exc:
        raise KeptRequestChanged("the kept request cannot be read as it was then") from exc
