"""Conflicts: orders whose number belongs to another document, both side by side, and the two answers to them (D2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.domain import settings as settings_text
from monet_web.domain.checks import number_source
from monet_web.domain.errors import BrokenRule
from monet_web.domain.orders import Order, Unreadable
from monet_web.models.base import reading, writing
from monet_web.models.company import TakenNumber
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.invoices import Invoice
from monet_web.models.store_orders import Outcome, StoreOrder
from monet_web.services import audit
from monet_web.services.books.numbers import number_key
from monet_web.services.documents import document as one_document
from monet_web.services.importing import raw_pages
from monet_web.services.importing.book import book_page
from monet_web.services.importing.booking import Booking
from monet_web.services.importing.claimed import PATIENCE, claimed
from monet_web.services.importing.collect import Remembered
from monet_web.services.importing.counts import Counts
from monet_web.services.importing.facts import taken_numbers
from monet_web.services.integrations import connect

PAGE = 50
_LONGEST_NUMBER = 120


@dataclass(frozen=True, slots=True)
class Conflict:
    """An order, the number it would have, and who has that number now.

    `other`: the invoice that has it; `outside`: in words, a number used outside this program. Neither: it is free.
    `integration` None: its store has no integration any more, so nothing can be answered.
    """

    order: StoreOrder
    number: str
    said: Order | Unreadable | None
    integration: Integration | None
    prefix_helps: bool  # False: the number is the store's own, whatever the prefix
    other: Invoice | None = None
    other_integration: str = ""
    outside: str = ""

    @property
    def is_free(self) -> bool:
        """The other document is gone: the order can simply be tried again."""
        return self.other is None and not self.outside


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of an order that was booked again; `outcome` as a run counts it, `reason` why it was filtered."""

    order_number: str
    outcome: str
    number: str | None = None
    invoice_id: int | None = None
    reason: str = ""


def count(session: Session) -> int:
    """How many orders are in conflict; the index knows. Inside a transaction."""
    query = select(func.count()).select_from(StoreOrder).where(StoreOrder.outcome == Outcome.CONFLICT)
    return session.execute(query).scalar_one()


def page(session: Session, *, after: int = 0, limit: int = PAGE) -> tuple[list[Conflict], int | None]:
    """Conflicts, the oldest first, and the cursor of the next page. Inside a transaction, five queries."""
    query = (
        select(StoreOrder)
        .where(StoreOrder.outcome == Outcome.CONFLICT, StoreOrder.id > after)
        .order_by(StoreOrder.id)
        .limit(limit + 1)
        .execution_options(populate_existing=True)
    )
    orders = list(session.scalars(query))
    shown = orders[:limit]
    return _conflicts(session, shown), shown[-1].id if len(orders) > limit else None


def of_orders(session: Session, order_ids: Sequence[int]) -> list[Conflict]:
    """Those of these orders that are in conflict now, the oldest first. Inside a transaction, five queries."""
    if not order_ids:
        return []
    query = (
        select(StoreOrder)
        .where(StoreOrder.id.in_(order_ids), StoreOrder.outcome == Outcome.CONFLICT)
        .order_by(StoreOrder.id)
        .execution_options(populate_existing=True)
    )
    return _conflicts(session, list(session.scalars(query)))


def try_again(
    session: Session, order_ids: Sequence[int], *, now: datetime, actor: str, patience: float = PATIENCE
) -> list[Tried]:
    """Book orders in conflict again from what is remembered, under today's settings. Raises BrokenRule, RetryLater."""
    integration = _integration_of(session, order_ids)
    return _book(session, integration.id, order_ids, {}, now=now, actor=actor, patience=patience)


def change_prefix(
    session: Session,
    order_ids: Sequence[int],
    prefix: str,
    *,
    now: datetime,
    actor: str,
    patience: float = PATIENCE,
) -> list[Tried]:
    """Give the integration of these orders another prefix and book them again; documents that are here keep theirs.

    Raises BrokenRule (the prefix is in use, too long, or changes nothing), RetryLater.
    """
    integration = _integration_of(session, order_ids)
    prefix = prefix.strip()
    if prefix == integration.number_prefix:
        raise BrokenRule(
            f"{integration.name} has the prefix “{prefix}” already." if prefix else "There is no prefix now either.",
            fix="Type another one, for example the initials of the shop and a dash.",
        )
    connect.set_values(session, integration.name, {"number_prefix": prefix}, now=now, actor=actor)
    return _book(session, integration.id, order_ids, {}, now=now, actor=actor, patience=patience)


def give_number(
    session: Session, order_id: int, number: str, *, now: datetime, actor: str, patience: float = PATIENCE
) -> Tried:
    """Book one order under a number that a person typed: it waits in the journal. Raises BrokenRule, RetryLater."""
    number = " ".join(number.split())
    if not number or len(number) > _LONGEST_NUMBER or not number.isprintable():
        raise BrokenRule(f"A number has 1 to {_LONGEST_NUMBER} characters.", fix="Type it, for example KL-1001-B.")
    with reading(session):
        taken = taken_numbers(session, {number_key(number)})
    if taken:
        ((_, by),) = taken.values()
        raise _taken(number, by)
    integration = _integration_of(session, [order_id])
    (tried,) = _book(session, integration.id, [order_id], {order_id: number}, now=now, actor=actor, patience=patience)
    if tried.outcome == "conflict":
        raise _taken(number, "a document that came meanwhile")
    if tried.invoice_id is not None:
        with writing(session):
            audit.record(
                session, at=now, actor=actor, action="number_given", subject_kind="store_order", subject_id=order_id,
                after={"number": number},
            )  # fmt: skip
    return tried


