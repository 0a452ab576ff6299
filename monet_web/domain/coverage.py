"""What of a store has been imported: up to when, and which windows before that were left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from monet_web.domain.windows import Window


@dataclass(frozen=True, slots=True)
class Coverage:
    """Everything before `until` is here but for `gaps`, which are ascending and apart; None: nothing is known yet."""

    until: datetime | None = None
    gaps: tuple[Window, ...] = ()

    def read(self, window: Window) -> Coverage:
        """With a window that was imported to its end; what lies between `until` and its start is a gap from now on."""
        if self.until is None:
            return Coverage(window.end, self.gaps)
        gaps = list(without(self.gaps, window))
        if self.until < window.start:
            gaps.append(Window(self.until, window.start))
        return Coverage(max(self.until, window.end), joined(gaps))

    def going_on_at(self, start: datetime) -> Coverage:
        """With everything from `until` to `start` left out, since what comes next begins there."""
        if self.until is None or start <= self.until:
            return self
        return Coverage(start, joined((*self.gaps, Window(self.until, start))))


def without(windows: Iterable[Window], taken: Window) -> tuple[Window, ...]:
    """What is left of each window beside `taken`."""
    left = []
    for one in windows:
        parts = ((one.start, min(one.end, taken.start)), (max(one.start, taken.end), one.end))
        left += [Window(start, end) for start, end in parts if start < end]
    return tuple(left)


def joined(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same moments as few windows as can be, ascending."""
    found: list[Window] = []
    for one in sorted(windows, key=lambda each: each.start):
        if found and one.start <= found[-1].end:
            found[-1] = Window(found[-1].start, max(found[-1].end, one.end))
        else:
            found.append(one)
    return tuple(found)
