"""Passkeys: what a browser is asked for, and the check of what its authenticator answered (Web Authentication 3).

    asked = registration_request(rp_id="wallet.example", challenge=challenge, ...)     # JSON for the page's script
    answer = read_answer(text)                                                         # nothing of it is checked yet
    passkey = check_registration(answer, expected_challenge=..., expected_origin=..., expected_rp_id=...)
    count = check_assertion(answer, expected_challenge=..., ..., public_key=passkey.public_key, sign_count=0)

The pseudo-random function of an authenticator (section 10.1.4, `prf`) gives 32 bytes that only this authenticator gives
for one input, after it has verified its user. The signature says nothing about them: whether they are the right ones
shows when what they close is opened.

The ceremonies are those of `webauthn` (py_webauthn), which asks for no extension: the input of `prf` is added here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import options_to_json_dict, parse_attestation_object
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from proofs import base64url, strict_json
from schemas.errors import Malformed, ProtocolError, Refused

PRF_BYTES: Final = 32
MAXIMUM_ANSWER_CHARACTERS: Final = 20_000
_LONGEST_CREDENTIAL_ID: Final = 1023  # Web Authentication 3, section 5.8.3 and 6.5.1
# Allowed algorithms are ours: EdDSA, ECDSA with P-256, RSA PKCS#1 v1.5, all with SHA-256 or better.
_ALGORITHMS: Final = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
_MILLISECONDS: Final = 120_000
# What the library raises from inside hostile CBOR, COSE keys and certificates beside its own errors.
_LIBRARY_ERRORS = (
    WebAuthnException,
    UnsupportedAlgorithm,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
)


class PasskeyRefused(Refused):
    """The answer of the authenticator does not hold: another site, challenge or key, an unverified user, a replay."""

    error = "passkey_refused"
    status = 403


class MalformedPasskeyAnswer(Malformed):
    """This is not the answer of an authenticator."""

    error = "malformed_passkey_answer"


@dataclass(frozen=True, slots=True)
class UnverifiedAnswer:
    """What a page sent as the answer of an authenticator; nothing of it is known to be true."""

    credential_id: bytes
    challenge: bytes
    user_handle: bytes | None
    members: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RegisteredPasskey:
    """A passkey that an authenticator made for us and for nobody else, after it had verified its user."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def registration_request(
    *,
    rp_id: str,
    rp_name: str,
    user_handle: bytes,
    user_name: str,
    challenge: bytes,
    prf_input: bytes,
    known: Sequence[bytes],
) -> dict[str, Any]:
    """What `navigator.credentials.create` is called with, as JSON; binary members are base64url.

    The passkey has to be found without a name (discoverable), and its user has to be verified. `known` are the passkeys
    that are there already: an authenticator that holds one of them refuses. No attestation is wanted.
    """
    options = generate_registration_options(
        rp_id=rp_id,
        rp_name=rp_name,
        user_id=user_handle,
        user_name=user_name,
        challenge=challenge,
        timeout=_MILLISECONDS,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        supported_pub_key_algs=_ALGORITHMS,
    )
    return {**options_to_json_dict(options), "extensions": _prf(prf_input)}


def assertion_request(
    *, rp_id: str, challenge: bytes, prf_input: bytes | None, among: Sequence[bytes] = ()
) -> dict[str, Any]:
    """What `navigator.credentials.get` is called with, as JSON; without `prf_input` the authenticator signs only.

    `among` are the passkeys that may answer. Before it is known who asks it stays empty: then it says nothing about
    anybody.
    """
    options = generate_authentication_options(
        rp_id=rp_id,
        challenge=challenge,
        timeout=_MILLISECONDS,
        user_verification=UserVerificationRequirement.REQUIRED,
        allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in among],
    )
    asked: dict[str, Any] = options_to_json_dict(options)
    return asked if prf_input is None else {**asked, "extensions": _prf(prf_input)}


