"""A month before its filing: each thing that stands open is found, and only a clean month closes without a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.domain.quarters import Quarter
from monet_web.models import Company, FilingTerms, Integration, Invoice, InvoiceFinding, StoreOrder
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.models.store_orders import Outcome
from monet_web.services.documents import journals
from monet_web.services.documents.exports import filings, oss
from monet_web.services.reports import month
from tests.builders import a_store_order, an_integration
from tests.services.filed import AT_HOME, COMPANY, Row, a_document

NOW = datetime(2027, 1, 5, 8, 0, tzinfo=UTC)
WHO: dict[str, Any] = {"now": NOW, "actor": "accountant@example.com"}
DECEMBER, IN_MONTH = date(2026, 12, 1), date(2026, 12, 10)
ESTONIA: Row = ("24", "PVM15", "10.00", "2.40")


@pytest.fixture
def shop(session: Session) -> Integration:
    with writing(session):
        session.execute(update(Company).values(**COMPANY))
        integration = an_integration(session)
    filings.set_terms(session, part="EPARD", oss="in", names="given", **WHO)
    return integration


def put(session: Session, shop: Integration, number: str, *rows: Row, **changes: Any) -> Invoice:
    plain: dict[str, Any] = {"issue_date": IN_MONTH, **changes}
    return a_document(session, shop, number, rows or (AT_HOME,), **plain)


def loaded(session: Session) -> month.Month:
    with reading(session):
        return month.load(session, IN_MONTH, now=NOW)


def waiting(session: Session, shop: Integration) -> None:
    put(session, shop, "1", state=InvoiceState.IN_JOURNAL)


def missing_rate(session: Session, shop: Integration) -> None:
    waits = put(session, shop, "1", state=InvoiceState.IN_JOURNAL, currency="USD")
    waits.net_eur = waits.vat_eur = waits.total_eur = None
    finding = InvoiceFinding(invoice_id=waits.id, code="currency_rate_missing", subject="USD 2026-12-10", values={})
    session.add(finding)


def nameless(session: Session, shop: Integration) -> None:
    session.execute(update(Company).values(address=""))


def refused(session: Session, shop: Integration) -> None:
    put(session, shop, "1", ("12", "", "10.00", "1.20"))


def stock(session: Session, shop: Integration) -> None:
    put(session, shop, "1", stock_not_moved_reason="it stands in the shop")


def gap(session: Session, shop: Integration) -> None:
    session.get_one(Integration, shop.id).settings = {"number_from": "series", "number_prefix": "KL-"}
    for number in ("KL-1", "KL-2", "KL-4"):
        put(session, shop, number)


def oss_rate(session: Session, shop: Integration) -> None:
    put(session, shop, "1", ESTONIA, treatment="oss", ship_country="EE", currency="USD", eur_rate="1.1")


@pytest.mark.parametrize(
    ("wrong", "open_"),
    [
        (waiting, ["waiting"]),
        (missing_rate, ["waiting", "rates"]),
        (nameless, ["company"]),
        (refused, ["isaf"]),
        (stock, ["stock"]),
        (gap, ["numbers"]),
        (oss_rate, ["oss_rates"]),
    ],
)
def test_each_thing_that_stands_open_is_found_and_asks_for_a_reason(
    session: Session, shop: Integration, wrong: Callable[[Session, Integration], None], open_: list[str]
) -> None:
    with writing(session):
        wrong(session, shop)
    assert loaded(session).stands_open == open_
    with pytest.raises(BrokenRule, match=f"{len(open_)} of its points stand open"):
        month.close(session, IN_MONTH, **WHO)
    assert month.close(session, IN_MONTH, reason="It is late", **WHO) == date(2026, 12, 31)


def test_what_later_months_have_open_is_not_of_this_one(session: Session, shop: Integration) -> None:
    with writing(session):
        put(session, shop, "2", issue_date=date(2027, 1, 1), state=InvoiceState.IN_JOURNAL)
        put(session, shop, "92", ("12", "", "10.00", "1.20"), issue_date=date(2027, 1, 1))
        put(session, shop, "5")
    found = loaded(session)
    assert (found.stands_open, found.isaf.documents) == ([], 1)
    assert month.close(session, IN_MONTH, **WHO) == date(2026, 12, 31)
    assert loaded(session).is_closed


def test_what_waits_before_it_would_be_closed_too_and_asks_for_a_reason(session: Session, shop: Integration) -> None:
    with writing(session):
        put(session, shop, "1", issue_date=date(2026, 11, 30), state=InvoiceState.IN_JOURNAL)
        put(session, shop, "5")
    found = loaded(session)
    assert (found.stands_open, found.earlier) == (["earlier"], 1)
    with pytest.raises(BrokenRule, match="is not clean"):
        month.close(session, IN_MONTH, **WHO)
    assert month.close(session, IN_MONTH, reason="agreed", **WHO) == date(2026, 12, 31)


@pytest.mark.parametrize("outcome", [Outcome.CONFLICT, Outcome.UNREADABLE, Outcome.OPEN])
def test_an_order_that_became_no_document_stands_open(session: Session, shop: Integration, outcome: Outcome) -> None:
    with writing(session):
        put(session, shop, "5")
        a_store_order(session, shop, "77", outcome=outcome, placed_at=datetime(2026, 12, 15, 10, tzinfo=UTC))
    found = loaded(session)
    assert (found.stands_open, found.unbooked, found.named_unbooked) == (["orders"], 1, ["1001"])


def test_a_document_deleted_to_be_brought_back_stands_open_in_the_month_it_was_dated_in(
    session: Session, shop: Integration
) -> None:
    with writing(session):
        invoice = put(session, shop, "1", state=InvoiceState.IN_JOURNAL)
        placed = datetime(2026, 11, 30, 10, tzinfo=UTC)
        session.execute(update(StoreOrder).values(placed_at=placed, outcome=Outcome.IN_JOURNAL))
    assert journals.delete(session, [invoice.id], leave_out=False, reason="", **WHO) == 1
    assert loaded(session).stands_open == ["orders"]
    with pytest.raises(BrokenRule, match="is not clean"):
        month.close(session, IN_MONTH, **WHO)
    with reading(session):
        assert month.load(session, date(2026, 11, 1), now=NOW).unbooked == 1  # where it was placed, too
        assert month.load(session, date(2027, 1, 1), now=NOW).unbooked == 0


def test_a_document_deleted_and_left_out_is_nothing_that_is_missing(session: Session, shop: Integration) -> None:
    with writing(session):
        invoice = put(session, shop, "1", state=InvoiceState.IN_JOURNAL)
        session.execute(update(StoreOrder).values(placed_at=datetime(2026, 12, 15, 10, tzinfo=UTC)))
    journals.delete(session, [invoice.id], leave_out=True, reason="a test of the shop", **WHO)
    assert loaded(session).stands_open == []


def test_a_change_that_nobody_answered_stands_open(session: Session, shop: Integration) -> None:
    with writing(session):
        invoice = put(session, shop, "5")
        session.add(InvoiceFinding(invoice_id=invoice.id, code="changed_in_store", subject="", values={}, stops=False))
    assert (loaded(session).stands_open, loaded(session).changed) == (["changed"], 1)


@pytest.mark.parametrize(
    ("days", "answers", "is_open"),
    [
        ("2026-12-10", (), True),
        ("2026-11-30, 2026-12-01", (), True),
        ("2027-01-01, 2026-11-12", (), False),
        ("2026-12-10", ("change_ignored",), False),
        ("2026-12-10", ("change_ignored", "changed_in_store"), True),
    ],
)
def test_money_given_back_without_a_credit_note_stands_open_in_the_month_of_the_refund(
    session: Session, shop: Integration, days: str, answers: tuple[str, ...], is_open: bool
) -> None:
    with writing(session):
        put(session, shop, "5")
        invoice = put(session, shop, "6", issue_date=date(2026, 10, 2))
        values = {"amount": "6.00", "currency": "EUR", "count": days}
        session.add(InvoiceFinding(invoice_id=invoice.id, code="refund_not_booked", values=values, stops=False))
        for code in answers:
            session.add(InvoiceFinding(invoice_id=invoice.id, code=code, values={}, stops=False))
    found = loaded(session)
    assert ("refunds" in found.stands_open) == is_open
    named = [month.GivenBack(invoice.id, "6", "6.00", "EUR")]
    assert (found.given_back, found.named_back) == ((1, named) if is_open else (0, []))


def test_a_document_with_vat_makes_a_month_one_to_file_whatever_the_company_is(
    session: Session, shop: Integration
) -> None:
    with writing(session):
        session.execute(update(Company).values(vat_to=date(2026, 11, 30), address=""))
        put(session, shop, "1", (None, "", "10.00", "0.00"), treatment="not_payer")
    assert (loaded(session).files_isaf, loaded(session).stands_open) == (False, [])
    with writing(session):
        put(session, shop, "2", ("12", "", "10.00", "1.20"))
    assert (loaded(session).files_isaf, loaded(session).stands_open) == (True, ["company", "isaf"])


def test_a_part_that_nobody_has_named_leaves_isaf_open(session: Session, shop: Integration) -> None:
    with writing(session):
        put(session, shop, "5")
        session.execute(update(FilingTerms).values(part=""))
    found = loaded(session)
    assert (found.stands_open, found.isaf.refused_count) == (["isaf"], 0)


def test_waiting_documents_are_summed_in_euro_and_those_without_are_counted(
    session: Session, shop: Integration
) -> None:
    with writing(session):
        waiting(session, shop)
        put(session, shop, "2", state=InvoiceState.IN_JOURNAL, currency="USD", eur_rate="2")
        missing = put(session, shop, "3", state=InvoiceState.IN_JOURNAL, currency="USD")
        missing.net_eur = missing.vat_eur = missing.total_eur = None
    assert loaded(session).waiting == month.Waiting(3, Decimal("3.15"), Decimal("18.15"), without_euro=1)


def test_the_quarter_belongs_to_its_last_month_and_says_what_changed_since_it_was_taken(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    with writing(session):
        put(session, shop, "1", ESTONIA, treatment="oss", ship_country="EE")
    oss.take(session, Quarter(2026, 4), tmp_path / "oss.csv", **WHO)
    with writing(session):
        put(session, shop, "2", ESTONIA, treatment="oss", ship_country="EE")
    quarter = loaded(session).quarter
    assert quarter is not None
    assert quarter.changed == [("EE", Decimal("2.40"))]
    with reading(session):
        assert month.load(session, date(2026, 11, 1), now=NOW).quarter is None


def test_a_month_that_is_not_over_is_not_closed_even_when_clean(session: Session, shop: Integration) -> None:
    during = datetime(2026, 12, 31, 21, 0, tzinfo=UTC)  # 23:00 in Vilnius
    with pytest.raises(BrokenRule, match="December 2026 is not over"):
        month.close(session, IN_MONTH, now=during, actor="x")
    with reading(session):
        assert not month.load(session, IN_MONTH, now=during).is_over
