"""From a link to who offers what: the offer, the issuer's metadata and its authorization server, which must fit.

    offered = await learn_offer(arrival, web=web, languages="sv, en")
    offered.issuer, offered.items, offered.wants_tx_code

Nothing that could be spent is sent: no code, no token. What is read here is untrusted text until a certificate arrives.
Source: OpenID4VCI 1.0, sections 4.1, 12.2 and 12.3; RFC 8414, section 3.
"""

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from proofs import strict_json
from schemas.errors import ProtocolError
from schemas.issuance import (
    FORMAT_SD_JWT_VC,
    PRE_AUTHORIZED_CODE_GRANT,
    PROOF_TYPE_ATTESTATION,
    PROOF_TYPE_JWT,
    AuthorizationServerMetadata,
    CredentialConfiguration,
    CredentialOffer,
    Grants,
    IssuerMetadata,
    TxCode,
    authorization_server_metadata_url,
    credential_issuer_metadata_url,
    parse_offer_link,
)
from wallet.display import display_texts, without_pictures
from wallet.links import Arrival, ArrivalKind, UnreadableLink, read_arrival
from wallet.web import HostUnreachable, Reply, Unreachable, Web

LARGEST_OFFER = 100_000
LARGEST_METADATA = 2_000_000
MOST_ITEMS = 20
MOST_SERVERS = 5
_BETWEEN_DIGITS = re.compile(r"[\s\u2010-\u2015-]+")


class OfferUnusable(ProtocolError):
    """The offer or the issuer's metadata does not follow the protocol, or asks for what this wallet cannot do.

    `reason` is stable and machine readable; pages turn it into a sentence.
    """

    error = "invalid_credential_offer"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class IsARequest(ProtocolError):
    """The link or code is not about an offer: somebody asks to be shown something. `query` is the request link's."""

    error = "is_a_request"

    def __init__(self, query: str) -> None:
        super().__init__("this is a request, not an offer")
        self.query = query


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer with what is needed to collect it. `raw_displays` keeps the issuer's words for the card."""

    offer: CredentialOffer
    metadata: IssuerMetadata
    authorization_server: AuthorizationServerMetadata
    raw_displays: Mapping[str, Mapping[str, Any]]

    @property
    def issuer(self) -> str:
        """The credential issuer identifier."""
        return self.offer.credential_issuer

    @property
    def items(self) -> list[tuple[str, CredentialConfiguration]]:
        """What is offered, in the order of the offer."""
        supported = self.metadata.credential_configurations_supported
        return [(name, supported[name]) for name in self.offer.credential_configuration_ids]

    def scopes(self, names: Collection[str]) -> list[str] | None:
        """The scopes that stand for these configurations, each once; None when one of them has none (5.1.2)."""
        found = [configuration.scope for name, configuration in self.items if name in names]
        return list(dict.fromkeys(scope for scope in found if scope)) if all(found) else None

    @property
    def tx_code(self) -> TxCode | None:
        """What the transaction code looks like, when there is one."""
        return self.offer.pre_authorized.tx_code if self.offer.pre_authorized is not None else None

    def read_tx_code(self, written: str) -> str | None:
        """The transaction code in what somebody wrote; None when it does not look like the offer says.

        A code that cannot be right must not be sent: the issuer counts every try. Digits may be written in groups.
        """
        code, form = written.strip(), self.tx_code or TxCode()
        if form.input_mode != "text":
            code = _BETWEEN_DIGITS.sub("", code)
            if not (code.isascii() and code.isdigit()):
                return None
        return code if code and form.length in (None, len(code)) else None

    @property
    def wants_sign_in(self) -> bool:
        """Whether the person has to sign in at the source: the offer brings no code of its own."""
        return self.offer.pre_authorized is None

    @property
    def wants_tx_code(self) -> bool:
        """Whether the person has to enter a transaction code."""
        return self.offer.pre_authorized is not None and self.offer.pre_authorized.wants_tx_code


async def learn_offer(arrival: Arrival, *, web: Web, languages: str, allow_loopback: bool) -> Offered:
    """Fetch the offer if need be, then the metadata that it names. Raises `OfferUnusable` or `Unreachable`."""
    offer = await _offer(arrival, web=web, languages=languages, allow_loopback=allow_loopback)
    return await learn_issuer(offer, web=web, languages=languages)


