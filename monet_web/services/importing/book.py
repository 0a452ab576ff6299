"""Book decides: remembered orders become registered invoices or wait in a journal, a page in one transaction."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import bindparam, delete, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from monet_web.domain.checks import period_closed
from monet_web.domain.errors import MonetError
from monet_web.domain.findings import Finding
from monet_web.domain.orders import Order
from monet_web.models.among import among, table_of
from monet_web.models.base import reading, take_ids, writing
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceState
from monet_web.models.items import Item, ItemKind
from monet_web.models.runs import Run
from monet_web.models.store_orders import Outcome, StoreOrder
from monet_web.services.books.closed import closed_until
from monet_web.services.books.numbers import number_key
from monet_web.services.importing import refunds
from monet_web.services.importing.booking import Booking
from monet_web.services.importing.claims import Claim, LostClaim, hold, patiently
from monet_web.services.importing.collect import Remembered
from monet_web.services.importing.counts import Counts
from monet_web.services.importing.customers import match_or_make
from monet_web.services.importing.facts import CHANGED, codes_to_make, made_code
from monet_web.services.importing.journal import journal_of_run
from monet_web.services.importing.own_numbers import give_numbers, lock_series
from monet_web.services.importing.page_stock import PageStock, moves_stock
from monet_web.services.importing.prepare import Prepared, internal_error, prepare
from monet_web.services.importing.refund_rows import Parked
from monet_web.services.importing.rows import Batch, add_audit, add_findings, add_invoice, add_moves

log = logging.getLogger(__name__)


Prepare = Callable[[Session], list[Prepared]]
First = Callable[[Session], None]


def _nothing_first(session: Session) -> None:
    """Most pages begin with nothing."""


def book_page(
    session: Session, claim: Claim, booking: Booking, remembered: Sequence[Remembered], counts: Counts
) -> tuple[list[Prepared], Counts]:
    """Book a page of remembered orders. Returns them with their outcomes, and the run's counts with them.

    Whatever breaks the page (a unique index, when somebody took a number meanwhile; a value that the database refuses)
    sends it to one by one, and only the bad one stays out. A lock or a lost connection is tried again. Raises
    LostClaim, RetryLater.
    """
    try:
        return _book_with_patience(session, claim, booking, lambda s: prepare(s, booking, remembered), counts)
    except (LostClaim, MonetError):
        raise
    except Exception:
        log.info("a page is booked order by order", exc_info=True, extra={"run": claim.run_id})
    done: list[Prepared] = []
    for one in remembered:
        booked, counts = _book_alone(session, claim, booking, one, counts)
        done += booked
    return done, counts


def _book_alone(
    session: Session, claim: Claim, booking: Booking, one: Remembered, counts: Counts
) -> tuple[list[Prepared], Counts]:
    for _ in range(2):  # the second time it sees what the first one ran into
        try:
            return _book_with_patience(session, claim, booking, lambda s: prepare(s, booking, [one]), counts)
        except (LostClaim, MonetError):
            raise
        except Exception as error:  # noqa: BLE001 - it is this order's own outcome
            failed = internal_error(one, None, error)
    return _book_with_patience(session, claim, booking, lambda _: [failed], counts)


def _book_with_patience(
    session: Session,
    claim: Claim,
    booking: Booking,
    prepare_now: Prepare,
    counts: Counts,
    first: First = _nothing_first,
) -> tuple[list[Prepared], Counts]:
    journal_id, spent = booking.journal_id, dict(booking.spent)
    prepared: list[Prepared] = []

    def transaction() -> tuple[list[Prepared], Counts]:
        nonlocal prepared
        if prepared and _is_done(session, claim, counts.fetched + len(prepared)):
            # Only the answer to the commit was lost with the connection.
            done = counts.copy()
            done.add(prepared)
            return prepared, done
        # What a transaction that was rolled back made and spent is gone with it.
        booking.journal_id, booking.spent = journal_id, dict(spent)
        with reading(session):
            prepared = prepare_now(session)
        if booking.is_preview:
            return _preview(session, claim, booking, prepared, counts)
        return _write(session, claim, booking, prepared, counts, first)

    try:
        return patiently(transaction)
    except BaseException:
        booking.journal_id, booking.spent = journal_id, spent
        raise


def _is_done(session: Session, claim: Claim, fetched: int) -> bool:
    """True when the run's row has counted so many orders: it is written in the transaction that books them."""
    with reading(session):
        counted = session.scalar(select(Run.fetched).where(Run.id == claim.run_id, Run.attempt == claim.attempt))
    return counted == fetched


