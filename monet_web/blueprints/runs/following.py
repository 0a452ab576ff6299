"""Runs followed as they go: one stream of events a page, on top of the part that asks again by itself."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from flask import Response, current_app, request, stream_with_context
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from redis import Redis
from redis.exceptions import RedisError

from monet_web import events, queues
from monet_web.blueprints.access import signed_in
from monet_web.blueprints.runs import signs
from monet_web.blueprints.runs.blueprint import runs
from monet_web.blueprints.runs.shown import shown
from monet_web.blueprints.runs.views import ids_of, paint, some
from monet_web.models import Run, db
from monet_web.models.base import now_utc, reading
from monet_web.services.running.progress import Stage, progress

# Each stream holds a thread of the web process. Half of the fewest that one is started with (32, see supervisor.py),
# so that the other half always answers; app.config["MONET_STREAMS"] is another number.
MOST_STREAMS = 16
SECONDS_BETWEEN_HEARTBEATS = 15.0
# The row may change without an event (taken back, or Redis lost it), so it is looked at now and then.
SECONDS_BETWEEN_LOOKS = 3.0
# Then the browser comes again with the id it has: rights and threads are asked for anew.
LONGEST_SECONDS = 300.0
# Several pages of orders a second are one painting.
SECONDS_BETWEEN_PAINTINGS = 0.2


class Places:
    """How many streams this process may have at once."""

    def __init__(self, most: int) -> None:
        self._free = threading.BoundedSemaphore(most) if most else None

    def take(self) -> bool:
        """One place, or False when all are taken."""
        return self._free is not None and self._free.acquire(blocking=False)

    def give_back(self) -> None:
        """The stream has ended."""
        if self._free is not None:
            self._free.release()


@runs.record_once
def _make_places(state: BlueprintSetupState) -> None:
    app = state.app
    app.extensions["monet_places"] = Places(int(app.config.get("MONET_STREAMS", MOST_STREAMS)))


@dataclass(slots=True)
class _Place:
    """How far one run was told to one page: the version of its row, the id of its last event, how it stood."""

    version: int = -1
    event: str = ""
    stage: Stage | None = None


@runs.get("/events")
@signed_in
def follow() -> ResponseReturnValue:
    """`?run=12,13`: paintings of these runs as they change. 204 when the page is to go on asking by itself."""
    run_ids = ids_of(request.args.get("run", ""))
    url = signs.redis_url()
    places: Places = current_app.extensions["monet_places"]
    nothing = Response(status=204)
    if url is None or not run_ids or not places.take():
        return nothing
    with ExitStack() as held:
        held.callback(places.give_back)
        redis = queues.connect(url)
        held.callback(redis.close)
        try:
            redis.ping()
            told = _told(redis, run_ids, request.headers.get("Last-Event-ID") or request.args.get("since", ""))
        except RedisError:
            return nothing
        if not _is_unfinished(_rows(list(told)), told):
            return nothing
        whole = request.args.get("whole", "") == "1"
        answer = Response(stream_with_context(_stream(redis, told, whole=whole)), mimetype="text/event-stream")
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Accel-Buffering"] = "no"  # a proxy that gathers would hold the events back
        # Called also for a stream of which nothing was ever read.
        answer.call_on_close(held.pop_all().close)
        return answer


def _stream(redis: Redis, told: dict[int, _Place], *, whole: bool) -> Iterator[str]:
    """Paint each run whenever its row is newer than what was told. The row is the truth, an event only says: look."""
    yield "retry: 2000\n\n"
    ends_at = time.monotonic() + LONGEST_SECONDS
    said_at = time.monotonic()
    while time.monotonic() < ends_at:
        rows = _rows(list(told))
        newer = [run for run in rows if _is_news(run, told[run.id])]
        for message in _paintings(newer, told, whole=whole):
            yield message
            said_at = time.monotonic()
        if all(run.ended_at is not None for run in rows):
            yield f"id: {_position(told)}\nevent: end\ndata: {{}}\n\n"
            return
        if newer:
            time.sleep(SECONDS_BETWEEN_PAINTINGS)
        elif time.monotonic() - said_at > SECONDS_BETWEEN_HEARTBEATS:
            yield ": still here\n\n"
            said_at = time.monotonic()
        try:
            happened = events.after(
                redis, {run_id: place.event for run_id, place in told.items()}, seconds=SECONDS_BETWEEN_LOOKS
            )
        except RedisError:
            return  # the browser comes again, is told 204 and asks by itself
        for run_id, these in happened.items():
            told[run_id].event = these[-1].id


def _paintings(newer: Sequence[Run], told: dict[int, _Place], *, whole: bool) -> Iterator[str]:
    if not newer:
        return
    session = db.session()
    with reading(session):
        painted = [
            (seen, paint(seen, whole=whole).get_data(as_text=True)) for seen in shown(session, newer, now=now_utc())
        ]
    for seen, html in painted:
        told[seen.run.id].version, told[seen.run.id].stage = seen.at.version, seen.at.stage
        data = json.dumps({"run": seen.run.id, "version": seen.at.version, "html": html})
        yield f"id: {_position(told)}\nevent: painting\ndata: {data}\n\n"


def _is_news(run: Run, place: _Place) -> bool:
    """Its row is newer, or it went quiet, which nobody writes into its row."""
    if run.progress_version > place.version:
        return True
    return place.stage is not None and (progress(run, now=now_utc()).stage is Stage.QUIET) != (
        place.stage is Stage.QUIET
    )


def _rows(run_ids: Sequence[int]) -> list[Run]:
    session = db.session()
    with reading(session):
        return some(session, run_ids)


def _is_unfinished(rows: Sequence[Run], told: dict[int, _Place]) -> bool:
    return any(run.ended_at is None or run.progress_version > told[run.id].version >= 0 for run in rows)


def _told(redis: Redis, run_ids: Sequence[int], since: str) -> dict[int, _Place]:
    """Where the page stands, by the id of the last event it got; a new page stands before its next event."""
    told = {run.id: _Place() for run in _rows(run_ids)}
    for part in since.split("."):
        run_id, _, rest = part.partition("_")
        version, _, event = rest.partition("_")
        if run_id.isdigit() and int(run_id) in told and version.isdigit() and _is_event(event):
            told[int(run_id)] = _Place(int(version), event)
    new = [run_id for run_id, place in told.items() if not place.event]
    for run, newest in events.newest(redis, new, count=1).items():
        told[run].event = newest[-1].id if newest else events.BEGINNING
    return told


def _position(told: dict[int, _Place]) -> str:
    """`12_7_1700000000000-0.13_2_0-0`: run, version and event of each run of the page."""
    return ".".join(f"{run_id}_{place.version}_{place.event}" for run_id, place in told.items() if place.version >= 0)


def _is_event(text: str) -> bool:
    milliseconds, _, sequence = text.partition("-")
    return all(part.isascii() and part.isdigit() and len(part) < 20 for part in (milliseconds, sequence))
