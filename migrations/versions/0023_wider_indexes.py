"""Indexes that hold all that months, customers and deleted invoices are asked for, so that no row is read for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_DELETED_INVOICES = sa.text("subject_kind = 'invoice' AND action = 'deleted'")


def upgrade() -> None:
    op.create_index(
        "ix_invoices_state_issue_date_id_sums", "invoices", ["state", "issue_date", "id", "kind", "currency", "total"]
    )
    op.drop_index(op.f("ix_invoices_state_issue_date_id"), "invoices")
    op.create_index("ix_customers_by_name", "customers", ["search_key", "id", "merged_into_id"])
    op.drop_index(op.f("ix_customers_search_key"), "customers")
    op.create_index(
        "ix_audit_deleted_invoices", "audit", ["subject_kind", "id"],
        sqlite_where=_DELETED_INVOICES, postgresql_where=_DELETED_INVOICES,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_audit_deleted_invoices", "audit")
    op.create_index(op.f("ix_customers_search_key"), "customers", ["search_key"])
    op.drop_index("ix_customers_by_name", "customers")
    op.create_index(op.f("ix_invoices_state_issue_date_id"), "invoices", ["state", "issue_date", "id"])
    op.drop_index("ix_invoices_state_issue_date_id_sums", "invoices")
