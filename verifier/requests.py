"""Requests: transactions, who asks, links and typeable codes. What a wallet fetches is made in `verifier.fetched`.

    identity = ClientIdentity.x509_hash(signer)
    transaction = new_transaction(Question.of(template), identity=identity, base_url="https://verifier.example", ...)
    link = request_link(transaction)                       # openid4vp://?client_id=..&request_uri=..

A transaction is one conversation with one wallet: one nonce, one state, one encryption key, one answer. It lives longer
than its request objects, because reading and deciding takes its time.

Source: OpenID4VP 1.0, sections 5, 8.2, 8.3 and 13.3; HAIP 1.0, section 5.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from proofs import base64url
from proofs.jose import generate_encryption_key
from proofs.keys import Signer
from proofs.request_object import (
    DECENTRALIZED_IDENTIFIER,
    did_key_id,
    x509_hash_client_id,
    x509_san_dns_client_id,
)
from schemas.consent import (
    LocalizedText,
)
from schemas.errors import ProtocolError
from schemas.presentation import RequestLink, ResponseMode
from verifier.queries import Question
from verifier.request_templates import InvalidTemplate

REQUEST_OBJECT_SECONDS: Final = 300
MAX_SERVED: Final = 10
CODE_SECONDS: Final = 15 * 60
RETURN_SECONDS: Final = 10 * 60

WITHDRAWALS_PATH: Final = "/withdrawals"
RECEIPTS_PATH: Final = "/receipts"
PERMISSIONS_PATH: Final = "/permissions"

CONTENT_ENCRYPTIONS: Final = ("A128GCM", "A256GCM")  # both, as HAIP 5 demands
KEY_AGREEMENT: Final = "ECDH-ES"
SUPPORTED_FORMATS: Final[Mapping[str, Any]] = {
    "dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]}
}

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LENGTH: Final = 10

RandomBytes = Callable[[int], bytes]

DIGITAL_PATH: Final = "/digital"
DigitalResponseMode = Literal["dc_api", "dc_api.jwt"]
_DIGITAL_MODES: Final[Mapping[ResponseMode, DigitalResponseMode]] = {
    "direct_post": "dc_api",
    "direct_post.jwt": "dc_api.jwt",
}

_THIS_MACHINE: Final = ("localhost", "127.0.0.1", "::1")
_USUAL_PORTS: Final[Mapping[str, str]] = {"https": ":443", "http": ":80"}

MAX_REFERENCE_CHARACTERS: Final = 100


class Kind(StrEnum):
    """Where the person answers: on another device (QR, command line), or in the browser that asked.

    There by a link that leads away and back, or by the browser's own channel (the Digital Credentials API).
    """

    CROSS_DEVICE = "cross_device"
    SAME_DEVICE = "same_device"
    DC_API = "dc_api"


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """As whom the verifier asks: the client identifier with its prefix, and the key that proves it.

    Without a signer requests are unsigned and each has an identifier of its own, its response address
    (`redirect_uri:`, OpenID4VP 5.9.3): nothing about the verifier is then proven.
    """

    client_id: str
    signer: Signer | None

    @classmethod
    def x509_hash(cls, signer: Signer) -> "ClientIdentity":
        """The hash of the leaf certificate as identifier; the only one that HAIP allows."""
        return cls(x509_hash_client_id(signer), signer)

    @classmethod
    def x509_san_dns(cls, signer: Signer, host: str) -> "ClientIdentity":
        """A DNS name of the leaf certificate as identifier."""
        return cls(x509_san_dns_client_id(signer, host), signer)

    @classmethod
    def decentralized_identifier(cls, signer: Signer, did: str) -> "ClientIdentity":
        """A DID as identifier, in whose document the signer's key stands."""
        return cls(f"{DECENTRALIZED_IDENTIFIER}:{did}", signer)

    @classmethod
    def unsigned(cls) -> "ClientIdentity":
        """No proven identity at all."""
        return cls("", None)

    @property
    def did(self) -> str:
        """The DID as which the verifier asks; empty when it asks as something else."""
        prefix, _, did = self.client_id.partition(":")
        return did if prefix == DECENTRALIZED_IDENTIFIER else ""

    @property
    def statement_signer(self) -> Signer | None:
        """Whose statements wallets can recognise later: by the certificate, which stands for the identifier.

        None as a DID, whose document may be another one by then, and where nothing is signed.
        """
        return None if self.did else self.signer

    def header_of_notice(self) -> dict[str, Any]:
        """How a notice names the key that signed it: as the request does."""
        assert self.signer is not None
        return {"kid": did_key_id(self.did, self.signer)} if self.did else {"x5c": list(self.signer.x5c)}

    def for_response_uri(self, response_uri: str) -> str:
        """The client identifier of a request that is answered there."""
        return self.client_id if self.signer is not None else f"redirect_uri:{response_uri}"


