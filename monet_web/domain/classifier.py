"""The tax authority's classifier codes (PVM…): by treatment, rate, goods or service, and day of supply.

A code does not follow from the rate alone, so the table `vat_codes.csv` is dated and names its source in every row;
an accountant adds rows, and those come before the built-in ones. No code is a stop, never a guess. The table is
Lithuania's: a company of another country has no code unless somebody adds it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from importlib import resources

from monet_web.domain.treatment import Treatment


class Supply(StrEnum):
    """What is supplied, as the classifier tells it apart."""

    GOODS = "goods"
    SERVICE = "service"


# Whatever rate the store names or leaves out, such a document carries 0 %.
_ZERO_RATED = (Treatment.EU_COMPANY, Treatment.EXPORT)
# Treatments that are filed as another: the sale to a consumer of another state with our own VAT is a domestic one.
_FILED_AS = {Treatment.EU_HOME: Treatment.DOMESTIC}
# Rows of an accountant can be given for these; what pays no VAT is not filed.
CLASSIFIED = tuple(each for each in Treatment if each not in (Treatment.NOT_PAYER, Treatment.EU_HOME))


@dataclass(frozen=True, slots=True)
class VatCode:
    """A row: `percent` None is "no tax", `is_any_rate` any rate above 0; `supply` None is both; days are included."""

    treatment: Treatment
    percent: Decimal | None
    supply: Supply | None
    valid_from: date
    valid_to: date | None
    code: str
    source: str = ""
    is_any_rate: bool = False

    def fits(self, treatment: Treatment, percent: Decimal | None, supply: Supply, day: date) -> bool:
        """True when the row speaks of such a line on such a day."""
        if self.treatment is not treatment or self.supply not in (None, supply):
            return False
        if day < self.valid_from or (self.valid_to is not None and day > self.valid_to):
            return False
        return bool(percent) if self.is_any_rate else percent == self.percent


class VatCodes:
    """Codes to ask; of the rows that fit the first wins, so whoever makes this puts added ones before built-in ones."""

    def __init__(self, rows: Iterable[VatCode], country: str = "LT") -> None:
        self._rows = tuple(rows)
        self._asked: dict[tuple[Treatment, Decimal | None, Supply, date], str] = {}  # few, each for thousands of lines
        self.is_needed = country == "LT"  # elsewhere no classifier is known, and none is asked for

    def of(self, treatment: Treatment, percent: Decimal | None, supply: Supply, day: date) -> str:
        """The code of a line, "" when there is none."""
        line = (treatment, percent, supply, day)
        if line not in self._asked:
            self._asked[line] = self._of(*line)
        return self._asked[line]

    def _of(self, treatment: Treatment, percent: Decimal | None, supply: Supply, day: date) -> str:
        treatment = filed_as(treatment)
        if treatment in _ZERO_RATED and percent is None:
            percent = Decimal(0)
        if treatment is Treatment.OUTSIDE_VAT:
            percent = None
        for row in self._rows:
            if row.fits(treatment, percent, supply, day):
                return row.code
        return ""


def filed_as(treatment: Treatment) -> Treatment:
    """The treatment whose codes are used: a sale abroad with our own VAT is a domestic one."""
    return _FILED_AS.get(treatment, treatment)


@lru_cache(maxsize=1)
def builtin_codes() -> tuple[VatCode, ...]:
    """The rows that come with the program, read once."""
    text = (resources.files("monet_web.domain") / "vat_codes.csv").read_text(encoding="utf-8")
    return tuple(_row(row) for row in csv.DictReader(text.splitlines()))


def _row(row: dict[str, str]) -> VatCode:
    percent = row["percent"]
    return VatCode(
        treatment=Treatment(row["treatment"]),
        percent=None if percent in ("any", "none") else Decimal(percent),
        supply=Supply(row["kind"]) if row["kind"] else None,
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
        code=row["code"],
        source=row["source"],
        is_any_rate=percent == "any",
    )