async def learn_issuer(offer: CredentialOffer, *, web: Web, languages: str) -> Offered:
    """The metadata of the issuer and the authorization server that an offer names, which must fit."""
    if len(offer.credential_configuration_ids) > MOST_ITEMS:
        raise OfferUnusable("malformed", "the offer names too many credentials")
    metadata, raw = await _issuer_metadata(offer, web=web, languages=languages)
    server = await _authorization_server(offer, metadata, web=web, languages=languages)
    return Offered(offer=offer, metadata=metadata, authorization_server=server, raw_displays=raw)


async def learn_metadata(offer: CredentialOffer, *, web: Web, languages: str) -> IssuerMetadata:
    """What the issuer of an offer says of itself now. Raises `OfferUnusable`, `Unreachable`."""
    metadata, _ = await _issuer_metadata(offer, web=web, languages=languages)
    return metadata


async def learn_types(issuer: str, vcts: Collection[str], *, web: Web, languages: str) -> Offered:
    """What an issuer says about issuing these types, as if it had offered those that it has, with a sign-in.

    Raises `OfferUnusable` (`not_issued_there` when it has none of them), `Unreachable`.
    """
    probe = CredentialOffer(credential_issuer=issuer, credential_configuration_ids=["?"])
    document = await _issuer_document(probe, web=web, languages=languages)
    supported = document.get("credential_configurations_supported")
    named: dict[str, str] = {}
    for name, configuration in supported.items() if isinstance(supported, dict) else ():
        if not name or not isinstance(configuration, dict) or configuration.get("format") != FORMAT_SD_JWT_VC:
            continue  # The same type may be there in other formats as well.
        if isinstance(vct := configuration.get("vct"), str):
            named.setdefault(vct, name)
    wanted = [named[vct] for vct in dict.fromkeys(vcts) if vct in named]
    if not wanted:
        raise OfferUnusable("not_issued_there", "the issuer does not issue this type")
    offer = CredentialOffer(credential_issuer=issuer, credential_configuration_ids=wanted)
    return await learn_issuer(offer, web=web, languages=languages)


async def _offer(arrival: Arrival, *, web: Web, languages: str, allow_loopback: bool) -> CredentialOffer:
    if arrival.kind is ArrivalKind.REQUEST:
        raise IsARequest(arrival.query)
    if arrival.fetch_url is None:
        return _read_offer((parse_offer_link(arrival.text).credential_offer or "").encode())
    is_code = arrival.kind is ArrivalKind.CODE
    try:
        body = await _offer_body(arrival.fetch_url, is_code=is_code, web=web, languages=languages)
    except Unreachable as exc:
        if is_code and exc.reason == Unreachable.reason:
            raise HostUnreachable(str(exc)) from exc
        raise
    if is_code and (link := _linked(_loads(body))) is not None:
        further = _read_link(link, allow_loopback=allow_loopback)
        if further.kind is ArrivalKind.CODE:
            raise OfferUnusable("malformed", "the answer to the code is another code")
        return await _offer(further, web=web, languages=languages, allow_loopback=allow_loopback)
    return _read_offer(body)


async def _offer_body(url: str, *, is_code: bool, web: Web, languages: str) -> bytes:
    reply = await web.get(url, accept="application/json", languages=languages, max_bytes=LARGEST_OFFER)
    if reply.status in (400, 404, 410):
        raise OfferUnusable("code_unknown" if is_code else "offer_gone", "there is no offer at this address")
    return _json_body(reply)


def _linked(answer: Mapping[str, Any]) -> str | None:
    """The link in the answer to a typed code, when it is not the offer itself."""
    return next((link for name in ("offer", "request", "link") if isinstance(link := answer.get(name), str)), None)


def _read_link(link: str, *, allow_loopback: bool) -> Arrival:
    try:
        return read_arrival(link, allow_loopback=allow_loopback)
    except UnreadableLink as exc:
        raise OfferUnusable("malformed", "the answer to the code is not a link") from exc


def read_kept_offer(issuer: object, metadata: object, server: object, displays: object) -> Offered:
    """What an issuer said of itself, as somebody else kept it (`wallet.carried`): nothing in it is believed more than
    what comes over the network. Raises `Malformed`, `OfferUnusable`."""
    if not isinstance(metadata, dict) or not isinstance(server, dict) or not isinstance(displays, dict):
        raise OfferUnusable("malformed", "what an issuer says of itself is an object")
    supported = metadata.get("credential_configurations_supported")
    names = list(supported) if isinstance(supported, dict) else []
    if not 0 < len(names) <= MOST_ITEMS or set(displays) != set(names):
        raise OfferUnusable("malformed", "what is issued is not named, or too much")
    offer = CredentialOffer.read({"credential_issuer": issuer, "credential_configuration_ids": names})
    read, _ = _read_metadata(offer, dict(metadata))
    shown = {name: without_pictures({"credential_metadata": displays[name]})[1] for name in names}
    known = AuthorizationServerMetadata.read(server)
    if read.credential_issuer != offer.credential_issuer or known.issuer not in _possible_servers(offer, read):
        raise OfferUnusable("server_mismatch", "the metadata are not of this issuer and its authorization server")
    addresses = [(one, offer.credential_issuer) for one in (offer.credential_issuer, *_endpoints(read))]
    addresses += [(one, known.issuer) for one in (known.issuer, *_endpoints(known))]
    if known.token_endpoint is None or not all(_is_address(one, of=owner) for one, owner in addresses):
        raise OfferUnusable("malformed", "an address is none that may be asked")
    return Offered(offer=offer, metadata=read, authorization_server=known, raw_displays=shown)


