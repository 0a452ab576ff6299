"""A cause as a page draws it: its sentences, where its invoices are listed, and the controls that mend it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from flask import current_app, url_for
from flask_login import current_user

from monet_web.blueprints import sentences
from monet_web.blueprints.journals import selection
from monet_web.domain.checks import plain
from monet_web.domain.findings import PERSON_MAY_PASS, Text
from monet_web.models.users import Role
from monet_web.services.books.waiting_figures import SHORT
from monet_web.services.documents.causes import Cause, Shortage
from monet_web.services.documents.questions import Asked
from monet_web.services.documents.waiting import Which

# Those of VAT; macros/vat.html draws them.
VAT_CONTROLS: Mapping[str, str] = {
    "vat_number_unconfirmed": "vies",
    "vat_number_refused": "vies",
    "eu_untaxed": "eu_buyer",
    "export_unproven": "mrn",
    "classifier_missing": "vat_code",
    "not_vat_payer": "vat_days",
    "issued_not_payer": "payer_date",
    "oss_off": "vat_days",
    "eu_threshold": "vat_days",
    "oss_rate": "oss_rate",
}
# What a cause's main control is; the codes of people's own passing are all `register`.
CONTROLS: Mapping[str, str] = {
    "item_unknown": "item",
    "common_item_missing": "common",
    "warehouse_missing": "warehouse",
    "stock_short": "stock",
    "total_differs": "accept",
    "vat_differs": "accept",
    "base_differs": "accept",
    "quantity_differs": "accept",
    "vat_rate_unknown": "vat_rate",
    "tax_rate_missing": "vat_rate",
    "currency_rate_missing": "rate",
    "vat_code_invalid": "buyer",
    "period_closed": "period",
    "number_missing": "number",
    "changed_in_store": "changed",
    "quantity_missing": "open",
    "no_lines": "open",
    "total_negative": "open",
    "marketplace_vat": "open",
    "invoice_not_registered": "open",
    "vat_by_hand": "open",
    "company_charged": "open",
    "goods_unanswered": "open",
    "refund_over": "open",
    "refund_incomplete": "open",
    **VAT_CONTROLS,
    **dict.fromkeys(PERSON_MAY_PASS, "register"),
}
# Controls that an accountant alone may use: VAT, differences, dates (H1).
ACCOUNTANTS = frozenset({"accept", "vat_rate", "period", "warehouse", "vat_code", "oss_rate", "payer_date"})
# Where periods are closed and opened, and where changes in the store are answered.
_PERIODS = "settings.periods"
_CHANGES = "journals.changed"


@dataclass(frozen=True, slots=True)
class Drawn:
    """`control`: one of CONTROLS' values, "" when nothing here mends it; `link`: where it is mended on a page."""

    cause: Cause
    text: Text
    control: str = ""
    link: str = ""
    which: Which = field(default_factory=Which)  # the invoices that the controls mean
    shortage: Shortage | None = None  # of all that wait for the item
    common_item: str = ""  # of the settings of an integration in which they wait
    asked: tuple[Asked, ...] = ()
    may_settle: bool = False  # the person is an accountant
    token: str = ""  # of the form that receives goods: sent twice, it is entered once

    @property
    def about(self) -> str:
        """Tells its forms from the others of the page."""
        return f"{self.cause.code} {self.cause.subject}"

    @property
    def why(self) -> str:
        """Why it matters."""
        return self.text.why

    @property
    def key(self) -> str:
        """The beginning of the ids of its fields on the page."""
        return "m-" + hashlib.sha256(self.about.encode()).hexdigest()[:8]

    @property
    def suggests(self) -> str:
        """Where items are proposed while one is typed."""
        return _link("items.suggest")

    @property
    def value(self) -> dict[str, Any]:
        """The values of the finding: `what`, `currency`, `day` …"""
        return dict(self.cause.finding.values)

    @property
    def is_one(self) -> bool:
        """It is drawn on the page of a single invoice."""
        return self.which.invoice_ids is not None

    @property
    def needs_accountant(self) -> bool:
        """Its control is an accountant's, and the person is none."""
        return self.control in ACCOUNTANTS and not self.may_settle

    @property
    def months(self) -> list[date]:
        """The first and the last month in which they are dated: one or two."""
        if self.cause.oldest is None or self.cause.newest is None:
            return []
        return sorted({self.cause.oldest.replace(day=1), self.cause.newest.replace(day=1)})

    @property
    def missing(self) -> str:
        """How much to receive, "" when nobody can tell or nothing is missing."""
        if self.shortage is not None and not self.is_one:
            return plain(self.shortage.missing) if self.shortage.missing else ""
        return str(self.value.get("missing") or "")

    def fields(self, **more: str) -> list[tuple[str, str]]:
        """Hidden fields of a form that means its invoices."""
        return selection.fields(self.which, **more)


