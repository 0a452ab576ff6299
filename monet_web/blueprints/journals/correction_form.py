"""The form of a waiting invoice: what is sent becomes typed texts, and typed texts become what the page draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from monet_web.blueprints import sentences
from monet_web.blueprints.field_words import LABELS, label
from monet_web.blueprints.formats import number
from monet_web.blueprints.typed import plain
from monet_web.domain.checks import plain as plain_number
from monet_web.domain.correction_typed import Typed, TypedLine
from monet_web.domain.corrections import ADDRESS, BUYER, DATES, MOST_LINES, Change
from monet_web.domain.decided import OF_FIGURES
from monet_web.domain.findings import PERSON_MAY_PASS, Finding
from monet_web.domain.invoices import Draft, DraftLine
from monet_web.domain.orders import LineKind
from monet_web.models.customers import Customer
from monet_web.models.stock import Warehouse
from monet_web.services.documents.correct import Looked

_LONGEST = 4000
_HEAD = (*BUYER, *ADDRESS, "ship_country", "number", *DATES, "note", "customer", "find_customer")
NAMES_ITEM = (LineKind.GOODS.value, LineKind.SERVICE.value)


def read(form: MultiDict[str, str]) -> Typed:
    """What was sent; a field that the form does not have stays unsaid."""
    head = {name: plain(form[name])[:_LONGEST] for name in _HEAD if name in form}
    rows = [row for row in dict.fromkeys(form.getlist("row")) if row.isascii() and row.isdecimal() and len(row) < 5]
    return Typed(head, tuple(_line(form, row) for row in rows[: MOST_LINES + 1]))


def _line(form: MultiDict[str, str], row: str) -> TypedLine:
    def said(name: str) -> str:
        return plain(form.get(f"{name}-{row}", ""))[:_LONGEST]

    def perhaps(name: str) -> str | None:
        return said(name) if f"{name}-{row}" in form else None

    return TypedLine(
        row=row, origin=said("origin"), kind=said("kind") or "goods", name=said("name"), item=perhaps("item"),
        quantity=said("quantity"), unit=said("unit"), price=said("price"), discount=said("discount"),
        vat_rate=perhaps("vat_rate"), vat=perhaps("vat"), account=perhaps("account"), warehouse=perhaps("warehouse"),
    )  # fmt: skip


def with_line(typed: Typed, *, rate: str, warehouse: str) -> Typed:
    """With one more line to fill in, at the usual rate."""
    row = str(max((int(line.row) for line in typed.lines), default=0) + 1)
    return replace(typed, lines=(*typed.lines, TypedLine(row=row, quantity="1", vat_rate=rate, warehouse=warehouse)))


def without_line(typed: Typed, row: str) -> Typed:
    """Without the line of that row."""
    return replace(typed, lines=tuple(line for line in typed.lines if line.row != row))


@dataclass(frozen=True)
class Row:
    """One line as the page draws it; `drafted` None: it can't be read yet, or is blank."""

    typed: TypedLine
    place: int
    drafted: DraftLine | None
    may_rate: bool

    @property
    def names_item(self) -> bool:
        """It has a field for an item: only goods and services have one."""
        return self.typed.kind in NAMES_ITEM

    @property
    def price_now(self) -> Decimal | None:
        """The price that another rate makes of the same sum; None when it is the typed one."""
        if self.drafted is None or self.typed.price == "":
            return None
        typed = self.typed.price.replace(",", ".").strip()
        try:
            same = Decimal(typed) == self.drafted.unit_price
        except ArithmeticError:
            return None
        return None if same else self.drafted.unit_price


