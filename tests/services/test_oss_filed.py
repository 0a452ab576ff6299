"""Returns of OSS that were filed stay as they were; what changes afterwards is corrected once, in the next one."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from monet_web.domain.errors import BrokenRule
from monet_web.domain.quarters import Quarter
from monet_web.models import Company, Integration, Invoice
from monet_web.models.base import reading, writing
from monet_web.models.filings import Filing
from monet_web.models.invoices import InvoiceState
from monet_web.services.books import rates
from monet_web.services.documents import accept
from monet_web.services.documents.exports import filings, oss, oss_filed
from tests.builders import a_line, a_tax, an_integration
from tests.services.filed import Row, a_document
from tests.services.scripted import ScriptedStore, import_all, integrate, invoices, put
from tests.vat_sales import estonian

Factory = sessionmaker[Session]
Q2, Q3, Q4, Q1 = Quarter(2026, 2), Quarter(2026, 3), Quarter(2026, 4), Quarter(2027, 1)
ACTOR = "accountant@example.com"
ESTONIA: Row = ("24", "PVM15", "10.00", "2.40")
MINUS: Row = ("24", "PVM15", "-10.00", "-2.40")
Seen = list[tuple[str, str, str]]


@pytest.fixture
def shop(session: Session) -> Integration:
    with writing(session):
        return an_integration(session)


def sold(session: Session, shop: Integration, number: str, *rows: Row, to: str = "EE", **changes: Any) -> Invoice:
    plain: dict[str, Any] = {"treatment": "oss", "ship_country": to, "buyer": {"country": to}}
    with writing(session):
        return a_document(session, shop, number, rows or (ESTONIA,), **{**plain, **changes})


def moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, 0, tzinfo=UTC)


def file(session: Session, quarter: Quarter, folder: Path, *, days: int = 10, ending: str = "csv", **more: Any) -> str:
    """The return taken `days` after the quarter's last one: its text."""
    path = folder / f"{quarter}.{ending}"
    oss.take(session, quarter, path, now=moment(quarter.last + timedelta(days=days)), actor=ACTOR, **more)
    return path.read_text("utf-8-sig") if ending == "csv" else ""


def loaded(session: Session, quarter: Quarter) -> oss.Return:
    with reading(session):
        return oss.load(session, quarter)


def own(whole: oss.Return) -> list[tuple[str, str, str]]:
    return [(one.country, f"{one.base:f}", f"{one.vat:f}") for one in whole.supplies]


def corrected(whole: oss.Return) -> Seen:
    return [(one.country, str(one.quarter), f"{one.vat:f}") for one in whole.corrections]


def documents_of(session: Session, quarter: Quarter) -> list[str]:
    with reading(session):
        return [one.number for one in oss_filed.evidence(session, quarter, oss_filed.load(session))]


# --- what changes after it was filed ------------------------------------------------------------------------------


