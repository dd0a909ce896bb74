"""Is this a request that a person can be asked about? From the bytes as fetched to a `CheckedRequest`, or a fault.

    checked = check_request(fetched, trust=trust, now=now)
    checked.identity.level, checked.request.response_uri, checked.query

Steps, each repeated as a comment where it is taken:

1. still in time
2. who: the request object is signed as its client identifier demands, for a wallet, with our `wallet_nonce`; inner and
   outer identifier are the same
3. the parameters, and the rules between them
4. where to: the response URI belongs to the identifier
5. the formats and the query
6. the key for an encrypted answer, and what the person is asked to confirm besides
7. the notice, and what the sender has registered to ask for: no fault of theirs stops a request, the person is told

A request is checked again each time a page shows it: trust may have been withdrawn, and time passes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import log2
from string import digits
from typing import Any
from urllib.parse import urlsplit

from proofs import jose, strict_json
from proofs.dates import read_optional_date
from proofs.request_object import (
    MAX_REQUEST_BYTES,
    AuthenticatedRequest,
    VerifierIdentity,
    check_request_object,
    check_unsigned_request,
)
from proofs.transaction_data import decode_transaction_data
from proofs.trust import TrustEntry, TrustList
from schemas.dcql import Query, parse_query
from schemas.errors import ProtocolError
from schemas.presentation import (
    DECLARATION_TYPE,
    AuthorizationRequest,
    RequestLink,
    VPFormatsNotSupported,
    parameters_from_strings,
    split_client_id,
)
from wallet.hosts import host_of
from wallet.requests.answer_key import AnswerKey, choose_answer_key, key_for_error
from wallet.requests.declarations import AskedDeclaration, read_declarations
from wallet.requests.faults import ErrorAddress, ImproperRequest, RequestExpired, RequestFault
from wallet.requests.links import link_as_json, link_from_json
from wallet.requests.notice import StatedNotice, read_notice
from wallet.requests.registration import Registration, read_registration

FORMATS = frozenset({"dc+sd-jwt"})
ALGORITHMS = frozenset({"ES256"})
SKEW = timedelta(seconds=60)

# A request by value carries no end; we let the person take this long over it.
LIFETIME_WITHOUT_END = timedelta(minutes=30)
LONGEST_LIFETIME = timedelta(days=30)
"""A request that says it lives longer ends then, all the same: nothing is kept open for years."""

# OpenID4VP recommends 128 bits. Peers send less; what somebody could guess is refused.
_SHORTEST_NONCE = 10
_LONGEST_VALUE = 4_096
_STATE_BITS = 128
_FEW_CHARACTERS = (frozenset(digits), frozenset(digits + "abcdef"), frozenset(digits + "ABCDEF"))
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class FetchedRequest:
    """A request as it came: the link, and the request object when there is one. Nothing in it is believed.

    `registration_status` is what the registrar's list said then of a registration certificate in it; empty when it was
    not asked. `did_document` is the document of the sender's DID as it was then, None where none is needed.
    """

    link: RequestLink
    request_object: str
    wallet_nonce: str | None
    fetched_at: datetime
    registration_status: str = ""
    did_document: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The request as it rests between two screens."""
        return {
            "link": link_as_json(self.link),
            "request_object": self.request_object,
            "wallet_nonce": self.wallet_nonce,
            "fetched_at": self.fetched_at.timestamp(),
            "registration_status": self.registration_status,
            "did_document": self.did_document,
        }

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> "FetchedRequest":
        """The request as it was before `as_json`."""
        return cls(
            link=link_from_json(members["link"]),
            request_object=members["request_object"],
            wallet_nonce=members["wallet_nonce"],
            fetched_at=datetime.fromtimestamp(members["fetched_at"], UTC),
            registration_status=members.get("registration_status", ""),
            did_document=members.get("did_document"),
        )


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """A request that can be put before a person. Only `check_request` makes it.

    `fetched` is what it was read from, `checked_at` the time that its dates were held against, and `vouched_by` the
    entries of the trust list that it came to: with these three the same check comes to the same again.
    """

    fetched: FetchedRequest
    checked_at: datetime
    vouched_by: tuple[TrustEntry, ...]
    request: AuthorizationRequest
    query: Query
    identity: VerifierIdentity
    stated: StatedNotice | None
    registration: Registration
    answer_key: AnswerKey | None
    expires_at: datetime
    declarations: tuple[AskedDeclaration, ...] = ()

    @property
    def asked_at(self) -> datetime:
        """When it was fetched."""
        return self.fetched.fetched_at

    @property
    def answer_host(self) -> str:
        """The host that an answer goes to."""
        return host_of(self.request.response_uri)

    @property
    def is_proven(self) -> bool:
        """Whether the sender has proven who it is, to somebody whom this wallet trusts."""
        return self.identity.level != "unproven"


