"""What waits is known from a few rows that triggers keep; indexes for the lists of a million invoices."""

# ruff: noqa: S608 - names of our own tables
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COUNTED = (
    "state, journal_id, kind, accounting_type, integration_id, currency, issue_date, total, touched_at"  # of a figure
)
_WORDS = "to_tsvector('simple'::regconfig, translate(search_text, '-._@/+&<>', '         '))"
_WAITS = "state = 'in_journal'"


_EVENTS = {
    "invoices": ("insert", "update", "delete"),
    "findings": ("insert", "update", "delete"),
    "invoice_lines": ("update",),  # they come and go with their invoices
}
_INDEXES: tuple[tuple[str, str, list[object], str], ...] = (
    ("ix_invoices_waiting", "invoices", ["id"], "state <> 'registered'"),
    ("ix_invoices_journal_id", "invoices", ["journal_id", "id"], "journal_id IS NOT NULL"),
    ("ix_invoices_credits_invoice_id", "invoices", ["credits_invoice_id"], "credits_invoice_id IS NOT NULL"),
    (
        "ix_invoices_integration_id_state_issue_date_id", "invoices", ["integration_id", "state", "issue_date", "id"],
        "",
    ),
    ("ix_invoices_foreign", "invoices", ["state", "currency", "issue_date", "id"], "currency <> 'EUR'"),
    ("ix_invoices_by_total", "invoices", ["state", sa.text("coalesce(total_eur, total)"), "id"], ""),
    ("ix_invoices_by_buyer", "invoices", ["state", sa.text("lower(buyer_name)"), "id"], ""),
    ("ix_findings_notices", "findings", ["invoice_id"], "NOT stops"),
    ("ix_customers_merged_into_id", "customers", ["merged_into_id"], "merged_into_id IS NOT NULL"),
    ("ix_stock_moves_item_id_id", "stock_moves", ["item_id", "id"], ""),
)  # fmt: skip


_REPLACED = (
    ("invoices", "integration_id"), ("invoices", "journal_id"), ("invoices", "credits_invoice_id"),
    ("customers", "merged_into_id"), ("stock_moves", "item_id", "warehouse_id"),
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "waiting_marks",
        sa.Column("journal_id", _ID, autoincrement=False, nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("journal_id", name=op.f("pk_waiting_marks")),
    )
    some = sa.text("waiting > 0")
    op.create_index(
        "ix_waiting_marks_waiting", "waiting_marks", ["journal_id"], sqlite_where=some, postgresql_where=some
    )
    op.execute(
        "INSERT INTO waiting_marks (journal_id, waiting, version) "
        "SELECT coalesce(journal_id, 0), count(*), 1 FROM invoices WHERE state = 'in_journal' GROUP BY 1"
    )
    for table, *columns in _REPLACED:
        op.drop_index(f"ix_{table}_{'_'.join(columns)}", table)
    for name, table, columns, where in _INDEXES:
        if where:
            op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
        else:
            op.create_index(name, table, columns)
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _sqlite() if is_sqlite else _postgresql():
        op.execute(statement)
    if not is_sqlite:
        op.create_index("ix_invoices_words", "invoices", [sa.text(_WORDS)], postgresql_using="gin")
    elif _has_fts5():
        for statement in _words():
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("invoices_insert", "invoices_update", "invoices_delete", "findings_insert", "findings_update",
                     "findings_delete", "invoice_lines_update"):  # fmt: skip
            op.execute(f"DROP TRIGGER waiting_{name}")
    else:
        for table, events in _EVENTS.items():
            for event in events:
                op.execute(f"DROP TRIGGER waiting_{table}_{event} ON {table}")
                op.execute(f"DROP FUNCTION waiting_{table}_{event}()")
    if op.get_bind().dialect.name == "sqlite":
        for event in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER IF EXISTS words_invoices_{event}")
        op.execute("DROP TABLE IF EXISTS invoice_words")
    else:
        op.drop_index("ix_invoices_words", "invoices")
    for name, table, *_rest in _INDEXES:
        op.drop_index(name, table)
    for table, *columns in _REPLACED:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)
    op.drop_table("waiting_marks")


def _has_fts5() -> bool:
    query = sa.text("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'")
    return op.get_bind().execute(query).first() is not None


def _words() -> list[str]:
    """The words of invoices and nothing else of them; a changed or deleted row says what is to be forgotten."""
    fresh = "INSERT INTO invoice_words (rowid, words) VALUES (NEW.id, NEW.search_text);"
    gone = "INSERT INTO invoice_words (invoice_words, rowid, words) VALUES ('delete', OLD.id, OLD.search_text);"
    return [
        "CREATE VIRTUAL TABLE invoice_words USING fts5 (words, content='', tokenize=\"unicode61 remove_diacritics 0\")",
        "INSERT INTO invoice_words (rowid, words) SELECT id, search_text FROM invoices ORDER BY id",
        f"CREATE TRIGGER words_invoices_insert AFTER INSERT ON invoices BEGIN {fresh} END",
        f"CREATE TRIGGER words_invoices_update AFTER UPDATE OF search_text ON invoices BEGIN {gone} {fresh} END",
        f"CREATE TRIGGER words_invoices_delete AFTER DELETE ON invoices BEGIN {gone} END",
    ]


