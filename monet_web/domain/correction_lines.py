"""One line of a correction: its typed cells become a line with exact amounts, or a sentence beside the cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from monet_web.domain.checks import money, plain
from monet_web.domain.correction_typed import TypedLine
from monet_web.domain.invoices import OF_ITEMS, DraftLine
from monet_web.domain.money import ZERO, round_to
from monet_web.domain.orders import LineKind
from monet_web.domain.typed import Wrong, number_of, shown

LineMistakes = dict[str, str]
LARGEST = Decimal(10) ** 11  # of amounts and quantities: a larger one would not fit where sums are kept
_SMALLEST = Decimal("0.000001")  # of unit prices and quantities
_EXAMPLES = {"quantity": "2 or 0,5", "price": "14.88", "discount": "2.97", "vat": "5.62"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an invoice and where it is booked: codes of item, account, warehouse; "" for none."""

    draft: DraftLine
    item: str = ""
    account: str = ""
    warehouse: str = ""


def keys_of(lines: Sequence[DraftLine]) -> list[str]:
    """What tells the lines of an invoice apart, also when others are added or removed: the store's id and a count."""
    seen: Counter[str] = Counter()
    keys = []
    for line in lines:
        seen[line.store_line_id] += 1
        keys.append(f"{line.store_line_id}#{seen[line.store_line_id]}")
    return keys


def as_typed(line: Line, key: str, row: str, said: Sequence[DraftLine], unit: Decimal) -> TypedLine:
    """The line as its form is filled in; an amount of VAT only where it was given by hand."""
    of = line.draft
    by_hand = of.vat != usual_vat(of, said, unit)
    return TypedLine(
        row=row, origin=key, kind=of.kind.value, name=of.name, item=line.item, quantity=plain(of.quantity),
        unit=of.unit, price=money(of.unit_price), discount=money(of.discount) if of.discount else "",
        vat_rate="" if of.vat_rate is None else plain(of.vat_rate), vat=money(of.vat) if by_hand else "",
        account=line.account, warehouse=line.warehouse,
    )  # fmt: skip


def usual_vat(line: DraftLine, said: Sequence[DraftLine], unit: Decimal) -> Decimal:
    """The VAT of a line that nobody gave by hand: the store's where net and rate are the store's, else net × rate."""
    for one in said:
        if (one.store_line_id, one.net, one.vat_rate) == (line.store_line_id, line.net, line.vat_rate):
            return one.vat
    return _vat_on(line.net, line.vat_rate, unit)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a line is measured by: the store's lines, the smallest amount, and whether the person is an accountant.

    `is_goods`: lines of goods take items out of a warehouse.
    """

    said: Sequence[DraftLine]
    unit: Decimal
    may_amounts: bool
    is_goods: bool = True


def corrected_line(typed: TypedLine, before: Line | None, by: Measure, mistakes: LineMistakes) -> tuple[Line, Decimal]:
    """The line as typed, and how far its VAT was moved by hand. `mistakes`: cell → sentence."""
    start = before.draft if before else _NEW
    line = replace(
        start,
        kind=_kind(typed, None if before is None else start, by, mistakes),
        name=_name(typed, start, mistakes),
        unit=" ".join(typed.unit.split())[:20],
    )
    line = _priced(line, None if before is None else start, typed, by, mistakes)
    usual = usual_vat(line, by.said, by.unit)
    line = replace(line, vat=_vat(line, start, typed, usual, by, mistakes))
    booked = before or Line(start)
    return (
        Line(
            draft=line,
            item=booked.item if typed.item is None else typed.item.strip(),
            account=booked.account if typed.account is None else typed.account.strip()[:40],
            warehouse=booked.warehouse if typed.warehouse is None else typed.warehouse.strip(),
        ),
        line.vat - usual if typed.vat else ZERO,
    )


_NEW = DraftLine(
    kind=LineKind.GOODS, name="", sku="", barcode="", product_id="", variation_id="", store_line_id="",
    quantity=ZERO, unit="", unit_price=ZERO, discount=ZERO, net=ZERO, vat_rate=None, vat=ZERO,
)  # fmt: skip


def _kind(typed: TypedLine, start: DraftLine | None, by: Measure, mistakes: LineMistakes) -> LineKind:
    """The kind. Whether a line that the store sent takes an item is an accountant's word: stock moves by it."""
    kept = start.kind if start else LineKind.GOODS
    if typed.kind not in list(LineKind):
        mistakes["kind"] = f"“{shown(typed.kind)}” is no kind of line. Choose one of the list."
        return kept
    kind = LineKind(typed.kind)
    if start and by.is_goods and not by.may_amounts and (kind in OF_ITEMS) != start.names_item:
        mistakes["kind"] = f"Only an accountant makes {kept.value} of the store {kind.value}."
        return kept
    return kind


def _name(typed: TypedLine, start: DraftLine, mistakes: LineMistakes) -> str:
    name = " ".join(typed.name.split())
    if not name:
        mistakes["name"] = "Type what was sold."
        return start.name
    if name != start.name and len(name) > 1000:
        mistakes["name"] = "It is longer than 1000 signs. Type it shorter."
        return start.name
    return name if name != " ".join(start.name.split()) else start.name


