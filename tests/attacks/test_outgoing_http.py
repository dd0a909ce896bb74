"""Attacks through addresses that we are asked to fetch (edge cases G-04, T-07, W-10)."""

import asyncio
import gzip
import http.server
import ipaddress
import json as json_module
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpcore2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from service.http import Answer, HostRouter, NothingSent, OutgoingFailed, OutgoingHTTP, OutgoingRefused, is_public


def get(client: OutgoingHTTP, url: str, **options: Any) -> Answer:
    async def story() -> Answer:
        try:
            return await client.get(url, **options)
        finally:
            await client.close()

    return asyncio.run(story())


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example/",
        "ftp://issuer.example/",
        "file:///etc/passwd",
        "gopher://issuer.example/",
        "data:text/plain,x",
        "//issuer.example/",
        "issuer.example",
        "",
        "https://",
        "https:///path",
        "https://user:word@issuer.example/",
        "https://issuer.example/#part",
        "https://issuer.example:65536/",  # It would break what connects, in a way that nobody expects.
        "https://issuer.example:999999/",
        "https://issuer.example/ x",
        "https://issuer.example/\r\nHost: other",
        "https://issuer.example/" + "x" * 8000,
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://0x7f.0.0.1/",
        "https://127.0.0.1./",
        "https://localhost/",
        "https://localhost./",
        "https://LOCALHOST/",
        "https://a.localhost/",
        "https://intranet/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://192.0.2.1/",
        "https://198.18.0.1/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[::]/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:7f00:1::]/",
        "https://[2002:a00:1::]/",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fc00::1]/",
        "https://[fd00:ec2::254]/",
        "https://[ff02::1]/",
        "https://[2001:db8::1]/",
        "https://①②⑦.⓪.⓪.①/",
    ],
)
def test_an_address_that_is_not_public_https_is_refused_before_anything_is_asked(url: str) -> None:
    asked: list[str] = []

    async def note(request: Request) -> Response:
        asked.append(str(request.url))
        return Response("x")

    anywhere = Starlette(routes=[Route("/{rest:path}", note)])
    hosts = dict.fromkeys(("issuer.example", "127.0.0.1", "localhost", "localhost.", "::1"), anywhere)

    with pytest.raises(OutgoingRefused):
        get(OutgoingHTTP(transport=HostRouter(hosts)), url)

    assert asked == []


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_as_public_inside_ipv6_as_outside(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    wrapped = [(0xFFFF << 32) | number, int(ipaddress.IPv6Address("64:ff9b::")) | number]

    if not is_public(address):
        assert not any(is_public(ipaddress.IPv6Address(one)) for one in wrapped)


@given(st.text(max_size=60) | st.from_regex(r"https?://[\[\]0-9a-fx.:%@/]{0,30}", fullmatch=True))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        parsed = OutgoingHTTP(transport=HostRouter({})).check_url(text)
    except OutgoingRefused:
        return
    assert parsed.scheme == "https"


# --- Name servers that lie -----------------------------------------------------------------------------------------


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Make the resolver give these addresses, one list per question; returns the questions."""
    asked: list[str] = []

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        addresses = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [(socket.AF_INET6 if ":" in one else socket.AF_INET, 1, 6, "", (one, port)) for one in addresses]

    real = asyncio.new_event_loop

    def new_event_loop() -> asyncio.AbstractEventLoop:
        loop = real()
        monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
        return loop

    monkeypatch.setattr(asyncio, "new_event_loop", new_event_loop)
    monkeypatch.setattr("asyncio.events.new_event_loop", new_event_loop)
    return asked


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["93.184.215.14", "127.0.0.1"],
    ],
)
def test_a_name_that_leads_to_this_machine_or_network_is_refused(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    asked = resolving(monkeypatch, addresses)

    with pytest.raises(OutgoingRefused, match="not public"):
        get(OutgoingHTTP(), "https://issuer.example/")

    assert asked == ["issuer.example"]


def test_the_address_that_was_vetted_is_the_one_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: a public address at the first question, this machine at the second."""
    asked = resolving(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    connected: list[str] = []

    async def connect_tcp(_: Any, host: str, *rest: Any, **named: Any) -> Any:
        connected.append(host)
        raise httpcore2.ConnectError

    monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", connect_tcp)

    with pytest.raises(OutgoingFailed):
        get(OutgoingHTTP(), "https://issuer.example/")

    assert asked == ["issuer.example"]
    assert connected == ["93.184.215.14"]


def test_allowing_loopback_lifts_the_rules_for_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    client = OutgoingHTTP(allow_loopback=True)
    for url in ("http://localhost:8001/", "http://127.0.0.1:8001/", "http://[::1]:8001/", "https://localhost/"):
        client.check_url(url)
    for url in (
        "http://issuer.example/",
        "http://10.0.0.1/",
        "https://10.0.0.1/",
        "http://127.0.0.2/",
        "http://a.localhost/",
    ):
        with pytest.raises(OutgoingRefused):
            client.check_url(url)

    resolving(monkeypatch, ["127.0.0.1"])
    with pytest.raises(OutgoingRefused, match="not public"):
        get(client, "https://issuer.example/")


def test_localhost_that_resolves_elsewhere_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["10.0.0.1"])

    with pytest.raises(OutgoingFailed, match="no address"):
        get(OutgoingHTTP(allow_loopback=True), "http://localhost:8001/")


def test_named_test_hosts_are_let_through_with_their_port_only() -> None:
    client = OutgoingHTTP(allow_hosts=["issuer.test:8443", "intranet"])

    client.check_url("http://issuer.test:8443/")
    client.check_url("https://intranet/")
    for url in ("http://issuer.test/", "http://issuer.test:8444/", "http://other.test:8443/"):
        with pytest.raises(OutgoingRefused):
            client.check_url(url)


# --- Peers that do not keep to the rules ---------------------------------------------------------------------------


async def _redirect(request: Request) -> Response:
    return RedirectResponse("https://127.0.0.1/")


async def _moved(request: Request) -> Response:
    left = int(request.path_params["left"])
    if left:
        return RedirectResponse(f"{left - 1}?a=b#part", status_code=int(request.query_params.get("status", "302")))
    return Response(b"here", media_type="text/plain")


async def _moved_to(request: Request) -> Response:
    return RedirectResponse(request.query_params["target"])


async def _moved_nowhere(request: Request) -> Response:
    return Response(status_code=302)


async def _headers(request: Request) -> Response:
    return JSONResponse(dict(request.headers), headers={"Set-Cookie": "track=1"})


async def _echo(request: Request) -> Response:
    return Response(await request.body(), media_type=request.headers["content-type"])


async def _large(request: Request) -> Response:
    return Response(b"x" * int(request.query_params["size"]), headers={"Content-Type": "text/plain"})


async def _compressed(request: Request) -> Response:
    return Response(gzip.compress(b"x" * 10_000_000), headers={"Content-Encoding": "gzip"})


PEER = Starlette(
    routes=[
        Route("/redirect", _redirect),
        Route("/moved/{left}", _moved),
        Route("/moved-to", _moved_to),
        Route("/moved-nowhere", _moved_nowhere),
        Route("/headers", _headers),
        Route("/echo", _echo, methods=["POST"]),
        Route("/large", _large),
        Route("/compressed", _compressed),
    ]
)


@pytest.fixture
def client() -> OutgoingHTTP:
    return OutgoingHTTP(transport=HostRouter({"peer.example": PEER}))


def test_a_redirect_is_an_answer_and_is_not_followed(client: OutgoingHTTP) -> None:
    answer = get(client, "https://peer.example/redirect")

    assert (answer.status, answer.headers["location"]) == (307, "https://127.0.0.1/")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_as_many_redirects_as_were_allowed_are_followed(client: OutgoingHTTP, status: int) -> None:
    """Relative ones as well, and without their fragment."""
    answer = get(client, f"https://peer.example/moved/1?status={status}", redirects=3)
    assert (answer.status, answer.body) == (200, b"here")


@pytest.mark.parametrize(("hops", "status"), [(3, 200), (4, 302), (40, 302)])
def test_t07_redirects_end(client: OutgoingHTTP, hops: int, status: int) -> None:
    """Whoever sends us round and round is left with its redirect for an answer."""
    assert get(client, f"https://peer.example/moved/{hops}", redirects=3).status == status


@pytest.mark.parametrize(
    "target",
    [
        "http://peer.example/headers",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://me@peer.example/headers",
        "https://intranet/",
        "file:///etc/passwd",
        "https://peer.example:999999/",
    ],
)
def test_t07_a_redirect_leads_nowhere_that_could_not_be_asked_itself(client: OutgoingHTTP, target: str) -> None:
    """Nor from https to http: every address on the way keeps to the same rules as the first."""
    with pytest.raises(OutgoingRefused):
        get(client, f"https://peer.example/moved-to?target={quote(target, safe='')}", redirects=3)


def test_a_redirect_that_names_no_address_is_an_answer(client: OutgoingHTTP) -> None:
    assert get(client, "https://peer.example/moved-nowhere", redirects=3).status == 302


def test_nothing_is_remembered_between_requests_and_no_compression_is_asked_for(client: OutgoingHTTP) -> None:
    async def story() -> Answer:
        await client.get("https://peer.example/headers")
        return await client.get("https://peer.example/headers")

    answer = asyncio.run(story())
    sent = json_module.loads(answer.body)

    assert "cookie" not in sent
    assert sent["accept-encoding"] == "identity"
    assert sent["host"] == "peer.example"
    assert answer.media_type == "application/json"


@pytest.mark.parametrize(("size", "taken"), [(9_999, True), (10_000, True), (10_001, False)])
def test_an_answer_may_be_as_large_as_the_bound_and_no_larger(client: OutgoingHTTP, size: int, taken: bool) -> None:
    url = f"https://peer.example/large?size={size}"
    if taken:
        assert len(get(client, url, max_bytes=10_000).body) == size
    else:
        with pytest.raises(OutgoingFailed, match="too much"):
            get(client, url, max_bytes=10_000)


def test_a_compressed_answer_that_nobody_asked_for_is_not_inflated(client: OutgoingHTTP) -> None:
    with pytest.raises(OutgoingFailed, match="compressed"):
        get(client, "https://peer.example/compressed")


def test_forms_json_and_bytes_are_sent_as_such(client: OutgoingHTTP) -> None:
    async def story() -> list[Answer]:
        url = "https://peer.example/echo"
        return [
            await client.post(url, form={"a": "å b"}),
            await client.post(url, json={"a": ["å"]}),
            await client.post(url, content=b"\x00", headers={"Content-Type": "application/octet-stream"}),
        ]

    form, json, raw = asyncio.run(story())

    assert (form.body, form.media_type) == (b"a=%C3%A5+b", "application/x-www-form-urlencoded")
    assert (json.body, json.media_type) == ('{"a":["å"]}'.encode(), "application/json")
    assert raw.body == b"\x00"
    with pytest.raises(ValueError, match="Only one"):
        asyncio.run(client.post("https://peer.example/echo", form={}, json={}))


# --- Real sockets on loopback --------------------------------------------------------------------------------------


class _Slow(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        if self.path == "/drip":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for _ in range(50):
                try:
                    self.wfile.write(b"1\r\nx\r\n")
                    self.wfile.flush()
                except OSError:
                    break
                time.sleep(0.1)
            self.close_connection = True
        elif self.path == "/endless":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
            for _ in range(1000):
                try:
                    self.wfile.write(chunk)
                except OSError:
                    break
            self.close_connection = True
        else:
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def slow_server() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_this_machine_answers_when_it_is_allowed(slow_server: int) -> None:
    client = OutgoingHTTP(allow_loopback=True)

    assert get(client, f"http://localhost:{slow_server}/").body == b"ok"
    with pytest.raises(OutgoingRefused):
        get(OutgoingHTTP(), f"http://localhost:{slow_server}/")


def test_a_peer_that_drips_is_cut_off_after_the_whole_time(slow_server: int) -> None:
    """Every byte comes well within the time for one read; an answer in the end would mean that nothing was cut off."""
    with pytest.raises(OutgoingFailed, match="too long"):
        get(OutgoingHTTP(allow_loopback=True), f"http://127.0.0.1:{slow_server}/drip", timeout_seconds=0.5)


def test_a_peer_that_never_ends_is_cut_off_at_the_bound(slow_server: int) -> None:
    with pytest.raises(OutgoingFailed, match="too much"):
        get(OutgoingHTTP(allow_loopback=True), f"http://127.0.0.1:{slow_server}/endless", max_bytes=100_000)


def test_a_closed_port_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(NothingSent):
        get(OutgoingHTTP(allow_loopback=True), f"http://127.0.0.1:{port}/")


def test_proxies_from_the_environment_are_not_used(slow_server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert get(OutgoingHTTP(allow_loopback=True), f"http://127.0.0.1:{slow_server}/").status == 200


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A TLS server on loopback whose certificate names localhost, and the root that made it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test root")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    root = tmp_path / "root.pem"
    root.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    both = tmp_path / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both.write_bytes(private + root.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # handshakes that fail are the test
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1], root
    server.shutdown()
    thread.join()
    server.server_close()


def test_tls_proves_the_name_and_a_further_root_is_trusted_only_when_given(tls_server: tuple[int, Path]) -> None:
    port, root = tls_server

    assert get(OutgoingHTTP(allow_loopback=True, ca_file=root), f"https://localhost:{port}/").body == b"ok"
    with pytest.raises(OutgoingFailed):
        get(OutgoingHTTP(allow_loopback=True), f"https://localhost:{port}/")
    with pytest.raises(OutgoingFailed):
        get(OutgoingHTTP(allow_loopback=True, ca_file=root), f"https://127.0.0.1:{port}/")
