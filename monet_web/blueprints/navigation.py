"""What every page shows around itself: the pages one can go to, the company's name, the language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import Flask, current_app, request
from flask_babel import get_locale
from flask_babel import lazy_gettext as _
from flask_login import current_user

from monet_web.blueprints import formats
from monet_web.models import Company, db
from monet_web.models.base import reading
from monet_web.services.books import waiting_figures

LANGUAGES = ("en", "lt")


@dataclass(frozen=True)
class Entry:
    """One page of the navigation; `short` is its name where there is little room, `key` leads to it after a g."""

    endpoint: str
    label: Any
    icon: str
    short: Any = ""
    begins_group: bool = False
    count: int = 0
    key: str = ""

    def holds(self, endpoint: str | None) -> bool:
        """True when the page shown belongs to this entry."""
        return endpoint is not None and endpoint.partition(".")[0] == self.endpoint.partition(".")[0]


# In the order of the day's work; the first four are the bar at the foot of a phone.
ENTRIES = (
    Entry("today.page", _("Today"), "today", key="t"),
    Entry("integrations.page", _("Integrations"), "integrations", key="i"),
    Entry("journals.page", _("Journals"), "book", key="j"),
    Entry("invoices.page", _("Sales invoices"), "invoice", short=_("Invoices"), key="s"),
    Entry("runs.page", _("Runs"), "queued", key="u"),
    Entry("items.page", _("Items and stock"), "box", begins_group=True, key="p"),
    Entry("customers.page", _("Customers"), "people", key="c"),
    Entry("reports.page", _("Reports"), "report", key="r"),
    Entry("settings.page", _("Settings"), "settings", begins_group=True, key="e"),
)


def language(chosen: str | None = None) -> str:
    """The one that is `chosen` (None: the person's own), else what the browser asks for, else English."""
    if chosen is None:
        chosen = getattr(current_user, "language", "")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES) or "en"


def surround(app: Flask) -> None:
    """Give every template what base.html needs."""
    app.context_processor(_around)


def _around() -> dict[str, Any]:
    around: dict[str, Any] = {
        "navigation": [entry for entry in ENTRIES if entry.endpoint in current_app.view_functions],
        "theme": getattr(current_user, "theme", ""),
        "get_locale": get_locale,
        "company_name": "",
        "is_demo": False,
        "printed_at": _stamp,
    }
    session = db.session()
    if session.in_transaction():
        _fill(session, around)
    else:
        with reading(session):
            _fill(session, around)
    return around


def _stamp() -> str:
    """Now as a printed page says it, `2026-11-24 14:05`: the year too, since paper is read years later."""
    return datetime.now(formats.zone()).strftime("%Y-%m-%d %H:%M")


def _fill(session: Any, around: dict[str, Any]) -> None:
    company = session.get(Company, 1)
    if company is not None:
        around["company_name"] = company.name
        around["is_demo"] = company.is_demo
    if current_user.is_authenticated:
        waiting = waiting_figures.waiting_count(session)
        around["navigation"] = [
            replace(entry, count=waiting) if entry.endpoint == "journals.page" else entry
            for entry in around["navigation"]
        ]
