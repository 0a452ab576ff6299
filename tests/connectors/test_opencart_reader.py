"""OpenCart's orders as the bridge gave them on real 3.0.4.1, 4.0.2.3 and 4.1.0.3, read into the canonical order."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from monet_web.connectors.opencart.reader import read_order as read
from monet_web.connectors.opencart.vat import status_list
from monet_web.domain.orders import LineKind, Order, PaymentKind, Unreadable
from tests.connectors.readers import by_rate, load, rates_that_do_not_fit, spoiled, summed, summed_tax, tolerance

D = Decimal
SHOPS = ("oc3", "oc40", "oc41")
INFO: dict[str, dict[str, Any]] = {shop: load("opencart", f"info_{shop}") for shop in SHOPS}
RAW: dict[tuple[str, str], dict[str, Any]] = {
    (shop, raw["order_id"]): raw for shop in SHOPS for raw in load("opencart", f"orders_{shop}")["orders"]
}


def order(number: str, shop: str = "oc3", **header: Any) -> Order:
    found = read({**RAW[shop, number], **header}, INFO[shop])
    assert isinstance(found, Order), found
    return found


def taxes(part: Any) -> list[tuple[Decimal | None, Decimal]]:
    return [(tax.rate, tax.amount) for tax in part.taxes]


def test_all_recorded_orders_of_the_three_versions_are_read() -> None:
    read_ones = [read(raw, INFO[shop]) for (shop, _), raw in RAW.items()]
    assert len(RAW) == 249
    assert sum(isinstance(found, Order) for found in read_ones) == 249


@pytest.mark.parametrize(("shop", "number"), RAW)
def test_lines_charges_and_vat_come_to_what_the_store_says(shop: str, number: str) -> None:
    found = order(number, shop)
    assert abs(summed(found) - found.total) <= tolerance(found)
    assert abs(summed_tax(found) - found.total_tax) <= tolerance(found)
    told = {total.rate: total.amount for total in found.tax_totals}
    ours = by_rate(found)
    for rate in told.keys() | ours.keys():
        assert abs(told.get(rate, D(0)) - ours.get(rate, D(0))) <= tolerance(found), rate
    assert rates_that_do_not_fit(found, within=D("0.05")) == []
    assert sum(paid.amount for paid in found.payments) == found.total


@pytest.mark.parametrize("number", [number for shop, number in RAW if shop == "oc3"])
def test_the_versions_agree_on_shipping_fees_and_discounts(number: str) -> None:
    """4.x says the tax class of the shipping, 3.x says nothing: what is worked out there must be the same."""

    def charges(shop: str) -> list[Any]:
        return [(c.kind, c.net, taxes(c)) for c in order(number, shop).charges if c.external_id != "sub_total"]

    assert charges("oc3") == charges("oc40") == charges("oc41")


def test_texts_are_unescaped_once_and_lose_their_tags() -> None:
    found = order("6")
    assert found.buyer.company == 'UAB "Saulė & Mėnulis"'
    assert order("2").lines[0].options == (("Select", "Red"), ("Text", 'Užrašas: "Ąžuolai & Ko" <3'))
    product = {**RAW["oc3", "2"]["products"][0], "name": "De'Longhi &lt;b&gt;3in1&lt;/b&gt; 15&quot; &amp;amp; Ko"}
    assert order("2", products=[product]).lines[0].name == "De'Longhi 3in1 15\" &amp; Ko"


def test_company_codes_come_from_custom_fields_by_their_names() -> None:
    found = order("6")
    assert (found.buyer.company_code, found.buyer.vat_code) == ("302345678", "LT100001234511")
    assert found.fields == {
        "Įmonės kodas": "302345678",
        "PVM mokėtojo kodas": "LT100001234511",
        "Pirkėjo tipas": "Įmonė",
    }
    assert order("6", payment_custom_field=[], custom_field="", shipping_custom_field={}).buyer.company_code == ""


def test_moments_are_the_shop_s_and_the_first_shipped_status_is_the_supply() -> None:
    found = order("6")
    assert found.placed_at == datetime(2026, 9, 17, 1, 5, 9, tzinfo=UTC)
    assert found.shipped_at == datetime(2026, 9, 18, 11, 21, 44, tzinfo=UTC)
    assert order("3").shipped_at is None  # pending
    assert found.invoice_number == "SF-2026-1"
    assert order("3").invoice_number == ""


def test_a_percentage_coupon_lowers_the_rate_s_base() -> None:
    found = order("3")
    shipping, discount = found.charges
    assert (shipping.kind, shipping.net, taxes(shipping)) == (LineKind.SHIPPING, D("4.13"), [(D(21), D("0.8673"))])
    assert (discount.name, discount.net) == ("Coupon (RUDUO10)", D("-5.9504"))
    assert taxes(discount) == [(D(21), D("-1.2497"))]
    assert found.total == D("69.7972")


def test_a_fixed_coupon_falls_on_each_rate_by_what_its_tax_row_misses() -> None:
    discounts = [charge for charge in order("36").charges if charge.kind is LineKind.DISCOUNT]
    assert [(charge.net, taxes(charge)) for charge in discounts] == [
        (D("-2.743911"), [(D(21), D("-0.5763"))]),
        (D("-2.256089"), [(D(9), D("-0.2031"))]),
    ]
    assert sum(charge.net for charge in discounts) == D("-5.0000")


def test_a_free_shipping_coupon_takes_the_shipping_and_its_vat() -> None:
    found = order("10")
    assert [(charge.kind, charge.net, taxes(charge)) for charge in found.charges] == [
        (LineKind.SHIPPING, D("4.13"), [(D(21), D("0.8673"))]),
        (LineKind.DISCOUNT, D("-4.13"), [(D(21), D("-0.8674"))]),
    ]


def test_a_coupon_for_everything_leaves_nothing_to_pay() -> None:
    found = order("48")
    assert found.total == found.total_tax == 0
    assert found.payments == ()
    assert [charge.net for charge in found.charges] == [-100]


def test_an_unknown_total_is_a_fee_or_a_discount_under_its_own_name() -> None:
    fee = next(charge for charge in order("36").charges if charge.kind is LineKind.FEE)
    assert (fee.name, fee.net, fee.taxes) == ("Apmokėjimo atsiimant mokestis", D("1.5"), ())
    raw = RAW["oc3", "6"]
    totals = [*raw["totals"], {"order_total_id": "900", "code": "lojalumas", "title": "Taškai", "value": "-2.0000"}]
    found = order("6", totals=totals)
    assert (found.charges[-1].kind, found.charges[-1].name) == (LineKind.DISCOUNT, "Taškai")
    assert found.charges[-1].net == -2


def test_a_fixed_tax_is_a_charge_without_vat_and_not_a_rate() -> None:
    found = order("60")
    tyre = next(line for line in found.lines if line.sku == "LT-EKO")
    assert (tyre.net, taxes(tyre)) == (D(50), [(D(21), D("10.5"))])
    assert (found.charges[0].name, found.charges[0].net, found.charges[0].taxes) == ("Pakuotės mokestis", D("1.5"), ())
    assert [(total.rate, total.amount) for total in found.tax_totals] == [(D(21), D("35.4499"))]


def test_a_gift_certificate_pays_a_part_and_lowers_no_vat() -> None:
    found = order("6")
    assert found.total == D("62.9972")
    assert [(paid.kind, paid.amount, paid.title) for paid in found.payments] == [
        (PaymentKind.GIFT_CARD, D(20), "Gift Certificate (KUP5)"),
        (PaymentKind.CASH_ON_DELIVERY, D("42.9972"), "Cash On Delivery"),
    ]
    assert [charge.kind for charge in found.charges] == [LineKind.SHIPPING]


def test_a_gift_certificate_that_is_sold_is_a_line_without_tax() -> None:
    voucher = order("14").lines[-1]
    assert (voucher.kind, voucher.net) == (LineKind.VOUCHER, D(30))
    assert voucher.taxes == ()
    # 4.1 has no table of them; their value is in the sub-total alone, and must not be lost.
    assert [line.kind for line in order("14", "oc41").lines] == [LineKind.GOODS, LineKind.GOODS]
    assert ("sub_total", D(30)) in [(charge.external_id, charge.net) for charge in order("14", "oc41").charges]


def test_a_dollar_order_is_the_base_amount_times_the_order_s_rate_exactly() -> None:
    found = order("22")
    assert (found.currency, found.shop_currency) == ("USD", "EUR")
    assert found.total == D("111.48249477")
    assert found.lines[0].net == D("96.7267272")  # 89.2560 × 1.0837
    assert found.shop_units_per_order_unit == D("0.9227646027")


def test_no_tax_class_is_no_tax_and_a_class_of_zero_is_zero_per_cent() -> None:
    by_sku = {line.sku: line for line in order("4").lines}
    assert by_sku["LT-KUPONAS"].taxes == ()
    assert taxes(by_sku["LT-ZENKLAS"]) == [(D(0), D(0))]
    assert taxes(by_sku["LT-VARZTAS"]) == [(D(21), D("4.0250"))]  # 0.0070 a piece × 575


def test_a_deleted_product_keeps_its_name_and_model() -> None:
    line = next(line for line in order("4").lines if line.product_id == "107")
    assert (line.name, line.sku, line.barcode) == ("Senas modelis (bus ištrintas)", "LT-SENAS", "")
    assert taxes(line) == [(D(21), D("27.7620"))]


def test_statuses_are_judged_by_the_shop_s_own_lists() -> None:
    assert (order("6").status, order("6").is_sale, order("6").is_paid) == ("3", True, True)
    canceled, refunded = order("6", order_status_id="7"), order("6", order_status_id="11")
    assert (canceled.is_sale, canceled.is_cancelled) == (False, True)
    assert (refunded.is_sale, refunded.is_refunded) == (False, True)
    assert not order("6", order_status_id="0").is_sale
    assert status_list('["5","1"]') == {"5", "1"}
    assert status_list('a:2:{i:0;s:1:"5";i:1;s:2:"15";}') == {"5", "15"}
    assert status_list(None) == frozenset()


def test_a_version_four_order_without_payment_address_is_bought_by_who_it_is_sent_to() -> None:
    empty = {key: "" for key in RAW["oc41", "6"] if key.startswith("payment_") and "custom" not in key}
    found = order("6", "oc41", **{**empty, "payment_method": {"name": "Cash On Delivery", "code": "cod.cod"}})
    assert (found.buyer.name, found.buyer.address.city) == ("Ąžuolas Žvirblis", "Šiauliai")
    assert found.payments[-1].kind is PaymentKind.CASH_ON_DELIVERY


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"total": "12,50"}, "the total should be a number and is '12,50'. {anew}"),
        (
            {"currency_value": "0.00000000"},
            "the exchange rate of the order (currency_value) should be above 0 and is '0E-8'. {anew}",
        ),
        ({"date_added": ""}, "the date of the order or of a step in its history (date_added) is missing. {anew}"),
        ({"totals": "none"}, "the list of totals should be a list and is 'none'. {anew}"),
    ],
)
def test_an_order_that_makes_no_sense_says_where_and_what(header: dict[str, Any], reason: str) -> None:
    found = read({**RAW["oc3", "6"], **header}, INFO["oc3"])
    said = f"Order 6 cannot be read: {reason}".format(anew="Open it in the shop's admin and save it anew.")
    assert found == Unreadable(external_id="6", number="6", reason=said)


def test_an_unknown_time_zone_is_named() -> None:
    info = copy.deepcopy(INFO["oc3"])
    info["settings"]["config_timezone"] = "Mars/Olympus"
    found = read(RAW["oc3", "6"], info)
    assert isinstance(found, Unreadable)
    assert found.reason == (
        "Order 6 cannot be read: the shop's time zone (config_timezone) should be a time zone like Europe/Vilnius and "
        "is 'Mars/Olympus'. Correct the shop's settings."
    )


SPOILT = [RAW[shop, number] for shop in ("oc3", "oc41") for number in ("3", "6", "14", "22", "36", "60")]


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(raw=spoiled(SPOILT))
def test_no_foreign_data_makes_the_reader_raise(raw: dict[str, Any]) -> None:
    assert isinstance(read(raw, INFO["oc41"]), Order | Unreadable)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(info=spoiled([INFO["oc3"]]))
def test_no_foreign_table_makes_the_reader_raise(info: dict[str, Any]) -> None:
    assert isinstance(read(RAW["oc3", "36"], info), Order | Unreadable)