def test_a_filed_return_stays_and_a_late_sale_is_a_correction_of_the_next_one(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    sold(session, shop, "1", supply_date=date(2026, 9, 1))
    file(session, Q3, tmp_path)
    # Its dates are those of the quarter that was filed: nothing of it says that it came later.
    sold(session, shop, "2", supply_date=date(2026, 9, 2), issue_date=date(2026, 9, 2), to="LV")
    sold(session, shop, "3", supply_date=date(2026, 10, 2))
    then, now = loaded(session, Q3), loaded(session, Q4)
    assert (own(then), then.changed, then.changes_stand_in) == (
        [("EE", "10.00", "2.40")], [("LV", Decimal("2.40"))], Q4,
    )  # fmt: skip
    assert (own(now), corrected(now)) == ([("EE", "10.00", "2.40")], [("LV", "2026-Q3", "2.40")])
    assert (now.corrected, now.countries) == (Decimal("2.40"), [("EE", Decimal("2.40")), ("LV", Decimal("2.40"))])
    assert (documents_of(session, Q3), documents_of(session, Q4)) == (["1"], ["2", "3"])
    text = file(session, Q4, tmp_path)
    assert text.splitlines()[1:] == ["supply,2026-Q4,EE,24,10.00,2.40", "correction,2026-Q3,LV,,,2.40"]
    assert loaded(session, Q3).changed == []
    assert corrected(loaded(session, Q1)) == []


def test_taking_a_filed_return_again_changes_nothing_and_loses_no_hint(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    sold(session, shop, "1")
    first = file(session, Q4, tmp_path)
    sold(session, shop, "2")
    assert file(session, Q4, tmp_path, days=11) == first
    assert loaded(session, Q4).changed == [("EE", Decimal("2.40"))]
    assert corrected(loaded(session, Q1)) == [("EE", "2026-Q4", "2.40")]
    with reading(session):
        assert [one.documents for one in filings.taken(session, filings.OSS, "2026-Q4")] == [1, 1]
    assert (documents_of(session, Q4), documents_of(session, Q1)) == (["1"], ["2"])


def test_one_that_was_not_handed_in_is_taken_anew_until_a_later_one_is(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    sold(session, shop, "1")
    file(session, Q4, tmp_path)
    sold(session, shop, "2")
    assert loaded(session, Q4).may_be_anew
    assert file(session, Q4, tmp_path, anew=True).splitlines()[1] == "supply,2026-Q4,EE,24,20.00,4.80"
    assert (loaded(session, Q4).changed, corrected(loaded(session, Q1))) == ([], [])
    file(session, Q1, tmp_path)
    assert not loaded(session, Q4).may_be_anew
    with pytest.raises(BrokenRule, match="2027-Q1 was taken after 2026-Q4") as refused:
        file(session, Q4, tmp_path, anew=True)
    assert refused.value.fix == "What changes in 2026-Q4 stands in the corrections of 2027-Q2."


def test_a_file_taken_before_the_quarter_is_over_files_nothing(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    sold(session, shop, "1")
    # Its last day is not over until midnight in Vilnius.
    path = tmp_path / "draft.csv"
    oss.take(session, Q4, path, now=datetime(2026, 12, 31, 21, 59, tzinfo=UTC), actor=ACTOR)
    sold(session, shop, "2")
    assert (own(loaded(session, Q4)), loaded(session, Q4).since) == ([("EE", "20.00", "4.80")], None)
    oss.take(session, Q4, path, now=datetime(2026, 12, 31, 22, 0, tzinfo=UTC), actor=ACTOR)
    assert loaded(session, Q4).since is not None


def test_changes_stand_in_the_return_that_is_missing_and_later_ones_say_so(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    one = sold(session, shop, "1", supply_date=date(2026, 6, 1))
    file(session, Q2, tmp_path)
    sold(session, shop, "1-K1", MINUS, of=one, issue_date=date(2026, 11, 1))
    assert corrected(loaded(session, Q3)) == [("EE", "2026-Q2", "-2.40")]
    assert (corrected(loaded(session, Q4)), loaded(session, Q4).gap, loaded(session, Q1).gap) == ([], Q3, Q4)
    file(session, Q3, tmp_path)
    assert (corrected(loaded(session, Q4)), loaded(session, Q4).gap) == ([], None)


def test_a_quarter_with_sales_that_nobody_filed_is_told_on_the_next(session: Session, shop: Integration) -> None:
    sold(session, shop, "1", supply_date=date(2026, 9, 1))
    assert (loaded(session, Q4).gap, loaded(session, Q3).gap) == (Q3, None)


def test_corrections_take_the_rate_of_the_quarter_corrected_and_three_years(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    long_ago = Quarter(2022, 3)
    rates.set_rate(session, currency="USD", day=date(2026, 10, 1), rate=Decimal("1.25"), now=moment(Q3.last), actor="x")
    old = sold(session, shop, "1", supply_date=date(2022, 9, 30), issue_date=date(2022, 9, 30))
    september: dict[str, Any] = {"supply_date": date(2026, 9, 30), "currency": "USD", "eur_rate": "1.1"}
    then = sold(session, shop, "2", **september)
    for quarter in (long_ago, *quarters(long_ago.after(), Q3)):
        file(session, quarter, tmp_path)
    sold(session, shop, "1-K1", MINUS, of=old, issue_date=date(2026, 11, 1))
    sold(session, shop, "2-K1", MINUS, of=then, issue_date=date(2026, 11, 1), currency="USD", eur_rate="1.1")
    whole = loaded(session, Q4)
    assert [(str(one.quarter), f"{one.vat:f}", one.is_late) for one in whole.corrections] == [
        ("2022-Q3", "-2.40", True), ("2026-Q3", "-1.92", False),
    ]  # fmt: skip
    assert (whole.corrected, whole.countries) == (Decimal("-1.92"), [("EE", Decimal("-1.92"))])
    text = file(session, Q4, tmp_path)
    assert "correction, too late for the return" in text
    # What was told to that country once is not told again.
    assert corrected(loaded(session, Q1)) == []


def test_a_correction_waits_for_the_rate_that_it_needs(session: Session, shop: Integration, tmp_path: Path) -> None:
    sold(session, shop, "1", supply_date=date(2026, 9, 1))
    file(session, Q3, tmp_path)
    sold(session, shop, "2", supply_date=date(2026, 9, 1), currency="USD", eur_rate="1.1")
    assert (loaded(session, Q4).missing, corrected(loaded(session, Q4))) == ([(Q3, "USD")], [])
    with pytest.raises(BrokenRule, match="USD as published on 2026-09-30"):
        file(session, Q4, tmp_path)
    file(session, Q3, tmp_path)  # again as it was: it needs no rate
    rates.set_rate(session, currency="USD", day=date(2026, 10, 1), rate=Decimal("1.2"), now=moment(Q4.last), actor="x")
    assert corrected(loaded(session, Q4)) == [("EE", "2026-Q3", "2.00")]


def test_two_who_take_returns_at_once_do_not_correct_twice(
    session: Session, session_factory: Factory, shop: Integration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold(session, shop, "1", supply_date=date(2026, 9, 1))
    file(session, Q3, tmp_path)
    sold(session, shop, "2", supply_date=date(2026, 9, 1))
    kept = filings.keep

    def keep_after_another(*arguments: Any, **more: Any) -> Filing:
        monkeypatch.setattr(filings, "keep", kept)
        file(session_factory(), Q3, tmp_path, anew=True)  # the other accountant is a moment faster
        return kept(*arguments, **more)

    monkeypatch.setattr(filings, "keep", keep_after_another)
    with pytest.raises(BrokenRule, match="Another return was taken at the same moment"):
        file(session, Q4, tmp_path)
    assert not (tmp_path / f"{Q4}.csv").exists()
    assert own(loaded(session, Q3)) == [("EE", "20.00", "4.80")]
    assert corrected(loaded(session, Q4)) == []


# --- a change in the store that is accepted in a later quarter ----------------------------------------------------


@pytest.mark.parametrize("filed", [True, False])
def test_an_accepted_change_moves_only_the_difference(
    session: Session, session_factory: Factory, store: type[ScriptedStore], tmp_path: Path, filed: bool
) -> None:
    with writing(session):
        session.execute(update(Company).values(oss_from=date(2026, 1, 1)))
    then = datetime(2026, 9, 15, 9, 0, tzinfo=UTC)
    before = replace(estonian(), placed_at=then, paid_at=then)  # and touched again in November
    put(store, before)
    integration = integrate(session, accounting_type="amounts", not_before="")
    import_all(session_factory, integration)
    (invoice,) = invoices(session)
    assert (invoice.state, invoice.supply_date) == (InvoiceState.REGISTERED, date(2026, 9, 15))
    if filed:
        file(session, Q3, tmp_path)
    dearer = (a_line(net=Decimal("20.00"), taxes=(a_tax("24", "4.80"),)),)
    put(store, replace(before, lines=dearer, total=Decimal("24.80"), total_tax=Decimal("4.80")))
    import_all(session_factory, integration)
    (answered,) = accept.accept(session, [invoice.id], now=moment(date(2026, 11, 24)), actor=ACTOR)
    assert (answered.refused, answered.registered) == ("", True)
    assert [one.number for one in invoices(session)] == ["1001", "1001-K1", "1001-2"]
    q3, q4 = loaded(session, Q3), loaded(session, Q4)
    if filed:
        assert (own(q3), q3.changed) == ([("EE", "10.00", "2.40")], [("EE", Decimal("2.40"))])
        assert (own(q4), corrected(q4)) == ([], [("EE", "2026-Q3", "2.40")])
        assert documents_of(session, Q4) == ["1001-K1", "1001-2"]
    else:
        assert (own(q3), own(q4), corrected(q4)) == ([("EE", "20.00", "4.80")], [], [])


def test_the_evidence_of_a_filed_return_is_that_of_its_file(
    session: Session, shop: Integration, tmp_path: Path
) -> None:
    sold(session, shop, "1")
    file(session, Q4, tmp_path, ending="xlsx")
    sold(session, shop, "2")
    assert oss.write_evidence(session, Q4, tmp_path / "d.csv") == 1
    with (tmp_path / "d.csv").open(encoding="utf-8-sig", newline="") as rows:
        assert [row["document"] for row in csv.DictReader(rows)] == ["1"]


def quarters(first: Quarter, last: Quarter) -> list[Quarter]:
    found = [first]
    while found[-1] < last:
        found.append(found[-1].after())
    return found