def _priced(
    line: DraftLine, start: DraftLine | None, typed: TypedLine, by: Measure, mistakes: LineMistakes
) -> DraftLine:
    """Quantity, price, discount and rate, and the net that follows; what was not changed keeps its very amounts."""
    quantity = _number(typed.quantity, "quantity", line.quantity, _SMALLEST, mistakes)
    price = _number(typed.price, "price", line.unit_price, _SMALLEST, mistakes)
    discount = _number(typed.discount.strip() or "0", "discount", line.discount, by.unit, mistakes)
    if discount < 0:
        mistakes["discount"] = "A discount is typed without a minus: it is taken off."
        discount = line.discount
    rate = _rate(typed, start, by, mistakes)
    if start and (quantity, price, discount) == (start.quantity, start.unit_price, start.discount):
        return line if rate == start.vat_rate else _at_other_rate(line, rate, by)
    net = round_to(quantity * price, by.unit) - discount
    if abs(net) >= LARGEST:
        mistakes["quantity"] = "Quantity times price is too large to be true."
        return line
    return replace(
        line, quantity=quantity, unit_price=price, discount=discount, vat_rate=rate, net=net,
        vat=_vat_on(net, rate, by.unit), rate_known=line.rate_known or rate is not None,
    )  # fmt: skip


def _at_other_rate(line: DraftLine, rate: Decimal | None, by: Measure) -> DraftLine:
    """Another rate for the same price: the amounts stand where they fit it to the cent; else what was paid stands."""
    gross = line.net + line.vat
    for one in by.said:  # the rate that the store says: its very amounts
        if (one.store_line_id, one.vat_rate, one.net + one.vat) == (line.store_line_id, rate, gross):
            return replace(line, vat_rate=rate, net=one.net, vat=one.vat, unit_price=one.unit_price, rate_known=True)
    vat = line.vat
    if rate is None:
        vat = ZERO
    elif abs(vat - _vat_on(line.net, rate, by.unit)) > by.unit:
        vat = round_to(gross * rate / (100 + rate), by.unit)
    net, price = gross - vat, line.unit_price
    if net != line.net:
        price = round_to((net + line.discount) / (line.quantity or 1), _SMALLEST)
    return replace(line, vat_rate=rate, net=net, vat=vat, unit_price=price, rate_known=True)


def _vat(
    line: DraftLine, start: DraftLine, typed: TypedLine, usual: Decimal, by: Measure, mistakes: LineMistakes
) -> Decimal:
    """The VAT: one given by hand lies within the smallest amount of the usual one, and only an accountant gives it."""
    is_unchanged = (line.net, line.vat_rate, line.rate_known) == (start.net, start.vat_rate, start.rate_known)
    same_price = line.net + line.vat == start.net + start.vat
    kept = start.vat if is_unchanged else line.vat if same_price else usual
    if typed.vat is None or not typed.vat.strip():
        return usual if is_unchanged and line.rate_known and typed.vat is not None and by.may_amounts else kept
    amount = _number(typed.vat, "vat", kept, by.unit, mistakes)
    if "vat" in mistakes or amount in (kept, usual):
        return amount
    least, most = usual - by.unit, usual + by.unit
    if not by.may_amounts:
        mistakes["vat"] = "Only an accountant changes an amount of VAT."
    elif line.vat_rate is None:
        mistakes["vat"] = "A line without VAT has no amount of it. Choose its rate first."
    elif not least <= amount <= most:
        mistakes["vat"] = f"It may differ from {money(usual)} by {by.unit}. Type {money(least)} to {money(most)}."
    return kept if "vat" in mistakes else amount


def _rate(typed: TypedLine, start: DraftLine | None, by: Measure, mistakes: LineMistakes) -> Decimal | None:
    """The rate; that of a line of the store is the accountant's to change, unless the store does not say it."""
    kept = start.vat_rate if start else None
    if typed.vat_rate is None:
        return kept
    try:
        rate = number_of(typed.vat_rate, example="21") if typed.vat_rate.strip() else None
        if rate is not None and not 0 <= rate <= 100:
            raise Wrong(f"{plain(rate)} is no rate of VAT. Choose one of the list.")
    except Wrong as wrong:
        mistakes["vat_rate"] = str(wrong)
        return kept
    if start and rate != kept and start.rate_known and not by.may_amounts:
        mistakes["vat_rate"] = "Only an accountant changes a rate."
        return kept
    return rate


def _number(text: str, name: str, kept: Decimal, step: Decimal, mistakes: LineMistakes) -> Decimal:
    """A typed figure no finer than `step`; one that stands already is taken as it stands."""
    try:
        number = number_of(text, example=_EXAMPLES[name])
        if number == kept:
            return kept
        if abs(number) >= LARGEST:
            raise Wrong(f"{shown(text)} is too large to be true.")
        if round_to(number, step) != number:
            places = -int(step.as_tuple().exponent)
            raise Wrong(f"“{shown(text)}” is too fine. Type at most {places} decimals.")
    except Wrong as wrong:
        mistakes[name] = str(wrong) if text.strip() else f"Type it, for example {_EXAMPLES[name]}."
        return kept
    return round_to(number, step)


def _vat_on(net: Decimal, rate: Decimal | None, unit: Decimal) -> Decimal:
    return round_to(net * rate / 100, unit) if rate is not None else ZERO
