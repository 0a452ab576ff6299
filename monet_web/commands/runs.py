"""`monet runs`: what earlier imports did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from monet_web.commands import _account, _out, _trouble
from monet_web.commands._ask import confirm
from monet_web.commands._context import Here, opened

if TYPE_CHECKING:
    from monet_web.services.documents.waiting import Sum
    from monet_web.services.running.undo import Plan

_MOST_ORDERS = 50
_TOLD_ELSEWHERE = ("registered", "in_journal", "conflict", "unreadable")


@click.group(no_args_is_help=True)
def runs() -> None:
    """See what earlier imports did."""


@runs.command("list")
@click.option("--integration", "name", metavar="NAME", help="Only of this one.")
@click.option("--last", "most", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def list_(name: str | None, most: int, as_json: bool) -> None:
    """List the last imports, the newest first.

    \b
    monet runs list --integration "Kava Ltd" --last 50
    """
    from sqlalchemy import select

    from monet_web.models.base import reading
    from monet_web.models.runs import Run
    from monet_web.services.integrations import installed
    from monet_web.services.office import company

    with opened() as here, reading(here.session):
        query = select(Run).order_by(Run.id.desc()).limit(most)
        if name is not None:
            query = query.where(Run.integration_id == installed.find(here.session, name).id)
        found = list(here.session.scalars(query))
        zone = company.zone(here.session)
    if as_json:
        _out.say_json({"runs": [{"id": run.id, "kind": run.kind.value, **_account.as_json(run)} for run in found]})
        return
    if not found:
        _out.say("Nothing was imported yet: monet import --help")
        return
    _out.table(
        ("Run", "Integration", "Kind", "Began", "State", "Fetched", "Registered", "In journal", "Skipped", "Failed"),
        [
            (
                str(run.id), run.integration.name, run.kind.value,
                f"{(run.started_at or run.created_at).astimezone(zone):%Y-%m-%d %H:%M}", run.state.value,
                _out.count(run.fetched), _out.count(run.registered), _out.count(run.in_journal),
                _out.count(run.filtered + run.already_there), _out.count(run.conflict + run.unreadable),
            )
            for run in found
        ],
        right=(0, 5, 6, 7, 8, 9),
    )  # fmt: skip


@runs.command()
@click.argument("run_id", type=int, metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def show(run_id: int, as_json: bool) -> None:
    """Show one import: where its orders went, and why.

    \b
    monet runs show 12
    """
    from sqlalchemy import select

    from monet_web.domain.errors import BrokenRule
    from monet_web.models.base import reading
    from monet_web.models.runs import Run, RunKind, RunOrder
    from monet_web.models.store_orders import StoreOrder

    with opened() as here, reading(here.session):
        run = here.session.get(Run, run_id)
        if run is None:
            raise BrokenRule(f"There is no run {run_id}.", fix="`monet runs list` shows them.")
        causes = _account.causes_of(here.session, run)
        troubles = _trouble.of_run(here.session, run, most=_MOST_ORDERS)
        orders = here.session.execute(
            select(StoreOrder.order_number, RunOrder.outcome, RunOrder.reason, RunOrder.details)
            .join(StoreOrder, StoreOrder.id == RunOrder.store_order_id)
            .where(RunOrder.run_id == run_id, RunOrder.outcome.not_in(_TOLD_ELSEWHERE))
            .order_by(RunOrder.outcome, RunOrder.store_order_id)
            .limit(_MOST_ORDERS + 1)
        ).all()
    if as_json:
        _out.say_json({"id": run.id, "kind": run.kind.value, **_account.as_json(run)})
        return
    _account.say(run, causes, troubles, was_preview=run.kind is RunKind.PREVIEW, see="the run's page in the browser")
    if orders:
        _out.say("")
        _out.table(
            ("Order", "Outcome", "Why"),
            [(row.order_number, row.outcome.replace("_", " "), _why(row.reason, row.details or {}))
             for row in orders[:_MOST_ORDERS]],
        )  # fmt: skip
        if len(orders) > _MOST_ORDERS:
            _out.say("… and more.")


@runs.command()
@click.argument("run_id", type=int, metavar="RUN")
@click.option("--credit", "numbers", multiple=True, metavar="NUMBER", help="Credit this invoice too; may be repeated.")
@click.option("--credit-all", is_flag=True, help="Credit everything that it registered.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def undo(run_id: int, numbers: tuple[str, ...], credit_all: bool, yes: bool) -> None:
    """Undo one import: what it left in journals is deleted, the invoices that are named are credited.

    \b
    monet runs undo 12
    monet runs undo 12 --credit KL-7702 --credit KL-7703
    monet runs undo 12 --credit-all

    Credit notes are dated today, and goods return to stock. Orders that are credited come back only after
    monet journals import-anew NUMBER.
    """
    from monet_web.domain.windows import local_day
    from monet_web.models.base import reading
    from monet_web.services.office import company
    from monet_web.services.running import undo as service

    with opened() as here:
        with reading(here.session):
            today = local_day(here.now, company.zone(here.session))
            plan = service.plan(here.session, run_id, today=today)
            ids = None if credit_all else _ids_of(here, run_id, numbers)
            credited = service.summary(here.session, run_id, ids)
        if not (plan.waiting.count or credited.count) and plan.registered.count:
            raise click.UsageError("Nothing of it waits. Type what to credit: --credit NUMBER or --credit-all.")
        confirm(_undo_question(run_id, plan, credited), yes=yes or plan.is_nothing or bool(plan.refused))
        done = service.undo(here.session, run_id, credit_ids=ids, today=today, now=here.now, actor=here.actor)
    _out.say(f"{_out.many(done.deleted, 'invoice')} deleted, {_out.many(len(done.credited), 'invoice')} credited.")
    if done.credited:
        _out.table(
            ("Invoice", "Credit note", "Total"),
            [
                (one.invoice_number or "", one.number or "–", f"{_out.amount(one.total)} {one.currency}")
                for one in done.credited[:_MOST_ORDERS]
            ],
            right=(2,),
        )
        if len(done.credited) > _MOST_ORDERS:
            _out.say("… and more.")


def _ids_of(here: Here, run_id: int, numbers: tuple[str, ...]) -> list[int]:
    """The ids of the invoices with these numbers that the run registered. Raises BrokenRule for another one."""
    from monet_web.domain.errors import BrokenRule
    from monet_web.services.books.numbers import number_key
    from monet_web.services.running import undo as service

    wanted = {number_key(number): number for number in numbers}
    found: list[int] = []
    after: int | None = 0
    while wanted and after is not None:
        page, after = service.registered(here.session, run_id, after=after, limit=500)
        found += [one.id for one in page if wanted.pop(one.number_key or "", None) is not None]
    if wanted:
        raise BrokenRule(
            f"Run {run_id} registered no {', '.join(wanted.values())} that could be credited.",
            fix=f"`monet runs show {run_id}` shows what it did.",
        )
    return found


def _undo_question(run_id: int, plan: Plan, credited: Sum) -> str:
    parts = []
    for what, does in ((plan.waiting, "delete"), (credited, "credit")):
        if what.count:
            months = ", ".join(f"{month:%B %Y}" for month in what.months)
            parts.append(f"{does} {_out.many(what.count, 'invoice')} for {_out.sums(what.sums)}, dated {months}")
    if plan.waiting.touched:
        was = _out.many(plan.waiting.touched, "of the deleted was", "of the deleted were")
        parts.append(f"{was} corrected by hand, which is lost")
    if plan.held.count:
        parts.append(f"{_out.many(plan.held.count, 'invoice')} of closed periods stay")
    return f"Undo run {run_id}: {'; '.join(parts)}?"


def _why(reason: str, details: dict[str, str]) -> str:
    from monet_web.domain.filters import REASONS, Filtered

    if reason in REASONS:
        try:
            return Filtered(reason, details).text()
        except KeyError:
            return reason.replace("_", " ")
    said = ", ".join(str(value) for value in details.values() if value)
    return ": ".join(part for part in (reason.replace("_", " "), said) if part)
