"""Connecting a store and changing an integration: five questions, secrets, errors at their fields, conflicts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from monet_web.blueprints.integrations import forms, wording
from monet_web.connectors.base import Surroundings
from monet_web.domain.errors import NeedsOwner
from monet_web.domain.settings import BY_KEY, PAYMENT_TREATMENTS, SETTINGS
from monet_web.models import AuditEntry, ConnectionTest, Integration, Item, Run
from monet_web.models.base import now_utc, reading, writing
from monet_web.models.connection_tests import TestState
from monet_web.models.integrations import IntegrationState
from monet_web.models.runs import RunKind, RunState
from monet_web.models.users import Role
from monet_web.services.integrations import asking, connection_test
from tests.builders import a_run
from tests.web.integrating import FACTS, SECRET, FakeShop, add, again, browser, put_shop, value_of, words

TYPED = {
    "name": "Kava Ltd",
    "address": "https://kava.example",
    "key": "ck_1",
    "secret": SECRET,
    "not_before": "2026-11-01",
    "issued_by": "monet",
    "accounting_type": "amounts",
    "register_automatically": "no",
}
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _shop(monkeypatch: pytest.MonkeyPatch) -> None:
    put_shop(monkeypatch)


@pytest.fixture
def client(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.ADMINISTRATOR)


def integrations(session: Session) -> list[Integration]:
    with reading(session):
        query = select(Integration).order_by(Integration.id).execution_options(populate_existing=True)
        return list(session.scalars(query))


def kept(session: Session) -> list[ConnectionTest]:
    with reading(session):
        query = select(ConnectionTest).order_by(ConnectionTest.id).execution_options(populate_existing=True)
        return list(session.scalars(query))


def begun(client: FlaskClient, path: str = "/integrations/connect/fake/test", **changes: str) -> str:
    return client.post(path, data={**TYPED, **changes}, headers=HTMX).text


def queue_again(session: Session) -> ConnectionTest:
    """There is no Redis in these tests, so the page gave the test up at once: as if a worker had been there."""
    test = kept(session)[-1]
    with writing(session):
        row = session.merge(test)
        row.state, row.error, row.fix, row.ended_at = TestState.QUEUED, "", "", None
    return test


def worked(session: Session, session_factory: sessionmaker[Session]) -> ConnectionTest:
    """The newest test, asked by a worker."""
    test = queue_again(session)
    connection_test.run(session_factory, test.id, surroundings=Surroundings(), clock=now_utc)
    return kept(session)[-1]


# --- connecting -------------------------------------------------------------------------------------------------


def test_the_platforms_are_those_that_have_a_connector(client: FlaskClient) -> None:
    text = words(client.get("/integrations/connect").text)
    assert "WooCommerce" in text
    assert "Needed: shop's address, key, secret." in text
    assert client.get("/integrations/connect/magento").status_code == 404


def test_the_form_is_drawn_from_the_connectors_parameters_and_asks_five_questions(client: FlaskClient) -> None:
    html = client.get("/integrations/connect/fake").text
    for name in ("name", "address", "key", "secret", "not_before"):
        assert f'name="{name}"' in html
    for name in ("issued_by", "accounting_type", "register_automatically"):
        assert f'<select class="form-select" id="f-{name}"' in html
    assert 'type="password"' in html
    assert "Begins with ck_." in html
    first_of_month = datetime.now(UTC).astimezone().date().replace(day=1).isoformat()
    assert value_of(html, "not_before") == first_of_month
    for setting in SETTINGS:
        if setting.key not in TYPED:
            assert f'name="{setting.key}"' not in html


def test_both_forms_say_step_by_step_where_the_key_is_made(client: FlaskClient, session: Session) -> None:
    steps = "<ol><li>Open Keys → Add &lt;key&gt;.</li><li>Choose the right “Read”.</li></ol></details>"
    connecting = client.get("/integrations/connect/fake").text
    assert steps in connecting
    assert connecting.index('name="address"') < connecting.index(steps) < connecting.index('name="key"')
    assert '<details class="steps" open>' in connecting
    changing = client.get(f"/integrations/{add(session).id}").text
    assert steps in changing
    assert '<details class="steps">' in changing


def test_connecting_saves_the_answers_and_previews_the_last_seven_days(client: FlaskClient, session: Session) -> None:
    answer = client.post("/integrations/connect/fake", data=TYPED)
    (one,) = integrations(session)
    assert answer.location == f"/integrations/{one.id}/first"
    assert (one.name, one.parameters, one.secrets["secret"]) == (
        "Kava Ltd",
        {"address": "https://kava.example"},
        SECRET,
    )
    assert one.settings["not_before"] == "2026-11-01"
    assert (one.settings["accounting_type"], one.settings["register_automatically"]) == ("amounts", "no")
    with reading(session):
        run = session.scalars(select(Run)).one()
    assert (run.kind, run.state, run.requested_by) == (RunKind.PREVIEW, RunState.QUEUED, "administrator@example.com")
    assert 6 <= (run.window_end - run.window_start).total_seconds() / 86400 <= 7.1


def test_a_store_connected_untested_is_asked_for_its_lists(client: FlaskClient, session: Session) -> None:
    client.post("/integrations/connect/fake", data=TYPED)
    (test,) = kept(session)
    assert test.integration_id == integrations(session)[0].id
    assert test.connection["secret"] == SECRET


def test_every_wrong_answer_says_so_at_its_field_and_nothing_typed_is_lost(
    client: FlaskClient, session: Session
) -> None:
    wrong = {**TYPED, "name": " ", "address": "nowhere", "secret": "", "not_before": "soon"}
    answer = client.post("/integrations/connect/fake", data=wrong)
    assert answer.status_code == 422
    html = answer.text
    text = words(html)
    assert "Type what you call the shop" in text
    assert "“nowhere” is no address. Type it as https://www.example.com." in text
    assert "Type the secret." in text
    assert "Type a date as 2026-11-01" in text
    assert "4 fields need mending: Name , Shop's address , Secret , From which date" in text
    assert value_of(html, "address") == "nowhere"
    assert '<option value="amounts" selected>' in html
    assert integrations(session) == []


def test_a_typed_secret_is_kept_sealed_while_the_form_is_mended_and_never_shown(
    client: FlaskClient, session: Session
) -> None:
    html = client.post("/integrations/connect/fake", data={**TYPED, "name": ""}).text
    assert SECRET not in html
    assert "ck_1" not in html
    assert "typed, not shown again" in html
    held = value_of(html, "held")
    client.post("/integrations/connect/fake", data={**TYPED, "key": "", "secret": "", "held": held})
    (one,) = integrations(session)
    assert one.secrets == {"key": "ck_1", "secret": SECRET}
    assert [test.id for test in kept(session) if str(test.id) == held] == []


def test_a_secret_held_for_one_address_is_not_taken_for_another(client: FlaskClient, session: Session) -> None:
    held = value_of(client.post("/integrations/connect/fake", data={**TYPED, "name": ""}).text, "held")
    moved = {**TYPED, "address": "https://evil.example", "key": "", "secret": "", "held": held}
    assert client.post("/integrations/connect/fake", data=moved).status_code == 422
    assert integrations(session) == []


def test_what_somebody_else_typed_is_not_taken(app: Flask, client: FlaskClient, session: Session) -> None:
    held = value_of(client.post("/integrations/connect/fake", data={**TYPED, "name": ""}).text, "held")
    other = browser(app, session, Role.ADMINISTRATOR, "jonas@example.com")
    answer = other.post("/integrations/connect/fake", data={**TYPED, "key": "", "secret": "", "held": held})
    assert answer.status_code == 422
    assert "Tested" not in other.get(f"/integrations/tests/{held}").text


def test_a_taken_name_is_said_at_the_name_and_a_connected_store_at_the_address(
    client: FlaskClient, session: Session
) -> None:
    add(session, "Kava Ltd", "https://kava.example")
    text = words(client.post("/integrations/connect/fake", data={**TYPED, "address": "https://b.example"}).text)
    assert "1 field needs mending: Name" in text
    assert "There is an integration named Kava Ltd already." in text
    text = words(client.post("/integrations/connect/fake", data={**TYPED, "name": "Second"}).text)
    assert "1 field needs mending: Shop's address" in text
    assert "is connected already: it is Kava Ltd." in text


def test_a_refusal_of_a_form_whose_secrets_are_held_keeps_them(client: FlaskClient, session: Session) -> None:
    add(session, "Kava Ltd", "https://other.example")
    held = value_of(client.post("/integrations/connect/fake", data={**TYPED, "name": ""}).text, "held")
    answer = client.post("/integrations/connect/fake", data={**TYPED, "key": "", "secret": "", "held": held})
    assert answer.status_code == 422
    assert "There is an integration named Kava Ltd already." in words(answer.text)
    last = {**TYPED, "name": "Second", "key": "", "secret": "", "held": value_of(answer.text, "held")}
    assert client.post("/integrations/connect/fake", data=last).status_code == 303
    assert integrations(session)[1].secrets["secret"] == SECRET


# --- testing ----------------------------------------------------------------------------------------------------


def test_without_a_worker_the_test_says_so_and_saves_nothing(client: FlaskClient, session: Session) -> None:
    text = words(begun(client))
    assert "No worker is alive" in text
    assert "Then test again." in text
    assert integrations(session) == []


def test_a_test_asks_again_until_the_store_has_answered(
    client: FlaskClient, session: Session, session_factory: sessionmaker[Session]
) -> None:
    begun(client)
    test = queue_again(session)
    url = f"/integrations/tests/{test.id}"
    html = client.get(url).text
    assert f'hx-get="{url}?was=begins"' in html
    assert "The test begins." in words(html)
    assert client.get(f"{url}?was=begins").status_code == 204
    worked(session, session_factory)
    html = client.get(f"{url}?was=begins").text
    assert "hx-trigger" not in html
    text = words(html)
    assert "Kavos <b>namai</b> 9" in text
    assert "Europe/Vilnius, the same as ours" in text
    assert "4,312 in all" in text
    assert "2 statuses, 2 payment methods" in text


def test_a_refusal_is_said_with_what_to_do(
    client: FlaskClient, session: Session, session_factory: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = NeedsOwner("The store refused the key (401).", fix="Make a new one.")
    monkeypatch.setattr(FakeShop, "answer", refusal)
    begun(client)
    worked(session, session_factory)
    text = words(client.get(f"/integrations/tests/{kept(session)[-1].id}").text)
    assert "The store refused the key (401). Make a new one." in text


def test_a_missing_key_is_said_without_asking_the_store(client: FlaskClient) -> None:
    assert "Key: Type the key." in words(begun(client, key=""))
    assert FakeShop.asked_with == []


def test_a_connection_that_was_tested_brings_its_lists_when_it_is_saved(
    client: FlaskClient, session: Session, session_factory: sessionmaker[Session]
) -> None:
    begun(client)
    test = worked(session, session_factory)
    client.post("/integrations/connect/fake", data={**TYPED, "held": str(test.id)})
    (one,) = integrations(session)
    assert one.facts is not None
    assert [status["value"] for status in one.facts["statuses"]] == ["processing", "on-hold"]
    assert one.learned == {"auth": "basic"}
    assert kept(session) == []


def test_lists_of_another_connection_than_the_saved_one_are_not_taken(
    client: FlaskClient, session: Session, session_factory: sessionmaker[Session]
) -> None:
    begun(client)
    test = worked(session, session_factory)
    client.post("/integrations/connect/fake", data={**TYPED, "key": "ck_other", "held": str(test.id)})
    assert integrations(session)[0].facts is None


def test_without_javascript_the_test_comes_back_to_the_form_as_it_was_typed(
    client: FlaskClient, session: Session
) -> None:
    answer = client.post("/integrations/connect/fake/test", data=TYPED)
    assert answer.status_code == 303
    html = client.get(answer.location).text
    assert value_of(html, "name") == "Kava Ltd"
    assert '<option value="amounts" selected>' in html
    assert SECRET not in html
    assert "typed, not shown again" in html
    assert "No worker is alive" in words(html)


def test_a_test_of_the_saved_connection_fills_the_fields_that_had_no_lists(
    client: FlaskClient, session: Session, session_factory: sessionmaker[Session]
) -> None:
    one = add(session)
    begun(client, f"/integrations/{one.id}/test", address=one.parameters["address"], key="", secret="")
    test = worked(session, session_factory)
    assert FakeShop.asked_with[-1]["secret"] == SECRET
    html = client.get(f"/integrations/tests/{test.id}?lists=1").text
    assert 'id="field-statuses" hx-swap-oob="true"' in html
    assert "Vykdomas" in html
    assert again(session, one).facts is not None


def test_a_test_at_another_address_asks_for_the_keys_again(client: FlaskClient, session: Session) -> None:
    one = add(session)
    html = begun(client, f"/integrations/{one.id}/test", address="https://evil.example", key="", secret="")
    assert "Type it again: the address leads to another place now" in words(html)
    assert all(test.state is TestState.FAILED for test in kept(session))
    assert FakeShop.asked_with == []


# --- changing ---------------------------------------------------------------------------------------------------


def form_of(session: Session, one: Integration, **changes: str) -> dict[str, str]:
    row = again(session, one)
    return {"name": row.name, "address": row.parameters["address"], "row_version": str(row.row_version), **changes}


def test_every_setting_stands_in_the_form(client: FlaskClient, session: Session) -> None:
    html = client.get(f"/integrations/{add(session).id}").text
    for setting in SETTINGS:
        if setting.key != "enabled":  # the button at the top
            assert f'name="{setting.key}"' in html, setting.key
    assert "Switch off" in html


def test_secrets_are_never_shown_and_empty_ones_are_kept(client: FlaskClient, session: Session) -> None:
    one = add(session)
    html = client.get(f"/integrations/{one.id}").text
    assert SECRET not in html
    assert "saved, never shown again" in html
    answer = client.post(f"/integrations/{one.id}", data=form_of(session, one, key="", secret="", daily_days="5"))
    assert answer.status_code == 303
    changed = again(session, one)
    assert changed.secrets == {"key": "ck_1", "secret": SECRET}
    assert changed.settings["daily_days"] == "5"


def test_another_address_asks_for_all_secrets_again(client: FlaskClient, session: Session) -> None:
    one = add(session)
    moved = form_of(session, one, address="https://new.example", key="ck_2", secret="")
    answer = client.post(f"/integrations/{one.id}", data=moved)
    assert answer.status_code == 422
    assert "1 field needs mending: Secret" in words(answer.text)
    assert again(session, one).parameters == one.parameters
    # The one that was typed is held for that address; the other is typed now.
    held = value_of(answer.text, "held")
    client.post(f"/integrations/{one.id}", data={**moved, "key": "", "secret": "cs_2", "held": held})
    assert again(session, one).secrets == {"key": "ck_2", "secret": "cs_2"}


def test_each_wrong_setting_says_what_to_type_and_keeps_what_was_typed(client: FlaskClient, session: Session) -> None:
    one = add(session)
    wrong = form_of(session, one, daily_days="99", rounding_limit="abc", unknown_items="common", common_item="")
    answer = client.post(f"/integrations/{one.id}", data=wrong)
    assert answer.status_code == 422
    text = words(answer.text)
    assert "Type a whole number of days from 1 to 31." in text
    assert "Type an amount as 0.03, or leave it empty." in text
    assert "Type the code of the item to use for unknown products." in text
    assert value_of(answer.text, "daily_days") == "99"
    assert value_of(answer.text, "rounding_limit") == "abc"
    assert answer.text.count('<details class="sheet" open>') == 2
    assert again(session, one).settings == one.settings


def test_a_prefix_in_use_is_said_at_the_prefix(client: FlaskClient, session: Session) -> None:
    one, other = add(session, "Kava Ltd"), add(session, "Arbata")
    answer = client.post(f"/integrations/{one.id}", data=form_of(session, one, number_prefix=other.number_prefix))
    assert "1 field needs mending: Number prefix" in words(answer.text)
    assert "is in use by Arbata" in words(answer.text)


def test_a_series_of_credit_notes_is_chosen_in_the_form_and_its_prefix_in_use_is_said_there(
    client: FlaskClient, session: Session
) -> None:
    one, other = add(session, "Kava Ltd"), add(session, "Arbata")
    typed = {"credit_number_from": "series", "credit_number_prefix": other.number_prefix}
    answer = client.post(f"/integrations/{one.id}", data=form_of(session, one, **typed))
    assert "1 field needs mending: Credit note prefix" in words(answer.text)
    client.post(f"/integrations/{one.id}", data=form_of(session, one, **{**typed, "credit_number_prefix": "KR-"}))
    saved = again(session, one).settings
    assert (saved["credit_number_from"], saved["credit_number_prefix"]) == ("series", "KR-")


def test_a_prefix_in_use_and_a_held_secret_are_mended_together(client: FlaskClient, session: Session) -> None:
    one, other = add(session, "Kava Ltd"), add(session, "Arbata")
    wrong = form_of(session, one, key="ck_2", daily_days="99")
    held = value_of(client.post(f"/integrations/{one.id}", data=wrong).text, "held")
    again_wrong = {**wrong, "key": "", "held": held, "daily_days": "9", "number_prefix": other.number_prefix}
    answer = client.post(f"/integrations/{one.id}", data=again_wrong)
    assert answer.status_code == 422
    right = {**again_wrong, "number_prefix": "X-", "held": value_of(answer.text, "held")}
    assert client.post(f"/integrations/{one.id}", data=right).status_code == 303
    assert again(session, one).secrets["key"] == "ck_2"


def test_an_older_form_is_refused_and_says_who_saved_meanwhile_and_what(
    app: Flask, client: FlaskClient, session: Session
) -> None:
    one = add(session)
    mine = form_of(session, one, daily_days="7")
    other = browser(app, session, Role.ADMINISTRATOR, "jonas@example.com")
    assert other.post(f"/integrations/{one.id}", data=form_of(session, one, daily_days="5")).status_code == 303
    answer = client.post(f"/integrations/{one.id}", data=mine)
    assert answer.status_code == 409
    text = words(answer.text)
    assert "Rūta administrator saved this meanwhile, today" in text
    assert "Days looked back: – → 5" in text
    assert value_of(answer.text, "daily_days") == "7"
    assert again(session, one).settings["daily_days"] == "5"
    assert client.post(
        f"/integrations/{one.id}", data={**mine, "row_version": value_of(answer.text, "row_version")}
    ).status_code == 303  # fmt: skip
    assert again(session, one).settings["daily_days"] == "7"


def test_what_a_test_or_a_run_learned_refuses_no_form(client: FlaskClient, session: Session) -> None:
    one = add(session)
    form = form_of(session, one, daily_days="7")
    with writing(session):
        row = session.merge(one)
        row.learned, row.refused_since, row.refused_text = {"auth": "query"}, now_utc(), "No."
    assert client.post(f"/integrations/{one.id}", data=form).status_code == 303


def test_statuses_and_payment_methods_are_chosen_from_what_the_test_found(
    client: FlaskClient, session: Session
) -> None:
    one = add(session)
    with writing(session):
        row = session.merge(one)
        row.facts, row.settings = (
            connection_facts(),
            {**row.settings, "statuses": "gone", "payment_methods": "old:skip"},
        )
    html = client.get(f"/integrations/{one.id}").text
    assert "None ticked: what the store counts as a sale, Vykdomas." in words(html)
    assert 'value="gone" checked' in html
    assert 'name="payment_method:old"' in html
    data: Any = form_of(session, one)
    data |= {"has_statuses": "1", "statuses": ["processing", "on-hold"]}
    data |= {
        "payment_method:cod": "cash on delivery",
        "payment_method:bacs": "prepaid",
        "payment_method:old": "prepaid",
    }
    assert client.post(f"/integrations/{one.id}", data=data).status_code == 303
    changed = again(session, one)
    assert changed.settings["statuses"] == "processing,on-hold"
    assert changed.settings["payment_methods"] == "cod:cash on delivery"


def test_with_no_status_ticked_the_stores_own_count(client: FlaskClient, session: Session) -> None:
    one = add(session, statuses="processing")
    with writing(session):
        session.merge(one).facts = connection_facts()
    client.post(f"/integrations/{one.id}", data=form_of(session, one, has_statuses="1"))
    assert "statuses" not in again(session, one).settings


def connection_facts() -> dict[str, Any]:
    return asking.facts_as_json(FACTS)


def test_the_sentence_says_what_a_frequency_will_do(client: FlaskClient) -> None:
    def said(**query: str) -> str:
        return words(client.get("/integrations/sentence", query_string=query).text)

    assert said(frequency="off").startswith("Nothing is imported by itself")
    assert "Every 5 minutes from 07:00 to 18:55, Vilnius time" in said(frequency="minutes")
    assert "since the start of the 4 previous days" in said(frequency="daily", daily_days="4")
    assert "since the start of the previous day" in said(frequency="daily", daily_days="1")
    assert "the orders paid" in said(frequency="weekly", select_by="paid")
    assert "Sales journals until you enter it" in said(
        frequency="months", accounting_type="amounts", register_automatically="no"
    )
    assert said(frequency="nonsense").startswith("Nothing is imported by itself")


def test_saving_says_what_became_of_the_invoices_that_waited(client: FlaskClient, session: Session) -> None:
    one = add(session)
    with writing(session):
        a_run(session, session.merge(one), state=RunState.RUNNING)
    client.post(f"/integrations/{one.id}", data=form_of(session, one, daily_days="9"))
    assert "What waits was not checked again: run 1 is at work." in words(client.get(f"/integrations/{one.id}").text)


def test_who_may_not_change_reads_the_form(app: Flask, session: Session) -> None:
    one = add(session)
    html = browser(app, session, Role.VIEWER).get(f"/integrations/{one.id}").text
    assert '<fieldset class="stack" disabled>' in html
    for word in ("Save settings", "Test connection", "Retire", "Switch off"):
        assert word not in html


def test_retiring_asks_and_says_what_stays(client: FlaskClient, session: Session) -> None:
    one = add(session)
    assert "Kava Ltd has no invoices. Its key is forgotten." in words(client.get(f"/integrations/{one.id}").text)
    with writing(session):
        a_run(session, session.merge(one), state=RunState.DONE)
    connection_test.begin(
        session, platform="fake", integration_id=one.id, values={"address": one.parameters["address"]}, typed={},
        now=now_utc(), actor="administrator@example.com",
    )  # fmt: skip
    assert client.post(f"/integrations/{one.id}/retire").status_code == 303
    gone = again(session, one)
    assert (gone.state, gone.secrets) == (IntegrationState.RETIRED, {})
    assert kept(session) == []
    with reading(session):
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.action, entry.actor) == ("integration_retired", "administrator@example.com")


def test_a_run_at_work_is_not_taken_its_integration(client: FlaskClient, session: Session) -> None:
    one = add(session)
    with writing(session):
        a_run(session, session.merge(one), state=RunState.RUNNING)
    client.post(f"/integrations/{one.id}/retire")
    assert again(session, one).state is IntegrationState.ON
    assert "is at work" in words(client.get(f"/integrations/{one.id}").text)


def test_the_first_page_offers_daily_and_shows_the_preview(client: FlaskClient, session: Session) -> None:
    one = add(session)
    assert "No preview yet." in words(client.get(f"/integrations/{one.id}/first").text)
    assert client.post(f"/integrations/{one.id}/preview").location == f"/integrations/{one.id}/first"
    html = client.get(f"/integrations/{one.id}/first").text
    assert f'hx-get="/integrations/{one.id}/first/preview?was=0"' in html
    assert client.get(f"/integrations/{one.id}/first/preview?was=0").status_code == 204
    with writing(session):
        run = session.scalars(select(Run)).one()
        run.state, run.fetched, run.registered, run.in_journal = RunState.DONE, 43, 40, 3
        run.totals = {"EUR": {"registered": "1204.50", "in_journal": "90.00"}}
        run.findings = {"item_unknown": 2, "stock_short": 1}
    html = client.get(f"/integrations/{one.id}/first/preview").text
    assert "hx-trigger" not in html
    text = words(html)
    assert "43 orders. 40 invoices would be entered, 1,204.50 EUR. 3 would wait in a journal, 90.00 EUR." in text
    assert "2 · a product is not among the items" in text
    assert "Launch 1 run" in text
    assert "Import daily" in words(client.get(f"/integrations/{one.id}/first").text)
    with reading(session):
        assert session.scalar(select(func.count()).select_from(Item)) == 0


def test_every_choice_of_a_setting_has_a_word_and_every_setting_a_place() -> None:
    placed = {*forms.WHEN, *forms.ORDERS, *(key for _heading, keys in forms.MORE for key in keys)}
    assert placed == {setting.key for setting in SETTINGS} - {"enabled"}
    for setting in SETTINGS:
        if setting.choices and setting.key not in ("enabled", "frequency"):
            assert set(wording.CHOICES[setting.key]) == set(setting.choices), setting.key
    assert tuple(wording.FREQUENCIES) == tuple(wording.HOW_OFTEN) == BY_KEY["frequency"].choices
    assert tuple(wording.TREATMENTS) == PAYMENT_TREATMENTS
