"""How a migration runs, whether `flask db …` or monet_web.migrate started it: one transaction, one at a time."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Enum, String
from sqlalchemy.types import TypeDecorator

from monet_web.migrate import migrating
from monet_web.models import Base


def plain_type(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Migrations name the column types of the database: the models' own types may change, an old migration may not."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.{String(item.length)!r}"
    return False


def database_url() -> str:
    """The address given by monet_web.migrate, else the application's."""
    given = context.config.attributes.get("database_url")
    if given is not None:
        return str(given)
    from flask import current_app

    return str(current_app.config["SQLALCHEMY_DATABASE_URI"])


if context.is_offline_mode():
    raise SystemExit("Migrations look at the database they change, so they can't be written out as SQL.")

with migrating(database_url()) as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=plain_type,
    )
    context.run_migrations()
