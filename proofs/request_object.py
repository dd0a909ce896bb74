"""Request objects of OpenID4VP 1.0: signed by the verifier, authenticated by the wallet.

The prefix of the client identifier says how the sender proves itself (section 5.9.3):

- `x509_hash:` the SHA-256 of the signing certificate;
- `x509_san_dns:` a DNS name in the signing certificate, and the host that the answer goes to;
- `decentralized_identifier:` a key of a `did:jwk` or `did:web`, named by `kid` in the DID's document;
- `redirect_uri:` nothing: unsigned, and the answer goes to the identifier itself;
- no colon: a verifier registered in the wallet's trust list with its key.

A signature that holds says that the holder of a certificate asks; whether the wallet knows who that is, is the
identity's `level`. Nothing that is raised here may be reported to the sender, who is unproven at that point.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from proofs import jose, strict_json
from proofs.certificates import Leaf, NoAnchor, UntrustedChain, unverified_leaf, verify_chain
from proofs.dates import read_optional_date
from proofs.did import check_kid, did_jwk_document, did_method, did_web_host, read_did_document, signing_key
from proofs.identifiers import host_of
from proofs.keys import DEFAULT_ALGORITHMS, Signer
from proofs.trust import TrustList
from schemas.errors import Malformed, ProtocolError, Refused

TYP: Final = "oauth-authz-req+jwt"
AUDIENCE: Final = "https://self-issued.me/v2"
X509_HASH, X509_SAN_DNS, REDIRECT_URI, PRE_REGISTERED = "x509_hash", "x509_san_dns", "redirect_uri", "pre-registered"
DECENTRALIZED_IDENTIFIER: Final = "decentralized_identifier"
SUPPORTED_PREFIXES: Final = (DECENTRALIZED_IDENTIFIER, PRE_REGISTERED, REDIRECT_URI, X509_HASH, X509_SAN_DNS)
"""The kinds of client identifiers that are understood here, as wallet metadata name them (OpenID4VP 1.0, 10.1)."""
MAX_REQUEST_BYTES: Final = 500_000

IdentityLevel = Literal["registered", "certificate", "unproven"]


class InvalidRequestSignature(ProtocolError):
    """The request object is not signed as its client identifier demands."""

    error = "invalid_request_object"


class InvalidRequestObject(ProtocolError):
    """The request object is signed, but breaks a rule on request objects."""

    error = "invalid_request_object"


class InvalidClientIdentifier(ProtocolError):
    """The client identifier is of an unknown kind, or does not fit the request (OpenID4VP 1.0, section 8.5)."""

    error = "invalid_request"


class UnknownClient(InvalidClientIdentifier):
    """No verifier with this client identifier and key is registered here (RFC 6749, section 5.2)."""

    error = "invalid_client"


@dataclass(frozen=True, slots=True)
class VerifierIdentity:
    """Who asks, and how sure we are.

    `registered`: an entry of the trust list names this verifier; `legal_name` is the entry's. `certificate`: a trusted
    authority certifies the name. `unproven`: nobody we trust says so; `legal_name`, if any, is the sender's own word.
    `dns_names`, `uris` and `organization_identifier` come from the certificate; of a DID, the domain that a `did:web`
    speaks for, and the DID itself.
    """

    level: IdentityLevel
    legal_name: str = ""
    dns_names: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    certificate_sha256: str = ""
    certificate_not_before: datetime | None = None
    trust_entry_id: str = ""
    organization_identifier: str = ""


@dataclass(frozen=True, slots=True)
class AuthenticatedRequest:
    """A request whose sender was authenticated as far as its client identifier allows.

    `parameters` are those of the request object alone; `client_id` is the full identifier, the audience of the
    presentation; `prefix` its kind, `pre-registered` when it has none. `signing_jwk` is the key that signed, None for
    an unsigned request.
    """

    parameters: dict[str, Any]
    client_id: str
    prefix: str
    identity: VerifierIdentity
    signing_jwk: dict[str, str] | None

    @property
    def signed(self) -> bool:
        """Whether the request object carries a signature that holds."""
        return self.signing_jwk is not None


def sign_request_object(parameters: Mapping[str, Any], *, signer: Signer) -> str:
    """Sign the parameters of an authorization request, `client_id` among them.

    `aud` is set to the value for wallets that are not known beforehand (section 5.8) unless the parameters have one.
    """
    if not isinstance(parameters.get("client_id"), str):
        raise ValueError("a request object names its client identifier")
    client_id = str(parameters["client_id"])
    if client_id.startswith(f"{DECENTRALIZED_IDENTIFIER}:"):
        header: dict[str, Any] = {"kid": did_key_id(did_of(client_id), signer)}
    else:
        header = {"x5c": list(signer.x5c)} if signer.x5c else {"kid": signer.kid}
    return jose.sign_jws({"aud": AUDIENCE, **parameters}, signer=signer, typ=TYP, header=header)


def did_of(client_id: str) -> str:
    """The DID in a client identifier of that kind."""
    return client_id.removeprefix(f"{DECENTRALIZED_IDENTIFIER}:")


def did_key_id(did: str, signer: Signer) -> str:
    """How the signer's key is called in the document of a DID of its own: `#0` in a `did:jwk`, else by thumbprint."""
    return f"{did}#0" if did_method(did) == "jwk" else f"{did}#{signer.kid}"


