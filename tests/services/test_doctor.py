"""The doctor sees what is wrong and says what to do."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy.orm import Session

from monet_web.models import Balance, Company, User
from monet_web.models.base import sealer, writing
from monet_web.models.integrations import IntegrationState
from monet_web.models.runs import RunKind, RunState
from monet_web.models.users import Role
from monet_web.services import doctor
from monet_web.services.goods import stock
from monet_web.services.signs import Sign
from tests.builders import NOON, a_run, an_integration, an_item
from tests.databases import OTHER_KEY, TEST_KEY


def signs(session: Session) -> dict[str, Sign]:
    return {one.part: one for one in doctor.checks_of_data(session, now=NOON)}


def test_a_well_installation_has_nothing_to_mend(session: Session) -> None:
    with writing(session):
        company = session.get_one(Company, 1)
        company.name, company.code, company.address = "UAB X", "1", "Vilnius"
        session.add(User(email="a@b.lt", role=Role.ADMINISTRATOR, password_hash="x", created_at=NOON))
        an_integration(session)
        an_item(session, "A")
    stock.receive_file(session, b"code,quantity\nA,2\n", note="", now=NOON, actor="test")
    assert [one.part for one in signs(session).values() if not one.well] == []


def test_what_is_missing_is_said_with_what_to_type(session: Session) -> None:
    found = signs(session)
    assert "no name, no code, no address" in found["company"].sentence
    assert "monet user add" in found["people"].fix


def test_a_store_that_refuses_is_named(session: Session) -> None:
    with writing(session):
        an_integration(session, "Kava", refused_since=NOON, refused_text="The store refused the key (401).")
    assert not signs(session)["integrations"].well
    assert "Kava since 2026-11-23 12:00: The store refused the key (401)." in signs(session)["integrations"].sentence


def test_a_run_that_is_silent_or_waits_too_long_is_named(session: Session) -> None:
    with writing(session):
        integration = an_integration(session)
        silent = a_run(session, integration, state=RunState.RUNNING, heartbeat_at=NOON - timedelta(minutes=4))
    assert f"run {silent.id}." in signs(session)["runs"].sentence
    with writing(session):
        silent.state = RunState.QUEUED
        silent.created_at = NOON - timedelta(minutes=11)
    assert "Queued for more than ten minutes" in signs(session)["runs"].sentence


def test_slots_that_nobody_opened_and_stores_that_fail_are_named(session: Session) -> None:
    assert signs(session)["timetable"].well
    with writing(session):
        one = an_integration(session, "Kava", settings={"frequency": "hours"}, next_run_at=NOON - timedelta(hours=1))
    assert "Overdue: Kava since 2026-11-23 11:00." in signs(session)["timetable"].sentence
    with writing(session):
        row = session.merge(one)
        row.next_run_at = NOON + timedelta(hours=1)
        a_run(session, row, kind=RunKind.TIMETABLE, state=RunState.FAILED, ended_at=NOON, error="It does not answer.")
        a_run(
            session, row, kind=RunKind.TIMETABLE, created_at=NOON - timedelta(hours=1),
            retry_at=NOON + timedelta(minutes=5),
        )  # fmt: skip
    found = signs(session)
    assert "Kava, tried again 2026-11-23 12:05: It does not answer." in found["timetable"].sentence
    assert found["runs"].well
    with writing(session):
        row = session.merge(one)
        row.refused_since, row.refused_text = NOON, "No."
    found = signs(session)
    assert (found["timetable"].well, found["runs"].well, found["integrations"].well) == (True, True, False)


def test_what_is_overdue_hides_nothing_that_fails(session: Session) -> None:
    with writing(session):
        an_integration(session, "Kava", settings={"frequency": "hours"}, next_run_at=NOON - timedelta(hours=1))
        other = an_integration(session, "Molis", settings={"frequency": "hours"}, next_run_at=NOON + timedelta(hours=1))
        a_run(session, other, kind=RunKind.TIMETABLE, state=RunState.FAILED, ended_at=NOON, error="It is down.")
        a_run(session, other, kind=RunKind.TIMETABLE, created_at=NOON, retry_at=NOON + timedelta(minutes=5))
    said = signs(session)["timetable"].sentence
    assert "Overdue: Kava since 2026-11-23 11:00." in said
    assert "Imports that fail: Molis, tried again 2026-11-23 12:05: It is down." in said


def test_each_integration_has_its_next_run_its_last_five_and_what_is_missing(session: Session) -> None:
    with writing(session):
        kava = an_integration(
            session, "Kava", settings={"frequency": "hours"}, next_run_at=NOON + timedelta(hours=1),
            covered_until=NOON, gaps=[[(NOON - timedelta(days=9)).isoformat(), (NOON - timedelta(days=8)).isoformat()]],
        )  # fmt: skip
        for number in range(6):
            state = RunState.FAILED if number == 5 else RunState.DONE
            a_run(session, kava, state=state, ended_at=NOON - timedelta(minutes=10 - number))
        an_integration(session, "Off", state=IntegrationState.OFF)
        an_integration(session, "By hand")
        unreadable = an_integration(session, "Broken", settings={"refunds": "someday"})
        assert unreadable.id
        an_integration(session, "Refused", settings={"frequency": "daily"}, refused_since=NOON, refused_text="No.")
    found = signs(session)
    told = found["integration Kava"]
    assert told.sentence == (
        "Next run: 2026-11-23 13:00, imports 2026-11-22 00:00 until 2026-11-23 13:00. Last imports: "
        "2026-11-23 11:55 failed, 2026-11-23 11:54 done, 2026-11-23 11:53 done, 2026-11-23 11:52 done, "
        "2026-11-23 11:51 done. Not imported, and not by itself: 2026-11-14 12:00 to 2026-11-15 12:00."
    )
    assert (told.well, told.fix) == (False, "Launch those days, or leave them out on the page Integrations.")
    assert found["integration Off"].sentence == "Switched off. No import yet."
    assert found["integration By hand"].sentence.startswith("Its frequency is off")
    assert found["integration Broken"].sentence.startswith("Its settings can't be read.")
    assert found["integration Refused"].sentence.startswith("The next run waits for a new key.")
    assert "Refused since 2026-11-23 12:00: No." in found["integrations"].sentence


def test_a_run_that_a_terminal_will_work_is_not_stuck(session: Session) -> None:
    with writing(session):
        one = an_integration(session, "Kava")
        a_run(session, one, foreground=True, created_at=NOON - timedelta(hours=1))
    assert signs(session)["runs"].well


def test_a_balance_that_is_not_the_sum_of_its_moves_is_named(session: Session) -> None:
    with writing(session):
        item = an_item(session, "A")
    stock.receive_file(session, b"code,quantity\nA,2\n", note="", now=NOON, actor="test")
    assert signs(session)["balances"].well
    with writing(session):
        session.get_one(Balance, (1, item.id), populate_existing=True).on_hand = Decimal(3)
    assert "A: balance 3.000000, moves 2.000000" in signs(session)["balances"].sentence


def test_secrets_that_no_present_key_opens_are_told(session: Session) -> None:
    with writing(session):
        an_integration(session)
    session.expunge_all()
    sealer.bind([OTHER_KEY])
    try:
        assert not signs(session)["secrets"].well
    finally:
        sealer.bind([TEST_KEY])


def test_a_keys_file_that_others_may_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("{}")
    path.chmod(0o644)
    assert "chmod 600" in doctor.keys_file(path, is_used=True).fix
    path.chmod(0o600)
    assert "Back this file up" in doctor.keys_file(path, is_used=True).sentence
    assert doctor.keys_file(tmp_path / "none", is_used=True).well is False
    assert doctor.keys_file(tmp_path / "none", is_used=False).well is True
