"""Names of items as searches compare them: without case, which SQLite's own comparison knows for A to Z only."""

from __future__ import annotations

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_items = sa.table("items", sa.column("id"), sa.column("name"), sa.column("name_key"))


def upgrade() -> None:
    # With a default of the server's, so that SQLite need not make the table anew and forget its counter of ids.
    op.add_column("items", sa.Column("name_key", sa.Text(), server_default="", nullable=False))
    connection = op.get_bind()
    for id_, name in connection.execute(sa.select(_items.c.id, _items.c.name)).all():
        folded = unicodedata.normalize("NFC", name).strip().casefold()
        connection.execute(sa.update(_items).where(_items.c.id == id_).values(name_key=folded))


def downgrade() -> None:
    op.drop_column("items", "name_key")
