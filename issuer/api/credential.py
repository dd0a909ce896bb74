"""The endpoints under an access token: credential, deferred credential, notification; and the nonce endpoint.

Source: OpenID4VCI 1.0, sections 7 to 11. Requests may be encrypted to our key, and then answers to the wallet's; errors
never are.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from issuer.api.answers import CORS, NO_STORE, json_answer, media_type, read_body
from issuer.api.door import Door, Entrance
from issuer.context import IssuerContext
from issuer.credential_request import AnswerEncryption, answer_encryption, read_transaction_id
from issuer.deferral import Deferred, collect_deferred, collect_or_defer
from issuer.issuance import Access, Collected
from issuer.notification import new_notification_id, read_notification
from proofs import jose, strict_json
from proofs.jwe import ENCRYPTIONS, KEY_AGREEMENT, jwe_header
from schemas.errors import Malformed, ProtocolError
from schemas.issuance import (
    InvalidCredentialRequest,
    InvalidEncryptionParameters,
    InvalidNotificationRequest,
)
from service.rate_limits import client_address

MAX_BODY_BYTES = 1_000_000
_ENCRYPTED = ("application/jwt", "application/jose")


class NonceEndpoint:
    """`POST /nonce`: a fresh nonce for anybody. Nothing is stored until one is spent."""

    def __init__(self, context: IssuerContext) -> None:
        self._nonces = context.issuing.key_rules.nonces
        self._clock = context.clock
        self._limits = context.limits
        self._door = Door(context)

    async def __call__(self, request: Request) -> Response:
        """Answer with a nonce; the request has no parameters, and a body would be ignored. A nonce for DPoP comes along
        (7.2)."""
        self._limits.count_address(client_address(request), path="/nonce")
        answer = json_answer({"c_nonce": self._nonces.new(now=self._clock())})
        self._door.add_nonce(answer)
        return answer


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request as it was read: its JSON object, and how the answer is to be encrypted."""

    value: dict[str, Any]
    encryption: AnswerEncryption | None


Issue = Callable[[dict[str, Any], Access], Collected | Deferred]


class _IssuingEndpoint(ABC):
    """What the credential endpoint and the deferred one share: token, reading, answering, encryption."""

    path = ""

    def __init__(self, context: IssuerContext) -> None:
        self._context = context
        self._door = Door(context)

    async def __call__(self, request: Request) -> Response:
        """Answer with copies, or with a transaction to ask for later."""
        try:
            entrance = self._door.access(request, self.path)
            asked = await self._read(request)
            outcome = await self._context.store.database.run(self._enter_and_issue, entrance, asked.value)
        except ProtocolError as error:
            return self._door.refused(error, at_resource=True)
        answer = self._answer(outcome, asked.encryption)
        if entrance.dpop is not None:
            self._door.add_nonce(answer)
        return answer

    def _enter_and_issue(self, entrance: Entrance, value: dict[str, Any]) -> Collected | Deferred:
        return self._issue(value, entrance.enter())

    @abstractmethod
    def _issue(self, value: dict[str, Any], access: Access) -> Collected | Deferred:
        """What the request gets."""

    def _answer(self, outcome: Collected | Deferred, encryption: AnswerEncryption | None) -> Response:
        status = 200
        if isinstance(outcome, Deferred):
            status = 202
            members: dict[str, Any] = {
                "transaction_id": outcome.transaction_id,
                "interval": outcome.interval_seconds,
            }
        else:
            members = {
                "credentials": [{"credential": copy} for copy in outcome.copies],
                "notification_id": new_notification_id(outcome.offer_id, secret=self._context.store.secret),
            }
        if encryption is None:
            return json_answer(members, status=status)
        token = encryption.encrypt(strict_json.dumps(members))
        return Response(token, status, headers=CORS | NO_STORE, media_type="application/jwt")

    async def _read(self, request: Request) -> _Asked:
        """The JSON object of a request, decrypted when it was encrypted.

        Raises `InvalidCredentialRequest`, `InvalidEncryptionParameters`.
        """
        try:
            body = await read_body(request, max_bytes=MAX_BODY_BYTES)
        except Malformed as exc:
            raise InvalidCredentialRequest(str(exc)) from exc
        was_encrypted = media_type(request) in _ENCRYPTED
        if was_encrypted and self._context.settings.encryption == "none":
            raise InvalidEncryptionParameters("this issuer does not offer encrypted credential requests")
        if was_encrypted:
            body = self._decrypt(body)
        elif self._context.settings.encryption == "required":
            raise InvalidEncryptionParameters("this issuer wants encrypted requests")
        value = read_request(body)
        encryption = answer_encryption(value, was_encrypted=was_encrypted)
        if encryption is None and self._context.settings.encryption == "required":
            raise InvalidEncryptionParameters("this issuer wants to encrypt its responses")
        return _Asked(value, encryption)

    def _decrypt(self, body: bytes) -> bytes:
        key = self._context.encryption_key
        try:
            token = body.decode("ascii")
            if jwe_header(token, max_bytes=MAX_BODY_BYTES).get("kid") != key["kid"]:
                raise InvalidEncryptionParameters("the request is not encrypted to a key of this issuer")
            _, plaintext = jose.decrypt_jwe(
                token,
                private_jwk=key,
                algorithms=(KEY_AGREEMENT,),
                encryptions=tuple(ENCRYPTIONS),
                max_bytes=MAX_BODY_BYTES,
            )
        except UnicodeDecodeError as exc:
            raise InvalidCredentialRequest("the encrypted request is not a compact JWE") from exc
        except InvalidEncryptionParameters:
            raise
        except ProtocolError as exc:
            raise InvalidEncryptionParameters(f"the encrypted request cannot be opened: {exc}") from exc
        return plaintext


