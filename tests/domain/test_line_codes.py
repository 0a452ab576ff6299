"""The code of each line of a booked invoice: found again where it gives the invoice's own rows, else not at all."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from monet_web.domain.classifier import VatCodes, builtin_codes
from monet_web.domain.credit_notes import Amounts, LineAmounts, RateAmounts, Totals
from monet_web.domain.line_codes import BookedLine, found_again
from monet_web.domain.money import ZERO
from monet_web.domain.orders import LineKind
from monet_web.domain.refund_parts import Part, Sold, document

DAY = date(2026, 11, 23)
CODES = VatCodes(builtin_codes())


def booked(position: int, net: str, *, is_service: bool = False, kind: LineKind = LineKind.GOODS) -> BookedLine:
    return BookedLine(position, kind, is_service, None, Decimal(net), ZERO)


def row(code: str, base: str) -> RateAmounts:
    return RateAmounts(None, code, Decimal(base), ZERO, None)


ROWS = (row("PVM13", "95.00"), row("PVM15", "10.00"))
LINES = (booked(1, "90.00"), booked(2, "10.00", is_service=True), booked(3, "5.00", kind=LineKind.SHIPPING))


def test_each_line_has_its_code_and_charges_that_of_the_goods() -> None:
    assert found_again(LINES, ROWS, "eu_company", DAY, CODES) == {1: "PVM13", 2: "PVM15", 3: "PVM13"}


@pytest.mark.parametrize(
    ("lines", "rows", "treatment"),
    [
        ((LINES[0], booked(2, "10.00"), LINES[2]), ROWS, "eu_company"),  # the item is no service any more
        (LINES, ROWS, ""),  # booked before treatments were kept
        (LINES, (row("PVM13", "105.00"),), "eu_company"),  # one code: nothing to tell apart
    ],
)
def test_what_does_not_give_the_invoices_own_rows_decides_nothing(
    lines: tuple[BookedLine, ...], rows: tuple[RateAmounts, ...], treatment: str
) -> None:
    assert found_again(lines, rows, treatment, DAY, CODES) == {}


@pytest.mark.parametrize(
    ("code", "left", "filed"),
    [
        ("PVM15", "10.00", [("PVM15", "-10.00")]),
        (None, "10.00", [("PVM13", "-9.00"), ("PVM15", "-1.00")]),
        # An earlier credit note was shared by base: of the line's code less is left than is given back.
        ("PVM15", "9.00", [("PVM13", "-9.09"), ("PVM15", "-0.91")]),
    ],
)
def test_a_line_gives_back_of_its_code_as_long_as_that_is_left(
    code: str | None, left: str, filed: list[tuple[str, str]]
) -> None:
    rows = (row("PVM13", "90.00"), row("PVM15", left))
    net = sum((one.base for one in rows), ZERO)
    whole = Amounts(
        (LineAmounts(2, Decimal(1), ZERO, Decimal(10), ZERO),), rows, Totals(net, ZERO, ZERO, net, *[None] * 3)
    )
    sold = [Sold(2, "12", "goods", None, Decimal(10), ZERO, code=code)]
    note = document({2: Part(Decimal(1), Decimal("10.00"))}, sold, whole, ZERO, None)
    assert [(one.code, f"{one.base:.2f}") for one in note.vat] == filed
