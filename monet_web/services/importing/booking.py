"""The settings and surroundings that one run books by, read once when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Connector
from monet_web.domain import settings as settings_text
from monet_web.domain.classifier import VatCodes
from monet_web.domain.settings import Settings
from monet_web.domain.treatment import CompanyVat
from monet_web.domain.vat import Rates
from monet_web.domain.windows import local_day
from monet_web.models.company import Company
from monet_web.models.integrations import Integration
from monet_web.models.items import Item
from monet_web.models.runs import RunKind
from monet_web.models.stock import Warehouse
from monet_web.services.books.numbers import number_key
from monet_web.services.books.rates import load_rates
from monet_web.services.books.vat_codes import load_codes

GOODS = "goods"
StockKey = tuple[int, int]  # (warehouse, item)


@dataclass(frozen=True, slots=True)
class Place:
    """A warehouse that a line takes its goods from; `id` None: it does not exist."""

    id: int | None
    code: str


@dataclass(slots=True)
class Booking:
    """What booking needs beside the orders. Frozen by intent; only `spent` and `journals` grow during the run."""

    integration_id: int
    store_id: int
    run_id: int
    attempt: int
    kind: RunKind
    settings: Settings
    connector: type[Connector]
    zone: ZoneInfo
    country: str
    today: date
    now: datetime
    actor: str
    rates: Rates
    vat_codes: VatCodes
    company_vat: CompanyVat
    warehouses_abroad: Mapping[int, str]  # id → country, of those that are not in the company's
    closed_until: date | None
    warehouse_id: int | None
    warehouse_code: str
    common_item: Item | None
    revenue_account: str
    charges_account: str
    gift_card_account: str  # what is sold and later pays is owed, and no revenue yet
    deposit_account: str
    by_person: bool = False  # a person registers: what only waits for a person does not stop
    spent: dict[StockKey, Decimal] = field(default_factory=dict)  # preview: quantity promised so far
    promised: dict[str, str] = field(default_factory=dict)  # preview: number key → order that will have it
    numbers_by_hand: dict[int, str] = field(default_factory=dict)  # id of a store order → the number a person typed
    dated: date | None = None  # a person dates what is checked again, since its own date lies in a closed period (E7)
    without_stock: str = ""  # why an accountant registers without moving stock; "" = stock moves
    journal_id: int | None = None  # of this run (or of this day's timetable), once there is one

    @property
    def is_preview(self) -> bool:
        """A preview writes no document (C3)."""
        return self.kind is RunKind.PREVIEW

    @property
    def place(self) -> Place:
        """The warehouse of the settings."""
        return Place(self.warehouse_id, self.warehouse_code)

    @property
    def is_goods(self) -> bool:
        """Accounting type goods: lines name items and stock moves (A6)."""
        return self.settings.accounting_type == GOODS


def booking_for(
    session: Session,
    integration: Integration,
    *,
    run_id: int,
    attempt: int,
    kind: RunKind,
    now: datetime,
    actor: str,
    by_person: bool = False,
) -> Booking:
    """Load everything once. Must be called inside a transaction."""
    settings = settings_text.parse(integration.settings)
    company = session.get_one(Company, 1)
    zone = ZoneInfo(company.time_zone)
    warehouses = select(Warehouse).order_by(Warehouse.id).limit(1)
    if settings.warehouse:
        warehouses = warehouses.where(Warehouse.code == settings.warehouse)
    warehouse = session.scalars(warehouses).first()
    common = None
    if settings.common_item:
        common = session.scalars(select(Item).where(Item.code_key == number_key(settings.common_item))).first()
    return Booking(
        integration_id=integration.id,
        store_id=integration.store_id,
        run_id=run_id,
        attempt=attempt,
        kind=kind,
        settings=settings,
        connector=CONNECTORS[integration.store.platform],
        zone=zone,
        country=company.country,
        today=local_day(now, zone),
        now=now,
        actor=actor,
        rates=load_rates(session),
        vat_codes=load_codes(session, company.country),
        company_vat=company_vat(company),
        warehouses_abroad=_warehouses_abroad(session, company.country),
        closed_until=company.closed_until,
        warehouse_id=warehouse.id if warehouse else None,
        warehouse_code=warehouse.code if warehouse else "",
        common_item=common,
        revenue_account=settings.revenue_account or company.revenue_account,
        charges_account=settings.charges_account or company.charges_account,
        gift_card_account=company.gift_card_account or company.receivable_account,
        deposit_account=company.deposit_account or company.receivable_account,
        by_person=by_person,
    )


def company_vat(company: Company) -> CompanyVat:
    """What the company is to the tax authority."""
    return CompanyVat(
        country=company.country,
        is_payer=company.vat_payer,
        payer_from=company.vat_from,
        payer_to=company.vat_to,
        oss_from=company.oss_from,
        oss_to=company.oss_to,
        threshold=company.eu_threshold,
    )


def _warehouses_abroad(session: Session, home: str) -> dict[int, str]:
    rows = session.execute(select(Warehouse.id, Warehouse.country).where(Warehouse.country.not_in(("", home))))
    return {row.id: row.country for row in rows}
