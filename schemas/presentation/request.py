"""The parameters of an authorization request (OpenID4VP 5) and the rules between them."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import ProtocolError
from schemas.presentation.client_ids import split_client_id
from schemas.presentation.errors import InvalidRequest, InvalidScope, InvalidTransactionData, UnsupportedResponseType
from schemas.presentation.link import check_url

REQUEST_OBJECT_TYPE: Final = "oauth-authz-req+jwt"
REQUEST_OBJECT_MEDIA_TYPE: Final = "application/oauth-authz-req+jwt"
WALLET_AUDIENCE: Final = "https://self-issued.me/v2"  # static discovery, OpenID4VP 5.8
DEFAULT_CONTENT_ENCRYPTION: Final = "A128GCM"  # 8.3, when the verifier names none

ResponseMode = Literal["direct_post", "direct_post.jwt"]

_URL_SAFE = re.compile(r"[A-Za-z0-9\-._~]+")


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
    check_url(response_uri, "response_uri")
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
