"""A line of the list of integrations, in words: made from rows of the database, drawn by `_list.html`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app, url_for

from monet_web.blueprints import next_words, said, ticks
from monet_web.blueprints.formats import moment, money
from monet_web.blueprints.integrations import telling, wording
from monet_web.blueprints.integrations.translating import _, ngettext
from monet_web.blueprints.next_words import Next
from monet_web.blueprints.runs import month_words
from monet_web.connectors import CONNECTORS
from monet_web.models.integrations import IntegrationState
from monet_web.models.runs import AT_WORK, Run, RunState
from monet_web.services.integrations.integration_list import Row
from monet_web.services.running.next_runs import NextRun


@dataclass(frozen=True, slots=True)
class Line:
    """One integration as the list shows it."""

    id: int
    name: str
    what: str  # platform and accounting type
    mark: tuple[str, str] | None  # of the newest import or the run at work
    told: str  # when, how long, by whom
    told_url: str
    next: Next
    waiting: int
    sums: str
    waiting_url: str
    action: str  # stop | run | switch_on
    action_told: str  # what the button does, for those who do not see the row
    offers_daily: bool
    refused: str
    refused_since: str
    ticks: list[str]  # the last five imports, the oldest first
    ticks_told: str
    month: str  # of the newest check, where it differs from the store
    month_url: str


def lines(rows: Sequence[Row], upcoming: Mapping[int, NextRun], *, now: datetime) -> list[Line]:
    """The rows in words, with the next run of each."""
    return [_line(row, upcoming.get(row.integration.id), now) for row in rows]


def headline(rows: Sequence[Row]) -> str:
    """`3 installed, 1 needs you; 23 invoices wait in journals.` "None needs you" only when no invoice waits either."""
    if not rows:
        return _("None yet. An address and a key are enough to begin.")
    needing = sum(row.needs_somebody for row in rows)
    installed = ngettext("%(num)s installed", "%(num)s installed", len(rows))
    waiting = sum(row.waiting for row in rows)
    waits = (
        ngettext("%(num)s invoice waits in journals", "%(num)s invoices wait in journals", waiting)
        if waiting
        else _("no invoice waits")
    )
    if waiting and not needing:
        return _("%(installed)s; %(waits)s.", installed=installed, waits=waits)
    needs = ngettext("%(num)s needs you", "%(num)s need you", needing) if needing else _("none needs you")
    return _("%(installed)s, %(needs)s; %(waits)s.", installed=installed, needs=needs, waits=waits)


def run_url(run: Run) -> str:
    """The run's own page, where there is one."""
    return url_for("runs.show", run_id=run.id) if "runs.show" in current_app.view_functions else ""


def _line(row: Row, upcoming: NextRun | None, now: datetime) -> Line:
    one = row.integration
    settings = wording.parsed(one.settings)
    kind = CONNECTORS.get(one.store.platform)
    is_off = one.state is IntegrationState.OFF
    told_of = row.current or (None if is_off and row.switched_off else row.last)
    kinds = [ticks.kind(run) for run in reversed(upcoming.last)] if upcoming is not None else []
    found = month_words.of(row.month) if row.month is not None else None
    action = "stop" if row.current else "switch_on" if is_off else "run"
    return Line(
        id=one.id,
        name=one.name,
        what=f"{kind.label if kind else one.store.platform} · "
        + (_("goods") if settings.accounting_type == "goods" else _("amounts")),
        mark=_mark(row, is_off=is_off),
        told=_told(row, is_off=is_off),
        told_url=run_url(told_of) if told_of else "",
        next=next_words.said(
            one, upcoming, now=now, off_since=row.switched_off.at if row.switched_off is not None else None
        ),
        waiting=row.waiting,
        sums=", ".join(money(total, currency) for currency, total in sorted(row.sums.items())),
        waiting_url=url_for("journals.page", integration=one.id)
        if "journals.page" in current_app.view_functions
        else "",
        action=action,
        action_told=_action_told(action, row),
        offers_daily=not is_off
        and settings.frequency == "off"
        and row.last is not None
        and row.last.state is RunState.DONE,
        refused=said.told(one.refused_text) if one.refused_since else "",
        refused_since=moment(one.refused_since) if one.refused_since else "",
        ticks=kinds,
        ticks_told=ticks.told(kinds),
        month=found.title if found is not None else "",
        month_url=run_url(row.month) if row.month is not None else "",
    )


def _mark(row: Row, *, is_off: bool) -> tuple[str, str] | None:
    if row.current is not None:
        return telling.mark_of(row.current)
    if is_off:
        return "off", _("Switched off")
    if row.integration.refused_since is not None:
        return "failed", _("Refused")
    return telling.mark_of(row.last) if row.last else None


def _told(row: Row, *, is_off: bool) -> str:
    if row.current is not None:
        return telling.progress(row.current)
    if is_off and row.switched_off is not None:
        return _("%(moment)s, by %(who)s", moment=moment(row.switched_off.at), who=row.switched_off.by)
    last = row.last
    if last is None:
        return _("Never ran yet")
    parts = [moment(last.ended_at or last.created_at), telling.took(last)]
    if last.state is RunState.FAILED:
        return f"{parts[0]}: {said.told(last.error)}"
    return ", ".join(part for part in parts if part)


def _action_told(action: str, row: Row) -> str:
    name: dict[str, Any] = {"name": row.integration.name}
    match action:
        case "stop" if row.current is not None and row.current.state in AT_WORK:
            return _("Stop the run of %(name)s", **name)
        case "stop":
            return _("Take the run of %(name)s out of the queue", **name)
        case "switch_on":
            return _("Switch on %(name)s", **name)
        case _:
            return _("Run %(name)s now: yesterday and today", **name)
