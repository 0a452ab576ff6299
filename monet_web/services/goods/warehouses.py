"""Warehouses: where goods lie. One that holds goods or documents is never taken away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from monet_web.domain.mask import fold
from monet_web.models.base import writing
from monet_web.models.stock import Balance, Warehouse
from monet_web.services import audit
from monet_web.services.books.fields import WrongFields
from monet_web.services.books.tables import shown

_CODE = re.compile(r"[\w.\-/]{1,40}")


@dataclass(frozen=True, slots=True)
class WarehouseRow:
    """One warehouse and how many items it has on hand."""

    id: int
    code: str
    name: str
    items: int
    country: str = ""  # "": the company's


def listed(session: Session) -> list[WarehouseRow]:
    """All of them, the first (every integration's default) first. Inside the caller's transaction, one statement."""
    held = (
        select(Balance.warehouse_id, func.count().label("kinds"))
        .where(Balance.on_hand > 0)
        .group_by(Balance.warehouse_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Warehouse.id,
            Warehouse.code,
            Warehouse.name,
            Warehouse.country,
            func.coalesce(held.c.kinds, 0).label("kinds"),
        )
        .join(held, held.c.warehouse_id == Warehouse.id, isouter=True)
        .order_by(Warehouse.id)
    )
    return [WarehouseRow(row.id, row.code, row.name, row.kinds, row.country) for row in rows]


def add(session: Session, *, code: str, name: str, country: str = "", now: datetime, actor: str) -> Warehouse:
    """A new warehouse, in a transaction of its own; `country` (ISO code) "" is the company's. Raises WrongFields.

    What is sold from one abroad is booked by hand: its VAT belongs there.
    """
    code, name, country = code.strip(), " ".join(name.split()), country.strip().upper()
    wrong: dict[str, str] = {}
    if not _CODE.fullmatch(code):
        wrong["code"] = "Type a short code without spaces, as KAUNAS."
    if len(name) > 120 or not name.isprintable():
        wrong["name"] = "Type at most 120 characters."
    if country and not re.fullmatch(r"[A-Z]{2}", country):
        wrong["country"] = "Type the country's two letters, for example PL, or leave it empty."
    if wrong:
        raise WrongFields(wrong)
    try:
        with writing(session):
            for known in session.scalars(select(Warehouse)):
                if fold(known.code) == fold(code):
                    raise WrongFields({"code": f"{known.code} is here already: {shown(known.name)}."})
            warehouse = Warehouse(code=code, name=name or code, country=country)
            session.add(warehouse)
            session.flush()
            audit.record(
                session, at=now, actor=actor, action="warehouse_added", subject_kind="warehouse",
                subject_id=warehouse.id, after={"code": code, "name": warehouse.name, "country": country},
            )  # fmt: skip
    except IntegrityError:
        raise WrongFields({"code": f"{code} was added by somebody else just now."}) from None
    return warehouse
