"""`monet import`: the orders of a period, now, in the foreground or by the workers."""

from __future__ import annotations

from datetime import date

import click

from monet_web.commands._context import opened
from monet_web.commands._typed import PAST_DAY
from monet_web.commands._working import leave_to_workers, report, work


@click.command("import")
@click.argument("mask")
@click.option("--from", "first", type=PAST_DAY, required=True, help="The first day, as 2026-11-01.")
@click.option("--to", "last", type=PAST_DAY, required=True, help="The last day, included.")
@click.option("--dry-run", is_flag=True, help="Write nothing: say what would become of each order.")
@click.option("--queue", is_flag=True, help="Leave it to the workers and do not wait.")
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def import_(mask: str, first: date, last: date, dry_run: bool, queue: bool, as_json: bool) -> None:
    """Import the orders of a period. Safe to repeat: orders already here are skipped, nothing is sent to customers.

    \b
    monet import "Kava Ltd" --from 2026-11-01 --to 2026-11-30
    monet import "%" --from 2026-11-23 --to 2026-11-23 --dry-run

    MASK is a name, or a pattern where % is any run of characters and _ one; several are separated by commas.
    Exit code: 0 when every import ended, 1 when one failed, 2 for wrong arguments.
    """
    from monet_web.models.runs import RunKind, RunState
    from monet_web.services.opening import open_runs

    if last < first:
        raise click.UsageError(f"The period ends on {last} before it begins on {first}. Type --from first.")
    with opened() as here:
        runs = open_runs.launch(
            here.session,
            mask=mask,
            first=first,
            last=last,
            kind=RunKind.PREVIEW if dry_run else RunKind.LAUNCH,
            now=here.now,
            actor=here.actor,
            foreground=not queue,
        )
        if queue:
            leave_to_workers(here, runs, as_json=as_json)
            return
        ended = work(here, runs, as_json=as_json)
        report(here, ended, was_preview=dry_run, as_json=as_json)
    if any(run.state is RunState.FAILED for run in ended):
        raise click.exceptions.Exit(1)
