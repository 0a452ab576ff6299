"""Two customers that are one become one: keys go to the one that stays; no invoice changes (F3, D9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models.base import writing
from monet_web.models.customers import Customer, CustomerKey
from monet_web.models.invoices import Invoice
from monet_web.services import audit
from monet_web.services.customers.card import MOST_COUNTED, SUBJECT
from monet_web.services.customers.change import ADDRESS, said

# What the one that stays takes over where it has nothing of its own.
_FILLED = ("company_code", "vat_code", "email", "country")


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What merging would do. `keys` would lead to the one that stays; `filled`: fields it takes over, with the values;
    `differs`: (field, stays, goes); `documents` keep what they say (counted up to MOST_COUNTED); `refusal`: why not.
    """

    kept: Customer
    gone: Customer
    keys: tuple[CustomerKey, ...]
    filled: dict[str, str]
    differs: tuple[tuple[str, str, str], ...]
    documents: int
    refusal: BrokenRule | None = None


def plan(session: Session, *, gone_id: int, kept_id: int) -> MergePlan:
    """What `merge` would do. Inside a transaction. Raises BrokenRule when there are no two."""
    kept, gone = _two(session, gone_id=gone_id, kept_id=kept_id)
    before, other = said(kept), said(gone)
    filled = _filled(kept, gone)
    hidden = {*filled, "is_company", *(ADDRESS if "address" in filled else ())}
    some = select(Invoice.id).where(Invoice.customer_id == gone.id).limit(MOST_COUNTED + 1).subquery()
    keys = session.scalars(select(CustomerKey).where(CustomerKey.customer_id == gone.id).order_by(CustomerKey.id))
    return MergePlan(
        kept=kept,
        gone=gone,
        keys=tuple(keys),
        filled=filled,
        differs=tuple(
            (name, str(before[name]), str(other[name]))
            for name in before
            if name not in hidden and other[name] and before[name] != other[name]
        ),
        documents=session.scalar(select(func.count()).select_from(some)) or 0,
        refusal=_refusal(kept, gone),
    )


def merge(session: Session, *, gone_id: int, kept_id: int, now: datetime, actor: str) -> Customer:
    """Merge one customer into another, in a transaction of its own; the one that stays. Raises BrokenRule.

    The other one is kept for the documents that name it, and is found no more.
    """
    with writing(session):
        both = sorted((gone_id, kept_id))
        session.execute(select(Customer.id).where(Customer.id.in_(both)).order_by(Customer.id).with_for_update())
        kept, gone = _two(session, gone_id=gone_id, kept_id=kept_id)
        if refusal := _refusal(kept, gone):
            raise refusal
        filled = _filled(kept, gone)
        keys = session.scalars(select(CustomerKey).where(CustomerKey.customer_id == gone.id)).all()
        moved = [f"{key.kind} {key.value}" for key in keys]
        for key in keys:
            key.customer_id = kept.id
        for name, value in filled.items():
            if name != "address":
                setattr(kept, name, value)
        if not any((kept.address or {}).values()):
            kept.address = dict(gone.address or {})
        # Those merged into it before lead to where it leads now.
        session.execute(
            update(Customer)
            .where(Customer.merged_into_id == gone.id)
            .values(merged_into_id=kept.id)
            .execution_options(synchronize_session=False)
        )
        gone.merged_into_id = kept.id
        changes = [
            audit.Change(gone.id, before=said(gone), after={"into": {"id": kept.id, "name": kept.name}}),
            audit.Change(
                kept.id, before={"customer": {"id": gone.id, **said(gone)}}, after={"keys": moved, "filled": filled}
            ),
        ]
        audit.rows(session, at=now, actor=actor, action="customer_merged", subject_kind=SUBJECT, changes=changes)
    return kept


def _two(session: Session, *, gone_id: int, kept_id: int) -> tuple[Customer, Customer]:
    kept = session.get(Customer, kept_id, populate_existing=True)
    gone = session.get(Customer, gone_id, populate_existing=True)
    if kept is None or gone is None or kept.merged_into_id is not None or gone.merged_into_id is not None:
        raise BrokenRule("One of the two customers is not here any more.", fix="Look at the list again.")
    if kept.id == gone.id:
        raise BrokenRule(f"{kept.name} is one customer already.", fix="Choose another one to merge it with.")
    return kept, gone


def _refusal(kept: Customer, gone: Customer) -> BrokenRule | None:
    if kept.is_company == gone.is_company:
        return None
    company, person = (kept, gone) if kept.is_company else (gone, kept)
    return BrokenRule(
        f"{company.name} is a company and {person.name} a private person. A company is never found by an e-mail "
        "address, so what the person buys would become nobody's.",
        fix="If both are the company, tick “a company” on the other card first.",
    )


def _filled(kept: Customer, gone: Customer) -> dict[str, str]:
    filled = {name: getattr(gone, name) for name in _FILLED if not getattr(kept, name) and getattr(gone, name)}
    if not any((kept.address or {}).values()) and any((gone.address or {}).values()):
        filled["address"] = ", ".join(str(value) for value in gone.address.values() if value)
    return filled