def book_prepared(
    session: Session,
    claim: Claim,
    booking: Booking,
    prepare_now: Prepare,
    counts: Counts,
    *,
    first: First = _nothing_first,
) -> tuple[list[Prepared], Counts]:
    """Book what `prepare_now` prepares in one transaction, which begins with `first`: what is made and what it
    replaces are kept together or not at all. Used to check waiting invoices again and to accept changes.
    """
    return _book_with_patience(session, claim, booking, prepare_now, counts, first)


# --- the page's transaction --------------------------------------------------------------------------------------


def _write(
    session: Session, claim: Claim, booking: Booking, prepared: list[Prepared], counts: Counts, first: First
) -> tuple[list[Prepared], Counts]:
    counts = counts.copy()
    batch = Batch()
    with writing(session):
        hold(session, claim, now=booking.now)
        booking.closed_until = closed_until(session, lock=True)  # it may have been closed since the page was prepared
        first(session)
        series = lock_series(session, booking, prepared)
        _make_items(session, booking, prepared)
        stock = PageStock.locked(session, booking, prepared)
        registered = _decide(booking, prepared, stock)
        drafted = [one for one in prepared if one.draft is not None]
        give_numbers(session, booking, registered, series)
        customers = customers_of(session, booking, drafted)
        parked = _clear_redrafted(session, prepared)
        journal_id = _journal(session, booking, drafted)
        ids = iter(take_ids(session, Invoice.__tablename__, sum(one.living is None for one in drafted)))
        for one, customer_id in zip(drafted, customers, strict=True):
            _add(batch, booking, one, next(ids) if one.living is None else one.living.id, journal_id, customer_id)
        _add_run_orders(batch, booking, prepared)
        _mark_changed(session, prepared, batch)
        batch.write(session)
        stock.write(session)
        _write_outcomes(session, prepared)
        counts.add(prepared)
        _follow_refunds(session, booking, prepared, parked, counts)
        session.execute(_COUNTED, {"run": claim.run_id, **counts.values()})
    return prepared, counts


_COUNTED = update(table_of(Run)).where(table_of(Run).c.id == bindparam("run"))


def _preview(
    session: Session, claim: Claim, booking: Booking, prepared: list[Prepared], counts: Counts
) -> tuple[list[Prepared], Counts]:
    """What would become of the page; stock is spent in memory, so that no more is promised than there is (C3)."""
    counts = counts.copy()
    with reading(session):
        stock = PageStock.seen(session, booking, prepared)
        told = [
            (one.remembered.order, one.living.id if one.living else None)
            for one in prepared
            if isinstance(one.remembered.order, Order) and (one.draft is not None or one.living is not None)
        ]
        counts.beside["credit_notes"] += refunds.foreseen(session, booking, told)
    _decide(booking, prepared, stock)
    booking.spent.update(stock.spent)
    batch = Batch()
    _add_run_orders(batch, booking, prepared)
    counts.add(prepared)
    with writing(session):
        hold(session, claim, now=booking.now, **counts.values())
        batch.write(session)
    return prepared, counts


def _decide(booking: Booking, prepared: Sequence[Prepared], stock: PageStock) -> list[Prepared]:
    """Give each drafted order its outcome, in turn: who comes first gets the stock. The registered ones."""
    registered = []
    for one in prepared:
        if one.draft is None:
            continue
        codes = {finding.code for finding in one.findings}
        one.findings += [
            finding
            for finding in period_closed(one.draft.issue_date, booking.closed_until)
            if finding.code not in codes
        ]
        if not one.waits_for(booking):
            one.stock_stays = booking.without_stock if moves_stock(booking, one) else ""
            if not one.stock_stays:
                one.findings = one.findings + stock.take(booking, one)
        if one.waits_for(booking):
            one.outcome = "already_there" if one.refreshed else "in_journal"
        else:
            one.outcome = "registered"
            registered.append(one)
    return registered


def _make_items(session: Session, booking: Booking, prepared: Sequence[Prepared]) -> None:
    """Setting `unknown_items=create`: the items of unknown lines, without stock until somebody receives some."""
    if not booking.is_goods or booking.settings.unknown_items != "create":
        return
    missing = {
        number_key(made_code(line)): line
        for one in prepared
        if one.draft is not None
        for line, item in zip(one.draft.lines, one.items, strict=True)
        if line.names_item and item is None
    }
    if not missing:
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    rows = [
        {"code": made_code(line), "code_key": key, "name": line.name[:400] or made_code(line), "kind": ItemKind.GOODS,
         "keeps_stock": False, "vat_class": "", "unit": line.unit[:20]}
        for key, line in sorted(missing.items())
    ]  # fmt: skip
    session.execute(dialect.insert(Item).on_conflict_do_nothing(), rows)
    made = codes_to_make(session, list(missing.values()))
    for one in prepared:
        if one.draft is not None:
            one.items = [
                made[number_key(made_code(line))] if line.names_item and item is None else item
                for line, item in zip(one.draft.lines, one.items, strict=True)
            ]


