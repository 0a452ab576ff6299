"""Orders by the moment they were placed, which the first page asks for two weeks at a time."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_store_orders_placed_at", "store_orders", ["placed_at"])


def downgrade() -> None:
    op.drop_index("ix_store_orders_placed_at", "store_orders")
