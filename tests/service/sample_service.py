"""The sample service as a real process: `python -m tests.service.sample_service COMMAND ...`."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse

from schemas.errors import Malformed
from service.app import build_app
from service.commands import CommandFailed, JSONOption, command_app, data_option, run, show
from service.serving import serve
from tests.service.conftest import SampleSettings

app = command_app("sample", help="A sample.")
SampleData = Annotated[Path, data_option("sample")]


def make_app(settings: SampleSettings) -> FastAPI:
    """An application with one slow answer, and one that has no end."""
    router = APIRouter()

    @router.get("/slow")
    async def slow() -> dict[str, str]:
        await asyncio.sleep(1.0)
        return {"done": settings.base_url}

    @router.get("/events")
    async def events() -> StreamingResponse:
        async def forever() -> AsyncIterator[bytes]:
            while True:
                yield b": still here\n\n"
                await asyncio.sleep(0.2)

        return StreamingResponse(forever(), media_type="text/event-stream")

    return build_app(settings=settings, title="Sample", routers=[router], ready=lambda: None)


@app.command("serve")
def serve_command(data: SampleData = Path("sample-data"), port: int = 0) -> None:
    """Serve."""

    def announce(settings: SampleSettings) -> Iterable[str]:
        return [f"The code is for {settings.base_url}"]

    serve(make_app, settings=SampleSettings(data=data, port=port), announce=announce)


@app.command()
def repeat(text: str, data: SampleData = Path("sample-data"), as_json: JSONOption = False) -> None:
    """Print a text, or fail as the text says."""
    if text == "protocol":
        raise Malformed("The form is not right.")
    if text == "failed":
        raise CommandFailed("It could not be done.", error="not_done", exit_status=1)
    if text == "usage":
        raise CommandFailed("One of the two is needed.", exit_status=2)
    show({"text": text, "data": str(data)}, as_json=as_json, human=lambda result: f"Text: {result['text']}")


@app.command()
def read(file: Path, as_json: JSONOption = False) -> None:
    """Print a file."""
    show({"text": file.read_text()}, as_json=as_json)


if __name__ == "__main__":
    run(app)
