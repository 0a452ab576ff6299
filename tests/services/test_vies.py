"""VIES: what is asked and kept, what is no answer, and that nothing ever waits for it or breaks on it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.wrappers import Request, Response

from monet_web.connectors.base import Surroundings
from monet_web.domain.errors import BrokenRule
from monet_web.models import Company, Invoice, VatConfirmation
from monet_web.models.base import reading, writing
from monet_web.models.invoices import InvoiceState
from monet_web.services.books import vies
from monet_web.services.documents import confirm
from tests.connectors.shop import Shop, running, says
from tests.services.scripted import NOW, ScriptedStore, import_all, integrate, invoices, put
from tests.vat_sales import GERMAN, to_german_company

Factory = sessionmaker[Session]
YES = {
    "countryCode": "DE", "vatNumber": "136695976", "requestDate": "2026-11-24T08:00:00.000Z", "valid": True,
    "requestIdentifier": "WAPIAAAAX1Y2Z3", "name": "Bundeszentralamt <b>", "address": "An der Küppe 1\n53225 Bonn",
}  # fmt: skip


@pytest.fixture
def register() -> Iterator[Callable[[Any], Shop]]:
    """A VIES on this machine that gives one answer: a value as JSON, or a response."""
    with_answer: list[Any] = [None]

    def handle(request: Request) -> Response:
        request.get_data()
        answer = with_answer[0]
        return answer if isinstance(answer, Response) else says(answer)

    with running(handle) as shop:

        def answering(answer: Any) -> Shop:
            with_answer[0] = answer
            return shop

        yield answering


def ask(session: Session, shop: Shop, *codes: str) -> list[vies.Said]:
    return vies.ask(
        session, codes or (GERMAN,), surroundings=shop.surroundings(), now=NOW, actor="VIES", address=shop.address
    )


def kept(session: Session) -> list[VatConfirmation]:
    with reading(session):
        return list(session.scalars(select(VatConfirmation).order_by(VatConfirmation.id)))


def our_code(session: Session, code: str) -> None:
    with writing(session):
        session.execute(update(Company).values(vat_code=code))


def test_a_known_code_is_kept_with_the_number_of_the_consultation(
    session: Session, register: Callable[[Any], Shop]
) -> None:
    our_code(session, "LT119511515")
    shop = register(YES)
    assert ask(session, shop)[0].valid is True
    (row,) = kept(session)
    assert (row.vat_code, row.valid, row.how, row.day) == (GERMAN, True, "vies", date(2026, 11, 24))
    assert (row.number, row.name) == ("WAPIAAAAX1Y2Z3", "Bundeszentralamt <b>")
    assert row.address == "An der Küppe 1 53225 Bonn"
    (request,) = shop.asked
    assert (request.method, request.path) == ("POST", "/check-vat-number")
    assert json.loads(request.get_data()) == {
        "countryCode": "DE", "vatNumber": "136695976", "requesterMemberStateCode": "LT", "requesterNumber": "119511515",
    }  # fmt: skip


def test_without_a_code_of_our_own_it_is_asked_without_one(session: Session, register: Callable[[Any], Shop]) -> None:
    shop = register(YES)
    ask(session, shop)
    assert json.loads(shop.asked[0].get_data()) == {"countryCode": "DE", "vatNumber": "136695976"}


@pytest.mark.parametrize(
    "answer", [{**YES, "valid": False, "requestIdentifier": ""}, {**YES, "valid": False, "userError": "INVALID"}]
)
def test_an_unknown_code_is_kept_as_one(session: Session, register: Callable[[Any], Shop], answer: Any) -> None:
    assert ask(session, register(answer))[0].valid is False
    assert [row.valid for row in kept(session)] == [False]


def test_a_state_that_tells_no_names_writes_dashes(session: Session, register: Callable[[Any], Shop]) -> None:
    ask(session, register({**YES, "name": "---", "address": "---"}))
    assert [(row.valid, row.name, row.address) for row in kept(session)] == [(True, "", "")]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({**YES, "valid": False, "userError": "MS_UNAVAILABLE"}, "VIES could not say: MS_UNAVAILABLE."),
        (
            {"actionSucceed": False, "errorWrappers": [{"error": "MS_MAX_CONCURRENT_REQ"}]},
            "VIES could not say: MS_MAX_CONCURRENT_REQ.",
        ),
        ({"actionSucceed": False, "errorWrappers": ["x"]}, "VIES could not say: no reason given."),
        ({}, "VIES could not say: no answer."),
        ({**YES, "valid": "true"}, "VIES could not say: no answer."),
        ({**YES, "vatNumber": "999999999"}, "VIES answered about another code."),
        ([1], "VIES answered with something else than expected."),
        (Response("<html>busy</html>", 200, content_type="text/html"), "VIES could not be reached."),
        (Response("", 500), "VIES could not be reached."),
        (Response("", 503), "VIES could not be reached."),
        (Response("", 302, headers={"Location": "https://elsewhere.example/"}), "VIES could not be reached."),
        (Response("x" * 70_000, 200, content_type="application/json"), "VIES could not be reached."),
    ],
)
def test_what_says_neither_yes_nor_no_is_no_answer(
    session: Session, register: Callable[[Any], Shop], answer: Any, why: str
) -> None:
    (said,) = ask(session, register(answer))
    assert (said.valid, said.why) == (None, why)
    assert [(row.valid, row.reason) for row in kept(session)] == [(None, why)]


def test_a_register_that_nobody_serves_is_no_answer(session: Session) -> None:
    begun = time.monotonic()
    (said,) = vies.ask(
        session, (GERMAN,), surroundings=Surroundings(allowed_addresses=("127.0.0.1:9",)), now=NOW, actor="VIES",
        address="http://127.0.0.1:9",
    )  # fmt: skip
    assert (said.valid, said.why) == (None, "VIES could not be reached.")
    assert time.monotonic() - begun < 12


def test_it_leads_into_no_private_network(session: Session, register: Callable[[Any], Shop]) -> None:
    shop = register(YES)
    (said,) = vies.ask(session, (GERMAN,), surroundings=Surroundings(), now=NOW, actor="VIES", address=shop.address)
    assert said.valid is None
    assert shop.asked == []


def test_a_code_that_can_not_be_one_is_not_asked(session: Session, register: Callable[[Any], Shop]) -> None:
    shop = register(YES)
    with pytest.raises(BrokenRule, match="DE1 can't be a VAT code"):
        ask(session, shop, "DE1")
    assert shop.asked == []


def test_waiting_codes_are_asked_once_in_a_while_and_only_where_the_company_lets_us(
    session: Session, session_factory: Factory, store: type[ScriptedStore], register: Callable[[Any], Shop]
) -> None:
    put(store, to_german_company(), to_german_company("1002"), to_german_company("1003", "ATU37675002"))
    import_all(session_factory, integrate(session, accounting_type="amounts"))

    def due(after: timedelta = timedelta()) -> list[str]:
        with reading(session):
            return vies.to_ask(session, now=NOW + after)

    assert due() == [GERMAN, "ATU37675002"]
    ask(session, register({}), GERMAN)
    assert due() == ["ATU37675002"]
    assert due(timedelta(hours=5)) == [GERMAN, "ATU37675002"]
    with writing(session):
        session.execute(update(Company).values(ask_vies=False))
    assert due() == []


def test_an_answer_registers_what_waited_for_it(
    session: Session, session_factory: Factory, store: type[ScriptedStore], register: Callable[[Any], Shop],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    put(store, to_german_company(), to_german_company("1003", "ATU37675002"))
    import_all(session_factory, integrate(session, accounting_type="amounts"))
    shop = register(YES)
    monkeypatch.setattr(vies, "ADDRESS", shop.address)
    confirm.ask_waiting(session_factory, surroundings=shop.surroundings(), clock=lambda: NOW)
    german, austrian = invoices(session)
    assert german.state is InvoiceState.REGISTERED
    assert german.evidence == {
        "vat_code": {
            "code": GERMAN, "day": "2026-11-24", "how": "vies", "number": "WAPIAAAAX1Y2Z3",
            "name": "Bundeszentralamt <b>",
        }
    }  # fmt: skip
    # The one answer was about another code than the Austrian one: that still waits.
    assert [one.code for one in austrian.found] == ["vat_number_unconfirmed"]


def test_nothing_is_asked_while_an_order_is_booked(
    session: Session, session_factory: Factory, store: type[ScriptedStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: Any, **__: Any) -> None:
        raise AssertionError("booking asked VIES")

    monkeypatch.setattr(vies, "ask", asked)
    put(store, to_german_company())
    run = import_all(session_factory, integrate(session, accounting_type="amounts"))
    assert (run.in_journal, run.error) == (1, "")
    with reading(session):
        assert session.scalars(select(Invoice.state)).all() == [InvoiceState.IN_JOURNAL]
