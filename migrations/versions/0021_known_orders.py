"""What a store's answer of an order was, as a digest: the same answer again needs no reading."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("store_orders", sa.Column("raw_hash", sa.LargeBinary(length=16), nullable=True))


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("ALTER TABLE store_orders DROP COLUMN raw_hash")  # in place: no copy of a large table
    else:
        op.drop_column("store_orders", "raw_hash")
