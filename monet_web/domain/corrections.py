"""Corrections: what a person typed over a waiting invoice becomes a draft whose sums are exact (E3, D5).

The store's figures stay the measure: its total, and its VAT on every line whose amounts nobody changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from monet_web.domain.correction_lines import Line, LineMistakes, Measure, corrected_line, keys_of
from monet_web.domain.correction_lines import as_typed as line_as_typed
from monet_web.domain.correction_typed import Typed
from monet_web.domain.invoices import Draft, sum_by_rate
from monet_web.domain.measured import Said, measured
from monet_web.domain.money import ZERO, minor_unit
from monet_web.domain.orders import Address, Buyer
from monet_web.domain.typed import Wrong, day_of, shown

DATES = ("issue_date", "supply_date", "vat_date")
BUYER = ("name", "company", "company_code", "vat_code", "email", "phone")
ADDRESS = ("line", "city", "postcode", "country")
MOST_LINES = 300
_LONGEST = {
    "name": 200, "company": 200, "company_code": 60, "vat_code": 60, "email": 254, "phone": 60, "line": 300,
    "city": 120, "postcode": 20, "number": 120, "note": 4000,
}  # fmt: skip
_EARLIEST, _LATEST = 1990, 2200
_ONLY_ACCOUNTANT = "Only an accountant changes it."


@dataclass(frozen=True, slots=True)
class Standing:
    """A waiting invoice before it is corrected; `lines` are those of its draft with where they are booked."""

    draft: Draft
    lines: tuple[Line, ...]
    number: str = ""
    vat_date: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Corrected:
    """The invoice as typed. `errors`: field → what is wrong; a field of a line is `quantity-3`, 3 being its row."""

    draft: Draft
    lines: tuple[Line, ...]
    rows: tuple[str, ...]  # the rows of the form that the lines come from
    number: str
    vat_date: date | None
    note: str
    errors: Mapping[str, str] = field(default_factory=dict)


def correct(before: Standing, typed: Typed, said: Said, *, limit: Decimal, may_amounts: bool) -> Corrected:
    """What was typed, as an invoice: Σ net of a rate = its base, Σ VAT = its amount, bases + VAT + rounding = total.

    `may_amounts`: the person is an accountant, who alone changes dates, rates and amounts of VAT. What can't be used
    keeps its former value, so that the sums still move; whether the whole may be kept, `errors` say.
    """
    errors: dict[str, str] = {}
    draft = _head(before, typed, may_amounts, errors)
    lines, rows = _lines(before, typed, said, may_amounts, errors)
    draft = replace(draft, lines=tuple(line.draft for line in lines), vat=sum_by_rate([line.draft for line in lines]))
    draft = _totalled(draft, before.draft, said, limit)
    return Corrected(
        draft=draft,
        lines=tuple(lines),
        rows=tuple(rows),
        number=_text(typed, "number", before.number, errors),
        vat_date=_vat_date(before, typed, may_amounts, errors),
        note=_text(typed, "note", before.note, errors),
        errors=errors,
    )


def _totalled(draft: Draft, before: Draft, said: Said, limit: Decimal) -> Draft:
    """The total: the store's as long as rounding explains the rest, else what the lines come to.

    Lines that come to what they came to before leave the total as it was, whatever it is.
    """
    of_lines = draft.net + draft.vat_total
    if of_lines == before.net + before.vat_total:
        total = before.total
    elif abs(said.total - said.rounding - of_lines) <= limit:
        total = said.total
    else:
        total = of_lines
    return measured(replace(draft, total=total, rounding=total - of_lines), said, limit)


# --- the head -----------------------------------------------------------------------------------------------------


def _head(before: Standing, typed: Typed, may_amounts: bool, errors: dict[str, str]) -> Draft:
    draft = before.draft
    buyer, address = draft.buyer, draft.buyer.address
    codes = {"company_code": draft.company_code, "vat_code": draft.vat_code}
    texts = {name: _text(typed, name, codes.get(name, getattr(buyer, name, "")), errors) for name in BUYER}
    where = {name: _text(typed, name, getattr(address, name), errors) for name in ("line", "city", "postcode")}
    country = _country(typed, "country", address.country, errors)
    return replace(
        draft,
        buyer=_buyer(buyer, texts, replace(address, country=country, **where)),
        company_code=texts["company_code"],
        vat_code=texts["vat_code"],
        ship_country=_country(typed, "ship_country", draft.ship_country, errors),
        issue_date=_day(typed, "issue_date", draft.issue_date, may_amounts, errors),
        supply_date=_day(typed, "supply_date", draft.supply_date, may_amounts, errors),
    )


def _buyer(buyer: Buyer, texts: Mapping[str, str], address: Address) -> Buyer:
    return replace(
        buyer, name=texts["name"], company=texts["company"], company_code=texts["company_code"],
        vat_code=texts["vat_code"], email=texts["email"], phone=texts["phone"], address=address,
    )  # fmt: skip


def _text(typed: Typed, name: str, kept: str, errors: dict[str, str]) -> str:
    text = typed.fields.get(name)
    if text is None:
        return kept
    text = text.strip() if name == "note" else " ".join(text.split())
    if text != kept and len(text) > _LONGEST[name]:
        errors[name] = f"It is longer than {_LONGEST[name]} signs. Type it shorter."
        return kept
    return text


def _country(typed: Typed, name: str, kept: str, errors: dict[str, str]) -> str:
    text = typed.fields.get(name)
    if text is None or text.strip().upper() == kept:
        return kept
    code = text.strip().upper()
    if code and not (len(code) == 2 and code.isascii() and code.isalpha()):
        errors[name] = f"“{shown(text)}” is not a country. Type its two letters, for example LT."
        return kept
    return code


def _day(typed: Typed, name: str, kept: date, may_amounts: bool, errors: dict[str, str]) -> date:
    text = typed.fields.get(name)
    if text is None or text.strip() == kept.isoformat():
        return kept
    if not may_amounts:
        errors[name] = _ONLY_ACCOUNTANT
        return kept
    try:
        day = day_of(text.strip())
        if not _EARLIEST <= day.year <= _LATEST:
            raise Wrong(f"{day.isoformat()} can't be. Type a day of these years.")
    except Wrong as wrong:
        errors[name] = str(wrong)
        return kept
    return day


def _vat_date(before: Standing, typed: Typed, may_amounts: bool, errors: dict[str, str]) -> date | None:
    text = typed.fields.get("vat_date")
    kept = before.vat_date
    if text is None or text.strip() == (kept.isoformat() if kept else ""):
        return kept
    if not text.strip():
        if not may_amounts:
            errors["vat_date"] = _ONLY_ACCOUNTANT
            return kept
        return None
    day = _day(typed, "vat_date", kept or date.min, may_amounts, errors)
    return kept if "vat_date" in errors else day


# --- the lines ----------------------------------------------------------------------------------------------------


def _lines(
    before: Standing,
    typed: Typed,
    said: Said,
    may_amounts: bool,
    errors: dict[str, str],
) -> tuple[list[Line], list[str]]:
    unit = minor_unit(before.draft.currency)
    by = Measure(said.lines, unit, may_amounts, said.is_goods)
    # A line that is not on the invoice any more may still be one of the store's.
    known = dict(zip(keys_of(said.lines), map(Line, said.lines), strict=True))
    known |= dict(zip(keys_of([line.draft for line in before.lines]), before.lines, strict=True))
    lines: list[Line] = []
    rows: list[str] = []
    by_hand = ZERO  # how far the VAT that was typed lies from what it would be
    for one in typed.lines:
        if one.is_blank:
            continue
        mistakes: LineMistakes = {}
        line, moved = corrected_line(one, known.get(one.origin), by, mistakes)
        errors.update({f"{name}-{one.row}": sentence for name, sentence in mistakes.items()})
        by_hand += moved
        lines.append(line)
        rows.append(one.row)
    if len(lines) > MOST_LINES:
        errors["lines"] = f"An invoice holds {MOST_LINES} lines at most."
    if abs(by_hand) > 5 * unit:
        errors["vat"] = f"The VAT of all lines may differ by {5 * unit} in all, not by {abs(by_hand)}."
    return lines, rows


# --- as a form ----------------------------------------------------------------------------------------------------


def as_typed(standing: Standing, said: Said) -> Typed:
    """The invoice as the fields of its form are filled in."""
    draft = standing.draft
    buyer, address = draft.buyer, draft.buyer.address
    fields = {name: getattr(buyer, name) for name in BUYER} | {name: getattr(address, name) for name in ADDRESS}
    fields |= {
        "company_code": draft.company_code,
        "vat_code": draft.vat_code,
        "ship_country": draft.ship_country,
        "number": standing.number,
        "issue_date": draft.issue_date.isoformat(),
        "supply_date": draft.supply_date.isoformat(),
        "vat_date": standing.vat_date.isoformat() if standing.vat_date else "",
        "note": standing.note,
    }
    unit = minor_unit(draft.currency)
    keys = keys_of([line.draft for line in standing.lines])
    lines = zip(keys, standing.lines, strict=True)
    return Typed(
        fields,
        tuple(line_as_typed(line, key, str(row), said.lines, unit) for row, (key, line) in enumerate(lines, start=1)),
    )


# --- what differs -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs; `line`: which one (0: the head). `field` "line": one that only one side has."""

    field: str
    line: int
    before: str
    after: str


def changes(before: Typed, after: Typed) -> tuple[Change, ...]:
    """What differs between two states of one invoice, figures compared as figures: 1 and 1.00 are the same."""
    return tuple(_changes(before, after))


def _changes(before: Typed, after: Typed) -> Iterator[Change]:
    for name in after.fields:
        if name not in before.fields and name != "customer":
            continue
        one, other = before.fields.get(name, ""), after.fields[name]
        if one.split() != other.split():
            yield Change(name, 0, one, other)
    there = {line.origin: line for line in before.lines}
    told = [line for line in after.lines if not line.is_blank]
    for place, line in enumerate(told, start=1):
        former = there.pop(line.origin, None) if line.origin else None
        if former is None:
            yield Change("added", place, "", line.name or line.item or "")
            continue
        for name, one, other in former.against(line):
            yield Change(name, place, one, other)
    for place, line in enumerate(before.lines, start=1):
        if line.origin in there:
            yield Change("removed", place, line.name, "")
