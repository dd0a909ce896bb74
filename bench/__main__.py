"""`make bench`: print the figures as ratios measured interleaved in one run, and write them as JSON.

python -m bench [--rounds N] [--only WORD] [--out FILE]
"""

import argparse
import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench import fetching, issuance, presentation, proof_figures, target_group
from bench.measure import Figure

SOURCES: tuple[tuple[str, Callable[[int], list[Figure]]], ...] = (
    ("proofs", proof_figures.figures),
    ("issuance", issuance.figures),
    ("fetching", fetching.figures),
    ("presentation", presentation.figures),
    ("whole presentation", presentation.whole_figures),
    ("target-group", target_group.figures),
)
DEFAULT_ROUNDS = 15
DEFAULT_FILE = Path("bench/results/latest.json")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what was asked for, print the table, write the file."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=DEFAULT_ROUNDS, help="interleaved rounds per figure")
    parser.add_argument("--only", default="", help="measure only the group whose name holds this word")
    parser.add_argument("--out", type=Path, default=DEFAULT_FILE, help="where the JSON is written")
    options = parser.parse_args(arguments)
    figures: list[Figure] = []
    for name, measure in SOURCES:
        if options.only in name:
            print(f"measuring {name} ...", flush=True)
            figures += measure(options.rounds)
    print(table(figures))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report(figures), indent=2) + "\n")
    print(f"written to {options.out}")


def table(figures: Sequence[Figure]) -> str:
    """The figures as a table of text, each row marked "reached" or "below reach"."""
    rows = [("figure", "ratio", "spread", "reach", "", "as a ratio to", "per second", "CPU ms")]
    for figure in figures:
        bound = "at most" if figure.lower_is_better else "at least"
        rows.append(
            (
                figure.name,
                f"{figure.ratio:.3g}",
                f"{figure.spread[0]:.3g} to {figure.spread[1]:.3g}",
                f"{bound} {figure.reach:g}",
                "reached" if figure.reached else "below reach",
                figure.unit,
                _number(figure.per_second),
                _number(figure.cpu_seconds, factor=1000),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _number(value: float | None, *, factor: float = 1) -> str:
    return "" if value is None else f"{value * factor:.3g}"


def report(figures: Sequence[Figure]) -> dict[str, object]:
    """The figures with every sample, when and on what they were measured."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "figures": [{**asdict(figure), "reached": figure.reached} for figure in figures],
    }


if __name__ == "__main__":
    main()
