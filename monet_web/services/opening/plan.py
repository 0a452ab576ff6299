"""When an integration runs by itself: its settings, its state and the company's time zone as one record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain import settings as settings_text
from monet_web.domain import timetable as slots_of
from monet_web.domain.timetable import Frequency, Slot
from monet_web.models.company import Company
from monet_web.models.integrations import Integration, IntegrationState


@dataclass(frozen=True, slots=True)
class Plan:
    """When an integration runs by itself; `frequency` is off too for one that is switched off (`is_on` False)."""

    frequency: Frequency
    zone: ZoneInfo
    spread: int
    daily_days: int
    is_on: bool = True

    @property
    def is_off(self) -> bool:
        """True when it has no slots."""
        return self.frequency is Frequency.OFF

    def slots(self, *, after: datetime, until: datetime) -> list[Slot]:
        """The slots with `after` < at <= `until`."""
        return list(
            slots_of.slots(
                self.frequency, zone=self.zone, spread=self.spread, after=after, until=until,
                daily_days=self.daily_days,
            )
        )  # fmt: skip

    def next(self, after: datetime) -> Slot | None:
        """The first slot later than `after`."""
        return slots_of.next_slot(
            self.frequency, zone=self.zone, spread=self.spread, after=after, daily_days=self.daily_days
        )

    def reread_at(self, after: datetime) -> datetime | None:
        """When the orders of its documents are read again; launched by hand only, they change all the same."""
        return None if not self.is_on else slots_of.reread_at(zone=self.zone, spread=self.spread, after=after)


def plan_of(integration: Integration, zone: ZoneInfo) -> Plan:
    """The plan in force by the row's settings. Raises BrokenRule for settings that can't be read."""
    settings = settings_text.parse(integration.settings)
    is_on = integration.state is IntegrationState.ON
    frequency = Frequency(settings.frequency) if is_on else Frequency.OFF
    return Plan(frequency, zone, integration.id, settings.daily_days, is_on)


def zone_of(session: Session) -> ZoneInfo:
    """The company's time zone. Inside a transaction."""
    return ZoneInfo(session.execute(select(Company.time_zone).where(Company.id == 1)).scalar_one())
