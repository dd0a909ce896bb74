"""The wallet as a client of issuers: it proves who it is, and binds its tokens to a key of its own.

    client = IssuerClient(keys, server=offered.authorization_server, web=web, provider=provider, clock=clock)
    reply = await client.ask_server(url, form, attested=True, bound=True)       # as far as the server takes them
    reply = await client.ask_resource(url, access_token, bound=True, json=...)  # with the token, by DPoP

Each collection has keys of its own, so that two issuers cannot tell that they know the same wallet (HAIP 4.4.1). What
the server does not know is left out. Source: RFC 9449; attestation-based client authentication; OpenID4VCI, appendix E.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from proofs import strict_json
from proofs.client_attestation import make_attestation_proof
from proofs.dpop import make_dpop_proof
from proofs.keys import SoftwareSigner, generate_signer
from schemas.errors import ProtocolError
from schemas.issuance import AuthorizationServerMetadata, ErrorResponse
from wallet.web import Busy, Reply, Unreachable, Web

LARGEST_ANSWER = 100_000
ALGORITHM = "ES256"
ATTESTATION_METHOD = "attest_jwt_client_auth"
_TRIES = 3
_NONCE_WANTED = "use_dpop_nonce"
_CHALLENGE = "oauth-client-attestation-challenge"
_CHALLENGED = re.compile(r'\berror\s*=\s*"?([!#-\[\]-~]+)"?')
"""An error in a WWW-Authenticate header (RFC 6750, section 3; RFC 9449, section 9): any of its challenges has one."""


class WalletProvider(Protocol):
    """Who vouches for this deployment's wallets."""

    @property
    def client_id(self) -> str:
        """The client identifier that all wallets of this deployment share."""
        ...

    @property
    def redirect_uri(self) -> str:
        """Where browsers come back to after an authorization."""
        ...

    def attestation(self, instance_jwk: Mapping[str, str], *, now: datetime) -> str:
        """Vouch for the key of one wallet towards one issuer."""
        ...

    def key_attestation(self, keys: Sequence[Mapping[str, str]], *, nonce: str | None, now: datetime) -> str:
        """Vouch for how holder keys are kept."""
        ...


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """The keys of one collection: for tokens (DPoP), and the one that the provider vouches for. Private JWKs."""

    dpop: Mapping[str, str] = field(repr=False)
    instance: Mapping[str, str] = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """The form in which they are sealed."""
        return {"dpop": dict(self.dpop), "instance": dict(self.instance)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `as_json` gave."""
        return cls(value["dpop"], value["instance"])


def new_client_keys() -> ClientKeys:
    """Fresh keys for one collection."""
    return ClientKeys(generate_signer().private_jwk(), generate_signer().private_jwk())


class IssuerClient:
    """One collection's way of talking to its authorization server and its issuer."""

    def __init__(
        self,
        keys: ClientKeys,
        *,
        server: AuthorizationServerMetadata,
        web: Web,
        provider: WalletProvider,
        clock: Callable[[], datetime],
    ) -> None:
        self._dpop = SoftwareSigner.from_private_jwk(keys.dpop)
        self._instance = SoftwareSigner.from_private_jwk(keys.instance)
        self._server = server
        self._web = web
        self._provider = provider
        self._clock = clock
        self._nonces: dict[str, str] = {}
        self._challenge: str | None = None

    @property
    def takes_dpop(self) -> bool:
        """Whether the authorization server binds tokens to a key."""
        return ALGORITHM in (self._server.dpop_signing_alg_values_supported or [])

    @property
    def attests(self) -> bool:
        """Whether the authorization server takes attestations of wallets."""
        return ATTESTATION_METHOD in (self._server.token_endpoint_auth_methods_supported or [])

    @property
    def can_be_nobody(self) -> bool:
        """Whether the authorization server also serves clients that prove nothing."""
        methods = self._server.token_endpoint_auth_methods_supported
        return methods is None or "none" in methods

    @property
    def wants_name(self) -> bool:
        """Whether a pre-authorized code goes with our `client_id`: with an attestation, and wherever the server does
        not say that it serves nobody in particular (OpenID4VCI 12.3: by default it does not)."""
        return self.attests or not self._server.pre_authorized_grant_anonymous_access_supported

    async def ask_server(self, url: str, form: Mapping[str, str], *, attested: bool, bound: bool) -> Reply:
        """Send a form to the authorization server, again where it wants a nonce or a challenge first.

        `attested`: prove who we are, if it takes that; `bound`: with a DPoP proof, if it takes that.
        Raises `Unreachable`.
        """
        for _ in range(_TRIES):
            headers = {"accept": "application/json"}
            if attested and self.attests:
                headers |= await self._attestation()
            if bound and self.takes_dpop:
                headers["dpop"] = self._proof(url, access_token=None)
            reply = await self._web.post(url, form=form, headers=headers, max_bytes=LARGEST_ANSWER)
            was_challenged = self._was_challenged(reply)
            if not self._learned(url, reply) and not was_challenged:
                break
        return reply

    async def ask_resource(
        self,
        url: str,
        access_token: str,
        *,
        bound: bool,
        json: Any = None,
        content: bytes | None = None,
        media_type: str | None = None,
        max_bytes: int,
    ) -> Reply:
        """Send a request under an access token; `bound`: the token is bound to our key. Raises `Unreachable`."""
        for _ in range(_TRIES):
            headers = {"accept": "application/json, application/jwt", "authorization": f"Bearer {access_token}"}
            if bound:
                headers["authorization"] = f"DPoP {access_token}"
                headers["dpop"] = self._proof(url, access_token=access_token)
            if media_type is not None:
                headers["content-type"] = media_type
            reply = await self._web.post(url, json=json, content=content, headers=headers, max_bytes=max_bytes)
            if not self._learned(url, reply):
                break
        return reply

    def keep_nonce(self, reply: Reply, *, url: str) -> None:
        """Use the nonce that an answer brought for the next DPoP proof to the server at this address, and to no other
        (RFC 9449, sections 8.2 and 9)."""
        if (nonce := reply.headers.get("dpop-nonce")) is not None:
            self._nonces[_origin(url)] = nonce

    def _proof(self, url: str, *, access_token: str | None) -> str:
        return make_dpop_proof(
            signer=self._dpop,
            method="POST",
            url=url,
            nonce=self._nonces.get(_origin(url)),
            access_token=access_token,
            now=self._clock(),
        )

    async def _attestation(self) -> dict[str, str]:
        if self._challenge is None and self._server.challenge_endpoint is not None:
            self._challenge = await self._ask_challenge(self._server.challenge_endpoint)
        proof = make_attestation_proof(
            signer=self._instance,
            client_id=self._provider.client_id,
            audience=self._server.issuer,
            challenge=self._challenge,
            now=self._clock(),
        )
        return {
            "oauth-client-attestation": self._provider.attestation(self._instance.public_jwk, now=self._clock()),
            "oauth-client-attestation-pop": proof,
        }

    async def _ask_challenge(self, endpoint: str) -> str | None:
        reply = await self._web.post(
            endpoint, content=b"", headers={"accept": "application/json"}, max_bytes=LARGEST_ANSWER
        )
        if reply.status in (429, 503):
            raise Busy("the challenge endpoint is busy")
        if reply.status != 200:
            raise Unreachable(f"the challenge endpoint answered with status {reply.status}")
        try:
            found = strict_json.loads_object(reply.body, max_bytes=LARGEST_ANSWER).get("attestation_challenge")
        except ProtocolError as exc:
            raise Unreachable("the challenge cannot be read") from exc
        return found if isinstance(found, str) else None

    def _learned(self, url: str, reply: Reply) -> bool:
        """Whether the answer only asks for a nonce that it brings along.

        Authorization servers ask in the body, the others in the header, whatever their body says (RFC 9449, 8 and 9).
        """
        before = self._nonces.get(_origin(url))
        self.keep_nonce(reply, url=url)
        if reply.status not in (400, 401):
            return False
        is_wanted = _NONCE_WANTED in (error_code(reply), *_CHALLENGED.findall(_challenges(reply)))
        return is_wanted and self._nonces.get(_origin(url)) != before

    def _was_challenged(self, reply: Reply) -> bool:
        """Whether it only asks for a challenge. One that comes with any answer is used next (the draft, 6.2)."""
        is_wanted = reply.status in (400, 401) and error_code(reply) == "use_attestation_challenge"
        self._challenge = reply.headers.get(_CHALLENGE, None if is_wanted else self._challenge)
        return is_wanted


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _challenges(reply: Reply) -> str:
    return reply.headers.get("www-authenticate", "")[:2000]


def error_code(reply: Reply) -> str:
    """The issuer's error code, of the body or else of the header; kept only when it looks like one."""
    try:
        error = ErrorResponse.read(strict_json.loads_object(reply.body, max_bytes=LARGEST_ANSWER)).error
    except ProtocolError:
        told = _CHALLENGED.findall(_challenges(reply))
        error = told[0] if told else f"http_{reply.status}"
    return error if len(error) <= 60 and error.replace("_", "").isalnum() and error.isascii() else "other"
