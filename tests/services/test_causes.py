"""Causes: waiting invoices grouped by what they wait for, and which of them somebody means."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.findings import describe
from monet_web.models import Integration
from monet_web.models.base import reading, writing
from monet_web.models.invoices import AccountingType
from monet_web.services.documents import causes, waiting
from monet_web.services.documents.waiting import Which
from tests.builders import NOON, a_line, a_tax, an_item, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, invoices, put

Factory = sessionmaker[Session]
Shop = type[ScriptedStore]

MONTH_AGO = NOON - timedelta(days=31)
NO_RATE = a_line(external_id="12", sku="MUG-2", product_id="502", taxes=(a_tax(None),))


def three_causes(session: Session, session_factory: Factory, store: Shop) -> Integration:
    """1001 and 1002 wait for KN-01, 1002 for the rate of two lines too, 1003 for 9 % and dollars."""
    integration = integrate(session)
    with writing(session):
        an_item(session, "MUG-2", on_hand=100)
    put(
        store,
        an_order(),
        an_order(
            external_id="9002", number="1002", placed_at=MONTH_AGO, paid_at=MONTH_AGO,
            lines=(a_line(), NO_RATE, replace(NO_RATE, external_id="13")),
        ),
        an_order(
            external_id="9003", number="1003", currency="USD",
            lines=(a_line(sku="MUG-2", taxes=(a_tax("9", "0.90"),)),),
        ),
    )  # fmt: skip
    import_all(session_factory, integration)
    return integration


def said(found: list[causes.Cause]) -> list[tuple[str, int, dict[str, Decimal]]]:
    return [(describe(one.finding).cause, one.invoices, one.sums) for one in found]


def test_invoices_are_grouped_by_cause_with_count_sum_and_oldest_day(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    three_causes(session, session_factory, store)
    with reading(session):
        found = causes.causes(session)
    assert said(found) == [
        ("SKU KN-01 is not among the items", 2, {"EUR": Decimal("48.40")}),
        ("There is no rate of USD for 2026-11-23", 1, {"USD": Decimal("10.90")}),
        ("The store does not say the rate of a tax", 1, {"EUR": Decimal("36.30")}),
        ("VAT of 9 % is not valid in LT", 1, {"USD": Decimal("10.90")}),
    ]
    assert [one.oldest for one in found] == [MONTH_AGO.date(), NOON.date(), MONTH_AGO.date(), NOON.date()]


def test_two_lines_with_one_cause_are_one_invoice_and_its_sum_counts_once(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    three_causes(session, session_factory, store)
    with reading(session):
        (no_rate,) = [one for one in causes.causes(session) if one.code == "tax_rate_missing"]
        (invoice,), _ = waiting.page(session, Which(code=no_rate.code, subject=no_rate.subject))
        assert [one.code for one in invoice.found].count("tax_rate_missing") == 2
    assert (no_rate.invoices, no_rate.subject) == (1, "")


def test_one_can_mean_a_journal_an_integration_a_kind_a_month_a_cause_or_words(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    integration = three_causes(session, session_factory, store)
    every = {invoice.order_number: invoice for invoice in invoices(session)}
    with reading(session):

        def meant(**which: object) -> set[str]:
            found, _ = waiting.page(session, Which(**which))  # type: ignore[arg-type]
            return {invoice.order_number for invoice in found}

        assert meant() == {"1001", "1002", "1003"}
        assert meant(journal_id=every["1001"].journal_id) == {"1001", "1002", "1003"}
        assert meant(journal_id=999) == set()
        assert meant(integration_id=integration.id + 1) == set()
        assert meant(accounting_type=AccountingType.AMOUNTS) == set()
        assert meant(month=date(2026, 11, 1)) == {"1001", "1003"}
        assert meant(month=date(2026, 10, 1)) == {"1002"}
        assert meant(month=date(2026, 12, 1)) == set()
        assert meant(code="item_unknown") == {"1001", "1002"}
        assert meant(code="item_unknown", subject="MUG-2") == set()
        assert meant(invoice_ids=(every["1003"].id,)) == {"1003"}
        assert meant(text="1002 ONAITĖ") == {"1002"}
        assert meant(text="mug-2") == {"1002", "1003"}
        assert meant(text="100%") == set()


def test_what_a_question_names(session: Session, session_factory: Factory, store: Shop) -> None:
    three_causes(session, session_factory, store)
    with reading(session):
        every = waiting.summary(session, Which())
        none = waiting.summary(session, Which(text="nobody"))
        months = waiting.months(session, Which())
    assert (every.count, every.touched) == (3, 0)
    assert every.sums == {"EUR": Decimal("48.40"), "USD": Decimal("10.90")}
    assert every.months == (date(2026, 10, 1), date(2026, 11, 1))
    assert (none.count, none.sums, none.months) == (0, {}, ())
    assert months == [(date(2026, 11, 1), 2), (date(2026, 10, 1), 1)]


def test_pages_follow_each_other_without_a_gap(session: Session, session_factory: Factory, store: Shop) -> None:
    three_causes(session, session_factory, store)
    with reading(session):
        first, after = waiting.page(session, Which(), limit=2)
        assert after is not None
        second, end = waiting.page(session, Which(), after=after, limit=2)
    assert [one.order_number for one in [*first, *second]] == ["1002", "1001", "1003"]
    assert end is None


def test_the_main_causes_of_a_journal_are_those_of_the_most_invoices(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    three_causes(session, session_factory, store)
    (journal_id,) = {invoice.journal_id for invoice in invoices(session) if invoice.journal_id}
    with reading(session):
        found = causes.main_causes(session, [journal_id], most=2)
        assert causes.main_causes(session, []) == {}
    assert [(one.code, one.invoices) for one in found[journal_id]] == [
        ("item_unknown", 2), ("currency_rate_missing", 1),
    ]  # fmt: skip


def test_how_many_wait_for_each_of_the_causes_of_one_invoice(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    three_causes(session, session_factory, store)
    with reading(session):
        counted = causes.counts_of(session, [("item_unknown", "KN-01"), ("tax_rate_missing", "3"), ("no_lines", "")])
        assert causes.counts_of(session, []) == {}
    assert counted == {("item_unknown", "KN-01"): 2, ("tax_rate_missing", "3"): 1, ("no_lines", ""): 0}


def test_causes_cost_two_queries_however_many_there_are(
    session: Session, session_factory: Factory, store: Shop
) -> None:
    three_causes(session, session_factory, store)
    with reading(session):
        causes.causes(session)
    asked: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *args: asked.append(args[2]))
    with reading(session):
        causes.causes(session)  # nothing has changed since it was counted: the marks, and the findings that are said
    assert len([text for text in asked if text.startswith("SELECT")]) == 2
