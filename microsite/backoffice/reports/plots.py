"""Small plots, drawn as SVG by the template: figures in, coordinates out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...reports.breakdowns import Line

# A plot's height, in its own units, and the width of a day.
HEIGHT = 100
STEP = 10


@dataclass(frozen=True, kw_only=True)
class Bar:
    left: int
    top: float
    height: float


@dataclass(frozen=True, kw_only=True)
class DayPlot:
    """One bar a day; `most` is the tallest one's figure, on `best`, a day's key."""

    key: str
    title: str
    width: int
    most: int
    best: str
    total: int
    bars: tuple[Bar, ...]


def day_plots(lines: Sequence[Line]) -> list[DayPlot]:
    """Views, views of forms, submissions: each on a scale of its own."""
    return [
        _plot("vues", "Vues de l’article", lines, lambda line: line.views),
        _plot("formulaires", "Vues des formulaires", lines, lambda line: line.form_views),
        _plot("demandes", "Demandes", lines, lambda line: line.submissions),
    ]


def _plot(key: str, title: str, lines: Sequence[Line], figure: Callable[[Line], int]) -> DayPlot:
    figures = [figure(line) for line in lines]
    most = max(figures)
    heights = [round(HEIGHT * number / most, 2) if most else 0 for number in figures]
    bars = [
        Bar(left=STEP * place, top=HEIGHT - height, height=height) for place, height in enumerate(heights) if height
    ]
    return DayPlot(
        key=key,
        title=title,
        width=STEP * len(lines),
        most=most,
        best=lines[figures.index(most)].key,
        total=sum(figures),
        bars=tuple(bars),
    )
