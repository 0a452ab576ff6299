"""What takes documents back on the command line: undo, changes in the store, closed months, a yes to import anew."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.orders import Buyer, Order
from monet_web.models import Company, Invoice, Run
from monet_web.models.base import now_utc, reading
from monet_web.models.runs import RunKind
from tests.builders import a_line, a_tax, an_order
from tests.cli.conftest import Monet, said
from tests.services.scripted import ScriptedStore, put

TODAY = now_utc().date()
MOMENT = datetime(TODAY.year, TODAY.month, TODAY.day, 1, tzinfo=UTC) - timedelta(days=1)
DEARER = a_line(net=Decimal("12.00"), taxes=(a_tax(amount="2.52"),))


def add(monet: Monet, *, automatic: str = "yes") -> None:
    monet(
        "integrations", "add", "KL", "--platform", "scripted", "--set", "address=kl",
        "--set", "accounting_type=amounts", "--set", f"register_automatically={automatic}",
    )  # fmt: skip


def bring(monet: Monet, *, code: int = 0) -> None:
    first = (MOMENT - timedelta(days=1)).date()
    monet("import", "KL", "--from", first, "--to", TODAY, code=code)


def fresh(**changes: Any) -> Order:
    """An order of yesterday."""
    return an_order(**{"placed_at": MOMENT, "paid_at": MOMENT, "changed_at": MOMENT, **changes})


def numbers(books: Session) -> list[str | None]:
    with reading(books):
        return list(books.scalars(select(Invoice.number).order_by(Invoice.id)))


def test_undoing_a_run_asks_deletes_and_credits(monet: Monet, store: type[ScriptedStore], books: Session) -> None:
    add(monet)
    put(store, fresh(), fresh(external_id="9002", number="1002"))
    bring(monet)
    with reading(books):
        run_id = books.scalars(select(Run.id).where(Run.kind == RunKind.LAUNCH)).one()
    assert "Type what to credit" in monet("runs", "undo", run_id, code=2).output
    asked = monet("runs", "undo", run_id, "--credit", "kl-1001", code=2).output
    assert f"Undo run {run_id}: credit 1 invoice for 12.10 EUR, dated {MOMENT:%B %Y}?" in asked
    assert numbers(books) == ["KL-1001", "KL-1002"]
    assert "registered no 7 that could be credited" in monet("runs", "undo", run_id, "--credit", "7", code=2).output
    done = monet("runs", "undo", run_id, "--credit", " KL-1001 ", "--yes").output
    assert "0 invoices deleted, 1 invoice credited." in done
    assert "KL-1001-K1" in done
    assert numbers(books) == ["KL-1001", "KL-1002", "KL-1001-K1"]
    monet("runs", "undo", run_id, "--credit-all", "--yes")
    assert "is left to undo" in monet("runs", "undo", run_id, "--credit-all", "--yes", code=2).output
    bring(monet)
    assert numbers(books) == ["KL-1001", "KL-1002", "KL-1001-K1", "KL-1002-K1"]
    assert "1 order open again" in monet("journals", "import-anew", "1001").output
    assert "is credited in full" in monet("journals", "import-anew", "1001", code=2).output
    bring(monet)
    assert numbers(books)[-1] == "KL-1001-2"


def test_what_waits_is_deleted_by_undoing(monet: Monet, store: type[ScriptedStore], books: Session) -> None:
    add(monet, automatic="no")
    put(store, fresh())
    bring(monet)
    with reading(books):
        run_id = books.scalars(select(Run.id).where(Run.kind == RunKind.LAUNCH)).one()
    asked = monet("runs", "undo", run_id, code=2).output
    assert f"delete 1 invoice for 12.10 EUR, dated {MOMENT:%B %Y}?" in asked
    assert "1 invoice deleted, 0 invoices credited." in monet("runs", "undo", run_id, "--yes").output
    assert numbers(books) == []


def test_changes_are_listed_ignored_and_accepted(monet: Monet, store: type[ScriptedStore], books: Session) -> None:
    add(monet)
    put(store, fresh())
    bring(monet)
    assert "Every document says what its order says." in monet("changed", "list").output
    put(store, fresh(lines=(DEARER,)))
    bring(monet)
    assert said(monet("changed", "list", "--json")) == [
        {
            "number": "KL-1001", "order_number": "1001", "integration": "KL", "state": "registered",
            "what": "total 12.10 → 14.52; VAT 2.10 → 2.52; lines", "accept": "replace",
        }
    ]  # fmt: skip
    assert "credit it in full and make a new invoice" in monet("changed", "list").output
    assert "Type which" in monet("changed", "accept", code=2).output
    ignored = monet("changed", "ignore", "--number", "1001", "--reason", "agreed").output
    assert "KL-1001 stays as it is." in ignored
    assert "No such document changed" in monet("changed", "accept", "--all", code=2).output
    put(store, fresh(lines=(DEARER,), buyer=Buyer("Petras")))
    bring(monet)
    asked = monet("changed", "accept", "--all", code=2).output
    assert f"1 document for 12.10 EUR, dated {MOMENT:%B %Y}: credit it in full and make a new invoice?" in asked
    done = monet("changed", "accept", "--all", "--yes").output
    assert "KL-1001: credited by KL-1001-K1, KL-1001-2 is registered." in done
    assert numbers(books) == ["KL-1001", "KL-1001-K1", "KL-1001-2"]


def test_a_month_is_closed_and_reopened(monet: Monet, books: Session) -> None:
    def until() -> date | None:
        with reading(books):
            return books.get_one(Company, 1, populate_existing=True).closed_until

    assert "“2026-13” is not a month." in monet("company", "close", "2026-13", "--reason", "x", code=2).output
    assert "Closed until 2026-09-30." in monet("company", "close", "2026-09", "--reason", "filed").output
    assert until() == date(2026, 9, 30)
    assert "is closed already" in monet("company", "close", "2026-08", "--reason", "filed", code=2).output
    assert "Open from 2026-09-01 on" in monet("company", "reopen", "2026-09", "--reason", "forgotten").output
    assert until() == date(2026, 8, 31)
