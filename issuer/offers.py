"""Offers: what is offered to whom, the links that carry it, and the life of an offer.

An offer is one certificate for one person. Whoever has its code may collect it; or, when it is made `with_sign_in`,
the wallet brings its `issuer_state` to the authorization server and the person signs in
(`issuer/authorization/offered.py`). It is `offered`, `opened` when a wallet read it, `redeemed` when its code became an
access token, `collected` when copies were issued. It ends as `voided` by staff or `locked` after too many wrong
transaction codes. One that nobody collected can be offered again, which gives it new codes and makes the old ones void.
"""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import quote

from issuer.derivation import IssuerSecret
from proofs import strict_json
from schemas.errors import NotFound, Refused
from schemas.issuance import (
    AuthorizationCodeGrant,
    CredentialOffer,
    Grants,
    PreAuthorizedGrant,
    TxCode,
    offer_link,
    offer_link_by_value,
)
from schemas.learning.achievement import Record
from schemas.learning.completeness import Element
from schemas.learning.texts import in_language
from schemas.types import CredentialType, types_for

_MOST_NAMED = 10
_QUOTES_AND_ROWS = {"sv": ("”", "rad"), "en": ("“", "row")}
_TX_CODE_HINT = "Utfärdaren gav dig en kod för det här intyget. / The issuer gave you a code for this certificate."
"""One text for every wallet: an offer has no language (OpenID4VCI 4.1.1). Most who read it read Swedish."""


class OfferState(StrEnum):
    """Where an offer stands, as staff see it. `EXPIRED` follows from the time, the others are stored."""

    OFFERED = "offered"
    OPENED = "opened"
    REDEEMED = "redeemed"
    COLLECTED = "collected"
    VOIDED = "voided"
    LOCKED = "locked"
    EXPIRED = "expired"


CAN_BE_REDEEMED = frozenset({OfferState.OFFERED, OfferState.OPENED})


class NoSuchOffer(NotFound):
    """There is no offer here, or it is no longer open."""


class CannotOfferAgain(Refused):
    """A certificate that was collected cannot be offered again: revoke it and make a new offer."""


class OfferedMeanwhile(Refused):
    """Somebody else, or another window, has offered the same since the page was shown."""

    error = "offered_meanwhile"


class IncompleteRecords(Refused):
    """Records lack elements that the type demands. `lacking` pairs each of them with the codes of these elements."""

    error = "incomplete_records"

    def __init__(self, credential_type: CredentialType, lacking: Sequence[tuple[Record, Sequence[str]]]) -> None:
        self.credential_type = credential_type
        self.lacking = tuple((record, tuple(codes)) for record, codes in lacking)
        element = credential_type.element
        shown = "; ".join(
            f"{named_record(record)} lacks {', '.join(named_element(element(code)) for code in codes)}"
            for record, codes in self.lacking[:_MOST_NAMED]
        )
        more = f"; and {len(self.lacking) - _MOST_NAMED} more" if len(self.lacking) > _MOST_NAMED else ""
        missing = dict.fromkeys(code for _, codes in self.lacking for code in codes)
        supply = " ".join(f"{code}: {element(code).supply['en']}" for code in missing)
        super().__init__(f"A {credential_type.name} cannot be made: {shown}{more}. {supply}")


class UnsuitableRecords(Refused):
    """Certificates of this type are not made of such records."""

    error = "unsuitable_records"

    def __init__(self, credential_type: CredentialType, record: Record) -> None:
        fitting = ", ".join(types_for(record))
        super().__init__(f"A {credential_type.name} is not made of such records. What they can become is: {fitting}.")


def named_record(record: Record, language: str = "en") -> str:
    """What a record is found by: course code and title, without the person's name; its row when it has neither."""
    title = in_language(record.title, language)
    left, row = _QUOTES_AND_ROWS[language]
    parts = (record.code or "", f"{left}{title}”" if title else "")
    return " ".join(part for part in parts if part) or f"{row} {record.id}"


def named_element(element: Element) -> str:
    """An element by its English name and its code."""
    return f"{element.name['en']} ({element.code})"


