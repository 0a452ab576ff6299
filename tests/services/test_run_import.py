"""One run: every order accounted for, nothing twice, one bad order stops nobody."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import NeedsOwner, RetryLater
from monet_web.domain.orders import Address, Buyer, Payment, Refund, Unreadable
from monet_web.models import AuditEntry, Customer, RawPage, Run, RunOrder, StoreOrder, StoreOrderVersion
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.models.runs import RunKind, RunState
from tests.builders import NOON, a_charge, a_line, a_tax, an_item, an_order
from tests.services.scripted import (
    ScriptedStore,
    import_all,
    integrate,
    invoices,
    moved,
    on_hand,
    put,
)

Factory = sessionmaker[Session]


def count(session: Session, model: Any) -> int:
    with reading(session):
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_an_order_in_order_and_in_stock_is_registered(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    with writing(session):
        item = an_item(session, "KN-01", on_hand=5)
    integration = integrate(session, number_prefix="KL-")
    put(store, an_order(lines=(a_line(quantity=Decimal(2), net=Decimal("20.00"), taxes=(a_tax(amount="4.20"),)),)))
    run = import_all(session_factory, integration)
    assert (run.state, run.error, run.fetched, run.registered) == (RunState.DONE, "", 1, 1)
    assert run.totals == {"EUR": {"registered": "24.20", "in_journal": "0.00"}}
    (invoice,) = invoices(session)
    assert (invoice.number, invoice.state, invoice.total) == ("KL-1001", InvoiceState.REGISTERED, Decimal("24.20"))
    assert [(row.rate, row.base, row.amount) for row in invoice.vat_rows] == [
        (Decimal(21), Decimal("20.00"), Decimal("4.20"))
    ]
    assert on_hand(session) == {item.id: Decimal(3)}
    assert moved(session) == {item.id: Decimal(-2)}
    assert count(session, AuditEntry) == 1


def test_an_unknown_item_waits_in_a_goods_journal(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    integration = integrate(session)
    put(store, an_order())
    run = import_all(session_factory, integration)
    assert (run.in_journal, run.findings) == (1, {"item_unknown": 1})
    (invoice,) = invoices(session)
    assert invoice.state is InvoiceState.IN_JOURNAL
    assert invoice.journal is not None
    assert invoice.journal.number.startswith("G")
    assert [(found.code, found.subject) for found in invoice.found] == [("item_unknown", "KN-01")]


def test_amounts_need_no_items_and_name_accounts(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    integration = integrate(session, accounting_type="amounts", revenue_account="500", charges_account="501")
    put(store, an_order(lines=(a_line(),), charges=(a_charge(),)))
    run = import_all(session_factory, integration)
    assert run.registered == 1
    (invoice,) = invoices(session)
    assert [(line.kind, line.account, line.item_id) for line in invoice.lines] == [
        ("goods", "500", None),
        ("shipping", "501", None),
    ]


def test_a_second_import_adds_nothing(session: Session, session_factory: Factory, store: type[ScriptedStore]) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, *(an_order(external_id=str(9000 + n), number=str(1000 + n)) for n in range(250)))
    first = import_all(session_factory, integration)
    rows = [count(session, model) for model in (StoreOrder, StoreOrderVersion, RawPage, RunOrder, AuditEntry)]
    second = import_all(session_factory, integration)
    assert (first.registered, second.registered, second.already_there) == (250, 0, 250)
    assert rows == [count(session, model) for model in (StoreOrder, StoreOrderVersion, RawPage, RunOrder, AuditEntry)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"is_cancelled": True, "status": "cancelled", "is_sale": False}, "cancelled"),
        ({"is_sale": False, "is_paid": False, "status": "pending"}, "not_paid"),
        ({"is_sale": False, "status": "shipped"}, "status"),
        ({"is_refunded": True, "is_sale": False}, "refunded_before_import"),
        ({"lines": (), "total": Decimal(0)}, "nothing_to_invoice"),
        ({"is_test": True}, "test_order"),
    ],
)
def test_what_makes_no_invoice_is_filtered_with_its_reason(
    session: Session, session_factory: Factory, store: type[ScriptedStore], changes: dict[str, Any], reason: str
) -> None:
    integration = integrate(session)
    put(store, an_order(**changes))
    run = import_all(session_factory, integration)
    assert (run.fetched, run.filtered, run.filter_reasons) == (1, 1, {reason: 1})
    assert invoices(session) == []


def test_a_setting_since_changed_lets_a_filtered_order_in(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order(status="shipped", is_sale=False))
    assert import_all(session_factory, integration).filtered == 1
    with writing(session):
        session.get_one(type(integration), integration.id).settings = {
            "accounting_type": "amounts", "statuses": "completed,shipped",
        }  # fmt: skip
    assert import_all(session_factory, integration).registered == 1


def test_two_orders_with_one_number_are_a_conflict_not_an_invoice(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    first, second = (
        integrate(session, "A", accounting_type="amounts"),
        integrate(session, "B", accounting_type="amounts"),
    )
    put(store, an_order(external_id="1", number=" ab-7"))
    assert import_all(session_factory, first).registered == 1
    put(store, an_order(external_id="1", number="AB-7 "), an_order(external_id="2", number="8"))
    run = import_all(session_factory, second)
    assert (run.fetched, run.conflict, run.registered) == (2, 1, 1)
    with reading(session):
        row = session.scalars(select(RunOrder).where(RunOrder.outcome == "conflict")).one()
    assert row.details == {"number": "AB-7", "by": "the invoice of order  ab-7", "invoice": "1"}


def test_two_orders_of_one_page_with_one_number(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order(external_id="1", number="7"), an_order(external_id="2", number="7"))
    run = import_all(session_factory, integration)
    assert (run.registered, run.conflict) == (1, 1)


def test_an_unreadable_order_is_counted_and_stops_nobody(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, Unreadable("5", "Field total of order 5 is “abc”, which is no amount."), an_order())
    run = import_all(session_factory, integration)
    assert (run.fetched, run.unreadable, run.registered) == (2, 1, 1)


def test_our_own_fault_on_one_order_is_its_outcome_only(
    session: Session, session_factory: Factory, store: type[ScriptedStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    from monet_web.domain.invoices import draft_invoice as real

    def broken(order: Any, *args: Any, **kwargs: Any) -> Any:
        if order.external_id == "2":
            raise ZeroDivisionError
        return real(order, *args, **kwargs)

    monkeypatch.setattr("monet_web.services.importing.prepare.draft_invoice", broken)
    integration = integrate(session, accounting_type="amounts")
    put(store, *(an_order(external_id=str(n), number=str(n)) for n in range(1, 4)))
    run = import_all(session_factory, integration)
    assert (run.registered, run.unreadable, run.state) == (2, 1, RunState.DONE)
    monkeypatch.setattr("monet_web.services.importing.prepare.draft_invoice", real)
    again = import_all(session_factory, integration)
    assert (again.registered, again.already_there, again.unreadable) == (1, 2, 0)


def test_stock_goes_to_the_earlier_order_and_the_shortage_has_figures(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    with writing(session):
        item = an_item(session, "KN-01", on_hand=3)
    integration = integrate(session)
    two = a_line(quantity=Decimal(2), net=Decimal("20.00"), taxes=(a_tax(amount="4.20"),))
    late = an_order(external_id="1", number="1", lines=(two,), placed_at=NOON.replace(hour=12))
    early = an_order(external_id="2", number="2", lines=(two,))
    put(store, late, early)
    run = import_all(session_factory, integration)
    assert (run.registered, run.in_journal) == (1, 1)
    by_number = {invoice.number: invoice for invoice in invoices(session)}
    assert by_number["2"].state is InvoiceState.REGISTERED
    (found,) = by_number["1"].found
    assert found.values == {"item": "KN-01", "warehouse": "MAIN", "needed": "2", "on_hand": "1", "missing": "1"}
    assert on_hand(session) == {item.id: Decimal(1)}


def test_a_preview_writes_no_document_and_promises_no_more_than_there_is(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    with writing(session):
        item = an_item(session, "KN-01", on_hand=3)
    store.PAGE = 1
    integration = integrate(session)
    put(store, *(an_order(external_id=str(n), number=str(n)) for n in range(5)))
    run = import_all(session_factory, integration, kind=RunKind.PREVIEW)
    assert (run.registered, run.in_journal, run.fetched) == (3, 2, 5)
    assert run.findings == {"stock_short": 2}
    assert invoices(session) == []
    assert on_hand(session) == {item.id: Decimal(3)}
    with reading(session):
        assert {order.outcome.value for order in session.scalars(select(StoreOrder))} == {"open"}
    assert import_all(session_factory, integration).registered == 3


def test_refunded_in_full_and_never_invoiced_is_filtered(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order(refunds=(Refund("77", NOON, Decimal("12.10")),)))
    assert import_all(session_factory, integration).filter_reasons == {"refunded_before_import": 1}


def test_entering_by_hand_makes_everything_wait(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    integration = integrate(session, accounting_type="amounts", register_automatically="no")
    put(store, an_order())
    assert import_all(session_factory, integration).findings == {"posting_manual": 1}


def test_own_series_has_no_gap_and_steps_over_taken_numbers(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    from monet_web.models import TakenNumber

    with writing(session):
        session.add(TakenNumber(number="S-2026-000002", number_key="s-2026-000002"))
    integration = integrate(session, accounting_type="amounts", number_from="series", number_prefix="S-")
    put(store, *(an_order(external_id=str(n), number=str(n)) for n in range(3)))
    import_all(session_factory, integration)
    assert [invoice.number for invoice in invoices(session)] == ["S-2026-000001", "S-2026-000003", "S-2026-000004"]


def test_a_company_is_matched_by_its_codes_and_never_by_e_mail(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    integration = integrate(session, accounting_type="amounts")
    firm = Buyer(
        "Jonas", company="UAB A", company_code="302345671", email="x@example.com", address=Address(country="LT")
    )
    other = replace(firm, company="UAB B", company_code="111111118")
    put(
        store,
        an_order(external_id="1", number="1", buyer=firm),
        an_order(external_id="2", number="2", buyer=other),
        an_order(external_id="3", number="3", buyer=firm),
    )
    import_all(session_factory, integration)
    with reading(session):
        assert sorted(one.name for one in session.scalars(select(Customer))) == ["UAB A", "UAB B"]
    ids = [invoice.customer_id for invoice in invoices(session)]
    assert ids[0] == ids[2] != ids[1]


def test_private_buyers_share_one_customer_unless_told(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    put(store, an_order())
    import_all(session_factory, integrate(session, "A", accounting_type="amounts", number_prefix="A-"))
    assert invoices(session)[0].customer_id is None
    import_all(
        session_factory,
        integrate(session, "B", accounting_type="amounts", private_buyers="each", number_prefix="B-"),
    )
    assert invoices(session)[1].customer_id is not None


def test_a_currency_without_a_rate_waits(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    from datetime import date

    from monet_web.models import CurrencyRate

    integration = integrate(session, accounting_type="amounts")
    put(store, an_order(currency="USD"))
    assert import_all(session_factory, integration).findings == {"currency_rate_missing": 1}
    with writing(session):
        session.add(CurrencyRate(day=date(2026, 11, 23), currency="USD", rate=Decimal("1.1527")))
    from monet_web.services.documents import mend
    from tests.services.scripted import NOW

    done = mend.check_again(session, codes=("currency_rate_missing",), now=NOW, actor="ona")
    assert (done.checked, done.registered, done.waiting) == (1, 1, 0)
    (invoice,) = invoices(session)
    assert (invoice.total, invoice.total_eur, invoice.vat_eur) == (Decimal("12.10"), Decimal("10.50"), Decimal("1.82"))


@pytest.mark.parametrize(
    ("error", "refused"),
    [(NeedsOwner("The store refused the key (401).", fix="Make a new one."), True), (RetryLater("Busy."), False)],
)
def test_an_error_of_the_store_ends_the_run_in_words_and_keeps_what_was_booked(
    session: Session,
    session_factory: Factory,
    store: type[ScriptedStore],
    error: Exception,
    refused: bool,
) -> None:
    def before_page(page: int) -> None:
        if page == 1:
            raise error

    store.PAGE = 1
    store.before_page = before_page
    integration = integrate(session, accounting_type="amounts")
    put(store, *(an_order(external_id=str(n), number=str(n)) for n in range(3)))
    run = import_all(session_factory, integration)
    assert (run.state, run.registered, run.error) == (RunState.FAILED, 1, str(error))
    with reading(session):
        kept = session.get_one(type(integration), integration.id, populate_existing=True)
    assert (kept.refused_since is not None) is refused


def test_stop_ends_between_two_pages_and_run_again_does_the_rest(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    from monet_web.services.opening import open_runs
    from tests.services.scripted import NOW

    store.PAGE = 1
    integration = integrate(session, accounting_type="amounts")
    put(store, *(an_order(external_id=str(n), number=str(n)) for n in range(3)))

    def press_stop(run: Run) -> None:
        if run.registered == 1:
            open_runs.stop(session, run.id, now=NOW)

    run = import_all(session_factory, integration, watch=press_stop)
    assert run.state is RunState.STOPPED
    assert run.registered == 2  # the page after the one at which Stop was pressed was under way
    again = import_all(session_factory, integration)
    assert (again.registered, again.already_there) == (1, 2)


def test_gift_cards_and_cash_on_delivery_are_payments(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    integration = integrate(session, accounting_type="amounts", payment_methods="cod:cash on delivery")
    put(store, an_order(payments=(Payment("cod", "Kurjeriui", Decimal("12.10")),)))
    import_all(session_factory, integration)
    (invoice,) = invoices(session)
    assert invoice.payments[0]["kind"] == "cash_on_delivery"
    assert invoice.payment == "Kurjeriui"


@pytest.mark.parametrize("bad", ["zero \x00 character", "half a pair \ud800", "ß" * 120])
def test_text_that_a_database_refuses_stops_only_its_own_order(
    session: Session, session_factory: Factory, store: type[ScriptedStore], bad: str
) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(
        store,
        an_order(external_id="1", number=bad, lines=(a_line(name=bad),)),
        an_order(external_id="2", number="2"),
    )
    run = import_all(session_factory, integration)
    assert (run.state, run.fetched, run.error) == (RunState.DONE, 2, "")
    assert run.registered == 1 + bad.startswith("ß")
    assert run.unreadable == 1 - bad.startswith("ß")
    assert import_all(session_factory, integration).registered == 0


def test_a_page_that_breaks_while_it_is_written_is_booked_order_by_order(
    session: Session, session_factory: Factory, store: type[ScriptedStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    from monet_web.services.importing.rows import add_invoice as real

    def broken(batch: Any, booking: Any, one: Any, **rest: Any) -> None:
        if one.remembered.external_id == "2":
            raise KeyError("two")
        real(batch, booking, one, **rest)

    monkeypatch.setattr("monet_web.services.importing.book.add_invoice", broken)
    integration = integrate(session, accounting_type="amounts")
    put(store, *(an_order(external_id=str(n), number=str(n)) for n in range(1, 4)))
    run = import_all(session_factory, integration)
    assert (run.registered, run.unreadable, run.fetched) == (2, 1, 3)
    assert len(invoices(session)) == 2


def test_stop_ends_also_a_run_that_waits_for_a_slow_store(
    session: Session, session_factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading
    from datetime import UTC, date, datetime

    from monet_web.connectors.base import Surroundings
    from monet_web.demo.serve import serve
    from monet_web.demo.woocommerce import shop as demo_shop
    from monet_web.demo.woocommerce.auth import DEMO_KEY, DEMO_SECRET
    from monet_web.demo.woocommerce.faults import Faults
    from monet_web.services.importing import claims
    from monet_web.services.integrations import connect
    from monet_web.services.opening import open_runs
    from monet_web.services.running import run_import

    now = datetime(2026, 11, 24, tzinfo=UTC)
    shop = demo_shop(still=True)
    shop.faults = Faults(too_many_requests=30)  # it says: wait half a minute
    with serve(shop) as address:
        values = {"address": address, "consumer_key": DEMO_KEY, "consumer_secret": DEMO_SECRET}
        connect.add_integration(session, name="Slow", platform="woocommerce", values=values, now=now, actor="test")
        (run,) = open_runs.launch(
            session, mask="Slow", first=date(2026, 9, 1), last=date(2026, 10, 31), now=now, actor="test"
        )
        stopper = threading.Timer(0.5, lambda: open_runs.stop(session_factory(), run.id, now=now))
        stopper.start()
        ended = run_import.run(
            session_factory,
            run.id,
            surroundings=Surroundings(allowed_addresses=(address.removeprefix("http://"),)),
            clock=lambda: now,
            worker=claims.this_process(),
        )
        stopper.join()
    assert (ended.state, ended.error, ended.fetched) == (RunState.STOPPED, "", 0)
