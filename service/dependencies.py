"""What handlers depend on and what is only read: without a thread.

    PagesDep = Annotated[Pages, Depends(inline(the_pages))]

FastAPI calls a plain function in a thread of its pool, since it could block. Reading `app.state` does not, and the way
into a thread and back costs more than many a handler.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request


def inline(read: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Any]]:
    """The same function, called where the handler runs. It must not block."""

    async def read_here(request: Request) -> Any:
        return read(request)

    return read_here
