"""Fetching a request, once the person has said yes to its host.

    fetched = await fetch_request(link, transport=transport, wallet_nonce=new_nonce(), now=now)

Only what the link names is asked, once, without following redirects: the request object, and the document of a DID that
is the sender's identifier. What comes back is bounded and not yet believed.

Source: OpenID4VP 1.0, section 5.10; RFC 9101, section 5.2.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol, get_args

from proofs import strict_json
from proofs.request_object import SUPPORTED_PREFIXES, did_document_needed
from schemas.errors import CouldNotCheck, ProtocolError
from schemas.presentation import RequestLink, ResponseMode, split_client_id
from wallet.requests.checking import ALGORITHMS, FetchedRequest


class CouldNotFetch(CouldNotCheck):
    """The request could not be fetched: nothing is known about it."""

    error = "request_unreachable"


class MayNotFetch(CouldNotFetch):
    """This wallet does not ask that address: it is not https, or not a public one. Nothing was sent."""

    error = "address_refused"


class RequestTransport(Protocol):
    """The network, as far as requests need it.

    Implementations refuse redirects, private addresses and endless answers.
    """

    async def get_request(self, url: str) -> str:
        """GET a request object. Raises `CouldNotFetch`."""
        ...

    async def post_request(self, url: str, form: dict[str, str]) -> str:
        """POST `wallet_metadata` and `wallet_nonce` and take the request object. Raises `CouldNotFetch`."""
        ...

    async def get_did_document(self, did: str) -> str:
        """GET the document of a `did:web`. Raises `CouldNotFetch`."""
        ...


async def fetch_request(
    link: RequestLink, *, transport: RequestTransport, wallet_nonce: str, now: datetime
) -> FetchedRequest:
    """Get the request that a link speaks of; nothing goes out for a request by value.

    `wallet_nonce` is sent where the link asks for the POST method, and must come back in the request object. When the
    sender names itself by a `did:web`, the document of that DID is fetched as well, once: what the person is shown
    later is judged by the same document. Raises `CouldNotFetch`.
    """
    fetched = await _fetched(link, transport=transport, wallet_nonce=wallet_nonce, now=now)
    try:
        did = did_document_needed(fetched.request_object, expected_client_id=link.client_id)
    except ProtocolError:
        return fetched  # What is wrong with it is found when it is checked, and told there.
    return replace(fetched, did_document=await transport.get_did_document(did)) if did is not None else fetched


async def _fetched(
    link: RequestLink, *, transport: RequestTransport, wallet_nonce: str, now: datetime
) -> FetchedRequest:
    if link.request or link.parameters is not None:
        return FetchedRequest(link, link.request, None, now)
    if link.request_uri_method == "post":
        form = {"wallet_metadata": wallet_metadata(link.client_id), "wallet_nonce": wallet_nonce}
        return FetchedRequest(link, (await transport.post_request(link.request_uri, form)).strip(), wallet_nonce, now)
    return FetchedRequest(link, (await transport.get_request(link.request_uri)).strip(), None, now)


def wallet_metadata(client_id: str) -> str:
    """What a verifier learns about this wallet: as little as it can do with, and the same for every person (15.6).

    What is left out has a meaning that is not ours: without prefixes, only registered verifiers are taken (10.1);
    without response modes, only `query` and `fragment` (RFC 8414, section 2, which demands the response types).
    """
    algorithms = sorted(ALGORITHMS)
    metadata: dict[str, Any] = {
        "vp_formats_supported": {"dc+sd-jwt": {"sd-jwt_alg_values": algorithms, "kb-jwt_alg_values": algorithms}},
        "client_id_prefixes_supported": list(SUPPORTED_PREFIXES),
        "response_types_supported": ["vp_token"],
        "response_modes_supported": list(get_args(ResponseMode)),
    }
    if split_client_id(client_id)[0] != "redirect_uri":  # 5.10: not where the prefix precludes signed requests
        metadata["request_object_signing_alg_values_supported"] = algorithms
    return strict_json.dumps(metadata).decode()