@dataclass(frozen=True)
class Form:
    """Everything that the form's template draws. `errors`: field → sentence; `reasons`: what would stand in the way."""

    typed: Typed
    looked: Looked
    errors: Mapping[str, str]
    may_amounts: bool
    version: int
    seen: str
    warehouses: Sequence[str] = ()
    customer: str = ""
    accept: str = ""
    reason: str = ""
    other: Mapping[str, str] = field(default_factory=dict)

    @property
    def draft(self) -> Draft:
        """What the invoice would be."""
        draft = self.looked.prepared.draft
        assert draft is not None  # noqa: S101 - a correction is always drafted
        return draft

    @property
    def is_goods(self) -> bool:
        """Its lines name items."""
        return self.looked.opened.booking.is_goods

    @property
    def is_changed(self) -> bool:
        """Something is typed that is not kept yet."""
        return bool(self.looked.changes)

    @property
    def differences(self) -> list[str]:
        """How its figures differ from the store's, in sentences, as long as nobody accepted it."""
        return [sentences.said(one).wrong for one in self.reasons if one.code in OF_FIGURES and one.stops]

    @property
    def reasons(self) -> list[Finding]:
        """Everything that would be found about it."""
        return self.looked.findings

    @property
    def stops(self) -> list[Finding]:
        """What of it would keep a person from registering it."""
        return [one for one in self.reasons if one.stops and one.code not in PERSON_MAY_PASS]

    @cached_property
    def rows(self) -> list[Row]:
        """The lines in their order."""
        drafted = dict(zip(self.looked.corrected.rows, self.draft.lines, strict=True))
        known = dict(self._before())
        return [
            Row(line, place, drafted.get(line.row), self.may_amounts or not known.get(line.origin, False))
            for place, line in enumerate(self.typed.lines, start=1)
        ]

    def _before(self) -> Iterator[tuple[str, bool]]:
        """(key, whether the store says its rate) of each line as it is kept now."""
        opened = self.looked.opened
        for typed, line in zip(opened.typed.lines, opened.standing.lines, strict=True):
            yield typed.origin, line.draft.rate_known

    @cached_property
    def rates(self) -> list[tuple[str, str]]:
        """The rates to choose from: those of the company's country and of the delivery's on the supply date."""
        booking, draft = self.looked.opened.booking, self.draft
        found = set()
        for country in {booking.country, draft.ship_country or booking.country}:
            found |= set(booking.rates.of(country, draft.supply_date))
        found |= {line.vat_rate for line in draft.lines if line.vat_rate is not None}
        texts = [(plain_number(rate), f"{number(rate)}\u00a0%") for rate in sorted(found, reverse=True)]
        return [*texts, ("", str(_("no VAT")))]

    def value(self, name: str) -> str:
        """The text of a field of the head."""
        return self.typed.fields.get(name, self.looked.opened.typed.fields.get(name, ""))

    def error(self, name: str) -> str:
        """What is wrong with a field, "" when nothing is."""
        return self.errors.get(name, "")

    def to_mend(self) -> list[tuple[str, str, str]]:
        """(id of the field, its label, the sentence) of each mistake."""
        places = {row.typed.row: row.place for row in self.rows}
        found = []
        for key, sentence in self.errors.items():
            name, dash, row = key.partition("-")
            shown = label(Change(name, places.get(row, 0), "", "")) if dash else str(LABELS.get(key, ""))
            found.append((f"c-{key}", shown or str(_("The invoice")), sentence))
        return found


def warehouse_codes(session: Session) -> list[str]:
    """Codes of all warehouses, the first one first. Inside a transaction."""
    return list(session.scalars(select(Warehouse.code).order_by(Warehouse.id)))


def filled_in(typed: Typed, customer: Customer) -> Typed:
    """The form with the buyer's fields taken from a customer's card."""
    address = customer.address or {}
    card = {
        "name": "" if customer.is_company else customer.name,
        "company": customer.name if customer.is_company else "",
        "company_code": customer.company_code, "vat_code": customer.vat_code, "email": customer.email,
        "line": address.get("line", ""), "city": address.get("city", ""), "postcode": address.get("postcode", ""),
        "country": customer.country or address.get("country", ""), "customer": str(customer.id), "find_customer": "",
    }  # fmt: skip
    return replace(typed, fields={**typed.fields, **card})
