"""What became of the orders of a run so far: counted page by page, written to its row with each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from monet_web.models.runs import BESIDE_COUNTS, OUTCOME_COUNTS
from monet_web.services.importing.foreseen import Causes, VatTotals, vat_added, vat_as_json
from monet_web.services.importing.prepare import Prepared


@dataclass(slots=True)
class Counts:
    """What became of the orders of a run so far; written to its row with each page."""

    fetched: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    beside: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    filter_reasons: Counter[str] = field(default_factory=Counter)
    totals: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    vat: VatTotals = field(default_factory=dict)
    causes: Causes | None = None  # of a preview

    def add(self, prepared: Sequence[Prepared]) -> None:
        """Count a page."""
        for one in prepared:
            self.fetched += 1
            self.outcomes[one.outcome] += 1
            self.beside["refreshed"] += one.refreshed
            self.beside["changed"] += bool(one.changed)
            if one.outcome == "filtered":
                self.filter_reasons[one.reason] += 1
            if one.outcome in ("registered", "in_journal"):
                self.findings.update(finding.code for finding in one.findings if finding.stops)
                currency, total = _sum_of(one)
                sums = self.totals.setdefault(currency, {"registered": Decimal("0.00"), "in_journal": Decimal("0.00")})
                sums[one.outcome] += total
                self.vat = vat_added(self.vat, currency, one.outcome, one.draft.vat if one.draft else one.vat)
            if one.outcome == "in_journal" and self.causes is not None:
                self.causes.add(one)

    def add_known(self, orders: int) -> None:
        """Count orders that the store said again to the byte."""
        self.fetched += orders
        self.outcomes["already_there"] += orders

    def values(self) -> dict[str, Any]:
        """Columns of the run's row."""
        return {
            "fetched": self.fetched,
            **{name: self.outcomes[name] for name in OUTCOME_COUNTS},
            **{name: self.beside[name] for name in BESIDE_COUNTS},
            "findings": dict(self.findings),
            "filter_reasons": dict(self.filter_reasons),
            "totals": {
                currency: {name: format(amount, "f") for name, amount in sums.items()}
                for currency, sums in self.totals.items()
            },
            "vat_totals": vat_as_json(self.vat),
            "causes": None if self.causes is None else self.causes.as_json(),
        }

    def copy(self) -> Counts:
        """Another one with the same figures: a page that is rolled back must not have been counted."""
        return replace(
            self,
            outcomes=Counter(self.outcomes),
            beside=Counter(self.beside),
            findings=Counter(self.findings),
            filter_reasons=Counter(self.filter_reasons),
            totals={currency: dict(sums) for currency, sums in self.totals.items()},
            causes=None if self.causes is None else self.causes.copy(),
        )


def _sum_of(one: Prepared) -> tuple[str, Decimal]:
    if one.draft is not None:
        return one.draft.currency, one.draft.total
    assert one.living is not None  # noqa: S101 - registered or in a journal without a draft: an earlier attempt's
    return one.living.currency, one.living.total
