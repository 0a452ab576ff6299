"""How WooCommerce understands after, before and dates_are_gmt, with its traps (platform page, "Dates")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from monet_web.demo.woocommerce.clock import SITE_ZONE, at_site, digits
from monet_web.demo.woocommerce.profile import Profile

_ACCEPTED: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}(?::\d{2})?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a window, exclusive. `at` is seconds since 1970, of an instant or of the site's wall clock."""

    column: Literal["created", "modified"]
    side: Literal["after", "before"]
    clock: Literal["utc", "wall"]
    at: int


def is_date(text: str) -> bool:
    """WordPress's rest_parse_date: a date alone, an unescaped + (it arrives as a space) and words are refused."""
    return _ACCEPTED.fullmatch(text) is not None and _parsed(text) is not None


def bound(
    column: Literal["created", "modified"],
    side: Literal["after", "before"],
    text: str,
    *,
    dates_are_gmt: bool,
    profile: Profile,
) -> Bound:
    """What the shop compares. `text` passed is_date().

    With dates_are_gmt the value's digits in site time are compared with the UTC column: right for a naive value, which
    keeps its digits; a value with Z or an offset is first converted to site time, and so lies two or three hours late.
    """
    parsed = _parsed(text)
    if parsed is None:
        message = f"no date: {text}"
        raise ValueError(message)
    at_wall = parsed if parsed.tzinfo is None else parsed.astimezone(SITE_ZONE).replace(tzinfo=None)
    if dates_are_gmt and profile.knows_modified:
        return Bound(column, side, "utc", digits(at_wall))
    if profile.posts:
        # Posts keep the wall clock; in the doubled hour of October an instant is no longer told from the next.
        return Bound(column, side, "wall", digits(at_wall))
    instant = at_site(parsed) if parsed.tzinfo is None else int(parsed.timestamp())
    return Bound(column, side, "utc", instant)


def _parsed(text: str) -> datetime | None:
    whole = re.sub(r"\.\d+", "", text).replace("t", "T").replace(" ", "T").replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(whole)
    except ValueError:
        return None
