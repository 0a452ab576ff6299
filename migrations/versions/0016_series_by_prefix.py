"""A series of numbers is one an integration, kind, year and prefix: with another prefix a new one begins at 1."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_BEFORE, _NOW = "uq_series_integration_id_kind_year", "uq_series_integration_id_kind_year_prefix"
_KEYS = ("integration_id", "kind", "year")


def upgrade() -> None:
    # Until now the row kept the prefix it began with, while numbers were given with the one of the settings.
    op.execute(
        "UPDATE series SET prefix = (SELECT number_prefix FROM integrations WHERE integrations.id = integration_id)"
    )
    with op.batch_alter_table("series", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint(op.f(_BEFORE), type_="unique")
        table.create_unique_constraint(op.f(_NOW), [*_KEYS, "prefix"])


def downgrade() -> None:
    series = sa.table("series", *(sa.column(name) for name in ("id", *_KEYS, "next")))
    place = sa.func.row_number().over(
        partition_by=[series.c[name] for name in _KEYS], order_by=[series.c.next.desc(), series.c.id]
    )
    ranked = sa.select(series.c.id, place.label("place")).subquery()
    op.execute(series.delete().where(series.c.id.in_(sa.select(ranked.c.id).where(ranked.c.place > 1))))
    with op.batch_alter_table("series", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint(op.f(_NOW), type_="unique")
        table.create_unique_constraint(op.f(_BEFORE), list(_KEYS))
