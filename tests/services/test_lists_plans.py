"""The lists never go through all invoices: what the databases say of how they answer the queries of the pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from monet_web.models import AuditEntry, Invoice
from monet_web.models.audit import IS_DELETED_INVOICE
from monet_web.models.base import reading
from monet_web.services.books import waiting_figures
from monet_web.services.customers import found
from monet_web.services.documents import causes, invoice_list, journals, unsettled, waiting
from monet_web.services.documents.invoice_list import SORTS, Wanted
from monet_web.services.documents.search import found_by
from monet_web.services.documents.waiting import Which
from monet_web.services.goods import item_lists
from monet_web.services.office import periods
from tests.services.scripted import NOW

pytestmark = pytest.mark.unused_database

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
WANTED = {
    "all": Wanted(),
    "words": Wanted(text="KL-1001 ona"),
    "store": Wanted(integration_id=2),
    "foreign": Wanted(currency="USD"),
    "days": Wanted(first=FIRST, last=LAST),
    "notices": Wanted(has_notices=True),
    "changed": Wanted(is_changed=True),
}
Asking = Callable[[Session], object]
LISTS: dict[str, Asking] = {
    **{name: lambda session, wanted=wanted: invoice_list.page(session, wanted) for name, wanted in WANTED.items()},  # type: ignore[misc]
    **{
        f"counted {name}": lambda session, wanted=wanted: invoice_list.counted(session, wanted)  # type: ignore[misc]
        for name, wanted in WANTED.items()
    },
    # Of so few rows PostgreSQL takes any index of their order; of many its statistics tell which words are rare.
    "words alone": lambda session: session.execute(select(Invoice.id).where(*found_by(session, "ona").conditions)),
    "waiting": lambda session: waiting.page(session, Which(), after=5),
    "waiting of a journal": lambda session: waiting.page(session, Which(journal_id=1)),
    "waiting of a cause": lambda session: waiting.page(session, Which(code="item_unknown", subject="KN-01")),
    "waiting words": lambda session: waiting.page(session, Which(text="ona")),
    "waiting ids": lambda session: waiting.ids(session, Which(), limit=100),
    "causes": causes.causes,
    "summary": lambda session: waiting.summary(session, Which(integration_id=1)),
    "journals": journals.list_journals,
    "items": lambda session: item_lists.list_items(session, only="waiting"),
    "stock to settle": unsettled.page,
}


@contextmanager
def asked(session: Session) -> Iterator[list[tuple[str, Any]]]:
    found: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        found.append((statement, parameters))

    event.listen(session.get_bind(), "before_cursor_execute", note)
    yield found
    event.remove(session.get_bind(), "before_cursor_execute", note)


def plans(session: Session, ask: Asking, *, in_order: bool = True, table: str = "invoices") -> list[str]:
    """How each query that names the table is answered, as one text each; no rows are needed for that."""
    with reading(session), asked(session) as found:
        ask(session)
    queries = [one for one in found if one[0].startswith("SELECT") and f" {table}" in one[0]]
    told = []
    with reading(session):
        connection = session.connection()
        is_sqlite = connection.dialect.name == "sqlite"
        if not is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_sort = off")
            connection.exec_driver_sql(f"SET LOCAL enable_indexscan = {'on' if in_order else 'off'}")
        for statement, parameters in queries:
            rows = connection.exec_driver_sql(
                f"EXPLAIN {'QUERY PLAN ' if is_sqlite else ''}{statement}", parameters
            ).all()
            told.append("\n".join(str(row[-1]) for row in rows))
    return told


def goes_through_all(plan: str) -> list[str]:
    """Lines that read the table of invoices from end to end."""
    lines = [line.strip() for line in plan.splitlines()]
    return [
        line
        for line in lines
        if "Seq Scan on invoices" in line or (line.startswith("SCAN invoices") and "USING" not in line)
    ]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_does_not_go_through_all_invoices(session: Session, name: str) -> None:
    found = plans(session, LISTS[name])
    assert [line for plan in found for line in goes_through_all(plan)] == []


@pytest.mark.parametrize(
    ("name", "on_sqlite", "on_postgresql"),
    [
        ("words alone", "INTEGER PRIMARY KEY (rowid=?)", "ix_invoices_words"),
        ("changed", "INTEGER PRIMARY KEY (rowid=?)", "ix_findings_code_subject"),
        ("foreign", "ix_invoices_foreign", "ix_invoices_foreign"),
        # Of no rows PostgreSQL takes either index of days; its statistics tell it which stores have few.
        ("store", "ix_invoices_integration_id_state_issue_date_id", "state_issue_date_id"),
        ("waiting", "ix_invoices_waiting", "ix_invoices_waiting"),
        ("waiting ids", "ix_invoices_waiting", "ix_invoices_waiting"),
        ("waiting of a journal", "ix_invoices_journal_id", "ix_invoices_journal_id"),
    ],
)
def test_the_index_that_was_made_for_a_list_leads_it(
    session: Session, name: str, on_sqlite: str, on_postgresql: str
) -> None:
    wanted = on_sqlite if session.get_bind().dialect.name == "sqlite" else on_postgresql
    assert any(wanted in plan for plan in plans(session, LISTS[name], in_order=name != "words alone"))


def test_a_search_that_no_index_leads_is_told(session: Session) -> None:
    [plan] = plans(session, lambda session: session.execute(select(Invoice.id).where(Invoice.note == "x")).all())
    assert goes_through_all(plan)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", SORTS)
def test_a_sorted_list_is_read_in_its_order(session: Session, sort: str, descending: bool) -> None:
    for after in (None, 3):
        plan = plans(
            session,
            lambda session, after=after: invoice_list.page(  # type: ignore[misc]
                session, Wanted(), sort=sort, descending=descending, after=after
            ),
        )[0]
        assert goes_through_all(plan) == []
        lines = [line.strip().removeprefix("->").strip() for line in plan.splitlines()]
        # PostgreSQL sorts what one number has by its id, which is one row.
        assert [line for line in lines if "TEMP B-TREE" in line or line.startswith("Sort  (")] == []


def test_what_waits_is_counted_once_until_it_changes(session: Session) -> None:
    with reading(session):
        waiting_figures.of_all(session)
    with reading(session), asked(session) as found:
        waiting_figures.of_all(session)
    assert len([statement for statement, _ in found if statement.startswith("SELECT")]) == 1


def test_a_month_of_closing_is_added_up_of_an_index_alone(session: Session) -> None:
    told = plans(session, lambda session: periods.books(session, now=NOW))
    assert [line for plan in told for line in goes_through_all(plan)] == []
    by_day = next(plan for plan in told if "ix_invoices_state_issue_date_id_sums" in plan)
    wanted = (
        "COVERING INDEX ix_invoices_state_issue_date_id_sums"
        if _is_sqlite(session)
        else "Index Only Scan using ix_invoices_state_issue_date_id_sums"
    )
    assert wanted in by_day
    assert "ix_invoices_foreign" in "".join(told)


def test_deleted_invoices_are_found_among_all_entries_by_an_index_of_theirs(session: Session) -> None:
    def ask(session: Session) -> None:
        session.execute(select(AuditEntry.id).where(IS_DELETED_INVOICE).order_by(AuditEntry.id)).all()

    [plan] = plans(session, ask, table="audit")
    assert "ix_audit_deleted_invoices" in plan


def test_customers_are_looked_for_in_the_order_of_their_names(session: Session) -> None:
    [plan] = plans(session, lambda session: found.page(session, found.Wanted("ona")), table="customers")
    assert "ix_customers_by_name" in plan
    assert "TEMP B-TREE" not in plan
    [counted] = plans(session, lambda session: found.counted(session, found.Wanted("ona")), table="customers")
    assert ("COVERING INDEX" if _is_sqlite(session) else "ix_customers_by_name") in counted


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
