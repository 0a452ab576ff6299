"""Drafts: an order turned into an invoice that adds up to the store's figures exactly (D5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from monet_web.domain.money import ZERO, allocate, minor_unit, round_to
from monet_web.domain.orders import Buyer, Charge, LineKind, Order, OrderLine, Payment, PaymentKind, Tax
from monet_web.domain.settings import Settings
from monet_web.domain.windows import local_day

_SMALLEST = Decimal("0.000001")  # of unit prices and quantities: what the tables keep
OF_ITEMS = frozenset({LineKind.GOODS, LineKind.SERVICE})  # kinds of lines that name items


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One line of one rate (None = no tax). `unit_price` is net, before `discount`; `net` and `vat` are of the line."""

    kind: LineKind
    name: str
    sku: str
    barcode: str
    product_id: str
    variation_id: str
    store_line_id: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    discount: Decimal
    net: Decimal
    vat_rate: Decimal | None
    vat: Decimal
    rate_known: bool = True  # False: the store names a tax but not its rate
    by_marketplace: bool = False
    tax_label: str = ""  # what the store calls the tax

    @property
    def names_item(self) -> bool:
        """Only goods and services name items; charges never do (A6)."""
        return self.kind in OF_ITEMS


@dataclass(frozen=True, slots=True)
class VatLine:
    """The VAT of one rate: Σ net and Σ VAT of its lines."""

    rate: Decimal | None
    base: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of the store and that of the lines: `of` total | vat | vat 21 | base 21 | base none | quantity 1."""

    of: str
    store: Decimal
    lines: Decimal
    limit: Decimal
    what: str = ""  # of a quantity: what was sold; of one that a line gave way to: that line's SKU or name
    line: int = 0  # the position of the line that gave way


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice before it has a number and a place. Σ base + Σ amount + rounding = total, to the cent."""

    external_id: str
    order_number: str
    currency: str
    placed_at: datetime
    issue_date: date
    supply_date: date
    buyer: Buyer
    company_code: str
    vat_code: str
    ship_country: str
    payments: tuple[Payment, ...]
    lines: tuple[DraftLine, ...]
    vat: tuple[VatLine, ...]
    rounding: Decimal
    total: Decimal
    differences: tuple[Difference, ...] = ()  # further apart than their limit
    rounded: tuple[Difference, ...] = ()  # within it: the store's figure stands and a line gave way
    store_number: str = ""  # the store's own invoice number
    ship_postcode: str = ""

    @property
    def net(self) -> Decimal:
        """Σ of bases."""
        return sum((row.base for row in self.vat), ZERO)

    @property
    def vat_total(self) -> Decimal:
        """Σ of VAT."""
        return sum((row.amount for row in self.vat), ZERO)


def draft_invoice(
    order: Order,
    settings: Settings,
    *,
    zone: ZoneInfo,
    today: date,
    company_code_fields: tuple[str, ...] = (),
    vat_code_fields: tuple[str, ...] = (),
) -> Draft:
    """The invoice of an order under an integration's settings. `zone` is the company's; `today` the day of import.

    The store's figures are the truth, in this order: its total, its total VAT, its VAT per rate, its lines; the lower
    gives way on the largest line of that rate, and what is left is the rounding, which carries no VAT.
    """
    unit = minor_unit(order.currency)
    rows: list[OrderLine | Charge] = [*order.lines, *order.charges]
    lines = [piece for row in rows for piece in _pieces(row, settings, unit)]
    limit = settings.limit_of(len(rows))
    total = round_to(order.total, unit)
    lines, differences, rounded = _agree(order, lines, unit, limit)
    vat = sum_by_rate(lines)
    rounding = total - sum((row.base + row.amount for row in vat), ZERO)
    if abs(rounding - round_to(order.rounding, unit)) > limit:
        differences = (*differences, Difference("total", total, total - rounding, limit))
    return Draft(
        external_id=order.external_id,
        order_number=order.number,
        currency=order.currency,
        placed_at=order.placed_at,
        issue_date=_issue_date(order, settings, zone, today),
        supply_date=local_day(order.moment_supplied(), zone),
        buyer=order.buyer,
        company_code=_code(order, settings.company_code_from, company_code_fields, order.buyer.company_code),
        vat_code=_code(order, settings.vat_code_from, vat_code_fields, order.buyer.vat_code),
        ship_country=order.ship_to.country or order.buyer.address.country,
        payments=tuple(_treated(payment, settings) for payment in order.payments),
        lines=tuple(lines),
        vat=vat,
        rounding=rounding,
        total=total,
        differences=differences,
        rounded=rounded,
        store_number=order.invoice_number,
        ship_postcode=order.ship_to.postcode if order.ship_to.country else order.buyer.address.postcode,
    )


