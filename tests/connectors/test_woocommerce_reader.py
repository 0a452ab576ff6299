"""What WooCommerce's fields mean, on recorded orders; each test's name is the fact."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monet_web.connectors.woocommerce.reader import read_order
from monet_web.domain.orders import Charge, LineKind, Order, OrderLine, PaymentKind, Unreadable
from tests.connectors.recordings import bundle, bundles


def order(source: int | dict[str, Any], **changes: Any) -> Order:
    """A recorded order, some of its fields replaced, read."""
    entry = bundle(source) if isinstance(source, int) else source
    entry["order"].update(changes)
    found = read_order(entry)
    assert isinstance(found, Order), found
    return found


def problem(source: dict[str, Any]) -> Unreadable:
    found = read_order(source)
    assert isinstance(found, Unreadable), found
    return found


def gross(found: Order) -> Decimal:
    rows: tuple[OrderLine | Charge, ...] = (*found.lines, *found.charges)
    return sum(
        (row.net + sum(tax.amount for tax in row.taxes) for row in rows), Decimal(0)
    )  # fmt: skip


@pytest.mark.parametrize("order_id", [entry["order"]["id"] for entry in bundles()])
def test_lines_charges_and_taxes_of_every_recorded_order_add_up_to_its_total(order_id: int) -> None:
    found = order(order_id)
    assert gross(found) == found.total


@pytest.mark.parametrize("order_id", [entry["order"]["id"] for entry in bundles() if entry["refunds"]])
def test_lines_of_every_recorded_refund_add_up_to_its_total(order_id: int) -> None:
    for refund in order(order_id).refunds:
        assert refund.complete
        if refund.lines:
            assert sum(line.net + sum(tax.amount for tax in line.taxes) for line in refund.lines) == refund.total


def test_amounts_are_net_whatever_prices_include_tax_says() -> None:
    found = order(177)
    assert found.prices_include_tax is True
    line = next(line for line in found.lines if line.quantity == 10)
    assert (line.net, line.taxes[0].amount) == (Decimal("772.73"), Decimal("162.27"))


def test_total_is_never_lowered_by_refunds() -> None:
    found = order(99)
    assert found.total == Decimal("284.57")
    assert found.refunds[0].total == Decimal("284.57")
    assert found.is_refunded


def test_an_amount_only_refund_has_no_lines_and_its_vat_is_not_known() -> None:
    refund = order(103).refunds[0]
    assert (refund.total, refund.lines, refund.total_tax, refund.complete) == (Decimal("262.55"), (), None, True)
    assert refund.created_at == datetime(2026, 9, 18, 19, 27, 23, tzinfo=UTC)


def test_a_refunds_lines_point_at_the_orders_lines_and_keep_their_rates() -> None:
    refund = order(129).refunds[0]
    goods, shipping = refund.lines
    assert (goods.line_id, goods.quantity, goods.net) == ("158", Decimal(1), Decimal("5.37"))
    assert (goods.taxes[0].rate, goods.taxes[0].amount) == (Decimal(9), Decimal("0.48"))
    assert (shipping.line_id, shipping.kind, shipping.net) == ("161", LineKind.SHIPPING, Decimal("4.13"))
    assert (shipping.taxes[0].rate, shipping.taxes[0].amount) == (Decimal(21), Decimal("0.87"))
    assert refund.total_tax == Decimal("1.35")


def test_a_refund_whose_detail_could_not_be_fetched_is_incomplete_and_not_forgotten() -> None:
    entry = bundle(129)
    entry["refunds"] = None
    refund = order(entry).refunds[0]
    assert (refund.complete, refund.total, refund.lines) == (False, Decimal("10.85"), ())


def test_a_refund_without_total_tax_as_old_versions_give_it_is_read() -> None:
    entry = bundle(99)
    entry["refunds"] = []
    del entry["order"]["refunds"][0]["total_tax"]
    assert order(entry).refunds[0].total_tax is None


def test_a_refund_made_between_the_two_questions_counts() -> None:
    entry = bundle(129)
    entry["order"]["refunds"] = []
    assert [refund.external_id for refund in order(entry).refunds] == ["130"]


def test_a_line_refunded_in_money_with_quantity_0_keeps_its_money() -> None:
    entry = bundle(129)
    entry["refunds"][0]["line_items"][0]["quantity"] = 0
    line = order(entry).refunds[0].lines[0]
    assert (line.quantity, line.net) == (Decimal(0), Decimal("5.37"))


def test_only_gmt_dates_are_used() -> None:
    found = order(99, date_created="1999-01-01T00:00:00", date_paid="1999-01-01T00:00:00")
    assert found.placed_at == datetime(2026, 9, 15, 14, 41, 23, tzinfo=UTC)
    assert found.paid_at == datetime(2026, 9, 15, 16, 20, 20, tzinfo=UTC)
    assert found.shipped_at == datetime(2026, 9, 16, 2, 39, 7, tzinfo=UTC)


def test_taxes_empty_is_no_tax_and_not_0_percent() -> None:
    assert order(103).charges[-1].taxes == ()


def test_a_0_percent_rate_is_a_tax_of_0() -> None:
    entry = bundle(99)
    entry["order"]["tax_lines"][0]["rate_percent"] = 0
    assert order(entry).lines[0].taxes[0].rate == Decimal(0)


def test_the_rate_stays_after_the_shop_deleted_it_because_the_order_keeps_its_percent() -> None:
    assert {total.rate for total in order(136).tax_totals} == {Decimal(22)}


def test_a_tax_class_with_no_word_on_percent_is_no_rate() -> None:
    entry = bundle(127)
    entry["order"]["tax_lines"] = []
    fee = next(charge for charge in order(entry).charges if charge.kind is LineKind.FEE)
    assert entry["order"]["fee_lines"][0]["tax_class"] == "pvm-9"
    assert fee.taxes[0].rate is None


def test_where_rate_percent_is_missing_the_digits_of_the_label_are_the_rate() -> None:
    entry = bundle(99)
    for line in entry["order"]["tax_lines"]:
        del line["rate_percent"]
    assert [total.rate for total in order(entry).tax_totals] == [Decimal(21), Decimal(5)]
    entry["order"]["tax_lines"][0].update(label="PVM", rate_code="LT-PVM-1")
    assert order(entry).tax_totals[0].rate is None


def test_a_negative_fee_that_spreads_over_two_rates_is_one_charge_with_two_taxes() -> None:
    fee = next(charge for charge in order(131).charges if charge.kind is LineKind.FEE)
    assert fee.net == Decimal("-3.00")
    assert [(tax.rate, tax.amount) for tax in fee.taxes] == [
        (Decimal(9), Decimal("-0.08")),
        (Decimal(21), Decimal("-0.45")),
    ]


def test_a_fee_whose_tax_by_rate_is_a_cent_off_takes_the_amount_that_adds_up() -> None:
    fee = next(charge for charge in order(143).charges if charge.kind is LineKind.FEE)
    assert bundle(143)["order"]["fee_lines"][0]["taxes"][0]["total"] == "0.32"
    assert fee.taxes[0].amount == Decimal("0.31")


def test_tax_that_no_rate_explains_is_not_lost() -> None:
    entry = bundle(99)
    entry["order"]["line_items"][0]["taxes"] = []
    tax = order(entry).lines[0].taxes[0]
    assert (tax.rate, tax.amount) == (None, Decimal("3.21"))


def test_shipping_tax_is_part_of_the_rates_total() -> None:
    entry = bundle(99)
    entry["order"]["tax_lines"][0]["shipping_tax_total"] = "0.87"
    assert order(entry).tax_totals[0].amount == Decimal("39.61")


def test_two_rate_ids_of_one_percent_are_one_total() -> None:
    entry = bundle(99)
    entry["order"]["tax_lines"][1].update(rate_percent=21, rate_id=3)
    assert [(total.rate, total.amount) for total in order(entry).tax_totals] == [(Decimal(21), Decimal("41.66"))]


def test_coupons_are_inside_the_lines_and_never_subtracted_again() -> None:
    with_coupons = [found for found in bundles() if found["order"]["coupon_lines"]]
    assert with_coupons
    for entry in with_coupons:
        found = order(entry)
        assert all(charge.kind in (LineKind.SHIPPING, LineKind.FEE) for charge in found.charges)
        assert gross(found) == found.total
    assert any(line.discount > 0 for entry in with_coupons for line in order(entry).lines)


def test_the_unit_price_is_before_discount_and_price_stands_in_for_quantity_0() -> None:
    entry = bundle(99)
    entry["order"]["line_items"][0].update(quantity=2, subtotal="20.00", total="15.00")
    line = order(entry).lines[0]
    assert (line.unit_price, line.net, line.discount) == (Decimal(10), Decimal("15.00"), Decimal("5.00"))
    entry["order"]["line_items"][0].update(quantity=0, price=Decimal("7.5"))
    assert order(entry).lines[0].unit_price == Decimal("7.5")


def test_a_decimal_quantity_is_kept_exactly() -> None:
    entry = bundle(99)
    for quantity in (Decimal("2.345"), 2.345, "2.345"):
        entry["order"]["line_items"][0]["quantity"] = quantity
        assert order(entry).lines[0].quantity == Decimal("2.345")


def test_a_product_that_is_gone_keeps_its_name_and_its_money() -> None:
    line = order(99).lines[4]
    assert (line.product_id, line.sku, line.name) == ("", "", "Variantai be SKU - A")
    assert line.options == (("rusis", "A"),)


def test_a_variation_is_known_by_its_own_id_beside_its_parents() -> None:
    line = order(99).lines[0]
    assert (line.product_id, line.variation_id, line.sku) == ("81", "84", "VAR-P")


def test_entities_in_a_name_are_resolved_once_and_literal_text_stays() -> None:
    entry = bundle(99)
    entry["order"]["line_items"][0]["name"] = "Sūris &amp; duona <b>&amp;lt;</b>"
    assert order(entry).lines[0].name == "Sūris & duona <b>&lt;</b>"


def test_number_is_for_people_and_id_is_the_key() -> None:
    found = order(99, number="MW-2026-00409")
    assert (found.external_id, found.number, found.reference) == ("99", "MW-2026-00409", "99")


def test_the_codes_of_a_company_come_from_the_plugins_that_ask_for_them() -> None:
    companies = [order(entry) for entry in bundles()]
    assert {found.buyer.vat_code for found in companies} >= {"LT119511515", ""}
    assert any(found.fields.get("billing_pvm_kodas") and found.buyer.vat_code for found in companies)
    assert any(found.buyer.company_code == "111955155" for found in companies)
    assert all("billing.company" in found.fields for found in companies if found.buyer.company)


def test_meta_data_that_is_nested_is_skipped_and_underscore_keys_are_kept() -> None:
    found = order(
        99, meta_data=[{"key": "_a", "value": " x "}, {"key": "b", "value": {"c": [1]}}, {"key": "n", "value": 7}, 5]
    )
    assert {key: found.fields[key] for key in ("_a", "n")} == {"_a": "x", "n": "7"}
    assert found.fields.get("b", "") == ""


def test_the_invoice_number_of_a_plugin_is_the_stores_own_invoice() -> None:
    found = order(
        99,
        meta_data=[
            {"key": "_wcpdf_invoice_number", "value": "INV-5"},
            {"key": "_wcpdf_invoice_date", "value": "1790000000"},
        ],
    )
    assert found.invoice_number == "INV-5"
    assert found.invoice_date == datetime.fromtimestamp(1790000000, UTC)
    assert order(99).invoice_number == ""


@pytest.mark.parametrize(
    ("status", "paid", "method", "is_sale", "is_paid", "is_cancelled"),
    [
        ("processing", None, "cod", True, True, False),
        ("completed", None, "bacs", True, True, False),
        ("on-hold", None, "bacs", False, False, False),
        ("pending", "2026-09-15T16:20:20", "bacs", False, False, False),
        ("failed", None, "stripe", False, False, False),
        ("cancelled", "2026-09-15T16:20:20", "stripe", False, True, True),
        ("trash", None, "stripe", False, False, True),
        ("shipped", "2026-09-15T16:20:20", "stripe", False, True, False),
        ("shipped", None, "cod", False, True, False),
        ("shipped", None, "bacs", False, False, False),
        ("checkout-draft", None, "", False, False, False),
        ("somebodys-own", None, "", False, False, False),
    ],
)
def test_what_a_status_means(
    status: str, paid: str | None, method: str, is_sale: bool, is_paid: bool, is_cancelled: bool
) -> None:
    found = order(99, status=status, date_paid_gmt=paid, payment_method=method)
    assert (found.is_sale, found.is_paid, found.is_cancelled) == (is_sale, is_paid, is_cancelled)


def test_cash_on_delivery_is_told_from_prepaid() -> None:
    assert order(99, payment_method="cod").payments[0].kind is PaymentKind.CASH_ON_DELIVERY
    payment = order(99).payments[0]
    assert (payment.kind, payment.method, payment.title, payment.amount) == (
        PaymentKind.PREPAID, "bacs", "Banko pavedimas", Decimal("284.57"),
    )  # fmt: skip


def test_a_gift_card_is_a_payment_only_when_the_total_is_lower_by_exactly_it() -> None:
    cards = [{"code": "G-1", "amount": "84.57"}]
    paid = order(99, gift_cards=cards, total="200.00")
    assert [(payment.kind, payment.amount) for payment in paid.payments][1:] == [
        (PaymentKind.GIFT_CARD, Decimal("84.57"))
    ]
    assert len(order(99, gift_cards=cards).payments) == 1


def test_a_guest_with_no_country_is_read() -> None:
    entry = bundle(99)
    entry["order"]["billing"].update(country="", first_name="", last_name="", company="UAB Žąsis")
    found = order(entry)
    assert (found.buyer.name, found.buyer.external_id, found.buyer.address.country) == ("UAB Žąsis", "", "")


def test_an_order_with_no_lines_or_only_a_fee_or_of_0_is_read() -> None:
    empty = order(99, line_items=[], shipping_lines=[], fee_lines=[], tax_lines=[], total="0.00", total_tax="0.00")
    assert (empty.lines, empty.charges, empty.total) == ((), (), Decimal(0))


def test_unknown_fields_and_statuses_are_harmless() -> None:
    entry = bundle(99)
    entry["order"].update(new_in_12={"a": [1]}, status="ready-for-moon")
    entry["order"]["line_items"][0]["new"] = [None]
    assert order(entry).status == "ready-for-moon"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("total", None, "Its total is empty, which is not an amount."),
        ("total", Decimal("12.5"), "Its total is 12.5"),
        ("total", "12,50", "Its total is “12,50”"),
        ("total", {"a": 1}, "Its total is a group of values"),
        ("total_tax", "abc", "Its total_tax is “abc”"),
        ("total_tax", True, "Its total_tax is “yes”"),
        ("currency", "", "Its currency is empty"),
        ("status", 5.5, "Its status is 5.5"),
        ("date_created_gmt", None, "Its date (date_created_gmt) is empty"),
        ("date_created_gmt", "yesterday", "Its date_created_gmt is “yesterday”"),
        ("line_items", None, "Its list of products (line_items) is empty."),
        ("line_items", "<p>", "Its list of products (line_items) is damaged: it holds “<p>”."),
        ("line_items", [None], "No. 1 of its list of products (line_items) is empty."),
        ("line_items", ["x"], "No. 1 of its list of products (line_items) is damaged: it holds “x”."),
        ("fee_lines", {}, "Its list of fees (fee_lines) is empty."),
        ("billing", [], "Its buyer's address (billing) is empty."),
        ("refunds", None, "Its list of refunds (refunds) is empty."),
    ],
)
def test_a_malformed_order_is_unreadable_with_the_field_and_its_value(field: str, value: Any, words: str) -> None:
    entry = bundle(99)
    entry["order"][field] = value
    found = problem(entry)
    assert words in found.reason
    assert "None" not in found.reason
    assert found.external_id == "99"


def test_an_amount_of_a_line_that_is_no_amount_names_the_line() -> None:
    entry = bundle(99)
    entry["order"]["line_items"][1]["total"] = "abc"
    assert problem(entry).reason == "Its line 2: total is “abc”, which is not an amount."


@pytest.mark.parametrize("entry", [None, [], "x", {}, {"order": None}, {"order": []}, {"refunds": []}])
def test_what_is_no_order_at_all_is_unreadable(entry: Any) -> None:
    assert isinstance(read_order(entry), Unreadable)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from([Decimal("1e400"), Decimal("-1e-400"), 10**4000, float("inf"), "1e5", "٣", "0", "-0.00", "NaN"])
    | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, entry in value.items():
            found += places(entry, (*path, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            found += places(entry, (*path, index))
    return found


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_stands_in_a_field_reading_never_raises(data: st.DataObject) -> None:
    entry = bundle(data.draw(st.sampled_from([99, 103, 129, 131, 143])))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(entry)))
        holder: Any = entry
        for step in path[:-1]:
            holder = holder[step]
        if data.draw(st.booleans()):
            holder[path[-1]] = data.draw(json_values)
        else:
            del holder[path[-1]]
        if not places(entry):
            break
    found = read_order(entry)
    if isinstance(found, Unreadable):
        assert found.reason.endswith(".")
    else:
        assert all(line.net.is_finite() and line.quantity.is_finite() for line in found.lines)
        assert hash(repr(found)) == hash(repr(read_order(entry)))
