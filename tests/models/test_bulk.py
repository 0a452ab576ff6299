"""Bulk writing: the same rows, types, defaults and errors as an insert of SQLAlchemy's own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from monet_web.models import AuditEntry, Customer, Invoice
from monet_web.models.base import reading, writing
from monet_web.models.bulk import insert_rows
from monet_web.services.documents.search import found_by
from tests.builders import a_run, a_store_order, a_version, an_integration, an_invoice

AT = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)


def entry(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "at": AT, "actor": f"ąž'\"\\\t\n{number}", "action": "registered", "subject_kind": "invoice",
        "subject_id": number, "before": None, "after": {"total": "1.10", "ž": ["\\N", None]},
    } | changes  # fmt: skip


def kept(session: Session) -> list[tuple[Any, ...]]:
    with reading(session):
        rows = session.scalars(
            select(AuditEntry).order_by(AuditEntry.subject_id).execution_options(populate_existing=True)
        )
        return [(row.at, row.actor, row.action, row.subject_kind, row.before, row.after) for row in rows]


def test_rows_are_kept_as_an_insert_keeps_them(session: Session) -> None:
    with writing(session):
        session.execute(insert(AuditEntry), [entry(1), entry(2)])
    by_insert = kept(session)
    with writing(session):
        session.query(AuditEntry).delete()
    with writing(session):
        insert_rows(session, AuditEntry, [entry(1), entry(2)])
    assert kept(session) == by_insert
    assert len(by_insert) == 2


def test_columns_that_no_row_names_get_their_defaults(session: Session) -> None:
    with writing(session):
        insert_rows(session, Customer, [{"id": 7, "name": "Ona", "address": {"city": "Vilnius"}}])
    with reading(session):
        customer = session.get_one(Customer, 7)
        assert (customer.is_company, customer.vat_code, customer.address) == (False, "", {"city": "Vilnius"})


def test_a_violated_index_is_an_integrity_error_and_nothing_stays(session: Session) -> None:
    row = {"id": 7, "name": "Ona", "address": {}}
    with pytest.raises(IntegrityError), writing(session):
        insert_rows(session, Customer, [row, row])
    with reading(session):
        assert session.get(Customer, 7) is None


def test_a_naive_time_is_refused_as_everywhere(session: Session) -> None:
    with pytest.raises(ValueError, match="naive"), writing(session):
        insert_rows(session, AuditEntry, [entry(1, at=AT.replace(tzinfo=None))])


@pytest.mark.parametrize("rows", [[], ()])
def test_no_rows_ask_nothing(session: Session, rows: Any) -> None:
    with writing(session):
        insert_rows(session, AuditEntry, rows)
    assert kept(session) == []


def test_a_value_that_the_database_refuses_is_a_database_error(session: Session) -> None:
    if session.get_bind().dialect.name == "sqlite":
        pytest.skip("SQLite keeps any text")
    with pytest.raises(DataError), writing(session):
        insert_rows(session, AuditEntry, [entry(1, actor="a\x00b")])


@pytest.mark.parametrize("count", [3, 64, 87, 150])
def test_each_of_many_invoices_is_kept_once_and_found_by_its_words(session: Session, count: int) -> None:
    with writing(session):
        integration = an_integration(session)
        version = a_version(session, a_store_order(session, integration), a_run(session, integration))
        first = an_invoice(session, version, number="KL-0")
    with reading(session):
        columns = Invoice.__table__.columns
        one = {column.name: getattr(session.get_one(Invoice, first.id), column.name) for column in columns}
    own: list[dict[str, Any]] = [
        {"id": 1000 + n, "number": f"KL-{n}", "number_key": f"kl-{n}", "external_id": f"x{n}", "search_text": f"w{n}"}
        for n in range(1, count + 1)
    ]
    with writing(session):
        insert_rows(session, Invoice, [one | each for each in own])
    with reading(session):
        rows = session.execute(select(Invoice.id, Invoice.number, Invoice.total, Invoice.issue_date).order_by("id"))
        assert [tuple(row) for row in rows][1:] == [
            (each["id"], each["number"], one["total"], one["issue_date"]) for each in own
        ]
        for each in (own[0], own[-1]):
            found = session.scalars(select(Invoice.id).where(*found_by(session, each["search_text"]).conditions)).all()
            assert each["id"] in found
