"""A real process: it listens on loopback alone, says where, and finishes what is under way."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from service.serving import CannotListen, listen
from tests.service.conftest import SampleSettings

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.processes


@contextmanager
def sample_process(
    data: Path, *, program: tuple[str, ...] = ("-m", "tests.service.sample_service"), **environment: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running sample service and its address."""
    process = subprocess.Popen(
        [sys.executable, *program, "serve", "--data", str(data)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline()
        address = line.partition(": ")[2].strip().rstrip("/")
        wait_until_it_answers(address)
        yield process, address
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()
        process.stderr.close()


def wait_until_it_answers(address: str) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError("The service did not start.")


def test_it_records_and_prints_its_address_and_answers_on_both_loopback_addresses(tmp_path: Path) -> None:
    with sample_process(tmp_path) as (process, address):
        port = int(address.rpartition(":")[2])
        assert (tmp_path / "public-url").read_text().strip() == address == f"http://localhost:{port}"
        for host in ("127.0.0.1", "[::1]") if socket.has_ipv6 else ("127.0.0.1",):
            with urllib.request.urlopen(f"http://{host}:{port}/health", timeout=5) as answer:
                assert json.load(answer) == {"status": "ok"}
                assert "server" not in answer.headers
        process.terminate()
        assert process.stderr is not None
        assert "The code is for http://localhost:" in process.stderr.read()


def test_an_answer_under_way_is_finished_before_it_stops(tmp_path: Path) -> None:
    with sample_process(tmp_path) as (process, address):
        answers: list[bytes] = []

        def ask() -> None:
            with urllib.request.urlopen(f"{address}/slow", timeout=10) as answer:
                answers.append(answer.read())

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(0.4)
        process.send_signal(signal.SIGTERM)
        asking.join()

        assert answers == [f'{{"done":"{address}"}}'.encode()]
        assert process.wait(15) in (0, -signal.SIGTERM, 143)


def test_streams_end_when_it_stops(tmp_path: Path) -> None:
    """Open pages that follow along hold up no stop and leave no trace of an error; slow answers are still finished."""
    with sample_process(tmp_path) as (process, address):
        ended: list[bytes] = []

        def follow(path: str) -> None:
            with urllib.request.urlopen(f"{address}{path}", timeout=20) as answer:
                ended.append(answer.read())

        followers = [threading.Thread(target=follow, args=(path,)) for path in ("/events", "/events", "/slow")]
        for one in followers:
            one.start()
        time.sleep(0.6)
        process.send_signal(signal.SIGTERM)
        for one in followers:
            one.join(8)
        process.wait(8)

        assert len(ended) == 3
        assert sum(one.startswith(b": still here") for one in ended) == 2
        assert f'{{"done":"{address}"}}'.encode() in ended
        assert process.stderr is not None
        said = process.stderr.read()
        assert "Traceback" not in said
        assert "ERROR" not in said


def test_an_unsafe_setting_keeps_it_from_starting_and_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.service.sample_service", "serve", "--data", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "SAMPLE_PUBLIC_URL": "http://sample.example"},
    )

    assert done.returncode == 2
    assert "SAMPLE_PUBLIC_URL must start with https://" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    sockets = listen(SampleSettings(data=tmp_path, port=0))
    port = sockets[0].getsockname()[1]
    try:
        assert {one.getsockname()[0] for one in sockets} <= {"127.0.0.1", "::1"}
        with pytest.raises(CannotListen, match="is taken"):
            listen(SampleSettings(data=tmp_path, port=port))
    finally:
        for one in sockets:
            one.close()


def test_a_head_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    """One header of megabytes, a long address, or headers without end are answered 431, and the connection ends.

    Otherwise a single connection could fill the memory. Large bodies and many requests on one connection go on.
    """
    with sample_process(tmp_path) as (process, address):
        port = int(address.rpartition(":")[2])
        for piece in (b"X-A: " + b"a" * 65_000, b"X-A: a\r\n" * 10_000):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
                with suppress(OSError):
                    for _ in range(100):
                        connection.sendall(piece)
                answer = b""
                with suppress(OSError):  # It may be reset once the answer is sent.
                    answer = connection.recv(100)
                assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            for _ in range(100):
                head = b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\nX-A: "
                connection.sendall(head + b"a" * 9_000 + b"\r\n\r\n" + b"b" * 70_000)
                answer = b""
                while b"}" not in answer:
                    answer += connection.recv(10_000)
                assert answer.startswith(b"HTTP/1.1 404 ")
        assert _memory_megabytes(process.pid) < 250


def test_a_head_that_comes_too_slowly_is_not_waited_for(tmp_path: Path) -> None:
    """Whoever opens a connection and says nothing, or half a head, does not hold it for ever."""
    slow = "import service.bounded_heads as b; b.HEAD_SECONDS = 0.5; import runpy, sys; "
    slow += "sys.argv = ['x', *sys.argv[1:]]; runpy.run_module('tests.service.sample_service', run_name='__main__')"
    with sample_process(tmp_path, program=("-c", slow)) as (_, address):
        port = int(address.rpartition(":")[2])
        for said in (b"", b"GET /health HTTP/1.1\r\nHost: loc"):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(said)
                assert connection.recv(100) == b""
        with urllib.request.urlopen(f"{address}/slow", timeout=10) as answer:
            assert answer.status == 200, "an answer may take longer than a head"


def _memory_megabytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    raise AssertionError("no such process")
