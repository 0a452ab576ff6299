"""`monet import`: counts that add up, JSON for programs, exit codes, a dry run that writes nothing."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monet_web.connectors.base import Selection
from monet_web.domain.errors import NeedsOwner
from monet_web.domain.orders import LineKind
from monet_web.models import Invoice, Run
from monet_web.models.base import reading
from monet_web.models.runs import RunState
from tests.builders import a_line, an_order
from tests.cli.conftest import Monet, said
from tests.services.scripted import ScriptedStore, put

PERIOD = ("--from", "2026-01-05", "--to", "2026-01-06")
PLACED = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)


def invoices(books: Session) -> int:
    with reading(books):
        return books.execute(select(func.count()).select_from(Invoice)).scalar_one()


@pytest.fixture
def shop(monet: Monet, store: type[ScriptedStore]) -> type[ScriptedStore]:
    """An integration Kava with three orders: one registers, one waits, one is filtered."""
    monet("integrations", "add", "Kava", "--platform", "scripted", "--set", "address=kava", "accounting_type=goods",
          "unknown_items=journal")  # fmt: skip
    put(
        store,
        an_order(external_id="1", number="1", placed_at=PLACED, lines=(a_line(kind=LineKind.SHIPPING),)),
        an_order(external_id="2", number="2", placed_at=PLACED),
        an_order(external_id="3", number="3", placed_at=PLACED, is_cancelled=True),
    )
    return store


@pytest.mark.usefixtures("shop")
def test_the_json_has_exactly_the_fields_of_the_specification(monet: Monet) -> None:
    run = said(monet("import", "kava", *PERIOD, "--json"))["runs"][0]
    assert list(run) == [
        "integration", "state", "fetched", "registered", "in_journal", "filtered", "already_there", "conflict",
        "unreadable", "refreshed", "changed", "credit_notes", "findings", "totals", "seconds", "error",
    ]  # fmt: skip
    assert (run["integration"], run["state"], run["error"]) == ("Kava", "done", None)
    assert run["fetched"] == 3 == sum(run[name] for name in list(run)[3:9])
    assert (run["registered"], run["in_journal"], run["filtered"]) == (1, 1, 1)
    assert run["findings"] == {"item_unknown": 1}
    assert run["totals"] == {"EUR": {"registered": "12.10", "in_journal": "12.10"}}


@pytest.mark.usefixtures("shop")
def test_a_person_sees_outcomes_reasons_causes_and_sums(monet: Monet) -> None:
    shown = monet("import", "%", *PERIOD).stdout
    for words in ("Kava: done", "registered", "in journal", "fetched", "cancelled in the store", "12.10"):
        assert words in shown
    assert "SKU KN-01 is not among the items." in shown


@pytest.mark.usefixtures("shop")
def test_a_dry_run_writes_no_document(monet: Monet, books: Session) -> None:
    shown = monet("import", "%", *PERIOD, "--dry-run").stdout
    assert "would be registered" in shown
    assert "No document was written. The same without --dry-run imports it." in shown
    assert invoices(books) == 0


@pytest.mark.usefixtures("shop")
def test_a_dry_run_says_its_causes_with_counts_and_what_to_do(monet: Monet) -> None:
    shown = monet("import", "%", *PERIOD, "--dry-run").stdout
    assert "1 × SKU KN-01 is not among the items" in shown
    assert "→ Say which item SKU KN-01 is, for all invoices at once, or choose it on that line; or import it" in shown
    assert "Item unknown" not in shown
    assert "Without an item" not in shown


@pytest.mark.usefixtures("shop")
def test_a_dry_run_says_base_and_vat_of_each_rate(monet: Monet) -> None:
    shown = monet("import", "%", *PERIOD, "--dry-run").stdout
    [row] = [line.split() for line in shown.splitlines() if line.lstrip().startswith("21 %")]
    assert row == ["21", "%", "10.00", "2.10", "10.00", "2.10"]
    assert "VAT, EUR" in shown
    assert "VAT, EUR" not in monet("import", "%", *PERIOD).stdout


@pytest.mark.usefixtures("shop")
def test_the_second_import_finds_all_there(monet: Monet, books: Session) -> None:
    monet("import", "%", *PERIOD)
    run = said(monet("import", "%", *PERIOD, "--json"))["runs"][0]
    assert (run["already_there"], run["filtered"], run["registered"]) == (2, 1, 0)
    assert invoices(books) == 2


@pytest.mark.usefixtures("shop")
def test_a_store_that_refuses_ends_with_one_and_its_sentence(monet: Monet, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: ScriptedStore, selection: Selection) -> None:
        raise NeedsOwner("The store refused the key (401).", fix="Make a new one.")

    monkeypatch.setattr(ScriptedStore, "pages", refuse)
    run = said(monet("import", "%", *PERIOD, "--json", code=1))["runs"][0]
    assert (run["state"], run["error"]) == ("failed", "The store refused the key (401). Make a new one.")
    assert "Make a new one." in monet("import", "%", *PERIOD, code=1).stdout


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "typed",
    [
        ("nobody", *PERIOD),
        ("%", "--from", "2026-01-06", "--to", "2026-01-05"),
        ("%", "--from", "6.1.2026", "--to", "2026-01-07"),
    ],
)
def test_wrong_arguments_end_with_two_and_open_no_run(monet: Monet, books: Session, typed: tuple[str, ...]) -> None:
    shown = monet("import", *typed, code=2)
    assert shown.stdout == ""
    assert shown.stderr
    with reading(books):
        assert books.scalars(select(Run)).all() == []


def test_a_mask_that_means_nobody_says_which_names_exist(monet: Monet, shop: type[ScriptedStore]) -> None:
    assert "Kava" in monet("import", "nobody", *PERIOD, code=2).stderr


@pytest.mark.usefixtures("shop")
def test_a_queued_import_waits_for_a_worker(monet: Monet, books: Session) -> None:
    shown = monet("import", "%", *PERIOD, "--queue")
    assert "Run 1: Kava is queued" in shown.stdout
    assert "begins when workers" in shown.stderr
    with reading(books):
        run = books.scalars(select(Run)).one()
    assert (run.state, run.foreground) == (RunState.QUEUED, False)
    assert said(monet("import", "%", *PERIOD, "--queue", "--json"))["runs"][0]["state"] == "queued"


@pytest.mark.usefixtures("shop")
def test_runs_are_listed_and_shown_with_the_orders_left_out(monet: Monet) -> None:
    monet("import", "%", *PERIOD)
    assert "Kava" in monet("runs", "list").stdout
    assert said(monet("runs", "list", "--json"))["runs"][0]["fetched"] == 3
    shown = monet("runs", "show", 1).stdout
    assert "cancelled in the store" in shown
    assert "There is no run 99." in monet("runs", "show", 99, code=2).stderr


def test_ctrl_c_ends_a_run_between_two_pages_and_what_was_done_stays(
    monet: Monet, shop: type[ScriptedStore], books: Session
) -> None:
    put(
        shop,
        *(an_order(external_id=str(n), number=str(n), placed_at=PLACED + timedelta(minutes=n)) for n in range(4, 9)),
    )
    shop.PAGE = 2
    shop.before_page = lambda page: os.kill(os.getpid(), signal.SIGINT) if page == 1 else None
    run = said(monet("import", "%", *PERIOD, "--json"))["runs"][0]
    assert run["state"] == "stopped"
    assert 2 <= run["fetched"] < 8
    assert run["fetched"] == sum(run[name] for name in list(run)[3:9])
