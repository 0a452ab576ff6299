"""What a preview keeps on its run: groups its invoices would wait in, sums by VAT rate and currency (C3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from monet_web.domain.findings import CODES, Finding
from monet_web.models.runs import Run
from monet_web.services.documents.causes import Cause

_ZERO = Decimal(0)
_OUTCOMES = ("registered", "in_journal")


@dataclass(frozen=True, slots=True)
class VatRow:
    """Of one rate (None = no tax): base and VAT of what is entered, then of what waits."""

    rate: Decimal | None
    registered: tuple[Decimal, Decimal]
    in_journal: tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class VatOfCurrency:
    """The sums of one currency, the highest rate first. `rounding`: what totals have beyond bases and VAT."""

    currency: str
    rows: tuple[VatRow, ...]
    totals: Mapping[str, Decimal]  # outcome → Σ of the invoices' totals

    def base(self, outcome: str) -> Decimal:
        """Without VAT."""
        return sum((getattr(row, outcome)[0] for row in self.rows), _ZERO)

    def vat(self, outcome: str) -> Decimal:
        """Of all rates."""
        return sum((getattr(row, outcome)[1] for row in self.rows), _ZERO)

    def rounding(self, outcome: str) -> Decimal:
        """Carries no VAT."""
        return self.totals.get(outcome, _ZERO) - self.base(outcome) - self.vat(outcome)


def causes(run: Run) -> list[Cause]:
    """The groups of a preview, that of the most invoices first; [] when it kept none."""
    return [_cause(said, run.integration_id) for said in run.causes or () if said.get("code") in CODES]


def not_grouped(run: Run) -> dict[str, int]:
    """Code → how many invoices wait for it beyond the groups that were kept."""
    grouped: dict[str, int] = defaultdict(int)
    for said in run.causes or ():
        grouped[said["code"]] += int(said["invoices"])
    return {code: count - grouped[code] for code, count in run.findings.items() if count > grouped[code]}


def vat(runs: Iterable[Run]) -> list[VatOfCurrency]:
    """The sums of runs together, by currency."""
    sums: dict[str, dict[str, dict[str, tuple[Decimal, Decimal]]]] = {}
    totals: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for run in runs:
        for currency, by_rate in (run.vat_totals or {}).items():
            for outcome in _OUTCOMES:
                totals[currency][outcome] += Decimal(run.totals.get(currency, {}).get(outcome, "0"))
            for rate, by_outcome in by_rate.items():
                _add(sums.setdefault(currency, {}).setdefault(rate, {}), by_outcome)
    return [VatOfCurrency(currency, _rows(sums[currency]), dict(totals[currency])) for currency in sorted(sums)]


def _add(kept: dict[str, tuple[Decimal, Decimal]], more: Mapping[str, Mapping[str, str]]) -> None:
    for outcome, said in more.items():
        base, amount = kept.get(outcome, (_ZERO, _ZERO))
        kept[outcome] = base + Decimal(said["base"]), amount + Decimal(said["vat"])


def _rows(by_rate: Mapping[str, Mapping[str, tuple[Decimal, Decimal]]]) -> tuple[VatRow, ...]:
    none = (_ZERO, _ZERO)
    rows = [
        VatRow(Decimal(rate) if rate else None, of.get("registered", none), of.get("in_journal", none))
        for rate, of in by_rate.items()
    ]
    return tuple(sorted(rows, key=lambda row: Decimal(-1) if row.rate is None else row.rate, reverse=True))


def _cause(said: Mapping[str, Any], integration_id: int) -> Cause:
    def day(key: str) -> date | None:
        return date.fromisoformat(said[key]) if said.get(key) else None

    return Cause(
        finding=Finding(said["code"], said["subject"], said["values"]),
        invoices=int(said["invoices"]),
        sums={currency: Decimal(total) for currency, total in said["sums"].items()},
        oldest=day("oldest"),
        newest=day("newest"),
        integrations=(integration_id,),
    )
