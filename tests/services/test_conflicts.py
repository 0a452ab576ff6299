"""Conflicts: an order whose number belongs to another document, shown beside it, and the two answers (D2)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import BrokenRule, RetryLater
from monet_web.domain.findings import Finding, describe
from monet_web.domain.orders import Order
from monet_web.models import AuditEntry, Integration, Invoice, StoreOrder, TakenNumber
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.models.runs import RunState
from monet_web.models.store_orders import Outcome
from monet_web.services.documents import journals, mend, register
from monet_web.services.importing import claims
from monet_web.services.running import conflicts
from tests import builders
from tests.builders import a_line, a_tax, an_order
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, invoices, put

Factory = sessionmaker[Session]
Shop = type[ScriptedStore]

WHO = {"now": NOW, "actor": "ona@example.com"}


def two_stores(session: Session, session_factory: Factory, store: Shop, *orders: Order) -> tuple[Integration, int]:
    """Store KL has invoice 1001; so has store KB an order 1001, which is in conflict. KB and the order's id."""
    first = integrate(session, "KL", accounting_type="amounts")
    put(store, an_order())
    import_all(session_factory, first)
    store.ORDERS = {}
    second = integrate(session, "KB", accounting_type="amounts")
    put(store, an_order(external_id="7"), *orders)
    assert import_all(session_factory, second).conflict == 1 + len(orders)
    with reading(session):
        order_id = session.scalars(select(StoreOrder.id).where(StoreOrder.external_id == "7")).one()
    return second, order_id


def order_of(session: Session, order_id: int) -> StoreOrder:
    with reading(session):
        return session.get_one(StoreOrder, order_id, populate_existing=True)


def test_a_conflict_shows_the_order_and_the_document_that_has_its_number(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    second, order_id = two_stores(session, session_factory, store)
    with reading(session):
        (one,), after = conflicts.page(session)
        assert conflicts.count(session) == 1
    assert (one.order.id, one.number, after) == (order_id, "1001", None)
    assert one.integration is not None
    assert one.integration.id == second.id
    assert isinstance(one.said, Order)
    assert one.other is not None
    assert (one.other.number, one.other_integration, one.is_free, one.prefix_helps) == ("1001", "KL", False, True)


def test_a_number_used_outside_names_who_uses_it(session: Session, session_factory: Factory, store: Shop) -> None:
    with writing(session):
        session.add(TakenNumber(number="1001", number_key="1001", source="the old program"))
    integration = integrate(session, accounting_type="amounts")
    put(store, an_order())
    import_all(session_factory, integration)
    with reading(session):
        (one,), _ = conflicts.page(session)
    assert (one.other, one.outside, one.is_free) == (None, "the old program", False)


def test_another_prefix_is_kept_and_the_order_is_booked_from_what_is_remembered(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    second, order_id = two_stores(session, session_factory, store)
    store.ORDERS = {}  # the store is not asked
    (tried,) = conflicts.change_prefix(session, [order_id], " KB- ", **WHO)  # type: ignore[arg-type]
    assert (tried.order_number, tried.outcome, tried.number) == ("1001", "registered", "KB-1001")
    assert [one.number for one in invoices(session)] == ["1001", "KB-1001"]
    assert order_of(session, order_id).outcome is Outcome.REGISTERED
    with reading(session):
        assert session.get_one(Integration, second.id, populate_existing=True).number_prefix == "KB-"
        assert conflicts.count(session) == 0
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.actor == "ona@example.com")).all()
    assert actions == ["integration_changed", "registered"]


def test_all_the_orders_named_are_tried_again_under_the_new_prefix(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    first = integrate(session, "KL", accounting_type="amounts")
    put(store, an_order(), an_order(external_id="9002", number="1002"))
    import_all(session_factory, first)
    store.ORDERS = {}
    second = integrate(session, "KB", accounting_type="amounts")
    put(store, an_order(external_id="7"), an_order(external_id="8", number="1002", is_cancelled=True, is_sale=False))
    import_all(session_factory, second)
    with writing(session):
        for order in session.scalars(select(StoreOrder).where(StoreOrder.external_id == "8")):
            order.outcome, order.details = Outcome.CONFLICT, {"number": "1002"}
    with reading(session):
        found, _ = conflicts.page(session)
    tried = conflicts.change_prefix(session, [one.order.id for one in found], "KB-", **WHO)  # type: ignore[arg-type]
    assert [(one.order_number, one.outcome, one.reason) for one in tried] == [
        ("1001", "registered", ""), ("1002", "filtered", "cancelled"),
    ]  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "   "])
def test_the_prefix_it_has_already_is_refused(
    session: Session, session_factory: Factory, store: Shop, prefix: str
) -> None:
    _, order_id = two_stores(session, session_factory, store)
    with pytest.raises(BrokenRule, match="no prefix now"):
        conflicts.change_prefix(session, [order_id], prefix, **WHO)  # type: ignore[arg-type]
    assert order_of(session, order_id).outcome is Outcome.CONFLICT


