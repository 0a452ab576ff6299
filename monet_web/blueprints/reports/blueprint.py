"""The blueprint that the reports hang on, and the tabs between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app
from flask_babel import lazy_gettext as _

reports = Blueprint("reports", __name__, url_prefix="/reports")


@dataclass(frozen=True)
class Report:
    """One report: its view's name, the tab's words and a sentence of what it is for."""

    endpoint: str
    label: Any
    about: Any


# In the order in which a month is finished.
REPORTS = (
    Report("reports.month", _("Month"), _("What stands between this month and its filing, and closing it.")),
    Report("reports.numbers", _("Numbers"), _("Every gap and every date out of order, explained number by number.")),
    Report(
        "reports.sales_journal", _("Sales journal"), _("A month's sales with their accounts, for the main program.")
    ),
    Report("reports.isaf", _("i.SAF"), _("The month's file for the tax authority, checked before download.")),
    Report("reports.oss", _("OSS"), _("A quarter's sales to consumers in other EU countries.")),
)


@reports.context_processor
def _tabs() -> dict[str, Any]:
    return {"reports": [each for each in REPORTS if each.endpoint in current_app.view_functions]}
