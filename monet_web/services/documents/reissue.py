"""Registered invoices that go back whole: a parcel nobody paid for, and an invoice that names another buyer (E1, D11).

Both end the invoice with a credit note of today. The parcel's goods return; another buyer's invoice takes them over:
what the credit note brings back the new invoice takes again, so that balances stay as they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, selectinload

from monet_web.domain.codes import company_code_problem
from monet_web.domain.errors import BrokenRule
from monet_web.domain.invoices import Draft
from monet_web.domain.orders import Address, Buyer, PaymentKind
from monet_web.domain.treatment import Treatment
from monet_web.models.base import reading, take_ids, writing
from monet_web.models.invoices import Invoice, InvoiceKind, InvoiceState
from monet_web.models.runs import RunKind
from monet_web.models.stock import Balance, StockMove
from monet_web.models.store_orders import Outcome
from monet_web.services import audit
from monet_web.services.books.fields import WrongFields
from monet_web.services.books.numbers import number_key
from monet_web.services.books.vat_codes import vat_code_problem
from monet_web.services.documents import credit
from monet_web.services.documents.credit import Credited
from monet_web.services.importing.claimed import PATIENCE, Claimed, claimed
from monet_web.services.importing.claims import hold
from monet_web.services.importing.customers import match_or_make
from monet_web.services.importing.facts import taken_numbers
from monet_web.services.importing.notes import MOVED_BY, columns_of
from monet_web.services.importing.rows import Batch

FIELDS = ("name", "company", "company_code", "vat_code", "email", "phone", "line", "city", "postcode")
_LONGEST = {
    "name": 200, "company": 200, "company_code": 60, "vat_code": 60, "email": 254, "phone": 60, "line": 300,
    "city": 120, "postcode": 20,
}  # fmt: skip
# Elsewhere another buyer may be another treatment of VAT, which is not for this program to choose.
_BUYER_DECIDES_NOTHING = ("", Treatment.DOMESTIC.value, Treatment.NOT_PAYER.value)


@dataclass(frozen=True, slots=True)
class Reissued:
    """The credit note of the former invoice and the new one."""

    credit_note: str | None
    invoice_id: int
    number: str


def is_on_delivery(invoice: Invoice) -> bool:
    """Some of it is to be paid when the parcel is handed over."""
    return any(payment.get("kind") == PaymentKind.CASH_ON_DELIVERY for payment in invoice.payments)


def uncollected(
    session: Session, invoice_id: int, *, now: datetime, actor: str, patience: float = PATIENCE
) -> Credited:
    """The parcel came back unpaid: credit the invoice in full, dated today, and take its goods back.

    Raises BrokenRule (not registered, credited already, not on delivery, today is closed), RetryLater.
    """
    invoice = _registered(session, invoice_id)
    if not is_on_delivery(invoice):
        raise BrokenRule(
            f"{invoice.number} was not to be paid on delivery.",
            fix="Enter the refund in the store; its credit note comes with the next import.",
        )
    with (
        claimed(session, invoice.integration_id, now=now, actor=actor, patience=patience, kind=RunKind.UNDO) as held,
        writing(session),
    ):
        hold(session, held.claim, now=held.clock(), credit_notes=1)
        return _credited(session, held, invoice, "not collected, the parcel came back", Outcome.CREDITED)


def to_another_buyer(
    session: Session,
    invoice_id: int,
    typed: Mapping[str, str],
    *,
    now: datetime,
    actor: str,
    patience: float = PATIENCE,
) -> Reissued:
    """Credit the invoice and register one of the next revision with the buyer typed (FIELDS), all else the same.

    Raises WrongFields, BrokenRule (a part is credited, VAT depends on the buyer, today is closed), RetryLater.
    """
    invoice = _registered(session, invoice_id)
    buyer = _buyer(invoice, typed)
    with (
        claimed(session, invoice.integration_id, now=now, actor=actor, patience=patience, kind=RunKind.UNDO) as held,
        writing(session),
    ):
        hold(session, held.claim, now=held.clock(), credit_notes=1)
        with_notes = select(func.count()).where(Invoice.credits_invoice_id == invoice_id)
        if session.execute(with_notes).scalar_one():
            raise BrokenRule(
                f"A part of {invoice.number} is given back already.",
                fix="Correct the buyer of the order in the store and accept that change here.",
            )
        done = _credited(session, held, invoice, "issued to another buyer", Outcome.REGISTERED)
        return _issue(session, held, invoice_id, buyer, done)


def _registered(session: Session, invoice_id: int) -> Invoice:
    with reading(session):
        invoice = session.get(Invoice, invoice_id, populate_existing=True)
    if invoice is None or invoice.kind is not InvoiceKind.INVOICE or invoice.state is not InvoiceState.REGISTERED:
        raise BrokenRule("Only a registered invoice can be credited.", fix="Look at it again.")
    if invoice.superseded:
        raise BrokenRule(f"{invoice.number} is credited in full already.", fix="Look at its other documents.")
    return invoice


def _credited(session: Session, held: Claimed, invoice: Invoice, reason: str, order_becomes: Outcome) -> Credited:
    done = credit.in_full(
        session, [invoice.id], run_id=held.claim.run_id, day=held.booking.today, reason=reason,
        order_becomes=order_becomes, now=held.clock(), actor=held.booking.actor,
    )  # fmt: skip
    if not done:
        raise BrokenRule("It was credited meanwhile.", fix="Look at it again.")
    return done[0]


def _buyer(invoice: Invoice, typed: Mapping[str, str]) -> dict[str, str]:
    """The buyer as kept on an invoice; the country stays, since VAT depends on it. Raises WrongFields, BrokenRule."""
    if invoice.treatment not in _BUYER_DECIDES_NOTHING:
        raise BrokenRule(
            "The VAT of this invoice depends on its buyer.",
            fix="Correct the buyer of the order in the store and accept that change here.",
        )
    buyer = {name: " ".join(typed.get(name, "").split()) for name in FIELDS} | {
        "country": str(invoice.buyer.get("country", ""))
    }
    country = buyer["country"]
    wrong = {name: f"It is longer than {most} signs. Type it shorter." for name, most in _LONGEST.items()
             if len(buyer[name]) > most}  # fmt: skip
    if not buyer["name"] and not buyer["company"]:
        wrong["name"] = "Type the name of the person or of the company."
    if buyer["vat_code"] and vat_code_problem(buyer["vat_code"], country):
        wrong["vat_code"] = f"{buyer['vat_code']} can't be a VAT code. Look at it again."
    if buyer["company_code"] and country == "LT" and company_code_problem(buyer["company_code"]):
        wrong["company_code"] = f"{buyer['company_code']} can't be a company code. Look at it again."
    if wrong:
        raise WrongFields(wrong)
    return buyer


def _issue(session: Session, held: Claimed, invoice_id: int, buyer: Mapping[str, str], done: Credited) -> Reissued:
    loaded = (selectinload(Invoice.lines), selectinload(Invoice.vat_rows))
    former = session.get_one(Invoice, invoice_id, populate_existing=True, options=loaded)
    new_id = take_ids(session, Invoice.__tablename__, 1)[0]
    number, revision = _next_number(session, former)
    customer_id = match_or_make(session, [_as_draft(former, buyer)], held.booking.settings.private_buyers)[0]
    name = (buyer["company"] or buyer["name"])[:400]
    batch = Batch()
    batch.invoices.append(
        {
            **columns_of(former),
            "id": new_id, "revision": revision, "superseded": False, "number": number,
            "number_key": number_key(number), "opened_by_run_id": held.claim.run_id,
            "registered_by_run_id": held.claim.run_id, "registered_at": held.clock(), "touched_at": held.clock(),
            "touched_by": held.booking.actor[:200], "row_version": 1, "issued_by_store": False,
            "issue_date": max(held.booking.today, former.issue_date), "vat_date": None, "customer_id": customer_id,
            "buyer_name": name, "buyer": dict(buyer), "stock_not_moved_reason": former.stock_not_moved_reason,
            "search_text": " ".join((number, former.order_number, name, *buyer.values())).casefold(),
        }
    )  # fmt: skip
    for line in former.lines:
        batch.lines.append({**columns_of(line), "invoice_id": new_id})
    for row in former.vat_rows:
        batch.vat.append({**columns_of(row), "invoice_id": new_id})
    for rows in (batch.lines, batch.vat):
        for each in rows:
            del each["id"]
    _take_again(session, batch, done.credit_note_id, new_id)
    batch.write(session)
    after = {"number": number, "instead_of": former.number, "buyer": name}
    audit.record(
        session, at=held.clock(), actor=held.booking.actor, action="registered", subject_kind="invoice",
        subject_id=new_id, after=after,
    )  # fmt: skip
    return Reissued(done.number, new_id, number)


def _next_number(session: Session, former: Invoice) -> tuple[str, int]:
    """`<number>-2`, then `<number>-3`. Raises BrokenRule: it belongs to another document."""
    revision = former.revision + 1
    base = (former.number or former.order_number)[:112]
    if former.revision > 1:
        base = base.removesuffix(f"-{former.revision}")
    number = f"{base}-{revision}"
    if number_key(number) in taken_numbers(session, {number_key(number)}):
        raise BrokenRule(f"The number {number} belongs to another document.", fix="Nothing was changed.")
    return number, revision


def _take_again(session: Session, batch: Batch, note_id: int | None, invoice_id: int) -> None:
    """What the credit note brought back leaves with the new invoice: in sum nothing moves."""
    moves = select(StockMove).where(StockMove.document_type == MOVED_BY, StockMove.document_id == note_id)
    for move in session.scalars(moves.order_by(StockMove.warehouse_id, StockMove.item_id)):
        batch.moves.append(
            {"document_type": MOVED_BY, "document_id": invoice_id, "position": move.position,
             "item_id": move.item_id, "warehouse_id": move.warehouse_id, "quantity": -move.quantity, "day": move.day}
        )  # fmt: skip
        session.execute(
            update(Balance)
            .where(Balance.warehouse_id == move.warehouse_id, Balance.item_id == move.item_id)
            .values(on_hand=Balance.on_hand - move.quantity)
            .execution_options(synchronize_session=False)
        )


def _as_draft(invoice: Invoice, buyer: Mapping[str, str]) -> Draft:
    """As far as customers are matched by it."""
    address = Address(
        line=buyer["line"], city=buyer["city"], postcode=buyer["postcode"], country=buyer["country"]
    )  # fmt: skip
    whole: dict[str, Any] = {
        "external_id": invoice.external_id, "order_number": invoice.order_number, "currency": invoice.currency,
        "placed_at": invoice.registered_at, "issue_date": invoice.issue_date, "supply_date": invoice.supply_date,
        "ship_country": invoice.ship_country, "payments": (), "lines": (), "vat": (), "rounding": Decimal(0),
        "total": invoice.total,
    }  # fmt: skip
    person = Buyer(
        name=buyer["name"], company=buyer["company"], email=buyer["email"], phone=buyer["phone"], address=address
    )
    return Draft(**whole, buyer=person, company_code=buyer["company_code"], vat_code=buyer["vat_code"])
