"""What `monet doctor` says of the timetable: what is overdue or fails, and of each integration what comes next."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.models.integrations import Integration
from monet_web.services.opening.plan import zone_of
from monet_web.services.running.next_runs import NextRun, Obstacle, next_runs
from monet_web.services.signs import SHOWN, Sign, few, moment


def timetable(session: Session, now: datetime) -> Sign:
    """Slots that nobody opened, stores that fail, settings nobody can read; refused ones have a line of their own."""
    names = {row.id: row.name for row in session.execute(select(Integration.id, Integration.name))}
    found = sorted(next_runs(session, now=now).values(), key=lambda one: names[one.integration_id])
    zone = zone_of(session)
    unreadable = [
        f"{names[one.integration_id]}: {one.because}" for one in found if one.obstacle is Obstacle.UNREADABLE
    ]  # fmt: skip
    overdue = [
        f"{names[one.integration_id]} since {one.at.astimezone(zone):%Y-%m-%d %H:%M}"
        for one in found
        if one.obstacle is Obstacle.OVERDUE and one.at is not None
    ]
    failing = [
        f"{names[one.integration_id]}, tried again {one.at.astimezone(zone):%Y-%m-%d %H:%M}: {one.because}".rstrip(": ")
        for one in found
        if one.obstacle is Obstacle.TRIED_AGAIN and one.at is not None
    ]
    said, fixes = [], []
    if unreadable:
        said.append(" ".join(unreadable[:SHOWN]))
    if overdue:
        said.append(f"Overdue: {few(overdue)}.")
        fixes.append(
            "Start the scheduler and a worker (`monet run` starts both): one run then covers all that was due."
        )  # fmt: skip
    if failing:
        said.append(f"Imports that fail: {' '.join(failing[:SHOWN])}")
        fixes.append(
            "They are tried again by themselves. To see what a store says: monet integrations test NAME"
        )  # fmt: skip
    if said:
        return Sign("timetable", False, " ".join(said), " ".join(fixes))
    planned = sum(one.at is not None for one in found)
    if not planned:
        return Sign("timetable", True, "No integration runs by itself.")
    return Sign("timetable", True, f"Runs to come by themselves: {planned}; none is overdue.")


def each_integration(session: Session, now: datetime) -> list[Sign]:
    """Of each integration: its next run with the period, or why there is none, and its last five imports."""
    names = {row.id: row.name for row in session.execute(select(Integration.id, Integration.name))}
    found = sorted(next_runs(session, now=now).values(), key=lambda one: names[one.integration_id])
    zone = zone_of(session)
    signs = []
    for one in found:
        missing = [f"{moment(gap.start, zone)} to {moment(gap.end, zone)}" for gap in one.gaps]
        words = [_next(one, zone), _lasts(one, zone)]
        words += [f"Not imported, and not by itself: {few(missing)}."] if missing else []
        signs.append(
            Sign(
                f"integration {names[one.integration_id]}", not missing, " ".join(words),
                "Launch those days, or leave them out on the page Integrations." if missing else "",
            )
        )  # fmt: skip
    return signs


def _next(one: NextRun, zone: ZoneInfo) -> str:
    match one.obstacle:
        case Obstacle.SWITCHED_OFF:
            return "Switched off."
        case Obstacle.FREQUENCY_OFF:
            return "Its frequency is off: it runs when somebody launches it."
        case Obstacle.UNREADABLE:
            return "Its settings can't be read."
        case Obstacle.REFUSED:
            return "The next run waits for a new key."
        case _:
            pass
    if one.at is None:
        return "The next run comes after the one at work."
    window = ""
    if one.window is not None:
        window = f", imports {moment(one.window.start, zone)} until {moment(one.window.end, zone)}"
    return f"Next run: {moment(one.at, zone)}{window}."


def _lasts(one: NextRun, zone: ZoneInfo) -> str:
    if not one.last:
        return "No import yet."
    ended = [f"{moment(run.ended_at, zone)} {run.state.value}" for run in one.last if run.ended_at is not None]
    return f"Last imports: {', '.join(ended)}."
