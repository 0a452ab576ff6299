"""Causes: waiting invoices grouped by what they wait for, counted and summed in the database (E2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, ColumnElement, Subquery, case, func, select, type_coerce
from sqlalchemy.orm import Session

from monet_web.domain.findings import OF_A_LINE, Finding
from monet_web.models.invoices import Invoice, InvoiceFinding
from monet_web.models.items import Item
from monet_web.models.stock import Balance, Warehouse
from monet_web.services.books import waiting_figures
from monet_web.services.books.waiting_figures import SHORT, Sort, Tallies, Tally
from monet_web.services.documents.waiting import Which, conditions, figures_of, held


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
    needed = waiting_figures.of_all(session).needed
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
        found_short[subject] = Shortage(
            needed.get(subject, Decimal(0)), of_item.get(str(warehouse), Decimal(0)), tuple(others)
        )
    return found_short


def causes(session: Session, which: Which | None = None, *, opened_by_run: int | None = None) -> list[Cause]:
    """Every cause, that of the most invoices first; of a `which` that names one, only that. Inside a transaction.

    An invoice that waits for two causes counts in both. Two queries, a few more where something has changed.
    """
    which = which or Which()
    if opened_by_run is not None or not which.is_counted:
        asked = conditions(session, which)
        if opened_by_run is not None:
            asked.append(Invoice.opened_by_run_id == opened_by_run)
        tallies = _tallied(session, asked)
    else:
        tallies = figures_of(session, which).causes
    found = [
        (cause, mine)
        for cause, of in tallies.items()
        if which.code in (None, cause[0]) and (which.subject is None or _shared(cause[0], which.subject) == cause[1])
        for mine in [list(waiting_figures.sorts(of, which.sort))]
        if mine
    ]
    examples = _examples(session, [min(tally.one for _, tally in mine) for _, mine in found])
    every = [_cause(examples[min(tally.one for _, tally in mine)], mine) for _, mine in found]
    return sorted(every, key=lambda one: (-one.invoices, one.code, one.subject))


def _cause(finding: Finding, tallies: Sequence[tuple[Sort, Tally]]) -> Cause:
    sums: dict[str, Decimal] = {}
    for sort, tally in sorted(tallies, key=lambda one: (one[0].currency, one[0].integration_id)):
        sums[sort.currency] = sums.get(sort.currency, Decimal(0)) + waiting_figures.money(tally.total)
    return Cause(
        finding=finding,
        invoices=sum(tally.invoices for _, tally in tallies),
        sums=sums,
        oldest=min(tally.oldest for _, tally in tallies),
        newest=max(tally.newest for _, tally in tallies),
        integrations=tuple(sorted({sort.integration_id for sort, _ in tallies})),
        passing=sum(tally.invoices for sort, tally in tallies if sort.passing),
    )


def _tallied(session: Session, asked: Sequence[ColumnElement[bool]]) -> dict[tuple[str, str], Tallies]:
    """The same of invoices that no journal's figures tell apart: those of one run, those found by words."""
    once = _once_an_invoice(asked)
    rows = session.execute(
        select(
            once.c.code, once.c.shared, Invoice.currency, Invoice.integration_id, func.count().label("invoices"),
            type_coerce(func.sum(Invoice.total), BigInteger).label("total"),
            func.min(Invoice.issue_date).label("oldest"), func.max(Invoice.issue_date).label("newest"),
            func.min(once.c.one).label("one"), func.sum(case((held(), 0), else_=1)).label("passing"),
        )
        .join(Invoice, Invoice.id == once.c.invoice_id)
        .group_by(once.c.code, once.c.shared, Invoice.currency, Invoice.integration_id)
    ).all()  # fmt: skip
    found: dict[tuple[str, str], Tallies] = defaultdict(dict)
    for row in rows:
        for passing, count, total in ((True, int(row.passing), 0), (False, row.invoices - int(row.passing), row.total)):
            sort = Sort("", "", row.integration_id, row.currency, row.oldest, passing)
            found[row.code, row.shared][sort] = Tally(count, int(total), 0, row.oldest, row.newest, row.one)
    return found


def main_causes(session: Session, journal_ids: Collection[int], *, most: int = 3) -> dict[int, list[Cause]]:
    """Journal id → its causes of the most invoices, at most `most`, without sums. Inside a transaction, two queries."""
    if not journal_ids:
        return {}
    chosen: dict[int, list[tuple[int, int]]] = {}
    for journal_id, figures in waiting_figures.of_journals(session, journal_ids).items():
        counted = [
            (-sum(tally.invoices for tally in of.values()), *cause, min(tally.one for tally in of.values()))
            for cause, of in figures.causes.items()
        ]
        chosen[journal_id] = [(-count, one) for count, _, _, one in sorted(counted)[:most]]
    examples = _examples(session, [one for of in chosen.values() for _, one in of])
    return {journal_id: [Cause(examples[one], count) for count, one in of] for journal_id, of in chosen.items() if of}


def example(session: Session, which: Which) -> Finding | None:
    """The finding of the oldest invoice that waits for a cause, None when nothing does. Inside a transaction."""
    found = causes(session, which)
    return found[0].finding if found else None


def counts_of(
    session: Session, findings: Sequence[tuple[str, str]], which: Which | None = None
) -> dict[tuple[str, str], int]:
    """(code, subject) → how many invoices wait for it, for each of `findings`. Inside a transaction, one query.

    `which` names no invoices, no words and no cause.
    """
    if not findings:
        return {}
    which = which or Which()
    tallies = figures_of(session, which).causes
    return {
        (code, subject): sum(
            tally.invoices
            for _, tally in waiting_figures.sorts(tallies.get((code, _shared(code, subject)), {}), which.sort)
        )
        for code, subject in findings
    }


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