def x509_hash_client_id(signer: Signer) -> str:
    """The client identifier that names the signer's certificate by its hash."""
    return f"{X509_HASH}:{unverified_leaf(signer.x5c).sha256}"


def x509_san_dns_client_id(signer: Signer, dns: str) -> str:
    """The client identifier that names a DNS name of the signer's certificate. Raises `Refused` for another name."""
    if dns.lower() not in unverified_leaf(signer.x5c).dns_names:
        raise Refused("the certificate does not name this DNS name")
    return f"{X509_SAN_DNS}:{dns}"


def client_id_prefix(client_id: str) -> str:
    """The prefix of a client identifier, `pre-registered` when it has no colon (sections 5.9.1 and 5.9.2).

    Raises `InvalidClientIdentifier` for a prefix that is not supported, among them the reserved `origin`.
    """
    prefix, colon, original = client_id.partition(":")
    if not colon and prefix:
        return PRE_REGISTERED
    if prefix not in SUPPORTED_PREFIXES or prefix == PRE_REGISTERED or not original:
        raise InvalidClientIdentifier("the kind of this client identifier is not supported")
    if prefix == DECENTRALIZED_IDENTIFIER and not _is_supported_did(original):
        raise InvalidClientIdentifier("the method of this decentralized identifier is not supported")
    return prefix


def _is_supported_did(did: str) -> bool:
    try:
        return did_method(did) in ("jwk", "web")
    except Malformed:
        return False


def did_document_needed(token: str, *, expected_client_id: str) -> str | None:
    """The DID whose document must be fetched before a request object can be checked; None when none is needed.

    The token is read without being believed: when it does not name a key of that DID, nothing is fetched for it.
    Raises `InvalidClientIdentifier`, `InvalidRequestSignature` or `Malformed`.
    """
    if client_id_prefix(expected_client_id) != DECENTRALIZED_IDENTIFIER:
        return None
    did = did_of(expected_client_id)
    jws = jose.parse_jws(token, max_bytes=MAX_REQUEST_BYTES)
    try:
        check_kid(jws.header.get("kid"), did=did)
    except Refused as exc:
        raise InvalidRequestSignature(str(exc)) from exc
    return did if did_method(did) == "web" else None


def check_request_object(
    token: str,
    *,
    expected_client_id: str,
    trust: TrustList,
    now: datetime,
    did_document: str | None = None,
    algorithms: Collection[str] = DEFAULT_ALGORITHMS,
    skew_seconds: int = 60,
) -> AuthenticatedRequest:
    """Authenticate a request object.

    `expected_client_id` is the client identifier outside the object, in the link or QR code; both must be identical,
    prefix included. `trust` says which verifiers and anchors the wallet knows. `did_document` is what was found at the
    address of a `did:web` (see `did_document_needed`); without it a request by one is refused.

    Checks signature, `typ`, `aud` (if signed), dates where there are any, and what the prefix demands. Does not read
    the query, `state`, `nonce` or response parameters beyond the response address that a prefix binds.

    Raises `InvalidRequestSignature`, `InvalidRequestObject`, `InvalidClientIdentifier` or `Malformed`. An unknown
    certificate authority is no error: the identity is then `unproven`.
    """
    prefix = client_id_prefix(expected_client_id)
    jws = jose.parse_jws(token, max_bytes=MAX_REQUEST_BYTES)
    parameters = strict_json.loads_object(jws.payload, max_bytes=MAX_REQUEST_BYTES)
    if parameters.get("client_id") != expected_client_id:
        raise InvalidClientIdentifier("the client identifiers inside and outside the request object differ")
    if "request" in parameters or "request_uri" in parameters:
        raise InvalidRequestObject("a request object must not refer to another one")  # RFC 9101, section 4.
    if prefix == REDIRECT_URI:
        if jws.header["alg"] != "none" or jws.signature:
            raise InvalidRequestSignature("a request with a `redirect_uri` identifier cannot be signed")
        if jws.header.get("typ", TYP) != TYP:
            raise InvalidRequestObject("the request object has another `typ`")
        _check_dates(parameters, now=now, skew=timedelta(seconds=skew_seconds))
        return check_unsigned_request(parameters, expected_client_id=expected_client_id)
    if parameters.get("aud") not in (AUDIENCE, [AUDIENCE]):
        raise InvalidRequestObject("the request object is made for another audience")
    _check_dates(parameters, now=now, skew=timedelta(seconds=skew_seconds))
    if prefix == DECENTRALIZED_IDENTIFIER:
        identity, signing_jwk = _authenticate_by_did(jws, parameters, did_document, trust, now, algorithms)
    else:
        authenticate = _authenticate_registered if prefix == PRE_REGISTERED else _AUTHENTICATE_BY_CERTIFICATE[prefix]
        identity, signing_jwk = authenticate(jws, parameters, trust, now, algorithms)
    return AuthenticatedRequest(parameters, expected_client_id, prefix, identity, signing_jwk)


