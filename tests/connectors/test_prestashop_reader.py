"""PrestaShop's orders as a real 8.0.3 gave them, read into the canonical order."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from monet_web.connectors import prestashop
from monet_web.domain.orders import LineKind, Order, PaymentKind, Unreadable
from tests.connectors.prestashop_recordings import BUNDLES, CONTEXT, DO_NOT_ADD_UP
from tests.connectors.readers import (
    by_rate,
    parts,
    rates_that_do_not_fit,
    spoiled,
    summed,
    summed_tax,
    tolerance,
)

D = Decimal

read = prestashop.PrestaShop.read


def order_of(bundle: dict[str, Any]) -> Order:
    order = read(bundle, CONTEXT)
    assert isinstance(order, Order), order
    return order


def order(number: str) -> Order:
    return order_of(BUNDLES[number])


def changed(number: str, **header: Any) -> dict[str, Any]:
    bundle = copy.deepcopy(BUNDLES[number])
    bundle["order"].update(header)
    return bundle


def test_a_hundred_recorded_orders_are_all_read() -> None:
    assert len(BUNDLES) == 100
    assert sum(isinstance(read(bundle, CONTEXT), Order) for bundle in BUNDLES.values()) == 100


@pytest.mark.parametrize("number", BUNDLES)
def test_lines_charges_and_vat_come_to_what_the_store_says(number: str) -> None:
    found = order(number)
    adds_up = abs(summed(found) - found.total) <= tolerance(found)
    tax_adds_up = abs(summed_tax(found) - found.total_tax) <= tolerance(found)
    assert (adds_up and tax_adds_up) is (number not in DO_NOT_ADD_UP)


@pytest.mark.parametrize("number", sorted(BUNDLES.keys() - DO_NOT_ADD_UP.keys()))
def test_the_vat_of_every_line_and_charge_is_that_of_its_rate(number: str) -> None:
    assert rates_that_do_not_fit(order(number), within=D("0.03")) == []


def test_an_order_has_its_buyer_lines_wrapping_payment_and_moments() -> None:
    found = order("23")
    assert (found.number, found.reference, found.currency) == ("23", "DRUCXWARN", "EUR")
    assert (found.total, found.total_tax) == (D("163.24"), D("27.95"))
    assert (found.buyer.name, found.buyer.company) == ("Rūta Kazlauskienė", "VšĮ Žalioji banga")
    assert (found.buyer.vat_code, found.buyer.email) == ("LT100009876512", "ruta@vsi.lt")
    assert (found.ship_to.city, found.ship_to.country) == ("Utena", "LT")
    assert [(line.sku, line.quantity, line.net) for line in found.lines] == [
        ("demo_9", D(2), D("25.80")),
        ("LT-ZENKLAS", D(3), D("2.25")),
        ("LT-EKO", D(3), D("20.10")),
        ("LT-AKCIJA5", D(4), D("82.64")),
    ]
    assert (found.lines[0].product_id, found.lines[0].variation_id) == ("17", "35")
    assert [(charge.kind, charge.net, charge.taxes[0].rate) for charge in found.charges] == [
        (LineKind.SHIPPING, D("2.00"), D(21)),
        (LineKind.WRAPPING, D("2.50"), D(21)),
    ]
    assert by_rate(found) == {D(21): D("27.95"), D(0): D(0)}
    assert found.placed_at == datetime(2026, 9, 20, 21, 49, 45, tzinfo=UTC)
    assert found.paid_at == datetime(2026, 9, 22, 6, 25, 34, tzinfo=UTC)
    assert found.shipped_at == datetime(2026, 9, 24, 16, 43, 47, tzinfo=UTC)
    assert (found.invoice_number, found.invoice_date) == ("#IN000015", datetime(2026, 9, 22, 6, 25, 34, tzinfo=UTC))
    assert [(paid.method, paid.amount, paid.kind) for paid in found.payments] == [
        ("ps_checkpayment", D("163.24"), PaymentKind.PREPAID)
    ]
    assert found.fields["gift_message"] == 'Su gimtadieniu, Ąžuolai! ♥ & "sėkmės"'


def test_product_discounts_are_in_the_prices_already() -> None:
    line = order("72").lines[1]
    assert (line.sku, line.quantity, line.unit_price) == ("LT-AKCIJA20", D(4), D(50))
    assert (line.net, line.discount, line.taxes[0].amount) == (D(160), D(40), D("33.60"))


def test_split_carts_share_a_reference_and_a_payment_and_stay_two_orders() -> None:
    one, other = order("13"), order("14")
    assert one.reference == other.reference == "UARSMIFRM"
    assert (one.number, other.number) == ("13", "14")
    assert (one.total, other.total) == (D("182.46"), D("410.52"))
    # 592.98 was paid once for both: each counts its own share.
    assert [paid.amount for paid in one.payments] == [D("182.46")]
    assert [paid.amount for paid in other.payments] == [D("410.52")]


def test_a_foreign_currency_order_keeps_its_own_amounts_and_says_the_shop_s_rate() -> None:
    found = order("13")
    assert (found.currency, found.shop_currency) == ("USD", "EUR")
    assert found.shop_units_per_order_unit == D("0.9227646027")
    assert found.total_tax == 0
    assert found.lines[0].taxes == ()  # no tax, which is not 0 %


def test_an_order_exempt_by_the_vat_module_has_zero_per_cent_also_on_shipping_and_wrapping() -> None:
    found = order("80")
    assert found.buyer.vat_code == "DE123456789"
    assert [part.taxes[0].rate for part in parts(found)] == [0, 0, 0]
    assert found.total == D("26.41")


def test_free_shipping_takes_the_shipping_off_with_its_own_vat() -> None:
    found = order("17")
    assert found.total == 0
    assert [(charge.kind, charge.net, charge.taxes[0].amount) for charge in found.charges] == [
        (LineKind.SHIPPING, D("4.91"), D("1.03")),
        (LineKind.DISCOUNT, D("-4.91"), D("-1.03")),
    ]


def test_a_discount_lies_on_all_rates_in_proportion() -> None:
    found = order("18")  # 100 % off and free shipping
    assert found.total == 0
    discounts = [charge for charge in found.charges if charge.kind is LineKind.DISCOUNT]
    assert sum(charge.net for charge in discounts) == D("-85.91")
    assert {rate: abs(vat) <= D("0.02") for rate, vat in by_rate(found).items()} == dict.fromkeys(by_rate(found), True)


def test_a_rule_bound_to_the_book_lies_on_the_book_s_rate() -> None:
    found = order("21")
    book = next(line for line in found.lines if line.sku == "LT-ZODYNAS")
    discount = found.charges[-1]
    assert (discount.name, discount.net) == ("-20 % knygai", D("-7.34"))
    assert [(tax.rate, tax.amount) for tax in discount.taxes] == [(D(9), D("-0.66"))]
    assert book.taxes[0].rate == 9


def test_a_gift_is_a_line_and_a_discount_of_the_same_worth() -> None:
    found = order("97")
    discount = found.charges[-1]
    assert (discount.name, discount.net) == ("Dovana: arbata", D("-5.67"))
    assert [(tax.rate, tax.amount) for tax in discount.taxes] == [(D(5), D("-0.28"))]


def test_a_discount_that_the_rules_do_not_name_is_kept() -> None:
    bundle = copy.deepcopy(BUNDLES["21"])
    bundle["cart_rules"] = []
    found = order_of(bundle)
    assert sum(charge.net for charge in found.charges if charge.kind is LineKind.DISCOUNT) == D("-7.34")
    assert abs(summed(found) - D("87.19")) <= D("0.02")


def test_a_credit_slip_is_a_refund_with_the_rates_of_its_lines() -> None:
    (refund,) = order("41").refunds
    assert (refund.external_id, refund.total, refund.total_tax) == ("3", D("34.75"), D("6.03"))
    assert refund.created_at == datetime(2026, 10, 4, 7, 45, 13, tzinfo=UTC)
    (line,) = refund.lines
    assert (line.line_id, line.sku, line.quantity, line.net) == ("100", "demo_3", D(1), D("28.72"))
    assert [(tax.rate, tax.amount) for tax in line.taxes] == [(D(21), D("6.03"))]


def test_the_shipping_of_a_credit_slip_is_a_line_of_the_refund() -> None:
    (refund,) = order("83").refunds
    assert refund.total == D("1106.13")
    assert (refund.lines[-1].kind, refund.lines[-1].net) == (LineKind.SHIPPING, D("29.59"))
    assert sum(line.net + sum(tax.amount for tax in line.taxes) for line in refund.lines) == D("1106.13")


def test_states_are_judged_by_their_flags() -> None:
    assert (order("23").is_sale, order("23").is_paid) == (True, True)
    assert (order("21").is_sale, order("21").is_paid) == (False, False)  # on backorder, not paid
    assert (order("19").is_cancelled, order("19").invoice_number) == (True, "#IN000012")
    assert (order("28").is_refunded, order("28").is_sale) == (True, False)
    paid_on_backorder = order_of(changed("23", current_state=9))
    assert (paid_on_backorder.is_sale, paid_on_backorder.is_paid) == (False, True)
    assert order_of(changed("23", current_state=99)).is_sale  # a state that is gone: what the header kept of it


def test_cash_on_delivery_is_told_by_the_module() -> None:
    (paid,) = order("15").payments
    assert (paid.method, paid.kind) == ("ps_cashondelivery", PaymentKind.CASH_ON_DELIVERY)


def test_a_deleted_product_and_a_deleted_customer_leave_their_names() -> None:
    assert order("20").lines[1].name == "Senas modelis (bus ištrintas)"
    assert order("20").lines[1].sku == "LT-SENAS"
    orphan = order("7")
    assert (orphan.buyer.email, orphan.buyer.name != "") == ("", True)


def test_html_in_a_name_is_data() -> None:
    assert order("40").lines[0].name == "<b>Akcija!</b> Puodelis &amp; lėkštė – 50 % „nuolaida“ <br/>"


def test_the_doubled_hour_is_its_first_pass() -> None:
    assert order_of(changed("23", date_add="2026-10-25 03:30:00")).placed_at == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )
    assert order_of(changed("23", date_add="2026-10-25 04:30:00")).placed_at == datetime(
        2026, 10, 25, 2, 30, tzinfo=UTC
    )


LOOK = "In PrestaShop open the order and look at that value: a module or an import may have written it."


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (
            {"total_paid_tax_incl": "n/a"},
            f"The order's total (total_paid_tax_incl) should be a number and is 'n/a'. {LOOK}",
        ),
        ({"date_add": "0000-00-00 00:00:00"}, f"The order's date (date_add) is missing. {LOOK}"),
        (
            {"date_add": "yesterday"},
            f"The order's date (date_add) should be a date and time and is 'yesterday'. {LOOK}",
        ),
        (
            {"id_currency": 9},
            (
                "The order's currency (id_currency) is number 9, which is not among the shop's currencies. In "
                "PrestaShop open International → Localization → Currencies and add it again."
            ),
        ),
    ],
)
def test_an_order_that_makes_no_sense_says_where_and_what_to_do(header: dict[str, Any], reason: str) -> None:
    found = read(changed("23", **header), CONTEXT)
    assert isinstance(found, Unreadable)
    assert (found.external_id, found.number, found.reason) == ("23", "23", reason)
    placed = None if "date_add" in header else datetime(2026, 9, 20, 21, 49, 45, tzinfo=UTC)
    assert found.placed_at == placed


def test_a_line_that_did_not_come_is_noticed() -> None:
    bundle = copy.deepcopy(BUNDLES["23"])
    del bundle["details"][1]
    found = read(bundle, CONTEXT)
    assert isinstance(found, Unreadable)
    assert found.reason.startswith("The shop names line 51 (Pašto ženklas (0 % PVM)) of the order and does not give it")


def of_configuration(**more: Any) -> dict[str, Any]:
    """The recorded tables with rows of settings added."""
    context = copy.deepcopy(CONTEXT)
    context["configurations"] += [
        {"name": name, "id_shop": "", "id_shop_group": "", **row} for name, row in more.items()
    ]
    return context


@pytest.mark.parametrize(
    ("position", "printed"), [(None, "#IN000015"), ("0", "#IN000015/2026"), ("1", "#IN2026/000015")]
)
def test_the_invoice_number_is_printed_as_the_shop_prints_it(position: str | None, printed: str) -> None:
    context = CONTEXT
    if position is not None:
        context = of_configuration(PS_INVOICE_USE_YEAR={"value": "1"}, PS_INVOICE_YEAR_POS={"value": position})
    found = read(BUNDLES["23"], context)
    assert isinstance(found, Order)
    assert found.invoice_number == printed


def test_the_prefix_of_invoices_is_that_of_the_order_s_language_and_shop() -> None:
    context = copy.deepcopy(CONTEXT)
    ours = context["translated_configurations"][0]
    ours["value"] = [{"id": 1, "value": "EN-"}, {"id": 2, "value": "LT-"}]
    context["translated_configurations"].append({**ours, "id_shop": "7", "value": "B-"})
    for header, printed in (({"id_lang": 1}, "EN-000015"), ({"id_lang": 2}, "LT-000015"), ({"id_shop": 7}, "B-000015")):
        found = read(changed("23", **header), context)
        assert isinstance(found, Order)
        assert found.invoice_number == printed


def test_a_shop_of_several_has_its_own_time_zone() -> None:
    context = of_configuration(PS_TIMEZONE={"value": "Europe/London", "id_shop": "2"})
    here, there = read(BUNDLES["23"], context), read(changed("23", id_shop=2), context)
    assert isinstance(here, Order)
    assert isinstance(there, Order)
    assert there.placed_at - here.placed_at == timedelta(hours=2)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(bundle=spoiled([BUNDLES[number] for number in ("13", "18", "21", "23", "28", "41", "83", "97")]))
def test_no_foreign_data_makes_the_reader_raise(bundle: dict[str, Any]) -> None:
    assert isinstance(read(bundle, CONTEXT), Order | Unreadable)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(context=spoiled([CONTEXT]))
def test_no_foreign_table_makes_the_reader_raise(context: dict[str, Any]) -> None:
    assert isinstance(read(BUNDLES["41"], context), Order | Unreadable)