@dataclass(frozen=True, slots=True)
class Transaction:
    """One request as it was made. Nothing in it changes; what became of it is kept beside it.

    `id` is the verifier's own handle and never leaves it towards a wallet; `handle` is the public one, in the addresses
    that a wallet uses. `encryption_key` is a private JWK, None when answers come in clear. `binding` is a digest of the
    browser session that must come back (same device only; empty: whoever brings the response code).
    """

    id: str
    handle: str
    kind: Kind
    question: Question
    client_id: str
    request_uri: str
    response_uri: str
    response_mode: ResponseMode | DigitalResponseMode
    nonce: str
    state: str
    encryption_key: Mapping[str, str] | None
    code: str
    made_at: datetime
    code_expires_at: datetime
    expires_at: datetime
    retention_until: date
    binding: str = ""
    return_url: str = ""
    pair: str = ""

    def is_of(self, binding: str) -> bool:
        """Whether it was made for this very browser."""
        return bool(self.binding) and hmac.compare_digest(self.binding, binding)

    @property
    def origin(self) -> str:
        """The origin of our pages."""
        return web_origin(self.response_uri)

    @property
    def audience(self) -> str:
        """For whom presentations are made: our client identifier, or our origin where a browser brings them (A.4)."""
        return f"origin:{self.origin}" if self.kind is Kind.DC_API else self.client_id

    @property
    def recheck_until(self) -> date | None:
        """The last day of a standing permission that this request offers; None when it offers none."""
        return self.question.template.recheck_until(asked_on=self.made_at.date())


