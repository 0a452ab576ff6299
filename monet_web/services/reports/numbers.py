"""The numbers of a month, store by store: every gap explained, every date out of order named (the inspector asks)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from monet_web.domain.checks import number_source
from monet_web.domain.coverage import joined
from monet_web.domain.number_dates import OutOfOrder, out_of_order
from monet_web.domain.number_gaps import UNEXPLAINED, Missing, Numbered, Series, Why, series_of, together
from monet_web.domain.periods import last_of_month
from monet_web.domain.settings import Settings
from monet_web.domain.windows import Window, local_day
from monet_web.models.company import Company
from monet_web.models.integrations import Integration
from monet_web.models.invoices import Invoice, InvoiceKind, InvoiceState
from monet_web.models.runs import Run, RunState
from monet_web.models.store_orders import StoreOrder
from monet_web.services.books.numbers import number_key
from monet_web.services.importing.own_numbers import WIDTH
from monet_web.services.integrations.installed import readable
from monet_web.services.opening.coverage import IMPORTS
from monet_web.services.reports import number_whys, own_series
from monet_web.services.reports.own_series import Own

MOST_LOOKED = 5000  # missing numbers of one series that are looked into one by one
# Of the store's numbers, documents of so long before and after the month are looked at; of our own series all are.
_AROUND = timedelta(days=62)


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """One series of one store: its first and last number of the month, and what is odd between them."""

    first: str
    last: str
    documents: int
    missing: tuple[Missing, ...]
    out_of_order: tuple[OutOfOrder, ...]
    is_own: bool = False  # it gives the numbers itself

    @property
    def unexplained(self) -> int:
        """How many numbers nobody has explained."""
        return sum(each.count for each in self.missing if each.why.code in UNEXPLAINED)


@dataclass(frozen=True, slots=True)
class StoreReport:
    """The series of one store; `alone`: numbers that are in none, such as those of credit notes."""

    name: str
    source: str  # of invoices' numbers: order | invoice | series
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

    A few statements a store and series, however many documents; each series looks into MOST_LOOKED missing numbers at
    most. A gap is told in the month of the document that follows it.
    """
    zone = ZoneInfo(session.get_one(Company, 1).time_zone)
    first = month.replace(day=1)
    stores = []
    for integration in session.scalars(select(Integration).order_by(Integration.name_key, Integration.id)):
        looked = _Looked(session, integration, readable(integration) or Settings(), first, language, zone)
        if (report := looked.report()) is not None:
            stores.append(report)
    return NumbersReport(first, tuple(stores))