def _issue_date(order: Order, settings: Settings, zone: ZoneInfo, today: date) -> date:
    if settings.issued_by == "store" and order.invoice_date is not None:
        return local_day(order.invoice_date, zone)
    if settings.invoice_date == "import":
        return today
    moment = order.placed_at if settings.invoice_date == "order" else order.moment_paid()
    return local_day(moment, zone)


def _code(order: Order, chosen: str, usual: tuple[str, ...], own: str) -> str:
    if chosen:
        return order.fields.get(chosen, "").strip()
    for key in usual:
        if text := order.fields.get(key, "").strip():
            return text
    return own.strip()


def _treated(payment: Payment, settings: Settings) -> Payment:
    kinds = {
        "prepaid": PaymentKind.PREPAID,
        "cash on delivery": PaymentKind.CASH_ON_DELIVERY,
        "cash with receipt": PaymentKind.CASH_WITH_RECEIPT,
        "gift card": PaymentKind.GIFT_CARD,
    }
    chosen = settings.payment_methods.get(payment.method)
    return replace(payment, kind=kinds[chosen]) if chosen in kinds else payment


# --- lines ------------------------------------------------------------------------------------------------------


def _pieces(row: OrderLine | Charge, settings: Settings, unit: Decimal) -> list[DraftLine]:
    """A row as lines of one rate each; a row with several rates is split in proportion to what each rate taxes."""
    net = round_to(row.net, unit)
    taxes = row.taxes
    if len(taxes) <= 1:
        quantity = row.quantity if isinstance(row, OrderLine) else Decimal(1)
        return _with_discount(_piece(row, net, taxes[0] if taxes else None, quantity, unit), row, settings, unit)
    shares = allocate(net, _parts(net, taxes, unit), unit)
    if all(tax.base is not None for tax in taxes):
        exact = [round_to(tax.base, unit) for tax in taxes if tax.base is not None]
        if sum(exact, ZERO) == net:
            shares = exact
    quantities = [Decimal(1)] * len(taxes)
    if isinstance(row, OrderLine):
        # The pieces together are what leaves the stock, at the one price.
        quantities = allocate(round_to(row.quantity, _SMALLEST), shares, _SMALLEST)
    return [_piece(row, *each, unit) for each in zip(shares, taxes, quantities, strict=True)]


def _parts(net: Decimal, taxes: tuple[Tax, ...], unit: Decimal) -> list[Decimal]:
    """How much of a row each tax is of: the base the store names, else its amount by its rate.

    What is left belongs to the rates that tax nothing, unless it is no more than rounding an amount can hide.
    """
    told = [_taxed(tax) for tax in taxes]
    left = abs(net) - sum((part for part in told if part is not None), ZERO)
    hidden = sum((unit * 100 / tax.rate for tax in taxes if tax.base is None and tax.rate), ZERO)
    each = left / told.count(None) if left > hidden and None in told else ZERO
    return [each if part is None else part for part in told]


def _taxed(tax: Tax) -> Decimal | None:
    if tax.base is not None:
        return abs(tax.base)
    return abs(tax.amount * 100 / tax.rate) if tax.rate else None


def _piece(row: OrderLine | Charge, net: Decimal, tax: Tax | None, quantity: Decimal, unit: Decimal) -> DraftLine:
    line = row if isinstance(row, OrderLine) else None
    whole = line is not None and len(row.taxes) <= 1  # the discount of a row split by rates stays within the price
    quantity = round_to(quantity, _SMALLEST)
    discount = max(round_to(line.discount, unit), ZERO) if line and whole else ZERO
    price = round_to((net + discount) / (quantity or 1), _SMALLEST)
    return DraftLine(
        kind=row.kind,
        name=row.name,
        sku=line.sku if line else "",
        barcode=line.barcode if line else "",
        product_id=line.product_id if line else "",
        variation_id=line.variation_id if line else "",
        store_line_id=row.external_id,
        quantity=quantity,
        unit=line.unit if line else "",
        unit_price=price,
        discount=discount,
        net=net,
        vat_rate=tax.rate if tax else None,
        vat=round_to(tax.amount, unit) if tax else ZERO,
        rate_known=tax is None or tax.rate is not None,
        by_marketplace=tax.collected_by_marketplace if tax else False,
        tax_label=tax.label if tax else "",
    )


def _with_discount(piece: DraftLine, row: OrderLine | Charge, settings: Settings, unit: Decimal) -> list[DraftLine]:
    """`in_price`: the price is the one after the discount. `lines`: the discount is a line of its own, same rate."""
    if not piece.discount or isinstance(row, Charge):
        return [piece]
    if settings.discounts == "in_price":
        price = round_to(piece.net / (piece.quantity or 1), _SMALLEST)
        return [replace(piece, discount=ZERO, unit_price=price)]
    full = piece.net + piece.discount
    # The VAT is shared out as the amounts are, so that the two lines keep what the store said of the one.
    vat_off = -round_to(piece.vat * piece.discount / piece.net, unit) if piece.net else ZERO
    goods = replace(piece, discount=ZERO, net=full, vat=piece.vat - vat_off)
    off = replace(
        piece,
        kind=LineKind.DISCOUNT, quantity=Decimal(1), unit="", unit_price=-piece.discount,
        discount=ZERO, net=-piece.discount, vat=vat_off,
    )  # fmt: skip
    return [goods, off]


