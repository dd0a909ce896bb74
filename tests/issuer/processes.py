"""Work for a second process on the same data directory: many threads that all try the same thing at once.

    python -m tests.issuer.processes DATA PUBLIC_URL redeem CODE COUNT START

Prints one JSON list of outcomes. `START` is the moment (seconds since 1970) at which all threads begin.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from issuer.authorization.pre_authorized import exchange_code
from issuer.authorization.token_request import CodeRequest
from issuer.authorization.tokens import TokenBinding
from issuer.issuance import Period
from issuer.settings import IssuerSettings
from issuer.store import IssuerStore, open_store
from schemas.errors import ProtocolError


def redeem(store: IssuerStore, code: str, tx_code: str | None) -> str:
    """One token request; returns the access token or the error's code."""
    try:
        return f"token {redeem_code(store, code, tx_code)}"
    except ProtocolError as error:
        return error.error


def guess(store: IssuerStore, code: str, tx_code: str) -> str:
    """One guess of a transaction code; returns what became of it in words, which tell whether it was a try."""
    try:
        redeem_code(store, code, tx_code)
    except ProtocolError as error:
        return error.error if error.error == "temporarily_unavailable" else str(error)
    return "right"


def redeem_code(store: IssuerStore, code: str, tx_code: str | None) -> str:
    """Exchange a code; returns the access token. Raises `ProtocolError`."""
    return exchange_code(
        CodeRequest(code, tx_code, None),
        TokenBinding(None, None, None, is_authenticated=False),
        codes=store.grants,
        issuer="https://x",
        lifetime_seconds=300,
        with_refresh=False,
        now=datetime.now(UTC),
    ).access_token


def reserve(store: IssuerStore, token: str, nonce: str, thumbprint: str) -> str:
    """One reservation; returns the slot or the error's code."""
    now = datetime.now(UTC)
    try:
        (grant,) = store.grants.for_token(token, now=now).grants
        reserved = store.slots.reserve(
            grant,
            nonce=nonce,
            nonce_expires_at=grant.until,
            thumbprints=[thumbprint],
            period=Period(now, now),
            now=now,
        )
    except ProtocolError as error:
        return error.error
    slot = reserved.slots[thumbprint]
    return f"slot {slot.list_id} {slot.idx}"


def _client(settings: IssuerSettings) -> Any:
    """The whole service, under the clock of the tests; loaded only where it is needed, since that takes a while."""
    from starlette.testclient import TestClient

    from issuer.app import create_app
    from tests.issuer.desk import StandingClock

    return TestClient(create_app(settings, clock=StandingClock()), base_url=settings.origin)


def post(client: Any, url: str, body: dict[str, Any], headers: dict[str, str]) -> str:
    """One request to the whole service; status and error."""
    answer = client.post(url, json=body, headers=headers)
    error = answer.json().get("error", "")
    return error if error == "temporarily_unavailable" else f"{answer.status_code} {error}".strip()


def together(works: Sequence[Callable[[], str]], *, start: float) -> list[str]:
    """Run all at the same moment, each in a thread of its own."""

    def one(work: Callable[[], str]) -> str:
        time.sleep(max(0.0, start - time.time()))
        outcome = work()
        while outcome == "temporarily_unavailable":  # As a wallet that is told to try again does.
            outcome = work()
        return outcome

    with ThreadPoolExecutor(max(1, len(works))) as pool:
        return list(pool.map(one, works))


def main(data: str, public_url: str, passphrase_file: str, start: str, kind: str, *tasks: str) -> None:
    """Run the tasks (each a JSON list of arguments) of one kind."""
    settings = IssuerSettings(
        data=Path(data), public_url=public_url, key_passphrase_file=Path(passphrase_file), status_list_size=10_000
    )
    store = open_store(settings)
    functions: dict[str, Callable[..., str]] = {"redeem": redeem, "guess": guess, "reserve": reserve, "post": post}
    by: Any = _client(settings) if kind == "post" else store
    works = [partial(functions[kind], by, *json.loads(task)) for task in tasks]
    print(json.dumps(together(works, start=float(start))))
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
