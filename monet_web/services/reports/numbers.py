"""The numbers of a month, store by store: every gap explained, every date out of order named (the inspector asks)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.checks import number_source
from monet_web.domain.filters import REASONS, Filtered
from monet_web.domain.number_gaps import UNEXPLAINED, Backwards, Missing, Numbered, Series, Why, series_of, together
from monet_web.domain.periods import last_of_month
from monet_web.domain.settings import Settings
from monet_web.models.audit import AuditEntry
from monet_web.models.company import TakenNumber
from monet_web.models.integrations import Integration
from monet_web.models.invoices import Invoice, InvoiceKind, InvoiceState
from monet_web.models.store_orders import Outcome, StoreOrder
from monet_web.services.books import tables
from monet_web.services.books.numbers import number_key
from monet_web.services.integrations.installed import readable

MOST_LOOKED = 5000  # missing numbers of one series that are looked into one by one
_AROUND = timedelta(days=62)  # documents of so long before the month may hold the number before its first


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """One series of one store: its first and last number of the month, and what is odd between them."""

    first: str
    last: str
    documents: int
    missing: tuple[Missing, ...]
    backwards: tuple[Backwards, ...]

    @property
    def unexplained(self) -> int:
        """How many numbers nobody has explained."""
        return sum(each.count for each in self.missing if each.why.code in UNEXPLAINED)


@dataclass(frozen=True, slots=True)
class StoreReport:
    """The series of one store; `alone`: numbers that are in none, such as those of credit notes."""

    name: str
    source: str  # of numbers: order | invoice | series
    series: tuple[SeriesReport, ...]
    alone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NumbersReport:
    """A month's numbers."""

    month: date
    stores: tuple[StoreReport, ...]

    @property
    def unexplained(self) -> int:
        """How many numbers of the month nobody has explained."""
        return sum(each.unexplained for store in self.stores for each in store.series)


def load(session: Session, month: date, language: str = "en") -> NumbersReport:
    """The report of the month of a day; reasons of orders in `language`. Inside a transaction.

    A few statements a store, however many documents; each series looks into MOST_LOOKED missing numbers at most.
    """
    first, last = month.replace(day=1), last_of_month(month)
    stores = []
    for integration in session.scalars(select(Integration).order_by(Integration.name_key, Integration.id)):
        rows = session.execute(
            select(Invoice.number, Invoice.issue_date, Invoice.touched_at)
            .where(
                Invoice.integration_id == integration.id,
                Invoice.state == InvoiceState.REGISTERED,
                Invoice.issue_date.between(first - _AROUND, last),
                Invoice.number.is_not(None),
            )
            .order_by(Invoice.id)
        ).all()
        documents = [
            Numbered(row.number or "", row.issue_date, row.issue_date >= first, row.touched_at is not None)
            for row in rows
        ]
        if any(one.is_in_month for one in documents):
            stores.append(_of_store(session, integration, documents, language))
    return NumbersReport(first, tuple(stores))


def _of_store(session: Session, integration: Integration, documents: Sequence[Numbered], language: str) -> StoreReport:
    settings = readable(integration) or Settings()
    source = number_source(settings)
    every, alone = series_of(documents)
    why = {"series": "series", "invoice": "store"}.get(source, "order")
    reports = []
    for series in every:
        here = series.in_month
        reports.append(
            SeriesReport(
                first=series.known[here[0]].number,
                last=series.known[here[-1]].number,
                documents=len(here),
                missing=tuple(_missing(session, integration, settings, series, language)),
                backwards=tuple(series.backwards(why)),
            )
        )
    return StoreReport(integration.name, source, tuple(reports), tuple(one.number for one in alone))


def _missing(
    session: Session, integration: Integration, settings: Settings, series: Series, language: str
) -> list[Missing]:
    looked: list[int] = []
    jumps: list[tuple[int, int]] = []
    for first, last in series.gaps():
        if len(looked) + last - first + 1 > MOST_LOOKED:
            jumps.append((first, last))
        else:
            looked += range(first, last + 1)
    texts = {n: series.text(n) for n in looked}
    known = _known(session, integration, settings, list(texts.values()), language)
    nobody = Why("never_given" if number_source(settings) == "series" else "never_came")
    rows = together(series, [(n, known.get(number_key(text), nobody)) for n, text in texts.items()])
    rows += [
        Missing(series.text(first), series.text(last), last - first + 1, Why("not_looked")) for first, last in jumps
    ]
    return rows


def _known(
    session: Session, integration: Integration, settings: Settings, numbers: Sequence[str], language: str
) -> dict[str, Why]:
    """number key → why; what nothing is known of is left out. The first that knows decides."""
    keys = [number_key(number) for number in numbers]
    found: dict[str, Why] = {}
    for part in tables.in_parts(keys):
        found |= {key: why for key, why in _on_documents(session, integration, part) if key not in found}
    for part in tables.in_parts([key for key in keys if key not in found]):
        rows = session.execute(
            select(TakenNumber.number_key, TakenNumber.source).where(TakenNumber.number_key.in_(part))
        )
        found |= {row.number_key: Why("taken", {"source": row.source or "–"}) for row in rows}
    prefix = number_key(settings.number_prefix)
    of_orders = {key.removeprefix(prefix): key for key in keys if key not in found and key.startswith(prefix)}
    for part in tables.in_parts([key for key in of_orders if key]):
        found |= {of_orders[key]: why for key, why in _of_orders(session, integration, part, language)}
    left = {key for key in keys if found.get(key, Why("open")).code == "open"}
    return found | dict(_deleted(session, left)) if left else found


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


def _deleted(session: Session, keys: set[str]) -> Iterable[tuple[str, Why]]:
    """Numbers of invoices that a person deleted from a journal, by the newest entry of the trail."""
    number: Any = AuditEntry.before["number"].as_string()
    rows = session.execute(
        select(number.label("number"), AuditEntry.actor, AuditEntry.at)
        .where(AuditEntry.subject_kind == "invoice", AuditEntry.action == "deleted", number.is_not(None))
        .order_by(AuditEntry.id)
    )
    for row in rows:
        if (key := number_key(row.number)) in keys:
            yield key, Why("deleted", {"actor": row.actor, "day": row.at.date().isoformat()})
