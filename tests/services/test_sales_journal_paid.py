"""The sales journal of imported orders: accounts of payments are left as bank, courier and cards leave them."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.orders import Payment, PaymentKind
from monet_web.domain.sales_journal import Part
from monet_web.models.base import reading
from monet_web.models.invoices import InvoiceKind
from monet_web.services.documents import reissue, sales_journal
from monet_web.services.office import company
from tests.builders import NOON, a_line, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, invoices, put
from tests.services.test_refunds import AUTOMATIC, a_refund, back

Factory = sessionmaker[Session]
Shop = type[ScriptedStore]
D = Decimal
WHO: dict[str, Any] = {"now": NOW, "actor": "jonas@example.com"}
CARD = Payment("stripe", "Card", D("12.10"), kind=PaymentKind.PREPAID)
COURIER = Payment("cod", "COD", D("12.10"), kind=PaymentKind.CASH_ON_DELIVERY)


@pytest.fixture(autouse=True)
def accounts(session: Session) -> None:
    typed = {"prepaid_account": "2715", "cod_account": "2716", "gift_card_account": "4480"}
    company.set_values(session, typed, now=NOON, actor="ona")


def balances(session: Session, *parts: Part) -> dict[str, Decimal]:
    """Account → debits less credits of November, those at 0 left out."""
    with reading(session):
        found = sales_journal.load(session, date(2026, 11, 1))
    sums: dict[str, Decimal] = defaultdict(lambda: D(0))
    for row in found.rows:
        if not parts or row.part in parts:
            sums[row.account] += row.debit - row.credit
    assert sum((row.debit - row.credit for row in found.rows), D(0)) == 0
    return {account: amount for account, amount in sums.items() if amount}


def paid(session: Session) -> dict[str, Decimal]:
    return balances(session, Part.PAYMENT)


def test_a_refund_is_credited_where_the_invoice_was_debited_and_named_as_it_was_paid(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, **AUTOMATIC)
    for refunds in ((), (a_refund(back()),)):
        put(store, an_order(payments=(CARD,), refunds=refunds))
        import_all(session_factory, integration)
    assert [one.kind for one in invoices(session)] == [InvoiceKind.INVOICE, InvoiceKind.CREDIT_NOTE]
    assert paid(session) == {}
    with reading(session):
        rows = sales_journal.load(session, date(2026, 11, 1)).rows
    assert {(row.payment, row.is_credit_note) for row in rows} == {("Card", False), ("Card", True)}


def test_a_parcel_that_nobody_paid_for_leaves_nothing_at_the_courier_and_nothing_owed(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    put(store, an_order(paid_at=None, payments=(COURIER,)))
    import_all(session_factory, integrate(session, **AUTOMATIC))
    assert paid(session) == {"2716": D("12.10")}
    reissue.uncollected(session, invoices(session)[0].id, **WHO)
    assert paid(session) == {}


def test_one_receipt_is_debited_once_however_often_the_invoice_is_issued_again(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    put(store, an_order(payments=(CARD,)))
    import_all(session_factory, integrate(session, **AUTOMATIC))
    for name in ("Petras", "Jonas"):
        reissue.to_another_buyer(session, invoices(session)[-1].id, {"name": name}, **WHO)
        assert paid(session) == {"2715": D("12.10")}
    assert len(invoices(session)) == 5


def test_what_is_issued_again_of_a_rest_that_was_paid_in_two_ways_stands_in_proportion(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    parts = (Payment("gift", "Gift card", D("2.00"), kind=PaymentKind.GIFT_CARD), Payment(
        "stripe", "Card", D("5.00"), kind=PaymentKind.PREPAID))  # fmt: skip
    line = a_line(quantity=D(4), unit_price=D("2.50"))
    half = back(quantity="2", net="5.00", vat="1.05")
    put(store, an_order(lines=(line,), payments=parts, refunds=(a_refund(half),)))
    import_all(session_factory, integrate(session, **AUTOMATIC))
    halves = {"4480": D("1.00"), "2715": D("2.50"), "2410": D("2.55")}
    assert paid(session) == halves
    new = reissue.to_another_buyer(session, invoices(session)[0].id, {"name": "Petras"}, **WHO)
    assert new.registered
    assert paid(session) == halves


def test_a_part_that_is_paid_leaves_the_rest_owed(session: Session, session_factory: Factory, store: Shop) -> None:
    put(store, an_order(payments=(Payment("gift", "Gift card", D("2.00"), kind=PaymentKind.GIFT_CARD),)))
    import_all(session_factory, integrate(session, **AUTOMATIC))
    assert paid(session) == {"4480": D("2.00"), "2410": D("10.10")}
