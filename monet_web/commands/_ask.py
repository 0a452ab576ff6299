"""Questions before something is destroyed."""

from __future__ import annotations

import sys

import click


def confirm(question: str, *, yes: bool) -> None:
    """Go on only after a yes. Where nobody can answer, `--yes` must be typed: silence is no consent."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Type --yes to do it without being asked.")
    click.confirm(question, abort=True)
