"""Correcting one waiting invoice: kept, registered, taken back; two people at once; stock to settle (E3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.correction_typed import Typed, TypedLine
from monet_web.domain.errors import BrokenRule
from monet_web.domain.orders import Unreadable
from monet_web.models import AuditEntry, Company, Customer, Integration, Invoice, StockMove, Warehouse
from monet_web.models.base import reading, writing
from monet_web.models.customers import CustomerKey, CustomerKeyKind
from monet_web.models.invoices import InvoiceState
from monet_web.models.stock import Balance
from monet_web.services.books.fields import WrongFields
from monet_web.services.documents import correct, decide, journals, mend, unsettled
from monet_web.services.documents.correct import Looked, Overtaken
from monet_web.services.documents.correct_open import Gone, Opened, open_invoice
from monet_web.services.documents.register import register
from monet_web.services.documents.waiting import Which
from monet_web.services.goods.receipt_rows import Received
from monet_web.services.goods.stock import receive
from tests.builders import NOON, a_line, a_tax, an_item, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, invoices, moved, on_hand, put

Factory = sessionmaker[Session]
RUTA, JONAS = "ruta@example.com", "jonas@example.com"
KNOWN = replace(a_line(), sku="KN-01", product_id="")


@pytest.fixture
def waiting(session: Session, session_factory: Factory, store: type[ScriptedStore]) -> int:
    """The invoice of order 1001, a notebook KN-01 for 12.10; it waits, since entering is manual. 5 are on hand."""
    with writing(session):
        an_item(session, "KN-01", on_hand=5)
        an_item(session, "MUG-2", on_hand=1, unit="pcs")
    integrate(session, register_automatically="no")
    put(store, an_order(lines=(KNOWN,)))
    import_all(session_factory, the_integration(session))
    return invoices(session)[0].id


def the_integration(session: Session) -> Integration:
    with reading(session):
        return session.scalars(select(Integration)).one()


def opened(session: Session, invoice_id: int) -> Opened:
    with reading(session):
        found = open_invoice(session, invoice_id, now=NOW, actor=RUTA)
        _ = (found.typed, found.seen)
    session.expunge_all()  # or a later look would change what this form was filled in by
    return found


def form(of: Opened, head: Mapping[str, str] | None = None, /, **line: Any) -> Typed:
    """The form with some fields of the head and some cells of the first line changed."""
    typed = of.typed
    return Typed({**typed.fields, **(head or {})}, (replace(typed.lines[0], **line), *typed.lines[1:]))


def save(session: Session, of: Opened, typed: Typed, *, actor: str = RUTA, **how: Any) -> Any:
    plain: dict[str, Any] = {"version": of.invoice.row_version, "seen": of.seen, "may_amounts": True, "now": NOW}
    return correct.save(session, of.invoice.id, typed, actor=actor, **{**plain, **how})


def codes(invoice: Invoice) -> list[str]:
    return sorted(one.code for one in invoice.found if one.stops)


def trail(session: Session, action: str) -> list[AuditEntry]:
    with reading(session):
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)))


# --- looked at ----------------------------------------------------------------------------------------------------


def test_looking_at_a_correction_tells_sums_and_reasons_and_writes_nothing(session: Session, waiting: int) -> None:
    of = opened(session, waiting)
    with reading(session):
        looked: Looked = correct.look(session, of, form(of, quantity="7"), may_amounts=False, now=NOW, actor=RUTA)
    assert looked.prepared.draft is not None
    assert looked.prepared.draft.total == Decimal("84.70")
    assert sorted(one.code for one in looked.findings if one.stops) == [
        "posting_manual",
        "quantity_differs",
        "stock_short",
        "total_differs",
    ]
    (invoice,) = invoices(session)
    assert (invoice.total, invoice.touched_at, codes(invoice)) == (Decimal("12.10"), None, ["posting_manual"])


# --- kept ---------------------------------------------------------------------------------------------------------


def test_a_kept_correction_has_exact_sums_fresh_reasons_and_a_trail_from_what_to_what(
    session: Session, waiting: int
) -> None:
    of = opened(session, waiting)
    journal = of.invoice.journal_id
    save(session, of, form(of, {"note": "For Ona"}, quantity="7", name="Notebook, blue"))
    (invoice,) = invoices(session)
    assert (invoice.id, invoice.journal_id, invoice.state) == (waiting, journal, InvoiceState.IN_JOURNAL)
    assert (invoice.touched_by, invoice.touched_at, invoice.note) == (RUTA, NOW, "For Ona")
    (line,) = invoice.lines
    assert (line.name, line.quantity, line.net, line.vat) == (
        "Notebook, blue",
        Decimal(7),
        Decimal("70.00"),
        Decimal("14.70"),
    )
    (vat,) = invoice.vat_rows
    assert (vat.base, vat.amount) == (Decimal("70.00"), Decimal("14.70"))
    assert invoice.net + invoice.vat + invoice.rounding == invoice.total == Decimal("84.70")
    assert codes(invoice) == ["posting_manual", "quantity_differs", "stock_short", "total_differs"]
    (entry,) = trail(session, "corrected")
    assert entry.actor == RUTA
    assert entry.before == {"note": "", "quantity 1": "1", "name 1": "Notebook", "total": "12.10"}
    assert entry.after == {"note": "For Ona", "quantity 1": "7", "name 1": "Notebook, blue", "total": "84.70"}


def test_a_form_that_changes_nothing_keeps_nothing(session: Session, waiting: int) -> None:
    of = opened(session, waiting)
    assert save(session, of, form(of, quantity="1,00")) == ()
    (invoice,) = invoices(session)
    assert (invoice.touched_at, invoice.row_version) == (None, of.invoice.row_version)
    assert trail(session, "corrected") == []


def test_mistakes_are_named_together_and_nothing_is_kept(session: Session, waiting: int) -> None:
    of = opened(session, waiting)
    typed = form(of, {"country": "Lietuva"}, quantity="two", item="NOT-ONE", warehouse="MOON")
    with pytest.raises(WrongFields) as refused:
        save(session, of, typed)
    assert refused.value.fields == {
        "country": "“Lietuva” is not a country. Type its two letters, for example LT.",
        "quantity-1": "“two” is not a number. Type it as 2 or 0,5.",
        "item-1": "There is no item NOT-ONE. Type the code or the name of one, or make it.",
        "warehouse-1": "There is no warehouse MOON. Choose one of the list.",
    }
    assert invoices(session)[0].touched_at is None


def test_no_import_refreshes_what_a_person_corrected(
    session: Session, session_factory: Factory, store: type[ScriptedStore], waiting: int
) -> None:
    of = opened(session, waiting)
    save(session, of, form(of, name="Notebook, blue"))
    three = replace(KNOWN, quantity=Decimal(3), net=Decimal("30.00"), taxes=(a_tax(amount="6.30"),))
    put(store, an_order(lines=(three,), changed_at=NOON + timedelta(hours=1)))
    import_all(session_factory, the_integration(session))
    (invoice,) = invoices(session)
    assert (invoice.lines[0].name, invoice.lines[0].quantity, invoice.total) == (
        "Notebook, blue",
        Decimal(1),
        Decimal("12.10"),
    )
    assert "changed_in_store" in codes(invoice)
    # Corrected once more, it still says that the store has changed.
    again = opened(session, waiting)
    save(session, again, form(again, name="Notebook, red"))
    assert "changed_in_store" in codes(invoices(session)[0])


def test_an_order_that_nobody_can_read_any_more_leaves_its_invoice_to_be_corrected(
    session: Session, waiting: int
) -> None:
    ScriptedStore.SAID[0] = Unreadable("", "The plugin writes nonsense.")
    of = opened(session, waiting)
    save(session, of, form(of, quantity="2"))
    (invoice,) = invoices(session)
    assert (invoice.external_id, invoice.total) == ("9001", Decimal("24.20"))
    assert codes(invoice) == ["posting_manual", "quantity_differs", "total_differs"]
    (done,) = register(session, [waiting], now=NOW, actor=RUTA)
    assert [one.code for one in done.findings] == ["total_differs", "quantity_differs"]
    again = opened(session, waiting)
    with pytest.raises(BrokenRule, match="can't be read any more"):
        correct.back_to_original(
            session, waiting, version=again.invoice.row_version, seen=again.seen, now=NOW, actor=RUTA
        )


# --- items, warehouses, numbers, customers ------------------------------------------------------------------------


def test_an_item_is_typed_by_its_name_and_the_goods_leave_the_warehouse_that_was_chosen(
    session: Session, waiting: int
) -> None:
    with writing(session):
        kaunas = Warehouse(code="KAUNAS", name="Kaunas")
        session.add(kaunas)
        session.flush()
        mug = 2
        session.add(Balance(warehouse_id=kaunas.id, item_id=mug, on_hand=Decimal(4)))
        kaunas_id = kaunas.id
    of = opened(session, waiting)
    typed = form(of, item="item mug-2", quantity="2", price="5", warehouse="KAUNAS")
    save(session, of, typed, accept="quantity 1 1.00 2.00")
    (invoice,) = invoices(session)
    assert (invoice.lines[0].item_id, invoice.lines[0].warehouse_id) == (mug, kaunas_id)
    assert codes(invoice) == ["posting_manual"]
    (done,) = register(session, [waiting], now=NOW, actor=RUTA)
    assert done.ok
    assert moved(session) == {mug: Decimal(-2)}
    with reading(session):
        move = session.scalars(select(StockMove)).one()
        assert (move.warehouse_id, session.get_one(Balance, (kaunas_id, mug)).on_hand) == (kaunas_id, Decimal(2))


def test_a_line_is_added_by_its_item_alone_and_another_one_removed(session: Session, waiting: int) -> None:
    of = opened(session, waiting)
    added = TypedLine(row="2", item="MUG-2", quantity="1", price="10", vat_rate="21")
    save(session, of, Typed(of.typed.fields, (added,)), may_amounts=False)
    (line,) = invoices(session)[0].lines
    assert (line.name, line.unit, line.item_id, line.net, line.vat) == (
        "Item MUG-2", "pcs", 2, Decimal("10.00"), Decimal("2.10")
    )  # fmt: skip


def test_a_number_of_another_document_is_refused_and_an_empty_one_is_that_of_the_settings(
    session: Session, session_factory: Factory, store: type[ScriptedStore], waiting: int
) -> None:
    put(store, an_order(external_id="9002", number="1002", lines=(KNOWN,)))
    import_all(session_factory, the_integration(session))
    of = opened(session, waiting)
    with pytest.raises(WrongFields) as refused:
        save(session, of, form(of, {"number": " 1002 "}))
    assert refused.value.fields == {"number": "1002 belongs to the invoice of order 1002. Type another number."}
    save(session, of, form(of, {"number": "A-7"}))
    assert invoices(session)[0].number == "A-7"
    again = opened(session, waiting)
    save(session, again, form(again, {"number": ""}))
    assert invoices(session)[0].number == "1001"


def test_a_typed_number_stands_where_the_store_gives_none(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    with writing(session):
        an_item(session, "KN-01", on_hand=5)
    integrate(session, number_from="invoice")
    put(store, an_order(lines=(KNOWN,)))
    import_all(session_factory, the_integration(session))
    (invoice,) = invoices(session)
    assert codes(invoice) == ["number_missing"]
    of = opened(session, invoice.id)
    save(session, of, form(of, {"number": "MOL-1"}))
    assert codes(invoices(session)[0]) == []
    (done,) = register(session, [invoice.id], now=NOW, actor=RUTA)
    assert (done.ok, done.number) == (True, "MOL-1")


def test_a_chosen_customer_is_kept_and_a_company_is_found_by_its_vat_code(session: Session, waiting: int) -> None:
    with writing(session):
        person = Customer(name="Ona Onaitė")
        firm = Customer(name="UAB Pavyzdys", is_company=True, vat_code="LT100001738313")
        session.add_all([person, firm])
        session.flush()
        session.add(CustomerKey(kind=CustomerKeyKind.VAT, value="LT100001738313", customer_id=firm.id))
        person_id, firm_id = person.id, firm.id
    of = opened(session, waiting)
    save(session, of, form(of, {"customer": str(person_id)}, name="Notebook, blue"))
    assert invoices(session)[0].customer_id == person_id
    again = opened(session, waiting)
    save(session, again, form(again, {"company": "UAB Pavyzdys", "vat_code": "LT100001738313"}))
    (invoice,) = invoices(session)
    assert (invoice.customer_id, invoice.buyer_name) == (firm_id, "UAB Pavyzdys")


# --- differences --------------------------------------------------------------------------------------------------


def test_an_accountant_accepts_a_total_that_is_not_the_stores_until_the_figures_change(
    session: Session, waiting: int
) -> None:
    of = opened(session, waiting)
    seen = "total 12.10 24.20 quantity 1 1.00 2.00"
    with pytest.raises(BrokenRule, match="Only an accountant accepts a difference"):
        save(session, of, form(of, quantity="2"), accept=seen, may_amounts=False)
    save(
        session, of, form(of, quantity="2"), accept="total 12.10 36.30 quantity 1 1.00 3.00"
    )  # other figures than those that are kept
    assert codes(invoices(session)[0]) == ["posting_manual", "quantity_differs", "total_differs"]
    of = opened(session, waiting)
    save(session, of, of.typed, accept=seen)
    (invoice,) = invoices(session)
    assert codes(invoice) == ["posting_manual"]
    assert "difference_accepted" in [one.code for one in invoice.found]
    again = opened(session, waiting)
    save(session, again, form(again, quantity="3"))
    assert codes(invoices(session)[0]) == ["posting_manual", "quantity_differs", "total_differs"]


def test_a_difference_that_is_accepted_for_a_whole_cause_is_accepted_on_what_was_corrected_too(
    session: Session, waiting: int
) -> None:
    of = opened(session, waiting)
    save(session, of, form(of, quantity="2"))
    for code in ("total_differs", "quantity_differs"):
        which = Which(code=code, subject="" if code == "quantity_differs" else None)
        assert decide.accept_difference(session, which, now=NOW, actor=JONAS) == [waiting]
    mend.check_again(session, codes=["total_differs"], now=NOW, actor=JONAS)
    (invoice,) = invoices(session)
    assert (codes(invoice), invoice.total) == (["posting_manual"], Decimal("24.20"))


def test_accepting_alone_does_not_make_it_a_correction(
    session: Session, session_factory: Factory, store: type[ScriptedStore], waiting: int
) -> None:
    put(store, an_order(external_id="9002", number="1002", lines=(KNOWN,), total=Decimal("13.10")))
    import_all(session_factory, the_integration(session))
    other = invoices(session)[1]
    assert codes(other) == ["posting_manual", "total_differs"]
    of = opened(session, other.id)
    save(session, of, of.typed, accept="total 13.10 12.10")
    invoice = invoices(session)[1]
    assert (codes(invoice), invoice.touched_at, invoice.total) == (["posting_manual"], None, Decimal("13.10"))


def test_office_registers_no_other_quantity_for_the_same_money_until_an_accountant_accepts_it(
    session: Session, waiting: int
) -> None:
    of = opened(session, waiting)
    typed = form(of, quantity="5", price="2")
    save(session, of, typed, may_amounts=False)
    assert codes(invoices(session)[0]) == ["posting_manual", "quantity_differs"]
    (refused,) = register(session, [waiting], now=NOW, actor=RUTA)
    assert (refused.ok, moved(session)) == (False, {})
    again = opened(session, waiting)
    save(session, again, again.typed, accept="quantity 1 1.00 5.00", actor=JONAS)
    (done,) = register(session, [waiting], now=NOW, actor=RUTA)
    assert done.ok
    assert moved(session) == {1: Decimal(-5)}


def test_goods_become_a_fee_by_an_accountant_alone_and_the_invoice_says_so(session: Session, waiting: int) -> None:
    of = opened(session, waiting)
    with pytest.raises(WrongFields) as refused:
        save(session, of, form(of, kind="fee"), may_amounts=False)
    assert list(refused.value.fields) == ["kind-1"]
    save(session, of, form(of, kind="fee"))
    for _ in range(2):  # as it is kept, and as it is checked again
        (invoice,) = invoices(session)
        (notice,) = [one for one in invoice.found if one.code == "kind_changed"]
        assert (notice.stops, notice.values["was_kind"], notice.values["is_kind"]) == (False, "goods", "fee")
        mend.check_again(session, invoice_ids=[waiting], now=NOW, actor=JONAS)


def test_the_right_rate_leaves_what_was_paid_and_the_difference_of_vat_is_named(session: Session, waiting: int) -> None:
    of = opened(session, waiting)
    save(session, of, form(of, vat_rate="5"))
    (invoice,) = invoices(session)
    assert (invoice.total, invoice.vat, invoice.rounding) == (Decimal("12.10"), Decimal("0.58"), Decimal(0))
    assert codes(invoice) == ["posting_manual", "vat_differs"]


# --- two people ---------------------------------------------------------------------------------------------------


def test_the_second_of_two_people_is_told_who_and_when_and_what_and_nothing_is_lost(
    session: Session, waiting: int
) -> None:
    ruta, jonas = opened(session, waiting), opened(session, waiting)
    save(session, ruta, form(ruta, quantity="2"))
    typed = form(jonas, {"note": "mine"}, quantity="3")
    with pytest.raises(Overtaken) as told:
        save(session, jonas, typed, actor=JONAS)
    assert (told.value.who, told.value.at) == (RUTA, NOW)
    assert [(one.field, one.before, one.after) for one in told.value.changes] == [
        ("note", "", "mine"), ("quantity", "2", "3"),
    ]  # fmt: skip
    assert invoices(session)[0].lines[0].quantity == 2
    # Having seen both, he keeps his.
    now = opened(session, waiting)
    save(session, now, typed, actor=JONAS)
    (invoice,) = invoices(session)
    assert (invoice.lines[0].quantity, invoice.note, invoice.touched_by) == (Decimal(3), "mine", JONAS)


def test_checking_again_meanwhile_is_no_change_that_anybody_is_told_of(session: Session, waiting: int) -> None:
    of = opened(session, waiting)
    mend.check_again(session, invoice_ids=[waiting], now=NOW, actor=JONAS)
    assert invoices(session)[0].row_version > of.invoice.row_version
    save(session, of, form(of, quantity="2"))
    assert invoices(session)[0].lines[0].quantity == 2


def test_an_import_that_refreshed_it_meanwhile_is_told_too(
    session: Session, session_factory: Factory, store: type[ScriptedStore], waiting: int
) -> None:
    of = opened(session, waiting)
    put(store, an_order(lines=(replace(KNOWN, name="Notebook XL"),), changed_at=NOON + timedelta(hours=1)))
    import_all(session_factory, the_integration(session))
    with pytest.raises(Overtaken) as told:
        save(session, of, form(of, quantity="2"))
    assert (told.value.who, told.value.at) == ("", None)
    assert ("name", "Notebook XL", "Notebook") in [(one.field, one.before, one.after) for one in told.value.changes]


def test_what_was_registered_or_deleted_meanwhile_says_by_whom(session: Session, waiting: int) -> None:
    of = opened(session, waiting)
    register(session, [waiting], now=NOW, actor=JONAS)
    with pytest.raises(Gone) as told:
        save(session, of, form(of, quantity="2"))
    assert (told.value.registered, told.value.who, told.value.number) == (True, JONAS, "1001")


def test_what_was_deleted_meanwhile_says_by_whom(session: Session, waiting: int) -> None:
    of = opened(session, waiting)
    journals.delete(session, [waiting], leave_out=False, reason="", now=NOW, actor=JONAS)
    with pytest.raises(Gone) as told:
        save(session, of, form(of, quantity="2"))
    assert (told.value.registered, told.value.who, told.value.number) == (False, JONAS, "1001")


# --- registered, taken back ---------------------------------------------------------------------------------------


def test_what_mends_a_cause_checks_what_was_corrected_too(
    session: Session, session_factory: Factory, waiting: int
) -> None:
    with writing(session):
        session.scalars(select(Integration)).one().settings = {}
    of = opened(session, waiting)
    save(session, of, form(of, quantity="7", price="1.428571"), accept="quantity 1 1.00 7.00")
    assert codes(invoices(session)[0]) == ["stock_short"]
    receive(session, [Received(1, "KN-01", Decimal(2), "MAIN", None)], note="", now=NOW, actor=RUTA)
    done = mend.check_again(session, codes=["stock_short"], now=NOW, actor=RUTA)
    assert (done.checked, done.registered) == (1, 1)
    (invoice,) = invoices(session)
    assert (invoice.state, invoice.lines[0].quantity, invoice.touched_by) == (InvoiceState.REGISTERED, Decimal(7), RUTA)
    assert on_hand(session)[1] == 0


def test_back_to_the_stores_original_forgets_the_correction_and_imports_refresh_again(
    session: Session, session_factory: Factory, store: type[ScriptedStore], waiting: int
) -> None:
    of = opened(session, waiting)
    save(session, of, form(of, {"note": "mine", "issue_date": "2026-11-30"}, quantity="2"))
    again = opened(session, waiting)
    undone = correct.back_to_original(
        session, waiting, version=again.invoice.row_version, seen=again.seen, may_amounts=True, now=NOW, actor=JONAS
    )
    assert {one.field for one in undone} == {"note", "issue_date", "quantity"}
    (invoice,) = invoices(session)
    assert (invoice.touched_at, invoice.note, invoice.total) == (None, "", Decimal("12.10"))
    assert (invoice.issue_date, invoice.lines[0].quantity) == (date(2026, 11, 23), Decimal(1))
    (entry,) = trail(session, "correction_undone")
    assert entry.before is not None
    assert (entry.actor, entry.before["touched_by"], entry.before["quantity 1"]) == (JONAS, RUTA, "2")
    put(store, an_order(lines=(replace(KNOWN, name="Notebook XL"),), changed_at=NOON + timedelta(hours=1)))
    import_all(session_factory, the_integration(session))
    assert invoices(session)[0].lines[0].name == "Notebook XL"


# --- stock to settle ----------------------------------------------------------------------------------------------


def test_registered_without_moving_stock_it_is_kept_to_be_settled_and_settled_once(
    session: Session, waiting: int
) -> None:
    of = opened(session, waiting)
    save(session, of, form(of, quantity="7", price="1.428571"), accept="quantity 1 1.00 7.00")
    (refused,) = register(session, [waiting], now=NOW, actor=RUTA)
    assert [one.code for one in refused.findings] == ["stock_short"]
    (done,) = register(session, [waiting], without_stock="Counted tomorrow", now=NOW, actor=RUTA)
    assert done.ok
    (invoice,) = invoices(session)
    assert (invoice.stock_not_moved_reason, moved(session), on_hand(session)[1]) == ("Counted tomorrow", {}, Decimal(5))
    assert trail(session, "registered")[0].after == {
        "number": "1001", "total": "12.10", "without_stock": "Counted tomorrow",
    }  # fmt: skip
    with reading(session):
        (row,), after = unsettled.page(session)
        assert (unsettled.count(session), after, row.invoice.id) == (1, None, waiting)
        assert [(one.item, one.warehouse, one.quantity) for one in row.needs] == [("KN-01", "MAIN", Decimal(7))]
    with pytest.raises(BrokenRule, match="KN-01 in MAIN: 7 needed, 5 on hand"):
        unsettled.settle(session, waiting, now=NOW, actor=JONAS)
    assert (moved(session), on_hand(session)[1]) == ({}, 5)
    receive(session, [Received(1, "KN-01", Decimal(3), "MAIN", None)], note="", now=NOW, actor=RUTA)
    unsettled.settle(session, waiting, now=NOW, actor=JONAS)
    assert on_hand(session)[1] == 1
    with reading(session):
        assert unsettled.page(session) == ([], None)
        move = session.scalars(select(StockMove).where(StockMove.document_type == "invoice")).one()
        assert (move.quantity, move.day) == (Decimal(-7), date(2026, 11, 24))
    with pytest.raises(BrokenRule, match="has moved by now"):
        unsettled.settle(session, waiting, now=NOW, actor=JONAS)
    assert trail(session, "stock_settled")[0].actor == JONAS


def test_office_takes_back_its_own_corrections_and_none_of_an_accountant(session: Session, waiting: int) -> None:
    def take_back(**how: Any) -> Any:
        of = opened(session, waiting)
        return correct.back_to_original(
            session, waiting, version=of.invoice.row_version, seen=of.seen, now=NOW, **{"actor": RUTA, **how}
        )

    of = opened(session, waiting)
    save(session, of, form(of, {"note": "For Ona"}), may_amounts=False)
    assert [one.field for one in take_back()] == ["note"]
    of = opened(session, waiting)
    save(session, of, form(of, {"note": "For Ona"}, name="Notebook, red"), may_amounts=False)
    of = opened(session, waiting)
    save(session, of, form(of, {"issue_date": "2026-11-20"}), actor=JONAS)
    with pytest.raises(BrokenRule, match="An accountant settled"):
        take_back()
    assert (invoices(session)[0].issue_date, invoices(session)[0].note) == (date(2026, 11, 20), "For Ona")
    assert {one.field for one in take_back(may_amounts=True)} >= {"note", "issue_date"}
    of = opened(session, waiting)
    save(session, of, form(of, quantity="5", price="2"), accept="quantity 1 1.00 5.00", actor=JONAS)
    with pytest.raises(BrokenRule, match="An accountant settled"):
        take_back()


def test_what_moves_no_stock_anyway_is_not_kept_to_be_settled(
    session: Session, session_factory: Factory, store: type[ScriptedStore]
) -> None:
    with writing(session):
        an_item(session, "KN-01", keeps_stock=False)
    integrate(session, register_automatically="no")
    put(store, an_order(lines=(KNOWN,)))
    import_all(session_factory, the_integration(session))
    (invoice,) = invoices(session)
    (done,) = register(session, [invoice.id], without_stock="Counted tomorrow", now=NOW, actor=RUTA)
    assert done.ok
    assert invoices(session)[0].stock_not_moved_reason == ""


def test_a_closed_day_refuses_the_stock_of_a_settlement(session: Session, waiting: int) -> None:
    register(session, [waiting], without_stock="Counted tomorrow", now=NOW, actor=RUTA)
    with writing(session):
        session.get_one(Company, 1).closed_until = date(2026, 11, 30)
    with pytest.raises(BrokenRule, match="Periods until 2026-11-30 are closed"):
        unsettled.settle(session, waiting, now=NOW, actor=JONAS)
    assert moved(session) == {}
