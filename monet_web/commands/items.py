"""`monet items`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monet_web.commands import _out
from monet_web.commands._ask import confirm
from monet_web.commands._context import Here, opened
from monet_web.commands._lazy import BAD_ARGUMENTS
from monet_web.commands._typed import FILE

if TYPE_CHECKING:
    from monet_web.services.goods.items import ItemsPlan

# What an item that was missing made wait.
MENDS = ("item_unknown", "common_item_missing")


@click.group(no_args_is_help=True)
def items() -> None:
    """Import items and what stores call them, merge two of them."""


@items.command("import")
@click.argument("file", type=FILE)
@click.option(
    "--map", "maps", multiple=True, metavar="COLUMN=FIELD", help="What a column is; without a field: left out."
)
@click.option("--good-only", is_flag=True, help="Leave out the rows that can't be used, import the others.")
@click.option("--dry-run", is_flag=True, help="Write nothing: say what would be made and changed, and every wrong row.")
def import_(file: Path, maps: Sequence[str], good_only: bool, dry_run: bool) -> None:
    """Import items from FILE (.csv or .xlsx): all of it or, when a row is wrong, nothing.

    \b
    The header is code,name and any of
      kind          goods or service
      keeps_stock   yes or no
      unit, vat_class, barcode, sku, product_id, variation_id
      aliases       SKUs that mean the item too: KN-01|KN-01B, or sku:KN-01|product:501
      store, alias_kind, value   what one integration calls it (sku, barcode, product, variation)
    A file with another header is told with --map what its columns are.

    \b
    monet items import items.csv
    monet items import export.xlsx --map "Item no.=code" --map "Title=name" --map "Colour=" --dry-run

    What waited for an item is checked again. Exit code 2 when a row can't be used, of a dry run too.
    """
    from monet_web.services.goods import items as service

    data = file.read_bytes()
    fields = _fields(data, maps)
    with opened() as here:
        if dry_run:
            plan = service.preview(here.session, data, fields=fields)
            _say_plan(plan)
            if plan.wrong and not good_only:
                raise click.exceptions.Exit(BAD_ARGUMENTS)
            return
        done = service.import_items(
            here.session, data, now=here.now, actor=here.actor, fields=fields, good_only=good_only
        )
        _out.say(
            f"{_out.many(done.added, 'item')} added, {_out.count(done.changed)} changed, {_out.count(done.same)} the "
            f"same; {_out.many(done.aliases, 'new alias', 'new aliases')}."
        )
        if done.left_out:
            _out.say(f"{_out.many(done.left_out, 'row')} left out.")
        _out.mended(here, codes=MENDS)


@items.command()
@click.argument("gone")
@click.argument("kept")
@click.option("--yes", is_flag=True, help="Do not ask.")
def merge(gone: str, kept: str, yes: bool) -> None:
    """Merge the item GONE into KEPT (codes): stock is added up, names lead to KEPT, documents keep their words.

    \b
    monet items merge KN-1 KN-01
    """
    from monet_web.models.base import reading
    from monet_web.services.goods import merge as service

    with opened() as here:
        with reading(here.session):
            plan = service.plan(here.session, gone_id=_id_of(here, gone), kept_id=_id_of(here, kept))
        if plan.refusal is not None:
            raise plan.refusal
        waiting = f"{_out.many(plan.waiting, 'waiting invoice')} for {_out.sums(plan.sums)}" if plan.waiting else ""
        confirm(
            f"{plan.gone.code} becomes {plan.kept.code}"
            + (f"; {waiting} will be checked again" if waiting else "")
            + ". This can't be taken back.",
            yes=yes,
        )
        done = service.merge(here.session, gone_id=plan.gone.id, kept_id=plan.kept.id, now=here.now, actor=here.actor)
        _out.say(f"{plan.gone.code} is {done.code} from now on.")
        _out.mended(here, codes=(*MENDS, "stock_short"))


def _fields(data: bytes, maps: Sequence[str]) -> list[str] | None:
    """What each column is, None when the file's own header says it."""
    from monet_web.services.books import columns
    from monet_web.services.goods.item_columns import FIELDS

    if not maps:
        return None
    typed: dict[str, str] = {}
    for each in maps:
        heading, equals, field = each.rpartition("=")
        if not equals or not heading.strip():
            raise click.BadParameter(f'“{each}” is not COLUMN=FIELD. Type it as "Item no.=code".', param_hint="--map")
        typed[heading.strip()] = field
    return columns.fields_of(data, known=FIELDS, typed=typed)


def _say_plan(plan: ItemsPlan) -> None:
    _out.say(
        f"{_out.many(plan.added, 'item')} would be added, {_out.count(plan.changed)} changed, "
        f"{_out.many(plan.aliases, 'alias', 'aliases')} added; {_out.count(plan.same)} are so already."
    )
    if not plan.wrong:
        return
    rows = len({row for row, _ in plan.wrong})
    _out.say(f"{_out.many(plan.good, 'good row')}; {_out.many(rows, 'row')} can't be used:")
    for row, sentence in plan.wrong:
        _out.say(f"  Row {row}: {sentence}")


def _id_of(here: Here, code: str) -> int:
    from sqlalchemy import select

    from monet_web.domain.errors import BrokenRule
    from monet_web.models.items import Item
    from monet_web.services.books.numbers import number_key

    found = here.session.scalars(select(Item.id).where(Item.code_key == number_key(code))).one_or_none()
    if found is None:
        raise BrokenRule(f"There is no item with the code {code}.", fix="Type the code as it stands among the items.")
    return found
