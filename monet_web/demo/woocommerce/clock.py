"""Time as WooCommerce writes and reads it: seconds since 1970 inside, two kinds of text outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

SITE_ZONE: Final = ZoneInfo("Europe/Vilnius")

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the zero of wall clocks, which have no zone


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970 of an aware moment."""
    return int(moment.timestamp())


def moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def utc_text(second: int) -> str:
    """`date_created_gmt`: UTC without a Z."""
    return datetime.fromtimestamp(second, UTC).isoformat()[:19]


def local_text(second: int) -> str:
    """`date_created`: the site's wall clock without an offset."""
    return datetime.fromtimestamp(second, SITE_ZONE).isoformat()[:19]


def read_utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def wall(second: int) -> int:
    """The site's wall clock at an instant, as if its digits were UTC: what posts storage keeps in `post_date`."""
    local = datetime.fromtimestamp(second, SITE_ZONE)
    return second + int((local.utcoffset() or timedelta()).total_seconds())


def digits(naive: datetime) -> int:
    """The digits of a wall clock as a number; the opposite of reading a zone into them."""
    return int((naive - _EPOCH).total_seconds())


def at_site(naive: datetime) -> int:
    """The instant of a site-local wall clock.

    In the doubled hour of October it is the second one (winter time), so that orders of the first are missed; in the
    hour that March skips it is one hour later, as PHP reads it.
    """
    first = naive.replace(tzinfo=SITE_ZONE, fold=0)
    second = naive.replace(tzinfo=SITE_ZONE, fold=1)
    is_doubled = (first.utcoffset() or timedelta()) > (second.utcoffset() or timedelta())
    return int((second if is_doubled else first).timestamp())


def set_dates(document: dict[str, object], name: str, second: int | None) -> None:
    """Writes both forms of a date field, `name` and `name_gmt`, where they stand."""
    document[name] = None if second is None else local_text(second)
    document[f"{name}_gmt"] = None if second is None else utc_text(second)
