"""Notices leave the house: e-mails by SMTP, failures by webhook too. What can't be sent is logged and sent later.

An e-mail is in its reader's language; what a webhook is posted is English, since programs read it.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from functools import partial
from urllib.parse import unquote, urlsplit

import requests
from sqlalchemy.orm import Session

from monet_web.config import Config
from monet_web.installation import opened
from monet_web.languages.said import said
from monet_web.models.base import reading, writing
from monet_web.services import notices
from monet_web.services.notices import Due

log = logging.getLogger(__name__)

_SECONDS = 10
_HERE = ("127.0.0.1", "::1", "localhost")


def tell(config: Config, *, now: datetime) -> None:
    """Tell what is due; without a mail server or a webhook nothing is looked for. Never raises."""
    if config.smtp_url is None and config.alert_webhook is None:
        return
    try:
        with opened(config) as installation:
            session = installation.session_factory()
            try:
                _tell(session, config, now=now)
            finally:
                session.close()
    except Exception as error:  # noqa: BLE001 - a tick goes on; its text may hold an address with its password
        log.error("notices could not be looked for", extra={"reason": type(error).__name__})


def _tell(session: Session, config: Config, *, now: datetime) -> None:
    with reading(session):
        failing = notices.failing(session, now=now)
        morning = None if config.smtp_url is None else notices.morning(session, now=now)
        readers = notices.readers(session, config.mail_to)
    for due in failing:
        # After a failure the rest waits for the next tick, unclaimed: nobody's time limit loses it.
        if not _told(session, due, _failure(due, config, readers, now=now), now=now):
            break
    if morning is not None:
        with reading(session):
            sentence = notices.morning_sentence(session, now=now)
        _told(session, morning, _mails(config, readers, sentence, "", config.url or "", now=now), now=now)


def _told(session: Session, due: Due, ways: Mapping[str, Callable[[], None]], *, now: datetime) -> bool:
    """Send it by each way that has not succeeded yet; False when one failed now. One that another took is well."""
    with writing(session):
        if not notices.claim(session, due, now=now):
            return True
    sent = set(due.sent)
    sent |= {way for way, send in ways.items() if way not in sent and _try(way, send)}
    is_all = ways.keys() <= sent
    with writing(session):
        notices.told(session, due, sent, is_all=is_all)
    return is_all


def _mails(
    config: Config, readers: Mapping[str, Sequence[str]], subject: str, text: str, url: str, *, now: datetime
) -> dict[str, Callable[[], None]]:
    """An e-mail for the readers of each language: `subject`, and below it `text` or else the subject, and a link."""
    ways: dict[str, Callable[[], None]] = {}
    for language, to in readers.items():
        heading = said(subject, language)
        body = f"{said(text, language) or heading}\n\n{url}".strip()
        ways["e-mail" if language == "en" else f"e-mail {language}"] = partial(
            _mail, config, to, heading, body, now=now
        )
    return ways


def _failure(
    due: Due, config: Config, readers: Mapping[str, Sequence[str]], *, now: datetime
) -> dict[str, Callable[[], None]]:
    subject = f"{due.name} has failed for an hour"
    url = f"{config.url}/integrations/{due.integration_id}" if config.url else ""
    ways: dict[str, Callable[[], None]] = {}
    if config.smtp_url is not None:
        ways = _mails(config, readers, subject, due.because, url, now=now)
    webhook = config.alert_webhook
    if webhook is not None:
        told = {
            "text": f"{subject}. {due.because}",
            "integration": due.name,
            "since": due.since.isoformat(),
            "url": url,
        }
        ways["webhook"] = lambda: _post(webhook, told)
    return ways


def _try(way: str, send: Callable[[], None]) -> bool:
    try:
        send()
    except Exception as error:  # noqa: BLE001 - whatever a server answers; its text may hold an address with its password
        code = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None
        if isinstance(error, requests.HTTPError) and error.response is not None:
            code = error.response.status_code
        log.error("a notice could not be sent", extra={"way": way, "reason": type(error).__name__, "code": code})
        return False
    return True


def _post(url: str, told: dict[str, str]) -> None:
    with requests.post(
        url, json=told, timeout=_SECONDS, allow_redirects=False, stream=True
    ) as answer:  # fmt: skip
        if not 200 <= answer.status_code < 300:
            raise requests.HTTPError(response=answer)


def _mail(config: Config, to: Sequence[str], subject: str, text: str, *, now: datetime) -> None:
    message = EmailMessage()
    message["Subject"] = f"Monet: {subject}"
    message["From"] = config.mail_from
    message["To"] = ", ".join(to)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=config.mail_from.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text + "\n")
    parts = urlsplit(config.smtp_url or "")
    host, context = parts.hostname or "", ssl.create_default_context()
    server: smtplib.SMTP = (
        smtplib.SMTP_SSL(host, parts.port or 465, timeout=_SECONDS, context=context)
        if parts.scheme == "smtps"
        else smtplib.SMTP(host, parts.port or 587, timeout=_SECONDS)
    )
    with server:
        server.ehlo()
        is_sealed = parts.scheme == "smtps"
        if not is_sealed and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
            is_sealed = True
        if parts.username:
            if not is_sealed and host not in _HERE:
                raise smtplib.SMTPNotSupportedError("no STARTTLS: the password would travel readable")
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)
