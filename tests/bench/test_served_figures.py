"""The figures of whole services: measured in turn with their reference, and of what people run by default."""

from urllib.parse import parse_qs

import pytest

from bench import issuance, presentation
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


def test_presentations_are_measured_in_turn_and_encrypted(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer is followed by its share of empty requests, and comes as the verifier asks for it by default."""
    monkeypatch.setattr(presentation, "PRESENTATIONS_PER_ROUND", 3)

    (figure,) = presentation.figures(2)

    assert len(figure.samples) == 2
    words = runs(seen, "/response/")[20:]  # What warms up is not counted.
    assert words.count("work") == 6
    assert longest(words, "work") == 1
    assert longest(words, "empty") == presentation.EMPTY_PER_PRESENTATION
    for body in [body for _, path, body in seen if path.startswith("/response/")]:
        form = parse_qs(body.decode())
        assert list(form) == ["response"]
        assert jwe_header(form["response"][0], max_bytes=100_000)["enc"] == "A256GCM"


def test_issuances_are_measured_in_turn(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Token, nonce and credential, then its share of empty requests."""
    monkeypatch.setattr(issuance, "ISSUANCES_PER_ROUND", 3)

    issuance.figures(2)

    words = runs(seen, "/token")[9:]
    assert words.count("work") == 18
    assert longest(words, "work") == 3
    assert longest(words, "empty") == issuance.EMPTY_PER_ISSUANCE
