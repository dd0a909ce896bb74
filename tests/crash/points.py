"""Points at which a process kills itself, without a word about them in the product.

    with killing(Points(die_at=7, trace=file)):
        ...                             # everything that becomes durable or leaves the process counts as a point

What a power cut can leave behind differs only by what was durable when it came: a transaction that was committed, a
file that was made, renamed, linked or removed, and a request that had left or whose answer had come. Just before and
just after each of these is a point. They are counted where everything passes anyway: `Database.transaction`, the
network of the world of the tests, and the calls of the operating system. `SIGKILL` leaves no chance to tidy up.
"""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx2
from sqlalchemy import Connection

from service.database import Database
from tests.world import Network

_FILE_CALLS = ("open", "fsync", "replace", "rename", "link", "unlink", "remove")
_TEST_FILES = frozenset({"contextlib.py", "points.py"})


@dataclass
class Points:
    """Counts points and dies at one of them: `die_at` counts from 1, 0 never. Each is a line in `trace`."""

    die_at: int
    trace: Path
    passed: int = 0

    def reached(self, label: str) -> None:
        """A point; the process ends here when it is the one."""
        self.passed += 1
        with self.trace.open("a", encoding="utf-8") as file:
            file.write(f"{label}\n")
        if self.passed == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)


def is_durable(label: str) -> bool:
    """Whether something has just become durable at a point: these tell most, and are all killed at by default."""
    return label.startswith("after ") and not label.startswith("after request")


@contextmanager
def killing(points: Points) -> Iterator[None]:
    """Count, and die, inside the block."""
    with ExitStack() as patches:
        patches.enter_context(patch.object(Database, "transaction", _counted_transaction(points)))
        patches.enter_context(patch.object(Network, "handle_async_request", _counted_request(points)))
        for name in _FILE_CALLS:
            patches.enter_context(patch.object(os, name, _counted_call(points, name, getattr(os, name))))
        yield


def _counted_transaction(points: Points) -> Callable[[Database], Any]:
    real = Database.transaction

    @contextmanager
    def transaction(self: Database) -> Iterator[Connection]:
        label = f"commit by {_caller()}"
        with real(self) as connection:
            yield connection
            points.reached(f"before {label}")
        points.reached(f"after {label}")

    return transaction


def _counted_request(points: Points) -> Callable[[Network, httpx2.Request], Any]:
    real = Network.handle_async_request

    async def handle(self: Network, request: httpx2.Request) -> httpx2.Response:
        label = f"request {request.method} {request.url.host}{request.url.path}"
        points.reached(f"before {label}")
        answer = await real(self, request)
        points.reached(f"after {label}")
        return answer

    return handle


def _counted_call(points: Points, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        if name == "open" and not arguments[1] & os.O_WRONLY:
            return real(*arguments, **named)
        what = "a file" if isinstance(arguments[0], int) else re.sub(r"[0-9a-f]{8,}", "N", Path(arguments[0]).name)
        label = f"{name} {what}"
        points.reached(f"before {label}")
        done = real(*arguments, **named)
        points.reached(f"after {label}")
        return done

    return call


def _caller() -> str:
    """Who opened a transaction: the first frame that is neither ours nor the library's."""
    frame = sys._getframe(1)
    while frame.f_back is not None and Path(frame.f_code.co_filename).name in _TEST_FILES:
        frame = frame.f_back
    return frame.f_code.co_qualname.replace(".<locals>", "")
