"""`make over-asking`: precision and recall of each rule on the labelled set, as measured, with every disagreement."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.over_asking.vectors import judge, load

RULES = tuple(f"OA-{number:02}" for number in range(1, 15))


@dataclass(frozen=True)
class Score:
    """How a rule did: how often it was right to speak, wrong to speak, and wrong to be silent."""

    right: int
    wrongly: int
    missed: int
    cases: int

    @property
    def precision(self) -> float:
        """Of the times that it spoke, how often it should have."""
        return self.right / (self.right + self.wrongly) if self.right + self.wrongly else 0.0

    @property
    def recall(self) -> float:
        """Of the times that it should have spoken, how often it did."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 0.0


def scores(cases: list[dict[str, Any]]) -> tuple[dict[str, Score], list[str]]:
    """The score of each rule, and a line for each disagreement."""
    right, wrongly, missed = Counter[str](), Counter[str](), Counter[str]()
    lines = []
    for case in cases:
        labels, found = set(case["labels"]), judge(case)
        right.update(labels & found)
        wrongly.update(found - labels)
        missed.update(labels - found)
        lines += [f"{rule} spoke    {case['id']}: {case['why']}" for rule in sorted(found - labels)]
        lines += [f"{rule} silent   {case['id']}: {case['why']}" for rule in sorted(labels - found)]
    return {one: Score(right[one], wrongly[one], missed[one], len(cases)) for one in RULES}, sorted(lines)


def main() -> None:
    """Print the report."""
    cases = load()
    measured, lines = scores(cases)
    tones = Counter(case["tone"] for case in cases)
    languages = Counter(case["language"] for case in cases)
    print(f"{len(cases)} requests: {dict(tones)}, {dict(languages)}")
    print("rule   precision  recall  spoke rightly  wrongly  silent wrongly")
    for rule, score in measured.items():
        figures = f"{score.precision:9.2f}  {score.recall:6.2f}"
        print(f"{rule}  {figures}  {score.right:13}  {score.wrongly:7}  {score.missed:14}")
    print("\nWhere rule and label disagree:")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
