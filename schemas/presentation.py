"""OpenID4VP messages: the link that invokes a wallet, the request in the request object, and the answer.

    link = parse_link("openid4vp://?client_id=...&request_uri=...&request_uri_method=post")
    request = AuthorizationRequest.from_parameters(request_object.parameters)
    response = read_response({"vp_token": {"diploma": ["eyJ..."]}, "state": "..."})

Source: OpenID4VP 1.0, sections 5 (request), 8 (response) and 13.3.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import Malformed, ProtocolError, Refused

REQUEST_OBJECT_TYPE: Final = "oauth-authz-req+jwt"
REQUEST_OBJECT_MEDIA_TYPE: Final = "application/oauth-authz-req+jwt"
WALLET_AUDIENCE: Final = "https://self-issued.me/v2"  # static discovery, OpenID4VP 5.8
DEFAULT_CONTENT_ENCRYPTION: Final = "A128GCM"  # 8.3, when the verifier names none

ResponseMode = Literal["direct_post", "direct_post.jwt"]
RequestURIMethod = Literal["get", "post"]

_URL_SAFE = re.compile(r"[A-Za-z0-9\-._~]+")
_KNOWN_PREFIXES = frozenset(
    {
        "redirect_uri",
        "x509_san_dns",
        "x509_hash",
        "decentralized_identifier",
        "openid_federation",
        "verifier_attestation",
        "origin",
    }
)

# ---------------------------------------------------------------------------------------------------------------------
# Errors (OpenID4VP 8.5, RFC 6749 4.1.2.1). A wallet may post `error` of one of these to the response URI.


class InvalidRequest(Malformed):
    """The request lacks a parameter, repeats one, or has a value that the specification does not allow."""

    error = "invalid_request"


class InvalidClient(Refused):
    """The client identifier or its metadata cannot be accepted."""

    error = "invalid_client"


class AccessDenied(Refused):
    """The person did not share, or there is nothing that would satisfy the request; nobody can tell which."""

    error = "access_denied"


class InvalidScope(Refused):
    """The scope stands for no query that is known here."""

    error = "invalid_scope"


class UnsupportedResponseType(Refused):
    """The response type is not `vp_token`."""

    error = "unsupported_response_type"


class VPFormatsNotSupported(Refused):
    """None of the formats asked for is supported."""

    error = "vp_formats_not_supported"


class InvalidRequestURIMethod(InvalidRequest):
    """`request_uri_method` is neither `get` nor `post`."""

    error = "invalid_request_uri_method"


class InvalidTransactionData(Refused):
    """Transaction data of a type that is not understood, or not conforming to it."""

    error = "invalid_transaction_data"


class WalletUnavailable(Refused):
    """The wallet could not be reached or could not answer."""

    error = "wallet_unavailable"


class InvalidResponse(Malformed):
    """An authorization response is not of the form that the specification gives."""

    error = "invalid_request"


# ---------------------------------------------------------------------------------------------------------------------
# Client identifiers (5.9)


def split_client_id(client_id: str) -> tuple[str, str]:
    """Split a client identifier into its prefix and the original identifier.

    The prefix is "" for a pre-registered client: one without a colon, or whose first part is no known prefix (5.9.2).
    """
    prefix, colon, original = client_id.partition(":")
    if colon and prefix in _KNOWN_PREFIXES:
        return prefix, original
    return "", client_id


# ---------------------------------------------------------------------------------------------------------------------
# The outer link


@dataclass(frozen=True, slots=True)
class RequestLink:
    """What invokes a wallet: a reference to a request object, a request object by value, or plain parameters.

    Exactly one of `request_uri`, `request` (a compact JWT) and `parameters` (an unsigned request by value, still as
    strings) is set. Nothing in a link is proven.
    """

    client_id: str
    request_uri: str = ""
    request_uri_method: RequestURIMethod = "get"
    request: str = ""
    parameters: Mapping[str, str] | None = None

    def query(self) -> str:
        """The query string of a link by reference: only the three parameters that peers expect there."""
        members = {"client_id": self.client_id, "request_uri": self.request_uri}
        if self.request_uri_method == "post":
            members["request_uri_method"] = "post"
        return urlencode(members, quote_via=quote, safe="")

    def for_scheme(self, base: str = "openid4vp://") -> str:
        """The whole link: `openid4vp://?...`, or `base` of a web wallet (`https://wallet.example/present?...`)."""
        return f"{base}{'&' if '?' in base else '?'}{self.query()}"


def parse_link(link: str, *, max_chars: int = 20_000) -> RequestLink:
    """Read a link or only its query string.

    Any scheme is taken (`openid4vp:`, `haip-vp:`, `https:`): what counts is the query. Raises `InvalidRequest` for a
    repeated parameter, no `client_id`, both `request` and `request_uri`, or a `request_uri` that is no absolute http(s)
    URL (whether http is acceptable is for the fetcher); `InvalidRequestURIMethod` for another method.
    """
    text = link.strip()
    if len(text) > max_chars:
        raise InvalidRequest("the link is too long")
    query = text.partition("?")[2].partition("#")[0] if "?" in text else text
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=50)
    except ValueError as exc:
        raise InvalidRequest("the link holds no readable query") from exc
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidRequest("a parameter of the link is repeated")
    return _link(members)


def _link(members: Mapping[str, str]) -> RequestLink:
    client_id = members.get("client_id", "")
    if not client_id:
        raise InvalidRequest("the link has no client_id")
    method = members.get("request_uri_method")
    if method is not None and method not in ("get", "post"):
        raise InvalidRequestURIMethod()
    request_uri, request = members.get("request_uri", ""), members.get("request", "")
    if request_uri and request:
        raise InvalidRequest("the link has both request and request_uri")
    if method is not None and not request_uri:
        raise InvalidRequest("request_uri_method without request_uri")
    if request_uri:
        _check_url(request_uri, "request_uri", fragment=True)
        chosen: RequestURIMethod = "post" if method == "post" else "get"
        return RequestLink(client_id=client_id, request_uri=request_uri, request_uri_method=chosen)
    if request:
        return RequestLink(client_id=client_id, request=request)
    return RequestLink(client_id=client_id, parameters=dict(members))


def _check_url(url: str, name: str, *, fragment: bool = False) -> None:
    """Demand an absolute http(s) URL with a host and without user information (and, unless allowed, fragment)."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as exc:
        raise InvalidRequest(f"{name} is not a URL") from exc
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise InvalidRequest(f"{name} is not an absolute https URL")
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        raise InvalidRequest(f"{name} holds a space or control character")
    if parts.fragment and not fragment:
        raise InvalidRequest(f"{name} has a fragment")


