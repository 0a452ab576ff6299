"""`monet invoices`: invoices as files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from monet_web.commands import _out
from monet_web.commands._context import opened
from monet_web.commands._typed import PAST_DAY


@click.group(no_args_is_help=True)
def invoices() -> None:
    """Write invoices to a file."""


@invoices.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--from", "first", type=PAST_DAY, help="Issued from this day.")
@click.option("--to", "last", type=PAST_DAY, help="Issued until this day, included.")
@click.option("--integration", metavar="NAME", help="Only of this one.")
@click.option("--state", metavar="STATE", help="registered or in_journal; both when left out.")
def export(file: Path, first: date | None, last: date | None, integration: str | None, state: str | None) -> None:
    """Write invoices to FILE.csv, FILE.xlsx (one row a line) or FILE.json (one object an invoice).

    \b
    monet invoices export november.xlsx --from 2026-11-01 --to 2026-11-30 --state registered
    """
    from monet_web.models.base import reading
    from monet_web.services.documents.exports.invoices import Wanted
    from monet_web.services.documents.exports.invoices import export as write

    if first is not None and last is not None and last < first:
        raise click.UsageError(f"The period ends on {last} before it begins on {first}.")
    with opened() as here, reading(here.session):
        done = write(here.session, file, Wanted(first, last, integration, state))
    _out.say(f"{_out.many(done.invoices, 'invoice')} with {_out.many(done.rows, 'line')} written to {file}.")
