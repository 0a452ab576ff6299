"""Builders: sensible literal orders and rows, of which a test names only what its rule is about. The company is LT.

Builders of rows take an open session (within `writing(session)`), flush, and give the row back with its id.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.mask import fold
from monet_web.domain.orders import Address, Buyer, Charge, LineKind, Order, OrderLine, Payment, PaymentKind, Tax
from monet_web.models import (
    Balance,
    Integration,
    Invoice,
    Item,
    RawPage,
    Run,
    Store,
    StoreOrder,
    StoreOrderVersion,
    Warehouse,
)
from monet_web.models.integrations import IntegrationState
from monet_web.models.invoices import AccountingType, InvoiceKind, InvoiceState
from monet_web.models.items import ItemKind
from monet_web.models.runs import RunKind, RunState

NOON = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday, noon in Vilnius

ONA = Buyer(
    name="Ona Onaitė",
    email="ona@example.com",
    phone="+37060000000",
    address=Address(name="Ona Onaitė", line="Gedimino pr. 1", city="Vilnius", postcode="01103", country="LT"),
    external_id="77",
)


def a_tax(rate: str | None = "21", amount: str = "2.10", base: str | None = None, **changes: Any) -> Tax:
    """2.10 at 21 %."""
    plain = Tax(
        rate=None if rate is None else Decimal(rate),
        amount=Decimal(amount),
        base=None if base is None else Decimal(base),
    )
    return replace(plain, **changes)


def a_line(**changes: Any) -> OrderLine:
    """One notebook KN-01 for 10.00 + 2.10 at 21 %."""
    plain = OrderLine(
        external_id="11",
        name="Notebook",
        quantity=Decimal(1),
        net=Decimal("10.00"),
        taxes=(a_tax(),),
        sku="KN-01",
        product_id="501",
        unit_price=Decimal("10.00"),
    )
    return replace(plain, **changes)


def a_charge(**changes: Any) -> Charge:
    """Shipping for 4.00 + 0.84 at 21 %."""
    plain = Charge(
        external_id="21",
        kind=LineKind.SHIPPING,
        name="Courier",
        net=Decimal("4.00"),
        taxes=(a_tax(amount="0.84"),),
    )
    return replace(plain, **changes)


def an_order(**changes: Any) -> Order:
    """Order 1001 of Ona in Vilnius, paid by bank: one notebook, 12.10 EUR of which 2.10 VAT.

    Change the lines or charges and `total` and `total_tax` become their sums, unless they are named too.
    """
    plain = Order(
        external_id="9001",
        number="1001",
        placed_at=NOON,
        currency="EUR",
        total=Decimal("12.10"),
        total_tax=Decimal("2.10"),
        status="processing",
        buyer=ONA,
        lines=(a_line(),),
        payments=(
            Payment("bacs", "Bank transfer", Decimal("12.10"), kind=PaymentKind.PREPAID, reference="", paid_at=NOON),
        ),
        changed_at=NOON,
        paid_at=NOON,
        ship_to=ONA.address,
    )
    order = replace(plain, **changes)
    rows: list[OrderLine | Charge] = [*order.lines, *order.charges]
    tax = sum((each.amount for row in rows for each in row.taxes), Decimal(0))
    if {"lines", "charges"} & changes.keys():
        order = replace(order, total_tax=changes.get("total_tax", tax))
        net = sum((row.net for row in rows), Decimal(0))
        order = replace(order, total=changes.get("total", net + order.total_tax + order.rounding))
    return order


def an_integration(
    session: Session,
    name: str = "KL",
    platform: str = "woocommerce",
    settings: dict[str, Any] | None = None,
    **changes: Any,
) -> Integration:
    """An integration that is switched on, with a store of its own (or `store=` another's)."""
    store = changes.pop("store", None) or Store(platform=platform, store_key=f"{fold(name)}.example.com")
    plain: dict[str, Any] = {
        "state": IntegrationState.ON,
        "parameters": {"address": f"https://{fold(name)}.example.com"},
        "secrets": {"consumer_key": "ck_1", "consumer_secret": "cs_1"},
        "created_at": NOON,
    }
    integration = Integration(
        store=store, name=name, name_key=fold(name), settings=settings or {}, **{**plain, **changes}
    )
    session.add(integration)
    session.flush()
    return integration


def a_store_order(session: Session, integration: Integration, external_id: str = "9001", **changes: Any) -> StoreOrder:
    """An order remembered and not booked."""
    order = StoreOrder(store_id=integration.store.id, external_id=external_id, **{"order_number": "1001", **changes})
    session.add(order)
    session.flush()
    return order


def a_version(session: Session, order: StoreOrder, run: Run, n: int = 1, **changes: Any) -> StoreOrderVersion:
    """One state of an order, the only one on its raw page."""
    page = RawPage(body=b"")
    session.add(page)
    session.flush()
    plain: dict[str, Any] = {"content_hash": bytes(16), "raw_page_id": page.id, "raw_index": 0, "seen_in_run": run.id}
    version = StoreOrderVersion(store_order_id=order.id, n=n, **{**plain, **changes})
    session.add(version)
    session.flush()
    return version


def an_invoice(session: Session, version: StoreOrderVersion, **changes: Any) -> Invoice:
    """A registered invoice without lines for 10.00 + 2.10 EUR, drafted from that version; its number is the order's."""
    order = session.get_one(StoreOrder, version.store_order_id)
    run = session.get_one(Run, version.seen_in_run)
    number = changes.pop("number", f"KL{order.external_id}")
    plain: dict[str, Any] = {
        "store_id": order.store_id,
        "integration_id": run.integration_id,
        "store_order_id": order.id,
        "kind": InvoiceKind.INVOICE,
        "external_id": order.external_id,
        "number": number,
        "number_key": None if number is None else fold(number),
        "order_number": order.order_number,
        "state": InvoiceState.REGISTERED,
        "accounting_type": AccountingType.GOODS,
        "opened_by_run_id": run.id,
        "drafted_from_version_id": version.id,
        "issue_date": NOON.date(),
        "supply_date": NOON.date(),
        "currency": "EUR",
        "eur_rate": Decimal(1),
        "buyer_name": ONA.name,
        "net": Decimal("10.00"),
        "vat": Decimal("2.10"),
        "rounding": Decimal(0),
        "total": Decimal("12.10"),
    }
    invoice = Invoice(**{**plain, **changes})
    session.add(invoice)
    session.flush()
    return invoice


def an_item(
    session: Session, code: str = "KN-01", *, keeps_stock: bool = True, on_hand: Decimal | int | str = 0, **changes: Any
) -> Item:
    """An item, with `on_hand` of it in the first warehouse."""
    plain: dict[str, Any] = {
        "name": f"Item {code}",
        "kind": ItemKind.GOODS if keeps_stock else ItemKind.SERVICE,
    }
    item = Item(code=code, code_key=fold(code), keeps_stock=keeps_stock, **{**plain, **changes})
    session.add(item)
    session.flush()
    if keeps_stock:
        warehouse = session.scalars(select(Warehouse).order_by(Warehouse.id)).first()
        assert warehouse is not None
        session.add(Balance(warehouse_id=warehouse.id, item_id=item.id, on_hand=Decimal(on_hand)))
        session.flush()
    return item


def a_run(session: Session, integration: Integration, **changes: Any) -> Run:
    """A launch that is queued, for the whole of 23 November 2026 in Vilnius."""
    plain: dict[str, Any] = {
        "kind": RunKind.LAUNCH,
        "state": RunState.QUEUED,
        "window_start": datetime(2026, 11, 22, 22, 0, tzinfo=UTC),
        "window_end": datetime(2026, 11, 23, 22, 0, tzinfo=UTC),
        "created_at": NOON,
    }
    run = Run(integration=integration, **{**plain, **changes})
    session.add(run)
    session.flush()
    return run
