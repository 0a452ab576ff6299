"""Files of orders that people bring where a store can't be asked, and the runs that read them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", _ID, nullable=False),
        sa.Column("integration_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_uploads_integration_id_integrations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_uploads_integration_id"), "uploads", ["integration_id"])
    op.create_table(
        "upload_parts",
        sa.Column("upload_id", _ID, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name=op.f("fk_upload_parts_upload_id_uploads")),
        sa.PrimaryKeyConstraint("upload_id", "n", name=op.f("pk_upload_parts")),
    )
    op.add_column("runs", sa.Column("upload_id", _ID, nullable=True))
    op.add_column("runs", sa.Column("file_name", sa.String(length=200), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("runs", "file_name")
    op.drop_column("runs", "upload_id")
    op.drop_table("upload_parts")
    op.drop_table("uploads")
