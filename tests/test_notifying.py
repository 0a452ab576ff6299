"""Notices: a failure of an hour and the morning sentence are told once, over real SMTP and HTTP, and stop nothing."""

from __future__ import annotations

import json
import logging
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_string
from email.header import decode_header, make_header
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from monet_web import notifying
from monet_web.config import Config
from monet_web.models import Company, Integration, User
from monet_web.models.base import reading, writing
from monet_web.models.integrations import IntegrationState
from monet_web.models.notices import Notice, NoticeKind
from monet_web.models.runs import RunKind, RunState
from monet_web.models.store_orders import Outcome
from monet_web.models.users import Role
from monet_web.services import notices
from tests import builders
from tests.builders import NOON

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAILY = {"frequency": "daily"}


def ended(session: Session, integration: Integration, state: RunState, at: datetime) -> None:
    builders.a_run(
        session, integration, state=state, kind=RunKind.TIMETABLE, ended_at=at,
        **({"error": "The store did not answer.", "fix": "It is tried again."} if state is RunState.FAILED else {}),
    )  # fmt: skip


def due(session: Session, now: datetime) -> list[notices.Due]:
    with reading(session):
        return notices.failing(session, now=now)


def test_a_failure_is_told_after_an_hour_and_a_new_one_after_a_recovery(session: Session) -> None:
    with writing(session):
        kava = builders.an_integration(session, "Kava", settings=DAILY)
        ended(session, kava, RunState.DONE, NOON - HOUR)
        for minutes in (0, 1, 6, 21):
            ended(session, kava, RunState.FAILED, NOON + minutes * MINUTE)
    assert due(session, NOON + 59 * MINUTE) == []
    [first] = due(session, NOON + HOUR)
    assert (first.name, first.since) == ("Kava", NOON)
    assert first.because == (
        "No orders came in since 2026-11-23 12:00. The store did not answer. It is tried again."
    )  # fmt: skip
    with writing(session):
        assert notices.claim(session, first, now=NOON + HOUR)
        notices.told(session, first, {"e-mail"}, is_all=True)
    with writing(session):
        assert not notices.claim(session, first, now=NOON + HOUR)
        for hours in range(2, 30):
            ended(session, kava, RunState.FAILED, NOON + hours * HOUR)
    assert due(session, NOON + 40 * HOUR) == []
    with writing(session):
        ended(session, kava, RunState.DONE, NOON + 41 * HOUR)
        ended(session, kava, RunState.FAILED, NOON + 42 * HOUR)
    assert due(session, NOON + 42 * HOUR) == []
    assert [one.since for one in due(session, NOON + 43 * HOUR)] == [NOON + 42 * HOUR]


def test_a_refused_key_is_told_and_its_replacement_is_no_new_failure(session: Session) -> None:
    with writing(session):
        kava = builders.an_integration(
            session, "Kava", settings=DAILY, refused_since=NOON, refused_text="Kava refuses the key."
        )
        off = builders.an_integration(session, "Off", settings=DAILY, refused_since=NOON, state=IntegrationState.OFF)
        ended(session, off, RunState.FAILED, NOON)
        ended(session, kava, RunState.FAILED, NOON - MINUTE)
    [told] = due(session, NOON + HOUR)
    assert (told.name, told.since) == ("Kava", NOON - MINUTE)
    assert told.because.endswith("Kava refuses the key.")
    with writing(session):
        notices.claim(session, told, now=NOON + HOUR)
        notices.told(session, told, {"e-mail"}, is_all=True)
        kava.refused_since = None
    assert due(session, NOON + 2 * HOUR) == []


def test_a_launch_that_failed_is_no_alarm_and_one_that_succeeded_ends_it(session: Session) -> None:
    with writing(session):
        by_hand = builders.an_integration(session, "By hand")
        kava = builders.an_integration(session, "Kava", settings=DAILY)
        for one in (by_hand, kava):
            builders.a_run(session, one, state=RunState.FAILED, kind=RunKind.LAUNCH, ended_at=NOON, error="No.")
        by_hand.refused_since, by_hand.refused_text = NOON, "No."
    assert due(session, NOON + 2 * HOUR) == []
    with writing(session):
        ended(session, kava, RunState.FAILED, NOON)
    assert [one.since for one in due(session, NOON + 2 * HOUR)] == [NOON]
    with writing(session):
        builders.a_run(session, kava, state=RunState.DONE, kind=RunKind.LAUNCH, ended_at=NOON + HOUR)
    assert due(session, NOON + 2 * HOUR) == []


