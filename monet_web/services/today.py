"""Today (G4): orders a day, the last runs of each integration, and what needs a person; a fixed number of queries.

Nothing here reads more than two weeks of orders or fourteen runs of an integration, however many there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, func, or_, select, union_all
from sqlalchemy.orm import Session, defer, lazyload

from monet_web.domain.windows import local_day, start_of_day
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.invoices import Invoice, InvoiceFinding, InvoiceState
from monet_web.models.runs import AT_WORK, Run, RunKind, RunOrder, RunState
from monet_web.models.store_orders import Outcome, StoreOrder
from monet_web.services.documents import causes, questions
from monet_web.services.documents.causes import Cause
from monet_web.services.documents.waiting import Sum, Which, summary
from monet_web.services.importing.facts import CHANGED
from monet_web.services.integrations.integration_list import waits_for_later
from monet_web.services.office import company
from monet_web.services.running import month_checks
from monet_web.services.running.next_runs import NextRun, Obstacle, next_runs

DAYS = 14
RUNS = 14
IMPORTS = (RunKind.LAUNCH, RunKind.TIMETABLE)
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Health:
    """One integration with its newest imports that ended, the oldest of them first, and the run it has now."""

    integration: Integration
    ended: tuple[Run, ...] = ()
    current: Run | None = None

    @property
    def last(self) -> Run | None:
        """The newest import that ended."""
        return self.ended[-1] if self.ended else None

    @property
    def failed_in_a_row(self) -> int:
        """How many of the newest imports failed, one after another."""
        count = 0
        for run in reversed(self.ended):
            if run.state is not RunState.FAILED:
                break
            count += 1
        return count

    @property
    def known_until(self) -> datetime | None:
        """Up to when its orders are here: the latest end of a period that was imported whole."""
        return max((run.window_end for run in self.ended if run.state is RunState.DONE), default=None)


@dataclass(frozen=True, slots=True)
class Day:
    """A local day: integration id (0: of a store without one) → outcome → how many orders were placed."""

    day: date
    orders: Mapping[int, Mapping[Outcome, int]] = field(default_factory=dict)

    def count(self, *outcomes: Outcome) -> int:
        """How many orders have one of these outcomes; without any, all of them."""
        return sum(
            count for of in self.orders.values() for outcome, count in of.items() if not outcomes or outcome in outcomes
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """Orders that stand at one outcome: how many, a few of their numbers, the newest run that says so."""

    count: int = 0
    numbers: tuple[str, ...] = ()
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Today:
    """Everything the page says, before it is put into words."""

    day: date
    zone: ZoneInfo
    health: tuple[Health, ...]
    days: tuple[Day, ...]  # the last one is today
    conflicts: Standing
    unreadable: Standing
    waiting: Sum
    causes: tuple[Cause, ...]
    changed: int  # registered invoices whose orders have changed in the store since
    now: datetime
    next_runs: Mapping[int, NextRun] = field(default_factory=dict)  # by integration
    months: Mapping[int, Run] = field(default_factory=dict)  # by integration: the run that checked a month last (B3)
    questions: int = 0  # to the accountant, not answered yet

    @property
    def known_until(self) -> datetime | None:
        """Up to when the orders of every integration that is switched on are here; None when of one nothing is."""
        untils = [one.known_until for one in self.health if one.integration.state is IntegrationState.ON]
        known = [until for until in untils if until is not None]
        return min(known) if known and len(known) == len(untils) else None

    @property
    def differing(self) -> tuple[tuple[Health, Run], ...]:
        """Integrations whose month differs from the store's, with the run that says so."""
        found = ((one, self.months.get(one.integration.id)) for one in self.health)
        return tuple((one, run) for one, run in found if run is not None and month_checks.differs(run))

    @property
    def unreadable_settings(self) -> tuple[tuple[Health, str], ...]:
        """Integrations that stand still because their settings can't be read, with the reason."""
        found = ((one, self.next_runs.get(one.integration.id)) for one in self.health)
        return tuple(
            (one, upcoming.because)
            for one, upcoming in found
            if upcoming is not None and upcoming.obstacle is Obstacle.UNREADABLE
        )

    @property
    def has_run(self) -> bool:
        """True when anything was ever imported or is being imported."""
        return any(one.ended or one.current for one in self.health) or any(day.orders for day in self.days)


