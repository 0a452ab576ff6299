"""What every command that touches the books begins with: configuration, database, a session, the clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from monet_web.config import Config
    from monet_web.installation import Installation

ACTOR = "command line"


@dataclass(frozen=True, slots=True)
class Here:
    """One command's surroundings. `now` is when it began, `actor` who the audit trail names."""

    installation: Installation
    session: Session
    now: datetime
    actor: str = ACTOR


def configuration() -> Config:
    """The environment's. Raises ConfigError."""
    import logging
    import os

    from monet_web import logs
    from monet_web.config import Config

    config = Config.from_environment(os.environ)
    logs.configure(config.log)
    # What a migration says belongs to a server's log, not between a command and its answer.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return config


@contextmanager
def opened() -> Iterator[Here]:
    """The installation that the environment names, its embedded database up to date."""
    from monet_web.installation import opened as opened_installation
    from monet_web.models.base import now_utc

    with opened_installation(configuration()) as installation:
        session = installation.session_factory()
        try:
            yield Here(installation, session, now_utc())
        finally:
            session.close()
