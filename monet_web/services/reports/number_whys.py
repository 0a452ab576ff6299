"""Why a number is on no document of its series in a month: what the books know of it, the first that knows decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from monet_web.domain.filters import REASONS, Filtered
from monet_web.domain.number_gaps import Why
from monet_web.models.audit import IS_DELETED_INVOICE, AuditEntry
from monet_web.models.company import TakenNumber
from monet_web.models.integrations import Integration
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceKind, InvoiceState
from monet_web.models.store_orders import Outcome, StoreOrder
from monet_web.services.books import tables
from monet_web.services.books.numbers import number_key
from monet_web.services.importing.refund_signs import LEFT


def known(
    session: Session, integration: Integration, prefixes: Collection[str], numbers: Sequence[str], language: str
) -> dict[str, Why]:
    """number key → why; what nothing is known of is left out. Inside a transaction, a few statements a thousand.

    `prefixes`: keys of what stands before the order's number in the series; () when its numbers are of no orders.
    """
    keys = [number_key(number) for number in numbers]
    found: dict[str, Why] = {}
    for part in tables.in_parts(keys):
        found |= {key: why for key, why in _on_documents(session, integration, part) if key not in found}
    for part in tables.in_parts([key for key in keys if key not in found]):
        rows = session.execute(
            select(TakenNumber.number_key, TakenNumber.source).where(TakenNumber.number_key.in_(part))
        )
        found |= {row.number_key: Why("taken", {"source": row.source or "–"}) for row in rows}
    of_orders: dict[str, list[str]] = defaultdict(list)  # an order's number → the invoice numbers it could have made
    for key in keys:
        for prefix in prefixes:
            if key not in found and key.startswith(prefix) and key != prefix:
                of_orders[key.removeprefix(prefix)].append(key)
    for part in tables.in_parts(list(of_orders)):
        for order_key, why in _of_orders(session, integration, part, language):
            found |= {key: why for key in of_orders[order_key] if key not in found}
    left = {key for key in keys if key not in found}
    return found | dict(_deleted(session, integration, left)) if left else found


def _on_documents(session: Session, integration: Integration, keys: Iterable[str]) -> Iterable[tuple[str, Why]]:
    rows = session.execute(
        select(Invoice.number_key, Invoice.issue_date, Invoice.state, Invoice.integration_id, Integration.name)
        .join(Integration, Integration.id == Invoice.integration_id)
        .where(Invoice.number_key.in_(list(keys)))
    )
    for row in rows:
        values = {"day": row.issue_date.isoformat(), "store": row.name}
        if row.integration_id != integration.id:
            yield row.number_key or "", Why("other_store", values)
        else:
            waits = row.state is InvoiceState.IN_JOURNAL
            yield row.number_key or "", Why("waits" if waits else "dated_elsewhere", {"day": values["day"]})


def _of_orders(
    session: Session, integration: Integration, keys: Iterable[str], language: str
) -> Iterable[tuple[str, Why]]:
    rows = session.execute(
        select(StoreOrder, Invoice.number.label("number"))
        .outerjoin(
            Invoice,
            (Invoice.store_order_id == StoreOrder.id)
            & (Invoice.kind == InvoiceKind.INVOICE)
            & Invoice.superseded.is_(False),
        )
        .where(StoreOrder.store_id == integration.store.id, StoreOrder.number_key.in_(list(keys)))
        .order_by(StoreOrder.id)
    )
    for order, number in rows:
        yield order.number_key, _why_of(order, number, language)


def _why_of(order: StoreOrder, number: str | None, language: str) -> Why:
    values = {"order": order.order_number}
    if number is not None:
        return Why("other_number", {**values, "number": number})
    if order.left_out:
        return Why("left_out", {**values, "reason": order.left_out_reason or "–"})
    match order.outcome:
        case Outcome.FILTERED:
            return Why("filtered", {**values, "reason": _reason(order.reason, order.details or {}, language)})
        case Outcome.CONFLICT | Outcome.UNREADABLE | Outcome.CREDITED:
            return Why(order.outcome.value, values)
        case _:
            return Why("open", values)


def _reason(code: str, details: Mapping[str, str], language: str) -> str:
    if code not in REASONS:
        return code or "–"
    try:
        return Filtered(code, details).text(language)
    except KeyError:  # remembered by an earlier version, which said less
        return REASONS[code][1 if language == "lt" else 0].partition(" (")[0]


def _deleted(session: Session, integration: Integration, keys: set[str]) -> Iterable[tuple[str, Why]]:
    """Numbers of documents that a person deleted from a journal, by the newest entry of the trail.

    A deletion explains the number of what stays away; what waits for a run to bring it back is still missing.
    """
    number: Any = AuditEntry.before["number"].as_string()
    order: Any = AuditEntry.before["order_number"].as_string()
    rows = session.execute(
        select(number.label("number"), order.label("order"), AuditEntry.actor, AuditEntry.at)
        .where(IS_DELETED_INVOICE, number.is_not(None))
        .order_by(AuditEntry.id)
    )
    found = {key: row for row in rows if (key := number_key(row.number)) in keys}
    coming = _coming_back(session, integration, {number_key(row.order or "") for row in found.values()})
    for key, row in found.items():
        if number_key(row.order or "") in coming:
            yield key, Why("open", {"order": row.order})
        else:
            yield key, Why("deleted", {"actor": row.actor, "day": row.at.date().isoformat()})


def _coming_back(session: Session, integration: Integration, orders: Iterable[str]) -> set[str]:
    """Keys of those order numbers whose order, or a refund of it, is in no document and was not left out."""
    found: set[str] = set()
    for part in tables.in_parts(sorted(orders)):
        refunded = exists().where(
            Invoice.store_order_id == StoreOrder.id, InvoiceFinding.invoice_id == Invoice.id,
            InvoiceFinding.code == LEFT,
        )  # fmt: skip
        rows = session.scalars(
            select(StoreOrder.number_key).where(
                StoreOrder.store_id == integration.store.id,
                StoreOrder.number_key.in_(part),
                (StoreOrder.outcome == Outcome.OPEN) | refunded,
            )
        )
        found.update(rows)
    return found