def _follow_refunds(
    session: Session,
    booking: Booking,
    prepared: Sequence[Prepared],
    parked: Mapping[int, Sequence[Parked]],
    counts: Counts,
) -> None:
    """Credit notes of the orders that have an invoice now and refunds, or had some (D11)."""
    followed = [
        refunds.Followed(one.remembered, invoice_id, fresh=one.draft is not None)
        for one in prepared
        for invoice_id in [_invoice_of(one)]
        if invoice_id is not None and _may_have_refunds(one, invoice_id in parked)
    ]
    if followed:
        refunds.follow(session, booking, followed, parked=parked)
        counts.beside["credit_notes"] = refunds.count_of_run(session, booking.run_id)


def _invoice_of(one: Prepared) -> int | None:
    if one.details.get("invoice_id"):
        return int(one.details["invoice_id"])
    return one.living.id if one.living is not None and not one.leaves_journal else None


def _may_have_refunds(one: Prepared, had_some: bool) -> bool:
    order = one.remembered.order
    if not isinstance(order, Order):
        return False
    is_new_state = bool(one.living and (one.changed or one.follows_version or one.refreshed))
    return bool(order.refunds) or order.is_refunded or had_some or is_new_state


def _clear_redrafted(session: Session, prepared: Sequence[Prepared]) -> dict[int, list[Parked]]:
    """Waiting invoices that are drafted anew, or whose order was cancelled, make room for what replaces them.

    Their waiting credit notes too: what these keep, by invoice.
    """
    gone = [one.living for one in prepared if one.living and (one.draft is not None or one.leaves_journal)]
    if not gone:
        return {}
    parked = refunds.park(session, [living.id for living in gone])
    removed = session.execute(
        delete(Invoice)
        .where(
            # A person who saves a correction raises the version: nobody's work is lost, whoever is faster.
            tuple_(Invoice.id, Invoice.row_version).in_([(living.id, living.row_version) for living in gone]),
            Invoice.state == InvoiceState.IN_JOURNAL,
        )
        .execution_options(synchronize_session=False)
    )
    if removed.rowcount != len(gone):  # type: ignore[attr-defined]
        raise OperationalError("a person is at work on one of these invoices", None, RuntimeError("row changed"))
    return parked


def customers_of(session: Session, booking: Booking, drafted: Sequence[Prepared]) -> list[int | None]:
    """The customer of each document, matched or made; one that a person chose stays. In the writing transaction."""
    chosen = [one.kept.customer_id if one.kept is not None else None for one in drafted]
    drafts = [one.draft for one, customer in zip(drafted, chosen, strict=True) if one.draft and customer is None]
    found = iter(match_or_make(session, drafts, booking.settings.private_buyers))
    return [customer if customer is not None else next(found) for customer in chosen]


def _journal(session: Session, booking: Booking, drafted: Sequence[Prepared]) -> int | None:
    """The journal of this run (or of this day's timetable runs), made when the first invoice needs it."""
    waiting = [one for one in drafted if one.outcome != "registered" and _stays_in(booking, one) is None]
    return journal_of_run(session, booking) if waiting else booking.journal_id


def _stays_in(booking: Booking, one: Prepared) -> int | None:
    """The journal a waiting invoice lies in and stays in; None when it is new, or of the other accounting type now."""
    if one.living is None or one.living.accounting_type != booking.settings.accounting_type:
        return None
    return one.living.journal_id


def _add(
    batch: Batch, booking: Booking, one: Prepared, invoice_id: int, journal_id: int | None, customer_id: int | None
) -> None:
    registered = one.outcome == "registered"
    add_invoice(
        batch,
        booking,
        one,
        invoice_id=invoice_id,
        registered=registered,
        journal_id=None if registered else _stays_in(booking, one) or journal_id,
        customer_id=customer_id,
    )
    one.details = {**one.details, "invoice_id": str(invoice_id)}
    if registered:
        assert one.draft is not None  # noqa: S101 - it was drafted
        said = {"number": one.number, "total": str(one.draft.total)}
        if one.instead_of:
            said["instead_of"] = one.instead_of
        if one.stock_stays:
            said["without_stock"] = one.stock_stays
        else:
            add_moves(batch, booking, one, invoice_id)
        add_audit(batch, booking, "registered", invoice_id, said)


