"""Figures as ratios: two workloads timed alternately in one run, so that the machine's mood cancels out.

figure = ratio_of_rates("signing", work=issue, reference=sign, rounds=30, reach=0.36)
figure.reached
"""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table.

    `ratio` is the median over the rounds, `spread` the first and third quartile, `samples` every round's ratio, in
    `unit`. `reach` is the value to meet: to be at least reached, or not exceeded when `lower_is_better`. Of a whole
    flow, `per_second` is how many one client gets that asks for one after the other, and `cpu_seconds` what each costs
    the servers; both are the machine's own and compare with nothing but themselves.
    """

    name: str
    unit: str
    ratio: float
    reach: float
    lower_is_better: bool
    spread: tuple[float, float]
    samples: tuple[float, ...]
    per_second: float | None = None
    cpu_seconds: float | None = None

    @property
    def reached(self) -> bool:
        """Whether the figure meets its reach."""
        return self.ratio <= self.reach if self.lower_is_better else self.ratio >= self.reach


def figure_from_samples(
    name: str,
    *,
    unit: str,
    samples: Sequence[float],
    reach: float,
    lower_is_better: bool,
    per_second: float | None = None,
    cpu_seconds: float | None = None,
) -> Figure:
    """Make a row from the ratios of single rounds: their median and quartiles. `samples` holds at least two."""
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return Figure(name, unit, median, reach, lower_is_better, (low, high), tuple(samples), per_second, cpu_seconds)


def seconds_interleaved(*works: Work, rounds: int, repeats: int) -> list[list[float]]:
    """Time several workloads in turn, one call of each after the other.

    So every call meets what the others left in the processor's caches, as it would in a service, and whatever else the
    machine is doing meets all of them alike.

    Returns, per workload, the median seconds of one call in each of `rounds` rounds of `repeats` turns. Garbage
    collection is off while timing.
    """
    for work in works:
        work()
    times: list[list[float]] = [[] for _ in works]
    was_enabled = gc.isenabled()
    try:
        for _ in range(rounds):
            gc.collect()
            gc.disable()
            for found, nanoseconds in zip(times, _one_round(works, repeats), strict=True):
                found.append(statistics.median(nanoseconds) / 1e9)
            gc.enable()
    finally:
        if was_enabled:
            gc.enable()
        else:
            gc.disable()
    return times


def _one_round(works: Sequence[Work], repeats: int) -> list[list[int]]:
    clock = time.perf_counter_ns
    nanoseconds: list[list[int]] = [[] for _ in works]
    for _ in range(repeats):
        for work, taken in zip(works, nanoseconds, strict=True):
            start = clock()
            work()
            taken.append(clock() - start)
    return nanoseconds


def ratio_of_rates(
    name: str, *, unit: str, work: Work, reference: Work, rounds: int, repeats: int, reach: float, factor: float = 1.0
) -> Figure:
    """The rate of `work` as a ratio to `factor` times the rate of `reference`, measured interleaved."""
    work_times, reference_times = seconds_interleaved(work, reference, rounds=rounds, repeats=repeats)
    samples = [
        reference_seconds / (factor * work_seconds)
        for work_seconds, reference_seconds in zip(work_times, reference_times, strict=True)
    ]
    return figure_from_samples(name, unit=unit, samples=samples, reach=reach, lower_is_better=False)
