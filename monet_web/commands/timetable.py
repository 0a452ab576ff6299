"""`monet timetable`: the slots of days to come, with the window that each imports."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click

from monet_web.commands import _out
from monet_web.commands._context import opened
from monet_web.commands._typed import DAY

if TYPE_CHECKING:
    from datetime import datetime

    from monet_web.services.running.next_runs import Planned


@click.command()
@click.argument("name", required=False)
@click.option("--from", "first", type=DAY, required=True, help="The first day, as 2026-11-24.")
@click.option("--to", "last", type=DAY, required=True, help="The last day, included.")
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def timetable(name: str | None, first: date, last: date, as_json: bool) -> None:
    """See when integrations run by themselves, and which period each run imports.

    \b
    monet timetable --from 2026-11-24 --to 2026-11-30
    monet timetable "Kava Ltd" --from 2026-11-24 --to 2026-11-24 --json

    Times are the company's. An integration that is switched off, or whose frequency is off, has none.
    """
    from monet_web.domain.periods import Period
    from monet_web.models.base import reading
    from monet_web.services.running import next_runs

    if last < first:
        raise click.UsageError(f"The period ends on {last} before it begins on {first}. Type --from first.")
    with opened() as here, reading(here.session):
        planned = next_runs.planned(here.session, Period(first, last), name=name)
        silent = next_runs.why_never(here.session, name=name)
    if as_json:
        _out.say_json([_as_json(each) for each in planned])
        return
    if planned:
        _out.table(
            ("Integration", "Runs", "Imports from", "until"),
            [(each.name, _time(each.at), _time(each.start), _time(each.end)) for each in planned],
        )
    elif not silent:
        _out.say("None runs by itself on these days.")
    for sentence in silent:
        _out.note(sentence)


def _as_json(planned: Planned) -> dict[str, str]:
    return {
        "integration": planned.name,
        "at": planned.at.isoformat(),
        "start": planned.start.isoformat(),
        "end": planned.end.isoformat(),
    }


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