# ---------------------------------------------------------------------------------------------------------------------
# The request


class _Read(BaseModel):
    """What is read from outside: unknown members are ignored (5), types are not bent."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class KeySet(_Read):
    """A JWK Set. Unusable keys in it are the reader's to skip, never an error."""

    keys: list[dict[str, Any]]


class ClientMetadata(_Read):
    """The three members of `client_metadata` that OpenID4VP defines (5.1, 11.1); others must be ignored."""

    jwks: KeySet | None = None
    vp_formats_supported: dict[str, dict[str, Any]] | None = None
    encrypted_response_enc_values_supported: list[str] | None = Field(default=None, min_length=1)

    @property
    def content_encryptions(self) -> tuple[str, ...]:
        """The acceptable `enc` values of an encrypted answer."""
        return tuple(self.encrypted_response_enc_values_supported or (DEFAULT_CONTENT_ENCRYPTION,))

    @property
    def encryption_keys(self) -> list[dict[str, Any]]:
        """The keys meant for encryption, each with `kid` and `alg` (8.3); others are left out."""
        keys = self.jwks.keys if self.jwks else []
        return [
            key
            for key in keys
            if key.get("use", "enc") == "enc" and isinstance(key.get("alg"), str) and isinstance(key.get("kid"), str)
        ]


class VerifierInfo(_Read):
    """One attestation about the verifier (5.11). Unknown formats are ignored; known ones must prove their binding."""

    format: str
    data: str | dict[str, Any]
    credential_ids: list[str] | None = Field(default=None, min_length=1)


class TransactionDatum(_Read):
    """One decoded object of `transaction_data`, of a type that the caller said it understands."""

    type: str
    credential_ids: list[str] = Field(min_length=1)
    encoded: str
    members: dict[str, Any]


