"""The stories the tables were thought through with: what happens to an order over weeks."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import BrokenRule
from monet_web.domain.orders import Buyer, Order, Refund
from monet_web.models import AuditEntry, Integration, Invoice, Run, RunOrder, StoreOrder, StoreOrderVersion
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.models.runs import RunKind
from monet_web.models.store_orders import Outcome
from monet_web.services.documents import journals, mend, register
from tests.builders import NOON, a_line, a_tax, an_item, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, invoices, on_hand, put

Factory = sessionmaker[Session]
Shop = type[ScriptedStore]

DEARER = a_line(net=Decimal("12.00"), taxes=(a_tax(amount="2.52"),))


def outcome(session: Session, external_id: str = "9001") -> Outcome:
    with reading(session):
        order = session.scalars(
            select(StoreOrder).where(StoreOrder.external_id == external_id).execution_options(populate_existing=True)
        ).one()
    return order.outcome


def touch(session: Session, **values: object) -> None:
    """A person corrected the waiting invoice."""
    with writing(session):
        session.execute(update(Invoice).values(touched_at=NOW, touched_by="ona", **values))


# --- first import ------------------------------------------------------------------------------------------------


def test_what_waited_for_an_item_is_registered_when_the_item_comes(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session)
    put(store, an_order())
    assert import_all(session_factory, integration).in_journal == 1
    (waiting,) = invoices(session)
    with writing(session):
        item = an_item(session, "kn-01", on_hand=4)
    done = mend.check_again(session, codes=("item_unknown",), now=NOW, actor="ona")
    assert (done.checked, done.registered, done.waiting) == (1, 1, 0)
    (invoice,) = invoices(session)
    assert (invoice.id, invoice.state, invoice.journal_id) == (waiting.id, InvoiceState.REGISTERED, None)
    assert (invoice.found, invoice.lines[0].item_id) == ([], item.id)
    assert on_hand(session) == {item.id: Decimal(3)}
    assert outcome(session) is Outcome.REGISTERED


def test_a_run_never_checks_again_what_waits_unchanged(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session)
    put(store, an_order())
    import_all(session_factory, integration)
    with writing(session):
        an_item(session, "KN-01", on_hand=4)
    again = import_all(session_factory, integration)
    assert (again.already_there, again.registered) == (1, 0)


def test_what_still_does_not_pass_stays_with_its_new_reasons(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session)
    put(store, an_order())
    import_all(session_factory, integration)
    with writing(session):
        an_item(session, "KN-01", on_hand=0)
    done = mend.check_again(session, now=NOW, actor="ona")
    assert (done.checked, done.registered, done.waiting) == (1, 0, 1)
    (invoice,) = invoices(session)
    assert [found.code for found in invoice.found] == ["stock_short"]
    assert invoice.journal is not None


def test_a_person_may_register_what_only_waits_for_a_person(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts", register_automatically="no")
    put(store, an_order())
    import_all(session_factory, integration)
    assert mend.check_again(session, now=NOW, actor="ona").registered == 0
    (done,) = register.register(session, [invoices(session)[0].id], now=NOW, actor="ona@example.com")
    assert (done.ok, done.number, done.findings) == (True, "1001", ())
    with reading(session):
        entry = session.scalars(select(AuditEntry)).one()
    assert (entry.actor, entry.action) == ("ona@example.com", "registered")


def test_registering_what_does_not_pass_says_why(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session)
    put(store, an_order())
    import_all(session_factory, integration)
    (done,) = register.register(session, [invoices(session)[0].id], now=NOW, actor="ona")
    assert (done.ok, [found.code for found in done.findings]) == (False, ["item_unknown"])


# --- journal deleted and run again -------------------------------------------------------------------------------


def test_a_deleted_invoice_comes_back_at_the_next_run(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session)
    put(store, an_order())
    import_all(session_factory, integration)
    ids = [invoice.id for invoice in invoices(session)]
    assert journals.delete(session, ids, leave_out=False, reason="", now=NOW, actor="ona") == 1
    assert (invoices(session), outcome(session)) == ([], Outcome.OPEN)
    again = import_all(session_factory, integration)
    assert again.in_journal == 1
    assert invoices(session)[0].id > ids[0]  # an id is never used again: the audit trail still names the deleted one


def test_a_left_out_order_stays_away_until_it_is_brought_back(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session)
    put(store, an_order())
    import_all(session_factory, integration)
    ids = [invoice.id for invoice in invoices(session)]
    with pytest.raises(BrokenRule, match="needs a reason"):
        journals.delete(session, ids, leave_out=True, reason=" ", now=NOW, actor="ona")
    journals.delete(session, ids, leave_out=True, reason="a test of the shop", now=NOW, actor="ona")
    assert import_all(session_factory, integration).filter_reasons == {"left_out": 1}
    assert journals.bring_back(session, "1001", now=NOW, actor="ona") == 1
    assert import_all(session_factory, integration).in_journal == 1


def test_a_registered_invoice_is_never_deleted(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order())
    import_all(session_factory, integration)
    ids = [invoice.id for invoice in invoices(session)]
    assert journals.delete(session, ids, leave_out=False, reason="", now=NOW, actor="ona") == 0
    assert len(invoices(session)) == 1


# --- edited in the store -----------------------------------------------------------------------------------------


def test_an_untouched_waiting_invoice_is_refreshed(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session)
    put(store, an_order())
    import_all(session_factory, integration)
    (before,) = invoices(session)
    put(store, an_order(lines=(DEARER,)))
    run = import_all(session_factory, integration)
    assert (run.already_there, run.refreshed, run.in_journal) == (1, 1, 0)
    (after,) = invoices(session)
    assert (after.id, after.journal_id, after.total) == (before.id, before.journal_id, Decimal("14.52"))
    with reading(session):
        versions = session.scalars(select(StoreOrderVersion.n).order_by(StoreOrderVersion.n)).all()
    assert versions == [1, 2]


def test_a_refreshed_invoice_that_passes_now_is_registered(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    with writing(session):
        an_item(session, "KN-02", on_hand=4)
    integration = integrate(session)
    put(store, an_order())
    import_all(session_factory, integration)
    put(store, an_order(lines=(a_line(sku="KN-02", name="Another"),)))
    run = import_all(session_factory, integration)
    assert (run.registered, run.refreshed, run.fetched) == (1, 1, 1)


def test_a_corrected_invoice_is_left_and_said_to_be_changed_once(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session)
    put(store, an_order())
    import_all(session_factory, integration)
    touch(session, note="asked the buyer")
    put(store, an_order(lines=(DEARER,)))
    run = import_all(session_factory, integration)
    assert (run.already_there, run.changed, run.refreshed) == (1, 1, 0)
    (invoice,) = invoices(session)
    assert (invoice.total, invoice.note) == (Decimal("12.10"), "asked the buyer")
    changed = [found for found in invoice.found if found.code == "changed_in_store"]
    assert [found.values["what"] for found in changed] == ["total 12.10 → 14.52; VAT 2.10 → 2.52; lines"]
    assert import_all(session_factory, integration).changed == 0


def test_a_registered_invoice_is_never_changed_by_the_store(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order())
    import_all(session_factory, integration)
    put(store, an_order(lines=(DEARER,)))
    run = import_all(session_factory, integration)
    assert (run.already_there, run.changed) == (1, 1)
    (invoice,) = invoices(session)
    assert (invoice.state, invoice.total) == (InvoiceState.REGISTERED, Decimal("12.10"))
    assert [(found.code, found.stops) for found in invoice.found] == [("changed_in_store", False)]


@pytest.mark.parametrize(
    "noise",
    [
        {"shipped_at": NOON.replace(hour=15), "status": "completed"},
        {"lines": (a_line(sku="RENAMED-1", product_id="0"),)},
        {"note": "packed"},
        {"changed_at": NOON.replace(hour=20)},
        {"buyer": replace(an_order().buyer, phone="+37061111111", email="new@example.com")},
    ],
)
def test_noise_of_the_store_flags_nothing(
    session: Session, session_factory: Factory, store: Shop, noise: dict[str, object]
) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order())
    import_all(session_factory, integration)
    put(store, an_order(**noise))
    run = import_all(session_factory, integration)
    assert (run.already_there, run.changed) == (1, 0)
    (invoice,) = invoices(session)
    assert invoice.found == []
    with reading(session):
        newest = session.scalar(select(StoreOrder.latest_version_id))
    assert invoice.drafted_from_version_id == newest  # so that the next run need not look again


def test_a_cancelled_order_leaves_the_journal_when_nobody_corrected_it(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session)
    put(store, an_order())
    import_all(session_factory, integration)
    put(store, an_order(is_cancelled=True, is_sale=False, status="cancelled"))
    run = import_all(session_factory, integration)
    assert (run.filter_reasons, run.refreshed) == ({"cancelled": 1}, 1)
    assert (invoices(session), outcome(session)) == ([], Outcome.FILTERED)


@pytest.mark.parametrize("touched", [True, False])
def test_a_cancelled_order_whose_invoice_is_final_is_said(
    session: Session, session_factory: Factory, store: Shop, touched: bool
) -> None:
    integration = integrate(session, accounting_type="goods" if touched else "amounts")
    put(store, an_order())
    import_all(session_factory, integration)
    if touched:
        touch(session)
    put(store, an_order(is_cancelled=True, is_sale=False, status="cancelled"))
    assert import_all(session_factory, integration).changed == 1
    (invoice,) = invoices(session)
    assert [found.values["what"] for found in invoice.found if found.code == "changed_in_store"] == ["cancelled"]


# --- two stores with one number ----------------------------------------------------------------------------------


def test_a_conflict_is_solved_by_another_prefix(session: Session, session_factory: Factory, store: Shop) -> None:
    first = integrate(session, "A", accounting_type="amounts")
    second = integrate(session, "B", accounting_type="amounts")
    put(store, an_order())
    import_all(session_factory, first)
    assert import_all(session_factory, second).conflict == 1
    assert import_all(session_factory, second).conflict == 1  # still one, and still no document
    with writing(session):
        session.get_one(Integration, second.id).settings = {"accounting_type": "amounts", "number_prefix": "B-"}
    assert import_all(session_factory, second).registered == 1
    assert [invoice.number for invoice in invoices(session)] == ["1001", "B-1001"]


# --- refund before and after registration ------------------------------------------------------------------------

REFUND = Refund("77", NOON, Decimal("2.00"), reason="broken")


def test_a_refund_before_registration_waits_beside_its_invoice(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts", register_automatically="no")
    put(store, an_order(refunds=(REFUND,)))
    assert import_all(session_factory, integration).findings == {"posting_manual": 1}
    invoice, note = invoices(session)
    assert note.journal_id == invoice.journal_id
    done = register.register(session, [invoice.id, note.id], now=NOW, actor="ona")
    assert [one.ok for one in done] == [True, True]  # a person has seen both


def test_a_refund_after_registration_waits_as_a_credit_note(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order())
    import_all(session_factory, integration)
    put(store, an_order(refunds=(REFUND,)))
    run = import_all(session_factory, integration)
    assert (run.changed, run.credit_notes) == (0, 1)
    invoice, note = invoices(session)
    assert (list(invoice.found), note.total) == ([], Decimal("-2.00"))


# --- remembered before booked ------------------------------------------------------------------------------------


def test_an_order_remembered_by_a_preview_is_booked_by_the_next_run(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order())
    assert import_all(session_factory, integration, kind=RunKind.PREVIEW).registered == 1
    assert outcome(session) is Outcome.OPEN
    assert import_all(session_factory, integration).registered == 1


def test_a_run_tells_of_each_order_what_became_of_it(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session, accounting_type="amounts")
    orders: list[Order] = [
        an_order(),
        an_order(external_id="2", number="2", is_sale=False, status="on-hold", is_paid=False),
        an_order(external_id="3", number="3", buyer=Buyer(name="", vat_code="LT123")),
    ]
    put(store, *orders)
    run = import_all(session_factory, integration)
    with reading(session):
        rows = session.execute(
            select(StoreOrder.order_number, RunOrder.outcome, RunOrder.reason)
            .join(RunOrder, RunOrder.store_order_id == StoreOrder.id)
            .where(RunOrder.run_id == run.id)
            .order_by(StoreOrder.id)
        ).all()
        assert session.get_one(Run, run.id).outcomes() == {
            "registered": 1, "in_journal": 1, "filtered": 1, "already_there": 0, "conflict": 0, "unreadable": 0,
        }  # fmt: skip
    assert [tuple(row) for row in rows] == [
        ("1001", "registered", ""),
        ("2", "filtered", "not_paid"),
        ("3", "in_journal", ""),
    ]


# --- what a reviewer found ---------------------------------------------------------------------------------------


def test_what_the_store_took_back_is_not_said_any_more(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order())
    import_all(session_factory, integration)
    put(store, an_order(lines=(DEARER,)))
    assert import_all(session_factory, integration).changed == 1
    put(store, an_order(note="back again"))
    assert import_all(session_factory, integration).changed == 0
    assert invoices(session)[0].found == []


def test_a_waiting_invoice_moves_to_the_journal_of_its_new_accounting_type(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts", register_automatically="no")
    put(store, an_order())
    import_all(session_factory, integration)
    (before,) = invoices(session)
    assert before.journal is not None
    assert before.journal.number.startswith("S")
    with writing(session):
        session.get_one(Integration, integration.id).settings = {"register_automatically": "no"}
    mend.check_again(session, now=NOW, actor="ona")
    (after,) = invoices(session)
    assert after.journal is not None
    assert (after.id, after.journal.number[0]) == (before.id, "G")


@pytest.mark.parametrize(
    "gone",
    [
        {"is_paid": False, "is_sale": False, "status": "failed"},
        {"is_refunded": True, "is_sale": False, "status": "refunded"},
    ],
)
def test_what_is_no_sale_any_more_does_not_wait(
    session: Session, session_factory: Factory, store: Shop, gone: dict[str, object]
) -> None:
    integration = integrate(session)
    put(store, an_order())
    import_all(session_factory, integration)
    put(store, an_order(**gone))
    assert import_all(session_factory, integration).filtered == 1
    assert invoices(session) == []


def test_a_trashed_order_that_the_list_no_longer_returns_leaves_the_journal(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session)
    put(store, an_order(), an_order(external_id="2", number="2"))
    import_all(session_factory, integration)
    put(store, an_order(is_cancelled=True, is_sale=False, status="trash"))
    store.HIDDEN = {"9001"}
    run = import_all(session_factory, integration)
    assert (run.fetched, run.filter_reasons, run.already_there) == (2, {"cancelled": 1}, 1)
    assert [invoice.order_number for invoice in invoices(session)] == ["2"]


@pytest.mark.parametrize("registered", [True, False])
def test_a_deleted_order_is_said_on_its_document_once(
    session: Session, session_factory: Factory, store: Shop, registered: bool
) -> None:
    integration = integrate(session, accounting_type="amounts" if registered else "goods")
    put(store, an_order())
    import_all(session_factory, integration)
    store.ORDERS.clear()
    for _ in range(2):
        assert import_all(session_factory, integration).fetched == 0
    (invoice,) = invoices(session)
    changed = [found for found in invoice.found if found.code == "changed_in_store"]
    assert [(found.values["what"], found.stops) for found in changed] == [("deleted in the store", not registered)]


def test_a_preview_promises_no_number_twice_across_pages(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts")
    store.PAGE = 1
    put(store, *(an_order(external_id=str(n), number="SAME") for n in range(3)))
    run = import_all(session_factory, integration, kind=RunKind.PREVIEW)
    assert (run.registered, run.conflict) == (1, 2)


@pytest.mark.parametrize("year", [1, 9999])
def test_a_date_that_can_not_be_makes_its_order_unreadable(
    session: Session, session_factory: Factory, store: Shop, year: int
) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order(paid_at=NOON.replace(year=year)), an_order(external_id="2", number="2"))
    run = import_all(session_factory, integration)
    assert (run.unreadable, run.registered) == (1, 1)
    with reading(session):
        row = session.scalars(select(RunOrder).where(RunOrder.outcome == "unreadable")).one()
    assert row.details is not None
    assert "which can't be" in row.details["text"]


def test_a_number_looks_like_what_it_is(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order(number="A\n1\u202e7 "))
    import_all(session_factory, integration)
    assert invoices(session)[0].number == "A17"


def test_the_code_given_with_a_rate_stands_on_the_vat_row(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    from datetime import date

    from monet_web.models import VatRateRow

    with writing(session):
        session.add(VatRateRow(country="LT", percent=Decimal(21), valid_from=date(2026, 1, 1), code="PVM1"))
    integration = integrate(session, accounting_type="amounts")
    abroad = replace(an_order().ship_to, country="LV")
    put(store, an_order(), an_order(external_id="2", number="2", ship_to=abroad))
    import_all(session_factory, integration)
    assert {one.order_number: one.vat_rows[0].code for one in invoices(session)} == {"1001": "PVM1", "2": "PVM1"}
