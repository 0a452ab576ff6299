"""Documents: the company's bank, accounts and logo, the language of its documents, and bundles of PDFs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXTS = (
    # column, its greatest length, what it is until somebody types another
    ("bank_name", 100, ""),
    ("bank_account", 40, ""),
    ("receivable_account", 40, "2410"),
    ("vat_account", 40, "4492"),
    ("oss_vat_account", 40, ""),
    ("rounding_account", 40, ""),
    ("prepaid_account", 40, ""),
    ("cod_account", 40, ""),
    ("gift_card_account", 40, ""),
)


def upgrade() -> None:
    with op.batch_alter_table("company") as table:
        table.alter_column(
            "language", existing_type=sa.String(length=2), type_=sa.String(length=4), existing_nullable=False
        )
        for name, length, default in _TEXTS:
            table.add_column(sa.Column(name, sa.String(length=length), nullable=False, server_default=default))
    # Nothing was written in the language until now, and a document in both does for every buyer.
    op.execute("UPDATE company SET language = 'both'")
    op.create_table(
        "company_logo",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_company_logo_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_logo")),
    )
    op.create_table(
        "bundles",
        sa.Column("id", _ID, nullable=False),
        sa.Column("ending", sa.String(length=3), nullable=False),
        sa.Column("language", sa.String(length=4), nullable=False),
        sa.Column("invoice_ids", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=120), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("written", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundles")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("bundles")
    op.drop_table("company_logo")
    op.execute("UPDATE company SET language = 'en' WHERE language NOT IN ('en', 'lt')")
    with op.batch_alter_table("company") as table:
        for name, _length, _default in reversed(_TEXTS):
            table.drop_column(name)
        table.alter_column(
            "language", existing_type=sa.String(length=4), type_=sa.String(length=2), existing_nullable=False
        )
