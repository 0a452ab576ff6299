"""`monet doctor`: what is wrong with this installation and how to mend it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

import click

from monet_web.commands import _out

if TYPE_CHECKING:
    from redis import Redis

    from monet_web.config import Config
    from monet_web.services.signs import Sign

_FIXES = {
    "redis": "Start Redis, or type `monet run`, which starts everything.",
    "worker": "Start one: python worker.py, or `monet run`, which starts everything.",
    "ticker": "Start one: python worker.py --queue timetable, or `monet run`, which starts everything.",
    "scheduler": "Start one: python -m monet_web.scheduler, or `monet run`, which starts everything.",
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Only JSON.")
def doctor(as_json: bool) -> None:
    """Look at this installation: what is wrong, and how to mend it. Changes nothing.

    \b
    monet doctor

    Exit code 1 when something is wrong.
    """
    from monet_web.commands._context import configuration

    config = configuration()
    signs = list(_signs(config))
    if as_json:
        _out.say_json(
            [{"part": one.part, "well": one.well, "text": one.sentence, "fix": one.fix or None} for one in signs]
        )
    else:
        for one in signs:
            _out.say(f"{'ok   ' if one.well else 'WRONG'}  {one.part}: {one.sentence}")
            if one.fix:
                _out.say(f"       → {one.fix}")
        _out.say("")
        _out.say("Variables (an empty one counts as unset):")
        _out.table(("Name", "Now", "What it is"), list(_variables()))
    if not all(one.well for one in signs):
        raise click.exceptions.Exit(1)


def _variables() -> Iterator[tuple[str, str, str]]:
    from monet_web.config import VARIABLES

    for one in VARIABLES:
        typed = os.environ.get(one.name, "").strip()
        now = "(set, not shown)" if typed and one.is_secret else typed or f"unset: {one.default}"
        yield one.name, now, one.meaning


def _signs(config: Config) -> Iterator[Sign]:
    from monet_web.services.doctor import database_file, keys_file

    is_made_here = config.is_embedded_database and not all(
        os.environ.get(name, "").strip() for name in ("SECRET_KEY", "MONET_ENCRYPTION_KEYS")
    )
    yield keys_file(config.home / "keys", is_used=is_made_here)
    if config.is_embedded_database and (config.home / "monet.sqlite3").exists():
        yield database_file(config.home / "monet.sqlite3")
    yield from _of_database(config)
    yield _of_documents()
    yield from _of_redis(config)


def _of_documents() -> Sign:
    from monet_web.domain.errors import BrokenRule
    from monet_web.services.documents.exports import pdf
    from monet_web.services.signs import Sign

    try:
        pdf.must_be_possible()
    except BrokenRule as error:
        return Sign("documents", False, error.message, error.fix)
    return Sign("documents", True, "Invoices can be drawn as PDF.")


def _of_database(config: Config) -> Iterator[Sign]:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.orm import Session

    from monet_web import migrate
    from monet_web.models.base import now_utc, sealer
    from monet_web.services.doctor import checks_of_data
    from monet_web.services.signs import Sign

    try:
        is_current = migrate.is_current(config.database_url)
    except SQLAlchemyError as error:
        yield Sign(
            "database", False, f"The database does not answer ({type(error).__name__}).",
            "Start it, or correct DATABASE_URL.",
        )  # fmt: skip
        return
    yield Sign("database", True, "The database answers.")
    if not is_current:
        yield Sign("migrations", False, "The database's tables are not up to date.", "Type: monet upgrade")
        return
    yield Sign("migrations", True, "The database's tables are up to date.")
    sealer.bind(config.encryption_keys)
    engine = create_engine(config.database_url)
    try:
        with Session(engine, expire_on_commit=False) as session:
            yield from checks_of_data(session, now=now_utc())
    finally:
        engine.dispose()


def _of_redis(config: Config) -> Iterator[Sign]:
    from redis.exceptions import RedisError

    from monet_web import embedded, queues
    from monet_web.blueprints.health.views import redis_sign, scheduler_sign, ticker_sign, worker_sign
    from monet_web.services.signs import Sign

    redis_url = config.redis_url
    if redis_url is None:
        if not embedded.answers(config.home):
            yield Sign("redis", False, "Nothing runs here now, so nothing is imported by itself.", "Type: monet run")
            return
        redis_url = embedded.url(config.home)
    with queues.connect(redis_url, seconds=2) as redis:
        try:
            for part, look in (
                ("redis", redis_sign), ("worker", worker_sign), ("ticker", ticker_sign), ("scheduler", scheduler_sign),
            ):  # fmt: skip
                sign = look(redis)
                yield Sign(part, sign.lives, sign.sentence, "" if sign.lives else _FIXES[part])
            yield from _tick(redis, _zone(config))
        except RedisError:
            yield Sign("redis", False, "Redis does not answer.", _FIXES["redis"])


def _zone(config: Config) -> tzinfo:
    """The company's time zone; UTC while the database does not tell."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.orm import Session

    from monet_web.models.base import reading
    from monet_web.services.opening.plan import zone_of

    engine = create_engine(config.database_url)
    try:
        with Session(engine) as session, reading(session):
            return zone_of(session)
    except SQLAlchemyError:
        return UTC
    finally:
        engine.dispose()


def _tick(redis: Redis, zone: tzinfo) -> Iterator[Sign]:
    """When somebody looked at the timetable last. Raises RedisError."""
    from monet_web import jobs
    from monet_web.blueprints.health.silence import Part, silence
    from monet_web.models.base import now_utc
    from monet_web.services.signs import Sign

    now = now_utc()
    silent, ticked = silence(redis, now=now), jobs.last_tick(redis)
    if silent.part in (Part.WORKER, Part.SCHEDULER, Part.TICKER, Part.TICK):
        since = "" if silent.since is None else f" since {silent.since.astimezone(zone):%Y-%m-%d %H:%M}"
        fix = _FIXES.get(silent.part.value, "Look for “a tick failed” in the log of the ticker: it says why.")
        yield Sign("tick", False, f"Automatic import has stopped{since}: nobody looks at the timetable.", fix)
    elif ticked is None:
        yield Sign("tick", True, "Nobody has looked at the timetable yet; that happens every half minute.")
    else:
        ago = max(0, round((now - ticked).total_seconds()))
        yield Sign("tick", True, f"The timetable was looked at {ago} s ago.")
