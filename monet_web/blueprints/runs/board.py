"""What this process shows of live runs: each is read and painted once for all who watch it, not once for each."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
        session = db.session()
        with reading(session):
            found = some(session, [key.run_id for key in keys])
            seen = {each.run.id: each for each in shown(session, found, now=now_utc())}
            fresh = {key: (at, paint(seen[key.run_id], whole=key.whole)) for key in keys if key.run_id in seen}
        left = {key: had for key, had in self._painted.items() if at - had[0] < _SECONDS_UNASKED}
        self._painted = left | fresh


def board() -> Board:
    """The one of this process."""
    found: Board = current_app.extensions["monet_board"]
    return found


def paint(one: Shown, *, whole: bool) -> Painting:
    """Paint one run. Nothing of the person who looks goes into it but their language."""
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
