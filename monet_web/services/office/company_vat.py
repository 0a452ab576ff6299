"""What the company is to the tax authority, as people type it: days of VAT and OSS, the threshold, VIES."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from monet_web.services.books import tables

_MOST = Decimal(10) ** 9


class WrongValue(ValueError):
    """What is wrong with one value and what to type."""


def yes_no(text: str, _country: str) -> bool:
    """yes or no, in both languages."""
    folded = text.casefold()
    if folded in ("yes", "y", "true", "on", "1", "taip"):
        return True
    if folded in ("no", "n", "false", "off", "0", "ne", ""):
        return False
    raise WrongValue("Type yes or no.")


def day_or_none(text: str, _country: str) -> date | None:
    """A day as 2026-01-01, or none."""
    if not text:
        return None
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise WrongValue("Type the day as 2026-01-01, or leave it empty.") from None


def _threshold(text: str, _country: str) -> Decimal:
    try:
        amount = tables.number_of(text, example="10000, in euro")
    except tables.Wrong as wrong:
        raise WrongValue(str(wrong)) from None
    if not 0 <= amount < _MOST or amount != round(amount, 2):
        raise WrongValue("Type an amount in euro with at most two decimals, as 10000.")
    return amount


KEYS: Mapping[str, Callable[[str, str], Any]] = {
    "vat_payer": yes_no,
    "vat_from": day_or_none,
    "vat_to": day_or_none,
    "oss_from": day_or_none,
    "oss_to": day_or_none,
    "eu_threshold": _threshold,
    "ask_vies": yes_no,
}


def contradictions(values: Mapping[str, Any]) -> dict[str, str]:
    """Key → what can't be, of all values together as they would be kept."""
    wrong = {}
    for first, last, name in (("vat_from", "vat_to", "VAT payer"), ("oss_from", "oss_to", "OSS")):
        begins, ends = values[first], values[last]
        if begins is not None and ends is not None and ends < begins:
            wrong[last] = f"The last day as {name} would be {ends}, before the first, {begins}."
    if values["oss_to"] is not None and values["oss_from"] is None:
        wrong["oss_from"] = "Type the first day in OSS, or clear the last one."
    return wrong


def as_text(value: Any) -> str:
    """A value as text that is read back to the same."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)
