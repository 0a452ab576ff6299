"""The page of integrations (A1): what each line says, who may press what, as many questions for one as for twenty."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from monet_web.blueprints.health.silence import Part, Silence
from monet_web.blueprints.integrations import workers
from monet_web.blueprints.runs import signs
from monet_web.models import Integration, Run
from monet_web.models.base import now_utc, reading, writing
from monet_web.models.integrations import IntegrationState
from monet_web.models.invoices import InvoiceState
from monet_web.models.runs import RunKind, RunState
from monet_web.models.users import Role
from monet_web.services.integrations import connect
from tests.builders import a_run, a_store_order, a_version, an_invoice
from tests.web.integrating import HOSTILE, add, again, browser, put_shop, statements, words

NOW = now_utc()


@pytest.fixture(autouse=True)
def _shop(monkeypatch: pytest.MonkeyPatch) -> None:
    put_shop(monkeypatch)


def ran(session: Session, integration: Integration, **changes: object) -> Run:
    plain = {
        "state": RunState.DONE,
        "created_at": NOW - timedelta(minutes=31),
        "started_at": NOW - timedelta(minutes=30),
        "ended_at": NOW - timedelta(minutes=30) + timedelta(seconds=19),
    }
    with writing(session):
        return a_run(session, session.merge(integration), **{**plain, **changes})


def waits(session: Session, integration: Integration, number: str, total: str, currency: str = "EUR") -> None:
    with writing(session):
        one = session.merge(integration)
        order = a_store_order(session, one, number)
        version = a_version(session, order, a_run(session, one, state=RunState.DONE, kind=RunKind.PREVIEW))
        an_invoice(
            session, version, number=f"K-{number}", state=InvoiceState.IN_JOURNAL, total=Decimal(total),
            currency=currency,
        )  # fmt: skip


def page(app: Flask, session: Session, role: Role = Role.OFFICE) -> str:
    answer = browser(app, session, role).get("/integrations")
    assert answer.status_code == 200
    return answer.text


def test_who_is_not_signed_in_sees_no_integration(app: Flask) -> None:
    assert app.test_client().get("/integrations").status_code == 302


def test_without_an_integration_the_page_offers_the_platforms_that_exist(app: Flask, session: Session) -> None:
    text = words(page(app, session, Role.ADMINISTRATOR))
    assert "None yet. An address and a key are enough to begin." in text
    assert "WooCommerce" in text
    assert "Fake shop" in text
    assert "Magento" not in text


def test_without_an_integration_others_are_told_who_connects_one(app: Flask, session: Session) -> None:
    text = words(page(app, session, Role.OFFICE))
    assert "An administrator connects the first one." in text
    assert "Connect WooCommerce" not in text


def test_a_line_says_platform_last_run_and_that_it_runs_when_launched(app: Flask, session: Session) -> None:
    ran(session, add(session), registered=58, in_journal=2, fetched=60)
    text = words(page(app, session))
    assert "Kava Ltd Fake shop · goods 58 registered, 2 in journal today" in text
    assert "took 19 s" in text
    assert "Runs when you launch it" in text
    assert "1 installed, none needs you; no invoice waits." in text


def test_the_last_run_is_a_link_to_its_page(app: Flask, session: Session) -> None:
    run = ran(session, add(session), registered=1, fetched=1)
    assert f'href="/runs/{run.id}"' in page(app, session)


def put(session: Session, integration: Integration, **changes: object) -> None:
    with writing(session):
        row = session.merge(integration)
        for name, value in changes.items():
            setattr(row, name, value)


def test_the_next_run_is_told_with_the_period_it_will_import(app: Flask, session: Session) -> None:
    add(session, frequency="daily")
    text = words(page(app, session))
    assert re.search(r"\d\d:\d\d · daily imports .+ until then", text)
    assert "Runs when you launch it" not in text


def test_the_page_says_that_the_next_run_waits_for_the_one_at_work(app: Flask, session: Session) -> None:
    one = add(session, frequency="hours")
    ran(session, one, state=RunState.RUNNING, ended_at=None, kind=RunKind.TIMETABLE)
    ran(session, one, state=RunState.QUEUED, started_at=None, ended_at=None, kind=RunKind.TIMETABLE)
    text = words(page(app, session))
    assert "Running now" in text
    assert "Waits for the run at work · every hour" in text


def test_a_store_that_failed_is_tried_again_and_the_last_failure_stays_shown(app: Flask, session: Session) -> None:
    one = add(session, frequency="hours")
    failed = {"state": RunState.FAILED, "kind": RunKind.TIMETABLE, "error": "The store does not answer."}
    ran(session, one, **failed)
    ran(session, one, **failed)
    later = now_utc() + timedelta(minutes=5)
    ran(
        session, one, state=RunState.QUEUED, started_at=None, ended_at=None, kind=RunKind.TIMETABLE, retry_at=later
    )  # fmt: skip
    html = page(app, session)
    assert re.search(r"Tries again (today|tomorrow) \d\d:\d\d · 3rd attempt imports", words(html))
    assert "The store does not answer." in words(html)
    assert "Run Kava Ltd now" in html  # not: take it out of the queue
    assert 'hx-get="/integrations/list"' not in html


def test_a_refused_store_waits_for_its_key(app: Flask, session: Session) -> None:
    one = add(session, frequency="hours")
    ran(session, one, state=RunState.QUEUED, started_at=None, ended_at=None, kind=RunKind.TIMETABLE)
    put(session, one, refused_since=NOW, refused_text="The store refused the key (401).")
    text = words(page(app, session))
    assert "Waits for a new key · every hour nothing is lost: with a new key one run imports all since" in text


def test_an_overdue_slot_is_said(app: Flask, session: Session) -> None:
    one = add(session, frequency="daily")
    put(session, one, next_run_at=NOW - timedelta(minutes=40))
    assert re.search(r"Overdue since (today|yesterday) \d\d:\d\d · daily", words(page(app, session)))


def gap_of(session: Session) -> Integration:
    """An integration of which days twelve to ten before now are missing."""
    one = add(session, frequency="minutes")
    put(
        session, one, covered_until=NOW,
        gaps=[[(NOW - timedelta(days=12)).isoformat(), (NOW - timedelta(days=10)).isoformat()]],
    )  # fmt: skip
    return one


def test_days_that_no_run_imports_by_itself_are_imported_with_one_button(app: Flask, session: Session) -> None:
    ran(session, gap_of(session))  # it was launched before: no preview is asked
    html = page(app, session)
    assert "not imported, and nothing will import it by itself" in words(html)
    form = html[html.index('action="/integrations/launch"') :]
    fields = dict(re.findall(r'name="(mask|first|last)" value="([^"]+)"', form[: form.index("</form>")]))
    assert re.search(r"Import \d+ \w+\W+\d+ \w+", words(form))
    answer = browser(app, session, Role.OFFICE).post("/integrations/launch", data={**fields, "do": "launch"})
    assert answer.status_code == 303
    with reading(session):
        run = session.scalars(select(Run).where(Run.state == RunState.QUEUED)).one()
    assert (run.kind, run.requested_by != "") == (RunKind.LAUNCH, True)
    assert run.window_start <= NOW - timedelta(days=12)
    assert run.window_end >= NOW - timedelta(days=10)
    seen = words(page(app, session, Role.VIEWER))
    assert "nothing will import it by itself" in seen
    assert "Leave out" not in seen


def test_days_that_may_stay_out_are_told_no_more(app: Flask, session: Session) -> None:
    one = gap_of(session)
    html = page(app, session)
    form = html[html.index(f'action="/integrations/{one.id}/gap"') :]
    fields = dict(re.findall(r'name="(start|end)" value="([^"]+)"', form[: form.index("</form>")]))
    office = browser(app, session, Role.OFFICE)
    assert office.post(f"/integrations/{one.id}/gap", data={"start": "soon"}).status_code == 400
    assert office.post(f"/integrations/{one.id}/gap", data=fields).status_code == 303
    text = words(office.get("/integrations").text)
    assert "is left out: nobody is reminded of it any more" in text
    assert "nothing will import it by itself" not in text


@pytest.mark.parametrize(
    ("silent", "told"),
    [
        (Part.WORKER, "No worker has reported for 4 min"),
        (Part.SCHEDULER, "Automatic import has stopped since"),
        (Part.TICK, "nobody looks at the timetable"),
        (Part.REDIS, "Redis does not answer"),
    ],
)
def test_the_page_says_what_is_silent_and_since_when(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, silent: Part, told: str
) -> None:
    monkeypatch.setattr(workers, "redis_url", lambda: "redis://nowhere.invalid")
    # Of this moment, not of the hour at which the tests were collected.
    since = None if silent is Part.REDIS else now_utc() - timedelta(minutes=4)
    monkeypatch.setattr(signs, "_ask", lambda: Silence(silent, since))
    add(session, frequency="daily")
    text = words(page(app, session))
    assert "Nothing runs by itself now." in text
    assert told in text


def test_the_last_five_imports_are_a_strip_with_words(app: Flask, session: Session) -> None:
    one = add(session, frequency="daily")
    for number, state in enumerate((RunState.FAILED, *[RunState.DONE] * 4, RunState.FAILED)):
        ran(session, one, state=state, ended_at=NOW - timedelta(minutes=30 - number))
    html = page(app, session)
    assert "The last 5 imports: 4 clean and 1 failed or need a person" in html
    strip = html[html.index('class="ticks"') :]
    assert strip[: strip.index("</svg>")].count('y="1" width="6"') == 5


def test_a_month_that_differs_needs_somebody(app: Flask, session: Session) -> None:
    one = add(session, frequency="daily")
    found = {"agrees": False, "store": {"orders": 3, "totals": {}, "left_out": {}, "not_booked": 0},
             "ours": {"invoices": 2, "registered": 2, "in_journal": 0, "totals": {}}}  # fmt: skip
    run = ran(session, one, kind=RunKind.TIMETABLE, month_check={"month": "2026-10", **found})
    html = page(app, session)
    assert "October 2026 differs from the store" in html
    assert "1 installed, 1 needs you" in words(html)
    assert f'class="bad" href="/runs/{run.id}"' in html


@pytest.mark.parametrize("path", ["/integrations", "/integrations/1", "/", "/runs"])
def test_settings_that_cannot_be_read_stop_no_page(app: Flask, session: Session, path: str) -> None:
    one = add(session, frequency="daily")
    add(session, "Good", frequency="daily", number_prefix="GG")
    put(session, one, settings={**one.settings, "refunds": "someday"})
    answer = browser(app, session, Role.ADMINISTRATOR).get(path)
    assert answer.status_code == 200
    if path in ("/integrations", "/"):
        text = words(answer.text)
        assert "refunds=someday" in text
        assert "monet integrations set “Kava Ltd” key=value" in text
        assert re.search(r"(Today|Tomorrow) \d\d:\d\d · daily", text)  # the other one runs


def test_a_run_left_behind_by_a_terminal_is_no_current_one(app: Flask, session: Session) -> None:
    one = add(session, frequency="daily")
    ran(session, one, state=RunState.QUEUED, foreground=True, started_at=None, ended_at=None)
    ran(session, one, state=RunState.FAILED, kind=RunKind.TIMETABLE, error="The store is down.")
    text = words(page(app, session))
    assert "The store is down." in text
    assert "1 installed, 1 needs you" in text


def test_the_run_that_ended_last_is_the_last_whatever_its_number(app: Flask, session: Session) -> None:
    one = add(session, frequency="daily")
    ran(session, one, state=RunState.FAILED, ended_at=NOW - timedelta(minutes=1), error="The newer word.")
    ran(session, one, ended_at=NOW - timedelta(minutes=9))
    assert "The newer word." in page(app, session)


def test_a_preview_is_no_last_run(app: Flask, session: Session) -> None:
    ran(session, add(session), kind=RunKind.PREVIEW, registered=7, fetched=7)
    text = words(page(app, session))
    assert "Never ran yet" in text
    assert "7 registered" not in text


def test_what_waits_is_counted_and_summed_by_currency(app: Flask, session: Session) -> None:
    one = add(session)
    waits(session, one, "1", "1000.10")
    waits(session, one, "2", "204.40")
    waits(session, one, "3", "3.00", "USD")
    text = words(page(app, session))
    assert "3 waiting in the journals of Kava Ltd 1,204.50 EUR, 3.00 USD" in text
    assert "1 installed; 3 invoices wait in journals." in text
    assert "none needs you" not in text
    assert "3 invoices wait in journals." in text


def test_a_store_that_refuses_needs_somebody_and_offers_to_replace_the_key(app: Flask, session: Session) -> None:
    one = add(session)
    add(session, "Other")
    with writing(session):
        row = session.merge(one)
        row.refused_since, row.refused_text = NOW, "The store refused the key (401)."
    html = page(app, session, Role.ADMINISTRATOR)
    text = words(html)
    assert "2 installed, 1 needs you; no invoice waits." in text
    assert "Kava Ltd: the store does not let us in since today" in text
    assert "The store refused the key (401)." in text
    assert f'href="/integrations/{one.id}#the-store"' in html
    assert "Replace the key" not in words(page(app, session, Role.OFFICE))


def test_a_failed_run_says_why_and_needs_somebody(app: Flask, session: Session) -> None:
    ran(session, add(session), state=RunState.FAILED, error="The store is closed for maintenance (503).")
    text = words(page(app, session))
    assert "1 needs you" in text
    assert "The store is closed for maintenance (503)." in text


def test_a_run_at_work_shows_how_far_it_is_and_the_list_asks_again(app: Flask, session: Session) -> None:
    ran(session, add(session), state=RunState.RUNNING, ended_at=None, fetched=268, expected=412)
    html = page(app, session)
    assert "Running now 268 of 412 orders" in words(html)
    assert 'hx-get="/integrations/list"' in html
    assert "Stop the run of Kava Ltd" in html


def test_a_list_at_rest_does_not_ask_again(app: Flask, session: Session) -> None:
    ran(session, add(session))
    assert 'hx-get="/integrations/list"' not in page(app, session)
    answer = browser(app, session, Role.VIEWER).get("/integrations/list")
    assert answer.text.startswith("<section")
    assert "hx-trigger" not in answer.text


def test_a_switched_off_one_says_since_when_and_by_whom(app: Flask, session: Session) -> None:
    one = add(session)
    client = browser(app, session, Role.ADMINISTRATOR)
    assert client.post(f"/integrations/{one.id}/switch", data={"on": "no"}).status_code == 303
    assert again(session, one).state is IntegrationState.OFF
    text = words(client.get("/integrations").text)
    assert "Switched off today" in text
    assert "by Rūta administrator" in text
    assert "Switched off since today" in text
    assert "its exact name may be launched by hand" in text
    assert client.post(f"/integrations/{one.id}/switch", data={"on": "yes"}).status_code == 303
    assert again(session, one).state is IntegrationState.ON


def test_stop_ends_a_queued_run_and_asks_one_at_work(app: Flask, session: Session) -> None:
    one = add(session)
    run = ran(session, one, state=RunState.RUNNING, ended_at=None)
    client = browser(app, session, Role.OFFICE)
    assert client.post(f"/integrations/{one.id}/stop").status_code == 303
    with writing(session):
        assert session.get_one(Run, run.id, populate_existing=True).state is RunState.STOPPING
    assert "What was done stays." in client.get("/integrations").text


def test_after_a_first_launch_the_page_offers_daily(app: Flask, session: Session) -> None:
    one = add(session)
    assert "Import daily" not in page(app, session, Role.ADMINISTRATOR)
    ran(session, one, registered=1, fetched=1)
    client = browser(app, session, Role.ADMINISTRATOR)
    assert "Import daily" in client.get("/integrations").text
    client.post(f"/integrations/{one.id}/frequency", data={"frequency": "daily"})
    assert again(session, one).settings["frequency"] == "daily"
    assert "Import daily" not in client.get("/integrations").text
    assert client.post(f"/integrations/{one.id}/frequency", data={"frequency": "yearly"}).status_code == 400


def test_that_no_worker_is_alive_is_said(app: Flask, session: Session) -> None:
    add(session)
    assert "No worker is alive" in page(app, session)


def test_a_hostile_name_is_text(app: Flask, session: Session) -> None:
    one = add(session, HOSTILE)
    ran(session, one, state=RunState.FAILED, error=HOSTILE)
    with writing(session):
        row = session.merge(one)
        row.refused_since, row.refused_text = NOW, HOSTILE
    client = browser(app, session, Role.ADMINISTRATOR)
    for path in ("/integrations", f"/integrations/{one.id}", "/integrations/matches?mask=%25"):
        html = client.get(path).text
        assert "<script>alert" not in html
        assert HOSTILE in words(html)


def test_the_list_asks_as_much_for_one_as_for_twenty(app: Flask, session: Session) -> None:
    client = browser(app, session, Role.ADMINISTRATOR)

    def asked() -> int:
        with statements(app) as said:
            assert client.get("/integrations").status_code == 200
        return len(said)

    def one_more(number: int) -> None:
        often = ("off", "hours", "daily", "months")[number % 4]
        one = add(session, f"Shop {number}", enabled="no" if number % 3 == 0 else "yes", frequency=often)
        ran(session, one, registered=1, fetched=1)
        ran(session, one, state=RunState.QUEUED, started_at=None, ended_at=None)
        waits(session, one, str(number), "1.00")

    for number in range(3):
        one_more(number)
    few = asked()
    for number in range(3, 20):
        one_more(number)
    assert asked() == few


@pytest.mark.parametrize(
    ("path", "least"),
    [
        ("/integrations/{id}/run", Role.OFFICE),
        ("/integrations/{id}/stop", Role.OFFICE),
        ("/integrations/{id}/gap", Role.OFFICE),
        ("/integrations/launch", Role.OFFICE),
        ("/integrations/{id}/switch", Role.ADMINISTRATOR),
        ("/integrations/{id}/frequency", Role.ADMINISTRATOR),
        ("/integrations/{id}/preview", Role.ADMINISTRATOR),
        ("/integrations/{id}/retire", Role.ADMINISTRATOR),
        ("/integrations/{id}/test", Role.ADMINISTRATOR),
        ("/integrations/{id}", Role.ADMINISTRATOR),
        ("/integrations/connect/fake", Role.ADMINISTRATOR),
        ("/integrations/connect/fake/test", Role.ADMINISTRATOR),
    ],
)
def test_each_change_needs_its_role(app: Flask, session: Session, path: str, least: Role) -> None:
    one = add(session)
    roles = list(Role)
    for role in roles:
        answer = browser(app, session, role).post(path.format(id=one.id), data={})
        assert (answer.status_code == 403) is (roles.index(role) < roles.index(least)), (role, answer.status_code)
        if answer.status_code != 403:
            break  # what it changed is another test's


def test_a_viewer_sees_no_button_that_changes_anything(app: Flask, session: Session) -> None:
    ran(session, add(session), registered=1, fetched=1)
    text = words(page(app, session, Role.VIEWER))
    for word in ("Connect a store", "Launch 1 run", "Import daily", "Preview, write nothing"):
        assert word not in text
    assert "Run Kava Ltd now" not in page(app, session, Role.VIEWER)


def test_an_integration_that_is_gone_is_not_found(app: Flask, session: Session) -> None:
    one = add(session)
    connect.retire(session, one.name, now=NOW, actor="test")
    client = browser(app, session, Role.ADMINISTRATOR)
    assert client.get(f"/integrations/{one.id}").status_code == 404
    assert client.post(f"/integrations/{one.id}/run").status_code == 404
    assert client.post(f"/integrations/{one.id}/stop").status_code == 404
