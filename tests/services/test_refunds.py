"""Refunds become credit notes: of every kind, at the invoice's rates, once, and never more than remains (D11)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import BrokenRule
from monet_web.domain.orders import LineKind, Refund, RefundLine
from monet_web.models import Balance, CurrencyRate, Integration, Invoice, Series, TakenNumber
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceKind, InvoiceState
from monet_web.models.runs import RunKind
from monet_web.services.documents import accept, credit, journals, mend, move, register, unsettled
from monet_web.services.importing import refunds
from monet_web.services.importing.booking import booking_for
from monet_web.services.importing.collect import Remembered
from monet_web.services.reports import month
from tests.builders import NOON, a_charge, a_line, a_tax, an_item, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, invoices, moved, on_hand, put

Factory = sessionmaker[Session]
Shop = type[ScriptedStore]

LATER = NOON + timedelta(hours=20)
AUTOMATIC = {"accounting_type": "amounts", "refunds": "automatic"}
WHO: dict[str, Any] = {"now": NOW, "actor": "ona@example.com"}


def a_refund(*lines: RefundLine, total: str = "", external_id: str = "501", **changes: Any) -> Refund:
    """Of the next day; its total is what its lines come to."""
    whole = sum((one.net + sum((tax.amount for tax in one.taxes), Decimal(0)) for one in lines), Decimal(0))
    return Refund(external_id, LATER, Decimal(total) if total else whole, lines=lines, **changes)


def back(line_id: str = "11", quantity: str = "1", net: str = "10.00", vat: str = "2.10", **changes: Any) -> RefundLine:
    """One notebook given back."""
    taxes = (a_tax(changes.pop("rate", "21"), vat),) if vat else ()
    return RefundLine(
        line_id, changes.pop("kind", LineKind.GOODS), "Notebook", Decimal(quantity), Decimal(net), taxes, **changes
    )


def notes(session: Session) -> list[Invoice]:
    return [one for one in invoices(session) if one.kind is InvoiceKind.CREDIT_NOTE]


def codes(document: Invoice) -> list[str]:
    return sorted(found.code for found in document.found)


def by_rate(document: Invoice) -> list[tuple[str, str, str]]:
    return [(f"{row.rate or 0:f}", f"{row.base:.2f}", f"{row.amount:.2f}") for row in document.vat_rows]


def adds_up(document: Invoice) -> None:
    bases = sum((row.base for row in document.vat_rows), Decimal(0))
    amounts = sum((row.amount for row in document.vat_rows), Decimal(0))
    assert bases + amounts + document.rounding == document.total
    assert bases == sum((line.net for line in document.lines), Decimal(0)) == document.net
    assert amounts == sum((line.vat for line in document.lines), Decimal(0)) == document.vat


TWO_RATES = (
    a_line(quantity=Decimal(2), net=Decimal("20.00"), taxes=(a_tax(amount="4.20"),)),
    a_line(external_id="12", sku="BOOK", product_id="502", net=Decimal("8.00"), taxes=(a_tax("5", "0.40"),)),
)
PAIR = TWO_RATES[:1]


def test_a_refund_by_line_is_registered_with_the_invoice(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, **AUTOMATIC)
    put(store, an_order(lines=TWO_RATES, charges=(a_charge(),), refunds=(a_refund(back()),)))
    run = import_all(session_factory, integration)
    assert (run.registered, run.credit_notes, run.in_journal) == (1, 1, 0)
    invoice, note = invoices(session)
    assert invoice.total == Decimal("37.44")  # the whole invoice, and then what was given back
    assert (note.number, note.total, note.state) == ("1001-K1", Decimal("-12.10"), InvoiceState.REGISTERED)
    assert (note.external_id, note.revision, note.credits_invoice_id) == ("501", 1, invoice.id)
    assert (note.issue_date, note.supply_date) == (date(2026, 11, 24), invoice.supply_date)
    assert [(line.position, line.quantity, line.net, line.vat) for line in note.lines] == [
        (1, Decimal(-1), Decimal("-10.00"), Decimal("-2.10"))
    ]
    assert (by_rate(note), note.total_eur) == ([("21", "-10.00", "-2.10")], Decimal("-12.10"))
    adds_up(note)


def test_by_default_it_waits_for_a_person_who_registers_it(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order(lines=PAIR, refunds=(a_refund(back()),)))
    run = import_all(session_factory, integration)
    assert (run.registered, run.credit_notes, run.findings) == (1, 1, {})
    (note,) = notes(session)
    assert (note.state, codes(note), note.number) == (InvoiceState.IN_JOURNAL, ["refund_waits"], "1001-K1")
    assert note.journal is not None
    (done,) = register.register(session, [note.id], **WHO)
    assert (done.ok, done.number) == (True, "1001-K1")
    (again,) = notes(session)
    assert (again.id, again.state, again.journal_id) == (note.id, InvoiceState.REGISTERED, None)


def test_the_same_refund_never_twice(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session, **AUTOMATIC)
    put(store, an_order(lines=PAIR, refunds=(a_refund(back()),)))
    import_all(session_factory, integration)
    first = notes(session)
    again = import_all(session_factory, integration)
    assert (again.already_there, again.credit_notes) == (1, 0)
    assert [(one.id, one.row_version) for one in notes(session)] == [(first[0].id, first[0].row_version)]


def test_a_refund_that_comes_later_is_read_on_and_flags_nothing(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, **AUTOMATIC)
    put(store, an_order())
    import_all(session_factory, integration)
    put(store, an_order(status="refunded", is_refunded=True, is_sale=False, refunds=(a_refund(back()),)))
    run = import_all(session_factory, integration)
    assert (run.already_there, run.changed, run.credit_notes) == (1, 0, 1)
    invoice, note = invoices(session)
    assert (codes(invoice), note.total, note.state) == ([], Decimal("-12.10"), InvoiceState.REGISTERED)


def test_an_amount_only_is_proposed_in_proportion_and_waits(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, **AUTOMATIC)
    put(store, an_order(lines=TWO_RATES, refunds=(a_refund(total="10.00"),)))
    import_all(session_factory, integration)
    (note,) = notes(session)
    assert (note.state, codes(note)) == (InvoiceState.IN_JOURNAL, ["refund_amount_only"])
    # 24.20 of 32.60 at 21 %, 8.40 at 5 %.
    assert by_rate(note) == [("21", "-6.13", "-1.29"), ("5", "-2.46", "-0.12")]
    assert all(line.quantity == 0 for line in note.lines)
    adds_up(note)


def test_shipping_alone_and_several_refunds_until_nothing_is_left(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, **AUTOMATIC)
    shipping = a_refund(back("21", net="4.00", vat="0.84", kind=LineKind.SHIPPING))
    put(store, an_order(lines=TWO_RATES, charges=(a_charge(),), refunds=(shipping,)))
    import_all(session_factory, integration)
    assert [one.kind for one in notes(session)[0].lines] == ["shipping"]
    one = a_refund(back(), external_id="502")
    rest = a_refund(total="20.50", external_id="503")
    put(store, an_order(lines=TWO_RATES, charges=(a_charge(),), refunds=(shipping, one, rest)))
    import_all(session_factory, integration)
    found = notes(session)
    assert [each.number for each in found] == ["1001-K1", "1001-K2", "1001-K3"]
    assert sum(each.total for each in invoices(session)) == 0
    assert by_rate(found[2]) == [("21", "-10.00", "-2.10"), ("5", "-8.00", "-0.40")]


def test_never_more_than_remains(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session, **AUTOMATIC)
    twice = (a_refund(back()), a_refund(back(), external_id="502"), a_refund(total="5.00", external_id="503"))
    put(store, an_order())
    import_all(session_factory, integration)
    put(store, an_order(refunds=(a_refund(total="8.00"), *twice[1:])))
    import_all(session_factory, integration)
    first, second, third = notes(session)
    # The one with lines is taken first; for the amounts nothing is left.
    assert (first.total, second.total, third.total) == (Decimal(0), Decimal("-12.10"), Decimal(0))
    assert (second.state, codes(first), first.lines) == (InvoiceState.REGISTERED, ["refund_over"], [])
    assert (codes(third), third.lines) == (["refund_over"], [])
    assert [one.ok for one in register.register(session, [first.id, third.id], **WHO)] == [False, False]
    assert sum(each.total for each in invoices(session)) == 0


def test_what_is_given_back_twice_waits(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session, **AUTOMATIC)
    put(store, an_order(lines=PAIR))
    import_all(session_factory, integration)
    both = back(quantity="2", net="20.00", vat="4.20")
    put(store, an_order(lines=PAIR, refunds=(a_refund(back()), a_refund(both, external_id="502"))))
    import_all(session_factory, integration)
    first, second = notes(session)
    assert (first.total, first.state) == (Decimal("-12.10"), InvoiceState.REGISTERED)
    assert (second.total, second.state, codes(second)) == (
        Decimal("-12.10"), InvoiceState.IN_JOURNAL, ["refund_exceeds"],
    )  # fmt: skip


def test_an_amount_that_waits_takes_nothing_of_a_line_that_a_later_refund_names(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, **AUTOMATIC)
    amount = a_refund(total="6.00")
    put(store, an_order(lines=TWO_RATES, refunds=(amount,)))
    import_all(session_factory, integration)
    (alone,) = notes(session)
    assert {row.rate for row in alone.vat_rows} == {Decimal(21), Decimal(5)}
    named = a_refund(back("12", net="8.00", vat="0.40", rate="5"), external_id="502")
    put(store, an_order(lines=TWO_RATES, refunds=(amount, named)))
    import_all(session_factory, integration)
    shared, exact = notes(session)
    assert (exact.state, by_rate(exact)) == (InvoiceState.REGISTERED, [("5", "-8.00", "-0.40")])
    assert [(line.position, line.quantity) for line in exact.lines] == [(2, Decimal(-1))]
    # The book is gone: the amount is shared over what is left, the notebooks.
    assert (shared.id, shared.number, shared.state) == (alone.id, "1001-K1", InvoiceState.IN_JOURNAL)
    assert by_rate(shared) == [("21", "-4.96", "-1.04")]
    assert exact.number == "1001-K2"


def test_it_keeps_the_rate_of_its_invoice(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session, **AUTOMATIC)
    old = datetime(2025, 12, 30, 10, tzinfo=UTC)
    nine = an_order(
        lines=(a_line(net=Decimal("100.00"), taxes=(a_tax("9", "9.00"),)),), placed_at=old, paid_at=old,
    )  # fmt: skip
    put(store, nine)
    import_all(session_factory, integration)
    # The store reckons the refund with the rate of today.
    given = a_refund(back(net="50.00", vat="6.00", rate="12"))
    put(store, an_order(lines=nine.lines, placed_at=old, paid_at=old, refunds=(given,)))
    import_all(session_factory, integration)
    (note,) = notes(session)
    assert (by_rate(note), note.total) == ([("9", "-51.38", "-4.62")], Decimal("-56.00"))


def test_it_waits_with_its_invoice_and_is_registered_with_it(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, refunds="automatic")
    put(store, an_order(lines=PAIR, refunds=(a_refund(back(restocked=True)),)))
    run = import_all(session_factory, integration)
    assert (run.in_journal, run.credit_notes) == (1, 1)
    invoice, note = invoices(session)
    assert (note.journal_id, codes(note)) == (invoice.journal_id, ["invoice_not_registered"])
    with writing(session):
        item = an_item(session, on_hand=3)
    done = mend.check_again(session, codes=("item_unknown",), **WHO)
    assert (done.checked, done.registered) == (1, 1)
    invoice, note = invoices(session)
    assert {invoice.state, note.state} == {InvoiceState.REGISTERED}
    assert (codes(note), note.lines[0].goods) == ([], "back")
    assert (on_hand(session), moved(session)) == ({item.id: Decimal(2)}, {item.id: Decimal(-1)})


@pytest.mark.parametrize(("restocked", "goods", "left"), [(True, "back", 2), (False, "kept", 1)])
def test_goods_go_where_the_store_says(
    restocked: bool, goods: str, left: int, session: Session, session_factory: Factory, store: Shop
) -> None:
    with writing(session):
        item = an_item(session, on_hand=3)
    integration = integrate(session, refunds="automatic")
    put(store, an_order(lines=PAIR, refunds=(a_refund(back(restocked=restocked)),)))
    import_all(session_factory, integration)
    (note,) = notes(session)
    assert (note.state, note.lines[0].goods) == (InvoiceState.REGISTERED, goods)
    assert on_hand(session) == {item.id: Decimal(left)}


def test_where_the_store_does_not_say_it_is_asked(session: Session, session_factory: Factory, store: Shop) -> None:
    with writing(session):
        item = an_item(session, on_hand=3)
    integration = integrate(session, refunds="automatic")
    put(store, an_order(lines=PAIR, refunds=(a_refund(back()),)))
    import_all(session_factory, integration)
    (note,) = notes(session)
    assert codes(note) == ["goods_unanswered"]
    (done,) = register.register(session, [note.id], **WHO)
    assert (done.ok, [one.code for one in done.findings]) == (False, ["goods_unanswered"])
    assert on_hand(session) == {item.id: Decimal(1)}


def test_a_status_without_a_refund_counts_for_the_rest(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session, **AUTOMATIC)
    put(store, an_order(lines=TWO_RATES))
    import_all(session_factory, integration)
    put(store, an_order(lines=TWO_RATES, is_refunded=True, status="refunded", refunds=(a_refund(back()),)))
    import_all(session_factory, integration)
    first, second = notes(session)
    assert (first.external_id, second.external_id) == ("501", "status of 9001")
    assert (second.total, codes(second)) == (Decimal("-20.50"), ["refund_amount_only"])


def test_a_refund_deleted_in_the_store_leaves_the_journal_or_is_told(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, **AUTOMATIC)
    given = (a_refund(back()), a_refund(total="3.00", external_id="502"))
    put(store, an_order(lines=TWO_RATES, refunds=given))
    import_all(session_factory, integration)
    assert [one.state for one in notes(session)] == [InvoiceState.REGISTERED, InvoiceState.IN_JOURNAL]
    put(store, an_order(lines=TWO_RATES))
    import_all(session_factory, integration)
    (note,) = notes(session)
    assert (note.number, codes(note)) == ("1001-K1", ["refund_gone"])
    put(store, an_order(lines=TWO_RATES, refunds=given))
    import_all(session_factory, integration)
    assert [codes(one) for one in notes(session)] == [[], ["refund_amount_only"]]


def test_refunded_in_full_and_never_invoiced_makes_nothing(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, **AUTOMATIC)
    put(store, an_order(refunds=(a_refund(back()),)))
    put(store, an_order(is_refunded=True, refunds=(a_refund(back()),)))
    run = import_all(session_factory, integration)
    assert (run.filter_reasons, run.credit_notes, invoices(session)) == ({"refunded_before_import": 1}, 0, [])


def test_switched_off_it_is_only_said(session: Session, session_factory: Factory, store: Shop) -> None:
    integration = integrate(session, accounting_type="amounts", refunds="off")
    put(store, an_order(refunds=(a_refund(back(), total="6.00"),)))
    run = import_all(session_factory, integration)
    (invoice,) = invoices(session)
    assert (run.registered, run.credit_notes, codes(invoice)) == (1, 0, ["refund_not_booked"])


def test_switched_off_a_later_refund_is_said_too_until_it_is_booked(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts", refunds="off")
    first = a_refund(back())
    later = replace(a_refund(total="6.00", external_id="502"), created_at=NOON + timedelta(days=3))
    for given in ((), (first,), (first, later)):
        put(store, an_order(lines=PAIR, refunds=given))
        import_all(session_factory, integration)
    said = {found.code: found.values for found in invoices(session)[0].found}
    assert said["refund_not_booked"] == {"amount": "18.10", "currency": "EUR", "count": "2026-11-24, 2026-11-26"}
    with writing(session):
        session.get_one(Integration, integration.id).settings = {**integration.settings, "refunds": "journal"}
    import_all(session_factory, integration)
    invoice, *made = invoices(session)
    assert (codes(invoice), len(made)) == ([], 2)


def test_switched_off_a_status_that_says_given_back_is_said(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts", refunds="off")
    put(store, an_order())
    import_all(session_factory, integration)
    moment = NOON + timedelta(days=1)
    put(store, an_order(is_refunded=True, is_sale=False, status="refunded", changed_at=moment))
    import_all(session_factory, integration)
    (invoice,) = invoices(session)
    said = {found.code: found.values for found in invoice.found}
    assert said["refund_not_booked"] == {"amount": "12.10", "currency": "EUR", "count": "2026-11-24"}


def test_an_exchange_rate_is_the_invoices(session: Session, session_factory: Factory, store: Shop) -> None:
    with writing(session):
        session.add(CurrencyRate(day=NOON.date(), currency="USD", rate=Decimal("1.1")))
    integration = integrate(session, **AUTOMATIC)
    given = (a_refund(back()), a_refund(total="20.50", external_id="502"))
    put(store, an_order(currency="USD", lines=TWO_RATES))
    import_all(session_factory, integration)
    put(store, an_order(currency="USD", lines=TWO_RATES, refunds=given))
    import_all(session_factory, integration)
    register.register(session, [one.id for one in notes(session)], **WHO)
    invoice, first, second = invoices(session)
    assert first.eur_rate == second.eur_rate == invoice.eur_rate == Decimal("1.1")
    assert first.total_eur == Decimal("-11.00")
    for name in ("total_eur", "vat_eur", "net_eur"):
        assert sum(getattr(one, name) for one in (invoice, first, second)) == 0


def test_a_deleted_invoice_takes_its_credit_notes_and_all_come_back(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, register_automatically="no")
    put(store, an_order(refunds=(a_refund(total="3.00"),)))
    import_all(session_factory, integration)
    invoice, _note = invoices(session)
    assert journals.delete(session, [invoice.id], leave_out=False, reason="", **WHO) == 1
    assert invoices(session) == []
    import_all(session_factory, integration)
    assert [one.total for one in invoices(session)] == [Decimal("12.10"), Decimal("-3.00")]


def test_a_refund_whose_waiting_credit_note_is_deleted_stands_open_until_a_run_makes_it_again(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts")
    given = (a_refund(total="3.00"), a_refund(total="2.00", external_id="502"))
    put(store, an_order(refunds=given))
    import_all(session_factory, integration)
    first, second = notes(session)
    december = datetime(2026, 12, 5, tzinfo=UTC)
    for note in (first, second):
        assert journals.delete(session, [note.id], leave_out=False, reason="", **WHO) == 1
    (invoice,) = invoices(session)
    (left,) = invoice.found
    told = {"amount": "5.00", "currency": "EUR", "count": "2026-11-24"}
    assert (left.code, left.values, left.stops) == ("refund_left", told, False)
    with reading(session):
        found = month.load(session, date(2026, 11, 1), now=december)
        assert (found.given_back, "refunds" in found.stands_open) == (1, True)
        assert month.load(session, date(2026, 12, 1), now=december).given_back == 0
    import_all(session_factory, integration)
    invoice, *again = invoices(session)
    assert (codes(invoice), [one.total for one in again]) == ([], [Decimal("-3.00"), Decimal("-2.00")])


def test_a_credit_note_is_not_left_out_while_its_invoice_stays(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order(refunds=(a_refund(total="3.00"),)))
    import_all(session_factory, integration)
    invoice, note = (one.id for one in invoices(session))
    for refuse in (
        lambda: journals.delete(session, [note], leave_out=True, reason="test", **WHO),
        lambda: _deletable(session, [note], leave_out=True),
    ):
        with pytest.raises(BrokenRule, match="can't be left out: the store gave the money back"):
            refuse()
    assert len(invoices(session)) == 2
    _deletable(session, [note], leave_out=False)
    _deletable(session, [invoice, note], leave_out=True)  # with its order it goes


def _deletable(session: Session, ids: list[int], *, leave_out: bool) -> None:
    with reading(session):
        journals.must_be_deletable(session, ids, leave_out=leave_out)


def test_a_refund_that_can_not_be_booked_is_said_by_its_invoice(
    session: Session, session_factory: Factory, store: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = integrate(session, **AUTOMATIC)
    put(store, an_order(lines=PAIR, refunds=(a_refund(back()),)))

    def odd(*_args: Any, **_named: Any) -> None:
        raise ValueError("nobody thought of this one")

    with monkeypatch.context() as patch:
        patch.setattr(refunds, "propose", odd)
        import_all(session_factory, integration)
    (invoice,) = invoices(session)
    assert (codes(invoice), invoice.found[0].values["amount"]) == (["refund_left"], "12.10")


def test_a_crash_before_the_commit_leaves_neither_and_the_next_run_makes_both(
    session: Session, session_factory: Factory, store: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    integration = integrate(session, **AUTOMATIC)
    put(store, an_order(lines=PAIR, refunds=(a_refund(back()),)))
    whole = refunds.count_of_run

    def die(*_args: Any) -> int:
        raise RuntimeError("the power went")

    monkeypatch.setattr(refunds, "count_of_run", die)
    assert import_all(session_factory, integration).unreadable == 1
    assert invoices(session) == []
    monkeypatch.setattr(refunds, "count_of_run", whole)
    run = import_all(session_factory, integration)
    assert (run.registered, run.credit_notes, len(notes(session))) == (1, 1, 1)


def test_a_preview_says_how_many_there_would_be_and_makes_none(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, **AUTOMATIC)
    put(store, an_order(lines=TWO_RATES, refunds=(a_refund(back()), a_refund(total="3.00", external_id="502"))))
    run = import_all(session_factory, integration, kind=RunKind.PREVIEW)
    assert (run.credit_notes, invoices(session)) == (2, [])
    assert import_all(session_factory, integration).credit_notes == 2
    assert import_all(session_factory, integration, kind=RunKind.PREVIEW).credit_notes == 0


def test_a_changed_order_that_is_replaced_brings_its_credit_notes_along(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, **AUTOMATIC)
    given = (a_refund(back()),)
    put(store, an_order(lines=TWO_RATES, refunds=given))
    import_all(session_factory, integration)
    dearer = (replace(TWO_RATES[0], net=Decimal("30.00"), taxes=(a_tax(amount="6.30"),)), TWO_RATES[1])
    put(store, an_order(lines=dearer, refunds=given))
    assert import_all(session_factory, integration).changed == 1
    first = invoices(session)[0]
    (done,) = accept.accept(session, [first.id], **WHO)
    assert (done.refused, done.credit_note, done.number) == ("", "1001-K2", "1001-2")
    found = {one.number: one.total for one in invoices(session)}
    assert found == {
        "1001": Decimal("32.60"), "1001-K1": Decimal("-12.10"), "1001-K2": Decimal("-20.50"),
        "1001-2": Decimal("44.70"), "1001-2-K1": Decimal("-12.10"),
    }  # fmt: skip


def at_once(*works: Callable[[], object]) -> list[BaseException]:
    """All of them begun together, each in a thread of its own; what broke."""
    begin = threading.Barrier(len(works))
    broken: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        begin.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told to the test
            broken.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return broken


@pytest.mark.parametrize("other", ["the same refund", "all of it"])
def test_two_workers_never_give_back_more_than_is_left(
    other: str, session: Session, session_factory: Factory, store: Shop
) -> None:
    """Past the claims, which keep them apart: the invoice's row alone must."""
    integration = integrate(session, **AUTOMATIC)
    put(store, an_order(lines=PAIR))
    run = import_all(session_factory, integration)
    (invoice,) = invoices(session)
    order = an_order(lines=PAIR, refunds=(a_refund(total="20.00"),))
    remembered = Remembered(invoice.store_order_id, invoice.drafted_from_version_id, order)

    def follow() -> None:
        mine = session_factory()
        try:
            with writing(mine):
                booking = booking_for(
                    mine,
                    mine.get_one(Integration, integration.id),
                    run_id=run.id,
                    attempt=1,
                    kind=RunKind.LAUNCH,
                    **WHO,
                )
                refunds.follow(mine, booking, [refunds.Followed(remembered, invoice.id)])
        finally:
            mine.close()

    def credit_all() -> None:
        mine = session_factory()
        try:
            with writing(mine):
                credit.in_full(mine, [invoice.id], run_id=run.id, day=NOW.date(), reason="all", **WHO)
        finally:
            mine.close()

    at_once(follow, follow if other == "the same refund" else credit_all)
    found = invoices(session)
    assert sum(one.total for one in found) >= 0
    assert len(found) == 2
    assert sum(one.total for one in found) == (Decimal("4.20") if other == "the same refund" else 0)


