"""Causes: waiting invoices grouped by what they wait for, counted and summed in the database (E2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Subquery, case, func, select
from sqlalchemy.orm import Session

from monet_web.domain.findings import OF_A_LINE, Finding
from monet_web.models.invoices import Invoice, InvoiceFinding
from monet_web.models.items import Item
from monet_web.models.stock import Balance, Warehouse
from monet_web.services.documents.waiting import Which, conditions, held

SHORT = "stock_short"


@dataclass(frozen=True, slots=True)
class Cause:
    """What invoices wait for: `finding` is the one of the oldest of them, to be said by its sentence `cause`."""

    finding: Finding
    invoices: int
    sums: dict[str, Decimal] = field(default_factory=dict)
    oldest: date | None = None
    newest: date | None = None
    integrations: tuple[int, ...] = ()  # in which they wait
    passing: int = 0  # of them, how many a person may register: nothing else stands in their way

    @property
    def code(self) -> str:
        """The code that they share."""
        return self.finding.code

    @property
    def subject(self) -> str:
        """What of that code: a SKU, an item, a rate; "" where the code says it all."""
        return "" if self.code in OF_A_LINE else self.finding.subject


@dataclass(frozen=True, slots=True)
class Shortage:
    """Of one item in one warehouse: what all waiting invoices need together, and what is there."""

    needed: Decimal
    on_hand: Decimal
    elsewhere: tuple[tuple[str, Decimal], ...] = ()  # other warehouses that have some of it

    @property
    def missing(self) -> Decimal:
        """How much to receive for all of them."""
        return max(self.needed - self.on_hand, Decimal(0))


def shortages(session: Session, found: Sequence[Cause]) -> dict[str, Shortage]:
    """Subject → shortage, of the causes that are one. Inside a transaction, two queries or none."""
    short = {one.finding.subject: one.finding.values for one in found if one.code == SHORT}
    if not short:
        return {}
    needed: dict[str, Decimal] = defaultdict(Decimal)
    rows = session.execute(
        select(InvoiceFinding.subject, InvoiceFinding.values)
        .join(Invoice, Invoice.id == InvoiceFinding.invoice_id)
        .where(InvoiceFinding.code == SHORT, InvoiceFinding.subject.in_(short), *conditions(Which()))
    )
    for subject, values in rows:
        needed[subject] += Decimal(values.get("needed", 0))
    balances = session.execute(
        select(Item.code, Warehouse.code.label("warehouse"), Balance.on_hand)
        .join(Balance, Balance.item_id == Item.id)
        .join(Warehouse, Warehouse.id == Balance.warehouse_id)
        .where(Item.code.in_([str(values.get("item", "")) for values in short.values()]))
    )
    there: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for row in balances:
        there[row.code][row.warehouse] = row.on_hand
    found_short = {}
    for subject, values in short.items():
        of_item, warehouse = there[str(values.get("item", ""))], values.get("warehouse")
        others = sorted((code, on_hand) for code, on_hand in of_item.items() if code != warehouse and on_hand > 0)
        found_short[subject] = Shortage(needed[subject], of_item.get(str(warehouse), Decimal(0)), tuple(others))
    return found_short


def causes(session: Session, which: Which | None = None, *, opened_by_run: int | None = None) -> list[Cause]:
    """Every cause, that of the most invoices first. Inside a transaction, two queries.

    An invoice that waits for two causes counts in both.
    """
    asked = conditions(which or Which())
    if opened_by_run is not None:
        asked.append(Invoice.opened_by_run_id == opened_by_run)
    once = _once_an_invoice(asked)
    rows = session.execute(
        select(
            once.c.code, once.c.shared, Invoice.currency, Invoice.integration_id, func.count().label("invoices"),
            func.sum(Invoice.total).label("total"), func.min(Invoice.issue_date).label("oldest"),
            func.max(Invoice.issue_date).label("newest"),
            func.min(once.c.one).label("one"), func.sum(case((held(), 0), else_=1)).label("passing"),
        )
        .join(Invoice, Invoice.id == once.c.invoice_id)
        .group_by(once.c.code, once.c.shared, Invoice.currency, Invoice.integration_id)
        .order_by(Invoice.currency, Invoice.integration_id)
    ).all()  # fmt: skip
    grouped: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in rows:
        grouped[row.code, row.shared].append(row)
    examples = _examples(session, [min(row.one for row in of) for of in grouped.values()])
    found = [
        Cause(
            finding=examples[min(row.one for row in of)],
            invoices=sum(row.invoices for row in of),
            sums=_sums(of),
            oldest=min(row.oldest for row in of),
            newest=max(row.newest for row in of),
            integrations=tuple(sorted({row.integration_id for row in of})),
            passing=sum(int(row.passing) for row in of),
        )
        for of in grouped.values()
    ]
    return sorted(found, key=lambda one: (-one.invoices, one.code, one.subject))


def _sums(rows: Sequence[Any]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row.currency] = sums.get(row.currency, Decimal(0)) + row.total
    return sums


def main_causes(session: Session, journal_ids: Collection[int], *, most: int = 3) -> dict[int, list[Cause]]:
    """Journal id → its causes of the most invoices, at most `most`, without sums. Inside a transaction, two queries."""
    if not journal_ids:
        return {}
    once = _once_an_invoice([*conditions(Which()), Invoice.journal_id.in_(journal_ids)])
    grouped = (
        select(
            once.c.journal_id, once.c.code, once.c.shared, func.count().label("invoices"),
            func.min(once.c.one).label("one"),
        )
        .group_by(once.c.journal_id, once.c.code, once.c.shared)
        .subquery()
    )  # fmt: skip
    place = func.row_number().over(
        partition_by=grouped.c.journal_id, order_by=(grouped.c.invoices.desc(), grouped.c.code, grouped.c.shared)
    )
    ranked = select(grouped, place.label("place")).subquery()
    rows = session.execute(
        select(ranked).where(ranked.c.place <= most).order_by(ranked.c.journal_id, ranked.c.place)
    ).all()
    examples = _examples(session, [row.one for row in rows])
    found: dict[int, list[Cause]] = defaultdict(list)
    for row in rows:
        found[row.journal_id].append(Cause(examples[row.one], row.invoices))
    return dict(found)


def example(session: Session, which: Which) -> Finding | None:
    """The finding of the oldest invoice that waits for a cause, None when nothing does. Inside a transaction."""
    once = _once_an_invoice(conditions(which), InvoiceFinding.code == which.code)
    found = session.scalar(
        select(func.min(once.c.one)).where(once.c.shared == _shared(which.code or "", which.subject or ""))
    )
    return None if found is None else _examples(session, [found])[found]


def counts_of(
    session: Session, findings: Sequence[tuple[str, str]], which: Which | None = None
) -> dict[tuple[str, str], int]:
    """(code, subject) → how many invoices wait for it, for each of `findings`. Inside a transaction, one query."""
    codes = {code for code, _ in findings}
    if not codes:
        return {}
    once = _once_an_invoice(conditions(which or Which()), InvoiceFinding.code.in_(codes))
    rows = session.execute(
        select(once.c.code, once.c.shared, func.count().label("invoices")).group_by(once.c.code, once.c.shared)
    ).all()
    counted = {(row.code, row.shared): row.invoices for row in rows}
    return {(code, subject): counted.get((code, _shared(code, subject)), 0) for code, subject in findings}


def _shared(code: str, subject: str) -> str:
    return "" if code in OF_A_LINE else subject


def _once_an_invoice(asked: Sequence[ColumnElement[bool]], *of_findings: ColumnElement[bool]) -> Subquery:
    """(invoice, code, shared subject) of findings that stop, each once: two lines without a rate are one cause."""
    shared = case((InvoiceFinding.code.in_(OF_A_LINE), ""), else_=InvoiceFinding.subject)
    return (
        select(
            InvoiceFinding.invoice_id, Invoice.journal_id, InvoiceFinding.code, shared.label("shared"),
            func.min(InvoiceFinding.id).label("one"),
        )
        .join(Invoice, Invoice.id == InvoiceFinding.invoice_id)
        .where(*asked, InvoiceFinding.stops, *of_findings)
        # By the name: PostgreSQL takes the same expression with other parameters for another one.
        .group_by(InvoiceFinding.invoice_id, Invoice.journal_id, InvoiceFinding.code, "shared")
        .subquery()
    )  # fmt: skip


def _examples(session: Session, finding_ids: Sequence[int]) -> dict[int, Finding]:
    rows = session.execute(
        select(
            InvoiceFinding.id, InvoiceFinding.code, InvoiceFinding.subject, InvoiceFinding.values.label("said")
        ).where(InvoiceFinding.id.in_(finding_ids))
    ).all()
    return {row.id: Finding(row.code, row.subject, row.said) for row in rows}
