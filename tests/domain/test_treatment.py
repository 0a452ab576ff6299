"""How a sale is treated: by the place of delivery, the buyer, the company's days, and what the store charged."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monet_web.domain.territories import Place, place_of
from monet_web.domain.treatment import CompanyVat, Sale, SalesOfDays, Stop, Treatment, decide
from monet_web.domain.vat import EU, Rates, VatRate, builtin_rates

DAY = date(2026, 11, 23)
RATES = Rates(builtin_rates())
PLAIN = CompanyVat()
IN_OSS = CompanyVat(oss_from=date(2026, 1, 1))


def sale(country: str, *rates: str | None, **more: Any) -> Sale:
    return Sale(
        day=DAY, country=country, rates=frozenset(None if rate is None else Decimal(rate) for rate in rates), **more
    )


@pytest.mark.parametrize(
    ("country", "postcode", "place"),
    [
        ("LT", "01103", Place.HOME),
        ("", "", Place.HOME),
        ("LV", "LV-1010", Place.EU),
        ("el", "10431", Place.EU),
        ("GR", "63086", Place.OUTSIDE),  # Mount Athos
        ("ES", "28001", Place.EU),
        ("ES", "35001", Place.OUTSIDE),  # Las Palmas
        ("ES", "E-38001", Place.OUTSIDE),  # Tenerife
        ("ES", "51001", Place.OUTSIDE),  # Ceuta
        ("FI", "22100", Place.OUTSIDE),  # Åland
        ("FI", "FI-00100", Place.EU),
        ("AX", "22100", Place.OUTSIDE),
        ("IT", "23041", Place.OUTSIDE),  # Livigno
        ("DE", "78266", Place.OUTSIDE),  # Büsingen
        ("DE", "10115", Place.EU),
        ("FR", "97400", Place.OUTSIDE),  # Réunion
        ("FR", "98000", Place.EU),  # Monaco
        ("MC", "98000", Place.EU),
        ("RE", "97400", Place.OUTSIDE),
        ("GB", "SW1A 1AA", Place.OUTSIDE),
        ("GB", "bt1 1aa", Place.NORTHERN_IRELAND),
        ("XI", "", Place.NORTHERN_IRELAND),
        ("US", "10001", Place.OUTSIDE),
        ("US", "97400", Place.OUTSIDE),
    ],
)
def test_the_place_of_a_delivery_goes_by_country_and_postcode(country: str, postcode: str, place: Place) -> None:
    assert place_of(country, postcode, "LT") is place


def test_home_is_the_companys_country() -> None:
    assert place_of("LV", "", "LV") is Place.HOME
    assert place_of("LT", "", "LV") is Place.EU


@pytest.mark.parametrize(
    ("one", "company", "treatment", "stops"),
    [
        # at home whatever is charged: the classifier judges the rates
        (sale("LT", "21", None), PLAIN, Treatment.DOMESTIC, ()),
        (sale("LT", "21"), IN_OSS, Treatment.DOMESTIC, ()),
        # a consumer in another EU state
        (sale("EE", "21"), PLAIN, Treatment.EU_HOME, ()),
        (sale("EE", "24"), PLAIN, Treatment.EU_HOME, (Stop("oss_off", Decimal(24)),)),
        (sale("EE", "24"), IN_OSS, Treatment.OSS, ()),
        (sale("EE", "21"), IN_OSS, Treatment.OSS, (Stop("oss_rate", Decimal(21)),)),
        (sale("LV", "21"), IN_OSS, Treatment.OSS, ()),  # both states have 21 %
        (sale("LV", "21"), PLAIN, Treatment.EU_HOME, ()),
        (sale("EE", "22"), PLAIN, Treatment.EU_HOME, ()),  # nobody has it: the check of rates tells
        (sale("EE", "22"), IN_OSS, Treatment.OSS, ()),
        (sale("EE", "21", vat_code="EE100931558"), PLAIN, Treatment.EU_HOME, ()),  # charged: as a consumer
        (sale("EE"), PLAIN, Treatment.EU_HOME, ()),  # everything was free
        # a company in another EU state
        (sale("DE", None, vat_code="DE136695976"), PLAIN, Treatment.EU_COMPANY, ()),
        (sale("DE", "0", vat_code="136695976", buyer_country="DE"), PLAIN, Treatment.EU_COMPANY, ()),
        (sale("DE", None, vat_code="LV40003009497"), PLAIN, Treatment.EU_COMPANY, ()),  # registered elsewhere
        (sale("GR", None, vat_code="GR094259216"), PLAIN, Treatment.EU_COMPANY, ()),
        (sale("DE", None, vat_code="LT119511515"), PLAIN, None, (Stop("eu_untaxed"),)),  # our own state's
        (sale("DE", None, vat_code="US12"), PLAIN, None, (Stop("eu_untaxed"),)),
        (sale("DE", None), PLAIN, None, (Stop("eu_untaxed"),)),
        (sale("DE", "0"), IN_OSS, None, (Stop("eu_untaxed"),)),
        # out of the EU
        (sale("US", None), PLAIN, Treatment.EXPORT, ()),
        (sale("US", "0"), IN_OSS, Treatment.EXPORT, ()),
        (sale("ES", None, postcode="35001"), PLAIN, Treatment.EXPORT, ()),
        (sale("US", "21"), PLAIN, Treatment.DOMESTIC, ()),  # our own VAT, the export being unproven
        # Northern Ireland
        (sale("XI", None, vat_code="XI110305878"), PLAIN, Treatment.EU_COMPANY, ()),
        (sale("XI", "20"), PLAIN, None, (Stop("vat_by_hand", because="northern_ireland"),)),
        (sale("GB", None, postcode="BT1 1AA"), PLAIN, None, (Stop("vat_by_hand", because="northern_ireland"),)),
    ],
)
def test_a_sale_is_treated_by_what_the_law_says(
    one: Sale, company: CompanyVat, treatment: Treatment | None, stops: tuple[Stop, ...]
) -> None:
    decision = decide(one, company, RATES)
    assert (decision.treatment, decision.stops) == (treatment, stops)


def test_vat_of_a_country_outside_the_eu_is_not_ours() -> None:
    rates = Rates([*builtin_rates(), VatRate("GB", Decimal(20), date(2021, 1, 1), None)])
    decision = decide(sale("GB", "20", postcode="SW1A 1AA"), PLAIN, rates)
    assert decision.treatment is None
    assert decision.stops == (Stop("vat_by_hand", because="foreign_vat"),)


@pytest.mark.parametrize(
    ("company", "pays"),
    [
        (CompanyVat(), True),
        (CompanyVat(is_payer=False), False),
        (CompanyVat(payer_from=date(2026, 11, 23)), True),
        (CompanyVat(payer_from=date(2026, 11, 24)), False),
        (CompanyVat(payer_to=date(2026, 11, 23)), True),
        (CompanyVat(payer_to=date(2026, 11, 22)), False),
        (CompanyVat(is_payer=False, payer_from=date(2020, 1, 1)), False),
    ],
)
def test_outside_its_days_the_company_is_no_vat_payer(company: CompanyVat, pays: bool) -> None:
    charged = decide(sale("LT", "21"), company, RATES)
    untaxed = decide(sale("DE", None), company, RATES)
    if pays:
        assert charged.treatment is Treatment.DOMESTIC
        assert untaxed.treatment is not Treatment.NOT_PAYER
    else:
        assert (charged.treatment, charged.stops) == (Treatment.NOT_PAYER, (Stop("not_vat_payer"),))
        assert (untaxed.treatment, untaxed.stops) == (Treatment.NOT_PAYER, ())


@pytest.mark.parametrize(
    ("rate", "issued", "stops"),
    [
        ("21", date(2026, 10, 31), ["issued_not_payer"]),
        ("21", date(2026, 12, 1), ["issued_not_payer"]),
        ("21", date(2026, 11, 30), []),
        (None, date(2026, 10, 31), []),
    ],
)
def test_an_invoice_with_vat_is_dated_on_a_day_of_a_vat_payer(rate: str | None, issued: date, stops: list[str]) -> None:
    company = CompanyVat(payer_from=date(2026, 11, 1), payer_to=date(2026, 11, 30))
    one = decide(replace(sale("LT", rate), issued=issued), company, RATES)
    assert (one.treatment, [stop.code for stop in one.stops]) == (Treatment.DOMESTIC, stops)


@pytest.mark.parametrize(
    ("first", "last", "pays"),
    [(1, 4, False), (1, 5, True), (10, 12, True), (1, 30, True), (20, 30, True), (21, 30, False)],
)
def test_a_company_is_a_payer_in_a_month_of_which_it_is_one_on_any_day(first: int, last: int, pays: bool) -> None:
    company = CompanyVat(payer_from=date(2026, 11, 5), payer_to=date(2026, 11, 20))
    assert company.pays_vat_in(date(2026, 11, first), date(2026, 11, last)) is pays


@pytest.mark.parametrize(
    ("company", "treatment"),
    [
        (CompanyVat(oss_from=date(2026, 11, 23)), Treatment.OSS),
        (CompanyVat(oss_from=date(2026, 11, 24)), Treatment.EU_HOME),
        (CompanyVat(oss_from=date(2026, 1, 1), oss_to=date(2026, 11, 23)), Treatment.OSS),
        (CompanyVat(oss_from=date(2026, 1, 1), oss_to=date(2026, 11, 22)), Treatment.EU_HOME),
    ],
)
def test_oss_holds_from_its_first_day_to_its_last(company: CompanyVat, treatment: Treatment) -> None:
    assert decide(sale("LV", "21"), company, RATES).treatment is treatment


countries = st.sampled_from([*sorted(EU), "XI", "GB", "US", "NO", "AX", ""])
rates_of_a_sale = st.frozensets(st.one_of(st.none(), st.sampled_from([Decimal(0), Decimal(21), Decimal(24)])))


@given(countries, st.sampled_from(["", "35001", "BT1"]), st.sampled_from(["", "DE136695976", "LT1"]), rates_of_a_sale)
def test_every_sale_is_treated_or_stopped(country: str, postcode: str, code: str, charged: frozenset[Decimal]) -> None:
    for company in (PLAIN, IN_OSS, CompanyVat(is_payer=False), CompanyVat(country="LV")):
        decision = decide(Sale(DAY, country, postcode, code, "", charged), company, RATES)
        assert decision.treatment is not None or decision.stops
        if decision.treatment in (Treatment.EXPORT, Treatment.EU_COMPANY):
            assert not any(charged)  # what carries VAT is never booked at 0 %


def test_the_sums_of_days_are_of_the_calendar_year() -> None:
    sales = SalesOfDays({date(2025, 12, 31): Decimal(1), date(2026, 1, 1): Decimal(10), date(2026, 2, 1): Decimal(100)})
    sales.add(date(2026, 1, 1), Decimal("0.5"))
    assert sales.until(date(2026, 1, 1)) == Decimal("10.5")
    assert sales.until(date(2026, 12, 31)) == Decimal("110.5")
    assert sales.of_year(2025) == 1
    assert sales.of_year(2024) == 0
