"""What is wrong with this installation and how to mend it, each in a sentence. What Redis knows is asked elsewhere."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from monet_web.domain.errors import MonetError
from monet_web.models.base import reading
from monet_web.models.company import Company
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.items import Item
from monet_web.models.runs import AT_WORK, Run, RunState
from monet_web.models.stock import Balance, StockMove, Warehouse
from monet_web.models.users import Role, User
from monet_web.services import timetable_signs
from monet_web.services.office.keys import sealed_columns
from monet_web.services.opening.plan import zone_of
from monet_web.services.opening.timetable import BY_ITSELF
from monet_web.services.signs import SHOWN, Sign, few, moment

# A run tells that it lives every 15 seconds and is taken back after 120.
SILENT_RUN = timedelta(minutes=3)
LONG_QUEUED = timedelta(minutes=10)


def keys_file(path: Path, *, is_used: bool) -> Sign:
    """The file of keys of the embedded default: only this user may read it, and somebody must back it up."""
    if not is_used:
        return Sign("keys", True, "The keys come from the environment.")
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        return Sign("keys", False, f"The keys in {path} can't be looked at: {error.strerror}.", "Bring back your copy.")
    if mode & 0o077:
        return Sign("keys", False, f"Others on this machine may read {path}.", f"Type: chmod 600 {path}")
    return Sign(
        "keys", True,
        f"The keys are in {path}. Back this file up: without it the stores' secrets can't be opened.",
    )  # fmt: skip


def database_file(path: Path) -> Sign:
    """SQLite's file and those beside it hold all the books: only this user may read them."""
    files = [path, *(each for end in ("-wal", "-shm") if (each := path.with_name(path.name + end)).exists())]
    try:
        readable = [each for each in files if stat.S_IMODE(each.stat().st_mode) & 0o077]
    except OSError as error:
        return Sign("database file", False, f"{path} can't be looked at: {error.strerror}.", "Bring back your copy.")
    if readable:
        names = " ".join(shlex.quote(str(each)) for each in readable)
        return Sign("database file", False, f"Others on this machine may read {path}.", f"Type: chmod 600 {names}")
    return Sign("database file", True, f"Only you may read {path}.")


def checks_of_data(session: Session, *, now: datetime) -> Iterator[Sign]:
    """Everything that the database itself tells; each check in a transaction of its own, so that one can't stop all."""
    for part, check in _CHECKS:
        try:
            with reading(session):
                answer = check(session, now)
        except MonetError as error:
            answer = Sign(part, False, error.message, error.fix)
        except SQLAlchemyError as error:
            answer = Sign(
                part, False, f"It can't be checked: the database refused the question ({type(error).__name__}).",
                "Look at the two lines about the database first.",
            )  # fmt: skip
        yield from [answer] if isinstance(answer, Sign) else answer


def _company(session: Session, _now: datetime) -> Sign:
    company = session.get(Company, 1, populate_existing=True)
    missing = [key for key in ("name", "code", "address") if company is None or not getattr(company, key)]
    if missing:
        return Sign(
            "company", False, f"The company has no {', no '.join(missing)} yet, which invoices must show.",
            "Type: monet company set name=… code=… vat_code=… address=…",
        )  # fmt: skip
    assert company is not None  # noqa: S101 - else everything would be missing
    warehouses = session.execute(select(func.count()).select_from(Warehouse)).scalar_one()
    if not warehouses:
        return Sign("company", False, "There is no warehouse.", "Bring the database up to date: the first one is made.")
    return Sign("company", True, f"These are the books of {company.name}.")


def _people(session: Session, _now: datetime) -> Sign:
    can_enter = session.execute(
        select(func.count())
        .select_from(User)
        .where(User.role == Role.ADMINISTRATOR, User.disabled_at.is_(None), User.password_hash != "")
    ).scalar_one()
    if not can_enter:
        return Sign(
            "people", False, "No administrator has signed in yet.",
            "Type: monet user add EMAIL --role administrator, and open the link it prints.",
        )  # fmt: skip
    return Sign("people", True, f"{can_enter} administrator{'s' * (can_enter != 1)} may sign in.")


def _secrets(session: Session, _now: datetime) -> Sign:
    count = 0
    for _, column in sealed_columns():
        # Reading opens them; a missing key raises NeedsOwner.
        count += len(session.execute(select(column).where(column.is_not(None))).all())
    return Sign("secrets", True, f"All {count} sealed secrets open with the present keys.")


