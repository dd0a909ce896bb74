"""The credential request, read and checked: what is asked for, with which keys, and how the answer is wanted.

Nothing here is spent or signed: `issuer.issuance.collect` does that. Source: OpenID4VCI 1.0, sections 8.2 and 10,
appendices D and F.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from proofs import jose
from proofs.jwe import ENCRYPTIONS, KEY_AGREEMENT
from proofs.key_attestation import AttestedKeys, check_key_attestation
from proofs.keys import check_public_jwk
from proofs.proof_of_possession import CheckedProof, check_proof
from schemas.errors import ProtocolError
from schemas.issuance import (
    PROOF_TYPE_ATTESTATION,
    PROOF_TYPE_JWT,
    InvalidCredentialRequest,
    InvalidEncryptionParameters,
    InvalidNonce,
    InvalidProof,
)
from service.single_use import StampedNonces

PROOF_ALGORITHMS = ("ES256",)
COMPRESSION = "DEF"
_MAX_PROOF_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True)
class HolderKey:
    """A public key that a copy is bound to, and its RFC 7638 thumbprint."""

    jwk: Mapping[str, str]
    thumbprint: str


@dataclass(frozen=True, slots=True)
class ProvenKeys:
    """The keys of one request, each once, and the one nonce of ours that all its proofs carry."""

    keys: tuple[HolderKey, ...]
    nonce: str


@dataclass(frozen=True, slots=True)
class KeyRules:
    """How keys are proven here. `attesters` are the roots (DER) under which key attestations are believed; with none,
    attestations are passed over. `demanded_for` names the types for which an attestation is needed."""

    issuer: str
    nonces: StampedNonces
    batch_size: int
    attesters: tuple[bytes, ...] = ()
    demanded_for: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AnswerEncryption:
    """How the answer is to be encrypted: to this key, with this content encryption, compressed first or not."""

    jwk: Mapping[str, Any]
    enc: str
    compressed: bool

    def encrypt(self, plaintext: bytes) -> str:
        """The answer as a compact JWE; the `kid` of the key is copied (section 10)."""
        header: dict[str, Any] = {"typ": "JWT"}
        if isinstance(self.jwk.get("kid"), str):
            header["kid"] = self.jwk["kid"]
        if self.compressed:
            header["zip"] = COMPRESSION
        return jose.encrypt_jwe(plaintext, recipient_jwk=self.jwk, alg=KEY_AGREEMENT, enc=self.enc, header=header)


def answer_encryption(request: Mapping[str, Any], *, was_encrypted: bool) -> AnswerEncryption | None:
    """How the answer to this request is to be encrypted; None when it is not.

    It may be only when the request was: otherwise whoever is in between could put in a key of their own (8.2).
    Raises `InvalidEncryptionParameters`.
    """
    wanted = request.get("credential_response_encryption")
    if wanted is None:
        return None
    if not was_encrypted:
        raise InvalidEncryptionParameters("an encrypted response needs an encrypted request")
    if not isinstance(wanted, dict) or not isinstance(wanted.get("jwk"), dict):
        raise InvalidEncryptionParameters("credential_response_encryption needs a jwk")
    jwk, enc, compression = wanted["jwk"], wanted.get("enc"), wanted.get("zip")
    if jwk.get("alg") != KEY_AGREEMENT:
        raise InvalidEncryptionParameters("the alg of the key is missing or not supported")
    if not isinstance(enc, str) or enc not in ENCRYPTIONS:
        raise InvalidEncryptionParameters("enc is missing or not supported")
    if compression not in (None, COMPRESSION):
        raise InvalidEncryptionParameters("zip is not supported")
    try:
        check_public_jwk(jwk)
    except ProtocolError as exc:
        raise InvalidEncryptionParameters(f"the key of the response cannot be used: {exc}") from exc
    return AnswerEncryption(jwk, enc, compressed=compression is not None)


def proven_keys(
    request: Mapping[str, Any], *, type_name: str, client_id: str | None, rules: KeyRules, now: datetime
) -> ProvenKeys:
    """The keys that a request proves, or that somebody trusted vouches for. One bad proof fails the whole request.

    Raises `InvalidProof` (also for no proofs, too many, or one without a nonce) and `InvalidNonce`. Spends nothing.
    """
    kind, tokens = requested_proofs(request, rules=rules)
    if kind == PROOF_TYPE_ATTESTATION:
        keys, nonces = _attested(tokens[0], rules=rules, now=now)
    else:
        keys, nonces = _proven(tokens, type_name=type_name, client_id=client_id, rules=rules, now=now)
    if len(keys) > rules.batch_size:
        raise InvalidProof(f"more than {rules.batch_size} keys")
    if nonces & {None, ""}:
        raise InvalidProof("a proof has no nonce")
    if len(nonces) != 1:
        raise InvalidProof("the proofs do not share one nonce")
    (nonce,) = nonces
    if nonce is None or not rules.nonces.is_genuine(nonce, now=now):
        raise InvalidNonce("the nonce is not from here, or has expired")
    return ProvenKeys(keys, nonce)


def requested_proofs(request: Mapping[str, Any], *, rules: KeyRules) -> tuple[str, list[str]]:
    """The kind and the texts of the proofs: `{"jwt": [...]}` with 1 to `batch_size` of them, or one attestation.

    Raises `InvalidProof`, which is also the answer to a request without proofs (8.3.1.2).
    """
    proofs = request.get("proofs")
    if proofs is None:
        hint = "proofs is missing: the singular proof is no longer used" if "proof" in request else "proofs is missing"
        raise InvalidProof(hint)
    kinds = [PROOF_TYPE_JWT, *([PROOF_TYPE_ATTESTATION] if rules.attesters else [])]
    if not isinstance(proofs, dict) or len(proofs) != 1 or next(iter(proofs)) not in kinds:
        raise InvalidProof(f"proofs needs exactly one member, {' or '.join(kinds)}")
    ((kind, tokens),) = proofs.items()
    if not isinstance(tokens, list) or not tokens or not all(isinstance(token, str) for token in tokens):
        raise InvalidProof(f"proofs.{kind} is not an array of JWTs")
    if len(tokens) > (1 if kind == PROOF_TYPE_ATTESTATION else rules.batch_size):
        raise InvalidProof("too many proofs")
    if any(len(token) > _MAX_PROOF_CHARACTERS for token in tokens):
        raise InvalidProof("a proof is too long")
    return kind, tokens


def _attested(token: str, *, rules: KeyRules, now: datetime) -> tuple[tuple[HolderKey, ...], set[str | None]]:
    """The keys of an `attestation` proof (F.3): vouched for, without a proof of possession of their own."""
    attested = check_key_attestation(
        token, anchors=rules.attesters, demand_expiry=False, algorithms=PROOF_ALGORITHMS, now=now
    )
    return _holder_keys(attested), {attested.nonce}


def _proven(
    tokens: Sequence[str], *, type_name: str, client_id: str | None, rules: KeyRules, now: datetime
) -> tuple[tuple[HolderKey, ...], set[str | None]]:
    """The keys of `jwt` proofs, and those of the attestations in them: one copy for each (F.1)."""
    keys: dict[str, HolderKey] = {}
    nonces: set[str | None] = set()
    proofs: set[str] = set()
    checked: dict[str, AttestedKeys] = {}  # All proofs of a batch may carry the same one (HAIP 4.5.1).

    def attested_in(attestation: str) -> AttestedKeys:
        if attestation not in checked:
            checked[attestation] = check_key_attestation(
                attestation, anchors=rules.attesters, demand_expiry=True, algorithms=PROOF_ALGORITHMS, now=now
            )
        return checked[attestation]

    def attested_key(attestation: str, kid: str) -> dict[str, str]:
        return attested_in(attestation).key_named(kid)

    for token in tokens:
        proof = check_proof(
            token,
            expected_audience=rules.issuer,
            expected_client_id=client_id,
            algorithms=PROOF_ALGORITHMS,
            now=now,
            attested_key=attested_key if rules.attesters else None,
            max_age_seconds=None,  # The nonce, demanded by the caller, tells by our own clock how old a proof is.
        )
        if proof.thumbprint in proofs:
            raise InvalidProof("two proofs are of the same key")
        proofs.add(proof.thumbprint)
        nonces.add(proof.nonce)
        attested = None
        if proof.key_attestation is not None and rules.attesters:
            attested = _belongs_to(proof, attested_in(proof.key_attestation))
        if attested is None and type_name in rules.demanded_for:
            raise InvalidProof("this credential needs a key attestation")
        for key in _holder_keys(attested) if attested else (HolderKey(proof.jwk, proof.thumbprint),):
            keys.setdefault(key.thumbprint, key)
    return tuple(keys.values()), nonces


def _belongs_to(proof: CheckedProof, attested: AttestedKeys) -> AttestedKeys:
    """The attestation in a proof: the proof's key is among its keys, and its nonce is the proof's (I-41)."""
    if proof.thumbprint not in attested.thumbprints:
        raise InvalidProof("the key of the proof is not among the attested keys")
    if attested.nonce != proof.nonce:
        raise InvalidProof("the nonce of the key attestation is not that of the proof")
    return attested


def _holder_keys(attested: AttestedKeys) -> tuple[HolderKey, ...]:
    return tuple(HolderKey(jwk, mark) for jwk, mark in zip(attested.keys, attested.thumbprints, strict=True))


def read_transaction_id(request: Mapping[str, Any]) -> str:
    """The transaction of a deferred credential request (9.1). Raises `InvalidCredentialRequest`."""
    found = request.get("transaction_id")
    if not isinstance(found, str) or not found:
        raise InvalidCredentialRequest("transaction_id is missing or not a string")
    return found
