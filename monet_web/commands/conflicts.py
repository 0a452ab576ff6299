"""`monet conflicts`: orders whose number belongs to another document, and the two answers to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from monet_web.commands import _out, _trouble
from monet_web.commands._ask import confirm
from monet_web.commands._context import Here, opened

if TYPE_CHECKING:
    from monet_web.services.running.conflicts import Conflict, Tried

_PART = 500
_MOST_SHOWN = 50


@click.group(no_args_is_help=True)
def conflicts() -> None:
    """See and answer orders whose number is taken."""


@conflicts.command("list")
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def list_(as_json: bool) -> None:
    """List the orders in conflict, each with the document that has its number and the answers.

    \b
    monet conflicts list
    """
    from monet_web.models.base import reading
    from monet_web.services.office import company

    with opened() as here:
        found = _every(here)
        with reading(here.session):
            zone = company.zone(here.session)
    if as_json:
        _out.say_json([_as_json(one) for one in found])
    elif not found:
        _out.say("No order is in conflict.")
    else:
        shown = [_trouble.of_conflict(one, zone) for one in found[:_MOST_SHOWN]]
        _trouble.say(shown, all_there_are=len(found), see="monet conflicts list --json")


@conflicts.command()
@click.argument("name")
@click.argument("prefix")
@click.option("--yes", is_flag=True, help="Do not ask.")
def prefix(name: str, prefix: str, yes: bool) -> None:
    """Give the integration NAME another PREFIX and enter its orders that are in conflict. Older documents keep theirs.

    \b
    monet conflicts prefix "Kava Ltd" KV-
    """
    from monet_web.domain.errors import BrokenRule
    from monet_web.models.base import reading
    from monet_web.services.integrations import installed
    from monet_web.services.running import conflicts as service

    with opened() as here:
        with reading(here.session):
            integration = installed.find(here.session, name)
        found = [one for one in _every(here) if one.integration is not None and one.integration.id == integration.id]
        if not found:
            _out.say(f"No order of {integration.name} is in conflict.")
            return
        if not all(one.prefix_helps for one in found):
            raise BrokenRule(
                f"The numbers of {integration.name} take no prefix, so another one frees nothing.",
                fix="Give each order a number: monet conflicts number ORDER NUMBER.",
            )
        confirm(
            f"Give {integration.name} the prefix “{prefix}” and enter {_named(here, found)}? "
            "Documents that are here keep their numbers.",
            yes=yes,
        )
        tried = service.change_prefix(
            here.session, [one.order.id for one in found], prefix, now=here.now, actor=here.actor
        )
    _say(tried)


@conflicts.command()
@click.argument("order")
@click.argument("number")
@click.option("--integration", "name", metavar="NAME", help="When two stores have an order of that number.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def number(order: str, number: str, name: str | None, yes: bool) -> None:
    """Give ORDER, which is in conflict, a NUMBER of its own; it waits in the journal for your look.

    \b
    monet conflicts number 1001 KL-1001-B
    """
    from monet_web.services.running import conflicts as service

    with opened() as here:
        found = _one_of(_every(here), order, name)
        confirm(f"Enter {_named(here, [found])} under the number {number}? It waits in the journal.", yes=yes)
        tried = service.give_number(here.session, found.order.id, number, now=here.now, actor=here.actor)
    _say([tried])


def _every(here: Here) -> list[Conflict]:
    from monet_web.models.base import reading
    from monet_web.services.running import conflicts as service

    found: list[Conflict] = []
    after: int | None = 0
    with reading(here.session):
        while after is not None:
            page, after = service.page(here.session, after=after, limit=_PART)
            found += page
    return found


def _one_of(found: Sequence[Conflict], order: str, name: str | None) -> Conflict:
    from monet_web.domain.errors import BrokenRule
    from monet_web.domain.mask import fold
    from monet_web.services.books.numbers import number_key

    key = number_key(order)
    meant = [one for one in found if key in (number_key(one.order.order_number), number_key(one.order.external_id))]
    if name is not None:
        meant = [one for one in meant if one.integration is not None and one.integration.name_key == fold(name)]
    if not meant:
        where = f" of {name}" if name else ""
        raise BrokenRule(f"No order {order}{where} is in conflict.", fix="`monet conflicts list` shows those that are.")
    if len(meant) > 1:
        names = ", ".join(one.integration.name if one.integration else "–" for one in meant)
        raise BrokenRule(f"{len(meant)} orders {order} are in conflict, of: {names}.", fix="Type --integration NAME.")
    return meant[0]


def _named(here: Here, found: Sequence[Conflict]) -> str:
    """2 orders for 24.20 EUR, dated November 2026: what a question must name before documents are made."""
    from monet_web.domain.orders import Order
    from monet_web.models.base import reading
    from monet_web.services.office import company

    with reading(here.session):
        zone = company.zone(here.session)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    months: set[date] = set()
    for one in found:
        if isinstance(one.said, Order):
            sums[one.said.currency] += one.said.total
            months.add(one.said.placed_at.astimezone(zone).date().replace(day=1))
    many = f"order {found[0].order.order_number}" if len(found) == 1 else _out.many(len(found), "order")
    if not sums:
        return many
    return f"{many} for {_out.sums(sums)}, dated {', '.join(f'{month:%B %Y}' for month in sorted(months))}"


def _say(tried: Sequence[Tried]) -> None:
    from monet_web.domain.filters import REASONS

    for one in tried:
        match one.outcome:
            case "registered":
                became = f"is registered as {one.number}."
            case "in_journal":
                became = f"waits in the journal as {one.number or 'an invoice without a number yet'}."
            case "filtered":
                reason = REASONS[one.reason][0].partition(" (")[0] if one.reason in REASONS else one.reason
                became = f"makes no invoice: {reason}."
            case "conflict":
                became = "is still in conflict."
            case _:
                became = "could not be entered; the next run tries again."
        _out.say(f"Order {one.order_number} {became}")


def _as_json(one: Conflict) -> dict[str, object]:
    other = one.other
    return {
        "order": one.order.order_number,
        "integration": one.integration.name if one.integration else None,
        "number": one.number,
        "prefix_helps": one.prefix_helps,
        "belongs_to": None if other is None else {
            "number": other.number, "integration": one.other_integration, "date": other.issue_date.isoformat(),
            "total": f"{other.total:.2f}", "currency": other.currency, "order": other.order_number,
        },
        "outside": one.outside or None,
    }  # fmt: skip
