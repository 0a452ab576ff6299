"""VAT rates of the EU states by date: which rates a country had on a day.

The table `vat_rates.csv` begins on 2021-01-01 (LT 21 and 5: 2009) and names its source in every row. It holds
the rates of special territories inside the EU's VAT area too (Madeira, Azores, Corsica, Greek islands,
Jungholz), because shops send parcels there, and none for dwellings alone (Romania's 9 % until July 2026).
An accountant adds other rates and countries; they are joined to these by whoever makes `Rates`.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib import resources

ZERO_RATE = Decimal(0)

EU: frozenset[str] = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    }
)

# VAT prefixes and territories that are not the ISO code of the country whose rates apply to them. Northern
# Ireland (XI) is inside the EU for goods, but its rates are the British ones.
_OTHER_CODES = {"EL": "GR", "XI": "GB", "UK": "GB", "IM": "GB", "MC": "FR"}


@dataclass(frozen=True, slots=True)
class VatRate:
    """A rate in per cent, a country's from `valid_from` to `valid_to`, both days included; None: no end."""

    country: str  # ISO 3166 alpha-2
    percent: Decimal
    valid_from: date
    valid_to: date | None

    def holds_on(self, day: date) -> bool:
        """True when `day` lies in the rate's time."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class Rates:
    """Dated rates to ask. 0 % is a rate of every country on every day (exports, sales to EU VAT payers)."""

    def __init__(self, rates: Iterable[VatRate]) -> None:
        self._of_country: dict[str, list[VatRate]] = defaultdict(list)
        self._asked: dict[tuple[str, date], tuple[Decimal, ...]] = {}  # few, each many times
        for rate in rates:
            self._of_country[vat_country(rate.country)].append(rate)

    def knows(self, country: str) -> bool:
        """True when at least one rate of `country` is known, on whatever day."""
        return vat_country(country) in self._of_country

    def valid(self, country: str, percent: Decimal, day: date) -> bool:
        """True when `country` had `percent` (21 for 21 %) on `day`. Unknown countries have only 0."""
        if percent == ZERO_RATE:
            return True
        return percent in self.of(country, day)

    def of(self, country: str, day: date) -> tuple[Decimal, ...]:
        """The rates of `country` on `day`, the highest first and 0 last; none when the country is unknown."""
        asked = self._asked.get((country, day))
        if asked is None:
            asked = self._asked[country, day] = self._held(country, day)
        return asked

    def _held(self, country: str, day: date) -> tuple[Decimal, ...]:
        if not self.knows(country):
            return ()
        held = {rate.percent for rate in self._of_country[vat_country(country)] if rate.holds_on(day)}
        return tuple(sorted(held | {ZERO_RATE}, reverse=True))


def vat_country(code: str) -> str:
    """The ISO code of the country whose VAT rates apply: `EL` is GR, `XI` is GB (not in EU), Monaco is FR."""
    code = code.strip().upper()
    return _OTHER_CODES.get(code, code)


@lru_cache(maxsize=1)
def builtin_rates() -> tuple[VatRate, ...]:
    """The rates that come with the program, read once."""
    text = (resources.files("monet_web.domain") / "vat_rates.csv").read_text(encoding="utf-8")
    return tuple(
        VatRate(
            country=row["country"],
            percent=Decimal(row["percent"]),
            valid_from=date.fromisoformat(row["valid_from"]),
            valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
        )
        for row in csv.DictReader(text.splitlines())
    )