def check_unsigned_request(parameters: Mapping[str, Any], *, expected_client_id: str) -> AuthenticatedRequest:
    """Take a request without signature: by value in a link, or a request object with `alg` `none`.

    The client identifier must be of the kind `redirect_uri:`, and the address of the answer must be the identifier
    or absent; it is then filled in.

    Raises `InvalidClientIdentifier`; nothing may be sent to that address then.
    """
    if parameters.get("client_id") != expected_client_id:
        raise InvalidClientIdentifier("the client identifiers inside and outside the request differ")
    if client_id_prefix(expected_client_id) != REDIRECT_URI:
        raise InvalidClientIdentifier("a request with this client identifier must be signed")
    address = expected_client_id.partition(":")[2]
    posted = str(parameters.get("response_mode", "")).startswith("direct_post")
    name = "response_uri" if posted else "redirect_uri"
    if parameters.get(name, address) != address:
        raise InvalidClientIdentifier("the answer would go to another address than the client identifier")
    identity = VerifierIdentity("unproven")
    return AuthenticatedRequest({**parameters, name: address}, expected_client_id, REDIRECT_URI, identity, None)


def _check_dates(parameters: dict[str, Any], *, now: datetime, skew: timedelta) -> None:
    try:
        dates = {name: read_optional_date(parameters, name) for name in ("iat", "nbf", "exp")}
    except Malformed as exc:
        raise InvalidRequestObject(str(exc)) from exc
    if dates["exp"] is not None and dates["exp"] <= now - skew:
        raise InvalidRequestObject("the request object has expired")
    if any(dates[name] is not None and dates[name] > now + skew for name in ("iat", "nbf")):  # type: ignore[operator]
        raise InvalidRequestObject("the request object is from the future")


def _check_signature(jws: jose.UnverifiedJWS, key: Mapping[str, Any], algorithms: Collection[str]) -> None:
    try:
        jose.check_signature(jws, key=key, typ=TYP, algorithms=algorithms)
    except ProtocolError as exc:
        raise InvalidRequestSignature(f"the request object is not signed as it must be: {exc}") from exc


_Identified = tuple[VerifierIdentity, dict[str, str]]
_Authenticate = Callable[[jose.UnverifiedJWS, dict[str, Any], TrustList, datetime, Collection[str]], _Identified]


def _authenticate_registered(
    jws: jose.UnverifiedJWS, parameters: dict[str, Any], trust: TrustList, now: datetime, algorithms: Collection[str]
) -> _Identified:
    for entry in trust.naming("verifier", parameters["client_id"]):
        if entry.mechanism != "jwks" or not entry.is_in_force(at=now):
            continue
        for key in entry.jwks:
            try:
                _check_signature(jws, key, algorithms)
            except InvalidRequestSignature:
                continue
            return VerifierIdentity("registered", legal_name=entry.name, trust_entry_id=entry.id), key
    raise UnknownClient


def _authenticate_by_hash(
    jws: jose.UnverifiedJWS, parameters: dict[str, Any], trust: TrustList, now: datetime, algorithms: Collection[str]
) -> _Identified:
    x5c = _chain_of(jws)
    leaf = _read_certificate(x5c)
    if leaf.sha256 != parameters["client_id"].partition(":")[2]:
        raise InvalidRequestSignature("the client identifier is not the hash of the signing certificate")
    _check_signature(jws, leaf.public_jwk, algorithms)
    return identify_by_certificate(x5c, leaf, parameters["client_id"], trust, now), leaf.public_jwk


