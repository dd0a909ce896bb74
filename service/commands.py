"""Building blocks of the command lines: `--data`, `--json`, clean errors with exit status.

    app = command_app("intyga-issuer", help="Issues certificates of learning.")
    IssuerData = Annotated[Path, data_option("issuer")]

    @app.command()
    def revoke(certificate: str, data: IssuerData = Path("issuer-data"), as_json: JSONOption = False) -> None:
        show({"revoked": certificate}, as_json=as_json, human=lambda result: f"Revoked {result['revoked']}.")

    def main() -> None:
        run(app)

Exit status: 0 done, 1 could not be done, 2 wrong usage or settings.
"""

import asyncio
import json
import shutil
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Coroutine, Mapping
from types import FrameType
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from schemas.errors import ProtocolError
from service.database import Busy, UnknownSchema
from service.serving import CannotListen
from service.settings import ServiceSettings, UnsafeSettings

T = TypeVar("T")

JSONOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


class CommandFailed(Exception):
    """The command could not do what was asked: one sentence for the person, exit status 1 (2 for wrong usage).

    `error` is the code for programs, by default `failed`, or `usage` with exit status 2; `members` join it and the
    sentence in the document that programs get.
    """

    def __init__(
        self, message: str, *, error: str = "", exit_status: int = 1, members: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.error = error or ("usage" if exit_status == 2 else "failed")
        self.exit_status = exit_status
        self.members = members or {}


def command_app(name: str, *, help: str) -> typer.Typer:
    """A typer application without shell completion and without tracebacks that show values."""
    return typer.Typer(
        name=name,
        help=help,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )


def data_option(service: str) -> Any:
    """The `--data DIR` option (or SERVICE_DATA): `IssuerData = Annotated[Path, data_option("issuer")]`."""
    return typer.Option(
        "--data",
        envvar=f"{service.upper()}_DATA",
        file_okay=False,
        help="Directory that holds everything the service writes.",
    )


def show(value: Any, *, as_json: bool, human: Callable[[Any], str] | None = None) -> None:
    """Print a result: one JSON document, or the text that `human` makes of it, fitted to the terminal if it is one."""
    if as_json or human is None:
        text = _as_json(value)
    elif sys.stdout.isatty():
        text = fitted(human(value), width=shutil.get_terminal_size().columns)
    else:
        text = human(value)
    print(text, flush=True)  # noqa: T201 - Printing the result is what a command is for.


def fitted(text: str, *, width: int) -> str:
    """The text with lines that are too long for a terminal broken between words, and what follows set further in.

    Words are never broken: links and codes stay whole, to be copied.
    """
    return "\n".join(_fitted(line, max(width, 40)) for line in text.split("\n"))


def _fitted(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    indent = line[: len(line) - len(line.lstrip())] + "    "
    return textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a fresh event loop. Ctrl-C ends it at once, also where it asks at the terminal:
    asyncio's own way only notes it until the next `await`, which a question never reaches.
    """
    before = signal.signal(signal.SIGINT, _interrupted)
    try:
        return asyncio.run(work)
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupted(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def patiently(work: Callable[[], T], *, seconds: float = 10.0) -> T:
    """Do work of a store, waiting while the database is busy: a person at a terminal does not mind, a web server must.

        done = patiently(lambda: store.offers.void(offer_id, now=utc_now()))

    Raises `Busy` when it stays busy for that long.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return work()
        except Busy:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def run(app: typer.Typer) -> NoReturn:
    """Run the command line: errors go to stderr (as JSON when --json was given) and set the exit status."""
    try:
        status = app(standalone_mode=False)
    except typer.TyperException as exc:
        _fail(exc.format_message(), error="usage", exit_status=2)
    except (typer.Abort, KeyboardInterrupt):
        _fail("Stopped.", error="stopped", exit_status=130)
    except CommandFailed as exc:
        _fail(str(exc), error=exc.error, exit_status=exc.exit_status, members=exc.members)
    except ProtocolError as exc:
        _fail(_sentence(str(exc)), error=exc.error)
    except UnsafeSettings as exc:
        _fail("\n".join(exc.problems), error="unsafe_settings", exit_status=2)
    except ValidationError as exc:
        _fail(_settings_faults(exc), error="invalid_settings", exit_status=2)
    except (UnknownSchema, CannotListen) as exc:
        _fail(str(exc))
    except OSError as exc:
        _fail(_file_fault(exc), error="file_unavailable")
    sys.exit(status if isinstance(status, int) else 0)


def _settings_faults(exc: ValidationError) -> str:
    """Each fault with the variable that is wrong; the value is left out, it may be a secret."""
    kinds = {kind.__name__: kind.model_config.get("env_prefix", "") for kind in ServiceSettings.__subclasses__()}
    faults = []
    for fault in exc.errors():
        name = ".".join(str(part) for part in fault["loc"])
        faults.append(f"{f'{kinds[exc.title]}{name}'.upper() if exc.title in kinds else name}: {fault['msg']}")
    return "\n".join(faults)


def _file_fault(exc: OSError) -> str:
    """What is wrong with which file or directory."""
    reason = exc.strerror or type(exc).__name__
    return f"{exc.filename}: {reason}." if exc.filename is not None else f"{reason}."


def _sentence(text: str) -> str:
    """What an error says, as a sentence: those of the protocols begin small and have no full stop.

    What begins with a name, of a file or a member, keeps it as it is.
    """
    if text.partition(" ")[0].isalpha():
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _fail(
    message: str, *, error: str = "failed", exit_status: int = 1, members: Mapping[str, Any] | None = None
) -> NoReturn:
    if "--json" in sys.argv:
        told = {"error": error, "error_description": message} | dict(members or {})
        message = json.dumps(told, ensure_ascii=False)
    print(message, file=sys.stderr, flush=True)  # noqa: T201
    sys.exit(exit_status)
