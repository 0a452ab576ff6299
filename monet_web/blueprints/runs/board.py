"""What this process shows of live runs: each is read and painted once for all who watch it, not once for each."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from flask import current_app
from flask.blueprints import BlueprintSetupState
from flask_babel import get_locale
from sqlalchemy import select
from sqlalchemy.orm import Session, defer, joinedload

from monet_web.blueprints.runs.blueprint import runs
from monet_web.blueprints.runs.shown import Shown, shown
from monet_web.models import Integration, Run, db
from monet_web.models.base import now_utc, reading
from monet_web.services.running.progress import Stage

# A page asks at least every five seconds; what nobody asked for so long is not kept.
_SECONDS_UNASKED = 60.0
# While one thread paints, others show what was painted before, unless it is older than this.
_SECONDS_BEHIND = 3.0
# What a crowd may ask of one process in a second: a tenth of a core. A larger one asks more rarely, each page of it.
MOST_ASKS = 60
_SECONDS_COUNTED = 2.0
_MOST_PACE = 10


@dataclass(frozen=True, slots=True)
class Painting:
    """The live part of one run as HTML, for everybody who reads one language. `tag` differs when the HTML does."""

    run_id: int
    version: int
    stage: Stage
    html: str
    tag: str


class _Key(NamedTuple):
    run_id: int
    whole: bool
    language: str


class Board:
    """The paintings of one process. Any number of threads may ask at once; one of them paints."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._painted: dict[_Key, tuple[float, Painting]] = {}
        self._asks = 0
        self._counted_since = time.monotonic()
        self._pace = 1

    def count_ask(self) -> None:
        """A page asked by itself; pages that are told by a stream do not count."""
        self._asks += 1  # threads may lose one to each other, which no pace shows

    def paintings(self, run_ids: Iterable[int], *, whole: bool) -> list[Painting]:
        """Those runs that exist, as they were within the last half second. Outside a transaction, in a request.

        `whole`: for the run's own page, which is asked anew at the end. What is missing or too old is read with three
        queries and one round trip to Redis, however many there are.
        """
        keys = [_Key(run_id, whole, str(get_locale())) for run_id in run_ids]
        kept: float = current_app.config["MONET_SHARED_SECONDS"]
        if self._older(keys, kept) and self._lock.acquire(blocking=bool(self._older(keys, max(kept, _SECONDS_BEHIND)))):
            try:
                # Somebody else may have painted them while this thread waited.
                self._paint(self._older(keys, kept))
            finally:
                self._lock.release()
        return [found[1] for key in keys if (found := self._painted.get(key)) is not None]

    def _older(self, keys: Sequence[_Key], seconds: float) -> list[_Key]:
        now = time.monotonic()
        return [key for key in keys if (had := self._painted.get(key)) is None or now - had[0] >= seconds]

    def _paint(self, keys: Sequence[_Key]) -> None:
        if not keys:
            return
        at = time.monotonic()
        if at - self._counted_since >= _SECONDS_COUNTED:
            self._pace = pace(self._asks, at - self._counted_since, self._pace)
            self._asks, self._counted_since = 0, at
        session = db.session()
        with reading(session):
            found = some(session, [key.run_id for key in keys])
            seen = {each.run.id: each for each in shown(session, found, now=now_utc())}
            fresh = {
                key: (at, paint(seen[key.run_id], whole=key.whole, pace=self._pace))
                for key in keys
                if key.run_id in seen
            }
        left = {key: had for key, had in self._painted.items() if at - had[0] < _SECONDS_UNASKED}
        self._painted = left | fresh


def board() -> Board:
    """The one of this process."""
    found: Board = current_app.extensions["monet_board"]
    return found


def pace(asks: int, seconds: float, before: int) -> int:
    """By how much longer than alone a page waits between two asks, 1 to 10, after so many asks at the pace `before`."""
    alone = asks / seconds * before
    return min(_MOST_PACE, max(1, math.ceil(alone / MOST_ASKS)))


def paint(one: Shown, *, whole: bool, pace: int) -> Painting:
    """Paint one run. Nothing of the person who looks goes into it but their language."""
    if one.ask_again is not None:
        one = replace(one, ask_again=one.ask_again * pace)
    # Not render_template: what pages show around themselves costs queries, and this part has none of it.
    html = current_app.jinja_env.get_template("runs/_run.html").render(one=one, whole=whole)
    tag = hashlib.blake2b(html.encode(), digest_size=8).hexdigest()
    return Painting(one.run.id, one.at.version, one.at.stage, html, tag)


def some(session: Session, run_ids: Sequence[int]) -> list[Run]:
    """Runs as they are now, without their integrations' secrets. Inside a transaction, one query."""
    query = select(Run).where(Run.id.in_(run_ids)).order_by(Run.id).options(*WITHOUT_SECRETS)
    return list(session.scalars(query.execution_options(populate_existing=True)))


WITHOUT_SECRETS = (joinedload(Run.integration).options(defer(Integration.secrets)),)


@runs.record_once
def _hang_up(state: BlueprintSetupState) -> None:
    state.app.extensions["monet_board"] = Board()