# --- reading ------------------------------------------------------------------------------------------------------


def _conflicts(session: Session, orders: Sequence[StoreOrder]) -> list[Conflict]:
    integrations = {
        one.store_id: one
        for one in session.scalars(
            select(Integration).where(
                Integration.store_id.in_({order.store_id for order in orders}),
                Integration.state != IntegrationState.RETIRED,
            )
        )
    }
    raws = raw_pages.load_versions(session, [order.latest_version_id for order in orders if order.latest_version_id])
    others, outside = _owners(session, {number_key(_number(order)) for order in orders})
    found = []
    for order in orders:
        integration = integrations.get(order.store_id)
        raw = raws.get(order.latest_version_id) if order.latest_version_id else None
        key = number_key(_number(order))
        other = others.get(key)
        found.append(
            Conflict(
                order=order,
                number=_number(order),
                said=one_document.read(integration.store.platform, *raw) if integration and raw else None,
                integration=integration,
                prefix_helps=integration is not None and _prefix_helps(integration),
                other=other[0] if other else None,
                other_integration=other[1] if other else "",
                outside=outside.get(key, ""),
            )
        )
    return found


def _number(order: StoreOrder) -> str:
    return str((order.details or {}).get("number", ""))


def _prefix_helps(integration: Integration) -> bool:
    settings = settings_text.parse(integration.settings)
    return settings.issued_by != "store" and number_source(settings) != "series"


def _owners(session: Session, keys: set[str]) -> tuple[Mapping[str, tuple[Invoice, str]], Mapping[str, str]]:
    """(number key → invoice and its integration's name, number key → who uses it outside)."""
    rows = session.execute(
        select(Invoice, Integration.name)
        .join(Integration, Integration.id == Invoice.integration_id)
        .where(Invoice.number_key.in_(keys))
        .execution_options(populate_existing=True)
    ).all()
    outside = session.execute(
        select(TakenNumber.number_key, TakenNumber.source).where(TakenNumber.number_key.in_(keys))
    ).all()
    return (
        {str(invoice.number_key): (invoice, name) for invoice, name in rows},
        {row.number_key: row.source or "–" for row in outside},
    )


def _integration_of(session: Session, order_ids: Sequence[int]) -> Integration:
    """The one integration that all these orders belong to. Raises BrokenRule."""
    with reading(session):
        found = session.scalars(
            select(Integration).where(
                Integration.store_id.in_(select(StoreOrder.store_id).where(StoreOrder.id.in_(order_ids))),
                Integration.state != IntegrationState.RETIRED,
            )
        ).all()
    if len(found) != 1:
        raise BrokenRule(
            "These orders belong to no integration that is there.", fix="Connect their store again, then try again."
        )
    return found[0]


# --- booking ------------------------------------------------------------------------------------------------------


def _book(
    session: Session,
    integration_id: int,
    order_ids: Sequence[int],
    numbers: Mapping[int, str],
    *,
    now: datetime,
    actor: str,
    patience: float,
) -> list[Tried]:
    with claimed(session, integration_id, now=now, actor=actor, patience=patience) as held:
        held.booking.numbers_by_hand.update(numbers)
        with reading(session):
            remembered = _remembered(session, held.booking, order_ids)
        if not remembered:
            raise BrokenRule("This conflict was answered meanwhile.", fix="Look at the list again.")
        prepared, _ = book_page(session, held.claim, held.booking, remembered, Counts())
    return [
        Tried(
            order_number=one.remembered.order.number,
            outcome=one.outcome,
            number=one.number,
            invoice_id=int(one.details["invoice_id"]) if one.details.get("invoice_id") else None,
            reason=one.reason,
        )
        for one in prepared
    ]


def _remembered(session: Session, booking: Booking, order_ids: Sequence[int]) -> list[Remembered]:
    """Those of the orders that are still in conflict, read anew from what the store said last."""
    orders = session.scalars(
        select(StoreOrder)
        .where(
            StoreOrder.id.in_(order_ids),
            StoreOrder.store_id == booking.store_id,
            StoreOrder.outcome == Outcome.CONFLICT,
        )
        .order_by(StoreOrder.id)
        .execution_options(populate_existing=True)
    ).all()
    raws: Mapping[int, tuple[Mapping[str, Any], Mapping[str, Any]]] = raw_pages.load_versions(
        session, [order.latest_version_id for order in orders if order.latest_version_id]
    )
    found = []
    for order in orders:
        version_id = order.latest_version_id
        if version_id is None or version_id not in raws:
            continue
        found.append(
            Remembered(
                store_order_id=order.id,
                version_id=version_id,
                order=booking.connector.read(*raws[version_id]),
                ignored_version_id=order.ignored_version_id,
                left_out=order.left_out,
                left_out_reason=order.left_out_reason,
            )
        )
    return found


def _taken(number: str, by: str) -> BrokenRule:
    return BrokenRule(f"The number {number} belongs to {by}.", fix="Type another number.", field="number")
