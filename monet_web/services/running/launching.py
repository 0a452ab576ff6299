"""What a manual launch means before it is made: which integrations, and which of them ask first (C1, C2, C4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, defer

from monet_web.domain import mask as masks
from monet_web.domain import periods
from monet_web.domain.errors import BrokenRule
from monet_web.domain.windows import Window, local_day
from monet_web.models.base import reading
from monet_web.models.company import Company
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.runs import Run, RunKind, RunState
from monet_web.services.integrations.integration_list import IMPORTS
from monet_web.services.opening import open_runs

EVERYTHING = "%"


class Why(StrEnum):
    """Why a launch shows its preview first."""

    FIRST = "first"
    FAR = "far"


@dataclass(frozen=True, slots=True)
class Named:
    """An integration as the launch's list of boxes shows it."""

    id: int
    name: str
    is_on: bool
    is_meant: bool
    frequency: str


@dataclass(frozen=True, slots=True)
class Meant:
    """What a mask means: every living integration, marked or not; `error` when it means none of them."""

    mask: str
    named: tuple[Named, ...]
    error: str = ""

    @property
    def count(self) -> int:
        """How many runs a launch opens."""
        return sum(one.is_meant for one in self.named)


def meant(session: Session, mask: str) -> Meant:
    """Which integrations `mask` means; never raises. Inside a transaction."""
    known = _living(session)
    names = masks.matches(mask, [masks.Named(one.name, _is_on(one)) for one in known])
    named = tuple(
        Named(one.id, one.name, _is_on(one), one.name in names, str(one.settings.get("frequency", "off")))
        for one in known
    )
    error = ""
    if not names:
        try:
            open_runs.meant_by(session, mask)
        except BrokenRule as nobody:
            error = nobody.sentence()
    return Meant(mask, named, error)


def mask_of(session: Session, picked: Iterable[str]) -> str:
    """The mask that means exactly the picked names: `%` when they are all that are switched on. In a transaction."""
    chosen = set(picked)
    known = [one for one in _living(session) if one.name in chosen or _is_on(one)]
    if known and chosen and all(_is_on(one) and one.name in chosen for one in known):
        return EVERYTHING
    names = [one.name for one in known if one.name in chosen]
    return ", ".join(names)


def typed_mask(session: Session, *, mask: str, mask_shown: str, picked: Sequence[str]) -> str:
    """The mask a form means: the one typed, unless it is as it was shown and the boxes beside it are not.

    Without JavaScript both come back; whichever the person changed counts. In a transaction.
    """
    if mask.strip() != mask_shown.strip():
        return mask
    shown = {one.name for one in meant(session, mask_shown).named if one.is_meant}
    return mask if shown == set(picked) else mask_of(session, picked)


def reasons_to_ask(
    session: Session, integrations: Sequence[Integration], *, first: date, now: datetime
) -> dict[int, Why]:
    """Which of them show a preview first: never launched before, or the period begins over two months ago (C4).

    Integration id → why. In a transaction.
    """
    today = local_day(now, _zone(session))
    if periods.reaches_far_back(first, today):
        return {one.id: Why.FAR for one in integrations}
    launched = set(
        session.scalars(
            select(Integration.id).where(
                Integration.id.in_([one.id for one in integrations]),
                exists().where(
                    Run.integration_id == Integration.id,
                    Run.kind.in_(IMPORTS),
                    Run.state.in_((RunState.DONE, RunState.STOPPED)),
                ),
            )
        )
    )
    return {one.id: Why.FIRST for one in integrations if one.id not in launched}


def launch(
    session: Session,
    *,
    mask: str,
    first: date,
    last: date,
    preview: bool,
    seen: Sequence[int],
    now: datetime,
    actor: str,
) -> tuple[list[Run], bool]:
    """Queued runs, and whether they are previews: because that was asked for, or because the launch asks first.

    `seen`: ids of previews whose sums the person has just seen; they answer the question for their integrations and
    period. Raises BrokenRule with its field (`mask`, `first`, `last`).
    """
    if not preview:
        with reading(session):
            try:
                integrations = open_runs.meant_by(session, mask)
            except BrokenRule as error:
                raise BrokenRule(error.message, fix=error.fix, field="mask") from None
            asking = reasons_to_ask(session, integrations, first=first, now=now)
            preview = not set(asking) <= _answered(session, seen, first=first, last=last, now=now)
    kind = RunKind.PREVIEW if preview else RunKind.LAUNCH
    return open_runs.launch(session, mask=mask, first=first, last=last, kind=kind, now=now, actor=actor), preview


def check_period(session: Session, first: date, last: date, now: datetime) -> Window:
    """The window of a typed period. In a transaction. Raises BrokenRule with the field that is to be typed anew."""
    if last < first:
        raise BrokenRule(
            f"The period ends on {last} before it starts on {first}.", fix="Swap the two dates.", field="last"
        )
    try:
        return open_runs.window_of(session, first, last, now)
    except BrokenRule as error:
        raise BrokenRule(error.message, fix=error.fix, field="first") from None


def previews(session: Session, ids: Sequence[int]) -> list[Run]:
    """The previews with these ids, in their order. In a transaction."""
    return list(
        session.scalars(
            select(Run)
            .where(Run.id.in_(ids), Run.kind == RunKind.PREVIEW)
            .order_by(Run.id)
            .execution_options(populate_existing=True)
        )
    )


def days_of(run: Run, zone: ZoneInfo) -> periods.Period:
    """The local days of a run's window, both included."""
    return periods.Period(
        local_day(run.window_start, zone), local_day(run.window_end - timedelta(microseconds=1), zone)
    )


def _answered(session: Session, seen: Sequence[int], *, first: date, last: date, now: datetime) -> set[int]:
    if not seen:
        return set()
    window = check_period(session, first, last, now)
    return {
        run.integration_id
        for run in previews(session, seen)
        if run.state is RunState.DONE and run.window_start == window.start and run.window_end <= window.end
    }


def _living(session: Session) -> Sequence[Integration]:
    return session.scalars(
        select(Integration)
        .where(Integration.state != IntegrationState.RETIRED)
        .order_by(Integration.name_key)
        .options(defer(Integration.secrets))
    ).all()


def _is_on(integration: Integration) -> bool:
    return integration.state is IntegrationState.ON


def _zone(session: Session) -> ZoneInfo:
    return ZoneInfo(session.get_one(Company, 1).time_zone)
