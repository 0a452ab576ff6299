"""What people do about waiting invoices: decisions, questions, errands; VAT and causes of a run; journals split."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("store_order_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.String(length=240), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("decided_by", sa.String(length=200), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_order_id"], ["store_orders.id"], name=op.f("fk_decisions_store_order_id_store_orders")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sa.UniqueConstraint("store_order_id", "kind", "subject", name=op.f("uq_decisions_store_order_id_kind_subject")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "questions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("store_order_id", _ID, nullable=True),
        sa.Column("document", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.String(length=200), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_order_id"], ["store_orders.id"], name=op.f("fk_questions_store_order_id_store_orders")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_questions_store_order_id"), "questions", ["store_order_id"])
    op.create_index("ix_questions_answered_at_id", "questions", ["answered_at", "id"])
    op.create_index("ix_questions_asked_by", "questions", ["asked_by"])
    op.create_table(
        "errands",
        sa.Column("id", _ID, nullable=False),
        sa.Column("by_person", sa.Boolean(), nullable=False),
        sa.Column("dated", sa.Date(), nullable=True),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("back", sa.String(length=2000), nullable=False),
        sa.Column("invoice_ids", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=120), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.Column("registered", sa.Integer(), nullable=False),
        sa.Column("waits", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_errands")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_errands_state", "errands", ["state"])
    op.add_column("runs", sa.Column("vat_totals", sa.JSON(), nullable=True))
    op.add_column("runs", sa.Column("causes", sa.JSON(), nullable=True))
    op.add_column("journals", sa.Column("moved_from_id", _ID, nullable=True))


def downgrade() -> None:
    op.drop_column("journals", "moved_from_id")
    op.drop_column("runs", "causes")
    op.drop_column("runs", "vat_totals")
    op.drop_index("ix_errands_state", table_name="errands")
    op.drop_table("errands")
    op.drop_index("ix_questions_asked_by", table_name="questions")
    op.drop_index("ix_questions_answered_at_id", table_name="questions")
    op.drop_index(op.f("ix_questions_store_order_id"), table_name="questions")
    op.drop_table("questions")
    op.drop_table("decisions")
