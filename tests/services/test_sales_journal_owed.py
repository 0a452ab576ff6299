"""A gift card that is sold and a deposit are owed, not earned: revenue is what they are used for, once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.orders import LineKind, Payment, PaymentKind
from monet_web.models import Company, InvoiceLine
from monet_web.models.base import reading, writing
from monet_web.models.users import Role
from monet_web.services.documents import sales_journal
from monet_web.services.office import company
from tests.builders import NOON, a_charge, a_line, an_item, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, invoices, put
from tests.web.integrating import browser

Factory = sessionmaker[Session]
Shop = type[ScriptedStore]
D = Decimal
SOLD = a_line(
    external_id="12", kind=LineKind.VOUCHER, name="Gift card", sku="GC", product_id="8", net=D("12.10"),
    unit_price=D("12.10"), taxes=(),
)  # fmt: skip
USED = Payment("gc", "Gift card", D("12.10"), kind=PaymentKind.GIFT_CARD)
BOTTLE = a_charge(kind=LineKind.DEPOSIT, net=D("0.10"), taxes=())
OWN = {"prepaid_account": "2715", "gift_card_account": "4480", "deposit_account": "4490"}


def booked(session: Session) -> dict[str, tuple[Decimal, Decimal]]:
    """Account → (debit, credit) of November."""
    with reading(session):
        found = sales_journal.load(session, date(2026, 11, 1)).by_account
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for _, account, _, _, debit, credit in found:
        before = sums.get(account, (D(0), D(0)))
        sums[account] = before[0] + debit, before[1] + credit
    return sums


@pytest.mark.parametrize("accounting_type", ["goods", "amounts"])
def test_a_gift_card_sold_and_used_is_revenue_once_and_a_deposit_is_none(
    session: Session, session_factory: Factory, store: Shop, accounting_type: str
) -> None:
    company.set_values(session, OWN, now=NOON, actor="ona")
    with writing(session):
        an_item(session, on_hand=10)
    card = Payment("stripe", "Card", D("12.20"), kind=PaymentKind.PREPAID)
    sold = an_order(lines=(SOLD,), charges=(BOTTLE,), payments=(card,))
    put(store, sold, an_order(external_id="2", number="2", payments=(USED,)))
    import_all(session_factory, integrate(session, accounting_type=accounting_type))
    assert booked(session) == {
        "2715": (D("12.20"), D(0)), "4480": (D("12.10"), D("12.10")), "4490": (D(0), D("0.10")),
        "5001": (D(0), D("10.00")), "4492": (D(0), D("2.10")),
    }  # fmt: skip


def test_lines_of_amounts_name_those_accounts_and_what_earlier_ones_named_counts_no_revenue(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    company.set_values(session, OWN, now=NOON, actor="ona")
    put(store, an_order(lines=(SOLD, a_line()), charges=(BOTTLE, a_charge())))
    import_all(session_factory, integrate(session, accounting_type="amounts"))
    (invoice,) = invoices(session)
    assert [line.account for line in invoice.lines] == ["4480", "5001", "4490", "5002"]
    now = booked(session)
    with writing(session):
        session.execute(update(InvoiceLine).where(InvoiceLine.account.in_(("4480", "4490"))).values(account="5002"))
    assert booked(session) == now
    with writing(session):  # a person's own choice stays
        session.execute(update(InvoiceLine).where(InvoiceLine.kind == LineKind.VOUCHER).values(account="4499"))
    assert booked(session)["4499"] == (D(0), D("12.10"))


def test_without_accounts_of_their_own_they_are_what_buyers_owe(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    put(store, an_order(lines=(SOLD,), charges=(BOTTLE,)))
    import_all(session_factory, integrate(session, accounting_type="amounts"))
    assert booked(session) == {"2410": (D("12.20"), D("12.20"))}
    company.set_values(session, {"gift_card_account": "4480"}, now=NOON, actor="ona")
    assert booked(session)["4480"] == (D(0), D("12.10"))


def test_the_tax_code_of_goods_stays_on_revenue_beside_a_gift_card_of_the_same_rate(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    with writing(session):
        session.execute(update(Company).values(vat_payer=False, gift_card_account="4480"))
    put(store, an_order(lines=(SOLD, a_line(taxes=())), charges=(a_charge(taxes=()),)))
    import_all(session_factory, integrate(session, accounting_type="amounts"))
    assert {account: credit for account, (_, credit) in booked(session).items() if credit} == {
        "4480": D("12.10"), "5001": D("10.00"), "5002": a_charge().net,
    }  # fmt: skip


def test_the_account_of_deposits_is_typed_on_the_page(app: Flask, session: Session) -> None:
    client = browser(app, session, Role.ADMINISTRATOR)
    page = client.get("/settings").get_data(as_text=True)
    assert "Deposits on packaging" in page
    assert client.post("/settings/company", data={"deposit_account": "4490"}).status_code == 303
    assert 'value="4490"' in client.get("/settings").get_data(as_text=True)