def _endpoints(metadata: IssuerMetadata | AuthorizationServerMetadata) -> list[str]:
    return [value for name, value in metadata.as_json().items() if name.endswith(("_endpoint", "_uri"))]


def _read_offer(body: bytes) -> CredentialOffer:
    try:
        document = strict_json.loads_object(body, max_bytes=LARGEST_OFFER)
        offer = CredentialOffer.read(document)
    except ProtocolError as exc:
        raise OfferUnusable("malformed", "the credential offer is malformed") from exc
    if document.get("grants") and offer.grants == Grants():
        # 4.1.1: only where no grant is named does the wallet choose one by the metadata of the server.
        raise OfferUnusable("grant_not_supported", "the offer has no grant that this wallet knows")
    return offer


async def _issuer_metadata(
    offer: CredentialOffer, *, web: Web, languages: str
) -> tuple[IssuerMetadata, dict[str, Mapping[str, Any]]]:
    return _read_metadata(offer, await _issuer_document(offer, web=web, languages=languages))


def _read_metadata(
    offer: CredentialOffer, document: dict[str, Any]
) -> tuple[IssuerMetadata, dict[str, Mapping[str, Any]]]:
    """What a document says of the offered credentials; it is changed. Raises `OfferUnusable`."""
    supported = document.get("credential_configurations_supported")
    if not isinstance(supported, dict):
        raise OfferUnusable("malformed", "the issuer's metadata lists no credentials")
    wanted: dict[str, Any] = {}
    displays: dict[str, Mapping[str, Any]] = {}
    for name in offer.credential_configuration_ids:
        if not isinstance(supported.get(name), dict):
            raise OfferUnusable("unknown_configuration", "the issuer does not list what it offers")
        wanted[name], displays[name] = without_pictures(_with_known_proofs(supported[name]))
    # Only what is offered is read: a peer's other configurations may be of formats that this wallet has never met.
    document["credential_configurations_supported"] = wanted
    document["display"] = display_texts(document.get("display"))
    if not _is_batch(document.get("batch_credential_issuance")):
        document.pop("batch_credential_issuance", None)
    try:
        metadata = IssuerMetadata.read(document)
    except ProtocolError as exc:
        raise OfferUnusable("malformed", str(exc)) from exc
    return metadata, displays


