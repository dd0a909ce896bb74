"""The real services are stopped while pages that follow along are open: streams end first, and nothing is cut short."""

import http.client
import json
import re
import signal
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from examples.demo import first_code
from examples.services import Services

pytestmark = pytest.mark.processes

GAVE_UP = "timeout graceful shutdown exceeded"
"""What the server writes when it waited for as long as it may and then broke off what was still open."""
END_OF_STREAM = b"0\r\n\r\n"
"""The last chunk of a body that was ended by whoever sent it (RFC 9112, section 7.1)."""


class Browser:
    """Somebody of the staff, on connections that stay open as a browser's do."""

    def __init__(self, services: Services, name: str) -> None:
        self.address = urllib.parse.urlsplit(services.urls[name])
        self.cookies: dict[str, str] = {}
        page = self.ask("GET", "/setup")
        (token,) = re.findall(r'name="csrf" value="([^"]+)"', page)
        code = first_code(services, name)
        form = {"csrf": token, "setup_code": code, "login": "Kim", "password": "a long and quiet password"}
        self.ask("POST", "/setup", urllib.parse.urlencode(form))

    def ask(self, method: str, path: str, body: str | None = None) -> str:
        """One page."""
        connection = self.connect()
        headers = {"Accept": "text/html", "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        assert answer.status < 400, (path, answer.status, answer.read())
        for line in answer.msg.get_all("Set-Cookie", []):
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        text = answer.read().decode()
        connection.close()
        return text

    def connect(self) -> http.client.HTTPConnection:
        """A connection of its own."""
        assert self.address.hostname is not None
        return http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=60)

    def follow(self, path: str, **headers: str) -> "Stream":
        """A stream of events that has begun."""
        return Stream(
            self.connect(), path, {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())} | headers
        )


class Stream:
    """A stream of events, read as it comes over the wire."""

    def __init__(self, connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> None:
        connection.request("GET", path, headers={"Accept": "text/event-stream", **headers})
        assert connection.sock is not None
        self.connection, self._socket = connection, connection.sock
        self.received = b""
        while b"\n\n" not in self.received.partition(b"\r\n\r\n")[2]:
            self.received += self._more()
        assert self.received.startswith(b"HTTP/1.1 200 "), self.received[:200]

    def _more(self) -> bytes:
        got = self._socket.recv(10_000)
        assert got, "the stream was cut off"
        return got

    def to_the_end(self) -> None:
        """Read until the service ends it; raises `AssertionError` when the connection just breaks."""
        while not self.received.endswith(END_OF_STREAM):
            self.received += self._more()
        self.connection.close()


def stopped(services: Services, name: str, *signals: signal.Signals, meanwhile: Callable[[], Any]) -> str:
    """Tell a service to stop, do something, wait for its end; what it wrote."""
    process = services._processes[name]
    for one in signals:
        process.send_signal(one)
    meanwhile()
    process.wait(60)
    return services.log_of(name).read_text()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_live_pages_hold_up_no_stop(tmp_path: Path, how: signal.Signals) -> None:
    """Every kind of stream is ended by the service itself, and the server never came to break anything off.

    A program that waits for a result is answered with what stands now, and asks again.
    """
    with Services(tmp_path, settings={}) as services:
        services.start("issuer", 0)
        services.start("verifier", 0)
        key = services.command("verifier", "api-key", "create", "Program")["key"]
        bearer = {"Authorization": f"Bearer {key}"}
        asking = Browser(services, "verifier")
        made = _request_of(asking, bearer)
        streams = {
            "issuer": [Browser(services, "issuer").follow("/events")],
            "verifier": [
                asking.follow("/events"),
                asking.follow("/deletions/events"),
                asking.follow(f"/api/requests/{made}/events", **bearer),
            ],
        }
        waiting = asking.connect()
        waiting.request("GET", f"/api/requests/{made}?wait=30", headers=bearer)

        for name, opened in streams.items():

            def read_all(opened: list[Stream] = opened) -> None:
                for stream in opened:
                    stream.to_the_end()

            said = stopped(services, name, how, meanwhile=read_all)
            assert GAVE_UP not in said
            assert "Traceback" not in said
        answer = waiting.getresponse()
        assert (answer.status, json.load(answer)["state"]) == (200, "waiting")
        waiting.close()


def _request_of(browser: Browser, bearer: dict[str, str]) -> str:
    connection = browser.connect()
    body = json.dumps({"template": "employer-micro-credential"})
    connection.request("POST", "/api/requests", body, {"Content-Type": "application/json", **bearer})
    answer = connection.getresponse()
    assert answer.status == 201, answer.read()
    made = json.load(answer)["id"]
    connection.close()
    return str(made)
