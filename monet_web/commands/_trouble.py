"""Orders that a run could not enter, each by its number with the reason and what to do: conflicts, unreadable ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monet_web.commands import _out

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sqlalchemy.orm import Session

    from monet_web.models.runs import Run
    from monet_web.services.running.conflicts import Conflict
    from monet_web.services.running.run_account import OrderOfRun

OPEN_AND_SAVE = (
    "Open the order in the store and save it; the next run reads it again. "
    "If it stays so, show these words to whoever looks after the shop."
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One order: what is wrong, in sentences, and what to do, a line each."""

    order: str
    wrong: str
    fixes: tuple[str, ...]


def of_run(session: Session, run: Run, *, most: int) -> list[Trouble]:
    """The first orders of a run that are in conflict or unreadable, conflicts first. Inside a transaction."""
    from monet_web.services.office import company
    from monet_web.services.running import conflicts, run_account

    zone = company.zone(session)
    found: list[Trouble] = []
    for outcome in ("conflict", "unreadable"):
        if not getattr(run, outcome) or len(found) >= most:
            continue
        orders, _ = run_account.orders(session, run.id, (outcome,), limit=most - len(found))
        open_now: dict[int, Conflict] = {}
        if outcome == "conflict":
            ids = [one.store_order_id for one in orders]
            open_now = {one.order.id: one for one in conflicts.of_orders(session, ids)}
        found += [_trouble(one, open_now.get(one.store_order_id), zone) for one in orders]
    return found


def of_conflict(conflict: Conflict, zone: ZoneInfo) -> Trouble:
    """One conflict: both documents and the answers as commands."""
    number = conflict.number or "?"
    if conflict.is_free:
        return Trouble(_named(conflict, zone), f"Its number {number} is free by now.", ("Import its day again.",))
    if conflict.other is not None:
        other = conflict.other
        by = (
            f"invoice {other.number} of {conflict.other_integration}, {other.issue_date}, "
            f"{_out.amount(other.total)} {other.currency} (order {other.order_number})"
        )
    else:
        by = f"a document outside this program ({conflict.outside})"
    return Trouble(_named(conflict, zone), f"Its number {number} belongs to {by}.", tuple(_answers(conflict)))


def say(troubles: Sequence[Trouble], *, all_there_are: int, see: str) -> None:
    """Name them; `see` is the command that shows the rest."""
    if not troubles:
        return
    _out.say("")
    _out.say("Not entered, order by order:")
    for one in troubles:
        _out.say(f"  {one.order}: {one.wrong}")
        for fix in one.fixes:
            _out.say(f"    → {fix}")
    if all_there_are > len(troubles):
        _out.say(f"  and {_out.count(all_there_are - len(troubles))} more: {see}")


def _trouble(order: OrderOfRun, conflict: Conflict | None, zone: ZoneInfo) -> Trouble:
    if order.outcome == "conflict":
        if conflict is not None:
            return of_conflict(conflict, zone)
        number, by = order.details.get("number") or "?", order.details.get("by") or "another document"
        return Trouble(f"Order {order.number}", f"Its number {number} belonged to {by}; answered since.", ())
    text = order.details.get("text") or "What the store said of it can't be understood."
    if order.reason == "internal_error":
        return Trouble(f"Order {order.number}", text, ("Import its day again; if it repeats, send us the code.",))
    return Trouble(f"Order {order.number}", text, (OPEN_AND_SAVE,))


def _named(conflict: Conflict, zone: ZoneInfo) -> str:
    from monet_web.domain.orders import Order

    order, said = conflict.order, conflict.said
    name = f"Order {order.order_number or order.external_id}"
    if not isinstance(said, Order):
        return name
    where = f"{conflict.integration.name}, " if conflict.integration else ""
    return f"{name} ({where}{said.placed_at.astimezone(zone):%Y-%m-%d}, {_out.amount(said.total)} {said.currency})"


def _answers(conflict: Conflict) -> list[str]:
    if conflict.integration is None:
        return ["Its store has no integration any more: connect it again first."]
    answers = []
    if conflict.prefix_helps:
        answers.append(
            f'Another prefix for all its orders: monet conflicts prefix "{conflict.integration.name}" PREFIX'
        )
    number = conflict.order.order_number or conflict.order.external_id
    answers.append(f'Another number for this one: monet conflicts number "{number}" NUMBER')
    return answers
