"""Exact money: the only door to rounding, and sharing out that adds up to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

ZERO = Decimal(0)
CENT = Decimal("0.01")
_PRECISION = 50  # a price times a quantity times a rate must never be rounded by the context (default 28)
_ROUNDING = Context(prec=_PRECISION, rounding=ROUND_HALF_UP)  # made once: an import rounds thousands of times
_DIVIDING = Context(prec=_PRECISION)

# ISO 4217 minor units that differ from 2; the rest of the world has cents.
_MINOR_UNITS = {
    **dict.fromkeys(("JPY", "KRW", "CLP", "ISK", "VND", "PYG", "UGX", "XAF", "XOF", "XPF", "RWF", "VUV"), 0),
    **dict.fromkeys(("BIF", "DJF", "GNF", "KMF"), 0),
    **dict.fromkeys(("KWD", "BHD", "OMR", "JOD", "TND", "IQD", "LYD"), 3),
}


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of `currency` (ISO code): 0.01 for EUR, 1 for JPY, 0.001 for KWD."""
    return Decimal(1).scaleb(-_MINOR_UNITS.get(currency, 2))


def round_to(amount: Decimal, unit: Decimal) -> Decimal:
    """`amount` rounded half away from zero to a multiple of the decimal place of `unit`. Negative zero becomes zero."""
    rounded = amount.quantize(unit, context=_ROUNDING)
    return rounded if rounded else abs(rounded)


def round_cents(amount: Decimal) -> Decimal:
    """`amount` to 0.01, half away from zero: how invoices are rounded."""
    return round_to(amount, CENT)


def convert(amount: Decimal, units_per_euro: Decimal) -> Decimal:
    """`amount` of a currency in EUR, to the cent. `units_per_euro` is how rates are published (EUR itself: 1)."""
    return round_cents(_DIVIDING.divide(amount, units_per_euro))


def allocate(amount: Decimal, weights: Sequence[Decimal], unit: Decimal = CENT) -> list[Decimal]:
    """`amount` shared out in proportion to `weights`, each share a multiple of `unit`, their sum exactly `amount`.

    Largest remainders get the units left over (first one wins a tie); all-zero weights give everything to the
    first. Signs of weights are ignored. Raises ValueError without weights or when `amount` is no multiple of `unit`.
    """
    if not weights:
        raise ValueError("nothing to share out to")
    if amount != round_to(amount, unit):
        raise ValueError(f"{amount} is no multiple of {unit}")
    sizes = [abs(weight) for weight in weights]
    whole = sum(sizes)
    if not whole:
        return [amount, *([ZERO] * (len(weights) - 1))]
    with localcontext() as context:
        context.prec = _PRECISION
        units = int(abs(amount) / unit)
        exact = [units * size / whole for size in sizes]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: (shares[index] - exact[index], index))
    for index in by_remainder[: units - sum(shares)]:
        shares[index] += 1
    sign = -1 if amount < 0 else 1
    return [sign * share * unit for share in shares]
