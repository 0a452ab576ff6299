"""Many waiting invoices: a worker's errand followed live, a new journal, a file; questions to the accountant."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from monet_web import jobs
from monet_web.blueprints.runs import signs
from monet_web.connectors import CONNECTORS
from monet_web.domain.orders import Order
from monet_web.models import Errand, Journal, Question
from monet_web.models.base import reading, writing
from monet_web.models.errands import ErrandState
from monet_web.models.users import Role
from monet_web.services.documents import errands, questions
from monet_web.services.importing import claims
from tests.builders import a_line, an_item, an_order
from tests.services.scripted import ScriptedStore, import_all, integrate, invoices, put
from tests.web.integrating import browser, value_of, words
from tests.web.mended import press, states, told

Factory = sessionmaker[Session]
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
REDIS = "redis://nobody.example"


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedStore]:
    monkeypatch.setitem(CONNECTORS, "scripted", ScriptedStore)
    ScriptedStore.ORDERS, ScriptedStore.SAID, ScriptedStore.PAGE, ScriptedStore.before_page = {}, [], 100, None
    return ScriptedStore


@pytest.fixture
def office(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.OFFICE)


@pytest.fixture
def accountant(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.ACCOUNTANT)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A Redis is set up, and three are many; the ids of the errands that workers are told of."""
    told_of: list[int] = []

    def ring(waiting: list[Errand], url: str | None) -> bool:
        assert url == REDIS
        told_of.extend(one.id for one in waiting)
        return True

    monkeypatch.setattr(signs, "redis_url", lambda: REDIS)
    monkeypatch.setattr(signs, "why_idle", lambda: "")
    monkeypatch.setattr(signs, "redis", lambda: None)
    monkeypatch.setattr(jobs, "ring_errands", ring)
    monkeypatch.setattr(errands, "FEW", 2)
    return told_of


def order(number: int, sku: str = "KN-01", **changes: Any) -> Order:
    return an_order(external_id=f"id-{number}", number=str(number), lines=(a_line(sku=sku, product_id=""),), **changes)


def unknown(session: Session, session_factory: Factory, count: int, **settings: str) -> None:
    put(ScriptedStore, *(order(number) for number in range(1, count + 1)))
    assert import_all(session_factory, integrate(session, "Kava", **settings)).in_journal == count


def work(session_factory: Factory, errand_id: int) -> None:
    errands.work(session_factory, errand_id, clock=lambda: NOW, worker=claims.this_process())


def the_errand(session: Session) -> Errand:
    with reading(session):
        return session.scalars(select(Errand).execution_options(populate_existing=True)).one()


# --- errands ------------------------------------------------------------------------------------------------------


def test_many_are_checked_by_a_worker_and_the_page_tells_how_far_it_is(
    office: FlaskClient, session: Session, session_factory: Factory, rung: list[int]
) -> None:
    with writing(session):
        an_item(session, "BOOK", on_hand=3)
    unknown(session, session_factory, 4)
    answer = office.post(
        "/journals/mend/item", data={"cause": "item_unknown", "subject": "KN-01", "code": "BOOK", "back": "/journals"}
    )
    errand = the_errand(session)
    assert (rung, answer.location, errand.total) == ([errand.id], f"/journals/errands/{errand.id}", 4)
    page = office.get(answer.location).text
    assert "SKU KN-01 is BOOK from now on. 0 of 4 checked: 0 registered, 0 still wait." in words(page)
    assert f'hx-get="/journals/errands/{errand.id}/now?was=queued-0"' in page
    assert "0 of 4 checked" in words(office.get("/journals").text)  # who goes back sees it there too
    assert office.get(f"/journals/errands/{errand.id}/now?was=queued-0").status_code == 204
    work(session_factory, errand.id)
    part = office.get(f"/journals/errands/{errand.id}/now?was=queued-0").text
    said = "SKU KN-01 is BOOK from now on. 4 checked again: 3 registered, 1 still waits."
    assert said in words(part)
    assert "hx-get" not in part
    assert 'href="/journals"' in part
    assert states(session) == {"registered": 3, "in_journal": 1}
    assert office.get("/journals/errands/99").status_code == 404
    assert office.get("/journals/errands/99/now").status_code == 404


def test_few_are_checked_at_once_also_when_workers_are_there(
    office: FlaskClient, session: Session, session_factory: Factory, rung: list[int]
) -> None:
    with writing(session):
        an_item(session, "BOOK", on_hand=3)
    unknown(session, session_factory, 2)
    assert "2 checked again, all registered." in press(office, "/journals/mend/item", {"code": "BOOK"})
    assert rung == []


