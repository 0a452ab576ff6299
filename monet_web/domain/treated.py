"""A draft treated for VAT: its treatment, the classifier code of each line, and what stops it, as findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from monet_web.domain.classifier import Supply, VatCodes, builtin_codes, filed_as
from monet_web.domain.codes import full_vat_code
from monet_web.domain.findings import Finding
from monet_web.domain.invoices import Draft, DraftLine
from monet_web.domain.line_codes import is_no_supply, supplies
from monet_web.domain.money import ZERO, convert
from monet_web.domain.orders import LineKind
from monet_web.domain.treatment import (
    CompanyVat,
    Sale,
    SalesOfDays,
    Stop,
    Treatment,
    decide,
    is_foreign_vat_code,
)
from monet_web.domain.vat import Rates, vat_country

if TYPE_CHECKING:
    from monet_web.domain.checks import KnownItem

# A confirmation asked longer before the supply than this says nothing of the day of supply any more.
EVIDENCE_DAYS = 31

# Words in an item's VAT class or in the name of a tax, as people write them, and the reason for a person.
_BY_HAND: tuple[tuple[str, str], ...] = (
    ("margin", "margin"), ("marž", "margin"), ("marz", "margin"),
    ("excise", "excise"), ("akciz", "excise"),
    ("reverse charge", "reverse_charge"), ("atvirkšt", "reverse_charge"), ("atvirkst", "reverse_charge"),
    ("ioss", "ioss"),
)  # fmt: skip
_CHARGES = (LineKind.SHIPPING, LineKind.FEE, LineKind.WRAPPING)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is known of a buyer's VAT code: VIES said so (`how` vies), or an accountant did (hand)."""

    vat_code: str
    valid: bool
    day: date
    how: str = "vies"
    number: str = ""  # of the consultation
    name: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ExportProof:
    """The number of the customs declaration (MRN), or what an accountant accepts instead and why."""

    mrn: str = ""
    reason: str = ""


@dataclass(slots=True)
class Known:
    """What is known around a draft. `sales` holds the other sales of the same kind and is not changed here."""

    company: CompanyVat = field(default_factory=CompanyVat)
    codes: VatCodes = field(default_factory=lambda: VatCodes(builtin_codes()))
    rates: Rates = field(default_factory=lambda: Rates(()))
    confirmation: Confirmation | None = None
    proof: ExportProof | None = None
    order_ref: str = ""  # the store order's id, for the control
    sales: SalesOfDays = field(default_factory=SalesOfDays)
    eur_rate: Decimal | None = None
    warehouse_country: str = ""  # "": the company's
    unknown_rates_stop: bool = True  # the check of rates tells of them, so that a missing code need not
    is_reissued: bool = False  # to another buyer than the one whom the store charged


@dataclass(frozen=True, slots=True)
class Treated:
    """`codes`: one for each line of the draft, "" where none is needed or none is known."""

    treatment: Treatment | None
    codes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    evidence: dict[str, dict[str, str]] = field(default_factory=dict)  # what the treatment rests on, as kept
    counts: Decimal | None = None  # net in EUR that counts against the year's threshold


def treat(draft: Draft, items: Sequence[KnownItem | None], known: Known) -> Treated:
    """The draft's treatment under what is known. Never raises; `items` has one entry for each line."""
    supplied = _supplies(draft, items)
    sale = Sale(
        day=draft.supply_date,
        issued=draft.issue_date,
        country=draft.ship_country,
        postcode=draft.ship_postcode,
        vat_code=draft.vat_code,
        buyer_country=draft.buyer.address.country,
        rates=frozenset(line.vat_rate for line in draft.lines if _decides(line)),
    )
    decision = decide(sale, known.company, known.rates)
    findings = [_finding(stop, draft, known) for stop in decision.stops]
    counts = None
    evidence: dict[str, dict[str, str]] = {}
    codes = ("",) * len(draft.lines)
    if decision.treatment is not Treatment.NOT_PAYER:
        findings += _by_hand(draft, items, known)
        if decision.treatment is not None:
            told = {stop.rate for stop in decision.stops if stop.rate is not None}
            codes, missing = _codes(draft, supplied, decision.treatment, told, known)
            findings += missing
    # OSS is for consumers alone. Our own VAT is due from a company too while nothing proves 0 %, unless the invoice is
    # issued to another buyer than the one who was charged.
    if decision.treatment is Treatment.OSS or (known.is_reissued and decision.treatment is Treatment.EU_HOME):
        findings += _company_charged(draft, known)
    match decision.treatment:
        case Treatment.EU_HOME:
            counts = convert(draft.net, known.eur_rate) if known.eur_rate else None
            findings += _threshold(draft.supply_date, counts or ZERO, known)
        case Treatment.EU_COMPANY:
            findings += _number_confirmed(draft, known)
            evidence = _evidence_of_buyer(_fresh(known.confirmation, draft.supply_date))
        case Treatment.EXPORT:
            findings += _export_proven(draft, supplied, known)
            evidence = _evidence_of_export(known)
        case _:
            pass
    return Treated(decision.treatment, codes, tuple(findings), evidence, counts)


