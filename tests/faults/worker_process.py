"""What a worker process does in these tests: the product's own installation and services, with a gate in its way.

Children are forked from a server that has imported everything once (multiprocessing's forkserver): real processes
with a process id, connections and memory of their own, that start in milliseconds.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, PoolProxiedConnection, event
from sqlalchemy.orm import Session

from monet_web.config import Config
from monet_web.connectors.woocommerce import api, reading
from monet_web.installation import opened
from monet_web.models.base import now_utc, writing
from monet_web.models.runs import Run
from monet_web.services.documents import credit, mend
from monet_web.services.importing import claims
from monet_web.services.running import run_import
from tests.databases import TEST_KEY


@dataclass(frozen=True, slots=True)
class Task:
    """One run to work, or (`recheck`) an integration whose waiting invoices are to be checked again.

    Or (`credit`) registered invoices that are each credited in full in a transaction of its own, past every claim.

    `stop_before`: (text, n): before the nth statement of this process that begins with the text ("" is any, COMMIT
    one too) it says `paused` and goes on when it is told to. `deaf_at`: the nth commit is done, and its answer lost.
    """

    database_url: str
    home: Path
    run_id: int = 0
    recheck: int = 0
    credit: tuple[int, ...] = ()
    wait: bool = False
    page: int = 10
    stop_before: tuple[str, int] | None = None
    deaf_at: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a worker: ready, paused, trouble (the driver's error), or ended with what came of it."""

    kind: str
    text: str = ""
    result: dict[str, Any] = field(default_factory=dict)


def work(pipe: Connection, task: Task) -> None:
    """Be ready, wait for the word, do the task, tell what came of it."""
    config = Config(
        database_url=task.database_url,
        is_embedded_database=False,
        redis_url=None,
        secret_key="signs nothing",
        encryption_keys=(TEST_KEY,),
        home=task.home,
        allow_private_addresses=True,
    )
    for module in (api, reading):  # the demo store gives pages of any size
        vars(module)["PER_PAGE"] = task.page
    with opened(config) as installation:
        _Gate(pipe, task.stop_before).stand_before(installation.engine)
        if task.deaf_at:
            _lose_answer(installation.engine, task.deaf_at)
        pipe.send(Said("ready"))
        pipe.recv()
        if task.recheck:
            with installation.session_factory() as session:
                checked = mend.check_again(session, integration_id=task.recheck, now=now_utc(), actor="ona")
            pipe.send(Said("ended", "", {"registered": checked.registered, "waiting": checked.waiting}))
            return
        if task.credit:
            with installation.session_factory() as session:
                done = sum(_credited(session, task, invoice_id) for invoice_id in task.credit)
            pipe.send(Said("ended", "", {"credited": done}))
            return
        run = run_import.run(
            installation.session_factory,
            task.run_id,
            surroundings=installation.surroundings,
            clock=now_utc,
            worker=claims.this_process(),
            wait=task.wait,
        )
        pipe.send(Said("ended", run.state.value, _figures(run)))


def _credited(session: Session, task: Task, invoice_id: int) -> int:
    now = now_utc()
    with writing(session):
        return len(
            credit.in_full(
                session, [invoice_id], run_id=task.run_id, day=now.date(), reason="all of it", now=now, actor="ona"
            )
        )


def _figures(run: Run) -> dict[str, Any]:
    return {"fetched": run.fetched, **run.outcomes(), "error": run.error, "fix": run.fix}


def _lose_answer(engine: Engine, number: int) -> None:
    left = [number]
    commit = engine.dialect.do_commit

    def deaf(connection: PoolProxiedConnection) -> None:
        commit(connection)
        left[0] -= 1
        if left[0] == 0:
            raise engine.dialect.loaded_dbapi.OperationalError("the answer to a commit was lost")

    vars(engine.dialect)["do_commit"] = deaf


class _Gate:
    def __init__(self, pipe: Connection, stop_before: tuple[str, int] | None) -> None:
        self._pipe = pipe
        self._text, self._left = stop_before or ("", 0)

    def stand_before(self, engine: Engine) -> None:
        """Count the statements of the process's main thread, and tell of every error of the driver."""
        event.listen(engine, "before_cursor_execute", lambda _c, _cursor, statement, *_: self._pass(statement))
        event.listen(engine, "commit", lambda _: self._pass("COMMIT"))
        # Rows in bulk pass SQLAlchemy by: a COPY counts as the insert that it is.
        copies = psycopg.Cursor.copy

        def copy(cursor: Any, statement: Any, *more: Any, **options: Any) -> Any:
            self._pass(str(statement).replace("COPY", "INSERT INTO", 1))
            return copies(cursor, statement, *more, **options)

        setattr(psycopg.Cursor, "copy", copy)  # noqa: B010 - mypy takes no other assignment to a method
        event.listen(engine, "handle_error", self._tell)

    def _pass(self, statement: str) -> None:
        if not statement.startswith(self._text) or threading.current_thread() is not threading.main_thread():
            return
        self._left -= 1
        if self._left == 0:
            self._pipe.send(Said("paused", statement.split("\n", 1)[0]))
            self._pipe.recv()

    def _tell(self, context: Any) -> None:
        error = context.original_exception
        self._pipe.send(Said("trouble", f"{type(error).__name__}: {error}"))
