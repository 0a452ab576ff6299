"""How VAT treats one sale: by where the goods go, who buys, which dates the company has, and what the store charged.

What the store charged is the truth (D5); this says what it means, and which of it can't be, as a stop that a person
decides. Nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from monet_web.domain.codes import full_vat_code
from monet_web.domain.territories import Place, place_of
from monet_web.domain.vat import EU, Rates, vat_country

# What a company may sell a year to consumers of other EU states with its own country's VAT, without VAT, in EUR
# (Art. 59c of Directive 2006/112/EC).
EU_THRESHOLD = Decimal(10000)


class Treatment(StrEnum):
    """Of a whole document; `outside_vat` is of single lines only."""

    DOMESTIC = "domestic"
    EU_HOME = "eu_home"  # a consumer in another EU state, below the year's threshold: our own country's VAT
    OSS = "oss"  # a consumer in another EU state: that state's VAT, paid through the one stop shop
    EU_COMPANY = "eu_company"  # 0 %, to a VAT payer of another EU state
    EXPORT = "export"  # 0 %, out of the EU
    NOT_PAYER = "not_payer"  # the company pays no VAT on that day
    OUTSIDE_VAT = "outside_vat"  # deposits and vouchers: no supply


@dataclass(frozen=True, slots=True)
class CompanyVat:
    """What the company is to the tax authority; days are included, None: no limit (of `oss_from`: not in OSS)."""

    country: str = "LT"
    is_payer: bool = True
    payer_from: date | None = None
    payer_to: date | None = None
    oss_from: date | None = None
    oss_to: date | None = None
    threshold: Decimal = EU_THRESHOLD  # EUR a year

    def pays_vat_on(self, day: date) -> bool:
        """True when its documents of `day` carry VAT."""
        return self.pays_vat_in(day, day)

    def pays_vat_in(self, first: date, last: date) -> bool:
        """True when it is a VAT payer on a day from `first` to `last`."""
        if not self.is_payer or (self.payer_from is not None and last < self.payer_from):
            return False
        return self.payer_to is None or first <= self.payer_to

    def is_in_oss_on(self, day: date) -> bool:
        """True when it pays other EU states' VAT through the one stop shop on `day`."""
        if self.oss_from is None or day < self.oss_from:
            return False
        return self.oss_to is None or day <= self.oss_to


@dataclass(frozen=True, slots=True)
class Sale:
    """What decides. `rates`: of the lines that cost something (None: no tax), deposits and vouchers left out."""

    day: date  # of supply
    country: str = ""  # of delivery, ISO code; "": nobody knows, so home
    postcode: str = ""
    vat_code: str = ""  # the buyer's, as given
    buyer_country: str = ""
    rates: frozenset[Decimal | None] = frozenset()
    issued: date | None = None  # of the invoice; None: the day of supply

    @property
    def taxed(self) -> frozenset[Decimal]:
        """The rates above 0."""
        return frozenset(rate for rate in self.rates if rate)


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a person decides: `code` of a finding and, where it is of one rate, that rate; `because` of a by-hand one."""

    code: str
    rate: Decimal | None = None
    because: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """`treatment` is None where the program does not know how such a sale is booked. The stops are complete."""

    treatment: Treatment | None
    stops: tuple[Stop, ...] = ()
    place: Place = Place.HOME


def decide(sale: Sale, company: CompanyVat, rates: Rates) -> Decision:
    """How the sale is treated. Rates that no country concerned had are not judged here: `vat_rate_unknown` is."""
    place = place_of(sale.country, sale.postcode, company.country)
    if not company.pays_vat_on(sale.day):
        stops = (Stop("not_vat_payer"),) if sale.taxed else ()
        return Decision(Treatment.NOT_PAYER, stops, place)
    decision = _of_place(sale, place, company, rates)
    if sale.taxed and sale.issued is not None and not company.pays_vat_on(sale.issued):
        # Only a VAT payer may issue a VAT invoice, whichever day the goods went.
        return replace(decision, stops=(Stop("issued_not_payer"), *decision.stops))
    return decision


def _of_place(sale: Sale, place: Place, company: CompanyVat, rates: Rates) -> Decision:
    match place:
        case Place.HOME:
            return Decision(Treatment.DOMESTIC, (), place)
        case Place.EU:
            return _within_the_eu(sale, company, rates)
        case Place.NORTHERN_IRELAND:
            if not sale.taxed and _code(sale).startswith("XI"):
                return Decision(Treatment.EU_COMPANY, (), place)
            return Decision(None, (Stop("vat_by_hand", because="northern_ireland"),), place)
        case Place.OUTSIDE:
            return _out_of_the_eu(sale, company, rates)


def _within_the_eu(sale: Sale, company: CompanyVat, rates: Rates) -> Decision:
    if sale.taxed or not sale.rates:
        return _to_consumer(sale, company, rates)
    if is_foreign_vat_code(_code(sale), company.country):
        return Decision(Treatment.EU_COMPANY, (), Place.EU)
    return Decision(None, (Stop("eu_untaxed"),), Place.EU)


def _to_consumer(sale: Sale, company: CompanyVat, rates: Rates) -> Decision:
    """VAT was charged, so the buyer is treated as a consumer, VAT code or not."""
    in_oss = company.is_in_oss_on(sale.day)
    stops = []
    for rate in sorted(sale.taxed):
        here = rates.valid(company.country, rate, sale.day)
        there = rates.valid(sale.country, rate, sale.day)
        if in_oss and here and not there:
            stops.append(Stop("oss_rate", rate))
        if not in_oss and there and not here:
            stops.append(Stop("oss_off", rate))
    return Decision(Treatment.OSS if in_oss else Treatment.EU_HOME, tuple(stops), Place.EU)


def _out_of_the_eu(sale: Sale, company: CompanyVat, rates: Rates) -> Decision:
    if not sale.taxed:
        return Decision(Treatment.EXPORT, (), Place.OUTSIDE)
    foreign = [rate for rate in sale.taxed if not rates.valid(company.country, rate, sale.day)]
    if any(rates.valid(sale.country, rate, sale.day) for rate in foreign):
        return Decision(None, (Stop("vat_by_hand", because="foreign_vat"),), Place.OUTSIDE)
    # Without the proof of export the seller's own VAT is due, and that is what was charged.
    return Decision(Treatment.DOMESTIC, (), Place.OUTSIDE)


def is_foreign_vat_code(code: str, home: str) -> bool:
    """True when a VAT code with its prefix is of another EU state (or Northern Ireland) than `home`."""
    prefix = code[:2]
    if prefix == "XI":
        return True
    land = vat_country(prefix)
    return land in EU and land != vat_country(home)


def _code(sale: Sale) -> str:
    return full_vat_code(sale.vat_code, sale.buyer_country or sale.country)


@dataclass(slots=True)
class SalesOfDays:
    """What was sold to consumers of other EU states with our own VAT: day of supply → net in EUR. Grows with a page."""

    days: dict[date, Decimal] = field(default_factory=dict)

    def until(self, day: date) -> Decimal:
        """The sum of the calendar year of `day`, up to that day, that day included."""
        return sum((net for each, net in self.days.items() if each.year == day.year and each <= day), Decimal(0))

    def of_year(self, year: int) -> Decimal:
        """The sum of a calendar year."""
        return sum((net for each, net in self.days.items() if each.year == year), Decimal(0))

    def add(self, day: date, net: Decimal) -> None:
        """One more sale."""
        self.days[day] = self.days.get(day, Decimal(0)) + net