@pytest.mark.parametrize(("restocked", "left"), [(True, 10), (False, 9)])
def test_crediting_the_rest_brings_back_only_what_is_there_to_be_brought_back(
    restocked: bool, left: int, session: Session, session_factory: Factory, store: Shop
) -> None:
    with writing(session):
        item = an_item(session, on_hand=10)
    integration = integrate(session, refunds="automatic")
    put(store, an_order(lines=PAIR, refunds=(a_refund(back(restocked=restocked)),)))
    import_all(session_factory, integration)
    invoice = next(one for one in invoices(session) if one.kind is InvoiceKind.INVOICE)
    with writing(session):
        credit.in_full(session, [invoice.id], run_id=1, day=date(2026, 11, 24), reason="undone", **WHO)
    assert on_hand(session)[item.id] == left


@pytest.mark.parametrize(("quantity", "moved_now", "left"), [("1", 1, 9), ("2", 0, 10)])
def test_what_came_back_before_its_stock_was_settled_is_not_taken(
    quantity: str, moved_now: int, left: int, session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, refunds="automatic")
    put(store, an_order(lines=PAIR))
    import_all(session_factory, integration)
    with writing(session):
        item = an_item(session)
    (waiting,) = invoices(session)
    (done,) = register.register(session, [waiting.id], without_stock="Counted tomorrow", **WHO)
    assert done.ok
    net, vat = ("10.00", "2.10") if quantity == "1" else ("20.00", "4.20")
    put(store, an_order(lines=PAIR, refunds=(a_refund(back(quantity=quantity, net=net, vat=vat, restocked=True)),)))
    import_all(session_factory, integration)
    (note,) = notes(session)
    assert note.state is InvoiceState.REGISTERED
    with writing(session):
        session.merge(Balance(warehouse_id=1, item_id=item.id, on_hand=Decimal(10)))
    needs = unsettled.settle(session, done.invoice_id, **WHO)
    assert sum((need.quantity for need in needs), Decimal(0)) == moved_now
    assert on_hand(session)[item.id] == left
    with reading(session):
        assert unsettled.count(session) == 0


