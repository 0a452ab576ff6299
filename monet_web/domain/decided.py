"""Decided: what people settled about one invoice, laid over its draft and its findings; what it was about must hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Protocol

from monet_web.domain.findings import Finding
from monet_web.domain.invoices import Draft, DraftLine, sum_by_rate
from monet_web.domain.money import minor_unit, round_to
from monet_web.domain.orders import Buyer

# Findings of figures: a person may accept the difference as it was shown.
OF_FIGURES = ("total_differs", "vat_differs", "base_differs", "quantity_differs")
UNKNOWN_RATE = ""  # of a tax whose rate the store does not say
_SMALLEST = Decimal("0.000001")


class Taxed(Protocol):
    """A line of a draft, or one that is kept: amounts of the line, the rate in per cent."""

    @property
    def store_line_id(self) -> str: ...
    @property
    def sku(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def net(self) -> Decimal: ...
    @property
    def vat(self) -> Decimal: ...
    @property
    def vat_rate(self) -> Decimal | None: ...


@dataclass(frozen=True, slots=True)
class Figures:
    """A difference that was shown and accepted: of which finding, the store's figure, that of the lines."""

    code: str
    subject: str
    store: str
    lines: str


@dataclass(frozen=True, slots=True)
class BuyerCodes:
    """The codes of one buyer as they should be, in place of the VAT code `was`; `company` "" leaves the name.

    `of`: who that buyer was, as `identity` says it; another one keeps his own codes.
    """

    was: str
    vat_code: str
    company_code: str = ""
    company: str = ""
    of: Mapping[str, str] = field(default_factory=dict)
    who: str = ""  # decided it


@dataclass(frozen=True, slots=True)
class RightRate:
    """The right rate of the lines `of`, as `lines_at` says them: other lines at the wrong rate were not looked at."""

    rate: Decimal
    of: Mapping[str, str] = field(default_factory=dict)
    who: str = ""  # decided it


@dataclass(frozen=True, slots=True)
class Decided:
    """Everything decided about one order's invoice. `rates`: the store's rate as text ("" unknown) → the right one."""

    accepted: Mapping[Figures, str] = field(default_factory=dict)  # → who accepted it
    buyer: BuyerCodes | None = None
    rates: Mapping[str, RightRate] = field(default_factory=dict)
    warehouses: Mapping[str, tuple[int, str]] = field(default_factory=dict)  # code of an item → id, code


def identity(buyer: Buyer) -> dict[str, str]:
    """What tells one buyer from another, beside his codes."""
    return {
        "name": buyer.name, "company": buyer.company, "email": buyer.email, "country": buyer.address.country,
    }  # fmt: skip


def lines_at(lines: Sequence[Taxed], rate: str) -> dict[str, str]:
    """The lines that a rate decides about: what tells each apart → what was paid for it, which no decision moves."""
    found: dict[str, str] = {}
    for line in lines:
        if rate != ("" if line.vat_rate is None else f"{line.vat_rate.normalize():f}"):
            continue
        key = " ".join(f"{line.store_line_id[:120]} {line.sku[:120]} {line.name[:120]}".split())
        while key in found:
            key += "+"
        paid = line.net + line.vat
        found[key] = f"{paid.normalize():f}" if paid else "0"
    return found


def applied(draft: Draft, decided: Decided) -> Draft:
    """The draft with what was decided in it; its total, which the buyer paid, never moves."""
    codes = decided.buyer
    if codes is not None and _is_his(draft, codes):
        draft = replace(
            draft,
            vat_code=codes.vat_code,
            company_code=codes.company_code or draft.company_code,
            buyer=replace(draft.buyer, company=codes.company) if codes.company else draft.buyer,
        )
    rates = {key: right.rate for key, right in decided.rates.items() if lines_at(draft.lines, key) == right.of}
    if rates:
        unit = minor_unit(draft.currency)
        lines = tuple(_rated(line, rates, unit) for line in draft.lines)
        draft = replace(draft, lines=lines, vat=sum_by_rate(lines))
    return draft


def ended(draft: Draft, decided: Decided) -> list[Finding]:
    """Notices of decisions about other lines or another buyer than the draft (not applied yet) has now."""
    found = []
    for key, right in decided.rates.items():
        now = lines_at(draft.lines, key)
        if now and now != right.of:
            values = {
                "who": right.who, "to": f"{right.rate.normalize():f}" if right.rate else "0",
                "before": _sum(right.of), "now": _sum(now), "currency": draft.currency,
            }  # fmt: skip
            found.append(Finding("rate_decision_ended", key, values, stops=False))
    codes = decided.buyer
    if codes is not None and not _is_his(draft, codes) and draft.vat_code != codes.vat_code:
        values = {"who": codes.who, "before": _named(codes.of, codes.was)}
        values["now"] = _named(identity(draft.buyer), draft.vat_code)
        found.append(Finding("buyer_decision_ended", "", values, stops=False))
    return found


def _is_his(draft: Draft, codes: BuyerCodes) -> bool:
    return draft.vat_code == codes.was and identity(draft.buyer) == codes.of


def _named(buyer: Mapping[str, str], vat_code: str) -> str:
    name = buyer.get("company") or buyer.get("name") or buyer.get("email") or "–"
    return f"{name} ({vat_code})" if vat_code else name


def _sum(of: Mapping[str, str]) -> str:
    return f"{sum((Decimal(paid) for paid in of.values()), Decimal(0)):.2f}"


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
