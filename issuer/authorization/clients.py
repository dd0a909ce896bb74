"""Who may ask this authorization server, and how a client proves that it is the one it names.

The operator writes a file (`ISSUER_CLIENTS_FILE`, TOML):

    [[attesters]]                                   # wallet providers that may vouch for wallets
    issuer = "https://wallet-provider.example"      # optional: the root alone decides when it is missing
    roots = ["provider-root.pem"]                   # PEM files beside this one

    [[key_attesters]]                               # who may vouch for how holder keys are kept
    roots = ["key-root.pem"]

    [[clients]]                                     # clients by name
    client_id = "portal"
    redirect_uris = ["https://portal.example/cb"]
    jwks_file = "portal.jwks.json"                  # private_key_jwt; without keys it is a public client

A wallet with an attestation of a trusted provider needs no entry of its own and may name any https address to come back
to. Public clients are known by their redirect addresses alone.
"""

import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from proofs import strict_json
from proofs.certificate_form import read_pem_anchors
from proofs.client_assertion import ASSERTION_TYPE, check_client_assertion, unverified_subject
from proofs.client_attestation import (
    PROOF_WINDOW_SECONDS,
    AttestedClient,
    Attester,
    check_attestation,
    check_attested_client,
)
from proofs.dpop import CheckedDPoP
from schemas.errors import ProtocolError, Refused
from schemas.issuance import InvalidClient, InvalidClientAttestation

CLIENT_ALGORITHMS = ("ES256", "ES384", "ES512")
_MAX_FILE_BYTES = 1_000_000


class AuthMethod(StrEnum):
    """How a client authenticates (`token_endpoint_auth_methods_supported`)."""

    NONE = "none"
    PRIVATE_KEY = "private_key_jwt"
    ATTESTATION = "attest_jwt_client_auth"
    ATTESTATION_BY_DPOP = "attest_jwt_client_auth_dpop"


class InvalidClients(Refused):
    """The file of clients cannot be read; the message says where."""


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """A client that the operator named. `keys` empty: a public client."""

    client_id: str
    redirect_uris: tuple[str, ...]
    keys: tuple[Mapping[str, Any], ...] = ()

    @property
    def method(self) -> AuthMethod:
        """How it must authenticate."""
        return AuthMethod.PRIVATE_KEY if self.keys else AuthMethod.NONE


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """Whom this authorization server knows.

    `demands_authentication`: nobody is served as `none` (HAIP 4.4.1), assertions name us in one way only, and the proof
    of an attested key carries a challenge of ours. Elsewhere challenges are offered: many wallets know none, and
    whoever may also come without any attestation gains nothing by a proof made ahead.
    """

    clients: Mapping[str, RegisteredClient]
    attesters: tuple[Attester, ...]
    demands_authentication: bool
    key_attesters: tuple[bytes, ...] = ()
    """Roots (DER) under which key attestations are believed."""

    @property
    def methods(self) -> list[AuthMethod]:
        """The methods that are of use here, as metadata names them."""
        found: list[AuthMethod] = []
        if self.attesters:
            found += [AuthMethod.ATTESTATION, AuthMethod.ATTESTATION_BY_DPOP]
        if any(client.keys for client in self.clients.values()):
            found.append(AuthMethod.PRIVATE_KEY)
        return found if self.demands_authentication else [*found, AuthMethod.NONE]


@dataclass(frozen=True, slots=True)
class ShownCredentials:
    """What a request brought to authenticate its client: form members, the two headers, a checked DPoP proof."""

    client_id: str | None
    assertion_type: str | None
    assertion: str | None = field(repr=False)
    attestation: str | None = field(repr=False)
    attestation_proof: str | None = field(repr=False)
    dpop: CheckedDPoP | None


