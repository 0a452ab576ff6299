"""Invoices that were registered without moving stock are found without reading all others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_invoices_stock_to_settle",
        "invoices",
        ["id"],
        sqlite_where=sa.text("stock_not_moved_reason <> ''"),
        postgresql_where=sa.text("stock_not_moved_reason <> ''"),
    )


def downgrade() -> None:
    op.drop_index("ix_invoices_stock_to_settle", table_name="invoices")
