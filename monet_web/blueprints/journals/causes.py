"""A cause as a page draws it: its sentences, where its invoices are listed, and the control that mends it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app, url_for

from monet_web.blueprints import sentences
from monet_web.domain.checks import plain
from monet_web.domain.findings import PERSON_MAY_PASS, Text
from monet_web.services.documents import mend_cause
from monet_web.services.documents.causes import SHORT, Cause, Shortage

# Why these matter is said with the figures of one invoice.
_OWN_WHY = ("total_differs", "vat_differs")
_IN_SETTINGS = ("common_item_missing", "warehouse_missing", "number_missing")


@dataclass(frozen=True, slots=True)
class Drawn:
    """`control`: item | rate | stock | register | settings | "" (nothing here mends it); `link`: where it is mended."""

    cause: Cause
    text: Text
    control: str = ""
    link: str = ""
    integration_id: int | None = None  # only what waits in this integration is mended
    shortage: Shortage | None = None  # of all that wait for the item

    @property
    def about(self) -> str:
        """Tells its form from the others of the page."""
        return f"{self.cause.code} {self.cause.subject}"

    @property
    def why(self) -> str:
        """Why it matters, "" where that is true of one invoice only and there are several."""
        return "" if self.cause.code in _OWN_WHY and self.cause.invoices > 1 else self.text.why

    @property
    def key(self) -> str:
        """The id of its field on the page."""
        return "m-" + hashlib.sha256(self.about.encode()).hexdigest()[:8]

    @property
    def suggests(self) -> str:
        """Where items are proposed while one is typed."""
        return _link("items.suggest")

    @property
    def value(self) -> dict[str, Any]:
        """The values of the finding: `what`, `currency`, `day` …"""
        return dict(self.cause.finding.values)


def drawn(
    found: Sequence[Cause], *, integration_id: int | None = None, short: Mapping[str, Shortage] | None = None
) -> list[Drawn]:
    """Causes with their controls. `integration_id`: of one invoice, whose store alone is mended."""
    made = []
    for one in found:
        shortage = (short or {}).get(one.finding.subject) if one.code == SHORT else None
        control, link = _control(one, integration_id, shortage)
        text = sentences.said(one.finding)
        made.append(Drawn(one, text, control, link, integration_id=integration_id, shortage=shortage))
    return made


def _control(cause: Cause, integration_id: int | None, shortage: Shortage | None) -> tuple[str, str]:
    values = cause.finding.values
    if cause.code == mend_cause.ITEM_UNKNOWN:
        makes = _link("items.new", code=values.get("sku") or None, name=values.get("name") or None)
        can_map = mend_cause.alias_of(cause.subject, values) is not None
        return ("item" if can_map else "", makes)
    if cause.code == mend_cause.RATE_MISSING:
        return ("rate", "")
    if cause.code == SHORT:
        # On one invoice what it misses itself; of a cause what all that wait for it miss together.
        missing = values.get("missing") if integration_id is not None else None
        if shortage is not None:
            missing = plain(shortage.missing) if shortage.missing else None
        return "stock", _link(
            "items.receive",
            item=values.get("item"),
            warehouse=values.get("warehouse"),
            quantity=missing,
            back="journals",
        )
    if cause.code in PERSON_MAY_PASS:
        return ("register", "")
    if cause.code in _IN_SETTINGS and integration_id is not None:
        return "settings", _link("integrations.edit", integration_id=integration_id)
    return ("", "")


def _link(endpoint: str, **values: Any) -> str:
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else ""
