"""Decided: what people settled about one invoice, laid over its draft and its findings; what it was about must hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from monet_web.domain.findings import Finding
from monet_web.domain.invoices import Draft, DraftLine, sum_by_rate
from monet_web.domain.money import minor_unit, round_to

# Findings of figures: a person may accept the difference as it was shown.
OF_FIGURES = ("total_differs", "vat_differs", "base_differs", "quantity_differs")
UNKNOWN_RATE = ""  # of a tax whose rate the store does not say
_SMALLEST = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Figures:
    """A difference that was shown and accepted: of which finding, the store's figure, that of the lines."""

    code: str
    subject: str
    store: str
    lines: str


@dataclass(frozen=True, slots=True)
class BuyerCodes:
    """The buyer's codes as they should be, in place of the VAT code `was`; `company` "" leaves the name."""

    was: str
    vat_code: str
    company_code: str = ""
    company: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """Everything decided about one order's invoice. `rates`: the store's rate as text ("" unknown) → the right one."""

    accepted: Mapping[Figures, str] = field(default_factory=dict)  # → who accepted it
    buyer: BuyerCodes | None = None
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    warehouse: tuple[int, str] | None = None  # id, code


def applied(draft: Draft, decided: Decided) -> Draft:
    """The draft with what was decided in it; its total, which the buyer paid, never moves."""
    if decided.buyer is not None and draft.vat_code == decided.buyer.was:
        codes = decided.buyer
        draft = replace(
            draft,
            vat_code=codes.vat_code,
            company_code=codes.company_code or draft.company_code,
            buyer=replace(draft.buyer, company=codes.company) if codes.company else draft.buyer,
        )
    if decided.rates:
        unit = minor_unit(draft.currency)
        lines = tuple(_rated(line, decided.rates, unit) for line in draft.lines)
        draft = replace(draft, lines=lines, vat=sum_by_rate(lines))
    return draft


def settled(findings: Sequence[Finding], decided: Decided) -> list[Finding]:
    """The findings; a difference that was accepted is a notice, as long as the figures are those that were shown."""
    return [_settled(finding, decided) for finding in findings]


def figures_of(finding: Finding) -> Figures:
    """The figures that a finding of OF_FIGURES shows."""
    return Figures(finding.code, finding.subject, finding.values.get("store", ""), finding.values.get("lines", ""))


def _settled(finding: Finding, decided: Decided) -> Finding:
    if finding.code not in OF_FIGURES:
        return finding
    who = decided.accepted.get(figures_of(finding))
    if who is None:
        return finding
    values = {key: finding.values.get(key, "") for key in ("store", "lines", "difference", "currency")}
    return Finding("difference_accepted", f"{finding.code} {finding.subject}".strip(), {**values, "who": who}, False)


def _rated(line: DraftLine, rates: Mapping[str, Decimal], unit: Decimal) -> DraftLine:
    """The line at the right rate. Amounts of the store that fit it to the cent stand; else what was paid."""
    key = rate_key(line)
    rate = None if key is None else rates.get(key)
    if rate is None:
        return line
    gross, vat = line.net + line.vat, line.vat
    if abs(vat - round_to(line.net * rate / 100, unit)) > unit:
        vat = round_to(gross * rate / (100 + rate), unit)
    net = gross - vat
    price = line.unit_price if net == line.net else round_to((net + line.discount) / (line.quantity or 1), _SMALLEST)
    return replace(line, vat_rate=rate, vat=vat, net=net, unit_price=price, rate_known=True)


def rate_key(line: DraftLine) -> str | None:
    """The rate that the store says of a line, as decisions name it; None where there is no tax."""
    if not line.rate_known:
        return UNKNOWN_RATE
    return None if line.vat_rate is None else f"{line.vat_rate.normalize():f}"