class AuthorizationRequest(_Read):
    """The parameters of an authorization request that matter here, in the types of the specification.

    Made by `from_parameters`, which applies the rules between them. Nothing here says who sent it.
    """

    client_id: str
    response_type: Literal["vp_token"]
    response_mode: ResponseMode
    response_uri: str
    nonce: str
    state: str | None = None
    dcql_query: dict[str, Any]
    client_metadata: ClientMetadata = Field(default_factory=ClientMetadata)
    verifier_info: list[VerifierInfo] = Field(default_factory=list)
    transaction_data: list[TransactionDatum] = Field(default_factory=list)
    wallet_nonce: str | None = None
    aud: str | list[str] | None = None

    @property
    def prefix(self) -> str:
        """The client identifier prefix, "" for a pre-registered client."""
        return split_client_id(self.client_id)[0]

    @property
    def is_encrypted_answer_asked(self) -> bool:
        """True when the answer must be encrypted."""
        return self.response_mode == "direct_post.jwt"

    @classmethod
    def from_parameters(
        cls,
        parameters: Mapping[str, Any],
        *,
        known_transaction_types: Collection[str] = (),
        decode_object: Callable[[str], Mapping[str, Any]] | None = None,
    ) -> "AuthorizationRequest":
        """Read the parameters of a request object (or of an unsigned request, after `parameters_from_strings`).

        `decode_object` turns one base64url string of `transaction_data` into its object; it is needed only by a wallet
        that knows a transaction type. Everybody else refuses transaction data, as section 5.1 demands.

        Raises `InvalidRequest`, `InvalidScope`, `UnsupportedResponseType` or `InvalidTransactionData`. Signature,
        identity and freshness of the request are not checked here, the query is not parsed.
        """
        members = {name: value for name, value in parameters.items() if value is not None}
        _check_choices(members)
        members["response_uri"] = _response_uri(members)
        members["transaction_data"] = _transaction_data(members, known_transaction_types, decode_object)
        try:
            request = cls.model_validate({name: members[name] for name in cls.model_fields if name in members})
        except ValidationError as exc:
            raise _invalid_request(exc) from exc
        for name in ("nonce", "state"):
            value = getattr(request, name)
            if value is not None and not _URL_SAFE.fullmatch(value):
                raise InvalidRequest(f"{name} holds characters outside the URL safe ones")
        if request.is_encrypted_answer_asked and not request.client_metadata.encryption_keys:
            raise InvalidRequest("an encrypted answer is asked for, but no usable encryption key is given")
        return request


def parameters_from_strings(members: Mapping[str, str], *, loads: Callable[[str], Any]) -> dict[str, Any]:
    """Turn the parameters of an unsigned request by value, where objects are JSON strings (5.1), into typed ones.

    `loads` is the strict JSON reader. Raises `InvalidRequest` when an object parameter is no JSON.
    """
    typed: dict[str, Any] = dict(members)
    for name in ("dcql_query", "client_metadata", "verifier_info", "transaction_data"):
        if name in typed:
            try:
                typed[name] = loads(members[name])
            except ProtocolError as exc:
                raise InvalidRequest(f"{name} is not JSON") from exc
    return typed


def _check_choices(members: Mapping[str, Any]) -> None:
    """Rules between parameters: response type and mode, query or scope, no redirect URI (5.1, 5.2, 8.2, 8.5)."""
    if members.get("response_type") != "vp_token":
        raise UnsupportedResponseType("the response type is not vp_token")
    if members.get("response_mode") not in ("direct_post", "direct_post.jwt"):
        raise InvalidRequest("the response mode is neither direct_post nor direct_post.jwt")
    if "redirect_uri" in members:
        raise InvalidRequest("redirect_uri is not allowed together with direct_post")
    if "dcql_query" in members and "scope" in members:
        raise InvalidRequest("the request has both dcql_query and scope")
    if "dcql_query" not in members:
        if "scope" in members:
            raise InvalidScope("no scope value is known here")
        raise InvalidRequest("the request has neither dcql_query nor scope")
    if split_client_id(str(members.get("client_id", "")))[0] == "origin":
        raise InvalidRequest("the client identifier prefix origin is reserved")
    if "request" in members or "request_uri" in members:
        raise InvalidRequest("a request object holds no further request object")


def _response_uri(members: Mapping[str, Any]) -> Any:
    """The response URI, which `redirect_uri:` lets be absent, and then it is the identifier (5.9.3)."""
    prefix, original = split_client_id(str(members.get("client_id", "")))
    response_uri = members.get("response_uri")
    if prefix == "redirect_uri":
        if response_uri is not None and response_uri != original:
            raise InvalidRequest("response_uri is not the client identifier")
        response_uri = original
    if not isinstance(response_uri, str) or not response_uri:
        raise InvalidRequest("the request has no response_uri")
    _check_url(response_uri, "response_uri")
    return response_uri


def _transaction_data(
    members: Mapping[str, Any],
    known_types: Collection[str],
    decode_object: Callable[[str], Mapping[str, Any]] | None,
) -> list[dict[str, Any]]:
    """Decode transaction data, refusing what is not understood: it must never be ignored (5.1, 8.4)."""
    if "transaction_data" not in members:
        return []
    values = members["transaction_data"]
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        raise InvalidTransactionData("transaction_data is not a non-empty array of strings")
    if decode_object is None or not known_types:
        raise InvalidTransactionData("no type of transaction data is supported")
    return [_transaction_datum(value, known_types, decode_object, _query_ids(members)) for value in values]


