"""What people type: days, key=value pairs, files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)


class Day(click.ParamType[date]):
    """A day as 2026-11-24."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day, or how to type one."""
        if isinstance(value, date):
            return value
        try:
            if len(value) != 10:
                raise ValueError
            day = date.fromisoformat(value)
        except ValueError:
            self.fail(f"“{value}” is not a day. Type it as 2026-11-24.", param, ctx)
        if not EARLIEST <= day <= LATEST:
            self.fail(f"{day} is too far away. Choose days between {EARLIEST.year} and {LATEST.year}.", param, ctx)
        return day


class Past(Day):
    """A day of orders or invoices: not before there were e-shops, and at most a year ahead (the month's last day)."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day, or which days there are."""
        day = super().convert(value, param, ctx)
        if not EARLIEST <= day <= date.today() + timedelta(days=366):  # noqa: DTZ011 - a day more or less is no matter
            self.fail(f"{day} is too far away. Choose days between {EARLIEST.year} and today.", param, ctx)
        return day


class Percent(click.ParamType[Decimal]):
    """A rate in per cent: 21, 5.5 or 5,5."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """The rate, or how to type one."""
        try:
            return Decimal(str(value).strip().removesuffix("%").strip().replace(",", "."))
        except InvalidOperation:
            self.fail(f"“{value}” is not a rate. Type it in per cent, for example 21.", param, ctx)


DAY = Day()
PAST_DAY = Past()
PERCENT = Percent()
FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


def pairs(typed: Iterable[str]) -> dict[str, str]:
    """key=value pairs as a dict; a key twice is a mistake, not a second value."""
    values: dict[str, str] = {}
    for one in typed:
        key, sign, value = one.partition("=")
        key = key.strip()
        if not sign or not key:
            # What stands there may be a secret whose key was forgotten.
            raise click.UsageError("Settings are typed as key=value, for example frequency=daily.")
        if key in values:
            raise click.UsageError(f"{key} is typed twice. Keep one.")
        values[key] = value
    return values