def today(session: Session, *, now: datetime) -> Today:
    """What stands now. Inside a transaction."""
    zone = company.zone(session)
    day = local_day(now, zone)
    integrations = _integrations(session)
    standing = _standing(session)
    return Today(
        day=day,
        zone=zone,
        health=_health(session, integrations, now=now),
        days=_days(session, day, zone, {one.store_id: one.id for one in integrations}),
        conflicts=standing.get(Outcome.CONFLICT, Standing()),
        unreadable=standing.get(Outcome.UNREADABLE, Standing()),
        waiting=summary(session, Which()),
        causes=tuple(causes.causes(session)),
        changed=_changed(session),
        now=now,
        next_runs=next_runs(session, now=now),
        months=month_checks.newest(session, now=now),
        questions=questions.unanswered_count(session),
    )


@dataclass(frozen=True, slots=True)
class Invoiced:
    """What the invoices of one day come to in EUR: integration id → state → sum."""

    day: date
    sums: Mapping[int, Mapping[InvoiceState, Decimal]] = field(default_factory=dict)


def invoiced(session: Session, *, day: date) -> tuple[list[Invoiced], int]:
    """The two weeks that end on `day`, by issue date, and how many invoices have no rate yet. In a transaction."""
    first = day - timedelta(days=DAYS - 1)
    rows = session.execute(
        select(
            Invoice.integration_id, Invoice.issue_date, Invoice.state, func.sum(Invoice.total_eur).label("total"),
            func.count().label("invoices"), func.count(Invoice.total_eur).label("converted"),
        )
        .where(Invoice.state.in_(tuple(InvoiceState)), Invoice.issue_date.between(first, day))
        .group_by(Invoice.integration_id, Invoice.issue_date, Invoice.state)
    ).all()  # fmt: skip
    found: dict[date, dict[int, dict[InvoiceState, Decimal]]] = {}
    for row in rows:
        of_day = found.setdefault(row.issue_date, {}).setdefault(row.integration_id, {})
        of_day[row.state] = row.total or Decimal(0)
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return [Invoiced(each, found.get(each, {})) for each in days], sum(row.invoices - row.converted for row in rows)


# --- parts -------------------------------------------------------------------------------------------------------


def _integrations(session: Session) -> Sequence[Integration]:
    return session.scalars(
        select(Integration)
        .where(Integration.state != IntegrationState.RETIRED)
        .order_by(Integration.name_key)
        .options(defer(Integration.secrets), lazyload(Integration.store))
        .execution_options(populate_existing=True)
    ).all()


def _health(session: Session, integrations: Sequence[Integration], *, now: datetime) -> tuple[Health, ...]:
    ended: dict[int, list[Run]] = {}
    for run in _newest_runs(session, integrations):
        ended.setdefault(run.integration_id, []).append(run)
    refused = {one.id for one in integrations if one.refused_since is not None}
    current: dict[int, Run] = {}
    at_work_first = case((Run.state.in_(AT_WORK), 0), else_=1)
    for run in session.scalars(
        select(Run)
        .options(lazyload(Run.integration))
        .where(
            or_(Run.state.in_(AT_WORK), and_(Run.state == RunState.QUEUED, Run.foreground.is_(False))),
            Run.kind.in_(IMPORTS),
        )
        .order_by(at_work_first, Run.id)
    ):
        if not waits_for_later(run, is_refused=run.integration_id in refused, now=now):
            current.setdefault(run.integration_id, run)
    return tuple(Health(one, tuple(ended.get(one.id, ())), current.get(one.id)) for one in integrations)


