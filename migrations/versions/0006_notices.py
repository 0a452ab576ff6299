"""What an administrator was told by e-mail or webhook, so that nothing is told twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("integration_id", _ID, autoincrement=False, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "integration_id", "since", name=op.f("pk_notices")),
    )


def downgrade() -> None:
    op.drop_table("notices")
