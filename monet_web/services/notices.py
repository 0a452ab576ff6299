"""What an administrator is to be told though nobody looks at a page: a failure of an hour, and the morning sentence.

A notice is claimed by its row, committed before anything is sent: two ticks at once never tell a thing twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from monet_web.domain.windows import local_day, start_of_day
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.notices import Notice, NoticeKind
from monet_web.models.runs import Run, RunState
from monet_web.models.store_orders import Outcome
from monet_web.services.office import company
from monet_web.services.today import IMPORTS, Today, today

PATIENCE = timedelta(hours=1)
MORNING = time(7)
_OF_COMPANY = 0


@dataclass(frozen=True, slots=True)
class Due:
    """A notice that nobody was told yet. `name` and `because` are those of a failing integration."""

    kind: NoticeKind
    since: datetime
    integration_id: int = _OF_COMPANY
    name: str = ""
    because: str = ""


def failing(session: Session, *, now: datetime) -> list[Due]:
    """Integrations that have failed for an hour without a success and were not told of yet. Inside a transaction."""
    zone = company.zone(session)
    since, last_failed = _failures()
    rows = session.execute(
        select(
            Integration.id, Integration.name, Integration.refused_since, Integration.refused_text,
            since.label("since"), Run.error, Run.fix,
        )
        .outerjoin(Run, Run.id == last_failed)
        .where(Integration.state == IntegrationState.ON)
        .order_by(Integration.name_key)
    ).all()  # fmt: skip
    told = {
        (row.integration_id, row.since)
        for row in session.execute(
            select(Notice.integration_id, Notice.since).where(Notice.kind == NoticeKind.FAILING)
        )
    }  # fmt: skip
    found = []
    for row in rows:
        # The earlier of both: a key that is replaced must not make an old failure a new one.
        begins = [moment for moment in (row.since, row.refused_since) if moment is not None]
        if not begins or now - min(begins) < PATIENCE or (row.id, min(begins)) in told:
            continue
        why = row.refused_text if row.refused_since is not None else f"{row.error or ''} {row.fix or ''}"
        when = min(begins).astimezone(zone)
        found.append(
            Due(
                NoticeKind.FAILING, min(begins), row.id, " ".join(row.name.split()),
                f"No orders came in since {when:%Y-%m-%d %H:%M}. {' '.join(why.split())}".strip(),
            )
        )  # fmt: skip
    return found


def morning(session: Session, *, now: datetime) -> Due | None:
    """The morning of this day when it is past seven in the company and was not told yet. Inside a transaction."""
    zone = company.zone(session)
    if now.astimezone(zone).time() < MORNING:
        return None
    due = Due(NoticeKind.MORNING, start_of_day(local_day(now, zone), zone).astimezone(UTC))
    is_told = session.get(Notice, (due.kind, due.integration_id, due.since)) is not None
    return None if is_told else due


def claim(session: Session, due: Due, *, now: datetime) -> bool:
    """Take a notice; False when another process did. Inside a transaction, committed before it is sent."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    taken = session.execute(
        dialect.insert(Notice)
        .values(kind=due.kind, integration_id=due.integration_id, since=due.since, told_at=now)
        .on_conflict_do_nothing()
        .returning(Notice.since)
    )
    return taken.first() is not None


def morning_sentence(session: Session, *, now: datetime) -> str:
    """`All 43 orders of yesterday are invoiced.` or `2 things need you.` (A1). Inside a transaction."""
    stands = today(session, now=now)
    needs = _needs(stands)
    if needs:
        return "1 thing needs you." if needs == 1 else f"{needs} things need you."
    until = stands.known_until
    if until is None or until < start_of_day(stands.day, stands.zone):
        missing = f" Orders since {until.astimezone(stands.zone):%Y-%m-%d %H:%M} are not imported yet." if until else ""
        return f"Nothing needs you.{missing}"
    yesterday = stands.days[-2]
    count, done = yesterday.count(), yesterday.count(Outcome.REGISTERED, Outcome.CREDITED)
    if not count:
        return "Nothing needs you. No order came in yesterday."
    if done < count:
        return f"Nothing needs you. {done} of {count} orders of yesterday are invoiced."
    return "The 1 order of yesterday is invoiced." if count == 1 else f"All {count} orders of yesterday are invoiced."


def _needs(stands: Today) -> int:
    """As many as the page Today lists: stores that fail or refuse, then each kind of document that waits."""
    stores = sum(
        one.integration.state is IntegrationState.ON
        and (
            one.integration.refused_since is not None
            or (one.last is not None and one.last.state is RunState.FAILED and one.current is None)
        )
        for one in stands.health
    )
    documents = (stands.conflicts.count, stands.unreadable.count, stands.waiting.count, stands.changed, stands.questions)
    return stores + sum(1 for count in documents if count)


def _failures() -> tuple[ScalarSelect[datetime | None], ScalarSelect[int | None]]:
    """Of each integration: when the first import after its last success failed, and the newest that failed since."""
    done, first, newest = aliased(Run), aliased(Run), aliased(Run)
    last_done = (
        select(func.max(done.id))
        .where(done.integration_id == Integration.id, done.kind.in_(IMPORTS), done.state == RunState.DONE)
        .correlate(Integration)
        .scalar_subquery()
    )
    after = func.coalesce(last_done, 0)
    since = (
        select(func.min(first.ended_at))
        .where(
            first.integration_id == Integration.id, first.kind.in_(IMPORTS),
            first.state == RunState.FAILED, first.id > after,
        )
        .correlate(Integration)
        .scalar_subquery()
    )  # fmt: skip
    last_failed = (
        select(func.max(newest.id))
        .where(
            newest.integration_id == Integration.id, newest.kind.in_(IMPORTS),
            newest.state == RunState.FAILED, newest.id > after,
        )
        .correlate(Integration)
        .scalar_subquery()
    )  # fmt: skip
    return since, last_failed
