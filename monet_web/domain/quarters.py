"""Quarters of OSS returns: their days, the day whose exchange rates they take, and how long they can be corrected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from monet_web.domain.bank_days import counts_from, is_bank_day
from monet_web.domain.periods import last_of_month

_CORRECTED_FOR_YEARS = 3  # from the day on which the return was due (Art. 369g of Directive 2006/112/EC)


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """`number` is 1 to 4."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year}-Q{self.number}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number * 3 - 2, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return last_of_month(date(self.year, self.number * 3, 1))

    @property
    def due(self) -> date:
        """The last day for its return: the end of the month after it."""
        return last_of_month(self.last + timedelta(days=1))

    @property
    def published(self) -> date:
        """The day on which the ECB publishes the rates that the return takes: the last one, or the next bank day."""
        day = self.last
        while not is_bank_day(day):
            day += timedelta(days=1)
        return day

    @property
    def rates_count_from(self) -> date:
        """The day under which the table of rates, which holds days of accounting, keeps them."""
        return counts_from(self.published)

    def before(self) -> Quarter:
        """The one before."""
        return Quarter(self.year - 1, 4) if self.number == 1 else Quarter(self.year, self.number - 1)

    def after(self) -> Quarter:
        """The one after."""
        return Quarter(self.year + 1, 1) if self.number == 4 else Quarter(self.year, self.number + 1)

    def is_correctable_in(self, later: Quarter) -> bool:
        """False when its correction can't stand in the return of `later` any more: that country is told directly."""
        until = self.due.replace(year=self.due.year + _CORRECTED_FOR_YEARS)
        return later.last <= until


def quarter_of(day: date) -> Quarter:
    """The quarter that a day lies in."""
    return Quarter(day.year, (day.month + 2) // 3)


def read_quarter(text: str) -> Quarter | None:
    """`2026-Q4`, None for anything else."""
    match = re.fullmatch(r"(20\d\d)-?[Qq]([1-4])", text.strip(), re.ASCII)
    return Quarter(int(match.group(1)), int(match.group(2))) if match else None