def test_registering_many_is_an_errand_of_the_person_and_names_what_still_waits(
    office: FlaskClient, session: Session, session_factory: Factory, rung: list[int]
) -> None:
    with writing(session):
        an_item(session, "KN-01", on_hand=3)
    put(ScriptedStore, *(order(number) for number in (1, 2, 3)), order(4, "ZZ-9"))
    import_all(session_factory, integrate(session, "Kava", register_automatically="no"))
    office.post("/journals/register", data={"all": "yes"})
    errand = the_errand(session)
    work(session_factory, errand.id)
    page = words(office.get(f"/journals/errands/{errand.id}").text)
    assert "3 of 4 registered. 4 waits for one more cause." in page
    assert "Open 4" in page
    assert states(session) == {"registered": 3, "in_journal": 1}


def test_goods_received_elsewhere_hand_many_to_a_worker(
    office: FlaskClient, session: Session, session_factory: Factory, rung: list[int]
) -> None:
    unknown(session, session_factory, 3)
    data = {"code": "KN-01", "name": "Notebook", "kind": "goods"}
    said = told(office, office.post("/items/new", data=data))
    assert said == "journal: KN-01 is made. 3 invoices are checked again now. Follow it"
    work(session_factory, rung[0])
    assert states(session) == {"registered": 3}