def test_the_time_a_run_ended_counts_and_not_its_number(session: Session) -> None:
    with writing(session):
        kava = builders.an_integration(session, "Kava", settings=DAILY)
        # The first waited for its turn while the second failed, and succeeded after it.
        waited = builders.a_run(session, kava, state=RunState.QUEUED, kind=RunKind.TIMETABLE)
        ended(session, kava, RunState.FAILED, NOON)
        waited.state, waited.ended_at = RunState.DONE, NOON + MINUTE
    assert due(session, NOON + 2 * HOUR) == []


def test_the_morning_comes_once_a_day_after_seven_in_the_company(session: Session) -> None:
    def at(now: datetime) -> notices.Due | None:
        with reading(session):
            return notices.morning(session, now=now)

    seven = NOON - 5 * HOUR  # 07:00 in Vilnius
    assert at(seven - MINUTE) is None
    told = at(seven)
    assert told is not None
    with writing(session):
        assert notices.claim(session, told, now=seven)
    # Not sent yet: tried again until noon.
    assert at(seven + 30 * timedelta(seconds=1)) is None
    again = at(seven + MINUTE)
    assert again is not None
    assert again.attempt == 1
    assert at(NOON - MINUTE) is not None
    assert at(NOON) is None
    with writing(session):
        notices.told(session, told, {"e-mail"}, is_all=True)
    assert at(seven + 2 * HOUR) is None
    assert at(seven + 24 * HOUR) is not None


def test_the_morning_sentence_says_what_the_first_page_says(session: Session) -> None:
    def sentence() -> str:
        with reading(session):
            return notices.morning_sentence(session, now=NOON)

    with writing(session):
        kava = builders.an_integration(session, "Kava", settings=DAILY)
        builders.a_run(session, kava, state=RunState.DONE, ended_at=NOON, window_end=NOON)
    assert sentence() == "Nothing needs you. No order came in yesterday."
    with writing(session):
        for number in ("1", "2"):
            builders.a_store_order(
                session, kava, number, placed_at=NOON - 24 * HOUR, outcome=Outcome.REGISTERED
            )  # fmt: skip
    assert sentence() == "All 2 orders of yesterday are invoiced."
    with writing(session):
        builders.a_store_order(session, kava, "3", placed_at=NOON, outcome=Outcome.CONFLICT)
    assert sentence() == "1 thing needs you."
    with writing(session):
        ended(session, kava, RunState.FAILED, NOON)
    assert sentence() == "2 things need you."


# --- sending -------------------------------------------------------------------------------------------------------


