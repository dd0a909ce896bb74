"""A source where people sign in: an OpenID Connect provider, an issuer that trusts the wallet's provider, their trust.

    with running_provider([{"sub": "elin", ...}]) as address:
        start_source(services, address, match="birthdate=birth_date,...")

The provider is `oidc-provider-mock`, a real one in a process of its own, which lets anybody sign in as the people it
was given: for trials and tests on one machine, and nothing else.
"""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from examples.services import CommandRefused, Services, free_port
from schemas.types import CREDENTIAL_TYPES

START_SECONDS = 30.0


@contextmanager
def running_provider(people: Sequence[dict[str, Any]], *, log: Path) -> Iterator[str]:
    """Run the provider with these people (each with `sub` and further claims); its address."""
    port = free_port(0)
    program = Path(sys.executable).with_name("oidc-provider-mock")
    users = [part for person in people for part in ("--user-claims", json.dumps(person))]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(program), "--host", "127.0.0.1", "--port", str(port), *users], stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port):
            if time.monotonic() > deadline or process.poll() is not None:
                raise CommandRefused("oidc-provider-mock", process.poll() or 1, log.read_text()[-2000:])
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def start_source(services: Services, provider: str, *, match: str, **settings: str) -> None:
    """Start wallet, issuer and verifier so that people can fetch: the issuer trusts the wallet's provider and lets
    people sign in, the wallet knows where each type is issued."""
    services.start("wallet", 0)
    client = services.command("wallet", "client")
    clients = services.data / "clients.toml"
    clients.write_text(f'[[attesters]]\nissuer = "{client["attester"]}"\nroots = ["{client["root_file"]}"]\n')
    secret = services.data / "login-client-secret"
    secret.write_text("the provider of a trial takes any\n")
    services.configure(
        ISSUER_CLIENTS_FILE=str(clients),
        ISSUER_LOGIN_ISSUER=provider,
        ISSUER_LOGIN_CLIENT_ID="university",
        ISSUER_LOGIN_CLIENT_SECRET_FILE=str(secret),
        ISSUER_LOGIN_MATCH=match,
        VERIFIER_WALLET_URL=services.urls["wallet"],
        **settings,
    )
    services.start("issuer", 0)
    services.start("verifier", 0)
    university = services.command("issuer", "keys", "list")[0]["root_file"]
    employer = services.command("verifier", "keys", "list")[0]["root_file"]
    named = [part for one in CREDENTIAL_TYPES.values() for part in ("--type", one.vct)]
    services.command(
        "wallet", "trust", "add", "--anchor", university, "--role", "issuer", "--name", "Nordanviks universitet",
        "--identifier", services.urls["issuer"], *named,
    )  # fmt: skip
    services.command(
        "verifier", "trust", "add", "--anchor", university, "--role", "issuer",
        "--identifier", services.urls["issuer"], *named,
    )  # fmt: skip
    services.command("wallet", "trust", "add", "--anchor", employer, "--role", "verifier")


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/.well-known/openid-configuration")
        return connection.getresponse().status == 200
    except (http.client.HTTPException, OSError):
        return False
    finally:
        connection.close()
