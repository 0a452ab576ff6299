"""A run as it goes: one line that redraws itself at a terminal, a line now and then elsewhere. Always on stderr."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING

from monet_web.commands import _out

if TYPE_CHECKING:
    from monet_web.models.runs import Run

_BAR = 12
_LONGEST_NAME = 20  # beside a bar
_SECONDS_BETWEEN_DRAWS = 0.1
_SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Told of a run after each page; `quiet` shows nothing (JSON)."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._is_terminal = sys.stderr.isatty()
        self._began = time.monotonic()
        self._said = 0.0
        self._drawn = 0

    def __call__(self, run: Run) -> None:
        """Show where it stands."""
        from monet_web.models.runs import RunState

        now = time.monotonic()
        every = _SECONDS_BETWEEN_DRAWS if self._is_terminal else _SECONDS_BETWEEN_LINES
        if self._quiet or now - self._said < every:
            return
        self._said = now
        if run.state is RunState.QUEUED:
            self._show(f"{run.integration.name}: waiting for another import of it to end")
        elif not run.fetched:
            self._show(f"{run.integration.name}: asking the store")
        else:
            self._show(_line(run, now - self._began, with_bar=self._is_terminal))

    def end(self) -> None:
        """Leave the line, so that what follows begins on its own."""
        if self._drawn:
            sys.stderr.write("\r" + " " * self._drawn + "\r")
            sys.stderr.flush()
            self._drawn = 0

    def _show(self, line: str) -> None:
        if not self._is_terminal:
            _out.note(line)
            return
        line = line[: shutil.get_terminal_size().columns - 1]
        sys.stderr.write("\r" + line.ljust(self._drawn))
        sys.stderr.flush()
        self._drawn = len(line)


def _line(run: Run, seconds: float, *, with_bar: bool) -> str:
    skipped = run.filtered + run.already_there
    failed = run.conflict + run.unreadable
    # What matters most comes first: a narrow terminal cuts the end off.
    parts = [
        f"{_out.count(run.fetched)}" + (f" of {_out.count(run.expected)}" if run.expected else " orders"),
        f"registered {_out.count(run.registered)}",
        f"journal {_out.count(run.in_journal)}",
        f"skipped {_out.count(skipped)}",
    ]
    if failed:
        parts.insert(2, f"not entered {_out.count(failed)}")
    if run.expected and run.fetched and run.expected > run.fetched:
        left = seconds / run.fetched * (run.expected - run.fetched)
        parts.insert(0, f"{int(left) // 60}:{int(left) % 60:02} left")
    name, bar = run.integration.name, ""
    if with_bar and run.expected:
        full = min(_BAR, _BAR * run.fetched // run.expected)
        bar = f" [{'#' * full}{'.' * (_BAR - full)}]"
        name = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    return f"{name}:{bar} {' · '.join(parts)}"
