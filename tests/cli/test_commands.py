"""Every other command: what it says, what it changes, and its exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.models import Invoice, StoreOrder
from monet_web.models.base import reading
from monet_web.models.invoices import InvoiceState
from tests.builders import an_order
from tests.cli.conftest import Monet, said
from tests.services.scripted import ScriptedStore, put

PERIOD = ("--from", "2026-01-05", "--to", "2026-01-06")
PLACED = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)


@pytest.fixture
def waiting(monet: Monet, store: type[ScriptedStore]) -> None:
    """Two invoices of Kava wait: their item is not known."""
    monet("integrations", "add", "Kava", "--platform", "scripted", "--set", "address=kava", "--set", "number_prefix=K-")
    put(store, *(an_order(external_id=each, number=each, placed_at=PLACED) for each in ("1", "2")))
    monet("import", "Kava", *PERIOD)


def file(folder: Path, text: str) -> Path:
    path = folder / "file.csv"
    path.write_text(text, encoding="utf-8")
    return path


def states(books: Session) -> dict[str, int]:
    with reading(books):
        rows = books.execute(select(Invoice.state, func.count(Invoice.id)).group_by(Invoice.state)).all()
    return {row[0].value: row[1] for row in rows}


def test_integrations_are_added_shown_changed_tested_and_removed(monet: Monet) -> None:
    added = monet(
        "integrations", "add", "Kava Ltd", "--platform", "scripted", "--set", "address=kava", "frequency=daily"
    )
    assert "Kava Ltd is added. Numbers begin with KL-." in added.stdout
    assert "kava" in monet("integrations", "list").stdout
    assert said(monet("integrations", "list", "--json"))[0]["name"] == "Kava Ltd"
    assert said(monet("integrations", "show", "kava ltd", "--json"))["settings"]["frequency"] == "daily"
    assert "How often it imports" in monet("integrations", "show", "Kava Ltd").stdout
    coming = said(monet("integrations", "list", "--json"))[0]["next_run"]
    assert coming["at"] == coming["end"] > coming["start"]
    assert (coming["obstacle"], coming["at"][11:13]) in ((None, "03"), (None, "04"))
    assert (
        f"Next run: {coming['at'][:10]} {coming['at'][11:16]}, imports"
        in monet("integrations", "show", "Kava Ltd").stdout
    )
    monet("integrations", "set", "Kava Ltd", "frequency=off", "--name", "Kava")
    assert "none: it runs when you launch it" in monet("integrations", "list").stdout
    assert said(monet("integrations", "show", "Kava", "--json"))["next_run"] is None
    assert "The store answers: Scripted" in monet("integrations", "test", "Kava").stdout
    assert "Type --yes" in monet("integrations", "remove", "Kava", code=2).stderr
    assert "Kava is removed." in monet("integrations", "remove", "Kava", "--yes").stdout
    assert "No integrations yet" in monet("integrations", "list").stdout


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("--platform", "nothing"), "not a platform"),
        (("--platform", "scripted"), "needs address too"),
        (("--platform", "scripted", "--set", "address=x", "colour=red"), "named colour"),
        (("--platform", "scripted", "--set", "address=x", "daily_days=99"), "1 to 31"),
        (("--platform", "scripted", "--set", "secret-without-key"), "key=value"),
    ],
)
def test_a_wrong_integration_ends_with_two_and_a_sentence(monet: Monet, typed: tuple[str, ...], words: str) -> None:
    result = monet("integrations", "add", "Kava", *typed, code=2)
    assert words in result.stderr
    assert "secret-without-key" not in result.output


@pytest.mark.usefixtures("waiting")
def test_items_that_come_mend_what_waited_for_them(monet: Monet, tmp_path: Path, books: Session) -> None:
    assert states(books) == {"in_journal": 2}
    shown = monet("items", "import", file(tmp_path, "code,name,kind\nKN-01,Notebook,service\n")).stdout
    assert "1 item added" in shown
    assert "2 checked again: 2 registered, 0 still wait." in shown
    assert states(books) == {"registered": 2}


@pytest.mark.usefixtures("waiting")
def test_stock_that_comes_mends_what_is_enough_for(monet: Monet, tmp_path: Path, books: Session) -> None:
    monet("items", "import", file(tmp_path, "code,name\nKN-01,Notebook\n"))
    shown = monet("stock", "receive", file(tmp_path, "code,quantity\nKN-01,1\n")).stdout
    assert "2 checked again: 1 registered, 1 still wait." in shown
    assert states(books) == {"registered": 1, "in_journal": 1}


@pytest.mark.usefixtures("waiting")
def test_a_setting_mends_too(monet: Monet) -> None:
    assert "2 registered" in monet("integrations", "set", "Kava", "unknown_items=create").stdout


@pytest.mark.parametrize(
    "command", [("items", "import"), ("stock", "receive"), ("rates", "import"), ("numbers", "import")]
)
def test_a_wrong_file_ends_with_two_and_names_the_rows(monet: Monet, tmp_path: Path, command: tuple[str, str]) -> None:
    heads = {"items": "code,name", "stock": "code,quantity", "rates": "date,currency,rate", "numbers": "number"}
    wrong = {"items": ",x", "stock": "NONE,1", "rates": "x,USD,1", "numbers": "9" * 121}
    result = monet(*command, file(tmp_path, f"{heads[command[0]]}\n{wrong[command[0]]}\n"), code=2)
    assert "Row 2: " in result.stderr
    assert result.stdout == ""
    assert monet(*command, tmp_path / "none.csv", code=2).stderr


def test_rates_numbers_and_vat_rates(monet: Monet, tmp_path: Path) -> None:
    assert "1 rate added" in monet("rates", "import", file(tmp_path, "date,currency,rate\n2026-01-05,USD,1.1\n")).stdout
    assert "2 numbers taken" in monet("numbers", "import", file(tmp_path, "number\nA-1\nA-2\n")).stdout
    assert "LT has 9 % from 2015-01-01 to 2025-12-31." in monet(
        "vat-rates", "add", "LT", "9", "--from", "2015-01-01", "--to", "2025-12-31"
    ).stdout  # fmt: skip
    assert "added here" in monet("vat-rates", "list", "LT").stdout
    assert {one["percent"] for one in said(monet("vat-rates", "list", "LT", "--json"))} >= {"21", "9", "5"}
    assert "can't be" in monet("vat-rates", "add", "LT", "900", "--from", "2015-01-01", code=2).stderr


@pytest.mark.usefixtures("waiting")
def test_journals_are_listed_with_their_causes(monet: Monet) -> None:
    shown = monet("journals", "list").stdout
    assert "24.20 EUR" in shown
    assert "SKU KN-01 is not among the items." in shown
    causes = said(monet("journals", "list", "--json"))["causes"]
    assert causes == [{"code": "item_unknown", "subject": "KN-01", "invoices": 2}]


@pytest.mark.usefixtures("waiting")
def test_what_waits_is_checked_and_registered_by_number_cause_or_all(monet: Monet, tmp_path: Path) -> None:
    assert (
        "2 checked again: 0 registered, 2 still wait." in monet("journals", "check", "--cause", "item_unknown").stdout
    )
    failed = monet("journals", "register", "--number", "K-1", code=1).stdout
    assert "K-1 still waits:" in failed
    assert "0 of 1 registered." in failed
    assert "0 of 2 registered." in monet("journals", "register", "--all").stdout
    assert "Type which" in monet("journals", "check", code=2).stderr
    assert "Type which" in monet("journals", "register", "--all", "--number", "1", code=2).stderr
    assert "not a cause" in monet("journals", "check", "--cause", "rain", code=2).stderr


@pytest.mark.usefixtures("waiting")
def test_deleting_asks_first_how_many_for_how_much_and_which_month(monet: Monet, books: Session) -> None:
    asked = monet("journals", "delete", "--all", code=2).stderr
    assert "Delete 2 invoices for 24.20 EUR, dated November 2026?" in " ".join(asked.split())
    assert states(books) == {"in_journal": 2}
    assert "brings their orders back" in monet("journals", "delete", "--number", "K-1", "--yes").stdout
    assert states(books) == {"in_journal": 1}
    monet("journals", "delete", "--all", "--leave-out", "a test", "--yes")
    with reading(books):
        orders = books.execute(select(StoreOrder.order_number, StoreOrder.left_out_reason)).all()
    assert {row[0]: row[1] for row in orders} == {"1": "", "2": "a test"}
    monet("import", "Kava", *PERIOD)
    assert states(books) == {"in_journal": 1}
    assert monet("journals", "check", "--cause", "stock_short").stdout == "Nothing waits for this.\n"


@pytest.mark.usefixtures("waiting")
def test_invoices_are_written_to_a_file(monet: Monet, tmp_path: Path) -> None:
    shown = monet("invoices", "export", tmp_path / "x.json", "--state", InvoiceState.IN_JOURNAL.value).stdout
    assert "2 invoices with 2 lines written" in shown
    assert [one["number"] for one in json.loads((tmp_path / "x.json").read_text())] == ["K-1", "K-2"]
    assert ".csv, .xlsx or .json" in monet("invoices", "export", tmp_path / "x.pdf", code=2).stderr
    assert monet("invoices", "export", tmp_path / "x.csv", "--from", "2026-02-01", "--to", "2026-01-01", code=2).stderr


def test_the_company_is_shown_and_set(monet: Monet) -> None:
    assert "Changed: name." in monet("company", "set", "name=UAB X").stdout
    assert said(monet("company", "show", "--json"))["name"] == "UAB X"
    assert "Changed: name." in monet("company", "set", "name=UAB Y", "--everywhere").stdout
    assert "need a reason" in monet("company", "set", "closed_until=2026-01-31", code=2).stderr
    assert "Changed" in monet("company", "set", "closed_until=2026-01-31", "--reason", "filed").stdout


def test_a_person_gets_a_link_to_this_installation(monet: Monet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONET_URL", "https://monet.example")
    shown = monet("user", "add", "ona@example.com", "--role", "office").stdout
    assert "https://monet.example/link/" in shown
    assert "https://monet.example/link/" in monet("user", "link", "ona@example.com").stdout
    assert "not a role" in monet("user", "add", "b@example.com", "--role", "boss", code=2).stderr


def test_keys_are_rotated(monet: Monet) -> None:
    monet("integrations", "add", "Kava", "--platform", "scripted", "--set", "address=kava")
    assert "1 secret sealed anew" in monet("keys", "rotate").stdout


def test_the_doctor_looks_at_everything_and_ends_with_one(monet: Monet) -> None:
    found = {one["part"]: one for one in said(monet("doctor", "--json", code=1))}
    assert {
        "keys",
        "database",
        "migrations",
        "company",
        "people",
        "integrations",
        "runs",
        "timetable",
        "balances",
        "redis",
    } <= set(found)
    assert found["database"]["well"]
    assert "monet run" in found["redis"]["fix"]
    shown = monet("doctor", code=1).stdout
    assert "MONET_ENCRYPTION_KEYS" in shown
    assert "(set, not shown)" in shown


def test_half_a_configuration_is_a_sentence(monet: Monet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:very-secret@db/x")
    result = monet("company", "show", code=1)
    assert "SECRET_KEY is not" in result.stderr
    assert "very-secret" not in result.output


def test_a_fault_of_ours_is_a_sentence_without_its_text(monet: Monet, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise KeyError("cs_secret")

    monkeypatch.setattr("monet_web.services.office.company.get", break_down)
    result = monet("company", "show", code=1)
    assert "a fault of this program (KeyError)" in result.stderr
    assert "cs_secret" not in result.output
