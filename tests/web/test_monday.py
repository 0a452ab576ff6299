"""A normal Monday: 300 waiting invoices of a month for six causes, each mended once on the page, all registered."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.models import Balance, Invoice, Item
from monet_web.models.base import reading
from monet_web.models.users import Role
from tests.services.scripted import ScriptedStore
from tests.web.integrating import browser, words
from tests.web.mended import press, states
from tests.web.monday import CAUSES, waiting_month

Factory = sessionmaker[Session]
EACH = 50


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None
    return ScriptedStore


def test_three_hundred_invoices_for_six_causes_are_registered_by_one_control_each(
    app: Flask, session: Session, session_factory: Factory
) -> None:
    waiting_month(session, session_factory, each=EACH)
    assert states(session) == {"in_journal": CAUSES * EACH}
    accountant = browser(app, session, Role.ACCOUNTANT)
    page = words(accountant.get("/journals").text)
    for said in (
        "SKU KN-01 is not among the items", "MUG-2 is short in warehouse MAIN",
        "The store's total differs from its lines by 0.03 EUR", "VAT of 9 % is not valid in LT",
        "The buyer's VAT code LT123456789 can't be right", "There is no rate of USD for 23 Nov 2026",
    ):  # fmt: skip
        assert f"{EACH} invoices" in page
        assert said in page

    went = f"{EACH} checked again, all registered."
    said = press(accountant, "/journals/mend/item", {"code": "MUG-1"})
    assert said == f"registered: SKU KN-01 is MUG-1 from now on. {went}"
    assert states(session) == {"in_journal": 5 * EACH, "registered": EACH}
    said = press(accountant, "/journals/mend/receive", {})  # the quantity that all need stands there
    assert said == f"registered: 50 of MUG-2 received into MAIN. {went}"
    said = press(accountant, "/journals/mend/accept", {})
    assert said == f"registered: The differences of 50 invoices are accepted. {went}"
    said = press(accountant, "/journals/mend/vat-rate", {"rate": "21"})
    assert said == f"registered: The rate is 21\xa0%; what was paid stays. {went}".replace("\xa0", " ")
    said = press(accountant, "/journals/mend/buyer", {"vat_code": ""})
    assert said == f"registered: The buyer is corrected. {went}"
    said = press(accountant, "/journals/mend/rate", {"rate": "1.1527"})
    assert said == f"registered: The rate of USD for 23 Nov 2026 is kept. {went}"

    assert states(session) == {"registered": CAUSES * EACH}
    assert "No invoice waits" in words(accountant.get("/journals").text)
    with reading(session):
        left = dict(session.execute(select(Item.code, Balance.on_hand).join(Balance, Balance.item_id == Item.id)).all())
        assert session.scalars(select(func.min(Invoice.total))).one() > 0
    # 50 of the unknown SKU, and the mugs of the four other causes, left the warehouse.
    assert left == {"MUG-1": 10 * EACH - 5 * EACH, "MUG-2": 0}
