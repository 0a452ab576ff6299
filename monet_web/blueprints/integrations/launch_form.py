"""The form of the manual launch: mask, boxes, dates, presets; what is wrong stands beside its field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from monet_web.blueprints.integrations import wording
from monet_web.blueprints.integrations.translating import _, _l, ngettext
from monet_web.blueprints.said import told
from monet_web.domain import periods
from monet_web.domain.errors import BrokenRule
from monet_web.domain.windows import local_day
from monet_web.services.office import company
from monet_web.services.running import launching
from monet_web.services.running.launching import EVERYTHING, Meant

PRESET_WORDS: Mapping[str, Any] = {
    "today": _l("Today"),
    "yesterday": _l("Yesterday"),
    "this_week": _l("This week"),
    "last_week": _l("Last week"),
    "this_month": _l("This month"),
    "last_month": _l("Last month"),
}


@dataclass(frozen=True, slots=True)
class Chip:
    """A named period; `url` fills the dates in."""

    name: str
    word: str
    is_chosen: bool


@dataclass(slots=True)
class LaunchForm:
    """What the launch's part of the page shows. Made inside a transaction."""

    meant: Meant
    first: str  # as typed
    last: str
    today: date
    errors: dict[str, str] = field(default_factory=dict)
    period: periods.Period | None = None  # when both dates can be read

    @classmethod
    def made(cls, session: Session, *, mask: str, first: str, last: str, now: datetime) -> LaunchForm:
        """The form for these values; dates that can't be read are errors."""
        form = cls(launching.meant(session, mask), first, last, local_day(now, company.zone(session)))
        days: dict[str, date] = {}
        for name, text in (("first", first), ("last", last)):
            try:
                days[name] = date.fromisoformat(text)
            except ValueError:
                form.errors[name] = _("Type a day as %(day)s.", day=form.today.isoformat())
        if len(days) == 2:
            form.period = periods.Period(days["first"], days["last"])
        return form

    @classmethod
    def from_address(cls, session: Session, args: MultiDict[str, str], now: datetime) -> LaunchForm:
        """The form of an address: everything, yesterday and today, where it says nothing (or nonsense)."""
        today = local_day(now, company.zone(session))
        usual = periods.last_days(2, today)
        form = cls.made(
            session,
            mask=args.get("mask", EVERYTHING)[:2000],
            first=args.get("first", usual.first.isoformat()),
            last=args.get("last", usual.last.isoformat()),
            now=now,
        )
        if form.errors:
            return cls.made(
                session, mask=form.meant.mask, first=usual.first.isoformat(), last=usual.last.isoformat(), now=now
            )
        return form

    @classmethod
    def posted(cls, session: Session, form: MultiDict[str, str], now: datetime) -> LaunchForm:
        """The form as it was sent, every error said."""
        mask = launching.typed_mask(
            session,
            mask=form.get("mask", "")[:2000],
            mask_shown=form.get("mask_shown", "")[:2000],
            picked=form.getlist("pick"),
        )
        made = cls.made(session, mask=mask, first=form.get("first", ""), last=form.get("last", ""), now=now)
        if made.meant.error:
            made.errors["mask"] = told(made.meant.error)
        if made.period is not None:
            try:
                launching.check_period(session, made.period.first, made.period.last, now)
            except BrokenRule as error:
                made.errors[error.field] = told(error)
        return made

    def with_preset(self, name: str) -> LaunchForm:
        """The same with the dates of a named period."""
        self.period = periods.preset(name, self.today)
        self.first, self.last = self.period.first.isoformat(), self.period.last.isoformat()
        self.errors.pop("first", None)
        self.errors.pop("last", None)
        return self

    @property
    def chips(self) -> list[Chip]:
        """The presets; the one that is chosen is marked."""
        return [
            Chip(name, str(PRESET_WORDS[name]), self.period == periods.preset(name, self.today))
            for name in periods.PRESETS
        ]

    @property
    def own_period(self) -> str:
        """The period in words when it is none of the presets."""
        if self.period is None or any(chip.is_chosen for chip in self.chips):
            return ""
        return wording.days(self.period.first, self.period.last)

    @property
    def button(self) -> str:
        """`Launch 3 runs`."""
        count = self.meant.count
        return ngettext("Launch %(num)s run", "Launch %(num)s runs", count) if count else _("Launch")

    @property
    def matches(self) -> str:
        """`3 of 7 match`."""
        return _("%(count)s of %(all)s match", count=self.meant.count, all=len(self.meant.named))

    def often(self, frequency: str) -> str:
        """`every hour`."""
        return wording.how_often(frequency)
