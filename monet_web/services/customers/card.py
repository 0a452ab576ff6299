"""Everything a customer's card shows: keys, the documents that name the customer, who changed what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from monet_web.models.audit import AuditEntry
from monet_web.models.customers import Customer, CustomerKey
from monet_web.models.invoices import Invoice
from monet_web.models.users import User

PAGE = 50
SUBJECT = "customer"
MOST_COUNTED = 1000
_MOST_HISTORY = 100


@dataclass(frozen=True, slots=True)
class Card:
    """One customer. `merged`: those merged into it, whose documents are among `documents`; `next` is the cursor of
    older ones; `counted` counts them up to MOST_COUNTED; `people`: e-mail → name.
    """

    customer: Customer
    keys: tuple[CustomerKey, ...]
    merged: tuple[Customer, ...]
    documents: tuple[Invoice, ...]
    next: int | None
    counted: int
    history: tuple[AuditEntry, ...]
    people: Mapping[str, str]


def load(session: Session, customer_id: int, *, before: int | None = None, limit: int = PAGE) -> Card | None:
    """The card with documents older than the one `before`; None when there is no such customer.

    Inside a transaction; the same number of queries whatever there is.
    """
    customer = session.get(Customer, customer_id, populate_existing=True)
    if customer is None:
        return None
    merged = session.scalars(select(Customer).where(Customer.merged_into_id == customer_id).order_by(Customer.id)).all()
    ids = [customer_id, *(one.id for one in merged)]
    query = (
        select(Invoice)
        .where(Invoice.customer_id.in_(ids))
        .order_by(Invoice.id.desc())
        .limit(limit + 1)
        .options(defer(Invoice.search_text))
    )
    if before is not None:
        query = query.where(Invoice.id < before)
    documents = session.scalars(query).all()
    some = select(Invoice.id).where(Invoice.customer_id.in_(ids)).limit(MOST_COUNTED + 1).subquery()
    history = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject_kind == SUBJECT, AuditEntry.subject_id.in_(ids))
        .order_by(AuditEntry.id.desc())
        .limit(_MOST_HISTORY)
    ).all()
    emails = {entry.actor for entry in history}
    people = session.execute(select(User.email, User.name).where(User.email.in_(emails))).all()
    return Card(
        customer=customer,
        keys=tuple(
            session.scalars(select(CustomerKey).where(CustomerKey.customer_id == customer_id).order_by(CustomerKey.id))
        ),
        merged=tuple(merged),
        documents=tuple(documents[:limit]),
        next=documents[limit - 1].id if len(documents) > limit else None,
        counted=session.scalar(select(func.count()).select_from(some)) or 0,
        history=tuple(history),
        people={row.email: row.name or row.email for row in people},
    )
