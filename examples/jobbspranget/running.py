"""Start an example of a receiver beside the services, with a key and a webhook of its own: the application of
Jobbsprånget, or the application form (`example="application_form"`)."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from examples.services import CommandRefused, Services, free_port

START_SECONDS = 60.0
ROOT = Path(__file__).parents[2]


@contextmanager
def running_application(
    services: Services, *, verifier: str = "verifier", preferred_port: int = 0, example: str = "jobbspranget"
) -> Iterator[tuple[str, Path]]:
    """The application, which asks through this verifier; its address and its log. Raises `CommandRefused`."""
    port = free_port(preferred_port)
    url = f"http://localhost:{port}"
    key = services.command(verifier, "api-key", "create", example)
    hook = services.command(verifier, "webhooks", "set", key["id"], f"{url}/told")
    environment = {
        **os.environ,
        "APPLICATION_URL": url,
        "VERIFIER_URL": services.urls[verifier],
        "VERIFIER_KEY": key["key"],
        "WEBHOOK_SECRET": hook["secret"],
        "SEEN_FILE": str(services.data / f"{example}-seen.sqlite3"),
    }
    log = services.data / f"{example}-application.log"  # A service of that name has a log of its own.
    command = [sys.executable, "-m", "uvicorn", f"examples.{example}.application:app", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, cwd=ROOT)
    try:
        deadline = time.monotonic() + START_SECONDS
        while "running on" not in log.read_text():
            if time.monotonic() > deadline or process.poll() is not None:
                raise CommandRefused(f"examples.{example}", process.poll() or 1, log.read_text()[-2000:])
            time.sleep(0.1)
        yield url, log
    finally:
        process.terminate()
        process.wait(10)
