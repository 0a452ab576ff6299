"""When the orders of documents are read again next, and the month that a run has checked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("integrations", sa.Column("reread_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("runs", sa.Column("month_check", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("runs", "month_check")
    op.drop_column("integrations", "reread_at")
