"""`monet vat` at the terminal: codes, confirmations, customs declarations, and VIES that does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Request, Response

from monet_web import installation
from monet_web.models import Company, Invoice
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.services.books import vies
from tests.builders import a_line, an_order
from tests.cli.conftest import Monet, said
from tests.connectors.shop import Shop, running, says
from tests.services.scripted import ScriptedStore, integrate, put
from tests.vat_sales import GERMAN, exported, to_german_company

NOVEMBER = ("--from", "2026-11-01", "--to", "2026-11-24")
ANSWER: dict[str, Any] = {"countryCode": "DE", "vatNumber": "136695976", "valid": True, "requestIdentifier": "WAPI1"}


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A VIES that knows the German company."""

    def handle(_: Request) -> Response:
        return says(ANSWER)

    with running(handle) as shop:
        monkeypatch.setattr(vies, "ADDRESS", shop.address)
        monkeypatch.setattr(installation, "surroundings_of", lambda _: shop.surroundings())
        yield shop


def states(books: Session) -> dict[str, InvoiceState]:
    with reading(books):
        query = select(Invoice.order_number, Invoice.state)
        return {row.order_number: row.state for row in books.execute(query)}


def waiting(monet: Monet, books: Session, store: type[ScriptedStore], *orders: Any) -> None:
    integrate(books, accounting_type="amounts")
    put(store, *orders)
    monet("import", "KL", *NOVEMBER)
    assert set(states(books).values()) == {InvoiceState.IN_JOURNAL}


def test_a_code_that_is_added_lets_what_waits_through(monet: Monet, books: Session, store: type[ScriptedStore]) -> None:
    waiting(monet, books, store, an_order(lines=(a_line(taxes=()),)))
    result = monet("vat", "add", "domestic", "none", "pvm5", "--from", "2026-01-01", "--source", "Art. 20")
    assert result.output == "The code PVM5 is kept.\n1 checked again: 1 registered, 0 still wait.\n"
    (first, *rest) = said(monet("vat", "codes", "--json"))
    assert first == {
        "code": "PVM5", "treatment": "domestic", "percent": "none", "for": "both", "from": "2026-01-01", "to": None,
        "source": "Art. 20", "built_in": False,
    }  # fmt: skip
    assert {row["code"] for row in rest if row["treatment"] == "domestic"} == {"PVM1", "PVM2", "PVM3", "PVM58"}
    assert "PVM58" in monet("vat", "codes").output


def test_what_is_no_treatment_or_rate_is_said(monet: Monet) -> None:
    assert "Type one of: domestic" in monet("vat", "add", "gift", "21", "PVM1", "--from", "2026-01-01", code=2).output
    assert "is not a rate" in monet("vat", "add", "domestic", "x", "PVM1", "--from", "2026-01-01", code=2).output


def test_vies_is_asked_of_what_waits(monet: Monet, books: Session, store: type[ScriptedStore], register: Shop) -> None:
    waiting(monet, books, store, to_german_company())
    result = monet("vat", "ask")
    assert result.output == f"{GERMAN}: known, consultation WAPI1.\n1 checked again: 1 registered, 0 still wait.\n"
    assert monet("vat", "ask").output == "No VAT code waits to be confirmed.\n"
    assert len(register.asked) == 1


def test_no_answer_is_a_failure_that_says_so(
    monet: Monet, books: Session, store: type[ScriptedStore], register: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(monet, books, store, to_german_company())
    monkeypatch.setitem(ANSWER, "userError", "MS_UNAVAILABLE")
    result = monet("vat", "ask", GERMAN, code=1)
    assert f"{GERMAN}: VIES could not say: MS_UNAVAILABLE." in result.output
    assert states(books) == {"1001": InvoiceState.IN_JOURNAL}


def test_a_code_is_confirmed_by_hand(monet: Monet, books: Session, store: type[ScriptedStore]) -> None:
    waiting(monet, books, store, to_german_company())
    assert "needs the number" in monet("vat", "confirm", GERMAN, "--on", "2026-11-24", code=2).output
    result = monet("vat", "confirm", GERMAN, "--number", "WAPI1", "--on", "2026-11-24")
    assert result.output == f"{GERMAN} is confirmed.\n1 checked again: 1 registered, 0 still wait.\n"


def test_the_number_of_a_customs_declaration_is_entered(
    monet: Monet, books: Session, store: type[ScriptedStore]
) -> None:
    waiting(monet, books, store, exported())
    assert "can't be the number" in monet("vat", "mrn", "1001", "123", code=2).output
    assert "No invoice of order 77 waits" in monet("vat", "mrn", "77", "26LTVR1000EX123451", code=2).output
    result = monet("vat", "mrn", "1001", "26LTVR1000EX123451")
    assert result.output.endswith("1 checked again: 1 registered, 0 still wait.\n")


def test_two_stores_with_one_order_number_are_told_apart(
    monet: Monet, books: Session, store: type[ScriptedStore]
) -> None:
    waiting(monet, books, store, exported())
    integrate(books, "Kita", accounting_type="amounts", number_prefix="K-")
    monet("import", "Kita", *NOVEMBER)
    assert "Several stores have an order 1001: KL, Kita." in monet("vat", "mrn", "1001", "x", code=2).output
    result = monet("vat", "mrn", "1001", "26LTVR1000EX123451", "--integration", "kita")
    assert "2 checked again: 1 registered, 1 still wait." in result.output


def test_the_companys_days_are_set_and_what_contradicts_itself_is_not(monet: Monet, books: Session) -> None:
    monet("company", "set", "vat_from=2024-03-01", "oss_from=2026-01-01", "eu_threshold=8000,50", "ask_vies=no")
    with reading(books):
        row = books.get_one(Company, 1)
        assert (row.vat_payer, row.vat_from, row.oss_from, row.ask_vies) == (
            True, date(2024, 3, 1), date(2026, 1, 1), False,
        )  # fmt: skip
        assert f"{row.eu_threshold:f}" == "8000.5000"
    shown = said(monet("company", "show", "--json"))
    assert (shown["vat_payer"], shown["eu_threshold"], shown["oss_to"]) == ("yes", "8000.5", "")
    refused = monet("company", "set", "vat_to=2024-02-29", code=2)
    assert "The last day as VAT payer would be 2024-02-29, before the first, 2024-03-01." in refused.output
    assert "clear the last one" in monet("company", "set", "oss_from=", "oss_to=2026-12-31", code=2).output
    assert "Type yes or no" in monet("company", "set", "vat_payer=perhaps", code=2).output
    with writing(books):
        assert books.get_one(Company, 1, populate_existing=True).vat_to is None
