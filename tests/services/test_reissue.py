"""An invoice to another buyer: the same supply, what is left of it, VAT decided again; what is not clear waits (E1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import BrokenRule
from monet_web.domain.orders import Order, Refund
from monet_web.domain.quarters import Quarter
from monet_web.models import Company, Integration, Invoice, Item, TakenNumber
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceKind, InvoiceState
from monet_web.services.books import evidence
from monet_web.services.books.fields import WrongFields
from monet_web.services.books.numbers import number_key
from monet_web.services.documents import correct, mend, register, reissue
from monet_web.services.documents.correct_open import open_invoice
from monet_web.services.documents.exports import oss
from tests.builders import a_line, a_tax, an_item, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, invoices, moved, on_hand, put
from tests.services.test_refunds import PAIR, TWO_RATES, a_refund, adds_up, back, codes
from tests.vat_sales import GERMAN, estonian, exported, to_german_company

Factory = sessionmaker[Session]
Shop = type[ScriptedStore]
WHO: dict[str, Any] = {"now": NOW, "actor": "jonas@example.com"}
JONAS = {"name": "Jonas Jonaitis", "city": "Tartu", "country": "EE"}
FIRMA = {"company": "Firma OÜ", "vat_code": "EE100594102", "country": "EE"}
OTHER_GERMAN = {"company": "Andere GmbH", "vat_code": "DE129273398", "country": "DE"}
UAB = {"company": "UAB „Rytas“", "company_code": "304151376", "country": "LT"}
AUTOMATIC = {"accounting_type": "amounts", "refunds": "automatic"}


@pytest.fixture(autouse=True)
def in_oss(session: Session) -> None:
    with writing(session):
        session.execute(update(Company).values(oss_from=date(2026, 1, 1)))


def registered(
    session: Session, session_factory: Factory, store: Shop, order: Order, **settings: str
) -> tuple[Integration, Invoice]:
    """The order's invoice, registered; an EU company's code is confirmed and an export proven."""
    evidence.confirm_by_hand(session, GERMAN, day=date(2026, 11, 23), number="W1", **WHO)
    integration = integrate(session, **{"accounting_type": "amounts", **settings})
    put(store, order)
    import_all(session_factory, integration)
    if invoices(session)[0].state is not InvoiceState.REGISTERED:
        evidence.prove_export(session, invoices(session)[0].store_order_id, mrn="26LTVR1000EX000001", reason="", **WHO)
        mend.check_again(session, codes=("export_unproven",), **WHO)
    invoice = invoices(session)[0]
    assert invoice.state is InvoiceState.REGISTERED, codes(invoice)
    return integration, invoice


def issued(session: Session, invoice: Invoice, buyer: dict[str, str]) -> tuple[reissue.Reissued, Invoice]:
    done = reissue.to_another_buyer(session, invoice.id, buyer, **WHO)
    (new,) = [one for one in invoices(session) if one.id == done.invoice_id]
    adds_up(new)
    assert (new.state is InvoiceState.REGISTERED) is done.registered
    return done, new


def test_a_consumer_takes_over_a_sale_under_oss_and_the_quarter_stays(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    _, invoice = registered(session, session_factory, store, estonian())
    done, new = issued(session, invoice, JONAS)
    assert (done.registered, done.credit_note, done.number) == (True, "1001-K1", "1001-2")
    assert (new.treatment, new.buyer_name, new.buyer["country"]) == ("oss", "Jonas Jonaitis", "EE")
    assert (new.supply_date, new.ship_country, new.reissues_invoice_id) == (invoice.supply_date, "EE", invoice.id)
    assert [(row.code, row.base, row.amount) for row in new.vat_rows] == [
        (row.code, row.base, row.amount) for row in invoice.vat_rows
    ]
    with reading(session):
        whole = oss.load(session, Quarter(2026, 4))
    assert [(one.country, f"{one.base:.2f}", f"{one.vat:.2f}") for one in whole.supplies] == [("EE", "10.00", "2.40")]


def test_a_company_that_was_charged_a_consumer_s_vat_waits_until_a_person_says_which(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    _, invoice = registered(session, session_factory, store, estonian())
    done, new = issued(session, invoice, FIRMA)
    assert (done.registered, codes(new), new.number) == (False, ["company_charged"], "1001-2")
    # Checking it again changes nothing of it.
    mend.check_again(session, invoice_ids=[new.id], **WHO)
    assert codes(invoices(session)[-1]) == ["company_charged"]
    # It is treated as the consumer that it bought as.
    correct_it(session, new, {"vat_code": ""})
    (registered_now,) = register.register(session, [new.id], **WHO)
    assert registered_now.ok
    again = invoices(session)[-1]
    assert (again.treatment, again.total, again.reissues_invoice_id) == ("oss", Decimal("12.40"), invoice.id)


def test_a_company_that_was_charged_a_consumer_s_vat_buys_at_0_when_its_code_is_confirmed(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    _, invoice = registered(session, session_factory, store, estonian())
    _, new = issued(session, invoice, FIRMA)
    with reading(session):
        opened = open_invoice(session, new.id, **WHO)
    line = replace(opened.typed.lines[0], vat_rate="0")
    with reading(session):
        looked = correct.look(session, opened, replace(opened.typed, lines=(line,)), may_amounts=True, **WHO)
    assert looked.errors == {}
    correct.save(
        session, new.id, replace(opened.typed, lines=(line,)), version=new.row_version, seen=opened.seen,
        accept=looked.figures, may_amounts=True, **WHO,
    )  # fmt: skip
    assert "vat_number_unconfirmed" in codes(invoices(session)[-1])
    evidence.confirm_by_hand(session, "EE100594102", day=date(2026, 11, 24), number="W2", **WHO)
    (registered_now,) = register.register(session, [new.id], **WHO)
    assert registered_now.ok, registered_now
    again = invoices(session)[-1]
    # What was paid stays.
    assert (again.treatment, again.total, again.vat) == ("eu_company", Decimal("12.40"), Decimal(0))


def test_another_eu_company_waits_for_its_own_confirmation(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    _, invoice = registered(session, session_factory, store, to_german_company())
    done, new = issued(session, invoice, OTHER_GERMAN)
    assert (done.registered, codes(new)) == (False, ["vat_number_unconfirmed"])
    evidence.confirm_by_hand(session, "DE129273398", day=date(2026, 11, 24), number="W2", **WHO)
    checked = mend.check_again(session, codes=("vat_number_unconfirmed",), **WHO)
    assert (checked.checked, checked.registered) == (1, 1)
    again = invoices(session)[-1]
    assert (again.treatment, again.state, again.number) == ("eu_company", InvoiceState.REGISTERED, "1001-2")
    assert (again.evidence or {})["vat_code"]["code"] == "DE129273398"


def test_with_the_confirmation_at_hand_it_is_registered_at_once(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    _, invoice = registered(session, session_factory, store, to_german_company())
    evidence.confirm_by_hand(session, "DE129273398", day=date(2026, 11, 24), number="W2", **WHO)
    done, new = issued(session, invoice, OTHER_GERMAN)
    assert (done.registered, new.treatment) == (True, "eu_company")


@pytest.mark.parametrize("buyer", [JONAS, UAB])
def test_0_percent_is_not_a_consumer_s_nor_our_own_country_s(
    session: Session, session_factory: Factory, store: Shop, buyer: dict[str, str]
) -> None:
    _, invoice = registered(session, session_factory, store, to_german_company())
    done, new = issued(session, invoice, buyer)
    assert (done.registered, codes(new), new.treatment) == (False, ["eu_untaxed"], "")


def test_an_export_keeps_its_proof(session: Session, session_factory: Factory, store: Shop) -> None:
    _, invoice = registered(session, session_factory, store, exported())
    done, new = issued(session, invoice, {"name": "Jane Roe", "country": "us"})
    assert (done.registered, new.treatment, new.buyer["country"]) == (True, "export", "US")
    assert (new.evidence or {})["export"] == {"mrn": "26LTVR1000EX000001"}


def test_goods_that_stayed_at_home_are_a_sale_at_home_whoever_buys(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    _, invoice = registered(session, session_factory, store, an_order())
    done, new = issued(session, invoice, OTHER_GERMAN)
    assert (done.registered, new.treatment, new.customer_id is not None) == (True, "domestic", True)


# --- a part was given back ----------------------------------------------------------------------------------------


def test_what_is_left_is_issued_and_what_was_given_back_is_not_given_back_again(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    first = a_refund(back())
    integration, invoice = registered(
        session, session_factory, store, an_order(lines=TWO_RATES, refunds=(first,)), **AUTOMATIC
    )
    done, new = issued(session, invoice, UAB)
    assert (done.registered, done.credit_note, new.total) == (True, "1001-K2", Decimal("20.50"))
    assert [(line.quantity, line.net, line.vat) for line in new.lines] == [
        (Decimal(1), Decimal("10.00"), Decimal("2.10")), (Decimal(1), Decimal("8.00"), Decimal("0.40")),
    ]  # fmt: skip
    assert totals(session) == Decimal("20.50")
    # The store still says that refund, and one more: the second one is the new buyer's.
    more = a_refund(back("12", net="8.00", vat="0.40", rate="5"), external_id="502")
    put(store, an_order(lines=TWO_RATES, refunds=(first, more)))
    run = import_all(session_factory, integration)
    assert (run.credit_notes, run.changed) == (1, 0)
    last = invoices(session)[-1]
    assert (last.credits_invoice_id, last.external_id, last.total) == (new.id, "502", Decimal("-8.40"))
    assert totals(session) == Decimal("12.10")
    # And once more to another buyer.
    again, third = issued(session, new, JONAS)
    assert (again.number, third.total, [line.name for line in third.lines]) == (
        "1001-3",
        Decimal("12.10"),
        ["Notebook"],
    )
    run = import_all(session_factory, integration)
    assert (run.credit_notes, totals(session)) == (0, Decimal("12.10"))


def test_a_refund_that_waits_is_the_new_buyer_s(session: Session, session_factory: Factory, store: Shop) -> None:
    order = an_order(lines=PAIR, refunds=(a_refund(back()),))
    _, invoice = registered(session, session_factory, store, order)
    done, new = issued(session, invoice, UAB)
    assert (done.registered, new.total) == (True, Decimal("24.20"))
    (waiting,) = [one for one in invoices(session) if one.state is InvoiceState.IN_JOURNAL]
    assert (waiting.kind, waiting.credits_invoice_id, waiting.total) == (
        InvoiceKind.CREDIT_NOTE, new.id, Decimal("-12.10"),
    )  # fmt: skip


def test_money_given_back_without_goods_is_a_discount_of_the_new_invoice(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    order = an_order(lines=PAIR)
    integration, invoice = registered(session, session_factory, store, order, refunds="journal")
    refund = Refund("501", order.placed_at + timedelta(hours=20), Decimal("2.42"), lines=())
    put(store, replace(order, refunds=(refund,)))
    import_all(session_factory, integration)
    (note,) = [one for one in invoices(session) if one.kind is InvoiceKind.CREDIT_NOTE]
    assert register.register(session, [note.id], **WHO)[0].ok
    _, new = issued(session, invoice, UAB)
    (line,) = new.lines
    assert (line.quantity, line.unit_price, line.discount, line.net) == (
        Decimal(2), Decimal(10), Decimal("2.00"), Decimal("18.00"),
    )  # fmt: skip


def test_what_waits_for_another_buyer_is_measured_by_what_was_left(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    lines = (
        a_line(quantity=Decimal(2), net=Decimal("20.00"), taxes=(a_tax("24", "4.80"),)),
        a_line(external_id="12", sku="BOOK", product_id="502", net=Decimal("8.00"), taxes=(a_tax("24", "1.92"),)),
    )
    order = replace(estonian(), lines=lines, total=Decimal("34.72"), total_tax=Decimal("6.72"))
    order = replace(order, refunds=(a_refund(back("11", net="10.00", vat="2.40", rate="24")),))
    _, invoice = registered(session, session_factory, store, order, **AUTOMATIC)
    _, new = issued(session, invoice, FIRMA)
    assert (new.total, codes(new)) == (Decimal("22.32"), ["company_charged"])
    mend.check_again(session, invoice_ids=[new.id], **WHO)
    assert codes(invoices(session)[-1]) == ["company_charged"]
    correct_it(session, new, {"vat_code": ""})
    again = invoices(session)[-1]
    assert (codes(again), again.reissues_invoice_id) == ([], invoice.id)
    # One who takes a piece more away sees it told.
    with reading(session):
        opened = open_invoice(session, new.id, **WHO)
        fewer = replace(opened.typed, lines=opened.typed.lines[:1])
        looked = correct.look(session, opened, fewer, may_amounts=True, **WHO)
    assert {one.code for one in looked.findings if one.stops} == {"total_differs"}


def test_nothing_left_says_what_to_do_instead(session: Session, session_factory: Factory, store: Shop) -> None:
    integration, invoice = registered(session, session_factory, store, an_order(), **AUTOMATIC)
    put(store, an_order(refunds=(a_refund(back()),)))
    assert import_all(session_factory, integration).credit_notes == 1
    before = len(invoices(session))
    with pytest.raises(BrokenRule, match="Nothing is left of 1001") as refused:
        reissue.to_another_buyer(session, invoice.id, UAB, **WHO)
    assert refused.value.fix == "Enter a new order in the store for the new buyer."
    with reading(session):
        assert reissue.left(session, session.get_one(Invoice, invoice.id)) == 0
    assert len(invoices(session)) == before


# --- stock, numbers, periods --------------------------------------------------------------------------------------


def test_stock_stays_also_where_the_item_kept_none_when_it_was_sold(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    with writing(session):
        an_item(session, on_hand=5)
        an_item(session, "BOOK", keeps_stock=False)
    _, invoice = registered(session, session_factory, store, an_order(lines=TWO_RATES), accounting_type="goods")
    with writing(session):
        session.execute(update(Item).where(Item.code == "BOOK").values(keeps_stock=True))
    done, new = issued(session, invoice, UAB)
    assert done.registered, codes(new)
    assert set(on_hand(session).values()) == {Decimal(3)}
    assert set(moved(session).values()) == {Decimal(-2)}


def test_what_was_registered_without_moving_stock_still_moves_none(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    with writing(session):
        an_item(session, on_hand=0)
    integration = integrate(session)
    put(store, an_order())
    import_all(session_factory, integration)
    (waiting,) = invoices(session)
    register.register(session, [waiting.id], without_stock="counted elsewhere", **WHO)
    done, new = issued(session, invoices(session)[0], UAB)
    assert (done.registered, new.stock_not_moved_reason) == (True, "counted elsewhere")
    assert (set(on_hand(session).values()), moved(session)) == ({Decimal(0)}, {})


def test_where_the_store_issues_invoices_the_one_to_another_buyer_is_ours(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    order = replace(estonian(), invoice_number="SF-77")
    _, invoice = registered(session, session_factory, store, order, issued_by="store")
    assert (invoice.number, invoice.issued_by_store) == ("SF-77", True)
    done, new = issued(session, invoice, FIRMA)
    assert (done.number, new.issued_by_store) == ("SF-77-2", False)
    correct_it(session, new, {"vat_code": ""})
    assert register.register(session, [new.id], **WHO)[0].ok
    again = invoices(session)[-1]
    assert (again.number, again.issued_by_store, again.state) == ("SF-77-2", False, InvoiceState.REGISTERED)


def test_a_number_that_is_taken_changes_nothing(session: Session, session_factory: Factory, store: Shop) -> None:
    _, invoice = registered(session, session_factory, store, an_order())
    with writing(session):
        session.add(TakenNumber(number="1001-2", number_key=number_key("1001-2")))
    with pytest.raises(BrokenRule, match="The number 1001-2 belongs to another document"):
        reissue.to_another_buyer(session, invoice.id, UAB, **WHO)
    (one,) = invoices(session)
    assert not one.superseded


def test_a_closed_day_refuses_and_changes_nothing(session: Session, session_factory: Factory, store: Shop) -> None:
    _, invoice = registered(session, session_factory, store, estonian())
    with writing(session):
        session.execute(update(Company).values(closed_until=date(2026, 11, 30)))
    with pytest.raises(BrokenRule, match="closed"):
        reissue.to_another_buyer(session, invoice.id, JONAS, **WHO)
    assert len(invoices(session)) == 1


def test_a_country_and_codes_are_looked_at(session: Session, session_factory: Factory, store: Shop) -> None:
    _, invoice = registered(session, session_factory, store, estonian())
    with pytest.raises(WrongFields) as wrong:
        reissue.to_another_buyer(session, invoice.id, {"vat_code": "EE1", "country": "XX"}, **WHO)
    assert set(wrong.value.fields) == {"name", "country", "vat_code"}
    assert len(invoices(session)) == 1


def test_the_former_worth_in_euro_stays(session: Session, session_factory: Factory, store: Shop) -> None:
    _, invoice = registered(session, session_factory, store, an_order())
    with writing(session):
        session.execute(update(Invoice).values(currency="USD", eur_rate=Decimal("1.25"), total_eur=Decimal("9.68")))
    done, new = issued(session, invoice, UAB)
    assert (done.registered, new.eur_rate, new.total_eur) == (True, Decimal("1.25"), Decimal("9.68"))


def correct_it(session: Session, invoice: Invoice, fields: dict[str, str]) -> None:
    with reading(session):
        opened = open_invoice(session, invoice.id, **WHO)
    typed = replace(opened.typed, fields={**opened.typed.fields, **fields})
    correct.save(
        session, invoice.id, typed, version=opened.invoice.row_version, seen=opened.seen, may_amounts=True, **WHO
    )


def totals(session: Session) -> Decimal:
    with reading(session):
        return sum(session.scalars(select(Invoice.total)).all(), Decimal(0))
