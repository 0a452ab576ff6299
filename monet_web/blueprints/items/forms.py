"""Goods received by hand as they are typed: lines of item and quantity, one warehouse, one day, a note."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from monet_web.blueprints.typed import plain
from monet_web.services.books import tables
from monet_web.services.books.tables import Mistakes, Wrong
from monet_web.services.goods import item_lists
from monet_web.services.goods.receipt_rows import Received

SHOWN_LINES = 4
MORE_LINES = 5
MOST_LINES = 200


@dataclass(slots=True)
class Line:
    """One line as typed; `number` is its place on the page, from 1."""

    number: int
    code: str = ""
    quantity: str = ""
    is_known: bool = False  # the code is an item's, so what is wrong with the line is its quantity

    @property
    def is_blank(self) -> bool:
        """Nothing is typed in it."""
        return not self.code and not self.quantity


@dataclass(slots=True)
class ReceiptForm:
    """The whole form. `token` names it, so that sent twice it is entered once."""

    lines: list[Line] = field(default_factory=list)
    warehouse: str = ""
    day: str = ""
    note: str = ""
    token: str = ""

    @classmethod
    def of_address(cls, args: MultiDict[str, str]) -> ReceiptForm:
        """Filled in by a link: `?item=KN-01&quantity=5&warehouse=MAIN`."""
        first = Line(1, plain(args.get("item", "")).strip()[:200], args.get("quantity", "").strip()[:40])
        return cls([first], args.get("warehouse", ""), token=secrets.token_urlsafe(12)).with_lines(SHOWN_LINES)

    @classmethod
    def of_posted(cls, form: MultiDict[str, str]) -> ReceiptForm:
        """As it was sent."""
        codes, quantities = form.getlist("code")[:MOST_LINES], form.getlist("quantity")[:MOST_LINES]
        lines = [
            Line(number, plain(code).strip()[:200], quantity.strip()[:60])
            for number, (code, quantity) in enumerate(zip(codes, quantities, strict=False), start=1)
        ]
        token = form.get("form", "")[:40] or secrets.token_urlsafe(12)
        note = plain(form.get("note", "")).strip()[:400]
        return cls(lines, form.get("warehouse", ""), form.get("day", "").strip(), note, token).with_lines(SHOWN_LINES)

    def with_lines(self, count: int) -> ReceiptForm:
        """With blank lines up to `count`."""
        self.lines += [Line(number) for number in range(len(self.lines) + 1, min(count, MOST_LINES) + 1)]
        return self

    @property
    def typed_lines(self) -> list[Line]:
        """Lines in which something is typed."""
        return [line for line in self.lines if not line.is_blank]

    def resolve(self, session: Session) -> None:
        """Write the item's code where a barcode, another alias or the whole name was typed. Inside a transaction."""
        codes = item_lists.codes_of(session, [line.code for line in self.typed_lines])
        for line in self.typed_lines:
            line.is_known = line.code in codes
            line.code = codes.get(line.code, line.code)

    def rows(self, mistakes: Mistakes) -> list[Received]:
        """The typed lines as rows of a receipt; what can't be read is named by the line's number."""
        day: date | None = None
        if self.day:
            with mistakes.of(0):
                day = tables.day_of(self.day)
        rows: list[Received] = []
        for line in self.typed_lines:
            with mistakes.of(line.number):
                if not line.quantity:
                    raise Wrong("It has no quantity. Type how many came, for example 12 or 0,5.")
                quantity = tables.number_of(line.quantity, example="12 or 0,5 (−2 takes two out)")
                rows.append(Received(line.number, line.code, quantity, self.warehouse, day))
        return rows

    def fingerprint(self, rows: Sequence[Received]) -> str:
        """What was previewed, in short: what is entered must be the same."""
        said = repr([(row.code, f"{row.quantity:f}", row.warehouse, row.day) for row in rows])
        return hashlib.sha256(said.encode()).hexdigest()
