"""Credit notes: what remains of an invoice, and the document that takes it back, to the cent in euro too (D11)."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from monet_web.domain.credit_notes import Amounts, LineAmounts, RateAmounts, Totals, in_full, remaining

D = Decimal


def line(position: int, quantity: str, net: str, vat: str, discount: str = "0") -> LineAmounts:
    return LineAmounts(position, D(quantity), D(discount), D(net), D(vat))


def totals(net: str, vat: str, total: str, rounding: str = "0", eur: tuple[str, str, str] | None = None) -> Totals:
    in_euro = [D(each) for each in eur] if eur else [None, None, None]
    return Totals(D(net), D(vat), D(rounding), D(total), *in_euro)


INVOICE = Amounts(
    (line(1, "3", "30.00", "6.30", "1.50"), line(2, "1", "4.00", "0.84")),
    (RateAmounts(D(21), "PVM1", D("34.00"), D("7.14"), D("6.19")),),
    totals("34.00", "7.14", "41.15", "0.01", ("29.50", "6.19", "35.70")),
)


def test_a_credit_in_full_is_the_invoice_with_every_sign_turned() -> None:
    note = in_full(remaining(INVOICE, []))
    assert note.lines == (line(1, "-3", "-30.00", "-6.30", "-1.50"), line(2, "-1", "-4.00", "-0.84"))
    assert note.vat == (RateAmounts(D(21), "PVM1", D("-34.00"), D("-7.14"), D("-6.19")),)
    assert note.totals == totals("-34.00", "-7.14", "-41.15", "-0.01", ("-29.50", "-6.19", "-35.70"))


def test_after_a_part_only_the_rest_is_credited_and_a_line_of_which_nothing_is_left_is_not_on_it() -> None:
    part = Amounts(
        (line(2, "-1", "-4.00", "-0.84"), line(1, "-1", "-10.00", "-2.10", "-0.50")),
        (RateAmounts(D(21), "PVM1", D("-14.00"), D("-2.94"), D("-2.55")),),
        totals("-14.00", "-2.94", "-16.94", eur=("-12.14", "-2.55", "-14.69")),
    )
    left = remaining(INVOICE, [part])
    assert left.lines == (line(1, "2", "20.00", "4.20", "1.00"), line(2, "0", "0.00", "0.00"))
    note = in_full(left)
    assert note.lines == (line(1, "-2", "-20.00", "-4.20", "-1.00"),)
    assert note.totals == totals("-20.00", "-4.20", "-24.21", "-0.01", ("-17.36", "-3.64", "-21.01"))


def test_of_what_was_credited_in_full_nothing_is_left() -> None:
    note = in_full(INVOICE)
    assert remaining(INVOICE, [note]).is_nothing
    assert not INVOICE.is_nothing
    assert in_full(remaining(INVOICE, [note])).lines == ()
    assert in_full(remaining(INVOICE, [note])).vat == ()


def test_without_an_exchange_rate_nothing_is_in_euro() -> None:
    abroad = Amounts(
        (line(1, "1", "10.00", "2.10"),),
        (RateAmounts(None, "", D("10.00"), D("2.10"), None),),
        totals("10.00", "2.10", "12.10"),
    )
    note = in_full(abroad)
    assert (note.totals.total_eur, note.vat[0].amount_eur, note.vat[0].rate) == (None, None, None)


cents = st.integers(-10_000, 10_000).map(lambda units: D(units).scaleb(-2))


@given(st.lists(st.tuples(cents, cents), min_size=1, max_size=6), st.data())
def test_parts_and_the_rest_always_come_to_the_invoice(
    pairs: list[tuple[Decimal, Decimal]], data: st.DataObject
) -> None:
    lines = tuple(LineAmounts(place, D(1), D(0), net, vat) for place, (net, vat) in enumerate(pairs, start=1))
    net, vat = sum((one.net for one in lines), D(0)), sum((one.vat for one in lines), D(0))
    invoice = Amounts(
        lines, (RateAmounts(D(21), "", net, vat, vat),), Totals(net, vat, D(0), net + vat, net, vat, net + vat)
    )
    parts = []
    for place in data.draw(st.lists(st.integers(1, len(lines)), unique=True)):
        one = lines[place - 1]
        parts.append(
            Amounts(
                (LineAmounts(place, D(-1), D(0), -one.net, -one.vat),),
                (RateAmounts(D(21), "", -one.net, -one.vat, -one.vat),),
                Totals(-one.net, -one.vat, D(0), -one.net - one.vat, -one.net, -one.vat, -one.net - one.vat),
            )
        )
    rest = in_full(remaining(invoice, parts))
    assert sum((each.totals.total for each in [*parts, rest]), D(0)) == -invoice.totals.total
    assert remaining(invoice, [*parts, rest]).is_nothing