def test_a_waiting_credit_note_moves_to_another_journal_only_with_its_invoice(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session)
    put(store, an_order(lines=PAIR, refunds=(a_refund(back()),)))
    import_all(session_factory, integration)
    invoice, note = invoices(session)
    assert (invoice.state, note.state) == (InvoiceState.IN_JOURNAL, InvoiceState.IN_JOURNAL)
    assert move.move_with_findings(session, [note.id], **WHO) == []
    (made,) = move.move_with_findings(session, [invoice.id, note.id], **WHO)
    assert {one.journal_id for one in invoices(session)} == {made.journal_id}


def test_credit_notes_of_a_series_of_their_own_get_their_number_when_they_are_registered(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, **AUTOMATIC, number_prefix="KL-", credit_number_from="series")
    amount = a_refund(total="6.00", external_id="500")
    put(store, an_order(lines=TWO_RATES, refunds=(amount, a_refund(back()))))
    import_all(session_factory, integration)
    waiting, registered = notes(session)
    assert (waiting.number, waiting.state) == (None, InvoiceState.IN_JOURNAL)
    assert registered.number == "KL-K2026-000001"
    (done,) = register.register(session, [waiting.id], **WHO)
    assert (done.ok, done.number) == (True, "KL-K2026-000002")
    assert [(one.year, one.kind, one.prefix, one.next) for one in series(session)] == [(2026, "credit_note", "KL-K", 3)]