def read_answer(text: str) -> UnverifiedAnswer:
    """Take apart what a page sent (`PublicKeyCredential.toJSON`). Raises `MalformedPasskeyAnswer`."""
    try:
        if len(text) > MAXIMUM_ANSWER_CHARACTERS:
            raise MalformedPasskeyAnswer
        members = strict_json.loads_object(text.encode())
        response = members["response"]
        client_data = strict_json.loads_object(base64url.decode(response["clientDataJSON"]))
        handle = response.get("userHandle")
        answer = UnverifiedAnswer(
            credential_id=base64url.decode(members["rawId"]),
            challenge=base64url.decode(client_data["challenge"]),
            user_handle=None if handle is None else base64url.decode(handle),
            members=members,
        )
    except (ProtocolError, *_LIBRARY_ERRORS) as exc:
        raise MalformedPasskeyAnswer from exc
    if not 1 <= len(answer.credential_id) <= _LONGEST_CREDENTIAL_ID:
        raise MalformedPasskeyAnswer
    return answer


def read_prf(text: str) -> bytes | None:
    """The result of the pseudo-random function as a page sent it; None when the authenticator gave none.

    Raises `MalformedPasskeyAnswer` for anything but 32 bytes.
    """
    if not text:
        return None
    try:
        output = base64url.decode(text)
    except (ProtocolError, *_LIBRARY_ERRORS) as exc:
        raise MalformedPasskeyAnswer from exc
    if len(output) != PRF_BYTES:
        raise MalformedPasskeyAnswer
    return output


def check_registration(
    answer: UnverifiedAnswer, *, expected_challenge: bytes, expected_origin: str, expected_rp_id: str
) -> RegisteredPasskey:
    """Check the answer to a registration. Raises `PasskeyRefused`.

    Who made the authenticator is not checked. Source: Web Authentication 3, section 7.1.
    """
    try:
        _refuse_attestation(answer)
        made = verify_registration_response(
            credential=_plain(answer),
            expected_challenge=expected_challenge,
            expected_rp_id=expected_rp_id,
            expected_origin=expected_origin,
            require_user_verification=True,
            supported_pub_key_algs=_ALGORITHMS,
        )
    except (Malformed, *_LIBRARY_ERRORS) as exc:
        raise PasskeyRefused from exc
    if made.credential_id != answer.credential_id or _is_embedded(answer):
        raise PasskeyRefused
    return RegisteredPasskey(made.credential_id, made.credential_public_key, made.sign_count)


def check_assertion(
    answer: UnverifiedAnswer,
    *,
    expected_challenge: bytes,
    expected_origin: str,
    expected_rp_id: str,
    public_key: bytes,
    sign_count: int,
) -> int:
    """Check the answer to an assertion; returns the new count of signatures. Raises `PasskeyRefused`.

    That the answer names the passkey whose `public_key` this is, is for the caller. Source: Web Authentication 3,
    section 7.2.
    """
    try:
        checked = verify_authentication_response(
            credential=_plain(answer),
            expected_challenge=expected_challenge,
            expected_rp_id=expected_rp_id,
            expected_origin=expected_origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except _LIBRARY_ERRORS as exc:
        raise PasskeyRefused from exc
    if _is_embedded(answer):
        raise PasskeyRefused
    return checked.new_sign_count


def _refuse_attestation(answer: UnverifiedAnswer) -> None:
    """We ask for none, and a browser then sends none or what the passkey's own key signed: chains of certificates are
    not even read."""
    attestation = parse_attestation_object(base64url.decode(answer.members["response"]["attestationObject"]))
    is_own = attestation.fmt == AttestationFormat.PACKED and attestation.att_stmt.x5c is None
    if attestation.fmt != AttestationFormat.NONE and not is_own:
        raise PasskeyRefused


def _prf(value: bytes) -> dict[str, Any]:
    return {"prf": {"eval": {"first": base64url.encode(value)}}}


def _plain(answer: UnverifiedAnswer) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(strict_json.dumps(dict(answer.members)))
    return plain


def _is_embedded(answer: UnverifiedAnswer) -> bool:
    """Whether a page of another origin asked, with ours in a frame: we are never framed (section 7.1 step 10)."""
    client_data = strict_json.loads_object(base64url.decode(answer.members["response"]["clientDataJSON"]))
    return client_data.get("crossOrigin") is True or "topOrigin" in client_data