def drawn(
    found: Sequence[Cause],
    *,
    which: Which | None = None,
    short: Mapping[str, Shortage] | None = None,
    asked: Mapping[tuple[str, str], Sequence[Asked]] | None = None,
    common: Mapping[int, str] | None = None,
    names: Mapping[int, str] | None = None,
) -> list[Drawn]:
    """Causes with their controls, which mean the invoices of `which` that wait for them. Asks the database nothing."""
    narrowed = which or Which()
    settles = bool(current_user.may(Role.ACCOUNTANT))
    made = []
    for one in found:
        mine = replace(narrowed, code=one.code, subject=one.subject)
        integrations = one.integrations or ((narrowed.integration_id,) if narrowed.integration_id else ())
        made.append(
            Drawn(
                one,
                sentences.said(one.finding),
                CONTROLS.get(one.code, ""),
                _link_of(one, mine, integrations, names or {}, (short or {}).get(one.finding.subject)),
                which=mine,
                shortage=(short or {}).get(one.finding.subject) if one.code == SHORT else None,
                common_item=next((common[each] for each in integrations if common and each in common), ""),
                asked=tuple((asked or {}).get((one.code, one.subject), ())),
                may_settle=settles,
                token=secrets.token_urlsafe(9) if one.code == SHORT else "",
            )
        )
    return made


def _link_of(
    cause: Cause, mine: Which, integrations: Sequence[int], names: Mapping[int, str], shortage: Shortage | None
) -> str:
    values = cause.finding.values
    match CONTROLS.get(cause.code, ""):
        case "item":
            return _link("items.new", code=values.get("sku") or None, name=values.get("name") or None)
        case "stock":
            # On one invoice what it misses itself; of a cause what all that wait for it miss together.
            missing = values.get("missing") if mine.invoice_ids is not None else None
            if shortage is not None and mine.invoice_ids is None:
                missing = plain(shortage.missing) if shortage.missing else None
            return _link(
                "items.receive", item=values.get("item"), warehouse=values.get("warehouse"), quantity=missing,
                back="journals",
            )  # fmt: skip
        case "period":
            return _link(_PERIODS)
        case "changed":
            return _link(_CHANGES)
        case "number":
            return _launch_again(cause, integrations, names)
        case "warehouse" | "common" if len(integrations) == 1:
            return _link("integrations.edit", integration_id=integrations[0])
        case _:
            return ""


def _launch_again(cause: Cause, integrations: Sequence[int], names: Mapping[int, str]) -> str:
    """The form of a launch that reads these orders again."""
    mask = ", ".join(names[each] for each in integrations if each in names)
    if not mask or cause.oldest is None or cause.newest is None:
        return ""
    return _link(
        "integrations.page", mask=mask, first=cause.oldest.isoformat(), last=cause.newest.isoformat(),
        _anchor="launch-h",
    )  # fmt: skip


def _link(endpoint: str, **values: Any) -> str:
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else ""
