"""A draft treated: the code of each line, what rests on evidence, what a person books by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monet_web.domain.checks import KnownItem
from monet_web.domain.classifier import CLASSIFIED, Supply, VatCode, VatCodes, builtin_codes
from monet_web.domain.invoices import Draft, draft_invoice
from monet_web.domain.orders import LineKind
from monet_web.domain.settings import Settings
from monet_web.domain.treated import Confirmation, ExportProof, Known, Treated, treat
from monet_web.domain.treatment import CompanyVat, SalesOfDays, Treatment
from monet_web.domain.vat import Rates, builtin_rates
from tests.builders import ONA, a_charge, a_line, a_tax, an_order

NOTEBOOK = KnownItem(1, "KN-01", keeps_stock=True)
COURSE = KnownItem(2, "KURSAS", keeps_stock=False, is_service=True)
UNTAXED = a_line(taxes=())
SHIPPED_UNTAXED = a_charge(taxes=())


def drafted(country: str = "LT", *, postcode: str = "", vat_code: str = "", **changes: Any) -> Draft:
    address = replace(ONA.address, country=country, postcode=postcode)
    buyer = replace(ONA, address=address, vat_code=vat_code)
    order = an_order(buyer=buyer, ship_to=address, **changes)
    return draft_invoice(order, Settings(), zone=ZoneInfo("Europe/Vilnius"), today=date(2026, 11, 24))


def treated(draft: Draft, item: KnownItem | None = NOTEBOOK, **known: Any) -> Treated:
    items = [item if line.names_item else None for line in draft.lines]
    return treat(draft, items, Known(rates=Rates(builtin_rates()), eur_rate=Decimal(1), **known))


def codes(one: Treated) -> list[str]:
    return [finding.code for finding in one.findings]


# --- classifier codes


def test_goods_at_home_have_the_codes_of_their_rates() -> None:
    lines = (a_line(), a_line(external_id="12", taxes=(a_tax("5", "0.50"),)))
    one = treated(drafted(lines=lines, charges=(a_charge(),)))
    assert (one.treatment, one.codes, one.findings) == (Treatment.DOMESTIC, ("PVM1", "PVM3", "PVM1"), ())


def test_twelve_per_cent_is_of_services_alone() -> None:
    draft = drafted(lines=(a_line(taxes=(a_tax("12", "1.20"),)),), charges=(a_charge(taxes=(a_tax("12", "0.48"),)),))
    assert treated(draft, COURSE).codes == ("PVM58", "PVM58")  # shipping follows what it brings
    assert treated(replace(draft, supply_date=date(2026, 1, 1)), COURSE).codes == ("PVM58", "PVM58")
    assert treated(replace(draft, supply_date=date(2025, 12, 31)), COURSE).codes == ("", "")
    one = treated(draft, NOTEBOOK)
    assert one.codes == ("", "")
    assert [finding.subject for finding in one.findings] == ["domestic 12 goods"]


def test_nine_per_cent_had_a_code_until_the_end_of_2025() -> None:
    lines = (a_line(taxes=(a_tax("9", "0.90"),)),)
    last = drafted(lines=lines)
    last = replace(last, supply_date=date(2025, 12, 31))
    assert treated(last).codes == ("PVM2",)
    # In 2026 nobody had the rate, which the check of rates says; told to be silent, the missing code stops.
    assert codes(treated(drafted(lines=lines))) == []
    assert codes(treated(drafted(lines=lines), unknown_rates_stop=False)) == ["classifier_missing"]


@pytest.mark.parametrize(("rate", "subject"), [(None, "domestic none goods"), ("0", "domestic 0 goods")])
def test_a_line_at_home_without_vat_has_no_code(rate: str | None, subject: str) -> None:
    taxes = () if rate is None else (a_tax(rate, "0.00"),)
    one = treated(drafted(lines=(a_line(taxes=taxes),)))
    assert [(finding.code, finding.subject, finding.stops) for finding in one.findings] == [
        ("classifier_missing", subject, True)
    ]


def test_free_shipping_without_tax_needs_no_code() -> None:
    free = a_charge(net=Decimal(0), taxes=())
    one = treated(drafted(lines=(a_line(),), charges=(free,)))
    assert (one.codes, one.findings) == (("PVM1", ""), ())


def test_deposits_and_sold_vouchers_are_no_supply() -> None:
    deposit = a_charge(kind=LineKind.DEPOSIT, net=Decimal("0.10"), taxes=())
    voucher = a_charge(external_id="22", kind=LineKind.VOUCHER, net=Decimal("50.00"), taxes=(a_tax("0", "0.00"),))
    one = treated(drafted(lines=(a_line(),), charges=(deposit, voucher)))
    assert (one.treatment, one.codes, one.findings) == (Treatment.DOMESTIC, ("PVM1", "PVM100", "PVM100"), ())
    # One that is taxed is taxed like anything else (a voucher of a single purpose).
    taxed = replace(voucher, taxes=(a_tax("21", "10.50"),))
    assert treated(drafted(lines=(), charges=(taxed,))).codes == ("PVM1",)


def test_a_sale_under_oss_is_supplied_outside_lithuania() -> None:
    draft = drafted("EE", lines=(a_line(taxes=(a_tax("24", "2.40"),)),))
    one = treated(draft, company=CompanyVat(oss_from=date(2026, 1, 1)))
    assert (one.treatment, one.codes, one.findings) == (Treatment.OSS, ("PVM15",), ())


def test_a_sale_abroad_with_our_own_vat_is_filed_as_one_at_home() -> None:
    one = treated(drafted("EE"))
    assert (one.treatment, one.codes, one.findings) == (Treatment.EU_HOME, ("PVM1",), ())
    assert one.counts == Decimal("10.00")


def test_a_row_of_an_accountant_comes_before_the_built_in_one() -> None:
    mine = VatCode(Treatment.DOMESTIC, Decimal(21), Supply.GOODS, date(2026, 11, 1), date(2026, 11, 30), "PVM99")
    table = VatCodes([mine, *builtin_codes()])
    assert treated(drafted(), codes=table).codes == ("PVM99",)
    assert treated(replace(drafted(), supply_date=date(2026, 12, 1)), codes=table).codes == ("PVM1",)
    assert treated(replace(drafted(), supply_date=date(2026, 10, 31)), codes=table).codes == ("PVM1",)
    assert treated(drafted(), COURSE, codes=table).codes == ("PVM1",)


def test_a_company_of_another_country_needs_no_codes() -> None:
    one = treated(drafted("LV"), company=CompanyVat(country="LV"), codes=VatCodes((), "LV"))
    assert (one.treatment, one.codes, one.findings) == (Treatment.DOMESTIC, ("",), ())


def test_who_is_no_vat_payer_files_no_codes() -> None:
    one = treated(drafted(lines=(UNTAXED,)), company=CompanyVat(is_payer=False))
    assert (one.treatment, one.codes, one.findings) == (Treatment.NOT_PAYER, ("",), ())
    assert codes(treated(drafted(), company=CompanyVat(is_payer=False))) == ["not_vat_payer"]


def test_every_built_in_row_names_its_source_and_no_two_speak_of_one_line() -> None:
    rows = builtin_codes()
    assert all(row.source and row.code.startswith("PVM") for row in rows)
    assert {row.treatment for row in rows} == set(CLASSIFIED)
    for day in (date(2024, 6, 1), date(2026, 6, 1)):
        for treatment in CLASSIFIED:
            for supply in Supply:
                for percent in (None, *(Decimal(rate) for rate in (0, 5, 9, 12, 21, 24))):
                    assert len([row for row in rows if row.fits(treatment, percent, supply, day)]) <= 1


# --- evidence


def test_a_sale_to_an_eu_company_waits_for_a_confirmation_and_keeps_it() -> None:
    draft = drafted("DE", vat_code="DE 136695976", lines=(UNTAXED,), charges=(SHIPPED_UNTAXED,))
    waits = treated(draft)
    assert (waits.treatment, waits.codes) == (Treatment.EU_COMPANY, ("PVM13", "PVM13"))
    assert [(finding.code, finding.subject) for finding in waits.findings] == [
        ("vat_number_unconfirmed", "DE136695976")
    ]
    assert waits.evidence == {}
    said = Confirmation("DE136695976", valid=True, day=date(2026, 11, 23), number="WAPIAAAAX1", name="Amt")
    sure = treated(draft, confirmation=said)
    assert sure.findings == ()
    assert sure.evidence == {
        "vat_code": {"code": "DE136695976", "day": "2026-11-23", "how": "vies", "number": "WAPIAAAAX1", "name": "Amt"}
    }


@pytest.mark.parametrize("oss_from", [date(2026, 1, 1), None])
def test_who_was_charged_as_a_consumer_and_takes_it_as_a_company_waits_for_a_word(oss_from: date | None) -> None:
    tax = a_tax("24", "2.40") if oss_from else a_tax()
    company = CompanyVat(oss_from=oss_from)
    draft = drafted("EE", vat_code="100594102", lines=(a_line(taxes=(tax,)),))
    one = treated(draft, company=company, is_reissued=True)
    assert [(finding.code, finding.subject, finding.stops) for finding in one.findings] == [
        ("company_charged", "EE100594102", True)
    ]
    # At first import OSS, which is for consumers alone, asks too; our own VAT is due while nothing proves 0 %.
    assert codes(treated(draft, company=company)) == (["company_charged"] if oss_from else [])
    without = drafted("EE", lines=(a_line(taxes=(tax,)),))
    assert codes(treated(without, company=company, is_reissued=True)) == []
    ours = replace(without, vat_code="LT100001738313")
    assert codes(treated(ours, company=company, is_reissued=True)) == []


@pytest.mark.parametrize(("day", "is_enough"), [(date(2026, 10, 23), True), (date(2026, 10, 22), False)])
def test_a_confirmation_older_than_31_days_says_nothing_of_the_supply(day: date, is_enough: bool) -> None:
    draft = drafted("DE", vat_code="DE136695976", lines=(UNTAXED,))
    one = treated(draft, confirmation=Confirmation("DE136695976", valid=True, day=day))
    assert codes(one) == ([] if is_enough else ["vat_number_unconfirmed"])
    assert bool(one.evidence) is is_enough


def test_services_to_an_eu_company_are_supplied_outside_lithuania() -> None:
    draft = drafted("DE", vat_code="DE136695976", lines=(UNTAXED,))
    assert treated(draft, COURSE).codes == ("PVM15",)


def test_an_export_of_goods_waits_for_the_customs_and_one_of_services_does_not() -> None:
    draft = drafted("US", lines=(UNTAXED,), charges=(SHIPPED_UNTAXED,))
    waits = treated(draft, order_ref="7")
    assert (waits.treatment, waits.codes) == (Treatment.EXPORT, ("PVM12", "PVM12"))
    assert [(finding.code, finding.values["order_id"]) for finding in waits.findings] == [("export_unproven", "7")]
    proven = treated(draft, proof=ExportProof("26LTVR1000EX123451"))
    assert (proven.findings, proven.evidence) == ((), {"export": {"mrn": "26LTVR1000EX123451"}})
    assert treated(draft, COURSE).findings == ()
    assert treated(draft, COURSE).codes == ("PVM15", "PVM15")


# --- the threshold of the year (Art. 59c)


@pytest.mark.parametrize(
    ("sold", "year"),
    [
        ({date(2026, 3, 1): "9990.00"}, None),  # with this sale exactly the threshold
        ({date(2026, 3, 1): "9990.01"}, "2026"),
        ({date(2026, 12, 1): "9990.01"}, None),  # later sales do not count for this one
        ({date(2025, 3, 1): "10000.00"}, None),
        ({date(2025, 12, 31): "10000.01"}, "2025"),
        ({date(2024, 12, 31): "50000.00"}, None),
    ],
)
def test_above_the_threshold_of_this_year_or_the_last_oss_is_due(sold: dict[date, str], year: str | None) -> None:
    sales = SalesOfDays({day: Decimal(net) for day, net in sold.items()})
    one = treated(drafted("EE"), sales=sales)
    assert [finding.subject for finding in one.findings] == ([] if year is None else [year])


def test_the_threshold_is_the_companys() -> None:
    assert codes(treated(drafted("EE"), company=CompanyVat(threshold=Decimal("9.99")))) == ["eu_threshold"]
    assert codes(treated(drafted("EE"), company=CompanyVat(threshold=Decimal("10.00")))) == []


def test_an_invoice_in_another_currency_counts_in_euro() -> None:
    draft = drafted("EE", currency="USD")
    known = Known(rates=Rates(builtin_rates()), eur_rate=Decimal("1.25"))
    assert treat(draft, [NOTEBOOK], known).counts == Decimal("8.00")


# --- by hand


@pytest.mark.parametrize(
    ("vat_class", "label", "because"),
    [
        ("Marža", "", "margin"),
        ("margin scheme", "", "margin"),
        ("Akcizinė prekė", "", "excise"),
        ("", "Reverse charge Art. 96", "reverse_charge"),
        ("", "Atvirkštinis PVM", "reverse_charge"),
        ("", "IOSS 22%", "ioss"),
    ],
)
def test_schemes_that_this_program_does_not_do_are_booked_by_hand(vat_class: str, label: str, because: str) -> None:
    item = replace(NOTEBOOK, vat_class=vat_class)
    one = treated(drafted(lines=(a_line(taxes=(replace(a_tax(), label=label),)),)), item)
    assert [(finding.code, finding.subject) for finding in one.findings] == [("vat_by_hand", because)]


def test_goods_from_a_warehouse_abroad_are_booked_by_hand_and_from_one_at_home_are_not() -> None:
    assert codes(treated(drafted(), warehouse_country="PL")) == ["vat_by_hand"]
    assert codes(treated(drafted(), warehouse_country="LT")) == []
    greek = drafted("GR", lines=(a_line(taxes=(a_tax("24", "2.40"),)),))
    company = CompanyVat(country="GR")
    assert codes(treated(greek, company=company, warehouse_country="EL", codes=VatCodes((), "GR"))) == []


def test_a_rate_that_the_store_does_not_say_decides_nothing() -> None:
    draft = drafted(
        "DE", vat_code="DE136695976", lines=(a_line(taxes=(a_tax(None),)), replace(UNTAXED, external_id="2"))
    )
    assert treated(draft).treatment is Treatment.EU_COMPANY
