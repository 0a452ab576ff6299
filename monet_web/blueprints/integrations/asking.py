"""The question before a launch: what each preview came to, their sums, and the button that launches them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flask import url_for
from sqlalchemy.orm import Session

from monet_web.blueprints.integrations import listing, telling, wording
from monet_web.blueprints.integrations.translating import _, ngettext
from monet_web.blueprints.said import told
from monet_web.domain import periods
from monet_web.models.runs import ENDED, Run, RunState
from monet_web.services.office import company
from monet_web.services.running import foreseen_account, launching
from monet_web.services.running.foreseen_account import VatOfCurrency
from monet_web.services.running.launching import Why

_MOST = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """One preview, in words."""

    run_id: int
    integration_id: int
    name: str
    url: str
    mark: tuple[str, str]
    has_ended: bool
    words: str
    error: str
    causes: list[tuple[int, str]]
    left_out: list[tuple[int, str]]
    counts: tuple[int, int, int, int]  # registered, in journal, skipped, needs a person
    fetched: int
    whole: int
    took: str


@dataclass(frozen=True, slots=True)
class Question:
    """The previews of a launch and what is asked of them."""

    shown: list[Shown]
    vat: list[VatOfCurrency]  # of all previews together
    days: str
    has_ended: bool
    why: list[str]  # why it asks first
    button: str  # "" when there is nothing to launch
    sentence: str  # how many, for how much, in which days (H6)
    mask: str  # of those that can be launched
    mask_again: str  # of all
    first: str
    last: str
    seen: str
    version: int  # grows with every step of the previews
    sums_url: str


def ids(text: str) -> list[int]:
    """`1,2,3`; what is no number is left out."""
    return [int(part) for part in text.split(",")[:_MOST] if part.isascii() and part.isdigit() and len(part) < 18]


def question(session: Session, numbers: str, now: datetime) -> Question | None:
    """The question of these previews, None when none of them exists. Inside a transaction."""
    runs = launching.previews(session, ids(numbers))
    if not runs:
        return None
    period = launching.days_of(runs[0], company.zone(session))
    done = [run for run in runs if run.state is RunState.DONE]
    why = launching.reasons_to_ask(session, [run.integration for run in runs], first=period.first, now=now)
    version = sum(run.progress_version for run in runs)
    has_ended = all(run.state in ENDED for run in runs)
    return Question(
        shown=[shown(run) for run in runs],
        vat=foreseen_account.vat(runs),
        days=wording.days(period.first, period.last),
        has_ended=has_ended,
        why=_why(runs, why),
        button=ngettext("Launch %(num)s run", "Launch %(num)s runs", len(done)) if has_ended and done else "",
        sentence=_sentence(done, period),
        mask=", ".join(run.integration.name for run in done),
        mask_again=", ".join(run.integration.name for run in runs),
        first=period.first.isoformat(),
        last=period.last.isoformat(),
        seen=",".join(str(run.id) for run in runs),
        version=version,
        sums_url=url_for("integrations.sums", preview=",".join(str(run.id) for run in runs), was=version),
    )


def shown(run: Run) -> Shown:
    """One preview, in words."""
    skipped = run.filtered + run.already_there
    return Shown(
        run_id=run.id,
        integration_id=run.integration_id,
        name=run.integration.name,
        url=listing.run_url(run),
        mark=_mark(run),
        has_ended=run.state in ENDED,
        words=telling.preview_words(run) if run.state in ENDED and not run.error else telling.progress(run),
        error=told(f"{run.error} {run.fix}".strip()) if run.state in ENDED else "",
        causes=telling.causes(run),
        left_out=telling.left_out(run),
        counts=(run.registered, run.in_journal, skipped, run.conflict + run.unreadable),
        fetched=run.fetched,
        whole=run.expected or run.fetched,
        took=telling.took(run),
    )


def _mark(run: Run) -> tuple[str, str]:
    if run.state is RunState.DONE:
        return ("journal" if run.in_journal else "registered"), _("Previewed")
    if run.state is RunState.STOPPED:
        return "off", _("Stopped")
    return telling.mark_of(run)


def _why(runs: Sequence[Run], why: dict[int, Why]) -> list[str]:
    said = []
    first = [run.integration.name for run in runs if why.get(run.integration_id) is Why.FIRST]
    if first:
        said.append(
            ngettext(
                "%(names)s was never launched before, so here is first what it would do.",
                "%(names)s were never launched before, so here is first what they would do.",
                len(first), names=", ".join(first),
            )
        )  # fmt: skip
    if any(each is Why.FAR for each in why.values()):
        said.append(_("The period begins more than two months ago, so here is first what it would do."))
    return said


def _sentence(done: Sequence[Run], period: periods.Period) -> str:
    if not done:
        return ""
    registered, waiting = sum(run.registered for run in done), sum(run.in_journal for run in done)
    days = wording.days(period.first, period.last)
    if not registered and not waiting:
        return _("Nothing of %(days)s would be entered now.", days=days)
    entered = ngettext(
        "%(num)s invoice for %(sum)s is entered", "%(num)s invoices for %(sum)s are entered",
        registered, sum=telling.joined_sums(_total(done, "registered")),
    )  # fmt: skip
    if not waiting:
        return _("Of the orders of %(days)s: %(entered)s.", days=days, entered=entered)
    waits = ngettext(
        "%(num)s for %(sum)s waits in a journal", "%(num)s for %(sum)s wait in a journal",
        waiting, sum=telling.joined_sums(_total(done, "in_journal")),
    )  # fmt: skip
    return _("Of the orders of %(days)s: %(entered)s, %(waits)s.", days=days, entered=entered, waits=waits)


def _total(runs: Sequence[Run], which: str) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for run in runs:
        for currency, sums in run.totals.items():
            totals[currency] += Decimal(sums.get(which, "0"))
    return totals