def _transaction_datum(
    encoded: str,
    known_types: Collection[str],
    decode_object: Callable[[str], Mapping[str, Any]],
    query_ids: Collection[str],
) -> dict[str, Any]:
    try:
        datum = dict(decode_object(encoded))
    except ProtocolError as exc:
        raise InvalidTransactionData("transaction data cannot be decoded") from exc
    if datum.get("type") not in known_types:
        raise InvalidTransactionData("the type of transaction data is not supported")
    ids = datum.get("credential_ids")
    if not isinstance(ids, list) or not ids or not all(isinstance(value, str) and value in query_ids for value in ids):
        raise InvalidTransactionData("credential_ids of transaction data match no credential query")
    return {"type": datum["type"], "credential_ids": ids, "encoded": encoded, "members": datum}


def _query_ids(members: Mapping[str, Any]) -> set[str]:
    query = members.get("dcql_query")
    credentials = query.get("credentials") if isinstance(query, Mapping) else None
    return {
        entry["id"] for entry in credentials or () if isinstance(entry, Mapping) and isinstance(entry.get("id"), str)
    }


def _invalid_request(exc: ValidationError) -> InvalidRequest:
    """Name the faulty member, never its value."""
    first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return InvalidRequest(f"{where or 'the request'}: {first['msg']}")


# ---------------------------------------------------------------------------------------------------------------------
# The answer


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """A VP token: per credential query id the presentations given for it (8.1). Nothing in it is checked."""

    vp_token: Mapping[str, tuple[str | Mapping[str, Any], ...]]
    state: str | None = None

    def members(self) -> dict[str, Any]:
        """The response parameters, `vp_token` as an object (an encrypted answer holds them so; a form needs JSON)."""
        token = {query: list(presentations) for query, presentations in self.vp_token.items()}
        return {"vp_token": token} | ({"state": self.state} if self.state is not None else {})


@dataclass(frozen=True, slots=True)
class AuthorizationErrorResponse:
    """An error that the wallet answered with (8.5). `error_description` is the wallet's own text, for a developer."""

    error: str
    error_description: str = ""
    state: str | None = None

    def members(self) -> dict[str, Any]:
        """The response parameters."""
        members = {"error": self.error}
        if self.error_description:
            members["error_description"] = self.error_description
        return members | ({"state": self.state} if self.state is not None else {})


def read_response(
    members: Mapping[str, Any], *, max_presentations: int = 100
) -> AuthorizationResponse | AuthorizationErrorResponse:
    """Read the parameters of an answer; `vp_token` is already an object, unknown parameters are ignored.

    Raises `InvalidResponse` when there is neither a `vp_token` nor an `error` or there are both, when `vp_token` is no
    object of non-empty arrays, or when there are more than `max_presentations`.
    """
    state = members.get("state")
    if state is not None and not isinstance(state, str):
        raise InvalidResponse("state is not a string")
    if "error" in members:
        return _error_response(members, state)
    if "vp_token" not in members:
        raise InvalidResponse("the answer has neither vp_token nor error")
    return AuthorizationResponse(_vp_token(members["vp_token"], max_presentations), state)


def _vp_token(value: Any, max_presentations: int) -> dict[str, tuple[str | Mapping[str, Any], ...]]:
    if not isinstance(value, Mapping) or not value:
        raise InvalidResponse("vp_token is not an object with entries")
    token: dict[str, tuple[str | Mapping[str, Any], ...]] = {}
    count = 0
    for query_id, presentations in value.items():
        if not isinstance(presentations, list) or not presentations:
            _refuse_entry("is not a non-empty array")
        count += len(presentations)
        if count > max_presentations:
            raise InvalidResponse("vp_token holds too many presentations")
        if not all(isinstance(presentation, str | Mapping) and presentation for presentation in presentations):
            _refuse_entry("holds something that is neither a string nor an object")
        token[query_id] = tuple(presentations)
    return token


def _refuse_entry(fault: str) -> NoReturn:
    raise InvalidResponse(f"an entry of vp_token {fault}")


def _error_response(members: Mapping[str, Any], state: str | None) -> AuthorizationErrorResponse:
    if "vp_token" in members:
        raise InvalidResponse("the answer has both vp_token and error")
    error, description = members["error"], members.get("error_description", "")
    if not isinstance(error, str) or not 1 <= len(error) <= 100 or not isinstance(description, str):
        raise InvalidResponse("error is not a short string")
    return AuthorizationErrorResponse(error, description[:1000], state)