def web_origin(url: str) -> str:
    """The origin of a web address as browsers write it: in lower case, without the port that its scheme has anyway."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(_USUAL_PORTS.get(parts.scheme, ''))}"


@dataclass(frozen=True, slots=True)
class RequestTerms:
    """What is the same for all requests of a verifier: its address, its name, how answers come, how long it waits, and
    where its days begin (`time_zone`, an IANA name)."""

    base_url: str
    organisation: LocalizedText
    country: str
    response_mode: ResponseMode
    lifetime_seconds: int
    time_zone: str
    organisation_number: str = ""
    data_protection_contact: str = ""


def new_transaction(
    question: Question,
    *,
    kind: Kind,
    identity: ClientIdentity,
    terms: RequestTerms,
    now: datetime,
    random_bytes: RandomBytes,
    binding: str = "",
    return_url: str = "",
    pair: str = "",
) -> Transaction:
    """Make a transaction with fresh handles, nonce, state and encryption key.

    Raises `InvalidTemplate` when the retention date of the template has passed.
    """
    retention_until = question.template.retention_date(asked_on=now.date())
    if retention_until < now.date():
        raise InvalidTemplate("retention_until has passed")
    handle = base64url.encode(random_bytes(16))
    is_digital = kind is Kind.DC_API
    response_uri = f"{terms.base_url}{DIGITAL_PATH if is_digital else '/response'}/{handle}"
    key = None
    if terms.response_mode == "direct_post.jwt":
        key = generate_encryption_key(base64url.encode(random_bytes(16)))
    return Transaction(
        id=random_bytes(16).hex(),  # typed after a command, so that it must not begin with a hyphen
        handle=handle,
        kind=kind,
        question=question,
        client_id=f"origin:{web_origin(response_uri)}"
        if is_digital and identity.signer is None
        else identity.for_response_uri(response_uri),
        request_uri=f"{terms.base_url}/request/{handle}",
        response_uri=response_uri,
        response_mode=_DIGITAL_MODES[terms.response_mode] if is_digital else terms.response_mode,
        nonce=base64url.encode(random_bytes(32)),
        state=base64url.encode(random_bytes(32)),
        encryption_key=key,
        code=new_code(random_bytes),
        made_at=now,
        code_expires_at=now + timedelta(seconds=min(CODE_SECONDS, terms.lifetime_seconds)),
        expires_at=now + timedelta(seconds=terms.lifetime_seconds),
        retention_until=retention_until,
        binding=binding,
        return_url=return_url,
        pair=pair,
    )


def checked_reference(reference: str) -> str:
    """The reference on one line. Raises `InvalidReference` for one that is too long or holds control characters."""
    text = " ".join(reference.split())
    if len(text) > MAX_REFERENCE_CHARACTERS or not text.isprintable():
        raise InvalidReference(f"a reference has at most {MAX_REFERENCE_CHARACTERS} printable characters")
    return text


def check_return_url(url: str) -> None:
    """Raise `InvalidReturnURL` unless a browser may be sent there, by an address without a fragment."""
    if not is_browser_address(url) or "#" in url:
        raise InvalidReturnURL("the return address must be https, without a user name and a fragment")


def is_browser_address(url: str) -> bool:
    """Whether a browser may be sent there: by https, or by http on this machine.

    A name before an @ looks like the host and is none, and some read a backslash as a slash: neither is taken.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or "@" in parts.netloc or "\\" in url or not (url.isascii() and url.isprintable()) or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _THIS_MACHINE)


class InvalidReference(ProtocolError):
    """The own reference of a request cannot be used."""

    error = "invalid_reference"


class InvalidReturnURL(ProtocolError):
    """The address to return to cannot be used."""


class OnlySameDevice(ProtocolError):
    """This verifier keeps to HAIP: it makes no request whose answer leads back to no browser."""


# ---------------------------------------------------------------------------------------------------------------------
# Links and codes


def request_link(transaction: Transaction, *, by_post: bool = True) -> RequestLink:
    """The outer link by reference; `by_post` lets the wallet send a nonce of its own (5.10)."""
    return RequestLink(
        client_id=transaction.client_id,
        request_uri=transaction.request_uri,
        request_uri_method="post" if by_post else "get",
    )


def new_code(random_bytes: RandomBytes) -> str:
    """A code to type: 10 characters of Crockford's base 32, 50 random bits."""
    number = int.from_bytes(random_bytes(8), "big")
    return "".join(_CROCKFORD[(number >> (5 * place)) & 31] for place in range(_CODE_LENGTH))


def normal_code(typed: str) -> str:
    """What a person typed, in the form that `new_code` makes: case, spaces, hyphens and look-alikes forgiven.

    Returns an empty string for what cannot be a code.
    """
    text = typed.upper().translate(str.maketrans("OIL", "011", " -"))
    return text if len(text) == _CODE_LENGTH and all(one in _CROCKFORD for one in text) else ""


def typeable_code(transaction: Transaction, *, base_url: str) -> str:
    """The code with the address to type before it: `host/` or `host/prefix/`, in two groups of five."""
    parts = urlsplit(base_url)
    return f"{parts.netloc}{parts.path}/{transaction.code[:5]}-{transaction.code[5:]}"
