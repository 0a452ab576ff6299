"""Registered invoices that go back whole: a parcel nobody paid for, and an invoice that names another buyer (E1, D11).

Both end the invoice with a credit note of today for what is left of it. The parcel's goods return; another buyer's
invoice takes them over: what the credit note brings back the new invoice takes again, so that balances stay as they
were. It is the same supply, so its day, place, lines and rates stay; how VAT treats it is decided again for the new
buyer, and where that is not clear it waits in a journal.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from monet_web.domain.codes import company_code_problem
from monet_web.domain.countries import ISO
from monet_web.domain.credit_notes import Amounts
from monet_web.domain.errors import BrokenRule
from monet_web.domain.orders import Address, Buyer, PaymentKind, Unreadable
from monet_web.domain.vat import vat_country
from monet_web.models.base import reading, writing
from monet_web.models.invoices import Invoice, InvoiceKind, InvoiceState
from monet_web.models.runs import RunKind
from monet_web.models.stock import StockMove
from monet_web.models.store_orders import Outcome
from monet_web.services.books.fields import WrongFields
from monet_web.services.books.vat_codes import vat_code_problem
from monet_web.services.documents import credit
from monet_web.services.documents.credit import Credited
from monet_web.services.importing import corrected, raw_pages, reissued
from monet_web.services.importing.book import book_prepared
from monet_web.services.importing.booking import Booking
from monet_web.services.importing.claimed import PATIENCE, Claimed, claimed
from monet_web.services.importing.claims import hold
from monet_web.services.importing.collect import Remembered
from monet_web.services.importing.corrected import Kept
from monet_web.services.importing.counts import Counts
from monet_web.services.importing.facts import living_invoices
from monet_web.services.importing.notes import MOVED_BY
from monet_web.services.importing.prepare import Prepared, prepare_reissue

FIELDS = ("name", "company", "company_code", "vat_code", "email", "phone", "line", "city", "postcode", "country")
_LONGEST = {
    "name": 200, "company": 200, "company_code": 60, "vat_code": 60, "email": 254, "phone": 60, "line": 300,
    "city": 120, "postcode": 20, "country": 2,
}  # fmt: skip
_MEANWHILE = "It was credited meanwhile."


@dataclass(frozen=True, slots=True)
class Reissued:
    """The credit note of the former invoice and the new one, which waits in a journal unless `registered`."""

    credit_note: str | None
    invoice_id: int
    number: str
    registered: bool


def is_on_delivery(invoice: Invoice) -> bool:
    """Some of it is to be paid when the parcel is handed over."""
    return any(payment.get("kind") == PaymentKind.CASH_ON_DELIVERY for payment in invoice.payments)


def is_creditable(invoice: Invoice) -> bool:
    """A registered invoice that was not taken back as a whole."""
    return invoice.kind is InvoiceKind.INVOICE and invoice.state is InvoiceState.REGISTERED and not invoice.superseded


def left(session: Session, invoice: Invoice) -> Decimal:
    """How much of a registered invoice could be issued to another buyer: 0 when all is given back. In a transaction."""
    return _left(session, invoice).totals.total


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
    """Credit what is left of the invoice, and make one of the next revision for it with the buyer typed (FIELDS).

    It is registered, or it waits in a journal with its findings: 0 % needs a VAT payer whom VIES knows, and VAT that a
    consumer was charged none. Raises WrongFields, BrokenRule (nothing is left, the number is taken, today is closed),
    RetryLater.
    """
    invoice = _registered(session, invoice_id)
    buyer = _buyer(invoice, typed)
    with claimed(
        session, invoice.integration_id, now=now, actor=actor, patience=patience, kind=RunKind.UNDO, by_person=True
    ) as held:
        held.booking.now = held.clock()
        notes: list[Credited] = []

        def prepare(session: Session) -> list[Prepared]:
            return [_prepared(session, held.booking, invoice_id, buyer)]

        def first(session: Session) -> None:
            notes[:] = [_credited(session, held, invoice, "issued to another buyer", Outcome.OPEN)]

        (one,), _counts = book_prepared(session, held.claim, held.booking, prepare, Counts(), first=first)
    new_id, number = int(one.details["invoice_id"]), one.number or ""
    return Reissued(notes[0].number, new_id, number, registered=one.outcome == "registered")


# --- looking ------------------------------------------------------------------------------------------------------


def _registered(session: Session, invoice_id: int) -> Invoice:
    with reading(session):
        invoice = session.get(Invoice, invoice_id, populate_existing=True)
    if invoice is None or invoice.kind is not InvoiceKind.INVOICE or invoice.state is not InvoiceState.REGISTERED:
        raise BrokenRule("Only a registered invoice can be credited.", fix="Look at it again.")
    if invoice.superseded:
        raise BrokenRule(f"{invoice.number} is credited in full already.", fix="Look at its other documents.")
    return invoice


def _buyer(invoice: Invoice, typed: Mapping[str, str]) -> Buyer:
    """The buyer that was typed; without a country that of the former buyer. Raises WrongFields."""
    given = {name: " ".join(typed.get(name, "").split()) for name in FIELDS}
    country = given["country"].upper() or str((invoice.buyer or {}).get("country", ""))
    country = vat_country(country) if country == "EL" else country
    wrong = {name: f"It is longer than {most} signs. Type it shorter." for name, most in _LONGEST.items()
             if len(given[name]) > most}  # fmt: skip
    if not given["name"] and not given["company"]:
        wrong["name"] = "Type the name of the person or of the company."
    if given["country"] and country not in ISO:
        wrong["country"] = f"{given['country'][:20]} is no country's code. Type two letters, as LT or DE."
    if given["vat_code"] and vat_code_problem(given["vat_code"], country):
        wrong["vat_code"] = f"{given['vat_code']} can't be a VAT code. Look at it again."
    if given["company_code"] and country == "LT" and company_code_problem(given["company_code"]):
        wrong["company_code"] = f"{given['company_code']} can't be a company code. Look at it again."
    if wrong:
        raise WrongFields(wrong)
    place = Address(line=given["line"], city=given["city"], postcode=given["postcode"], country=country)
    del given["line"], given["city"], given["postcode"], given["country"]
    return Buyer(**given, address=place)


def _left(session: Session, invoice: Invoice) -> Amounts:
    return reissued.left_before(session, [invoice])[invoice.id]


# --- making -------------------------------------------------------------------------------------------------------


def _credited(session: Session, held: Claimed, invoice: Invoice, reason: str, order_becomes: Outcome) -> Credited:
    done = credit.in_full(
        session, [invoice.id], run_id=held.claim.run_id, day=held.booking.today, reason=reason,
        order_becomes=order_becomes, now=held.clock(), actor=held.booking.actor,
    )  # fmt: skip
    if not done:
        raise BrokenRule(_MEANWHILE, fix="Look at it again.")
    return done[0]


def _prepared(session: Session, booking: Booking, invoice_id: int, buyer: Buyer) -> Prepared:
    """The new invoice with all that is found about it. In a transaction. Raises BrokenRule."""
    stored = corrected.load(session, [invoice_id])[invoice_id]
    former = session.get_one(
        Invoice, invoice_id, populate_existing=True,
        options=[selectinload(Invoice.lines), selectinload(Invoice.vat_rows), selectinload(Invoice.found)],
    )  # fmt: skip
    living = living_invoices(session, former.store_id, [former.external_id]).get(former.external_id)
    if living is None or living.id != invoice_id:
        raise BrokenRule(_MEANWHILE, fix="Look at it again.")
    is_left = _left(session, former)
    if not reissued.is_left(is_left):
        raise BrokenRule(
            f"Nothing is left of {former.number}: all of it is given back.",
            fix="Enter a new order in the store for the new buyer.",
        )
    _book_as(booking, former)
    order = _order(session, booking, former)
    draft, lines = reissued.remaining(corrected.standing_of(stored, booking, order.order).draft, is_left)
    draft = replace(
        draft, buyer=buyer, company_code=buyer.company_code, vat_code=buyer.vat_code,
        issue_date=max(booking.today, former.issue_date),
    )  # fmt: skip
    places, kept = stored.places(booking), _kept(session, booking, former, stored, lines)
    prepared = prepare_reissue(
        session, booking, order, draft, kept, number=_next_number(former), places=[places[each] for each in lines],
        former=living,
    )  # fmt: skip
    if prepared.draft is None:
        number = prepared.details.get("number", "?")
        raise BrokenRule(f"The number {number} belongs to another document.", fix="Nothing was changed.")
    if former.eur_rate is not None:  # the same supply was worth as much
        prepared.eur_rate = former.eur_rate
        prepared.findings = [one for one in prepared.findings if one.code != "currency_rate_missing"]
    return prepared


def _book_as(booking: Booking, former: Invoice) -> None:
    """Whatever the settings say by now: the invoice is ours, of the former one's kind, and moves stock if that did."""
    accounting_type = former.accounting_type.value
    booking.settings = replace(booking.settings, accounting_type=accounting_type, issued_by="monet")
    booking.without_stock = former.stock_not_moved_reason