def test_a_prefix_in_use_is_refused_and_nothing_changes(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    _, order_id = two_stores(session, session_factory, store)
    with writing(session):
        builders.an_integration(session, "OTHER", number_prefix="X-", settings={"number_prefix": "X-"})
    with pytest.raises(BrokenRule, match="in use by OTHER"):
        conflicts.change_prefix(session, [order_id], "x-", **WHO)  # type: ignore[arg-type]
    assert order_of(session, order_id).outcome is Outcome.CONFLICT


def test_a_typed_number_goes_to_the_journal_and_waits_for_a_person(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    _, order_id = two_stores(session, session_factory, store)
    tried = conflicts.give_number(session, order_id, " KB  1001 ", **WHO)  # type: ignore[arg-type]
    assert (tried.outcome, tried.number) == ("in_journal", "KB 1001")
    waiting = invoices(session)[-1]
    assert (waiting.id, waiting.number, waiting.state) == (tried.invoice_id, "KB 1001", InvoiceState.IN_JOURNAL)
    assert waiting.journal_id is not None
    (found,) = waiting.found
    assert describe(Finding(found.code, found.subject, found.values)).wrong == (
        "The number KB 1001 was given by hand, because 1001 belongs to another document."
    )
    with reading(session):
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "number_given")).one()
    assert (entry.subject_kind, entry.subject_id, entry.after) == ("store_order", order_id, {"number": "KB 1001"})


def test_a_typed_number_stays_when_it_is_checked_again_refreshed_and_registered(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    second, order_id = two_stores(session, session_factory, store)
    conflicts.give_number(session, order_id, "B-1", **WHO)  # type: ignore[arg-type]
    # The other document goes, so the number of the settings would be free: the person's stays all the same.
    with writing(session):
        other = session.scalars(select(Invoice).where(Invoice.number == "1001")).one()
        other.number, other.number_key = "GONE", "gone"
    assert mend.check_again(session, now=NOW, actor="ona").waiting == 1
    assert invoices(session)[-1].number == "B-1"
    dearer = a_line(net=Decimal("12.00"), taxes=(a_tax(amount="2.52"),))
    put(store, an_order(external_id="7", lines=(dearer,), changed_at=datetime(2026, 11, 24, tzinfo=UTC)))
    assert import_all(session_factory, second).refreshed == 1
    waiting = invoices(session)[-1]
    assert (waiting.number, str(waiting.total)) == ("B-1", "14.5200")
    (done,) = register.register(session, [waiting.id], now=NOW, actor="ona")
    assert (done.ok, done.number) == (True, "B-1")


def test_after_its_invoice_is_deleted_the_order_forgets_the_typed_number(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    second, order_id = two_stores(session, session_factory, store)
    tried = conflicts.give_number(session, order_id, "B-1", **WHO)  # type: ignore[arg-type]
    assert tried.invoice_id is not None
    journals.delete(session, [tried.invoice_id], leave_out=False, reason="", now=NOW, actor="ona")
    assert import_all(session_factory, second).conflict == 1


@pytest.mark.parametrize(
    ("number", "said"),
    [("", "1 to 120"), ("x" * 121, "1 to 120"), ("1001", "the invoice of order 1001"), ("a\x00", "1 to 120"),
     (" OUT-1", "the old program")],
)  # fmt: skip
def test_a_number_that_can_t_be_is_refused_in_words(
    session: Session, session_factory: Factory, store: Shop, number: str, said: str
) -> None:
    _, order_id = two_stores(session, session_factory, store)
    with writing(session):
        session.add(TakenNumber(number="out-1", number_key="out-1", source="the old program"))
    with pytest.raises(BrokenRule, match=said):
        conflicts.give_number(session, order_id, number, **WHO)  # type: ignore[arg-type]
    assert order_of(session, order_id).outcome is Outcome.CONFLICT


def test_a_conflict_whose_other_document_is_gone_can_simply_be_tried_again(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    _, order_id = two_stores(session, session_factory, store)
    with writing(session):
        other = session.scalars(select(Invoice).where(Invoice.number == "1001")).one()
        other.number, other.number_key = "GONE", "gone"
    with reading(session):
        (one,), _ = conflicts.page(session)
    assert one.is_free
    (tried,) = conflicts.try_again(session, [order_id], **WHO)  # type: ignore[arg-type]
    assert (tried.outcome, tried.number) == ("registered", "1001")
    with pytest.raises(BrokenRule, match="answered meanwhile"):
        conflicts.try_again(session, [order_id], **WHO)  # type: ignore[arg-type]


def test_while_an_import_is_at_work_the_person_is_told_and_no_run_is_left_waiting(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    second, order_id = two_stores(session, session_factory, store)
    with writing(session):
        builders.a_run(
            session, session.get_one(Integration, second.id), state=RunState.RUNNING, heartbeat_at=NOW,
            worker=claims.this_process(),
        )  # fmt: skip
    with pytest.raises(RetryLater, match="at work"):
        conflicts.give_number(session, order_id, "B-1", patience=0, **WHO)  # type: ignore[arg-type]
    assert order_of(session, order_id).outcome is Outcome.CONFLICT


def test_a_store_without_an_integration_is_shown_and_answers_nothing(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    second, order_id = two_stores(session, session_factory, store)
    with writing(session):
        session.get_one(Integration, second.id).state = "retired"  # type: ignore[assignment]
    with reading(session):
        (one,), _ = conflicts.page(session)
    assert (one.integration, one.said) == (None, None)
    with pytest.raises(BrokenRule, match="no integration"):
        conflicts.try_again(session, [order_id], **WHO)  # type: ignore[arg-type]


def test_a_page_of_conflicts_costs_the_same_whatever_their_number(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    asked: list[str] = []
    two_stores(session, session_factory, store)
    event.listen(session.get_bind(), "before_cursor_execute", lambda *args: asked.append(args[2]))

    def cost() -> int:
        asked.clear()
        with reading(session):
            conflicts.page(session)
        return len([text for text in asked if text.startswith("SELECT")])

    few = cost()
    third = integrate(session, "THIRD", accounting_type="amounts")
    store.ORDERS = {}
    put(store, *(an_order(external_id=f"c{n}") for n in range(8)))
    assert import_all(session_factory, third).conflict == 8
    assert cost() == few
