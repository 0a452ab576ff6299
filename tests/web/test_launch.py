"""The manual launch (C1, C2, C4): masks and boxes, periods, previews that ask, and runs opened once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from monet_web.blueprints.integrations import telling
from monet_web.domain import periods
from monet_web.domain.filters import REASONS
from monet_web.domain.findings import CODES
from monet_web.domain.findings_general import GENERAL
from monet_web.models import Integration, Run
from monet_web.models.base import reading, writing
from monet_web.models.runs import RunKind, RunState
from monet_web.models.users import Role
from tests.builders import a_run
from tests.web.integrating import add, browser, put_shop, statements, value_of, words

VILNIUS = ZoneInfo("Europe/Vilnius")


@pytest.fixture(autouse=True)
def _shop(monkeypatch: pytest.MonkeyPatch) -> None:
    put_shop(monkeypatch)


@pytest.fixture
def client(app: Flask, session: Session) -> FlaskClient:
    return browser(app, session, Role.OFFICE)


def today() -> date:
    return datetime.now(UTC).astimezone(VILNIUS).date()


def runs(session: Session, kind: RunKind | None = None) -> list[Run]:
    with reading(session):
        query = select(Run).order_by(Run.id).execution_options(populate_existing=True)
        found = list(session.scalars(query))
    return [run for run in found if kind is None or run.kind is kind]


def launched_before(session: Session, *integrations: Integration) -> None:
    with writing(session):
        for one in integrations:
            a_run(session, session.merge(one), state=RunState.DONE, ended_at=datetime.now(UTC))


def ended(session: Session, state: RunState = RunState.DONE, **changes: object) -> None:
    with writing(session):
        for run in session.scalars(select(Run).where(Run.kind == RunKind.PREVIEW)):
            run.state, run.ended_at = state, datetime.now(UTC)
            for key, value in changes.items():
                setattr(run, key, value)


def launch(client: FlaskClient, mask: str = "%", days: int = 1, **more: object) -> TestResponse:
    first = (today() - timedelta(days=days)).isoformat()
    data: dict[str, object] = {"mask": mask, "first": first, "last": today().isoformat(), "do": "launch", **more}
    return client.post("/integrations/launch", data=data)


def boxes(html: str) -> list[str]:
    return re.findall(r'name="pick" value="([^"]*)" id="[^"]*" checked', html)


# --- which integrations -----------------------------------------------------------------------------------------


def test_the_launch_stands_in_the_lower_part_of_the_page_and_says_that_it_is_safe(
    client: FlaskClient, session: Session
) -> None:
    add(session)
    html = client.get("/integrations").text
    text = words(html)
    assert text.index("Last run") < text.index("Manual integration launch")
    assert "Safe: orders already here are skipped. Nothing is sent to customers." in text
    assert value_of(html, "mask") == "%"
    assert 'hx-trigger="input changed delay:200ms"' in html


def test_matches_are_listed_as_the_mask_is_typed(client: FlaskClient, session: Session) -> None:
    for name in ("Molis LT", "Molis LV", "Žvakės"):
        add(session, name)
    add(session, "Turgus", enabled="no")
    html = client.get("/integrations/matches", query_string={"mask": "molis%, ŽVA%"}).text
    assert boxes(html) == ["Molis LT", "Molis LV", "Žvakės"]
    assert "3 of 4 match" in words(html)
    assert "Launch 3 runs" in words(html)
    assert 'id="launch-button"' in html
    assert "Turgus · switched off" in words(html)


def test_a_switched_off_one_is_meant_by_its_exact_name_only(client: FlaskClient, session: Session) -> None:
    add(session, "Turgus", enabled="no")
    assert boxes(client.get("/integrations/matches?mask=Tur%25").text) == []
    assert boxes(client.get("/integrations/matches?mask=turgus").text) == ["Turgus"]


def test_a_mask_that_means_nobody_says_which_names_exist(client: FlaskClient, session: Session) -> None:
    add(session, "Molis LT")
    text = words(client.get("/integrations/matches?mask=kava").text)
    assert "No integration is meant by “kava”. There are: Molis LT." in text


def test_clicking_boxes_writes_the_mask(client: FlaskClient, session: Session) -> None:
    for name in ("Molis LT", "Molis LV", "50 % off"):
        add(session, name)
    add(session, "Turgus", enabled="no")

    def mask(*picked: str) -> str:
        answer = client.get("/integrations/picked", query_string={"pick": list(picked)})
        assert 'hx-swap-oob="true"' in answer.text
        assert boxes(answer.text) == sorted(picked, key=str.casefold)
        return value_of(answer.text, "mask")

    assert mask("Molis LT", "50 % off") == "50 % off, Molis LT"
    assert mask("Molis LT", "Molis LV", "50 % off") == "%"
    assert mask("Molis LT", "Molis LV", "50 % off", "Turgus") == "50 % off, Molis LT, Molis LV, Turgus"
    assert mask() == ""


def test_without_javascript_the_boxes_count_when_the_mask_is_as_it_was(client: FlaskClient, session: Session) -> None:
    one, other = add(session, "Molis LT"), add(session, "Molis LV")
    launched_before(session, one, other)
    launch(client, "%", mask_shown="%", pick=["Molis LV"])
    assert [run.integration_id for run in runs(session)[2:]] == [other.id]


def test_without_javascript_a_mask_typed_anew_counts_and_not_the_boxes(client: FlaskClient, session: Session) -> None:
    one, other = add(session, "Molis LT"), add(session, "Molis LV")
    launched_before(session, one, other)
    launch(client, "molis lt", mask_shown="%", pick=["Molis LT", "Molis LV"])
    assert [run.integration_id for run in runs(session)[2:]] == [one.id]


# --- which days -------------------------------------------------------------------------------------------------


def test_a_preset_fills_the_dates_in(client: FlaskClient) -> None:
    html = client.get("/integrations/period/last_month").text
    period = periods.preset("last_month", today())
    assert (value_of(html, "first"), value_of(html, "last")) == (period.first.isoformat(), period.last.isoformat())
    assert 'aria-pressed="true" hx-get="/integrations/period/last_month"' in html
    assert client.get("/integrations/period/next_month").status_code == 404


def test_a_preset_works_without_javascript_and_keeps_the_mask(client: FlaskClient, session: Session) -> None:
    add(session, "Molis LT")
    answer = client.post("/integrations/period/yesterday", data={"mask": "Mol%", "mask_shown": "%", "first": "x"})
    assert answer.status_code == 303
    html = client.get(answer.location).text
    yesterday = (today() - timedelta(days=1)).isoformat()
    assert (value_of(html, "mask"), value_of(html, "first"), value_of(html, "last")) == ("Mol%", yesterday, yesterday)


@pytest.mark.parametrize(
    ("first", "last", "field", "said"),
    [
        ("", "2026-11-02", "first", "Type a day as"),
        ("2026-11-01", "soon", "last", "Type a day as"),
        ("2026-11-05", "2026-11-02", "last", "ends on 2 Nov 2026 before it starts on 5 Nov 2026. Swap the two dates."),
        ("2999-01-01", "2999-01-02", "first", "starts on 1 Jan 2999, which is not here yet. Choose days until today."),
    ],
)
def test_a_wrong_day_is_said_at_its_field(
    client: FlaskClient, session: Session, first: str, last: str, field: str, said: str
) -> None:
    add(session)
    answer = client.post(
        "/integrations/launch", data={"mask": "Kava Ltd", "first": first, "last": last, "do": "launch"}
    )
    assert answer.status_code == 422
    help_of_field = answer.text.split(f'id="{field}-help">')[1].split("</div>")[0]
    assert said in help_of_field
    assert value_of(answer.text, "mask") == "Kava Ltd"
    assert value_of(answer.text, "first") == first
    assert runs(session) == []


def test_a_mask_that_means_nobody_is_said_at_the_mask(client: FlaskClient, session: Session) -> None:
    add(session, "Molis LT")
    answer = launch(client, "kava")
    assert answer.status_code == 422
    html = answer.text
    assert "No integration is meant by “kava”" in html.split('id="mask-help">')[1].split("</div>")[0]
    assert runs(session) == []


def test_a_hostile_mask_is_text(client: FlaskClient, session: Session) -> None:
    add(session)
    html = client.get("/integrations", query_string={"mask": '"><script>alert(1)</script>'}).text
    assert "<script>alert(1)" not in html
    assert client.get("/integrations", query_string={"first": "<b>", "last": "x"}).status_code == 200


# --- launching --------------------------------------------------------------------------------------------------


def test_a_launch_opens_one_run_an_integration_and_goes_to_them(client: FlaskClient, session: Session) -> None:
    one, other = add(session, "Molis LT"), add(session, "Molis LV")
    launched_before(session, one, other)
    answer = launch(client)
    opened = runs(session)[2:]
    assert [run.integration_id for run in opened] == [one.id, other.id]
    assert {(run.kind, run.state, run.requested_by) for run in opened} == {
        (RunKind.LAUNCH, RunState.QUEUED, "office@example.com")
    }
    assert answer.location == f"/runs?launch={opened[0].id},{opened[1].id}"


def test_the_window_is_local_days_both_included(client: FlaskClient, session: Session) -> None:
    launched_before(session, add(session))
    day = today() - timedelta(days=10)
    client.post(
        "/integrations/launch",
        data={"mask": "%", "first": day.isoformat(), "last": day.isoformat(), "do": "launch"},
    )
    run = runs(session)[-1]
    start = datetime.combine(day, datetime.min.time(), VILNIUS)
    assert run.window_start == start
    assert run.window_end == datetime.combine(day + timedelta(days=1), datetime.min.time(), VILNIUS)


def test_a_first_launch_shows_a_preview_and_asks(client: FlaskClient, session: Session) -> None:
    add(session)
    answer = launch(client)
    (preview,) = runs(session)
    assert preview.kind is RunKind.PREVIEW
    assert answer.location == f"/integrations/launch?preview={preview.id}"
    html = client.get(answer.location).text
    assert "Kava Ltd was never launched before, so here is first what it would do." in words(html)
    assert f'hx-get="/integrations/launch/sums?preview={preview.id}&amp;was=0"' in html
    assert client.get(f"/integrations/launch/sums?preview={preview.id}&was=0").status_code == 204
    assert "Launch 1 run" not in words(html)


def test_the_answer_to_the_question_launches(client: FlaskClient, session: Session) -> None:
    add(session)
    launch(client)
    ended(
        session, fetched=43, registered=39, in_journal=3, filtered=1, findings={"stock_short": 3},
        filter_reasons={"not_paid": 1}, totals={"EUR": {"registered": "1204.50", "in_journal": "90.00"}},
    )  # fmt: skip
    preview = runs(session)[0]
    html = client.get(f"/integrations/launch/sums?preview={preview.id}").text
    assert "hx-trigger" not in html
    text = words(html)
    assert "39 invoices for 1,204.50 EUR are entered, 3 for 90.00 EUR wait in a journal." in text
    assert "3 · there is not enough in stock" in text
    assert "1 · not paid yet" in text
    assert "Launch 1 run" in text
    answer = client.post(
        "/integrations/launch",
        data={name: value_of(html, name) for name in ("mask", "first", "last", "seen")} | {"do": "launch"},
    )
    opened = runs(session, RunKind.LAUNCH)
    assert len(opened) == 1
    assert answer.location == f"/runs?launch={opened[0].id}"
    assert opened[0].window_start == preview.window_start


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.FAILED])
def test_a_preview_that_did_not_end_well_answers_no_question(
    client: FlaskClient, session: Session, state: RunState
) -> None:
    add(session)
    launch(client)
    ended(session, state)
    launch(client, seen=str(runs(session)[0].id))
    assert runs(session, RunKind.LAUNCH) == []


def test_a_preview_of_other_days_answers_no_question(client: FlaskClient, session: Session) -> None:
    add(session)
    launch(client)
    ended(session)
    launch(client, days=20, seen=str(runs(session)[0].id))
    assert runs(session, RunKind.LAUNCH) == []


def test_a_launch_that_reaches_more_than_two_months_back_asks(client: FlaskClient, session: Session) -> None:
    launched_before(session, add(session))
    launch(client, days=50)
    assert len(runs(session, RunKind.LAUNCH)) == 2
    answer = launch(client, days=70)
    assert len(runs(session, RunKind.LAUNCH)) == 2
    text = words(client.get(answer.location).text)
    assert "The period begins more than two months ago" in text


def test_a_preview_can_be_asked_for(client: FlaskClient, session: Session) -> None:
    launched_before(session, add(session))
    launch(client, do="preview")
    assert [run.kind for run in runs(session)] == [RunKind.LAUNCH, RunKind.PREVIEW]


def test_a_failed_preview_says_why_and_the_others_can_be_launched(client: FlaskClient, session: Session) -> None:
    for name in ("Molis LT", "Molis LV"):
        add(session, name)
    launch(client)
    ended(session, registered=1, fetched=1)
    with writing(session):
        run = session.get_one(Run, 1, populate_existing=True)
        run.state, run.error, run.fix = RunState.FAILED, "The store refused the key (401).", "Make a new one."
    html = client.get("/integrations/launch/sums?preview=1,2").text
    assert "The store refused the key (401). Make a new one." in words(html)
    assert "Launch 1 run" in words(html)
    assert value_of(html, "mask") == "Molis LV"


def test_numbers_of_no_preview_are_not_found(client: FlaskClient, session: Session) -> None:
    launched_before(session, add(session))
    for asked in ("1", "x", "1,x", "9" * 40):
        assert client.get("/integrations/launch", query_string={"preview": asked}).status_code == 404
        assert client.get("/integrations/launch/sums", query_string={"preview": asked}).status_code == 404
    # The address of the launch itself, opened anew, leads to the form and not to a wall.
    assert client.get("/integrations/launch", query_string={"preview": ""}).location == "/integrations#launch-h"


def test_run_now_takes_yesterday_and_today_and_asks_the_first_time(client: FlaskClient, session: Session) -> None:
    one = add(session)
    assert client.post(f"/integrations/{one.id}/run").location == "/integrations/launch?preview=1"
    launched_before(session, one)
    assert client.post(f"/integrations/{one.id}/run").location == "/integrations"
    run = runs(session)[-1]
    assert run.kind is RunKind.LAUNCH
    assert run.window_start.astimezone(VILNIUS).date() == today() - timedelta(days=1)
    assert "The run of Kava Ltd is queued" in words(client.get("/integrations").text)


def test_run_now_runs_a_switched_off_one_by_its_exact_name(client: FlaskClient, session: Session) -> None:
    one, other = add(session, "50%", enabled="no"), add(session, "501")
    launched_before(session, one, other)
    client.post(f"/integrations/{one.id}/run")
    assert [run.integration_id for run in runs(session)[2:]] == [one.id]


def test_the_question_asks_as_much_for_one_preview_as_for_many(
    app: Flask, client: FlaskClient, session: Session
) -> None:
    def asked(ids: Sequence[int]) -> int:
        with statements(app) as said:
            numbers = ",".join(str(one) for one in ids)
            assert client.get("/integrations/launch/sums", query_string={"preview": numbers}).status_code == 200
        return len(said)

    for number in range(8):
        add(session, f"Shop {number}")
    launch(client)
    ids = [run.id for run in runs(session)]
    assert asked(ids) == asked(ids[:1])


def test_every_finding_and_reason_has_words_for_a_preview() -> None:
    assert set(GENERAL) == set(CODES)
    assert set(telling.REASONS) == set(REASONS)


def test_a_launch_without_its_preview_leads_to_the_page_where_launches_begin(client: FlaskClient) -> None:
    answer = client.get("/integrations/launch")
    assert (answer.status_code, answer.location) == (302, "/integrations#launch-h")
    assert client.get("/integrations/launch?preview=999").status_code == 404
