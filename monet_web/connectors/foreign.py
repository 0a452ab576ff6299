"""Reading JSON that a store wrote: every value is asked for by its place, and what does not fit ends in a sentence.

Nothing here guesses: a missing text is "", a missing list is empty, a missing or misshapen amount is `Misfit`, whose
text names the field and the value that was found. Readers turn it into `Unreadable`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from monet_web.connectors.base import Json
from monet_web.domain.money import round_to

Row = Mapping[str, Json]

_MOST_DIGITS = 15  # before and after the point each: beyond that it is no amount, and sums could not be exact
_SHOWN = 60  # characters of a foreign value in a sentence
_LOCAL_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)\Z")
_SHARE_UNIT = Decimal("0.000001")
_YEARS = range(1970, 2200)


class Misfit(Exception):
    """A value of the store that cannot be what it should be; the text is a full sentence for a person."""


def shown(value: object) -> str:
    """A foreign value as it may stand in a sentence: one line, cut off."""
    text = str(value) if isinstance(value, (str, int, Decimal)) else type(value).__name__
    text = " ".join(text.split())
    return f"{text[:_SHOWN]}…" if len(text) > _SHOWN else text


def row(value: Json, where: str) -> Row:
    """`value` when it is an object."""
    if isinstance(value, Mapping):
        return value
    raise Misfit(f"{where} should be an object and is '{shown(value)}'.")


def part(parent: Row, key: str) -> Row:
    """The object under `key`; an absent or empty one ({} or PHP's []) is {}."""
    value = parent.get(key)
    return row(value, key) if value else {}


def rows(parent: Row, key: str) -> list[Row]:
    """The objects of the list under `key`; none when it is absent, null, "" or empty."""
    value = parent.get(key)
    if not value:
        return []
    if not isinstance(value, (list, tuple)):
        raise Misfit(f"{key} should be a list and is '{shown(value)}'.")
    return [row(item, f"{key}[{index}]") for index, item in enumerate(value)]


def by_id(parent: Row, key: str, *, name: str = "id") -> dict[str, Row]:
    """The objects of a list by their id, as text: stores write 7 and "7" alike."""
    return {text(item, name): item for item in rows(parent, key)}


def text(parent: Row, key: str) -> str:
    """The text under `key`, without spaces around it; "" when absent, null or false."""
    value = parent.get(key)
    if value is None or value is False:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise Misfit(f"{key} should be a text and is '{shown(value)}'.")
    return str(value).strip()


def flag(parent: Row, key: str) -> bool:
    """True for true, 1 and "1" under `key`."""
    return parent.get(key) in (True, 1, "1")


def identity(parent: Row, key: str) -> str:
    """The id under `key`; what has none cannot be remembered."""
    value = text(parent, key)
    if value in {"", "0"}:
        raise Misfit(f"{key} is missing.")
    return value


def amount(parent: Row, key: str, default: Decimal | None = None) -> Decimal:
    """The number under `key`, exactly as written. `default` stands for an absent one. A float is refused."""
    value = parent.get(key)
    if value is None or value == "":
        if default is None:
            raise Misfit(f"{key} is missing.")
        return default
    return number(value, key)


def number(value: Json, where: str) -> Decimal:
    """A foreign number, text or integer as an exact Decimal of at most 15 digits on each side of the point."""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise Misfit(f"{where} should be a number and is '{shown(value)}'.")
    try:
        found = Decimal(value)
    except (InvalidOperation, ValueError):
        raise Misfit(f"{where} should be a number and is '{shown(value)}'.") from None
    if not found.is_finite():
        raise Misfit(f"{where} should be a number and is '{shown(value)}'.")
    places = -int(found.as_tuple().exponent)
    if places > _MOST_DIGITS or (found and found.adjusted() >= _MOST_DIGITS):
        raise Misfit(f"{where} has more digits than an amount can have: '{shown(value)}'.")
    return found


def local_moment(parent: Row, key: str, zone: ZoneInfo) -> datetime | None:
    """The shop-local `YYYY-MM-DD hh:mm:ss` under `key` in UTC; None for an absent or zero date (0000-00-00).

    The hour that the clock change doubles is read as its first pass (summer time): the text does not say which,
    the same text must always give the same moment, and an hour's error before 04:00 moves no document to another day.
    """
    value = text(parent, key)
    if not value or value.startswith("0000"):
        return None
    match = _LOCAL_MOMENT.match(value)
    if not match:
        raise Misfit(f"{key} should be a date and time and is '{shown(value)}'.")
    return _moment(value.replace(" ", "T"), key).replace(tzinfo=zone, fold=0).astimezone(UTC)


def utc_moment(parent: Row, key: str) -> datetime | None:
    """The ISO 8601 moment with an offset under `key` in UTC; None when absent."""
    value = text(parent, key)
    if not value:
        return None
    moment = _moment(value, key)
    if moment.tzinfo is None:
        raise Misfit(f"{key} should have a time zone and is '{shown(value)}'.")
    return moment.astimezone(UTC)


def _moment(value: str, key: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Misfit(f"{key} should be a date and time and is '{shown(value)}'.") from None
    if moment.year not in _YEARS:
        raise Misfit(f"{key} should be a date of our time and is '{shown(value)}'.")
    return moment


def needed(moment: datetime | None, key: str) -> datetime:
    """`moment` when there is one."""
    if moment is None:
        raise Misfit(f"{key} is missing.")
    return moment


def zone_of(name: str, key: str) -> ZoneInfo:
    """The shop's time zone by its IANA name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Misfit(f"{key} should be a time zone like Europe/Vilnius and is '{shown(name)}'.") from None


def plain(value: Decimal) -> Decimal:
    """A rate without needless zeros: 21.000 → 21, 9.50 → 9.5."""
    value = value.normalize()
    return value.quantize(Decimal(1)) if int(value.as_tuple().exponent) > 0 else value


def share(whole: Decimal, weights: Iterable[Decimal]) -> list[Decimal]:
    """`whole` in proportion to `weights`, to six decimals, exactly adding up: the heaviest takes what is left over.

    All-zero weights give everything to the first. For parts of amounts that still wait to be rounded to cents.
    """
    sizes = [abs(weight) for weight in weights]
    together = sum(sizes)
    if not together:
        return [whole, *([Decimal(0)] * (len(sizes) - 1))]
    shares = [round_to(whole * size / together, _SHARE_UNIT) for size in sizes]
    shares[sizes.index(max(sizes))] += whole - sum(shares)
    return shares


def snap(rate: Decimal, known: Iterable[Decimal], within: Decimal) -> Decimal | None:
    """The known rate nearest to a computed one, None when none lies `within` that many points."""
    near = [(abs(candidate - rate), candidate) for candidate in known]
    return min(near)[1] if near and min(near)[0] <= within else None
