"""The network as far as taking back needs it: one JWT posted, and the answer as it came.

The guarded client: https only, public addresses only, no redirects, bounded size and time.
"""

from schemas.act_report import REPORT_MEDIA_TYPE
from schemas.errors import CouldNotCheck
from schemas.withdrawal import MEDIA_TYPE
from service.http import NothingSent, OutgoingHTTP, OutgoingRefused
from wallet.taking_back import NoAnswer, NotDelivered, Reply

TIMEOUT_SECONDS = 10.0


class AfterShareOverHTTP:
    """Posts messages about shares. Implements `wallet.taking_back.Transport`."""

    def __init__(self, http: OutgoingHTTP) -> None:
        self._http = http

    async def post_jwt(self, url: str, token: str, *, max_bytes: int) -> Reply:
        """Post a JWT. Raises `NotDelivered` when nothing was sent, `NoAnswer` when it may have arrived."""
        return await self._post(url, token, media_type=MEDIA_TYPE, max_bytes=max_bytes)

    async def post_sealed(self, url: str, token: str, *, max_bytes: int) -> Reply:
        """Post a JWE. Raises as `post_jwt`."""
        return await self._post(url, token, media_type=REPORT_MEDIA_TYPE, max_bytes=max_bytes)

    async def _post(self, url: str, token: str, *, media_type: str, max_bytes: int) -> Reply:
        try:
            answer = await self._http.post(
                url,
                content=token.encode("ascii"),
                headers={"content-type": media_type, "accept": f"{MEDIA_TYPE}, application/json"},
                max_bytes=max_bytes,
                timeout_seconds=TIMEOUT_SECONDS,
            )
        except (OutgoingRefused, NothingSent) as exc:
            raise NotDelivered(exc.error) from exc
        except CouldNotCheck as exc:
            raise NoAnswer from exc
        return Reply(answer.status, answer.media_type, answer.body)
