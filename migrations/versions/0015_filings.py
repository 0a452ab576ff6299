"""Files for the tax authority that were taken from here, and what was asked once before the first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "filings",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("sums", sa.JSON(), nullable=False),
        sa.Column("fingerprints", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filings")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_filings_kind_period_id"), "filings", ["kind", "period", "id"])
    op.create_table(
        "filing_terms",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("part", sa.String(length=20), server_default="", nullable=False),
        sa.Column("oss", sa.String(length=8), server_default="", nullable=False),
        sa.Column("names", sa.String(length=8), server_default="", nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_filing_terms_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filing_terms")),
    )


def downgrade() -> None:
    op.drop_table("filing_terms")
    op.drop_table("filings")
