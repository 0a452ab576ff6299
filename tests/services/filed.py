"""Registered documents with their VAT rows, put straight into the tables: for tests of what is filed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from monet_web.domain.money import convert
from monet_web.models import Integration, Invoice, InvoiceVat
from monet_web.models.invoices import InvoiceKind
from monet_web.models.runs import RunState
from tests.builders import a_run, a_store_order, a_version, an_invoice

# A company that may file, and whose invoices show what they must.
COMPANY = {
    "name": "UAB Kava", "code": "123456789", "vat_code": "LT100001919017", "address": "Laisvės al. 1, Kaunas",
}  # fmt: skip
Row = tuple[str | None, str, str, str]  # rate, code, base, amount
AT_HOME: Row = ("21", "PVM1", "10.00", "2.10")
NOVEMBER = date(2026, 11, 1)


def a_document(
    session: Session,
    integration: Integration,
    number: str,
    rows: Sequence[Row] = (AT_HOME,),
    *,
    eur_rate: str = "1",
    of: Invoice | None = None,
    **changes: Any,
) -> Invoice:
    """A registered invoice, or (`of`) the credit note of one: its amounts are given negative."""
    run = a_run(session, integration, state=RunState.DONE)
    version = a_version(session, a_store_order(session, integration, number), run)
    rate = Decimal(eur_rate)
    net = sum((Decimal(row[2]) for row in rows), Decimal(0))
    vat = sum((Decimal(row[3]) for row in rows), Decimal(0))
    plain: dict[str, Any] = {
        "number": number, "net": net, "vat": vat, "total": net + vat, "eur_rate": rate, "ship_country": "LT",
        "net_eur": convert(net, rate), "vat_eur": convert(vat, rate), "total_eur": convert(net + vat, rate),
        "buyer": {"country": "LT"}, "treatment": "domestic",
        "supply_date": changes.get("issue_date", date(2026, 11, 23)),
    }  # fmt: skip
    if of is not None:
        plain |= {"kind": InvoiceKind.CREDIT_NOTE, "credits_invoice_id": of.id, "supply_date": of.supply_date}
    invoice = an_invoice(session, version, **{**plain, **changes})
    for percent, code, base, amount in rows:
        session.add(
            InvoiceVat(
                invoice_id=invoice.id, rate=None if percent is None else Decimal(percent), code=code,
                base=Decimal(base), amount=Decimal(amount), amount_eur=convert(Decimal(amount), rate),
            )
        )  # fmt: skip
    session.flush()
    return invoice
