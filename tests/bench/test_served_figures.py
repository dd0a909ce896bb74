"""The figures of whole services: measured in turn with their reference, and of what people run by default."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs

import pytest

from bench import fetching, issuance, presentation, target_group
from bench.flows import Beside, Measured, Prepare
from bench.measure import Figure
from bench.served import Served
from proofs.jwe import jwe_header

pytestmark = pytest.mark.processes

Seen = list[tuple[int, str, bytes]]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Every request of a measurement: the port it went to, its path, and its body."""
    asked: Seen = []
    request = Served.request

    def noted(self: Served, method: str, path: str, body: bytes | None = None, headers: object = None) -> bytes:
        asked.append((self.port, path, body or b""))
        return request(self, method, path, body, headers)  # type: ignore[arg-type]  # As it was given.

    monkeypatch.setattr(Served, "request", noted)
    return asked


def runs(seen: Seen, path: str) -> list[str]:
    """Requests in their order as words: `work` for this path's service, `empty` for the endpoint beside it."""
    (service,) = {port for port, asked, _ in seen if asked.startswith(path)}
    return ["work" if port == service else "empty" for port, _, _ in seen]


def longest(words: list[str], word: str) -> int:
    """The longest row of one word."""
    best = now = 0
    for one in words:
        now = now + 1 if one == word else 0
        best = max(best, now)
    return best


def assert_of_both_references(figures: list[Figure]) -> None:
    """Two rows of one flow, to the empty endpoint and to raw signatures, with what is the machine's own beside them."""
    assert [figure.unit.partition(" of ")[2] for figure in figures] == [
        "an empty asynchronous endpoint",
        "the raw signatures that it contains",
    ]
    for figure in figures:
        assert len(figure.samples) == 2
        assert figure.lower_is_better
        assert figure.per_second is not None
        assert figure.cpu_seconds is not None
        assert figure.per_second > 0
        assert figure.cpu_seconds > 0


def test_presentations_are_measured_in_turn_and_encrypted(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer is followed by its share of empty requests, and comes as the verifier asks for it by default."""
    monkeypatch.setattr(presentation, "PRESENTATIONS_PER_ROUND", 3)

    figures = presentation.figures(2)

    assert_of_both_references(figures)
    words = runs(seen, "/response/")[20:]  # What warms up is not counted.
    assert words.count("work") == 6
    assert longest(words, "work") == 1
    assert longest(words, "empty") == presentation.EMPTY_PER_PRESENTATION
    for body in [body for _, path, body in seen if path.startswith("/response/")]:
        form = parse_qs(body.decode())
        assert list(form) == ["response"]
        assert jwe_header(form["response"][0], max_bytes=100_000)["enc"] == "A256GCM"


def test_whole_presentations_are_measured_in_turn(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked by a program, fetched, answered, come back, read; then its share of empty requests."""
    monkeypatch.setattr(presentation, "WHOLE_PER_ROUND", 3)

    assert_of_both_references(presentation.whole_figures(2))

    words = runs(seen, "/response/")[25:]
    assert words.count("work") == 30
    assert longest(words, "work") == 5
    assert longest(words, "empty") == presentation.EMPTY_PER_PRESENTATION
    paths = [
        path.split("/")[1] + "/" + path.split("/")[2] if path.startswith("/api") else path.split("/")[1]
        for _, path, _ in seen
        if path != "/"
    ]
    assert paths[:5] == ["api/requests", "request", "response", "api/returns", "api/requests"]


def test_issuances_are_measured_in_turn(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Token, nonce and credential, then its share of empty requests."""
    monkeypatch.setattr(issuance, "ISSUANCES_PER_ROUND", 3)

    assert_of_both_references(issuance.figures(2))

    words = runs(seen, "/token")[9:]
    assert words.count("work") == 18
    assert longest(words, "work") == 3
    assert longest(words, "empty") == issuance.EMPTY_PER_ISSUANCE


def test_fetched_ones_are_measured_in_turn(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pushed request, token, nonce, credential and notification, then its share of empty requests."""
    monkeypatch.setattr(fetching, "FLOWS_PER_ROUND", 3)

    assert_of_both_references(fetching.figures(2))

    words = runs(seen, "/par")[5:]
    assert words.count("work") == 30
    assert longest(words, "work") == 5
    assert longest(words, "empty") == fetching.EMPTY_PER_FLOW


def test_journeys_are_measured_in_turn_to_their_end(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is that of another person and ends with "eligible"; its share of empty requests follows."""
    monkeypatch.setattr(target_group, "JOURNEYS_PER_ROUND", 2)
    monkeypatch.setattr(target_group, "EMPTY_PER_JOURNEY", 3)
    walk: Callable[..., float] = target_group._Stage._walk
    people = []

    def noted(self: Any, vault: Any) -> float:
        people.append(vault.person_id)
        seen.append((0, "journey", b""))
        return walk(self, vault)

    monkeypatch.setattr(target_group._Stage, "_walk", noted)

    assert_of_both_references(target_group.figures(2))

    words = ["work" if path == "journey" else "empty" for _, path, _ in seen]
    assert words == ["work"] + ["work", "empty", "empty", "empty"] * 4  # The first one warms up.
    assert len(set(people)) == 5


def test_a_journey_that_ends_otherwise_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a statement about the target group half of it is not fetched, and nothing is measured."""
    kept = target_group._DATA / "job-seekers.csv"
    monkeypatch.setattr(target_group, "_STATEMENTS", (kept,))

    with pytest.raises(RuntimeError, match="not all was fetched"):
        target_group.figures(2)


@pytest.mark.parametrize(
    "measured", [issuance, fetching, presentation, target_group], ids=lambda module: module.__name__
)
def test_the_raw_signatures_are_those_of_the_flow(
    measured: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as the services really check and make in each flow, after the first ones that warm them up."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).with_name("counted")))
    monkeypatch.setenv("COUNTED_SIGNATURES", str(tmp_path))
    found: list[tuple[int, int]] = []

    def letters(beside: Beside) -> str:
        return "".join((tmp_path / str(server.process_id)).read_text() for server in beside.servers)

    def counting(self: Beside, prepare: Prepare, **_: int) -> Measured:
        for flow in prepare(2):
            before = letters(self)
            flow()
            after = letters(self)
            found.append((after.count("c") - before.count("c"), after.count("s") - before.count("s")))
        return Measured([1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0])

    monkeypatch.setattr(Beside, "measure", counting)

    measured.figures(2)

    assert found == [(measured.CHECKED, measured.SIGNED)] * 2
