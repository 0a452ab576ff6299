"""Lines of credit notes remember what became of the goods."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invoice_lines", sa.Column("goods", sa.String(length=12), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("invoice_lines", "goods")
