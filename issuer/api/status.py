"""The status lists (Token Status List, section 8)."""

from starlette.requests import Request
from starlette.responses import Response

from issuer.api.answers import CORS
from issuer.context import IssuerContext
from schemas.errors import NotFound, Refused

MEDIA_TYPE = "application/statuslist+jwt"


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

    async def __call__(self, request: Request) -> Response:
        """Answer with the signed list. Caches may keep it for its `ttl`, and never beyond."""
        if not accepts(request.headers.get("accept", "*/*"), MEDIA_TYPE):
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
        tag = f'"{published.version}-{published.published_at.timestamp():.0f}"'
        headers = CORS | {"Cache-Control": "no-cache", "ETag": tag}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(published.token, headers=headers, media_type=MEDIA_TYPE)


def accepts(accept: str, media_type: str) -> bool:
    """Whether an Accept header takes this media type (RFC 9110, section 12.5.1)."""
    major = media_type.partition("/")[0]
    for entry in accept.lower().split(","):
        wanted, *parameters = (part.strip() for part in entry.split(";"))
        if wanted in ("", "*/*", f"{major}/*", media_type) and not any(_is_zero(p) for p in parameters):
            return True
    return False


def _is_zero(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and value.strip().rstrip("0").rstrip(".") in ("", "0")
