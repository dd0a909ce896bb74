"""stub"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from proofs.keys import Signer
from proofs.trust import TrustList
from schemas.errors import ProtocolError

IdentityLevel = Literal["registered", "certificate", "unproven"]


class InvalidRequestSignature(ProtocolError):
    """The request object is not signed as its client identifier demands; nothing may be posted to its sender."""

    error = "invalid_request_object"


@dataclass(frozen=True, slots=True)
class VerifierIdentity:
    level: IdentityLevel
    legal_name: str
    dns_names: tuple[str, ...]
    uris: tuple[str, ...]
    certificate_sha256: str
    certificate_not_before: datetime | None
    trust_entry_id: str


@dataclass(frozen=True, slots=True)
class AuthenticatedRequest:
    parameters: dict[str, Any]
    client_id: str
    prefix: str
    identity: VerifierIdentity
    signed: bool
    signing_jwk: dict[str, str] | None


def sign_request_object(parameters: Mapping[str, Any], *, signer: Signer) -> str:
    raise NotImplementedError


def x509_hash_client_id(signer: Signer) -> str:
    raise NotImplementedError


def x509_san_dns_client_id(signer: Signer, dns: str) -> str:
    raise NotImplementedError


def check_request_object(
    token: str, *, expected_client_id: str, trust: TrustList, now: datetime
) -> AuthenticatedRequest:
    raise NotImplementedError


def check_unsigned_request(parameters: Mapping[str, Any], *, expected_client_id: str) -> AuthenticatedRequest:
    """For `redirect_uri:` requests passed by value."""
    raise NotImplementedError
