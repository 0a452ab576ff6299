"""The last look through each month, kept by the process while nothing of the month has changed: pages cost little."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from datetime import date
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from monet_web.models.company import Company
from monet_web.models.filings import Filing
from monet_web.models.invoices import Invoice
from monet_web.services.documents.exports import filings, isaf
from monet_web.services.documents.exports.isaf_rows import of_month

MOST_KEPT = 24  # months of one database

_Mark = tuple[object, ...]
_Months = OrderedDict[date, tuple[_Mark, isaf.Checked]]
_kept: WeakKeyDictionary[Engine, _Months] = WeakKeyDictionary()
_lock = Lock()


def check(session: Session, month: date) -> isaf.Checked:
    """What `isaf.check` says of the month, from memory while its mark stands. Inside a transaction."""
    first = month.replace(day=1)
    mark = _mark(session, first)
    months = _of(session)
    with _lock:
        held = months.get(first)
    if held is None or held[0] != mark:
        looked = isaf.check(session, first)
        with _lock:
            months[first] = mark, replace(looked, since=None)
            months.move_to_end(first)
            while len(months) > MOST_KEPT:
                months.popitem(last=False)
        return looked
    return replace(held[1], since=_newest(session, first))


def _of(session: Session) -> _Months:
    engine = session.get_bind()
    assert isinstance(engine, Engine)  # noqa: S101 - sessions are bound to engines here
    with _lock:
        return _kept.setdefault(engine, OrderedDict())


def _mark(session: Session, first: date) -> _Mark:
    """Differs when the check could: registered documents are never changed, and each change counts its version up."""
    documents = session.execute(
        select(func.count(), func.sum(Invoice.id), func.sum(Invoice.id * Invoice.row_version)).where(*of_month(first))
    ).one()
    company = session.get_one(Company, 1, populate_existing=True)
    its: tuple[Any, ...] = (
        company.code, company.country, company.name, company.vat_code, company.vat_payer, company.vat_from,
        company.vat_to,
    )  # fmt: skip
    newest = _newest(session, first)
    return (*documents, *its, filings.terms(session), newest.id if newest is not None else 0)


def _newest(session: Session, first: date) -> Filing | None:
    return next(iter(filings.taken(session, filings.ISAF, isaf.period_of(first))), None)