def charge_rates(draft: Draft) -> Iterator[Finding]:
    """A notice for each charge whose rate is none of the goods': shipping follows the goods that it brings."""
    goods = {line.vat_rate or ZERO for line in draft.lines if line.names_item and line.net and line.rate_known}
    if not goods:
        return
    for line in draft.lines:
        if line.kind in _CHARGES and line.net and line.vat_rate is not None and line.vat_rate not in goods:
            values = {
                "what": f"“{line.name[:80]}”",
                "rate": percent(line.vat_rate),
                "goods": " / ".join(percent(rate) for rate in sorted(goods, reverse=True)),
            }
            yield Finding("charge_rate_differs", f"{line.kind.value} {_plain(line.vat_rate)}", values, stops=False)


def _decides(line: DraftLine) -> bool:
    """A line whose rate says how the sale is taxed; a deposit that is taxed is taxed like anything else."""
    if not line.rate_known or line.by_marketplace or _is_no_supply(line):
        return False
    return bool(line.net or line.vat)


def _is_no_supply(line: DraftLine) -> bool:
    return is_no_supply(line.kind, line.vat_rate, line.vat)


def _supplies(draft: Draft, items: Sequence[KnownItem | None]) -> list[Supply]:
    """Goods or service, line by line; charges are ancillary and follow the goods, when there are any."""
    services = [
        index < len(items) and (item := items[index]) is not None and item.is_service
        for index in range(len(draft.lines))
    ]
    return supplies([line.kind for line in draft.lines], services)


def _codes(
    draft: Draft, supplied: Sequence[Supply], treatment: Treatment, told: set[Decimal], known: Known
) -> tuple[tuple[str, ...], list[Finding]]:
    codes: list[str] = []
    missing: dict[str, Finding] = {}
    for line, supply in zip(draft.lines, supplied, strict=True):
        of_line = Treatment.OUTSIDE_VAT if _is_no_supply(line) else filed_as(treatment)
        code = known.codes.of(of_line, line.vat_rate, supply, draft.supply_date)
        codes.append(code)
        is_nothing = not line.net and not line.vat and not line.vat_rate
        is_told = not line.rate_known or line.by_marketplace or line.vat_rate in told
        if code or is_nothing or is_told or _is_unknown(line.vat_rate, draft, known) or not known.codes.is_needed:
            continue
        rate = "none" if line.vat_rate is None else percent(line.vat_rate)
        subject = f"{of_line.value} {'none' if line.vat_rate is None else _plain(line.vat_rate)} {supply.value}"
        values = {"treatment": of_line.value, "rate": rate, "kind": supply.value, "day": draft.supply_date.isoformat()}
        missing.setdefault(subject, Finding("classifier_missing", subject, values))
    return tuple(codes), list(missing.values())


def _is_unknown(rate: Decimal | None, draft: Draft, known: Known) -> bool:
    """A rate that no country concerned had: the check of rates stops for it."""
    if not rate or not known.unknown_rates_stop:
        return False
    countries = [known.company.country, draft.ship_country]
    return not any(known.rates.valid(each, rate, draft.supply_date) for each in countries if each)


def _by_hand(draft: Draft, items: Sequence[KnownItem | None], known: Known) -> list[Finding]:
    found: dict[str, Finding] = {}
    abroad = known.warehouse_country
    if abroad and vat_country(abroad) != vat_country(known.company.country):
        found["warehouse_abroad"] = _hand("warehouse_abroad", abroad)
    for index, line in enumerate(draft.lines):
        item = items[index] if index < len(items) else None
        for because in _by_hand_of(item.vat_class if item else "", line.tax_label):
            found.setdefault(because, _hand(because, f"SKU {line.sku}" if line.sku else f"“{line.name[:80]}”"))
    return list(found.values())