def _order(session: Session, booking: Booking, former: Invoice) -> Remembered:
    """The order as it was when the invoice was drafted: what changed in it since is still to be answered."""
    version = former.drafted_from_version_id
    raw, context = raw_pages.load_versions(session, [version])[version]
    order = booking.connector.read(raw, context)
    if isinstance(order, Unreadable):
        order = replace(order, external_id=former.external_id)
    return Remembered(former.store_order_id, version, order)


def _kept(
    session: Session, booking: Booking, former: Invoice, stored: corrected.Stored, lines: Collection[int]
) -> Kept:
    """Everything of the former invoice that its draft does not hold. What took no stock then takes none now."""
    moved = set(
        session.scalars(
            select(StockMove.position)
            .where(StockMove.document_type == MOVED_BY, StockMove.document_id == former.id)
            .group_by(StockMove.position)
            .having(func.sum(StockMove.quantity) != 0)
        )
    )
    rows = [former.lines[each] for each in lines]
    items = [stored.items.get(row.item_id) if row.item_id else None for row in rows]
    stays = bool(former.stock_not_moved_reason)
    return Kept(
        touched_at=booking.now,
        touched_by=booking.actor[:200],
        vat_date=former.vat_date,
        note=former.note,
        items=tuple(
            replace(item, keeps_stock=item.keeps_stock and (stays or row.position in moved)) if item else None
            for item, row in zip(items, rows, strict=True)
        ),
        accounts=tuple(row.account or "" for row in rows),
        reissues=former.id,
    )


def _next_number(former: Invoice) -> str:
    """`<number>-2`, then `<number>-3`."""
    base = (former.number or former.order_number)[:112]
    if former.revision > 1:
        base = base.removesuffix(f"-{former.revision}")
    return f"{base}-{former.revision + 1}"
