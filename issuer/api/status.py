"""The status lists (Token Status List, section 8)."""

import gzip

from starlette.requests import Request
from starlette.responses import Response

from issuer.api.answers import CORS
from issuer.context import IssuerContext
from schemas.errors import NotFound, Refused

MEDIA_TYPE = "application/statuslist+jwt"
_COMPRESSION_LEVEL = 6


class NotAcceptable(Refused):
    """The reader accepts no form in which this is available."""

    error = "not_acceptable"
    status = 406


class HistoryNotOffered(Refused):
    """Statuses of the past are not offered (Token Status List, section 8.4)."""

    error = "not_implemented"
    status = 501


class StatusListEndpoint:
    """`GET /status/{id}`: the newest status list token."""

    def __init__(self, context: IssuerContext) -> None:
        self._context = context
        self._compressed: dict[int, tuple[bytes, bytes]] = {}

    async def __call__(self, request: Request) -> Response:
        """Answer with the signed list, compressed for readers that take gzip (section 8.2)."""
        if not accepts(request.headers.get("accept") or "*/*", MEDIA_TYPE):
            raise NotAcceptable(f"status lists are available as {MEDIA_TYPE}")
        if "time" in request.query_params:
            raise HistoryNotOffered
        context, list_id = self._context, request.path_params["list_id"]
        if not list_id.isascii() or not list_id.isdigit() or len(list_id) > 9:
            raise NotFound("there is no such status list")
        published = await context.store.database.run(
            context.store.status.published, int(list_id), publishing=context.publishing, now=context.clock()
        )
        # Changes are visible at once: shared caches ask again each time, and are told quickly that nothing changed.
        tag = f"{published.version}-{published.published_at.timestamp():.0f}"
        headers = CORS | {"Cache-Control": "no-cache", "Vary": "Accept, Accept-Encoding"}
        body = published.token
        if accepts(request.headers.get("accept-encoding", ""), "gzip"):
            tag += "-gzip"
            headers["Content-Encoding"] = "gzip"
            body = self._compress(int(list_id), published.token)
        headers["ETag"] = f'"{tag}"'
        if is_known(request.headers.get("if-none-match", ""), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=MEDIA_TYPE)

    def _compress(self, list_id: int, token: bytes) -> bytes:
        """The token compressed; kept for the next reader, while the list is the same."""
        kept = self._compressed.get(list_id)
        if kept is None or kept[0] != token:
            kept = self._compressed[list_id] = (token, gzip.compress(token, _COMPRESSION_LEVEL, mtime=0))
        return kept[1]


def is_known(header: str, tag: str) -> bool:
    """Whether an If-None-Match header names this tag, compared weakly: proxies that compress weaken tags
    (RFC 9110, section 13.1.2)."""
    known = {entry.strip().removeprefix("W/") for entry in header.split(",")}
    return tag in known or "*" in known


def accepts(header: str, offered: str) -> bool:
    """Whether an Accept or Accept-Encoding header takes what is offered (RFC 9110, sections 12.5.1 and 12.5.3).

    The most specific entry that names it decides, so that `text/html;q=0, */*` takes everything but HTML.
    """
    found: dict[str, bool] = {}
    for entry in header.lower().split(","):
        wanted, *parameters = (part.strip() for part in entry.split(";"))
        found[wanted] = not any(_is_zero(parameter) for parameter in parameters)
    for wanted in (offered, f"{offered.partition('/')[0]}/*", "*/*" if "/" in offered else "*"):
        if wanted in found:
            return found[wanted]
    return False


def _is_zero(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and value.strip().rstrip("0").rstrip(".") in ("", "0")
