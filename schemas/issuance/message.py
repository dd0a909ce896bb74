"""What all messages of OpenID4VCI share: strict types, forbid in what we write, ignore in what we read."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import Malformed, ProtocolError


class Message(BaseModel):
    """A message on the wire: strict types, unknown members refused in what we write."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)

    @classmethod
    def read(cls, value: object, *, error: type[ProtocolError] = Malformed) -> Self:
        """Read a peer's message from a parsed JSON value; unknown members are ignored.

        Raises `error`, naming the first member at fault and never its value.
        """
        try:
            return cls.model_validate(value, extra="ignore", by_alias=True, by_name=False)
        except ValidationError as exc:
            fault = exc.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(str(part) for part in fault["loc"][:6]) or "the message"
            raise error(f"{cls.__name__}: {where}: {fault['type']}") from None

    def as_json(self) -> dict[str, Any]:
        """The message as a JSON object, without members that are not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


NonEmpty = Annotated[str, Field(min_length=1)]
