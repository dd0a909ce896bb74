"""The tree of protocol errors.

`error` is the code of the standard that a peer sees; the message is a sentence for a developer, ASCII, without
personal values, tokens, keys or nonces. `status` is the HTTP status that the standard asks for. Domain code raises;
`service/app.py` turns what was raised into the standard's JSON (`{"error", "error_description"}`).

    class InvalidNonce(ProtocolError):
        error = "invalid_nonce"
"""


class ProtocolError(Exception):
    """Something about a message, a proof or a request was not as the protocol demands."""

    error = "invalid_request"
    status = 400

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or self.error).splitlines()[0])

    @property
    def description(self) -> str:
        """The sentence for the peer's developer, kept to the characters that RFC 6749, section 5.2 allows."""
        return "".join(c if 0x20 <= ord(c) <= 0x7E and c not in '"\\' else "?" for c in str(self))


class Malformed(ProtocolError):
    """The input is not of the form that the specification gives."""


class Refused(ProtocolError):
    """The input is well formed, but a rule refuses it."""


class CouldNotCheck(ProtocolError):
    """Something needed for a check could not be found out, so that neither yes nor no is known."""


class NotFound(ProtocolError):
    """There is nothing at this address."""

    error = "not_found"
    status = 404


class TooManyRequests(ProtocolError):
    """Too many requests in a short time."""

    error = "too_many_requests"
    status = 429

    def __init__(self, message: str = "", *, retry_after_seconds: int = 60) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class TemporarilyUnavailable(ProtocolError):
    """The service is busy; the same request can be sent again."""

    error = "temporarily_unavailable"
    status = 503
