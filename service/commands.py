"""Building blocks of the command lines: `--data`, `--json`, clean errors with exit status.

app = command_app("intyga-issuer", help="...")

@app.command()
def revoke(copy: str, data: IssuerData, as_json: JSONOption = False) -> None: ...

def main() -> None:
    run(app)
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

import typer

T = TypeVar("T")

JSONOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


class CommandFailed(Exception):
    """The command could not do what was asked: one sentence for the person, exit status 1 (2 for wrong usage)."""

    def __init__(self, message: str, *, error: str = "failed", exit_status: int = 1) -> None:
        super().__init__(message)
        self.error = error
        self.exit_status = exit_status


def command_app(name: str, *, help: str) -> typer.Typer:
    """A typer application without shell completion and without tracebacks that show values."""
    raise NotImplementedError


def data_option(service: str) -> Any:
    """The `--data DIR` option (or SERVICE_DATA): `IssuerData = Annotated[Path, data_option("issuer")]`."""
    raise NotImplementedError


def show(value: Any, *, as_json: bool, human: Callable[[Any], str] | None = None) -> None:
    """Print a result: JSON on one document, or the text that `human` makes of it."""
    raise NotImplementedError


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a fresh event loop."""
    raise NotImplementedError


def run(app: typer.Typer) -> None:
    """Run the command line: errors go to stderr (as JSON when --json was given) and set the exit status."""
    raise NotImplementedError
