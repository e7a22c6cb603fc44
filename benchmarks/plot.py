"""Curves on logarithmic axes, as an SVG that reads on light and dark grounds."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from .options import number

_WIDTH, _HEIGHT = 770, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 240, 24, 48
# Okabe and Ito's, told apart by those who confuse red and green too; a dash of its own for each besides.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b8860b", "#a85890", "#4a90c8")
_DASHES = ("none", "8 3", "2 3", "10 3 2 3", "5 5", "14 4")
# Pixels between two names at the end of their curves.
_LINE = 18
_STYLE = (
    "text{font:14px system-ui,sans-serif;fill:#333}.rule{stroke:#8886;stroke-width:1}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}}"
)


def draw(path: Path, title: str, sizes: Sequence[int], curves: Mapping[str, Sequence[float]], *, least: float) -> None:
    """A value of each curve for each size; `least` is the foot of the vertical axis, whose steps double."""
    doublings = math.ceil(math.log2(max(max(values) for values in curves.values()) / least)) or 1
    steps = [least * 2**step for step in range(doublings + 1)]
    parts = [_rule(_y(step, steps), number(step, 1)) for step in steps]
    parts += [
        f'<text x="{_x(size, sizes):.0f}" y="{_HEIGHT - 18}" text-anchor="middle">{number(size)}</text>'
        for size in sizes
    ]
    heights = _apart({name: _y(values[-1], steps) for name, values in curves.items()})
    for (name, values), colour, dash in zip(
        curves.items(), _COLOURS[: len(curves)], _DASHES[: len(curves)], strict=True
    ):
        places = [(_x(size, sizes), _y(value, steps)) for size, value in zip(sizes, values, strict=True)]
        parts.append(_curve(name, places, heights[name], f'stroke="{colour}" stroke-dasharray="{dash}"'))
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"><title>{title}</title>'
        f"<style>{_STYLE}</style>{''.join(parts)}</svg>\n"
    )


def _rule(height: float, label: str) -> str:
    line = f'<line class="rule" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{height:.1f}" y2="{height:.1f}"/>'
    return f'{line}<text x="{_LEFT - 12}" y="{height + 5:.1f}" text-anchor="end">{label}</text>'


def _curve(name: str, places: Sequence[tuple[float, float]], height: float, stroke: str) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    line = f'<polyline points="{points}" fill="none" stroke-width="2.5" {stroke}/>'
    return f'{line}<text x="{_WIDTH - _RIGHT + 12}" y="{height + 5:.1f}">{name}</text>'


def _apart(heights: Mapping[str, float]) -> dict[str, float]:
    """Names one below the other, where curves end at the same place."""
    placed: dict[str, float] = {}
    for name, height in sorted(heights.items(), key=lambda pair: pair[1]):
        placed[name] = max(height, max(placed.values(), default=-_LINE) + _LINE)
    overflow = max(0.0, max(placed.values()) - (_HEIGHT - _BOTTOM))
    return {name: height - overflow for name, height in placed.items()}


def _x(size: int, sizes: Sequence[int]) -> float:
    share = math.log(size / sizes[0]) / (math.log(sizes[-1] / sizes[0]) or 1)
    return _LEFT + 24 + share * (_WIDTH - _LEFT - _RIGHT - 48)


def _y(value: float, steps: Sequence[float]) -> float:
    share = math.log(max(value, steps[0]) / steps[0]) / math.log(steps[-1] / steps[0])
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)
