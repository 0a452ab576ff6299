"""`monet runs`: what earlier imports did."""

from __future__ import annotations

import click

from monet_web.commands import _account, _out, _trouble
from monet_web.commands._context import opened

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


@runs.command(hidden=True)
@click.argument("run_ids", nargs=-1, metavar="RUN")
def undo(run_ids: tuple[str, ...]) -> None:
    """Not there yet: said plainly, because the specification names it."""
    which = " ".join(run_ids) or "RUN"
    raise click.UsageError(
        f"Undoing run {which} comes with a later version. Nothing was changed. Delete what it left in its journal "
        "instead: monet journals list, then monet journals delete --number JOURNAL."
    )


def _why(reason: str, details: dict[str, str]) -> str:
    from monet_web.domain.filters import REASONS, Filtered

    if reason in REASONS:
        try:
            return Filtered(reason, details).text()
        except KeyError:
            return reason.replace("_", " ")
    said = ", ".join(str(value) for value in details.values() if value)
    return ": ".join(part for part in (reason.replace("_", " "), said) if part)
