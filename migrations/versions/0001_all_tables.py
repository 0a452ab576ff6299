"""All tables, company 1 and the first warehouse."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite counts only INTEGER PRIMARY KEY as its own row id.
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_LIVING = sa.text("state <> 'retired'")
_AT_WORK = sa.text("state IN ('running', 'stopping')")
_LIVING_INVOICE = sa.text("kind = 'invoice' AND NOT superseded")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject_kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", _ID, nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_subject_kind_subject_id"), "audit", ["subject_kind", "subject_id"])

    op.create_table(
        "company",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("vat_code", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=400), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("revenue_account", sa.String(length=40), nullable=False),
        sa.Column("charges_account", sa.String(length=40), nullable=False),
        sa.Column("closed_until", sa.Date(), nullable=True),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_company_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company")),
    )
    op.create_table(
        "currency_rates",
        sa.Column("id", _ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("rate", sa.String(length=60), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_currency_rates")),
        sa.UniqueConstraint("currency", "day", name=op.f("uq_currency_rates_currency_day")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "customers",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("is_company", sa.Boolean(), nullable=False),
        sa.Column("company_code", sa.String(length=60), nullable=False),
        sa.Column("vat_code", sa.String(length=60), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("address", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "items",
        sa.Column("id", _ID, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("code_key", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("keeps_stock", sa.Boolean(), nullable=False),
        sa.Column("vat_class", sa.String(length=40), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
        sa.UniqueConstraint("code_key", name=op.f("uq_items_code_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "raw_pages",
        sa.Column("id", _ID, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raw_pages")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "stock_receipts",
        sa.Column("id", _ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=400), nullable=False),
        sa.Column("entered_by", sa.String(length=200), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_receipts")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "stores",
        sa.Column("id", _ID, nullable=False),
        sa.Column("platform", sa.String(length=40), nullable=False),
        sa.Column("store_key", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stores")),
        sa.UniqueConstraint("platform", "store_key", name=op.f("uq_stores_platform_store_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "taken_numbers",
        sa.Column("id", _ID, nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("number_key", sa.String(length=120), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taken_numbers")),
        sa.UniqueConstraint("number_key", name=op.f("uq_taken_numbers_number_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "users",
        sa.Column("id", _ID, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("second_factor", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("theme", sa.String(length=10), nullable=False),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "vat_rates",
        sa.Column("id", _ID, nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("percent", sa.String(length=60), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vat_rates")),
        sa.UniqueConstraint("country", "percent", "valid_from", name=op.f("uq_vat_rates_country_percent_valid_from")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "warehouses",
        sa.Column("id", _ID, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warehouses")),
        sa.UniqueConstraint("code", name=op.f("uq_warehouses_code")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "balances",
        sa.Column("warehouse_id", _ID, nullable=False),
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("on_hand >= 0", name=op.f("ck_balances_not_below_zero")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_balances_item_id_items")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouses.id"], name=op.f("fk_balances_warehouse_id_warehouses")),
        sa.PrimaryKeyConstraint("warehouse_id", "item_id", name=op.f("pk_balances")),
    )
    op.create_index(op.f("ix_balances_item_id"), "balances", ["item_id"])

    op.create_table(
        "customer_keys",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("value", sa.String(length=254), nullable=False),
        sa.Column("customer_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_customer_keys_customer_id_customers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_keys")),
        sa.UniqueConstraint("kind", "value", name=op.f("uq_customer_keys_kind_value")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_customer_keys_customer_id"), "customer_keys", ["customer_id"])

    op.create_table(
        "integrations",
        sa.Column("id", _ID, nullable=False),
        sa.Column("store_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_key", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("learned", sa.JSON(), nullable=False),
        sa.Column("number_prefix", sa.String(length=40), nullable=False),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_text", sa.Text(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_integrations_store_id_stores")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integrations")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("uq_integrations_name_key"),
        "integrations",
        ["name_key"],
        unique=True,
        sqlite_where=_LIVING,
        postgresql_where=_LIVING,
    )
    op.create_index(
        op.f("uq_integrations_store_id"),
        "integrations",
        ["store_id"],
        unique=True,
        sqlite_where=_LIVING,
        postgresql_where=_LIVING,
    )

    op.create_table(
        "item_aliases",
        sa.Column("id", _ID, nullable=False),
        sa.Column("store_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("value_key", sa.String(length=200), nullable=False),
        sa.Column("item_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_item_aliases_item_id_items"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_aliases")),
        sa.UniqueConstraint("store_id", "kind", "value_key", name=op.f("uq_item_aliases_store_id_kind_value_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_item_aliases_item_id"), "item_aliases", ["item_id"])

    op.create_table(
        "login_links",
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_login_links_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_links_token_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_login_links_user_id"), "login_links", ["user_id"])

    op.create_table(
        "stock_moves",
        sa.Column("id", _ID, nullable=False),
        sa.Column("document_type", sa.String(length=24), nullable=False),
        sa.Column("document_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("warehouse_id", _ID, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_stock_moves_item_id_items")),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouses.id"], name=op.f("fk_stock_moves_warehouse_id_warehouses")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_moves")),
        sa.UniqueConstraint(
            "document_type", "document_id", "position", name=op.f("uq_stock_moves_document_type_document_id_position")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_stock_moves_item_id_warehouse_id"), "stock_moves", ["item_id", "warehouse_id"])

    op.create_table(
        "store_orders",
        sa.Column("id", _ID, nullable=False),
        sa.Column("store_id", _ID, nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=False),
        sa.Column("order_number", sa.String(length=120), nullable=False),
        sa.Column("number_key", sa.String(length=120), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("latest_version_id", _ID, nullable=True),
        sa.Column("ignored_version_id", _ID, nullable=True),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.Column("left_out", sa.Boolean(), nullable=False),
        sa.Column("left_out_reason", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_store_orders_store_id_stores")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_orders")),
        sa.UniqueConstraint("store_id", "external_id", name=op.f("uq_store_orders_store_id_external_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_store_orders_number_key"), "store_orders", ["number_key"])
    op.create_index(op.f("ix_store_orders_outcome"), "store_orders", ["outcome"])

    op.create_table(
        "runs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("integration_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("foreground", sa.Boolean(), nullable=False),
        sa.Column("worker", sa.String(length=120), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("requested_by", sa.String(length=200), nullable=False),
        sa.Column("settings_used", sa.JSON(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("fetched", sa.Integer(), nullable=False),
        sa.Column("registered", sa.Integer(), nullable=False),
        sa.Column("in_journal", sa.Integer(), nullable=False),
        sa.Column("filtered", sa.Integer(), nullable=False),
        sa.Column("already_there", sa.Integer(), nullable=False),
        sa.Column("conflict", sa.Integer(), nullable=False),
        sa.Column("unreadable", sa.Integer(), nullable=False),
        sa.Column("refreshed", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("credit_notes", sa.Integer(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("filter_reasons", sa.JSON(), nullable=False),
        sa.Column("totals", sa.JSON(), nullable=False),
        sa.Column("progress_version", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("fix", sa.Text(), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_runs_integration_id_integrations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_runs_integration_id_id"), "runs", ["integration_id", "id"])
    op.create_index(op.f("ix_runs_state"), "runs", ["state"])
    op.create_index(
        op.f("uq_runs_integration_at_work"),
        "runs",
        ["integration_id"],
        unique=True,
        sqlite_where=_AT_WORK,
        postgresql_where=_AT_WORK,
    )

    op.create_table(
        "series",
        sa.Column("id", _ID, nullable=False),
        sa.Column("integration_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("prefix", sa.String(length=40), nullable=False),
        sa.Column("next", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_series_integration_id_integrations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint("integration_id", "kind", "year", name=op.f("uq_series_integration_id_kind_year")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "journals",
        sa.Column("id", _ID, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("accounting_type", sa.String(length=24), nullable=False),
        sa.Column("integration_id", _ID, nullable=False),
        sa.Column("local_day", sa.Date(), nullable=False),
        sa.Column("run_id", _ID, nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_journals_integration_id_integrations")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_journals_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journals")),
        sa.UniqueConstraint("number", name=op.f("uq_journals_number")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_journals_integration_id"), "journals", ["integration_id"])
    op.create_index(op.f("ix_journals_run_id"), "journals", ["run_id"])

    op.create_table(
        "run_orders",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("store_order_id", _ID, nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.Column("invoice_id", _ID, nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_orders_run_id_runs")),
        sa.ForeignKeyConstraint(
            ["store_order_id"], ["store_orders.id"], name=op.f("fk_run_orders_store_order_id_store_orders")
        ),
        sa.PrimaryKeyConstraint("run_id", "store_order_id", name=op.f("pk_run_orders")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_run_orders_store_order_id"), "run_orders", ["store_order_id"])

    op.create_table(
        "run_slots",
        sa.Column("integration_id", _ID, nullable=False),
        sa.Column("slot_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_run_slots_integration_id_integrations")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_slots_run_id_runs")),
        sa.PrimaryKeyConstraint("integration_id", "slot_at", name=op.f("pk_run_slots")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_run_slots_run_id"), "run_slots", ["run_id"])

    op.create_table(
        "store_order_versions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("store_order_id", _ID, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("raw_page_id", _ID, nullable=False),
        sa.Column("raw_index", sa.Integer(), nullable=False),
        sa.Column("seen_in_run", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["raw_page_id"], ["raw_pages.id"], name=op.f("fk_store_order_versions_raw_page_id_raw_pages")
        ),
        sa.ForeignKeyConstraint(["seen_in_run"], ["runs.id"], name=op.f("fk_store_order_versions_seen_in_run_runs")),
        sa.ForeignKeyConstraint(
            ["store_order_id"], ["store_orders.id"], name=op.f("fk_store_order_versions_store_order_id_store_orders")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_order_versions")),
        sa.UniqueConstraint("store_order_id", "n", name=op.f("uq_store_order_versions_store_order_id_n")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_store_order_versions_raw_page_id"), "store_order_versions", ["raw_page_id"])

    op.create_table(
        "invoices",
        sa.Column("id", _ID, nullable=False),
        sa.Column("store_id", _ID, nullable=False),
        sa.Column("integration_id", _ID, nullable=False),
        sa.Column("store_order_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("superseded", sa.Boolean(), nullable=False),
        sa.Column("number", sa.String(length=120), nullable=True),
        sa.Column("number_key", sa.String(length=120), nullable=True),
        sa.Column("order_number", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("accounting_type", sa.String(length=24), nullable=False),
        sa.Column("journal_id", _ID, nullable=True),
        sa.Column("opened_by_run_id", _ID, nullable=True),
        sa.Column("registered_by_run_id", _ID, nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drafted_from_version_id", _ID, nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("touched_by", sa.String(length=200), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("credits_invoice_id", _ID, nullable=True),
        sa.Column("issued_by_store", sa.Boolean(), nullable=False),
        sa.Column("issue_date", sa.Date(), nullable=False),
        sa.Column("supply_date", sa.Date(), nullable=False),
        sa.Column("vat_date", sa.Date(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("eur_rate", sa.String(length=60), nullable=True),
        sa.Column("customer_id", _ID, nullable=True),
        sa.Column("buyer_name", sa.String(length=400), nullable=False),
        sa.Column("buyer", sa.JSON(), nullable=False),
        sa.Column("ship_country", sa.String(length=2), nullable=False),
        sa.Column("payment", sa.String(length=200), nullable=False),
        sa.Column("payments", sa.JSON(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("rounding", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("net_eur", sa.BigInteger(), nullable=True),
        sa.Column("vat_eur", sa.BigInteger(), nullable=True),
        sa.Column("total_eur", sa.BigInteger(), nullable=True),
        sa.Column("stock_not_moved_reason", sa.String(length=400), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["credits_invoice_id"], ["invoices.id"], name=op.f("fk_invoices_credits_invoice_id_invoices")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_invoices_customer_id_customers")),
        sa.ForeignKeyConstraint(
            ["drafted_from_version_id"],
            ["store_order_versions.id"],
            name=op.f("fk_invoices_drafted_from_version_id_store_order_versions"),
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_invoices_integration_id_integrations")
        ),
        sa.ForeignKeyConstraint(["journal_id"], ["journals.id"], name=op.f("fk_invoices_journal_id_journals")),
        sa.ForeignKeyConstraint(["opened_by_run_id"], ["runs.id"], name=op.f("fk_invoices_opened_by_run_id_runs")),
        sa.ForeignKeyConstraint(
            ["registered_by_run_id"], ["runs.id"], name=op.f("fk_invoices_registered_by_run_id_runs")
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_invoices_store_id_stores")),
        sa.ForeignKeyConstraint(
            ["store_order_id"], ["store_orders.id"], name=op.f("fk_invoices_store_order_id_store_orders")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("number_key", name=op.f("uq_invoices_number_key")),
        sa.UniqueConstraint(
            "store_id", "kind", "external_id", "revision", name=op.f("uq_invoices_store_id_kind_external_id_revision")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_invoices_credits_invoice_id"), "invoices", ["credits_invoice_id"])
    op.create_index(op.f("ix_invoices_customer_id"), "invoices", ["customer_id"])
    op.create_index(op.f("ix_invoices_integration_id"), "invoices", ["integration_id"])
    op.create_index(op.f("ix_invoices_journal_id"), "invoices", ["journal_id"])
    op.create_index(op.f("ix_invoices_opened_by_run_id"), "invoices", ["opened_by_run_id"])
    op.create_index(op.f("ix_invoices_registered_by_run_id"), "invoices", ["registered_by_run_id"])
    op.create_index(op.f("ix_invoices_state_issue_date_id"), "invoices", ["state", "issue_date", "id"])
    op.create_index(op.f("ix_invoices_store_order_id"), "invoices", ["store_order_id"])
    op.create_index(
        op.f("uq_invoices_living"),
        "invoices",
        ["store_id", "external_id"],
        unique=True,
        sqlite_where=_LIVING_INVOICE,
        postgresql_where=_LIVING_INVOICE,
    )

    op.create_table(
        "findings",
        sa.Column("id", _ID, nullable=False),
        sa.Column("invoice_id", _ID, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("stops", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_findings_invoice_id_invoices"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
        sa.UniqueConstraint("invoice_id", "code", "subject", name=op.f("uq_findings_invoice_id_code_subject")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_findings_code_subject"), "findings", ["code", "subject"])

    op.create_table(
        "invoice_lines",
        sa.Column("id", _ID, nullable=False),
        sa.Column("invoice_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("item_id", _ID, nullable=True),
        sa.Column("account", sa.String(length=40), nullable=True),
        sa.Column("store_line_id", sa.String(length=120), nullable=False),
        sa.Column("store_product_id", sa.String(length=120), nullable=False),
        sa.Column("store_variation_id", sa.String(length=120), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sku", sa.String(length=200), nullable=False),
        sa.Column("barcode", sa.String(length=60), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("unit_price", sa.String(length=60), nullable=False),
        sa.Column("discount", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("vat_rate", sa.String(length=60), nullable=True),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("warehouse_id", _ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_invoice_lines_invoice_id_invoices"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_invoice_lines_item_id_items")),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouses.id"], name=op.f("fk_invoice_lines_warehouse_id_warehouses")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_lines")),
        sa.UniqueConstraint("invoice_id", "position", name=op.f("uq_invoice_lines_invoice_id_position")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_invoice_lines_item_id"), "invoice_lines", ["item_id"])

    op.create_table(
        "invoice_vat",
        sa.Column("id", _ID, nullable=False),
        sa.Column("invoice_id", _ID, nullable=False),
        sa.Column("rate", sa.String(length=60), nullable=True),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("amount_eur", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_invoice_vat_invoice_id_invoices"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_vat")),
        sa.UniqueConstraint("invoice_id", "rate", "code", name=op.f("uq_invoice_vat_invoice_id_rate_code")),
        sqlite_autoincrement=True,
    )

    _insert_first_rows()


def downgrade() -> None:
    # The reverse of the order in which they refer to each other.
    for table in (
        "invoice_vat",
        "invoice_lines",
        "findings",
        "invoices",
        "store_order_versions",
        "run_slots",
        "run_orders",
        "journals",
        "series",
        "runs",
        "store_orders",
        "stock_moves",
        "login_links",
        "item_aliases",
        "integrations",
        "customer_keys",
        "balances",
        "warehouses",
        "vat_rates",
        "users",
        "taken_numbers",
        "stores",
        "stock_receipts",
        "raw_pages",
        "items",
        "customers",
        "currency_rates",
        "company",
        "audit",
    ):
        op.drop_table(table)


def _insert_first_rows() -> None:
    company = sa.table(
        "company",
        *(
            sa.column(name)
            for name in ("id", "name", "code", "vat_code", "address", "country", "currency", "time_zone")
        ),
        *(sa.column(name) for name in ("language", "revenue_account", "charges_account")),
        sa.column("is_demo", sa.Boolean()),
    )
    op.execute(
        company.insert().values(
            id=1,
            name="",
            code="",
            vat_code="",
            address="",
            country="LT",
            currency="EUR",
            time_zone="Europe/Vilnius",
            language="en",
            revenue_account="5001",
            charges_account="5002",
            is_demo=False,
        )
    )
    warehouses = sa.table("warehouses", sa.column("code"), sa.column("name"))
    op.execute(warehouses.insert().values(code="MAIN", name="Main"))