def _add_run_orders(batch: Batch, booking: Booking, prepared: Sequence[Prepared]) -> None:
    """What became of each order in this run; orders already there and unchanged are only counted."""
    for one in prepared:
        if one.outcome == "already_there" and not (one.refreshed or one.changed):
            continue
        details = {key: value for key, value in one.details.items() if key != "invoice_id"}
        if one.changed:
            details["changed"] = one.changed
        if booking.is_preview and one.outcome in ("registered", "in_journal"):
            details |= _foreseen(one)
        invoice_id = one.details.get("invoice_id") or (str(one.living.id) if one.living else "")
        batch.run_orders.append(
            {"run_id": booking.run_id, "store_order_id": one.remembered.store_order_id, "outcome": one.outcome,
             "reason": one.reason, "details": details or None, "invoice_id": int(invoice_id) if invoice_id else None}
        )  # fmt: skip


def _foreseen(one: Prepared) -> dict[str, str]:
    """What a preview keeps of an invoice that it does not write: its sum, and the codes of what would stop it."""
    codes = " ".join(dict.fromkeys(finding.code for finding in one.findings if finding.stops))
    kept = {"findings": codes} if codes else {}
    if one.draft is not None:
        kept |= {"total": str(one.draft.total), "currency": one.draft.currency[:3]}
    return kept


def _mark_changed(session: Session, prepared: Sequence[Prepared], batch: Batch) -> None:
    """Documents that are final (or a person's) and whose order changed: said on them, once a version (D12)."""
    changed = [one for one in prepared if one.changed and one.living is not None]
    # What was said before is no longer true where the store took its change back.
    ids = [one.living.id for one in prepared if one.living and (one.changed or one.follows_version)]
    if ids:
        session.execute(
            delete(InvoiceFinding)
            .where(InvoiceFinding.invoice_id.in_(ids), InvoiceFinding.code == CHANGED)
            .execution_options(synchronize_session=False)
        )
    for one in changed:
        assert one.living is not None  # noqa: S101 - chosen so above
        stops = one.living.state is InvoiceState.IN_JOURNAL
        values = {"what": one.changed, "version": str(one.remembered.version_id)}
        one.findings = [Finding(CHANGED, one.changed_kind, values, stops)]
        add_findings(batch, one.living.id, one)
    for one in prepared:
        if one.follows_version and one.living is not None:
            session.execute(
                update(Invoice)
                .where(Invoice.id == one.living.id)
                .values(drafted_from_version_id=one.remembered.version_id)
                .execution_options(synchronize_session=False)
            )


_OUTCOME_OF = {
    "registered": Outcome.REGISTERED,
    "in_journal": Outcome.IN_JOURNAL,
    "filtered": Outcome.FILTERED,
    "conflict": Outcome.CONFLICT,
    "unreadable": Outcome.UNREADABLE,
}


_STANDS = (
    update(table_of(StoreOrder))
    .where(among(table_of(StoreOrder).c.id, "orders"))
    .values(outcome=bindparam("so"), reason=bindparam("why"), details=None)
)


def _stands(one: Prepared) -> Outcome:
    """Filtered as credited, it stays credited: only a person's yes changes that (E6)."""
    is_credited = one.outcome == "filtered" and one.reason == "credited"
    return Outcome.CREDITED if is_credited else _OUTCOME_OF[one.outcome]


def _write_outcomes(session: Session, prepared: Sequence[Prepared]) -> None:
    """Where each order stands now. An order that is already there keeps what it has; a refreshed one still waits."""
    rows = []
    plain: dict[tuple[Outcome, str], list[int]] = defaultdict(list)  # most of a page: one statement for all alike
    for one in prepared:
        if one.outcome == "already_there" or (one.living is not None and one.outcome == "unreadable"):
            continue
        details = {key: value for key, value in one.details.items() if key != "invoice_id"}
        outcome, store_order_id = _stands(one), one.remembered.store_order_id
        if details:
            rows.append({"id": store_order_id, "outcome": outcome, "reason": one.reason, "details": details})
        else:
            plain[outcome, one.reason].append(store_order_id)
    for (outcome, reason), ids in plain.items():
        session.execute(_STANDS, {"orders": ids, "so": outcome, "why": reason})
    if rows:
        session.execute(update(StoreOrder), rows)
