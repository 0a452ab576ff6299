"""A preview in the groups of the journals, with its sums per VAT rate and currency (C3)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy.orm import Session, sessionmaker

from monet_web.connectors import CONNECTORS
from monet_web.models import CurrencyRate, Run
from monet_web.models.base import reading, writing
from monet_web.models.runs import RunKind
from monet_web.models.users import Role
from monet_web.services.running import foreseen_account
from tests.builders import NOON, a_charge, a_line, a_tax, an_item, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, put
from tests.web.integrating import browser, words

Factory = sessionmaker[Session]


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None
    return ScriptedStore


def mixed_orders(session: Session) -> None:
    """One of 21 % and one of 5 % that pass, one in dollars that passes, two of an unknown SKU, all in pages of two."""
    with writing(session):
        an_item(session, "KN-01", on_hand=9)
        an_item(session, "BOOK", on_hand=9)
        session.add(CurrencyRate(currency="USD", day=NOON.date(), rate=Decimal("1.25")))
    ScriptedStore.PAGE = 2
    book = a_line(sku="BOOK", product_id="", net=Decimal("20.00"), taxes=(a_tax("5", "1.00"),))
    unknown = a_line(sku="ZZ-9", product_id="")
    put(
        ScriptedStore,
        an_order(external_id="1", number="1", charges=(a_charge(),)),
        an_order(external_id="2", number="2", lines=(book,)),
        an_order(external_id="3", number="3", lines=(unknown, book)),
        an_order(external_id="4", number="4", lines=(unknown,)),
        replace(an_order(external_id="5", number="5"), currency="USD"),
    )


def of_currency(run: Run, currency: str) -> list[tuple[str, Decimal, Decimal, Decimal, Decimal]]:
    [found] = [one for one in foreseen_account.vat([run]) if one.currency == currency]
    return [(str(row.rate), *row.registered, *row.in_journal) for row in found.rows]


@pytest.mark.parametrize("kind", [RunKind.PREVIEW, RunKind.LAUNCH])
def test_a_run_counts_base_and_vat_of_each_rate_and_currency(
    session: Session, session_factory: Factory, kind: RunKind
) -> None:
    mixed_orders(session)
    run = import_all(session_factory, integrate(session), kind=kind)
    eur = [
        ("21", Decimal("14.00"), Decimal("2.94"), Decimal("20.00"), Decimal("4.20")),
        ("5", Decimal("20.00"), Decimal("1.00"), Decimal("20.00"), Decimal("1.00")),
    ]
    assert of_currency(run, "EUR") == eur
    assert of_currency(run, "USD") == [("21", Decimal("10.00"), Decimal("2.10"), Decimal(0), Decimal(0))]
    [euro, _] = foreseen_account.vat([run])
    assert euro.totals == {"registered": Decimal("37.94"), "in_journal": Decimal("45.20")}
    assert (euro.rounding("registered"), euro.rounding("in_journal")) == (Decimal(0), Decimal(0))
    assert foreseen_account.vat([run, run])[0].base("registered") == Decimal("68.00")


def test_only_a_preview_keeps_what_its_invoices_would_wait_for(session: Session, session_factory: Factory) -> None:
    mixed_orders(session)
    integration = integrate(session)
    preview = import_all(session_factory, integration, kind=RunKind.PREVIEW)
    [cause] = foreseen_account.causes(preview)
    assert (cause.code, cause.subject, cause.invoices) == ("item_unknown", "ZZ-9", 2)
    assert cause.sums == {"EUR": Decimal("45.20")}
    assert (cause.oldest, cause.newest) == (NOON.date(), NOON.date())
    assert foreseen_account.not_grouped(preview) == {}
    assert import_all(session_factory, integration).causes is None


def test_the_pages_of_a_preview_show_groups_and_vat(app: Flask, session: Session, session_factory: Factory) -> None:
    mixed_orders(session)
    preview = import_all(session_factory, integrate(session), kind=RunKind.PREVIEW)
    client = browser(app, session, Role.OFFICE)
    page = words(client.get(f"/integrations/launch?preview={preview.id}").text)
    assert "2 · SKU ZZ-9 is not among the items, 45.20 EUR" in page
    assert "VAT, EUR Rate Would be entered Would wait Base VAT Base VAT" in page
    assert "21 % 14.00 2.94 20.00 4.20" in page
    assert "5 % 20.00 1.00 20.00 1.00" in page
    assert "With VAT 37.94 EUR 45.20 EUR" in page
    page = words(client.get(f"/runs/{preview.id}").text)
    assert "2 invoices SKU ZZ-9 is not among the items" in page
    assert "21 % 14.00 2.94 20.00 4.20" in page


def test_more_groups_than_are_kept_are_counted_by_code(
    session: Session, session_factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monet_web.services.importing.foreseen.MOST_CAUSES", 1)
    put(ScriptedStore, *(an_order(external_id=str(n), number=str(n), lines=(a_line(sku=f"S-{n}", product_id=""),))
                         for n in range(3)))  # fmt: skip
    preview = import_all(session_factory, integrate(session), kind=RunKind.PREVIEW)
    with reading(session):
        kept = session.get_one(Run, preview.id)
    assert [one.invoices for one in foreseen_account.causes(kept)] == [1]
    assert foreseen_account.not_grouped(kept) == {"item_unknown": 2}
