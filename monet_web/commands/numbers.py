"""`monet numbers`."""

from __future__ import annotations

from pathlib import Path

import click

from monet_web.commands import _out
from monet_web.commands._context import opened
from monet_web.commands._typed import FILE


@click.group(no_args_is_help=True)
def numbers() -> None:
    """Tell of invoice numbers used elsewhere."""


@numbers.command("import")
@click.argument("file", type=FILE)
def import_(file: Path) -> None:
    """Import numbers used outside this program from FILE (.csv or .xlsx) with the header number: they count as taken.

    \b
    monet numbers import used.csv
    """
    from monet_web.services.books import numbers as service

    with opened() as here:
        done = service.import_taken(here.session, file.read_bytes(), source=file.name, now=here.now, actor=here.actor)
        _out.say(f"{_out.many(done.added, 'number')} taken from now on, {_out.count(done.known)} were already.")
        if done.on_invoices:
            shown = ", ".join(done.on_invoices[:10]) + (" …" if len(done.on_invoices) > 10 else "")
            _out.say(f"{_out.many(len(done.on_invoices), 'of them is', 'of them are')} on invoices here: {shown}.")