def _integrations(session: Session, _now: datetime) -> Sign:
    rows = session.execute(
        select(Integration.name, Integration.refused_text, Integration.refused_since)
        .where(Integration.state != IntegrationState.RETIRED)
        .order_by(Integration.name_key)
    ).all()
    refused, zone = [row for row in rows if row.refused_since is not None], zone_of(session)
    if refused:
        said = " ".join(
            f"{row.name} since {moment(row.refused_since, zone)}: {row.refused_text}"
            for row in refused[:SHOWN]
            if row.refused_since is not None
        )
        return Sign(
            "integrations", False, f"{len(refused)} of {len(rows)} stores refuse. {said}",
            "Type new keys (monet integrations set NAME key=value), then: monet integrations test NAME",
        )  # fmt: skip
    if not rows:
        return Sign("integrations", True, "No integrations yet. An address and a key are enough to begin.")
    return Sign("integrations", True, f"{len(rows)} integration{'s' * (len(rows) != 1)}; no store refuses.")


def _runs(session: Session, now: datetime) -> Sign:
    silent = session.scalars(
        select(Run.id).where(
            Run.state.in_(AT_WORK), (Run.heartbeat_at.is_(None)) | (Run.heartbeat_at < now - SILENT_RUN)
        )
    ).all()
    queued = session.scalars(
        select(Run.id)
        .join(Integration, Integration.id == Run.integration_id)
        .where(
            Run.state == RunState.QUEUED,
            Run.foreground.is_(False),  # a terminal works it itself
            Run.created_at < now - LONG_QUEUED,
            # Those that wait for their next attempt or for a new key are told by the timetable's line.
            or_(Run.retry_at.is_(None), Run.retry_at < now - LONG_QUEUED),
            or_(Run.kind.not_in(BY_ITSELF), Integration.refused_since.is_(None)),
        )
    ).all()
    if silent:
        return Sign(
            "runs", False, f"At work but silent for more than three minutes: run {_numbers(silent)}.",
            "Start a worker and the scheduler: they take such runs back.",
        )  # fmt: skip
    if queued:
        return Sign(
            "runs", False, f"Queued for more than ten minutes: run {_numbers(queued)}.",
            "Start a worker (`monet run` starts one), or see what the run before them does: monet runs list",
        )  # fmt: skip
    return Sign("runs", True, "No run is stuck.")


def _balances(session: Session, _now: datetime) -> Sign:
    """The moves are the truth; each balance must be their sum."""
    moved = (
        select(StockMove.warehouse_id, StockMove.item_id, func.sum(StockMove.quantity).label("quantity"))
        .group_by(StockMove.warehouse_id, StockMove.item_id)
        .subquery()
    )
    same = (Balance.warehouse_id == moved.c.warehouse_id) & (Balance.item_id == moved.c.item_id)
    wrong = session.execute(
        select(Item.code, Balance.on_hand, moved.c.quantity)
        .join(Item, Item.id == Balance.item_id)
        .outerjoin(moved, same)
        .where(Balance.on_hand != func.coalesce(moved.c.quantity, 0))
        .limit(SHOWN + 1)
    ).all()
    lost = session.execute(
        select(Item.code, moved.c.quantity)
        .join(Item, Item.id == moved.c.item_id)
        .outerjoin(Balance, same)
        .where(Balance.item_id.is_(None), moved.c.quantity != 0)
        .limit(SHOWN + 1)
    ).all()
    if wrong or lost:
        said = [f"{row.code}: balance {row.on_hand:f}, moves {row.quantity or 0:f}" for row in wrong]
        said += [f"{row.code}: no balance, moves {row.quantity:f}" for row in lost]
        return Sign(
            "balances", False, f"Balances differ from their moves: {'; '.join(said[:SHOWN])}.",
            "Tell whoever looks after this program, with this line; the moves are right.",
        )  # fmt: skip
    return Sign("balances", True, "Every balance is the sum of its moves.")


def _numbers(ids: Sequence[int]) -> str:
    return few([str(each) for each in ids])


_CHECKS: tuple[tuple[str, Callable[[Session, datetime], Sign | list[Sign]]], ...] = (
    ("company", _company),
    ("people", _people),
    ("secrets", _secrets),
    ("integrations", _integrations),
    ("runs", _runs),
    ("timetable", timetable_signs.timetable),
    ("integration", timetable_signs.each_integration),
    ("balances", _balances),
)
