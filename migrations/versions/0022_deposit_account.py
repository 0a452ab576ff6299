"""Deposits on packaging have an account of their own in the sales journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("company", sa.Column("deposit_account", sa.String(length=40), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("company") as table:
        table.drop_column("deposit_account")