@lru_cache(maxsize=1000)  # a shop has a handful of taxes and classes, said on every line
def _by_hand_of(vat_class: str, tax_label: str) -> tuple[str, ...]:
    said = f"{vat_class} {tax_label}".casefold()
    return tuple(because for word, because in _BY_HAND if word in said)


def _hand(because: str, what: str) -> Finding:
    return Finding("vat_by_hand", because, {"because": because, "what": what})


def _threshold(day: date, own: Decimal, known: Known) -> list[Finding]:
    """Above the threshold this year, this sale included, or above it the year before: OSS is due (Art. 59c)."""
    limit = known.company.threshold
    for year, sold in ((day.year, known.sales.until(day) + own), (day.year - 1, known.sales.of_year(day.year - 1))):
        if sold > limit:
            values = {"sum": f"{sold:.2f}", "threshold": f"{limit:.2f}", "year": str(year)}
            return [Finding("eu_threshold", str(year), values)]
    return []


def _number_confirmed(draft: Draft, known: Known) -> list[Finding]:
    code = buyer_code(draft)
    confirmation = _fresh(known.confirmation, draft.supply_date)
    values = {"what": code, "was": draft.vat_code, "country": draft.ship_country}
    if confirmation is None:
        return [Finding("vat_number_unconfirmed", code[:200], values)]
    if not confirmation.valid:
        values["day"] = confirmation.day.isoformat()
        return [Finding("vat_number_refused", code[:200], values)]
    return []


def _company_charged(draft: Draft, known: Known) -> list[Finding]:
    """VAT that the store charged a consumer, on an invoice to a VAT payer of another EU state: a person says which."""
    code = buyer_code(draft)
    if not is_foreign_vat_code(code, known.company.country):
        return []
    return [Finding("company_charged", code[:200], {"what": code, "country": draft.ship_country})]


def buyer_code(draft: Draft) -> str:
    """The buyer's VAT code with its prefix, as VIES is asked for it; "" when none was given."""
    return full_vat_code(draft.vat_code, draft.buyer.address.country or draft.ship_country)


def _fresh(confirmation: Confirmation | None, supplied: date) -> Confirmation | None:
    if confirmation is None or confirmation.day < supplied - timedelta(days=EVIDENCE_DAYS):
        return None
    return confirmation


def _evidence_of_buyer(one: Confirmation | None) -> dict[str, dict[str, str]]:
    if one is None or not one.valid:
        return {}
    kept = {
        "code": one.vat_code, "day": one.day.isoformat(), "how": one.how, "number": one.number, "name": one.name,
        "reason": one.reason,
    }  # fmt: skip
    return {"vat_code": {key: value for key, value in kept.items() if value}}


def _export_proven(draft: Draft, supplied: Sequence[Supply], known: Known) -> list[Finding]:
    """Goods need the customs' word; services have nothing to declare."""
    carries_goods = any(
        line.names_item and supply is Supply.GOODS for line, supply in zip(draft.lines, supplied, strict=True)
    )
    if known.proof is not None or not carries_goods:
        return []
    values = {"country": draft.ship_country, "order": draft.order_number, "order_id": known.order_ref}
    return [Finding("export_unproven", draft.ship_country, values)]


def _evidence_of_export(known: Known) -> dict[str, dict[str, str]]:
    if known.proof is None:
        return {}
    kept = {"mrn": known.proof.mrn, "reason": known.proof.reason}
    return {"export": {key: value for key, value in kept.items() if value}}


def _finding(stop: Stop, draft: Draft, known: Known) -> Finding:
    country, day = draft.ship_country, draft.supply_date.isoformat()
    if stop.code == "vat_by_hand":
        return _hand(stop.because, country)
    if stop.code == "not_vat_payer":
        return Finding(stop.code, "", {"amount": f"{draft.vat_total:.2f}", "currency": draft.currency, "day": day})
    if stop.code == "issued_not_payer":
        values = {"amount": f"{draft.vat_total:.2f}", "currency": draft.currency, "supplied": day}
        return Finding(stop.code, "", {**values, "day": draft.issue_date.isoformat()})
    if stop.rate is None:
        return Finding(stop.code, country, {"country": country, "was": draft.vat_code})
    values = {"rate": percent(stop.rate), "country": country, "home": known.company.country, "day": day}
    return Finding(stop.code, f"{country} {_plain(stop.rate)}", values)


def percent(rate: Decimal) -> str:
    """21 %."""
    return f"{_plain(rate)} %"


def _plain(rate: Decimal) -> str:
    return f"{rate.normalize():f}" if rate else "0"
