"""What of each store is imported and what is not; notices that are sent again; runs found by when they ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_HAS_CHECK = sa.text("month_check IS NOT NULL")


def upgrade() -> None:
    for name in ("covered_until", "reach_back_to", "off_since"):
        op.add_column("integrations", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("integrations", sa.Column("gaps", sa.JSON(), nullable=True))
    # What the timetable imported so far counts; older gaps nobody has written down.
    op.execute(
        "UPDATE integrations SET covered_until = (SELECT max(window_end) FROM runs "
        "WHERE runs.integration_id = integrations.id AND runs.kind = 'timetable' AND runs.state = 'done')"
    )
    op.add_column("notices", sa.Column("attempt", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("notices", sa.Column("sent", sa.String(length=60), nullable=False, server_default=""))
    op.add_column("notices", sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_runs_integration_id_ended_at", "runs", ["integration_id", "ended_at"])
    op.create_index(
        "ix_runs_month_check", "runs", ["integration_id", "ended_at"],
        sqlite_where=_HAS_CHECK, postgresql_where=_HAS_CHECK,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_runs_month_check", table_name="runs")
    op.drop_index("ix_runs_integration_id_ended_at", table_name="runs")
    for name in ("retry_at", "sent", "attempt"):
        op.drop_column("notices", name)
    for name in ("gaps", "off_since", "reach_back_to", "covered_until"):
        op.drop_column("integrations", name)
