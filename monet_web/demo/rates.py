"""The VAT rates that the demo shops charge although their countries gave them up."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

SHOP_ZONE: Final = ZoneInfo("Europe/Vilnius")

# Country, percent, first day. Lithuania left 9 % after 2025-12-31, Estonia 22 % after 2025-06-30; the recorded
# shop still charges both, as a real shop does whose owner forgot the tax table.
GIVEN_UP: Final[tuple[tuple[str, Decimal, date], ...]] = (
    ("LT", Decimal(9), date(2015, 1, 1)),
    ("EE", Decimal(22), date(2024, 1, 1)),
)


def vat_rates(now: datetime) -> list[tuple[str, Decimal, date, date]]:
    """The given-up rates as the demo installation counts them: (country, percent, from, to), both days included.

    `now` is aware; it is the instant of the shop's newest order (a living shop: the present). They end two days
    earlier, so that only the orders of the last two days become findings (an unknown rate, D5).
    """
    last_day = now.astimezone(SHOP_ZONE).date() - timedelta(days=2)
    return [(country, percent, first_day, last_day) for country, percent, first_day in GIVEN_UP]


def rate_commands(now: datetime) -> list[str]:
    """The same rates as commands to type, for the banner of `monet demo`."""
    return [
        f"./monet vat-rates add {country} {percent} --from {first_day} --to {last_day}"
        for country, percent, first_day, last_day in vat_rates(now)
    ]
