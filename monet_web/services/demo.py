"""The demo installation: a marked database with the demo stores' integrations and goods, nothing of anybody's books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models.base import reading, writing
from monet_web.models.company import Company
from monet_web.models.integrations import Integration, IntegrationState, Store
from monet_web.models.invoices import Invoice
from monet_web.models.items import Item
from monet_web.models.stock import StockReceipt
from monet_web.models.users import User
from monet_web.services import audit
from monet_web.services.books import rates, vat_codes
from monet_web.services.goods import stock
from monet_web.services.goods.items import import_items
from monet_web.services.integrations import connect

ACTOR = "demo"
OSS_FROM = date(2024, 1, 1)  # the demo company pays other EU states' VAT through the one stop shop
# The codes that its given-up rates had.
_CODES_OF_RATES = {("LT", Decimal(9)): "PVM2"}


@dataclass(frozen=True, slots=True)
class Shop:
    """A demo store to be installed: how it is reached, and the settings of its integration."""

    name: str
    platform: str
    connection: Mapping[str, str]
    settings: Mapping[str, str]


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
    stores: Sequence[Shop],
    vat_rates: Iterable[tuple[str, Decimal, date, date]],
    items: bytes,
    receipt: bytes,
    currency_rates: bytes,
    now: datetime,
) -> None:
    """Mark the database and install the demo stores with their goods, each unless it is there. Raises BrokenRule.

    `stores`: reached in ways that may differ from the last time; `vat_rates`: (country, percent, first day, last day)
    of rates the stores still charge although they were given up; `items`, `receipt` and `currency_rates`: files of
    what the books hold when the demo begins.
    """
    with writing(session):
        company = session.get_one(Company, 1, populate_existing=True)
        if not company.is_demo:
            company.is_demo = True
            company.name, company.address = "Demo UAB", "Gedimino pr. 1, Vilnius"
            company.code, company.vat_code = "302345603", "LT100001919017"
            company.oss_from = OSS_FROM
            company.ask_vies = False  # its buyers' codes are made up
            audit.record(
                session, at=now, actor=ACTOR, action="demo_marked", subject_kind="company", subject_id=1,
                after={"is_demo": True},
            )  # fmt: skip
        is_there = session.scalars(select(Integration.id).limit(1)).first() is not None
        is_received = session.scalars(select(StockReceipt.id).limit(1)).first() is not None
    vat_rates = list(vat_rates)
    _add_codes(session, max((last for *_, last in vat_rates), default=None), now)
    for country, percent, first, last in vat_rates:
        rates.add_vat_rate(
            session, country=country, percent=percent, valid_from=first, valid_to=last,
            code=_CODES_OF_RATES.get((country, percent), ""), now=now, actor=ACTOR,
        )  # fmt: skip
    if not is_there:
        # The integrations last: a start that was killed halfway begins here again.
        import_items(session, items, now=now, actor=ACTOR)
        rates.import_rates(session, currency_rates, source="demo", now=now, actor=ACTOR)
        if not is_received:
            stock.receive_file(session, receipt, note="Opening stock of the demo", now=now, actor=ACTOR)
    for shop in stores:
        _install(session, shop, now)


def _add_codes(session: Session, last: date | None, now: datetime) -> None:
    """What an accountant of the demo said of the shop's vouchers and fees that carry 0 % or no tax, until `last`."""
    for percent in (Decimal(0), None):
        vat_codes.add_code(
            session, treatment="domestic", percent=percent, supply="", code="PVM100", valid_from=OSS_FROM,
            valid_to=last, source="the demo's accountant: vouchers and fees", now=now, actor=ACTOR,
        )  # fmt: skip


def _install(session: Session, shop: Shop, now: datetime) -> None:
    installed = _installed(session, shop.platform)
    if installed is None:
        values = {"not_before": "", **shop.settings, **shop.connection}
        connect.add_integration(session, name=shop.name, platform=shop.platform, values=values, now=now, actor=ACTOR)
    elif installed.state is IntegrationState.RETIRED:
        pass  # a person removed it, and means it
    elif installed.parameters.get("address") != shop.connection["address"]:
        connect.set_values(session, installed.name, shop.connection, now=now, actor=ACTOR, same_store=True)


def store_port(session: Session, platform: str) -> int | None:
    """The port at which the demo store of a platform was served last; None when there is none."""
    installed = _installed(session, platform)
    if installed is None or installed.state is IntegrationState.RETIRED:
        return None
    return urlsplit(installed.parameters.get("address", "")).port


def _installed(session: Session, platform: str) -> Integration | None:
    """The integration of a platform's demo store, whatever it is called by now, the living before the retired."""
    with reading(session):
        found = [
            one
            for one in session.scalars(select(Integration).join(Store).where(Store.platform == platform))
            if urlsplit(one.parameters.get("address", "")).hostname == "127.0.0.1"
        ]
        return min(found, key=lambda one: one.state is IntegrationState.RETIRED, default=None)