def _with_known_proofs(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration without the proof types that this wallet does not know: what stands there is theirs (12.2.4)."""
    types = configuration.get("proof_types_supported")
    if not isinstance(types, dict):
        return dict(configuration)
    known = {name: types[name] for name in (PROOF_TYPE_JWT, PROOF_TYPE_ATTESTATION) if name in types}
    return {**configuration, "proof_types_supported": known}


def _is_batch(value: object) -> bool:
    """Whether an issuer offers batches; peers write a size of one where they mean that they do not."""
    size = value.get("batch_size") if isinstance(value, dict) else None
    return type(size) is int and size >= 2


async def _issuer_document(offer: CredentialOffer, *, web: Web, languages: str) -> dict[str, Any]:
    try:
        url = credential_issuer_metadata_url(offer.credential_issuer)
    except ProtocolError as exc:
        raise OfferUnusable("malformed", "the credential issuer is not a web address") from exc
    reply = await web.get(url, accept="application/json", languages=languages, max_bytes=LARGEST_METADATA)
    document = _loads(_json_body(reply), largest=LARGEST_METADATA)
    # 12.2.4: simple string comparison, so that one host's document cannot speak for another issuer (I-57).
    if document.get("credential_issuer") != offer.credential_issuer:
        raise OfferUnusable("issuer_mismatch", "the metadata is not about the issuer that the offer names")
    return document


async def _authorization_server(
    offer: CredentialOffer, metadata: IssuerMetadata, *, web: Web, languages: str
) -> AuthorizationServerMetadata:
    """The authorization server that gives the token: of several, the first one that takes the grant (12.2.4).

    Raises `OfferUnusable` for the reason of the last one that was asked, `Unreachable`.
    """
    *others, last = _possible_servers(offer, metadata)
    for server_id in others:
        with suppress(OfferUnusable, Unreachable):
            server = await _authorization_server_metadata(server_id, web=web, languages=languages)
            check_grant(offer, server)
            return server
    server = await _authorization_server_metadata(last, web=web, languages=languages)
    check_grant(offer, server)
    return server


def _possible_servers(offer: CredentialOffer, metadata: IssuerMetadata) -> list[str]:
    """Which authorization servers may be asked (4.1.1, 12.2.4): the hint counts only among several, and as listed."""
    grant = offer.pre_authorized or (offer.grants.authorization_code if offer.grants else None)
    hint = grant.authorization_server if grant is not None else None
    listed = metadata.authorization_servers
    if listed is None:
        if hint is not None and hint != metadata.credential_issuer:
            raise OfferUnusable("server_mismatch", "the offer names an authorization server that the issuer does not")
        return [metadata.credential_issuer]
    if hint is None:
        return listed[:MOST_SERVERS]
    if hint not in listed:
        raise OfferUnusable("server_mismatch", "the offer names an authorization server that the issuer does not")
    return [hint]


async def _authorization_server_metadata(server: str, *, web: Web, languages: str) -> AuthorizationServerMetadata:
    try:
        url = authorization_server_metadata_url(server)
    except ProtocolError as exc:
        raise OfferUnusable("malformed", "the authorization server is not a web address") from exc
    reply = await web.get(url, accept="application/json", languages=languages, max_bytes=LARGEST_METADATA)
    document = _loads(_json_body(reply), largest=LARGEST_METADATA)
    try:
        metadata = AuthorizationServerMetadata.read(document)
    except ProtocolError as exc:
        raise OfferUnusable("malformed", str(exc)) from exc
    # RFC 8414, section 3.3: else one server could hand out another one's token endpoint (mix-up).
    if metadata.issuer != server:
        raise OfferUnusable("server_mismatch", "the metadata is not about the authorization server that was asked")
    if metadata.token_endpoint is None:
        raise OfferUnusable("malformed", "the authorization server has no token endpoint")
    return metadata


def check_grant(offer: CredentialOffer, server: AuthorizationServerMetadata) -> None:
    """Refuse what the authorization server does not take, or this wallet cannot use. Raises `OfferUnusable`."""
    supported = server.grant_types_supported
    if offer.pre_authorized is not None:
        if supported is not None and PRE_AUTHORIZED_CODE_GRANT not in supported:
            raise OfferUnusable("grant_not_supported", "the authorization server does not take pre-authorized codes")
        return
    if supported is not None and "authorization_code" not in supported:
        raise OfferUnusable("grant_not_supported", "the authorization server does not take authorization codes")
    methods = server.code_challenge_methods_supported
    if not _leads_safely(server) or (methods is not None and "S256" not in methods):
        raise OfferUnusable("grant_not_supported", "the authorization server has no sign-in that is safe")


def _leads_safely(server: AuthorizationServerMetadata) -> bool:
    """Whether the person's browser may be sent to where this server signs people in.

    It has no fragment (RFC 6749, section 3.1).
    """
    return _is_address(server.authorization_endpoint or "", of=server.issuer)


def _is_address(endpoint: str, *, of: str) -> bool:
    """Whether an address is https, or on the very host where its owner was asked without TLS: on this machine, since no
    other is asked so (`service.http`). Without a fragment and without a name before an @."""
    if "#" in endpoint or "\\" in endpoint or any(not 0x21 <= ord(character) <= 0x7E for character in endpoint):
        return False
    try:
        parts, asked = urlsplit(endpoint), urlsplit(of)
        host, asked_host = parts.hostname, asked.hostname
    except ValueError:
        return False
    if not host or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == asked.scheme == "http" and host == asked_host)


def _json_body(reply: Reply) -> bytes:
    if reply.status != 200:
        raise Unreachable(f"the issuer answered with status {reply.status}")
    if reply.media_type != "application/json" and not reply.media_type.endswith("+json"):
        raise OfferUnusable("malformed", "the issuer's answer is not JSON")
    return reply.body


def _loads(body: bytes, *, largest: int = LARGEST_OFFER) -> dict[str, Any]:
    try:
        return strict_json.loads_object(body, max_bytes=largest)
    except ProtocolError as exc:
        raise OfferUnusable("malformed", "the issuer's answer is not a JSON object") from exc
