"""`monet items`."""

from __future__ import annotations

from pathlib import Path

import click

from monet_web.commands import _out
from monet_web.commands._context import opened
from monet_web.commands._typed import FILE

# What an item that was missing made wait.
MENDS = ("item_unknown", "common_item_missing")


@click.group(no_args_is_help=True)
def items() -> None:
    """Import items and what stores call them."""


@items.command("import")
@click.argument("file", type=FILE)
def import_(file: Path) -> None:
    """Import items from FILE (.csv or .xlsx): all of it or, when a row is wrong, nothing.

    \b
    The header is code,name and any of
      kind          goods or service
      keeps_stock   yes or no
      unit, vat_class, barcode
      aliases       SKUs that mean the item too: KN-01|KN-01B, or sku:KN-01|product:501
      store, alias_kind, value   what one integration calls it (sku, barcode, product, variation)

    \b
    monet items import items.csv
    monet items import items.xlsx

    What waited for an item is checked again.
    """
    from monet_web.services.goods import items as service

    with opened() as here:
        done = service.import_items(here.session, file.read_bytes(), now=here.now, actor=here.actor)
        _out.say(
            f"{_out.many(done.added, 'item')} added, {_out.count(done.changed)} changed, {_out.count(done.same)} the "
            f"same; {_out.many(done.aliases, 'new alias', 'new aliases')}."
        )
        _out.mended(here, codes=MENDS)