# --- agreement with the store's figures (D5) ---------------------------------------------------------------------


def _agree(
    order: Order, lines: list[DraftLine], unit: Decimal, limit: Decimal
) -> tuple[list[DraftLine], tuple[Difference, ...], tuple[Difference, ...]]:
    """Lines moved to the store's VAT per rate and total VAT; what differs by more than `limit`; what was moved."""
    lines = list(lines)
    wanted = round_to(order.total_tax, unit)
    of_lines = sum((line.vat for line in lines), ZERO)
    rates = {line.vat_rate for line in lines if line.vat_rate is not None}
    differences: list[Difference] = []
    rounded: list[Difference] = []
    for rate, target in _targets(order, unit).items():
        off = target - _vat_of(lines, rate)
        if abs(off) > limit or (off and rate not in rates):
            differences.append(Difference(f"vat {rate.normalize():f}", target, target - off, limit))
        else:
            rounded += _move(lines, rate, off, part="vat", store=target, limit=limit)
    for rate, base in _bases(order, unit).items():
        off = base - sum((line.net for line in lines if line.vat_rate == rate), ZERO)
        if rate in rates and abs(off) <= limit:
            rounded += _move(lines, rate, off, part="net", store=base, limit=limit)
    rest = wanted - sum((line.vat for line in lines), ZERO)
    taxing = [rate for rate in rates if rate]
    if rest and abs(rest) <= limit and taxing:
        # The VAT of a rate gives way to the total VAT: on the rate that has the most of it.
        most = max(taxing, key=lambda rate: (abs(_vat_of(lines, rate)), rate))
        [moved] = _move(lines, most, rest, part="vat", store=wanted, limit=limit)
        rounded.append(replace(moved, of="vat"))
    elif rest:
        differences.append(Difference("vat", wanted, of_lines, limit))
    return lines, tuple(differences), tuple(rounded)


def _targets(order: Order, unit: Decimal) -> dict[Decimal, Decimal]:
    targets: dict[Decimal, Decimal] = {}
    for total in order.tax_totals:
        if total.rate is not None:
            targets[total.rate] = targets.get(total.rate, ZERO) + total.amount
    return {rate: round_to(amount, unit) for rate, amount in targets.items()}


def _bases(order: Order, unit: Decimal) -> dict[Decimal, Decimal]:
    """The store's base of each rate, where it names one for every part of it."""
    bases: dict[Decimal, Decimal] = {}
    for total in order.tax_totals:
        if total.rate is not None and total.base is not None:
            bases[total.rate] = bases.get(total.rate, ZERO) + total.base
    partly = {total.rate for total in order.tax_totals if total.base is None}
    return {rate: round_to(base, unit) for rate, base in bases.items() if rate not in partly}


def _vat_of(lines: list[DraftLine], rate: Decimal) -> Decimal:
    return sum((line.vat for line in lines if line.vat_rate == rate), ZERO)


def _move(
    lines: list[DraftLine], rate: Decimal, amount: Decimal, *, part: str, store: Decimal, limit: Decimal
) -> list[Difference]:
    """Give `amount` to the net or the VAT of the largest line of the rate (the first of equals), and say so."""
    if not amount:
        return []
    of_rate = [index for index, line in enumerate(lines) if line.vat_rate == rate]
    largest = max(of_rate, key=lambda index: (abs(lines[index].net), -index))
    line = lines[largest]
    lines[largest] = replace(line, vat=line.vat + amount) if part == "vat" else replace(line, net=line.net + amount)
    of = f"{'vat' if part == 'vat' else 'base'} {rate.normalize():f}"
    return [Difference(of, store, store - amount, limit, line.sku or line.name[:200], largest + 1)]


def sum_by_rate(lines: Sequence[DraftLine]) -> tuple[VatLine, ...]:
    """The VAT of each rate of the lines, the highest rate first, no tax last."""
    bases: dict[Decimal | None, Decimal] = {}
    amounts: dict[Decimal | None, Decimal] = {}
    for line in lines:
        bases[line.vat_rate] = bases.get(line.vat_rate, ZERO) + line.net
        amounts[line.vat_rate] = amounts.get(line.vat_rate, ZERO) + line.vat
    order = sorted(bases, key=lambda rate: Decimal(-1) if rate is None else rate, reverse=True)
    return tuple(VatLine(rate, bases[rate], amounts[rate]) for rate in order)
