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
from flask_login import current_user

from monet_web.blueprints.access import is_still_here, signed_in
from monet_web.blueprints.runs.blueprint import runs
from monet_web.blueprints.runs.board import Painting, board
from monet_web.blueprints.runs.views import ids_of
from monet_web.services.running.progress import Stage

# Each stream holds a thread of the web process. Half of the fewest that one is started with (32, see supervisor.py),
# so that the other half always answers; app.config["MONET_STREAMS"] is another number.
MOST_STREAMS = 16
SECONDS_BETWEEN_HEARTBEATS = 15.0
# Streams look at what their process reads once for all; several pages of orders a second are one painting.
SECONDS_BETWEEN_LOOKS = 1.0
# Then the browser comes again with the id it has, and threads are given out anew.
LONGEST_SECONDS = 300.0


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
    """How far one run was told to one page: the version of its row, and how it stood."""

    version: int = -1
    stage: Stage | None = None


@runs.get("/events")
@signed_in
def follow() -> ResponseReturnValue:
    """`?run=12,13`: paintings of these runs as they change. 204 when the page is to go on asking by itself."""
    run_ids = ids_of(request.args.get("run", ""))
    places: Places = current_app.extensions["monet_places"]
    nothing = Response(status=204)
    if not run_ids or not places.take():
        return nothing
    with ExitStack() as held:
        held.callback(places.give_back)
        whole = request.args.get("whole", "") == "1"
        now = board().paintings(run_ids, whole=whole)
        told = _told(now, request.headers.get("Last-Event-ID") or request.args.get("since", ""))
        if not any(not one.stage.is_over or one.version > told[one.run_id].version >= 0 for one in now):
            return nothing
        stream = _stream(told, whole=whole, identity=current_user.get_id())
        answer = Response(stream_with_context(stream), mimetype="text/event-stream")
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Accel-Buffering"] = "no"  # a proxy that gathers would hold the events back
        # Called also for a stream of which nothing was ever read.
        answer.call_on_close(held.pop_all().close)
        return answer


def _stream(told: dict[int, _Place], *, whole: bool, identity: str) -> Iterator[str]:
    """Tell each painting that is newer than what was told. Whoever may be here no longer is told nothing more."""
    yield "retry: 2000\n\n"
    ends_at = time.monotonic() + LONGEST_SECONDS
    said_at = time.monotonic()
    while time.monotonic() < ends_at and is_still_here(identity):
        now = board().paintings(told, whole=whole)
        for one in now:
            if _is_news(one, told[one.run_id]):
                told[one.run_id] = _Place(one.version, one.stage)
                data = json.dumps({"run": one.run_id, "version": one.version, "html": one.html})
                yield f"id: {_position(told)}\nevent: painting\ndata: {data}\n\n"
                said_at = time.monotonic()
        if all(one.stage.is_over for one in now):
            yield f"id: {_position(told)}\nevent: end\ndata: {{}}\n\n"
            return
        if time.monotonic() - said_at > SECONDS_BETWEEN_HEARTBEATS:
            yield ": still here\n\n"
            said_at = time.monotonic()
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _is_news(one: Painting, place: _Place) -> bool:
    """Its row is newer, or it went quiet, which nobody writes into its row."""
    if one.version > place.version:
        return True
    return place.stage is not None and (one.stage is Stage.QUIET) != (place.stage is Stage.QUIET)


def _told(now: Sequence[Painting], since: str) -> dict[int, _Place]:
    """Where the page stands, by the id of the last event it got; a new page was told nothing."""
    told = {one.run_id: _Place() for one in now}
    for part in since.split("."):
        run_id, _, version = part.partition("_")
        if _is_number(run_id) and int(run_id) in told and _is_number(version):
            told[int(run_id)] = _Place(int(version))
    return told


def _position(told: dict[int, _Place]) -> str:
    """`12_7.13_2`: run and version of each run of the page."""
    return ".".join(f"{run_id}_{place.version}" for run_id, place in told.items() if place.version >= 0)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16
