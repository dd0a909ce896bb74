"""What `make bench` prints and writes."""

from typing import Any

from bench.__main__ import report, table
from bench.measure import Figure, figure_from_samples


def _figures() -> list[Figure]:
    return [
        figure_from_samples("signing", unit="of raw ones", samples=[0.4, 0.5], reach=0.36, lower_is_better=False),
        figure_from_samples(
            "a journey",
            unit="of an empty one",
            samples=[700, 900],
            reach=750,
            lower_is_better=True,
            per_second=2.5,
            cpu_seconds=0.114,
        ),
    ]


def test_a_flow_has_its_number_per_second_and_its_cpu_time() -> None:
    """In columns of their own, which are empty for what is no flow; each row says whether it meets its reach."""
    head, signing, journey = table(_figures()).splitlines()

    assert head.split("  ")[-2:] == ["per second", "CPU ms"]
    assert signing.endswith("of raw ones")
    assert journey[head.index("per second") :].split() == ["2.5", "114"]
    assert "below reach" in journey


def test_the_file_holds_the_same() -> None:
    """With every sample, in seconds."""
    told: Any = report(_figures())
    signing, journey = told["figures"]

    assert (journey["per_second"], journey["cpu_seconds"], journey["reached"]) == (2.5, 0.114, False)
    assert journey["samples"] == (700, 900)
    assert (signing["per_second"], signing["cpu_seconds"], signing["reached"]) == (None, None, True)
