"""How figures, days and times are written on a page, in the person's language; the company's time zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal
from flask import Flask, g
from flask_babel import get_locale
from flask_babel import gettext as _
from jinja2 import pass_context
from jinja2.runtime import Context

from monet_web.blueprints import said
from monet_web.models import Company, db
from monet_web.models.base import reading

NO_BREAK = "\u00a0"
MINUS = "\u2212"


def put_into(app: Flask) -> None:
    """Give templates the filters for figures and days, and those that tell what services say."""
    for name, written in (
        ("money", money), ("number", number), ("day", day), ("moment", moment), ("clock_time", clock_time),
        ("period", period), ("told", said.told), ("shown", said.shown), ("phrases", said.phrases),
    ):  # fmt: skip
        app.add_template_filter(written, name)
    app.jinja_env.globals["ngettext"] = _counted(app.jinja_env.globals["ngettext"])


def _counted(ngettext: Any) -> Callable[..., str]:
    """Jinja's own, with the number of a text written as the person's language writes it."""

    @pass_context
    def counted(context: Context, one: str, many: str, num: int, **values: Any) -> str:
        text: str = ngettext(context, one, many, num, **{"num": number(num), **values})
        return text  # not str(text): it is escaped already and says so

    return counted


def money(amount: Decimal | str | None, currency: str = "") -> str:
    """`1,204.50 EUR` or `1 204,50 EUR`: at least two decimals, no-break spaces, a real minus. None: a dash."""
    if amount is None:
        return "–"
    exact = Decimal(amount)
    places = max(2, -int(exact.normalize().as_tuple().exponent))
    text = _written(exact, f"#,##0.{'0' * places}")
    return f"{text}{NO_BREAK}{currency}" if currency else text


def number(value: Decimal | int | None) -> str:
    """A count or a quantity without needless zeros."""
    return "–" if value is None else _written(Decimal(value), "#,##0.######")


def day(value: date | datetime | None) -> str:
    """`23 Nov 2026`; a moment as its day in the company's zone. The year is left out when it is this year's."""
    if value is None:
        return "–"
    local = value.astimezone(zone()).date() if isinstance(value, datetime) else value
    is_this_year = local.year == datetime.now(UTC).astimezone(zone()).year
    if str(get_locale()) == "lt":
        return local.strftime("%m-%d" if is_this_year else "%Y-%m-%d")
    return format_date(local, "d MMM" if is_this_year else "d MMM y", locale="en")


def moment(value: datetime | None) -> str:
    """`today 10:41`, `yesterday 03:24`, `tomorrow 04:13`, `12 Nov 16:20`: in the company's zone."""
    if value is None:
        return "–"
    local = value.astimezone(zone())
    days_ago = (datetime.now(UTC).astimezone(zone()).date() - local.date()).days
    time = local.strftime("%H:%M")
    if days_ago == 0:
        return str(_("today %(time)s", time=time))
    if days_ago == 1:
        return str(_("yesterday %(time)s", time=time))
    if days_ago == -1:
        return str(_("tomorrow %(time)s", time=time))
    return f"{day(local)} {time}"


def clock_time(value: datetime | None) -> str:
    """`10:41:03`."""
    return "–" if value is None else value.astimezone(zone()).strftime("%H:%M:%S")


def period(start: datetime, end: datetime) -> str:
    """`12–18 Nov`, both days included: the local days of a half-open window."""
    first = start.astimezone(zone()).date()
    last_moment = end.astimezone(zone())
    last = last_moment.date()
    if (last_moment.hour, last_moment.minute, last_moment.second) == (0, 0, 0):
        last = date.fromordinal(last.toordinal() - 1)
    return day(first) if first == last else f"{day(first)}{NO_BREAK}– {day(last)}"


def zone() -> ZoneInfo:
    """The company's time zone, asked once a request."""
    if "zone" not in g:
        session = db.session()
        if session.in_transaction():
            g.zone = _zone_of(session)
        else:
            with reading(session):
                g.zone = _zone_of(session)
    return g.zone  # type: ignore[no-any-return]


def _zone_of(session: Any) -> ZoneInfo:
    return ZoneInfo(session.get_one(Company, 1).time_zone)


def _written(value: Decimal, pattern: str) -> str:
    text = str(format_decimal(value, format=pattern, locale="lt" if str(get_locale()) == "lt" else "en"))
    return text.replace("-", MINUS).replace(" ", NO_BREAK)
