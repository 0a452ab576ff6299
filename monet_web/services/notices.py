"""What an administrator is to be told though nobody looks at a page: a failure of an hour, and the morning sentence.

A notice is claimed by its row, committed before anything is sent: two ticks at once never tell a thing twice. The row
says what was sent and when the rest is tried again, until it succeeds or is no longer true.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import ScalarSelect, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from monet_web.domain.timetable import Frequency
from monet_web.domain.windows import local_day, start_of_day
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.notices import Notice, NoticeKind
from monet_web.models.runs import Run, RunKind, RunState
from monet_web.models.store_orders import Outcome
from monet_web.models.users import User
from monet_web.services.office import company
from monet_web.services.today import IMPORTS, Today, today

PATIENCE = timedelta(hours=1)
MORNING = time(7)
MORNING_ENDS = time(12)  # the sentence of the morning is no news later
# After a way that failed: a mail server that asks to come again later means minutes.
PAUSES = tuple(timedelta(minutes=each) for each in (1, 5, 15, 60))
_OF_COMPANY = 0
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Due:
    """A notice that is to be told now. `name` and `because` are those of a failing integration."""

    kind: NoticeKind
    since: datetime
    integration_id: int = _OF_COMPANY
    name: str = ""
    because: str = ""
    attempt: int = 0  # how often it was tried before
    sent: frozenset[str] = frozenset()  # the ways that succeeded then


def failing(session: Session, *, now: datetime) -> list[Due]:
    """Integrations that have failed for an hour without a success, those not told of yet. Inside a transaction.

    Only what runs by itself: of a launch by hand its person knows.
    """
    zone = company.zone(session)
    since, last_failed = _failures()
    rows = session.execute(
        select(
            Integration.id, Integration.name, Integration.settings, Integration.refused_since,
            Integration.refused_text, since.label("since"), Run.error, Run.fix,
        )
        .outerjoin(Run, Run.id == last_failed)
        .where(Integration.state == IntegrationState.ON)
        .order_by(Integration.name_key)
    ).all()  # fmt: skip
    told = _told(session)
    found = []
    for row in rows:
        # The earlier of both: a key that is replaced must not make an old failure a new one.
        begins = [moment for moment in (row.since, row.refused_since) if moment is not None]
        if not begins or now - min(begins) < PATIENCE or row.settings.get("frequency", "off") == Frequency.OFF:
            continue
        notice = told.get((row.id, min(begins)))
        if notice is not None and not _is_due(notice, now):
            continue
        why = row.refused_text if row.refused_since is not None else f"{row.error or ''} {row.fix or ''}"
        when = min(begins).astimezone(zone)
        found.append(
            Due(
                NoticeKind.FAILING, min(begins), row.id, " ".join(row.name.split()),
                f"No orders came in since {when:%Y-%m-%d %H:%M}. {' '.join(why.split())}".strip(),
                *_so_far(notice),
            )
        )  # fmt: skip
    return found


def morning(session: Session, *, now: datetime) -> Due | None:
    """The morning of this day when it is past seven in the company and was not told yet. Inside a transaction.

    One that could not be sent is tried again until noon.
    """
    zone = company.zone(session)
    clock = now.astimezone(zone).time()
    if clock < MORNING:
        return None
    since = start_of_day(local_day(now, zone), zone).astimezone(UTC)
    notice = session.get(Notice, (NoticeKind.MORNING, _OF_COMPANY, since), populate_existing=True)
    if notice is not None and (clock >= MORNING_ENDS or not _is_due(notice, now)):
        return None
    attempt, sent = _so_far(notice)
    return Due(NoticeKind.MORNING, since, attempt=attempt, sent=sent)


def readers(session: Session, addresses: Sequence[str]) -> dict[str, list[str]]:
    """Language (en | lt) → who of the addresses reads it: a person's own, else that of the company's documents.

    Inside a transaction.
    """
    rows = session.execute(
        select(User.email, User.language).where(User.email.in_([each.casefold() for each in addresses]))
    ).all()
    chosen = {row.email: row.language for row in rows if row.language}
    usual = "en" if company.get(session).language == "en" else "lt"
    by_language: dict[str, list[str]] = {}
    for each in addresses:
        by_language.setdefault(chosen.get(each.casefold(), usual), []).append(each)
    return by_language


def claim(session: Session, due: Due, *, now: datetime) -> bool:
    """Take a notice; False when another process did. Inside a transaction, committed before it is sent.

    Whoever is killed meanwhile has told it or not: it is told again after a pause.
    """
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    again_at = now + PAUSES[min(due.attempt, len(PAUSES) - 1)]
    values = {"told_at": now, "attempt": due.attempt + 1, "retry_at": again_at}
    taken = session.execute(
        dialect.insert(Notice)
        .values(kind=due.kind, integration_id=due.integration_id, since=due.since, **values)
        .on_conflict_do_update(
            index_elements=[Notice.kind, Notice.integration_id, Notice.since],
            set_=values,
            where=(Notice.attempt == due.attempt) & (Notice.retry_at <= now),
        )
        .returning(Notice.since)
    )
    return taken.first() is not None


def told(session: Session, due: Due, sent: Collection[str], *, is_all: bool) -> None:
    """Keep which ways have succeeded so far; `is_all`: nothing is left to try. Inside a writing transaction."""
    session.execute(
        update(Notice)
        .where(
            Notice.kind == due.kind, Notice.integration_id == due.integration_id, Notice.since == due.since,
            Notice.attempt == due.attempt + 1,
        )
        .values(sent=",".join(sorted(sent)), **({"retry_at": None} if is_all else {}))
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def _told(session: Session) -> Mapping[tuple[int, datetime], Notice]:
    rows = session.scalars(
        select(Notice).where(Notice.kind == NoticeKind.FAILING).execution_options(populate_existing=True)
    )
    return {(row.integration_id, row.since): row for row in rows}


def _is_due(notice: Notice, now: datetime) -> bool:
    return notice.retry_at is not None and notice.retry_at <= now


def _so_far(notice: Notice | None) -> tuple[int, frozenset[str]]:
    if notice is None:
        return 0, frozenset()
    return notice.attempt, frozenset(each for each in notice.sent.split(",") if each)


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
    """As many as the page Today lists: months that differ, settings nobody can read, stores that fail or refuse, then
    each kind of document that waits.
    """
    stores = sum(
        one.integration.state is IntegrationState.ON
        and (
            one.integration.refused_since is not None
            or (one.last is not None and one.last.state is RunState.FAILED and one.current is None)
        )
        for one in stands.health
    )
    documents = (
        stands.conflicts.count,
        stands.unreadable.count,
        stands.waiting.count,
        stands.changed,
        stands.questions,
    )
    months = len(stands.differing)
    return months + len(stands.unreadable_settings) + stores + sum(1 for count in documents if count)


def _failures() -> tuple[ScalarSelect[datetime | None], ScalarSelect[int | None]]:
    """Of each integration: when its timetable first failed after its last success, and the newest run that did.

    By when they ended: a run that waited long has an early number and a late end.
    """
    done, first, newest = aliased(Run), aliased(Run), aliased(Run)
    last_done = (
        select(func.max(done.ended_at))
        .where(done.integration_id == Integration.id, done.kind.in_(IMPORTS), done.state == RunState.DONE)
        .correlate(Integration)
        .scalar_subquery()
    )
    after = func.coalesce(last_done, _LONG_AGO)
    since = (
        select(func.min(first.ended_at))
        .where(
            first.integration_id == Integration.id, first.kind == RunKind.TIMETABLE,
            first.state == RunState.FAILED, first.ended_at > after,
        )
        .correlate(Integration)
        .scalar_subquery()
    )  # fmt: skip
    last_failed = (
        select(newest.id)
        .where(
            newest.integration_id == Integration.id, newest.kind == RunKind.TIMETABLE,
            newest.state == RunState.FAILED, newest.ended_at > after,
        )
        .order_by(newest.ended_at.desc(), newest.id.desc())
        .limit(1)
        .correlate(Integration)
        .scalar_subquery()
    )  # fmt: skip
    return since, last_failed
