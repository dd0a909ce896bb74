"""What can be wrong with a request, and whether its sender may be told.

A fault that is found before the person has decided is shown with its code. It is posted only when the person presses
"Tell them", and only to a sender who has proven who it is: otherwise anybody could make the wallet talk to an address
of their choice, or learn from silence and answer what the wallet holds.
"""

from dataclasses import dataclass
from typing import Any, Final

from proofs.request_object import InvalidClientIdentifier
from schemas.errors import ProtocolError, Refused
from wallet.requests.answer_key import AnswerKey

WRONG_SENDER: Final = "wrong_sender"
"""The kind of the faults that speak against the sender: what the request says about it does not belong together."""


@dataclass(frozen=True, slots=True)
class ErrorAddress:
    """Where an error may be posted: the response URI of a proven sender, with the state that it expects back.

    `answer_key` is the key to encrypt it to; None where it goes in clear.
    """

    response_uri: str
    state: str | None
    answer_key: AnswerKey | None = None

    def as_json(self) -> dict[str, Any]:
        """The address as it rests until the person wants them told."""
        key = self.answer_key
        encrypted = {"jwk": dict(key.jwk), "enc": key.enc} if key is not None else None
        return {"response_uri": self.response_uri, "state": self.state, "answer_key": encrypted}

    @classmethod
    def from_json(cls, kept: Any) -> "ErrorAddress":
        """The address before `as_json`; also as it rested before answers of this kind could be encrypted."""
        if isinstance(kept, list):
            return cls(*kept)
        key = kept["answer_key"]
        return cls(kept["response_uri"], kept["state"], AnswerKey(**key) if key is not None else None)


class RequestFault(ProtocolError):
    """The request cannot be shown as a decision.

    `error` is the code of the fault as the specification names it. Under one code it puts what is merely ill-made and
    what may be somebody's trick; `kind` is what the person is told by: `WRONG_SENDER`, or the code.
    """

    def __init__(self, cause: ProtocolError, *, tell: ErrorAddress | None = None) -> None:
        super().__init__(str(cause))
        self.error = cause.error
        self.kind = WRONG_SENDER if isinstance(cause, InvalidClientIdentifier) else cause.error
        self.tell = tell


class RequestExpired(Refused):
    """The request is no longer valid; the sender can be asked for a new one."""

    error = "request_expired"


class AlreadyAnswered(Refused):
    """This very request has been answered before; it is never answered twice."""

    error = "already_answered"


class RequestMuted(Refused):
    """The person has muted this question of this sender: it ends without an answer."""

    error = "request_muted"


class ImproperRequest(Refused):
    """The request breaks a rule that is ours or of a client identifier prefix."""

    error = "invalid_request"