@dataclass(frozen=True, slots=True)
class OfferDraft:
    """An offer to be made. `title` maps languages to texts; `claims` is the plain claim tree of the type."""

    type_name: str
    title: Mapping[str, str]
    recipient: str
    claims: Mapping[str, Any]
    with_tx_code: bool
    result_ids: tuple[str, ...] = ()
    with_sign_in: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer as staff see it. Nothing in it lets anybody collect."""

    id: str
    type_name: str
    title: Mapping[str, str]
    recipient: str
    created_at: datetime
    expires_at: datetime
    state: OfferState
    state_at: datetime
    generation: int
    tx_code_length: int
    tries_left: int
    typeable_series: int = 0
    typeable_until: datetime | None = None
    certificate_id: str | None = None
    result_ids: tuple[str, ...] = ()
    with_sign_in: bool = False

    @property
    def has_tx_code(self) -> bool:
        """Whether the person needs a transaction code to collect."""
        return self.tx_code_length > 0

    @property
    def is_open(self) -> bool:
        """Whether a wallet can still begin to collect it."""
        return self.state in CAN_BE_REDEEMED

    @property
    def can_be_offered_again(self) -> bool:
        """Whether nobody has collected it."""
        return self.state is not OfferState.COLLECTED


@dataclass(frozen=True, slots=True)
class OfferLinks:
    """Every way to hand over an offer. `tx_code` goes by another channel than the rest (OpenID4VCI 4.1.1).

    `offer` is the whole `openid-credential-offer://` link and the text of the QR code, `offer_https` the page for
    people, `by_value` the link that carries the offer itself, `typed` what can be typed into a wallet (`host/CODE`).
    """

    offer: str
    offer_https: str
    by_value: str
    uri: str
    tx_code: str | None = field(repr=False)
    typed: str | None = None


@dataclass(frozen=True, slots=True)
class OfferCodes:
    """What the store keeps of a generation of an offer: only digests are written."""

    code: str = field(repr=False)
    issuer_state: str = field(repr=False)
    reference: str = field(repr=False)
    typeable: str | None = field(repr=False)


class OfferBook(Protocol):
    """Where offers are kept."""

    def create(
        self,
        drafts: Sequence[OfferDraft],
        *,
        now: datetime,
        once: str = "",
        unless: Callable[[Sequence[Offer]], bool] | None = None,
    ) -> list[Offer]:
        """Keep these offers, all or none: none when the form `once` was used before.

        Raises `OfferedMeanwhile` when `unless` says so of the earlier offers to the same people.
        """
        ...

    def to_recipients(self, recipients: Collection[str], *, now: datetime) -> list[Offer]:
        """Every offer to somebody of these names, newest first."""
        ...

    def void_each(self, offer_ids: Sequence[str], *, now: datetime) -> int:
        """Make those of these offers worthless that nobody has begun to collect; returns how many that were."""
        ...


def draft_offer(
    credential_type: CredentialType,
    records: Sequence[Record],
    *,
    with_tx_code: bool,
    with_sign_in: bool = False,
    result_ids: Sequence[str] = (),
) -> OfferDraft:
    """The draft of one certificate made of these records.

    Raises `Incomplete` when a demanded element is missing, `Refused` when the records do not belong together.
    """
    claims = credential_type.claims_from(records)
    return OfferDraft(
        type_name=credential_type.name,
        title=credential_type.titles(claims),
        recipient=records[0].learner.name,
        claims=claims,
        with_tx_code=with_tx_code,
        with_sign_in=with_sign_in,
        result_ids=tuple(result_ids),
    )


def set_incomplete_aside(
    credential_type: CredentialType, records: Sequence[Record]
) -> tuple[list[Record], list[tuple[Record, tuple[str, ...]]]]:
    """The records that have everything the type demands; and the others, with the codes of what they lack.

    Raises `UnsuitableRecords` when the type is not made of such records.
    """
    complete, lacking = [], []
    for record in records:
        if not credential_type.suits(record):
            raise UnsuitableRecords(credential_type, record)
        missing = credential_type.completeness(record).missing_demanded
        if missing:
            lacking.append((record, tuple(missing)))
        else:
            complete.append(record)
    return complete, lacking


def draft_offers(
    credential_type: CredentialType,
    records: Sequence[Record],
    *,
    with_tx_code: bool,
    with_sign_in: bool = False,
    result_ids: Sequence[str] = (),
) -> list[OfferDraft]:
    """Drafts for everything in these records: one each, or one per person and awarding body, as the type takes
    them. `result_ids` names the kept results that they were read from, in the same order, or is empty.

    Raises `IncompleteRecords` naming every record that lacks a demanded element, `UnsuitableRecords` when the type is
    not made of such records; then there are no drafts at all.
    """
    _, lacking = set_incomplete_aside(credential_type, records)
    if lacking:
        raise IncompleteRecords(credential_type, lacking)
    groups: dict[tuple[str, ...], list[int]] = {}
    for position, record in enumerate(records):
        body = record.awarding_body.model_dump_json() if record.awarding_body else ""
        together = (record.learner.model_dump_json(), body)
        groups.setdefault((str(position),) if credential_type.takes == "one" else together, []).append(position)
    return [
        draft_offer(
            credential_type,
            [records[position] for position in group],
            with_tx_code=with_tx_code,
            with_sign_in=with_sign_in,
            result_ids=[result_ids[position] for position in group] if result_ids else (),
        )
        for group in groups.values()
    ]


def new_id() -> str:
    """A fresh identifier: 16 characters, some 95 random bits, without meaning.

    It never begins with a hyphen, so that a command does not take it for an option.
    """
    while (made := secrets.token_urlsafe(12)).startswith("-"):
        pass
    return made


def codes_of(secret: IssuerSecret, *, offer_id: str, generation: int, typeable_series: int | None) -> OfferCodes:
    """The codes of one generation; `typeable_series` is None for an offer that may not be typed."""
    return OfferCodes(
        code=secret.pre_authorized_code(offer_id, generation),
        issuer_state=secret.issuer_state(offer_id, generation),
        reference=secret.offer_reference(offer_id, generation),
        typeable=None if typeable_series is None else secret.typeable_code(offer_id, generation, typeable_series),
    )


def credential_offer(offer: Offer, *, issuer: str, secret: IssuerSecret) -> CredentialOffer:
    """The offer object that a wallet reads: the pre-authorized code, never the transaction code; or, for an offer with
    a sign-in, its `issuer_state` and no code (OpenID4VCI 4.1.1)."""
    if offer.with_sign_in:
        state = secret.issuer_state(offer.id, offer.generation)
        return CredentialOffer(
            credential_issuer=issuer,
            credential_configuration_ids=[offer.type_name],
            grants=Grants(authorization_code=AuthorizationCodeGrant(issuer_state=state)),
        )
    hint = None
    if offer.has_tx_code:
        hint = TxCode(input_mode="numeric", length=offer.tx_code_length, description=_TX_CODE_HINT)
    code = secret.pre_authorized_code(offer.id, offer.generation)
    grant = PreAuthorizedGrant(pre_authorized_code=code, tx_code=hint)
    return CredentialOffer(
        credential_issuer=issuer,
        credential_configuration_ids=[offer.type_name],
        grants=Grants(pre_authorized=grant),
    )


def offer_page(uri: str, *, issuer: str) -> str:
    """The page for people of the offer at this address."""
    return f"{issuer}/offer?credential_offer_uri={quote(uri, safe='')}"


def links_of(offer: Offer, *, issuer: str, secret: IssuerSecret, now: datetime) -> OfferLinks:
    """The links and codes of an open offer; `issuer` is the public URL.

    Raises `NoSuchOffer` when it is no longer open.
    """
    if not offer.is_open:
        raise NoSuchOffer("this offer is no longer open")
    uri = f"{issuer}/offers/{secret.offer_reference(offer.id, offer.generation)}"
    by_value = strict_json.dumps(credential_offer(offer, issuer=issuer, secret=secret).as_json()).decode()
    tx_code = None
    if offer.has_tx_code:
        tx_code = secret.transaction_code(offer.id, offer.generation, length=offer.tx_code_length)
    typed = None
    if offer.typeable_until is not None and now < offer.typeable_until:
        code = secret.typeable_code(offer.id, offer.generation, offer.typeable_series)
        typed = f"{issuer.partition('://')[2]}/{code[:5]}-{code[5:]}"
    return OfferLinks(
        offer=offer_link(uri=uri),
        offer_https=offer_page(uri, issuer=issuer),
        by_value=offer_link_by_value(by_value),
        uri=uri,
        tx_code=tx_code,
        typed=typed,
    )


def state_now(stored: OfferState, *, expires_at: datetime, token_until: datetime | None, now: datetime) -> OfferState:
    """What a stored state means now: what can no longer be collected, and was not, has expired."""
    if stored in CAN_BE_REDEEMED and now >= expires_at:
        return OfferState.EXPIRED
    if stored is OfferState.REDEEMED and (token_until is None or now >= token_until):
        return OfferState.EXPIRED
    return stored
