"""The demo installation: what somebody who only looks around finds in it (I1)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors.base import Surroundings
from monet_web.demo import goods, serve, vat_rates, woocommerce
from monet_web.demo.stores import store_of
from monet_web.demo.woocommerce.auth import DEMO_KEY, DEMO_SECRET
from monet_web.demo.woocommerce.clock import moment
from monet_web.demo.woocommerce.life import living_store
from monet_web.domain.bank_days import accounting_day
from monet_web.domain.codes import company_code_problem
from monet_web.domain.errors import BrokenRule
from monet_web.models import Company, Integration, Item, StockMove
from monet_web.models.base import reading, writing
from monet_web.models.integrations import IntegrationState
from monet_web.models.runs import RunKind, RunState
from monet_web.services import demo
from monet_web.services.books import company_details
from monet_web.services.books.vat_codes import vat_code_problem
from monet_web.services.importing import claims
from monet_web.services.running import run_import
from tests import builders


def shop(address: str = "http://127.0.0.1:8080") -> demo.Shop:
    store = store_of("woocommerce")
    return demo.Shop(store.name, store.kind, {"address": address, **store.values}, store.settings)


def prepare(session: Session, address: str = "http://127.0.0.1:8080", now: datetime = builders.NOON) -> None:
    demo.prepare(
        session,
        stores=[shop(address)],
        vat_rates=vat_rates(now),
        items=goods.items_file(),
        receipt=goods.receipt_file(now.date() - timedelta(days=60)),
        currency_rates=goods.rates_file(now.date()),
        now=now,
    )


def counted(session: Session) -> dict[str, Any]:
    with reading(session):
        return {
            "integrations": session.scalars(select(func.count(Integration.id))).one(),
            "items": session.scalars(select(func.count(Item.id))).one(),
            "moves": session.scalars(select(func.count(StockMove.id))).one(),
        }


def test_most_orders_register_and_the_rest_shows_what_reasons_look_like(
    session: Session, session_factory: sessionmaker[Session]
) -> None:
    living = woocommerce.shop()
    now = moment(living.store.newest_created) + timedelta(minutes=10)
    with serve.serve(living) as address:
        prepare(session, address, now)
        with writing(session):
            integration = session.scalars(select(Integration)).one()
            run = builders.a_run(
                session, integration, kind=RunKind.LAUNCH, window_start=now - timedelta(days=60), window_end=now
            )
        ended = run_import.run(
            session_factory,
            run.id,
            surroundings=Surroundings(allowed_addresses=(urlsplit(address).netloc,)),
            clock=lambda: now,
            worker=claims.this_process(),
        )
    assert (ended.state, ended.error) == (RunState.DONE, "")
    assert ended.fetched >= 200
    assert ended.registered > 2 * ended.in_journal > 0
    assert {"item_unknown", "stock_short", "vat_rate_unknown"} <= ended.findings.keys()
    assert ended.credit_notes > 0
    assert (ended.conflict, ended.unreadable) == (0, 0)


def test_the_demo_s_invoices_show_all_that_they_must_of_its_company(session: Session) -> None:
    prepare(session)
    with reading(session):
        company = session.get_one(Company, 1, populate_existing=True)
        assert company_details.now(company).missing(has_vat=True) == ()
        assert company_code_problem(company.code) is None
        assert vat_code_problem(company.vat_code, company.country) is None


def test_every_bank_day_of_the_demo_has_its_rate_until_somebody_forgot_to_load_them() -> None:
    today = builders.NOON.date()
    days = {date.fromisoformat(line.split(",")[0]) for line in goods.rates_file(today).decode().splitlines()[1:]}
    assert all(accounting_day(today - timedelta(days=ago)) in days for ago in range(22, 75))
    assert max(days) < today - timedelta(days=14)


def test_a_second_start_adds_nothing(session: Session) -> None:
    prepare(session)
    before = counted(session)
    prepare(session)
    assert counted(session) == before
    assert before["integrations"] == 1
    assert before["items"] == len(goods.goods())


def test_a_store_served_at_another_port_is_the_same_store(session: Session) -> None:
    assert demo.store_port(session, "woocommerce") is None
    prepare(session, "http://127.0.0.1:8080")
    with writing(session):
        integration = session.scalars(select(Integration)).one()
        builders.a_store_order(session, integration)
    prepare(session, "http://127.0.0.1:8090")
    assert demo.store_port(session, "woocommerce") == 8090
    with reading(session):
        moved = session.scalars(select(Integration).execution_options(populate_existing=True)).one()
        assert moved.store_id == integration.store_id
        assert moved.secrets == {"consumer_key": DEMO_KEY, "consumer_secret": DEMO_SECRET}


def test_a_demo_that_a_person_emptied_stays_empty(session: Session) -> None:
    prepare(session)
    with writing(session):
        session.scalars(select(Integration)).one().state = IntegrationState.RETIRED
    prepare(session, "http://127.0.0.1:8090")
    assert counted(session)["integrations"] == 1
    assert demo.store_port(session, "woocommerce") is None


def test_a_demo_takes_no_other_database_and_lends_its_own_to_nobody(session: Session) -> None:
    demo.check(session, is_demo=True)
    demo.check(session, is_demo=False)
    with writing(session):
        builders.an_item(session)
    with pytest.raises(BrokenRule, match="somebody's books"):
        demo.check(session, is_demo=True)
    with writing(session):
        session.get_one(Company, 1).is_demo = True
    demo.check(session, is_demo=True)
    with pytest.raises(BrokenRule, match="is a demo's"):
        demo.check(session, is_demo=False)


@pytest.mark.parametrize("hour", [0, 6, 12, 21, 23])
def test_the_rates_that_were_given_up_spoil_an_order_whatever_the_hour(hour: int) -> None:
    start = datetime(2026, 11, 24, hour, 30, tzinfo=UTC)
    last_day = vat_rates(start)[0][3].isoformat()
    store, _ = living_store(seed=1, orders=200, start=start)
    orders = [store.history.order(index)[0] for index in range(150, 200)]
    at_nine = [order for order in orders if any(line["rate_percent"] == 9 for line in order["tax_lines"])]
    supplied = [order["date_completed"] or order["date_paid"] or "" for order in at_nine]
    assert any(day[:10] > last_day for day in supplied)
