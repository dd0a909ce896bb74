"""The authorization response (OpenID4VP 8): a VP token, or an error."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from schemas.presentation.errors import InvalidResponse


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """A VP token: per credential query id the presentations given for it (8.1). Nothing in it is checked."""

    vp_token: Mapping[str, tuple[str | Mapping[str, Any], ...]]
    state: str | None = None

    def members(self) -> dict[str, Any]:
        """The response parameters, `vp_token` as an object (an encrypted answer holds them so; a form needs JSON)."""
        token = {query: list(presentations) for query, presentations in self.vp_token.items()}
        return {"vp_token": token} | ({"state": self.state} if self.state is not None else {})


@dataclass(frozen=True, slots=True)
class AuthorizationErrorResponse:
    """An error that the wallet answered with (8.5). `error_description` is the wallet's own text, for a developer."""

    error: str
    error_description: str = ""
    state: str | None = None

    def members(self) -> dict[str, Any]:
        """The response parameters."""
        members = {"error": self.error}
        if self.error_description:
            members["error_description"] = self.error_description
        return members | ({"state": self.state} if self.state is not None else {})


def read_response(
    members: Mapping[str, Any], *, max_presentations: int = 100
) -> AuthorizationResponse | AuthorizationErrorResponse:
    """Read the parameters of an answer; `vp_token` is already an object, unknown parameters are ignored.

    Raises `InvalidResponse` when there is neither a `vp_token` nor an `error` or there are both, when `vp_token` is no
    object of non-empty arrays, or when there are more than `max_presentations`.
    """
    state = members.get("state")
    if state is not None and not isinstance(state, str):
        raise InvalidResponse("state is not a string")
    if "error" in members:
        return _error_response(members, state)
    if "vp_token" not in members:
        raise InvalidResponse("the answer has neither vp_token nor error")
    return AuthorizationResponse(_vp_token(members["vp_token"], max_presentations), state)


def _vp_token(value: Any, max_presentations: int) -> dict[str, tuple[str | Mapping[str, Any], ...]]:
    # Without an entry it is no VP token, also where every credential set is optional, so that none has to be met
    # (6.4.2): that is "an artifact containing one or more Presentations" (section 2), an object "containing entries"
    # (8.1). Whoever shares nothing answers `access_denied` (8.5). A second answer for nothing would tell those who
    # refuse from those who have none.
    if not isinstance(value, Mapping) or not value:
        raise InvalidResponse("vp_token is not an object with entries")
    token: dict[str, tuple[str | Mapping[str, Any], ...]] = {}
    count = 0
    for query_id, presentations in value.items():
        if not isinstance(presentations, list) or not presentations:
            _refuse_entry("is not a non-empty array")
        count += len(presentations)
        if count > max_presentations:
            raise InvalidResponse("vp_token holds too many presentations")
        if not all(isinstance(presentation, str | Mapping) and presentation for presentation in presentations):
            _refuse_entry("holds something that is neither a string nor an object")
        token[query_id] = tuple(presentations)
    return token


def _refuse_entry(fault: str) -> NoReturn:
    raise InvalidResponse(f"an entry of vp_token {fault}")


def _error_response(members: Mapping[str, Any], state: str | None) -> AuthorizationErrorResponse:
    if "vp_token" in members:
        raise InvalidResponse("the answer has both vp_token and error")
    error, description = members["error"], members.get("error_description", "")
    if not isinstance(error, str) or not 1 <= len(error) <= 100 or not isinstance(description, str):
        raise InvalidResponse("error is not a short string")
    return AuthorizationErrorResponse(error, description[:1000], state)