def _authenticate_by_dns_name(
    jws: jose.UnverifiedJWS, parameters: dict[str, Any], trust: TrustList, now: datetime, algorithms: Collection[str]
) -> _Identified:
    x5c = _chain_of(jws)
    leaf = _read_certificate(x5c)
    claimed = parameters["client_id"].partition(":")[2]
    name = claimed.lower()
    # Equality, not matching: `*.example.org` in a certificate names no host here. Beyond ASCII, equal in lower case is
    # not equal (the Kelvin sign becomes a k).
    if "*" in name or not claimed.isascii() or name not in leaf.dns_names:
        raise InvalidRequestSignature("the client identifier is not a DNS name of the signing certificate")
    _check_signature(jws, leaf.public_jwk, algorithms)
    for address in (parameters[each] for each in ("response_uri", "redirect_uri") if each in parameters):
        if host_of(address) != name:
            raise InvalidClientIdentifier("the answer would go to another host than the client identifier")
    return identify_by_certificate(x5c, leaf, parameters["client_id"], trust, now), leaf.public_jwk


def _authenticate_by_did(
    jws: jose.UnverifiedJWS,
    parameters: dict[str, Any],
    document: str | None,
    trust: TrustList,
    now: datetime,
    algorithms: Collection[str],
) -> _Identified:
    """A key of the DID signed. That is all: who the DID belongs to is known only where the trust list names it."""
    did = did_of(parameters["client_id"])
    is_web = did_method(did) == "web"
    if is_web and document is None:
        raise InvalidRequestSignature("the document of the decentralized identifier is not there")
    try:
        kid = check_kid(jws.header.get("kid"), did=did)
        found = read_did_document(document, did=did) if is_web and document is not None else did_jwk_document(did)
        key = signing_key(found, did=did, kid=kid)
        host = did_web_host(did).partition(":")[0] if is_web else ""
    except ProtocolError as exc:
        raise InvalidRequestSignature(f"the key of the decentralized identifier cannot be used: {exc}") from exc
    _check_signature(jws, key, algorithms)
    entries = (one for one in trust.naming("verifier", did) if one.mechanism == "did" and one.is_in_force(at=now))
    entry = next(entries, None)
    identity = VerifierIdentity(
        level="registered" if entry is not None else "unproven",
        legal_name=entry.name if entry is not None else "",
        dns_names=(host,) if host else (),
        uris=(did,),
        trust_entry_id=entry.id if entry is not None else "",
    )
    return identity, key


_AUTHENTICATE_BY_CERTIFICATE: dict[str, _Authenticate] = {
    X509_HASH: _authenticate_by_hash,
    X509_SAN_DNS: _authenticate_by_dns_name,
}


def _chain_of(jws: jose.UnverifiedJWS) -> tuple[str, ...]:
    x5c = jws.header.get("x5c")
    if not isinstance(x5c, list):
        raise InvalidRequestSignature("the request object carries no certificate")
    return tuple(x5c)


def _read_certificate(x5c: tuple[str, ...]) -> Leaf:
    try:
        return unverified_leaf(x5c)
    except ProtocolError as exc:
        raise InvalidRequestSignature(f"the certificate of the request object cannot be used: {exc}") from exc


def identify_by_certificate(
    x5c: tuple[str, ...], leaf: Leaf, client_id: str, trust: TrustList, now: datetime
) -> VerifierIdentity:
    """How sure we are of the holder of a certificate. Raises `InvalidRequestSignature` for a chain that is refused."""
    try:
        anchors = verify_chain(x5c, anchors=trust.anchors("verifier"), now=now).anchors
    except NoAnchor:
        anchors = ()
        if not leaf.not_before <= now <= leaf.not_after:
            raise InvalidRequestSignature("the certificate of the request object is not valid now") from None
    except (UntrustedChain, Malformed) as exc:
        raise InvalidRequestSignature(f"the certificates of the request object are refused: {exc}") from exc
    entries = trust.under_anchors("verifier", anchors, (client_id, *leaf.uris))
    entry = next((entry for entry in entries if entry.is_in_force(at=now)), None)
    level: IdentityLevel = "unproven" if entry is None else "registered" if entry.identifier else "certificate"
    return VerifierIdentity(
        level=level,
        legal_name=entry.name if entry is not None and entry.identifier else leaf.legal_name,
        dns_names=leaf.dns_names,
        uris=leaf.uris,
        certificate_sha256=leaf.sha256,
        certificate_not_before=leaf.not_before,
        trust_entry_id=entry.id if entry is not None else "",
        organization_identifier=leaf.organization_identifier,
    )
