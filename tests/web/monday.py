"""A Monday: waiting invoices of a month for six different causes, put into journals by ordinary imports."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.orders import Order
from monet_web.models import Integration
from monet_web.models.base import writing
from tests.builders import NOON, ONA, a_line, a_tax, an_item, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, put

Factory = sessionmaker[Session]

WRONG_VAT_CODE = "LT123456789"
CAUSES = 6


def an_order_of(number: int, **changes: Any) -> Order:
    """Order `number`, placed on one of the days of November up to the 23rd."""
    moment = NOON - timedelta(days=number % 22)
    return an_order(
        external_id=f"id-{number}", number=str(number), placed_at=moment, changed_at=moment, paid_at=moment, **changes
    )


def waiting_month(session: Session, session_factory: Factory, *, each: int) -> Integration:
    """`each` invoices for each cause: unknown SKU, shortage, difference, VAT rate, VAT code, missing rate of dollars.

    Every one of them waits for nothing else.
    """
    with writing(session):
        an_item(session, "MUG-1", on_hand=10 * each)
        an_item(session, "MUG-2", on_hand=0)
    integration = integrate(session, "Kava")
    mug = a_line(sku="MUG-1", product_id="")
    company = replace(ONA, company="UAB Kava", vat_code=WRONG_VAT_CODE)
    numbers = iter(range(1, 1 + CAUSES * each))
    ScriptedStore.ORDERS = {}
    put(
        ScriptedStore,
        *(an_order_of(next(numbers), lines=(a_line(sku="KN-01", product_id=""),)) for _ in range(each)),
        *(an_order_of(next(numbers), lines=(a_line(sku="MUG-2", product_id=""),)) for _ in range(each)),
        *(an_order_of(next(numbers), lines=(mug,), total=Decimal("12.13")) for _ in range(each)),
        *(
            an_order_of(next(numbers), lines=(replace(mug, taxes=(a_tax("9", "0.90"),)),))
            for _ in range(each)
        ),
        *(an_order_of(next(numbers), lines=(mug,), buyer=company) for _ in range(each)),
        # The rate of the first day serves the days after it.
        *(replace(an_order_of(22, lines=(mug,)), external_id=f"u-{number}", number=f"u-{number}", currency="USD")
          for number in numbers),
    )  # fmt: skip
    ended = import_all(session_factory, integration)
    assert ended.in_journal == CAUSES * each, (ended.in_journal, ended.findings)
    return integration