def _sqlite() -> list[str]:
    """A trigger a row; those of registered invoices end at their WHEN."""

    def mark(row: str, by: int) -> str:
        return (
            f"INSERT INTO waiting_marks (journal_id, waiting, version) "
            f"SELECT coalesce({row}.journal_id, 0), {by}, 1 WHERE {row}.{_WAITS} "
            "ON CONFLICT (journal_id) DO UPDATE SET waiting = waiting + excluded.waiting, version = version + 1;"
        )

    def of_finding(row: str) -> str:
        return (
            "UPDATE waiting_marks SET version = version + 1 WHERE journal_id = "
            f"(SELECT coalesce(journal_id, 0) FROM invoices WHERE id = {row}.invoice_id AND {_WAITS});"
        )

    return [
        f"CREATE TRIGGER waiting_invoices_insert AFTER INSERT ON invoices WHEN NEW.{_WAITS} BEGIN {mark('NEW', 1)} END",
        (
            f"CREATE TRIGGER waiting_invoices_update AFTER UPDATE OF {_COUNTED} ON invoices "
            f"WHEN OLD.{_WAITS} OR NEW.{_WAITS} BEGIN {mark('OLD', -1)} {mark('NEW', 1)} END"
        ),
        (
            f"CREATE TRIGGER waiting_invoices_delete AFTER DELETE ON invoices WHEN OLD.{_WAITS} "
            f"BEGIN {mark('OLD', -1)} END"
        ),
        f"CREATE TRIGGER waiting_findings_insert AFTER INSERT ON findings BEGIN {of_finding('NEW')} END",
        (
            f"CREATE TRIGGER waiting_findings_update AFTER UPDATE ON findings BEGIN {of_finding('OLD')} "
            f"{of_finding('NEW')} END"
        ),
        f"CREATE TRIGGER waiting_findings_delete AFTER DELETE ON findings BEGIN {of_finding('OLD')} END",
        (
            f"CREATE TRIGGER waiting_invoice_lines_update AFTER UPDATE OF item_id ON invoice_lines "
            f"BEGIN {of_finding('NEW')} END"
        ),
    ]


def _postgresql() -> list[str]:
    """A trigger a statement, marks in the order of their journals, so that two writers never wait in a ring."""
    upsert = (
        "INSERT INTO waiting_marks (journal_id, waiting, version) "
        "SELECT coalesce(journal_id, 0), sum(by), 1 FROM ({rows}) AS changed WHERE "
        + _WAITS
        + " GROUP BY 1 ORDER BY 1 "
        "ON CONFLICT (journal_id) DO UPDATE "
        "SET waiting = waiting_marks.waiting + excluded.waiting, version = waiting_marks.version + 1;"
    )
    touch = (
        "PERFORM 1 FROM waiting_marks WHERE journal_id IN (SELECT coalesce(i.journal_id, 0) FROM ({rows}) AS changed "
        "JOIN invoices AS i ON i.id = changed.invoice_id WHERE i." + _WAITS + ") ORDER BY journal_id FOR UPDATE; "
        "UPDATE waiting_marks SET version = version + 1 WHERE journal_id IN (SELECT coalesce(i.journal_id, 0) "
        "FROM ({rows}) AS changed JOIN invoices AS i ON i.id = changed.invoice_id WHERE i." + _WAITS + ");"
    )
    fresh, gone = "REFERENCING NEW TABLE AS fresh", "REFERENCING OLD TABLE AS gone"
    tables = {"insert": fresh, "update": "REFERENCING OLD TABLE AS gone NEW TABLE AS fresh", "delete": gone}
    counted = {
        "insert": "SELECT journal_id, state, 1 AS by FROM fresh",
        "delete": "SELECT journal_id, state, -1 AS by FROM gone",
    }
    counted["update"] = f"{counted['insert']} UNION ALL {counted['delete']}"
    found = {"insert": "SELECT invoice_id FROM fresh", "delete": "SELECT invoice_id FROM gone"}
    found["update"] = f"{found['insert']} UNION ALL {found['delete']}"
    statements = []
    for table, rows, body in (
        ("invoices", counted, upsert),
        ("findings", found, touch),
        ("invoice_lines", found, touch),
    ):
        for event in _EVENTS[table]:
            referencing = tables[event]
            name = f"waiting_{table}_{event}"
            statements += [
                (
                    f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                    f"$$ BEGIN {body.format(rows=rows[event])} RETURN NULL; END $$"
                ),
                (
                    f"CREATE TRIGGER {name} AFTER {event.upper()} ON {table} {referencing} "
                    f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
                ),
            ]
    return statements
