"""Questions before something is destroyed."""

from __future__ import annotations

import sys

import click

from monet_web.commands._lazy import BAD_ARGUMENTS, Failure


def confirm(question: str, *, yes: bool) -> None:
    """Go on only after a yes. Where nobody can answer, `--yes` must be typed: silence is no consent."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Failure(f"{question} Type --yes to do it without being asked.", BAD_ARGUMENTS)
    click.confirm(question, abort=True)
