"""Runs that a terminal works itself: shown while they are at work, stopped by Ctrl-C, told of at the end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from monet_web.commands import _account, _out, _trouble
from monet_web.commands._context import Here
from monet_web.commands._progress import Progress

if TYPE_CHECKING:
    from monet_web.models.runs import Run


def leave_to_workers(here: Here, runs: list[Run], *, as_json: bool) -> None:
    """Ring for queued runs and say how to follow them."""
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


def work(here: Here, runs: list[Run], *, as_json: bool) -> list[Run]:
    """Work the runs here, one after the other, showing how far they are; Ctrl-C stops between two pages."""
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


def report(here: Here, runs: list[Run], *, was_preview: bool, as_json: bool) -> None:
    """What became of them, in sentences or as JSON."""
    from monet_web.models.base import reading

    if as_json:
        _out.say_json({"runs": [_account.as_json(run) for run in runs]})
        return
    for run in runs:
        with reading(here.session):
            causes = _account.causes_of(here.session, run)
            troubles = _trouble.of_run(here.session, run, most=_account.MOST_NAMED)
        _account.say(run, causes, troubles, was_preview=was_preview)
    if was_preview:
        _out.say("")
        _out.say("No document was written. The same without --dry-run imports it.")
