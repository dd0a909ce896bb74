"""A source where people sign in: an OpenID Connect provider, an issuer that trusts the wallet's provider, their trust.

    with running_provider([{"sub": "elin", "password": "...", ...}], log=log) as provider:
        start_source(services, provider, match="birthdate=birth_date,...")

The provider is Django OAuth Toolkit in a process of its own (`examples/provider.py`), where people sign in with name
and password. It is meant for trials and tests on one machine, and nothing else.
"""

import http.client
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from examples.services import CommandRefused, Services, free_port
from schemas.types import CREDENTIAL_TYPES

START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Provider:
    """The running provider: its address, and the process that takes clients on its standard input."""

    address: str
    log: Path
    process: subprocess.Popen[bytes]

    def register(self, client_id: str, *, redirect_uri: str) -> str:
        """Make a client known, as its operator does at a real provider; its new secret."""
        secret = secrets.token_urlsafe(32)
        client = {"client_id": client_id, "client_secret": secret, "redirect_uri": redirect_uri}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(client).encode() + b"\n")
        self.process.stdin.flush()
        self.wait(lambda: f"registered {client_id}\n" in self.log.read_text())
        return secret

    def wait(self, is_there: Callable[[], bool]) -> None:
        """Wait until something is there. Raises `CommandRefused` with the end of the log when it does not come."""
        deadline = time.monotonic() + START_SECONDS
        while not is_there():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise CommandRefused("examples.provider", self.process.poll() or 1, self.log.read_text()[-2000:])
            time.sleep(0.1)


@contextmanager
def running_provider(people: Sequence[Mapping[str, str]], *, log: Path) -> Iterator[Provider]:
    """Run the provider with these people (each with `sub`, `password` and further claims)."""
    port = free_port(0)
    file, database = log.with_suffix(".people.json"), log.with_suffix(".sqlite3")
    file.write_text(json.dumps(list(people)), "utf-8")
    file.chmod(0o600)
    arguments = ["--port", str(port), "--people", str(file), "--database", str(database)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "examples.provider", *arguments],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=Path(__file__).parents[1],
        )
    provider = Provider(f"http://127.0.0.1:{port}", log, process)
    try:
        provider.wait(lambda: _answers(port))
        yield provider
    finally:
        process.terminate()
        process.wait(10)
        if process.stdin is not None:
            process.stdin.close()


def start_source(
    services: Services,
    provider: Provider,
    *,
    match: str,
    name: str = "Nordanviks universitet",
    types: Sequence[str] = tuple(CREDENTIAL_TYPES),
    **settings: str,
) -> None:
    """Start wallet, issuer and verifier so that people can fetch: the issuer trusts the wallet's provider and lets
    people sign in, the wallet knows where each of these types is issued, and the issuer by this name."""
    services.start("wallet", 0)
    port = free_port(0)
    services.configure(
        **sign_in_settings(services, provider, client_id="university", port=port, match=match),
        VERIFIER_WALLET_URL=services.urls["wallet"],
        **settings,
    )
    services.start("issuer", port)
    services.start("verifier", 0)
    trust_source(services, "issuer", name, readers=("wallet", "verifier"), types=types)
    employer = services.command("verifier", "keys", "list")[0]["root_file"]
    services.command("wallet", "trust", "add", "--anchor", employer, "--role", "verifier")


def sign_in_settings(
    services: Services, provider: Provider, *, client_id: str, port: int, match: str
) -> dict[str, str]:
    """What an issuer at this port needs so that people sign in at the provider and the running wallet may fetch; the
    provider knows it afterwards."""
    client = services.command("wallet", "client")
    clients = services.data / f"{client_id}-clients.toml"
    clients.write_text(f'[[attesters]]\nissuer = "{client["attester"]}"\nroots = ["{client["root_file"]}"]\n')
    secret = services.data / f"{client_id}-login-secret"
    secret.touch(0o600)
    secret.write_text(provider.register(client_id, redirect_uri=f"http://localhost:{port}/authorize/callback") + "\n")
    return {
        "ISSUER_CLIENTS_FILE": str(clients),
        "ISSUER_LOGIN_ISSUER": provider.address,
        "ISSUER_LOGIN_CLIENT_ID": client_id,
        "ISSUER_LOGIN_CLIENT_SECRET_FILE": str(secret),
        "ISSUER_LOGIN_MATCH": match,
    }


def trust_source(
    services: Services,
    issuer: str,
    name: str,
    *,
    readers: Sequence[str],
    types: Sequence[str] = tuple(CREDENTIAL_TYPES),
) -> None:
    """Give the root of an issuer to wallets and verifiers, with its address and what it issues."""
    root = services.command(issuer, "keys", "list")[0]["root_file"]
    named = [part for one in types for part in ("--type", CREDENTIAL_TYPES[one].vct)]
    for reader in readers:
        services.command(
            reader, "trust", "add", "--anchor", root, "--role", "issuer", "--name", name,
            "--identifier", services.urls[issuer], *named,
        )  # fmt: skip


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/.well-known/openid-configuration")
        return connection.getresponse().status == 200
    except (http.client.HTTPException, OSError):
        return False
    finally:
        connection.close()
