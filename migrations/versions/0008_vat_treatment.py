"""How VAT treats documents: the company's VAT and OSS days, treatment and evidence, confirmations, classifier codes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "vat_confirmations",
        sa.Column("id", _ID, nullable=False),
        sa.Column("vat_code", sa.String(length=40), nullable=False),
        sa.Column("valid", sa.Boolean(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("how", sa.String(length=8), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("address", sa.String(length=400), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vat_confirmations")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_vat_confirmations_vat_code_id", "vat_confirmations", ["vat_code", "id"])
    op.create_table(
        "export_proofs",
        sa.Column("store_order_id", _ID, autoincrement=False, nullable=False),
        sa.Column("mrn", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["store_order_id"], ["store_orders.id"], name=op.f("fk_export_proofs_store_order_id_store_orders")
        ),
        sa.PrimaryKeyConstraint("store_order_id", name=op.f("pk_export_proofs")),
    )
    op.create_table(
        "vat_codes",
        sa.Column("id", _ID, nullable=False),
        sa.Column("treatment", sa.String(length=24), nullable=False),
        sa.Column("percent", sa.String(length=60), nullable=True),
        sa.Column("supply", sa.String(length=8), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vat_codes")),
        sqlite_autoincrement=True,
    )
    op.add_column("company", sa.Column("vat_payer", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("company", sa.Column("vat_from", sa.Date(), nullable=True))
    op.add_column("company", sa.Column("vat_to", sa.Date(), nullable=True))
    op.add_column("company", sa.Column("oss_from", sa.Date(), nullable=True))
    op.add_column("company", sa.Column("oss_to", sa.Date(), nullable=True))
    # Money is kept as ten-thousandths: 10 000 EUR.
    op.add_column("company", sa.Column("eu_threshold", sa.BigInteger(), nullable=False, server_default="100000000"))
    op.add_column("company", sa.Column("ask_vies", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("warehouses", sa.Column("country", sa.String(length=2), nullable=False, server_default=""))
    op.add_column("invoices", sa.Column("treatment", sa.String(length=24), nullable=False, server_default=""))
    op.add_column("invoices", sa.Column("evidence", sa.JSON(), nullable=True))
    op.create_index("ix_invoices_treatment_supply_date", "invoices", ["treatment", "supply_date"])


def downgrade() -> None:
    op.drop_index("ix_invoices_treatment_supply_date", table_name="invoices")
    op.drop_column("invoices", "evidence")
    op.drop_column("invoices", "treatment")
    op.drop_column("warehouses", "country")
    for column in ("ask_vies", "eu_threshold", "oss_to", "oss_from", "vat_to", "vat_from", "vat_payer"):
        op.drop_column("company", column)
    op.drop_table("vat_codes")
    op.drop_table("export_proofs")
    op.drop_index("ix_vat_confirmations_vat_code_id", table_name="vat_confirmations")
    op.drop_table("vat_confirmations")
