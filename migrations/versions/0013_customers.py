"""Customers as searches see them, whom they were merged into; what headings of files mean."""

from __future__ import annotations

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SEPARATORS = re.compile(r"[\s.\-–/]+")
_PART = 500
_customers = sa.table(
    "customers", *(sa.column(name) for name in ("id", "name", "company_code", "vat_code", "email", "search_key"))
)


def upgrade() -> None:
    # With a default of the server's, so that SQLite need not make the table anew and forget its counter of ids.
    op.add_column("customers", sa.Column("search_key", sa.Text(), server_default="", nullable=False))
    op.add_column("customers", sa.Column("merged_into_id", _ID, nullable=True))
    _fill()
    op.create_index(op.f("ix_customers_search_key"), "customers", ["search_key"])
    op.create_index(op.f("ix_customers_merged_into_id"), "customers", ["merged_into_id"])
    op.create_table(
        "remembered_columns",
        sa.Column("id", _ID, nullable=False),
        sa.Column("purpose", sa.String(length=24), nullable=False),
        sa.Column("heading_key", sa.String(length=200), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remembered_columns")),
        sa.UniqueConstraint("purpose", "heading_key", name=op.f("uq_remembered_columns_purpose_heading_key")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("remembered_columns")
    op.drop_index(op.f("ix_customers_merged_into_id"), "customers")
    op.drop_index(op.f("ix_customers_search_key"), "customers")
    op.drop_column("customers", "merged_into_id")
    op.drop_column("customers", "search_key")


def _fill() -> None:
    connection = op.get_bind()
    written = sa.update(_customers).where(_customers.c.id == sa.bindparam("of")).values(search_key=sa.bindparam("key"))
    last = 0
    while rows := connection.execute(
        sa.select(_customers).where(_customers.c.id > last).order_by(_customers.c.id).limit(_PART)
    ).all():
        last = rows[-1].id
        connection.execute(written, [{"of": row.id, "key": _key(row)} for row in rows])


def _key(row: sa.Row) -> str:
    codes = [row.company_code, _bare(row.company_code), row.vat_code, _bare(row.vat_code).upper()]
    parts = [" ".join(row.name.split()), *dict.fromkeys(code for code in codes if code), row.email]
    return "\n".join(unicodedata.normalize("NFC", part).strip().casefold() for part in parts if part)[:600]


def _bare(code: str) -> str:
    return _SEPARATORS.sub("", code)