def check_request(fetched: FetchedRequest, *, trust: TrustList, now: datetime) -> CheckedRequest:
    """Check a fetched request. Raises `RequestFault`, or `RequestExpired`."""
    tell: ErrorAddress | None = None
    try:
        expires_at = _expiry(fetched, now=now)  # 1.
        sender = _authenticate(fetched, trust=trust, now=now)  # 2.
        _check_wallet_nonce(sender, fetched)
        tell = _error_address(sender)
        request = AuthorizationRequest.from_parameters(  # 3.
            sender.parameters,
            known_transaction_types=(DECLARATION_TYPE,),
            decode_object=decode_transaction_data,
        )
        _check_values(request)
        _check_response_uri(request, sender.identity)  # 4.
        query = _check_query(request)  # 5.
        answer_key = choose_answer_key(request)  # 6.
        declarations = read_declarations(request, query)
    except RequestExpired:
        raise
    except ProtocolError as exc:
        raise RequestFault(exc, tell=tell) from exc
    stated = read_notice(request, signing_jwk=sender.signing_jwk)  # 7.
    registration = read_registration(
        request, query, sender=sender, trust=trust, status=fetched.registration_status, now=now
    )
    vouching = {sender.identity.trust_entry_id, registration.trust_entry_id} - {""}
    return CheckedRequest(
        fetched=fetched,
        checked_at=now,
        vouched_by=tuple(entry for entry in trust.entries if entry.id in vouching) if vouching else (),
        request=request,
        query=query,
        identity=sender.identity,
        stated=stated,
        registration=registration,
        answer_key=answer_key,
        expires_at=expires_at,
        declarations=declarations,
    )


def _authenticate(fetched: FetchedRequest, *, trust: TrustList, now: datetime) -> AuthenticatedRequest:
    client_id = fetched.link.client_id
    if fetched.request_object:
        return check_request_object(
            fetched.request_object,
            expected_client_id=client_id,
            trust=trust,
            now=now,
            did_document=fetched.did_document,
        )
    parameters = parameters_from_strings(fetched.link.parameters or {}, loads=strict_json.loads)
    return check_unsigned_request(parameters, expected_client_id=client_id)


def _expiry(fetched: FetchedRequest, *, now: datetime) -> datetime:
    """When the request ends. Read before the signature: one that has ended is not judged any further.

    Raises `RequestExpired` when that is past.
    """
    end = fetched.fetched_at + LIFETIME_WITHOUT_END
    if fetched.request_object:
        claims = strict_json.loads_object(jose.parse_jws(fetched.request_object).payload, max_bytes=MAX_REQUEST_BYTES)
        stated = read_optional_date(claims, "exp")
        end = min(stated, fetched.fetched_at + LONGEST_LIFETIME) + SKEW if stated is not None else end
    if now >= end:
        raise RequestExpired
    return end


def _check_wallet_nonce(sender: AuthenticatedRequest, fetched: FetchedRequest) -> None:
    if fetched.wallet_nonce is not None and sender.parameters.get("wallet_nonce") != fetched.wallet_nonce:
        raise ImproperRequest("The request object does not return the wallet_nonce")  # 5.10.1: terminate


def _error_address(sender: AuthenticatedRequest) -> ErrorAddress | None:
    """Where later faults may be told: to a proven sender only, at an address that belongs to it."""
    uri, state = sender.parameters.get("response_uri"), sender.parameters.get("state")
    if sender.identity.level == "unproven" or not isinstance(uri, str) or not host_of(uri):
        return None
    if not _belongs(uri, sender.client_id, sender.identity):
        return None
    return ErrorAddress(uri, state if isinstance(state, str) else None, key_for_error(sender.parameters))


def _check_values(request: AuthorizationRequest) -> None:
    if not _SHORTEST_NONCE <= len(request.nonce) <= _LONGEST_VALUE:
        raise ImproperRequest("The nonce is too short to be unguessable, or too long")
    if request.state is not None and len(request.state) > _LONGEST_VALUE:
        raise ImproperRequest("The state is too long")


def _check_response_uri(request: AuthorizationRequest, identity: VerifierIdentity) -> None:
    uri = request.response_uri
    if len(uri) > _LONGEST_VALUE or not _VISIBLE_ASCII.fullmatch(uri) or "#" in uri:
        raise ImproperRequest("The response_uri is not a usable address")
    if not _belongs(uri, request.client_id, identity):
        raise ImproperRequest("The response_uri does not belong to the client identifier")


def _belongs(uri: str, client_id: str, identity: VerifierIdentity) -> bool:
    """Whether answers may go to `uri` for this identifier (5.9.3). For `redirect_uri:` the two were compared before.

    For `x509_san_dns` the name must be equal even where the sender is on a trust list, which the specification would
    let us waive. For `x509_hash` it leaves the address free: the page then says where the answer goes.
    """
    prefix, original = split_client_id(client_id)
    try:
        host = (urlsplit(uri).hostname or "").casefold()
    except ValueError:
        return False
    return prefix != "x509_san_dns" or host == original.casefold()


def _check_query(request: AuthorizationRequest) -> Query:
    query = parse_query(request.dcql_query)
    if not any(credential.format in FORMATS for credential in query.credentials):
        raise VPFormatsNotSupported
    supported = request.client_metadata.vp_formats_supported
    if supported is not None:
        usable = [members for name, members in supported.items() if name in FORMATS]
        if not any(_takes_ours(members) for members in usable):
            raise VPFormatsNotSupported("The formats and algorithms of client_metadata are none of ours")
    if query.needs_state and not _may_be_unguessable(request.state or ""):
        raise ImproperRequest("A query for proofs without holder binding needs a state of 128 bits or more")
    return query


def _may_be_unguessable(state: str) -> bool:
    """Whether a `state` can hold 128 bits (section 5.3), as far as its length and its characters tell.

    How it was drawn cannot be seen here. Without holder binding it alone ties an answer to its request.
    """
    characters = next((len(some) for some in _FEW_CHARACTERS if some.issuperset(state)), 64)  # 64: base64url
    return len(state) * log2(characters) >= _STATE_BITS


def _takes_ours(members: Mapping[str, Any]) -> bool:
    for name in ("sd-jwt_alg_values", "kb-jwt_alg_values"):
        values = members.get(name)
        if (
            isinstance(values, list)
            and values
            and not ALGORITHMS & {value for value in values if isinstance(value, str)}
        ):
            return False
    return True
