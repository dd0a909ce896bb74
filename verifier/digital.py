"""The Digital Credentials API as a further channel: the browser itself brings request and answer.

    asked = digital_request(transaction, identity=identity, terms=terms, now=now)   # {"protocol": ..., "data": ...}
    answer = open_digital_response(body, transaction=transaction, max_bytes=1_000_000)

There is no address to fetch from or to post to, and no state. What binds an answer is the origin of the page: the
browser tells it to the wallet, a signed request names it in `expected_origins`, and it is the audience of every
presentation, also of those that answer a signed request (A.4). Answers come in the very browser that asked.

Source: OpenID4VP 1.0, Appendix A; HAIP 1.0, section 5.2.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

from proofs import strict_json
from proofs.request_object import sign_request_object
from schemas.errors import ProtocolError
from schemas.presentation import InvalidResponse, read_response
from verifier.fetched import request_parameters, verifier_info
from verifier.requests import ClientIdentity, RequestTerms, Transaction
from verifier.responses import MAX_PRESENTATIONS, Answer, decrypted_response

SIGNED: Final = "openid4vp-v1-signed"
UNSIGNED: Final = "openid4vp-v1-unsigned"

# What only a request by address needs (A.2): there is nowhere to post to, nothing to send back, no unknown audience.
_BY_ADDRESS_ONLY: Final = frozenset({"response_uri", "state", "aud"})
# An unsigned request is the browser's to vouch for: it carries neither an identifier nor dates that nobody signed.
_SIGNED_ONLY: Final = frozenset({"client_id", "iat", "exp"})


def protocol_of(identity: ClientIdentity) -> str:
    """The exchange protocol by which this verifier asks."""
    return SIGNED if identity.signer is not None else UNSIGNED


def digital_request(
    transaction: Transaction, *, identity: ClientIdentity, terms: RequestTerms, now: datetime, registration: str = ""
) -> dict[str, Any]:
    """One entry of `digital.requests`: the protocol, and the request signed for our origin, or as plain parameters."""
    parameters = {
        name: value for name, value in request_parameters(transaction, now=now).items() if name not in _BY_ADDRESS_ONLY
    }
    parameters["verifier_info"] = verifier_info(transaction, terms=terms, identity=identity, registration=registration)
    if identity.signer is None:
        parameters = {name: value for name, value in parameters.items() if name not in _SIGNED_ONLY}
        return {"protocol": UNSIGNED, "data": parameters}
    parameters["expected_origins"] = [transaction.origin]
    return {"protocol": SIGNED, "data": {"request": sign_request_object(parameters, signer=identity.signer)}}


def open_digital_response(body: bytes, *, transaction: Transaction, protocol: str, max_bytes: int) -> Answer:
    """The answer that the page posts: `{"protocol", "data"}` as the browser gave it.

    Raises `InvalidResponse` when it is no such object, answers by another protocol than was asked, is not encrypted
    although it should be (an error may come in clear), cannot be decrypted with the key of this transaction, or has not
    the form of section 8.1. A `state` is not defined here and counts for nothing.
    """
    try:
        members = strict_json.loads_object(body, max_bytes=max_bytes)
    except ProtocolError as exc:
        raise InvalidResponse("the answer is not JSON") from exc
    data = members.get("data")
    if members.get("protocol") != protocol or not isinstance(data, dict):
        raise InvalidResponse("the answer is not one to this request")
    return read_response(_opened(data, transaction, max_bytes), max_presentations=MAX_PRESENTATIONS)


def _opened(data: Mapping[str, Any], transaction: Transaction, max_bytes: int) -> dict[str, Any]:
    if "response" in data:
        if not isinstance(data["response"], str):
            raise InvalidResponse("the encrypted answer is not a string")
        opened = decrypted_response(data["response"], transaction, max_bytes)
    elif transaction.encryption_key is not None and "error" not in data:
        raise InvalidResponse("the answer is not encrypted")
    else:
        opened = cast("dict[str, Any]", dict(data))
    return {name: value for name, value in opened.items() if name != "state"}
