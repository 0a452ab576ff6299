"""Sums of a run beside its counts: VAT by currency and rate, and what the invoices of a preview would wait for (C3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from monet_web.domain.findings import OF_A_LINE, Finding
from monet_web.domain.invoices import Draft, VatLine
from monet_web.services.importing.prepare import Prepared

# (currency, rate or None for no tax, outcome) → (base, VAT)
VatTotals = Mapping[tuple[str, Decimal | None, str], tuple[Decimal, Decimal]]

MOST_CAUSES = 200  # kept one by one on a run's row; the rest only counts by code
_ZERO = Decimal("0.00")


def vat_added(totals: VatTotals, currency: str, outcome: str, rows: Iterable[VatLine]) -> VatTotals:
    """The totals with the VAT of one invoice; those given stay as they are, since a page may be rolled back."""
    sums = dict(totals)
    for row in rows:
        base, vat = sums.get((currency, row.rate, outcome), (_ZERO, _ZERO))
        sums[currency, row.rate, outcome] = base + row.base, vat + row.amount
    return sums


def vat_as_json(totals: VatTotals) -> dict[str, Any]:
    """Currency → rate ("" = no tax) → outcome → {base, vat}, amounts as text."""
    found: dict[str, Any] = {}
    for (currency, rate, outcome), (base, vat) in totals.items():
        of_rate = found.setdefault(currency, {}).setdefault("" if rate is None else f"{rate.normalize():f}", {})
        of_rate[outcome] = {"base": f"{base:f}", "vat": f"{vat:f}"}
    return found


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One cause of a preview: `finding` is that of its first invoice."""

    finding: Finding
    invoices: int = 0
    sums: Mapping[str, Decimal] = field(default_factory=dict)
    oldest: date | None = None
    newest: date | None = None

    def with_one(self, draft: Draft) -> Foreseen:
        """The same with one invoice more."""
        day = draft.issue_date
        return replace(
            self,
            invoices=self.invoices + 1,
            sums={**self.sums, draft.currency: self.sums.get(draft.currency, _ZERO) + draft.total},
            oldest=min(self.oldest or day, day),
            newest=max(self.newest or day, day),
        )


@dataclass(slots=True)
class Causes:
    """What the invoices of a preview would wait for, by code and subject: the groups of the journals' front page."""

    found: dict[tuple[str, str], Foreseen] = field(default_factory=dict)

    def add(self, one: Prepared) -> None:
        """Count an invoice once for each cause that it would wait for."""
        assert one.draft is not None  # noqa: S101 - a preview's are all drafted
        mine: dict[tuple[str, str], Finding] = {}
        for finding in one.findings:
            if finding.stops:
                mine.setdefault((finding.code, "" if finding.code in OF_A_LINE else finding.subject), finding)
        for key, finding in mine.items():
            if key in self.found or len(self.found) < MOST_CAUSES:
                self.found[key] = self.found.get(key, Foreseen(finding)).with_one(one.draft)

    def copy(self) -> Causes:
        """Another one with the same groups."""
        return Causes(dict(self.found))

    def as_json(self) -> list[dict[str, Any]]:
        """The groups, that of the most invoices first."""
        ordered = sorted(self.found.items(), key=lambda pair: (-pair[1].invoices, pair[0]))
        return [
            {
                "code": one.finding.code, "subject": one.finding.subject[:200], "values": dict(one.finding.values),
                "invoices": one.invoices,
                "sums": {currency: f"{total:f}" for currency, total in one.sums.items()},
                "oldest": one.oldest.isoformat() if one.oldest else "",
                "newest": one.newest.isoformat() if one.newest else "",
            }
            for _, one in ordered
        ]  # fmt: skip
