"""Invoices that were issued instead of another buyer's name it: what that one had given back is not theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("invoices", sa.Column("reissues_invoice_id", number, nullable=True))


def downgrade() -> None:
    op.drop_column("invoices", "reissues_invoice_id")
