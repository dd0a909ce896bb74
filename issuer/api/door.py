"""Who sends a request: its client, the key of its DPoP proof, and what its access token opens.

Addresses in proofs are compared with those under the public URL, never with what a Host header says (I-20).
"""

from collections.abc import Mapping
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from issuer.api.answers import NEW_CHALLENGE, NEW_NONCE, NoToken, error_answer, resource_error_answer
from issuer.authorization.clients import (
    CLIENT_ALGORITHMS,
    ClientIdentity,
    ShownCredentials,
    Spend,
    authenticate_client,
)
from issuer.authorization.tokens import BEARER, DPOP
from issuer.context import IssuerContext
from issuer.issuance import Access
from proofs.dpop import WINDOW_SECONDS, CheckedDPoP, check_dpop_proof
from schemas.errors import ProtocolError
from schemas.issuance import InvalidClientAttestation, InvalidDPoPProof, InvalidToken, UseAttestationChallenge

_MAX_TOKEN_CHARACTERS = 1_000
_DPOP_KEPT = timedelta(seconds=2 * WINDOW_SECONDS)


class Door:
    """What every endpoint asks of who comes."""

    def __init__(self, context: IssuerContext) -> None:
        self._context = context

    def dpop(
        self, request: Request, path: str, *, access_token: str | None, demanded: bool, demand_nonce: bool
    ) -> CheckedDPoP | None:
        """The DPoP proof of a request, checked but not spent; None when there is none and none is demanded.

        Raises `InvalidDPoPProof`, `UseDPoPNonce`.
        """
        proof = _only_header(request, "dpop", InvalidDPoPProof)
        if proof is None:
            if demanded:
                raise InvalidDPoPProof("a DPoP proof is needed")
            return None
        context, now = self._context, self._context.clock()
        return check_dpop_proof(
            proof,
            expected_method=request.method,
            expected_url=context.settings.url(path),
            expected_access_token=access_token,
            nonces=lambda nonce: context.client_nonces.is_genuine(nonce, now=now),
            demand_nonce=demand_nonce,
            algorithms=CLIENT_ALGORITHMS,
            now=now,
        )

    def client(
        self, request: Request, members: Mapping[str, str], path: str, *, dpop: CheckedDPoP | None
    ) -> ClientIdentity:
        """The client of a request; its `spends`, and those of the DPoP proof, are still to be spent.

        Raises `InvalidClient` and its kin.
        """
        context, now = self._context, self._context.clock()
        shown = ShownCredentials(
            client_id=members.get("client_id"),
            assertion_type=members.get("client_assertion_type"),
            assertion=members.get("client_assertion"),
            attestation=_only_header(request, "oauth-client-attestation", InvalidClientAttestation),
            attestation_proof=_only_header(request, "oauth-client-attestation-pop", InvalidClientAttestation),
            dpop=dpop,
        )
        return authenticate_client(
            shown,
            context.clients,
            issuer=context.issuer,
            endpoints={context.settings.url(path), context.settings.url("/token")},
            challenges=lambda challenge: context.client_nonces.is_genuine(challenge, now=now),
            now=now,
        )

    def access(self, request: Request, path: str) -> "Entrance":
        """The access token of a request with its DPoP proof, to be looked up in the database.

        Raises `InvalidToken` when there is none, or more than one; `InvalidDPoPProof`, `UseDPoPNonce`,
        `TooManyRequests`.
        """
        scheme, token = access_token(request)
        if scheme.lower() == BEARER.lower():
            self._context.limits.count_token(token, dpop_key=None, path=path)
            return Entrance(self._context, token, None)
        proof = self.dpop(request, path, access_token=token, demanded=True, demand_nonce=True)
        self._context.limits.count_token(token, dpop_key=proof.thumbprint if proof else None, path=path)
        return Entrance(self._context, token, proof)

    def spends_of(self, dpop: CheckedDPoP | None) -> tuple[Spend, ...]:
        """What makes a DPoP proof work once."""
        if dpop is None:
            return ()
        until = self._context.clock() + _DPOP_KEPT
        return (Spend("dpop", dpop.replay_value, until, InvalidDPoPProof),)

    def refused(self, error: ProtocolError, *, at_resource: bool = False) -> Response:
        """The answer to an error, with a fresh nonce and, where one is wanted, a fresh challenge."""
        answer = resource_error_answer(error) if at_resource else error_answer(error)
        if isinstance(error, UseAttestationChallenge):
            answer.headers[NEW_CHALLENGE] = self._context.client_nonces.new(now=self._context.clock())
        self.add_nonce(answer)
        return answer

    def add_nonce(self, answer: Response) -> None:
        """Give the client a nonce for its next DPoP proof (RFC 9449, section 8.2)."""
        answer.headers[NEW_NONCE] = self._context.client_nonces.new(now=self._context.clock())


class Entrance:
    """An access token that came with a request; what it opens is known only after the database was asked."""

    def __init__(self, context: IssuerContext, token: str, dpop: CheckedDPoP | None) -> None:
        self._context = context
        self.token = token
        self.dpop = dpop

    def enter(self) -> Access:
        """What the token opens; spends the DPoP proof (synchronous: run it with the database).

        A token that is bound to a key works only with a proof of that key, and never as a bearer token (I-23).
        Raises `InvalidToken`, `InvalidDPoPProof`.
        """
        context, now = self._context, self._context.clock()
        access = context.store.grants.for_token(self.token, now=now)
        if access.dpop_key is None:
            if self.dpop is not None:
                raise InvalidToken("this access token is not bound to a key: use the scheme Bearer")
            return access
        if self.dpop is None:
            raise InvalidToken("this access token is bound to a key: use the scheme DPoP with a proof")
        if self.dpop.thumbprint != access.dpop_key:
            raise InvalidToken("this access token is bound to another key")
        context.store.authorizations.spend(Door(context).spends_of(self.dpop), now=now)
        return access


def access_token(request: Request) -> tuple[str, str]:
    """Scheme and token of the Authorization header (RFC 6750, 2.1; RFC 9449, 7.1); the scheme is case-insensitive.

    Raises `InvalidToken` when there is none, more than one, or another scheme.
    """
    headers = request.headers.getlist("authorization")
    if not headers:
        raise NoToken
    if len(headers) > 1:  # A proxy and we could take different ones for the right one.
        raise InvalidToken("there is more than one Authorization header")
    scheme, _, token = headers[0].partition(" ")
    token = token.strip()
    if scheme.lower() not in (BEARER.lower(), DPOP.lower()) or not token or len(token) > _MAX_TOKEN_CHARACTERS:
        raise InvalidToken("an access token of the scheme Bearer or DPoP is needed")
    return scheme, token


def _only_header(request: Request, name: str, error: type[ProtocolError]) -> str | None:
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise error(f"there is more than one {name} header")
    return values[0].strip() if values else None
