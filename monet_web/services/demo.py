"""The demo installation: a marked database with the demo store's integration and goods, nothing of anybody's books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models.base import reading, writing
from monet_web.models.company import Company
from monet_web.models.integrations import Integration, IntegrationState
from monet_web.models.invoices import Invoice
from monet_web.models.items import Item
from monet_web.models.stock import StockReceipt
from monet_web.models.users import User
from monet_web.services import audit
from monet_web.services.books import rates
from monet_web.services.goods import stock
from monet_web.services.goods.items import import_items
from monet_web.services.integrations import connect

NAME = "Demo shop"
ACTOR = "demo"
_SETTINGS = {"number_prefix": "DEMO-", "not_before": ""}


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
    items: bytes,
    receipt: bytes,
    currency_rates: bytes,
    now: datetime,
) -> None:
    """Mark the database and install the demo store with its goods, unless it is there. Raises BrokenRule.

    `values`: how the store is reached, which may differ from the last time; `vat_rates`: (country, percent, first day,
    last day) of rates the store still charges although they were given up; `items`, `receipt` and `currency_rates`:
    files of what the books hold when the demo begins.
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
        is_received = session.scalars(select(StockReceipt.id).limit(1)).first() is not None
    for country, percent, first, last in vat_rates:
        rates.add_vat_rate(
            session, country=country, percent=percent, valid_from=first, valid_to=last, now=now, actor=ACTOR
        )
    if not is_there:
        # The integration last: a start that was killed halfway begins here again.
        import_items(session, items, now=now, actor=ACTOR)
        rates.import_rates(session, currency_rates, source="demo", now=now, actor=ACTOR)
        if not is_received:
            stock.receive_file(session, receipt, note="Opening stock of the demo", now=now, actor=ACTOR)
        connect.add_integration(
            session, name=NAME, platform="woocommerce", values={**_SETTINGS, **values}, now=now, actor=ACTOR
        )
    elif (installed := _installed(session)) is not None and installed.parameters.get("address") != values["address"]:
        connect.set_values(session, installed.name, values, now=now, actor=ACTOR, same_store=True)


def store_port(session: Session) -> int | None:
    """The port at which the installed demo store was served last; None when there is none."""
    installed = _installed(session)
    return None if installed is None else urlsplit(installed.parameters.get("address", "")).port


def _installed(session: Session) -> Integration | None:
    """The demo store's integration, whatever it is called by now; None when a person removed it."""
    with reading(session):
        found = session.scalars(select(Integration).where(Integration.state != IntegrationState.RETIRED))
        return next((one for one in found if _is_of_this_machine(one)), None)


def _is_of_this_machine(integration: Integration) -> bool:
    return urlsplit(integration.parameters.get("address", "")).hostname == "127.0.0.1"
