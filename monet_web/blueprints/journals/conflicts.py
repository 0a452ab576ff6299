"""Numbers in conflict: the order and the document that has its number, side by side, and the answers (D2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup, escape

from monet_web.blueprints.access import needs, signed_in
from monet_web.blueprints.formats import zone
from monet_web.blueprints.invoices.filters import number
from monet_web.blueprints.journals import mistakes
from monet_web.blueprints.journals.blueprint import journals, rendered
from monet_web.blueprints.said import told
from monet_web.domain.errors import BrokenRule, MonetError
from monet_web.domain.filters import REASONS
from monet_web.domain.orders import Order
from monet_web.domain.windows import local_day
from monet_web.models import db
from monet_web.models.base import now_utc, reading
from monet_web.models.users import Role
from monet_web.services.documents.waiting import Sum
from monet_web.services.importing.claimed import SHORT_PATIENCE
from monet_web.services.running import conflicts as service
from monet_web.services.running.conflicts import Conflict, Tried


@dataclass(slots=True)
class Together:
    """Conflicts of one integration on this page: another prefix answers them all at once."""

    order_ids: list[int] = field(default_factory=list)
    sums: dict[str, Decimal] = field(default_factory=dict)
    months: set[date] = field(default_factory=set)

    def sum(self) -> Sum:
        """What the question names."""
        return Sum(len(self.order_ids), self.sums, tuple(sorted(self.months)))


@journals.get("/conflicts")
@signed_in
def conflicts() -> ResponseReturnValue:
    """The list, the oldest first."""
    session = db.session()
    with reading(session):
        found, after = service.page(session, after=number(request.args.get("after", "")) or 0)
        return rendered(
            session, "journals/conflicts.html", found=found, after=after, is_first="after" not in request.args,
            alone={one.order.id: _together([one])[one.order.store_id].sum() for one in found},
            together=_together(found),
        )  # fmt: skip


@journals.post("/conflicts/prefix")
@needs(Role.ADMINISTRATOR)
def change_prefix() -> ResponseReturnValue:
    """Another prefix for the integration of these orders, which are then tried again."""
    prefix = request.form.get("prefix", "")
    ids = _ids()
    try:
        tried = service.change_prefix(
            db.session(), ids, prefix, now=now_utc(), actor=current_user.email, patience=SHORT_PATIENCE
        )
    except BrokenRule as error:
        mistakes.remember(f"order {request.form.get('from', '')}", "prefix", prefix, told(error))
    except MonetError as error:
        flash(told(error), "failed")
    else:
        _tell(tried)
    return redirect(url_for("journals.conflicts"), 303)


@journals.post("/conflicts/number")
@needs(Role.OFFICE)
def give_number() -> ResponseReturnValue:
    """Another number for one order, which goes to the journal with it."""
    typed = request.form.get("number", "")
    ids = _ids()
    try:
        tried = service.give_number(
            db.session(), ids[0] if ids else 0, typed, now=now_utc(), actor=current_user.email,
            patience=SHORT_PATIENCE,
        )  # fmt: skip
    except BrokenRule as error:
        mistakes.remember(f"order {ids[0] if ids else ''}", "number", typed, told(error))
    except MonetError as error:
        flash(told(error), "failed")
    else:
        _tell([tried])
    return redirect(url_for("journals.conflicts"), 303)


@journals.post("/conflicts/again")
@needs(Role.OFFICE)
def try_again() -> ResponseReturnValue:
    """The number is free by now: the order is booked as any other."""
    try:
        tried = service.try_again(
            db.session(), _ids(), now=now_utc(), actor=current_user.email, patience=SHORT_PATIENCE
        )
    except MonetError as error:
        flash(told(error), "failed")
    else:
        _tell(tried)
    return redirect(url_for("journals.conflicts"), 303)


def _ids() -> list[int]:
    return [each for text in request.form.getlist("order") if (each := number(text)) is not None]


def _together(found: Sequence[Conflict]) -> dict[int, Together]:
    groups: dict[int, Together] = {}
    company_zone: ZoneInfo = zone()
    for one in found:
        group = groups.setdefault(one.order.store_id, Together())
        group.order_ids.append(one.order.id)
        if isinstance(one.said, Order):
            currency = one.said.currency
            group.sums[currency] = group.sums.get(currency, Decimal(0)) + one.said.total
            group.months.add(local_day(one.said.placed_at, company_zone).replace(day=1))
    return groups


def _tell(tried: Sequence[Tried]) -> None:
    """What became of each order, with the way to it."""
    parts = [_became(one) for one in tried]
    kinds = {one.outcome for one in tried}
    flash(Markup(" ").join(parts), "registered" if kinds == {"registered"} else "journal")


def _became(one: Tried) -> Markup:
    shown = one.number or one.order_number
    if one.outcome == "registered" and one.invoice_id is not None:
        text = _("Order %(order)s is registered as", order=one.order_number)
        return _linked(text, url_for("invoices.show", invoice_id=one.invoice_id), shown)
    if one.outcome == "in_journal" and one.invoice_id is not None:
        text = _("Order %(order)s waits in the journal as", order=one.order_number)
        return _linked(text, url_for("journals.show", invoice_id=one.invoice_id), shown)
    if one.outcome == "filtered":
        reason = REASONS[one.reason][1 if str(get_locale()) == "lt" else 0].partition(" (")[0]
        return escape(_("Order %(order)s makes no invoice: %(reason)s.", order=one.order_number, reason=reason))
    if one.outcome == "conflict":
        return escape(_("Order %(order)s is still in conflict.", order=one.order_number))
    return escape(_("Order %(order)s could not be booked; the next run tries again.", order=one.order_number))


def _linked(text: str, url: str, shown: str) -> Markup:
    return Markup('{} <a href="{}">{}</a>.').format(text, url, shown)
