"""What the live part of a page shows of a run: the row in words, the newest lines of its log, when to ask again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web import events
from monet_web.blueprints.runs import signs, words
from monet_web.models import Run, User
from monet_web.services.running.progress import Line, Progress, Stage, lines_of_row, progress, waited_for

NEWEST_LINES = 5
_SECONDS_QUICK = 60  # of a run's life in which its page asks every second, then every other; waiting ones more rarely


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line of a log."""

    at: datetime
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One run as its part of a page shows it. `ask_again`: after how many seconds, None when it has ended."""

    run: Run
    at: Progress
    mark: tuple[str, str]
    needs_you: str
    sentence: str
    left: str
    said: str
    trouble: str
    lines: tuple[ShownLine, ...]
    ask_again: int | None


def shown(session: Session, runs: Sequence[Run], *, now: datetime, lines: int = NEWEST_LINES) -> list[Shown]:
    """Inside a transaction, at most two queries and one round trip to Redis, whose silence costs only the log."""
    waits = waited_for(session, runs)
    people = names(session, runs)
    logs = _logs(runs, lines)
    return [_shown(run, progress(run, now=now, waits_for=waits.get(run.id)), logs[run.id], people, now) for run in runs]


def names(session: Session, runs: Iterable[Run]) -> dict[str, str]:
    """E-mail → name of the people who asked for these runs. Inside a transaction, at most one query."""
    asked = {run.requested_by for run in runs if "@" in run.requested_by}
    if not asked:
        return {}
    rows = session.execute(select(User.email, User.name).where(User.email.in_(asked)))
    return {row.email: row.name for row in rows}


def _shown(run: Run, at: Progress, log: Sequence[Line], people: Mapping[str, str], now: datetime) -> Shown:
    told = tuple(ShownLine(one.at, words.line(one, run, people), words.line_kind(one)) for one in log)
    return Shown(
        run=run,
        at=at,
        mark=words.mark(run, at),
        needs_you=words.needs_you(at),
        sentence=words.sentence(run, at),
        left=words.left(at),
        said=words.said(run, at),
        trouble=_trouble(run, at),
        lines=told,
        ask_again=_ask_again(run, at, now),
    )


def _logs(runs: Sequence[Run], lines: int) -> dict[int, list[Line]]:
    """The newest lines of each run's log: the row's own, with those of its stream between them."""
    if not lines:
        return {run.id: [] for run in runs}
    found: dict[int, list[events.Event]] = {}
    client = signs.redis()
    if client is not None and runs:
        try:
            found = events.newest(client, [run.id for run in runs], count=lines)
        except RedisError:
            found = {}
    logs = {}
    for run in runs:
        before, after = lines_of_row(run)
        between = [line for event in found.get(run.id, ()) for line in event.lines]
        logs[run.id] = [*before, *between, *after][-lines:]
    return logs


def _trouble(run: Run, at: Progress) -> str:
    """Why it does not begin; a terminal's own run needs no worker."""
    if run.foreground or at.stage not in (Stage.QUEUED, Stage.TAKEN_BACK):
        return ""
    return signs.why_idle()


def _ask_again(run: Run, at: Progress, now: datetime) -> int | None:
    if at.stage.is_over:
        return None
    begun = run.created_at if at.stage.is_waiting else run.started_at or run.created_at
    is_young = (now - begun).total_seconds() < _SECONDS_QUICK
    return (1 if is_young else 2) if not at.stage.is_waiting else (2 if is_young else 5)