class Smtp(socketserver.StreamRequestHandler):
    """As much SMTP as it takes to get a message."""

    def handle(self) -> None:
        def say(text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

        say("220 here")
        while line := self.rfile.readline().decode().strip():
            word = line[:4].upper()
            if word == "EHLO":
                say("250-here")
                say("250 AUTH PLAIN")
            elif word == "AUTH":
                self.server.said.append(line)  # type: ignore[attr-defined]
                say("235 welcome")
            elif word == "DATA":
                say("354 go on")
                body = b""
                while not body.endswith(b"\r\n.\r\n"):
                    body += self.rfile.readline()
                self.server.got.append(body.decode())  # type: ignore[attr-defined]
                say("250 taken")
            elif word == "QUIT":
                say("221 bye")
                return
            else:
                say("250 well")


class Hook(BaseHTTPRequestHandler):
    """Keeps what is posted; answers as its server is told to."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(json.loads(body))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def served(server: Any) -> Iterator[Any]:
    server.got, server.said, server.status = [], [], 204
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def smtp() -> Iterator[Any]:
    with served(socketserver.TCPServer(("127.0.0.1", 0), Smtp)) as server:
        yield server


@pytest.fixture
def hook() -> Iterator[Any]:
    with served(HTTPServer(("127.0.0.1", 0), Hook)) as server:
        yield server


@pytest.fixture
def telling(config: Config, smtp: Any, hook: Any) -> Config:
    return replace(
        config,
        url="https://monet.example.com",
        smtp_url=f"smtp://monet:p%40ss@127.0.0.1:{smtp.server_address[1]}",
        mail_from="monet@example.com",
        mail_to=("ona@example.com", "jonas@example.com"),
        alert_webhook=f"http://127.0.0.1:{hook.server_address[1]}/hidden-path",
    )


@pytest.fixture
def failing(session: Session) -> Integration:
    with writing(session):
        session.get_one(Company, 1).language = "en"
        kava = builders.an_integration(session, "Kava\r\nBcc: x@example.com", settings=DAILY)
        ended(session, kava, RunState.FAILED, NOON)
    return kava


def test_an_e_mail_and_a_post_tell_a_failure_once(telling: Config, failing: Integration, smtp: Any, hook: Any) -> None:
    for minutes in (60, 61, 62):
        notifying.tell(telling, now=NOON + minutes * MINUTE)
    failure, morning = (message_from_string(text) for text in smtp.got)
    assert failure["Subject"] == "Monet: Kava Bcc: x@example.com has failed for an hour"
    assert (failure["To"], failure["Bcc"]) == ("ona@example.com, jonas@example.com", None)
    assert "The store did not answer." in failure.get_payload()
    assert f"https://monet.example.com/integrations/{failing.id}" in failure.get_payload()
    assert morning["Subject"] == "Monet: 1 thing needs you."
    [told] = hook.got
    assert told["since"] == NOON.isoformat()
    assert told["url"] == f"https://monet.example.com/integrations/{failing.id}"
    assert told["text"].startswith("Kava Bcc: x@example.com has failed for an hour. No orders came in since")
    assert told.keys() == {"text", "integration", "since", "url"}
    assert smtp.said  # the password was used


def test_each_reader_gets_the_e_mail_in_his_language(
    telling: Config, failing: Integration, session: Session, smtp: Any, hook: Any
) -> None:
    with writing(session):
        for email, language in (("ona@example.com", "lt"), ("jonas@example.com", "en")):
            session.add(User(email=email, language=language, role=Role.VIEWER, created_at=NOON))
    for minutes in (60, 61):
        notifying.tell(telling, now=NOON + minutes * MINUTE)
    got = {(mail["To"], str(make_header(decode_header(mail["Subject"])))): mail for mail in map(parsed, smtp.got)}
    assert got.keys() == {
        ("ona@example.com", "Monet: Kava Bcc: x@example.com nepavyksta jau valandą"),
        ("jonas@example.com", "Monet: Kava Bcc: x@example.com has failed for an hour"),
        ("ona@example.com", "Monet: Jūsų laukia 1 dalykas."),
        ("jonas@example.com", "Monet: 1 thing needs you."),
    }
    failure = got["ona@example.com", "Monet: Kava Bcc: x@example.com nepavyksta jau valandą"]
    text = failure.get_payload(decode=True).decode()
    assert "Užsakymai negaunami nuo 2026-11-23 12:00." in text
    assert "has failed for an hour" in hook.got[0]["text"]


def parsed(text: str) -> Any:
    return message_from_string(text)


def test_a_company_that_writes_lithuanian_is_told_so_unless_the_reader_chose(session: Session) -> None:
    with writing(session):
        session.get_one(Company, 1).language = "both"
        session.add(User(email="jonas@example.com", language="en", role=Role.VIEWER, created_at=NOON))
    with reading(session):
        found = notices.readers(session, ["Ona@example.com", "Jonas@Example.com"])
    assert found == {"lt": ["Ona@example.com"], "en": ["Jonas@Example.com"]}


def test_a_recovery_and_a_new_failure_are_told_again(
    telling: Config, failing: Integration, session: Session, hook: Any
) -> None:
    notifying.tell(telling, now=NOON + HOUR)
    with writing(session):
        ended(session, failing, RunState.DONE, NOON + 2 * HOUR)
        ended(session, failing, RunState.FAILED, NOON + 3 * HOUR)
    notifying.tell(telling, now=NOON + 4 * HOUR)
    assert [told["since"] for told in hook.got] == [(NOON + hours * HOUR).isoformat() for hours in (0, 3)]


def test_two_ticks_at_once_send_once(telling: Config, failing: Integration, smtp: Any, hook: Any) -> None:
    ticks = [threading.Thread(target=notifying.tell, args=(telling,), kwargs={"now": NOON + HOUR}) for _ in range(4)]
    for tick in ticks:
        tick.start()
    for tick in ticks:
        tick.join()
    assert (len(smtp.got), len(hook.got)) == (2, 1)


def test_what_cant_be_sent_is_logged_without_secrets_and_raises_nothing(
    telling: Config, failing: Integration, hook: Any, caplog: pytest.LogCaptureFixture
) -> None:
    hook.status = 500
    with caplog.at_level(logging.WARNING):
        notifying.tell(replace(telling, smtp_url="smtp://monet:p%40ss@127.0.0.1:1"), now=NOON + HOUR)
    assert {record.__dict__["way"] for record in caplog.records} == {"e-mail", "webhook"}
    assert [record.__dict__["code"] for record in caplog.records if record.__dict__["way"] == "webhook"] == [500]
    said = " ".join(str(record.__dict__) for record in caplog.records)
    assert not [secret for secret in ("p%40ss", "p@ss", "hidden-path") if secret in said]


def test_without_an_address_nothing_is_marked_as_told(
    config: Config, failing: Integration, session_factory: sessionmaker[Session]
) -> None:
    notifying.tell(config, now=NOON + HOUR)
    assert len(due(session_factory(), NOON + HOUR)) == 1


def test_what_could_not_be_sent_is_sent_later_and_only_by_the_way_that_failed(
    telling: Config, failing: Integration, smtp: Any, hook: Any
) -> None:
    hook.status = 500
    tried = []
    for minutes in (0, 1, 5, 6, 20, 21, 80, 81, 140, 141, 142, 201):
        before = len(hook.got)
        notifying.tell(telling, now=NOON + HOUR + minutes * MINUTE)
        tried += [minutes] if len(hook.got) > before else []
        if minutes == 140:
            hook.status = 204
    assert tried == [0, 1, 6, 21, 81, 141]  # 1, 5, 15, 60 minutes later, then each hour
    assert len([text for text in smtp.got if "has failed for an hour" in text]) == 1


def test_a_failure_that_is_over_is_not_told_any_more(
    telling: Config, failing: Integration, session: Session, hook: Any
) -> None:
    hook.status = 500
    notifying.tell(telling, now=NOON + HOUR)
    with writing(session):
        ended(session, failing, RunState.DONE, NOON + HOUR)
    notifying.tell(telling, now=NOON + 2 * HOUR)
    assert len(hook.got) == 1


def test_the_morning_is_sent_when_the_mail_server_is_back_before_noon(
    telling: Config, smtp: Any, session: Session
) -> None:
    seven = NOON - 5 * HOUR
    away = replace(telling, smtp_url="smtp://127.0.0.1:1")
    for minutes in (0, 1, 6):
        notifying.tell(away, now=seven + minutes * MINUTE)
    for minutes in (7, 20, 22, 59):
        notifying.tell(telling, now=seven + minutes * MINUTE)
    assert len(smtp.got) == 1
    notifying.tell(away, now=seven + 24 * HOUR)
    notifying.tell(telling, now=NOON + 24 * HOUR)
    assert len(smtp.got) == 1


def test_after_one_that_could_not_be_sent_the_others_wait_unclaimed(
    telling: Config, failing: Integration, session: Session, hook: Any
) -> None:
    with writing(session):
        other = builders.an_integration(session, "Zuvis", settings=DAILY)
        ended(session, other, RunState.FAILED, NOON)
    hook.status = 500
    notifying.tell(telling, now=NOON + HOUR)
    assert len(hook.got) == 1
    with reading(session):
        kept = session.scalars(select(Notice).where(Notice.kind == NoticeKind.FAILING)).all()
    assert [one.integration_id for one in kept] == [failing.id]
    notifying.tell(telling, now=NOON + HOUR + MINUTE / 2)
    assert [told["integration"] for told in hook.got][1:] == ["Zuvis"]