class CredentialEndpoint(_IssuingEndpoint):
    """`POST /credential`: one copy for each key."""

    path = "/credential"

    def _issue(self, value: dict[str, Any], access: Access) -> Collected | Deferred:
        context = self._context
        return collect_or_defer(
            value,
            access,
            issuing=context.issuing,
            reviewed_types=context.settings.reviewed,
            slots=context.store.slots,
            book=context.store.deferrals,
            now=context.clock(),
        )


class DeferredCredentialEndpoint(_IssuingEndpoint):
    """`POST /deferred_credential`: what had to wait."""

    path = "/deferred_credential"

    def _issue(self, value: dict[str, Any], access: Access) -> Collected | Deferred:
        context = self._context
        return collect_deferred(
            read_transaction_id(value),
            access,
            issuing=context.issuing,
            slots=context.store.slots,
            book=context.store.deferrals,
            now=context.clock(),
        )


class NotificationEndpoint:
    """`POST /notification`: the wallet tells what became of the copies."""

    def __init__(self, context: IssuerContext) -> None:
        self._context = context
        self._door = Door(context)

    async def __call__(self, request: Request) -> Response:
        """Keep it; the same again is a success again."""
        try:
            entrance = self._door.access(request, "/notification")
            body = await read_body(request, max_bytes=MAX_BODY_BYTES)
            await self._context.store.database.run(self._tell, entrance, body)
        except ProtocolError as error:
            return self._door.refused(error, at_resource=True)
        answer = Response(status_code=204, headers=CORS | NO_STORE)
        if entrance.dpop is not None:
            self._door.add_nonce(answer)
        return answer

    def _tell(self, entrance: Entrance, body: bytes) -> None:
        context = self._context
        access = entrance.enter()
        try:
            value = strict_json.loads_object(body, max_bytes=MAX_BODY_BYTES)
        except Malformed as exc:
            raise InvalidNotificationRequest(str(exc)) from exc
        offer_id, event = read_notification(value, access, secret=context.store.secret)
        context.store.grants.tell(offer_id, event, now=context.clock())


def read_request(body: bytes) -> dict[str, Any]:
    """The JSON object of a credential request. Raises `InvalidCredentialRequest`."""
    try:
        return strict_json.loads_object(body, max_bytes=MAX_BODY_BYTES)
    except Malformed as exc:
        raise InvalidCredentialRequest(str(exc)) from exc
