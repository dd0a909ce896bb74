"""The example application of Jobbsprånget as a process beside the services, and a browser of sorts that visits it."""

import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from examples.services import Services, free_port

EXAMPLE = Path(__file__).parents[1] / "examples" / "jobbspranget"
WAIT_SECONDS = 60.0


@contextmanager
def running_application(services: Services) -> Iterator[tuple[str, Path]]:
    """The application with a key and a webhook of its own; its address and its log."""
    port = free_port(0)
    url = f"http://localhost:{port}"
    key = services.command("verifier", "api-key", "create", "jobbspranget")
    hook = services.command("verifier", "webhooks", "set", key["id"], f"{url}/told")
    environment = {
        **os.environ,
        "APPLICATION_URL": url,
        "VERIFIER_URL": services.urls["verifier"],
        "VERIFIER_KEY": key["key"],
        "WEBHOOK_SECRET": hook["secret"],
        "SEEN_FILE": str(services.data / "seen.sqlite3"),
    }
    log = services.data / "application.log"
    command = [sys.executable, "-m", "uvicorn", "examples.jobbspranget.application:app", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, cwd=EXAMPLE.parents[1])
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while "running on" not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield url, log
    finally:
        process.terminate()
        process.wait(10)


@dataclass
class Visitor:
    """A browser of its own, as far as one page needs it: keeps cookies for their paths, and follows no links."""

    cookies: dict[str, str] = field(default_factory=dict)

    def opens(self, url: str) -> tuple[int, str]:
        """The status and the text of a page."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=20)
        held = [cookie for path, cookie in self.cookies.items() if parts.path.startswith(path)]
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target or "/", headers={"Cookie": "; ".join(held)} if held else {})
            answer = connection.getresponse()
            for set_cookie in answer.headers.get_all("Set-Cookie") or []:
                path = re.search(r"Path=([^;]+)", set_cookie, re.IGNORECASE)
                self.cookies[path[1] if path else "/"] = set_cookie.partition(";")[0]
            return answer.status, answer.read().decode()
        finally:
            connection.close()
