"""The geometry of what the console draws. The drawing itself is SVG in the templates, with a table beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, log10

WIDTH, HEIGHT = 400, 230
LEFT, RIGHT, TOP, BOTTOM = 36, 4, 12, 26
LEVELS = 4
GAP = 0.3
"""Of the room for a month what stays empty."""


@dataclass(frozen=True, slots=True)
class Month:
    first: date
    listed: int
    closed: int


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Group:
    """The bars of a month, and the middle of its room."""

    month: Month
    middle: float
    listed: Bar
    closed: Bar


@dataclass(frozen=True, slots=True)
class Trend:
    width: int
    height: int
    left: int
    right: int
    base: float
    lines: tuple[tuple[float, int], ...]
    """Where a line of the grid stands, and what it means."""
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar of 100 units."""

    name: str
    count: int
    x: float
    width: float


def level(value: float, most: float) -> int:
    """How hot a value is, 0 for nothing and LEVELS for the most."""
    if value <= 0 or most <= 0:
        return 0
    return max(1, min(LEVELS, ceil(value / most * LEVELS)))


def parts(counts: Sequence[tuple[str, int]]) -> tuple[Part, ...]:
    """One bar for all, each part as wide as its share."""
    total = sum(count for _, count in counts)
    found, at = [], 0.0
    for name, count in counts:
        width = round(100 * count / total, 2) if total else 0.0
        found.append(Part(name, count, round(at, 2), width))
        at += width
    return tuple(found)


def trend(months: Sequence[Month]) -> Trend:
    """Two bars a month, on a grid of round numbers."""
    step = _step(max((max(each.listed, each.closed) for each in months), default=0))
    top = step * LEVELS
    base = float(HEIGHT - BOTTOM)
    room = (WIDTH - LEFT - RIGHT) / max(1, len(months))
    thick = round(room * (1 - GAP) / 2, 1)

    def bar(x: float, value: int) -> Bar:
        height = round((base - TOP) * value / top, 1)
        return Bar(round(x, 1), round(base - height, 1), thick, height)

    groups = []
    for index, month in enumerate(months):
        begin = LEFT + room * index + room * GAP / 2
        groups.append(
            Group(month, round(LEFT + room * (index + 0.5), 1), bar(begin, month.listed),
                  bar(begin + thick, month.closed))
        )  # fmt: skip
    lines = tuple((round(base - (base - TOP) * index / LEVELS, 1), step * index) for index in range(LEVELS + 1))
    return Trend(WIDTH, HEIGHT, LEFT, WIDTH - RIGHT, base, lines, tuple(groups))


def _step(most: int) -> int:
    """The least round number of which LEVELS reach `most`."""
    least = max(1, ceil(most / LEVELS))
    power = 10 ** int(log10(least))
    return int(next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least and
                    float(factor * power).is_integer()))  # fmt: skip
