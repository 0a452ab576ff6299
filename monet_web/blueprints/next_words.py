"""The next run of an integration in words: when, what it imports, and what stands in its way (B8, B9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from monet_web.blueprints.formats import moment, period, zone
from monet_web.blueprints.integrations.wording import how_often
from monet_web.blueprints.runs.texts import _, capitalised
from monet_web.domain.windows import Window, local_day
from monet_web.models.integrations import Integration
from monet_web.models.runs import Run, RunKind, RunState
from monet_web.services.running.next_runs import NextRun, Obstacle

_SHOWN_GAPS = 3


@dataclass(frozen=True, slots=True)
class Gap:
    """Days that no import covered: in words, the days of a launch that does, and the very window to leave out."""

    told: str
    button: str  # Import 23 Nov – 24 Nov
    first: str
    last: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Next:
    """`Today 14:35` · `daily`, `imports 23 Nov – 24 Nov until then`."""

    when: str
    often: str = ""
    told: str = ""
    gaps: tuple[Gap, ...] = ()  # days that no run imports by itself
    reread: str = ""  # when the orders of its documents are read again, where nothing else comes by itself
    is_bad: bool = False
    at: datetime | None = None


def said(one: Integration, next_run: NextRun | None, *, now: datetime, off_since: datetime | None = None) -> Next:
    """The next run of this integration, in words."""
    obstacle = next_run.obstacle if next_run is not None else Obstacle.FREQUENCY_OFF
    if obstacle is Obstacle.SWITCHED_OFF:
        by_hand = _("its exact name may be launched by hand")
        if off_since is not None:
            return Next(_("Switched off since %(moment)s", moment=moment(off_since)), told=by_hand)
        return Next(_("Nothing will run"), told=_("switched off; %(by_hand)s", by_hand=by_hand))
    if next_run is None or obstacle is Obstacle.FREQUENCY_OFF:
        at = next_run.reread_at if next_run is not None else None
        reread = _("the orders of its documents are read again %(moment)s", moment=moment(at)) if at is not None else ""
        return Next(_("Runs when you launch it"), reread=reread)
    if obstacle is Obstacle.UNREADABLE:
        return Next(_("Nothing will run"), told=capitalised(next_run.because), is_bad=True)
    gaps = tuple(_gap(each) for each in next_run.gaps[:_SHOWN_GAPS])
    when, often, is_bad = _when(one, next_run, now)
    return Next(when, often, _told(next_run), gaps, is_bad=is_bad, at=next_run.at)


def sentence(one: Integration, next_run: NextRun | None, *, now: datetime) -> str:
    """The same as a sentence, "" for one that never runs by itself."""
    if next_run is None or next_run.obstacle in (
        Obstacle.SWITCHED_OFF, Obstacle.FREQUENCY_OFF, Obstacle.UNREADABLE,
    ):  # fmt: skip
        return ""
    words = said(one, next_run, now=now)
    when = words.when[:1].lower() + words.when[1:]
    return _("The next run: %(when)s, %(told)s.", when=when, told=words.told) if words.told else ""


def _when(one: Integration, next_run: NextRun, now: datetime) -> tuple[str, str, bool]:
    often = how_often(str(one.settings.get("frequency", "off")))
    match next_run.obstacle:
        case Obstacle.REFUSED:
            return _("Waits for a new key"), often, True
        case Obstacle.TRIED_AGAIN:
            return _("Tries again %(moment)s", moment=moment(next_run.at)), _attempt(next_run.last), True
        case Obstacle.AT_WORK if next_run.at is None or next_run.at <= now:
            return _("Waits for the run at work"), often, False
        case Obstacle.QUEUED:
            return _("As soon as a worker is free"), _("due since %(moment)s", moment=moment(next_run.at)), False
        case Obstacle.OVERDUE:
            return _("Overdue since %(moment)s", moment=moment(next_run.at)), often, True
        case _ if next_run.at is None:
            return _("Planned within a minute"), often, False
        case _ if next_run.at <= now:
            return _("Now"), often, False
        case _:
            text = moment(next_run.at)
            return text[:1].upper() + text[1:], often, False


def _told(next_run: NextRun) -> str:
    if next_run.obstacle is Obstacle.REFUSED:
        return _("nothing is lost: with a new key one run imports all since")
    if next_run.window is None:
        return ""
    # Slots of B1-B3 import until their own moment, those of B4 and B5 whole days before it.
    if next_run.at is not None and next_run.window.end == next_run.at and next_run.obstacle is Obstacle.NONE:
        return _("imports %(days)s until then", days=_days(next_run.window))
    return _("imports %(days)s", days=_days(next_run.window))


def _attempt(last: tuple[Run, ...]) -> str:
    """`2nd attempt`: which one comes next, by the newest runs of the timetable."""
    failed = 0
    tried = [run for run in last if run.kind is RunKind.TIMETABLE]
    for run in tried:
        if run.state is not RunState.FAILED:
            break
        failed += 1
    if failed == len(tried) and len(last) > 4:
        return _("after %(num)s failures or more", num=failed)
    words = {0: "", 1: _("2nd attempt"), 2: _("3rd attempt"), 3: _("4th attempt"), 4: _("5th attempt")}
    return words.get(failed, "")


def _days(window: Window) -> str:
    return period(window.start, window.end)


def _gap(gap: Window) -> Gap:
    first, last = local_day(gap.start, zone()), local_day(gap.end - timedelta(microseconds=1), zone())
    days = _days(gap)
    return Gap(
        told=_("%(days)s: not imported, and nothing will import it by itself", days=days),
        button=_("Import %(days)s", days=days),
        first=first.isoformat(), last=last.isoformat(), start=gap.start.isoformat(), end=gap.end.isoformat(),
    )  # fmt: skip
