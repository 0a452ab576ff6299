"""What the tests of every reader share: recordings, the sums of an order, and foreign data gone wrong."""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from monet_web.domain.orders import Charge, Order, OrderLine

RECORDED = Path(__file__).parent / "recorded"

# What a plugin, another version or a broken database may put where a reader expects something else.
NONSENSE: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 10**30, "", " ", "0", "abc", "1e999999", "NaN", "-Infinity", "12,50"),
    *("0000-00-00 00:00:00", "2026-02-30 10:00:00", "2026-10-25 03:30:00", "9999-12-31 23:59:59", "ą" * 300),
    *("<b>", "&quot;", "../../etc", "LT", "-7.123456", Decimal("1E-30"), Decimal("0.000001"), 2.5),
    *([], {}, [None], [[]], [{}], {"id": []}, {"nodes": 3}, {"value": {}}),
)


def load(kind: str, name: str) -> Any:
    """A recorded JSON answer, numbers with a point as Decimals, as the client decodes it."""
    return json.loads((RECORDED / kind / f"{name}.json").read_text(encoding="utf-8"), parse_float=Decimal)


def parts(order: Order) -> list[OrderLine | Charge]:
    """Lines and charges."""
    return [*order.lines, *order.charges]


def summed(order: Order) -> Decimal:
    """What lines, charges, their VAT and the named rounding come to."""
    return sum((part.net for part in parts(order)), order.rounding) + summed_tax(order)


def summed_tax(order: Order) -> Decimal:
    """The VAT of all lines and charges."""
    return sum(by_rate(order).values(), Decimal(0))


def by_rate(order: Order) -> dict[Decimal | None, Decimal]:
    """The VAT of all lines and charges by rate."""
    found: dict[Decimal | None, Decimal] = defaultdict(Decimal)
    for part in parts(order):
        for tax in part.taxes:
            found[tax.rate] += tax.amount
    return dict(found)


def tolerance(order: Order) -> Decimal:
    """The default `rounding_limit`: a cent a line or charge, five at most."""
    return min(Decimal("0.01") * len(parts(order)), Decimal("0.05"))


def rates_that_do_not_fit(order: Order, within: Decimal) -> list[OrderLine | Charge]:
    """Lines and charges whose VAT is not their rate's share of their net."""
    return [
        part
        for part in parts(order)
        for tax in part.taxes
        if tax.rate is None or abs((part.net if tax.base is None else tax.base) * tax.rate / 100 - tax.amount) > within
    ]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything inside a JSON value."""
    inside: Any = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*path, key)
        yield from places(item, (*path, key))


@st.composite
def spoiled(draw: st.DrawFn, values: list[dict[str, Any]]) -> dict[str, Any]:
    """One of `values` with one to three of its fields dropped or replaced by nonsense."""
    value: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(values)))
    for _ in range(draw(st.integers(1, 3))):
        if not (found := list(places(value))):
            break
        *above, key = draw(st.sampled_from(found))
        parent: Any = value
        for step in above:
            parent = parent[step]
        if draw(st.booleans()):
            parent[key] = copy.deepcopy(draw(st.sampled_from(NONSENSE)))
        elif isinstance(parent, dict):
            del parent[key]
    return value
