"""Servers under measurement: a real second process each, its CPU time to the nanosecond, and an empty endpoint beside
it.

    with Served.command("intyga-issuer", "serve", "--port", "0", ...) as issuer, Served.empty() as empty:
        before = issuer.cpu_seconds()
        issuer.request("POST", "/nonce")
        used = issuer.cpu_seconds() - before

CPU time is that of all threads of the server's process, from Linux's scheduler statistics; the client's is not counted.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

START_SECONDS = 120.0
_ADDRESS = re.compile(r"http://(?:localhost|127\.0\.0\.1):(\d+)")

# One client at one address asks as fast as it can here, which is what the limits are against.
_LIMITS = ("ISSUER_PUSHED_PER_MINUTE", "ISSUER_TOKEN_USES_PER_MINUTE", "ISSUER_ADDRESS_REQUESTS_PER_MINUTE")
UNLIMITED = dict.fromkeys(_LIMITS, "1000000000")


class Served:
    """One server process and one kept-alive connection to it."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str]) -> None:
        self._log = Path(tempfile.mkstemp(suffix=".log")[1])
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **UNLIMITED, **environment},
            )
        self.port = self._wait_for_port()
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    @classmethod
    def command(cls, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> "Served":
        """One of our installed commands, which prints its address when it serves."""
        program = str(Path(sys.executable).with_name(name))
        return cls([program, *arguments], environment or {})

    @classmethod
    def empty(cls) -> "Served":
        """An empty asynchronous endpoint at `/`, under uvicorn with uvloop and httptools."""
        return cls([sys.executable, "-m", "bench.served"], {})

    @classmethod
    def sign_in(cls, person: Mapping[str, str], directory: Path) -> "Served":
        """A real OpenID Connect provider where this person signs in (`sub`, `password` and further claims), which keeps
        what it knows in a directory."""
        people = directory / "people.json"
        people.write_text(json.dumps([dict(person)]), "utf-8")
        arguments = ["--port", "0", "--people", str(people), "--database", str(directory / "provider.sqlite3")]
        return cls([sys.executable, "-m", "examples.provider", *arguments], {})

    def register_client(self, client: Mapping[str, str]) -> None:
        """Tell the provider of a client, and wait until it knows it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(dict(client)).encode() + b"\n")
        self._process.stdin.flush()
        deadline = time.monotonic() + START_SECONDS
        while f"registered {client['client_id']}\n" not in self._log.read_text():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"the provider took no client: {self._log.read_text()[-2000:]}")
            time.sleep(0.05)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """One request on the kept-alive connection.

        Returns the body. Raises `RuntimeError` unless it is answered 2xx.
        """
        self._connection.request(method, path, body, dict(headers or {}))
        answer = self._connection.getresponse()
        content = answer.read()
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"{method} {urlsplit(path).path} was answered {answer.status}: {content[:300]!r}")
        return content

    @property
    def process_id(self) -> int:
        """The server's process."""
        return self._process.pid

    def cpu_seconds(self) -> float:
        """CPU time that all threads of the server have used so far."""
        tasks = Path(f"/proc/{self.process_id}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.unlink(missing_ok=True)

    def _wait_for_port(self) -> int:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := _ADDRESS.search(self._log.read_text()):
                port = int(found[1])
                if self._answers(port):
                    return port
            time.sleep(0.05)
        raise RuntimeError(f"the server did not start: {self._log.read_text()[-2000:]}")

    def _answers(self, port: int) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status > 0
        except OSError:
            return False
        finally:
            connection.close()


def _serve_empty() -> None:
    """Serve the empty endpoint on a free port until stopped."""
    import socket

    import uvicorn
    from fastapi import FastAPI
    from starlette.responses import Response

    async def empty() -> Response:
        return Response()

    app = FastAPI(openapi_url=None)
    app.add_api_route("/", empty)

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        print(f"http://localhost:{listening.getsockname()[1]}", flush=True)
        config = uvicorn.Config(
            app, loop="uvloop", http="httptools", access_log=False, log_level="warning", timeout_keep_alive=600
        )  # Whoever measures may be away for longer than the usual five seconds, at the flow in between.
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    _serve_empty()