def test_an_errand_that_an_import_keeps_from_working_says_so(
    office: FlaskClient, session: Session, session_factory: Factory, rung: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from monet_web.domain.errors import RetryLater
    from monet_web.services.documents import mend

    def busy(*_: object, **__: object) -> object:
        raise RetryLater("An import is at work.", fix="Check it again when it has ended.")

    unknown(session, session_factory, 3)
    office.post("/journals/check", data={"all": "yes"})
    monkeypatch.setattr(mend, "checked_again", busy)
    work(session_factory, rung[0])
    assert the_errand(session).state is ErrandState.FAILED
    page = words(office.get(f"/journals/errands/{rung[0]}").text)
    assert "Not all of it was done" in page
    assert "An import is at work. Check it again when it has ended." in page


def test_an_errand_is_worked_once_and_taken_back_from_a_dead_worker(session: Session, session_factory: Factory) -> None:
    with writing(session):
        an_item(session, "BOOK", on_hand=9)
    unknown(session, session_factory, 2)
    ids = [one.id for one in invoices(session)]
    errand = errands.begin(session, ids, now=NOW, actor="test")
    assert errands.to_ring(session, now=NOW + timedelta(seconds=10)) == []
    assert [one.id for one in errands.to_ring(session, now=NOW + timedelta(seconds=40))] == [errand.id]
    with writing(session):
        session.execute(
            update(Errand).values(state=ErrandState.RUNNING, attempt=1, heartbeat_at=NOW, worker="elsewhere:1:1")
        )
    assert errands.to_ring(session, now=NOW + timedelta(seconds=60)) == []
    work(session_factory, errand.id)  # another worker has it
    assert the_errand(session).checked == 0
    assert [one.attempt for one in errands.to_ring(session, now=NOW + timedelta(seconds=180))] == [2]
    work(session_factory, errand.id)
    work(session_factory, errand.id)  # a second bell finds nothing to claim
    done = the_errand(session)
    assert (done.state, done.checked, done.attempt) == (ErrandState.DONE, 2, 3)


# --- moving, files ------------------------------------------------------------------------------------------------


def mixed(session: Session, session_factory: Factory) -> int:
    """1 and 2 only wait for a person, 3 and 4 for an item; the id of their journal."""
    with writing(session):
        an_item(session, "KN-01", on_hand=9)
    put(ScriptedStore, order(1), order(2), order(3, "ZZ-9"), order(4, "ZZ-8"))
    import_all(session_factory, integrate(session, "Kava", register_automatically="no"))
    [journal_id] = {one.journal_id for one in invoices(session)}
    assert journal_id is not None
    return journal_id


def where(session: Session) -> dict[str, str]:
    return {one.order_number: one.journal.number if one.journal else "" for one in invoices(session)}


def test_rows_with_findings_move_to_a_new_journal_and_good_ones_stay(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    journal_id = mixed(session, session_factory)
    back = f"/journals/{journal_id}"
    asked = words(office.get(f"/journals/ask?do=move&journal={journal_id}&back={back}").text)
    assert "Move 2 invoices for 24.20 EUR, dated November 2026 to a new journal?" in asked
    said = told(office, office.post("/journals/move", data={"journal": journal_id, "failing": "yes", "back": back}))
    assert said == "registered: 2 invoices moved to journal G00002"
    assert where(session) == {"1": "G00001", "2": "G00001", "3": "G00002", "4": "G00002"}
    assert "Goods sales journal G00002" in words(office.get("/journals/2").text)
    again = office.post("/journals/move", data={"journal": journal_id, "back": back})
    assert "None of them has a finding" in told(office, again)


def test_an_import_of_the_day_puts_nothing_into_a_journal_that_a_person_made(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    from monet_web.models import Integration
    from monet_web.models.runs import RunKind

    integration = integrate(session, "Kava")
    put(ScriptedStore, order(1))
    import_all(session_factory, integration, kind=RunKind.TIMETABLE)
    [first] = {one.journal_id for one in invoices(session)}
    office.post("/journals/move", data={"all": "yes"})
    with writing(session):  # also when the first one is gone, and only the new one is left
        session.execute(update(Journal).where(Journal.id == first).values(local_day=NOW.date() - timedelta(days=9)))
    put(ScriptedStore, order(2))
    with reading(session):
        again = session.scalars(select(Integration)).one()
    import_all(session_factory, again, kind=RunKind.TIMETABLE)
    assert where(session)["1"] == "G00002"
    assert where(session)["2"] == "G00003"


def test_moved_rows_stay_in_their_new_journal_when_they_are_checked_again(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    mixed(session, session_factory)
    office.post("/journals/move", data={"all": "yes"})
    office.post("/journals/check", data={"all": "yes"})
    assert where(session) == {"1": "G00001", "2": "G00001", "3": "G00002", "4": "G00002"}


@pytest.mark.parametrize("ending", ["csv", "xlsx", "json"])
def test_the_chosen_ones_or_all_of_a_cause_are_a_file(
    office: FlaskClient, session: Session, session_factory: Factory, ending: str
) -> None:
    mixed(session, session_factory)
    ids = {one.order_number: one.id for one in invoices(session)}
    asked: dict[str, Any] = {"do": f"export.{ending}", "chosen": "yes", "invoice": [ids["1"], ids["3"]]}
    with office.get("/journals/ask", query_string=asked) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=waiting-invoices-")
        data = answer.data
    if ending == "json":
        found = json.loads(data)
        assert [(one["order_number"], one["state"]) for one in found] == [("1", "in_journal"), ("3", "in_journal")]
        with office.get("/journals/ask?do=export.json&cause=item_unknown&subject=ZZ-9") as answer:
            assert [one["order_number"] for one in json.loads(answer.data)] == ["3"]
    if ending == "csv":
        assert data.decode().count("\n") == 3


def test_a_file_of_nothing_ticked_or_of_another_kind_is_refused(
    office: FlaskClient, session: Session, session_factory: Factory
) -> None:
    mixed(session, session_factory)
    for asked in ("do=export.csv&chosen=yes", "do=export.exe&all=yes"):
        assert "Tick at least one invoice first." in told(office, office.get(f"/journals/ask?{asked}"))


# --- asking the accountant ----------------------------------------------------------------------------------------


def test_a_question_about_a_cause_reaches_the_accountant_and_comes_back_answered(
    office: FlaskClient, accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    unknown(session, session_factory, 2)
    said = press(office, "/journals/questions", {"question": "Is KN-01 the <b>old</b> notebook?"})
    assert "The accountant is asked." in said
    assert "Waits for an answer of the accountant." in words(office.get("/journals").text)
    today = words(accountant.get("/").text)
    assert "A question waits for your answer" in today
    assert "question waits for your answer" not in words(office.get("/").text)
    page = accountant.get("/journals").text
    assert "About SKU KN-01 is not among the items Rūta office" in words(page)
    assert "<b>old</b>" not in page
    assert "The answer went to who asked." in press(
        accountant, "/journals/questions/1/answer", {"answer": "No, map it to BOOK."}
    )
    assert "waits for your answer" not in words(accountant.get("/").text)
    assert "The accountant answered you" in words(office.get("/").text)
    assert "No, map it to BOOK." in words(office.get("/journals").text)
    press(office, "/journals/questions/1/seen")
    assert "No, map it to BOOK." not in words(office.get("/journals").text)
    assert "answered you" not in words(office.get("/").text)


def test_a_question_about_one_invoice_stays_with_its_order_when_it_is_drafted_anew(
    office: FlaskClient, accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    unknown(session, session_factory, 1)
    [invoice] = invoices(session)
    data = {"invoice": invoice.id, "question": "Who bought this?", "back": f"/journals/invoices/{invoice.id}"}
    office.post("/journals/questions", data=data)
    office.post("/journals/check", data={"all": "yes"})
    page = accountant.get("/journals").text
    assert f'href="/journals/invoices/{invoice.id}">1</a>' in page
    assert "Who bought this?" in words(page)
    with writing(session):
        an_item(session, "KN-01", on_hand=1)
    office.post("/journals/check", data={"all": "yes"})
    assert f'href="/invoices/{invoice.id}">1</a>' in accountant.get("/journals").text  # registered meanwhile


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
def test_a_question_or_an_answer_that_can_t_be_sent_is_kept_beside_what_is_wrong(
    office: FlaskClient, accountant: FlaskClient, session: Session, session_factory: Factory, text: str
) -> None:
    unknown(session, session_factory, 1)
    said = press(office, "/journals/questions", {"question": text})
    assert "Nothing was typed." in said or "It has 2001 characters." in said
    office.post("/journals/questions", data={"cause": "item_unknown", "subject": "KN-01", "question": "Why?"})
    said = press(accountant, "/journals/questions/1/answer", {"answer": text})
    assert "Nothing was typed." in said or "It has 2001 characters." in said
    with reading(session):
        assert session.scalars(select(Question.answer)).one() == ""


def test_who_may_ask_and_answer(
    app: Flask, office: FlaskClient, accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    unknown(session, session_factory, 1)
    data = {"cause": "item_unknown", "subject": "KN-01", "question": "Why?"}
    assert browser(app, session, Role.VIEWER).post("/journals/questions", data=data).status_code == 403
    office.post("/journals/questions", data=data)
    assert office.post("/journals/questions/1/answer", data={"answer": "So."}).status_code == 403
    accountant.post("/journals/questions/1/answer", data={"answer": "So."})
    other = browser(app, session, Role.OFFICE, email="other@example.com")
    assert "Only who asked puts an answer away." in told(other, other.post("/journals/questions/1/seen"))
    for data in ({"cause": "rain", "question": "?"}, {"invoice": "99", "question": "?"}, {"question": "?"}):
        office.post("/journals/questions", data=data)
    assert accountant.post("/journals/questions/99/answer", data={"answer": "So."}).status_code == 303
    with reading(session):
        assert len(session.scalars(select(Question)).all()) == 1


def test_an_answer_may_be_changed_until_it_was_read(session: Session, session_factory: Factory) -> None:
    unknown(session, session_factory, 1)
    asked = questions.ask(session, "Why?", code="item_unknown", subject="KN-01", now=NOW, actor="ona")
    for text in ("So.", "Or so."):
        questions.answer(session, asked.id, text, now=NOW, actor="jonas")
    with reading(session):
        [mine] = questions.answered_to(session, "ona")
    assert mine.question.answer == "Or so."
    questions.seen(session, asked.id, now=NOW, actor="ona")
    with pytest.raises(Exception, match="was read already"):
        questions.answer(session, asked.id, "Late.", now=NOW, actor="jonas")


# --- constant cost ------------------------------------------------------------------------------------------------


def test_the_front_page_costs_the_same_whatever_is_asked_and_waits(
    app: Flask, accountant: FlaskClient, session: Session, session_factory: Factory
) -> None:
    from tests.web.integrating import statements

    def cost() -> int:
        with statements(app) as asked:
            assert accountant.get("/journals").status_code == 200
        return len(asked)

    def ask(sku: str) -> None:
        data = {"cause": "item_unknown", "subject": sku, "question": "Why?"}
        accountant.post("/journals/questions", data=data)

    with writing(session):
        an_item(session, "MUG-2")
    integration = integrate(session, "Kava")
    put(ScriptedStore, order(1), order(2, "MUG-2"))
    import_all(session_factory, integration)
    ask("KN-01")
    few = cost()
    with writing(session):
        for number in range(8):
            an_item(session, f"MUG-{10 + number}")
    put(ScriptedStore, *(order(10 + number, f"S-{number}") for number in range(8)),
        *(order(30 + number, f"MUG-{10 + number}") for number in range(8)))  # fmt: skip
    import_all(session_factory, integration)
    for number in range(8):
        ask(f"S-{number}")
    assert cost() == few


@pytest.mark.parametrize("does", ["register", "delete", "move", "check"])
def test_what_came_after_the_question_is_asked_about_first(
    office: FlaskClient, session: Session, session_factory: Factory, does: str
) -> None:
    put(ScriptedStore, *(order(number, "?") for number in (1, 2)))
    integration = integrate(session, "Kava")
    import_all(session_factory, integration)
    question = office.get(f"/journals/ask?do={does}&all=yes").text
    put(ScriptedStore, order(3, "?"))
    import_all(session_factory, integration)
    asked = {"all": "yes", "asked": value_of(question, "asked"), "then": "back"}
    answer = office.post(f"/journals/{does}", data=asked, follow_redirects=True)
    page = words(answer.text)
    assert "It has changed since you were asked. Look at it again." in page
    assert "3 invoices for" in page
    assert states(session) == {"in_journal": 3}
    again = {**asked, "asked": value_of(answer.text, "asked")}
    done = office.post(f"/journals/{does}", data=again, follow_redirects=True)
    assert "since you were asked" not in words(done.text)
