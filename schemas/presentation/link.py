"""The outer link that invokes a wallet (OpenID4VP 5, 13.1; RFC 9101). Nothing in a link is proven."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from schemas.presentation.errors import InvalidRequest, InvalidRequestURIMethod

RequestURIMethod = Literal["get", "post"]


@dataclass(frozen=True, slots=True)
class RequestLink:
    """What invokes a wallet: a reference to a request object, a request object by value, or plain parameters.

    Exactly one of `request_uri`, `request` (a compact JWT) and `parameters` (an unsigned request by value, still as
    strings) is set. Nothing in a link is proven.
    """

    client_id: str
    request_uri: str = ""
    request_uri_method: RequestURIMethod = "get"
    request: str = ""
    parameters: Mapping[str, str] | None = None

    def query(self) -> str:
        """The query string of a link by reference: only the three parameters that peers expect there."""
        members = {"client_id": self.client_id, "request_uri": self.request_uri}
        if self.request_uri_method == "post":
            members["request_uri_method"] = "post"
        return urlencode(members, quote_via=quote, safe="")

    def for_scheme(self, base: str = "openid4vp://") -> str:
        """The whole link: `openid4vp://?...`, or `base` of a web wallet (`https://wallet.example/present?...`)."""
        return f"{base}{'&' if '?' in base else '?'}{self.query()}"


def parse_link(link: str, *, max_chars: int = 20_000) -> RequestLink:
    """Read a link or only its query string.

    Any scheme is taken (`openid4vp:`, `haip-vp:`, `https:`): what counts is the query. Raises `InvalidRequest` for a
    repeated parameter, no `client_id`, both `request` and `request_uri`, or a `request_uri` that is no absolute http(s)
    URL (whether http is acceptable is for the fetcher); `InvalidRequestURIMethod` for another method.
    """
    text = link.strip()
    if len(text) > max_chars:
        raise InvalidRequest("the link is too long")
    query = text.partition("?")[2].partition("#")[0] if "?" in text else text
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=50)
    except ValueError as exc:
        raise InvalidRequest("the link holds no readable query") from exc
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidRequest("a parameter of the link is repeated")
    return _link(members)


def _link(members: Mapping[str, str]) -> RequestLink:
    client_id = members.get("client_id", "")
    if not client_id:
        raise InvalidRequest("the link has no client_id")
    method = members.get("request_uri_method")
    if method is not None and method not in ("get", "post"):
        raise InvalidRequestURIMethod()
    request_uri, request = members.get("request_uri", ""), members.get("request", "")
    if request_uri and request:
        raise InvalidRequest("the link has both request and request_uri")
    if method is not None and not request_uri:
        raise InvalidRequest("request_uri_method without request_uri")
    if request_uri:
        check_url(request_uri, "request_uri", fragment=True)
        chosen: RequestURIMethod = "post" if method == "post" else "get"
        return RequestLink(client_id=client_id, request_uri=request_uri, request_uri_method=chosen)
    if request:
        return RequestLink(client_id=client_id, request=request)
    return RequestLink(client_id=client_id, parameters=dict(members))


def check_url(url: str, name: str, *, fragment: bool = False) -> None:
    """Demand an absolute http(s) URL with a host and without user information (and, unless allowed, fragment)."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as exc:
        raise InvalidRequest(f"{name} is not a URL") from exc
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise InvalidRequest(f"{name} is not an absolute https URL")
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        raise InvalidRequest(f"{name} holds a space or control character")
    if parts.fragment and not fragment:
        raise InvalidRequest(f"{name} has a fragment")
