"""Numbers used elsewhere count as taken, compared trimmed and without case."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.domain.errors import BrokenRule
from monet_web.models import TakenNumber
from monet_web.models.base import reading, writing
from monet_web.models.runs import RunState
from monet_web.services.books import numbers
from tests.builders import NOON, a_run, a_store_order, a_version, an_integration, an_invoice
from tests.workbooks import a_workbook


def load(session: Session, text: str) -> numbers.TakenImported:
    return numbers.import_taken(session, text.encode(), source="used.csv", now=NOON, actor="test")


@pytest.mark.parametrize("text", [" KL-1 ", "kl-1", "KL-1"])
def test_numbers_are_compared_trimmed_and_without_case(text: str) -> None:
    assert numbers.number_key(text) == "kl-1"
    assert numbers.number_key("Š") == numbers.number_key("s\u030c")


def test_numbers_of_a_file_are_taken_once(session: Session) -> None:
    assert load(session, "number\nKL-1\nkl-1\nKL-2\n").added == 2
    done = load(session, "number\nKL-2\nKL-3\n")
    assert (done.added, done.known, done.on_invoices) == (1, 1, ())
    with reading(session):
        assert set(session.scalars(select(TakenNumber.number_key))) == {"kl-1", "kl-2", "kl-3"}


def test_a_bare_list_of_numbers_needs_no_header(session: Session) -> None:
    assert load(session, "KL-1\nKL-2\n").added == 2


def test_those_on_an_invoice_here_are_named(session: Session) -> None:
    with writing(session):
        integration = an_integration(session)
        version = a_version(
            session, a_store_order(session, integration), a_run(session, integration, state=RunState.DONE)
        )
        an_invoice(session, version, number="KL-1")
    assert load(session, "number\nkl-1\nKL-9\n").on_invoices == ("kl-1",)


@pytest.mark.parametrize("text", ["", "number\n", "number,x\nA,B\n", f"number\n{'9' * 121}\n"])
def test_a_file_without_usable_numbers_is_refused(session: Session, text: str) -> None:
    with pytest.raises(BrokenRule):
        load(session, text)


def test_a_workbook_without_the_header_is_no_bare_list(session: Session) -> None:
    with pytest.raises(BrokenRule, match="no column number"):
        numbers.import_taken(session, a_workbook(("KL-1",), ("KL-2",)), source="x.xlsx", now=NOON, actor="test")
    done = numbers.import_taken(session, a_workbook(("number",), ("KL-1",)), source="x.xlsx", now=NOON, actor="test")
    assert done.added == 1
