"""What the check of a month found (B3), in words: the store's side beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from monet_web.blueprints.formats import money, number
from monet_web.blueprints.runs import words
from monet_web.blueprints.runs.texts import _, joined, ngettext
from monet_web.blueprints.sentences import month
from monet_web.models.runs import Run


@dataclass(frozen=True, slots=True)
class MonthCheck:
    """The two sides of a month: how many and for how much."""

    agrees: bool
    title: str
    store: tuple[str, list[str]]
    ours: tuple[str, list[str]]
    registered: str
    in_journal: str
    notes: str  # which orders make no invoice, and why


def of(run: Run) -> MonthCheck | None:
    """What the check of the 20th found, in words (B3); None for a run that checked no month."""
    found = run.month_check
    if not found:
        return None
    store, ours = found["store"], found["ours"]
    year, month_number = (int(part) for part in found["month"].split("-"))
    name = month(date(year, month_number, 1))
    left_out = [
        (count, words.filter_words().get(why, why.replace("_", " "))) for why, count in store["left_out"].items()
    ]
    notes = [f"{number(count)} {text}" for count, text in sorted(left_out, reverse=True) if count]
    if store["not_booked"]:
        notes.append(
            ngettext(
                "%(num)s could not be entered: it needs you", "%(num)s could not be entered: they need you",
                store["not_booked"],
            )
        )  # fmt: skip
    return MonthCheck(
        agrees=bool(found["agrees"]),
        title=_("%(month)s agrees with the store", month=name)
        if found["agrees"]
        else _("%(month)s differs from the store", month=name),
        store=(number(store["orders"]), _amounts(store["totals"])),
        ours=(number(ours["invoices"]), _amounts(ours["totals"])),
        registered=number(ours["registered"]),
        in_journal=number(ours["in_journal"]),
        notes=joined(notes),
    )


def days(run: Run) -> tuple[date, date]:
    """The first and the last day of the month that a run has checked."""
    assert run.month_check is not None  # noqa: S101 - asked only of a run that has checked one
    year, month_number = (int(part) for part in run.month_check["month"].split("-"))
    first = date(year, month_number, 1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def side(of_one: tuple[str, list[str]]) -> str:
    """`300 for 9,000.00 EUR`."""
    count, amounts = of_one
    return _("%(count)s for %(amounts)s", count=count, amounts=joined(amounts)) if amounts else count


def _amounts(totals: Mapping[str, str]) -> list[str]:
    return [money(amount, currency) for currency, amount in sorted(totals.items())]
