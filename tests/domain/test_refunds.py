"""Refunds against an invoice: whatever is refunded adds up to the cent, at the invoice's rates, within what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from monet_web.domain.credit_notes import Amounts, LineAmounts, RateAmounts, Totals, remaining
from monet_web.domain.money import CENT, ZERO, convert, round_cents
from monet_web.domain.orders import LineKind, Refund, RefundLine, Tax
from monet_web.domain.refund_parts import Part, Sold, proportion
from monet_web.domain.refunds import Proposal, in_turn, propose, refunds_of
from tests.builders import an_order

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
LIMIT = Decimal("0.05")
RATES = (Decimal(21), Decimal(5), Decimal(0), None)
EUR_RATE = Decimal("1.0837")

Line = tuple[Decimal | None, Decimal, int, bool]

money = st.decimals("0.01", "400", places=2)
sold_lines = st.lists(
    st.tuples(st.sampled_from(RATES), money, st.integers(1, 5), st.booleans()), min_size=1, max_size=6
)


def an_invoice(
    lines: Sequence[tuple[Decimal | None, Decimal, int, bool]], rounding: Decimal
) -> tuple[list[Sold], Amounts]:
    """Lines of (rate, net, pieces, asks for goods), with a discount line of a tenth after the first."""
    sold, amounts = [], []
    for position, (rate, net, pieces, asks) in enumerate(lines, start=1):
        vat = round_cents(net * (rate or ZERO) / 100)
        sold.append(Sold(position, f"l{position}", "goods", rate, net, vat, asks))
        amounts.append(LineAmounts(position, Decimal(pieces), ZERO, net, vat))
    first, last = sold[0], len(sold) + 1
    off, vat_off = -round_cents(first.net / 10), -round_cents(first.vat / 10)
    sold.append(Sold(last, "l1", "discount", first.rate, off, vat_off))
    amounts.append(LineAmounts(last, Decimal(1), ZERO, off, vat_off))
    rows = []
    for rate in dict.fromkeys(one.rate for one in sold):
        base = sum((one.net for one in sold if one.rate == rate), ZERO)
        vat = sum((one.vat for one in sold if one.rate == rate), ZERO)
        rows.append(RateAmounts(rate, "PVM1", base, vat, convert(vat, EUR_RATE)))
    net, vat = sum((row.base for row in rows), ZERO), sum((row.amount for row in rows), ZERO)
    total = net + vat + rounding
    vat_eur = sum((row.amount_eur or ZERO for row in rows), ZERO)
    total_eur = convert(total, EUR_RATE)
    totals = Totals(net, vat, rounding, total, total_eur - vat_eur - convert(rounding, EUR_RATE), vat_eur, total_eur)
    return sold, Amounts(tuple(amounts), tuple(rows), totals)


def proposed(refund: Refund, sold: list[Sold], left: Amounts, typed: dict[int, Part] | None = None) -> Proposal:
    return propose(refund, sold, left, eur_rate=EUR_RATE, currency="USD", unit=CENT, limit=LIMIT, typed=typed)


def holds(note: Amounts, left: Amounts) -> None:
    """It adds up, and takes no more than is left, of no other rate."""
    totals = note.totals
    assert sum((row.base for row in note.vat), ZERO) == totals.net == sum((line.net for line in note.lines), ZERO)
    assert sum((row.amount for row in note.vat), ZERO) == totals.vat == sum((line.vat for line in note.lines), ZERO)
    assert totals.net + totals.vat + totals.rounding == totals.total <= 0
    assert totals.total_eur is not None
    assert totals.net_eur is not None
    assert totals.total_eur == totals.net_eur + (totals.vat_eur or ZERO) + convert(totals.rounding, EUR_RATE)
    assert {row.rate for row in note.vat} <= {row.rate for row in left.vat}
    after = remaining(left, [note])
    assert after.totals.total >= 0
    for line, was in zip(after.lines, left.lines, strict=True):
        for now, before in ((line.net, was.net), (line.vat, was.vat), (line.quantity, was.quantity)):
            assert min(before, ZERO) <= now <= max(before, ZERO)


@given(sold_lines, st.lists(st.decimals("0.01", "300", places=2), min_size=1, max_size=5), st.sampled_from((-2, 0, 3)))
def test_amounts_alone_until_nothing_is_left(lines: list[Line], amounts: list[Decimal], cents: int) -> None:
    sold, left = an_invoice(lines, cents * CENT)
    for amount in amounts:
        found = proposed(Refund("r", NOW, amount), sold, left)
        codes = {one.code for one in found.findings}
        if left.totals.total <= 0:
            assert codes == {"refund_over"}
            break
        assert found.amounts.totals.total == -min(amount, left.totals.total)
        assert ("refund_exceeds" in codes) == (amount > left.totals.total)
        assert "refund_amount_only" in codes
        holds(found.amounts, left)
        left = remaining(left, [found.amounts])
    else:
        rest = proposed(Refund("r", NOW, max(left.totals.total, CENT)), sold, left).amounts
        after = remaining(left, [rest])
        assert after.is_nothing or left.totals.total <= 0
        if after.is_nothing:
            assert (after.totals.total_eur, after.totals.vat_eur, after.totals.net_eur) == (ZERO, ZERO, ZERO)


@given(sold_lines, st.data())
def test_lines_as_the_store_says_them(lines: list[Line], data: st.DataObject) -> None:
    sold, left = an_invoice(lines, ZERO)
    back = []
    for line in sold[: len(lines)]:
        share = data.draw(st.decimals("0", "1.2", places=2))
        net, vat = round_cents(line.net * share), round_cents(line.vat * share)
        rate = data.draw(st.sampled_from((line.rate, None, Decimal(12))))
        taxes = (Tax(rate, vat),) if vat else ()
        pieces = data.draw(st.integers(0, 7))
        back.append(RefundLine(line.store_line_id, LineKind.GOODS, "", Decimal(pieces), net, taxes))
    total = sum((one.net + sum((tax.amount for tax in one.taxes), ZERO) for one in back), ZERO)
    total += data.draw(st.sampled_from((0, 1, -3, 500, -200))) * CENT
    if total <= 0:
        return
    found = proposed(Refund("r", NOW, total, lines=tuple(back)), sold, left)
    assert found.amounts.totals.total == -min(total, left.totals.total)
    holds(found.amounts, left)


@given(sold_lines, st.data())
def test_amounts_take_nothing_of_the_lines_that_other_refunds_name(lines: list[Line], data: st.DataObject) -> None:
    sold, left = an_invoice(lines, ZERO)
    named = {
        str(line.position): line
        for line in sold[1 : len(lines)]
        if data.draw(st.booleans())
    }  # fmt: skip
    refunds = [
        Refund(key, NOW, line.net + line.vat, lines=(
            RefundLine(line.store_line_id, LineKind.GOODS, "", Decimal(1), line.net, (Tax(line.rate, line.vat),)),
        ))
        for key, line in named.items()
    ]  # fmt: skip
    rest = left.totals.total - sum((refund.total for refund in refunds), ZERO)
    while rest > CENT and len(refunds) < len(named) + 3:
        amount = data.draw(st.decimals(CENT, rest, places=2))
        refunds.append(Refund(f"amount {len(refunds)}", NOW, amount))
        rest -= amount
    for refund in in_turn(data.draw(st.permutations(refunds)), (), LIMIT):
        note = proposed(refund, sold, left).amounts
        holds(note, left)
        assert note.totals.total == -refund.total
        if (line := named.get(refund.external_id)) is not None:
            assert [(one.position, one.net, one.vat) for one in note.lines] == [(line.position, -line.net, -line.vat)]
        left = remaining(left, [note])


def test_what_became_of_the_goods_comes_from_the_store_or_a_person() -> None:
    sold, left = an_invoice([(Decimal(21), Decimal("10.00"), 2, True), (Decimal(21), Decimal("5.00"), 1, True)], ZERO)
    tax = (Tax(Decimal(21), Decimal("1.05")),)
    lines = (
        RefundLine("l1", LineKind.GOODS, "", Decimal(1), Decimal("4.50"), (Tax(Decimal(21), Decimal("0.94")),)),
        RefundLine("l2", LineKind.GOODS, "", Decimal(1), Decimal("5.00"), tax, restocked=True),
    )
    refund = Refund("r", NOW, Decimal("11.49"), lines=lines)
    asked = proposed(refund, sold, left)
    assert asked.goods == {1: "", 2: "back"}
    assert [one.code for one in asked.findings] == ["goods_unanswered"]
    typed = {
        line.position: Part(-line.quantity, -line.net, -line.vat, "damaged" if line.position == 1 else "")
        for line in asked.amounts.lines
    }
    answered = proposed(refund, sold, left, typed)
    assert (answered.goods, answered.findings) == ({1: "damaged", 2: "back"}, ())
    assert answered.amounts.totals == asked.amounts.totals


def test_a_discount_on_a_line_of_its_own_comes_off_with_its_goods() -> None:
    sold, left = an_invoice([(Decimal(21), Decimal("10.00"), 2, False)], ZERO)
    half = RefundLine("l1", LineKind.GOODS, "", Decimal(1), Decimal("4.50"), (Tax(Decimal(21), Decimal("0.95")),))
    for _ in range(2):
        note = proposed(Refund("r", NOW, Decimal("5.45"), lines=(half,)), sold, left).amounts
        assert [(line.position, line.quantity) for line in note.lines] == [(1, Decimal(-1)), (2, Decimal("-0.5"))]
        left = remaining(left, [note])
    assert all(line.quantity == 0 for line in left.lines)


def test_what_lines_name_is_taken_before_what_a_person_typed_and_both_before_amounts() -> None:
    def refund(key: str, named: str, total: str = "12.10") -> Refund:
        line = RefundLine("l1", LineKind.GOODS, "", Decimal(1), Decimal(named), ())
        return Refund(key, NOW, Decimal(total), lines=(line,) if Decimal(named) else ())

    every = [refund("amount", "0"), refund("typed", "0"), refund("a part", "9.00"), refund("named", "12.08")]
    assert [one.external_id for one in in_turn(every, {"typed"}, LIMIT)] == ["named", "typed", "a part", "amount"]


def test_what_a_person_typed_is_dropped_when_the_refund_is_another_one() -> None:
    sold, left = an_invoice([(Decimal(21), Decimal("10.00"), 2, False)], ZERO)
    typed = {1: Part(Decimal(1), Decimal("2.00"), Decimal("0.42"))}
    assert proposed(Refund("r", NOW, Decimal("2.42")), sold, left, typed).findings == ()
    other = proposed(Refund("r", NOW, Decimal("3.00")), sold, left, typed)
    assert [one.code for one in other.findings] == ["refund_amount_only"]
    assert other.amounts.totals.total == Decimal("-3.00")


def test_the_last_refund_of_a_rate_takes_the_cents_in_euro_that_the_others_left() -> None:
    lines = [(Decimal(21), Decimal("10.00"), 1, False), (Decimal(5), Decimal("2.00"), 2, False)]
    sold, left = an_invoice(lines, ZERO)
    half = RefundLine("l2", LineKind.GOODS, "", Decimal(1), Decimal("1.00"), (Tax(Decimal(5), Decimal("0.05")),))
    euros = []
    for _ in range(2):
        note = proposed(Refund("r", NOW, Decimal("1.05"), lines=(half,)), sold, left).amounts
        euros.append(note.vat[0].amount_eur)
        left = remaining(left, [note])
    assert euros == [Decimal("-0.05"), Decimal("-0.04")]  # 0.10 is 0.09 in euro


def test_a_refund_whose_sum_the_store_has_not_told_waits() -> None:
    sold, left = an_invoice([(Decimal(21), Decimal("10.00"), 2, False)], ZERO)
    found = proposed(Refund("r", NOW, ZERO, complete=False), sold, left)
    assert ([one.code for one in found.findings], found.amounts.totals.total) == (["refund_incomplete"], ZERO)


def test_a_status_counts_for_what_no_refund_names() -> None:
    order = an_order(is_refunded=True, refunds=(Refund("2", NOW, Decimal("2.00")),))
    assert [(one.external_id, one.total) for one in refunds_of(order)] == [
        ("2", Decimal("2.00")), ("status of 9001", Decimal("10.10")),
    ]  # fmt: skip
    assert refunds_of(replace(order, refunds=(Refund("2", NOW, Decimal("12.10")),)))[1:] == ()
    assert refunds_of(replace(order, is_refunded=False))[1:] == ()


def test_nothing_is_shared_over_lines_that_come_to_nothing() -> None:
    line = LineAmounts(1, Decimal(1), ZERO, ZERO, ZERO)
    assert proportion([line], Decimal("5.00"), CENT) == {}


def test_the_last_refund_that_a_person_shared_out_takes_the_cents_in_euro_that_the_others_left() -> None:
    sold, left = an_invoice([(Decimal(21), Decimal("0.55"), 2, True)], ZERO)  # 0.60 with its discount, 0.55 in euro
    half = {1: Part(Decimal(1), Decimal("0.27"), Decimal("0.06"), "back"), 2: Part(ZERO, Decimal("-0.03"), ZERO)}
    rest = {
        1: Part(Decimal(1), Decimal("0.28"), Decimal("0.06"), "back"),
        2: Part(ZERO, Decimal("-0.03"), Decimal("-0.01")),
    }
    for typed in (half, rest):
        total = sum((part.gross for part in typed.values()), ZERO)
        answered = proposed(Refund("r", NOW, total), sold, left, typed)
        holds(answered.amounts, left)
        assert answered.findings == ()
        assert [line.quantity for line in answered.amounts.lines] == [Decimal(-1), ZERO]
        left = remaining(left, [answered.amounts])
    assert left.totals == Totals(*[ZERO] * 7)
    assert [row.amount_eur for row in left.vat] == [ZERO]
