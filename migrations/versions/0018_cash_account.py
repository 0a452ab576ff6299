"""Cash that a till's receipt was given for has an account of its own in the sales journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("company", sa.Column("cash_account", sa.String(length=40), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("company") as table:
        table.drop_column("cash_account")
