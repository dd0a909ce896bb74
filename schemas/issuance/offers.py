"""The credential offer and the links that carry it (OpenID4VCI 1.0, section 4.1)."""

from dataclasses import dataclass
from typing import Annotated, Literal, Self
from urllib.parse import parse_qs, quote, urlsplit

from pydantic import Field, model_validator

from schemas.errors import Malformed
from schemas.issuance.message import Message, NonEmpty

PRE_AUTHORIZED_CODE_GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
OFFER_SCHEME = "openid-credential-offer"


class TxCode(Message):
    """What the transaction code looks like, never its value. Its presence alone, even empty, demands one (4.1.1)."""

    input_mode: Literal["numeric", "text"] | None = None
    length: Annotated[int, Field(gt=0)] | None = None
    description: Annotated[str, Field(max_length=300)] | None = None


class PreAuthorizedGrant(Message):
    """The grant of the pre-authorized code flow."""

    pre_authorized_code: NonEmpty = Field(alias="pre-authorized_code")
    tx_code: TxCode | None = None
    authorization_server: str | None = None

    @property
    def wants_tx_code(self) -> bool:
        """Whether the person has to enter a transaction code."""
        return self.tx_code is not None


class AuthorizationCodeGrant(Message):
    """The grant of the authorization code flow."""

    issuer_state: str | None = None
    authorization_server: str | None = None


class Grants(Message):
    """The grants of an offer, by grant type."""

    pre_authorized: PreAuthorizedGrant | None = Field(default=None, alias=PRE_AUTHORIZED_CODE_GRANT)
    authorization_code: AuthorizationCodeGrant | None = None


class CredentialOffer(Message):
    """Which credentials an issuer offers, and under which grant."""

    credential_issuer: NonEmpty
    credential_configuration_ids: Annotated[list[NonEmpty], Field(min_length=1)]
    grants: Grants | None = None

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        if len(set(self.credential_configuration_ids)) != len(self.credential_configuration_ids):
            raise ValueError("credential_configuration_ids repeats a value")
        return self

    @property
    def pre_authorized(self) -> PreAuthorizedGrant | None:
        """The pre-authorized grant, if the offer has one."""
        return self.grants.pre_authorized if self.grants else None


@dataclass(frozen=True, slots=True)
class OfferLink:
    """An offer link taken apart: exactly one of the two is set."""

    credential_offer: str | None
    """The offer itself, as JSON text."""
    credential_offer_uri: str | None
    """Where the offer is to be fetched."""


def offer_link(*, uri: str, wallet: str = f"{OFFER_SCHEME}://") -> str:
    """The link (and QR text) that points a wallet to an offer by reference; `wallet` is its offer endpoint (4.1.3)."""
    return f"{wallet}?credential_offer_uri={quote(uri, safe='')}"


def offer_link_by_value(offer_json: str, *, wallet: str = f"{OFFER_SCHEME}://") -> str:
    """The link that carries an offer by value; `offer_json` is the compact JSON text of the offer (4.1.2)."""
    return f"{wallet}?credential_offer={quote(offer_json, safe='')}"


def parse_offer_link(link: str) -> OfferLink:
    """Take an offer link apart, whatever its scheme and host.

    Raises `Malformed` unless it has exactly one of `credential_offer` and `credential_offer_uri`, exactly once.
    """
    try:
        query = parse_qs(urlsplit(link.strip()).query, keep_blank_values=True, strict_parsing=False, max_num_fields=50)
    except ValueError as exc:
        raise Malformed("the offer link is not a URL") from exc
    offers, uris = query.get("credential_offer", []), query.get("credential_offer_uri", [])
    if len(offers) + len(uris) != 1 or not (offers or uris)[0]:
        raise Malformed("the offer link needs exactly one of credential_offer and credential_offer_uri")
    return OfferLink(offers[0] if offers else None, uris[0] if uris else None)
