"""The page's sentences but those of what needs a person: the headline, the chart's words, the health of each line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel.dates import format_date
from flask_babel import get_locale

from monet_web.blueprints import next_words, ticks
from monet_web.blueprints.formats import day, moment, money, number
from monet_web.blueprints.next_words import Next
from monet_web.blueprints.runs import month_words
from monet_web.blueprints.runs.texts import _, joined, link, ngettext
from monet_web.blueprints.sentences import month
from monet_web.blueprints.today.drawing import Chart, Series, draw
from monet_web.domain.windows import local_day, start_of_day
from monet_web.models.integrations import IntegrationState
from monet_web.models.invoices import InvoiceState
from monet_web.models.runs import AT_WORK, Run, RunState
from monet_web.models.store_orders import Outcome
from monet_web.services.today import Day, Health, Invoiced, Today

_INVOICED = (Outcome.REGISTERED, Outcome.CREDITED)
_NEEDS_PERSON = (Outcome.CONFLICT, Outcome.UNREADABLE)
_OWN_SERIES = 3  # integrations with a colour of their own; the rest is one


def title(today: Today) -> str:
    """`Thursday, 19 November`."""
    if str(get_locale()) == "lt":
        return str(format_date(today.day, "MMMM d 'd.', EEEE", locale="lt")).capitalize()
    return str(format_date(today.day, "EEEE, d MMMM", locale="en"))


def headline(today: Today, needs: int) -> str:
    """`All 43 orders of yesterday are invoiced.` or `2 things need you.`, and what came in since midnight (A1).

    Waiting invoices that are the one thing are named.
    """
    if needs == 1 and today.waiting.count:
        first = ngettext(
            "%(num)s invoice waits in the journals.", "%(num)s invoices wait in the journals.", today.waiting.count
        )
    elif needs:
        first = ngettext("%(num)s thing needs you.", "%(num)s things need you.", needs)
    else:
        first = _yesterday(today)
    return " ".join(part for part in (_month(today), first, _since_midnight(today.days[-1])) if part)


def _month(today: Today) -> str:
    """On the day of the check, when all of them agree: `October 2026 agrees with every store.`"""
    of_today = [
        run
        for run in today.months.values()
        if run.ended_at is not None and local_day(run.ended_at, today.zone) == today.day
    ]
    if not of_today or today.differing or len({month_words.days(run) for run in of_today}) != 1:
        return ""
    name = month(month_words.days(of_today[0])[0])
    if len(of_today) == 1:
        return _("%(month)s agrees with the store.", month=name)
    return _("%(month)s agrees with every store.", month=name)


def _yesterday(today: Today) -> str:
    until = today.known_until
    if until is None or until < start_of_day(today.day, today.zone):
        # What was not asked of the store may be more than what is here.
        return _("Nothing needs you.") + (
            " " + _("Orders since %(when)s are not imported yet.", when=moment(until)) if until else ""
        )
    yesterday = today.days[-2]
    count, done = yesterday.count(), yesterday.count(*_INVOICED)
    if not count:
        return _("Nothing needs you. No order came in yesterday.")
    if done == count:
        return ngettext(
            "The %(num)s order of yesterday is invoiced.", "All %(num)s orders of yesterday are invoiced.", count
        )
    return _(
        "All %(count)s orders of yesterday are accounted for: %(parts)s.", count=number(count), parts=_parts(yesterday)
    )


def _since_midnight(of: Day) -> str:
    count = of.count()
    if not count:
        return ""
    came = ngettext("%(num)s order came in since midnight", "%(num)s orders came in since midnight", count)
    return f"{came}: {_parts(of)}."


def _parts(of: Day) -> str:
    counts = (
        (of.count(*_INVOICED), _("%(num)s invoiced")),
        (of.count(Outcome.IN_JOURNAL), _("%(num)s in journals")),
        (of.count(*_NEEDS_PERSON), _("%(num)s for you to look at")),
        (of.count(Outcome.FILTERED), _("%(num)s left out")),
        (of.count(Outcome.OPEN), _("%(num)s not imported yet")),
    )
    return joined(text.replace("%(num)s", number(count)) for count, text in counts if count)


# --- the chart ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Drawn:
    """The chart and the words around it."""

    chart: Chart
    title: str
    desc: str
    written: Callable[[Decimal], str]
    table: list[tuple[str, list[str], str]]
    note: str = ""


def orders(today: Today) -> Drawn:
    """Orders a day: invoiced ones by integration, then those in journals, left out, not imported, for a person."""
    days = today.days
    of_integrations = _by_integration(
        _names(today), [{key: _sum(of, _INVOICED) for key, of in each.orders.items()} for each in days]
    )
    others = [
        Series(label, paint, tuple(Decimal(each.count(*outcomes)) for each in days))
        for label, paint, outcomes in (
            (_("in journals"), "journal", (Outcome.IN_JOURNAL,)),
            (_("left out"), "skipped", (Outcome.FILTERED,)),
            (_("not imported yet"), "open", (Outcome.OPEN,)),
            (_("for you to look at"), "failed", _NEEDS_PERSON),
        )
    ]
    heading = _("Orders a day and integration, %(first)s – %(last)s", first=day(days[0].day), last=day(days[-1].day))
    return _drawn([each.day for each in days], [*of_integrations, *others], heading, _("orders"), _count)


def euros(today: Today, invoiced: Sequence[Invoiced], without_rate: int) -> Drawn:
    """What the invoices of each day come to in EUR."""
    registered = _by_integration(
        _names(today),
        [{key: of.get(InvoiceState.REGISTERED, Decimal(0)) for key, of in each.sums.items()} for each in invoiced],
    )
    waiting = tuple(
        sum((of.get(InvoiceState.IN_JOURNAL, Decimal(0)) for of in each.sums.values()), Decimal(0)) for each in invoiced
    )
    first, last = day(invoiced[0].day), day(invoiced[-1].day)
    heading = _("EUR a day and integration with VAT, by invoice date, %(first)s – %(last)s", first=first, last=last)
    note = ""
    if without_rate:
        note = ngettext(
            "%(num)s invoice without an exchange rate is not in it.",
            "%(num)s invoices without an exchange rate are not in it.",
            without_rate,
        )
    series = [*registered, Series(_("in journals"), "journal", waiting)]
    return _drawn([each.day for each in invoiced], series, heading, "EUR", _whole, note)


def _drawn(
    days: Sequence[date],
    series: Sequence[Series],
    heading: str,
    unit: str,
    written: Callable[[Decimal], str],
    note: str = "",
) -> Drawn:
    shown = [one for one in series if any(one.values)]
    labels = [(str(each.day), _weekday(each)) for each in days]
    labels[-1] = (labels[-1][0], _("today"))
    chart = draw(labels, shown, written)
    sums = [sum((one.values[number] for one in shown), Decimal(0)) for number in range(len(days))]
    best = max(range(len(days)), key=lambda number: sums[number])
    desc = _(
        "%(total)s %(unit)s. The most on %(day)s, %(most)s. The same figures are in the table below.",
        total=written(chart.total),
        unit=unit,
        day=f"{_weekday(days[best])} {day(days[best])}",
        most=written(sums[best]),
    )
    table = [
        (f"{_weekday(each)} {day(each)}", [written(one.values[place]) for one in shown], written(sums[place]))
        for place, each in enumerate(days)
    ]
    return Drawn(chart, heading, desc, written, table, note)


def _by_integration(names: Mapping[int, str], days: Sequence[Mapping[int, int | Decimal]]) -> list[Series]:
    totals: dict[int, Decimal] = {}
    for of in days:
        for key, value in of.items():
            totals[key] = totals.get(key, Decimal(0)) + value
    ranked = sorted((key for key in totals if totals[key] and key in names), key=lambda key: (-totals[key], key))
    # A fourth colour is better spent on a fourth integration than on "others" of one.
    rest = [key for key in totals if totals[key] and key not in ranked[:_OWN_SERIES]]
    if len(rest) == 1 and rest[0] in names:
        groups = [(names[key], [key]) for key in ranked]
    else:
        groups = [(names[key], [key]) for key in ranked[:_OWN_SERIES]]
        if rest:
            groups.append((ngettext("%(num)s other", "%(num)s others", len(rest)), rest))
    return [
        Series(label, f"c{place}", tuple(sum((Decimal(of.get(key, 0)) for key in keys), Decimal(0)) for of in days))
        for place, (label, keys) in enumerate(groups, start=1)
    ]


def _names(today: Today) -> dict[int, str]:
    return {one.integration.id: one.integration.name for one in today.health}


def _sum(of: Mapping[Outcome, int], outcomes: Sequence[Outcome]) -> int:
    return sum(of.get(outcome, 0) for outcome in outcomes)


def _count(value: Decimal) -> str:
    return number(value)


def _whole(value: Decimal) -> str:
    return money(value.quantize(Decimal(1))).rpartition("." if str(get_locale()) != "lt" else ",")[0]


def _weekday(of: date) -> str:
    return str(format_date(of, "EEE", locale="lt" if str(get_locale()) == "lt" else "en")).capitalize()


# --- health and next runs ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One integration: how it is, and the ticks of its newest runs."""

    name: str
    url: str
    told: str
    told_url: str
    is_bad: bool
    ticks: list[str]
    ticks_told: str


