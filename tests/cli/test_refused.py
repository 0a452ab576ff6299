"""What is typed wrongly is refused with a sentence that names what there is; numbers are found however typed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.connectors import CONNECTORS
from monet_web.connectors.base import Choice, StoreFacts
from monet_web.models import Run
from monet_web.models.base import reading
from tests.builders import an_order
from tests.cli.conftest import Monet, said
from tests.services.scripted import ScriptedStore, put

PERIOD = ("--from", "2026-01-05", "--to", "2026-01-06")
PLACED = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)


@pytest.fixture
def kava(monet: Monet, store: type[ScriptedStore]) -> type[ScriptedStore]:
    """An integration whose two invoices wait: their item is not known."""
    monet("integrations", "add", "Kava", "--platform", "scripted", "address=kava", "number_prefix=K-")
    put(store, *(an_order(external_id=each, number=f"a-{each}", placed_at=PLACED) for each in ("1", "2")))
    monet("import", "Kava", *PERIOD)
    return store


@pytest.mark.usefixtures("kava")
@pytest.mark.parametrize("typed", ["k-A-1", " K-a-1 ", "A-1", " a-1 "])
def test_a_number_is_found_without_case_and_trimmed(monet: Monet, typed: str) -> None:
    assert "1 checked again" in monet("journals", "check", "--number", typed).stdout


@pytest.mark.usefixtures("kava")
def test_what_is_left_out_is_listed_and_brought_back(monet: Monet) -> None:
    assert monet("journals", "left-out").stdout == "No order is left out by hand.\n"
    monet("journals", "delete", "--number", "a-1", "--leave-out", "a test order", "--yes")
    shown = monet("journals", "left-out").stdout
    assert "a-1" in shown
    assert "a test order" in shown
    assert said(monet("journals", "left-out", "--json"))[0]["integration"] == "Kava"
    assert "monet journals left-out" in monet("journals", "bring-back", "a-9", code=2).stderr
    assert "1 order brought back." in monet("journals", "bring-back", " A-1 ").stdout
    assert said(monet("journals", "left-out", "--json")) == []
    assert said(monet("import", "Kava", *PERIOD, "--json"))["runs"][0]["in_journal"] == 1


@pytest.mark.usefixtures("kava")
def test_a_status_is_refused_that_the_tested_store_does_not_have(monet: Monet, monkeypatch: pytest.MonkeyPatch) -> None:
    monet("integrations", "set", "Kava", "statuses=of-a-plugin")  # never tested: nobody knows
    facts = StoreFacts("S", "1", "Europe/Vilnius", "EUR", statuses=(Choice("paid", "Paid"), Choice("sent", "Sent")))
    monkeypatch.setattr(ScriptedStore, "test", lambda self: facts)
    monet("integrations", "test", "Kava")
    refused = monet("integrations", "set", "Kava", "statuses=paid,payed", code=2).stderr
    assert "The store has no status payed. Type some of those that its last test found: paid, sent." in refused
    monet("integrations", "set", "Kava", "statuses=paid,of-a-plugin")


@pytest.mark.usefixtures("kava")
def test_a_warehouse_is_refused_that_is_not_there(monet: Monet) -> None:
    refused = monet("integrations", "set", "Kava", "warehouse=KAUNAS", code=2).stderr
    assert "There is no warehouse KAUNAS. Type one of: MAIN." in refused
    add = ("integrations", "add", "B", "--platform", "scripted", "address=b")
    assert "Type one of: MAIN." in monet(*add, "warehouse=X", code=2).stderr
    monet("integrations", "set", "Kava", "warehouse=MAIN")


def test_help_names_the_platforms_there_are_and_how_long_a_rate_counts(monet: Monet) -> None:
    shown = " ".join(monet("integrations", "add", "--help").stdout.split())
    assert f"One of: {', '.join(CONNECTORS)}." in shown
    assert "magento" not in shown
    said = " ".join(monet("rates", "import", "--help").stdout.split())
    assert "on the weekend or bank holiday after it; any other day needs its own" in said


def test_a_country_that_nobody_knows_asks_first(monet: Monet) -> None:
    add = ("vat-rates", "add", "XX", "9", "--from", "2026-01-01")
    assert "No country known here has the code XX." in monet(*add, code=2).stderr
    assert said(monet("vat-rates", "list", "XX", "--json")) == []
    assert "XX has 9 %" in monet(*add, "--yes").stdout
    for code in ("lt", "EL", "XI", "XK", "NO"):
        monet("vat-rates", "add", code, "9.9", "--from", "2026-01-01")


@pytest.mark.usefixtures("kava")
@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "1999-12-31"])
def test_days_too_far_away_end_with_two_and_a_sentence(monet: Monet, books: Session, tmp_path: Path, day: str) -> None:
    words = f"{day} is too far away. Choose days between 2000 and"
    export = ("invoices", "export", tmp_path / "x.csv")
    vat = ("vat-rates", "add", "LT", "9")
    for typed in (
        ("import", "Kava", "--from", day, "--to", "2026-01-06"),
        ("import", "Kava", "--from", "2026-01-05", "--to", day),
        (*export, "--from", day),
        (*export, "--to", day),
        (*vat, "--from", day),
        (*vat, "--from", "2026-01-01", "--to", day),
    ):
        assert words in " ".join(monet(*typed, code=2).stderr.split())
    with reading(books):
        assert len(books.scalars(select(Run)).all()) == 1


def test_the_last_day_of_this_month_is_not_too_far_away(monet: Monet, tmp_path: Path) -> None:
    monet("invoices", "export", tmp_path / "x.csv", "--to", date.today() + timedelta(days=31))  # noqa: DTZ011
