"""What the terminal shows: aligned tables, numbers with thousands, JSON where a program reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from monet_web.commands._context import Here


def say(sentence: str) -> None:
    """A line on stdout."""
    click.echo(sentence)


def note(sentence: str) -> None:
    """A line on stderr: beside the result, not part of it."""
    click.echo(sentence, err=True)


def say_json(value: Any) -> None:
    """Only JSON, for a program that reads it."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> None:
    """Aligned columns; those in `right` are of numbers."""
    lines = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    numbers = set(right)
    for line in lines:
        cells = [
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def count(number: int) -> str:
    """12 345."""
    return f"{number:,}".replace(",", " ")


def amount(value: Decimal | str) -> str:
    """1,204.50."""
    return f"{Decimal(value):,.2f}"


def many(number: int, one: str, more: str = "") -> str:
    """1 invoice, 2 invoices."""
    return f"{count(number)} {one if number == 1 else more or one + 's'}"


def sums(by_currency: Mapping[str, Decimal]) -> str:
    """12.10 EUR and 3.00 USD."""
    return " and ".join(f"{amount(total)} {currency}" for currency, total in sorted(by_currency.items()))


def mended(here: Here, *, codes: Sequence[str] = (), integration_id: int | None = None) -> None:
    """Check again what waited for what was just set right, and say what became of it (E2)."""
    from monet_web.domain.errors import RetryLater
    from monet_web.services.documents import mend

    try:
        done = mend.check_again(
            here.session, codes=codes, integration_id=integration_id, now=here.now, actor=here.actor
        )
    except RetryLater as error:
        # What was typed is kept; only what waits was not looked at.
        note(error.sentence())
        return
    if done.checked:
        became = f"{count(done.registered)} registered, {count(done.waiting)} still wait"
        say(f"{count(done.checked)} checked again: {became}.")
