"""An import asks for what its pages need and goes through no table that grows with the years: it stays as quick."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.models import CustomerKey
from monet_web.models.base import reading, writing
from tests.builders import a_line, an_item, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, put

pytestmark = pytest.mark.unused_database

GROWING = (
    "raw_pages", "store_orders", "store_order_versions", "customers", "customer_keys", "invoices", "invoice_lines",
    "invoice_vat", "findings", "stock_moves", "run_orders", "audit",
)  # fmt: skip
Asked = dict[str, Any]


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    for name, value in (("ORDERS", {}), ("SAID", []), ("PAGE", 2), ("before_page", None)):
        monkeypatch.setattr(ScriptedStore, name, value)


@contextmanager
def asked(session: Session) -> Iterator[Asked]:
    """Statements that look for rows, each with the parameters of its first time."""
    found: Asked = {}

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, is_many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            found.setdefault(statement, parameters[0] if is_many else parameters)

    event.listen(session.get_bind(), "before_cursor_execute", note)
    yield found
    event.remove(session.get_bind(), "before_cursor_execute", note)


def gone_through(session: Session, statements: Asked) -> list[tuple[str, str]]:
    """(line of the plan, statement) where a growing table or its index is read from end to end."""
    told = []
    with reading(session):
        connection = session.connection()
        is_sqlite = connection.dialect.name == "sqlite"
        if not is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for statement, parameters in statements.items():
            explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
            for row in connection.exec_driver_sql(f"{explain} {statement}", parameters).all():
                line = str(row[-1]).strip().removeprefix("->").strip()
                begins = [f"{'SCAN' if is_sqlite else 'Seq Scan on'} {table}" for table in GROWING]
                if any(f"{line} ".startswith(f"{begin} ") for begin in begins):
                    told.append((line, statement))
    return told


def test_an_import_goes_through_no_table_that_grows(session: Session, session_factory: sessionmaker[Session]) -> None:
    with writing(session):
        an_item(session, "KN-01", on_hand=99)
    put(ScriptedStore, *(an_order(external_id=f"{n}", number=f"{n}", lines=(a_line(product_id=""),)) for n in range(5)))
    integration = integrate(session, "Kava", private_buyers="each")
    with asked(session) as statements:
        assert import_all(session_factory, integration).registered == 5
        assert import_all(session_factory, integration).already_there == 5
    assert any(" customer_keys" in statement for statement in statements)
    assert gone_through(session, statements) == []


def test_a_query_that_no_index_leads_is_told(session: Session) -> None:
    with reading(session), asked(session) as statements:
        session.execute(select(CustomerKey.id).where(CustomerKey.customer_id + 0 == 1)).all()
    assert len(gone_through(session, statements)) == 1
