"""`monet import`: the orders of a period, now, in the foreground or by the workers."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from monet_web.commands import _account, _out, _trouble
from monet_web.commands._context import Here, opened
from monet_web.commands._progress import Progress
from monet_web.commands._typed import PAST_DAY

if TYPE_CHECKING:
    from monet_web.models.runs import Run


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
            _leave_to_workers(here, runs, as_json=as_json)
            return
        ended = _work(here, runs, as_json=as_json)
        if as_json:
            _out.say_json({"runs": [_account.as_json(run) for run in ended]})
        else:
            _say(here, ended, was_preview=dry_run)
    if any(run.state is RunState.FAILED for run in ended):
        raise click.exceptions.Exit(1)


def _leave_to_workers(here: Here, runs: list[Run], *, as_json: bool) -> None:
    from monet_web import embedded, jobs

    config = here.installation.config
    # The embedded Redis is `monet run`'s: started here, nobody would listen to it.
    redis_url = config.redis_url or (embedded.url(config.home) if embedded.answers(config.home) else None)
    is_rung = jobs.ring(runs, redis_url)
    if as_json:
        _out.say_json(
            {"runs": [{"id": run.id, "integration": run.integration.name, "state": run.state.value} for run in runs]}
        )
    else:
        for run in runs:
            _out.say(f"Run {run.id}: {run.integration.name} is queued. See it: monet runs show {run.id}")
    if not is_rung:
        _out.note("No Redis answers, so nobody takes it yet: it begins when workers and scheduler run (monet run).")


def _work(here: Here, runs: list[Run], *, as_json: bool) -> list[Run]:
    from monet_web.models.base import now_utc
    from monet_web.models.runs import RunState
    from monet_web.services.importing import claims
    from monet_web.services.opening import open_runs
    from monet_web.services.running import run_import

    ended: list[Run] = []
    with _asked_to_stop() as stop:
        for run in runs:
            progress = Progress(quiet=as_json)

            def watch(seen: Run, progress: Progress = progress) -> None:
                progress(seen)
                if stop and seen.state in (RunState.RUNNING, RunState.QUEUED):
                    session = here.installation.session_factory()
                    open_runs.stop(session, seen.id, now=now_utc())
                    session.close()

            if stop:
                open_runs.stop(here.session, run.id, now=now_utc())
            try:
                ended.append(
                    run_import.run(
                        here.installation.session_factory,
                        run.id,
                        surroundings=replace(here.installation.surroundings, should_stop=lambda: bool(stop)),
                        clock=now_utc,
                        worker=claims.this_process(),
                        watch=watch,
                        wait=True,
                    )
                )
            finally:
                progress.end()
    return ended


@contextmanager
def _asked_to_stop() -> Iterator[list[bool]]:
    """A list that becomes true at Ctrl-C: the run then ends between two pages. The second Ctrl-C ends it at once."""
    asked: list[bool] = []
    before = signal.getsignal(signal.SIGINT)

    def ask(_number: int, _frame: Any) -> None:
        asked.append(True)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _out.note("\nStopping after this page; what was done stays. Ctrl-C again ends it at once.")

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def _say(here: Here, runs: list[Run], *, was_preview: bool) -> None:
    from monet_web.models.base import reading

    for run in runs:
        with reading(here.session):
            causes = _account.causes_of(here.session, run)
            troubles = _trouble.of_run(here.session, run, most=_account.MOST_NAMED)
        _account.say(run, causes, troubles, was_preview=was_preview)
    if was_preview:
        _out.say("")
        _out.say("No document was written. The same without --dry-run imports it.")
