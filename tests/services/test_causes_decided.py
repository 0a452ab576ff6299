"""What was decided about a cause holds for what it was decided about, and ends when the order says otherwise (E3)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.orders import Order
from monet_web.models import Balance, Invoice, Warehouse
from monet_web.models.base import writing
from monet_web.services.documents import decide, mend
from monet_web.services.documents.waiting import Which
from tests.builders import ONA, a_line, a_tax, an_item, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, invoices, put

Factory = sessionmaker[Session]
WHO: dict[str, Any] = {"now": NOW, "actor": "jonas@example.com"}
WRONG = an_order(lines=(a_line(taxes=(a_tax("9", "0.90"),)),))


def codes(invoice: Invoice) -> list[str]:
    return sorted(one.code for one in invoice.found if one.code != "posting_manual")


def rates(invoice: Invoice) -> list[tuple[str, str]]:
    return [(f"{line.vat_rate:f}".rstrip("0").rstrip("."), f"{line.vat:.2f}") for line in invoice.lines]


def chosen(session: Session, session_factory: Factory, order: Order, subject: str = "LT 9") -> Any:
    integration = integrate(session, accounting_type="amounts", register_automatically="no")
    put(ScriptedStore, order)
    import_all(session_factory, integration)
    choose(session, subject, "21")
    return integration


def choose(session: Session, subject: str, rate: str) -> None:
    which = Which(code="vat_rate_unknown", subject=subject)
    ids = decide.choose_rate(session, which, rate, **WHO)
    mend.check_again(session, invoice_ids=ids, **WHO)


def test_a_rate_that_was_chosen_does_not_hold_for_goods_that_nobody_saw(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    integration = chosen(session, session_factory, WRONG)
    (invoice,) = invoices(session)
    assert (rates(invoice), codes(invoice)) == ([("21", "1.89")], [])
    other = a_line(external_id="99", name="Theatre ticket", net=Decimal("100.00"), taxes=(a_tax("9", "9.00"),))
    put(store, an_order(lines=(other,)))
    import_all(session_factory, integration)
    (invoice,) = invoices(session)
    assert (rates(invoice), codes(invoice)) == ([("9", "9.00")], ["rate_decision_ended", "vat_rate_unknown"])
    choose(session, "LT 9", "5")
    (invoice,) = invoices(session)
    assert (rates(invoice), codes(invoice)) == ([("5", "5.19")], [])


def test_what_does_not_touch_the_lines_leaves_the_rate_that_was_chosen(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    integration = chosen(session, session_factory, WRONG)
    put(store, replace(WRONG, buyer=replace(ONA, phone="+37060000000")))
    import_all(session_factory, integration)
    assert rates(invoices(session)[0]) == [("21", "1.89")]


def test_a_rate_that_was_chosen_wrongly_is_chosen_once_more(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    integration = integrate(session, accounting_type="amounts", register_automatically="no")
    put(store, WRONG)
    import_all(session_factory, integration)
    choose(session, "LT 9", "7")
    choose(session, "LT 7", "21")
    (invoice,) = invoices(session)
    assert (rates(invoice), codes(invoice)) == ([("21", "1.89")], [])


def test_codes_of_a_firm_are_not_given_to_another_person(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    integration = integrate(session, accounting_type="amounts", register_automatically="no")
    firm = replace(ONA, company="UAB Pavyzdys", vat_code="LT12")
    put(store, an_order(buyer=firm))
    import_all(session_factory, integration)
    which = Which(code="vat_code_invalid", subject=None)
    for code in ("", "LT100001738313"):
        if code:
            put(store, an_order(buyer=replace(firm, vat_code="LT13")))
            import_all(session_factory, integration)
        ids = decide.correct_buyer(session, which, code, **WHO)
        mend.check_again(session, invoice_ids=ids, **WHO)
        (invoice,) = invoices(session)
        assert (invoice.buyer["vat_code"], codes(invoice)) == (code, [])
    put(store, an_order(buyer=replace(ONA, name="Petras Petraitis", email="petras@example.com", vat_code="LT13")))
    import_all(session_factory, integration)
    (invoice,) = invoices(session)
    assert invoice.buyer["vat_code"] == "LT13"
    assert codes(invoice) == ["buyer_decision_ended", "vat_code_invalid"]


def test_another_warehouse_is_chosen_for_the_item_that_is_short_alone(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    with writing(session):
        shop = Warehouse(code="SHOP", name="Shop")
        session.add(shop)
        session.flush()
        short = an_item(session, "KN-01", on_hand=0)
        an_item(session, "MUG-1", on_hand=5)
        session.add(Balance(warehouse_id=shop.id, item_id=short.id, on_hand=Decimal(5)))
        shop_id = shop.id
    integration = integrate(session)
    mug = a_line(external_id="12", product_id="", sku="MUG-1")
    put(store, an_order(lines=(mug, replace(a_line(), product_id=""))))
    import_all(session_factory, integration)
    (invoice,) = invoices(session)
    assert codes(invoice) == ["stock_short"]
    ids = decide.choose_warehouse(session, Which(code="stock_short", subject="MAIN KN-01"), "SHOP", **WHO)
    done = mend.check_again(session, invoice_ids=ids, **WHO)
    (invoice,) = invoices(session)
    assert (done.registered, codes(invoice)) == (1, [])
    assert [line.warehouse_id == shop_id for line in invoice.lines] == [False, True]
