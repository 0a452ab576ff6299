"""Rates of currencies and of VAT that were typed or loaded from a file, and how the rest of the house asks for them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, insert, or_, select, update
from sqlalchemy.orm import Session

from monet_web.domain.bank_days import accounting_day
from monet_web.domain.errors import BrokenRule
from monet_web.domain.vat import Rates, VatRate, builtin_rates, vat_country
from monet_web.models.base import take_ids, writing
from monet_web.models.company import CurrencyRate, VatRateRow
from monet_web.services import audit
from monet_web.services.books import bank_files, tables

EURO = "EUR"
_ONE = Decimal(1)
_HIGHEST = Decimal(10) ** 9


@dataclass(frozen=True, slots=True)
class RatesImported:
    """How many rates of a file were new, changed, or here already."""

    added: int
    changed: int
    same: int


@dataclass(frozen=True, slots=True)
class KnownVatRate:
    """One VAT rate as lists show it; `code` is the classifier's (PVM…), "" when not said."""

    country: str
    percent: Decimal
    valid_from: date
    valid_to: date | None
    code: str
    is_builtin: bool


# --- currencies -------------------------------------------------------------------------------------------------


def eur_rates(session: Session, pairs: Collection[tuple[str, date]]) -> dict[tuple[str, date], Decimal]:
    """Units of currency for one EUR for each (currency, day): the rate that counts in the books on that day (D8).

    EUR is 1. On a day without a rate of its own counts that of its `accounting_day`, and no older one: a pair for
    which neither is here is left out. Inside the caller's transaction, one statement whatever the number of pairs.
    """
    found = {pair: _ONE for pair in pairs if pair[0] == EURO}
    asked = set(pairs) - found.keys()
    if not asked:
        return found
    days = {day for _, day in asked}
    rows = session.execute(
        select(CurrencyRate.currency, CurrencyRate.day, CurrencyRate.rate).where(
            CurrencyRate.currency.in_({currency for currency, _ in asked}),
            CurrencyRate.day.in_(days | {accounting_day(day) for day in days}),
        )
    )
    rate_of = {(row.currency, row.day): row.rate for row in rows}
    for currency, day in asked:
        rate = rate_of.get((currency, day)) or rate_of.get((currency, accounting_day(day)))
        if rate is not None:
            found[currency, day] = rate
    return found


def import_rates(session: Session, data: bytes, *, source: str, now: datetime, actor: str) -> RatesImported:
    """Rates from a bank's own file, or a CSV or XLSX with the header `date,currency,rate` (units for one EUR).

    A rate that is here already is replaced when it differs. All or nothing, in a transaction of its own.
    Raises BrokenRule.
    """
    of_bank = bank_files.read(data)
    if of_bank is not None:
        return _enter(session, of_bank.rates, source=of_bank.bank, now=now, actor=actor)
    return _enter(session, _read(data), source=source, now=now, actor=actor)


def set_rate(session: Session, *, currency: str, day: date, rate: Decimal, now: datetime, actor: str) -> RatesImported:
    """One rate typed by hand: units of `currency` for one EUR. In a transaction of its own. Raises BrokenRule."""
    try:
        typed = {(_currency(currency.strip()), day): _in_range(rate)}
    except tables.Wrong as wrong:
        raise BrokenRule(str(wrong)) from None
    return _enter(session, typed, source="by hand", now=now, actor=actor)


def list_rates(
    session: Session, *, currency: str = "", after: tuple[date, str] | None = None, limit: int = 50
) -> tuple[list[CurrencyRate], tuple[date, str] | None]:
    """One page of rates, the newest day first, and where the next begins. Inside the caller's transaction."""
    query = select(CurrencyRate).order_by(CurrencyRate.day.desc(), CurrencyRate.currency).limit(limit + 1)
    if currency:
        query = query.where(CurrencyRate.currency == currency)
    if after is not None:
        day, last = after
        query = query.where(or_(CurrencyRate.day < day, and_(CurrencyRate.day == day, CurrencyRate.currency > last)))
    rows = list(session.scalars(query))
    page = rows[:limit]
    return page, (page[-1].day, page[-1].currency) if len(rows) > limit else None


def _enter(
    session: Session, typed: Mapping[tuple[str, date], Decimal], *, source: str, now: datetime, actor: str
) -> RatesImported:
    with writing(session):
        known = _known(session, typed)
        fresh = [pair for pair in typed if pair not in known]
        changed = [pair for pair in typed if pair in known and known[pair].rate != typed[pair]]
        ids = take_ids(session, CurrencyRate.__tablename__, len(fresh))
        rows: list[dict[str, Any]] = [
            {"id": id_, "currency": pair[0], "day": pair[1], "rate": typed[pair], "source": source[:80]}
            for id_, pair in zip(ids, fresh, strict=True)
        ]
        if rows:
            session.execute(insert(CurrencyRate), rows)
        changes = [audit.Change(row["id"], after=_said(row["currency"], row["day"], row["rate"])) for row in rows]
        for pair in changed:
            row = known[pair]
            changes.append(audit.Change(row.id, before=_said(*pair, row.rate), after=_said(*pair, typed[pair])))
            row.rate = typed[pair]
            row.source = source[:80]
        audit.rows(
            session, at=now, actor=actor, action="currency_rate_set", subject_kind="currency_rate", changes=changes
        )
    return RatesImported(len(fresh), len(changed), len(typed) - len(fresh) - len(changed))


def _said(currency: str, day: date, rate: Decimal) -> dict[str, object]:
    return {"currency": currency, "date": day, "rate": rate}


