"""What the demo installation keeps of the demo shop's goods: items, stock that suffices for most orders, rates."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from monet_web.demo.woocommerce.documents import Document, recorded
from monet_web.domain.bank_days import is_bank_day

# The shop gave this item a new SKU; the books know it by its old one: "unknown SKU", mended by one alias.
RENAMED_IN_SHOP: Final = {"NAUJAS-LT-0002": "LT-0002"}
# Deleted in the shop, so its lines have neither an id nor a SKU, and nobody brought it into the books.
FORGOTTEN: Final = "Nebeprekiaujama prekė Nr. 1"
# Too few of these: some orders wait until somebody receives goods.
SHORT: Final = {"LT-0001": Decimal(2), "LT-0008": Decimal(2), "VAR-K-3": Decimal(3)}
PLENTY: Final = Decimal(900)
# Loaded every day, and then forgotten: the newest orders in dollars wait for a rate.
DOLLARS: Final = (Decimal("1.1591"), Decimal("1.1634"), Decimal("1.1608"), Decimal("1.1577"))
_NEWEST_RATE = timedelta(days=20)
_DAYS_OF_RATES = 60


class Good(NamedTuple):
    """One thing the shop sells, as the books know it."""

    code: str
    name: str
    is_service: bool
    alias: str  # "" when the SKU is the code already


def goods() -> list[Good]:
    """Everything the shop sells and sold, by code, but for what somebody forgot."""
    virtual = {product["id"] for product in recorded("products") if product["virtual"]}
    found: dict[str, Good] = {}
    for line in _lines(recorded("orders")):
        if line["name"] == FORGOTTEN:
            continue
        sku, product = line["sku"] or "", line["product_id"]
        code = RENAMED_IN_SHOP.get(sku, sku) or (f"PR-{product}" if product else _code_of_name(line["name"]))
        alias = f"product:{product}" if product and not sku else ""
        found[code] = Good(code, line["name"][:400], product in virtual, alias)
    return [found[code] for code in sorted(found)]


def items_file() -> bytes:
    """The items, as `monet items import` reads them."""
    rows = [(good.code, good.name, "service" if good.is_service else "goods", "vnt.", good.alias) for good in goods()]
    return _file(("code", "name", "kind", "unit", "aliases"), rows)


def receipt_file(day: date) -> bytes:
    """The goods received on `day`, as `monet stock receive` reads them."""
    kept = [good for good in goods() if not good.is_service]
    rows = [(good.code, str(SHORT.get(good.code, PLENTY)), day.isoformat()) for good in kept]
    return _file(("code", "quantity", "date"), rows)


def rates_file(today: date) -> bytes:
    """Dollars for one euro on the bank days of earlier weeks, as `monet rates import` reads them."""
    newest = today - _NEWEST_RATE
    days = [newest - timedelta(days=ago) for ago in range(_DAYS_OF_RATES)]
    rows = [(day.isoformat(), "USD", str(DOLLARS[day.toordinal() % len(DOLLARS)])) for day in days if is_bank_day(day)]
    return _file(("date", "currency", "rate"), rows)


def _code_of_name(name: str) -> str:
    """The code under which a line with nothing but a name is looked for."""
    return "name-" + hashlib.sha256(name.strip().casefold().encode()).hexdigest()[:10]


def _lines(orders: Iterable[Document]) -> Iterator[Document]:
    for order in orders:
        yield from order["line_items"]


def _file(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
