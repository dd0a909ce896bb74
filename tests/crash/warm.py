"""What the server of processes imports before it forks any: everything, used once, so that each process begins warm."""

import asyncio
import tempfile
from pathlib import Path

from tests.crash.acts_of_sharing import asked, share
from tests.crash.stage import Stage, cheap


async def _once(directory: Path) -> None:
    stage = Stage(directory, is_new=True)
    await share(stage, await asked(stage), lambda **_: None)
    stage.close()


def warm() -> None:
    """Share once, in a directory that is deleted again. Nothing that was made cheap for it stays so."""
    with cheap(), tempfile.TemporaryDirectory() as directory:
        asyncio.run(_once(Path(directory)))


if __name__ != "__main__":
    warm()