@dataclass(slots=True)
class _Looked:
    """One integration, looked through for a month."""

    session: Session
    integration: Integration
    settings: Settings
    first: date
    language: str
    zone: ZoneInfo

    def report(self) -> StoreReport | None:
        """None when nothing of the month is registered."""
        documents, prefixes = self._documents()
        if not any(one.is_in_month for one in documents):
            return None
        every, alone = series_of(documents)
        own = own_series.of(self.session, self.integration.id)
        reports = [self._series(series, own.get(series.head), prefixes) for series in every]
        source = number_source(self.settings)
        return StoreReport(self.integration.name, source, tuple(reports), tuple(one.number for one in alone))

    def _documents(self) -> tuple[list[Numbered], set[str]]:
        """Those of the month and around it, and what stands before the order's number where they have that."""
        last = last_of_month(self.first)
        credited = aliased(Invoice)
        rows = self.session.execute(
            select(
                Invoice.number, Invoice.number_key, Invoice.order_number, Invoice.issue_date, Invoice.touched_at,
                Invoice.kind, Invoice.revision, StoreOrder.placed_at, credited.number.label("credited"),
            )
            .join(StoreOrder, StoreOrder.id == Invoice.store_order_id)
            .outerjoin(credited, credited.id == Invoice.credits_invoice_id)
            .where(
                Invoice.integration_id == self.integration.id,
                Invoice.state == InvoiceState.REGISTERED,
                Invoice.issue_date.between(self.first - _AROUND, last + _AROUND),
                Invoice.number.is_not(None),
            )
            .order_by(Invoice.id)
        ).all()  # fmt: skip
        documents, prefixes = [], set()
        for row in rows:
            number, order = row.number or "", number_key(row.order_number)
            if row.kind is InvoiceKind.CREDIT_NOTE:
                follows = number.startswith(f"{(row.credited or '')[:100]}-K")
            else:
                follows = row.revision > 1 and number.endswith(f"-{row.revision}")
                if order and (row.number_key or "").endswith(order):
                    prefixes.add((row.number_key or "").removesuffix(order))
            documents.append(
                Numbered(
                    number, row.issue_date, self.first <= row.issue_date <= last, row.touched_at is not None,
                    is_later=row.issue_date > last, follows=follows, placed=row.placed_at,
                )
            )  # fmt: skip
        return documents, prefixes

    def _series(self, series: Series, own: Own | None, prefixes: set[str]) -> SeriesReport:
        here = series.in_month
        source = number_source(self.settings)
        before, ends = None, []
        if own is not None and own.holds(here[-1]):
            before = own_series.before(self.session, own, here[0])
            end = own_series.missing_at_the_end(self.session, own, here[-1])
            ends = [end] if end is not None else []
            for late in own_series.dated_after(self.session, own, last_of_month(self.first), here[-1]):
                series.later[int(late.number[-WIDTH:])] = late
        if own is not None or source == "series":
            nobody, why = "never_given", "series"
            mine: set[str] = set()
        else:
            # A number that the store gives to an invoice is no order's, whatever order has the same one.
            mine = {prefix for prefix in prefixes if number_key(series.head).startswith(prefix)}
            mine |= {number_key(self.settings.number_prefix)} if source == "order" else set()
            nobody = "never_came" if mine else "no_invoice"
            why = "order" if mine else "store" if self.settings.issued_by == "store" else "store_number"
        return SeriesReport(
            first=series.known[here[0]].number,
            last=series.known[here[-1]].number,
            documents=len(here),
            missing=tuple(self._missing(series, own, [*series.gaps(before), *ends], mine, nobody)),
            out_of_order=tuple(out_of_order(series, why)),
            is_own=own is not None,
        )

    def _missing(
        self, series: Series, own: Own | None, gaps: Sequence[tuple[int, int]], prefixes: set[str], nobody: str
    ) -> list[Missing]:
        looked: list[int] = []
        jumps: list[tuple[int, int]] = []
        for first, last in gaps:
            if len(looked) + last - first + 1 > MOST_LOOKED:
                jumps.append((first, last))
            else:
                looked += range(first, last + 1)
        texts = {n: series.text(n) for n in looked}
        known = number_whys.known(self.session, self.integration, prefixes, list(texts.values()), self.language)
        found = [(n, known.get(number_key(text), Why(nobody))) for n, text in texts.items()]
        if nobody == "never_came":
            found = self._not_in_store(series, gaps, found)
        rows = together(series, found)
        for first, last in jumps:
            whole = (
                own_series.all_there(self.session, own, first, last) if own is not None and own.holds(last) else None
            )
            rows.append(Missing(series.text(first), series.text(last), last - first + 1, whole or Why("not_looked")))
        return rows

    def _not_in_store(
        self, series: Series, gaps: Sequence[tuple[int, int]], found: Sequence[tuple[int, Why]]
    ) -> list[tuple[int, Why]]:
        """A number that never came is none of the store's orders where all it has of those days was read."""
        never = {n for n, why in found if why.code == "never_came"}
        ascending = sorted(never)  # thousands of gaps each ask for theirs
        spans = {gap: series.placed_around(*gap) for gap in gaps}
        around = [span for span in spans.values() if span is not None]
        read: list[Window] = []
        if never and around and self.settings.select_by != "paid":
            read = self._read(min(span[0] for span in around), max(span[1] for span in around))
        whys: dict[int, Why] = {}
        for (first, last), span in spans.items():
            if span is not None and any(one.start <= span[0] and span[1] < one.end for one in read):
                days = dict.fromkeys(local_day(moment, self.zone).isoformat() for moment in span)
                why = Why("not_in_store", {"days": " – ".join(days)})
                whys |= dict.fromkeys(ascending[bisect_left(ascending, first) : bisect_right(ascending, last)], why)
        return [(n, whys.get(n, why)) for n, why in found]

    def _read(self, start: datetime, end: datetime) -> list[Window]:
        """What imports have read to its end; nothing of it after the moment when they began."""
        rows = self.session.execute(
            select(Run.window_start, Run.window_end, Run.started_at).where(
                Run.integration_id == self.integration.id,
                Run.state == RunState.DONE,
                Run.kind.in_(IMPORTS),
                Run.window_end >= start,
                Run.window_start <= end,
                Run.started_at > Run.window_start,
            )
        )
        return list(joined(Window(row.window_start, min(row.window_end, row.started_at)) for row in rows))
