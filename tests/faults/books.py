"""What must be true of the books whatever happened to the processes that wrote them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from monet_web.models import (
    AuditEntry,
    Balance,
    Base,
    Customer,
    CustomerKey,
    Invoice,
    InvoiceLine,
    Item,
    Journal,
    RawPage,
    Run,
    RunOrder,
    StockMove,
    StoreOrder,
    StoreOrderVersion,
)
from monet_web.models.base import reading
from monet_web.models.invoices import InvoiceState
from monet_web.models.runs import AT_WORK, OUTCOME_COUNTS

Stock = Mapping[str, Decimal]  # item code → pieces


def check_books(session: Session, *, opening: Stock) -> None:
    """Every document whole, every balance explained by moves, nothing that belongs to nobody, no run left at work."""
    with reading(session):
        session.expire_all()
        _documents_are_whole(session)
        _numbers_are_unique(session)
        _stock_is_explained(session, opening)
        _nothing_is_orphaned(session)
        _orders_stand_where_their_documents_do(session)
        assert not session.scalars(select(Run.id).where(Run.state.in_(AT_WORK))).all()


def check_run(session: Session, run_id: int) -> Run:
    """The six outcomes add up, and what the run says of its orders and sums is what the documents say."""
    with reading(session):
        run = session.get_one(Run, run_id, populate_existing=True)
        assert sum(run.outcomes().values()) == run.fetched
        said = Counter(session.scalars(select(RunOrder.outcome).where(RunOrder.run_id == run_id)))
        written = {name: getattr(run, name) for name in OUTCOME_COUNTS if name != "already_there"}
        assert {name: said[name] for name in written} == written
        for state in (InvoiceState.REGISTERED, InvoiceState.IN_JOURNAL):
            sums: dict[str, Decimal] = defaultdict(Decimal)
            rows = session.execute(
                select(Invoice.currency, Invoice.total)
                .join(RunOrder, RunOrder.invoice_id == Invoice.id)
                .where(RunOrder.run_id == run_id, RunOrder.outcome == state.value)
            )
            for row in rows:
                sums[row.currency] += row.total
            told = {currency: Decimal(amounts[state.value]) for currency, amounts in run.totals.items()}
            assert {currency: amount for currency, amount in told.items() if amount} == dict(sums)
    return run


def check_every_order_once(session: Session, store_id: int, external_ids: Collection[str]) -> None:
    """Each of these orders of the store is remembered once, in one version, and has one living invoice."""
    with reading(session):
        orders = session.scalars(select(StoreOrder.external_id).where(StoreOrder.store_id == store_id)).all()
        living = session.scalars(
            select(Invoice.external_id).where(Invoice.store_id == store_id, Invoice.superseded.is_(False))
        ).all()
        versions = session.scalar(
            select(func.count())
            .select_from(StoreOrderVersion)
            .join(StoreOrder, StoreOrder.id == StoreOrderVersion.store_order_id)
            .where(StoreOrder.store_id == store_id)
        )
    assert sorted(orders) == sorted(external_ids)
    assert sorted(living) == sorted(external_ids)
    assert versions == len(external_ids)


def dump(session: Session) -> dict[str, list[Any]]:
    """Every row of every table, to see that nothing was written."""
    with reading(session):
        return {
            table.name: sorted((tuple(map(str, row)) for row in session.execute(select(table))), key=str)
            for table in Base.metadata.sorted_tables
        }


def balances(session: Session) -> dict[str, Decimal]:
    """Item code → what is on hand."""
    with reading(session):
        rows = session.execute(select(Item.code, Balance.on_hand).join(Balance, Balance.item_id == Item.id)).all()
    return {row.code: row.on_hand for row in rows}


def _documents_are_whole(session: Session) -> None:
    moves: dict[int, dict[int, StockMove]] = defaultdict(dict)
    for move in session.scalars(select(StockMove).where(StockMove.document_type == "invoice")):
        moves[move.document_id][move.position] = move
    keeps_stock = set(session.scalars(select(Item.id).where(Item.keeps_stock)))
    registered = Counter(session.scalars(select(AuditEntry.subject_id).where(AuditEntry.action == "registered")))
    places: dict[int, set[int]] = defaultdict(set)
    for row in session.execute(select(InvoiceLine.invoice_id, InvoiceLine.position)):
        places[row.invoice_id].add(row.position)
    for invoice in session.scalars(select(Invoice)):
        net: dict[Decimal | None, Decimal] = defaultdict(Decimal)
        vat: dict[Decimal | None, Decimal] = defaultdict(Decimal)
        for line in invoice.lines:
            net[line.vat_rate] += line.net
            vat[line.vat_rate] += line.vat
        assert invoice.lines
        positions = [line.position for line in invoice.lines]
        if invoice.credits_invoice_id:  # a line of a credit note stands where the line stood that it credits
            assert positions == sorted(set(positions))
            assert set(positions) <= places[invoice.credits_invoice_id]
        else:
            assert positions == list(range(1, len(positions) + 1))
        assert {row.rate: row.base for row in invoice.vat_rows} == dict(net)
        assert {row.rate: row.amount for row in invoice.vat_rows} == dict(vat)
        assert invoice.net == sum(net.values())
        assert invoice.vat == sum(vat.values())
        assert invoice.total == invoice.net + invoice.vat + invoice.rounding
        stops = [finding for finding in invoice.found if finding.stops]
        if invoice.state is InvoiceState.REGISTERED:
            assert invoice.number
            assert invoice.registered_by_run_id
            assert not stops
            assert registered[invoice.id] == 1
            wanted = {
                line.position: (line.item_id, -line.quantity) for line in invoice.lines if line.item_id in keeps_stock
            }
            found = {position: (move.item_id, move.quantity) for position, move in moves.pop(invoice.id, {}).items()}
            assert found == wanted
        else:
            assert invoice.journal_id
            assert stops
            assert registered[invoice.id] == 0
    assert not moves, "moves of no registered invoice"


def _numbers_are_unique(session: Session) -> None:
    keys = session.scalars(select(Invoice.number_key).where(Invoice.number_key.is_not(None))).all()
    assert len(keys) == len(set(keys))


def _stock_is_explained(session: Session, opening: Stock) -> None:
    moved: dict[str, Decimal] = defaultdict(Decimal)
    for move in session.execute(select(Item.code, StockMove.quantity).join(Item, Item.id == StockMove.item_id)):
        moved[move.code] += move.quantity
    rows = session.execute(select(Item.code, Balance.on_hand).join(Item, Item.id == Balance.item_id))
    on_hand = {row.code: row.on_hand for row in rows}
    assert on_hand == {code: amount + moved.pop(code, Decimal(0)) for code, amount in opening.items()}
    assert not moved
    assert all(amount >= 0 for amount in on_hand.values())


def _nothing_is_orphaned(session: Session) -> None:
    """By every foreign key, and by the references that have none."""
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_keys:
            parent = key.column.table.alias("parent")
            query = (
                select(func.count())
                .select_from(table.outerjoin(parent, key.parent == parent.c[key.column.name]))
                .where(key.parent.is_not(None), parent.c[key.column.name].is_(None))
            )
            assert session.scalar(query) == 0, f"{table.name}.{key.parent.name}"
    latest = aliased(StoreOrderVersion)
    lonely: dict[str, Any] = {
        "an order without its version": select(StoreOrder.id)
        .outerjoin(latest, (latest.id == StoreOrder.latest_version_id) & (latest.store_order_id == StoreOrder.id))
        .where(latest.id.is_(None)),
        "a raw page of no order": select(RawPage.id).where(RawPage.id.not_in(select(StoreOrderVersion.raw_page_id))),
        "a journal that no order ever waited in": select(Journal.id).where(
            Journal.run_id.is_not(None),
            Journal.run_id.not_in(select(RunOrder.run_id).where(RunOrder.outcome == "in_journal")),
        ),
        "a customer known by nothing": select(Customer.id).where(Customer.id.not_in(select(CustomerKey.customer_id))),
        "a trace of an invoice that is not there": select(RunOrder.store_order_id).where(
            RunOrder.invoice_id.is_not(None), RunOrder.invoice_id.not_in(select(Invoice.id))
        ),
        "an audit entry of an invoice that is not there": select(AuditEntry.id).where(
            AuditEntry.subject_kind == "invoice", AuditEntry.subject_id.not_in(select(Invoice.id))
        ),
        "a line of no item that is goods": select(InvoiceLine.id).where(
            InvoiceLine.warehouse_id.is_not(None), InvoiceLine.item_id.is_(None)
        ),
    }
    for what, query in lonely.items():
        assert session.execute(query).all() == [], what


def _orders_stand_where_their_documents_do(session: Session) -> None:
    rows = session.execute(
        select(StoreOrder.external_id, StoreOrder.outcome, Invoice.state).outerjoin(
            Invoice,
            (Invoice.store_order_id == StoreOrder.id)
            & Invoice.superseded.is_(False)
            & Invoice.credits_invoice_id.is_(None),
        )
    ).all()
    for row in rows:
        if row.state is None:
            assert row.outcome.value in ("open", "filtered", "conflict", "unreadable"), row
        else:
            assert row.outcome.value == row.state.value, row