@dataclass(frozen=True, slots=True)
class Spend:
    """A value that may be used once: it is spent in the database before anything is granted."""

    kind: str
    value: str = field(repr=False)
    until: datetime
    error: type[ProtocolError] = InvalidClient
    """What is raised when it was used before."""


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """The client of one request. `client_id` None: anonymous. `attested_key`: thumbprint of its attested key."""

    client_id: str | None
    method: AuthMethod
    attested_key: str | None = None
    spends: tuple[Spend, ...] = ()

    @property
    def is_authenticated(self) -> bool:
        """Whether it proved who it is, rather than only saying so."""
        return self.method is not AuthMethod.NONE


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _AttesterEntry(_Model):
    issuer: str = ""
    roots: list[str] = Field(min_length=1)


class _ClientEntry(_Model):
    client_id: str = Field(min_length=1, max_length=500)
    redirect_uris: list[str] = Field(min_length=1)
    jwks_file: str = ""


class _ClientsFile(_Model):
    attesters: list[_AttesterEntry] = []
    key_attesters: list[_AttesterEntry] = []
    clients: list[_ClientEntry] = []


def load_clients(path: Path | None, *, demands_authentication: bool) -> ClientPolicy:
    """Read the operator's file, or nobody when there is none. Raises `InvalidClients` naming what is wrong."""
    if path is None:
        return ClientPolicy({}, (), demands_authentication)
    try:
        entries = _ClientsFile.model_validate(tomllib.loads(path.read_text("utf-8")))
        attesters = tuple(_attester(entry, path.parent) for entry in entries.attesters)
        key_attesters = tuple(
            anchor for entry in entries.key_attesters for anchor in _attester(entry, path.parent).anchors
        )
        clients = {entry.client_id: _client(entry, path.parent) for entry in entries.clients}
    except OSError as exc:
        raise InvalidClients(f"{path.name}: {exc.filename or ''} cannot be read ({exc.strerror})") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise InvalidClients(f"{path.name} is not a TOML file: {exc}") from exc
    except ValidationError as exc:
        fault = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        raise InvalidClients(f"{path.name}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
    except ProtocolError as exc:
        raise InvalidClients(f"{path.name}: {exc}") from exc
    if len(clients) != len(entries.clients):
        raise InvalidClients(f"{path.name}: a client_id is there twice")
    return ClientPolicy(clients, attesters, demands_authentication, key_attesters)


def _attester(entry: _AttesterEntry, directory: Path) -> Attester:
    anchors = [anchor for name in entry.roots for anchor in read_pem_anchors((directory / name).read_bytes())]
    return Attester(entry.issuer, tuple(anchors))


def _client(entry: _ClientEntry, directory: Path) -> RegisteredClient:
    keys: tuple[Mapping[str, Any], ...] = ()
    if entry.jwks_file:
        document = strict_json.loads_object((directory / entry.jwks_file).read_bytes(), max_bytes=_MAX_FILE_BYTES)
        found = document.get("keys")
        if not isinstance(found, list) or not found or not all(isinstance(key, dict) for key in found):
            raise InvalidClients(f"{entry.jwks_file} holds no keys")
        keys = tuple(found)
    return RegisteredClient(entry.client_id, tuple(entry.redirect_uris), keys)


def authenticate_client(
    shown: ShownCredentials,
    policy: ClientPolicy,
    *,
    issuer: str,
    endpoints: Collection[str],
    challenges: Callable[[str], bool],
    algorithms: Collection[str] = CLIENT_ALGORITHMS,
    now: datetime,
) -> ClientIdentity:
    """Find out who asks. `issuer` names this authorization server; assertions may also name it by one of `endpoints`:
    the address that was called, and that of the token endpoint (RFC 9126, section 2), unless the policy demands
    authentication: FAPI 2.0, and so HAIP, takes the issuer alone (Security Profile, 5.3.2.1, 8).

    A client that shows an attestation or an assertion is held to it, whatever else it says; a registered client with
    keys must use them. `ClientIdentity.spends` must be spent before anything is granted.

    Raises `InvalidClient` and its kin, `UseAttestationChallenge`, `UseFreshAttestation`.
    """
    if shown.attestation is not None or shown.attestation_proof is not None:
        return _by_attestation(shown, policy, issuer=issuer, challenges=challenges, algorithms=algorithms, now=now)
    if shown.assertion is not None or shown.assertion_type is not None:
        return _by_assertion(shown, policy, issuer=issuer, endpoints=endpoints, algorithms=algorithms, now=now)
    if policy.demands_authentication:
        raise InvalidClient("this authorization server wants an attested or a registered client")
    registered = policy.clients.get(shown.client_id or "")
    if registered is not None and registered.method is not AuthMethod.NONE:
        raise InvalidClient("this client must authenticate with its key")
    return ClientIdentity(shown.client_id, AuthMethod.NONE)


def _by_attestation(
    shown: ShownCredentials,
    policy: ClientPolicy,
    *,
    issuer: str,
    challenges: Callable[[str], bool],
    algorithms: Collection[str],
    now: datetime,
) -> ClientIdentity:
    if shown.assertion is not None:
        raise InvalidClient("a client authenticates in one way only")  # RFC 6749, section 2.3
    if shown.attestation is None:
        raise InvalidClientAttestation("a proof of possession came without an attestation")
    if shown.attestation_proof is None:
        client = _combined(shown, policy.attesters, algorithms=algorithms, now=now)
    else:
        client = check_attested_client(
            shown.attestation,
            shown.attestation_proof,
            attesters=policy.attesters,
            expected_audience=issuer,
            challenges=challenges,
            demand_challenge=policy.demands_authentication,
            algorithms=algorithms,
            now=now,
        )
    if shown.client_id is not None and shown.client_id != client.client_id:
        raise InvalidClient("client_id is not the client that was attested")
    registered = policy.clients.get(client.client_id)
    if registered is not None and registered.keys:
        raise InvalidClient("this client authenticates with its own key")  # Nobody else's word stands for it.
    spends: tuple[Spend, ...] = ()
    if client.replay_value is not None:
        until = now + timedelta(seconds=2 * PROOF_WINDOW_SECONDS)
        spends = (Spend("client attestation proof", client.replay_value, until),)
    return ClientIdentity(client.client_id, AuthMethod.ATTESTATION, client.thumbprint, spends)


def _combined(
    shown: ShownCredentials, attesters: Sequence[Attester], *, algorithms: Collection[str], now: datetime
) -> AttestedClient:
    """The DPoP proof serves as proof of possession: it must be of the attested key, with a nonce of ours (7.3)."""
    if shown.dpop is None:
        raise InvalidClientAttestation("the attestation came without a proof of possession")
    assert shown.attestation is not None
    client_id, jwk = check_attestation(shown.attestation, attesters=attesters, algorithms=algorithms, now=now)
    if jwk != shown.dpop.jwk:
        raise InvalidClientAttestation("the DPoP proof is not by the attested key")
    if shown.dpop.nonce is None:
        raise InvalidClientAttestation("the DPoP proof needs a nonce when it stands for the attestation's own")
    return AttestedClient(client_id, jwk, shown.dpop.thumbprint, None)


def _by_assertion(
    shown: ShownCredentials,
    policy: ClientPolicy,
    *,
    issuer: str,
    endpoints: Collection[str],
    algorithms: Collection[str],
    now: datetime,
) -> ClientIdentity:
    if shown.assertion_type != ASSERTION_TYPE or shown.assertion is None:
        raise InvalidClient("client_assertion and its type belong together")
    client_id = unverified_subject(shown.assertion)
    if shown.client_id is not None and shown.client_id != client_id:
        raise InvalidClient("client_id is not the client of the assertion")
    registered = policy.clients.get(client_id)
    if registered is None or not registered.keys:
        raise InvalidClient("no such client is registered with keys")
    checked = check_client_assertion(
        shown.assertion,
        expected_client_id=client_id,
        keys=registered.keys,
        expected_audiences={issuer} if policy.demands_authentication else {issuer, *endpoints},
        as_string=policy.demands_authentication,
        algorithms=algorithms,
        now=now,
    )
    spend = Spend("client assertion", checked.replay_value, checked.expires_at)
    return ClientIdentity(client_id, AuthMethod.PRIVATE_KEY, None, (spend,))
