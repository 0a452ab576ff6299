"""The database itself refuses the second row, whatever runs at the same time: every unique index, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from monet_web.models import (
    AuditEntry,
    Balance,
    Base,
    Company,
    CurrencyRate,
    Customer,
    CustomerKey,
    Integration,
    Invoice,
    InvoiceFinding,
    InvoiceLine,
    InvoiceVat,
    Item,
    ItemAlias,
    Journal,
    LoginLink,
    Run,
    RunOrder,
    RunSlot,
    Series,
    StockMove,
    Store,
    StoreOrder,
    StoreOrderVersion,
    TakenNumber,
    User,
    VatRateRow,
    Warehouse,
)
from monet_web.models.base import writing
from monet_web.models.customers import CustomerKeyKind
from monet_web.models.integrations import IntegrationState
from monet_web.models.invoices import AccountingType, InvoiceKind, InvoiceState
from monet_web.models.items import AliasKind
from monet_web.models.runs import RunState
from monet_web.models.users import Role
from tests.builders import NOON, a_run, a_store_order, a_version, an_integration, an_invoice, an_item

DAY = date(2026, 11, 23)


@pytest.fixture
def writer(session: Session) -> Iterator[Session]:
    """A session inside its one writing transaction."""
    with writing(session):
        yield session


def refused(session: Session, row: Base) -> None:
    savepoint = session.begin_nested()
    session.add(row)
    with pytest.raises(IntegrityError):
        session.flush()
    savepoint.rollback()


def taken(session: Session, *rows: Base) -> None:
    session.add_all(rows)
    session.flush()


# --- integrations and runs


def test_a_store_is_known_once(writer: Session) -> None:
    taken(writer, Store(platform="woocommerce", store_key="kl.example.com"))
    taken(writer, Store(platform="prestashop", store_key="kl.example.com"))
    refused(writer, Store(platform="woocommerce", store_key="kl.example.com"))


def test_the_name_of_a_living_integration_is_taken(writer: Session) -> None:
    first = an_integration(writer, "KL")
    stores = [Store(platform="woocommerce", store_key=key) for key in ("a", "b")]
    taken(writer, *stores)
    same: dict[str, Any] = {"name": "kl", "name_key": "kl", "created_at": NOON, "secrets": {}}
    refused(writer, Integration(store_id=stores[0].id, **same))
    refused(writer, Integration(store_id=stores[0].id, state=IntegrationState.OFF, **same))
    first.state = IntegrationState.RETIRED
    writer.flush()
    taken(writer, Integration(store_id=stores[0].id, **same))
    taken(writer, Integration(store_id=stores[1].id, state=IntegrationState.RETIRED, **same))


def test_a_store_has_one_living_integration(writer: Session) -> None:
    first = an_integration(writer, "KL")
    refused(writer, Integration(store_id=first.store_id, name="B", name_key="b", created_at=NOON, secrets={}))
    first.state = IntegrationState.RETIRED
    writer.flush()
    an_integration(writer, "B", store=first.store)


@pytest.mark.parametrize("at_work", [RunState.RUNNING, RunState.STOPPING])
@pytest.mark.parametrize("second", [RunState.RUNNING, RunState.STOPPING])
def test_an_integration_has_one_run_at_work(writer: Session, at_work: RunState, second: RunState) -> None:
    integration = an_integration(writer)
    run = a_run(writer, integration, state=at_work)
    waiting = a_run(writer, integration, state=RunState.QUEUED)
    savepoint = writer.begin_nested()
    with pytest.raises(IntegrityError):
        writer.execute(update(Run).where(Run.id == waiting.id).values(state=second))
    savepoint.rollback()
    writer.execute(update(Run).where(Run.id == run.id).values(state=RunState.DONE))
    writer.execute(update(Run).where(Run.id == waiting.id).values(state=second))
    a_run(writer, an_integration(writer, "OTHER"), state=RunState.RUNNING)


def test_a_slot_belongs_to_one_run(writer: Session) -> None:
    integration = an_integration(writer)
    run, other = a_run(writer, integration), a_run(writer, integration)
    taken(writer, RunSlot(integration_id=integration.id, slot_at=NOON, run_id=run.id))
    taken(writer, RunSlot(integration_id=an_integration(writer, "OTHER").id, slot_at=NOON, run_id=other.id))
    slot = {"integration_id": integration.id, "slot_at": NOON, "run_id": other.id}
    with pytest.raises(IntegrityError):
        writer.execute(insert(RunSlot), [slot])


def test_a_run_has_one_outcome_an_order(writer: Session) -> None:
    integration = an_integration(writer)
    run, order = a_run(writer, integration), a_store_order(writer, integration)
    taken(writer, RunOrder(run_id=run.id, store_order_id=order.id, outcome="registered"))
    with pytest.raises(IntegrityError):
        writer.execute(insert(RunOrder), [{"run_id": run.id, "store_order_id": order.id, "outcome": "filtered"}])


# --- orders


def test_an_order_of_a_store_is_remembered_once(writer: Session) -> None:
    first, second = an_integration(writer, "A"), an_integration(writer, "B")
    a_store_order(writer, first, "9001")
    a_store_order(writer, second, "9001")
    refused(writer, StoreOrder(store_id=first.store_id, external_id="9001"))


def test_a_version_of_an_order_has_its_number_alone(writer: Session) -> None:
    integration = an_integration(writer)
    run, order = a_run(writer, integration), a_store_order(writer, integration)
    version = a_version(writer, order, run, 1)
    a_version(writer, order, run, 2)
    same = {"content_hash": bytes(16), "raw_page_id": version.raw_page_id, "raw_index": 1, "seen_in_run": run.id}
    refused(writer, StoreOrderVersion(store_order_id=order.id, n=2, **same))


# --- invoices


@pytest.fixture
def version(writer: Session) -> StoreOrderVersion:
    integration = an_integration(writer)
    return a_version(writer, a_store_order(writer, integration), a_run(writer, integration))


def invoice_like(invoice: Invoice, **changes: Any) -> Invoice:
    columns = [column.key for column in Invoice.__mapper__.column_attrs if column.key not in ("id", "row_version")]
    return Invoice(**{**{name: getattr(invoice, name) for name in columns}, **changes})


def test_a_document_of_a_store_is_there_once_a_revision(writer: Session, version: StoreOrderVersion) -> None:
    first = an_invoice(writer, version, superseded=True)
    again = {"number": "B", "number_key": "b"}
    refused(writer, invoice_like(first, **again))
    taken(writer, invoice_like(first, revision=2, **again))
    other = an_integration(writer, "OTHER")
    taken(writer, invoice_like(first, store_id=other.store_id, number="C", number_key="c"))
    taken(writer, invoice_like(first, kind=InvoiceKind.CREDIT_NOTE, number="D", number_key="d"))


def test_an_order_has_one_living_invoice(writer: Session, version: StoreOrderVersion) -> None:
    first = an_invoice(writer, version)
    refused(writer, invoice_like(first, revision=2, number="B", number_key="b"))
    refused(writer, invoice_like(first, revision=2, number=None, number_key=None, state=InvoiceState.IN_JOURNAL))
    taken(writer, invoice_like(first, kind=InvoiceKind.CREDIT_NOTE, revision=2, number="C", number_key="c"))
    first.superseded = True
    writer.flush()
    taken(writer, invoice_like(first, revision=2, superseded=False, number="D", number_key="d"))


def test_a_number_is_on_one_document_of_all_stores_in_a_journal_or_not(
    writer: Session, version: StoreOrderVersion
) -> None:
    first = an_invoice(writer, version, number="KL1001")
    other = an_integration(writer, "OTHER")
    elsewhere = {"store_id": other.store_id, "integration_id": other.id, "number": "kl1001", "number_key": "kl1001"}
    refused(writer, invoice_like(first, state=InvoiceState.IN_JOURNAL, **elsewhere))
    refused(writer, invoice_like(first, kind=InvoiceKind.CREDIT_NOTE, **elsewhere))


def test_documents_without_a_number_do_not_meet(writer: Session, version: StoreOrderVersion) -> None:
    first = an_invoice(writer, version, number=None)
    other = an_integration(writer, "OTHER")
    taken(writer, invoice_like(first, store_id=other.store_id))


def test_what_belongs_to_an_invoice_is_there_once_and_goes_with_it(writer: Session, version: StoreOrderVersion) -> None:
    invoice = an_invoice(writer, version)
    line: dict[str, Any] = {
        "invoice_id": invoice.id, "position": 1, "kind": "goods", "name": "Notebook", "quantity": Decimal(1),
        "unit_price": Decimal(10), "discount": Decimal(0), "net": Decimal(10), "vat": Decimal("2.10"),
    }  # fmt: skip
    vat: dict[str, Any] = {"rate": Decimal(21), "base": Decimal(10), "amount": Decimal("2.10")}
    finding = {"invoice_id": invoice.id, "code": "item_unknown", "subject": "KN-01"}
    taken(writer, InvoiceLine(**line), InvoiceVat(invoice_id=invoice.id, **vat), InvoiceFinding(**finding))
    refused(writer, InvoiceLine(**line))
    refused(writer, InvoiceVat(invoice_id=invoice.id, **vat))
    refused(writer, InvoiceFinding(**finding))
    taken(writer, InvoiceFinding(**{**finding, "subject": "KN-02"}))
    writer.execute(delete(Invoice).where(Invoice.id == invoice.id))
    for table in (InvoiceLine, InvoiceVat, InvoiceFinding):
        assert writer.scalars(select(table.id)).all() == []


def test_the_number_of_a_journal_is_taken(writer: Session) -> None:
    integration = an_integration(writer)
    journal: dict[str, Any] = {"accounting_type": AccountingType.GOODS, "integration_id": integration.id}
    taken(writer, Journal(number="J1", local_day=DAY, **journal))
    refused(writer, Journal(number="J1", local_day=DAY, **journal))


def test_a_series_of_an_integration_is_one_a_kind_year_and_prefix(writer: Session) -> None:
    integration = an_integration(writer)
    taken(writer, Series(integration_id=integration.id, kind="invoice", year=2026))
    taken(writer, Series(integration_id=integration.id, kind="credit_note", year=2026))
    taken(writer, Series(integration_id=integration.id, kind="invoice", year=2027))
    taken(writer, Series(integration_id=integration.id, kind="invoice", year=2026, prefix="KL-"))
    refused(writer, Series(integration_id=integration.id, kind="invoice", year=2026))


def test_a_number_used_elsewhere_is_listed_once(writer: Session) -> None:
    taken(writer, TakenNumber(number="A 1", number_key="a 1"))
    refused(writer, TakenNumber(number="a 1", number_key="a 1"))


# --- items, stock, customers


def test_an_item_code_is_taken_whatever_its_case(writer: Session) -> None:
    an_item(writer, "KN-01")
    refused(writer, Item(code="kn-01", code_key="kn-01", name="Other"))


def test_an_alias_of_a_store_names_one_item(writer: Session) -> None:
    first, second = an_item(writer, "A"), an_item(writer, "B")
    alias: dict[str, Any] = {"kind": AliasKind.SKU, "value": "KN-01", "value_key": "kn-01"}
    taken(writer, ItemAlias(store_id=1, item_id=first.id, **alias))
    taken(writer, ItemAlias(store_id=0, item_id=second.id, **alias))
    taken(writer, ItemAlias(store_id=1, item_id=second.id, **{**alias, "kind": AliasKind.BARCODE}))
    refused(writer, ItemAlias(store_id=1, item_id=second.id, **alias))
    refused(writer, ItemAlias(store_id=0, item_id=first.id, **alias))


def test_a_balance_never_goes_below_zero(writer: Session) -> None:
    item = an_item(writer, on_hand="0.5")
    on_hand = update(Balance).where(Balance.item_id == item.id)
    writer.execute(on_hand.values(on_hand=Balance.on_hand - Decimal("0.5")))
    savepoint = writer.begin_nested()
    with pytest.raises(IntegrityError):
        writer.execute(on_hand.values(on_hand=Balance.on_hand - Decimal("0.000001")))
    savepoint.rollback()
    assert writer.scalars(select(Balance.on_hand)).all() == [Decimal(0)]


def test_an_item_has_one_balance_in_a_warehouse(writer: Session) -> None:
    item = an_item(writer, on_hand=1)
    with pytest.raises(IntegrityError):
        writer.execute(insert(Balance), [{"warehouse_id": 1, "item_id": item.id, "on_hand": Decimal(2)}])


def test_a_line_of_a_document_moves_stock_once(writer: Session) -> None:
    item = an_item(writer)
    move: dict[str, Any] = {"item_id": item.id, "warehouse_id": 1, "quantity": Decimal(-1), "day": DAY}
    taken(writer, StockMove(document_type="invoice", document_id=1, position=1, **move))
    taken(writer, StockMove(document_type="receipt", document_id=1, position=1, **move))
    refused(writer, StockMove(document_type="invoice", document_id=1, position=1, **move))


def test_a_warehouse_code_is_taken(writer: Session) -> None:
    refused(writer, Warehouse(code="MAIN", name="Another"))


def test_a_key_recognises_one_customer(writer: Session) -> None:
    first, second = Customer(name="A"), Customer(name="B")
    taken(writer, first, second)
    taken(writer, CustomerKey(kind=CustomerKeyKind.EMAIL, value="ona@example.com", customer_id=first.id))
    taken(writer, CustomerKey(kind=CustomerKeyKind.VAT, value="ona@example.com", customer_id=second.id))
    refused(writer, CustomerKey(kind=CustomerKeyKind.EMAIL, value="ona@example.com", customer_id=second.id))


# --- company, rates, people


def test_there_is_one_company(writer: Session) -> None:
    refused(writer, Company(id=2))
    assert writer.scalars(select(Company.id)).all() == [1]


def test_a_currency_has_one_rate_a_day(writer: Session) -> None:
    taken(writer, CurrencyRate(day=DAY, currency="USD", rate=Decimal("1.1527")))
    refused(writer, CurrencyRate(day=DAY, currency="USD", rate=Decimal("1.2")))


def test_a_vat_rate_begins_once_on_a_day(writer: Session) -> None:
    taken(writer, VatRateRow(country="LT", percent=Decimal(21), valid_from=DAY))
    refused(writer, VatRateRow(country="LT", percent=Decimal(21), valid_from=DAY))


def test_an_e_mail_is_one_persons_and_a_link_is_used_by_one(writer: Session) -> None:
    ona = User(email="ona@example.com", role=Role.OFFICE, created_at=NOON)
    taken(writer, ona)
    refused(writer, User(email="ona@example.com", role=Role.VIEWER, created_at=NOON))
    taken(writer, LoginLink(user_id=ona.id, token_hash="0" * 64, expires_at=NOON))
    refused(writer, LoginLink(user_id=ona.id, token_hash="0" * 64, expires_at=NOON))


def test_the_audit_trail_outlives_its_subjects(writer: Session) -> None:
    taken(writer, AuditEntry(at=NOON, actor="run 12", action="deleted", subject_kind="invoice", subject_id=999))


def test_a_row_can_not_refer_to_one_that_is_not_there(session: Session) -> None:
    def write() -> None:
        with writing(session):
            session.add(Integration(store_id=999, name="KL", name_key="kl", created_at=NOON, secrets={}))

    with pytest.raises(IntegrityError):
        write()