def line(one: Health) -> Line:
    """An integration in words."""
    told, told_run, is_bad = _state(one)
    kinds = [ticks.kind(run) for run in one.ended]
    return Line(
        name=one.integration.name,
        url=link("integrations.edit", integration_id=one.integration.id),
        told=told,
        told_url="" if told_run is None else link("runs.show", run_id=told_run.id),
        is_bad=is_bad,
        ticks=kinds,
        ticks_told=ticks.told(kinds),
    )


def _state(one: Health) -> tuple[str, Run | None, bool]:
    current, last = one.current, one.last
    if current is not None:
        if current.state not in AT_WORK:
            return _("Waits for its turn"), current, False
        if current.expected:
            done, whole = number(current.fetched), number(max(current.expected, current.fetched))
            return _("Running now: %(done)s of %(whole)s orders", done=done, whole=whole), current, False
        return _("Running now"), current, False
    if one.integration.state is IntegrationState.OFF:
        return _("Switched off"), None, False
    if one.integration.refused_since is not None:
        return _("Key refused"), last, True
    if last is None:
        return _("Nothing imported yet"), None, False
    when = moment(last.ended_at)
    if last.state is RunState.FAILED:
        return _("Failed %(when)s", when=when), last, True
    if last.state is RunState.STOPPED:
        return _("Stopped %(when)s", when=when), last, False
    return _("Well, %(when)s", when=when), last, False


def next_lines(today: Today) -> list[tuple[str, Next]]:
    """The name and the next run of each integration, the soonest first, then those that wait for a person."""
    found = [
        (one.integration.name, next_words.said(one.integration, today.next_runs.get(one.integration.id), now=today.now))
        for one in today.health
    ]
    return sorted(found, key=lambda pair: (pair[1].at is None, pair[1].at or today.now, not pair[1].is_bad))
