"""What the command line chooses, and how figures are told."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Options:
    """`rounds` of each measure, `seconds` of load in each; `submissions` in the largest database, kept in `folder`.

    `requests`, `exports` and `soak`, in seconds, are of the part memory.
    """

    rounds: int
    seconds: int
    submissions: int
    folder: Path
    requests: int = 200_000
    exports: int = 500
    soak: int = 1200


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float], digits: int = 0) -> str:
    """The median, and between which values it lies."""
    least, most = min(values), max(values)
    return f"{number(median(values), digits)} ({number(least, digits)} à {number(most, digits)})"


def ratio(value: float) -> str:
    return number(value, 2)


def number(value: float, digits: int = 0) -> str:
    return f"{value:,.{digits}f}".replace(",", " ").replace(".", ",")
