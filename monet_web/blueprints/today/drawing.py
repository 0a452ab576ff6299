"""Stacked bars of two weeks as numbers an SVG is written from: the policy forbids style="", so all is attributes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

FOOT = 186.0  # where zero is, in px from the top of a .chart
HEAD = 26.0  # the highest bar ends here, below its own figure
LEFT = 6.7  # per cent of the width, for the figures of the grid
_BAR = 0.715  # of the room of a day
_MOST_LINES = 5


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of part of every bar. `paint`: c1 to c4 for integrations, else journal, skipped, open or failed."""

    label: str
    paint: str
    values: tuple[Decimal, ...]  # one a day

    @property
    def total(self) -> Decimal:
        """Of all days."""
        return sum(self.values, Decimal(0))


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle of a bar."""

    paint: str
    y: str
    height: str
    foot: str  # where the hairline between it and the one below lies
    has_gap: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: `label` over `below` under it; `is_minor` labels vanish on a phone."""

    x: str
    width: str
    middle: str
    label: str
    below: str
    figure: str
    figure_y: str
    parts: tuple[Part, ...]
    is_now: bool
    is_minor: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the grid and its figure."""

    y: str
    figure_y: str
    figure: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What macros/chart.html draws, and the table below it: a row a day, a column a series."""

    series: tuple[Series, ...]
    bars: tuple[Bar, ...]
    grid: tuple[Line, ...]

    @property
    def total(self) -> Decimal:
        """Everything."""
        return sum((one.total for one in self.series), Decimal(0))


def draw(labels: Sequence[tuple[str, str]], series: Sequence[Series], written: Callable[[Decimal], str]) -> Chart:
    """Bars from the first series up; `labels`: two lines a day, the last one is now; `written` puts a figure down.

    A negative value (more credited than sold) has no height: a bar can't say it, the table does.
    """
    sums = [sum((max(one.values[day], Decimal(0)) for one in series), Decimal(0)) for day in range(len(labels))]
    step = _step(max(sums, default=Decimal(0)))
    scale = (FOOT - HEAD) / float(max([*sums, step]))
    room = (100 - LEFT) / len(labels)
    bars = []
    for day, (label, below) in enumerate(labels):
        x = LEFT + day * room + room * (1 - _BAR) / 2
        parts, top = _parts([(one.paint, one.values[day]) for one in series], scale)
        bars.append(
            Bar(
                x=f"{x:.2f}%", width=f"{room * _BAR:.2f}%", middle=f"{x + room * _BAR / 2:.2f}%",
                label=label, below=below,
                figure=written(sums[day]) if sums[day] else "", figure_y=f"{top - 5:.1f}",
                parts=parts, is_now=day == len(labels) - 1, is_minor=(len(labels) - 1 - day) % 2 == 1,
            )
        )  # fmt: skip
    lines = [step * number for number in range(1, _MOST_LINES + 2) if step * number <= max(sums, default=Decimal(0))]
    grid = tuple(
        Line(y=f"{FOOT - float(at) * scale:.1f}", figure_y=f"{FOOT - float(at) * scale - 4:.1f}", figure=written(at))
        for at in lines
    )
    return Chart(tuple(series), tuple(bars), grid)


def _parts(values: Sequence[tuple[str, Decimal]], scale: float) -> tuple[tuple[Part, ...], float]:
    parts: list[Part] = []
    top = FOOT
    for paint, value in values:
        if value <= 0:
            continue
        height = float(value) * scale
        top -= height
        parts.append(Part(paint, f"{top:.1f}", f"{height:.1f}", f"{top + height - 0.75:.2f}", has_gap=bool(parts)))
    return tuple(parts), top


def _step(highest: Decimal) -> Decimal:
    """The distance of the grid's lines: 1, 2 or 5 with zeros, so that at most five lines fit; 1 at least."""
    step = Decimal(1)
    while highest > step * _MOST_LINES:
        # 1 → 2 → 5 → 10
        step = step * 5 / 2 if str(step.normalize().as_tuple().digits[0]) == "2" else step * 2
    return step
