"""The recorded answers of a real WooCommerce, as bundles."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recorded" / "woocommerce"


def recorded(name: str) -> Any:
    """One recorded body, numbers with a point as Decimals."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"), parse_float=Decimal)


@cache
def _orders() -> str:
    return json.dumps([row for page in ("page-01", "page-02") for row in json.loads(_text(f"orders/{page}"))])


def _text(name: str) -> str:
    return (FOLDER / f"{name}.json").read_text("utf-8")


def bundles() -> list[dict[str, Any]]:
    """All recorded orders with their refunds, fresh copies."""
    orders = json.loads(_orders(), parse_float=Decimal)
    return [{"order": order, "refunds": refunds_of(order["id"])} for order in orders]


def bundle(order_id: int) -> dict[str, Any]:
    """One recorded order with its refunds, a fresh copy."""
    return next(entry for entry in bundles() if entry["order"]["id"] == order_id)


def refunds_of(order_id: int) -> list[Any]:
    """The recorded detail of an order's refunds, [] where it has none."""
    path = FOLDER / "refunds" / f"{order_id}.json"
    return list(recorded(f"refunds/{order_id}")) if path.exists() else []
