"""Checks tell what is wrong with a draft, with the actual values, and never raise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monet_web.domain.checks import CHECKS, Facts, KnownItem, check, line_keys, money, plain, stock_short
from monet_web.domain.findings import CODES, Finding, describe
from monet_web.domain.invoices import Draft, draft_invoice
from monet_web.domain.orders import Order, Refund, TaxTotal
from monet_web.domain.settings import Settings
from monet_web.domain.treated import Confirmation, Known, treat
from monet_web.domain.treatment import CompanyVat, SalesOfDays
from monet_web.domain.vat import Rates, builtin_rates
from tests.builders import NOON, ONA, a_charge, a_line, a_tax, an_order

NOTEBOOK = KnownItem(id=1, code="KN-01", keeps_stock=True)


@dataclass(frozen=True)
class Case:
    """An order and what is known around it; without changes nothing is wrong."""

    order: Order
    settings: Settings
    facts: dict[str, Any]


def fine(**settings: Any) -> Case:
    facts = {
        "country": "LT",
        "rates": Rates(builtin_rates()),
        "items": (NOTEBOOK, NOTEBOOK, NOTEBOOK),
        "eur_rate": Decimal(1),
        "warehouse": "MAIN",
    }
    return Case(an_order(), Settings(**settings), facts)


def drafted(case: Case) -> Draft:
    return draft_invoice(case.order, case.settings, zone=ZoneInfo("Europe/Vilnius"), today=date(2026, 11, 24))


def found(case: Case) -> list[Finding]:
    return check(drafted(case), Facts(settings=case.settings, **case.facts))


def with_order(case: Case, **changes: Any) -> Case:
    return replace(case, order=an_order(**changes))


def with_facts(case: Case, **changes: Any) -> Case:
    return replace(case, facts={**case.facts, **changes})


def with_vat(case: Case, **known: Any) -> Case:
    """The case with what VAT makes of it; the company is a VAT payer in Lithuania and not in OSS."""
    around = Known(rates=Rates(builtin_rates()), eur_rate=Decimal(1), **known)
    return with_facts(case, treated=treat(drafted(case), case.facts["items"], around))


def sent(country: str, case: Case, **changes: Any) -> Case:
    """The case with its goods sent to a buyer in another country."""
    address = replace(ONA.address, country=country, postcode="10115")
    buyer = replace(ONA, address=address, vat_code=changes.pop("vat_code", ""))
    return with_order(case, buyer=buyer, ship_to=address, **changes)


UNTAXED = (a_line(taxes=()),)
PAID = NOON - timedelta(days=30)
REFUND = Refund(external_id="r1", created_at=NOON, total=Decimal("5.00"))

# One way to meet each code, and the subject and sentence it then has.
MET: dict[str, tuple[Callable[[], Case], str, str]] = {
    "no_lines": (
        lambda: with_order(fine(), lines=(), total=Decimal("5.00"), total_tax=Decimal(0)),
        "",
        "The order has a total of 5.00 EUR but no lines.",
    ),
    "total_negative": (
        lambda: with_order(fine(), lines=(a_line(net=Decimal("-10.00"), taxes=(a_tax(amount="-2.10"),)),)),
        "",
        "The total is -12.10 EUR, below zero.",
    ),
    "total_differs": (
        lambda: with_order(fine(), total=Decimal("12.20")),
        "0.10 EUR",
        "The store's total is 12.20 EUR, its lines add up to 12.10 EUR.",
    ),
    "difference_rounded": (
        lambda: with_order(fine(), total_tax=Decimal("2.11"), total=Decimal("12.11")),
        "vat",
        "The store's VAT is 2.11 EUR, that of its lines 2.10 EUR.",
    ),
    "vat_differs": (
        lambda: with_order(fine(), total_tax=Decimal("2.00")),
        "",
        "The store's VAT is 2.00 EUR, that of its lines 2.10 EUR.",
    ),
    "tax_rate_missing": (
        lambda: with_order(fine(), lines=(a_line(taxes=(a_tax(None),)),)),
        "1",
        "Line 1 (SKU KN-01) carries a tax of 2.10 EUR whose rate the store does not say.",
    ),
    "vat_rate_unknown": (
        lambda: with_order(fine(), lines=(a_line(taxes=(a_tax("9", "0.90"),)),)),
        "LT 9",
        "VAT of 9 % is not valid in LT on 2026-11-23.",
    ),
    "marketplace_vat": (
        lambda: with_order(fine(), lines=(a_line(taxes=(a_tax(collected_by_marketplace=True),)),)),
        "",
        "The VAT of line 1 (SKU KN-01) was collected by the marketplace.",
    ),
    "not_vat_payer": (
        lambda: with_vat(fine(), company=CompanyVat(is_payer=False)),
        "",
        "The order carries 2.10 EUR of VAT, but the company was no VAT payer on 2026-11-23.",
    ),
    "issued_not_payer": (
        lambda: with_vat(
            with_order(fine(), placed_at=PAID, paid_at=PAID, shipped_at=NOON),
            company=CompanyVat(payer_from=date(2026, 11, 1)),
        ),
        "",
        "The invoice is dated 2026-10-24, when the company was no VAT payer, and carries 2.10 EUR of VAT.",
    ),
    "classifier_missing": (
        lambda: with_vat(with_order(fine(), lines=UNTAXED)),
        "domestic none goods",
        "There is no classifier code for a sale at home, without VAT, goods, on 2026-11-23.",
    ),
    "vat_by_hand": (
        lambda: with_vat(fine(), warehouse_country="PL"),
        "warehouse_abroad",
        "PL: register by hand, because the goods start from a warehouse abroad, where their VAT belongs.",
    ),
    "eu_untaxed": (
        lambda: with_vat(sent("DE", fine(), lines=UNTAXED)),
        "DE",
        "The order to DE carries no VAT, and the buyer gave no VAT code of another EU state.",
    ),
    "vat_number_unconfirmed": (
        lambda: with_vat(sent("DE", fine(), lines=UNTAXED, vat_code="136695976")),
        "DE136695976",
        "Nobody has confirmed the buyer's VAT code DE136695976 yet, and the order to DE carries no VAT.",
    ),
    "vat_number_refused": (
        lambda: with_vat(
            sent("DE", fine(), lines=UNTAXED, vat_code="DE136695976"),
            confirmation=Confirmation("DE136695976", valid=False, day=date(2026, 11, 24)),
        ),
        "DE136695976",
        (
            "VIES said on 2026-11-24 that the buyer's VAT code DE136695976 is not registered, "
            "and the order carries no VAT."
        ),
    ),
    "export_unproven": (
        lambda: with_vat(sent("US", fine(), lines=UNTAXED), order_ref="7"),
        "US",
        "Order 1001 went to US without VAT, and the number of its customs declaration (MRN) is not here.",
    ),
    "oss_off": (
        lambda: with_vat(sent("EE", fine(), lines=(a_line(taxes=(a_tax("24", "2.40"),)),))),
        "EE 24",
        "VAT of 24 % is that of EE, and the company did not take part in OSS on 2026-11-23.",
    ),
    "oss_rate": (
        lambda: with_vat(sent("EE", fine()), company=CompanyVat(oss_from=date(2026, 1, 1))),
        "EE 21",
        "VAT of 21 % is that of LT, but under OSS the rate of EE was due on 2026-11-23.",
    ),
    "eu_threshold": (
        lambda: with_vat(sent("EE", fine()), sales=SalesOfDays({date(2026, 3, 1): Decimal("9990.01")})),
        "2026",
        "With this order, 10000.01 EUR were sold to consumers of other EU states in 2026; 10000.00 EUR are allowed.",
    ),
    "charge_rate_differs": (
        lambda: with_order(fine(), lines=(a_line(taxes=(a_tax("5", "0.50"),)),), charges=(a_charge(),)),
        "shipping 21",
        "“Courier” carries VAT of 21 %, but the goods 5 %.",
    ),
    "item_unknown": (
        lambda: with_facts(fine(), items=(None,)),
        "KN-01",
        "SKU KN-01 on line 1 is not among the items.",
    ),
    "common_item_missing": (
        lambda: with_facts(
            fine(unknown_items="common", common_item="OTHER"), items=(None,), common_item_exists=False
        ),
        "OTHER",
        "The common item OTHER for unknown items does not exist.",
    ),
    "quantity_missing": (
        lambda: with_order(fine(), lines=(a_line(quantity=Decimal(0)),)),
        "1",
        "Line 1 (SKU KN-01) has quantity 0 but costs 10.00 EUR.",
    ),
    "warehouse_missing": (
        lambda: with_facts(fine(warehouse="GONE"), warehouse=""),
        "GONE",
        "There is no warehouse GONE.",
    ),
    "currency_rate_missing": (
        lambda: with_facts(with_order(fine(), currency="USD"), eur_rate=None),
        "USD 2026-11-23",
        "There is no rate of USD for 2026-11-23.",
    ),
    "number_missing": (
        lambda: fine(number_from="invoice"),
        "",
        "The store has not given order 1001 an invoice number yet.",
    ),
    "number_by_hand": (
        lambda: with_facts(fine(), number_by_hand="K-1001-B", number_of_settings="K-1001"),
        "",
        "The number K-1001-B was given by hand, because K-1001 belongs to another document.",
    ),
    "period_closed": (
        lambda: with_facts(fine(), closed_until=date(2026, 11, 30)),
        "2026-11",
        "The invoice is dated 2026-11-23, and periods until 2026-11-30 are closed.",
    ),
    "vat_code_invalid": (
        lambda: with_facts(
            with_order(fine(), buyer=replace(an_order().buyer, vat_code="LT119511514")), vat_code_problem="checksum"
        ),
        "LT119511514",
        "The buyer's VAT code LT119511514 can't be right: its check digit does not fit.",
    ),
    "company_code_invalid": (
        lambda: with_facts(
            with_order(fine(), buyer=replace(an_order().buyer, company_code="12")), company_code_problem="length"
        ),
        "12",
        "The buyer's company code 12 can't be right: its length is wrong.",
    ),
    "refund_not_booked": (
        lambda: with_facts(fine(refunds="off"), refunds=(REFUND,)),
        "",
        "The store has refunded 5.00 EUR of this order (2026-11-23).",
    ),
    "date_by_hand": (
        lambda: with_facts(fine(), date_by_hand=date(2026, 11, 24), date_of_settings="2026-10-31"),
        "",
        "The invoice is dated 2026-11-24 by hand instead of 2026-10-31; the supply date is kept.",
    ),
    "posting_manual": (
        lambda: fine(register_automatically=False),
        "",
        "Entering is manual for this integration.",
    ),
}  # fmt: skip

# Not of a draft alone: made where balances are locked, where an order changed, where a credit note waits.
ELSEWHERE = {"difference_accepted", "stock_short", "changed_in_store", "change_ignored", "invoice_not_registered"}
ELSEWHERE |= {"goods_unanswered", "refund_amount_only", "refund_exceeds", "refund_gone", "refund_incomplete"}
ELSEWHERE |= {"refund_left", "refund_over", "refund_waits"}
# Of what people did: measured and decided where corrections and decisions are.
ELSEWHERE |= {"base_differs", "quantity_differs", "kind_changed", "rate_decision_ended", "buyer_decision_ended"}
ELSEWHERE |= {"company_charged"}  # of an invoice to another buyer: test_treated


def test_every_code_is_met_by_a_test() -> None:
    assert set(MET) | ELSEWHERE == set(CODES)
    assert not set(MET) & ELSEWHERE


def test_an_order_with_nothing_wrong_has_no_finding() -> None:
    assert found(fine()) == []


@pytest.mark.parametrize("code", MET)
def test_a_check_says_what_is_wrong_with_the_actual_values(code: str) -> None:
    case, subject, sentence = MET[code]
    [finding] = [finding for finding in found(case()) if finding.code == code]
    assert finding.subject == subject
    assert describe(finding).wrong == sentence


@pytest.mark.parametrize("code", MET)
@pytest.mark.parametrize("language", ["en", "lt"])
def test_a_check_leaves_no_placeholder_unfilled(code: str, language: str) -> None:
    for finding in found(MET[code][0]()):
        text = describe(finding, language)
        for sentence in (text.wrong, text.why, text.fix):
            assert "?" not in sentence
            assert "{" not in sentence
            assert "  " not in sentence


@pytest.mark.parametrize("code", sorted(set(MET) - {"no_lines", "total_negative", "vat_differs"}))
def test_one_thing_wrong_is_one_finding(code: str) -> None:
    assert [finding.code for finding in found(MET[code][0]())] == [code]


@pytest.mark.parametrize("code", MET)
def test_only_few_findings_are_mere_notices(code: str) -> None:
    [finding] = [finding for finding in found(MET[code][0]()) if finding.code == code]
    assert finding.stops is (
        code
        not in (
            "company_code_invalid",
            "date_by_hand",
            "charge_rate_differs",
            "refund_not_booked",
            "difference_rounded",
        )
    )


def test_a_shortage_names_item_warehouse_needed_and_on_hand() -> None:
    finding = stock_short(item="KN-01", warehouse="MAIN", needed=Decimal("3.0"), on_hand=Decimal("0.500"))
    text = describe(finding)
    assert finding.subject == "MAIN KN-01"
    assert text.wrong == "KN-01 is short in warehouse MAIN: 3 needed, 0.5 on hand."
    assert text.fix == "Receive KN-01 into MAIN, or change the warehouse; then check again."


# --- figures


def test_vat_of_one_rate_is_named_by_its_rate() -> None:
    case = with_order(fine(), tax_totals=(TaxTotal(Decimal("21.0"), Decimal("2.00")),))
    [finding] = found(case)
    assert (finding.code, finding.subject) == ("vat_differs", "21")
    assert describe(finding).wrong == "The store's VAT 21 % is 2.00 EUR, that of its lines 2.10 EUR."
    assert describe(finding).why.endswith("a difference of -0.10 is no rounding.")


def test_a_cent_that_a_line_gave_way_to_is_told_with_the_line_that_carries_it() -> None:
    totals = (TaxTotal(Decimal("21.0"), Decimal("2.11"), base=Decimal("9.99")),)
    case = with_order(fine(), tax_totals=totals, total_tax=Decimal("2.11"), total=Decimal("12.10"))
    of_vat, of_base = found(case)
    assert (of_vat.subject, of_base.subject, of_vat.stops, of_base.stops) == ("vat 21", "base 21", False, False)
    assert describe(of_vat).wrong == "The store's VAT 21 % is 2.11 EUR, that of its lines 2.10 EUR."
    assert describe(of_vat).why == (
        "The store's figure stands: line 1 (KN-01) carries the 0.01, which is rounding (up to 0.01)."
    )
    assert describe(of_base).wrong == "The store's taxable value 21 % is 9.99 EUR, that of its lines 10.00 EUR."
    assert describe(of_base, "lt").wrong.startswith("Parduotuvės apmokestinamoji vertė 21 % yra 9.99 EUR")


def test_the_limit_that_is_shown_is_the_one_that_was_used() -> None:
    # Two rows, of which discounts on lines of their own make three lines.
    line = a_line(discount=Decimal("1.00"))
    case = with_order(fine(discounts="lines"), lines=(line,), charges=(a_charge(),), total=Decimal("17.00"))
    [finding] = found(case)
    assert finding.values["limit"] == "0.02"
    assert describe(finding).why == "A difference of 0.06 EUR is more than rounding (up to 0.02) explains."


# --- items


def test_an_item_is_looked_for_by_variation_then_product_then_sku_then_barcode() -> None:
    line = drafted(with_order(fine(), lines=(a_line(variation_id="7", barcode="477"),))).lines[0]
    assert line_keys(line) == [("variation", "7"), ("sku", "KN-01"), ("barcode", "477")]
    assert line_keys(replace(line, variation_id="0")) == [("product", "501"), ("sku", "KN-01"), ("barcode", "477")]
    assert line_keys(replace(line, variation_id="", product_id="0", sku="", barcode="")) == []


@pytest.mark.parametrize(
    ("line", "subject", "what"),
    [
        ({"sku": "KN-01"}, "KN-01", "SKU KN-01"),
        ({"sku": "", "variation_id": "7"}, "variation 7", "“Notebook”"),
        ({"sku": "", "variation_id": "0"}, "product 501", "“Notebook”"),
        ({"sku": "", "product_id": ""}, "Notebook", "“Notebook”"),
    ],
)
def test_unknown_items_are_grouped_by_what_the_store_knows_best(line: dict[str, str], subject: str, what: str) -> None:
    [finding] = found(with_facts(with_order(fine(), lines=(a_line(**line),)), items=(None,)))
    assert finding.subject == subject
    assert describe(finding).wrong == f"{what} on line 1 is not among the items."


def test_the_same_unknown_item_on_two_lines_is_one_finding() -> None:
    case = with_facts(with_order(fine(), lines=(a_line(), a_line(external_id="12"))), items=(None, None))
    assert [(finding.code, finding.subject) for finding in found(case)] == [("item_unknown", "KN-01")]


@pytest.mark.parametrize(
    "settings",
    [{"accounting_type": "amounts"}, {"unknown_items": "create"}, {"unknown_items": "common", "common_item": "OTHER"}],
)
def test_an_unknown_item_does_not_stop_who_needs_none(settings: dict[str, str]) -> None:
    assert found(with_facts(fine(**settings), items=(None,))) == []


def test_charges_need_no_item_and_no_quantity() -> None:
    case = with_order(fine(), charges=(a_charge(),))
    assert found(with_facts(case, items=(NOTEBOOK, None))) == []


def test_what_neither_costs_nor_counts_is_no_missing_quantity() -> None:
    free = a_line(external_id="12", quantity=Decimal(0), net=Decimal(0), taxes=())
    assert found(with_order(fine(), lines=(a_line(), free))) == []


def test_amounts_need_no_warehouse() -> None:
    assert found(with_facts(fine(accounting_type="amounts"), warehouse="")) == []


# --- rates


@pytest.mark.parametrize(
    ("rate", "amount", "ship_to", "wrong"),
    [
        ("21", "2.10", "LT", None),
        ("12", "1.20", "LT", None),
        ("0", "0.00", "LT", None),
        ("9", "0.90", "LT", "VAT of 9 % is not valid in LT on 2026-11-23."),
        ("24", "2.40", "EE", None),
        ("21", "2.10", "EE", None),
        ("25.5", "2.55", "EE", "VAT of 25.5 % is not valid in LT / EE on 2026-11-23."),
        ("25.50", "2.55", "FI", None),
    ],
)
def test_a_rate_is_one_of_our_country_or_of_the_country_of_delivery(
    rate: str, amount: str, ship_to: str, wrong: str | None
) -> None:
    order = an_order(lines=(a_line(taxes=(a_tax(rate, amount),)),))
    case = replace(fine(), order=replace(order, ship_to=replace(order.ship_to, country=ship_to)))
    assert [describe(finding).wrong for finding in found(case)] == ([wrong] if wrong else [])


def test_the_day_of_supply_decides_on_a_rate() -> None:
    old = NOON.replace(year=2025, month=12, day=31)
    nine = {"lines": (a_line(taxes=(a_tax("9", "0.90"),)),), "placed_at": old, "paid_at": old}
    assert found(with_order(fine(), **nine)) == []
    assert [f.code for f in found(with_order(fine(), **nine, shipped_at=NOON))] == ["vat_rate_unknown"]


@pytest.mark.parametrize(("setting", "stops"), [("stop", [True]), ("notice", [False]), ("off", [])])
def test_a_refused_rate_stops_is_told_or_is_let_be(setting: str, stops: list[bool]) -> None:
    case = with_order(fine(vat_rate_check=setting), lines=(a_line(taxes=(a_tax("9", "0.90"),)),))
    assert [finding.stops for finding in found(case)] == stops


# --- numbers, dates, refunds


@pytest.mark.parametrize(
    ("settings", "order", "missing"),
    [
        ({}, {"number": "1001"}, False),
        ({}, {"number": " "}, True),
        ({"number_from": "invoice"}, {"invoice_number": "SF-7"}, False),
        ({"number_from": "invoice"}, {"invoice_number": ""}, True),
        ({"number_from": "series"}, {"number": "", "invoice_number": ""}, False),
        ({"issued_by": "store"}, {"invoice_number": ""}, True),
        ({"issued_by": "store", "number_from": "series"}, {"invoice_number": ""}, True),
        ({"issued_by": "store"}, {"invoice_number": "SF-7"}, False),
    ],
)
def test_a_number_is_missing_where_the_chosen_source_has_none(
    settings: dict[str, str], order: dict[str, str], missing: bool
) -> None:
    codes = [finding.code for finding in found(with_order(fine(**settings), **order))]
    assert codes == (["number_missing"] if missing else [])


@pytest.mark.parametrize(("closed", "stops"), [(date(2026, 11, 22), False), (date(2026, 11, 23), True)])
def test_the_last_closed_day_is_closed(closed: date, stops: bool) -> None:
    codes = [finding.code for finding in found(with_facts(fine(), closed_until=closed))]
    assert codes == (["period_closed"] if stops else [])


def test_refunds_that_are_not_read_only_give_a_notice() -> None:
    assert found(with_facts(fine(), refunds=(REFUND,))) == []
    [finding] = found(with_facts(fine(refunds="off"), refunds=(REFUND, REFUND)))
    assert not finding.stops
    assert describe(finding).wrong == "The store has refunded 10.00 EUR of this order (2026-11-23, 2026-11-23)."


# --- all


def test_findings_come_in_the_order_of_the_checks_and_each_once() -> None:
    line = a_line(quantity=Decimal(0), taxes=(a_tax("9", "0.90"),))
    case = with_facts(with_order(fine(register_automatically=False), lines=(line, line)), items=(None, None))
    assert [(finding.code, finding.subject) for finding in found(case)] == [
        ("vat_rate_unknown", "LT 9"),
        ("item_unknown", "KN-01"),
        ("quantity_missing", "1"),
        ("quantity_missing", "2"),
        ("posting_manual", ""),
    ]


@given(
    st.lists(
        st.builds(
            a_line,
            net=st.decimals(-100, 100, places=4),
            quantity=st.decimals(-5, 5, places=3),
            sku=st.text(max_size=300),
            name=st.text(max_size=500),
            taxes=st.sampled_from([(), (a_tax(),), (a_tax(None),), (a_tax("9", "0.90"), a_tax("0", "0.00"))]),
        ),
        max_size=3,
    ),
    st.sampled_from(["", "XX", "EE", "EL"]),
    st.sampled_from(["goods", "amounts"]),
)
def test_no_order_makes_a_check_raise_and_every_subject_fits_its_column(
    lines: list[Any], country: str, accounting_type: str
) -> None:
    order = an_order(lines=tuple(lines))
    case = replace(
        fine(accounting_type=accounting_type), order=replace(order, ship_to=replace(order.ship_to, country=country))
    )
    case = with_facts(case, items=(None,) * 9, eur_rate=None, vat_code_problem="length")
    for finding in found(case):
        assert len(finding.subject) <= 200
        assert len(finding.code) <= 40
        assert all(isinstance(value, str) for value in finding.values.values())


def test_every_check_is_in_the_list_once() -> None:
    assert len(set(CHECKS)) == len(CHECKS) == 20


@pytest.mark.parametrize(
    ("amount", "text"),
    [("10", "10.00"), ("1E+3", "1000.00"), ("0.001", "0.001"), ("-0.5", "-0.50"), ("0", "0.00"), ("12.3400", "12.34")],
)
def test_an_amount_has_two_decimals_or_more(amount: str, text: str) -> None:
    assert money(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("number", "text"), [("10", "10"), ("1E+3", "1000"), ("2.500", "2.5"), ("0.000", "0"), ("-0.10", "-0.1")]
)
def test_a_number_has_no_needless_zeros(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text