def _newest_runs(session: Session, integrations: Sequence[Integration]) -> list[Run]:
    """The newest imports that ended, at most RUNS of each integration, by their ends; two queries."""
    if not integrations:
        return []
    # One look into the index for each, and each with its own number in the text: asked for all at once, PostgreSQL
    # would walk through everybody's runs for the few of one that seldom runs.
    of_each = [
        select(Run.id)
        .where(Run.integration_id == one.id, Run.kind.in_(IMPORTS), Run.ended_at.is_not(None))
        .order_by(Run.ended_at.desc(), Run.id.desc())
        .limit(RUNS)
        .subquery()
        for one in integrations
    ]
    ids = session.scalars(union_all(*(select(of_one.c.id) for of_one in of_each))).all()
    runs = session.scalars(
        select(Run).where(Run.id.in_(ids)).options(lazyload(Run.integration)).execution_options(populate_existing=True)
    )
    return sorted(runs, key=lambda run: (run.ended_at, run.id))


def _days(session: Session, today: date, zone: ZoneInfo, integration_of: Mapping[int, int]) -> tuple[Day, ...]:
    days = [today - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]
    begins = [start_of_day(day, zone) for day in [*days, today + timedelta(days=1)]]
    # Local days have 23 to 25 hours, which no database's own grouping knows alike.
    place = case(*((StoreOrder.placed_at < begin, number) for number, begin in enumerate(begins[1:])), else_=DAYS)
    rows = session.execute(
        select(place.label("place"), StoreOrder.store_id, StoreOrder.outcome, func.count().label("orders"))
        .where(StoreOrder.placed_at >= begins[0], StoreOrder.placed_at < begins[-1])
        .group_by("place", StoreOrder.store_id, StoreOrder.outcome)
    ).all()
    found: list[dict[int, dict[Outcome, int]]] = [{} for _ in days]
    for row in rows:
        of = found[row.place].setdefault(integration_of.get(row.store_id, 0), {})
        of[row.outcome] = of.get(row.outcome, 0) + row.orders
    return tuple(Day(day, orders) for day, orders in zip(days, found, strict=True))


def _standing(session: Session) -> dict[Outcome, Standing]:
    outcomes = (Outcome.CONFLICT, Outcome.UNREADABLE)
    counts = session.execute(
        select(StoreOrder.outcome, func.count().label("orders"))
        .where(StoreOrder.outcome.in_(outcomes))
        .group_by(StoreOrder.outcome)
    ).all()
    if not counts:
        return {}
    place = func.row_number().over(partition_by=StoreOrder.outcome, order_by=StoreOrder.id.desc())
    newest = (
        select(StoreOrder.id, StoreOrder.outcome, StoreOrder.order_number, StoreOrder.external_id, place.label("place"))
        .where(StoreOrder.outcome.in_(outcomes))
        .subquery()
    )
    rows = session.execute(
        select(newest, func.max(RunOrder.run_id).label("run_id"))
        .outerjoin(RunOrder, RunOrder.store_order_id == newest.c.id)
        .where(newest.c.place <= _EXAMPLES)
        .group_by(newest.c.id, newest.c.outcome, newest.c.order_number, newest.c.external_id, newest.c.place)
        .order_by(newest.c.place)
    ).all()
    found = {}
    for outcome, orders in counts:
        of = [row for row in rows if row.outcome == outcome]
        numbers = tuple(row.order_number or row.external_id for row in of)
        found[outcome] = Standing(orders, numbers, max((row.run_id for row in of if row.run_id), default=None))
    return found


def _changed(session: Session) -> int:
    return session.execute(
        select(func.count())
        .select_from(InvoiceFinding)
        .join(Invoice, Invoice.id == InvoiceFinding.invoice_id)
        .where(InvoiceFinding.code == CHANGED, Invoice.state == InvoiceState.REGISTERED)
    ).scalar_one()
