"""What `monet doctor` says of one thing: well or not, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing looked at: what was found, and what to do when it is not well."""

    part: str
    well: bool
    sentence: str
    fix: str = ""


def few(texts: Sequence[str]) -> str:
    """The first five, and how many more there are."""
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more


def moment(at: datetime, zone: ZoneInfo) -> str:
    """`2026-11-24 14:35`, in the company's time."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
