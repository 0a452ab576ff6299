"""The demo installation: a marked database with the demo store's integration, and nothing of anybody's books (I1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models.base import reading, writing
from monet_web.models.company import Company
from monet_web.models.integrations import Integration
from monet_web.models.invoices import Invoice
from monet_web.models.items import Item
from monet_web.models.users import User
from monet_web.services import audit, connect, rates

NAME = "Demo shop"
ACTOR = "demo"
_SETTINGS = {
    # Made items keep no stock, so that orders register and the rest shows what findings look like.
    "unknown_items": "create",
    "number_prefix": "DEMO-",
    "not_before": "",
}


def check(session: Session, *, is_demo: bool) -> None:
    """A demo database is for the demo alone, and the demo takes no other. Raises BrokenRule."""
    with reading(session):
        marked = session.get_one(Company, 1, populate_existing=True).is_demo
        holds_something = any(
            session.execute(select(table.id).limit(1)).first() is not None
            for table in (Integration, Invoice, Item, User)
        )
    if is_demo and not marked and holds_something:
        raise BrokenRule(
            "This database holds somebody's books, and the demo would mix with them.",
            fix="Give the demo a folder of its own: MONET_HOME=/path/to/demo ./monet run --demo",
        )
    if marked and not is_demo:
        raise BrokenRule(
            "This database is a demo's.",
            fix="Go on with it: ./monet run --demo. For real books name another folder: MONET_HOME=/path ./monet run",
        )


def prepare(
    session: Session,
    *,
    values: Mapping[str, str],
    vat_rates: Iterable[tuple[str, Decimal, date, date]],
    now: datetime,
) -> None:
    """Mark the database and install the demo store's integration, unless it is there. Raises BrokenRule.

    `values`: how the store is reached; `vat_rates`: (country, percent, first day, last day) of rates the store still
    charges although they were given up.
    """
    with writing(session):
        company = session.get_one(Company, 1, populate_existing=True)
        if not company.is_demo:
            company.is_demo = True
            company.name, company.address = "Demo UAB", "Gedimino pr. 1, Vilnius"
            audit.record(
                session, at=now, actor=ACTOR, action="demo_marked", subject_kind="company", subject_id=1,
                after={"is_demo": True},
            )  # fmt: skip
        is_there = session.scalars(select(Integration.id).limit(1)).first() is not None
    for country, percent, first, last in vat_rates:
        rates.add_vat_rate(
            session, country=country, percent=percent, valid_from=first, valid_to=last, now=now, actor=ACTOR
        )
    if not is_there:
        connect.add_integration(
            session, name=NAME, platform="woocommerce", values={**_SETTINGS, **values}, now=now, actor=ACTOR
        )
