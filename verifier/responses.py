"""Reading what a wallet posts: form, decryption, state, shape. What it proves is checked afterwards.

    form = read_form(body, max_fields=20)
    answer = open_response(form, transaction=transaction, max_bytes=1_000_000)

Everything here is hostile until `verification.py` has looked at the presentations. Encryption hides an answer, it does
not prove who made it: whoever has the request can encrypt to its key (OpenID4VP 14.5), so only the presentations count.

Source: OpenID4VP 1.0, sections 8.1 to 8.3 and 14.3.2.
"""

import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from proofs import strict_json
from proofs.jose import decrypt_jwe
from schemas.errors import ProtocolError
from schemas.presentation import (
    AuthorizationErrorResponse,
    AuthorizationResponse,
    InvalidResponse,
    read_response,
)
from verifier.requests import CONTENT_ENCRYPTIONS, KEY_AGREEMENT, Transaction

MAX_FORM_FIELDS = 20
MAX_PRESENTATIONS = 50

Answer = AuthorizationResponse | AuthorizationErrorResponse


def read_form(body: bytes, *, content_type: str) -> dict[str, str]:
    """Read a form body. Raises `InvalidResponse` for another media type, other text than UTF-8, or a repeated field."""
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise InvalidResponse("the answer is not application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS, errors="strict")
    except ValueError as exc:  # UnicodeDecodeError is one
        raise InvalidResponse("the form cannot be read") from exc
    form = dict(pairs)
    if len(form) != len(pairs):
        raise InvalidResponse("a form field is repeated")
    return form


def open_response(form: Mapping[str, str], *, transaction: Transaction, max_bytes: int) -> Answer:
    """The answer in a form: decrypted where it was encrypted, with the state of this very transaction.

    Raises `InvalidResponse` when an answer that should be encrypted is not (errors may come in clear, 8.3.1), when it
    cannot be decrypted with the key of this transaction, when `state` is missing or another (inside the encrypted
    answer; outside it may be absent but not differ), or when the answer has not the form of section 8.1.
    """
    if "response" in form:
        members = decrypted_response(form["response"], transaction, max_bytes)
        if "state" in form and not _is_state(form["state"], transaction):
            raise InvalidResponse("state outside the encrypted answer is another")
    else:
        members = _in_clear(form)
        if transaction.encryption_key is not None and "error" not in members:
            raise InvalidResponse("the answer is not encrypted")
    if not _is_state(members.get("state"), transaction):
        raise InvalidResponse("state is missing or another")
    return read_response(members, max_presentations=MAX_PRESENTATIONS)


def decrypted_response(token: str, transaction: Transaction, max_bytes: int) -> dict[str, Any]:
    """The members of an encrypted answer. Raises `InvalidResponse` when this transaction's key does not open it."""
    if transaction.encryption_key is None:
        raise InvalidResponse("the answer is encrypted, but no key was given for it")
    try:
        _, plaintext = decrypt_jwe(
            token,
            private_jwk=transaction.encryption_key,
            algorithms={KEY_AGREEMENT},
            encryptions=set(CONTENT_ENCRYPTIONS),
            max_bytes=max_bytes,
        )
        return strict_json.loads_object(plaintext, max_bytes=max_bytes)
    except ProtocolError as exc:
        raise InvalidResponse("the encrypted answer cannot be read") from exc


def _in_clear(form: Mapping[str, str]) -> dict[str, Any]:
    """The response parameters of a plain form, where `vp_token` is JSON text."""
    members: dict[str, Any] = dict(form)
    if "vp_token" in form:
        try:
            members["vp_token"] = strict_json.loads(form["vp_token"])
        except ProtocolError as exc:
            raise InvalidResponse("vp_token is not JSON") from exc
    return members


def _is_state(value: object, transaction: Transaction) -> bool:
    return isinstance(value, str) and value.isascii() and hmac.compare_digest(value, transaction.state)
