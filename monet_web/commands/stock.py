"""`monet stock`."""

from __future__ import annotations

from pathlib import Path

import click

from monet_web.commands import _out
from monet_web.commands._context import opened
from monet_web.commands._typed import FILE


@click.group(no_args_is_help=True)
def stock() -> None:
    """Receive and correct goods."""


@stock.command()
@click.argument("file", type=FILE)
def receive(file: Path) -> None:
    """Receive goods from FILE (.csv or .xlsx): all of it or, when a row is wrong, nothing.

    \b
    The header is code,quantity and any of
      warehouse   its code; the first when left out
      date        as 2026-11-24; today when left out
    A negative quantity is a correction; a balance never goes below zero.

    \b
    monet stock receive delivery.csv

    What waited for stock is checked again.
    """
    from monet_web.services.goods import stock as service

    with opened() as here:
        done = service.receive_file(here.session, file.read_bytes(), note=file.name, now=here.now, actor=here.actor)
        receipts = ", ".join(str(each) for each in done.receipt_ids)
        _out.say(f"{_out.many(done.rows, 'row')} of {_out.many(done.items, 'item')} entered (receipt {receipts}).")
        _out.mended(here, codes=("stock_short",))
