"""Between the pushed request and the code: the person opens it, signs in, sees what would be fetched, and decides.

An authorization is `pushed` by the wallet, `opened` in one browser, `signed_in` when we know which records are the
person's, and then `allowed` (there is a code), `redeemed` (there is a token) or `refused`. Opening it again in another
browser before the decision takes it over: a `request_uri` is spent by the decision (RFC 9126, section 4), not by
looking at it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlsplit

from issuer.authorization.pushed import Wanted
from issuer.offers import Offer, OfferDraft, draft_offers, set_incomplete_aside
from proofs import strict_json
from schemas.errors import NotFound, Refused
from schemas.learning.achievement import Record
from schemas.types import CREDENTIAL_TYPES

DECIDING = timedelta(minutes=30)
"""How long the person has, from opening the request, to sign in and to decide."""


class Stage(StrEnum):
    """Where an authorization stands."""

    PUSHED = "pushed"
    OPENED = "opened"
    SIGNED_IN = "signed_in"
    ALLOWED = "allowed"
    REDEEMED = "redeemed"
    REFUSED = "refused"


UNDECIDED = frozenset({Stage.PUSHED, Stage.OPENED, Stage.SIGNED_IN})


class AuthorizationOver(NotFound):
    """This request was decided already, has expired, or was opened in another browser."""

    error = "authorization_over"


@dataclass(frozen=True, slots=True)
class FromOffer:
    """The offer whose `issuer_state` was brought, in the generation that it had then."""

    offer_id: str
    generation: int

    def is_still(self, offer: Offer) -> bool:
        """Whether the offer is open, and has not been offered again since."""
        return offer.is_open and offer.generation == self.generation


@dataclass(frozen=True, slots=True)
class Authorization:
    """What the pages need to know of one authorization. `drafts`: what could be fetched, once the person signed in.
    `from_offer`: then only what was offered, to whom it was offered. `language`: in which the wallet asked that the
    person be spoken to, where the pages have it."""

    id: str
    client_id: str
    redirect_uri: str
    client_state: str | None
    wanted: tuple[Wanted, ...]
    stage: Stage
    until: datetime
    drafts: tuple[OfferDraft, ...] = field(default=(), repr=False)
    from_offer: FromOffer | None = None
    language: str | None = None

    @property
    def client_host(self) -> str:
        """The host that the person goes back to, or the scheme that their app answers to: what a person can compare."""
        return urlsplit(self.redirect_uri).scheme if self.is_for_app else urlsplit(self.redirect_uri).netloc

    @property
    def is_for_app(self) -> bool:
        """Whether the wallet is an app on the person's device, and no address of the web (RFC 8252, 7.1)."""
        return urlsplit(self.redirect_uri).scheme not in ("https", "http")

    def is_by_scope(self, type_name: str) -> bool:
        """Whether this type was asked for by scope: nothing shows that the wallet can tell two of a kind apart."""
        return not any(wanted.type_name == type_name and wanted.by_identifier for wanted in self.wanted)


def drafts_for(wanted: Sequence[Wanted], records: Sequence[tuple[str, Record]]) -> tuple[list[OfferDraft], list[str]]:
    """What can be fetched from one person's records (pairs of result identifier and record).

    Returns the drafts, newest records first, and the names of the wanted types of which there is nothing complete.
    """
    found: list[OfferDraft] = []
    nothing: list[str] = []
    for each in wanted:
        credential_type = CREDENTIAL_TYPES[each.type_name]
        suiting = [record for _, record in records if credential_type.suits(record)]
        complete, _ = set_incomplete_aside(credential_type, suiting)
        # Compared by identity: two records of one course may be equal, and are still two.
        chosen = {id(record) for record in complete}
        usable = [pair for pair in records if id(pair[1]) in chosen]
        if usable:
            found += draft_offers(
                credential_type,
                [record for _, record in usable],
                with_tx_code=False,
                result_ids=[result_id for result_id, _ in usable],
            )
        else:
            nothing.append(each.type_name)
    return found, nothing


def chosen_drafts(authorization: Authorization, positions: Sequence[int]) -> tuple[OfferDraft, ...]:
    """The drafts that the person chose, in the order of the page. Raises `Refused` for none, for one chosen twice, and
    for a position that is not there."""
    if not positions or len(set(positions)) != len(positions):
        raise Refused("nothing was chosen, or something twice")
    if any(not 0 <= position < len(authorization.drafts) for position in positions):
        raise Refused("there is no such certificate to fetch")
    return tuple(authorization.drafts[position] for position in sorted(positions))


def return_url(authorization: Authorization, *, issuer: str, answer: Mapping[str, str]) -> str:
    """The address that the person is sent back to: the wallet's, its own query kept, with our answer, `state` and `iss`
    (RFC 6749, 4.1.2; RFC 9207)."""
    uri = authorization.redirect_uri
    members = dict(answer)
    if authorization.client_state is not None:
        members["state"] = authorization.client_state
    members["iss"] = issuer
    added = "&".join(f"{name}={quote(value, safe='')}" for name, value in members.items())
    return f"{uri}{'&' if '?' in uri else '?'}{added}"  # Not taken apart: an app's address keeps its very form.


def drafts_as_json(drafts: Sequence[OfferDraft]) -> bytes:
    """Drafts as they are kept until the code is redeemed."""
    return strict_json.dumps(
        [
            {
                "type": draft.type_name,
                "title": dict(draft.title),
                "recipient": draft.recipient,
                "claims": dict(draft.claims),
                "results": list(draft.result_ids),
            }
            for draft in drafts
        ]
    )


def drafts_from_json(data: bytes | None) -> tuple[OfferDraft, ...]:
    """The opposite of `drafts_as_json`; nothing for None."""
    found: list[Mapping[str, Any]] = [] if data is None else strict_json.loads(data)
    return tuple(
        OfferDraft(
            type_name=each["type"],
            title=each["title"],
            recipient=each["recipient"],
            claims=each["claims"],
            with_tx_code=False,
            result_ids=tuple(each["results"]),
        )
        for each in found
    )