def series(session: Session) -> list[Series]:
    with reading(session):
        return list(session.scalars(select(Series).order_by(Series.id).execution_options(populate_existing=True)))


def test_one_page_numbers_its_credit_notes_by_their_days_and_years(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(
        session, **AUTOMATIC, number_from="series", number_prefix="A-", credit_number_from="series",
        credit_number_prefix="KR-",
    )  # fmt: skip
    with writing(session):
        session.add(TakenNumber(number="KR-2026-000002", number_key="kr-2026-000002"))
    orders = []
    for n, days in enumerate((5, 1, 40, 2)):
        given = replace(a_refund(back(), external_id=f"r{n}"), created_at=NOON + timedelta(days=days))
        orders.append(an_order(external_id=str(n), number=str(n), lines=PAIR, refunds=(given,)))
    put(store, *orders)
    import_all(session_factory, integration)
    found = {one.store_order_id: one.number for one in notes(session)}
    assert [found[key] for key in sorted(found)] == [
        "KR-2026-000004", "KR-2026-000001", "KR-2027-000001", "KR-2026-000003",
    ]  # fmt: skip
    numbers = sorted(one.number or "" for one in invoices(session) if one.kind is InvoiceKind.INVOICE)
    assert numbers == [f"A-2026-{n:06d}" for n in range(1, 5)]


def test_what_a_person_credits_gets_the_next_number_of_the_series(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, **AUTOMATIC, number_prefix="KL-", credit_number_from="series")
    put(store, *(an_order(external_id=str(n), number=str(n), lines=PAIR) for n in (1, 2)))
    run = import_all(session_factory, integration)
    ids = [one.id for one in invoices(session)]
    with writing(session):
        done = credit.in_full(session, ids, run_id=run.id, day=NOW.date(), reason="all", **WHO)
    assert [one.number for one in done] == ["KL-K2026-000001", "KL-K2026-000002"]


def test_another_prefix_is_another_series_that_begins_at_one_and_the_former_goes_on(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, **AUTOMATIC, number_from="series", number_prefix="A-")
    numbers = []
    for n, prefix in enumerate(("A-", "B-", "A-")):
        with writing(session):
            session.get_one(Integration, integration.id).settings = {**integration.settings, "number_prefix": prefix}
        put(store, an_order(external_id=str(n), number=str(n)))
        import_all(session_factory, integration)
        numbers.append(invoices(session)[-1].number)
    assert numbers == ["A-2026-000001", "B-2026-000001", "A-2026-000002"]


def test_a_store_that_is_connected_anew_goes_on_where_its_numbers_ended(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = integrate(session, **AUTOMATIC, number_from="series", number_prefix="A-")
    taken = [f"A-2026-{n:06d}" for n in range(1, 1201)]
    with writing(session):
        session.add_all(TakenNumber(number=number, number_key=number.casefold()) for number in taken)
    put(store, an_order())
    import_all(session_factory, integration)
    assert [one.number for one in invoices(session)] == ["A-2026-001201"]
