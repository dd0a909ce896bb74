"""Start and stop the three installed services as real processes, and run their commands.

    with Services(data_directory) as services:
        services.start("issuer", 8701)
        offers = services.command("issuer", "offer", "--type", "micro-credential", "--from", "record.xml")

Each service keeps everything under `data_directory/NAME`. They listen on loopback and are stopped by their own process
id.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any

START_SECONDS = 120.0  # Of a machine that does much else; a service that ends is noticed at once.
STOP_SECONDS = 10.0


class CommandRefused(Exception):
    """A command ended with another status than 0; holds its name, its status and what it said on standard error."""

    def __init__(self, command: str, status: int, said: str) -> None:
        super().__init__(f"{command} ended with status {status}: {said.strip()}")
        self.status = status
        self.said = said


def free_port(preferred: int) -> int:
    """The preferred loopback port when nobody listens there, else one that the system chooses."""
    for port in (preferred, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("No loopback port is free.")


class Services:
    """The services that one run started, with the environment that they share."""

    def __init__(self, data: Path, *, settings: dict[str, str]) -> None:
        self.data = data
        self.urls: dict[str, str] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._programs: dict[str, tuple[str, dict[str, str]]] = {}
        loopback = {f"{name.upper()}_ALLOW_LOOPBACK": "true" for name in ("issuer", "wallet", "verifier")}
        self._environment = {**os.environ, **loopback, **settings, "PYTHONUNBUFFERED": "1"}

    def __enter__(self) -> "Services":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def log_of(self, name: str) -> Path:
        """Where a service's output is written."""
        return self.data / f"{name}.log"

    def configure(self, **settings: str) -> None:
        """Set further environment variables, for the services that are started from now on."""
        self._environment |= settings

    def start(self, name: str, preferred_port: int, *, program: str = "", **settings: str) -> str:
        """Start one service and wait until `/ready` answers 200; returns its address.

        `program` is which of the three it is, when its name does not say so, as for a second issuer; `settings` are
        environment variables of this one and of its commands.

        Raises `CommandRefused` with the end of its log when it does not come up within two minutes, or ends.
        """
        port = free_port(preferred_port)
        directory = self.data / name
        directory.mkdir(parents=True, exist_ok=True)
        self._programs[name] = (program or name, settings)
        with self.log_of(name).open("wb") as log:
            process = subprocess.Popen(
                [_program(program or name), "serve", "--port", str(port), "--data", str(directory)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment | settings,
            )
        self._processes[name] = process
        url = f"http://localhost:{port}"
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if _is_ready(port):
                self.urls[name] = url
                return url
            time.sleep(0.1)
        raise CommandRefused(f"intyga-{name} serve", process.poll() or 1, self.log_of(name).read_text()[-2000:])

    def command(self, service: str, *arguments: str, accept: tuple[int, ...] = (0,)) -> Any:
        """Run `intyga-SERVICE ARGUMENTS --json` on the service's data directory.

        Returns what it printed, parsed; None when it printed nothing, as a command does that refuses.
        Raises `CommandRefused` when its status is none of `accept`.
        """
        program, settings = self._programs.get(service, (service, {}))
        done = subprocess.run(
            [_program(program), *arguments, "--data", str(self.data / service), "--json"],
            capture_output=True,
            text=True,
            env=self._environment | settings,
            timeout=120,
            check=False,
        )
        if done.returncode not in accept:
            raise CommandRefused(f"intyga-{service} {arguments[0]}", done.returncode, done.stderr or done.stdout)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def running(self) -> bool:
        """Whether every started service still runs."""
        return all(process.poll() is None for process in self._processes.values())

    def stop(self) -> None:
        """Stop every service that this object started, each by its own process id."""
        for process in self._processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self._processes.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()


def start_trusting(services: Services) -> None:
    """Start all three on any ports; the wallet comes to know the university and the employer, the employer the
    university, each by its root certificate."""
    for name in ("issuer", "wallet", "verifier"):
        services.start(name, 0)
    trust_each_other(services)


def trust_issuer(services: Services, issuer: str = "issuer") -> None:
    """Give the root of an issuer to wallet and verifier."""
    root = services.command(issuer, "keys", "list")[0]["root_file"]
    for service in ("wallet", "verifier"):
        services.command(service, "trust", "add", "--anchor", root, "--role", "issuer")


def trust_each_other(services: Services) -> None:
    """Give the roots of issuer and verifier to those who are to trust them."""
    trust_issuer(services)
    employer = services.command("verifier", "keys", "list")[0]["root_file"]
    services.command("wallet", "trust", "add", "--anchor", employer, "--role", "verifier")


def _program(service: str) -> str:
    """The installed command beside the Python that runs this."""
    return str(Path(sys.executable).with_name(f"intyga-{service}"))


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("localhost", port, timeout=2)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == HTTPStatus.OK
    except (http.client.HTTPException, OSError):
        return False
    finally:
        connection.close()
