"""The classifier code of each line of an invoice that is booked, found again as it was found when it was treated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from monet_web.domain.classifier import Supply, VatCodes, filed_as
from monet_web.domain.credit_notes import RateAmounts
from monet_web.domain.invoices import OF_ITEMS
from monet_web.domain.money import ZERO
from monet_web.domain.orders import LineKind
from monet_web.domain.treatment import Treatment

_NO_SUPPLY = (LineKind.DEPOSIT, LineKind.VOUCHER)


@dataclass(frozen=True, slots=True)
class BookedLine:
    """What of a line decides its code, and its sums."""

    position: int
    kind: LineKind
    is_service: bool  # its item is one
    rate: Decimal | None
    net: Decimal
    vat: Decimal


def supplies(kinds: Sequence[LineKind], services: Sequence[bool]) -> list[Supply]:
    """Goods or service, line by line; charges are ancillary and follow the goods, when there are any.

    `services`: whether the line's item is a service.
    """
    own = [
        (Supply.SERVICE if kind is LineKind.SERVICE or is_service else Supply.GOODS) if kind in OF_ITEMS else None
        for kind, is_service in zip(kinds, services, strict=True)
    ]
    ancillary = Supply.SERVICE if Supply.SERVICE in own and Supply.GOODS not in own else Supply.GOODS
    return [ancillary if each is None else each for each in own]


def is_no_supply(kind: LineKind, rate: Decimal | None, vat: Decimal) -> bool:
    """True for what is outside VAT: deposits and vouchers that carry none."""
    return kind in _NO_SUPPLY and not rate and not vat


def found_again(
    lines: Sequence[BookedLine], rows: Sequence[RateAmounts], treatment: str, day: date, codes: VatCodes
) -> Mapping[int, str]:
    """Position → code, of the rates that the invoice files under several codes; nothing where it is not sure.

    Sure is what gives exactly the invoice's own rows: an item, or the table of codes, may be another one by now.
    """
    several = {row.rate for row in rows if sum(each.rate == row.rate for each in rows) > 1}
    if not several or treatment not in set(Treatment):
        return {}
    supplied = supplies([line.kind for line in lines], [line.is_service for line in lines])
    found: dict[int, str] = {}
    sums: dict[tuple[Decimal | None, str], tuple[Decimal, Decimal]] = defaultdict(lambda: (ZERO, ZERO))
    for line, supply in zip(lines, supplied, strict=True):
        outside = is_no_supply(line.kind, line.rate, line.vat)
        of_line = Treatment.OUTSIDE_VAT if outside else filed_as(Treatment(treatment))
        code = codes.of(of_line, line.rate, supply, day)
        if line.rate in several:
            found[line.position] = code
            base, amount = sums[line.rate, code]
            sums[line.rate, code] = base + line.net, amount + line.vat
    kept = {(row.rate, row.code): (row.base, row.amount) for row in rows if row.rate in several}
    return found if sums == kept else {}