def _known(session: Session, typed: Collection[tuple[str, date]]) -> dict[tuple[str, date], CurrencyRate]:
    days = [day for _, day in typed]
    rows = session.scalars(
        select(CurrencyRate).where(
            CurrencyRate.currency.in_({currency for currency, _ in typed}),
            CurrencyRate.day.between(min(days), max(days)),
        )
    )
    return {(row.currency, row.day): row for row in rows}


def _read(data: bytes) -> dict[tuple[str, date], Decimal]:
    rates: dict[tuple[str, date], Decimal] = {}
    mistakes = tables.Mistakes()
    for row in tables.read(data, required=("date", "currency", "rate")):
        with mistakes.of(row.number):
            pair = _currency(row["currency"]), tables.day_of(row["date"])
            rate = _rate(row["rate"])
            if rates.setdefault(pair, rate) != rate:
                raise tables.Wrong(f"{pair[0]} has two rates on {pair[1]}: {rates[pair]:f} and {rate:f}. Keep one.")
    mistakes.refuse()
    if not rates:
        raise BrokenRule("The file holds no rate.", fix="Put one a row under the header: date,currency,rate.")
    return rates


def _currency(text: str) -> str:
    code = text.upper()
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise tables.Wrong(f"“{tables.shown(text)}” is not a currency. Type its three letters, for example USD.")
    if code == EURO:
        raise tables.Wrong("EUR needs no rate: it is always 1. Take this row out.")
    return code


def _rate(text: str) -> Decimal:
    rate = tables.number_of(text, example="1.1527, units of currency for one euro")
    return _in_range(rate)


def _in_range(rate: Decimal) -> Decimal:
    if not 0 < rate < _HIGHEST:
        raise tables.Wrong(f"A rate of {rate:f} can't be. Type units of currency for one euro, as 1.1527.")
    return rate


# --- VAT --------------------------------------------------------------------------------------------------------


def load_rates(session: Session) -> Rates:
    """The built-in VAT rates and the added ones. Inside the caller's transaction."""
    added = session.scalars(select(VatRateRow))
    return Rates(
        [*builtin_rates(), *(VatRate(row.country, row.percent, row.valid_from, row.valid_to) for row in added)]
    )


def list_vat_rates(session: Session, country: str = "") -> list[KnownVatRate]:
    """Every known VAT rate, of one country or of all, newest first. Inside the caller's transaction."""
    known = [
        KnownVatRate(rate.country, rate.percent, rate.valid_from, rate.valid_to, "", True) for rate in builtin_rates()
    ]
    known += [
        KnownVatRate(row.country, row.percent, row.valid_from, row.valid_to, row.code, False)
        for row in session.scalars(select(VatRateRow))
    ]
    wanted = [rate for rate in known if not country or rate.country == vat_country(country)]
    return sorted(wanted, key=lambda rate: (rate.country, -rate.valid_from.toordinal(), -rate.percent))


def add_vat_rate(
    session: Session,
    *,
    country: str,
    percent: Decimal,
    valid_from: date,
    valid_to: date | None = None,
    code: str = "",
    now: datetime,
    actor: str,
) -> VatRateRow:
    """Add a dated VAT rate; the same rate from the same day again changes its end and code. Raises BrokenRule.

    `percent` is 21 for 21 %; both days are included. A transaction of its own.
    """
    rate = _checked(country, percent, valid_from, valid_to, code)
    with writing(session):
        row = session.scalars(
            select(VatRateRow).where(
                VatRateRow.country == rate.country,
                VatRateRow.percent == rate.percent,
                VatRateRow.valid_from == rate.valid_from,
            )
        ).one_or_none()
        before = None if row is None else _vat_said(row)
        if row is None:
            row = rate
            session.add(row)
            session.flush()
        else:
            session.execute(update(VatRateRow).where(VatRateRow.id == row.id).values(valid_to=valid_to, code=rate.code))
            session.refresh(row)
        if before != _vat_said(row):
            audit.record(
                session, at=now, actor=actor, action="vat_rate_set",
                subject_kind="vat_rate", subject_id=row.id, before=before, after=_vat_said(row),
            )  # fmt: skip
    return row


def _checked(country: str, percent: Decimal, valid_from: date, valid_to: date | None, code: str) -> VatRateRow:
    place = vat_country(country)
    if not re.fullmatch(r"[A-Z]{2}", place):
        raise BrokenRule(f"“{tables.shown(country)}” is not a country.", fix="Type its two letters, for example LT.")
    if not percent.is_finite() or not 0 < percent <= 100:
        raise BrokenRule(f"A VAT rate of {percent} % can't be.", fix="Type it in per cent, for example 21.")
    if valid_to is not None and valid_to < valid_from:
        raise BrokenRule(f"The rate would end on {valid_to}, before it begins.", fix="Type a later last day, or none.")
    code = code.strip().upper()
    if len(code) > 20:
        raise BrokenRule("The classifier's code is too long.", fix="Type it as PVM1.")
    # 21 and 21.00 are one rate; the column keeps text, so it must be written one way.
    plain = Decimal(f"{percent.normalize():f}")
    return VatRateRow(country=place, percent=plain, valid_from=valid_from, valid_to=valid_to, code=code)


def _vat_said(row: VatRateRow) -> dict[str, object]:
    return {
        "country": row.country, "percent": row.percent, "from": row.valid_from, "to": row.valid_to, "code": row.code,
    }  # fmt: skip
